"""The digest of the week: figures of the own debtors, for who collects and did not unsubscribe."""

from ast import literal_eval
from datetime import datetime, time, timedelta

from dateutil.relativedelta import relativedelta
from freezegun import freeze_time
from lxml import etree, html

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from .check_common import CheckCommon


class DigestCommon(CheckCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.group = "account_collection.group_collection_"
        cls.digest = cls.env.ref("account_collection.digest_week")
        cls.manager = cls.make_user("manager", cls.group + "manager")
        cls.collector = cls.make_user("collector", cls.group + "collector")
        cls.viewer = cls.make_user("viewer", cls.group + "viewer")
        cls.employee = cls.make_user("employee", "base.group_user")
        cls.other = cls.make_customer("Other")
        for customer, collector in ((cls.customer, cls.collector), (cls.other, False)):
            cls.make_invoice(customer, 1000, days=20)
            cls.debtor(customer).collector_id = collector

    def figures(self, user, days=7, ago=0):
        """The four figures of a reader, of the ``days`` days that ended ``ago`` days ago."""
        end = datetime.combine(self.today - timedelta(days=ago), time(12))
        digest = (
            self.digest.with_user(user)
            .with_company(self.company)
            .with_context(start_datetime=end - timedelta(days=days), end_datetime=end)
        )
        digest.invalidate_model()
        names = ("collected", "promised", "broken", "to_call")
        return tuple(digest[f"kpi_collection_{name}_value"] for name in names)

    def promise(self, partner, amount, days, **values):
        return self.env["collection.promise"].create(
            {
                "debtor_id": self.debtor(partner).id,
                "date": self.today + timedelta(days=days),
                "amount": amount,
                "made_on": self.today - timedelta(days=30),
                "user_id": self.collector.id,
                **values,
            }
        )


@tagged("post_install", "-at_install")
class TestDigestFigures(DigestCommon):
    def test_collected(self):
        self.pay_on_account(self.customer, 300)
        self.pay_on_account(self.customer, 50, date=self.days_ago(8))
        self.pay_on_account(self.other, 70)
        self.settle()
        self.assertEqual((self.figures(self.collector)[0], self.figures(self.manager)[0]), (300, 370))
        self.assertEqual(self.figures(self.manager, days=30)[0], 420)
        self.assertEqual(self.figures(self.manager, ago=7)[0], 50, "the week before")

    def test_a_bounced_check_is_taken_back(self):
        check = self.make_check(400, days=-2)
        check._deposit(self.days_ago(1))
        self.assertEqual(self.figures(self.collector)[0], 400)
        check._bounce(self.today, "Insufficient funds")
        self.assertEqual(self.figures(self.collector)[0], 0)

    def test_promised(self):
        self.promise(self.customer, 200, 7)
        self.promise(self.customer, 30, 8)
        self.promise(self.other, 100, 0)
        self.assertEqual((self.figures(self.collector)[1], self.figures(self.manager)[1]), (200, 300))
        self.assertEqual(self.figures(self.manager, ago=1)[1], 100, "that of the seventh day was not within a week")
        self.promise(self.customer, 5, 3, state="cancelled", closed_on=self.today)
        self.assertEqual(self.figures(self.collector)[1], 200)

    def test_broken(self):
        promises = self.promise(self.customer, 200, -9) + self.promise(self.other, 90, -9)
        self.env["collection.promise"]._judge_company(self.company, self.today)
        self.assertEqual(set(promises.mapped("state")), {"broken"})
        self.assertEqual((self.figures(self.collector)[2], self.figures(self.manager)[2]), (200, 290))
        self.assertEqual(self.figures(self.manager, ago=7)[2], 0)

    def test_promises_in_the_company_s_currency(self):
        gold = self.make_currency("XGD", {900: 2})
        self.promise(self.customer, 300, 2, currency_id=gold.id)
        self.assertEqual(self.figures(self.collector)[1], 150)

    def test_to_call(self):
        debtor = self.debtor(self.customer)
        self.assertEqual((self.figures(self.collector)[3], self.figures(self.manager)[3]), (1, 2))
        self.assertTrue(debtor.to_call)
        said = self.env["collection.interaction"].create({"debtor_id": debtor.id, "user_id": self.collector.id})
        self.settle()
        debtor.invalidate_recordset()
        self.assertFalse(debtor.to_call, "somebody spoke to them")
        self.assertEqual(self.figures(self.collector)[3], 0)
        debtor.activity_schedule("mail.mail_activity_data_call", date_deadline=self.today, user_id=self.collector.id)
        self.assertEqual(self.figures(self.collector)[3], 1, "an activity is due")
        debtor.activity_ids.date_deadline = self.today + timedelta(days=2)
        said.date = datetime.combine(self.days_ago(17), time(12))
        self.settle()
        self.assertEqual(self.figures(self.collector)[3], 1, "long ago")
        debtor.write({"hold": True, "hold_until": self.today})
        self.assertEqual(self.figures(self.collector)[3], 0, "on hold")
        self.assertEqual(debtor.search([("to_call", "=", False), ("id", "=", debtor.id)]), debtor)

    def test_each_company_has_its_day(self):
        """At 23:00 UTC it is tomorrow in Tokyo, and there a call of tomorrow is due."""
        data = self.other_company_data()
        data["company"].partner_id.tz, self.company.partner_id.tz = "Asia/Tokyo", "UTC"
        self.make_invoice(self.customer, 500, days=20, data=data)
        mine, theirs = self.debtor(self.customer), self.debtor(self.customer, data["company"])
        both = mine + theirs
        for debtor in both:
            self.env["collection.interaction"].create({"debtor_id": debtor.id, "user_id": self.collector.id})
        self.settle()
        tomorrow = self.today + timedelta(days=1)
        for debtor in both:
            debtor.activity_schedule("mail.mail_activity_data_call", date_deadline=tomorrow)
        with freeze_time(datetime.combine(self.today, time(23))):
            both.invalidate_recordset()
            self.assertEqual(both.search([("id", "in", both.ids), ("to_call", "=", True)]), theirs)
            self.assertEqual(both.mapped("to_call"), [False, True])

    def test_the_day_is_the_company_s(self):
        """Odoo's digest passes UTC for the company's time: in Mexico at 19:00 the day is not over."""
        self.company.partner_id.tz = "America/Mexico_City"
        self.company.resource_calendar_id.tz = "America/Mexico_City"
        day = self.today
        self.pay_on_account(self.customer, 300, date=day)
        self.pay_on_account(self.customer, 50, date=day - timedelta(days=1))
        self.settle()
        with freeze_time(datetime.combine(day + timedelta(days=1), time(1))):
            self.assertEqual(self.company._get_collection_today(), day)
            (_title, ((start, end), _before)), *_others = self.digest._compute_timeframes(self.company)
            digest = self.digest.with_user(self.manager).with_company(self.company)
            digest = digest.with_context(start_datetime=start, end_datetime=end)
            self.assertEqual(digest._get_collection_period("viewer"), (day - timedelta(days=1), day, self.company))
            self.assertEqual(digest.kpi_collection_collected_value, 300)

    def test_who_has_no_right_gets_no_figure(self):
        with self.assertRaises(AccessError):
            self.figures(self.employee)
        self.assertEqual(self.digest._compute_kpis(self.company, self.employee), [])

    def test_another_company_counts_for_itself(self):
        self.pay_on_account(self.customer, 300)
        self.settle()
        other = self.other_company_data()["company"]
        self.manager.write({"company_ids": [Command.link(other.id)], "company_id": other.id})
        kpis = self.digest._compute_kpis(other, self.manager)
        self.assertEqual(len(kpis), 4)
        for kpi in kpis:
            self.assertNotIn("300", str(kpi["kpi_col2"]["value"]))

    def test_the_figures_take_the_same_statements_for_many(self):
        def count(number):
            customers = self.make_customers(*(f"Many {number} {index}" for index in range(number)))
            self.make_invoices(*((customer, 150, 5) for customer in customers))
            self.settle()
            for customer in customers:
                self.promise(customer, 20, 3)
            return self.count_statements(lambda: self.figures(self.manager))

        count(1)
        self.assertLessEqual(abs(count(12) - count(3)), 2)


@tagged("post_install", "-at_install")
class TestDigestMail(DigestCommon):
    def send(self, user):
        """The mail of a reader: ``{figure: (last day, week, month)}`` as it reads, and its links."""
        before = self.env["mail.mail"].search([])
        self.digest.user_ids = user
        self.digest.action_send()
        mail = self.env["mail.mail"].search([]) - before
        self.assertIn(user.email, mail.email_to)
        self.assertIn("Collections: the week", mail.subject)
        body = html.fromstring(str(mail.body_html))
        return " ".join(" ".join(body.itertext()).split()).replace("\xa0", ""), body.xpath("//a/@href")

    def test_a_collector_reads_the_own_figures_and_a_manager_all(self):
        self.pay_on_account(self.customer, 311)
        self.pay_on_account(self.other, 77)
        self.settle()
        self.promise(self.customer, 222, 3)
        self.promise(self.other, 10, 3)
        for partner, amount in ((self.customer, 155), (self.other, 5)):
            self.promise(partner, amount, -9, made_on=self.days_ago(9), move_ids=[Command.clear()])
        # Receipts of today are too late for these.
        self.env["collection.promise"].search([("date", "<", self.today)]).write(
            {"state": "broken", "closed_on": self.today}
        )
        for user, figures in (
            (self.collector, ("$311", "$222", "$155", "1")),
            (self.manager, ("$388", "$232", "$160", "2")),
        ):
            text, links = self.send(user)
            for title, figure in zip(
                ("Collected", "Promised for the Next 7 Days", "Broken Promises", "Debtors to Call"),
                figures,
                strict=True,
            ):
                self.assertIn(title, text)
                after = text[text.index(title) :]
                self.assertIn(f"{figure} Last 7 Days", after, (user.login, title, after[:200]))
            for name in (
                "collection_collected_action",
                "collection_promise_week_action",
                "collection_promise_broken_action",
                "collection_debtor_to_call_action",
            ):
                self.assertTrue(any(f"account_collection.{name}" in link for link in links), name)

    def test_the_actions_open_what_was_counted(self):
        self.pay_on_account(self.customer, 300)
        self.pay_on_account(self.other, 70)
        self.pay_on_account(self.customer, 20, date=self.days_ago(7))
        self.settle()
        server = self.env.ref("account_collection.collection_collected_action")
        for user, amount in ((self.collector, 300), (self.manager, 370)):
            action = server.with_user(user).with_company(self.company).run()
            lines = self.env[action["res_model"]].with_user(user).with_company(self.company)
            self.assertEqual(-sum(lines.search(action["domain"]).mapped("balance")), amount)
        debtors = self.Debtor.with_user(self.collector).with_company(self.company)
        self.assertEqual(debtors.search([("to_call", "=", True)]).partner_id, self.customer)

    def listed(self, name, user):
        """The promises that an action shows to a reader, each filter of its context being in a group of its own."""
        action = self.env.ref(f"account_collection.{name}")
        arch = etree.fromstring(self.env.ref("account_collection.collection_promise_view_search").arch)
        values = {"context_today": lambda: self.today, "relativedelta": relativedelta}
        domain = []
        for key in literal_eval(action.context):
            (found,) = arch.xpath(f"//filter[@name='{key.removeprefix('search_default_')}']/@domain")
            domain += safe_eval(found, values)
        return self.env[action.res_model].with_user(user).with_company(self.company).search(domain)

    def test_the_actions_open_the_promises_that_were_counted(self):
        for partner, amount, days in ((self.customer, 200, 3), (self.customer, 30, 9), (self.other, 100, 0)):
            self.promise(partner, amount, days)
        for partner, amount in ((self.customer, 70), (self.other, 9)):
            self.promise(partner, amount, -9)
        self.env["collection.promise"]._judge_company(self.company, self.today)
        for user, promised, broken in ((self.collector, 200, 70), (self.manager, 300, 79)):
            self.assertEqual(self.figures(user)[1:3], (promised, broken))
            self.assertEqual(sum(self.listed("collection_promise_week_action", user).mapped("amount")), promised)
            self.assertEqual(sum(self.listed("collection_promise_broken_action", user).mapped("amount")), broken)


@tagged("post_install", "-at_install")
class TestDigestReaders(DigestCommon):
    def readers(self):
        people = self.manager + self.collector + self.viewer + self.employee
        return self.digest.user_ids & people

    def test_who_collects_is_subscribed(self):
        self.assertEqual(self.readers(), self.manager + self.collector)
        self.assertEqual((self.digest.periodicity, self.digest.company_id), ("weekly", self.env["res.company"]))

    def test_it_keeps_in_step_with_the_groups(self):
        self.viewer.groups_id += self.env.ref(self.group + "collector")
        self.assertIn(self.viewer, self.readers())
        self.collector.groups_id -= self.env.ref(self.group + "collector")
        self.assertNotIn(self.collector, self.readers())
        self.collector.groups_id += self.env.ref(self.group + "collector")
        self.assertIn(self.collector, self.readers())
        self.collector.active = False
        self.assertNotIn(self.collector, self.digest.with_context(active_test=False).user_ids)

    def test_who_unsubscribed_stays_so(self):
        self.digest.with_user(self.collector).action_unsubscribe()
        self.collector.groups_id -= self.env.ref(self.group + "collector")
        self.collector.groups_id += self.env.ref(self.group + "collector")
        self.digest._sync_collection_digest()
        self.assertEqual(self.readers(), self.manager)
        self.digest.with_user(self.collector).action_subscribe()
        self.digest._sync_collection_digest()
        self.assertEqual(self.readers(), self.manager + self.collector)

    def test_who_was_subscribed_by_hand_stays_so(self):
        self.digest.user_ids += self.employee
        self.digest._sync_collection_digest()
        self.assertIn(self.employee, self.readers())
