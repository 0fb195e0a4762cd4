from odoo import _, api, fields, models
from odoo.exceptions import RedirectWarning

from ..engine import checks


class AccountMove(models.Model):
    """Invoices that checks are meant for, and the entries that checks made."""

    _inherit = "account.move"

    postdated_check_id = fields.Many2one(
        "account.postdated.check",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        groups="account.group_account_readonly,account.group_account_invoice",
    )
    postdated_check_slip_id = fields.Many2one(
        "account.postdated.check.slip",
        string="Deposit Slip",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        groups="account.group_account_readonly,account.group_account_invoice",
    )
    collection_check_ids = fields.Many2many(
        "account.postdated.check",
        string="Checks",
        compute="_compute_collection_checks",
        groups="account.group_account_readonly,account.group_account_invoice",
    )
    collection_check_count = fields.Integer(
        compute="_compute_collection_checks", groups="account.group_account_readonly,account.group_account_invoice"
    )

    @api.depends_context("uid")
    def _compute_collection_checks(self):
        lines = self.env["account.postdated.check.line"].search([("move_id", "in", self.ids)])
        checks_of = lines.grouped("move_id")
        for move in self:
            found = checks_of[move].check_id if move in checks_of else self.env["account.postdated.check"]
            move.collection_check_ids = found
            move.collection_check_count = len(found)

    def action_open_collection_checks(self):
        self.ensure_one()
        return self.collection_check_ids._open()

    # === The entries of a check are its own ===#

    def button_draft(self):
        self._check_not_of_check()
        return super().button_draft()

    def button_cancel(self):
        self._check_not_of_check()
        return super().button_cancel()

    def _reverse_moves(self, default_values_list=None, cancel=False):
        self._check_not_of_check()
        return super()._reverse_moves(default_values_list=default_values_list, cancel=cancel)

    def _check_not_of_check(self):
        """The check makes and reverses its entries; a person does it there. The penalty is an invoice like another, and
        a person may mend what the bank charged."""
        self._check_not_of_slip()
        # sudo: whoever tries must be told, also without a right on checks
        own = self.sudo().filtered(lambda move: move.postdated_check_id and move.move_type == "entry")
        own = own.filtered(lambda move: move.line_ids._get_receivable())
        live = own.filtered(lambda move: move.postdated_check_id.state != checks.DRAFT)
        if self.env.su or not live:
            return
        check = live[0].postdated_check_id
        raise RedirectWarning(
            _(
                "%(entry)s belongs to %(check)s, which is %(state)s: cancel it or let it bounce there.",
                entry=live[0].name,
                check=check.display_name,
                state=check._get_state_label(),
            ),
            check.get_formview_action(),
            _("Open the Check"),
        )

    def _check_not_of_slip(self):
        # sudo: as above
        slips = self.sudo().filtered(lambda move: move.move_type == "entry").postdated_check_slip_id
        if self.env.su or not slips:
            return
        raise RedirectWarning(
            _(
                "This entry belongs to the deposit slip %(slip)s: let its checks bounce, or cancel them.",
                slip=slips[0].name,
            ),
            slips[0].get_formview_action(),
            _("Open the Deposit Slip"),
        )
