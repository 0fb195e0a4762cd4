from odoo import api, fields, models


class AccountPostdatedCheckReplace(models.TransientModel):
    """Takes another check instead of one: the new one is received, and meant for the same invoices."""

    _name = "account.postdated.check.replace"
    _inherit = "account.postdated.check.dialog"
    _description = "Replace Check"

    check_id = fields.Many2one("account.postdated.check", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one(related="check_id.company_id")
    date = fields.Date(string="Received On")
    number = fields.Char(required=True)
    bank_id = fields.Many2one("res.bank", required=True)
    account_number = fields.Char(string="Account or CLABE")
    amount = fields.Monetary(required=True)
    currency_id = fields.Many2one("res.currency", required=True)
    face_date = fields.Date(string="Date of the Check", required=True)
    deposit_date = fields.Date(string="Deposit On", required=True)
    journal_id = fields.Many2one(
        "account.journal", string="Deposit In", domain="[('type', '=', 'bank'), ('company_id', '=', company_id)]"
    )

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        if check := self._get_chosen()[:1]:
            values["check_id"] = check.id
            for name in ("bank_id", "journal_id", "currency_id"):
                values[name] = check[name].id
            for name in ("account_number", "amount"):
                values[name] = check[name]
            values["face_date"] = values["deposit_date"] = values.get("date")
        return values

    @api.onchange("face_date")
    def _onchange_face_date(self):
        if self.face_date and self.deposit_date and self.deposit_date < self.face_date:
            self.deposit_date = self.face_date

    def action_replace(self):
        self.ensure_one()
        self.check_id._check_told_day(self.date)
        names = ("number", "account_number", "amount", "face_date", "deposit_date")
        values = {name: self[name] for name in names}
        values.update({name: self[name].id for name in ("bank_id", "currency_id", "journal_id")})
        new = self.check_id._replace(self.date, {**values, "receipt_date": self.date})
        return new._open()
