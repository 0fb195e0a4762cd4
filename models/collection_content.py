from odoo import _, api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import is_html_empty

from ..engine import dunning
from .collection_debtor_dunning import speak
from .statement_layout import EVERYTHING, StatementLayout


class CollectionContent(models.AbstractModel):
    """What a message says and brings along, and who receives it: a dunning level's or a campaign's.

    *How to use.* Inherit, with a ``name``, ``_get_channels()``, which lists the ways to the customer in the order in
    which they are tried, ``_get_follow_up()``, and what tells whose it is and shows a sample of it
    (collection_content_sample.py). ``collection.notice._get_content()`` is the record that a notice is made of.
    """

    _name = "collection.content"
    _description = "Content of Notices"
    _inherit = "collection.deliveries.choice"

    template_id = fields.Many2one(
        "mail.template",
        domain=[("model", "=", "collection.notice")],
        ondelete="restrict",
        help="Subject and text of the mail; the text of the letter.",
    )

    # === What it brings along ===#
    attach_statement = fields.Boolean(default=True)
    attach_invoices = fields.Boolean(help="Attach the PDF of each listed invoice that has one.")
    attach_xml = fields.Boolean(string="Attach XML Files", help="Attach the XML files of each listed invoice.")
    bank_account_ids = fields.Many2many(
        "res.partner.bank",
        string="Deposit Accounts",
        domain="[('partner_id', 'in', bank_partner_ids)]",
        help="Where to pay, in the mail and in the statement. Empty: all accounts of the company.",
    )
    bank_partner_ids = fields.Many2many(
        "res.partner", string="Holders of Deposit Accounts", compute="_compute_bank_partner_ids"
    )
    logo = fields.Image(
        max_width=1024, max_height=1024, help="In place of the company's, in statements, letters and mails."
    )
    signature = fields.Html(
        translate=True, help="In place of the names of the collector and of the company, below all that it sends."
    )

    address_window = fields.Selection(
        [("left", "Left"), ("right", "Right")],
        help="Where the address shows in a window envelope (DL, C5 or #10). Empty: an envelope without window.",
    )
    signature_line = fields.Boolean(
        help="End the letter with lines for the name, the date and the signature of who receives it by hand."
    )

    # === Who receives it ===#
    contact_group_ids = fields.Many2many(
        "collection.contact.group",
        string="To Contacts",
        help="The mail goes to the customer's contacts of these groups. Empty: to its usual ones.",
    )
    contact_groups_only = fields.Boolean(
        string="To Nobody Else",
        help="A customer without such a contact is not written to. Otherwise its usual contacts receive the mail.",
    )

    # === Computes and constraints ===#

    @api.depends(lambda self: self._get_company_fields())
    def _compute_bank_partner_ids(self):
        for content in self:
            # sudo: which account is whose, whatever companies this person works in
            content.bank_partner_ids = content.sudo()._get_companies().partner_id

    @api.constrains(lambda self: ["bank_account_ids", *self._get_company_fields()])
    def _check_bank_accounts(self):
        # sudo: the account of another company is the very case
        for content in self.sudo():
            companies = content._get_companies()
            strange = content.bank_account_ids.filtered(lambda account: account.partner_id not in companies.partner_id)
            if strange:
                raise ValidationError(
                    _(
                        "%(account)s of %(holder)s is no account of %(company)s: “%(content)s” may show its own alone.",
                        account=strange[0].acc_number,
                        holder=strange[0].partner_id.name,
                        company=companies.name if len(companies) == 1 else _("any company"),
                        content=content.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        contents = super().create(vals_list)
        contents.filtered("logo")._share_logos()
        return contents

    def write(self, vals):
        result = super().write(vals)
        if vals.get("logo"):
            self._share_logos()
        return result

    # === What the notices ask ===#

    def _get_layout(self):
        """The ``StatementLayout`` of the statements and letters that it sends."""
        self.ensure_one()
        branded = self.logo or not is_html_empty(self.signature)
        return StatementLayout(
            bank_account_ids=tuple(sorted(self.bank_account_ids.ids)),
            brand=(self._name, self.id) if branded else (),
            deliveries=self.include_deliveries,
            address_window=self.address_window or "",
            signature_line=self.signature_line,
        )

    def _get_documents(self, today):
        """The ``Documents`` that a message which leaves today speaks of."""
        return EVERYTHING

    def _get_items(self, position, units, rungs):
        """What the message lists of a debtor's items, oldest first; perhaps nothing."""
        return dunning.assess(position.items, units.tolerances)[0]

    def _assess_again(self, notice, position, units, today):
        """(why this notice must not leave, None) or (None, the ``Spoken`` of it now)."""
        self.ensure_one()
        rungs = dunning.Rungs([], today)
        items = self._get_items(position, units, rungs)
        if not items:
            return _("Nothing is left to ask for: paid, credited, on hold or less than the minimum"), None
        return None, speak(notice.id, None, items, rungs, units, notice.date)

    def _get_companies(self):
        """The companies that send it."""
        raise NotImplementedError

    @api.model
    def _get_company_fields(self):
        """The names of the fields that tell these companies."""
        return []

    def _get_copies(self):
        """(partners who get a copy of each message, partners who get a blind one)"""
        nobody = self.env["res.partner"]
        return nobody, nobody

    def _get_follow_up(self):
        """(type, days after the message) of the activity that it asks of the collector; the type may be empty."""
        raise NotImplementedError

    # === Logos in mails ===#

    def _share_logos(self):
        """Let whoever receives a mail fetch the logo that it shows."""
        self._get_logo_attachments().generate_access_token()

    def _get_logo_attachments(self):
        # sudo: a logo is for whoever receives the message that bears it
        return (
            self.env["ir.attachment"]
            .sudo()
            .search([("res_model", "=", self._name), ("res_id", "in", self.ids), ("res_field", "=", "logo")])
        )

    def _get_logo_url(self, company):
        """Where a mail finds its logo, the company's where it has none of its own; empty without either."""
        attachment = self._get_logo_attachments() if self.logo else None
        if attachment and attachment.access_token:
            return f"{company.get_base_url()}/web/image/{attachment.id}?access_token={attachment.access_token}"
        return f"{company.get_base_url()}/logo.png?company={company.id}" if company.logo else ""
