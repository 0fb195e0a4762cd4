"""Whom to call first: a score made of capped, linear rules, each of which can be read aloud.

*How to use.* :func:`score` of a debtor's figures by the rules of its company, :func:`explain` for what each rule gave,
:func:`choose` to find the rules of a company among shared and own ones.

*How it works.* Every rule is the same formula: ``min(maximum, floor(max(figure, 0) / unit) * points)``. The score is
their sum, and nothing while there is nothing to do: nothing overdue, no promise and no follow-up due. ``models``
has the same in SQL, compared to this one by a test.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

DAYS_OVERDUE = "days_overdue"
OVERDUE = "overdue"
BROKEN_PROMISES = "broken_promise_count"
PROMISES_DUE = "promise_due_count"
BOUNCED_CHECKS = "bounced_check_count"
DAYS_WITHOUT_CONTACT = "days_without_contact"
FOLLOW_UPS_DUE = "follow_up_count"
RISK_CLASS = "risk_class"

KINDS = (
    DAYS_OVERDUE,
    OVERDUE,
    BROKEN_PROMISES,
    PROMISES_DUE,
    BOUNCED_CHECKS,
    DAYS_WITHOUT_CONTACT,
    FOLLOW_UPS_DUE,
    RISK_CLASS,
)
"""The figures that rules count, each named as the debtor's field that holds it. Amounts are in company currency; a risk
class counts as its distance from the best one, :func:`engine.risk.rank`."""

TO_DO = (OVERDUE, PROMISES_DUE, FOLLOW_UPS_DUE)
"""Where all of these are zero, there is nothing to do."""


class Rule(NamedTuple):
    """``points`` for each whole ``unit`` of a figure, never more than ``maximum`` of them."""

    kind: str
    points: int
    unit: Decimal | int | float
    maximum: int


class Share(NamedTuple):
    """What one rule gave for a figure."""

    kind: str
    figure: Decimal | int | float
    points: int


def points(rule: Rule, figure: Decimal | int | float) -> int:
    """Points of one rule; what is below zero counts as zero. Computed in decimals: a cent more or less decides as it
    does on paper.

    >>> late = Rule(DAYS_OVERDUE, points=1, unit=3, maximum=40)
    >>> [points(late, days) for days in (-5, 2, 3, 118, 120, 900)]
    [0, 0, 1, 39, 40, 40]
    >>> points(Rule(OVERDUE, points=1, unit=0.1, maximum=9), 0.3)
    3
    """
    units = Decimal(str(max(figure, 0))) // Decimal(str(rule.unit))
    return min(rule.maximum, int(units) * rule.points)


def is_idle(figures: Mapping) -> bool:
    """Whether there is nothing to do for a debtor with these figures.

    >>> is_idle({OVERDUE: 0, PROMISES_DUE: 0, FOLLOW_UPS_DUE: 0}), is_idle({OVERDUE: 0, FOLLOW_UPS_DUE: 1})
    (True, False)
    """
    return all(figures.get(kind, 0) <= 0 for kind in TO_DO)


def explain(rules: Iterable[Rule], figures: Mapping) -> list[Share]:
    """What each rule gave, the most first and among equals in the order of ``rules``; those that gave nothing are left
    out.

    >>> rules = [
    ...     Rule(DAYS_OVERDUE, 1, 3, 40), Rule(OVERDUE, 1, 10000, 15), Rule(BROKEN_PROMISES, 10, 1, 30),
    ...     Rule(PROMISES_DUE, 30, 1, 30), Rule(BOUNCED_CHECKS, 25, 1, 50), Rule(DAYS_WITHOUT_CONTACT, 1, 2, 20)]
    >>> figures = {DAYS_OVERDUE: 120, OVERDUE: 152000, BROKEN_PROMISES: 2, PROMISES_DUE: 1, BOUNCED_CHECKS: 1,
    ...            DAYS_WITHOUT_CONTACT: 21}
    >>> [(share.figure, share.points) for share in explain(rules, figures)]
    [(120, 40), (1, 30), (1, 25), (2, 20), (152000, 15), (21, 10)]
    >>> explain(rules, {**figures, OVERDUE: 0, PROMISES_DUE: 0})
    []
    """
    if is_idle(figures):
        return []
    return sort_shares(share(rules, figures))


def share(rules: Iterable[Rule], figures: Mapping) -> list[Share]:
    """What each rule gives of these figures, whatever there is to do; a figure that is not there counts as zero."""
    return [Share(rule.kind, figures.get(rule.kind, 0), points(rule, figures.get(rule.kind, 0))) for rule in rules]


def sort_shares(shares: Iterable[Share]) -> list[Share]:
    """Those that gave something, the most first.

    >>> sort_shares([Share("a", 1, 0), Share("b", 2, 5), Share("c", 3, 7)])
    [Share(kind='c', figure=3, points=7), Share(kind='b', figure=2, points=5)]
    """
    return sorted((share for share in shares if share.points), key=lambda share: -share.points)


def score(rules: Iterable[Rule], figures: Mapping) -> int:
    """The sum of what the rules give, 0 where there is nothing to do.

    >>> rules = [Rule(DAYS_OVERDUE, 1, 3, 40), Rule(BROKEN_PROMISES, 10, 1, 30), Rule(FOLLOW_UPS_DUE, 20, 1, 20)]
    >>> score(rules, {OVERDUE: 500, DAYS_OVERDUE: 30, BROKEN_PROMISES: 1})
    20
    >>> score(rules, {BROKEN_PROMISES: 3})
    0
    >>> score(rules, {BROKEN_PROMISES: 3, FOLLOW_UPS_DUE: 1})
    50
    """
    return sum(part.points for part in explain(rules, figures))


def choose(rules: Iterable[tuple[int | None, Rule]], company: int) -> list[Rule]:
    """The rules of a company among ``(company or None, rule)``: its own one of a kind replaces the shared one, in the
    shared one's place.

    >>> shared = [(None, Rule(DAYS_OVERDUE, 1, 3, 40)), (None, Rule(OVERDUE, 1, 10000, 15))]
    >>> own = (7, Rule(DAYS_OVERDUE, 2, 1, 90))
    >>> [rule.points for rule in choose([*shared, own], 7)], [rule.points for rule in choose([*shared, own], 8)]
    ([2, 1], [1, 1])
    """
    chosen = {}
    for owner, rule in rules:
        if owner == company or (owner is None and rule.kind not in chosen):
            chosen[rule.kind] = rule
    return list(chosen.values())
