"""How a statement is laid out and what it shows, apart from its figures."""

from typing import NamedTuple


class StatementLayout(NamedTuple):
    """What a level or a campaign chooses of the statement that it sends; by default, what the debtor's own form prints.

    Equal layouts are read and prepared together: one query for all their debtors.
    """

    bank_account_ids: tuple = ()
    """Of the accounts where to pay, those that are shown; none: all of the company."""

    brand: tuple = ()
    """(model, id) of the ``collection.content`` whose own logo or signature it bears; none: the company's."""


DEFAULT = StatementLayout()
