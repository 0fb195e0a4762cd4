from odoo import _, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import format_date


class CollectionHoldWizard(models.TransientModel):
    """Holds debtors, one or many: no message leaves until the day, or until the hold is lifted."""

    _name = "collection.hold.wizard"
    _description = "Hold Debtors"
    _inherit = ["collection.debtor.selection"]

    reason = fields.Char(required=True, help="Kept on each debtor and in its chatter.")
    until = fields.Date(help="Last day of the hold, which then ends by itself. Empty: until it is lifted.")

    def action_hold(self):
        debtors = self._get_debtors()
        if self.until and any(self.until < company._get_collection_today() for company in debtors.company_id):
            day = format_date(self.env, self.until)
            raise UserError(_("A hold cannot end on %s, which has passed: choose today or a later day.", day))
        debtors.write({"hold": True, "hold_reason": self.reason, "hold_until": self.until})
        return {"type": "ir.actions.act_window_close"}
