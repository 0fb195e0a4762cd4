from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import format_date


class CollectionHoldWizard(models.TransientModel):
    """Holds debtors, one or many: no message leaves until the day, or until the hold is lifted."""

    _name = "collection.hold.wizard"
    _description = "Hold Debtors"

    debtor_ids = fields.Many2many("collection.debtor", string="Debtors", required=True)
    reason = fields.Char(required=True, help="Kept on each debtor and in its chatter.")
    until = fields.Date(help="Last day of the hold, which then ends by itself. Empty: until it is lifted.")

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        if self.env.context.get("active_model") == "collection.debtor":
            values["debtor_ids"] = [fields.Command.set(self.env.context.get("active_ids", []))]
        return values

    def action_hold(self):
        self.ensure_one()
        # Those that this person sees, by a search: the relation itself asks no rule.
        debtors = self.env["collection.debtor"].search([("id", "in", self.debtor_ids.ids)])
        if not debtors:
            raise UserError(_("Choose the debtors to hold."))
        if self.until and any(self.until < company._get_collection_today() for company in debtors.company_id):
            day = format_date(self.env, self.until)
            raise UserError(_("A hold cannot end on %s, which has passed: choose today or a later day.", day))
        debtors.write({"hold": True, "hold_reason": self.reason, "hold_until": self.until})
        return {"type": "ir.actions.act_window_close"}
