"""The dunning ladder: who must hear from us today, at which level, about which items.

*What it is.* Pure functions over small tuples. Amounts are integers in the smallest unit of their
currency (centavos), so that every sum and comparison is exact.

*How to use.* :func:`assess` turns the open items of one debtor into what may be asked for today;
:func:`decide` finds the level that is due and what the message must list, on a ladder of a day, :class:`Rungs`. The
nightly run calls both for every debtor; the dispatcher calls :func:`assess` and :func:`reached` again before a message
leaves.

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
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from operator import itemgetter
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
    """Part of ``residual`` that something else answers for: a dispute, a promise, a check in custody. Of a credit, a
    negative residual, the part that is no money yet, negative too."""
    blocked: bool = False
    told: Mapping[int, date] = {}
    """Level id -> last day on which this item was told at that level."""
    document_id: int = 0
    """Handed through."""


OLDEST_FIRST = itemgetter(Item._fields.index("due"), Item._fields.index("line_id"))


class Decision(NamedTuple):
    level: Level
    items: list[Item]
    """All that is asked for, oldest first."""
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


class Rungs(dict):
    """A ladder on one day: ``{due date: (days past due, the level whose window holds them or None)}``, each found when
    it is first asked for. The items of thousands of debtors fall due on a few hundred days.

    >>> rungs = Rungs([Level(1, -1, -1), Level(2, 3, 14)], date(2026, 3, 16))
    >>> rungs[date(2026, 3, 12)]
    (4, Level(id=2, day_from=3, day_to=14, recurrence=0, minimum=0))
    >>> rungs[date(2026, 3, 16)]
    (0, None)
    """

    def __init__(self, levels: Sequence[Level], today: date) -> None:
        super().__init__()
        self.levels = levels
        self.today = today

    def __missing__(self, due: date) -> tuple[int, Level | None]:
        days = (self.today - due).days
        self[due] = found = (days, level_for(days, self.levels))
        return found


def assess(items: Collection[Item], tolerances: Mapping[int, int]) -> tuple[list[Item], dict[int, str]]:
    """Split a debtor's open items into what may be asked for and what may not.

    :param tolerances: currency id -> largest residue that is not worth a message, in its smallest unit
    :return: what is asked for, oldest first, each item with that part of its amounts, and ``{line_id: reason}`` for the
        debit items that are not

    A customer who owes 100 and has paid 5,000 on account is asked for nothing:

    >>> assess([Item(1, date(2026, 1, 1), 1, 10000, 10000), Item(2, date(2026, 2, 1), 1, -500000, -500000)], {1: 0})
    ([], {1: 'credit'})

    Credits lower what is asked for, the oldest item first:

    >>> asked, reasons = assess([
    ...     Item(1, date(2026, 1, 1), 1, 10000, 10000),
    ...     Item(2, date(2026, 2, 1), 1, 7000, 7000),
    ...     Item(3, date(2026, 2, 2), 1, -12000, -12000)], {1: 100})
    >>> [(item.line_id, item.residual) for item in asked], reasons
    ([(2, 5000)], {1: 'credit'})

    The advance in a check that waits for its day lowers nothing:

    >>> asked, reasons = assess([
    ...     Item(1, date(2026, 1, 1), 1, 10000, 10000),
    ...     Item(2, date(2026, 2, 1), 1, -4000, -4000, covered=-4000)], {1: 0})
    >>> [(item.line_id, item.residual) for item in asked]
    [(1, 10000)]
    """
    debits = [item for item in items if item.residual >= 0]
    credits = _sum_credits(items) if len(debits) < len(items) else None
    if len(debits) > 1:
        debits.sort(key=OLDEST_FIRST)

    asked: list[Item] = []
    reasons: dict[int, str] = {}
    for item in debits:
        line_id, _due, currency_id, residual, company_residual, covered, blocked, _told, _document = item
        if blocked:
            reasons[line_id] = BLOCKED
            continue
        tolerance = tolerances.get(currency_id, 0)
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
            share = round(company_residual * amount / residual)
            item = item._replace(residual=amount, company_residual=share)
        asked.append(item)
    return asked, reasons


def _sum_credits(items: Iterable[Item]) -> dict[int, int]:
    """Currency id -> the money of all credits."""
    credits: dict[int, int] = defaultdict(int)
    for item in items:
        if item.residual < 0:
            credits[item.currency_id] += max(min(item.covered, 0) - item.residual, 0)
    return credits


def reached(asked: Iterable[Item], rungs: Rungs) -> Level | None:
    """The level that the oldest item inside a window sets.

    :param asked: oldest first, as :func:`assess` returns it
    """
    for item in asked:
        _days, level = rungs[item.due]
        if level:
            return level
    return None


def told_at(level: Level, own: Level | None) -> Level | None:
    """The level that a message of ``level`` tells an item of its ``own`` level. Items that reached a higher level while
    the message waited are told this one, and the higher one is still to come.

    >>> ladder = [Level(1, 3, 14), Level(2, 15, 9999)]
    >>> told_at(ladder[0], ladder[1]).id, told_at(ladder[1], ladder[0]).id, told_at(ladder[0], None)
    (1, 1, None)
    """
    return level if own and own.day_from > level.day_from else own


def is_worth(level: Level, asked: Iterable[Item], rungs: Rungs) -> bool:
    """Tell whether the minimum of ``level`` is reached, in company currency, by what is overdue or, for a level that
    speaks before the due date, by what falls due inside it."""
    if not level.minimum:
        return True
    floor = min(level.day_from, 1)
    return sum(item.company_residual for item in asked if rungs[item.due][0] >= floor) >= level.minimum


def decide(asked: list[Item], rungs: Rungs, last_run: date | None = None) -> Decision | None:
    """The message that is due to one debtor today, or ``None``.

    :param asked: oldest first, as :func:`assess` returns it
    :param rungs: the ladder of the debtor's policy today, windows that do not overlap
    :param last_run: the last day before today that was decided; the days between are missed nights

    >>> ladder = [Level(1, -1, 2), Level(2, 3, 14), Level(3, 15, 9999)]
    >>> today = Rungs(ladder, date(2026, 3, 16))
    >>> def item(line_id, due, told={}):
    ...     return Item(line_id, due, 1, 5000, 5000, told=told)
    >>> decision = decide([item(1, date(2026, 3, 1)), item(2, date(2026, 3, 14))], today)
    >>> decision.level.id, [item.line_id for item in decision.items]
    (3, [1, 2])

    Told once, it is not told again:

    >>> decide([item(1, date(2026, 3, 1), {3: date(2026, 3, 16)})], Rungs(ladder, date(2026, 3, 20))) is None
    True

    After missed nights the level due today is sent and the ones that passed meanwhile are reported:

    >>> decide([item(1, date(2026, 3, 1))], today, last_run=date(2026, 3, 3)).skipped
    [2]
    """
    level = reached(asked, rungs)
    if level is None:
        return None
    setters = [item for item in asked if rungs[item.due][1] is level]
    if not _is_due(level, setters, rungs.today) or not is_worth(level, asked, rungs):
        return None
    return Decision(level, asked, _skipped(level, setters, rungs, last_run))


def _is_due(level: Level, setters: Iterable[Item], today: date) -> bool:
    told = [item.told.get(level.id) for item in setters]
    if None in told:
        return True
    return bool(level.recurrence) and (today - max(told)).days >= level.recurrence


def _skipped(level: Level, setters: Iterable[Item], rungs: Rungs, last_run: date | None) -> list[int]:
    """Lower levels that the items which set the level entered, and left, on nights without a run."""
    if last_run is None:
        return []
    return [
        lower.id
        for lower in rungs.levels
        if lower.day_from < level.day_from
        and any(
            last_run < item.due + timedelta(days=lower.day_from) < rungs.today and lower.id not in item.told
            for item in setters
        )
    ]
