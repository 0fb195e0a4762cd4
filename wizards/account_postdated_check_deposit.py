from odoo import _, api, fields, models
from odoo.exceptions import UserError

from ..engine import checks


class AccountPostdatedCheckDeposit(models.TransientModel):
    """Deposits the chosen checks, or all whose day has come; those that cannot be stay behind, with their reason."""

    _name = "account.postdated.check.deposit"
    _description = "Deposit Checks"

    date = fields.Date(required=True, default=lambda self: self.env.company._get_collection_today())
    journal_id = fields.Many2one(
        "account.journal",
        string="Another Journal for All",
        domain="[('type', '=', 'bank'), ('company_id', 'in', company_ids)]",
        help="Empty: each check in its own journal.",
    )
    company_ids = fields.Many2many("res.company", compute="_compute_company_ids")
    check_ids = fields.Many2many("account.postdated.check", string="Checks", required=True)
    totals = fields.Text(compute="_compute_totals")
    done = fields.Boolean(readonly=True)
    slip_ids = fields.Many2many(
        "account.postdated.check.slip",
        "account_postdated_check_deposit_slip_rel",
        string="Deposit Slips",
        readonly=True,
    )
    line_ids = fields.One2many(
        "account.postdated.check.deposit.line", "wizard_id", string="Not Deposited", readonly=True
    )

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        if "check_ids" in fields_list:
            if self.env.context.get("active_model") == "account.postdated.check":
                chosen = self.env["account.postdated.check"].browse(self.env.context.get("active_ids"))
            else:
                chosen = self._get_due()
            values["check_ids"] = [fields.Command.set(chosen.ids)]
        return values

    @api.model
    def _get_due(self):
        """The checks in custody whose agreed day has come, where their company is."""
        due = self.env["account.postdated.check"]
        for company in self.env.companies:
            due += due.search(
                [
                    ("company_id", "=", company.id),
                    ("state", "=", checks.CUSTODY),
                    ("deposit_date", "<=", company._get_collection_today()),
                ]
            )
        return due

    @api.depends("check_ids")
    def _compute_company_ids(self):
        for wizard in self:
            wizard.company_ids = wizard.check_ids.company_id

    @api.depends("check_ids", "journal_id")
    def _compute_totals(self):
        for wizard in self:
            wizard.totals = "\n".join(wizard._get_totals())

    def _get_totals(self):
        """A line for each journal and currency."""
        groups = self.check_ids.grouped(lambda check: (self.journal_id or check.journal_id, check.currency_id))
        return [
            _(
                "%(journal)s: %(amount)s (checks: %(count)s)",
                journal=journal.display_name or _("No journal"),
                count=len(of_group),
                amount=currency.format(sum(of_group.mapped("amount"))),
            )
            for (journal, currency), of_group in groups.items()
        ]

    # === Actions ===#

    def action_deposit(self):
        self.ensure_one()
        if self.done:
            raise UserError(_("These checks were deposited already."))
        chosen = self.check_ids
        if not chosen:
            raise UserError(_("Choose the checks first."))
        chosen._check_may("deposit")
        if self.journal_id:
            chosen.filtered(lambda check: check.state == checks.CUSTODY).journal_id = self.journal_id
        faults = chosen._deposit_each(self.date)
        deposited = chosen.filtered(lambda check: check not in faults)
        self.slip_ids = self.slip_ids._create_for(deposited, self.date)
        self.done = True
        # sudo: nobody but the deposit says why a check was not deposited
        self.env["account.postdated.check.deposit.line"].sudo().create(
            [{"wizard_id": self.id, "check_id": check.id, "reason": reason} for check, reason in faults.items()]
        )
        self.check_ids = deposited
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_collection.account_postdated_check_deposit_action"
        )
        return {**action, "res_id": self.id}

    def action_print(self):
        self.ensure_one()
        return self.slip_ids.action_print()


class AccountPostdatedCheckDepositLine(models.TransientModel):
    _name = "account.postdated.check.deposit.line"
    _description = "Check Not Deposited"

    wizard_id = fields.Many2one("account.postdated.check.deposit", required=True, ondelete="cascade")
    check_id = fields.Many2one("account.postdated.check", required=True, ondelete="cascade")
    partner_id = fields.Many2one(related="check_id.partner_id")
    currency_id = fields.Many2one(related="check_id.currency_id")
    amount = fields.Monetary(related="check_id.amount")
    reason = fields.Char(required=True)
