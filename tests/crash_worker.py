"""A process that works on one database and may be killed: run by the tests of crashes and of installing.

How to use: see :class:`..crash_common.Worker`. It reads one JSON object per line, ``{"do": name, ...arguments}``, and
does each in a forked child of its own; the child writes ``{"pid": ...}`` when it begins and
``{"pid": ..., "result": ...}`` or ``{"pid": ..., "error": ...}`` when it ends. A child given ``kill_at`` kills itself
(SIGKILL: no handler, no rollback, no goodbye) at that statement or commit, counted from its start.
"""

import itertools
import json
import os
import signal
import sys
import traceback
from datetime import timedelta

import odoo
from odoo import SUPERUSER_ID, api, fields
from odoo.modules.registry import Registry

ITEM = 1000.0
LOCK_TIMEOUT = "3s"


def environment(cr):
    return api.Environment(cr, SUPERUSER_ID, {})


# === Filling === #


def prepare_company(env):
    """A company that can invoice, with an address to send from."""
    company = env.company
    if not company.chart_template:
        env["account.chart.template"].try_loading("generic_coa", company=company, install_demo=False)
    company.partner_id.email = "collections@company.example.com"
    return company


def make_invoice(env, partner, days=5, amount=ITEM, post=True, **values):
    today = fields.Date.context_today(env.user)
    move = env["account.move"].create(
        {
            "move_type": "out_invoice",
            "partner_id": partner.id,
            "invoice_date": today - timedelta(days=400),
            "invoice_date_due": today - timedelta(days=days),
            "invoice_payment_term_id": False,
            "invoice_line_ids": [(0, 0, {"name": "Goods", "price_unit": amount, "tax_ids": [(5, 0, 0)]})],
            **values,
        }
    )
    if post:
        move.action_post()
    return move


def copy_rows(env, table, source_id, ids, changes):
    """Insert one copy of a row for each of ``ids``. :param changes: ``{column: SQL expression of new.id, new.n}``"""
    env.cr.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s", [table]
    )
    changes = {"id": "new.id", **changes}
    columns = [column for (column,) in env.cr.fetchall()]
    names = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(changes.get(column, f'source."{column}"') for column in columns)
    env.cr.execute(
        f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} source, "
        "unnest(%s::int[]) WITH ORDINALITY AS new(id, n) WHERE source.id = %s ORDER BY new.n",
        [ids, source_id],
    )


def new_ids(env, table, count):
    env.cr.execute(f"SELECT nextval('{table}_id_seq') FROM generate_series(1, %s)", [count])
    return [row_id for (row_id,) in env.cr.fetchall()]


def fill(env, customers, invoices, days=None):
    """``customers`` with ``invoices`` of ITEM each, dealt out in turn: one of each by Odoo, the others copied by SQL.

    :param days: days past due of every invoice; by default they are spread from 20 days ahead to 99 late
    """
    prepare_company(env)
    partner = env["res.partner"].create(
        {"name": "Customer 0", "email": "customer.0@customer.example.com", "is_company": True, "customer_rank": 1}
    )
    move = make_invoice(env, partner, days=5 if days is None else days)
    env.flush_all()
    partner_ids = new_ids(env, "res_partner", customers - 1)
    name = "'Customer ' || new.n"
    copy_rows(
        env,
        "res_partner",
        partner.id,
        partner_ids,
        {
            "name": name,
            "complete_name": name,
            "commercial_partner_id": "new.id",
            **dict.fromkeys(("email", "email_normalized"), "'customer.' || new.n || '@customer.example.com'"),
        },
    )
    everyone = [partner.id, *partner_ids]
    move_ids = new_ids(env, "account_move", invoices - 1)
    owner = f"(ARRAY[{','.join(map(str, everyone))}])[1 + new.n %% {customers}]"
    due = f"CURRENT_DATE - {days if days is not None else '(new.n * 7 %% 120)::int + 20'}"
    copy_rows(
        env,
        "account_move",
        move.id,
        move_ids,
        {
            "name": "source.name || '-' || new.n",
            **dict.fromkeys(("partner_id", "commercial_partner_id", "partner_shipping_id"), owner),
            "invoice_date_due": due,
            "payment_reference": "source.name || '-' || new.n",
            "access_token": "NULL",
        },
    )
    for line in move.line_ids:
        copy_rows(
            env,
            "account_move_line",
            line.id,
            new_ids(env, "account_move_line", invoices - 1),
            {
                "move_id": f"(ARRAY[{','.join(map(str, move_ids))}])[new.n]",
                "move_name": "source.move_name || '-' || new.n",
                "partner_id": owner,
                "date_maturity": due if line.date_maturity else "NULL",
            },
        )
    return {"partners": len(everyone), "moves": len(move_ids) + 1}


# === What the tests ask for === #


