"""The dashboard, aging, what works and what is expected: what reports of many notices and many open items cost.

How to use: ``measure(bench)`` with the :class:`work.Bench` of a loaded database; everything is rolled back.
"""

from odoo import fields

RUNS = 5
TELL = """
    UPDATE collection_notice
       SET state = 'sent', sent_on = %(today)s::date - 60 + id %% 50, date = %(today)s::date - 60 + id %% 50"""


def measure(bench):
    """Print the rows of the dashboard and what the night keeps for it, of aging and of the other reports."""
    env, company = bench.env, bench.company
    days, dashboard = env["collection.ledger.day"], env["collection.dashboard"]
    bench.measured("keep the days of the ledger", lambda: days._refresh(company), lambda _result: days.search_count([]))
    bench.measured("dashboard", dashboard.get_data, lambda _result: bench.debtors(), RUNS)
    for name, ago in (("aging by debtor", 0), ("aging by debtor, a year ago", 365)):
        aging = env["collection.aging"].create({"as_of": fields.Date.subtract(bench.today, days=ago)})
        bench.measured(name, aging._fill, lambda _result, aging=aging: len(aging.line_ids))
    snapshots = env["collection.snapshot"]
    bench.measured("rebuild the history of 12 months", lambda: snapshots._rebuild(company), lambda _result: 12)
    rows, plan, forecasts = env["collection.effect.line"], env["collection.cash.plan"], env["collection.forecast"]
    # As if all that waits had left during the last weeks.
    env.cr.execute(TELL, {"today": bench.today})
    report = env["collection.effect"].create({"company_id": company.id})
    bench.measured("what works", report._fill, lambda _result: sum(report.line_ids.mapped("sent")))
    bench.measured("what is expected in 13 weeks", lambda: plan._get_weeks(company, []), len)
    bench.measured("keep a forecast", forecasts._keep, lambda _result: forecasts.search_count([]))
    env.cr.execute(
        "UPDATE collection_forecast SET made_on = made_on - 91, made_week = made_week - 91, week = week - 91"
    )
    accuracy = env["collection.forecast.report"]
    bench.measured("forecast accuracy", lambda: accuracy.search([]).mapped("received"), len)
    rows.invalidate_model()
    env.cr.rollback()
