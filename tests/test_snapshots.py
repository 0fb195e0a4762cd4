from datetime import timedelta
from unittest.mock import patch

from dateutil.relativedelta import relativedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .aging_common import AgingCommon
from .test_rights import RightsCommon

LOGGER = "odoo.addons.account_collection.models.collection_transaction"
AGES = ("not_due", "bucket_1", "bucket_2", "bucket_3", "bucket_4", "overdue")


@tagged("post_install", "-at_install")
class TestSnapshots(AgingCommon, RightsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Snapshot = cls.env["collection.snapshot"]
        cls.mine = cls.make_debtor("Mine", cls.collector, days=20)
        cls.theirs = cls.make_debtor("Theirs", cls.other_collector, days=100)

    def rows(self, day=None):
        domain = [("company_id", "=", self.company.id)]
        return self.Snapshot.search(domain + [("date", "=", day)] if day else domain, order="id")

    def take(self, day=None):
        self.settle()
        self.Snapshot._take(day)
        return self.rows(day or self.today)

    def by_collector(self, rows):
        return {
            collector: (sum(of_one.mapped("debtor_count")), sum(of_one.mapped("overdue")))
            for collector, of_one in rows.grouped("collector_id").items()
        }

    # === The night === #

    def test_the_night_keeps_what_each_group_owes(self):
        second = self.make_debtor("Second", self.collector, days=20)
        self.make_invoice(second.partner_id, 70, days=-5)
        self.pay_on_account(second.partner_id, 30)
        second.hold = True
        level = self.env.ref("account_collection.level_late_15")
        self.settle()
        self.env.flush_all()
        self.env.cr.execute("UPDATE collection_debtor SET level_id = %s, risk_class = 'B' WHERE id IN %s",
                            [level.id, (self.mine.id, second.id)])  # fmt: skip
        self.env.invalidate_all()
        rows = self.take()
        self.assertEqual(self.by_collector(rows), {self.collector: (2, 2000), self.other_collector: (1, 1000)})
        own = rows.filtered(lambda row: row.collector_id == self.collector)
        self.assertEqual((own.total_due, own.not_due, own.bucket_1, own.unallocated), (2040, 70, 2000, 30))
        self.assertEqual((own.on_hold_count, own.rebuilt, own.currency_id), (1, False, self.company.currency_id))
        theirs = rows - own
        self.assertEqual((theirs.bucket_4, theirs.month_end), (1000, (self.today + timedelta(days=1)).day == 1))

    def test_buckets_are_called_as_those_of_debtors(self):
        self.company.write({"collection_bucket_1": 15, "collection_bucket_2": 45})
        labels = self.Snapshot.with_company(self.company).fields_get(["bucket_1", "bucket_4"], ["string"])
        self.assertEqual(labels, {"bucket_1": {"string": "1-15"}, "bucket_4": {"string": "90+"}})

    def test_levels_and_risk_are_kept_as_they_were(self):
        level = self.env.ref("account_collection.level_late_15")
        self.settle()
        self.env.flush_all()
        for risk_class, day in (("B", self.days_ago(1)), ("D", self.today)):
            self.env.cr.execute("UPDATE collection_debtor SET level_id = %s, risk_class = %s WHERE id = %s",
                                [level.id, risk_class, self.mine.id])  # fmt: skip
            self.env.invalidate_all()
            row = self.take(day).filtered(lambda row: row.collector_id == self.collector)
            self.assertEqual((row.level_id, row.risk_class, row.overdue), (level, risk_class, 1000))

    def test_a_second_night_of_a_day_replaces_the_first(self):
        self.take()
        self.mine.collector_id = self.other_collector
        self.pay_on_account(self.mine.partner_id, 100)
        rows = self.take()
        self.assertEqual(self.by_collector(rows), {self.other_collector: (2, 2000)})
        self.assertEqual((sum(rows.mapped("unallocated")), self.take()), (100, rows))

    def test_statements_do_not_grow_with_groups(self):
        self.take()
        few = self.count_statements(self.Snapshot._take)
        for number in range(3):
            self.make_debtor(f"More {number}", self.make_user(f"more_{number}", "base.group_user"))
        self.settle()
        self.assertLessEqual(self.count_statements(self.Snapshot._take), few)

    def test_a_failure_stops_nothing_else(self):
        with (
            patch.object(type(self.Snapshot), "_take", side_effect=ValueError("No history")),
            mute_logger(LOGGER),
        ):
            self.Run._cron_nightly()
        self.assertFalse(self.rows(self.today))
        self.assertTrue(self.notices(self.mine.partner_id))
        self.Run._cron_nightly()
        self.assertEqual(sum(self.rows(self.today).mapped("overdue")), 2000)

    def test_old_days_are_thinned_to_the_last_of_their_month(self):
        old = self.today - relativedelta(months=15, day=1)
        self.take(self.days_ago(300))
        for days in (0, 10, 20):
            self.take(old + timedelta(days=days))
        self.assertTrue(self.rows(old), "by its own day nothing was old")
        self.take()
        kept = sorted(set(self.rows().mapped("date")))
        self.assertEqual(kept, [old + timedelta(days=20), self.days_ago(300), self.today])

    # === The past === #

    def test_the_ends_of_months_come_from_the_ledger(self):
        self.make_invoice(self.mine.partner_id, 300, days=200)
        self.make_invoice(self.mine.partner_id, 50, days=-20)
        self.pay(self.make_invoice(self.theirs.partner_id, 500, days=70), date=self.days_ago(15))
        self.settle()
        told = fields.Date.subtract(self.today, days=self.today.day)
        night = self.take(told)
        self.Snapshot._rebuild(self.company)
        self.assertEqual(self.rows(told), night, "what a night told stays")
        months = [told - relativedelta(months=count, day=31) for count in range(1, 12)]
        for day in months:
            aging = self.aging(day)
            row = self.rows(day)
            self.assertEqual(sum(row.mapped("total_due")), sum(aging.mapped("total")), day)
            self.assertAlmostEqual(sum(row.mapped("total_due")), self.receivable_balance(day), 2)
            for name in AGES if aging else ():
                self.assertEqual(row[name], sum(aging.mapped(name)), (day, name))
        known = self.rows(months[1])
        self.assertTrue(known.rebuilt and known.month_end and known.debtor_count)
        self.assertFalse(known.collector_id or known.level_id or known.risk_class)
        before = len(self.rows())
        self.Snapshot._rebuild(self.company)
        self.assertEqual(len(self.rows()), before, "a second time changes nothing")
        day = self.take(months[1])
        self.assertFalse(day.filtered("rebuilt"), "a night's rows replace what was rebuilt")

    # === Rights === #

    def test_who_sees_it_and_who_rebuilds_it(self):
        rows = self.take()
        own = rows.filtered(lambda row: row.collector_id == self.collector)
        self.assert_own_seen(own, rows - own)
        self.Snapshot.with_user(self.manager).action_rebuild()
        rebuilt = self.rows().filtered("rebuilt")
        self.assertTrue(rebuilt)
        self.assertEqual(self.seen_by(self.viewer, rebuilt), rebuilt)
        self.assertFalse(self.seen_by(self.collector, rebuilt), "it is told by no collector")
        with self.assertRaises(AccessError):
            self.Snapshot.with_user(self.viewer).action_rebuild()
        for user in (self.viewer, self.sender, self.manager):
            with self.assertRaises(AccessError):
                own.with_user(user).write({"overdue": 0})
        other = self.other_company_data()
        self.make_invoice(self.make_customer("Elsewhere"), 10, days=20, data=other)
        self.take()
        theirs = self.Snapshot.search([("company_id", "=", other["company"].id)])
        self.assertEqual(theirs.overdue, 10)
        self.assertFalse(self.seen_by(self.viewer, theirs))
