from odoo import _, fields, models

from ..models.collection_debtor_assignment import Handover


class CollectionAssignWizard(models.TransientModel):
    """Gives debtors to a collector by hand, one or many at once."""

    _name = "collection.assign.wizard"
    _description = "Assign Debtors"
    _inherit = ["collection.debtor.selection"]

    collector_id = fields.Many2one("res.users", domain=[("share", "=", False)], help="Empty: back to assignment.")
    lock = fields.Boolean(default=True, help="The collector stays, whatever the portfolios say.")
    reason = fields.Char(help="Kept on each debtor and in its chatter.")

    def action_assign(self):
        Debtor = self.env["collection.debtor"]
        Debtor._check_manager()
        debtors = self._get_debtors()
        self.collector_id._check_collection_companies(debtors.company_id)
        reason = self.reason or _("Chosen by %(user)s.", user=self.env.user.name)
        for company, theirs in debtors.grouped("company_id").items():
            Debtor._hand_over(
                [
                    Handover(
                        debtor.id,
                        debtor.collector_id.id or None,
                        self.collector_id.id or None,
                        debtor.portfolio_id.id or None,
                        bool(self.collector_id) and self.lock,
                        reason,
                    )
                    for debtor in theirs
                ],
                company,
            )
        return {"type": "ir.actions.act_window_close"}
