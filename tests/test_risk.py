"""Risk classes: the figures behind them, what a manager says instead, and who follows from them."""

from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, tagged

from ..engine import risk
from .test_policy import PolicyCommon
from .test_portfolios import PortfolioCommon
from .test_priority import PriorityCommon
from .test_rights import RightsCommon


class RiskCommon(PriorityCommon):
    @classmethod
    def invoice_paid(cls, partner, amount, days, late):
        """An invoice due ``days`` days ago, paid ``late`` days after (negative: before) that."""
        move = cls.make_invoice(partner, amount, days=days)
        cls.pay(move, date=cls.days_ago(cls, days - late))
        return move

    def figures(self, debtor):
        self.rank()
        return debtor.average_days_late, debtor.overdue_share, debtor.risk_class or None


@tagged("post_install", "-at_install")
class TestRisk(RiskCommon):
    # === Figures ===#

    def test_a_new_customer_has_no_class(self):
        debtor = self.owing("New", days=-10)
        self.assertEqual(self.figures(debtor), (0, 0, None))
        self.assertFalse(debtor.risk_explanation)

    def test_who_pays_in_time_is_in_class_a(self):
        partner = self.make_customer("Prompt")
        self.invoice_paid(partner, 1000, days=60, late=0)
        self.invoice_paid(partner, 1000, days=30, late=-10)
        debtor = self.debtor(partner)
        self.assertEqual(self.figures(debtor), (0, 0, "A"))
        self.assertEqual(debtor.risk_explanation, "0 points")

    def test_lateness_is_weighted_by_amount(self):
        partner = self.make_customer("Uneven")
        self.invoice_paid(partner, 900, days=100, late=10)
        self.invoice_paid(partner, 100, days=100, late=80)
        debtor = self.debtor(partner)
        self.assertEqual(self.figures(debtor), (17.0, 0, "B"))
        self.assertEqual(debtor.risk_explanation, "17 points: 17 days late on average (17)")

    def test_paying_early_makes_up_for_no_delay(self):
        partner = self.make_customer("Both")
        self.invoice_paid(partner, 500, days=100, late=40)
        self.invoice_paid(partner, 500, days=100, late=-40)
        self.assertEqual(self.figures(self.debtor(partner)), (20.0, 0, "B"))

    def test_what_is_overdue_counts_as_if_paid_today(self):
        partner = self.make_customer("Waiting")
        self.invoice_paid(partner, 1000, days=100, late=0)
        self.make_invoice(partner, 500, days=61)
        self.make_invoice(partner, 1500, days=-5)
        debtor = self.debtor(partner)
        self.assertEqual(self.figures(debtor), (20.3, 25, "B"))
        self.assertEqual(debtor.risk_explanation, "25 points: 20.3 days late on average (20); 25 % overdue (5)")

    def test_each_part_of_a_payment_counts_by_itself(self):
        partner = self.make_customer("Parts")
        move = self.make_invoice(partner, 1000, days=50)
        self.pay(move, 600, date=self.days_ago(50))
        self.pay(move, 400, date=self.days_ago(0))
        self.assertEqual(self.figures(self.debtor(partner)), (20.0, 0, "B"))

    def test_what_was_paid_more_than_a_year_ago_is_forgotten(self):
        partner = self.make_customer("Long Ago")
        self.invoice_paid(partner, 1000, days=500, late=100)
        debtor = self.debtor(partner)
        self.assertEqual(self.figures(debtor), (0, 0, None))
        self.invoice_paid(partner, 1000, days=400, late=40)
        self.settle()
        self.assertEqual(self.figures(debtor), (40.0, 0, "C"))

    def test_a_credit_note_is_no_payment(self):
        partner = self.make_customer("Credited")
        move = self.make_invoice(partner, 1000, days=90)
        credit = self.make_invoice(partner, 1000, days=0, move_type="out_refund")
        (self.receivable(move) + self.receivable(credit)).reconcile()
        self.assertEqual(self.figures(self.debtor(partner)), (0, 0, None))

    def test_contacts_count_for_their_customer_and_companies_are_apart(self):
        partner = self.make_customer("Family")
        child = self.make_customer("Child", parent_id=partner.id, is_company=False)
        self.invoice_paid(child, 1000, days=70, late=35)
        elsewhere = self.other_company_data()
        self.make_invoice(partner, 1000, days=90, data=elsewhere)
        debtor = self.debtor(partner)
        self.assertEqual(self.figures(debtor), (35.0, 0, "C"))
        there = self.debtor(partner, elsewhere["company"])
        self.Debtor._rank_all(there.company_id)
        self.assertEqual((there.average_days_late, there.overdue_share, there.risk_class), (90.0, 100, "D"))

    def test_another_currency_weighs_by_its_worth(self):
        partner = self.make_customer("Foreign")
        self.invoice_paid(partner, 1000, days=60, late=60)
        euro = self.env.ref("base.EUR")
        euro.active = True
        euro.rate_ids.unlink()
        euro.rate_ids = [Command.create({"name": self.days_ago(900), "rate": 0.5, "company_id": self.company.id})]
        move = self.make_invoice(partner, 1000, days=60, currency_id=euro.id)
        worth = self.receivable(move).balance
        self.pay(move, date=self.days_ago(60))
        average = self.figures(self.debtor(partner))[0]
        self.assertAlmostEqual(average, 60 * 1000 / (1000 + worth), delta=0.06)

    def test_broken_promises_bounced_checks_and_disputes(self):
        partner = self.make_customer("Word Breaker")
        self.invoice_paid(partner, 1000, days=60, late=0)
        invoice = self.make_invoice(partner, 1000, days=-20)
        debtor = self.debtor(partner)
        self.promise(1000, days=1, partner=partner)
        self.judge(5)
        self.bounce(debtor)
        rejected, accepted, open_one = (self.dispute(invoice, amount=10) for _number in range(3))
        rejected.action_reject()
        accepted.action_accept()
        self.settle()
        self.assertEqual(
            (debtor.broken_promise_count, debtor.bounced_check_count, debtor.recent_dispute_count), (1, 1, 2)
        )
        self.assertEqual(self.figures(debtor)[2], "C")
        self.assertEqual(
            debtor.risk_explanation, "31 points: bounced checks: 1 (15); broken promises: 1 (10); disputes: 2 (6)"
        )
        open_one.unlink()
        self.settle()
        self.assertEqual((debtor.recent_dispute_count, debtor.risk_class), (1, "B"))

    def test_during_the_day_the_average_of_the_night_counts(self):
        partner = self.make_customer("Daily")
        self.invoice_paid(partner, 1000, days=60, late=20)
        debtor = self.debtor(partner)
        self.figures(debtor)
        self.invoice_paid(partner, 1000, days=61, late=60)
        self.make_invoice(partner, 1000, days=-30)
        self.promise(5, days=0, partner=partner)
        self.judge(9)
        self.settle()
        self.assertEqual((debtor.average_days_late, debtor.risk_class), (20.0, "C"))
        self.assertEqual(self.figures(debtor), (40.0, 0, "C"))

    def test_thresholds_of_the_company(self):
        partner = self.make_customer("Threshold")
        self.invoice_paid(partner, 1000, days=60, late=20)
        debtor = self.debtor(partner)
        self.assertEqual(self.figures(debtor)[2], "B")
        self.company.write({"collection_risk_b": 5, "collection_risk_c": 10, "collection_risk_d": 20})
        self.assertEqual(debtor.risk_class, "D", "at once")
        for values in ({"collection_risk_b": 0}, {"collection_risk_c": 5}, {"collection_risk_d": 9}):
            with self.assertRaisesRegex(ValidationError, "greater than zero, each later than the one before"):
                self.company.write(values)

    def test_thresholds_move_together_in_the_settings(self):
        settings = self.env["res.config.settings"].create(
            {"collection_risk_b": 70, "collection_risk_c": 80, "collection_risk_d": 90}
        )
        settings.execute()
        self.assertEqual(self.company._get_collection_risk_thresholds(), (70, 80, 90))
        with self.assertRaisesRegex(ValidationError, "greater than zero, each later than the one before"):
            self.env["res.config.settings"].create({"collection_risk_c": 99})

    def test_aging_buckets_move_together_in_the_settings(self):
        values = {"collection_bucket_1": 100, "collection_bucket_2": 200, "collection_bucket_3": 300}
        self.env["res.config.settings"].create(values).execute()
        self.assertEqual(self.company._get_collection_bucket_edges(), (100, 200, 300))

    # === By hand ===#

    def test_a_merged_customer_keeps_the_fixed_class(self):
        kept, gone = self.owing("Kept"), self.owing("Gone")
        gone.write({"risk_class_fixed": "D", "risk_reason": "Lawsuit"})
        self.Debtor._merge_into(gone.partner_id, kept.partner_id)
        self.assertEqual((kept.risk_class_fixed, kept.risk_reason, kept.risk_class), ("D", "Lawsuit", "D"))


