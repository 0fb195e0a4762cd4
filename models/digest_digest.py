from collections import defaultdict

from odoo import _, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from ..engine import checks


class DigestDigest(models.Model):
    """What a manager of collections reads of checks in Odoo's periodic digest."""

    _inherit = "digest.digest"

    kpi_collection_checks_due = fields.Boolean("Checks to Deposit")
    kpi_collection_checks_due_value = fields.Monetary(compute="_compute_kpi_collection_checks_due_value")
    kpi_collection_checks_bounced = fields.Boolean("Bounced Checks")
    kpi_collection_checks_bounced_value = fields.Monetary(compute="_compute_kpi_collection_checks_bounced_value")

    def _compute_kpi_collection_checks_due_value(self):
        """Checks in hand at the end of the period whose day comes within the company's days of notice: a period before
        is compared with what was in hand then."""
        _start, end, companies = self._get_collection_kpi_parameters()
        line = self.env["account.postdated.check.line"]
        in_hand = line._query_in_hand(SQL("checks.id"), end)
        horizon = SQL(
            "checks.deposit_date <= %s::date + company.collection_check_notice_days AND %s",
            end,
            in_hand,
        )
        amounts = self._get_collection_kpi_amounts(horizon, companies, end)
        for digest in self:
            digest.kpi_collection_checks_due_value = amounts[digest.company_id or self.env.company]

    def _compute_kpi_collection_checks_bounced_value(self):
        start, end, companies = self._get_collection_kpi_parameters()
        bounced = SQL(
            """EXISTS (SELECT 1 FROM account_postdated_check_event event
                        WHERE event.check_id = checks.id AND event.new_state = %s
                          AND event.date > %s AND event.date <= %s)""",
            checks.BOUNCED,
            start,
            end,
        )
        amounts = self._get_collection_kpi_amounts(bounced, companies, end)
        for digest in self:
            digest.kpi_collection_checks_bounced_value = amounts[digest.company_id or self.env.company]

    def _get_collection_kpi_parameters(self):
        """First and last day of the period, and the companies."""
        # Odoo leaves a figure out of the digest of who may not see it.
        if not self.env.user.has_group("account_collection.group_collection_manager"):
            raise AccessError(_("Do not have access, skip this data for user's digest email"))
        start, end, companies = self._get_kpi_compute_parameters()
        return fields.Date.to_date(start), fields.Date.to_date(end), companies

    def _get_collection_kpi_amounts(self, condition, companies, day):
        """``{company: amount}`` of its checks that meet the condition, in its currency."""
        for name in ("account.postdated.check", "account.postdated.check.event", "res.company"):
            self.env[name].flush_model()
        self.env.cr.execute(
            SQL(
                """SELECT checks.company_id, checks.currency_id, SUM(checks.amount)
                     FROM account_postdated_check checks
                     JOIN res_company company ON company.id = checks.company_id
                    WHERE checks.company_id = ANY(%s) AND %s
                    GROUP BY checks.company_id, checks.currency_id""",
                companies.ids,
                condition,
            )
        )
        amounts = defaultdict(float)
        for company_id, currency_id, amount in self.env.cr.fetchall():
            # sudo: amounts of companies that are being told, whoever's environment computes them
            company = self.env["res.company"].sudo().browse(company_id)
            currency = self.env["res.currency"].browse(currency_id)
            amounts[companies.browse(company_id)] += currency._convert(float(amount), company.currency_id, company, day)
        return amounts

    def _compute_kpis_actions(self, company, user):
        actions = super()._compute_kpis_actions(company, user)
        actions["kpi_collection_checks_due"] = "account_collection.collection_cash_plan_action"
        return actions
