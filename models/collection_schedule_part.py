from odoo import api, fields, models


class CollectionSchedulePart(models.AbstractModel):
    """A line of a customer's calendar. When one changes, the customer's open invoices may fall due on other days."""

    _name = "collection.schedule.part"
    _description = "Part of a Customer's Calendar"

    partner_id = fields.Many2one("res.partner", string="Customer", required=True, index=True, ondelete="cascade")

    @api.model_create_multi
    def create(self, vals_list):
        created = super().create(vals_list)
        created.partner_id._offer_recompute()
        return created

    def write(self, vals):
        before = self.partner_id
        result = super().write(vals)
        (before | self.partner_id)._offer_recompute()
        return result

    def unlink(self):
        partners = self.partner_id
        result = super().unlink()
        partners._offer_recompute()
        return result
