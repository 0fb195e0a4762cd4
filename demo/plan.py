"""Who buys what, when it falls due and when it is paid, without Odoo and without a date.

*What it is.* A list of bills (invoices and credit notes) and of receipts for each company. Days are counted back from
today: 30 is thirty days ago, -7 is in seven days.

*How to use.* ``make_plan()`` returns the :class:`Plan` of both companies; the same call gives the same plan.

*How it works.* Each debtor has a standing: the days that its oldest open item is past due today. Its bills lie at
regular distances before and after that item; what was due earlier is paid, the item itself and what follows is open.
The standings put customers exactly on each step of the ladder, so that the night of the installation has something to
say at every level, and others between the steps.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from . import people

SEED = "collections"
YEAR = 365
RECENT = 40
"""Bills that are not older than so many days are paid one by one."""
MX, US = "mx", "us"
SETTLED = None
"""Standing of who owes nothing."""

# Days past due of the oldest open item of each debtor of the company, in the order of its customers.
STANDINGS = {
    MX: (
        (-7, -7, -7, -7, -4, -4, -1, -1, -1, 0, 0, 0, 0, 1, 3, 3, 3, 3, 3, 7, 7, 9, 15, 15, 15, 15, 21, 21)
        + (30, 30, 30, 30, 44, 44, 60, 60, 60, 75, 75, 120, SETTLED, SETTLED, SETTLED, SETTLED, -20, -20)
        + (30, 12, 15, -20)
    ),
    US: (3, -7, SETTLED, 30, 15, 0, -1, 60, 3, 0, 15, 8, 45, -20),
}
# What is special about some debtors of the peso company, by their position in ``people.CUSTOMERS``.
ON_ACCOUNT = {4: (9, 3_000), 13: (3, 1_500), 27: (12, 5_000), 41: (20, 8_000), 47: (5, 120_000)}
"""Customer: (day, amount) of a payment that was not applied; the last one paid more than it owes."""
SHORT = {42: 12.5}
"""Customer: what is missing of its last payment, less than the company's tolerance."""
OPEN_CREDITS = (15, 30)
"""Customers with a credit note that was not applied."""
NO_DUN = {21: "Mercancía en revisión de calidad", 32: "Falta la orden de compra del cliente"}
"""Customer: why its oldest open invoice is not dunned."""

TERMS = ((30,), (30,), (45,), (30,), (60,), (30,))
INSTALMENTS = (30, 60, 90)
PRICES = {MX: (6_000, 90_000), US: (900, 14_000)}


class Bill(NamedTuple):
    """An invoice or a credit note."""

    key: str
    customer: int
    """Position in ``people.CUSTOMERS``."""
    day: int
    terms: tuple
    """Days from its date to the due date of each instalment."""
    amount: float
    currency: str
    order: str
    """The customer's purchase order."""
    credits: str = ""
    """Of a credit note: the key of its invoice."""
    applied: bool = True
    """Of a credit note: whether it was set off against its invoice."""
    no_dun: str = ""
    """Why this invoice is not dunned."""

    def due_days(self):
        """Days past due of each instalment today."""
        return tuple(self.day - days for days in self.terms)


class Receipt(NamedTuple):
    """Money from a customer."""

    customer: int
    day: int
    currency: str
    pays: tuple = ()
    """(key of a bill, position of its instalment, share of what is open of it) of everything that it pays."""
    on_account: float = 0
    """What no bill is paid with."""
    short: float = 0
    """By how much less than planned the customer paid."""


class Plan(NamedTuple):
    bills: list
    receipts: list


def make_plan():
    """Return ``{company: Plan}``, each in the order of its days, the oldest first.

    >>> plan = make_plan()
    >>> plan == make_plan(), sum(len(company.bills) for company in plan.values()) > 480
    (True, True)
    """
    return {company: _plan_company(company) for company in (MX, US)}


def customers_of(company):
    """Positions of the customers of a company in ``people.CUSTOMERS``."""
    mexican, shared = len(people.MEXICAN), len(people.SHARED)
    return range(mexican + shared) if company == MX else range(mexican, len(people.CUSTOMERS))


def instalments(company):
    """Positions of the customers that pay by instalments."""
    return customers_of(company)[3::13]


def in_dollars(company):
    """Positions of the customers of the peso company that are invoiced in dollars."""
    return customers_of(company)[5::9] if company == MX else ()


def _plan_company(company):
    bills, receipts = [], []
    for customer, standing in zip(customers_of(company), STANDINGS[company], strict=True):
        plan = _plan_debtor(company, customer, standing)
        if company == MX:
            plan = _make_special(customer, standing, plan)
        bills += plan.bills
        receipts += plan.receipts
    return Plan(sorted(bills, key=lambda bill: -bill.day), sorted(receipts, key=lambda receipt: -receipt.day))


