"""How a statement is laid out and what it shows, apart from its figures."""

from typing import NamedTuple


class StatementLayout(NamedTuple):
    """What a level or a campaign chooses of the statement that it sends; by default, what the debtor's own form prints.

    Equal layouts are read and prepared together: one query for all their debtors.
    """


DEFAULT = StatementLayout()
