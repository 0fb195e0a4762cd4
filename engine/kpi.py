"""Key figures of collections: how fast money comes in, how much of it is late, what the work of people brings.

*How to use.* One function a figure, of totals that the caller has summed. Each returns a :class:`Figure`: its value, or
none and why. :data:`KPIS` says of each figure its unit and whether more of it is better; ``periods.py`` sets two
periods side by side.

*How it works.* Amounts are exact: integers in the smallest unit of a currency, or ``Decimal``; floats are refused. A
ratio is computed as a fraction and rounded once, to ``PLACES`` decimals, half away from zero. Where nothing can be
divided there is no value: no exception, and no zero, which would read as the best of all figures or the worst.

Sources: *CRF* is the Credit Research Foundation, whose glossary and papers on measuring receivables define DSO, best
possible DSO, ADD and CEI as credit departments use them; *textbook* marks what any textbook of financial analysis has.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

PLACES = 4
"""Decimals of a figure: more than anybody reads, so that differences of figures are true as well."""

DAYS, PERCENT, TIMES, COUNT, MONEY = "days", "percent", "times", "count", "money"
HIGHER, LOWER = "higher", "lower"

# Why there is no value.
NO_SALES = "no_sales"
NO_DAYS = "no_days"
SHORT_HISTORY = "short_history"
NOTHING_TO_COLLECT = "nothing_to_collect"
NO_RECEIVABLE = "no_receivable"
NOTHING_COLLECTED = "nothing_collected"
NOTHING_OWED = "nothing_owed"
NO_PROMISES = "no_promises"
NOBODY_CONTACTED = "nobody_contacted"
NO_ATTEMPTS = "no_attempts"
NO_WORK = "no_work"
NOTHING_INVOICED = "nothing_invoiced"
NO_CHECKS = "no_checks"
NO_SNAPSHOT = "no_snapshot"


class Figure(NamedTuple):
    """A value, or none and why: a dash with its reason on the screen."""

    value: Decimal | None
    why: str | None = None


class Kpi(NamedTuple):
    unit: str
    better: str
    """Whether more of it is better or less."""


class Month(NamedTuple):
    """What was sold in a month, or the part of it until the day that is looked at, and how many days that was."""

    sales: int | Decimal
    days: int


KPIS = {
    "dso": Kpi(DAYS, LOWER),
    "dso_countback": Kpi(DAYS, LOWER),
    "best_possible_dso": Kpi(DAYS, LOWER),
    "average_days_delinquent": Kpi(DAYS, LOWER),
    "collection_effectiveness": Kpi(PERCENT, HIGHER),
    "receivable_turnover": Kpi(TIMES, HIGHER),
    "on_time_count": Kpi(PERCENT, HIGHER),
    "on_time_amount": Kpi(PERCENT, HIGHER),
    "average_days_late": Kpi(DAYS, LOWER),
    "overdue_share": Kpi(PERCENT, LOWER),
    "ninety_plus_share": Kpi(PERCENT, LOWER),
    "promise_kept_count": Kpi(PERCENT, HIGHER),
    "promise_kept_amount": Kpi(PERCENT, HIGHER),
    "recontact_rate": Kpi(PERCENT, LOWER),
    "right_party_contact_rate": Kpi(PERCENT, HIGHER),
    "contacts_a_day": Kpi(COUNT, HIGHER),
    "promises_a_day": Kpi(COUNT, HIGHER),
    "collected_a_day": Kpi(MONEY, HIGHER),
    "hidden_credit_days": Kpi(DAYS, LOWER),
    "hidden_credit_amount": Kpi(MONEY, LOWER),
    "bounced_check_count": Kpi(PERCENT, LOWER),
    "bounced_check_amount": Kpi(PERCENT, LOWER),
}


# === How fast money comes in === #


def dso(receivable, sales, days: int) -> Figure:
    """Days sales outstanding: ``receivable / sales * days``, in days.

    How many days of sales are owed at the end of the period. CRF; textbook ("average collection period").

    :param receivable: balance at the end of the period
    :param sales: on credit, of the period, less credit notes
    :param days: of the period

    15,000 are owed after sales of 10,000 in 30 days:

    >>> dso(15_000, 10_000, 30)
    Figure(value=Decimal('45.0000'), why=None)
    >>> dso(15_000, 0, 30)
    Figure(value=None, why='no_sales')
    """
    return _of_sales(receivable, sales, days)


def best_possible_dso(current, sales, days: int) -> Figure:
    """Best possible DSO: ``current / sales * days``, in days: what the terms alone make, if nobody were late. CRF.

    :param current: what of the balance is not due yet

    >>> best_possible_dso(4_000, 10_000, 30).value
    Decimal('12.0000')
    """
    return _of_sales(current, sales, days)


def average_days_delinquent(receivable, current, sales, days: int) -> Figure:
    """ADD: ``DSO - best possible DSO``, in days: the part of DSO that being late makes. CRF.

    >>> average_days_delinquent(15_000, 4_000, 10_000, 30).value
    Decimal('33.0000')
    """
    return _of_sales(_exact(receivable) - _exact(current), sales, days)


def dso_countback(receivable, months: Iterable[Month]) -> Figure:
    """DSO by counting back (exhaustion): the days of the last months whose sales add up to the balance. CRF.

    The balance is taken from the sales of the newest month, then from those of the one before; each month that is used
    up counts with its real days, the last one with its part: ``its days * balance left / its sales``. Unlike ``dso`` it
    does not swing with the season. A month in which nothing was sold, or more was credited than sold, takes nothing off
    the balance and counts with its days.

    :param months: the newest first, as many as there are; read no further than needed

    Countback of 212,000 against 100,000, 80,000 and 70,000: two months, and 32,000 of the 70,000 of a third one:

    >>> dso_countback(212_000, [Month(100_000, 30), Month(80_000, 30), Month(70_000, 30)]).value
    Decimal('73.7143')

    With real days, March, February and January:

    >>> dso_countback(212_000, [Month(100_000, 31), Month(80_000, 28), Month(70_000, 31)]).value
    Decimal('73.1714')
    >>> dso_countback(300_000, [Month(100_000, 30), Month(80_000, 30), Month(70_000, 30)])
    Figure(value=None, why='short_history')
    >>> dso_countback(0, []).value
    Decimal('0.0000')
    """
    left, days = _exact(receivable), Fraction(0)
    for month in months:
        if left <= 0:
            break
        sales = _exact(month.sales)
        if sales >= left:
            return _figure(days + month.days * left / sales)
        left -= max(sales, 0)
        days += month.days
    return _figure(days) if left <= 0 else Figure(None, SHORT_HISTORY)


def collection_effectiveness(beginning, sales, ending, current) -> Figure:
    """CEI: ``(beginning + sales - ending) / (beginning + sales - current) * 100``, in percent.

    How much of what could be collected in the period was: 100 is all of it. CRF (with the National Association of
    Credit Management). Sales are those of this period alone, whatever its length.

    :param beginning: balance at the end of the day before the period
    :param sales: of the period
    :param ending: balance at the end of the period
    :param current: what of ``ending`` is not due yet

    >>> collection_effectiveness(400_000, 1_200_000, 350_000, 280_000).value
    Decimal('94.6970')
    >>> collection_effectiveness(0, 500, 500, 500)
    Figure(value=None, why='nothing_to_collect')
    """
    collectable = _exact(beginning) + _exact(sales)
    return _divide(100 * (collectable - _exact(ending)), collectable - _exact(current), NOTHING_TO_COLLECT)


def receivable_turnover(sales, beginning, ending) -> Figure:
    """How many times the receivable was turned into money: ``sales / ((beginning + ending) / 2)``. Textbook.

    Of the period's own length: four times a quarter's figure is about that of its year.

    >>> receivable_turnover(1_200_000, 400_000, 350_000).value
    Decimal('3.2000')
    >>> receivable_turnover(1_200_000, 0, 0)
    Figure(value=None, why='no_receivable')
    """
    return _divide(2 * _exact(sales), _exact(beginning) + _exact(ending), NO_RECEIVABLE)


# === How late === #


def collected_on_time(on_time, collected) -> Figure:
    """Percent of what was collected in the period that came by its effective due date. Textbook.

    By count, of the items that were paid off in the period; by amount, of the money that paid items in it, be it in
    part.

    >>> collected_on_time(3, 4).value, collected_on_time(250_00, 1000_00).value
    (Decimal('75.0000'), Decimal('25.0000'))
    >>> collected_on_time(0, 0)
    Figure(value=None, why='nothing_collected')
    """
    return _share(on_time, collected, NOTHING_COLLECTED)


def average_days_late(amount_days, collected) -> Figure:
    """Weighted average days late of what was collected: ``sum(amount * days late) / sum(amount)``, in days. CRF
    ("average days beyond terms").

    Who pays early is not late and makes up for no other delay: such days count as none, as in ``risk.py``.

    :param amount_days: sum of amounts times days late

    1,000 that came 10 days late and 3,000 on time:

    >>> average_days_late(1_000 * 10 + 3_000 * 0, 4_000).value
    Decimal('2.5000')
    >>> average_days_late(0, 0)
    Figure(value=None, why='nothing_collected')
    """
    return _divide(amount_days, collected, NOTHING_COLLECTED)


def overdue_share(overdue, owed) -> Figure:
    """Percent of what is owed that is past its effective due date, at the end of the period. CRF.

    Of the open items alone: credits that nobody applied yet make neither of both smaller. The same for what is more
    than 90 days late, or in any other bucket.

    >>> overdue_share(11_000, 15_000).value
    Decimal('73.3333')
    >>> overdue_share(0, 0)
    Figure(value=None, why='nothing_owed')
    """
    return _share(overdue, owed, NOTHING_OWED)


def hidden_credit_days(amount_days, invoiced) -> Figure:
    """Days that review dates add to the credit: ``sum(amount * days until the credit starts) / sum(amount)``, in days.

    Of the invoices of the period whose credit counts from a review or a delivery and not from their own date. This
    add-on's own figure: the terms say 30 days, the customer takes 30 and these.

    A week of waiting for 8,000 and none for 2,000:

    >>> hidden_credit_days(8_000 * 7, 10_000).value
    Decimal('5.6000')
    """
    return _divide(amount_days, invoiced, NOTHING_INVOICED)


def hidden_credit_amount(amount_days, days: int) -> Figure:
    """What the waiting of ``hidden_credit_days`` lends, on an average day of the period: ``sum(amount * days) / days``.

    >>> hidden_credit_amount(8_000 * 7, 28).value
    Decimal('2000.0000')
    """
    return _divide(amount_days, days, NO_DAYS)


# === What work brings === #


def promise_kept_rate(kept, judged) -> Figure:
    """Percent of the promises that were kept, of those that the ledger judged in the period. Textbook of collections.

    By count a promise that was kept in part was not kept; by amount what was paid of it counts. Cancelled ones are in
    neither.

    >>> promise_kept_rate(7, 10).value, promise_kept_rate(4_500, 6_000).value
    (Decimal('70.0000'), Decimal('75.0000'))
    """
    return _share(kept, judged, NO_PROMISES)


def recontact_rate(again, contacted) -> Figure:
    """Percent of the debtors contacted in the period that were contacted again before they paid anything.

    :param again: debtors with a second contact, after the first one and before the first receipt since
    :param contacted: debtors with a contact

    >>> recontact_rate(2, 8).value
    Decimal('25.0000')
    """
    return _share(again, contacted, NOBODY_CONTACTED)


def right_party_contact_rate(reached, attempts) -> Figure:
    """Percent of **all outgoing attempts** that reached who decides on the payment. Textbook of call centres.

    The denominator is every outgoing interaction, answered or not; some count answered ones alone, which gives a higher
    figure.

    >>> right_party_contact_rate(12, 40).value
    Decimal('30.0000')
    """
    return _share(reached, attempts, NO_ATTEMPTS)


def a_day(amount, collector_days: int) -> Figure:
    """Productivity: contacts, promises, or what was collected within some days of a contact, per collector and day.

    :param collector_days: days on which a collector logged something, summed over collectors

    Two collectors of whom one worked 20 days and the other 15 logged 420 contacts:

    >>> a_day(420, 20 + 15).value
    Decimal('12.0000')
    >>> a_day(0, 0)
    Figure(value=None, why='no_work')
    """
    return _divide(amount, collector_days, NO_WORK)


def bounced_check_rate(bounced, presented) -> Figure:
    """Percent of the checks presented to the bank in the period that it did not pay, by count or by amount.

    >>> bounced_check_rate(1, 20).value
    Decimal('5.0000')
    """
    return _share(bounced, presented, NO_CHECKS)


def amount(total) -> Figure:
    """A sum that is a figure of its own, such as the receivable.

    >>> amount(1_200).value
    Decimal('1200.0000')
    """
    return _figure(_exact(total))


# === Exact arithmetic === #


def _exact(number) -> Fraction:
    """A number as a fraction. :raise TypeError: of a float, which is no amount

    >>> _exact(0.1)
    Traceback (most recent call last):
    TypeError: 0.1 is not exact: give whole smallest units, or a Decimal.
    """
    if isinstance(number, float):
        raise TypeError(f"{number!r} is not exact: give whole smallest units, or a Decimal.")
    return Fraction(number)


def _figure(value: Fraction) -> Figure:
    """Rounded half away from zero.

    >>> _figure(Fraction(1, 20000)).value, _figure(Fraction(-1, 20000)).value, _figure(Fraction(2, 3)).value
    (Decimal('0.0001'), Decimal('-0.0001'), Decimal('0.6667'))
    """
    whole, rest = divmod(abs(value.numerator) * 10**PLACES, value.denominator)
    digits = whole + (2 * rest >= value.denominator)
    return Figure(Decimal(-digits if value < 0 else digits).scaleb(-PLACES))


def _divide(amount, by, why) -> Figure:
    by = _exact(by)
    return _figure(_exact(amount) / by) if by > 0 else Figure(None, why)


def _share(part, whole, why) -> Figure:
    return _divide(100 * _exact(part), whole, why)


def _of_sales(amount, sales, days) -> Figure:
    return _divide(_exact(amount) * days, sales, NO_SALES) if days > 0 else Figure(None, NO_DAYS)
