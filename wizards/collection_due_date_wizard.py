from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError

from ..models.rights import may_book


class CollectionDueDateWizard(models.TransientModel):
    """Fixes the due dates of a posted invoice by hand, with a reason, or gives them back to the rules."""

    _name = "collection.due.date.wizard"
    _description = "Fix Due Date"

    move_id = fields.Many2one("account.move", string="Invoice", required=True, readonly=True, ondelete="cascade")
    reason = fields.Char(help="Kept on the invoice and in the chatter.")
    is_fixed = fields.Boolean(related="move_id.collection_due_overridden")
    line_ids = fields.One2many("collection.due.date.wizard.line", "wizard_id", string="Instalments")

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        move = self.env["account.move"].browse(self.env.context.get("active_id"))
        if self.env.context.get("active_model") == move._name and move:
            values.update(move_id=move.id, reason=move.collection_override_reason)
            values["line_ids"] = [
                fields.Command.create({"move_line_id": line.id, "due_date": line.date_maturity})
                for line in move._get_term_lines().filtered(lambda line: not line.reconciled).sorted("date_maturity")
            ]
        return values

    def action_fix(self):
        self.ensure_one()
        self._check_right()
        if not self.reason:
            raise UserError(_("Say why %(document)s falls due on another day.", document=self.move_id.name))
        if self.move_id.state != "posted":
            raise UserError(
                _("Fix the due date of %(document)s once it is posted.", document=self.move_id.display_name)
            )
        changed = self.line_ids.filtered(lambda line: line.due_date != line.move_line_id.date_maturity)
        if not changed:
            raise UserError(_("No date was changed."))
        early = changed.filtered(lambda line: line.due_date < line.move_line_id.date)
        if early:
            raise UserError(_("%(document)s cannot fall due before its own date.", document=self.move_id.name))
        # sudo: a manager of collections may agree on a date without a right to change invoices
        dates = {line.move_line_id.sudo(): line.due_date for line in changed}
        self.move_id.sudo()._fix_due_dates(dates, self.reason)
        return {"type": "ir.actions.act_window_close"}

    def action_release(self):
        self.ensure_one()
        self._check_right()
        # sudo: as above
        self.move_id.sudo()._release_due_dates()
        return {"type": "ir.actions.act_window_close"}

    def _check_right(self):
        move = self.move_id
        if move.state != "posted" or not move._is_for_review() or self.line_ids.move_line_id - move._get_term_lines():
            raise UserError(_("Only due dates of a posted customer invoice can be fixed."))
        if not may_book(self.env):
            raise AccessError(_("Fixing due dates takes the right to invoice, or to manage collections."))


class CollectionDueDateWizardLine(models.TransientModel):
    _name = "collection.due.date.wizard.line"
    _description = "Due Date to Fix"

    wizard_id = fields.Many2one("collection.due.date.wizard", required=True, ondelete="cascade")
    move_line_id = fields.Many2one("account.move.line", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="move_line_id.currency_id")
    amount = fields.Monetary(related="move_line_id.amount_residual_currency", string="Open Amount")
    contractual_date = fields.Date(related="move_line_id.collection_contractual_date")
    current_date = fields.Date(related="move_line_id.date_maturity", string="Due Now")
    due_date = fields.Date(string="New Due Date", required=True)
