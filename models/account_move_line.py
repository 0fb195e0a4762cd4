from odoo import api, fields, models

# What the cached balances of a debtor are made of, beside the amounts that reconciliation changes.
BALANCE_FIELDS = {"date_maturity", "partner_id", "account_id", "date", "balance", "amount_currency", "debit", "credit"}


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    collection_days = fields.Integer(
        string="Days",
        compute="_compute_collection_days",
        help="Days past the effective due date in the company's time zone; negative before it.",
    )

    @api.depends("date_maturity", "date", "company_id")
    def _compute_collection_days(self):
        todays = {company: company._get_collection_today() for company in self.company_id}
        for line in self:
            due = line.date_maturity or line.date
            line.collection_days = (todays[line.company_id] - due).days if line.company_id and due else 0

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

    def _get_receivable(self):
        """The lines among these that a customer owes or is owed."""
        return self.filtered(lambda line: line.partner_id and line.account_id.account_type == "asset_receivable")
