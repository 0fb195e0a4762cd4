import doctest
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..engine import kpi, periods
from ..engine.kpi import Figure, Month
from .examples import examples

SETTINGS = settings(max_examples=examples(200), deadline=None, database=None, print_blob=True)
AMOUNTS = st.integers(-(10**9), 10**12)
OWED = st.integers(0, 10**12)
SPAN = st.integers(0, 400)
MONTHS = st.lists(st.tuples(st.integers(-1000, 5000), st.integers(28, 31)).map(lambda row: Month(*row)), max_size=8)
DATES = st.dates(date(2000, 1, 1), date(2060, 12, 31))


@tagged("post_install", "-at_install")
class TestEngineKpi(BaseCase):
    """Key figures against a second computation, written without regard for speed or roundness."""

    def test_the_examples_in_the_documentation_hold(self):
        for module in (kpi, periods):
            result = doctest.testmod(module)
            self.assertTrue(result.attempted)
            self.assertFalse(result.failed, module.__name__)

    def check(self, figure, numerator, denominator, why):
        """The figure is this quotient, right to the last decimal; without a denominator it is none, for that reason."""
        if denominator <= 0:
            self.assertEqual(figure, Figure(None, why))
            return
        self.assertIsNone(figure.why)
        self.assertEqual(figure.value.as_tuple().exponent, -kpi.PLACES)
        error = abs(Fraction(figure.value) - Fraction(numerator) / denominator)
        self.assertLessEqual(error, Fraction(1, 2 * 10**kpi.PLACES))

    def test_the_worked_numbers(self):
        rounded = [
            (kpi.dso(15_000, 10_000, 30), "45.0"),
            (kpi.best_possible_dso(4_000, 10_000, 30), "12.0"),
            (kpi.average_days_delinquent(15_000, 4_000, 10_000, 30), "33.0"),
            (kpi.collection_effectiveness(400_000, 1_200_000, 350_000, 280_000), "94.7"),
            (kpi.dso_countback(212_000, [Month(100_000, 30), Month(80_000, 30), Month(70_000, 30)]), "73.7"),
        ]
        for figure, expected in rounded:
            self.assertEqual(str(round(figure.value, 1)), expected)

    @SETTINGS
    @given(AMOUNTS, AMOUNTS, AMOUNTS, SPAN)
    def test_days_of_sales(self, receivable, current, sales, days):
        why = kpi.NO_SALES if days else kpi.NO_DAYS
        divisor = sales if days else 0
        self.check(kpi.dso(receivable, sales, days), receivable * days, divisor, why)
        self.check(kpi.best_possible_dso(current, sales, days), current * days, divisor, why)
        delinquent = kpi.average_days_delinquent(receivable, current, sales, days)
        self.check(delinquent, (receivable - current) * days, divisor, why)
        if delinquent.value is not None:
            apart = kpi.dso(receivable, sales, days).value - kpi.best_possible_dso(current, sales, days).value
            self.assertLessEqual(abs(delinquent.value - apart), Decimal("0.0001"))

    @SETTINGS
    @given(st.integers(-500, 20_000), MONTHS)
    def test_counting_back_unit_by_unit(self, receivable, months):
        """Each unit sold takes its share of the month's days, from the newest one on, until the balance is used up."""
        shares = []
        pending = Fraction(0)  # days of months that sold nothing, which count once something older is needed
        for month in months:
            if month.sales <= 0:
                pending += month.days
                continue
            shares += [(pending, Fraction(month.days, month.sales))] + [(0, Fraction(month.days, month.sales))] * (
                month.sales - 1
            )
            pending = Fraction(0)
        needed = max(receivable, 0)
        figure = kpi.dso_countback(receivable, months)
        if needed > len(shares):
            self.assertEqual(figure, Figure(None, kpi.SHORT_HISTORY))
        else:
            days = sum((before + own for before, own in shares[:needed]), Fraction(0))
            self.check(figure, days, 1, None)

    @SETTINGS
    @given(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)
    def test_effectiveness_and_turnover(self, beginning, sales, ending, current):
        could, did = beginning + sales - current, beginning + sales - ending
        figure = kpi.collection_effectiveness(beginning, sales, ending, current)
        self.check(figure, Fraction(did * 100), could, kpi.NOTHING_TO_COLLECT)
        turnover = kpi.receivable_turnover(sales, beginning, ending)
        self.check(turnover, sales, Fraction(beginning + ending, 2), kpi.NO_RECEIVABLE)

    @SETTINGS
    @given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(-60, 200))))
    def test_lateness_item_by_item(self, items):
        count, on_time = len(items), [amount for amount, days in items if days <= 0]
        total = sum(amount for amount, _days in items)
        why = kpi.NOTHING_COLLECTED
        self.check(kpi.collected_on_time(len(on_time), count), 100 * len(on_time), count, why)
        self.check(kpi.collected_on_time(sum(on_time), total), 100 * sum(on_time), total, why)
        late = [days for amount, days in items for _unit in range(amount % 50 + 1) if days > 0]
        units = sum(amount % 50 + 1 for amount, _days in items)
        summed = sum((amount % 50 + 1) * max(days, 0) for amount, days in items)
        self.check(kpi.average_days_late(summed, units), sum(late), units, why)

    @SETTINGS
    @given(OWED, OWED, SPAN)
    def test_shares(self, part, whole, days):
        for share, why in (
            (kpi.overdue_share, kpi.NOTHING_OWED),
            (kpi.promise_kept_rate, kpi.NO_PROMISES),
            (kpi.recontact_rate, kpi.NOBODY_CONTACTED),
            (kpi.right_party_contact_rate, kpi.NO_ATTEMPTS),
            (kpi.bounced_check_rate, kpi.NO_CHECKS),
        ):
            self.check(share(part, whole), 100 * part, whole, why)
        self.check(kpi.hidden_credit_days(part, whole), part, whole, kpi.NOTHING_INVOICED)
        self.check(kpi.hidden_credit_amount(part, days), part, days, kpi.NO_DAYS)
        self.check(kpi.a_day(part, days), part, days, kpi.NO_WORK)

    def test_amounts_are_exact(self):
        self.assertEqual(kpi.overdue_share(Decimal("0.10"), Decimal("0.30")), kpi.overdue_share(1, 3))
        with self.assertRaisesRegex(TypeError, "not exact"):
            kpi.dso(15_000.0, 10_000, 30)

    @SETTINGS
    @given(*[st.none() | st.integers(-(10**6), 10**6)] * 2, st.sampled_from([kpi.HIGHER, kpi.LOWER]))
    def test_two_periods(self, now, before, better):
        figures = [Figure(None if value is None else Decimal(value)) for value in (now, before)]
        change = periods.compare(*figures, better)
        if now is None or before is None:
            self.assertEqual(change, (None, None, None, periods.UNKNOWN))
            return
        self.assertEqual(change.difference, now - before)
        good = now > before if better == kpi.HIGHER else now < before
        verdict = periods.SAME if now == before else periods.BETTER if good else periods.WORSE
        self.assertEqual(change.verdict, verdict)
        direction = {now > before: periods.UP, now < before: periods.DOWN}.get(True, periods.SAME)
        self.assertEqual(change.direction, direction)
        self.assertEqual(change.percent is None, not before)
        back = periods.compare(*reversed(figures), better)
        self.assertEqual(back.difference, -change.difference)

    @SETTINGS
    @given(DATES, st.integers(0, 800))
    def test_the_period_before_ends_the_day_before(self, first, length):
        last = first + timedelta(days=length)
        since, until = periods.previous_period(first, last)
        self.assertEqual(until + timedelta(days=1), first)
        whole_months = first.day == 1 and (last + timedelta(days=1)).day == 1
        if whole_months:
            self.assertEqual(since.day, 1)
        else:
            self.assertEqual(until - since, last - first)
        for day, year_ago in zip((first, last), periods.same_last_year(first, last), strict=True):
            self.assertEqual((year_ago.year, year_ago.month), (day.year - 1, day.month))

    @SETTINGS
    @given(DATES, st.integers(1, 40))
    def test_months_are_real_ones(self, day, count):
        months = periods.months_until(day, count)
        self.assertEqual((len(months), months[0][1]), (count, day))
        for (first, last), (newer, _last) in zip(months[1:], months, strict=False):
            self.assertEqual((first.day, last + timedelta(days=1)), (1, newer))

    def test_every_figure_says_which_way_is_better(self):
        self.assertLessEqual({spec.better for spec in kpi.KPIS.values()}, {kpi.HIGHER, kpi.LOWER})
