"""Which open line of a posted invoice is which instalment of its payment term.

When the day from which the credit counts moves, every instalment gets another date. The lines of a posted invoice may
be reconciled, hashed or locked: their amounts must stay, so that each line takes the date of the instalment that has
its amount.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import date
from typing import NamedTuple


class Instalment(NamedTuple):
    """A line or an instalment: the day from which the order follows, and an amount that compares exactly."""

    day: date
    amount: Hashable


def match(lines: Sequence[Instalment], instalments: Sequence[Instalment]) -> list[int]:
    """For each line the position of its instalment.

    Lines and instalments of one amount follow each other by day, so that two halves keep their order and a deposit is
    never taken for the rest, even where a later day now comes first:

    >>> june, july, august = (date(2026, month, 1) for month in (6, 7, 8))
    >>> match([Instalment(june, 30), Instalment(july, 70)], [Instalment(august, 30), Instalment(july, 70)])
    [0, 1]
    >>> match([Instalment(june, 50), Instalment(july, 50)], [Instalment(july, 50), Instalment(august, 50)])
    [0, 1]

    Lines whose amount was changed by hand take what is left by day; the last one is due last:

    >>> match([Instalment(june, 40), Instalment(july, 60)], [Instalment(july, 50), Instalment(august, 50)])
    [0, 1]
    >>> match([Instalment(june, 100)], [Instalment(july, 50), Instalment(august, 50)])
    [1]

    :raise ValueError: without any instalment
    """
    if not instalments:
        raise ValueError("A payment term has at least one instalment.")
    by_day = sorted(range(len(instalments)), key=lambda position: instalments[position].day)
    left, last = list(by_day), by_day[-1]
    found: dict[int, int] = {}
    unmatched = []
    for number in sorted(range(len(lines)), key=lambda number: lines[number].day):
        same = next((position for position in left if instalments[position].amount == lines[number].amount), None)
        if same is None:
            unmatched.append(number)
        else:
            left.remove(same)
            found[number] = same
    for number in unmatched[:-1]:
        found[number] = left.pop(0) if left else last
    for number in unmatched[-1:]:
        found[number] = left[-1] if left else last
    return [found[number] for number in range(len(lines))]
