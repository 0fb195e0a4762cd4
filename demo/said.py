"""What was said with some customers: promises of every outcome, a payment plan, disputes, calls and visits."""

from datetime import datetime, time, timedelta
from typing import NamedTuple

from . import plan


class Said(NamedTuple):
    """A call or visit, so many days ago, with a customer that stands at this place of the company's list."""

    customer: int
    days_ago: int
    outcome: str
    note: str
    kind: str = "mail.mail_activity_data_call"
    promised: float = 0.0
    """Share of the oldest item that was promised, for ``promise_day`` days from today. What is left of it keeps the
    customer at the level that the plan has it at."""
    promise_day: int = 5
    instalments: int = 1
    paid: float = 0.0
    """Share of the promise that came since, as a payment on account."""
    disputed: float = 0.0
    """Share of the oldest item."""
    reason: str = "goods"
    ends: str = ""
    """What came of the dispute."""


VISIT = "account_collection.activity_type_visit"
CALLS = {
    plan.MX: (
        Said(3, 2, "promised", "Paga en la próxima corrida", promised=0.3),
        Said(8, 1, "promised", "Pide pagar en tres partes", promised=0.3, promise_day=7, instalments=3),
        Said(17, 12, "promised", "Transferencia el viernes", promised=0.2, promise_day=-6, paid=1.0),
        Said(24, 15, "promised", "Espera un pago de su cliente", promised=0.2, promise_day=-8, paid=0.4),
        Said(30, 14, "promised", "Dice que ya está programado", promised=0.2, promise_day=-7),
        Said(33, 4, "disputes", "Faltaron dos cajas", VISIT, disputed=0.3),
        Said(35, 9, "disputes", "El descuento no era el acordado", disputed=0.2, reason="price", ends="accept"),
        Said(38, 20, "disputes", "No reconoce el pedido", disputed=0.4, reason="order", ends="reject"),
        Said(5, 3, "no_answer", "Nadie contesta; se intenta por la tarde"),
        Said(12, 6, "documents", "Pide la orden de compra firmada"),
    ),
    plan.US: (
        Said(8, 1, "promised", "Check run on Thursday", promised=0.3),
        Said(10, 5, "disputes", "Two pallets damaged", disputed=0.3),
        Said(11, 2, "message", "Left a message with reception"),
    ),
}


def add_said(env, companies, partners, today):
    """Log the calls of both companies and judge what was promised."""
    for code, company in companies.items():
        company_env = env(context=dict(env.context, allowed_company_ids=company.ids, mail_activity_quick_update=True))
        customers = plan.customers_of(code)
        for said in CALLS[code]:
            _say(company_env, company, partners[customers[said.customer]].with_env(company_env), said, today)
        company_env["collection.promise"]._judge_company(company.with_env(company_env), today)


def _say(env, company, customer, said, today):
    day = today - timedelta(days=said.days_ago)
    (debtor,) = env["collection.debtor"]._get_or_create([(customer.id, company.id)]).values()
    values = {"debtor_id": debtor.id, "user_id": debtor.collector_id.id or env.uid}
    lines = env["account.move.line"].search(
        [
            *debtor._get_open_lines_domain(),
            ("amount_residual", ">", 0),
            ("currency_id", "=", company.currency_id.id),
            ("move_id.move_type", "=", "out_invoice"),
        ],
        order="date_maturity, id",
    )
    promises = _promise(env, company, values, said, lines, today) if said.promised and lines else None
    dispute = _dispute(env, values, said, lines[:1], today) if said.disputed and lines else None
    env["collection.interaction"].create(
        {
            **values,
            "date": datetime.combine(day, time(16)),
            "kind_id": env.ref(said.kind).id,
            "outcome_id": env.ref(f"account_collection.outcome_{said.outcome}").id,
            "note": said.note,
            "promise_ids": promises.ids if promises else [],
            "dispute_ids": dispute.ids if dispute else [],
        }
    )


def _promise(env, company, values, said, lines, today):
    amount = company.currency_id.round(lines[0].amount_residual * said.promised)
    made_on = today - timedelta(days=said.days_ago)
    terms = {
        **values,
        "amount": amount,
        "currency_id": company.currency_id.id,
        "made_on": made_on,
        "date": today + timedelta(days=said.promise_day),
    }
    promises = env["collection.promise"]._make_plan(terms, said.instalments, "week")
    if said.paid:
        payment = env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": promises.partner_id.id,
                "amount": company.currency_id.round(amount * said.paid),
                "date": made_on + timedelta(days=2),
                "journal_id": env["account.journal"]
                .search([("type", "=", "bank"), ("company_id", "=", company.id)], limit=1)
                .id,
            }
        )
        payment.action_post()
    return promises


def _dispute(env, values, said, line, today):
    dispute = env["collection.dispute"].create(
        {
            **values,
            "move_id": line.move_id.id,
            "amount": line.currency_id.round(line.amount_residual * said.disputed),
            "reason_id": env.ref(f"account_collection.dispute_reason_{said.reason}").id,
            "opened_on": today - timedelta(days=said.days_ago),
            "revisit_date": today + timedelta(days=3),
            "note": said.note,
        }
    )
    if said.ends:
        getattr(dispute, f"action_{said.ends}")()
    return dispute
