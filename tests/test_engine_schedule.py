from calendar import monthrange
from datetime import date, datetime, timedelta
from itertools import islice

import pytz
from dateutil import tz
from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..engine import schedule, windows
from ..engine.schedule import AFTER, BEFORE, LAST_WORKING_DAY, MONTHLY, ONCE, SKIP, WEEKLY
from ..engine.windows import MONTH_DAY, NTH_WEEKDAY
from .examples import examples

YEAR = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
some_days = st.sampled_from(YEAR)
schedules = st.builds(
    schedule.Schedule,
    frequency=st.sampled_from([ONCE, WEEKLY, MONTHLY]),
    start=some_days,
    hour=st.just(9.0),
    end=st.none() | st.just(date(2026, 12, 31)),
    interval=st.integers(1, 3),
    weekdays=st.sets(st.integers(0, 6), min_size=1).map(lambda found: tuple(sorted(found))),
    monthly_by=st.sampled_from([MONTH_DAY, NTH_WEEKDAY, LAST_WORKING_DAY]),
    day=st.integers(1, 31),
    nth=st.sampled_from([-1, 1, 2, 3, 4]),
    weekday=st.integers(0, 6),
    on_holiday=st.sampled_from([SKIP, BEFORE, AFTER]),
)
calendars = st.builds(windows.BusinessDays, st.frozensets(some_days, max_size=40), st.just(windows.WORKING_WEEK))


def is_planned(rules, day):
    """Whether a schedule names a day, told another way than the engine tells it."""
    if day < rules.start or (rules.end and day > rules.end):
        return False
    if rules.frequency == ONCE:
        return day == rules.start
    if rules.frequency == WEEKLY:
        first, this = (each - timedelta(days=each.weekday()) for each in (rules.start, day))
        return day.weekday() in rules.weekdays and (this - first).days // 7 % rules.interval == 0
    if ((day.year - rules.start.year) * 12 + day.month - rules.start.month) % rules.interval:
        return False
    month = [day.replace(day=number) for number in range(1, monthrange(day.year, day.month)[1] + 1)]
    if rules.monthly_by == MONTH_DAY:
        return day == month[min(rules.day, len(month)) - 1]
    if rules.monthly_by == NTH_WEEKDAY:
        same = [each for each in month if each.weekday() == rules.weekday]
        return day == (same[-1] if rules.nth == -1 else same[rules.nth - 1])
    return day == [each for each in month if each.weekday() < 5][-1]


def brute_force(rules, calendar, first, last):
    how = BEFORE if (rules.frequency, rules.monthly_by) == (MONTHLY, LAST_WORKING_DAY) else rules.on_holiday
    found = set()
    for planned in filter(lambda day: is_planned(rules, day), YEAR):
        day = planned
        if day in calendar.holidays:
            if how == SKIP:
                continue
            while day in calendar.holidays or day.weekday() > 4:
                day += timedelta(days=1 if how == AFTER else -1)
        found.add(day)
    return sorted(day for day in found if first <= day <= last)


@tagged("post_install", "-at_install")
class TestEngineSchedule(BaseCase):
    @settings(max_examples=examples(150), deadline=None)
    @given(schedules, calendars, some_days)
    def test_days_are_those_of_a_walk_through_the_year(self, rules, calendar, first):
        last = YEAR[-1] - timedelta(days=62)
        found = [day for day in schedule.days(rules, calendar, first) if day <= last]
        expected = brute_force(rules, calendar, first, last)
        if rules.on_holiday == SKIP or rules.frequency == ONCE:
            self.assertEqual(found, expected)
        else:
            # A date that moves past the next one leaves with it.
            self.assertEqual(found, sorted(set(found)))
            self.assertLessEqual(set(found), set(expected))
            self.assertLessEqual(len(expected) - len(found), len(calendar.holidays))

    def test_the_hour_is_that_of_the_company_in_summer_and_winter(self):
        rules = schedule.Schedule(WEEKLY, date(2026, 10, 19), hour=9.5, weekdays=(0,))
        zone = tz.gettz("Europe/Madrid")
        moments = islice(schedule.moments(rules, zone, windows.BusinessDays(), datetime(2026, 10, 18)), 3)
        local = [pytz.utc.localize(each).astimezone(pytz.timezone("Europe/Madrid")) for each in moments]
        self.assertEqual(
            [(each.date(), each.hour, each.minute) for each in local],
            [(date(2026, 10, day), 9, 30) for day in (19, 26)] + [(date(2026, 11, 2), 9, 30)],
        )

    def test_the_hour_that_the_clocks_leave_out(self):
        rules = schedule.Schedule(ONCE, date(2026, 3, 29), hour=2.5)
        (moment,) = schedule.moments(rules, tz.gettz("Europe/Madrid"), windows.BusinessDays(), datetime(2026, 3, 28))
        self.assertEqual(moment, datetime(2026, 3, 29, 1, 30), "3:30 on the new clock")

    def test_what_cannot_be(self):
        good = schedule.Schedule(WEEKLY, date(2026, 1, 1), weekdays=(1,))
        schedule.check(good)
        for kind, values in (
            ("interval", {"interval": 0}),
            ("hour", {"hour": 24.0}),
            ("hour", {"hour": -1.0}),
            ("end", {"end": date(2025, 12, 31)}),
            ("weekdays", {"weekdays": ()}),
            ("day", {"frequency": MONTHLY, "day": 32}),
            ("nth", {"frequency": MONTHLY, "monthly_by": NTH_WEEKDAY, "nth": 5}),
        ):
            with self.assertRaises(schedule.ScheduleError) as caught:
                schedule.check(good._replace(**values))
            self.assertEqual(caught.exception.args[0], kind)
