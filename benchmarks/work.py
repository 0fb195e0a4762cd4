"""The measured work on one database, in a process of its own: ``python work.py DATABASE SAMPLE WHAT`` prints JSON lines.

Each line is a row of the report: ``{"work", "seconds", "cpu", "statements", "peak", "count"}``.
"""

import json
import sys
from os import environ

import checks
import desk
import floor
import insight
import reviews
from measure import Measure, resident

import odoo
from odoo import SUPERUSER_ID, Command, api, fields
from odoo.modules.registry import Registry
from odoo.tools import config

RUNS = 5  # of what takes a fraction of a second and leaves nothing behind: one run says little of it
BATCH_OF_MEMORY = 1200  # notices between two looks at the memory, whole batches of the dispatcher


class Bench:
    """Refresh, decide, enqueue and dispatch on one loaded database."""

    def __init__(self, env, sample):
        self.env = env
        self.sample = sample
        self.company = env["res.company"].search([], order="id", limit=1)
        self.env = env(context={**env.context, "allowed_company_ids": self.company.ids})
        self.company = self.company.with_env(self.env)
        self.today = self.company._get_collection_today()
        self.prepare()

    def prepare(self):
        """What a company sets up before its first night."""
        self.company.partner_id.email = "collections@example.com"
        self.company.collection_policy_id.requires_approval = False
        self.company.collection_responsible_id = self.env.ref("base.user_admin")
        self.env.cr.commit()

    def measured(self, name, work, count=None, runs=1, **more):
        """Do ``work``, print its row and return what it returned. The company is known, as it is after the refresh.

        :param runs: how often to do it, each time from the start; the row is that of the run of median seconds
        """
        measures = []
        for run in range(runs):
            if run:
                self.env.cr.rollback()
            self.env.invalidate_all()
            self.company._get_collection_today()
            self.company.currency_id.fetch(["decimal_places"])
            with Measure(self.env.cr) as measure:
                result = work()
                self.env.flush_all()
            measures.append(measure)
        measure = sorted(measures, key=lambda measure: measure.seconds)[runs // 2]
        row = {
            "work": name,
            "seconds": measure.seconds,
            "cpu": measure.cpu,
            "statements": measure.statements,
            "peak": measure.peak,
            "count": count(result) if count else None,
            **more,
        }
        print(json.dumps(row), flush=True)
        return result

    def cost(self, work):
        """Do ``work`` and return its :class:`measure.Measure`."""
        with Measure(self.env.cr) as measure:
            work()
        return measure

    # === Refresh, decide, enqueue ===#

    def refresh(self, name="refresh", keep=True):
        """The balances of every debtor; the first time the debtors are made too."""
        runs = 1 if keep else RUNS
        self.measured(name, self.env["collection.debtor"]._refresh_balances, lambda _result: self.debtors(), runs)
        (self.env.cr.commit if keep else self.env.cr.rollback)()

    def debtors(self):
        return self.env["collection.debtor"].search_count([])

    def decide(self, name="decide", today=None):
        """What would be queued; nothing is kept."""
        Run = self.env["collection.run"]
        self.env.cr.execute(Run._query_open_run(self.company.id, self.today))
        run = Run.browse(self.env.cr.fetchone()[0])
        self.measured(
            name, lambda: run._decide(self.company, today or self.today, None), lambda found: len(found[0]), RUNS
        )
        self.env.cr.rollback()

    def enqueue(self, name="decide + enqueue", keep=True):
        """What the night does for a company once its balances are fresh."""
        run = self.env["collection.run"].with_company(self.company)
        self.measured(name, lambda: run._run_company(self.company, self.today), self._queued)
        (self.env.cr.commit if keep else self.env.cr.rollback)()

    def _queued(self, _result=None):
        return self.env["collection.notice"].search_count([("state", "=", "queued")])

    # === Dispatch ===#

    def dispatch(self, name, everything=False):
        """Dispatch a sample of the queue, or all of it; the row tells how the memory went with the notices."""
        wanted = self._queued() if everything else min(self.sample, self._queued())
        memory = []
        self.measured(name, lambda: self._dispatch(wanted, memory), lambda handled: handled, memory=memory)

    def _dispatch(self, wanted, memory):
        handled = 0
        while handled < wanted:
            handled += self.env["collection.notice"]._cron_dispatch(limit=min(BATCH_OF_MEMORY, wanted - handled))
            memory.append(round(resident(), 1))
        return handled

    def without_documents(self):
        """Every level by mail, and no statement attached."""
        levels = self.env["collection.level"].search([])
        shipped = {level: (level._get_channels(), level.attach_statement) for level in levels}
        self._set_up({level: (["mail"], False) for level in levels})
        self.env.cr.execute("UPDATE collection_notice SET channel = 'mail'")
        self.env.cr.commit()
        self.dispatch("dispatch, without PDF")
        self._set_up(shipped)
        for level, (channels, _attach) in shipped.items():
            self.env.cr.execute(
                "UPDATE collection_notice SET state = 'queued', channel = %s WHERE level_id = %s",
                [channels[0], level.id],
            )
        self.env.cr.commit()

    def _set_up(self, chosen):
        """:param chosen: ``{level: (its channels, whether it attaches the statement)}``"""
        for level, (channels, attach) in chosen.items():
            ways = [Command.clear(), *(Command.create({"channel": channel}) for channel in channels)]
            level.write({"channel_ids": ways, "attach_statement": attach})
        self.env.flush_all()

    def deliver(self):
        """The mails have left: nobody waits for a notice any more."""
        self.env.cr.execute("UPDATE collection_notice SET state = 'sent' WHERE state = 'outgoing'")
        self.env.cr.commit()

    def campaign(self):
        """A statement to everyone by a campaign, of whom a sample leaves; nothing of it is kept for the next day."""
        campaign = self.env["collection.campaign"].create(
            {
                "name": "Statements",
                "company_id": self.company.id,
                "template_id": self.env.ref("account_collection.template_debt_summary").id,
            }
        )
        self.env.cr.commit()
        self.measured("campaign to everyone", lambda: campaign._send(self.today, "queued"), self._queued)
        self.env.cr.commit()
        self.dispatch("dispatch, campaign with PDF")
        campaign.run_ids.notice_ids.unlink()
        self.env.cr.commit()

    def analyze(self):
        """Gather the statistics that a vacuum in the background gathers after a while."""
        self.env.cr.execute("ANALYZE")
        self.env.cr.commit()

    def run(self, everything):
        """All of it, in the order of a first night. The statistics of the notices are gathered while they are none, as
        when the vacuum in the background comes before the night: the next day meets them so, and then up to date."""
        tomorrow = fields.Date.add(self.today, days=1)
        self.env.cr.execute("SELECT 1")
        self.refresh("first refresh, no statistics")
        self.refresh("refresh, no statistics")
        self.decide("decide, no statistics")
        self.enqueue("decide + enqueue, no statistics", keep=False)
        self.analyze()
        if everything:
            floor.measure(self)
        self.refresh()
        self.decide()
        self.enqueue()
        self.without_documents()
        self.dispatch("dispatch, all with PDF" if everything else "dispatch, with PDF", everything)
        self.deliver()
        self.campaign()
        self.refresh("refresh, next day, old statistics", keep=False)
        self.decide("decide, next day, old statistics", tomorrow)
        self.analyze()
        self.refresh("refresh, next day")
        self.decide("decide, next day", tomorrow)
        insight.measure(self)
        if everything:
            reviews.measure(self)
            checks.measure(self)
            floor.measure(self)

    def insight(self):
        """The reports, after a first night."""
        self.refresh("first refresh, no statistics")
        self.enqueue("decide + enqueue, no statistics")
        self.analyze()
        insight.measure(self)

    def desk(self):
        """What the collectors find in the morning, once there are debtors."""
        self.refresh("first refresh, no statistics")
        # The other floor is that of another size.
        floor.measure(self, [floor.PYTHON_FLOOR])
        desk.measure(self)
        floor.measure(self, [floor.PYTHON_FLOOR])


def main():
    database, sample, what = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    config.parse_config(["-c", environ["ACCOUNT_COLLECTION_ODOO_RC"], "--log-level=warn"])
    odoo.netsvc.init_logger()
    registry = Registry(database)
    with registry.cursor() as cr:
        bench = Bench(api.Environment(cr, SUPERUSER_ID, {}), sample)
        if what in ("desk", "insight"):
            getattr(bench, what)()
        else:
            bench.run(what == "all")


if __name__ == "__main__":
    main()
