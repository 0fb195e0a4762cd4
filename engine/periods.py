"""Two periods side by side: which ones, and whether a figure got better.

*How to use.* :func:`previous_period`, :func:`same_last_year` and :func:`around` choose periods, :func:`compare` sets
figures of ``kpi.py`` beside each other; :func:`months_until` gives the months of a line over time, or of counting back.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from .kpi import HIGHER, PLACES, Figure

UP, DOWN, SAME = "up", "down", "same"
BETTER, WORSE, UNKNOWN = "better", "worse", "unknown"
MONTH, LAST_MONTH, QUARTER, YEAR, TWELVE_MONTHS = PERIODS = ("month", "last_month", "quarter", "year", "twelve_months")
PREVIOUS, LAST_YEAR = "previous", "last_year"
ROUNDED = Decimal(1).scaleb(-PLACES)


class Change(NamedTuple):
    """A figure of two periods."""

    difference: Decimal | None
    percent: Decimal | None
    """Of the former value; none where that was zero."""
    direction: str | None
    verdict: str


def compare(now: Figure, before: Figure, better: str = HIGHER) -> Change:
    """Set a figure beside that of another period: by how much it changed, where to, and whether that is good.

    >>> compare(Figure(Decimal(40)), Figure(Decimal(50)), better="lower")
    Change(difference=Decimal('-10'), percent=Decimal('-20.0000'), direction='down', verdict='better')
    >>> compare(Figure(Decimal(40)), Figure(Decimal(0)))
    Change(difference=Decimal('40'), percent=None, direction='up', verdict='better')
    >>> compare(Figure(Decimal(40)), Figure(None, "no_sales"), better="lower")
    Change(difference=None, percent=None, direction=None, verdict='unknown')
    """
    if now.value is None or before.value is None:
        return Change(None, None, None, UNKNOWN)
    difference = now.value - before.value
    percent = (100 * difference / abs(before.value)).quantize(ROUNDED, ROUND_HALF_UP) if before.value else None
    if not difference:
        return Change(difference, percent, SAME, SAME)
    verdict = BETTER if (difference > 0) == (better == HIGHER) else WORSE
    return Change(difference, percent, UP if difference > 0 else DOWN, verdict)


def previous_period(first: date, last: date) -> tuple[date, date]:
    """The period before this one: whole months before whole months, else as many days.

    >>> for day in previous_period(date(2028, 3, 1), date(2028, 3, 31)): print(day)
    2028-02-01
    2028-02-29
    >>> for day in previous_period(date(2028, 1, 1), date(2028, 3, 31)): print(day)
    2027-10-01
    2027-12-31
    >>> for day in previous_period(date(2028, 3, 11), date(2028, 3, 20)): print(day)
    2028-03-01
    2028-03-10
    """
    before = first - timedelta(days=1)
    if first.day == 1 and (last + timedelta(days=1)).day == 1:
        months = 12 * (last.year - first.year) + last.month - first.month + 1
        return first - relativedelta(months=months), before
    return before - (last - first), before


def same_last_year(first: date, last: date) -> tuple[date, date]:
    """The same days of the year before; the last day of a month stays the last one.

    >>> for day in same_last_year(date(2029, 2, 1), date(2029, 2, 28)): print(day)
    2028-02-01
    2028-02-29
    """
    ends_month = (last + timedelta(days=1)).day == 1
    end = last - relativedelta(years=1, day=31) if ends_month else last - relativedelta(years=1)
    return first - relativedelta(years=1), end


def months_until(day: date, count: int) -> list[tuple[date, date]]:
    """First and last day of the ``count`` months that end with ``day``, the newest first; that one ends on ``day``.

    >>> for first, last in months_until(date(2028, 3, 10), 3): print(first, last)
    2028-03-01 2028-03-10
    2028-02-01 2028-02-29
    2028-01-01 2028-01-31
    """
    months = [(day.replace(day=1), day)]
    while len(months) < count:
        end = months[-1][0] - timedelta(days=1)
        months.append((end.replace(day=1), end))
    return months[:count]


def named_period(name: str, today: date) -> tuple[date, date]:
    """The days of a period that people name; one that is not over ends today.

    >>> for name in PERIODS: print(name, *named_period(name, date(2028, 5, 10)))
    month 2028-05-01 2028-05-10
    last_month 2028-04-01 2028-04-30
    quarter 2028-04-01 2028-05-10
    year 2028-01-01 2028-05-10
    twelve_months 2027-05-11 2028-05-10

    :raise ValueError: of a name that is none of ``PERIODS``
    """
    first = today.replace(day=1)
    if name == MONTH:
        return first, today
    if name == LAST_MONTH:
        return first - relativedelta(months=1), first - timedelta(days=1)
    if name == QUARTER:
        return first - relativedelta(months=(today.month - 1) % 3), today
    if name == YEAR:
        return first.replace(month=1), today
    if name == TWELVE_MONTHS:
        return today - relativedelta(years=1) + timedelta(days=1), today
    raise ValueError(f"{name!r} is no period.")


def around(day: date, days: int) -> tuple[tuple[date, date], tuple[date, date]]:
    """As many days from ``day`` on as before it: what came after something changed, and what was before.

    >>> for first, last in around(date(2028, 3, 1), 10): print(first, last)
    2028-03-01 2028-03-10
    2028-02-20 2028-02-29
    """
    last = day + timedelta(days=days - 1)
    return (day, last), (day - timedelta(days=days), day - timedelta(days=1))
