from odoo import _, api, fields, models

from .collection_promise_judge import RECEIPT_JOURNALS


class CollectionDebtor(models.Model):
    """What came in from debtors, as the digest adds it up."""

    _inherit = "collection.debtor"

    @api.model
    def _get_collected_action(self):
        """The receipts of the last seven days that the digest adds up for this person."""
        today = self.env.company._get_collection_today()
        domain = [
            ("account_id.account_type", "=", "asset_receivable"),
            ("parent_state", "=", "posted"),
            ("journal_id.type", "in", RECEIPT_JOURNALS),
            ("company_id", "=", self.env.company.id),
            ("partner_id", "!=", False),
            ("date", ">", fields.Date.to_string(fields.Date.subtract(today, days=7))),
            ("date", "<=", fields.Date.to_string(today)),
        ]
        user = self.env.user
        if user.has_group("account_collection.group_collection_collector") and not user.has_group(
            "account_collection.group_collection_manager"
        ):
            own = self.search([("company_id", "=", self.env.company.id)])
            domain.append(("partner_id.commercial_partner_id", "in", own.partner_id.ids))
        return {
            "type": "ir.actions.act_window",
            "name": _("Collected in 7 Days"),
            "res_model": "account.move.line",
            "view_mode": "tree,form",
            "views": [(False, "list"), (False, "form")],
            "domain": domain,
            "context": {"create": False, "search_default_group_by_partner": 1},
        }
