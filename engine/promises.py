"""Promises to pay: what of them was paid, whether they were kept, and a payment plan's instalments.

*How to use.* :func:`assign` hands the receipts of one debtor, in one currency, out to its promises; :func:`judge` says
of each what became of it; :func:`instalments` splits a total into promises that add up to it.

*How it works.* Amounts are integers in the smallest unit of the currency. The oldest promise is served first, with the
oldest receipts; what a receipt gave to one promise it gives to no other. Money that paid an invoice is none of a
promise that names others.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

OPEN = "open"
KEPT = "kept"
PARTLY = "partly"
BROKEN = "broken"
CANCELLED = "cancelled"

JUDGED = (KEPT, PARTLY, BROKEN)
"""What the ledger decided, and does not decide again."""

# How near money is to what a promise is about, the nearest first.
OWN, UNAPPLIED, APPLIED_ELSEWHERE = range(3)

WEEK, FORTNIGHT, MONTH = "week", "fortnight", "month"
STEPS = {WEEK: relativedelta(weeks=1), FORTNIGHT: relativedelta(weeks=2), MONTH: relativedelta(months=1)}


class Promise(NamedTuple):
    """An amount that is to come from the day on which it was promised until its date."""

    id: int
    made: date
    due: date
    amount: int
    judged: bool = False
    """It was judged before: ``amount`` is what it was paid then, which it takes before those that are open."""
    documents: frozenset[int] = frozenset()
    """The invoices that it names. None: it is about whatever is owed."""


class Receipt(NamedTuple):
    """Money that came in, or the part of it that paid one document."""

    id: int
    date: date
    amount: int
    document: int = 0
    """What it paid. 0: nothing yet."""


def deadline(promise: Promise, grace: int) -> date:
    """Last day on which money keeps the promise.

    >>> deadline(Promise(1, date(2026, 5, 1), date(2026, 5, 10), 100), 3)
    datetime.date(2026, 5, 13)
    """
    return promise.due + timedelta(days=grace)


def assign(promises: Iterable[Promise], receipts: Iterable[Receipt], grace: int) -> dict[int, int]:
    """``{promise id: what was paid of it}``.

    :param promises: of one debtor and one currency, in any order
    :param receipts: likewise
    :param grace: days after its date on which money still keeps a promise

    The oldest promise first, each receipt once; what came before the promise was made does not count:

    >>> may = lambda day: date(2026, 5, day)
    >>> first, second = Promise(1, may(1), may(10), 600), Promise(2, may(1), may(20), 600)
    >>> assign([second, first], [Receipt(7, may(4), 700)], 0)
    {1: 600, 2: 100}
    >>> assign([first], [Receipt(7, date(2026, 4, 30), 700)], 0)
    {1: 0}

    Money that is late for one promise serves the next:

    >>> assign([first, second], [Receipt(7, may(12), 700)], 1)
    {1: 0, 2: 600}

    A promise that was judged keeps what it had, whatever is promised since:

    >>> assign([Promise(1, may(1), may(10), 400, judged=True), Promise(3, may(1), may(5), 600)],
    ...        [Receipt(7, may(4), 700)], 0)
    {1: 400, 3: 300}

    A promise of certain invoices is kept by what paid them, then by what paid nothing yet:

    >>> named = Promise(1, may(1), may(10), 600, documents=frozenset({51}))
    >>> assign([named], [Receipt(7, may(4), 250, 51), Receipt(7, may(4), 100), Receipt(8, may(4), 900, 52)], 0)
    {1: 350}
    """
    ordered = sorted(receipts, key=lambda receipt: (receipt.date, receipt.id, receipt.document, receipt.amount))
    left = [receipt.amount for receipt in ordered]
    paid = {}
    for promise in sorted(promises, key=lambda promise: (not promise.judged, promise.due, promise.made, promise.id)):
        missing, last = promise.amount, deadline(promise, grace)
        ranks = [_rank(promise, receipt) for receipt in ordered]
        # What it was paid when it was judged is spent, wherever the money went since.
        worst = APPLIED_ELSEWHERE if promise.judged else UNAPPLIED
        for number in sorted(range(len(ordered)), key=ranks.__getitem__):
            receipt = ordered[number]
            if ranks[number] <= worst and left[number] > 0 and promise.made <= receipt.date <= last:
                taken = min(missing, left[number])
                left[number] -= taken
                missing -= taken
        paid[promise.id] = promise.amount - missing
    return paid


def _rank(promise: Promise, receipt: Receipt) -> int:
    """How near a receipt is to what the promise is about."""
    if not promise.documents or receipt.document in promise.documents:
        return OWN
    return APPLIED_ELSEWHERE if receipt.document else UNAPPLIED


def judge(promise: Promise, paid: int, owed: int, today: date, grace: int) -> str:
    """What became of a promise by ``today``.

    :param paid: of it, as :func:`assign` says
    :param owed: what is still open of the items that it is about

    >>> promise = Promise(1, date(2026, 5, 1), date(2026, 5, 10), 600)
    >>> [judge(promise, paid, 900, date(2026, 5, 13), 3) for paid in (0, 200, 600)]
    ['open', 'open', 'kept']
    >>> [judge(promise, paid, 900, date(2026, 5, 14), 3) for paid in (0, 200, 600)]
    ['broken', 'partly', 'kept']

    Where nothing is owed any more, there is nothing left to promise: it is kept if money came, and lapses if credit
    notes alone settled it:

    >>> [judge(promise, paid, 0, date(2026, 5, 9), 3) for paid in (0, 200)]
    ['cancelled', 'kept']
    """
    if paid >= promise.amount:
        return KEPT
    if owed <= 0:
        return KEPT if paid else CANCELLED
    if today <= deadline(promise, grace):
        return OPEN
    return PARTLY if paid else BROKEN


def instalments(total: int, count: int, first: date, every: str) -> list[tuple[date, int]]:
    """``count`` dates and amounts that add up to ``total``; the odd cents go to the first ones.

    >>> instalments(10000, 3, date(2026, 1, 31), MONTH)
    [(datetime.date(2026, 1, 31), 3334), (datetime.date(2026, 2, 28), 3333), (datetime.date(2026, 3, 31), 3333)]
    >>> [day.day for day, _amount in instalments(300, 3, date(2026, 1, 1), WEEK)]
    [1, 8, 15]
    >>> instalments(2, 3, date(2026, 1, 1), WEEK)
    Traceback (most recent call last):
    ...
    ValueError: 2 cannot be split into 3

    :param every: ``WEEK``, ``FORTNIGHT`` or ``MONTH``
    :raise ValueError: where an instalment would be of nothing
    """
    if count < 1 or total < count:
        raise ValueError(f"{total} cannot be split into {count}")
    share, rest = divmod(total, count)
    return [(first + STEPS[every] * number, share + (number < rest)) for number in range(count)]
