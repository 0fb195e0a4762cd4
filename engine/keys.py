"""Keys: the text that makes a message unique in the database, and a tax ID comparable to others."""

from datetime import date


def notice_key(company_id: int, debtor_id: int, what: str, period: date, channel: str) -> str:
    """One message about one thing, in one period, through one channel, to one debtor.

    >>> notice_key(1, 42, "dunning", date(2026, 11, 21), "mail")
    '1:42:dunning:2026-11-21:mail'
    """
    return f"{company_id}:{debtor_id}:{what}:{period.isoformat()}:{channel}"


def tax_key(text: str | None) -> str:
    """A tax ID as it compares to others, however it is written.

    >>> tax_key("xaxx-010101 000")
    'XAXX010101000'
    """
    return "".join(letter for letter in text or "" if letter.isalnum()).upper()
