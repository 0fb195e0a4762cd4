"""Dedupe keys: the text that makes a message unique in the database."""

from datetime import date


def notice_key(company_id: int, debtor_id: int, what: str, period: date, channel: str) -> str:
    """One message about one thing, in one period, through one channel, to one debtor.

    >>> notice_key(1, 42, "dunning", date(2026, 11, 21), "mail")
    '1:42:dunning:2026-11-21:mail'
    """
    return f"{company_id}:{debtor_id}:{what}:{period.isoformat()}:{channel}"