def do_fill(cr, **arguments):
    return fill(environment(cr), **arguments)


def do_queue(cr, attach_statement=False, bad=False):
    """A night; with ``bad`` the text of one notice cannot be built. Returns the number of queued notices."""
    env = environment(cr)
    policy = env.ref("account_collection.policy_default")
    policy.requires_approval = False
    policy.level_ids.attach_statement = attach_statement
    env["collection.run"]._cron_nightly()
    queued = env["collection.notice"].search([("state", "=", "queued")], order="id")
    if bad:
        victim = queued[len(queued) // 2]
        victim.level_id.template_id.body_html = (
            f"<p t-out='1 / 0 if object.id == {victim.id} else object.partner_id.name'/>"
        )
    return len(queued)


def do_schedule_campaign(cr, customers):
    """A campaign to the customers whose names begin so, the time of which has just come; returns how many they are."""
    env = environment(cr)
    # What was copied by SQL made no debtors.
    env["collection.debtor"]._refresh_balances()
    campaign = env["collection.campaign"].create(
        {
            "name": f"Statements to {customers}",
            "template_id": env.ref("account_collection.template_debt_summary").id,
            "attach_statement": False,
            "partner_domain": f"[('name', '=like', '{customers}%')]",
        }
    )
    campaign.write({"state": "scheduled", "next_run": fields.Datetime.now() - timedelta(minutes=10)})
    return campaign.debtor_count


def do_send_campaigns(cr):
    """One life of the scheduler of campaigns; returns how many it sent."""
    return environment(cr)["collection.campaign"]._cron_send()


def do_dispatch(cr, batch=None):
    """One life of the dispatcher."""
    from odoo.addons.account_collection.models import collection_notice_dispatch

    if batch:
        collection_notice_dispatch.BATCH = batch
    return environment(cr)["collection.notice"]._cron_dispatch()


def do_mail_queue(cr, port):
    """Odoo's own queue of mails, to a server on this machine."""
    odoo.tools.config["smtp_server"], odoo.tools.config["smtp_port"] = "127.0.0.1", port
    environment(cr)["mail.mail"].process_email_queue()


def do_states(cr):
    cr.execute("SELECT state, count(*) FROM collection_notice GROUP BY state")
    return dict(cr.fetchall())


def do_post_at_once(cr):
    """Two sessions post an invoice of one customer, each from a snapshot taken before the other's commit; returns
    (figures of its debtor, errors). Each in a journal of its own, for a customer that is one already: on the number of
    one journal (17.0) and on the rank of a new customer (19.0) Odoo itself lets one of two sessions fail."""
    import threading

    env = environment(cr)
    prepare_company(env)
    partner = env["res.partner"].create(
        {"name": "Posted at Once", "email": "once@customer.example.com", "customer_rank": 1}
    )
    income = env["account.journal"].search([("type", "=", "sale")], limit=1).default_account_id
    journals = env["account.journal"].create(
        [
            {"name": f"Sales {code}", "type": "sale", "code": code, "default_account_id": income.id}
            for code in ("ONE", "TWO")
        ]
    )
    drafts = [make_invoice(env, partner, post=False, journal_id=journal.id).id for journal in journals]
    cr.commit()  # pylint: disable=invalid-commit
    errors, barrier = [], threading.Barrier(2)

    def post(move_id):
        try:
            with Registry(cr.dbname).cursor() as own:
                move = environment(own)["account.move"].browse(move_id)
                move.mapped("line_ids.balance")
                barrier.wait(timeout=30)
                move.action_post()
        except Exception:
            errors.append(traceback.format_exc())

    threads = [threading.Thread(target=post, args=(move_id,)) for move_id in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    cr.commit()  # pylint: disable=invalid-commit
    debtor = env["collection.debtor"].search([("partner_id", "=", partner.id)])
    return {"errors": errors, "overdue": debtor.overdue, "count": debtor.overdue_count}


def do_pay_while_claimed(cr, order):
    """A payment meets a dispatcher.

    :param order: ``"before"``: the dispatcher commits after the payment; ``"between"``: the dispatcher commits when the
        payment's transaction has begun and has not met the notice yet
    :return: error (a payment that waits meets the lock's time-out), state of the notice afterwards
    """
    from odoo.addons.account_collection.models.collection_notice_dispatch import CollectionNoticeDispatch

    CollectionNoticeDispatch._commit = lambda self: self.env.flush_all()
    with Registry(cr.dbname).cursor() as dispatching:
        queue = environment(dispatching)["collection.notice"]
        payer = Registry(cr.dbname).cursor()
        payer.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        payer.execute("SELECT count(*) FROM collection_notice")
        claimed = queue._claim(5)
        claimed._dispatch_isolated()
        notice_id, move = claimed[0].id, claimed[0].line_ids.move_id[:1]
        queue.env.flush_all()
        if order == "between":
            dispatching.commit()  # pylint: disable=invalid-commit
        error = None
        try:
            env = environment(payer)
            wizard = env["account.payment.register"].with_context(active_model="account.move", active_ids=move.ids)
            wizard.create({})._create_payments()
            env.flush_all()
            payer.commit()  # pylint: disable=invalid-commit
        except Exception:
            error = traceback.format_exc()
            payer.rollback()
        finally:
            payer.close()
        dispatching.commit()  # pylint: disable=invalid-commit
    cr.commit()  # pylint: disable=invalid-commit
    env = environment(cr)
    move = env["account.move"].browse(move.id)
    return {
        "error": error,
        "state": env["collection.notice"].browse(notice_id).state,
        "residual": move.amount_residual,
    }


def do_post_invoice(cr):
    """Odoo without the add-on posts and pays an invoice."""
    env = environment(cr)
    prepare_company(env)
    move = make_invoice(env, env["res.partner"].create({"name": "Life Goes On"}))
    env["account.payment.register"].with_context(active_model="account.move", active_ids=move.ids).create(
        {}
    )._create_payments()
    env.flush_all()
    return [move.state, move.amount_residual]


def do_uninstall(cr):
    """Remove the add-on; returns what the same Odoo, now without it, makes of an invoice, of which nothing stays."""
    env = environment(cr)
    env["ir.module.module"].search([("name", "=", "account_collection")]).button_immediate_uninstall()
    with Registry(cr.dbname).cursor() as own:
        answer = do_post_invoice(own)
        own.rollback()
    return answer


def do_sell(cr, seed):
    """Install Sales and its stock and sell to customers who owe 50 each: see ``crash_sales.py``."""
    from crash_sales import sell

    modules = environment(cr)["ir.module.module"]
    # What Odoo would install along takes a quarter of the time.
    modules.search([("auto_install", "=", True), ("state", "=", "uninstalled")]).auto_install = False
    modules.search([("name", "=", "sale_stock")]).button_immediate_install()
    with Registry(cr.dbname).cursor() as own:
        env = environment(own)
        company = prepare_company(env)
        customers = env["res.partner"].create(
            [{"name": name, "is_company": True} for name in ("Buyer", "Random", "None")]
        )
        for customer in customers:
            make_invoice(env, customer, amount=50)
        return sell(env, company, customers, seed)


def do_debtors(cr):
    """Figures of the debtors beside those of the ledger: ``[debtors, customers with history, debtors that differ]``."""
    cr.execute(
        """WITH ledger AS (
               SELECT partner.commercial_partner_id AS partner_id, line.company_id, SUM(line.amount_residual) AS due,
                      COALESCE(SUM(line.amount_residual) FILTER (WHERE line.date_maturity < CURRENT_DATE), 0) AS late
                 FROM account_move_line line
                 JOIN account_account account ON account.id = line.account_id
                 JOIN res_partner partner ON partner.id = line.partner_id
                WHERE account.account_type = 'asset_receivable' AND line.parent_state = 'posted'
                GROUP BY 1, 2)
           SELECT (SELECT count(*) FROM collection_debtor), (SELECT count(*) FROM ledger),
                  (SELECT count(*) FROM ledger LEFT JOIN collection_debtor debtor
                       ON debtor.partner_id = ledger.partner_id AND debtor.company_id = ledger.company_id
                    WHERE (debtor.total_due, debtor.overdue) IS DISTINCT FROM (ledger.due, ledger.late))"""
    )
    return list(cr.fetchone())


# === The process === #


def die_at(number):
    """Make this process kill itself at the ``number``-th statement or commit, counting both."""
    counter = itertools.count(1)
    cursor = odoo.sql_db.Cursor
    execute, commit = cursor.execute, cursor.commit

    def counted(method):
        def wrapper(*args, **kwargs):
            if next(counter) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return method(*args, **kwargs)

        return wrapper

    cursor.execute, cursor.commit = counted(execute), counted(commit)


def answer(**values):
    os.write(1, (json.dumps({"pid": os.getpid(), **values}, default=str) + "\n").encode())


def child(database, command):
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    answer()
    work = globals()[f"do_{command.pop('do')}"]
    try:
        if kill_at := command.pop("kill_at", None):
            die_at(kill_at)
        with Registry(database).cursor() as cr:
            result = work(cr, **command)
        answer(result=result)
    except BaseException:
        answer(error=traceback.format_exc())
    os._exit(0)


def main(config, database):
    odoo.tools.config.parse_config(["-c", config, "-d", database, "--no-http", "--max-cron-threads=0"])
    Registry(database)
    odoo.sql_db.close_all()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    answer(ready=True)
    for line in sys.stdin:
        if os.fork() == 0:
            child(database, json.loads(line))


if __name__ == "__main__":
    main(*sys.argv[1:])
