"""How a statement is laid out and what it shows, apart from its figures."""

from datetime import date
from typing import NamedTuple


class Documents(NamedTuple):
    """Which of the open items of a customer are spoken of. Dates and journals choose among invoices and credit notes:
    neither a payment nor a check has an invoice date or a sales journal."""

    first: date | None = None
    last: date | None = None
    journal_ids: tuple[int, ...] = ()
    """Of any, where there is none."""
    credits: bool = True
    """Payments and credit notes that are not allocated yet."""
    checks: bool = True
    """Checks in custody, and what they cover."""


EVERYTHING = Documents()


class StatementLayout(NamedTuple):
    """What a level or a campaign chooses of the statement that it sends; by default, what the debtor's own form prints.

    Equal layouts are read and prepared together: one query for all their debtors.
    """

    bank_account_ids: tuple = ()
    """Of the accounts where to pay, those that are shown; none: all of the company."""

    brand: tuple = ()
    """(model, id) of the ``collection.content`` whose own logo or signature it bears; none: the company's."""

    documents: Documents = EVERYTHING
    deliveries: bool = False
    """Also what was delivered and not invoiced yet."""

    # Of a letter alone, whatever else the content sends.
    address_window: str = ""
    signature_line: bool = False


DEFAULT = StatementLayout()
