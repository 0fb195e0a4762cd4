from odoo import fields, models


class CollectionReviewDocument(models.Model):
    """What a customer asks for beside the invoice before it gives a receipt: purchase order, delivery receipt, XML."""

    _name = "collection.review.document"
    _description = "Document Required for Review"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
