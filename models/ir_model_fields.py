from odoo import models


class IrModelFields(models.Model):
    _inherit = "ir.model.fields"

    def _prepare_update(self):
        """Fields that are removed take with them what other models inherit of them, and no more: Odoo would also forget
        its own inherited fields, as the due date of payments, because the due date of invoices depends on ours."""
        names = set(self.mapped("name"))
        return super()._prepare_update().filtered(lambda field: field in self or field.name in names)
