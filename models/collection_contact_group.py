from odoo import fields, models


class CollectionContactGroup(models.Model):
    """What contacts of customers are written to about, such as collections or purchasing."""

    _name = "collection.contact.group"
    _description = "Contact Group"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
