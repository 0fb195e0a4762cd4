from odoo import api, fields, models

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

    @api.depends("overdue", "excluded", "hold", "hold_until", "last_contact_date", "interaction_ids", "activity_ids")
    def _compute_to_call(self):
        found = self.search([("id", "in", self.ids), *self._get_to_call_domain()])
        for debtor in self:
            debtor.to_call = debtor._origin in found

    @api.model
    def _search_to_call(self, operator, value):
        wanted = any(value) if operator in ("in", "not in") else bool(value)
        positive = wanted == (operator in ("=", "in"))
        found = self._search(self._get_to_call_domain())
        return [("id", "in" if positive else "not in", found)]

    @api.model
    def _get_to_call_domain(self):
        today = self.env.company._get_collection_today()
        since = fields.Date.subtract(today, days=CONTACT_DAYS)
        return [
            ("overdue", ">", 0),
            ("excluded", "=", False),
            "|",
            ("hold", "=", False),
            ("hold_until", "<", today),
            "|",
            ("activity_date_deadline", "<=", today),
            "&",
            "|",
            ("last_contact_date", "=", False),
            ("last_contact_date", "<", since),
            ("interaction_ids", "not any", [("date", ">=", since)]),
        ]
