from collections import defaultdict
from datetime import date, timedelta

from odoo import _, api, models
from odoo.tools import SQL

from ..engine import kpi, periods
from .collection_dashboard import AGES
from .collection_kpi_words import NO_VALUE
from .collection_ledger_day import EVER

LINE_MONTHS = 12
RECEIVABLE, OVERDUE, RECEIVED = "receivable", "overdue", "received"
BALANCES = ("total_due", "overdue", *AGES)
# Of these, what was late at the end of the period is known now or from a snapshot.
OF_AGE = (OVERDUE, "overdue_share", "ninety_plus_share", "collection_effectiveness")
SNAPSHOT_DAYS = 10  # no older than that
LATER = date(9999, 12, 31)
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


class CollectionDashboard(models.AbstractModel):
    """The figures and their trend."""

    _inherit = "collection.dashboard"

    # === Sums === #

    @api.model
    def _get_two_totals(self, scope, balances):
        """(sums of the period, {collector id: the same of the own debtors}, sums of the other period)

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
        whole = self._add_up(totals)
        # By collector, for the table; and once more without, for who works debtors of two on one day worked one day.
        of_all = {**queried, "group": SQL("NULL::int")}
        statements = (Kpi._query_promises, Kpi._query_said)
        for of_group, days, found in (
            (queried, scope.days, totals),
            (of_all, scope.days, defaultdict(lambda: whole)),
            (of_all, scope.days_before, defaultdict(lambda: before)),
        ):
            first, last = days
            Kpi._add_rows(found, {**of_group, "first": first, "last": last}, scope.company, last, statements)
        self._add_ages(scope, whole, before, balances)
        return whole, totals, before

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
    def _add_ages(self, scope, whole, before, balances):
        """Add what was late at the end of each period: now, or by the snapshot of that day or the last one before it;
        where there is none, nothing is known."""
        ends_now = scope.days[1] == scope.company._get_collection_today()
        at_end = balances.values() if ends_now else self._get_snapshot(scope, scope.days[1])
        for total, found in ((whole, at_end), (before, self._get_snapshot(scope, scope.days_before[1]))):
            for balance in found:
                self._add_age(total, balance)

    @api.model
    def _add_age(self, total, balance):
        owed = balance["not_due"] + balance["overdue"]
        late = {"overdue": balance["overdue"], "ninety_plus": balance["bucket_4"]}
        self._add(total, {"current": balance["not_due"], "owed": owed, "known": 1, **late})

    @api.model
    def _get_snapshot(self, scope, day):
        """The balances in cents, by group, that are known last of the end of ``day`` or of some days before: a night
        tells of the day before it, what was rebuilt of its own day."""
        since, until = day - timedelta(days=SNAPSHOT_DAYS), day + timedelta(days=1)
        groups = self.env["collection.snapshot"]._read_group(
            [*scope.domain, ("date", ">=", since), ("date", "<=", until)],
            ["date:day", "rebuilt", "collector_id"],
            [f"{name}:sum" for name in BALANCES],
        )
        told = defaultdict(list)
        for date_, rebuilt, _collector, *amounts in groups:
            end = date_ if rebuilt else date_ - timedelta(days=1)
            # Of one day, a night knows more than the ledger.
            told[end, not rebuilt].append(self._count_cents(scope, amounts))
        known = [key for key in told if key[0] <= day]
        return told[max(known)] if known else []

    @api.model
    def _add_up(self, totals):
        """The sums of all groups together."""
        whole = self._start_total()
        for total in totals.values():
            for name, value in total.items():
                if isinstance(value, dict):
                    self._add(whole[name], value)
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
                    "why": Kpi._get_reason(now[name].why),
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
        Kpi = self.env["collection.kpi"]
        return Kpi._format_points(change.difference) if unit == kpi.PERCENT else Kpi._format_percent(change.percent)

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