@tagged("post_install", "-at_install")
class TestRiskByHand(RightsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mine = cls.make_debtor("Mine", cls.collector, days=70)
        cls.Debtor._rank_all(cls.company)

    def test_a_manager_fixes_a_class_and_lifts_it(self):
        self.assertEqual((self.mine.risk_class, self.mine.priority_score), ("D", 23 + 20 + 15))
        # Odoo 19's own test class for accounting tracks nothing.
        tracked = self.mine.with_user(self.manager).with_context(tracking_disable=False, mail_notrack=False)
        form = Form(tracked, "account_collection.collection_debtor_view_form")
        form.risk_class_fixed = "B"
        form.risk_reason = "Parent company vouches"
        form.save()
        self.assertEqual((self.mine.risk_class, self.mine.risk_class_computed), ("B", "D"))
        self.assertEqual(self.mine.priority_score, 23 + 20 + 5, "at once")
        self.Debtor._rank_all(self.company)
        self.assertEqual(self.mine.risk_class, "B", "the night leaves it")
        self.env.cr.flush()
        values = self.env["mail.tracking.value"].sudo().search([("mail_message_id.res_id", "=", self.mine.id)])
        self.assertEqual(
            {value.field_id.name: value.new_value_char for value in values if value.field_id.name.startswith("risk")},
            {"risk_class_fixed": "B", "risk_reason": "Parent company vouches"},
        )
        self.mine.with_user(self.manager).action_lift_risk_class()
        self.assertEqual((self.mine.risk_class, self.mine.risk_class_fixed, self.mine.risk_reason), ("D", False, False))

    def test_a_fixed_class_says_why(self):
        for reason in (False, "  "):
            with self.assertRaisesRegex(ValidationError, "Say why the risk class of Mine is fixed"):
                self.mine.with_user(self.manager).write({"risk_class_fixed": "A", "risk_reason": reason})

    def test_only_a_manager(self):
        for user in (self.viewer, self.collector, self.sender, self.collecting_sender):
            mine = self.mine.with_user(user)
            for work in (
                lambda mine: mine.write({"risk_class_fixed": "A", "risk_reason": "Friend"}),
                lambda mine: mine.write({"risk_reason": "Friend"}),
                lambda mine: mine.action_lift_risk_class(),
            ):
                with self.assertRaises(AccessError, msg=user.login):
                    work(mine)
        with self.assertRaisesRegex(AccessError, "Only a manager of collections fixes the risk class"):
            self.mine.with_user(self.collector).write({"risk_class_fixed": "A", "risk_reason": "Friend"})
        self.assertEqual(self.mine.with_user(self.collector).read(["risk_class"])[0]["risk_class"], "D")
        self.assertIn("70 days late on average", self.mine.with_user(self.viewer).risk_explanation)

    def test_debtors_by_class(self):
        safe = self.make_debtor("Safe", self.collector, days=1)
        self.Debtor._rank_all(self.company)
        both = self.Debtor.with_user(self.manager).search([("id", "in", (self.mine | safe).ids)])
        groups = both.read_group([("id", "in", both.ids)], ["__count"], ["risk_class"])
        self.assertEqual({group["risk_class"]: group["risk_class_count"] for group in groups}, {"B": 1, "D": 1})


@tagged("post_install", "-at_install")
class TestRiskPolicy(PolicyCommon):
    def test_debtor_before_tag_before_class_before_company(self):
        tag = self.env["res.partner.category"].create({"name": "VIP"})
        by_tag = self.make_policy("By tag", (1, 99), partner_tag_ids=[Command.link(tag.id)])
        by_class = self.make_policy("By class", (1, 99), risk_c=True, risk_d=True, sequence=1)
        self.make_policy("Later", (1, 99), risk_d=True, sequence=2)
        by_debtor = self.make_policy("By debtor", (2, 99))
        expected = {"Unknown": self.policy, "A": self.policy, "C": by_class, "D": by_class}
        expected |= {"Tagged D": by_tag, "Chosen D": by_debtor}
        customers = {name: self.make_customer(name) for name in expected}
        for name, customer in customers.items():
            self.make_invoice(customer, 100, days=5)
            if name[-1] in risk.CLASSES:
                self.debtor(customer).write({"risk_class_fixed": name[-1], "risk_reason": "Test"})
        (customers["Tagged D"] + customers["Chosen D"]).category_id = tag
        self.debtor(customers["Chosen D"]).policy_id = by_debtor
        self.night()
        for name, policy in expected.items():
            self.assertEqual(self.notices(customers[name]).level_id.policy_id, policy, name)
            self.assertEqual(self.debtor(customers[name]).effective_policy_id, policy, name)
        self.assertEqual((by_class.risk_classes, by_tag.risk_classes), ("C, D", ""))

    def test_policies_by_class_of_other_companies_and_archived_ones_are_passed_over(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        self.make_policy("Elsewhere", (1, 99), company_id=other.id, sequence=1, risk_d=True)
        self.make_policy("Archived", (1, 99), active=False, sequence=2, risk_d=True)
        customer = self.make_customer("Risky")
        self.make_invoice(customer, 100, days=5)
        debtor = self.debtor(customer)
        debtor.write({"risk_class_fixed": "D", "risk_reason": "Test"})
        self.assertEqual(debtor.effective_policy_id, self.policy)
        self.assertEqual(self.night().level_id.policy_id, self.policy)
        here = self.make_policy("Here", (1, 99), company_id=self.company.id, sequence=9, risk_d=True)
        debtor.invalidate_recordset()
        self.assertEqual(debtor.effective_policy_id, here)

    def test_the_class_of_the_night_chooses_the_policy_of_the_night(self):
        by_class = self.make_policy("Late", (1, 99), risk_d=True)
        customer = self.make_customer("Late")
        self.make_invoice(customer, 100, days=70)
        self.settle()
        with patch.object(type(self.env["collection.notice"]), "_trigger_dispatch"):
            self.Run._cron_nightly(self.today)
        self.assertEqual(self.notices(customer).level_id.policy_id, by_class)


@tagged("post_install", "-at_install")
class TestRiskPortfolio(PortfolioCommon):
    def test_a_portfolio_by_class(self):
        safe, risky, unknown = self.owing("Safe"), self.owing("Risky"), self.owing("Unknown")
        safe.write({"risk_class_fixed": "A", "risk_reason": "Test"})
        risky.write({"risk_class_fixed": "D", "risk_reason": "Test"})
        portfolio = self.make_portfolio("Risky", self.collector, risk_c=True, risk_d=True)
        self.assign()
        self.assertEqual(risky.portfolio_id, portfolio)
        self.assertFalse((safe | unknown).portfolio_id)
        self.assertEqual(portfolio.risk_classes, "C, D")
