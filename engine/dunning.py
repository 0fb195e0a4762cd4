"""The dunning ladder: who must hear from us today, at which level, about which items.

*What it is.* Pure functions over small tuples. Amounts are integers in the smallest unit of their
currency (centavos), so that every sum and comparison is exact.

*How to use.* :func:`assess` turns the open items of one debtor into what may be asked for today;
:func:`decide` finds the level that is due and what the message must list. The nightly run calls both for
every debtor; the dispatcher calls :func:`assess` and :func:`reached` again before a message leaves.

*How it works.* One pass over the items of a debtor, oldest first; no queries, no clock.

The rules:

- Credits (credit notes, unallocated payments) count against the oldest items of their own currency first.
- An item is asked for when it is neither blocked nor covered, and more than the tolerance of it remains.
- The oldest item inside a window of the ladder sets the level. Items of that level that were never told so
  make the message due; so does a recurrence that has elapsed.
- One message lists every item that is asked for, each with its own days.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

BLOCKED = "blocked"
COVERED = "covered"
CREDIT = "credit"
TOLERANCE = "tolerance"


class Level(NamedTuple):
    """One rung. Days are counted from the effective due date: negative before it, 0 on it."""

    id: int
    day_from: int
    day_to: int
    recurrence: int = 0
    """Days between two messages of this level; 0 means once per item."""
    minimum: int = 0
    """Least amount worth a message, in the smallest unit of the company currency."""


class Item(NamedTuple):
    """One open receivable line. Credits carry a negative ``residual``."""

    line_id: int
    due: date
    currency_id: int
    residual: int
    company_residual: int
    covered: int = 0
    """Part of ``residual`` that something else answers for: a dispute, a promise, a check in custody. Of a credit,
    whose residual is negative, the part that is no money yet, negative too."""
    blocked: bool = False
    told: Mapping[int, date] = {}
    """Level id -> last day on which this item was told at that level."""


class Asked(NamedTuple):
    """What may be asked for of one item."""

    item: Item
    amount: int
    company_amount: int


class Listed(NamedTuple):
    """A line of the message: the item, its days past due and the level that its own days fall in."""

    asked: Asked
    days: int
    level_id: int | None


class Decision(NamedTuple):
    level: Level
    lines: list[Listed]
    skipped: list[int]
    """Ids of lower levels whose day passed in nights on which no run took place."""


def check_levels(levels: Sequence[Level]) -> None:
    """Raise ``ValueError`` when a window is inverted or two windows overlap; the ids are in ``args``.

    >>> check_levels([Level(1, -7, -1), Level(2, 0, 9)])
    >>> check_levels([Level(1, 5, 3)])
    Traceback (most recent call last):
    ...
    ValueError: ('inverted', 1)
    >>> check_levels([Level(1, 0, 9), Level(2, 9, 20)])
    Traceback (most recent call last):
    ...
    ValueError: ('overlap', 1, 2)
    """
    ordered = sorted(levels, key=lambda level: level.day_from)
    for level in ordered:
        if level.day_to < level.day_from:
            raise ValueError("inverted", level.id)
    for level, following in pairwise(ordered):
        if following.day_from <= level.day_to:
            raise ValueError("overlap", level.id, following.id)


def level_for(days: int, levels: Iterable[Level]) -> Level | None:
    """The level whose window holds ``days`` past due.

    >>> ladder = [Level(1, -1, -1), Level(2, 3, 14), Level(3, 15, 9999)]
    >>> [getattr(level_for(days, ladder), "id", None) for days in (-1, 0, 3, 14, 15)]
    [1, None, 2, 2, 3]
    """
    for level in levels:
        if level.day_from <= days <= level.day_to:
            return level
    return None


def assess(items: Iterable[Item], tolerances: Mapping[int, int]) -> tuple[list[Asked], dict[int, str]]:
    """Split a debtor's open items into what may be asked for and what may not.

    :param tolerances: currency id -> largest residue that is not worth a message, in its smallest unit
    :return: what is asked for, oldest first, and ``{line_id: reason}`` for the debit items that are not

    A customer who owes 100 and has paid 5,000 on account is asked for nothing:

    >>> assess([Item(1, date(2026, 1, 1), 1, 10000, 10000), Item(2, date(2026, 2, 1), 1, -500000, -500000)], {1: 0})
    ([], {1: 'credit'})

    Credits lower what is asked for, the oldest item first:

    >>> asked, reasons = assess([
    ...     Item(1, date(2026, 1, 1), 1, 10000, 10000),
    ...     Item(2, date(2026, 2, 1), 1, 7000, 7000),
    ...     Item(3, date(2026, 2, 2), 1, -12000, -12000)], {1: 100})
    >>> [(a.item.line_id, a.amount) for a in asked], reasons
    ([(2, 5000)], {1: 'credit'})

    The advance in a check that waits for its day lowers nothing:

    >>> asked, reasons = assess([
    ...     Item(1, date(2026, 1, 1), 1, 10000, 10000),
    ...     Item(2, date(2026, 2, 1), 1, -4000, -4000, covered=-4000)], {1: 0})
    >>> [(a.item.line_id, a.amount) for a in asked]
    [(1, 10000)]
    """
    credits: dict[int, int] = defaultdict(int)
    debits: list[Item] = []
    for item in items:
        if item.residual < 0:
            credits[item.currency_id] += max(min(item.covered, 0) - item.residual, 0)
        else:
            debits.append(item)
    debits.sort(key=attrgetter("due", "line_id"))

    asked: list[Asked] = []
    reasons: dict[int, str] = {}
    for item in debits:
        line_id, _due, currency_id, residual, company_amount, covered, blocked, _told = item
        tolerance = tolerances.get(currency_id, 0)
        if blocked:
            reasons[line_id] = BLOCKED
            continue
        amount = residual - covered if covered > 0 else residual
        if amount <= tolerance:
            reasons[line_id] = COVERED if covered > 0 else TOLERANCE
            continue
        if credits:
            used = min(credits[currency_id], amount)
            credits[currency_id] -= used
            amount -= used
            if amount <= tolerance:
                reasons[line_id] = CREDIT
                continue
        if amount != residual:
            company_amount = round(company_amount * amount / residual)
        asked.append(Asked(item, amount, company_amount))
    return asked, reasons


def reached(asked: Iterable[Asked], levels: Sequence[Level], today: date) -> tuple[Level | None, list[Listed]]:
    """The level that the oldest item inside a window sets, and every asked item with its own days and level."""
    lines: list[Listed] = []
    highest: Level | None = None
    for ask in asked:
        days = (today - ask.item.due).days
        level = level_for(days, levels)
        lines.append(Listed(ask, days, level.id if level else None))
        if level and (highest is None or level.day_from > highest.day_from):
            highest = level
    return highest, lines


def told_at(level: Level, lines: Iterable[Listed], levels: Iterable[Level]) -> list[Listed]:
    """The lines as a message of ``level`` tells them. Items that reached a higher level while the message waited were
    told this one, and the higher one is still to come.

    >>> ladder = [Level(1, 3, 14), Level(2, 15, 9999)]
    >>> ask = Asked(Item(1, date(2026, 3, 1), 1, 5000, 5000), 5000, 5000)
    >>> [line.level_id for line in told_at(ladder[0], [Listed(ask, 16, 2)], ladder)]
    [1]
    """
    higher = {other.id for other in levels if other.day_from > level.day_from}
    return [line._replace(level_id=level.id) if line.level_id in higher else line for line in lines]


def amount_at(level: Level, lines: Iterable[Listed]) -> int:
    """What the minimum of ``level`` is compared with, in company currency: what is overdue or, for a level
    that speaks before the due date, what falls due inside it."""
    floor = min(level.day_from, 1)
    return sum(line.asked.company_amount for line in lines if line.days >= floor)


def decide(
    asked: Iterable[Asked], levels: Sequence[Level], today: date, last_run: date | None = None
) -> Decision | None:
    """The message that is due to one debtor today, or ``None``.

    :param levels: the ladder of the debtor's policy, windows that do not overlap
    :param last_run: the last day before ``today`` that was decided; the days between are missed nights

    >>> ladder = [Level(1, -1, 2), Level(2, 3, 14), Level(3, 15, 9999)]
    >>> def ask(line_id, due, told={}):
    ...     return Asked(Item(line_id, due, 1, 5000, 5000, told=told), 5000, 5000)
    >>> decision = decide([ask(1, date(2026, 3, 1)), ask(2, date(2026, 3, 14))], ladder, date(2026, 3, 16))
    >>> decision.level.id, [(line.asked.item.line_id, line.days, line.level_id) for line in decision.lines]
    (3, [(1, 15, 3), (2, 2, 1)])

    Told once, it is not told again:

    >>> decide([ask(1, date(2026, 3, 1), {3: date(2026, 3, 16)})], ladder, date(2026, 3, 20)) is None
    True

    After missed nights the level due today is sent and the ones that passed meanwhile are reported:

    >>> decide([ask(1, date(2026, 3, 1))], ladder, date(2026, 3, 16), last_run=date(2026, 3, 3)).skipped
    [2]
    """
    level, lines = reached(asked, levels, today)
    if level is None or amount_at(level, lines) < level.minimum:
        return None
    setters = [line for line in lines if line.level_id == level.id]
    if not _is_due(level, setters, today):
        return None
    return Decision(level, lines, _skipped(level, setters, levels, today, last_run))


def _is_due(level: Level, setters: Iterable[Listed], today: date) -> bool:
    told = [line.asked.item.told.get(level.id) for line in setters]
    if None in told:
        return True
    return bool(level.recurrence) and (today - max(told)).days >= level.recurrence


def _skipped(
    level: Level, setters: Iterable[Listed], levels: Iterable[Level], today: date, last_run: date | None
) -> list[int]:
    """Lower levels that the items which set the level entered, and left, on nights without a run."""
    if last_run is None:
        return []
    return [
        lower.id
        for lower in levels
        if lower.day_from < level.day_from
        and any(
            last_run < line.asked.item.due + timedelta(days=lower.day_from) < today
            and lower.id not in line.asked.item.told
            for line in setters
        )
    ]
