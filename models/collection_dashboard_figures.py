from collections import defaultdict
from datetime import date, timedelta
from typing import Any, NamedTuple

from odoo import _, api, models
from odoo.exceptions import UserError

from ..engine import kpi, periods
from .collection_kpi_words import NO_VALUE

MANAGER = "account_collection.group_collection_manager"
LINE_MONTHS = 12
RECEIVABLE, OVERDUE, RECEIVED = "receivable", "overdue", "received"
AGES = ("not_due", "bucket_1", "bucket_2", "bucket_3", "bucket_4")
BALANCES = ("total_due", "overdue", *AGES)
# Of these, what was late at the end of the period is known now or from a snapshot.
OF_AGE = (OVERDUE, "overdue_share", "ninety_plus_share", "collection_effectiveness")
SNAPSHOT_DAYS = 10  # no older than that
EVER, LATER = date(1900, 1, 1), date(9999, 12, 31)
# In the order of the screen.
TILES = (
    *(RECEIVABLE, OVERDUE, RECEIVED, "dso_countback", "overdue_share", "ninety_plus_share"),
    *("collection_effectiveness", "on_time_amount", "average_days_late", "promise_kept_amount", "contacts_a_day"),
    "right_party_contact_rate",
)
AMOUNTS = {
    RECEIVABLE: kpi.Kpi(kpi.MONEY, kpi.LOWER),
    OVERDUE: kpi.Kpi(kpi.MONEY, kpi.LOWER),
    RECEIVED: kpi.Kpi(kpi.MONEY, kpi.HIGHER),
}
TILE_KPIS = {**kpi.KPIS, **AMOUNTS}


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
    is_manager: bool
    scale: int


