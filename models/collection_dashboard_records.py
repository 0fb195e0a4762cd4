from datetime import datetime, time

import pytz

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from ..engine import checks, promises
from .collection_dashboard_figures import AGES
from .collection_interaction import OUTGOING
from .collection_promise_judge import RECEIPT_JOURNALS

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


class CollectionDashboardRecords(models.AbstractModel):
    """The records behind what the dashboard shows."""

    _name = "collection.dashboard.records"
    _description = "Records behind the Dashboard"

    @api.model
    def open_records(self, key, filters=None, record_id=None):
        """Return the action that opens what is behind a figure, a bar, a row or a thing to do.

        :param key: of a tile, a bucket, a thing to do; "debtor", "collector" with ``record_id``; "forecast"
        :raise UserError: when there is no such thing
        """
        scope = self._get_dashboard_scope(filters or {})
        todo = self._get_todo_domains(scope)
        if key == "debtor":
            return self.env["collection.debtor"].browse(record_id).get_formview_action()
        if key in todo:
            label, model, domain = todo[key]
            return self._open(model, label, domain)
        if key in AGES:
            return self._open("collection.debtor", _("Debtors"), [*scope.domain, (key, ">", 0)])
        if key == "collector":
            domain = [("company_id", "=", scope.company.id), ("collector_id", "=", record_id), ("total_due", "!=", 0)]
            return self._open("collection.debtor", _("Debtors"), domain)
        if key == "forecast":
            return self._open("collection.cash.plan", _("Cash Plan"), scope.domain)
        opened = self._get_tile_records(scope).get(key)
        if not opened:
            raise UserError(_("The dashboard shows no such figure."))
        return opened()

    @api.model
    def _get_tile_records(self, scope):
        """{figure: what returns the action that opens its records}"""
        first, last = scope.days
        # From midnight to midnight where the company is.
        midnight, ends = (self._get_midnight(scope.company, day) for day in (first, fields.Date.add(last, days=1)))
        said = (("date", ">=", midnight), ("date", "<", ends))

        def debtors(*domain):
            return lambda: self._open("collection.debtor", _("Debtors"), [*scope.domain, *domain])

        def receipts():
            return lambda: self._open_receipts(scope)

        def of_debtors(model, label, *domain):
            whose = [(f"debtor_id.{name}", operator, value) for name, operator, value in scope.domain]
            return lambda: self._open(model, label, [*whose, *domain])

        return {
            "receivable": debtors(("total_due", "!=", 0)),
            "overdue": debtors(("overdue", ">", 0)),
            "overdue_share": debtors(("overdue", ">", 0)),
            "ninety_plus_share": debtors(("bucket_4", ">", 0)),
            "dso_countback": debtors(("total_due", "!=", 0)),
            "collection_effectiveness": debtors(("overdue", ">", 0)),
            "received": receipts(),
            "on_time_amount": receipts(),
            "average_days_late": receipts(),
            "promise_kept_amount": of_debtors(
                *("collection.promise", _("Promises"), ("state", "in", promises.JUDGED)),
                *(("closed_on", ">=", first), ("closed_on", "<=", last)),
            ),
            "contacts_a_day": of_debtors("collection.interaction", _("Interactions"), *said),
            "right_party_contact_rate": of_debtors(
                "collection.interaction", _("Interactions"), *said, ("direction", "=", OUTGOING)
            ),
        }

    @api.model
    def _get_midnight(self, company, day):
        """When a day begins where the company is, in UTC and naive."""
        zone = company._get_collection_timezone()
        return zone.localize(datetime.combine(day, time())).astimezone(pytz.utc).replace(tzinfo=None)

    @api.model
    def _open_receipts(self, scope):
        """The receipts of the period, of the debtors that are looked at."""
        first, last = scope.days
        domain = [
            ("account_id.account_type", "=", "asset_receivable"),
            ("parent_state", "=", "posted"),
            ("journal_id.type", "in", RECEIPT_JOURNALS),
            ("company_id", "=", scope.company.id),
            ("partner_id", "!=", False),
            ("date", ">=", fields.Date.to_string(first)),
            ("date", "<=", fields.Date.to_string(last)),
        ]
        if scope.narrowed or not scope.is_manager:
            own = self.env["collection.debtor"].search(scope.domain)
            domain.append(("partner_id.commercial_partner_id", "in", own.partner_id.ids))
        return {
            "type": "ir.actions.act_window",
            "name": _("Collected"),
            "res_model": "account.move.line",
            "view_mode": "tree,form",
            "views": [(False, "list"), (False, "form")],
            "domain": domain,
            "context": {"create": False, "search_default_group_by_partner": 1},
        }

    @api.model
    def _open(self, model, name, domain):
        """The model's own action, on these records alone."""
        action = self.env["ir.actions.act_window"]._for_xml_id(OPENED[model])
        return {**action, "name": name, "display_name": name, "domain": domain, "context": {}}

    # === What to do now === #

    @api.model
    def _get_todo_domains(self, scope):
        """{key: (label, model, domain)}, the most urgent first. What a person can do nothing about is left out."""
        today = scope.company._get_collection_today()
        company = ("company_id", "=", scope.company.id)
        whose = [(f"debtor_id.{name}", operator, value) for name, operator, value in scope.narrowed]
        # Of this company's day alone.
        to_call = self.env["collection.debtor"]._get_to_call_domain_of(today)
        found = {}
        if self.env.user.has_group("account_collection.group_collection_sender"):
            found["proposals"] = (_("Runs to approve"), "collection.run", [company, ("state", "=", "proposal")])
            found["failed"] = (
                *(_("Notices that failed"), "collection.notice"),
                [company, *whose, ("state", "=", "failed")],
            )
        found["to_call"] = (_("Debtors to call"), "collection.debtor", [*scope.domain, *to_call])
        found["past_promises"] = (
            *(_("Promises broken in the last 7 days"), "collection.promise"),
            [
                company,
                *whose,
                ("state", "in", ("broken", "partly")),
                ("closed_on", ">", fields.Date.subtract(today, days=7)),
            ],
        )
        found["deposits"] = (
            *(_("Checks to deposit"), "account.postdated.check"),
            [company, *whose, ("state", "=", checks.CUSTODY), ("deposit_date", "<=", today)],
        )
        found["disputes"] = (
            *(_("Disputes to come back to"), "collection.dispute"),
            [company, *whose, ("state", "=", "open"), ("revisit_date", "<=", today)],
        )
        if scope.is_manager and not scope.narrowed:
            found["unassigned"] = (
                *(_("Late debtors without a collector"), "collection.debtor"),
                [company, ("collector_id", "=", False), ("overdue", ">", 0)],
            )
        return found
