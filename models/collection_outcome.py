from odoo import fields, models


class CollectionOutcome(models.Model):
    """What came of an interaction with a customer."""

    _name = "collection.outcome"
    _description = "Outcome"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    right_party = fields.Boolean(
        string="Reached Who Decides",
        help="Whether somebody was reached who decides on the payment: counts for the right-party contact rate.",
    )
    active = fields.Boolean(default=True)
