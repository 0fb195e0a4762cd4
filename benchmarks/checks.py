"""Postdated checks: what depositing many of them at once costs.

How to use: ``measure(bench)`` with the :class:`work.Bench` of a loaded database; everything is rolled back.
"""

from odoo import fields

FEW, MANY = 100, 1000


def measure(bench):
    """Print the rows of depositing 100 and 1,000 checks in one action."""
    for count in (FEW, MANY):
        received = _receive(bench, count)
        name = f"deposit {count} checks"
        bench.measured(name, lambda found=received: found._deposit(bench.today), lambda _result, count=count: count)
        bench.env.cr.rollback()


def _receive(bench, count):
    """Checks in custody, each for all that is open of an invoice of its own."""
    env = bench.env
    items = env["account.move.line"].search(
        [
            ("company_id", "=", bench.company.id),
            ("account_id.account_type", "=", "asset_receivable"),
            ("parent_state", "=", "posted"),
            ("reconciled", "=", False),
            ("balance", ">", 0),
            ("currency_id", "=", bench.company.currency_id.id),
        ],
        limit=count,
        order="id",
    )
    bank = env["res.bank"].create({"name": "Bank of the benchmark"})
    journal = env["account.journal"].search([("company_id", "=", bench.company.id), ("type", "=", "bank")], limit=1)
    received = env["account.postdated.check"].create(
        [
            {
                "number": str(number),
                "bank_id": bank.id,
                "partner_id": item.partner_id.id,
                "company_id": bench.company.id,
                "currency_id": item.currency_id.id,
                "amount": item.amount_residual_currency,
                "receipt_date": bench.today,
                "face_date": bench.today,
                "deposit_date": bench.today,
                "journal_id": journal.id,
                "line_ids": [fields.Command.create({"move_line_id": item.id, "amount": item.amount_residual_currency})],
            }
            for number, item in enumerate(items)
        ]
    )
    received._receive()
    env.flush_all()
    return received
