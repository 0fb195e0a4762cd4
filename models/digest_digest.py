from collections import defaultdict

import pytz

from odoo import _, api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from ..engine import checks
from .account_postdated_check_alert import DEADLINE, DEPOSITS, DUE, INACTIVE, SOON, STALE


class DigestDigest(models.Model):
    """What a manager of collections reads of checks in Odoo's periodic digest."""

    _inherit = "digest.digest"

    kpi_collection_checks_due = fields.Boolean("Checks to Deposit")
    kpi_collection_checks_due_value = fields.Monetary(compute="_compute_kpi_collection_checks_due_value")
    kpi_collection_checks_deadline = fields.Boolean("Checks Whose Presentation Ends")
    kpi_collection_checks_deadline_value = fields.Monetary(compute="_compute_kpi_collection_checks_deadline_value")
    kpi_collection_checks_stale = fields.Boolean("Checks Not Deposited in Time")
    kpi_collection_checks_stale_value = fields.Monetary(compute="_compute_kpi_collection_checks_stale_value")
    kpi_collection_checks_inactive = fields.Boolean("Checks Without Active Protection")
    kpi_collection_checks_inactive_value = fields.Monetary(compute="_compute_kpi_collection_checks_inactive_value")
    kpi_collection_checks_bounced = fields.Boolean("Bounced Checks")
    kpi_collection_checks_bounced_value = fields.Monetary(compute="_compute_kpi_collection_checks_bounced_value")

    def _compute_kpi_collection_checks_due_value(self):
        self._compute_collection_alerts("due", DUE, SOON)

    def _compute_kpi_collection_checks_deadline_value(self):
        self._compute_collection_alerts("deadline", DEADLINE)

    def _compute_kpi_collection_checks_stale_value(self):
        self._compute_collection_alerts("stale", STALE)

    def _compute_kpi_collection_checks_inactive_value(self):
        self._compute_collection_alerts("inactive", INACTIVE)

    def _compute_collection_alerts(self, name, *kinds):
        """Amounts of the checks in hand at the end of the period that one of these alerts is about: a period before is
        compared with what was in hand then."""
        _start, end, companies = self._get_collection_period("manager")
        conditions = self.env["account.postdated.check"]._query_alert_conditions(end)
        # A check on hold is not deposited, though its days run.
        states = (checks.CUSTODY,) if set(kinds) <= set(DEPOSITS) else checks.IN_HAND
        found = SQL(
            "(%s) AND %s",
            SQL(" OR ").join(SQL("(%s)", conditions[kind]) for kind in kinds),
            self.env["account.postdated.check.line"]._query_in_hand(SQL("checks.id"), end, states),
        )
        amounts = self._get_collection_kpi_amounts(found, companies, end)
        for digest in self:
            digest[f"kpi_collection_checks_{name}_value"] = amounts[digest.company_id or self.env.company]

    def _compute_kpi_collection_checks_bounced_value(self):
        start, end, companies = self._get_collection_period("manager")
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

    def _get_collection_period(self, group):
        """The day before the period and its last day where the company is, and the companies.

        :param group: the least group of collections whose people may see the figure
        """
        # Odoo leaves a figure out of the digest of who may not see it.
        if not self.env.user.has_group(f"account_collection.group_collection_{group}"):
            raise AccessError(_("Do not have access, skip this data for user's digest email"))
        start, end, companies = self._get_kpi_compute_parameters()
        # Odoo calls them times of the company's zone, but they are UTC.
        company = self[:1].company_id or self.env.company
        zone = company._get_collection_timezone()
        start, end = (
            moment and pytz.utc.localize(fields.Datetime.to_datetime(moment)).astimezone(zone).date()
            for moment in (start, end)
        )
        return start, end, companies

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
        currencies = self.env["res.currency"]
        return self._add_up(
            (
                (companies.browse(company_id), currencies.browse(currency_id), float(amount))
                for company_id, currency_id, amount in self.env.cr.fetchall()
            ),
            day,
        )

    @api.model
    def _add_up(self, rows, day):
        """``{company: amount}`` in its currency of rows (company, currency, amount), 0 of any other company."""
        amounts = defaultdict(float)
        for company, currency, amount in rows:
            # sudo: amounts of companies that are being told, whoever's environment computes them
            own = company.sudo().currency_id
            amounts[company] += currency._convert(amount, own, company.sudo(), day)
        return amounts

    def _compute_kpis_actions(self, company, user):
        actions = super()._compute_kpis_actions(company, user)
        for name in ("due", "deadline", "stale", "inactive", "bounced"):
            actions[f"kpi_collection_checks_{name}"] = f"account_collection.account_postdated_check_{name}_list_action"
        return actions
