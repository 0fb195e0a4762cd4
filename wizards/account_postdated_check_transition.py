from odoo import _, fields, models
from odoo.exceptions import UserError

# What whoever looks at the check later wants explained.
EXPLAINED = ("hold", "return", "cancel")


class AccountPostdatedCheckTransition(models.TransientModel):
    """Asks of what day, and where it matters why, before checks change their state; all of them, or none."""

    _name = "account.postdated.check.transition"
    _inherit = "account.postdated.check.dialog"
    _description = "Change of State of Checks"

    transition = fields.Selection(
        [
            ("clear", "Cleared"),
            ("redeposit", "Deposit Again"),
            ("hold", "Hold"),
            ("return", "Return"),
            ("legal", "Legal"),
            ("cancel", "Cancel"),
        ],
        required=True,
        readonly=True,
    )
    reason = fields.Char()
    check_ids = fields.Many2many(
        "account.postdated.check",
        "account_postdated_check_transition_check_rel",
        string="Checks",
        required=True,
        default=lambda self: self._get_chosen(),
    )

    def action_confirm(self):
        self.ensure_one()
        chosen, date, reason = self.check_ids, self.date, (self.reason or "").strip()
        if not chosen:
            raise UserError(_("Choose the checks first."))
        if self.transition in EXPLAINED and not reason:
            raise UserError(_("Say why: the history of the check and its chatter tell it."))
        chosen._check_told_day(date)
        {
            "clear": lambda: chosen._clear(date),
            "redeposit": lambda: chosen._redeposit(date),
            "hold": lambda: chosen._hold(date, reason),
            "return": lambda: chosen._return(date, reason),
            "legal": lambda: chosen._take_to_court(date, reason),
            "cancel": lambda: chosen._cancel(date, reason),
        }[self.transition]()
        return {"type": "ir.actions.act_window_close"}
