from odoo import _, api, fields, models


class CollectionCreditWizard(models.TransientModel):
    """A manager lets drafts be posted over the credit limit of their customers, and says why."""

    _name = "collection.credit.wizard"
    _description = "Allow Over the Credit Limit"

    move_ids = fields.Many2many(
        "account.move", string="Invoices", required=True, default=lambda self: self._default_move_ids()
    )
    summary = fields.Text(compute="_compute_summary")
    reason = fields.Char(required=True)

    @api.model
    def _default_move_ids(self):
        chosen = self.env.context.get("active_model") == "account.move" and self.env.context.get("active_ids")
        return self.env["account.move"].search([("id", "in", chosen or []), ("state", "=", "draft")]).ids

    @api.depends("move_ids")
    def _compute_summary(self):
        for wizard in self:
            # sudo: limits and balances of what the manager chose
            overruns = wizard._get_moves().sudo()._get_credit_checked()._get_overruns()
            wizard.summary = "\n".join(move._get_overrun_text(overrun) for move, overrun in overruns.items()) or _(
                "None of these drafts goes over the credit limit of its customer."
            )

    def _get_moves(self):
        """The chosen ones that this manager sees, whatever was chosen."""
        return self.env["account.move"].search([("id", "in", self.move_ids._origin.ids)])

    def action_allow(self):
        self.ensure_one()
        self._get_moves()._allow_credit(self.reason)
        return {"type": "ir.actions.act_window_close"}
