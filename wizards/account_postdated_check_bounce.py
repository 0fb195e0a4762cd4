from odoo import api, fields, models


class AccountPostdatedCheckBounce(models.TransientModel):
    """What the bank says of the checks that it did not pay."""

    _name = "account.postdated.check.bounce"
    _inherit = "account.postdated.check.dialog"
    _description = "Bounced Checks"

    reason = fields.Char(required=True, help="What the bank says.")
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    fee = fields.Monetary(string="Bank Fee", help="What the bank charges for each check.")
    lacks_fee_account = fields.Boolean(compute="_compute_lacks_fee_account")
    penalty = fields.Boolean(string="Propose the Penalty", default=True)
    penalty_percent = fields.Float(related="company_id.collection_check_penalty_percent", string="Percentage")
    line_ids = fields.One2many("account.postdated.check.bounce.line", "wizard_id", string="Checks")

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        if bounced := self._get_chosen():
            values["company_id"] = bounced.company_id[:1].id
            values["line_ids"] = [
                fields.Command.create({"check_id": check.id, "in_time": check._is_in_time()}) for check in bounced
            ]
        return values

    @api.depends("fee", "line_ids")
    def _compute_lacks_fee_account(self):
        for wizard in self:
            companies = wizard.line_ids.check_id.company_id
            lacking = companies.filtered(lambda company: not company.collection_check_fee_account_id)
            wizard.lacks_fee_account = bool(wizard.fee and lacking)

    def action_bounce(self):
        self.ensure_one()
        self.line_ids.check_id._check_told_day(self.date)
        for in_time, lines in self.line_ids.grouped("in_time").items():
            lines.check_id._bounce(self.date, self.reason, fee=self.fee, in_time=in_time, penalty=self.penalty)
        return {"type": "ir.actions.act_window_close"}


class AccountPostdatedCheckBounceLine(models.TransientModel):
    _name = "account.postdated.check.bounce.line"
    _description = "Bounced Check"

    wizard_id = fields.Many2one("account.postdated.check.bounce", required=True, ondelete="cascade")
    check_id = fields.Many2one("account.postdated.check", required=True, readonly=True, ondelete="cascade")
    partner_id = fields.Many2one(related="check_id.partner_id")
    currency_id = fields.Many2one(related="check_id.currency_id")
    amount = fields.Monetary(related="check_id.amount")
    deposited_on = fields.Date(related="check_id.deposited_on")
    presentation_deadline = fields.Date(related="check_id.presentation_deadline")
    in_time = fields.Boolean(string="Presented in Time", help="Only then is there a claim for damages.")
    penalty_amount = fields.Monetary(string="Penalty", compute="_compute_penalty_amount")

    @api.depends("in_time", "wizard_id.penalty", "check_id")
    def _compute_penalty_amount(self):
        for line in self:
            claimed = line.in_time and line.wizard_id.penalty
            line.penalty_amount = line.check_id._get_penalty_amount() if claimed else 0.0
