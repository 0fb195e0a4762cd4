"""How safe a customer's money is: class A to D, from how it paid and kept its word over the last year.

*How to use.* :func:`classify` of a debtor's figures; :func:`explain` for the points of each; :func:`rank` where a class
must be counted.

*How it works.* Points add up, and the thresholds of the company turn them into a class. One point is worth one day of
average lateness. The thresholds are those of Dun & Bradstreet's PAYDEX, a dollar-weighted average of days beyond terms
(docs.dnb.com, "How is the PAYDEX broken down?"): 15 days beyond terms are a 70, 30 days a 50, where D&B's medium risk
ends, and 60 days a 40. What a broken promise, a bounced check or a dispute is worth beside that is our own judgement:

======================================  ==========================  =========
figure                                  points                      at most
======================================  ==========================  =========
days late on average                    1 a day                     90
share of the balance that is overdue    1 for each 5 %              20
broken promises                         10 each                     30
bounced checks                          15 each                     45
disputes that were not accepted         3 each                      9
======================================  ==========================  =========

Days late on average are weighted by amount, of what was paid within the year and of what is overdue now, which counts
as if it were paid today. Who pays early is not late: it makes up for no other delay. A customer with nothing of it all
has no class: nothing is known, neither good nor bad, and the company's own policy applies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from dateutil.relativedelta import relativedelta

from .priority import BOUNCED_CHECKS, BROKEN_PROMISES, Rule, Share, share, sort_shares

DAYS_LATE = "average_days_late"
OVERDUE_SHARE = "overdue_share"
DISPUTES = "recent_dispute_count"

CLASSES = ("A", "B", "C", "D")
"""The best first."""
DEFAULT_THRESHOLDS = (15, 30, 60)
"""Least points of classes B, C and D."""
RULES = (
    Rule(DAYS_LATE, 1, 1, 90),
    Rule(OVERDUE_SHARE, 1, 5, 20),
    Rule(BROKEN_PROMISES, 10, 1, 30),
    Rule(BOUNCED_CHECKS, 15, 1, 45),
    Rule(DISPUTES, 3, 1, 9),
)
EVENTS = (BROKEN_PROMISES, BOUNCED_CHECKS, DISPUTES)
PERIOD = relativedelta(months=12)


def since(today: date) -> date:
    """First day of the year that is looked at.

    >>> since(date(2028, 2, 29))
    datetime.date(2027, 2, 28)
    """
    return today - PERIOD


def check_thresholds(thresholds: Sequence[int]) -> None:
    """:raise ValueError: unless they rise from more than zero

    >>> check_thresholds((15, 30, 60))
    >>> check_thresholds((15, 15, 60))
    Traceback (most recent call last):
    ValueError: (15, 15, 60)
    """
    if not 0 < thresholds[0] < thresholds[1] < thresholds[2]:
        raise ValueError(tuple(thresholds))


def has_history(figures: Mapping) -> bool:
    """Whether something is known: something was paid or is overdue (then there is an average, be it 0), or something
    happened.

    >>> has_history({DAYS_LATE: None}), has_history({DAYS_LATE: 0}), has_history({DISPUTES: 1})
    (False, True, True)
    """
    return figures.get(DAYS_LATE) is not None or any(figures.get(kind) for kind in EVENTS)


def classify(figures: Mapping, thresholds: Sequence[int] = DEFAULT_THRESHOLDS) -> str | None:
    """The class of a debtor, None without history.

    :param thresholds: least points of classes B, C and D

    >>> classify({DAYS_LATE: 4.5, OVERDUE_SHARE: 20}), classify({DAYS_LATE: 4.5, OVERDUE_SHARE: 20, BROKEN_PROMISES: 1})
    ('A', 'B')
    >>> classify({DAYS_LATE: 25.9, OVERDUE_SHARE: 25}), classify({DAYS_LATE: 60})
    ('C', 'D')
    >>> classify({DAYS_LATE: 0, BOUNCED_CHECKS: 3, BROKEN_PROMISES: 2})
    'D'
    >>> classify({}) is None
    True
    """
    if not has_history(figures):
        return None
    reached = sum(part.points for part in explain(figures))
    return CLASSES[sum(reached >= threshold for threshold in thresholds)]


def explain(figures: Mapping) -> list[Share]:
    """The points of each figure, the most first.

    >>> [(part.kind, part.points) for part in explain({DAYS_LATE: 18.4, OVERDUE_SHARE: 40, BROKEN_PROMISES: 2})]
    [('broken_promise_count', 20), ('average_days_late', 18), ('overdue_share', 8)]
    """
    known = {kind: figure or 0 for kind, figure in figures.items()}
    return sort_shares(share(RULES, known))


def rank(letter: str | None) -> int:
    """How far a class is from the best one; 0 for none.

    >>> [rank(letter) for letter in ("A", "D", None)]
    [0, 3, 0]
    """
    return CLASSES.index(letter) if letter else 0
