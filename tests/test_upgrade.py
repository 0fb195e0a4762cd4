"""From the version before: nothing of what people set up or sent is lost, and the schema is that of a new database."""

from pathlib import Path

from odoo.tests import tagged

from ..tools.database import rows
from .crash_common import ADDON, CrashCase, Sink
from .test_install import TRACES

CUSTOMERS = 5
SCHEMA = ("tables", "columns", "indexes", "constraints", "models", "fields", "selections", "relations")
NOTICES = (
    "SELECT id, state, channel, amount, sent_on, dedupe_key, level_id, message_id FROM collection_notice ORDER BY id"
)
CHANNELS = """SELECT known.name, string_agg(way.channel, ', ' ORDER BY way.sequence, way.id)
                FROM ir_model_data known
                JOIN collection_level_channel way ON way.level_id = known.res_id
               WHERE known.module = 'account_collection' AND known.model = 'collection.level'
               GROUP BY known.name"""
FOLLOWING = """SELECT follower.id FROM mail_followers follower
                 JOIN res_users person ON person.partner_id = follower.partner_id AND person.id = 2
                WHERE follower.res_model = 'collection.debtor'"""
# What a person changed: other channels for one level, no other one for another.
CUSTOMISED = """UPDATE collection_level SET channel = 'letter', fallback_channel = 'call' WHERE id = {level_late_15};
                UPDATE collection_level SET fallback_channel = NULL WHERE id = {level_late_30};
                UPDATE res_company SET collection_responsible_id = 2;
                UPDATE collection_debtor SET collector_id = 2"""


@tagged("-standard", "post_install", "collection_crash")
class TestUpgrade(CrashCase):
    def schema(self, database):
        return {name: set(rows(TRACES[name], database=database)) for name in SCHEMA}

    def go_back(self, database):
        """Make it a database of the version before, in which people changed some levels."""
        levels = dict(
            rows(
                "SELECT name, res_id FROM ir_model_data WHERE module = %s AND model = 'collection.level'",
                ADDON,
                database=database,
            )
        )
        rows(Path(__file__).with_name("previous_version.sql").read_text(), database=database)
        rows(CUSTOMISED.format(**levels), database=database)

    def test_the_version_before_becomes_this_one(self):
        database = self.clone_installed()
        with self.worker(database) as worker, Sink() as sink:
            worker.do("fill", customers=CUSTOMERS, invoices=CUSTOMERS, days=5)
            worker.do("queue")
            worker.do("dispatch")
            worker.do("mail_queue", port=sink.port)
            self.assertEqual(worker.do("states"), {"sent": CUSTOMERS})
        new, sent = self.schema(database), rows(NOTICES, database=database)
        self.go_back(database)
        self.assertNotEqual(self.schema(database), new)

        log = self.update(database)
        # 19.0 warns of fields for employees alone in views that nobody else ever opens.
        faults = [line for line in log.splitlines() if " ERROR " in line or " WARNING " in line]
        self.assertEqual([line for line in faults if "Access Rights Inconsistency" not in line], [])
        for name, found in self.schema(database).items():
            with self.subTest(name):
                self.assertEqual((found - new[name], new[name] - found), (set(), set()))
        self.assertEqual(rows(NOTICES, database=database), sent)
        locked = rows("SELECT DISTINCT collector_locked FROM collection_debtor", database=database)
        self.assertEqual(locked, [(True,)], "who was chosen by hand stays")
        self.assertEqual(rows(FOLLOWING, database=database), [], "collectors are told all the same")
        self.assertEqual(
            dict(rows(CHANNELS, database=database)),
            {
                **dict.fromkeys(("level_before_7", "level_before_1", "level_due_0", "level_late_30"), "mail"),
                "level_late_3": "mail, letter",
                "level_late_15": "letter, call",
                "level_late_60": "letter, mail",
            },
        )
        with self.worker(database) as worker:
            self.assertEqual(worker.do("queue"), 0, "what was told before the update is told")
            worker.do("fill", customers=CUSTOMERS, invoices=CUSTOMERS, days=20)
            self.assertEqual(worker.do("queue"), CUSTOMERS)
            worker.do("dispatch")
        self.assertEqual(
            rows(
                "SELECT channel, state, count(*)::int FROM collection_notice GROUP BY 1, 2 ORDER BY 1",
                database=database,
            ),
            [("call", "sent", CUSTOMERS), ("letter", "failed", CUSTOMERS), ("mail", "sent", CUSTOMERS)],
        )
