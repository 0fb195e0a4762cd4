"""What a killed process leaves behind: every notice leaves once, whatever happens to whoever sends it."""

import itertools
import os
import random
import sys
from collections import Counter

from odoo.tests import tagged

from ..tools.database import clone, rows
from .crash_common import CrashCase, DiedError, Sink, Worker

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
        cls.database = cls.clone_installed()
        # One for all tests, which each get the prepared database by the same name: starting Odoo takes longer than
        # most of what is killed in it.
        cls.process = Worker(cls.database, cls.folder)
        cls.addClassCleanup(cls.process.close)
        cls.process.do("fill", customers=NOTICES, invoices=NOTICES, days=5)
        cls.prepared = cls.clone(cls.database)

    def setUp(self):
        super().setUp()
        clone(self.prepared, self.database)

    def deliver(self):
        """Run Odoo's mail queue; returns the addresses that got a mail and how many."""
        with Sink() as sink:
            self.process.do("mail_queue", port=sink.port)
        return Counter(address for addresses, _message in sink.messages for address in addresses)

    def assertEveryoneOnce(self, received, count=NOTICES):
        self.assertEqual(len(received), count, "none missing")
        self.assertEqual(set(received.values()), {1}, "none twice")

    def test_killed_at_ten_random_points(self):
        seed = int(os.environ.get("COLLECTION_SEED") or random.randrange(10**6))
        sys.stdout.write(f"COLLECTION_SEED={seed}\n")
        chance = random.Random(seed)
        self.assertEqual(self.process.do("queue"), NOTICES)
        for number in range(KILLS):
            with self.assertRaises(DiedError, msg=f"life {number} ended by itself, seed {seed}"):
                self.process.do("dispatch", batch=BATCH, kill_at=chance.randint(1, LONGEST_LIFE))
        left = self.process.do("states")
        self.assertTrue(left.get("queued"), left)
        self.process.do("dispatch", batch=BATCH)
        self.assertEqual(self.process.do("states"), {"outgoing": NOTICES})
        self.assertEveryoneOnce(self.deliver())
        self.assertEqual(self.process.do("states"), {"sent": NOTICES})
        entries = rows(
            "SELECT count(*), count(DISTINCT res_id) FROM mail_message WHERE model = 'collection.debtor'",
            database=self.database,
        )
        self.assertEqual(entries, [(NOTICES, NOTICES)], "one entry in each chatter")

    def test_a_campaign_whose_scheduler_is_killed_anywhere(self):
        """At every third statement, up to the life that survives; then two schedulers at once."""
        chosen = self.process.do("schedule_campaign", customers="Customer 1")
        deaths = 0
        for moment in itertools.count(1, 3):
            try:
                self.process.do("send_campaigns", kill_at=moment)
                break
            except DiedError:
                deaths += 1
        self.assertGreater(deaths, 3)
        self.assertEqual(self.process.do("states"), {"queued": chosen})
        both = [self.process.start("send_campaigns") for _scheduler in range(2)]
        self.assertEqual([self.process.wait(pid) for pid in both], [0, 0], "it was sent")

        others = self.process.do("schedule_campaign", customers="Customer 29")
        both = [self.process.start("send_campaigns") for _scheduler in range(2)]
        self.assertEqual(sum(self.process.wait(pid) for pid in both), 1)
        with self.assertRaises(DiedError):
            self.process.do("dispatch", batch=BATCH, kill_at=LONGEST_LIFE)
        self.process.do("dispatch", batch=BATCH)
        self.assertEveryoneOnce(self.deliver(), chosen + others)
        self.assertEqual(self.process.do("states"), {"sent": chosen + others})

    def test_two_dispatchers_with_statements_and_a_notice_that_cannot_be_built(self):
        self.assertEqual(self.process.do("queue", attach_statement=True, bad=True), NOTICES)
        both = [self.process.start("dispatch", batch=BATCH) for _dispatcher in range(2)]
        handled = [self.process.wait(pid) for pid in both]
        self.assertEqual(sum(handled), NOTICES, handled)
        self.assertTrue(all(handled), f"both had work: {handled}")
        self.assertEqual(self.process.do("states"), {"outgoing": NOTICES - 1, "failed": 1})
        self.assertEveryoneOnce(self.deliver(), NOTICES - 1)
        self.assertEqual(self.process.do("states"), {"sent": NOTICES - 1, "failed": 1})
        reason = rows("SELECT reason FROM collection_notice WHERE state = 'failed'", database=self.database)
        self.assertIn("division by zero", reason[0][0])

    def test_sessions_that_meet(self):
        posted = self.process.do("post_at_once")
        self.assertFalse(posted["errors"], "\n".join(posted["errors"]))
        self.assertEqual((posted["overdue"], posted["count"]), (2000.0, 2))
        self.process.do("queue")
        for order in ("before", "between"):
            paid = self.process.do("pay_while_claimed", order=order)
            self.assertIsNone(paid["error"], order)
            self.assertEqual((paid["state"], paid["residual"]), ("outgoing", 0.0), order)
