from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError


class CollectionPreviewWizard(models.TransientModel):
    """What a debtor would receive of a campaign or of a dunning level, before anything is sent.

    *How to use.* ``_open(content)`` with either; ``action_show()`` after another debtor was chosen.

    *How it works.* The message is made as every other one and taken back at once (collection_content_sample.py): only
    what it said is kept, with this dialog.
    """

    _name = "collection.preview.wizard"
    _description = "Preview of a Message"

    campaign_id = fields.Many2one("collection.campaign", readonly=True, ondelete="cascade")
    level_id = fields.Many2one("collection.level", readonly=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", compute="_compute_company_id")
    debtor_id = fields.Many2one("collection.debtor", domain="[('company_id', '=?', company_id)]", ondelete="cascade")
    template_id = fields.Many2one("mail.template", compute="_compute_company_id")
    has_letter = fields.Boolean(compute="_compute_company_id")

    problem = fields.Char(readonly=True, help="Why it cannot be shown or sent.")
    subject = fields.Char(readonly=True)
    email_from = fields.Char(string="From", readonly=True)
    reply_to = fields.Char(readonly=True)
    email_to = fields.Char(string="To", readonly=True)
    email_cc = fields.Char(string="Copy To", readonly=True)
    email_bcc = fields.Char(string="Blind Copy To", readonly=True)
    body = fields.Html(sanitize=False, readonly=True)

    @api.depends("campaign_id", "level_id")
    def _compute_company_id(self):
        for wizard in self:
            content = wizard._get_content()
            wizard.company_id = wizard.campaign_id.company_id or wizard.level_id.policy_id.company_id
            wizard.template_id = content.template_id
            wizard.has_letter = bool(content) and "letter" in content._get_channels()

    # === Actions ===#

    @api.model
    def _open(self, content):
        names = {"collection.campaign": "campaign_id", "collection.level": "level_id"}
        debtor = content._get_sample_debtors()[:1]
        return self.create({names[content._name]: content.id, "debtor_id": debtor.id}).action_show()

    def action_show(self):
        self.ensure_one()
        self.write(self._prepare_preview())
        return {
            "type": "ir.actions.act_window",
            "name": _("Preview: %(content)s", content=self._get_content().name),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    def action_open_template(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "mail.template",
            "res_id": self.template_id.id,
            "view_mode": "form",
        }

    def action_open_statement(self):
        """The statement that goes with the message."""
        return self._download(letter=False)

    def action_open_letter(self):
        """The statement with the text above it, as it is posted."""
        return self._download(letter=True)

    # === Helpers ===#

    def _get_content(self):
        return self.campaign_id or self.level_id

    def _get_debtor(self):
        """:raise AccessError: when the user may not read it"""
        if not self.debtor_id:
            raise UserError(_("Choose the debtor whose message you want to see."))
        self.debtor_id.fetch(["partner_id"])
        return self.debtor_id

    def _download(self, letter):
        self.ensure_one()
        content = self._get_content()
        with content._sampled(self._get_debtor()) as notice:
            self._check_sample(notice)
            text = content._render_sample(notice).body if letter else None
            document = content._print_sample(notice, text)
            name, pdf = document.name, document.raw
        return self.env["collection.export"]._download(name, pdf)

    def _check_sample(self, notice):
        if not notice:
            raise UserError(
                _(
                    "%(debtor)s has nothing to be told by it now: choose another debtor.",
                    debtor=self.debtor_id.display_name,
                )
            )

    def _prepare_preview(self):
        """What the message would say, or why it cannot."""
        shown = ("subject", "email_from", "reply_to", "email_to", "email_cc", "email_bcc", "body", "problem")
        values = dict.fromkeys(shown, False)
        content = self._get_content()
        try:
            with content._sampled(self._get_debtor()) as notice:
                self._check_sample(notice)
                return {**values, **self._prepare_message(notice, content._render_sample(notice))}
        except AccessError:
            raise
        except UserError as error:
            return {**values, "problem": str(error)}

    def _prepare_message(self, notice, text):
        senders = {notice: notice._get_sender(text.sender)}
        addressed, unreachable = notice._find_addresses()
        values = {
            "subject": text.subject,
            "email_from": senders[notice][1],
            "reply_to": notice._get_reply_to({notice: text}, senders)[notice],
            "body": text.body,
        }
        if notice.channel == "letter":
            return {**values, "email_to": notice.recipient}
        if unreachable:
            return {**values, "problem": unreachable[notice]}
        copies = notice._get_copies(addressed)[notice]
        return {
            **values,
            "email_to": ", ".join(partner.email_formatted for partner in addressed[notice]),
            "email_cc": ", ".join(copies.addresses),
            "email_bcc": ", ".join(copies.blind.mapped("email_formatted")),
        }
