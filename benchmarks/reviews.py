"""Reviews: how many due dates a second the rules give, and what accepting many invoices at once costs.

How to use: ``measure(bench)`` with the :class:`work.Bench` of a loaded database; everything is rolled back.
"""

from datetime import date, datetime, timedelta

from odoo import fields

DATES = 100_000
FEW, MANY = 50, 500


def measure(bench):
    """Print the rows of the rules alone and of accepting 50 and 500 invoices."""
    bench.measured("due dates by the rules", _compute_due_dates, lambda count: count)
    for count in (FEW, MANY):
        invoices = _prepare(bench, count)
        moment = fields.Datetime.now()
        receipts = dict.fromkeys(invoices, f"CR-{count}")
        bench.measured(
            f"accept {count} reviews",
            lambda: invoices._register_review("accepted", moment, receipts),
            lambda _result: count,
        )
        bench.env.cr.rollback()


def _compute_due_dates():
    """Review and effective due date of deliveries on every hour of two years, for a hundred customers."""
    # Found once the configuration has told where add-ons are.
    from odoo.addons.account_collection.engine import windows

    holidays = frozenset(date(year, month, 16) for year in range(2026, 2036) for month in (2, 9, 11))
    schedules = [
        (
            windows.Schedule((windows.Window.weekly(number % 5, 9, 13),), holidays, on_holiday=kind),
            windows.Schedule((windows.Window.monthly(1 + number % 28),), holidays, on_holiday=kind),
        )
        for number in range(50)
        for kind in (windows.NEXT_WINDOW, windows.NEXT_BUSINESS_DAY)
    ]
    start = datetime(2026, 1, 1)
    for number in range(DATES):
        reviews, payments = schedules[number % len(schedules)]
        review = windows.review_date(reviews, start + timedelta(hours=number % 17_000))
        windows.effective_due_date(payments, review + timedelta(days=30))
    return DATES


def _prepare(bench, count):
    """Open invoices of many customers, each with windows of its own, waiting for their review."""
    env = bench.env
    term = env["account.payment.term"].create(
        {"name": "30 days", "line_ids": [fields.Command.create({"value_amount": 100, "nb_days": 30})]}
    )
    invoices = env["account.move"].search(
        [("company_id", "=", bench.company.id), ("move_type", "=", "out_invoice"), ("payment_state", "=", "not_paid")],
        limit=count,
        order="invoice_date, id",
    )
    env["collection.window"].create(
        [
            {"partner_id": partner.id, "purpose": purpose, "weekday": str((partner.id + shift) % 5)}
            for partner in invoices.commercial_partner_id
            for purpose, shift in (("review", 0), ("payment", 2))
        ]
    )
    invoices.commercial_partner_id.write({"collection_credit_basis": "review"})
    env.flush_all()
    env.cr.execute(
        """UPDATE account_move SET invoice_payment_term_id = %s, collection_credit_basis = 'review',
                  collection_review_state = 'pending', collection_planned_review_date = invoice_date
            WHERE id = ANY(%s)""",
        [term.id, invoices.ids],
    )
    env.invalidate_all()
    return invoices
