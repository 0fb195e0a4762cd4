"""What a killed process leaves behind: every notice leaves once, whatever happens to whoever sends it."""

import itertools
import os
import random
import sys
from collections import Counter

from odoo.tests import tagged

from ..tools.database import rows
from .crash_common import CrashCase, DiedError, Sink

NOTICES = 300
KILLS = 10
# A batch of 20 takes some 60 statements: a life ends within its first two or three batches.
BATCH = 20
LONGEST_LIFE = 150


@tagged("-standard", "post_install", "collection_crash")
class TestCrash(CrashCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.prepared = cls.clone_installed()
        with cls.worker(cls.prepared) as worker:
            worker.do("fill", customers=NOTICES, invoices=NOTICES, days=5)

    def deliver(self, worker):
        """Run Odoo's mail queue; returns the addresses that got a mail and how many."""
        with Sink() as sink:
            worker.do("mail_queue", port=sink.port)
        return Counter(address for addresses, _message in sink.messages for address in addresses)

    def assertEveryoneOnce(self, received, count=NOTICES):
        self.assertEqual(len(received), count, "none missing")
        self.assertEqual(set(received.values()), {1}, "none twice")

    def test_killed_at_ten_random_points(self):
        seed = int(os.environ.get("COLLECTION_SEED") or random.randrange(10**6))
        sys.stdout.write(f"COLLECTION_SEED={seed}\n")
        chance = random.Random(seed)
        database = self.clone(self.prepared)
        with self.worker(database) as worker:
            self.assertEqual(worker.do("queue"), NOTICES)
            for number in range(KILLS):
                with self.assertRaises(DiedError, msg=f"life {number} ended by itself, seed {seed}"):
                    worker.do("dispatch", batch=BATCH, kill_at=chance.randint(1, LONGEST_LIFE))
            left = worker.do("states")
            self.assertTrue(left.get("queued"), left)
            worker.do("dispatch", batch=BATCH)
            self.assertEqual(worker.do("states"), {"outgoing": NOTICES})
            self.assertEveryoneOnce(self.deliver(worker))
            self.assertEqual(worker.do("states"), {"sent": NOTICES})
        entries = rows(
            "SELECT count(*), count(DISTINCT res_id) FROM mail_message WHERE model = 'collection.debtor'",
            database=database,
        )
        self.assertEqual(entries, [(NOTICES, NOTICES)], "one entry in each chatter")

    def test_a_campaign_whose_scheduler_is_killed_anywhere(self):
        """At every third statement, up to the life that survives; then two schedulers at once."""
        database = self.clone(self.prepared)
        with self.worker(database) as worker:
            chosen = worker.do("schedule_campaign", customers="Customer 1")
            deaths = 0
            for moment in itertools.count(1, 3):
                try:
                    worker.do("send_campaigns", kill_at=moment)
                    break
                except DiedError:
                    deaths += 1
            self.assertGreater(deaths, 3)
            self.assertEqual(worker.do("states"), {"queued": chosen})
            both = [worker.start("send_campaigns") for _scheduler in range(2)]
            self.assertEqual([worker.wait(pid) for pid in both], [0, 0], "it was sent")

            others = worker.do("schedule_campaign", customers="Customer 29")
            both = [worker.start("send_campaigns") for _scheduler in range(2)]
            self.assertEqual(sum(worker.wait(pid) for pid in both), 1)
            with self.assertRaises(DiedError):
                worker.do("dispatch", batch=BATCH, kill_at=LONGEST_LIFE)
            worker.do("dispatch", batch=BATCH)
            self.assertEveryoneOnce(self.deliver(worker), chosen + others)
            self.assertEqual(worker.do("states"), {"sent": chosen + others})

    def test_two_dispatchers_with_statements_and_a_notice_that_cannot_be_built(self):
        database = self.clone(self.prepared)
        with self.worker(database) as worker:
            self.assertEqual(worker.do("queue", attach_statement=True, bad=True), NOTICES)
            both = [worker.start("dispatch", batch=BATCH) for _dispatcher in range(2)]
            handled = [worker.wait(pid) for pid in both]
            self.assertEqual(sum(handled), NOTICES, handled)
            self.assertTrue(all(handled), f"both had work: {handled}")
            self.assertEqual(worker.do("states"), {"outgoing": NOTICES - 1, "failed": 1})
            self.assertEveryoneOnce(self.deliver(worker), NOTICES - 1)
            self.assertEqual(worker.do("states"), {"sent": NOTICES - 1, "failed": 1})
        reason = rows("SELECT reason FROM collection_notice WHERE state = 'failed'", database=database)
        self.assertIn("division by zero", reason[0][0])

    def test_sessions_that_meet(self):
        database = self.clone(self.prepared)
        with self.worker(database) as worker:
            posted = worker.do("post_at_once")
            self.assertFalse(posted["errors"], "\n".join(posted["errors"]))
            self.assertEqual((posted["overdue"], posted["count"]), (2000.0, 2))
            worker.do("queue")
            for order in ("before", "between"):
                paid = worker.do("pay_while_claimed", order=order)
                self.assertIsNone(paid["error"], order)
                self.assertEqual((paid["state"], paid["residual"]), ("outgoing", 0.0), order)
