from odoo import api, fields, models


class AccountPayment(models.Model):
    """The payment that deposits a check; what differs between the series of Odoo is told here."""

    _inherit = "account.payment"

    postdated_check_id = fields.Many2one(related="move_id.postdated_check_id", string="Postdated Check")

    def action_open_postdated_check(self):
        self.ensure_one()
        return self.postdated_check_id._open()

    def action_draft(self):
        self.move_id._check_not_of_check()
        return super().action_draft()

    def action_cancel(self):
        self.move_id._check_not_of_check()
        return super().action_cancel()

    def action_reject(self):
        """Of 19.0 alone: the bank refused it."""
        self.move_id._check_not_of_check()
        return super().action_reject()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_of_check(self):
        """Odoo lets a posted payment that is matched with nothing be deleted, and its entry with it."""
        self.move_id._check_not_of_check()

    @api.model
    def _prepare_collection_memo(self, text):
        """Values with the text of a payment, in the field that this series has for it."""
        return {"memo" if "memo" in self._fields else "ref": text}

    @api.model
    def _get_collection_outstanding_account(self, method_line):
        """Where a payment by this method waits for the bank statement."""
        new = self.new({"payment_type": "inbound", "journal_id": method_line.journal_id.id})
        new.payment_method_line_id = method_line
        return new.outstanding_account_id or new._get_outstanding_account("inbound")

    def _collection_reject(self):
        """These payments were taken back by the bank, in the series that have a state for it."""
        if "rejected" in dict(self._fields["state"]._description_selection(self.env)):
            self.write({"state": "rejected"})
