from odoo import api, fields, models

from ..engine import checks
from .account_postdated_check import STATES


class AccountPostdatedCheckEvent(models.Model):
    """What happened to a check: the history that tells a customer's risk, and who did what."""

    _name = "account.postdated.check.event"
    _description = "Event of a Check"
    _order = "id desc"

    check_id = fields.Many2one("account.postdated.check", required=True, readonly=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="check_id.company_id")
    debtor_id = fields.Many2one("collection.debtor", readonly=True, index=True, ondelete="cascade")
    date = fields.Date(required=True, readonly=True)
    user_id = fields.Many2one("res.users", string="By", required=True, readonly=True)
    old_state = fields.Selection(STATES, string="From", readonly=True)
    new_state = fields.Selection(STATES, string="To", required=True, readonly=True)
    note = fields.Char(readonly=True)

    @api.model_create_multi
    def create(self, vals_list):
        made = super().create(vals_list)
        bounced = made.filtered(lambda event: event.new_state == checks.BOUNCED).debtor_id.sudo()
        self.env["collection.debtor.touch"]._touch_partners(
            {(debtor.partner_id.id, debtor.company_id.id) for debtor in bounced}
        )
        return made


class AccountPostdatedCheck(models.Model):
    """Says why a check is where it is."""

    _inherit = "account.postdated.check"

    state_reason = fields.Char(string="Reason", compute="_compute_state_reason")

    @api.depends("event_ids.note")
    def _compute_state_reason(self):
        for check in self:
            check.state_reason = check.event_ids[:1].note
