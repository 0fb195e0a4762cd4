"""Review and payment windows: on which day a customer receives an invoice, and on which one it pays.

*What it is.* Dates in, dates out. Moments are naive datetimes in the customer's own time zone; hours are floats from 0
to 24, as Odoo keeps them (9.5 is 9:30).

*How to use.* Build a :class:`Schedule` for the reviews and one for the payments of a customer, keep them while many
invoices are computed, and ask :func:`review_date`, then the payment term, then :func:`effective_due_date`.

*How it works.* A schedule lists the days of a year once, in order, and answers by bisection; a year is 366 steps, an
answer a few microseconds.

The worked case, delivered on Thursday 12 November 2026 at 10:00, reviews on Mondays from 9 to 13, 30 days of credit,
payments on Fridays:

>>> holidays = frozenset({date(2026, 11, 16), date(2026, 12, 25), date(2027, 1, 1)})
>>> monday, friday = Window.weekly(0, 9, 13), Window.weekly(4)
>>> delivered = datetime(2026, 11, 12, 10)
>>> for on_holiday in (NEXT_BUSINESS_DAY, NEXT_WINDOW):
...     reviews = Schedule((monday,), holidays, on_holiday=on_holiday)
...     payments = Schedule((friday,), holidays, on_holiday=on_holiday)
...     review = review_date(reviews, delivered)
...     due = review + timedelta(days=30)
...     print(review, due, effective_due_date(payments, due))
2026-11-17 2026-12-17 2026-12-18
2026-11-23 2026-12-23 2027-01-08
"""

from __future__ import annotations

from bisect import bisect_left
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple

NEXT_WINDOW = "next_window"
NEXT_BUSINESS_DAY = "next_business_day"

WEEKDAY = "weekday"
MONTH_DAY = "month_day"
NTH_WEEKDAY = "nth_weekday"

LAST = -1
WORKING_WEEK = frozenset(range(5))
HORIZON = timedelta(days=731)
ONE_DAY = timedelta(days=1)


class NoDayError(ValueError):
    """The rules leave no day within two years; the schedule is in ``args``."""


class WindowError(ValueError):
    """A window that cannot be; ``args[0]`` says what is wrong: hours, weekday, day or nth."""


class BusinessDays(NamedTuple):
    """The days off of a calendar and the weekdays on which it works; Monday is 0."""

    holidays: frozenset[date] = frozenset()
    week: frozenset[int] = WORKING_WEEK


@dataclass(frozen=True)
class Window:
    """A weekday, a day of the month or the n-th weekday of the month, with an hour range.

    >>> Window.monthly(31)  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    ...
    WindowError: day
    >>> Window.weekly(0, 13, 9)  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    ...
    WindowError: hours
    """

    kind: str
    weekday: int = 0
    day: int = 1
    nth: int = 1
    start: float = 0.0
    end: float = 24.0

    def __post_init__(self):
        if not 0 <= self.start < self.end <= 24:
            raise WindowError("hours")
        if not 0 <= self.weekday <= 6:
            raise WindowError("weekday")
        # The 29th, 30th and 31st are missing in some months: the last day is what is meant.
        if self.kind == MONTH_DAY and self.day != LAST and not 1 <= self.day <= 28:
            raise WindowError("day")
        if self.kind == NTH_WEEKDAY and self.nth not in (1, 2, 3, 4, LAST):
            raise WindowError("nth")

    @classmethod
    def weekly(cls, weekday: int, start: float = 0.0, end: float = 24.0) -> Window:
        """Every week on ``weekday``; Monday is 0."""
        return cls(WEEKDAY, weekday=weekday, start=start, end=end)

    @classmethod
    def monthly(cls, day: int, start: float = 0.0, end: float = 24.0) -> Window:
        """Every month on ``day``, 1 to 28, or ``LAST``."""
        return cls(MONTH_DAY, day=day, start=start, end=end)

    @classmethod
    def nth_weekday(cls, nth: int, weekday: int, start: float = 0.0, end: float = 24.0) -> Window:
        """Every month on its first to fourth, or ``LAST``, ``weekday``."""
        return cls(NTH_WEEKDAY, nth=nth, weekday=weekday, start=start, end=end)

    def falls_on(self, day: date) -> bool:
        """
        >>> Window.nth_weekday(LAST, 4).falls_on(date(2026, 11, 27)), Window.monthly(LAST).falls_on(date(2026, 11, 29))
        (True, False)
        """
        if self.kind == WEEKDAY:
            return day.weekday() == self.weekday
        last = monthrange(day.year, day.month)[1]
        if self.kind == MONTH_DAY:
            return day.day == (last if self.day == LAST else self.day)
        if day.weekday() != self.weekday:
            return False
        return day.day + 7 > last if self.nth == LAST else (day.day - 1) // 7 + 1 == self.nth


class Slot(NamedTuple):
    """A day on which a window is open, and until which hour of it."""

    day: date
    end: float


