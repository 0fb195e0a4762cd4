from odoo import api, fields, models


class CollectionDeliveriesChoice(models.AbstractModel):
    """Whether a statement also shows what was delivered and not invoiced yet: nobody is asked without Sales."""

    _name = "collection.deliveries.choice"
    _description = "Choice of Uninvoiced Deliveries"

    include_deliveries = fields.Boolean(
        string="Uninvoiced Deliveries",
        help="On the statement, what was delivered by today and is not invoiced yet, with a subtotal of its own: it is "
        "neither part of a balance nor asked for.",
    )

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        arch, view = super()._get_view(view_id, view_type, **options)
        if "sale.order" not in self.env:
            for node in arch.xpath("//field[@name='include_deliveries']"):
                parent = node.getparent()
                parent.remove(node)
                # A group of nothing else would be a heading of nothing.
                if parent.tag == "group" and not len(parent):
                    parent.getparent().remove(parent)
        return arch, view
