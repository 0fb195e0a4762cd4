"""Who collects from whom: debtors spread over the collectors of a portfolio.

*How to use.* ``spread(debtors, held, by_balance, capacity)`` once per portfolio, with the debtors that must find a
collector and what each collector holds already.

*How it works.* The largest debtor goes first, each to the collector with the least load: the greedy rule of longest
processing time (R. L. Graham, "Bounds on multiprocessing timing anomalies", 1969). Whoever was handed a debtor ends at
most that debtor above the least loaded one that still had room.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Debtor(NamedTuple):
    """A debtor to hand out and its open balance, in the smallest unit of the company's currency; what is owed to the
    customer weighs 0."""

    id: int
    amount: int


class Held(NamedTuple):
    """What a collector holds already: debtors, and their open balance in the company's currency."""

    count: int = 0
    amount: int = 0


def spread(debtors: Sequence[Debtor], held: Mapping[int, Held], by_balance: bool, capacity: int = 0) -> dict:
    """``{debtor id: collector id}``, None for a debtor that finds no room. The same for the same input in any order.

    :param held: of every collector of the portfolio, by id
    :param by_balance: the load is the open balance, and their number breaks ties; else the other way round
    :param capacity: debtors that a collector may hold, 0 for any number; who holds more already gets no further one

    >>> debtors = [Debtor(1, 900), Debtor(2, 500), Debtor(3, 400), Debtor(4, -50)]
    >>> spread(debtors, {7: Held(), 8: Held()}, by_balance=True)
    {1: 7, 2: 8, 3: 8, 4: 7}
    >>> spread(debtors, {7: Held(), 8: Held(1, 100)}, by_balance=False, capacity=2)
    {1: 7, 2: 8, 3: 7, 4: None}
    """
    heap = [_place(held[collector], collector, by_balance) for collector in held]
    heap = [place for place in heap if _has_room(place, by_balance, capacity)]
    heapq.heapify(heap)
    found = {}
    for debtor in sorted(debtors, key=lambda debtor: (-max(debtor.amount, 0), debtor.id)):
        if not heap:
            found[debtor.id] = None
            continue
        *load, collector = heapq.heappop(heap)
        found[debtor.id] = collector
        amount, count = load if by_balance else reversed(load)
        place = _place(Held(count + 1, amount + max(debtor.amount, 0)), collector, by_balance)
        if _has_room(place, by_balance, capacity):
            heapq.heappush(heap, place)
    return found


def _place(held: Held, collector: int, by_balance: bool) -> tuple:
    load = (held.amount, held.count) if by_balance else (held.count, held.amount)
    return (*load, collector)


def _has_room(place: tuple, by_balance: bool, capacity: int) -> bool:
    return not capacity or place[1 if by_balance else 0] < capacity


class Standing(NamedTuple):
    """A debtor as the assignment finds it; ids are None where there is none."""

    id: int
    amount: int
    collector: int | None
    portfolio: int | None


class Portfolio(NamedTuple):
    """A portfolio, the debtors that meet its conditions and how it hands them out."""

    id: int
    matched: frozenset
    collectors: tuple
    by_balance: bool = True
    capacity: int = 0


class Change(NamedTuple):
    """A debtor's new portfolio and collector (None: none). A collector that stays is no change of hands."""

    debtor: int
    portfolio: int | None
    collector: int | None
    kept: bool


def assign(standings: Sequence[Standing], portfolios: Sequence[Portfolio], held: Mapping[int, Held]) -> tuple:
    """``(changes, without_room)``: what must change on the debtors, and ``{portfolio id: debtors without room}``.

    A debtor that meets the conditions of its portfolio and has one of its collectors stays. Any other one goes to the
    first of ``portfolios`` that it meets: with its present collector where that is one of the portfolio's, else with
    the least loaded one. Without room it keeps the collector that it has, else it has none. A debtor that meets none
    any more loses what its portfolio gave it; a collector that came from no portfolio stays.

    :param held: what the collectors hold before, the debtors of ``standings`` included

    >>> north = Portfolio(1, frozenset({11, 12}), (7, 8))
    >>> rest = Portfolio(2, frozenset({11, 12, 13}), (9,))
    >>> debtors = [Standing(11, 50, 7, 1), Standing(12, 30, None, None), Standing(13, 10, 7, 1)]
    >>> for change in assign(debtors, [north, rest], {7: Held(2, 60)})[0]:
    ...     print(change)
    Change(debtor=12, portfolio=1, collector=8, kept=False)
    Change(debtor=13, portfolio=2, collector=9, kept=False)
    """
    by_id = {portfolio.id: portfolio for portfolio in portfolios}
    held = defaultdict(lambda: [0, 0], {collector: list(figures) for collector, figures in held.items()})
    changes, waiting = [], {portfolio.id: [] for portfolio in portfolios}
    first_of = {}
    for portfolio in reversed(portfolios):
        first_of.update(dict.fromkeys(portfolio.matched, portfolio))
    for standing in standings:
        own = by_id.get(standing.portfolio)
        if own and standing.id in own.matched and standing.collector in own.collectors:
            continue
        first = first_of.get(standing.id)
        if not first:
            if standing.portfolio:
                _move(held, standing, None)
                changes.append(Change(standing.id, None, None, kept=not standing.collector))
        elif standing.collector in first.collectors:
            changes.append(Change(standing.id, first.id, standing.collector, kept=True))
        else:
            waiting[first.id].append(standing)
    without_room = {}
    for portfolio in portfolios:
        debtors = [Debtor(standing.id, standing.amount) for standing in waiting[portfolio.id]]
        loads = {collector: Held(*held[collector]) for collector in portfolio.collectors}
        found = spread(debtors, loads, portfolio.by_balance, portfolio.capacity)
        for standing in waiting[portfolio.id]:
            collector = found[standing.id]
            if collector:
                _move(held, standing, collector)
                changes.append(Change(standing.id, portfolio.id, collector, kept=False))
            else:
                without_room.setdefault(portfolio.id, []).append(standing.id)
                if not standing.collector and standing.portfolio != portfolio.id:
                    changes.append(Change(standing.id, portfolio.id, None, kept=True))
    return changes, without_room


def _move(held: dict, standing: Standing, collector: int | None) -> None:
    """Take a debtor from the load, ``[count, amount]``, of the collector that it has to that of ``collector``."""
    amount = max(standing.amount, 0)
    for person, sign in ((standing.collector, -1), (collector, 1)):
        if person:
            load = held[person]
            load[0] += sign
            load[1] += sign * amount
