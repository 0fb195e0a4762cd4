from odoo import _, fields, models
from odoo.exceptions import UserError


class CollectionDebtorSelection(models.AbstractModel):
    """What a dialog needs that does something with debtors, those of a form or those chosen in a list."""

    _name = "collection.debtor.selection"
    _description = "Chosen Debtors"

    debtor_ids = fields.Many2many(
        "collection.debtor",
        string="Debtors",
        required=True,
        default=lambda self: self._get_chosen(),
    )

    def _get_chosen(self):
        chosen = self.env["collection.debtor"]
        if self.env.context.get("active_model") == chosen._name:
            return chosen.browse(self.env.context.get("active_ids"))
        return chosen

    def _get_debtors(self):
        """Those of the chosen ones that this person sees, by a search: the relation itself asks no rule.

        :raise UserError: when none is left
        """
        self.ensure_one()
        debtors = self.env["collection.debtor"].search([("id", "in", self.debtor_ids.ids)])
        if not debtors:
            raise UserError(_("Choose the debtors first."))
        return debtors
