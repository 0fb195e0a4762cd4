from calendar import monthrange
from datetime import date, datetime, timedelta
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..engine import windows
from ..engine.windows import LAST, NEXT_BUSINESS_DAY, NEXT_WINDOW, Schedule, Window
from .examples import examples

hours = st.tuples(st.integers(0, 23), st.integers(1, 24)).filter(lambda pair: pair[0] < pair[1])
any_window = st.one_of(
    st.builds(lambda day, at: Window.weekly(day, *at), st.integers(0, 6), hours),
    st.builds(lambda day, at: Window.monthly(day, *at), st.sampled_from([1, 10, 15, 28, LAST]), hours),
    st.builds(
        lambda nth, day, at: Window.nth_weekday(nth, day, *at),
        st.sampled_from([1, 2, 3, 4, LAST]),
        st.integers(0, 6),
        hours,
    ),
)
some_days = st.dates(date(2026, 1, 1), date(2027, 12, 31))
periods = st.builds(lambda day, length: (day, day + timedelta(days=length)), some_days, st.integers(0, 20))
schedules = st.builds(
    Schedule,
    windows=st.lists(any_window, min_size=1, max_size=3).map(tuple),
    holidays=st.frozensets(some_days, max_size=25),
    closed=st.lists(periods, max_size=3).map(tuple),
    on_holiday=st.sampled_from([NEXT_WINDOW, NEXT_BUSINESS_DAY]),
)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 6, 30))


@cache
def days_of_month(year, month):
    return [date(year, month, number) for number in range(1, monthrange(year, month)[1] + 1)]


def falls_on(window, day):
    """The days of a window, told another way than the engine tells them."""
    if window.kind == windows.WEEKDAY:
        return day.isoweekday() == window.weekday + 1
    month = days_of_month(day.year, day.month)
    if window.kind == windows.MONTH_DAY:
        return day == month[-1 if window.day == LAST else window.day - 1]
    same = [each for each in month if each.isoweekday() == window.weekday + 1]
    return day == same[-1 if window.nth == LAST else window.nth - 1]


def brute_force(schedule, moment):
    """Walk day by day from well before ``moment``, moving each window as the customer's policy says."""

    def off(day):
        return day in schedule.holidays or any(first <= day <= last for first, last in schedule.closed)

    best = None
    day = moment.date() - timedelta(days=90)
    # A window never lands before its own day: past the best landing there is no better one.
    while best is None or day < best:
        for window in schedule.windows:
            if not falls_on(window, day):
                continue
            landing = day
            if off(day):
                if schedule.on_holiday == NEXT_WINDOW:
                    continue
                while off(landing) or landing.isoweekday() > 5:
                    landing += timedelta(days=1)
            end = datetime.combine(landing, datetime.min.time()) + timedelta(hours=window.end)
            if end > moment and (best is None or landing < best):
                best = landing
        day += timedelta(days=1)
    return best


@tagged("post_install", "-at_install")
class TestWindows(BaseCase):
    @settings(max_examples=examples(400), deadline=None)
    @given(schedules, moments)
    def test_reviews_match_a_day_by_day_walk(self, schedule, moment):
        self.assertEqual(windows.review_date(schedule, moment), brute_force(schedule, moment))

    @settings(max_examples=examples(200), deadline=None)
    @given(schedules, some_days)
    def test_payments_match_a_day_by_day_walk(self, schedule, day):
        start = datetime.combine(day, datetime.min.time())
        self.assertEqual(windows.effective_due_date(schedule, day), brute_force(schedule, start))

    def test_no_payment_window_is_the_same_day(self):
        holiday = date(2026, 12, 25)
        self.assertEqual(windows.effective_due_date(Schedule(holidays=frozenset({holiday})), holiday), holiday)

    def test_a_window_moved_over_a_long_weekend_lands_on_its_first_business_day(self):
        """Good Friday's payments are made on Monday; the weekend between takes none."""
        payments = Schedule((Window.weekly(4),), frozenset({date(2026, 4, 3)}), on_holiday=NEXT_BUSINESS_DAY)
        self.assertEqual(windows.effective_due_date(payments, date(2026, 4, 3)), date(2026, 4, 6))

    def test_rules_that_leave_no_day_are_an_error_that_names_them(self):
        closed = Schedule((Window.weekly(0),), closed=((date(2026, 1, 1), date(2029, 1, 1)),))
        for on_holiday in (NEXT_WINDOW, NEXT_BUSINESS_DAY):
            schedule = Schedule(closed.windows, closed=closed.closed, on_holiday=on_holiday)
            with self.assertRaises(windows.NoDayError) as error:
                windows.review_date(schedule, datetime(2026, 1, 5, 10))
            self.assertIs(error.exception.args[0], schedule)

    def test_windows_that_cannot_be_are_refused(self):
        for wrong, build in (
            ("hours", lambda: Window.weekly(0, 13, 9)),
            ("hours", lambda: Window.weekly(0, 9, 25)),
            ("day", lambda: Window.monthly(31)),
            ("weekday", lambda: Window.weekly(7)),
            ("nth", lambda: Window.nth_weekday(5, 0)),
        ):
            with self.assertRaisesRegex(windows.WindowError, wrong):
                build()
