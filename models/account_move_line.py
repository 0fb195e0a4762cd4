from odoo import _, api, fields, models
from odoo.tools import frozendict
from odoo.tools.misc import format_date

# What the cached balances of a debtor are made of, beside the amounts that reconciliation changes.
BALANCE_FIELDS = {"date_maturity", "partner_id", "account_id", "date", "balance", "amount_currency", "debit", "credit"}


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    collection_days = fields.Integer(
        string="Days",
        compute="_compute_collection_days",
        help="Days past the effective due date in the company's time zone; negative before it.",
    )

    collection_contractual_date = fields.Date(
        string="Contractual Due Date",
        readonly=True,
        copy=False,
        help="What the payment terms say; the due date is the customer's next payment day.",
    )
    collection_due_overridden = fields.Boolean(
        string="Due Date Fixed", readonly=True, copy=False, help="A person set the due date: rules leave it alone."
    )

    @api.depends_context("collection_item_name", "lang")
    def _compute_display_name(self):
        """An open item among those that a check may pay, where the context asks for it: its document and its day."""
        if not self.env.context.get("collection_item_name"):
            return super()._compute_display_name()
        for line in self:
            parts = (
                line.move_id._get_collection_document(),
                line.date_maturity and format_date(self.env, line.date_maturity),
            )
            line.display_name = " · ".join(filter(None, parts))

    @api.depends("date_maturity", "date", "company_id")
    def _compute_collection_days(self):
        todays = {company: company._get_collection_today() for company in self.company_id}
        for line in self:
            due = line.date_maturity or line.date
            line.collection_days = (todays[line.company_id] - due).days if line.company_id and due else 0

    @api.depends("collection_contractual_date")
    def _compute_term_key(self):  # pylint: disable=missing-return
        """Two instalments that fall on one payment day stay two lines."""
        super()._compute_term_key()
        for line in self:
            if line.term_key and line.collection_contractual_date:
                contractual = {"collection_contractual_date": line.collection_contractual_date}
                line.term_key = frozendict({**line.term_key, **contractual})

    def write(self, vals):
        names = BALANCE_FIELDS.intersection(vals)
        if not names:
            return super().write(vals)
        # Odoo often writes what is there already: that touches nobody.
        will_change = self.env["account.move"]._field_will_change
        posted = self.filtered(
            lambda line: line.parent_state == "posted" and any(will_change(line, vals, name) for name in names)
        )
        if "partner_id" in vals:
            self.env["collection.debtor.touch"]._touch_partners(
                {(line.partner_id.id, line.company_id.id) for line in posted if line.partner_id}
            )
        result = super().write(vals)
        self.env["collection.debtor.touch"]._touch_moves(posted.move_id)
        return result

    def _prepare_reconciliation_single_partial(self, debit_values, credit_values, shadowed_aml_values=None):
        """What a check is meant to pay of an item is all that is reconciled of both, whatever else they have open.

        The context has ``collection_shares``: ``{(item id, credit line id): amount in the credit's currency}``.
        """
        shares = self.env.context.get("collection_shares") or {}
        share = shares.get((debit_values["aml"].id, credit_values["aml"].id))
        if share is None:
            return super()._prepare_reconciliation_single_partial(debit_values, credit_values, shadowed_aml_values)
        credit = credit_values["aml"]
        residual = {name: credit_values[name] for name in ("amount_residual", "amount_residual_currency")}
        if credit.currency_id.compare_amounts(-residual["amount_residual_currency"], share) > 0:
            part = share / -residual["amount_residual_currency"]
            credit_values["amount_residual_currency"] = -share
            credit_values["amount_residual"] = credit.company_currency_id.round(residual["amount_residual"] * part)
        withheld = {name: residual[name] - credit_values[name] for name in residual}
        result = super()._prepare_reconciliation_single_partial(debit_values, credit_values, shadowed_aml_values)
        for name, amount in withheld.items():
            credit_values[name] += amount
        return result

    def _get_collection_discount(self, date):
        """What the payment terms take off this item when it is paid whole on that day, in its currency."""
        self.ensure_one()
        if not date or not self.move_id._is_eligible_for_early_payment_discount(self.currency_id, date):
            return 0.0
        return self.amount_residual_currency - self.discount_amount_currency

    def unlink(self):
        self._get_receivable()._forget_checks()
        return super().unlink()

    def _forget_checks(self):
        """These items go, because their invoices change: what checks were to pay of them is chosen anew."""
        # sudo: whoever changes an invoice need not know of checks
        lines = self.env["account.postdated.check.line"].sudo()
        lines = lines.search([("move_line_id", "in", self.ids)]) if self.ids else lines
        for check, of_check in lines.grouped("check_id").items():
            if check._is_pending():
                names = ", ".join(move._get_collection_document() for move in of_check.move_id)
                check._message_log(body=_("%s is changed: what this check is to pay of it must be chosen anew.", names))
        lines.unlink()

    def _prepare_kept_term(self):
        """What a posted invoice needs of this term line: what it says already."""
        self.ensure_one()
        return {
            "balance": self.balance,
            "amount_currency": self.amount_currency,
            "discount_date": self.discount_date,
            "discount_balance": self.discount_balance,
            "discount_amount_currency": self.discount_amount_currency,
        }

    def _prepare_term_dates(self, key):
        """Dates of this term line from the key of its instalment; a date that a person fixed stays."""
        self.ensure_one()
        dates = {
            "discount_date": key.get("discount_date") or False,
            "collection_contractual_date": key.get("collection_contractual_date") or False,
        }
        if not self.collection_due_overridden:
            dates["date_maturity"] = key["date_maturity"]
        return dates

    def _get_receivable(self):
        """The lines among these that a customer owes or is owed."""
        return self.filtered(lambda line: line.partner_id and line.account_id.account_type == "asset_receivable")

    def _get_collection_counterparts(self):
        """The journal items that these are matched with."""
        return self.matched_credit_ids.credit_move_id + self.matched_debit_ids.debit_move_id
