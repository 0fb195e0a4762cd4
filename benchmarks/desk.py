"""The collectors' desk: what a night costs to rank every debtor of a company and to hand it to a collector.

How to use: ``measure(bench)`` with the :class:`work.Bench` of a loaded database, which is another one afterwards.
How it works: of each three debtors one promised, one was called, one has a follow-up, and some of each are late. Ranks
are taken before PostgreSQL knows the tables and after, each time as on a first night, when every debtor changes; so is
the assignment, and both once more when nothing changes. Each is committed, as in a night: of rows that the same
transaction has written before, PostgreSQL checks every foreign key again.
"""

from odoo import Command

COLLECTORS = 12
PORTFOLIOS = (
    {"name": "Risky", "risk_c": True, "risk_d": True, "balance_from": 30000},
    {"name": "Ones", "partner_domain": "[('name', '=like', '%1')]"},
    {"name": "Large", "balance_from": 60000},
    {"name": "Rest"},
)

SAID = """
    INSERT INTO collection_promise (debtor_id, partner_id, company_id, currency_id, user_id, made_on, date, amount,
           state, closed_on)
    SELECT id, partner_id, company_id, %(currency)s, 1, %(today)s::date - 40, %(today)s::date - id %% 30 + 5, 100,
           CASE WHEN id %% 30 > 8 THEN 'broken' ELSE 'open' END, CASE WHEN id %% 30 > 8 THEN %(today)s::date - 1 END
      FROM collection_debtor WHERE id %% 3 = 0;
    INSERT INTO collection_interaction (debtor_id, partner_id, company_id, user_id, date, direction)
    SELECT id, partner_id, company_id, 1, %(today)s::date - id %% 60, 'out' FROM collection_debtor WHERE id %% 3 = 1;
    INSERT INTO mail_activity (res_model_id, res_model, res_id, user_id, date_deadline, activity_type_id)
    SELECT %(model)s, 'collection.debtor', id, 1, %(today)s::date + id %% 20 - 10, %(todo)s
      FROM collection_debtor WHERE id %% 3 = 2"""
FORGET = "UPDATE collection_debtor SET priority_score = NULL, risk_class = NULL, average_days_late = NULL"


def measure(bench):
    """Print the rows of ranks and assignments."""
    env, company = bench.env, bench.company
    ranks, portfolios = env["collection.debtor"], env["collection.portfolio"]
    _say(bench)
    _make_portfolios(env, company)
    env.cr.commit()

    def rank(name):
        bench.measured(name, lambda: ranks._rank_all(company), lambda _result: _scored(env))
        env.cr.commit()

    def assign(name):
        bench.measured(name, lambda: portfolios._assign_company(company), lambda changed: changed)
        env.cr.commit()

    rank("rank, no statistics")
    env.cr.execute(FORGET)
    bench.analyze()
    rank("rank")
    rank("rank, nothing changed")
    assign("assign")
    assign("assign, nothing changed")


def _scored(env):
    return env["collection.debtor"].search_count([("priority_score", ">", 0)])


def _say(bench):
    env = bench.env
    env.cr.execute(
        SAID,
        {
            "currency": bench.company.currency_id.id,
            "today": bench.today,
            "model": env["ir.model"]._get_id("collection.debtor"),
            "todo": env.ref("mail.mail_activity_data_todo").id,
        },
    )


def _make_portfolios(env, company):
    people = [
        {"name": f"Collector {number}", "login": f"collector{number}", "company_ids": [Command.link(company.id)]}
        for number in range(COLLECTORS)
    ]
    users = env["res.users"].with_context(no_reset_password=True).create(people)
    share = COLLECTORS // len(PORTFOLIOS)
    env["collection.portfolio"].create(
        [
            {
                **values,
                "company_id": company.id,
                "sequence": number,
                "collector_ids": [Command.set(users[number * share : (number + 1) * share].ids)],
            }
            for number, values in enumerate(PORTFOLIOS)
        ]
    )
    env.flush_all()
