"""Promises to pay: what keeps them, what they answer for while they are open, and what happens when they fail."""

from contextlib import contextmanager
from datetime import timedelta

from lxml import etree

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .test_cash_plan import PlanCommon
from .test_rights import RightsCommon


class PromiseCommon(PlanCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Promise = cls.env["collection.promise"]
        cls.company.collection_promise_grace_days = 2
        cls.debtor(cls.customer)

    @classmethod
    def promise(cls, amount=1000.0, days=10, partner=None, moves=None, **values):
        """A promise for ``days`` days from today."""
        return cls.Promise.create(
            {
                "debtor_id": cls.debtor(partner or cls.customer).id,
                "amount": amount,
                "currency_id": cls.company.currency_id.id,
                "date": cls.today + timedelta(days=days),
                "made_on": cls.today,
                "move_ids": moves.ids if moves else [],
                **values,
            }
        )

    def judge(self, days=0):
        self.env.flush_all()
        return self.Promise._judge_company(self.company, self.day(days))

    @contextmanager
    def refused(self, error, sentence):
        with self.assertRaisesRegex(error, sentence), self.env.cr.savepoint():
            yield
            self.env.flush_all()
        self.env.invalidate_all()

    def became(self, promise):
        return promise.state, promise.paid_amount


@tagged("post_install", "-at_install")
class TestVerdicts(PromiseCommon):
    # === Money ===#

    def test_early(self):
        promise = self.promise()
        self.pay(self.invoice, date=self.today)
        self.assertEqual(self.judge(1), promise)
        self.assertEqual(self.became(promise), ("kept", 1000))
        self.assertEqual((promise.closed_on, promise.missing_amount), (self.day(1), 0))

    def test_exact_day(self):
        promise = self.promise(400)
        self.assertFalse(self.judge(10))
        self.pay(self.invoice, 400, date=self.day(10))
        self.judge(10)
        self.assertEqual(self.became(promise), ("kept", 400))

    def test_within_the_days_of_grace(self):
        promise = self.promise(400)
        self.pay(self.invoice, 400, date=self.day(12))
        self.judge(13)
        self.assertEqual(self.became(promise), ("kept", 400))

    def test_partial(self):
        promise = self.promise()
        self.pay(self.invoice, 300, date=self.day(5))
        self.assertFalse(self.judge(12))
        self.assertEqual((*self.became(promise), promise.missing_amount), ("open", 300, 700))
        self.judge(13)
        self.assertEqual((*self.became(promise), promise.missing_amount), ("partly", 300, 0))

    def test_late(self):
        promise = self.promise(400)
        self.judge(13)
        self.pay(self.invoice, 400, date=self.day(13))
        self.judge(14)
        self.assertEqual(self.became(promise), ("broken", 0))

    def test_split_receipts(self):
        promise = self.promise()
        for days, amount in ((0, 250), (3, 350.5), (9, 399.5)):
            self.pay(self.invoice, amount, date=self.day(days))
        self.judge(9)
        self.assertEqual(self.became(promise), ("kept", 1000))

    def test_on_account(self):
        promise = self.promise(400)
        self.pay_on_account(self.customer, 400, date=self.day(2))
        self.judge(2)
        self.assertEqual(self.became(promise), ("kept", 400))

    def test_money_of_before_it_was_made(self):
        promise = self.promise(400)
        self.pay_on_account(self.customer, 400, date=self.day(-1))
        self.judge(13)
        self.assertEqual(self.became(promise), ("broken", 0))

    def test_a_receipt_counts_once_and_the_oldest_promise_is_served_first(self):
        later, first = self.promise(600, days=8), self.promise(400, days=4)
        self.pay(self.invoice, 700, date=self.day(2))
        self.judge(3)
        self.assertEqual((self.became(first), self.became(later)), (("kept", 400), ("open", 300)))
        self.judge(11)
        self.assertEqual(self.became(later), ("partly", 300))
        newer = self.promise(200, days=2)
        self.judge(11)
        self.assertEqual(self.became(newer), ("broken", 0), "what others were paid is not there any more")

    def test_of_named_invoices_money_that_paid_others_is_none(self):
        other = self.make_invoice(self.customer, 500, days=5)
        promise = self.promise(400, moves=self.invoice)
        self.pay(other, date=self.day(1))
        self.pay(self.invoice, 100, date=self.day(1))
        self.judge(2)
        self.assertEqual(self.became(promise), ("open", 100))
        self.pay_on_account(self.customer, 250, date=self.day(2))
        self.judge(13)
        self.assertEqual(self.became(promise), ("partly", 350))

    def test_money_that_kept_one_promise_keeps_no_other_wherever_it_goes_then(self):
        other = self.make_invoice(self.customer, 500, days=5)
        first = self.promise(500, moves=self.invoice)
        payment = self.pay_on_account(self.customer, 500, date=self.day(1))
        self.judge(1)
        second = self.promise(500, moves=other)
        (self.receivable(payment.move_id) + self.receivable(other)).reconcile()
        self.judge(13)
        self.assertEqual((self.became(first), self.became(second)), (("kept", 500), ("cancelled", 0)))

    def test_a_check_is_money_once_it_is_deposited_and_none_when_it_bounces(self):
        promise = self.promise(days=2)
        check = self.make_check(1000, days=0)
        self.assertFalse(self.judge())
        check._deposit(self.today)
        check._bounce(self.today, "Insufficient funds")
        self.judge(5)
        self.assertEqual(self.became(promise), ("broken", 0))
        good = self.promise(days=2)
        self.make_check(1000, days=0)._deposit(self.today)
        self.judge()
        self.assertEqual(self.became(good), ("kept", 1000))

    # === No money ===#

    def test_a_credit_note_is_no_money(self):
        promise = self.promise()
        refund = self.make_invoice(self.customer, 400, move_type="out_refund", days=0)
        (self.receivable(refund) + self.receivable(self.invoice)).reconcile()
        self.judge(13)
        self.assertEqual(self.became(promise), ("broken", 0))

    def test_settled_by_a_credit_note_alone(self):
        promise = self.promise(moves=self.invoice)
        self.make_invoice(self.customer, 50, days=3)
        refund = self.make_invoice(self.customer, 1000, move_type="out_refund", days=0)
        (self.receivable(refund) + self.receivable(self.invoice)).reconcile()
        self.judge(1)
        self.assertEqual(self.became(promise), ("cancelled", 0))
        self.assertIn("Settled without money", promise.closing_reason)

    def test_a_credit_note_lowers_what_must_come(self):
        promise = self.promise(moves=self.invoice)
        self.pay(self.invoice, 600, date=self.day(1))
        refund = self.make_invoice(self.customer, 400, move_type="out_refund", days=0)
        (self.receivable(refund) + self.receivable(self.invoice)).reconcile()
        self.judge(1)
        self.assertEqual(self.became(promise), ("kept", 600))

    # === Currencies ===#

    def test_currencies_are_apart(self):
        golden = self.make_invoice(self.customer, 300, days=5, currency_id=self.gold.id)
        dollars = self.promise(300)
        gold = self.promise(300, moves=golden, currency_id=self.gold.id)
        self.pay(self.invoice, 300, date=self.day(1))
        self.judge(1)
        self.assertEqual((self.became(dollars), self.became(gold)), (("kept", 300), ("open", 0)))
        self.judge(13)
        self.assertEqual(self.became(gold), ("broken", 0))

    def test_paid_in_another_currency_it_counts_in_that_of_the_invoice(self):
        golden = self.make_invoice(self.customer, 300, days=5, currency_id=self.gold.id)
        gold = self.promise(300, moves=golden, currency_id=self.gold.id)
        dollars = self.promise(150)
        payment = self.pay_on_account(self.customer, 150, date=self.day(1))
        (self.receivable(payment.move_id) + self.receivable(golden)).reconcile()
        self.assertEqual(golden.amount_residual, 0)
        self.judge(1)
        self.assertEqual((self.became(gold), self.became(dollars)), (("kept", 300), ("open", 0)))

    # === What follows ===#

    def test_a_broken_one_is_told_once(self):
        collector = self.make_user("told_collector", "account_collection.group_collection_collector")
        debtor = self.debtor(self.customer)
        debtor.collector_id = collector
        promises = self.promise(400, moves=self.invoice) + self.promise(300, days=9)
        for days in (13, 13, 14):
            self.judge(days)
        self.assertEqual(promises.mapped("state"), ["broken", "broken"])
        activity = self.env["mail.activity"].search([("res_model", "=", debtor._name), ("res_id", "=", debtor.id)])
        self.assertEqual(activity.user_id, collector)
        self.assertEqual(activity.summary.count("broken, nothing came in"), 2)
        for record, count in ((debtor, 2), (self.invoice, 1), (promises[0], 1), (promises[1], 1)):
            bodies = " ".join(body or "" for body in record.message_ids.mapped("body"))
            self.assertEqual(bodies.count("broken, nothing came in"), count, record)

    def test_a_night_judges(self):
        promise = self.promise()
        self.pay(self.invoice)
        self.night()
        self.assertEqual(promise.state, "kept")

    def test_a_night_takes_the_same_statements_for_few_and_many(self):
        def cost(count):
            customers = self.make_customers(*(f"Promiser {number} of {count}" for number in range(count)))
            moves = self.make_invoices(*((customer, 500, 20) for customer in customers))
            for number, (customer, move) in enumerate(zip(customers, moves)):
                self.promise(500, partner=customer, days=1)
                if number % 2:
                    self.pay(move)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.judge(10)
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        cost(2)
        few, many = cost(4), cost(10)
        self.assertEqual(few, many)


@tagged("post_install", "-at_install")
class TestPromiseCover(PromiseCommon):
    def test_open_it_is_not_dunned_and_broken_it_is(self):
        self.promise()
        for days in (0, 10, 12):
            self.assertFalse(self.night(self.day(days)), f"day {days}")
        self.assertEqual(self.told(self.night(self.day(13))), {self.invoice: 1000})

    def test_exactly_what_it_covers(self):
        self.promise(600)
        self.assertEqual(self.told(self.night()), {self.invoice: 400})

    def test_what_came_of_it_is_not_covered_again(self):
        late = self.make_invoice(self.customer, 500, days=50)
        self.promise(600, moves=self.invoice)
        self.pay(self.invoice, 250)
        self.assertEqual(self.told(self.night()), {self.invoice: 400, late: 500}, "350 are missing of 600")

    def test_a_balance_is_covered_oldest_first(self):
        oldest = self.make_invoice(self.customer, 300, days=60)
        self.promise(700)
        self.assertEqual(self.told(self.night()), {self.invoice: 600})
        self.assertNotIn(oldest, self.notices(self.customer).line_ids.move_id)

    def test_a_plan_covers_all_of_its_items(self):
        """Three promises of 600 cover 1,800, not 600 three times."""
        other = self.make_invoice(self.customer, 800, days=5)
        values = {"amount": 1800.0, "date": self.day(7), "currency_id": self.company.currency_id.id}
        plan = self.Promise._make_plan({"debtor_id": self.debtor(self.customer).id, **values}, 3, "week")
        self.assertEqual(plan.mapped("amount"), [600, 600, 600])
        self.assertFalse(self.night())
        plan[2].action_cancel()
        self.assertEqual(self.told(self.night(self.day(1))), {other: 600})

    def test_beside_checks_and_named_invoices(self):
        """A balance promise covers what neither checks nor promises of certain invoices do."""
        other = self.make_invoice(self.customer, 500, days=5)
        self.make_check(600, days=10)
        self.promise(300, moves=other)
        self.promise(500)
        self.assertEqual(self.told(self.night()), {other: 100})

    def test_two_promises_of_overlapping_invoices_cover_nothing_twice(self):
        other = self.make_invoice(self.customer, 500, days=5)
        self.promise(900, moves=self.invoice)
        self.promise(400, moves=self.invoice + other)
        self.assertEqual(self.told(self.night()), {self.invoice: 100, other: 100})

    def test_another_currency_covers_nothing(self):
        self.promise(1000, currency_id=self.gold.id)
        self.assertEqual(self.told(self.night()), {self.invoice: 1000})

    def test_queued_before_it_was_made(self):
        notice = self.night()
        self.promise()
        self.dispatch()
        self.assertEqual(notice.state, "cancelled")
        self.assertIn("Nothing is left to ask for", notice.reason)


@tagged("post_install", "-at_install")
class TestPromisesInTheCashPlan(PromiseCommon):
    def test_it_moves_the_money_to_its_day(self):
        promise = self.promise(700)
        self.assertEqual(self.rows(), [("overdue", 0, 300), ("promise", 10, 700)])
        self.assertEqual(self.plan()[1].promise_id, promise)
        self.assertEqual(self.plan()[1].action_open_document()["res_id"], promise.id)

    def test_beside_a_check(self):
        self.make_check(600, days=3)
        self.promise()
        self.assertEqual(self.rows(), [("check", 3, 600), ("promise", 10, 400)])

    def test_more_than_is_owed_adds_nothing(self):
        self.promise(5000)
        self.assertEqual(self.rows(), [("promise", 10, 1000)])

    def test_a_plan_has_each_instalment_on_its_day(self):
        values = {"amount": 900.0, "date": self.day(7), "currency_id": self.company.currency_id.id}
        self.Promise._make_plan({"debtor_id": self.debtor(self.customer).id, **values}, 3, "week")
        self.assertEqual(
            self.rows(), [("overdue", 0, 100), ("promise", 7, 300), ("promise", 14, 300), ("promise", 21, 300)]
        )

    def test_what_an_entry_holds_for_a_check_is_no_promise_s(self):
        self.book_custody()
        self.make_check(1000, days=3)
        self.make_invoice(self.customer, 200, days=5)
        self.promise(5000)
        self.assertEqual(self.rows(), [("check", 3, 1000), ("promise", 10, 200)])

    def test_the_plan_adds_up_to_the_ledger_whatever_is_promised(self):
        """Promises move amounts and add none: with checks that bring no advance, the plan is the open receivable."""
        other = self.make_invoice(self.customer, 433.33, days=-20)
        self.make_check(350, days=5)
        for amount, days, moves in ((250, 2, other), (400, 9, self.invoice), (777.77, 4, None), (300, 6, other)):
            self.promise(amount, days=days, moves=moves)
            rows = self.plan()
            self.assertAlmostEqual(sum(rows.mapped("amount")), 1433.33, msg=f"{rows.read(['kind', 'amount'])}")
            self.assertAlmostEqual(sum(rows.mapped("company_amount")), 1433.33)
        self.make_invoice(self.customer, 100, days=3, currency_id=self.gold.id)
        self.promise(100, currency_id=self.gold.id)
        rows = self.plan()
        self.assertAlmostEqual(sum(rows.filtered(lambda row: row.currency_id == self.gold).mapped("amount")), 100)
        self.assertAlmostEqual(sum(rows.mapped("company_amount")), 1483.33)


@tagged("post_install", "-at_install")
class TestPromiseTerms(PromiseCommon):
    def test_wrong_terms_are_refused_with_a_sentence(self):
        stranger = self.make_invoice(self.make_customer("Stranger"), 10)
        golden = self.make_invoice(self.customer, 10, currency_id=self.gold.id)
        for sentence, values in (
            ("more than zero", {"amount": 0}),
            ("more than zero", {"amount": -5}),
            ("choose that day or a later one", {"days": -1}),
            ("cannot be made in the future", {"made_on": self.day(1)}),
            ("is not a posted invoice of Postdater", {"moves": stranger}),
            ("promise its payment in its own currency", {"moves": golden}),
        ):
            with self.subTest(sentence, **values), self.refused(ValidationError, sentence):
                self.promise(**values)

    def test_more_than_is_owed_is_allowed_and_said(self):
        self.assertIn("1,000.00", self.promise(1000.01).warning)
        self.assertFalse(self.promise(1000).warning)

    def test_it_is_told_to_the_debtor_and_the_invoice(self):
        contact = self.make_customer("Juana", parent_id=self.customer.id, is_company=False)
        self.promise(400, moves=self.invoice, contact_id=contact.id)
        for record in (self.debtor(self.customer), self.invoice):
            self.assertIn("400.00", record.message_ids[0].body)
            self.assertIn("said by Juana", record.message_ids[0].body)

    def test_what_was_judged_stays(self):
        promise = self.promise()
        self.judge(13)
        manager = self.make_user("judged_manager", "account_collection.group_collection_manager")
        with self.assertRaisesRegex(UserError, "is broken: what was promised stays"):
            promise.with_user(manager).amount = 5
        with self.assertRaisesRegex(UserError, "is broken"):
            promise.with_user(manager).action_cancel()

    def test_its_day_is_that_of_the_debtor_s_company(self):
        """Whoever works in another company where it is another day."""
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        elsewhere.partner_id.tz, self.company.partner_id.tz = "Pacific/Honolulu", "Pacific/Kiritimati"
        today = self.company._get_collection_today()
        self.assertLess(elsewhere._get_collection_today(), today)
        made = self.Promise.with_company(elsewhere).create(
            {
                "debtor_id": self.debtor(self.customer).id,
                "amount": 5,
                "currency_id": self.company.currency_id.id,
                "date": today,
            }
        )
        dispute = self.env["collection.dispute"].with_company(elsewhere)
        opened = dispute.create(
            {
                "debtor_id": self.debtor(self.customer).id,
                "move_id": self.invoice.id,
                "reason_id": self.env.ref("account_collection.dispute_reason_price").id,
            }
        )
        self.assertEqual((made.made_on, opened.opened_on), (today, today))

    def test_amounts_are_summed_currency_by_currency(self):
        self.env.user.groups_id += self.env.ref("base.group_multi_currency")
        for name in ("promise", "dispute"):
            Model = self.env[f"collection.{name}"].with_user(self.env.user)
            arch = etree.fromstring(Model.get_views([(False, "pivot")])["views"]["pivot"]["arch"])
            self.assertEqual(arch.xpath("//field[@type='row']/@name")[0], "currency_id")
            self.assertTrue(Model._fields["currency_id"].store)

    def test_cancelled_it_covers_nothing(self):
        promise = self.promise()
        promise.action_cancel()
        self.assertEqual((promise.state, promise.missing_amount), ("cancelled", 0))
        self.assertEqual(self.told(self.night()), {self.invoice: 1000})

    def wizard(self, **values):
        return self.env["collection.promise.wizard"].create(
            {"debtor_id": self.debtor(self.customer).id, "promise_date": self.day(5), **values}
        )

    def test_it_asks_in_the_currency_that_is_overdue(self):
        exporter = self.make_customer("Exporter")
        self.make_invoice(exporter, 500, days=-20)
        self.make_invoice(exporter, 80, days=9, currency_id=self.gold.id)
        theirs = {"debtor_id": self.debtor(exporter).id}
        self.assertEqual((self.wizard(**theirs).currency_id, self.wizard(**theirs).promise_amount), (self.gold, 80))
        self.make_invoice(exporter, 30, days=2)
        wizard = self.wizard(**theirs)
        self.assertEqual((wizard.currency_id, wizard.promise_amount), (self.company.currency_id, 30))

    def test_the_wizard_proposes_what_is_overdue(self):
        self.make_invoice(self.customer, 300, days=-10)
        wizard = self.wizard()
        self.assertEqual((wizard.promise_amount, wizard.warning), (1000, False))
        wizard.promise_amount = 2000
        self.assertIn("1,300.00", wizard.warning)
        wizard.promise_amount = 500
        wizard.action_promise()
        promise = self.Promise.search([("debtor_id", "=", wizard.debtor_id.id)])
        self.assertEqual((promise.amount, promise.date, promise.plan_id.id), (500, self.day(5), False))

    def test_a_plan_adds_up_to_the_cent(self):
        wizard = self.wizard(promise_amount=1000, instalments=3, frequency="week")
        self.assertEqual(len(wizard.preview.splitlines()), 3)
        action = wizard.action_promise()
        plan = self.Promise.search(action["domain"], order="date")
        self.assertEqual([round(amount, 2) for amount in plan.mapped("amount")], [333.34, 333.33, 333.33])
        self.assertEqual(plan.mapped("date"), [self.day(5), self.day(12), self.day(19)])
        self.assertEqual(plan.mapped("instalment"), [1, 2, 3])
        self.assertIn("Instalment 2 of 3", plan[1].display_name)
        with self.assertRaisesRegex(UserError, "cannot be paid in 3 instalments"):
            self.wizard(promise_amount=0.02, instalments=3).action_promise()

    def test_merged_customers_keep_their_promises(self):
        twin = self.make_customer("Twin")
        self.make_invoice(twin, 10)
        promise = self.promise(5, partner=twin)
        self.debtor(self.customer)._merge_into(twin, self.customer)
        self.assertEqual(promise.debtor_id, self.debtor(self.customer))
        self.assertEqual(promise.partner_id, self.customer)


@tagged("post_install", "-at_install")
class TestHolds(PromiseCommon):
    def test_a_hold_that_is_over_is_lifted_and_said_once(self):
        debtor = self.debtor(self.customer)
        debtor.write({"hold": True, "hold_reason": "Asked for time", "hold_until": self.today})
        self.invoice.write(
            {
                "collection_no_dun": True,
                "collection_no_dun_reason": "Lost",
                "collection_no_dun_until": self.today,
            }
        )
        self.assertFalse(self.night())
        self.assertTrue(debtor.hold and self.invoice.collection_no_dun)
        self.assertEqual(self.told(self.night(self.day(1))), {self.invoice: 1000})
        self.night(self.day(2))
        self.assertFalse(debtor.hold or debtor.hold_until or self.invoice.collection_no_dun)
        for record, text in ((debtor, "is over: dunning goes on. Asked for time"), (self.invoice, "over. Lost")):
            bodies = " ".join(body or "" for body in record.message_ids.mapped("body"))
            self.assertEqual(bodies.count(text), 1, bodies)


@tagged("post_install", "-at_install")
class TestPromiseRights(RightsCommon, PromiseCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mine = cls.make_debtor("Mine", cls.collector)
        cls.theirs = cls.make_debtor("Theirs", cls.other_collector)
        cls.my_promise = cls.promise(500, partner=cls.mine.partner_id)
        cls.their_promise = cls.promise(500, partner=cls.theirs.partner_id)

    def values(self, debtor):
        return {
            "debtor_id": debtor.id,
            "amount": 100,
            "date": self.day(3),
            "currency_id": self.company.currency_id.id,
        }

    def test_who_sees(self):
        self.assert_own_seen(self.my_promise, self.their_promise)
        with self.assertRaises(AccessError):
            self.their_promise.with_user(self.collector).read(["amount"])

    def test_who_writes(self):
        promises = self.Promise.with_user(self.collector)
        made = promises.create(self.values(self.mine))
        made.date = self.day(4)
        made.action_cancel()
        self.assertEqual((made.state, made.user_id), ("cancelled", self.collector))
        self.assertEqual(len(promises._make_plan(self.values(self.mine), 2, "week")), 2)
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        for refused in (
            lambda: promises.create(self.values(self.theirs)),
            lambda: promises._make_plan(self.values(self.theirs), 2, "week"),
            lambda: self.their_promise.with_user(self.collector).action_cancel(),
            lambda: self.my_promise.with_user(self.collector).write({"debtor_id": self.theirs.id}),
            lambda: self.Promise.with_user(self.viewer).create(self.values(self.mine)),
            lambda: self.my_promise.with_user(self.viewer).action_cancel(),
            lambda: self.my_promise.with_user(self.manager).write({"state": "kept"}),
            lambda: self.my_promise.with_user(self.manager).write({"paid_amount": 5}),
            lambda: self.my_promise.with_user(self.collector).write({"company_id": elsewhere.id}),
            lambda: promises.create({**self.values(self.mine), "partner_id": self.theirs.partner_id.id}),
            lambda: promises.create({**self.values(self.mine), "state": "kept"}),
        ):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                refused()
        self.Promise.with_user(self.manager).create(self.values(self.theirs))

    def test_companies_are_apart(self):
        other = self.env["res.company"].sudo().create({"name": "Strangers"})
        stranger = self.make_user("promise_stranger", "account_collection.group_collection_manager", company=other)
        self.assertFalse(self.seen_by(stranger, self.my_promise))
