"""Alerts of debtors to the company's own people: each event once, to who may see it."""

from datetime import timedelta
from unittest.mock import patch

from lxml import html
from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .check_common import CheckCommon

LOGGER = "odoo.addons.account_collection.models.collection_transaction"


class RuleCommon(CheckCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Rule = cls.env["collection.alert.rule"]
        cls.Rule.search([]).active = False
        group = "account_collection.group_collection_"
        cls.boss = cls.make_user("boss", group + "manager")
        cls.collector = cls.make_user("collector", group + "collector")
        cls.seller = cls.make_user("seller", "base.group_user")
        cls.company.collection_responsible_id = cls.boss
        cls.customer.user_id = cls.seller

    @classmethod
    def rule(cls, kind, how="activity", **values):
        values = values or {"to_collector": True}
        if not any(name.startswith("to_") for name in values):
            values["to_collector"] = True
        return cls.Rule.create(
            {"name": f"Rule of {kind}", "kind": kind, "how": how, "company_id": cls.company.id, **values}
        )

    def owe(self, amount=1000, days=10, partner=None):
        self.make_invoice(partner or self.customer, amount, days=days)
        debtor = self.debtor(partner or self.customer)
        debtor.collector_id = self.collector
        return debtor

    def alert(self, today=None):
        """A night's alerts: ``[(user, model, record id, summary)]`` of its activities."""
        before = self.env["mail.activity"].search([])
        self.settle()
        self.Rule.with_company(self.company)._alert_company(self.company, today or self.today)
        new = self.env["mail.activity"].search([], order="id") - before
        return [(activity.user_id, activity.res_model, activity.res_id, activity.summary) for activity in new]

    def mails(self):
        """Those of a night's alerts, by address."""
        before = self.env["mail.mail"].search([])
        self.settle()
        self.Rule.with_company(self.company)._alert_company(self.company, self.today)
        new = self.env["mail.mail"].search([]) - before
        self.assertEqual(len(new), len(set(new.mapped("email_to"))), "one for each person")
        return {mail.email_to.split("<")[1].rstrip(">"): mail for mail in new}


@tagged("post_install", "-at_install")
class TestAlertKinds(RuleCommon):
    def test_overdue_items(self):
        self.rule("overdue_count", count=2)
        for _number in range(2):
            debtor = self.owe(100)
        self.assertFalse(self.alert(), "two are not more than two")
        self.owe(50)
        self.assertEqual(
            self.alert(),
            [
                (
                    self.collector,
                    "collection.debtor",
                    debtor.id,
                    "Rule of overdue_count: overdue items: 3, $\xa0250.00",
                )
            ],
        )

    def test_overdue_amount(self):
        self.rule("overdue_amount", amount=1000)
        self.owe(1000)
        self.assertFalse(self.alert())
        self.owe(0.01)
        ((user, _model, _id, summary),) = self.alert()
        self.assertEqual((user, summary), (self.collector, "Rule of overdue_amount: $\xa01,000.01 overdue"))

    def test_a_level_or_a_later_one(self):
        levels = self.policy.level_ids.sorted("day_from")
        self.rule("level", level_id=levels[-2].id)
        debtor = self.owe(1000, days=70)
        for level, told in ((levels[-3], 0), (levels[-2], 1), (levels[-1], 0)):
            self.reach(debtor, level)
            self.assertEqual(len(self.alert()), told)

    def test_the_last_level(self):
        levels = self.policy.level_ids.sorted("day_from")
        self.rule("level")
        debtor = self.owe(1000, days=70)
        self.reach(debtor, levels[-2])
        self.assertFalse(self.alert())
        self.reach(debtor, levels[-1])
        found = self.alert()
        self.assertIn(f"“{levels[-1].name}” was reached, $\xa01,000.00 overdue", found[0][3])

    def reach(self, debtor, level):
        """As the refresh does: the level is what the notices say."""
        self.env.cr.execute("UPDATE collection_debtor SET level_id = %s WHERE id = %s", (level.id, debtor.id))
        self.env.invalidate_all()

    def test_credit_limit(self):
        self.company.account_use_credit_limit = True
        self.customer.credit_limit = 800
        self.rule("limit")
        self.owe(800)
        self.assertFalse(self.alert())
        self.owe(100)
        self.assertIn("$\xa0900.00 used of a limit of $\xa0800.00", self.alert()[0][3])
        self.assertFalse(self.alert())

    def test_broken_promise(self):
        rule = self.rule("promise")
        debtor = self.owe(1000)
        promise = self.env["collection.promise"].create(
            {"debtor_id": debtor.id, "date": self.today, "amount": 400, "made_on": self.today}
        )
        self.assertFalse(self.alert())
        self.env["collection.promise"]._judge_company(self.company, self.today + timedelta(days=9))
        self.assertEqual(promise.state, "broken")
        self.assertIn("broken, nothing came in", self.alert()[0][3])
        self.assertFalse(self.alert(), "once")
        self.env["collection.alert"].search([]).unlink()
        rule.since = self.today + timedelta(days=10)
        self.assertFalse(self.alert(), "what was before the rule is no news")

    def test_bounced_check(self):
        self.rule("bounce")
        self.owe(500)
        check = self.make_check(500)
        check._deposit(self.today)
        self.assertFalse(self.alert())
        check._bounce(self.today, "Insufficient funds")
        self.assertIn(f"{check.display_name} of $\xa0500.00 bounced on", self.alert()[0][3])
        check._redeposit(self.today)
        check._bounce(self.today, "Insufficient funds")
        self.assertEqual(len(self.alert()), 1, "another event of the same check")

    def test_due_soon(self):
        self.rule("due_soon", days=7, amount=1000)
        for amount, days in ((1000, -3), (1200, -8), (5000, 1)):
            self.owe(amount, days=days)
        self.assertFalse(self.alert())
        invoice = self.make_invoice(self.customer, 1300, days=-7)
        ((_user, _model, _id, summary),) = self.alert()
        self.assertIn(f"{invoice.name} falls due on", summary)
        self.assertIn("$\xa01,300.00", summary)
        self.assertFalse(self.alert())
        self.assertEqual(len(self.alert(self.today + timedelta(days=1))), 1, "that of eight days is within seven now")


@tagged("post_install", "-at_install")
class TestAlertEvents(RuleCommon):
    def test_what_ends_and_begins_again_is_told_again(self):
        self.rule("overdue_amount", amount=500)
        invoice = self.make_invoice(self.customer, 600, days=10)
        debtor = self.debtor(self.customer)
        debtor.collector_id = self.collector
        self.assertEqual(len(self.alert()), 1)
        self.assertFalse(self.alert())
        self.pay(invoice, 200)
        self.assertFalse(self.alert(), "it is over")
        self.owe(300)
        self.assertEqual([found[2] for found in self.alert()], [debtor.id])

    def test_a_rule_of_another_kind_begins_anew(self):
        rule = self.rule("overdue_amount", amount=500)
        self.owe(600)
        self.alert()
        rule.write({"kind": "overdue_count", "count": 0})
        self.assertEqual(len(self.alert()), 1)

    def test_the_key_is_unique(self):
        rule = self.rule("overdue_amount", amount=500)
        self.owe(600)
        self.alert()
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self.env["collection.alert"].search([("rule_id", "=", rule.id)]).copy()
            self.env.flush_all()

    def test_switched_off_tells_nothing(self):
        rule = self.rule("overdue_amount", amount=500)
        rule.active = False
        self.owe(600)
        self.assertFalse(self.alert())
        rule.since = self.days_ago(99)
        rule.active = True
        self.assertEqual(rule.since, self.today)
        self.assertEqual(len(self.alert()), 1)

    def test_the_night_tells_after_it_dunned(self):
        self.rule("overdue_amount", amount=500)
        self.owe(600)
        before = self.env["mail.activity"].search([])
        self.night()
        summaries = (self.env["mail.activity"].search([]) - before).mapped("summary")
        self.assertIn("Rule of overdue_amount: $\xa0600.00 overdue", summaries)

    def test_alerts_that_fail_stop_no_dunning(self):
        self.rule("overdue_amount", amount=500)
        self.owe(600, days=35)
        failing = patch.object(self.env.registry["collection.alert"], "_tell", side_effect=ValueError("Broken"))
        with failing, mute_logger(LOGGER):
            self.assertTrue(self.night())
        self.assertEqual(len(self.alert()), 1, "the next night tells it")

    def test_rules_shipped_double_no_activity(self):
        shipped = self.Rule.with_context(active_test=False).search([("company_id", "=", False)])
        self.assertEqual(len(shipped), 7)
        for rule in shipped.filtered(lambda rule: rule.kind in ("promise", "bounce")):
            self.assertFalse(rule.to_collector, rule.name)
            self.assertEqual(rule.how, "mail")


@tagged("post_install", "-at_install")
class TestAlertPeople(RuleCommon):
    everybody = {"to_collector": True, "to_salesperson": True, "to_manager": True}

    def test_each_opens_what_is_theirs_to_see(self):
        self.rule("overdue_amount", amount=500, **self.everybody)
        debtor = self.owe(600)
        self.assertEqual(
            {(user, model, record_id) for user, model, record_id, _summary in self.alert()},
            {
                (self.collector, "collection.debtor", debtor.id),
                (self.boss, "collection.debtor", debtor.id),
                (self.seller, "res.partner", self.customer.id),
            },
        )

    def test_without_a_collector_the_responsible(self):
        self.rule("overdue_amount", amount=500)
        self.owe(600).collector_id = False
        self.assertEqual([found[0] for found in self.alert()], [self.boss])

    def test_who_stands_in_for_an_absent_collector(self):
        self.rule("overdue_amount", amount=500)
        self.owe(600)
        substitute = self.make_user("substitute", "account_collection.group_collection_collector")
        self.env["collection.portfolio"].create(
            {
                "name": "Of the absent",
                "company_id": self.company.id,
                "collector_ids": [Command.set(self.collector.ids)],
                "substitute_id": substitute.id,
                "substitute_from": self.today,
            }
        )
        self.env.invalidate_all()
        self.assertEqual([found[0] for found in self.alert()], [substitute])

    def test_who_may_not_see_it_is_not_told_and_it_is_not_forgotten(self):
        self.rule("overdue_amount", amount=500)
        debtor = self.owe(600)
        debtor.collector_id = self.seller
        self.customer.user_id = False
        self.assertFalse(self.alert(), "no right on collections")
        self.assertFalse(self.env["collection.alert"].search([]))
        debtor.collector_id = self.collector
        self.assertEqual([found[0] for found in self.alert()], [self.collector])

    def test_one_mail_for_all_rules_with_figures_and_totals(self):
        self.rule("overdue_amount", how="mail", amount=500, **self.everybody)
        self.rule("overdue_count", how="mail", count=0, to_manager=True)
        other = self.make_customer("Second")
        debtor, second = self.owe(600), self.owe(900, partner=other)
        self.make_invoice(other, 100, days=-5)
        second.collector_id = False
        mails = self.mails()
        self.assertEqual(set(mails), {user.email for user in (self.collector, self.boss, self.seller)})
        text = self.text(mails[self.boss.email])
        for part in (
            "Hello Boss",
            "Rule of overdue_amount (2)",
            "Rule of overdue_count (2)",
            "Postdater",
            "Second",
            "$\xa0600.00 overdue",
            "Total $\xa01,500.00 $\xa01,600.00",
            "overdue items: 1, $\xa0900.00",
        ):
            self.assertIn(part, text)
        self.assertIn(f"/mail/view?model=collection.debtor&amp;res_id={debtor.id}", mails[self.boss.email].body_html)
        own = self.text(mails[self.collector.email])
        self.assertIn("Postdater", own)
        self.assertNotIn("Second", own)
        seller = mails[self.seller.email]
        self.assertIn(f"/mail/view?model=res.partner&amp;res_id={self.customer.id}", seller.body_html)
        self.assertNotIn("Second", self.text(seller))
        self.assertEqual(mails[self.boss.email].subject, f"Collections of {self.company.name}: 4 alerts")
        self.assertFalse(self.mails(), "once")

    def text(self, mail):
        words = [part.strip() for part in html.fromstring(str(mail.body_html)).itertext()]
        return " ".join(word for word in words if word)

    def test_in_the_reader_s_language(self):
        self.speak_spanish()
        self.boss.lang = "es_MX"
        self.rule("overdue_amount", how="mail", amount=500, to_manager=True)
        self.owe(600)
        mail = self.mails()[self.boss.email]
        self.assertIn("Cobranza", mail.subject)
        for part in ("Hola", "600.00 vencido", "Vencido"):
            self.assertIn(part, mail.body_html)

    def test_companies_are_apart(self):
        data = self.other_company_data()
        other = data["company"]
        rule = self.rule("overdue_amount", amount=500, to_manager=True)
        rule.company_id = False
        other.collection_responsible_id = self.boss
        self.make_invoice(self.customer, 700, days=9, data=data)
        theirs = self.debtor(self.customer, other)
        self.assertFalse(self.alert())
        self.Rule._alert_company(other, self.today)
        self.assertFalse(theirs.activity_ids, "the boss is not of that company")
        self.boss.company_ids += other
        self.Rule._alert_company(other, self.today)
        self.assertEqual(theirs.activity_ids.user_id, self.boss)

    def test_statements_do_not_grow_with_the_debtors(self):
        self.company.account_use_credit_limit = True
        for kind, values in (
            ("overdue_amount", {"amount": 100}),
            ("overdue_count", {"count": 0}),
            ("limit", {}),
            ("promise", {}),
            ("bounce", {}),
            ("due_soon", {"days": 30}),
        ):
            self.rule(kind, to_collector=True, to_manager=True, **values)
        self.rule("overdue_amount", how="mail", amount=10, **self.everybody)

        def count(number):
            names = (f"Many {number} {index}" for index in range(number))
            customers = self.make_customers(*names, credit_limit=100, user_id=self.seller.id)
            self.make_invoices(*((customer, 150, days) for customer in customers for days in (5, -5)))
            self.settle()
            debtors = self.Debtor.search([("partner_id", "in", customers.ids)])
            debtors.collector_id = self.collector
            self.env["collection.promise"].create(
                [
                    {"debtor_id": debtor.id, "date": self.today, "amount": 40, "made_on": self.today}
                    for debtor in debtors
                ]
            )
            self.env["collection.promise"]._judge_company(self.company, self.today + timedelta(days=9))
            checks = self.Check.concat(
                *(self.make_check(50, partner=customer, number=f"{number}-{customer.id}") for customer in customers)
            )
            checks._deposit(self.today)
            checks._bounce(self.today, "Insufficient funds")
            self.settle()
            return self.count_statements(lambda: self.Rule._alert_company(self.company, self.today))

        count(1)
        few, many = count(3), count(9)
        self.assertLessEqual(abs(many - few), 3, (few, many))


@tagged("post_install", "-at_install")
class TestAlertRules(RuleCommon):
    def test_a_manager_writes_and_a_viewer_reads(self):
        rule = self.rule("overdue_amount", amount=500)
        rule.with_user(self.boss).write({"amount": 700})
        self.Rule.with_user(self.boss).create({"name": "Own", "kind": "limit", "to_manager": True})
        viewer = self.make_user("viewer", "account_collection.group_collection_viewer")
        for user in (viewer, self.collector):
            own = rule.with_user(user)
            self.assertEqual(own.read(["amount"])[0]["amount"], 700)
            for work in (lambda own=own: own.write({"amount": 1}), own.unlink, own.copy):
                with self.subTest(user.login), self.assertRaises(AccessError):
                    work()
        with self.assertRaises(AccessError):
            rule.with_user(self.seller).read(["amount"])
        with self.assertRaises(AccessError):
            self.env["collection.alert"].with_user(self.boss).search([])

    def test_another_company_s_rule_is_not_seen(self):
        other = self.env["res.company"].create({"name": "Another"})
        rule = self.rule("limit", company_id=other.id)
        self.assertFalse(self.Rule.with_user(self.boss).search([("id", "=", rule.id)]))

    def test_what_is_not_complete(self):
        with self.assertRaises(ValidationError):
            self.rule("limit", to_collector=False)
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self.rule("overdue_amount", amount=-1)
            self.env.flush_all()

    def test_the_form(self):
        with Form(self.Rule.with_user(self.boss).with_company(self.company)) as form:
            form.name = "High"
            form.kind = "overdue_amount"
            form.amount = 900
            form.to_manager = True
        self.assertEqual(form.record.currency_id, self.company.currency_id)
        menu = self.env.ref("account_collection.menu_alert_rules")
        self.assertEqual(menu.action.res_model, "collection.alert.rule")
