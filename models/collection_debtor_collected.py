from odoo import _, api, fields, models

from .collection_promise_judge import RECEIPT_JOURNALS
from .rights import sees_every_debtor


class CollectionDebtor(models.Model):
    """What came in from debtors, as the digest and the dashboard add it up."""

    _inherit = "collection.debtor"

    @api.model
    def _get_collected_action(self):
        """The receipts of the last seven days that the digest adds up for this person."""
        today = self.env.company._get_collection_today()
        company = [("company_id", "=", self.env.company.id)]
        since = fields.Date.subtract(today, days=6)
        return self._get_receipts_action(_("Collected in 7 Days"), self.env.company, (since, today), company)

    @api.model
    def _get_receipts_action(self, name, company, days, domain):
        """The action that opens the receipts of a company between two days, both included, of the debtors that this
        person may see and ``domain`` holds; where that is every debtor, of all customers."""
        first, last = days
        receipts = [
            ("account_id.account_type", "=", "asset_receivable"),
            ("parent_state", "=", "posted"),
            ("journal_id.type", "in", RECEIPT_JOURNALS),
            ("company_id", "=", company.id),
            ("partner_id", "!=", False),
            ("date", ">=", fields.Date.to_string(first)),
            ("date", "<=", fields.Date.to_string(last)),
        ]
        if not sees_every_debtor(self.env.user) or domain != [("company_id", "=", company.id)]:
            own = self.search(domain)
            receipts.append(("partner_id.commercial_partner_id", "in", own.partner_id.ids))
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": "account.move.line",
            "view_mode": "tree,form",
            "views": [(False, "list"), (False, "form")],
            "domain": receipts,
            "context": {"create": False, "search_default_group_by_partner": 1},
        }
