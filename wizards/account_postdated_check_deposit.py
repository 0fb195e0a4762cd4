from odoo import _, api, fields, models
from odoo.exceptions import UserError

from ..engine import checks

AT_ONCE = 250
"""How many checks one request deposits: some thirty seconds, far from the limits of Odoo's workers."""


class AccountPostdatedCheckDeposit(models.TransientModel):
    """Deposits the chosen checks, or all whose day has come; those that cannot be stay behind, with their reason.

    Many of them are deposited in portions, each a request of its own: what was deposited stays so, and the dialog shows
    how many wait.
    """

    _name = "account.postdated.check.deposit"
    _inherit = "account.postdated.check.dialog"
    _description = "Deposit Checks"

    journal_id = fields.Many2one(
        "account.journal",
        string="Another Journal for All",
        domain="[('type', '=', 'bank'), ('company_id', 'in', company_ids)]",
        help="Empty: each check in its own journal.",
    )
    company_ids = fields.Many2many("res.company", compute="_compute_company_ids")
    check_ids = fields.Many2many("account.postdated.check", string="Checks", required=True)
    totals = fields.Text(compute="_compute_totals")
    waiting = fields.Char(compute="_compute_waiting")
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
            opened_for_some = self.env.context.get("active_model") == "account.postdated.check"
            chosen = self._get_chosen() if opened_for_some else self._get_due()
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

    @api.depends("check_ids", "done")
    def _compute_waiting(self):
        for wizard in self:
            left = len(wizard.check_ids)
            started = wizard.slip_ids or wizard.line_ids
            in_portions = not wizard.done and (started or left > AT_ONCE)
            wizard.waiting = in_portions and _(
                "Still to be deposited: %(count)s. Each press of Deposit takes up to %(portion)s of them, "
                "with a slip of their own.",
                count=left,
                portion=AT_ONCE,
            )

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
        if not self.check_ids:
            raise UserError(_("Choose the checks first."))
        portion, waiting = self.check_ids[:AT_ONCE], self.check_ids[AT_ONCE:]
        portion._check_may("deposit")
        faults = portion._deposit_each(self.date, self.journal_id)
        deposited = portion.filtered(lambda check: check not in faults)
        self.slip_ids += self.slip_ids._create_for(deposited, self.date)
        self.done = not waiting
        # sudo: nobody but the deposit says why a check was not deposited
        self.env["account.postdated.check.deposit.line"].sudo().create(
            [{"wizard_id": self.id, "check_id": check.id, "reason": reason} for check, reason in faults.items()]
        )
        self.check_ids = waiting or self.slip_ids.check_ids
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
