"""What a message brings: which notice a payment is credited to, and how much of it.

*How to use.* :func:`credited` finds the notice of a payment, :func:`paid_within` what it brought within a horizon,
:func:`is_over` whether that can be told already, :func:`rate` compares.

*How it works.* A payment belongs to the last notice that spoke of the item on its day or before: two messages are never
both credited with the same money, and the one that came just before it is. Nothing says that the customer would not
have paid without it; but what is compared is counted alike. ``collection.effect.line`` is this module in SQL.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

HORIZONS = (3, 7, 14, 30)
"""Days after a notice within which a payment is credited to it."""
LONGEST = HORIZONS[-1]
TENTH = Decimal("0.1")


class Told(NamedTuple):
    """A notice that left, and spoke of an item."""

    day: date
    number: int
    """Of two notices of one day the later one has the higher number."""


def credited(told: Iterable[Told], paid_on: date) -> Told | None:
    """The notice that a payment is credited to: the last one on its day or before, or none.

    >>> first, second = Told(date(2028, 3, 1), 1), Told(date(2028, 3, 8), 2)
    >>> credited([first, second], date(2028, 3, 7)) == first, credited([first, second], date(2028, 3, 8)) == second
    (True, True)
    >>> credited([first, second], date(2028, 2, 29)) is None
    True
    """
    return max((notice for notice in told if notice.day <= paid_on), default=None)


def paid_within(horizon: int, told_on: date, asked: Decimal, payments: Iterable[tuple[date, Decimal]]) -> Decimal:
    """What of ``asked`` came within ``horizon`` days, of the payments that are credited to a notice: no more than it
    asked for, for what a check or a promise was to bring it did not ask.

    >>> payments = [(date(2028, 3, 4), Decimal(60)), (date(2028, 3, 9), Decimal(70))]
    >>> [str(paid_within(days, date(2028, 3, 1), Decimal(100), payments)) for days in HORIZONS]
    ['60', '60', '100', '100']
    """
    last = told_on + timedelta(days=horizon)
    return min(asked, sum((amount for day, amount in payments if day <= last), Decimal(0)))


def is_over(horizon: int, told_on: date, today: date) -> bool:
    """Whether the days after a notice are over, the last one included: before, it would look worse than it is.

    >>> [is_over(7, date(2028, 3, 1), date(2028, 3, day)) for day in (8, 9)]
    [False, True]
    """
    return told_on + timedelta(days=horizon) < today


def rate(paid: Decimal, asked: Decimal) -> Decimal | None:
    """Percent of what was asked for that came; None where nothing was.

    >>> rate(Decimal(1), Decimal(3)), rate(Decimal(0), Decimal(0))
    (Decimal('33.3'), None)
    """
    return (100 * paid / asked).quantize(TENTH, ROUND_HALF_UP) if asked > 0 else None