def _plan_debtor(company, customer, standing):
    rng = Random(f"{SEED}-{company}-{customer}")
    by_instalments = customer in instalments(company)
    terms = INSTALMENTS if by_instalments else TERMS[customer % len(TERMS)]
    late = rng.choice((1, 3, 6, 12, 20, 35))
    bills, receipts = [], []
    for number, day in enumerate(_days(rng, terms, standing, by_instalments)):
        bill = _make_bill(rng, company, customer, number, day, terms)
        bills.append(bill)
        open_items = []
        for position, due in enumerate(bill.due_days()):
            if standing is SETTLED or due > standing:
                paid = max(1, due - rng.randint(0, late))
                receipts.append(Receipt(customer, paid, bill.currency, ((bill.key, position, 1.0),)))
            else:
                open_items.append(position)
        if not open_items:
            bills += _credit_note(rng, bill, 0.12)
        elif rng.random() < 0.22:
            share = rng.choice((0.25, 0.4, 0.5, 0.6))
            paid = rng.randint(1, max(1, min(bill.day - 1, 25)))
            receipts.append(Receipt(customer, paid, bill.currency, ((bill.key, open_items[0], share),)))
    if rng.random() < 0.5:
        receipts = _join_pairs(receipts)
    return Plan(bills, receipts)


def _days(rng, terms, standing, by_instalments):
    """Days of the bills, one of which has an instalment that is ``standing`` days past due today."""
    gap = rng.randint(41, 50)
    if by_instalments:
        gap = rng.randint(70, 82)
    reference = (standing if standing is not SETTLED else rng.randint(8, 20)) + terms[len(terms) // 2]
    days, day = [], reference
    while standing is not SETTLED and day - gap >= 1:
        day -= gap
        days.append(day)
    day = reference
    while day <= YEAR - 2:
        days.append(day)
        day += gap + rng.randint(-4, 4)
    return sorted(days, reverse=True)


def _make_bill(rng, company, customer, number, day, terms):
    low, high = PRICES[company]
    currency = "USD" if company == US or (customer in in_dollars(company) and number % 2) else "MXN"
    amount = rng.triangular(low, high, low * 2)
    if company == MX and currency == "USD":
        amount /= 15
    order = f"OC-{customer + 21}{number + 4:02d}" if rng.random() < 0.6 else ""
    return Bill(f"{company}-{customer}-{number}", customer, day, terms, round(amount, -1), currency, order)


def _credit_note(rng, bill, likelihood):
    """A credit note for goods sent back soon after the bill, or none."""
    if rng.random() >= likelihood or bill.day < 20:
        return []
    amount = round(bill.amount * rng.choice((0.05, 0.1, 0.2)), 2)
    return [
        bill._replace(
            key=f"{bill.key}-credit",
            day=bill.day - rng.randint(4, 9),
            terms=(0,),
            amount=amount,
            credits=bill.key,
            order="",
        )
    ]


def _join_pairs(receipts):
    """The customer paid its old bills two by two, with one transfer when the second was paid."""
    old = sorted((receipt for receipt in receipts if receipt.day > RECENT), key=lambda receipt: -receipt.day)
    joined = [receipt for receipt in receipts if receipt.day <= RECENT]
    while old:
        first = old.pop(0)
        if old and old[0].currency == first.currency:
            second = old.pop(0)
            first = second._replace(pays=first.pays + second.pays)
        joined.append(first)
    return joined


def _make_special(customer, standing, plan):
    """What the first lines of this module say of some customers."""
    bills, receipts = list(plan.bills), list(plan.receipts)
    if customer in ON_ACCOUNT:
        day, amount = ON_ACCOUNT[customer]
        receipts.append(Receipt(customer, day, "MXN", on_account=amount))
    if customer in SHORT:
        last = min(receipts, key=lambda receipt: receipt.day)
        receipts[receipts.index(last)] = last._replace(short=SHORT[customer])
    if customer in OPEN_CREDITS:
        bill = max((bill for bill in bills if not bill.credits), key=lambda bill: bill.day)
        amount = round(bill.amount * 0.05, 2)
        bills.append(
            bill._replace(
                key=f"{bill.key}-open", day=18, terms=(0,), amount=amount, credits=bill.key, order="", applied=False
            )
        )
    if customer in NO_DUN:
        late = next(bill for bill in bills if standing in bill.due_days())
        bills[bills.index(late)] = late._replace(no_dun=NO_DUN[customer])
    return Plan(bills, receipts)
