import pytz

from odoo import _, api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools.misc import get_lang

from ..engine import aging, risk
from .credit_checks import CREDIT_CHECKS, NOTHING

PENALTIES = {"MX": 20.0}
"""Percent of a bounced check that the law of a country lets its holder claim."""


class ResCompany(models.Model):
    _inherit = "res.company"

    collection_policy_id = fields.Many2one(
        "collection.policy",
        string="Default Dunning Policy",
        domain="[('company_id', 'in', (False, id))]",
        default=lambda self: self._get_default_collection_policy(),
        ondelete="restrict",
    )
    collection_tolerance = fields.Monetary(
        help="Residues up to this amount, in the company's currency or its worth in another one, are never dunned.",
    )
    collection_days_until = fields.Date(readonly=True, help="Days before it are kept in collection.ledger.day.")
    collection_bucket_1 = fields.Integer(default=lambda self: aging.DEFAULT_EDGES[0])
    collection_bucket_2 = fields.Integer(default=lambda self: aging.DEFAULT_EDGES[1])
    collection_bucket_3 = fields.Integer(default=lambda self: aging.DEFAULT_EDGES[2])
    collection_notice_limit = fields.Integer(
        string="Messages at Most",
        help="To one debtor within the days, of dunning and campaigns together. 0: any number.",
    )
    collection_notice_days = fields.Integer(string="Within (Days)", required=True, default=7)
    collection_sender = fields.Selection(
        [("collector", "The debtor's collector"), ("company", "The company")],
        string="Messages Are From",
        default="collector",
        required=True,
    )
    collection_responsible_id = fields.Many2one(
        "res.users",
        string="Collections Responsible",
        help="Gets the activities of debtors that have no collector.",
    )

    # === Risk: least points of each class below A ===#
    collection_risk_b = fields.Integer(string="Class B From", default=lambda self: risk.DEFAULT_THRESHOLDS[0])
    collection_risk_c = fields.Integer(string="Class C From", default=lambda self: risk.DEFAULT_THRESHOLDS[1])
    collection_risk_d = fields.Integer(string="Class D From", default=lambda self: risk.DEFAULT_THRESHOLDS[2])

    # === Credit ===#
    collection_credit_check = fields.Selection(
        CREDIT_CHECKS,
        string="Over the Credit Limit",
        required=True,
        default=NOTHING,
        help="What happens when a customer invoice is posted that goes over the customer's credit limit.",
    )

    # === Postdated checks ===#
    collection_check_in_custody_account = fields.Boolean(
        string="Book Checks in Custody",
        help="On receipt the customer owes the check and no longer its invoices. Without it, custody makes no entry "
        "and the invoices stay open until the deposit.",
    )
    collection_check_custody_account_id = fields.Many2one(
        "account.account",
        string="Checks in Custody",
        domain="[('account_type', '=', 'asset_receivable')]",
        help="A receivable account of its own: the customer still owes what the check is for.",
    )
    collection_check_journal_id = fields.Many2one(
        "account.journal", string="Journal of Checks", domain="[('type', '=', 'general'), ('company_id', '=', id)]"
    )
    collection_check_fee_account_id = fields.Many2one("account.account", string="Fees of Bounced Checks")
    collection_check_penalty_percent = fields.Float(
        string="Penalty",
        compute="_compute_collection_check_penalty_percent",
        store=True,
        readonly=False,
        digits=(5, 2),
        help="Percentage of a bounced check that is proposed as a debit, when it was presented in time. Mexico: 20 %, "
        "Ley General de Titulos y Operaciones de Credito, art. 193.",
    )
    collection_check_penalty_account_id = fields.Many2one("account.account", string="Income from Penalties")
    collection_check_notice_days = fields.Integer(
        string="Days of Notice", default=3, help="How many days ahead deposits and deadlines of checks are told."
    )
    collection_promise_grace_days = fields.Integer(
        string="Days of Grace", default=3, help="Money that comes so many days after its date still keeps a promise."
    )
    collection_check_slip_entry = fields.Boolean(
        string="One Bank Movement per Slip",
        help="The checks of a deposit slip are one item for the bank statement, in each currency.",
    )

    _sql_constraints = [
        (
            "collection_check_penalty_range",
            "CHECK(collection_check_penalty_percent BETWEEN 0 AND 100)",
            "The penalty of a bounced check is a percentage from 0 to 100.",
        ),
        (
            "collection_check_notice_days_positive",
            "CHECK(collection_check_notice_days >= 0)",
            "The days of notice of checks cannot be negative.",
        ),
        (
            "collection_promise_grace_days_positive",
            "CHECK(collection_promise_grace_days >= 0)",
            "The days of grace of promises cannot be negative.",
        ),
        (
            "collection_tolerance_positive",
            "CHECK(collection_tolerance >= 0)",
            "The collection tolerance cannot be negative: set it to 0 to dun every cent.",
        ),
        (
            "collection_notice_limit_possible",
            "CHECK(collection_notice_limit >= 0 AND collection_notice_days > 0)",
            "Messages at most: 0 or more, within one day or more.",
        ),
    ]

    @api.model
    def _get_default_collection_policy(self):
        """The shipped policy, unless it became the own one of a company that is there already."""
        policy = self.env.ref("account_collection.policy_default", raise_if_not_found=False)
        return policy if policy and not policy.sudo().company_id else False

    @api.constrains("collection_policy_id")
    def _check_collection_policy(self):
        for company in self:
            company.collection_policy_id._check_usable_by(company)

    @api.depends("account_fiscal_country_id")
    def _compute_collection_check_penalty_percent(self):
        for company in self:
            company.collection_check_penalty_percent = PENALTIES.get(company.account_fiscal_country_id.code, 0.0)

    @api.constrains("collection_check_custody_account_id")
    def _check_collection_custody_account(self):
        for company in self:
            account = company.collection_check_custody_account_id
            if account and (account.account_type != "asset_receivable" or company._has_invoices_on(account)):
                raise ValidationError(
                    _(
                        "%(account)s cannot hold the checks in custody of %(company)s: choose a receivable account of "
                        "its own.",
                        account=account.display_name,
                        company=company.name,
                    )
                )

    def _has_invoices_on(self, account):
        """Whether invoices are on this account: then nobody could tell who owes a check."""
        return bool(
            self.env["account.move.line"].search_count(
                [
                    ("account_id", "=", account.id),
                    ("company_id", "=", self.id),
                    ("move_id.move_type", "in", ("out_invoice", "out_refund", "out_receipt")),
                ],
                limit=1,
            )
        )

    @api.constrains("collection_tolerance")
    def _check_collection_tolerance(self):
        for company in self:
            if company.collection_tolerance < 0:
                raise ValidationError(
                    _(
                        "The collection tolerance of %(company)s cannot be negative: set it to 0 to dun every cent.",
                        company=company.name,
                    )
                )

    @api.constrains("collection_bucket_1", "collection_bucket_2", "collection_bucket_3")
    def _check_collection_buckets(self):
        if self.env.context.get("collection_ranges_checked_later"):
            return
        for company in self:
            try:
                aging.check_edges(company._get_collection_bucket_edges())
            except ValueError:
                raise ValidationError(
                    _(
                        "The aging buckets of %(company)s must be days greater than zero, each later than the one "
                        "before, such as 30, 60 and 90.",
                        company=company.name,
                    )
                ) from None

    @api.constrains("collection_risk_b", "collection_risk_c", "collection_risk_d")
    def _check_collection_risk(self):
        if self.env.context.get("collection_ranges_checked_later"):
            return
        for company in self:
            try:
                risk.check_thresholds(company._get_collection_risk_thresholds())
            except ValueError:
                raise ValidationError(
                    _(
                        "The risk classes of %(company)s must begin at points greater than zero, each later than the "
                        "one before, such as 15, 30 and 60.",
                        company=company.name,
                    )
                ) from None

    def write(self, vals):
        thresholds = {company: company._get_collection_risk_thresholds() for company in self}
        result = super().write(vals)
        if any(name.startswith("collection_bucket_") for name in vals):
            debtors = self.env["collection.debtor"].sudo()
            debtors._refresh_balances(debtors.search([("company_id", "in", self.ids)]))
        changed = self.filtered(lambda company: company._get_collection_risk_thresholds() != thresholds[company])
        if changed:
            self.env["collection.debtor"].sudo()._rank_all(changed, with_ledger=False)
        return result

    def _get_collection_bucket_edges(self):
        """Last day of each aging bucket but the open one: three increasing integers."""
        self.ensure_one()
        return (self.collection_bucket_1, self.collection_bucket_2, self.collection_bucket_3)

    def _get_collection_risk_thresholds(self):
        """Least points of risk classes B, C and D: three increasing integers."""
        self.ensure_one()
        return (self.collection_risk_b, self.collection_risk_c, self.collection_risk_d)

    def _get_collection_bank_accounts(self, chosen=()):
        """Where its customers pay: of its own bank accounts, those with an id in ``chosen``, else all of them."""
        self.ensure_one()
        own = self.partner_id.bank_ids
        return own.filtered(lambda account: account.id in chosen) or own

    def _get_collection_timezone(self):
        """The company's time zone: its contact's, else that of its working hours, else UTC."""
        self.ensure_one()
        return pytz.timezone(self.partner_id.tz or self.resource_calendar_id.tz or "UTC")

    def _get_collection_lang(self):
        """The language that the company's people read: what a cron job writes for them is in it."""
        self.ensure_one()
        return get_lang(self.env, self.partner_id.lang).code

    def _get_collection_today(self):
        """Today's date where the company is."""
        return pytz.utc.localize(fields.Datetime.now()).astimezone(self._get_collection_timezone()).date()
