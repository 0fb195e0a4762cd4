"""Postdated checks: the states that one goes through, the day until which it must be presented, and what it pays.

How to use: ``next_state`` before a transition is made, ``presentation_deadline`` and ``in_time`` for the rights that
lapse, ``suggest`` to fill the allocation and ``settle`` when the open amounts changed meanwhile. Amounts are integers
in the smallest unit of the check's currency.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

DRAFT = "draft"
CUSTODY = "custody"
HOLD = "hold"
DEPOSITED = "deposited"
CLEARED = "cleared"
BOUNCED = "bounced"
REDEPOSITED = "redeposited"
RETURNED = "returned"
REPLACED = "replaced"
LEGAL = "legal"
CANCELLED = "cancelled"

IN_HAND = (CUSTODY, HOLD)
"""The paper is with us and the bank has not seen it: the invoices stay open, and are covered until the agreed day."""
AT_BANK = (DEPOSITED, REDEPOSITED)
"""Deposited, and not yet known to be good."""
PENDING = (DRAFT, *IN_HAND)
"""What it is meant for may still be changed."""

TRANSITIONS = {
    "receive": ((DRAFT,), CUSTODY),
    "hold": ((CUSTODY,), HOLD),
    "resume": ((HOLD,), CUSTODY),
    "deposit": ((CUSTODY,), DEPOSITED),
    "clear": (AT_BANK, CLEARED),
    "bounce": ((*AT_BANK, CLEARED), BOUNCED),
    "redeposit": ((BOUNCED,), REDEPOSITED),
    "return": ((*IN_HAND, BOUNCED), RETURNED),
    "replace": ((*IN_HAND, BOUNCED), REPLACED),
    "legal": ((BOUNCED,), LEGAL),
    "cancel": ((*PENDING, *AT_BANK), CANCELLED),
    "draft": ((CANCELLED,), DRAFT),
}
"""Of each transition: the states that it starts from, and the one that it ends in. A bank that credits a check "subject
to collection" may take the money back: a cleared check can bounce."""

PRESENTATION = {
    "same": relativedelta(days=15),
    "other": relativedelta(months=1),
    "abroad": relativedelta(months=3),
}
"""How long after its date a check may be presented, by where it was drawn and is payable: 15 natural days in one place,
one month between places of the country, three months from or to abroad. Source: Ley General de Titulos y Operaciones
de Credito, art. 181."""


def next_state(transition: str, state: str) -> str:
    """The state that ``transition`` leads to.

    >>> next_state("bounce", DEPOSITED)
    'bounced'
    >>> next_state("clear", CUSTODY)
    Traceback (most recent call last):
    ...
    ValueError: clear does not follow custody

    :raise ValueError: where it does not fit the state
    """
    before, after = TRANSITIONS[transition]
    if state not in before:
        raise ValueError(f"{transition} does not follow {state}")
    return after


def presentation_deadline(face_date: date, place: str) -> date:
    """Last day on which a check of ``face_date`` may be presented.

    >>> presentation_deadline(date(2026, 1, 31), "other")
    datetime.date(2026, 2, 28)
    >>> presentation_deadline(date(2026, 1, 20), "same")
    datetime.date(2026, 2, 4)
    """
    return face_date + PRESENTATION[place]


def in_time(presented: date, face_date: date, place: str) -> bool:
    """Whether a check presented on that day keeps the claim for damages if it bounces.

    >>> in_time(date(2026, 2, 4), date(2026, 1, 20), "same"), in_time(date(2026, 2, 5), date(2026, 1, 20), "same")
    (True, False)
    """
    return presented <= presentation_deadline(face_date, place)


class Item(NamedTuple):
    """An open item that a check may pay, in the check's currency.

    ``discount`` is what the payment terms take off when all of it is paid by the day of the deposit.
    """

    line_id: int
    due: date
    open: int
    same_currency: bool = True
    discount: int = 0


class Share(NamedTuple):
    """What a check gives to one item; with the discount it may settle more than it gives."""

    line_id: int
    amount: int
    discount: int = 0


def suggest(amount: int, items: Iterable[Item]) -> list[Share]:
    """Hand ``amount`` out to the items, those in the check's own currency first and of these the oldest first; what is
    left over is an advance.

    >>> may, june = date(2026, 5, 1), date(2026, 6, 1)
    >>> suggest(1500, [Item(1, june, 1000), Item(2, may, 800), Item(3, may, 500, same_currency=False)])
    [Share(line_id=2, amount=800, discount=0), Share(line_id=1, amount=700, discount=0)]

    A discount is taken by who pays all that remains:

    >>> suggest(980, [Item(1, may, 1000, discount=20)])
    [Share(line_id=1, amount=980, discount=20)]
    >>> suggest(979, [Item(1, may, 1000, discount=20)])
    [Share(line_id=1, amount=979, discount=0)]
    """
    shares = []
    for item in sorted(items, key=lambda item: (not item.same_currency, item.due, item.line_id)):
        if amount <= 0:
            break
        if item.open <= 0:
            continue
        net = item.open - item.discount
        share = Share(item.line_id, net, item.discount) if net <= amount else Share(item.line_id, amount)
        shares.append(share)
        amount -= share.amount
    return shares


def settle(amount: int, shares: Iterable[Share], items: Iterable[Item]) -> list[Share]:
    """The shares that still fit the open amounts, and what they leave free handed out anew. A discount that the item
    does not allow any more is not taken.

    >>> may, june = date(2026, 5, 1), date(2026, 6, 1)
    >>> settle(1000, [Share(1, 600), Share(2, 400)], [Item(1, may, 100), Item(2, june, 900)])
    [Share(line_id=1, amount=100, discount=0), Share(line_id=2, amount=900, discount=0)]

    An item that is not among the open ones was paid. Without any change the shares are those that a person chose:

    >>> settle(1000, [Share(1, 600)], [Item(1, may, 600), Item(2, june, 900)])
    [Share(line_id=1, amount=600, discount=0)]

    A check for less, taken instead of another one, pays the first ones:

    >>> settle(700, [Share(1, 600), Share(2, 400)], [Item(1, may, 600), Item(2, june, 900)])
    [Share(line_id=1, amount=600, discount=0), Share(line_id=2, amount=100, discount=0)]
    """
    shares = list(shares)
    open_items = {item.line_id: item for item in items}
    kept: dict[int, Share] = {}
    left = amount
    for share in shares:
        item = open_items.get(share.line_id)
        if item is None or item.open <= 0 or left <= 0:
            continue
        discount = share.discount if share.discount == item.discount else 0
        if share.amount + discount <= item.open and share.amount <= left:
            kept[share.line_id] = share._replace(discount=discount)
        else:
            kept[share.line_id] = Share(share.line_id, min(share.amount, item.open, left))
        left -= kept[share.line_id].amount
    freed = sum(share.amount for share in shares) - sum(share.amount for share in kept.values())
    rest = [
        item._replace(open=item.open - kept[item.line_id].amount - kept[item.line_id].discount, discount=0)
        if item.line_id in kept
        else item
        for item in open_items.values()
    ]
    for share in suggest(min(freed, left), rest):
        before = kept.get(share.line_id, Share(share.line_id, 0))
        kept[share.line_id] = Share(share.line_id, before.amount + share.amount, before.discount + share.discount)
    return list(kept.values())
