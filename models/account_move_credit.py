from collections import defaultdict
from typing import NamedTuple

from markupsafe import Markup

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError

from .credit_checks import BLOCK, NOTHING
from .rights import check_manager, without_defaults

# A button writes these, once the right to it was checked.
ALLOWANCE = {
    "collection_credit_allowed_by_id",
    "collection_credit_allowed_on",
    "collection_credit_allowed_amount",
    "collection_credit_reason",
}
MAX_LISTED = 20


class Overrun(NamedTuple):
    """What a customer may owe, uses, and would use with an invoice, in company currency."""

    limit: float
    before: float
    after: float


class AccountMove(models.Model):
    """The credit policy: what happens when an invoice goes over its customer's credit limit.

    *How it works.* Before anything is posted, one statement reads what the customers of the batch owe; the invoices and
    credit notes are then counted in their order, those that are refused not. With "block" one sentence names all that
    are refused and nothing is posted; Odoo's own job for entries that post themselves then tries them one by one, so
    that a refused one stops no other. What goes over is logged on the invoice and on the debtor.
    """

    _inherit = "account.move"

    collection_credit_allowed_by_id = fields.Many2one(
        "res.users", string="Allowed Over the Limit By", readonly=True, copy=False, groups="base.group_user"
    )
    collection_credit_allowed_on = fields.Datetime(
        string="Allowed On", readonly=True, copy=False, groups="base.group_user"
    )
    collection_credit_allowed_amount = fields.Monetary(
        string="Allowed Amount",
        currency_field="company_currency_id",
        readonly=True,
        copy=False,
        groups="base.group_user",
        help="The invoice as it was then: a higher one must be allowed again.",
    )
    collection_credit_reason = fields.Char(
        string="Reason to Allow It", readonly=True, copy=False, groups="base.group_user"
    )

    collection_credit_refused = fields.Boolean(
        compute="_compute_collection_credit_refused", help="It goes over the limit and nobody allowed it."
    )

    # === The banner that Odoo shows on a draft ===#

    @api.depends("amount_total_signed", "collection_credit_allowed_amount", "company_id", "commercial_partner_id")
    def _compute_partner_credit_warning(self):
        """By the same figures as the posting, where the company has a credit policy."""
        checked = self._get_credit_checked().filtered(lambda move: move.move_type != "out_refund")
        # Odoo's own asks the ledger for each.
        result = super(AccountMove, self - checked)._compute_partner_credit_warning()
        overruns = checked._get_overruns(apart=True)
        for move in checked:
            overrun = overruns.get(move)
            move.partner_credit_warning = (overrun and move._get_overrun_text(overrun)) or ""
        return result

    @api.depends("partner_credit_warning")
    def _compute_collection_credit_refused(self):
        for move in self:
            # sudo: the warning is for who invoices or reads the books
            move.collection_credit_refused = move._is_refused() and bool(move.sudo().partner_credit_warning)

    # === CRUD ===#

    @api.model_create_multi
    def create(self, vals_list):
        self._check_allowance_kept(*vals_list)
        return super(AccountMove, without_defaults(self, ALLOWANCE)).create(vals_list)

    def write(self, vals):
        self._check_allowance_kept(vals)
        # sudo: the fields are for employees
        allowed = self.sudo().filtered("collection_credit_allowed_by_id") if "partner_id" in vals else self.browse()
        customer_of = {move: move.commercial_partner_id for move in allowed}
        result = super().write(vals)
        # It was allowed to that customer, and to no other.
        if given_to_others := allowed.filtered(lambda move: move.commercial_partner_id != customer_of[move]):
            given_to_others.write(dict.fromkeys(ALLOWANCE, False))
        return result

    @api.model
    def _check_allowance_kept(self, *vals_list):
        if not self.env.su and any(not ALLOWANCE.isdisjoint(vals) for vals in vals_list):
            raise AccessError(_("A manager of collections allows an invoice over the credit limit, by its button."))

    # === Posting ===#

    def _post(self, soft=True):
        overruns = self._get_credit_checked(soft)._get_overruns()
        if refused := {move: overrun for move, overrun in overruns.items() if move._is_refused()}:
            raise UserError(self._get_refusal(refused))
        posted = super()._post(soft)
        texts = {
            move: _(
                "Posted over the credit limit of %(limit)s: the customer now uses %(after)s.",
                limit=move.company_currency_id.format(overrun.limit),
                after=move.company_currency_id.format(overrun.after),
            )
            for move, overrun in overruns.items()
            if move in posted
        }
        self._log_credit(texts)
        return posted

    def _get_credit_checked(self, soft=False):
        """The drafts among these that a credit policy looks at; ``soft`` leaves those of a later day, which Odoo then
        posts on that day and not now."""
        today = fields.Date.context_today(self)
        return self.filtered(
            lambda move: (
                move.state == "draft"
                and move.is_sale_document(include_receipts=True)
                and move.commercial_partner_id
                and move.company_id.account_use_credit_limit
                and move.company_id.collection_credit_check != NOTHING
                and not (soft and move.date and move.date > today)
            )
        )

    def _get_overruns(self, apart=False):
        """``{move: Overrun}`` of those that go over the limit of their customer, posted in this order; ``apart``: each
        as if it were posted alone."""
        if not self:
            return {}
        Debtor = self.env["collection.debtor"]
        partners, companies = self.commercial_partner_id._origin, self.company_id._origin
        limits = Debtor._get_limits(partners, companies)
        if not any(limits.values()):
            return {}
        used, overruns = Debtor._get_exposures_now(partners, companies), {}
        for move in self:
            key = (move.commercial_partner_id._origin.id, move.company_id._origin.id)
            # What an invoice takes from its sales orders was counted with them.
            amount = move.amount_total_signed - move.sudo()._get_partner_credit_warning_exclude_amount()
            after, limit = used[key] + amount, limits[key]
            if limit and amount > 0 and move.company_currency_id.compare_amounts(after, limit) > 0:
                overruns[move] = Overrun(limit, used[key], after)
                if move._is_refused():
                    continue
            if not apart:
                used[key] = after
        return overruns

    def _is_refused(self):
        """Whether its company blocks what goes over the limit, and nobody allowed as much as this."""
        self.ensure_one()
        # sudo: the field is for employees, and whoever posts is asked
        allowed = self.sudo().collection_credit_allowed_amount
        return (
            self.company_id.collection_credit_check == BLOCK
            and self.company_currency_id.compare_amounts(self.amount_total_signed, allowed) > 0
        )

    # === Allowing ===#

    def action_allow_credit(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.collection_credit_wizard_action")
        return {**action, "context": {"active_model": self._name, "active_ids": self.ids}}

    def _allow_credit(self, reason):
        """Let these drafts be posted over the limit of their customers, as they are now."""
        check_manager(self.env, _("Only a manager of collections allows an invoice over the credit limit."))
        # sudo: a manager of collections need not invoice
        overruns = self.sudo()._get_credit_checked()._get_overruns()
        if not overruns:
            raise UserError(_("None of these drafts goes over the credit limit of its customer."))
        for move in overruns:
            move.write(
                {
                    "collection_credit_allowed_by_id": self.env.uid,
                    "collection_credit_allowed_on": fields.Datetime.now(),
                    "collection_credit_allowed_amount": move.amount_total_signed,
                    "collection_credit_reason": reason,
                }
            )
        self._log_credit(
            {
                move: _(
                    "%(user)s allows it over the credit limit of %(limit)s, up to %(after)s: %(reason)s",
                    user=self.env.user.name,
                    limit=move.company_currency_id.format(overrun.limit),
                    after=move.company_currency_id.format(overrun.after),
                    reason=reason,
                )
                for move, overrun in overruns.items()
            }
        )

    # === Texts ===#

    def _get_credit_name(self):
        """A draft by its number too, which not every series of Odoo shows: many may wait for the same customer."""
        self.ensure_one()
        mark, name = f"(* {self._origin.id})", self.display_name
        return name if self.name not in (False, "/") or mark in name else f"{name} {mark}"

    def _get_overrun_text(self, overrun):
        self.ensure_one()
        amount = self.company_currency_id.format
        return _(
            "%(invoice)s takes %(customer)s over its credit limit of %(limit)s: it uses %(before)s, and %(after)s with "
            "this invoice.",
            invoice=self._get_credit_name(),
            customer=self.commercial_partner_id.display_name,
            limit=amount(overrun.limit),
            before=amount(overrun.before),
            after=amount(overrun.after),
        )

    @api.model
    def _get_refusal(self, refused):
        """One sentence about all that is refused, and the way out."""
        way_out = _("A manager of collections may allow it, with a reason.")
        if len(refused) == 1:
            ((move, overrun),) = refused.items()
            return f"{move._get_overrun_text(overrun)} {way_out}"
        named = [
            _(
                "%(invoice)s (%(customer)s, %(after)s of %(limit)s)",
                invoice=move._get_credit_name(),
                customer=move.commercial_partner_id.display_name,
                after=move.company_currency_id.format(overrun.after),
                limit=move.company_currency_id.format(overrun.limit),
            )
            for move, overrun in list(refused.items())[:MAX_LISTED]
        ]
        if len(refused) > MAX_LISTED:
            named.append(_("%s more", len(refused) - MAX_LISTED))
        text = _(
            "Nothing was posted, because these invoices go over the credit limit of their customers: %s.",
            ", ".join(named),
        )
        return f"{text} {way_out}"

    @api.model
    def _log_credit(self, texts):
        """Log ``{move: text}`` on the moves and on their debtors: two batches, whatever their number."""
        if not texts:
            return
        pairs = {(move.commercial_partner_id.id, move.company_id.id) for move in texts}
        # sudo: the log is the system's own, and who invoices need not see debtors
        debtor_of = self.env["collection.debtor"].sudo()._get_or_create(pairs)
        debtor_texts = defaultdict(list)
        for move, text in texts.items():
            debtor = debtor_of[move.commercial_partner_id.id, move.company_id.id]
            debtor_texts[debtor.id].append(f"{move._get_credit_name()}: {text}")
        self.sudo().browse(move.id for move in texts)._message_log_batch(
            {move.id: text for move, text in texts.items()}
        )
        self.env["collection.debtor"].sudo().browse(debtor_texts)._message_log_batch(
            {debtor_id: Markup("<br/>").join(lines) for debtor_id, lines in debtor_texts.items()}
        )
