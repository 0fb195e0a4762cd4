from datetime import date
from typing import Any, NamedTuple

from odoo import _, api, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL
from odoo.tools.misc import format_amount, format_date

from ..engine import aging, periods
from .collection_debtor import BUCKETS
from .collection_forecast import WEEKS
from .rights import MANAGER, sees_every_debtor

TOP = 10
AGES = ("not_due", *BUCKETS)


class DashboardScope(NamedTuple):
    """What is looked at."""

    company: Any
    filters: dict
    days: tuple[date, date]
    days_before: tuple[date, date]
    narrowed: list
    """Beyond the company: of the chosen collector."""
    domain: list
    """Of the debtors."""
    collectors: Any
    """Whom the filter offers."""
    sees_all: bool
    scale: int


class CollectionDashboard(models.AbstractModel):
    """What a manager, or a collector of the own debtors, looks at first: figures with their trend, what is late and how
    late, what comes in, who collects it and what to do now.

    *How to use.* ``get_data(filters)`` is all that the screen needs, in one call; ``open_records(key, filters)`` is the
    action with the records behind a figure.

    *How it works.* What is owed now are the balances that debtors keep; what happened on which day is kept in
    ``collection.ledger.day``, what was late at the end of a former day in ``collection.snapshot``. The number of
    statements grows with neither debtors nor collectors. Everything follows the record rules of who looks: a collector
    sees the own debtors alone.
    """

    _name = "collection.dashboard"
    _description = "Collections Dashboard"

    @api.model
    def get_data(self, filters=None):
        """All that the dashboard shows, texts in the language of who looks.

        :param filters: {"company_id", "period" of ``engine.periods.PERIODS``, "compare", "collector_id"}, each optional
        :raise UserError: when the filters name what is not there
        """
        scope = self._get_dashboard_scope(filters or {})
        balances = self._get_balances(scope)
        whole, totals, before = self._get_two_totals(scope, balances)
        return {
            "filters": scope.filters,
            "choices": self._get_choices(scope),
            "sees_all": scope.sees_all,
            "title": _("Collections") if scope.sees_all else _("My Figures"),
            "periods": _(
                "%(period)s, against %(before)s.",
                period=self._describe(*scope.days),
                before=self._describe(*scope.days_before),
            ),
            "figures": self._get_tiles(scope, whole, before),
            "aging": self._get_aging(scope, balances),
            "line": self._get_line(scope, whole),
            "collectors": self._get_collectors(scope, totals, balances) if scope.sees_all else [],
            "forecast": self._get_forecast(scope),
            "top": self._get_top(scope),
            "todo": self._get_todo(scope),
            "empty": not balances and not scope.narrowed,
            "kept": self._describe_kept(scope),
            "words": {
                "aging": _("What is owed, by days late"),
                "line": _("DSO over 12 months"),
                "expected": _("Expected in the next %(weeks)s weeks", weeks=WEEKS),
                "forecast": [_("By due date"), _("With the usual delay")],
                "verdicts": {periods.BETTER: _("Better"), periods.WORSE: _("Worse")},
            },
        }

    @api.model
    def refresh_days(self, filters=None):
        """Read the whole ledger again: what was booked since the last night on days before it counts from now on."""
        scope = self._get_dashboard_scope(filters or {})
        if self.env.user.has_group(MANAGER):
            # sudo: a cache, which nobody writes by hand, and the day until which it goes
            self.env["collection.ledger.day"].sudo()._refresh(scope.company.sudo())

    @api.model
    def _describe_kept(self, scope):
        day = scope.company.collection_days_until
        if not day:
            return ""
        return _("Days before %(day)s as the last night found them.", day=format_date(self.env, day))

    @api.model
    def _describe(self, first, last):
        return _("%(first)s to %(last)s", first=format_date(self.env, first), last=format_date(self.env, last))

    @api.model
    def _get_choices(self, scope):
        """What the filters offer."""
        names = {
            periods.MONTH: _("This month"),
            periods.LAST_MONTH: _("Last month"),
            periods.QUARTER: _("This quarter"),
            periods.YEAR: _("This year"),
            periods.TWELVE_MONTHS: _("Last 12 months"),
        }
        return {
            "companies": [(company.id, company.name) for company in self.env.companies],
            "periods": list(names.items()),
            "compares": [
                (periods.PREVIOUS, _("the period before")),
                (periods.LAST_YEAR, _("the same period last year")),
            ],
            "collectors": [(user.id, user.name) for user in scope.collectors.sorted("name")],
        }

    # === Parts === #

    @api.model
    def _get_aging(self, scope, balances):
        """What is owed by age: the balances that every debtor keeps."""
        amounts = [sum(balance[name] for balance in balances.values()) / scope.scale for name in AGES]
        edges = scope.company._get_collection_bucket_edges()
        return {
            "labels": aging.bucket_labels(edges, _("Not due")),
            "keys": AGES,
            "amounts": amounts,
            "texts": [self._format_money(scope, amount) for amount in amounts],
        }

    @api.model
    def _get_line(self, scope, whole):
        """DSO by counting back, at the end of each of the last twelve months."""
        points = self._get_dso_points(scope, whole)
        return {
            "labels": [format_date(self.env, day, date_format="MMM yy") for day, _value in points],
            "values": [None if value is None else float(value) for _day, value in points],
        }

    @api.model
    def _get_collectors(self, scope, totals, balances):
        """A row for each collector: what the debtors owe and what was done about it in the period."""
        names = {user.id: user.name for user in scope.collectors}
        rows = []
        for user_id, balance in sorted(balances.items(), key=lambda found: -found[1]["overdue"]):
            total = totals[user_id]
            amounts = {"owed": balance["total_due"], "overdue": balance["overdue"], "received": total["received"]}
            rows.append(
                {
                    "id": user_id or False,
                    "name": names.get(user_id) or _("Nobody"),
                    "debtors": balance["debtors"],
                    **{name: self._format_money(scope, amount / scope.scale) for name, amount in amounts.items()},
                    "contacts": total["contacts"],
                    "promises": total["made_count"],
                }
            )
        return rows

    @api.model
    def _get_forecast(self, scope):
        """What is expected in each of the coming weeks, by the due dates and by what customers are used to."""
        # The day of this company alone matters.
        today = scope.company._get_collection_today()
        plan = self.env["collection.cash.plan"].with_context(collection_plan_day=today)
        weeks = plan._get_weeks(scope.company, scope.narrowed, WEEKS)
        return {
            "labels": [format_date(self.env, week["week"], date_format="d MMM") for week in weeks],
            "due": [week["due"] for week in weeks],
            "usual": [week["usual"] for week in weeks],
        }

    @api.model
    def _get_top(self, scope):
        """Who owes the most that is late."""
        debtors = self.env["collection.debtor"].search([*scope.domain, ("overdue", ">", 0)], limit=TOP)
        return [
            {
                "id": debtor.id,
                "name": debtor.display_name,
                "overdue": self._format_money(scope, debtor.overdue),
                "days": debtor.days_overdue,
                # sudo: the names of colleagues
                "collector": debtor.sudo().collector_id.name or "",
            }
            for debtor in debtors
        ]

    @api.model
    def _get_todo(self, scope):
        """What waits for a person, the most urgent first; nothing that does not."""
        todo = self._get_todo_records(scope)
        self.env.cr.execute(self._query_counts(todo.values()))
        counts = self.env.cr.fetchone()
        return [
            {"key": key, "label": todo[key].name, "count": count}
            for key, count in zip(todo, counts, strict=True)
            if count
        ]

    @api.model
    def _query_counts(self, records):
        """One row: how many of each of these ``Records`` the person may see."""
        found = [self.env[model]._search(domain, order="id").subselect() for _name, model, domain in records]
        return SQL("SELECT %s", SQL(", ").join(SQL("(SELECT COUNT(*) FROM %s found)", query) for query in found))

    @api.model
    def _format_money(self, scope, amount):
        return format_amount(self.env, amount, scope.company.currency_id)

    # === Filters === #

    @api.model
    def _get_dashboard_scope(self, filters):
        """:raise UserError: when the filters name what is not there"""
        self._check_viewer()
        company = self._get_company(filters.get("company_id"))
        chosen = filters.get("period") or periods.MONTH
        compare = filters.get("compare") or periods.PREVIOUS
        if chosen not in periods.PERIODS or compare not in (periods.PREVIOUS, periods.LAST_YEAR):
            raise UserError(_("Choose one of the periods that the dashboard offers."))
        days = periods.named_period(chosen, company._get_collection_today())
        other = periods.previous_period if compare == periods.PREVIOUS else periods.same_last_year
        sees_all = sees_every_debtor(self.env.user)
        # A collector reads the own figures, and has nothing to choose.
        collectors = self._get_collector_choices(company) if sees_all else self.env["res.users"]
        collector = collectors.filtered(lambda user: user.id == filters.get("collector_id"))
        narrowed = [("collector_id", "=", collector.id)] if collector else []
        return DashboardScope(
            company,
            {"company_id": company.id, "period": chosen, "compare": compare, "collector_id": collector.id or False},
            days,
            other(*days),
            narrowed,
            [("company_id", "=", company.id), *narrowed],
            collectors,
            sees_all,
            10**company.currency_id.decimal_places,
        )

    @api.model
    def _get_collector_choices(self, company):
        groups = self.env["collection.debtor"]._read_group(
            [("company_id", "=", company.id), ("collector_id", "!=", False)], ["collector_id"]
        )
        # sudo: the names of colleagues
        return self.env["res.users"].sudo().browse(user.id for (user,) in groups)

    @api.model
    def _get_company(self, company_id):
        """:raise UserError: when the person works in no such company now"""
        company = self.env.companies.filtered(lambda company: company.id == company_id) if company_id else None
        if company_id and not company:
            raise UserError(_("Choose one of the companies that you work in."))
        return company or self.env.company

    @api.model
    def _check_viewer(self):
        if not self.env.user.has_group("account_collection.group_collection_viewer"):
            raise AccessError(_("Only people of Collections see its figures."))
