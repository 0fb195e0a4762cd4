"""What is expected week by week, by both methods; what was expected then against what came."""

from collections import defaultdict
from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger
from odoo.tools.date_utils import start_of

from .test_cash_plan import MANAGER, PlanCommon

LOGGER = "odoo.addons.account_collection.models.collection_transaction"


@tagged("post_install", "-at_install")
class TestForecast(PlanCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Forecast = cls.env["collection.forecast"]
        cls.Report = cls.env["collection.forecast.report"]
        cls.monday = start_of(cls.today, "week")
        cls.slow = cls.make_customer("Slow")
        cls.make_invoices((cls.slow, 100, 5), (cls.slow, 200, 0), (cls.slow, 300, -10), (cls.slow, 400, -100))
        cls.late = cls.debtor(cls.slow)
        cls.late.average_days_late = 7.4
        cls.collector = cls.make_user("forecast_collector", "account_collection.group_collection_collector")
        cls.viewer = cls.make_user("forecast_viewer", "account_collection.group_collection_viewer")
        cls.manager = cls.make_user("forecast_manager", MANAGER)

    def expected(self, weeks=13, domain=(), user=None):
        plan = self.Plan.with_user(user or self.env.user).with_company(self.company)
        return plan._get_weeks(self.company, list(domain), weeks)

    def of(self, partner):
        return [("partner_id", "=", partner.id)]

    # === Two opinions on one day === #

    def test_the_usual_delay(self):
        rows = self.plan(self.slow)
        self.assertEqual(
            [
                (row.amount, (row.date - self.today).days, (row.usual_date - self.today).days)
                for row in rows.sorted("amount")
            ],
            [(100, 0, 2), (200, 0, 7), (300, 10, 17), (400, 100, 107)],
        )
        self.late.average_days_late = 0
        self.assertFalse(self.plan(self.slow).filtered(lambda row: row.date != row.usual_date))

    def test_what_has_a_day_of_its_own_is_not_late(self):
        self.debtor(self.customer).average_days_late = 20
        self.make_check(600, days=10)
        self.pay_on_account(self.customer, 50)
        promise = {"debtor_id": self.debtor(self.customer).id, "amount": 300, "date": self.day(4)}
        self.env["collection.promise"].create(promise)
        days = {row.kind: (row.usual_date - self.today).days for row in self.plan()}
        self.assertEqual(days, {"check": 10, "credit": 0, "promise": 4, "overdue": 0})
        self.book_custody()
        self.make_check(100, days=15, suggest=False)
        held = self.plan().filtered("check_id").sorted("date")[-1]
        self.assertEqual((held.date, held.usual_date), (self.day(15), self.day(15)))

    def test_weeks(self):
        weeks = self.expected(domain=self.of(self.slow))
        self.assertEqual([week["week"] for week in weeks], [self.monday + timedelta(weeks=n) for n in range(13)])
        expected = {"due": defaultdict(float), "usual": defaultdict(float)}
        for row in self.plan(self.slow):
            expected["due"][start_of(row.date, "week")] += row.amount
            expected["usual"][start_of(row.usual_date, "week")] += row.amount
        for week in weeks:
            for method, amounts in expected.items():
                self.assertEqual(week[method], amounts[week["week"]], (week["week"], method))
        self.assertEqual(sum(week["due"] for week in weeks), 600, "what comes later is in none")
        self.assertEqual(sum(week["usual"] for week in self.expected(20, self.of(self.slow))), 1000)

    def test_weeks_are_of_whom_one_may_see(self):
        self.late.collector_id = self.collector
        self.env.flush_all()
        total = lambda *args, **how: sum(week["due"] for week in self.expected(*args, **how))  # noqa: E731
        self.assertEqual((total(user=self.collector), total(user=self.viewer)), (600, 1600))
        self.assertEqual(total(domain=self.of(self.customer), user=self.collector), 0)
        few = self.count_statements(self.expected)
        self.make_invoices((self.make_customer("More"), 10, 3), (self.make_customer("Most"), 10, 3))
        self.settle()
        self.assertLessEqual(self.count_statements(self.expected), few)

    # === What was expected then === #

    def test_the_first_night_of_a_week_keeps_it(self):
        self.Forecast._keep(self.monday)
        kept = self.Forecast.search([("company_id", "=", self.company.id)])
        self.assertEqual((len(kept), set(kept.mapped("made_on"))), (26, {self.monday}))
        self.make_invoice(self.slow, 5000, days=-3)
        self.Forecast._keep(self.monday + timedelta(days=2))
        self.assertEqual(self.Forecast.search([("company_id", "=", self.company.id)]), kept)
        self.Forecast._keep(self.monday + timedelta(days=8))
        self.assertEqual(self.Forecast.search_count([("company_id", "=", self.company.id)]), 52)
        sums = dict(self.Forecast._read_group([("id", "in", kept.ids)], ["method"], ["amount:sum"]))
        # Seen from Monday, this week ahead; of 1,400 for both customers, 400 are due later than in 13 weeks.
        self.assertEqual(sums, {"due": 1600, "usual": 1600})
        strangers = self.env["res.company"].create({"name": "Strangers"})
        self.assertFalse(
            self.Forecast.search([("company_id", "=", strangers.id)]), "who has no debtors expects nothing"
        )

    def test_a_failure_stops_nothing(self):
        broken = patch.object(self.env.registry["collection.forecast"], "_query_keep", side_effect=ValueError("No ink"))
        with broken, self.assertLogs(LOGGER, "ERROR"):
            self.Run._cron_nightly(self.today)
        self.assertTrue(self.notices(self.slow))
        self.assertFalse(self.Forecast.search([]))
        with mute_logger(LOGGER):
            self.Run._cron_nightly(self.today)
        self.assertEqual(
            self.Forecast.search([("company_id", "=", self.company.id)]).mapped("made_on")[:1], [self.today]
        )

    def keep_past(self, weeks=3, days=0):
        """A forecast of some weeks ago, of what is open today."""
        self.Forecast._keep(self.monday - timedelta(weeks=weeks) + timedelta(days=days))
        return self.compare()

    def compare(self, user=None):
        self.Report.invalidate_model()
        return self.Report.with_user(user or self.env.user).search([("company_id", "=", self.company.id)])

    def test_against_what_came(self):
        week = self.monday - timedelta(weeks=2)
        self.pay_on_account(self.slow, 250, week + timedelta(days=6))
        rows = self.keep_past().filtered(lambda row: row.method == "due")
        self.assertEqual(rows.mapped("horizon"), ["02", "01", "00"], "the newest first, and none that is not over")
        _last, second, first = rows
        self.assertEqual((second.week, second.received, second.difference), (week, 250, 250 - second.amount))
        self.assertEqual((first.received, first.error), (0, 0))
        self.assertEqual(second.error, round(100 * abs(second.difference) / 250, 1))
        # Booked late, it counts on its day all the same, and so does what went back.
        self.pay_on_account(self.slow, 100, week)
        back = {"payment_type": "outbound", "partner_type": "customer"}
        self.pay_on_account(self.slow, 30, week, **back)
        second = self.compare().filtered(lambda row: row.method == "due" and row.horizon == "01")
        self.assertEqual((second.received, second.deviation), (320, abs(320 - second.amount)))
        groups = self.Report._read_group(
            [("company_id", "=", self.company.id), ("method", "=", "due")],
            [],
            ["deviation:sum", "received:sum", "error:avg"],
        )
        deviation, received, error = groups[0]
        self.assertAlmostEqual(error, 100 * deviation / received)

    def test_what_came_before_the_forecast_was_made_does_not_count(self):
        week = self.monday - timedelta(weeks=1)
        self.pay_on_account(self.slow, 40, week)
        self.pay_on_account(self.slow, 60, week + timedelta(days=2))
        rows = self.keep_past(weeks=1, days=2)
        self.assertEqual([(row.horizon, row.received) for row in rows], [("00", 60)] * 2)

    def test_rights(self):
        self.pay_on_account(self.slow, 250, self.monday - timedelta(days=1))
        rows = self.keep_past()
        for user, seen in ((self.viewer, rows), (self.manager, rows), (self.collector, self.Report)):
            self.assertEqual(self.compare(user), seen, user.login)
        kept = self.Forecast.search([("company_id", "=", self.company.id)])
        self.assertFalse(self.Forecast.with_user(self.collector).search([("id", "in", kept.ids)]))
        stranger = self.make_user(
            "forecast_stranger", MANAGER, company=self.env["res.company"].create({"name": "Strangers"})
        )
        self.assertFalse(self.Report.with_user(stranger).search([("company_id", "=", self.company.id)]))
        for user in (self.manager, self.viewer):
            with self.assertRaises(AccessError):
                kept[:1].with_user(user).write({"amount": 1})
        with self.assertRaises(AccessError):
            self.compare(self.make_user("forecast_employee", "base.group_user"))
