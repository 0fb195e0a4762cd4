"""What ``make demo`` does inside Odoo: one nightly run, its dispatch, the mail queue, and a table of the outcome.

How to use, in an Odoo shell: ``from odoo.addons.account_collection.tools.demo_run import main; main(env, url)``.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from . import table

COLUMNS = ("customer", "level", "channel", "amount", "recipient", "state")
ROUNDS = 20


@contextmanager
def crons_held(env) -> Iterator[None]:
    """Keep the server's own cron threads off the add-on's jobs and the mail queue: they skip rows that are locked."""
    with env.registry.cursor() as cursor:
        cursor.execute(
            """SELECT id FROM ir_cron
                WHERE id IN (SELECT res_id FROM ir_model_data
                              WHERE model = 'ir.cron' AND module IN ('account_collection', 'mail'))
                  FOR NO KEY UPDATE"""
        )
        yield


def run_night(env) -> None:
    """Run the nightly job, then dispatch and the mail queue until nothing is left to do."""
    env["collection.run"]._cron_nightly()
    env.cr.commit()
    for _round in range(ROUNDS):
        left = _unfinished(env)
        env["collection.notice"]._cron_dispatch()
        env.cr.commit()
        env["mail.mail"].process_email_queue()
        env.cr.commit()
        env.invalidate_all()
        if _unfinished(env) == left:
            break


def _unfinished(env) -> tuple[int, int]:
    """Return how many notices and mails wait."""
    return (
        env["collection.notice"].search_count([("state", "=", "queued")]),
        env["mail.mail"].search_count([("state", "=", "outgoing")]),
    )


def notice_rows(env, company) -> list[tuple[str, ...]]:
    """Return a company's notices of today as rows of :data:`COLUMNS`."""
    notices = env["collection.notice"].search(
        [("date", "=", company._get_collection_today()), ("company_id", "=", company.id)]
    )
    rows = []
    for notice in notices.sorted(lambda notice: (notice.debtor_id.display_name, notice.id)):
        state = f"{notice.state}: {notice.reason}" if notice.reason else notice.state
        amount = f"{notice.amount:,.2f} {notice.currency_id.name}"
        recipient = notice.recipient or "-"
        rows.append(
            (notice.debtor_id.display_name, notice.level_id.name or "-", notice.channel, amount, recipient, state)
        )
    return rows


def print_company(env, company) -> Counter:
    """Print what the night did for a company and return how many notices are in each state."""
    rows = notice_rows(env, company)
    today = company._get_collection_today()
    runs = env["collection.run"].search([("date", "=", today), ("company_id", "=", company.id)])
    remarks = "; ".join(run.remark for run in runs if run.remark)
    print(f"\n{company.name}{f' ({remarks})' if remarks else ''}")
    print(table.text(COLUMNS, rows, right=("amount",)) if rows else "nobody had to hear from it")
    return Counter(row[-1].partition(":")[0] for row in rows)


def main(env, url: str) -> None:
    """Run the night on this database and print what it did.

    :param url: where this database is served; links in mails and assets of PDFs point there
    """
    parameters = env["ir.config_parameter"].sudo()
    for name in ("web.base.url", "report.url"):
        parameters.set_param(name, url)
    env.cr.commit()
    started = time.monotonic()
    with crons_held(env):
        run_night(env)
    seconds = time.monotonic() - started
    states = Counter()
    for company in env["res.company"].search([]):
        states.update(print_company(env, company))
    counts = ", ".join(f"{count} {state}" for state, count in states.most_common()) or "nothing was due"
    print(f"\nThe night took {seconds:.1f} s. Today: {counts}.")
