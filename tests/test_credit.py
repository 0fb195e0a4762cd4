"""The credit policy: limit, exposure, and what happens when an invoice goes over the limit."""

from datetime import timedelta
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .check_common import CheckCommon


class CreditCommon(CheckCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.account_use_credit_limit = True
        cls.customer.credit_limit = 1000
        group = "account_collection.group_collection_"
        cls.manager = cls.make_user("manager", group + "manager")
        cls.collector = cls.make_user("collector", group + "collector")
        cls.viewer = cls.make_user("viewer", group + "viewer")
        cls.invoicing = cls.make_user("invoicing", "account.group_account_invoice", "base.group_partner_manager")

    def draft(self, amount, partner=None, **values):
        return self.make_invoice(partner or self.customer, amount, post=False, **values)

    def credit(self, partner=None):
        debtor = self.debtor(partner or self.customer)
        debtor.invalidate_recordset()
        return debtor.credit_limit, debtor.credit_exposure, debtor.credit_available, debtor.over_credit_limit


@tagged("post_install", "-at_install")
class TestExposure(CreditCommon):
    def test_open_items_count_and_payments_lower_it(self):
        invoice = self.make_invoice(self.customer, 700, days=-5)
        self.assertEqual(self.credit(), (1000, 700, 300, False))
        self.make_invoice(self.customer, 500, days=5)
        self.assertEqual(self.credit(), (1000, 1200, -200, True))
        self.assertAlmostEqual(self.debtor(self.customer).credit_used, 1.2)
        self.pay(invoice)
        self.pay_on_account(self.customer, 100)
        self.assertEqual(self.credit(), (1000, 400, 600, False))

    def test_a_check_counts_until_it_clears(self):
        for custody_is_booked in (False, True):
            with self.subTest(custody_is_booked):
                customer = self.make_customer(f"Postdater {custody_is_booked}", credit_limit=1000)
                self.company.collection_check_in_custody_account = custody_is_booked
                self.make_invoice(customer, 600)
                check = self.make_check(600, partner=customer, number=f"1{custody_is_booked:d}")
                self.assertEqual(self.credit(customer), (1000, 600, 400, False), "in custody it pays nothing")
                check._deposit(self.today)
                self.assertEqual(self.debtor(customer).total_due, 0)
                self.assertEqual(self.credit(customer), (1000, 600, 400, False), "the bank may give it back")
                check._bounce(self.today, "Insufficient funds")
                self.assertEqual(self.credit(customer), (1000, 600, 400, False))
                check._redeposit(self.today)
                self.assertEqual(self.credit(customer), (1000, 600, 400, False))
                check._clear(self.today)
                self.assertEqual(self.credit(customer), (1000, 0, 1000, False))

    def test_what_changes_in_the_same_transaction_is_seen(self):
        self.make_invoice(self.customer, 600)
        check = self.make_check(600)
        debtor = self.debtor(self.customer)
        self.assertEqual((debtor.credit_limit, debtor.credit_exposure), (1000, 600))
        self.customer.credit_limit = 500
        self.assertEqual((debtor.credit_limit, debtor.over_credit_limit), (500, True))
        check._deposit(self.today)
        self.settle()
        self.assertEqual(debtor.credit_exposure, 600)
        check._clear(self.today)
        self.assertEqual(debtor.credit_exposure, 0)
        self.company.account_use_credit_limit = False
        self.assertEqual(debtor.credit_limit, 0)

    def test_a_changed_limit_is_logged_on_the_customer(self):
        self.env.cr.flush()
        # The data of tests on 19.0 is not tracked otherwise.
        customer = self.customer.with_context(tracking_disable=False, mail_notrack=False)
        customer.with_user(self.invoicing).with_company(self.company).credit_limit = 5000
        self.env.flush_all()
        self.env.cr.precommit.run()
        messages = self.env["mail.message"].search([("model", "=", "res.partner"), ("res_id", "=", self.customer.id)])
        (tracked,) = messages.tracking_value_ids
        self.assertEqual((tracked.old_value_float, tracked.new_value_float), (1000, 5000))

    def test_the_company_s_default_limit_and_none_at_all(self):
        other = self.make_customer("Without One")
        self.make_invoice(other, 5000)
        self.assertEqual(self.credit(other), (0, 5000, 0, False), "zero is no limit")
        self.env["res.config.settings"].create({"account_default_credit_limit": 800}).execute()
        other.invalidate_recordset()
        self.assertEqual(self.credit(other), (800, 5000, -4200, True))
        self.company.account_use_credit_limit = False
        self.assertEqual(self.credit(other), (0, 5000, 0, False))

    def test_what_is_to_be_invoiced_counts(self):
        self.make_invoice(self.customer, 300)
        debtor = self.debtor(self.customer)
        uninvoiced = {self.customer.id: 250.0}
        with patch.object(self.env.registry[debtor._name], "_get_uninvoiced", lambda *_args: uninvoiced):
            self.assertEqual(self.credit(), (1000, 550, 450, False))

    def test_in_company_currency(self):
        gold = self.make_currency("XGD", {900: 2})
        self.make_invoice(self.customer, 500, currency_id=gold.id)
        self.assertEqual(self.credit(), (1000, 250, 750, False))

    def test_filter_over_the_limit(self):
        self.make_invoice(self.customer, 1200)
        within = self.make_customer("Within", credit_limit=100)
        self.make_invoice(within, 100)
        over, other = self.debtor(self.customer), self.debtor(within)
        both = over | other
        self.assertEqual(both.search([("id", "in", both.ids), ("over_credit_limit", "=", True)]), over)
        self.assertEqual(both.search([("id", "in", both.ids), ("over_credit_limit", "=", False)]), other)
        self.assertEqual(both.search([("id", "in", both.ids), ("over_credit_limit", "!=", True)]), other)

    def test_a_collector_finds_and_reads_the_own_ones(self):
        self.make_invoice(self.customer, 1200)
        debtor = self.debtor(self.customer)
        over = [("over_credit_limit", "=", True)]
        self.assertFalse(debtor.with_user(self.collector).search(over))
        debtor.collector_id = self.collector
        self.assertEqual(debtor.with_user(self.collector).search(over).credit_exposure, 1200)
        self.assertEqual(debtor.with_user(self.viewer).search(over).credit_available, -200)

    def test_statements_do_not_grow_with_the_list(self):
        def count(number):
            customers = self.env["res.partner"].create(
                [self.prepare_customer(f"List {number} {index}", credit_limit=100) for index in range(number)]
            )
            self.env["account.move"].create(
                [self.prepare_invoice(customer, 150, 5) for customer in customers]
            ).action_post()
            self.settle()
            debtors = self.Debtor.search([("partner_id", "in", customers.ids)])
            read = self.count_statements(lambda: debtors.read(["credit_limit", "credit_exposure", "over_credit_limit"]))
            found = self.count_statements(lambda: debtors.search([("over_credit_limit", "=", True)]))
            return read, found

        count(1)
        self.assertEqual(count(2), count(12))


@tagged("post_install", "-at_install")
class TestCreditAtPosting(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.collection_credit_check = "block"

    def allow(self, moves, reason="Pays on Friday", user=None):
        wizards = self.env["collection.credit.wizard"].with_user(user or self.manager).sudo(False)
        wizard = wizards.with_company(self.company).with_context(active_model=moves._name, active_ids=moves.ids)
        wizard.create({"reason": reason}).action_allow()

    def bodies(self, record):
        return "\n".join(str(message.body).replace("&nbsp;", "\xa0") for message in record.message_ids)

    def test_block_says_one_sentence_with_the_figures(self):
        self.make_invoice(self.customer, 700)
        draft = self.draft(300.01).with_user(self.invoicing)
        with self.assertRaises(UserError) as caught:
            draft.action_post()
        text = str(caught.exception)
        for part in ("Postdater", "1,000.00", "700.00", "1,000.01", "A manager of collections may allow it"):
            self.assertIn(part, text)
        self.assertEqual(draft.state, "draft")
        self.draft(300).with_user(self.invoicing).action_post()

    def test_nothing_and_warning_post(self):
        self.company.collection_credit_check = "none"
        free = self.draft(1100)
        free.action_post()
        self.assertNotIn("credit limit", self.bodies(free))
        self.company.collection_credit_check = "warn"
        draft = self.draft(200).with_user(self.invoicing)
        self.assertIn("1,300.00 with this invoice", draft.partner_credit_warning)
        self.assertFalse(draft.collection_credit_refused)
        draft.action_post()
        self.assertEqual(draft.state, "posted")
        said = "Posted over the credit limit of $\xa01,000.00: the customer now uses $\xa01,300.00."
        self.assertIn(said, self.bodies(draft.sudo()))
        self.assertIn(said, self.bodies(self.debtor(self.customer)))

    def test_the_banner_speaks_of_the_same_figures(self):
        self.make_invoice(self.customer, 600)
        self.make_check(600)._deposit(self.today)
        draft = self.draft(500).with_user(self.invoicing)
        self.assertIn("it uses $\xa0600.00, and $\xa01,100.00 with this invoice", draft.partner_credit_warning)
        self.assertTrue(draft.collection_credit_refused)
        self.assertFalse(self.draft(400).partner_credit_warning)

    def test_a_batch_counts_in_order_and_names_them(self):
        drafts = self.draft(400) + self.draft(700) + self.draft(500) + self.draft(100)
        with self.assertRaises(UserError) as caught:
            drafts.action_post()
        text = str(caught.exception)
        self.assertIn(drafts[1]._get_credit_name(), text)
        for fitting in drafts - drafts[1]:
            self.assertNotIn(fitting._get_credit_name(), text, "400, 500 and 100 are not over 1,000")

    def test_a_batch_names_all_that_are_over(self):
        drafts = self.draft(1200) + self.draft(900) + self.draft(300)
        with self.assertRaises(UserError) as caught:
            drafts.action_post()
        text = str(caught.exception)
        self.assertIn("Nothing was posted", text)
        self.assertIn(f"{drafts[0]._get_credit_name()} (Postdater, $\xa01,200.00 of $\xa01,000.00)", text)
        self.assertIn(f"{drafts[2]._get_credit_name()} (Postdater, $\xa01,200.00 of $\xa01,000.00)", text)
        self.assertNotIn(f"{drafts[1]._get_credit_name()} (", text)

    def test_a_credit_note_in_the_batch_makes_room(self):
        self.make_invoice(self.customer, 1000)
        note = self.draft(400, move_type="out_refund")
        (note + self.draft(400)).action_post()
        self.assertEqual(self.credit(), (1000, 1000, 0, False))
        self.draft(5000, move_type="out_refund").action_post()

    def test_contacts_of_a_customer_share_its_limit(self):
        branch = self.make_customer("Branch", parent_id=self.customer.id, is_company=False)
        self.make_invoice(branch, 700)
        with self.assertRaises(UserError):
            self.draft(400, partner=branch).action_post()

    def test_what_odoo_posts_later_is_not_asked_now(self):
        draft = self.draft(5000, invoice_date=self.today + timedelta(days=5), date=self.today + timedelta(days=5))
        draft._post(soft=True)
        self.assertEqual((draft.state, draft.auto_post), ("draft", "at_date"))

    def test_the_job_that_posts_entries_leaves_the_refused_one_alone(self):
        refused, fitting = self.draft(1200), self.draft(300)
        (refused + fitting).auto_post = "at_date"
        with (
            patch.object(self.env.registry["ir.cron"], "_commit_progress", create=True),
            patch.object(self.env.cr, "rollback"),
        ):
            self.env["account.move"]._autopost_draft_entries()
        self.assertEqual((refused.state, fitting.state), ("draft", "posted"))
        self.assertIn("over its credit limit", self.bodies(refused))

    def test_vendor_bills_and_entries_are_not_asked(self):
        self.draft(5000, move_type="in_invoice").action_post()

    def test_a_hold_stops_messages_and_not_sales(self):
        self.make_invoice(self.customer, 100)
        self.debtor(self.customer).hold = True
        self.draft(100).action_post()

    def test_a_manager_allows_it_with_a_reason(self):
        draft = self.draft(1500)
        self.allow(draft)
        self.assertEqual(draft.collection_credit_allowed_by_id, self.manager)
        self.assertTrue(draft.collection_credit_allowed_on)
        self.assertFalse(draft.collection_credit_refused)
        draft.with_user(self.invoicing).action_post()
        for record in (draft, self.debtor(self.customer)):
            self.assertIn("Manager allows it over the credit limit", self.bodies(record))
            self.assertIn("Pays on Friday", self.bodies(record))

    def test_a_higher_invoice_must_be_allowed_again(self):
        draft = self.draft(1500)
        self.allow(draft)
        draft.invoice_line_ids.price_unit = 1501
        with self.assertRaises(UserError):
            draft.action_post()
        draft.invoice_line_ids.price_unit = 1400
        draft.action_post()
        self.assertFalse(draft.copy().collection_credit_allowed_amount)

    def test_who_is_no_manager_allows_nothing(self):
        draft = self.draft(1500)
        for user in (self.invoicing, self.collector, self.viewer):
            with self.subTest(user.login), self.assertRaises(AccessError):
                draft.with_user(user).sudo(False)._allow_credit("Please")
        for user in (self.invoicing, self.manager):
            with self.subTest(user.login), self.assertRaises(AccessError):
                draft.with_user(user).write({"collection_credit_allowed_amount": 9999})
        with self.assertRaises(AccessError):
            self.allow(draft, user=self.invoicing)
        with self.assertRaises(AccessError):
            self.env["account.move"].with_user(self.invoicing).create(
                {
                    "move_type": "out_invoice",
                    "partner_id": self.customer.id,
                    "collection_credit_allowed_amount": 99,
                    "invoice_line_ids": [Command.create({"name": "Goods", "price_unit": 5})],
                }
            )

    def test_a_default_allows_nothing(self):
        drafts = self.env["account.move"].with_context(default_collection_credit_allowed_amount=9999)
        draft = drafts.create(self.prepare_invoice(self.customer, 1500, 0))
        self.assertFalse(draft.collection_credit_allowed_amount)

    def test_another_customer_must_be_allowed_anew(self):
        draft = self.draft(1500)
        self.allow(draft)
        draft.partner_id = self.make_customer("Another", credit_limit=1000)
        self.assertFalse(draft.collection_credit_allowed_by_id)
        with self.assertRaises(UserError):
            draft.action_post()

    def test_a_manager_allows_nothing_in_a_company_of_others(self):
        data = self.other_company_data()
        data["company"].write({"account_use_credit_limit": True, "collection_credit_check": "block"})
        self.customer.with_company(data["company"]).credit_limit = 100
        theirs = self.make_invoice(self.customer, 500, data=data, post=False)
        wizards = self.env["collection.credit.wizard"].with_user(self.manager).with_company(self.company)
        wizard = wizards.new({"move_ids": [Command.set(theirs.ids)], "reason": "Please"})
        self.assertNotIn("500", wizard.summary)
        with self.assertRaises(UserError):
            wizards.create({"move_ids": [Command.set(theirs.ids)], "reason": "Please"}).action_allow()
        self.assertFalse(theirs.collection_credit_allowed_by_id)

    def test_nothing_to_allow(self):
        with self.assertRaises(UserError):
            self.allow(self.draft(100))

    def test_the_wizard_shows_the_figures(self):
        draft = self.draft(1500)
        action = draft.with_user(self.manager).action_allow_credit()
        wizards = self.env[action["res_model"]].with_user(self.manager).with_company(self.company)
        form = Form(wizards.with_context(**action["context"]))
        self.assertIn("$\xa01,500.00 with this invoice", form.summary)

    def test_another_company_has_its_own_policy(self):
        data = self.other_company_data()
        other = data["company"]
        draft = self.make_invoice(self.customer, 5000, data=data, post=False)
        draft.action_post()
        other.write({"account_use_credit_limit": True, "collection_credit_check": "block"})
        self.customer.with_company(other).credit_limit = 5500
        with self.assertRaises(UserError):
            self.make_invoice(self.customer, 501, data=data)
        self.make_invoice(self.customer, 500, data=data)
        self.assertFalse(self.debtor(self.customer), "here it owes nothing")

    def test_statements_do_not_grow_with_the_batch(self):
        def count(number):
            customers = self.env["res.partner"].create(
                [self.prepare_customer(f"Batch {number} {index}", credit_limit=100) for index in range(number)]
            )
            drafts = self.env["account.move"].create([self.prepare_invoice(customer, 150, 5) for customer in customers])
            posting = self.count_statements(drafts._get_overruns)
            return posting, self.count_statements(lambda: drafts.mapped("partner_credit_warning"))

        count(1)
        self.assertEqual(count(2), count(12))

    def test_banners_of_many_drafts_speak_of_each_alone(self):
        drafts = self.draft(600) + self.draft(1100) + self.draft(700)
        self.assertEqual([bool(warning) for warning in drafts.mapped("partner_credit_warning")], [False, True, False])

    def test_the_invoice_s_form_opens_for_each(self):
        draft = self.draft(1500)
        for user in (self.invoicing, self.manager):
            arch = draft.with_user(user).get_view(view_type="form")["arch"]
            self.assertEqual("action_allow_credit" in arch, user == self.manager)