class CollectionDashboardFigures(models.AbstractModel):
    """The figures of the dashboard and their trend."""

    _name = "collection.dashboard.figures"
    _description = "Figures of the Dashboard"

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
        is_manager = not self.env.user.has_group("account_collection.group_collection_collector")
        is_manager = is_manager or self.env.user.has_group(MANAGER)
        # A collector reads the own figures, and has nothing to choose.
        collectors = self._get_collector_choices(company) if is_manager else self.env["res.users"]
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
            is_manager,
            10**company.currency_id.decimal_places,
        )

    @api.model
    def _get_collector_choices(self, company):
        groups = self.env["collection.debtor"]._read_group(
            [("company_id", "=", company.id), ("collector_id", "!=", False)], ["collector_id"]
        )
        # sudo: the names of colleagues
        return self.env["res.users"].sudo().browse(user.id for (user,) in groups)

    # === Sums === #

    @api.model
    def _get_two_totals(self, scope, balances):
        """({collector id: sums of the period}, sums of the other period)

        :param balances: as ``_get_balances`` returns them
        """
        Kpi = self.env["collection.kpi"]
        Kpi._flush_kpi()
        totals, before = defaultdict(self._start_total), self._start_total()
        for collector_id, balance in balances.items():
            self._add(totals[collector_id], {"ending": balance["total_due"]})
        since = scope.company.collection_days_until or EVER
        queried = Kpi._get_scope(scope.company, since, LATER, "collector", 0, scope.narrowed)
        known = self.env["collection.ledger.day"]._query_known(queried, since, self._get_starts(scope))
        for row in Kpi._fetch(known):
            self._add_ledger(totals[row["group_id"]], row, scope.days)
            self._add_ledger(before, row, scope.days_before)
        # The receivable of the end is that of now, less what came since.
        before["ending"] += sum(balance["total_due"] for balance in balances.values())
        for total in (*totals.values(), before):
            total["beginning"] = total["ending"] - total["inside"]
        for days, found in ((scope.days, totals), (scope.days_before, defaultdict(lambda: before))):
            first, last = days
            of_days = {**queried, "first": first, "last": last}
            Kpi._add_rows(found, of_days, scope.company, last, (Kpi._query_promises, Kpi._query_said))
        self._add_ages(scope, totals, before, balances)
        return totals, before

    @api.model
    def _start_total(self):
        return defaultdict(int, months=defaultdict(int), changes=defaultdict(int))

    @api.model
    def _add(self, total, row):
        self.env["collection.kpi"]._add(total, row)

    @api.model
    def _get_starts(self, scope):
        """The days on which a period begins, or another one does after it."""
        ends = (day + timedelta(days=1) for _first, day in (scope.days, scope.days_before))
        return sorted({scope.days[0], scope.days_before[0], *ends})

    @api.model
    def _add_ledger(self, total, row, days):
        """Add a row of ``_query_known``: what a period holds, and take off what came after it."""
        first, last = days
        if row["since"] > last:
            total["ending"] -= row["change"]
            return
        total["months"][row["month"]] += row["sold"]
        total["changes"][row["month"]] += row["change"]
        if row["since"] >= first:
            total["inside"] += row["change"]
            total["sales"] += row["sold"]
            for name in ("received", "paid", "on_time", "paid_days"):
                total[name] += row[name]

    @api.model
    def _get_balances(self, scope):
        """{collector id: what the debtors owe now, in cents, and ``debtors``, how many owe anything}"""
        groups = self.env["collection.debtor"]._read_group(
            scope.domain, ["collector_id"], ["oldest_due_date:count", *(f"{name}:sum" for name in BALANCES)]
        )
        return {
            user.id or None: {"debtors": count, **self._count_cents(scope, amounts)} for user, count, *amounts in groups
        }

    @api.model
    def _count_cents(self, scope, amounts):
        return {name: round((amount or 0) * scope.scale) for name, amount in zip(BALANCES, amounts, strict=True)}

    @api.model
    def _add_ages(self, scope, totals, before, balances):
        """Add what was late at the end of each period: now, or by the snapshot of that day or the last one before it;
        where there is none, nothing is known."""
        ends_now = scope.days[1] == scope.company._get_collection_today()
        at_end = balances if ends_now else self._get_snapshot(scope, scope.days[1])
        for collector_id, balance in at_end.items():
            self._add_age(totals[collector_id], balance)
        for balance in self._get_snapshot(scope, scope.days_before[1]).values():
            self._add_age(before, balance)

    @api.model
    def _add_age(self, total, balance):
        owed = balance["not_due"] + balance["overdue"]
        late = {"overdue": balance["overdue"], "ninety_plus": balance["bucket_4"]}
        self._add(total, {"current": balance["not_due"], "owed": owed, "known": 1, **late})

    @api.model
    def _get_snapshot(self, scope, day):
        """{collector id: balances in cents} of the last snapshot until ``day``, at most some days older."""
        Snapshot = self.env["collection.snapshot"]
        domain = [*scope.domain, ("date", "<=", day), ("date", ">=", day - timedelta(days=SNAPSHOT_DAYS))]
        groups = Snapshot._read_group(domain, ["date:day", "collector_id"], [f"{name}:sum" for name in BALANCES])
        last = max((group[0] for group in groups), default=None)
        return {user.id or None: self._count_cents(scope, amounts) for found, user, *amounts in groups if found == last}

    @api.model
    def _add_up(self, totals):
        """The sums of all groups together. A person and day that worked on debtors of several collectors counts once
        for each."""
        whole = self._start_total()
        for total in totals.values():
            for name, value in total.items():
                if isinstance(value, dict):
                    for month, amount in value.items():
                        whole[name][month] += amount
                else:
                    whole[name] += value
        return whole

    # === Figures === #

    @api.model
    def _compute_tiles(self, total, days):
        """{name: Figure} of ``TILES`` from the sums of a period."""
        Kpi = self.env["collection.kpi"]
        first, last = days
        length = (last - first).days + 1
        figures = {
            **Kpi._compute_speed(total, last, length),
            **Kpi._compute_lateness(total),
            **Kpi._compute_work(total, length),
            RECEIVABLE: kpi.amount(total["ending"]),
            OVERDUE: kpi.amount(total["overdue"]),
            RECEIVED: kpi.amount(total["received"]),
        }
        if not total["known"]:
            figures.update(dict.fromkeys(OF_AGE, kpi.Figure(None, kpi.NO_SNAPSHOT)))
        return {name: figures[name] for name in TILES}

    @api.model
    def _get_tiles(self, scope, whole, before):
        now = self._compute_tiles(whole, scope.days)
        then = self._compute_tiles(before, scope.days_before)
        Kpi = self.env["collection.kpi"]
        labels, tiles = self._get_tile_words(scope), []
        for name in TILES:
            change = periods.compare(now[name], then[name], TILE_KPIS[name].better)
            label, explanation = labels[name]
            tiles.append(
                {
                    "key": name,
                    "label": label,
                    "help": explanation,
                    "text": self._format_tile(scope, name, now[name]),
                    "why": Kpi._get_reason(now[name].why) if now[name].why else "",
                    "before": self._format_tile(scope, name, then[name]),
                    "change": self._format_change(change, TILE_KPIS[name].unit),
                    "direction": change.direction or "",
                    "verdict": change.verdict,
                }
            )
        return tiles

    @api.model
    def _get_tile_words(self, scope):
        """{name: (label, what it is)}; the latest bucket begins where the company says."""
        Kpi = self.env["collection.kpi"]
        helps, days = Kpi._get_helps(), scope.company._get_collection_bucket_edges()[-1]
        return {
            **{name: (label, helps[name]) for name, label in Kpi._get_labels().items()},
            "ninety_plus_share": (
                _("Share over %(days)s Days Late", days=days),
                _("Of what is owed at the end of the period, what is more than %(days)s days late.", days=days),
            ),
            RECEIVABLE: (_("Receivable"), _("What customers owe at the end of the period, in the ledger.")),
            OVERDUE: (_("Overdue"), _("What is past its effective due date at the end of the period.")),
            RECEIVED: (_("Collected"), _("Money that came in from customers in the period.")),
        }

    @api.model
    def _format_tile(self, scope, name, figure):
        if figure.value is None:
            return NO_VALUE
        unit = TILE_KPIS[name].unit
        value = figure.value / scope.scale if unit == kpi.MONEY else figure.value
        return self.env["collection.kpi"]._format_value(unit, value, scope.company)

    @api.model
    def _format_change(self, change, unit):
        """Percent points of what is a percentage, percent of all else."""
        value = change.difference if unit == kpi.PERCENT else change.percent
        if value is None:
            return ""
        sign = "+" if value > 0 else ""
        unit_word = _("points") if unit == kpi.PERCENT else "%"
        return f"{sign}{float(value):.1f} {unit_word}"

    # === The line === #

    @api.model
    def _get_dso_points(self, scope, whole):
        """[(last day of a month, DSO by counting back or None)] of the last twelve months, the oldest first."""
        sold, changed = whole["months"], whole["changes"]
        last = scope.days[1]
        receivable, points = whole["ending"], []
        Kpi = self.env["collection.kpi"]
        for since, until in periods.months_until(last, LINE_MONTHS):
            known = defaultdict(int, {month: amount for month, amount in sold.items() if month <= since})
            points.append((until, kpi.dso_countback(receivable, Kpi._get_months(known, until)).value))
            receivable -= changed[since]
        return points[::-1]
