"""Aging buckets: how late an open item is, as the columns of an aging report.

How to use: ``check_edges`` once where a person enters the edges, ``bucket_index`` per item,
``bucket_labels`` for the headings. The first bucket is always "not due"; the others are closed on
the right, so that an item 30 days late belongs to 1-30 and not to 31-60.

>>> DEFAULT_EDGES
(30, 60, 90)
>>> [bucket_index(days) for days in (-5, 0, 1, 30, 31, 60, 61, 90, 91, 4000)]
[0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
"""

from bisect import bisect_left

DEFAULT_EDGES = (30, 60, 90)


def bucket_index(days_overdue, edges=DEFAULT_EDGES):
    """Return the bucket of an item that is ``days_overdue`` days past its effective due date.

    0 is not due (due today counts as not due), 1 the first bucket, ``len(edges) + 1`` the open one.

    >>> bucket_index(8, edges=(7, 14, 21))
    2
    """
    if days_overdue <= 0:
        return 0
    return 1 + bisect_left(edges, days_overdue)


def bucket_labels(edges=DEFAULT_EDGES, not_due="Not due"):
    """Return the headings of the buckets, in order; the caller translates ``not_due``.

    >>> bucket_labels()
    ['Not due', '1-30', '31-60', '61-90', '90+']
    >>> bucket_labels((1, 7))
    ['Not due', '1', '2-7', '7+']
    """
    labels = [not_due]
    first = 1
    for last in edges:
        labels.append(f"{first}-{last}" if first < last else str(last))
        first = last + 1
    labels.append(f"{edges[-1]}+")
    return labels


def check_edges(edges):
    """Raise ValueError unless ``edges`` are whole positive days, each above the one before.

    >>> check_edges((30, 60, 90))
    >>> check_edges((30, 30, 90))
    Traceback (most recent call last):
    ...
    ValueError: Aging bucket edges must grow: 30 does not come after 30.
    >>> check_edges((0, 30, 60))
    Traceback (most recent call last):
    ...
    ValueError: Aging bucket edges must be whole numbers of days above zero, not 0.
    """
    if not edges:
        raise ValueError("Aging needs at least one bucket edge.")
    previous = None
    for edge in edges:
        if not isinstance(edge, int) or isinstance(edge, bool) or edge <= 0:
            raise ValueError(f"Aging bucket edges must be whole numbers of days above zero, not {edge!r}.")
        if previous is not None and edge <= previous:
            raise ValueError(f"Aging bucket edges must grow: {edge} does not come after {previous}.")
        previous = edge


def bucket_totals(items, edges=DEFAULT_EDGES):
    """Return the amount of each bucket for ``items``, pairs of (days overdue, amount).

    >>> bucket_totals([(0, 10.0), (30, 5.0), (31, 7.0), (200, 1.0)])
    [10.0, 5.0, 7.0, 0.0, 1.0]
    """
    totals = [0.0] * (len(edges) + 2)
    for days_overdue, amount in items:
        totals[bucket_index(days_overdue, edges)] += amount
    return totals
