from odoo import api, fields, models
from odoo.osv import expression

from .searches import asks_for

# As the filter "No Contact in 15 Days" has it.
CONTACT_DAYS = 15


class CollectionDebtor(models.Model):
    """Who is to be called: something is overdue, nothing stops the asking, and either an activity is due or nobody
    spoke or wrote to the customer for some time."""

    _inherit = "collection.debtor"

    to_call = fields.Boolean(
        compute="_compute_to_call",
        search="_search_to_call",
        help="Overdue and not on hold, and an activity is due or there was no contact in 15 days.",
    )

    @api.depends("overdue", "excluded", "hold", "hold_until", "last_contact_date", "activity_ids")
    def _compute_to_call(self):
        found = self.search([("id", "in", self.ids), *self._get_to_call_domain()])
        for debtor in self:
            debtor.to_call = debtor._origin in found

    @api.model
    def _search_to_call(self, operator, value):
        found = self._search(self._get_to_call_domain())
        return [("id", "in" if asks_for(operator, value) else "not in", found)]

    @api.model
    def _get_to_call_domain(self):
        """Each company has its own day."""
        # sudo: the days of companies, whose debtors the record rules leave out where need be
        companies = self.env["res.company"].sudo().search([])
        of_days = companies.grouped(lambda company: company._get_collection_today()).items()
        domains = [[("company_id", "in", of_day.ids), *self._get_to_call_domain_of(today)] for today, of_day in of_days]
        return expression.OR(domains)

    @api.model
    def _get_to_call_domain_of(self, today):
        return [
            ("overdue", ">", 0),
            ("excluded", "=", False),
            "|",
            ("hold", "=", False),
            ("hold_until", "<", today),
            "|",
            ("activity_date_deadline", "<=", today),
            "|",
            ("last_contact_date", "=", False),
            ("last_contact_date", "<", fields.Date.subtract(today, days=CONTACT_DAYS)),
        ]
