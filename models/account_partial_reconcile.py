from odoo import api, models


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    @api.model_create_multi
    def create(self, vals_list):
        partials = super().create(vals_list)
        lines = partials.debit_move_id + partials.credit_move_id
        self.env["collection.debtor.touch"]._touch_moves(lines.move_id)
        self.env["collection.notice"]._cancel_settled(lines)
        self.env["account.postdated.check"]._follow_bank(lines)
        return partials

    def unlink(self):
        lines = self.debit_move_id + self.credit_move_id
        self.env["collection.debtor.touch"]._touch_moves(lines.move_id)
        result = super().unlink()
        self.env["account.postdated.check"]._follow_bank(lines.exists())
        return result
