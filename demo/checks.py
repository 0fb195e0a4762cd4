"""Postdated checks of some customers, in every state, to be deposited around today.

The peso company keeps them as a memorandum; the dollar company books them in custody.
"""

from datetime import timedelta
from typing import NamedTuple

from . import plan
from .identifiers import clabe

BOUNCE = "Fondos insuficientes"


class Paper(NamedTuple):
    """A check and how far it got."""

    customer: int
    """Position among the customers of its company."""
    day: int
    """Day of its deposit, as days from today."""
    path: tuple = ("receive",)
    """Transitions since it was a draft: the name alone, or (name, day as days from today, reason)."""
    share: float = 1.0
    """Part of the customer's oldest open item that it is for; above 1 it pays more items, or is an advance."""
    values: dict = {}


RECEIVE = ("receive",)
PAPERS = {
    plan.MX: (
        Paper(0, 12, share=0.5),
        Paper(1, 5),
        Paper(4, 0),
        Paper(6, 0, share=2.5),
        Paper(10, 1),
        Paper(11, 2, share=0.6),
        Paper(13, -1),
        Paper(19, -6),
        Paper(14, 20, values={"protection": "bank", "protection_folio": "PB-204417"}),
        Paper(15, 3, values={"protection": "insured", "policy_number": "CH-88120", "authorisation_number": "551902"}),
        Paper(16, 4, (*RECEIVE, ("hold", 0, "El cliente pidió esperar su cobro a gobierno"))),
        Paper(20, -5, (*RECEIVE, ("hold", -4, "Firma por confirmar"))),
        Paper(2, 15, ()),
        Paper(7, 30, (), share=0.4),
        Paper(22, 35),
        Paper(29, 6, values={"face": -12, "place": "same"}),
        Paper(21, -2, (*RECEIVE, ("deposit", -2))),
        Paper(26, 0, (*RECEIVE, ("deposit", 0))),
        Paper(32, -10, (*RECEIVE, ("deposit", -10), ("clear", -8))),
        Paper(44, -15, (*RECEIVE, ("deposit", -14), ("clear", -12)), share=0.5),
        Paper(36, -3, (*RECEIVE, ("deposit", -3), ("bounce", -1, BOUNCE))),
        Paper(
            38, -20, (*RECEIVE, ("deposit", -20), ("bounce", -18, BOUNCE), ("take_to_court", -5, "Cuenta cancelada"))
        ),
        Paper(46, -9, (*RECEIVE, ("deposit", -9), ("bounce", -7, "Firma no coincide"), ("redeposit", -4))),
        Paper(28, 8, (*RECEIVE, ("return", -1, "Pagó por transferencia"))),
        Paper(23, 4, (*RECEIVE, ("replace", 0))),
        Paper(27, 9, (*RECEIVE, ("cancel", 0, "Capturado dos veces"))),
    ),
    plan.US: (
        Paper(0, 7),
        Paper(4, 0, share=1.2),
        Paper(5, 10, (*RECEIVE, ("hold", 0, "Customer changes banks"))),
        Paper(11, -1, (*RECEIVE, ("deposit", -1))),
        Paper(12, -5, (*RECEIVE, ("deposit", -5), ("bounce", -2, "Insufficient funds"))),
    ),
}
HELD_DAYS = 12
"""So long before its day, or before today, a check was received."""


def add_checks(env, companies, partners, today):
    """Set both companies up for checks and take each of the papers along its path."""
    banks = env["res.bank"].create([{"name": "Banco Sierra Alta"}, {"name": "Banco del Golfo"}])
    for code, company in companies.items():
        company_env = env(context=dict(env.context, allowed_company_ids=company.ids, mail_activity_quick_update=True))
        _set_up(company_env, company, booked=code == plan.US)
        customers = plan.customers_of(code)
        for number, paper in enumerate(PAPERS[code], start=1):
            customer = partners[customers[paper.customer]].with_env(company_env)
            check = _make_check(company_env, company, customer, paper, banks[number % 2], number, today)
            _go(check, paper, today)


def _set_up(env, company, booked):
    mexican = company.currency_id.name == "MXN"
    names = (
        ("Cheques en custodia", "Comisiones por cheques devueltos", "Penas por cheques devueltos")
        if mexican
        else ("Checks in Custody", "Fees of Bounced Checks", "Penalties of Bounced Checks")
    )
    types = (("105900", "asset_receivable"), ("609900", "expense"), ("409900", "income_other"))
    accounts = env["account.account"].create(
        [
            {"name": name, "code": code, "account_type": kind, "reconcile": kind == "asset_receivable"}
            for name, (code, kind) in zip(names, types, strict=True)
        ]
    )
    company.write(
        {
            "collection_check_in_custody_account": booked,
            "collection_check_custody_account_id": accounts[0].id,
            "collection_check_fee_account_id": accounts[1].id,
            "collection_check_penalty_account_id": accounts[2].id,
            "collection_check_journal_id": env["account.journal"]
            .search([("type", "=", "general"), ("company_id", "=", company.id)], limit=1)
            .id,
        }
    )


def _make_check(env, company, customer, paper, bank, number, today):
    """A draft for the customer's oldest open item in the company's currency, with its suggested allocation."""
    item = env["account.move.line"].search(
        [
            ("partner_id", "child_of", customer.id),
            ("company_id", "=", company.id),
            ("account_id.account_type", "=", "asset_receivable"),
            ("parent_state", "=", "posted"),
            ("reconciled", "=", False),
            ("balance", ">", 0),
            ("currency_id", "=", company.currency_id.id),
        ],
        order="date_maturity, id",
        limit=1,
    )
    received = min(today, today + timedelta(days=paper.day)) - timedelta(days=HELD_DAYS)
    values = dict(paper.values)
    face = values.pop("face", paper.day)
    if values.get("protection") == "insured":
        values["amount_covered"] = round(item.amount_residual * paper.share * 0.8, 2)
    check = env["account.postdated.check"].create(
        {
            "number": f"{4100 + 37 * number:06d}",
            "bank_id": bank.id,
            "account_number": clabe("225", f"{70012345 + 911 * number:011d}"),
            "partner_id": customer.id,
            "company_id": company.id,
            "currency_id": company.currency_id.id,
            "amount": round(item.amount_residual * paper.share, 2),
            "receipt_date": received,
            "face_date": today + timedelta(days=face),
            "deposit_date": today + timedelta(days=paper.day),
            "place": "other" if number % 4 == 0 else "same",
            **values,
        }
    )
    check.action_suggest()
    return check


def _go(check, paper, today):
    """Take a check along its path."""
    for step in paper.path:
        name, day, *reason = (step, 0) if isinstance(step, str) else step
        date = today + timedelta(days=day)
        if name == "receive":
            check._receive()
        elif name == "bounce":
            check._bounce(date, reason[0], fee=check.company_id.currency_id.round(0.02 * min(check.amount, 10000)))
        elif name == "replace":
            later = today + timedelta(days=8)
            check._replace(
                date,
                {
                    "number": f"{int(check.number) + 1:06d}",
                    "receipt_date": date,
                    "face_date": later,
                    "deposit_date": later,
                },
            )
        else:
            getattr(check, f"_{name}")(date, *reason)
