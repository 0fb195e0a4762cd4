"""Which deliveries what waits to be invoiced came with.

*What it is.* One pure function over quantities and an amount in the smallest unit of its currency.

*How it works.* What was delivered first is invoiced first, so that what waits came last.
"""

from __future__ import annotations

from collections.abc import Iterable


def spread(amount: int, waiting: float, delivered: Iterable[float]) -> list[int]:
    """Spread what ``waiting`` units cost over the deliveries that they came with.

    :param amount: what all of them cost, in the smallest unit of its currency
    :param waiting: units, above zero
    :param delivered: units of each delivery, the latest first
    :return: the part of each delivery, and at the end of no delivery at all; together they are ``amount``

    Ten units came 6 and then 4, and 5 of them were invoiced: of the others 4 came last, and 1 before.

    >>> spread(1000, 5, [4, 6])
    [800, 200, 0]

    Nothing tells when the rest came:

    >>> spread(1000, 3, [2])
    [667, 333]
    >>> spread(1000, 3, [])
    [1000]
    """
    parts, left = [], waiting
    for quantity in delivered:
        taken = min(max(quantity, 0), left)
        part = round(amount * taken / left) if left > 0 else 0
        parts.append(part)
        amount -= part
        left -= taken
    return [*parts, amount]
