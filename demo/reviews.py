"""Customers that review invoices before their credit counts, with invoices on each step of the way."""

from datetime import date, datetime, time, timedelta
from typing import NamedTuple

import pytz
from dateutil.relativedelta import MO, relativedelta

from odoo import Command

REVIEW, PAYMENT = "review", "payment"


def _weekly(purpose, weekday, start=0, end=24):
    return {"purpose": purpose, "weekday": str(weekday), "hour_from": start, "hour_to": end}


class Reviewer(NamedTuple):
    """How a customer of the peso company receives and pays."""

    windows: tuple
    place: str
    documents: tuple = ("order", "delivery")
    on_holiday: str = "next_window"
    basis: str = "review"
    portal: str = ""


REVIEWERS = {
    3: Reviewer((_weekly(REVIEW, 0, 9, 13), _weekly(PAYMENT, 4)), "Recepción de facturas, planta baja"),
    9: Reviewer(
        (_weekly(REVIEW, 1, 10, 12), _weekly(REVIEW, 3, 10, 12), {"purpose": PAYMENT, "kind": "month_end"}),
        "Cuentas por pagar, segundo piso",
        on_holiday="next_business_day",
    ),
    18: Reviewer(
        (_weekly(REVIEW, 2, 9, 14), {"purpose": PAYMENT, "kind": "month_day", "month_day": 15}),
        "Almacén general, andén 3",
        documents=("order", "delivery", "xml"),
    ),
    26: Reviewer(
        (
            {"purpose": REVIEW, "kind": "nth_weekday", "nth": "1", "weekday": "1", "hour_from": 9, "hour_to": 13},
            {"purpose": REVIEW, "kind": "nth_weekday", "nth": "3", "weekday": "1", "hour_from": 9, "hour_to": 13},
            _weekly(PAYMENT, 4),
        ),
        "Oficina de obra",
        documents=("order", "xml"),
    ),
    31: Reviewer((_weekly(PAYMENT, 3),), "", basis="delivery", portal="https://proveedores.comaldebarro.example"),
}
STEPS = (
    # Days ago that it was invoiced, what came of its review, amount.
    (40, "accepted", 18450.00),
    (26, "accepted", 9320.50),
    (12, "rejected", 27105.75),
    (6, "submitted", 12880.00),
    (2, "pending", 15660.40),
)


def add_holidays(env, company, today):
    """Mexico's public holidays of this year and the next one, in the company's working hours."""
    zone = pytz.timezone("America/Mexico_City")
    values = []
    for year in (today.year, today.year + 1):
        mondays = (date(year, 2, 1) + relativedelta(weekday=MO), date(year, 3, 1) + relativedelta(weekday=MO(3)))
        mondays += (date(year, 11, 1) + relativedelta(weekday=MO(3)),)
        fixed = (date(year, 1, 1), date(year, 5, 1), date(year, 9, 16), date(year, 12, 25))
        for day in (*fixed, *mondays):
            first = zone.localize(datetime.combine(day, time.min)).astimezone(pytz.utc).replace(tzinfo=None)
            values.append(
                {
                    "name": "Día festivo",
                    "calendar_id": company.resource_calendar_id.id,
                    "date_from": first,
                    "date_to": first + timedelta(days=1, seconds=-1),
                }
            )
    env["resource.calendar.leaves"].create(values)


def add_reviews(env, company, partners, term, today):
    """Give the reviewers their days, and each of them invoices on the steps that its days allow."""
    env = env(context=dict(env.context, allowed_company_ids=company.ids))
    add_holidays(env, company, today)
    documents = {name: env.ref(f"account_collection.review_document_{name}") for name in ("order", "delivery", "xml")}
    for index, reviewer in REVIEWERS.items():
        customer = partners[index].with_env(env).with_company(company)
        customer.write(_prepare_customer(reviewer, documents, term))
        for number, (day, result, amount) in enumerate(STEPS):
            invoice = _post_invoice(env, customer, today - timedelta(days=day), amount + 137 * index)
            _register(invoice, result, today, f"CR-{1000 + 10 * index + number}")
    # Their older invoices stay as they were.
    env["collection.debtor"].search([("company_id", "=", company.id)]).write({"recompute_offered": False})


def _prepare_customer(reviewer, documents, term):
    return {
        "collection_credit_basis": reviewer.basis,
        "collection_window_ids": [Command.create(window) for window in reviewer.windows],
        "collection_review_on_holiday": reviewer.on_holiday,
        "collection_payment_on_holiday": reviewer.on_holiday,
        "collection_review_place": reviewer.place,
        "collection_portal_url": reviewer.portal,
        "collection_review_document_ids": [Command.set([documents[name].id for name in reviewer.documents])],
        "property_payment_term_id": term.id,
    }


def _post_invoice(env, customer, day, amount):
    invoice = env["account.move"].create(
        {
            "move_type": "out_invoice",
            "partner_id": customer.id,
            "invoice_date": day,
            "ref": f"OC-{day:%m%d}-{customer.ref}",
            "invoice_line_ids": [Command.create({"name": "Material surtido", "quantity": 1, "price_unit": amount})],
        }
    )
    invoice.action_post()
    return invoice


def _register(invoice, result, today, receipt):
    """What came of the review at 11 o'clock of its planned day; nothing where that day is still to come."""
    if invoice.collection_credit_basis == "delivery":
        result = "submitted" if result == "accepted" else "pending"
        day = invoice.invoice_date + timedelta(days=3)
    else:
        customer = invoice.commercial_partner_id
        days = customer._get_customer_days(invoice.company_id)[customer]
        first = days.first_review(datetime.combine(invoice.invoice_date, time.min))
        day = invoice.invoice_date if result == "submitted" else first
    if result == "pending" or day >= today:
        return
    timezone = invoice.commercial_partner_id._get_collection_timezone(invoice.company_id)
    moment = timezone.localize(datetime.combine(day, time(11))).astimezone(pytz.utc).replace(tzinfo=None)
    receipts = {invoice: receipt} if result == "accepted" else None
    reason = "Falta el sello de almacén en la orden de compra" if result == "rejected" else None
    invoice._register_review(result, moment, receipts, reason)
