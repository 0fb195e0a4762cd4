"""When a campaign leaves: once, or every so many weeks or months, at an hour of the company's own clock.

*How to use.* ``moments(schedule, zone, calendar, after)`` yields the moments to come, in UTC; ``days(schedule,
calendar, first)`` their dates.

*How it works.* ``dateutil.rrule`` counts the dates; one that falls on a holiday or a closed day is left out or moves,
as the schedule says. A moved date leaves at most once: two that meet on one day are one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from typing import NamedTuple

from dateutil import rrule, tz

from .windows import LAST, MONTH_DAY, NTH_WEEKDAY, ONE_DAY, BusinessDays

ONCE, WEEKLY, MONTHLY = "once", "weekly", "monthly"
LAST_WORKING_DAY = "last_working_day"  # beside MONTH_DAY and NTH_WEEKDAY
SKIP, BEFORE, AFTER = "skip", "before", "after"

WEEK = (rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA, rrule.SU)
LONGEST_HOLIDAY = timedelta(days=31)
"""No date moves farther than this: where nobody works for a month, it is left out."""
HORIZON = timedelta(days=366 * 5)


class ScheduleError(ValueError):
    """A schedule that cannot be; ``args[0]`` says what is wrong: interval, weekdays, day, nth, hour or end."""


class Schedule(NamedTuple):
    """Dates are those of the company's own calendar."""

    frequency: str
    start: date
    hour: float = 9.0
    """From 0 to below 24; 9.5 is 9:30."""
    end: date | None = None
    """The last date that may be."""
    interval: int = 1
    """Weeks or months from one to the next."""
    weekdays: tuple[int, ...] = ()
    """Of a weekly one, Monday is 0."""
    monthly_by: str = MONTH_DAY
    day: int = 1
    """Of the month; in a shorter month, its last one."""
    nth: int = 1
    """The n-th ``weekday`` of the month, -1 for the last one."""
    weekday: int = 0
    on_holiday: str = AFTER


def check(schedule: Schedule) -> None:
    """
    :raise ScheduleError: when the schedule cannot be

    >>> check(Schedule(WEEKLY, date(2026, 1, 1), weekdays=()))  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    ...
    engine.schedule.ScheduleError: weekdays
    """
    if schedule.interval < 1:
        raise ScheduleError("interval")
    if not 0 <= schedule.hour < 24:
        raise ScheduleError("hour")
    if schedule.end and schedule.end < schedule.start:
        raise ScheduleError("end")
    if schedule.frequency == WEEKLY and not schedule.weekdays:
        raise ScheduleError("weekdays")
    if schedule.frequency == MONTHLY and schedule.monthly_by == MONTH_DAY and not 1 <= schedule.day <= 31:
        raise ScheduleError("day")
    if schedule.frequency == MONTHLY and schedule.monthly_by == NTH_WEEKDAY and schedule.nth not in (LAST, 1, 2, 3, 4):
        raise ScheduleError("nth")


def _dates(schedule: Schedule, week: frozenset[int], first: date) -> Iterator[date]:
    """The dates that the rule alone gives, from about ``first`` on."""
    if schedule.frequency == ONCE:
        yield schedule.start
        return
    start = datetime.combine(schedule.start, time())
    if schedule.frequency == WEEKLY:
        # The weeks are counted from the Monday of the first one.
        monday = start - timedelta(days=start.weekday())
        rule = {"freq": rrule.WEEKLY, "dtstart": monday, "byweekday": schedule.weekdays, "wkst": rrule.MO}
    else:
        rule = {"freq": rrule.MONTHLY, "dtstart": start.replace(day=1), **_month_rule(schedule, week)}
    horizon = datetime.combine(max(first, schedule.start) + HORIZON, time())
    for moment in rrule.rrule(interval=schedule.interval, until=horizon, **rule):
        day = moment.date()
        if day >= max(schedule.start, first - LONGEST_HOLIDAY):
            yield day


def _month_rule(schedule: Schedule, week: frozenset[int]) -> dict:
    if schedule.monthly_by == NTH_WEEKDAY:
        return {"byweekday": WEEK[schedule.weekday](schedule.nth)}
    if schedule.monthly_by == LAST_WORKING_DAY:
        return {"byweekday": sorted(week), "bysetpos": LAST}
    # Of the day and the last one, the first that there is.
    return {"bymonthday": (schedule.day, LAST), "bysetpos": 1}


def _moved(day: date, calendar: BusinessDays, on_holiday: str) -> date | None:
    """
    >>> christmas = BusinessDays({date(2026, 12, 25)})
    >>> [_moved(date(2026, 12, 25), christmas, how) for how in (BEFORE, AFTER, SKIP)]
    [datetime.date(2026, 12, 24), datetime.date(2026, 12, 28), None]
    """
    if day not in calendar.holidays:
        return day
    if on_holiday == SKIP:
        return None
    step = ONE_DAY if on_holiday == AFTER else -ONE_DAY
    for _day in range(LONGEST_HOLIDAY.days):
        day += step
        if day not in calendar.holidays and day.weekday() in calendar.week:
            return day
    return None


def days(schedule: Schedule, calendar: BusinessDays, first: date) -> Iterator[date]:
    """The dates on which it leaves, from ``first`` on, in order and each once; none later than five years on.

    >>> from itertools import islice
    >>> rent = Schedule(MONTHLY, date(2026, 1, 31), day=31)
    >>> [str(day) for day in islice(days(rent, BusinessDays(), date(2026, 1, 1)), 3)]
    ['2026-01-31', '2026-02-28', '2026-03-31']
    >>> closing = Schedule(MONTHLY, date(2026, 12, 1), monthly_by=LAST_WORKING_DAY)
    >>> [str(day) for day in islice(days(closing, BusinessDays({date(2026, 12, 31)}), date(2026, 12, 1)), 2)]
    ['2026-12-30', '2027-01-29']
    """
    closing = schedule.frequency == MONTHLY and schedule.monthly_by == LAST_WORKING_DAY
    on_holiday = BEFORE if closing else schedule.on_holiday
    last = None
    for planned in _dates(schedule, calendar.week, first):
        if schedule.end and planned > schedule.end:
            return
        day = _moved(planned, calendar, on_holiday)
        if day and day >= first and (last is None or day > last):
            last = day
            yield day


def moments(schedule: Schedule, zone: tzinfo, calendar: BusinessDays, after: datetime) -> Iterator[datetime]:
    """The moments later than ``after``; naive, in UTC, as ``after`` is. An hour that a change of clocks leaves out is
    the one after it.

    :param zone: one of ``dateutil``'s or the standard library's; those of ``pytz`` count otherwise

    >>> from itertools import islice
    >>> mondays = Schedule(WEEKLY, date(2026, 11, 2), hour=9.5, weekdays=(0,), interval=2)
    >>> zone = tz.gettz("America/Mexico_City")
    >>> [str(moment) for moment in islice(moments(mondays, zone, BusinessDays(), datetime(2026, 11, 2, 15, 30)), 2)]
    ['2026-11-16 15:30:00', '2026-11-30 15:30:00']
    """
    minutes = round(schedule.hour * 60)
    clock = time(minutes // 60, minutes % 60)
    local = after.replace(tzinfo=timezone.utc).astimezone(zone).date()
    for day in days(schedule, calendar, local - ONE_DAY):
        moment = tz.resolve_imaginary(datetime.combine(day, clock, zone))
        moment = moment.astimezone(timezone.utc).replace(tzinfo=None)
        if moment > after:
            yield moment
