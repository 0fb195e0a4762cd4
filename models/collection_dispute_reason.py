from odoo import fields, models


class CollectionDisputeReason(models.Model):
    """Why a customer does not accept an invoice."""

    _name = "collection.dispute.reason"
    _description = "Dispute Reason"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
