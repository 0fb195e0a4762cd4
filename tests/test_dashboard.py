from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..engine import periods
from ..models.collection_dashboard_figures import AGES, TILES
from .aging_common import OPERATIONS, AgingCommon
from .check_common import CheckCommon
from .examples import histories
from .test_statement import DAYS, START, StatementCommon


@tagged("post_install", "-at_install")
class TestDashboard(AgingCommon, CheckCommon, StatementCommon):
    """What the dashboard shows and opens; two customers, one of them with a collector."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second = cls.make_customer("Second")
        cls.collector = cls.make_user("dashboard_collector", "account_collection.group_collection_collector")
        cls.manager = cls.make_user("dashboard_manager", "account_collection.group_collection_manager")

    def dashboard(self, user=None):
        return self.env["collection.dashboard"].with_user(user or self.manager).with_company(self.company)

    def data(self, user=None, **filters):
        self.settle()
        return self.dashboard(user).get_data({"company_id": self.company.id, **filters})

    def tiles(self, data):
        return {figure["key"]: figure for figure in data["figures"]}

    def money(self, amount):
        """As it is shown."""
        return self.company.currency_id.with_context(lang="en_US").format(amount)

    def owe(self):
        """1,000 that are 20 days late, of the collector's debtor, and 3,000 that are 50 days late, of nobody's."""
        own = self.invoice(1000, self.days_ago(40), self.days_ago(20))
        self.invoice(3000, self.days_ago(60), self.days_ago(50), partner=self.second)
        self.debtor().sudo().collector_id = self.collector
        return own

    # === Figures === #

    @histories(4)
    @given(OPERATIONS, st.tuples(st.integers(0, DAYS), st.integers(0, DAYS)).map(sorted), st.integers(0, DAYS))
    def test_any_history(self, operations, days, kept):
        """Both periods are those of the key figures, with days that are kept and without."""
        first, last = (START + timedelta(days=day) for day in days)
        with self.undone():
            self.live_through(operations)
            self.settle()
            before = periods.previous_period(first, last)
            dashboard = self.dashboard()
            scope = dashboard._get_dashboard_scope({"company_id": self.company.id})
            scope = scope._replace(days=(first, last), days_before=before)
            self.check_totals(dashboard, scope)
            self.env["collection.ledger.day"]._refresh(self.company)
            # As if the night had been on another day: the rest is read from the ledger.
            self.company.collection_days_until = START + timedelta(days=kept)
            self.check_totals(dashboard, scope)

    def check_totals(self, dashboard, scope):
        whole, _totals, before = dashboard._get_two_totals(scope, dashboard._get_balances(scope))
        names = ("beginning", "ending", "sales", "paid", "on_time", "paid_days")
        for found, days in ((whole, scope.days), (before, scope.days_before)):
            expected = self.env["collection.kpi"]._get_totals(self.company, *days, None, 0)[None]
            self.assertEqual([found[name] for name in names], [expected[name] for name in names], days)
            sold = {month: amount for month, amount in expected["months"].items() if amount}
            self.assertEqual({month: amount for month, amount in found["months"].items() if amount}, sold)

    def test_what_is_owed_and_since_when(self):
        self.owe()
        data = self.data()
        tiles = self.tiles(data)
        self.assertEqual(list(tiles), list(TILES))
        self.assertEqual((tiles["receivable"]["text"], tiles["overdue"]["text"]), (self.money(4000), self.money(4000)))
        self.assertEqual(tiles["overdue_share"]["text"], "100.0%")
        self.assertEqual(tiles["promise_kept_amount"]["text"], "—")
        self.assertEqual(tiles["promise_kept_amount"]["why"], "No promise was kept or broken in the period.")
        self.assertEqual(dict(zip(data["aging"]["keys"], data["aging"]["amounts"])),
                         dict(zip(AGES, (0, 1000, 3000, 0, 0))))  # fmt: skip
        self.assertEqual(
            [(row["name"], row["debtors"], row["overdue"]) for row in data["collectors"]],
            [("Nobody", 1, self.money(3000)), ("Dashboard Collector", 1, self.money(1000))],
        )
        self.assertEqual([(row["name"], row["days"]) for row in data["top"]],
                         [(self.second.name, 50), (self.customer.name, 20)])  # fmt: skip
        self.assertEqual(sum(data["forecast"]["due"]), 4000)
        self.assertEqual(len(data["line"]["values"]), 12)
        self.assertFalse(data["empty"])

    def test_what_came_in_and_the_trend(self):
        self.owe()
        self.bank_entry(400, self.days_ago(2))
        data = self.data(period="twelve_months")
        self.assertEqual(self.tiles(data)["received"]["text"], self.money(400))
        self.assertEqual(self.tiles(data)["received"]["before"], self.money(0))
        self.assertEqual({row["name"]: row["received"] for row in data["collectors"]}["Dashboard Collector"],
                         self.money(400))  # fmt: skip
        quiet = self.tiles(self.data(period="twelve_months", collector_id=self.collector.id))
        self.assertEqual((quiet["receivable"]["text"], quiet["received"]["text"]), (self.money(600), self.money(400)))

    def test_a_company_without_history(self):
        company = self.env["res.company"].create({"name": "Nothing yet"})
        self.manager.company_ids += company
        data = self.env["collection.dashboard"].with_user(self.manager).with_context(
            allowed_company_ids=company.ids
        ).get_data({"company_id": company.id})  # fmt: skip
        self.assertTrue(data["empty"])
        self.assertEqual(self.tiles(data)["collection_effectiveness"]["text"], "—")
        self.assertEqual(self.tiles(data)["receivable"]["why"], "")

    def test_filters_that_are_none(self):
        for filters in ({"company_id": 987654}, {"period": "fortnight"}, {"compare": "never"}):
            with self.assertRaises(UserError):
                self.dashboard().get_data(filters)
        with self.assertRaises(UserError):
            self.dashboard().open_records("weather", {})

    # === What is behind it === #

    def test_every_figure_opens_its_records(self):
        self.owe()
        self.bank_entry(400, self.days_ago(2))
        self.policy.requires_approval = True
        self.night()
        data = self.data(period="twelve_months")
        dashboard = self.dashboard()
        for key in (*TILES, *AGES, *(todo["key"] for todo in data["todo"])):
            action = dashboard.open_records(key, data["filters"])
            found = self.env[action["res_model"]].with_user(self.manager).search(action["domain"])
            if key == "overdue":
                self.assertEqual(sum(found.mapped("overdue")), 4000)
            if key == "received":
                self.assertEqual(-sum(found.mapped("balance")), 400)
        counts = {todo["key"]: todo["count"] for todo in data["todo"]}
        self.assertEqual((counts["proposals"], counts["unassigned"]), (1, 1))
        action = dashboard.open_records("collector", data["filters"], self.collector.id)
        self.assertEqual(self.env["collection.debtor"].search(action["domain"]), self.debtor())
        action = dashboard.open_records("debtor", data["filters"], self.debtor().id)
        self.assertEqual((action["res_model"], action["res_id"]), ("collection.debtor", self.debtor().id))

    # === Rights === #

    def test_a_collector_sees_the_own_figures(self):
        self.owe()
        for _kept in (False, True):
            data = self.data(self.collector)
            self.assertEqual(self.tiles(data)["receivable"]["text"], self.money(1000))
            self.assertEqual((data["sees_all"], data["collectors"], data["choices"]["collectors"]), (False, [], []))
            self.assertEqual([row["name"] for row in data["top"]], [self.customer.name])
            self.assertEqual(sum(data["forecast"]["due"]), 1000)
            self.env["collection.ledger.day"]._refresh(self.company)
        self.assertEqual(self.tiles(self.data(self.viewer))["receivable"]["text"], self.money(4000))
        other = self.make_user("dashboard_nobody", "base.group_user")
        with self.assertRaises(AccessError):
            self.dashboard(other).get_data({})
        with self.assertRaises(AccessError):
            self.env["collection.ledger.day"].with_user(self.collector).search([])

    def test_when_debtors_change_hands_the_figures_follow(self):
        self.owe()
        self.dashboard().refresh_days({"company_id": self.company.id})
        self.assertEqual(self.company.collection_days_until, self.today)
        self.dashboard(self.viewer).refresh_days({"company_id": self.company.id})
        self.debtor().sudo().collector_id = self.manager
        self.assertFalse(self.company.collection_days_until)
        data = self.data(period="twelve_months", collector_id=self.manager.id)
        self.assertEqual(self.tiles(data)["receivable"]["text"], self.money(1000))
        self.assertEqual(self.tiles(data)["receivable"]["before"], self.money(0))

    def test_others_companies_are_not_shown(self):
        self.owe()
        company = self.env["res.company"].create({"name": "Another"})
        stranger = self.make_user(
            "dashboard_stranger", "account_collection.group_collection_manager", company=company,
            company_ids=[Command.set(company.ids)],
        )  # fmt: skip
        with self.assertRaises(UserError):
            self.dashboard(stranger).get_data({"company_id": self.company.id})

    # === Cost === #

    def test_at_most_30_statements(self):
        self.owe()
        few = self.count_warm()
        self.assertLessEqual(few, 30)
        for number in range(4):
            partner = self.make_customer(f"Of {number}")
            self.invoice(1000, self.days_ago(40), self.days_ago(20), partner=partner)
            collector = self.make_user(f"collector_{number}", "account_collection.group_collection_collector")
            self.debtor(partner).sudo().collector_id = collector
        self.assertLessEqual(self.count_warm(), few)

    def count_warm(self):
        """The statements of one call, where the server knows rights and rules already."""
        self.data()
        work = lambda: self.dashboard().get_data({"company_id": self.company.id})  # noqa: E731
        return min(self.count_statements(work), self.count_statements(work))

    def test_the_night_keeps_the_days_that_are_over(self):
        self.owe()
        self.settle()
        self.env["collection.run"]._cron_nightly()
        self.assertEqual(self.company.collection_days_until, self.today)
        kept = self.env["collection.ledger.day"].search([("company_id", "=", self.company.id)])
        self.assertEqual(sum(kept.mapped("change")), 4000)
        self.assertEqual(self.tiles(self.data())["receivable"]["text"], self.money(4000))

    def test_what_was_late_comes_from_the_history(self):
        """A night tells of the day before it; of what nobody kept, it is said so."""
        own = self.owe()
        self.settle()
        self.env["collection.snapshot"].search([]).unlink()
        tile = self.tiles(self.data(period="last_month"))["overdue"]
        self.assertEqual((tile["text"], tile["why"]), ("—", "No figures were kept of that day."))
        first = self.today.replace(day=1)
        self.env["collection.snapshot"]._take(first - timedelta(days=3))
        self.bank_entry(1000, self.today, own)
        self.settle()
        self.env["collection.snapshot"]._take(first)
        self.env["collection.snapshot"]._take(first + timedelta(days=1))
        last = self.tiles(self.data(period="last_month"))
        self.assertEqual(last["overdue"]["text"], self.money(3000))
        self.assertEqual((last["overdue_share"]["text"], last["ninety_plus_share"]["text"]), ("100.0%", "0.0%"))

    def test_a_day_of_work_is_one_whoever_s_debtors_it_was_for(self):
        self.owe()
        for partner in (self.customer, self.customer, self.second):
            self.env["collection.interaction"].create(
                {"debtor_id": self.debtor(partner).id, "user_id": self.manager.id}
            )
        data = self.data(period="year")
        self.assertEqual(self.tiles(data)["contacts_a_day"]["text"], "3.0")
        self.assertEqual({row["name"]: row["contacts"] for row in data["collectors"]},
                         {"Nobody": 1, "Dashboard Collector": 2})  # fmt: skip
