from odoo import fields, models


class CollectionDebtorBalance(models.Model):
    """What a debtor owes in each currency, kept where a currency other than the company's is owed."""

    _name = "collection.debtor.balance"
    _description = "Debtor Balance by Currency"
    _order = "debtor_id, currency_id"
    _log_access = False

    debtor_id = fields.Many2one("collection.debtor", required=True, ondelete="cascade")
    company_id = fields.Many2one(related="debtor_id.company_id")
    currency_id = fields.Many2one("res.currency", required=True, ondelete="restrict")
    total_due = fields.Monetary()
    not_due = fields.Monetary()
    overdue = fields.Monetary()
    unallocated = fields.Monetary()

    _sql_constraints = [
        ("debtor_currency_unique", "UNIQUE(debtor_id, currency_id)", "A debtor has one balance in each currency."),
    ]
