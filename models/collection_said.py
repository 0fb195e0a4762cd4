from collections import defaultdict

from markupsafe import Markup

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from .rights import without_defaults

OPEN = "open"
# Conditions, for a domain of a view: the posted documents of ``partner_id`` in ``company_id``. Whose customer theirs is
# today is the contact's to say: on documents, Odoo keeps whose it was when they were made.
POSTED = (
    "('partner_id.commercial_partner_id', '=', partner_id), ('company_id', '=', company_id), ('state', '=', 'posted')"
)
# Those that are still to be paid.
UNPAID = (
    f"{POSTED}, ('move_type', 'in', ('out_invoice', 'out_receipt')), ('payment_state', 'in', ('not_paid', 'partial'))"
)


class CollectionSaid(models.AbstractModel):
    """What was said with a debtor: promises, disputes, interactions.

    *How to use.* Inherit; ``_get_kept_fields`` names what only the model's own methods write, ``_get_moves`` the
    documents that it is about, ``_get_made_text`` what these and the debtor are told. What stays open for a while has a
    ``state`` and ``closed_on``: ``_get_terms`` names what does not change any more once ``_settle`` ended it.
    """

    _name = "collection.said"
    _description = "Said With a Debtor"

    debtor_id = fields.Many2one("collection.debtor", required=True, index=True, ondelete="cascade")
    partner_id = fields.Many2one(related="debtor_id.partner_id", string="Customer", store=True, index=True)
    company_id = fields.Many2one(related="debtor_id.company_id", store=True, index=True)
    collector_id = fields.Many2one(related="debtor_id.collector_id", string="Collector", related_sudo=False)
    contact_id = fields.Many2one(
        "res.partner",
        string="Contact Person",
        domain="[('commercial_partner_id', '=', partner_id)]",
        ondelete="restrict",
        help="Who said it, for the customer.",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Taken By",
        required=True,
        default=lambda self: self.env.user,
        domain=[("share", "=", False)],
        index=True,
    )
    note = fields.Text()

    # === CRUD ===#

    @api.model_create_multi
    def create(self, vals_list):
        self._check_kept(*vals_list)
        made = super(CollectionSaid, without_defaults(self, self._get_kept_fields())).create(vals_list)
        made._touch_debtors()
        # Of an activity that is done, Odoo has told the debtor already.
        if not self.env.context.get("collection_activity_done"):
            self._log_said({said: said._get_made_text() for said in made})
        return made

    def write(self, vals):
        self._check_kept(vals)
        if not self.env.su and not self._get_terms().isdisjoint(vals):
            self._check_open()
        # Rules look at records as they were: what was said with one debtor would become another collector's.
        if not self.env.su and "debtor_id" in vals and self.debtor_id.ids != [vals["debtor_id"]]:
            self._refuse_kept()
        if "debtor_id" in vals:
            self._touch_debtors()
        result = super().write(vals)
        self._touch_debtors()
        return result

    def unlink(self):
        self._touch_debtors()
        return super().unlink()

    @api.model
    def _get_kept_fields(self):
        # They follow the debtor: written by themselves, they would stay apart from it.
        return {"partner_id", "company_id"}

    @api.model
    def _get_terms(self):
        """What was agreed, which is history once it is settled."""
        return set()

    @api.model
    def _check_kept(self, *vals_list):
        kept = self._get_kept_fields()
        if not self.env.su and any(not kept.isdisjoint(vals) for vals in vals_list):
            self._refuse_kept()

    @api.model
    def _refuse_kept(self):
        raise AccessError(_("That changes by the buttons and by the ledger alone."))

    # === Actions ===#

    def action_open_debtor(self):
        return self.debtor_id.action_open_debtor()

    # === Business ===#

    def _settle(self, state, get_text, **values):
        """End these on the day where their company is, and tell their debtors and documents.

        :param get_text: from one of them to what is told
        """
        self._check_open()
        self._check_may_write()
        # sudo: rights were asked above; the state is written by nobody's own right
        for company, theirs in self.sudo().grouped("company_id").items():
            theirs.write({"state": state, "closed_on": company._get_collection_today(), **values})
        self._log_said({said: get_text(said) for said in self})

    def _check_open(self):
        for said in self:
            if said.state != OPEN:
                states = dict(self._fields["state"]._description_selection(self.env))
                raise UserError(said._get_settled_text(states[said.state].lower()))

    # === Helpers ===#

    def _get_made_text(self):
        """What the debtor and the documents are told when this is made."""
        raise NotImplementedError

    def _get_settled_text(self, state):
        """Why it does not change any more."""
        raise NotImplementedError

    def _check_may_write(self):
        """Raise unless this person may write these, whatever is then written in sudo."""
        # Asks for the rights in the words of every series.
        self.write({})

    def _touch_debtors(self):
        """Last contact, score and class of their debtors follow once this is committed."""
        # sudo: whose it is, whoever may read it
        self.env["collection.debtor.touch"]._touch_partners(
            {(said.partner_id.id, said.company_id.id) for said in self.sudo()}
        )

    def _get_moves(self):
        """The documents that this is about, in sudo; perhaps none."""
        return self.env["account.move"]

    @api.model
    def _log_said(self, texts):
        """Log ``{record: text}`` on the debtors, what belongs to one of them in one entry, and on the documents that
        each record is about: two batches, whatever their number."""
        debtor_lines, move_lines = defaultdict(list), defaultdict(list)
        for record, text in texts.items():
            debtor_lines[record.debtor_id.id].append(text)
            for move in record._get_moves():
                move_lines[move.id].append(text)
        for name, lines in (("collection.debtor", debtor_lines), ("account.move", move_lines)):
            # sudo: the log is the system's own, as that of every change
            bodies = {record_id: Markup("<br/>").join(found) for record_id, found in lines.items()}
            self.env[name].sudo().browse(bodies)._message_log_batch(bodies)

    @api.model
    def _tell_responsible(self, get_summary, records, deadline=None):
        """An activity for whoever collects each debtor of ``records``, one for all that it is told of.

        :param get_summary: from the records of one debtor, in its collector's language, to the text
        """
        values = []
        for debtor, found in records.grouped("debtor_id").items():
            if user := debtor.responsible_id:
                summary = get_summary(found.with_context(lang=user.lang or self.env.lang))
                values.append(debtor._prepare_activity(user, summary, deadline))
        # sudo: whoever's activity it becomes
        self.env["mail.activity"].sudo().with_context(mail_activity_quick_update=True).create(values)

    def _check_documents(self, moves):
        """Raise a sentence when one of these documents is not owed by the debtor."""
        self.ensure_one()
        for move in moves:
            if (
                move.partner_id.commercial_partner_id != self.partner_id
                or move.company_id != self.company_id
                or move.state != "posted"
                or not move.is_sale_document(include_receipts=True)
            ):
                raise ValidationError(
                    _(
                        "%(document)s is not a posted invoice of %(customer)s.",
                        document=move.display_name,
                        customer=self.partner_id.display_name,
                    )
                )
