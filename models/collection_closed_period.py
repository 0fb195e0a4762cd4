from odoo import fields, models


class CollectionClosedPeriod(models.Model):
    """Days on which a customer neither receives invoices nor pays: vacations, stock-taking, the end of the year."""

    _name = "collection.closed.period"
    _description = "Closed Period"
    _inherit = "collection.schedule.part"
    _order = "date_from, id"

    name = fields.Char(string="Reason")
    date_from = fields.Date(string="First Day", required=True)
    date_to = fields.Date(string="Last Day", required=True)

    _sql_constraints = [
        ("dates_ordered", "CHECK(date_from <= date_to)", "A closed period must end on the day it starts or later."),
    ]
