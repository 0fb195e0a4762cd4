from datetime import datetime, time
from typing import NamedTuple

import pytz

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from ..engine import checks, promises
from .collection_dashboard import AGES
from .collection_interaction import OUTGOING
from .collection_promise_judge import FAILED

OPENED = {
    "collection.debtor": "account_collection.collection_debtor_action",
    "collection.promise": "account_collection.collection_promise_action",
    "collection.interaction": "account_collection.collection_interaction_action",
    "collection.dispute": "account_collection.collection_dispute_action",
    "collection.notice": "account_collection.collection_notice_action",
    "collection.run": "account_collection.collection_run_action",
    "collection.cash.plan": "account_collection.collection_cash_plan_action",
    "account.postdated.check": "account_collection.account_postdated_check_action",
}
# Figures of money that came in.
RECEIPTS = ("received", "on_time_amount", "average_days_late")


class Records(NamedTuple):
    """What opens: a title, a model and a domain."""

    name: str
    model: str
    domain: list


class CollectionDashboard(models.AbstractModel):
    """The records behind what is shown."""

    _inherit = "collection.dashboard"

    @api.model
    def open_records(self, key, filters=None, record_id=None):
        """Return the action that opens what is behind a figure, a bar, a row or a thing to do.

        :param key: of a tile, a bucket, a thing to do; "debtor", "collector" with ``record_id``; "forecast"
        :raise UserError: when there is no such thing
        """
        scope = self._get_dashboard_scope(filters or {})
        if key == "debtor":
            return self.env["collection.debtor"].browse(record_id).get_formview_action()
        if key in RECEIPTS:
            debtors = self.env["collection.debtor"]
            return debtors._get_receipts_action(_("Collected"), scope.company, scope.days, scope.domain)
        records = {
            **{age: self._of_debtors(scope, (age, ">", 0)) for age in AGES},
            "collector": self._of_debtors(scope, ("collector_id", "=", record_id), ("total_due", "!=", 0)),
            "forecast": Records(_("Cash Plan"), "collection.cash.plan", scope.domain),
            **self._get_tile_records(scope),
            **self._get_todo_records(scope),
        }.get(key)
        if not records:
            raise UserError(_("The dashboard shows no such figure."))
        action = self.env["ir.actions.act_window"]._for_xml_id(OPENED[records.model])
        name = records.name
        return {**action, "name": name, "display_name": name, "domain": records.domain, "context": {}}

    @api.model
    def _of_debtors(self, scope, *domain):
        return Records(_("Debtors"), "collection.debtor", [*scope.domain, *domain])

    @api.model
    def _get_tile_records(self, scope):
        """{figure: its ``Records``}; those of money that came in are journal items, see ``RECEIPTS``."""
        first, last = scope.days
        # From midnight to midnight where the company is.
        midnight, ends = (self._get_midnight(scope.company, day) for day in (first, fields.Date.add(last, days=1)))
        whose = [(f"debtor_id.{name}", operator, value) for name, operator, value in scope.domain]
        said = [*whose, ("date", ">=", midnight), ("date", "<", ends)]
        judged = [("state", "in", promises.JUDGED), ("closed_on", ">=", first), ("closed_on", "<=", last)]
        owing, late = self._of_debtors(scope, ("total_due", "!=", 0)), self._of_debtors(scope, ("overdue", ">", 0))
        return {
            **dict.fromkeys(("receivable", "dso_countback"), owing),
            **dict.fromkeys(("overdue", "overdue_share", "collection_effectiveness"), late),
            "ninety_plus_share": self._of_debtors(scope, ("bucket_4", ">", 0)),
            "promise_kept_amount": Records(_("Promises"), "collection.promise", [*whose, *judged]),
            "contacts_a_day": Records(_("Interactions"), "collection.interaction", said),
            "right_party_contact_rate": Records(
                _("Interactions"), "collection.interaction", [*said, ("direction", "=", OUTGOING)]
            ),
        }

    @api.model
    def _get_midnight(self, company, day):
        """When a day begins where the company is, in UTC and naive."""
        zone = company._get_collection_timezone()
        return zone.localize(datetime.combine(day, time())).astimezone(pytz.utc).replace(tzinfo=None)

    # === What to do now === #

    @api.model
    def _get_todo_records(self, scope):
        """{key: ``Records``}, the most urgent first. What a person can do nothing about is left out."""
        today = scope.company._get_collection_today()
        company = ("company_id", "=", scope.company.id)
        whose = [company, *((f"debtor_id.{name}", operator, value) for name, operator, value in scope.narrowed)]
        broken = [("state", "in", FAILED), ("closed_on", ">", fields.Date.subtract(today, days=7))]
        due = [("state", "=", checks.CUSTODY), ("deposit_date", "<=", today)]
        # Of this company's day alone.
        to_call = self.env["collection.debtor"]._get_to_call_domain_of(today)
        found = {}
        if self.env.user.has_group("account_collection.group_collection_sender"):
            proposals = [company, ("state", "=", "proposal")]
            found["proposals"] = Records(_("Runs to approve"), "collection.run", proposals)
            failed = [*whose, ("state", "=", "failed")]
            found["failed"] = Records(_("Notices that failed"), "collection.notice", failed)
        found |= {
            "to_call": self._of_debtors(scope, *to_call)._replace(name=_("Debtors to call")),
            "broken": Records(_("Promises broken in the last 7 days"), "collection.promise", [*whose, *broken]),
            "deposits": Records(_("Checks to deposit"), "account.postdated.check", [*whose, *due]),
            "disputes": Records(
                *(_("Disputes to come back to"), "collection.dispute"),
                [*whose, ("state", "=", "open"), ("revisit_date", "<=", today)],
            ),
        }
        if scope.sees_all and not scope.narrowed:
            unassigned = self._of_debtors(scope, ("collector_id", "=", False), ("overdue", ">", 0))
            found["unassigned"] = unassigned._replace(name=_("Late debtors without a collector"))
        return found