@dataclass(frozen=True)
class Schedule:
    """The windows of a customer for one purpose, with the days on which they cannot be.

    :param windows: none means every day that is neither a holiday nor closed
    :param holidays: days off of the calendar in force
    :param closed: (first day, last day) of vacations and year-ends
    :param on_holiday: what becomes of a window on such a day: ``NEXT_WINDOW`` drops it, ``NEXT_BUSINESS_DAY`` moves it
    :param working_week: weekdays on which a moved window may land
    """

    windows: tuple[Window, ...] = ()
    holidays: frozenset[date] = frozenset()
    closed: tuple[tuple[date, date], ...] = ()
    on_holiday: str = NEXT_WINDOW
    working_week: frozenset[int] = WORKING_WEEK
    _years: dict[int, list[Slot]] = field(default_factory=dict, compare=False, repr=False)

    def is_off(self, day: date) -> bool:
        """A holiday, or inside a closed period."""
        return day in self.holidays or any(first <= day <= last for first, last in self.closed)

    def first_after(self, moment: datetime) -> date:
        """Day of the first window whose end is after ``moment``."""
        hour = moment.hour + moment.minute / 60 + moment.second / 3600
        return self._first(Slot(moment.date(), hour), moment.date(), strictly=True)

    def first_from(self, day: date) -> date:
        """First day with a window, ``day`` included."""
        return self._first(Slot(day, 0.0), day, strictly=False)

    def hours(self, day: date) -> list[tuple[float, float]]:
        """(start, end) of the windows open on ``day``, in order; one that a holiday moved there keeps its hours.

        >>> monday = Window.weekly(0, 9, 13)
        >>> reviews = Schedule((monday,), frozenset({date(2026, 11, 16)}), on_holiday=NEXT_BUSINESS_DAY)
        >>> [reviews.hours(date(2026, 11, day)) for day in (16, 17, 18, 23)]
        [[], [(9, 13)], [], [(9, 13)]]
        >>> Schedule().hours(date(2026, 11, 17))
        [(0.0, 24.0)]
        """
        return sorted(set(self._open(day)))

    def _first(self, wanted: Slot, day: date, *, strictly: bool) -> date:
        limit = day + HORIZON
        for year in range(day.year, limit.year + 1):
            slots = self._slots(year)
            for slot in slots[bisect_left(slots, wanted) :]:
                if slot.day > limit:
                    break
                if not strictly or slot > wanted:
                    return slot.day
        raise NoDayError(self)

    def _slots(self, year: int) -> list[Slot]:
        """Every slot of a year, in order."""
        if year not in self._years:
            first = date(year, 1, 1)
            days = (first + timedelta(days=number) for number in range(366))
            self._years[year] = sorted(
                Slot(day, max(end for _start, end in hours))
                for day in days
                if day.year == year and (hours := list(self._open(day)))
            )
        return self._years[year]

    def _open(self, day: date) -> Iterable[tuple[float, float]]:
        """Hours of the windows open on ``day``: its own, and those that were moved to it."""
        if self.is_off(day):
            return
        if not self.windows:
            yield 0.0, 24.0
        for window in self.windows:
            if window.falls_on(day):
                yield window.start, window.end
        if self.on_holiday == NEXT_BUSINESS_DAY and day.weekday() in self.working_week:
            yield from self._moved_to(day)

    def _moved_to(self, day: date) -> Iterable[tuple[float, float]]:
        """Windows of the days off right before ``day``, back to the last day on which one could have landed."""
        earlier = day - ONE_DAY
        while day - earlier < HORIZON and (self.is_off(earlier) or earlier.weekday() not in self.working_week):
            if self.is_off(earlier):
                for window in self.windows:
                    if window.falls_on(earlier):
                        yield window.start, window.end
            earlier -= ONE_DAY


def review_date(reviews: Schedule, delivered: datetime) -> date:
    """Day on which an invoice delivered at this moment is received: that of the first window that ends later.

    Arriving after the window has closed waits for the next one:

    >>> reviews = Schedule((Window.weekly(0, 9, 13),))
    >>> [str(review_date(reviews, datetime(2026, 11, 23, hour))) for hour in (8, 12, 13)]
    ['2026-11-23', '2026-11-23', '2026-11-30']

    :raise NoDayError: when the rules leave no day within two years
    """
    return reviews.first_after(delivered)


def effective_due_date(payments: Schedule, contractual: date) -> date:
    """First payment day on or after the contractual due date; the same day where there are no payment windows.

    :raise NoDayError: when the rules leave no day within two years
    """
    return payments.first_from(contractual) if payments.windows else contractual


def days_touched(periods: Iterable[tuple[datetime, datetime]], timezone: tzinfo) -> frozenset[date]:
    """Local days that periods given as naive UTC moments touch; a period that ends at midnight ends the day before.

    >>> from zoneinfo import ZoneInfo
    >>> mexico = ZoneInfo("America/Mexico_City")
    >>> sorted(map(str, days_touched([(datetime(2026, 11, 16, 6), datetime(2026, 11, 18, 6))], mexico)))
    ['2026-11-16', '2026-11-17']
    """
    days = set()
    for start, end in periods:
        first, last = (
            timezone.fromutc(moment.replace(tzinfo=timezone)).date() for moment in (start, end - timedelta.resolution)
        )
        days.update(first + timedelta(days=number) for number in range((last - first).days + 1))
    return frozenset(days)
