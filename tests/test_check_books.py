from datetime import timedelta

from odoo import Command
from odoo.exceptions import RedirectWarning, UserError, ValidationError
from odoo.tests import tagged

from .check_common import CheckCommon


@tagged("post_install", "-at_install")
class TestCheckAllocation(CheckCommon):
    """What a check is meant for: proposed, changed by hand, and never more than there is."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.old = cls.make_invoice(cls.customer, 600, days=40)
        cls.new = cls.make_invoice(cls.customer, 900, days=-10)

    def shares(self, check):
        return {line.move_id: line.amount for line in check.line_ids}

    def test_suggest(self):
        """The oldest effective due date first; the rest is an advance."""
        check = self.make_check(1000, receive=False)
        self.assertEqual(self.shares(check), {self.old: 600, self.new: 400})
        self.assertEqual((check.allocated_amount, check.advance_amount), (1000, 0))
        check.amount = 1700.25
        check.action_suggest()
        self.assertEqual(self.shares(check), {self.old: 600, self.new: 900})
        self.assertEqual(check.advance_amount, 200.25)

    def test_suggest_leaves_what_other_checks_pay(self):
        self.make_check(1000)
        check = self.make_check(1000)
        self.assertEqual(self.shares(check), {self.new: 500})

    def test_suggest_its_own_currency_first(self):
        dollars = self.env.ref("base.USD") if self.company.currency_id.name != "USD" else self.env.ref("base.EUR")
        dollars.active = True
        self.env["res.currency.rate"].create(
            {"currency_id": dollars.id, "company_id": self.company.id, "rate": 0.05, "name": self.days_ago(400)}
        )
        foreign = self.make_invoice(self.customer, 50, days=1, currency_id=dollars.id)
        check = self.make_check(80, currency_id=dollars.id, receive=False)
        self.assertEqual(self.shares(check), {foreign: 50, self.old: 30})
        self.assertEqual(check.line_ids.filtered(lambda line: line.move_id == self.old).item_amount, 600)

    def test_by_hand(self):
        check = self.make_check(1000, suggest=False, receive=False)
        self.allocate(check, (self.new, 123.45), (self.old, 0.01))
        check.action_receive()
        self.assertEqual(check.advance_amount, 876.54)
        check._deposit(self.today)
        self.assertAlmostEqual(self.new.amount_residual, 776.55)
        self.assertAlmostEqual(self.old.amount_residual, 599.99)

    def test_faults(self):
        """Each with the check's name, and nothing written."""
        other = self.make_invoice(self.make_customer("Another"), 500, days=5)
        draft = self.make_invoice(self.customer, 500, post=False)
        refund = self.make_invoice(self.customer, 500, move_type="out_refund")
        data = self.other_company_data()
        abroad = self.make_invoice(self.customer, 500, data=data)
        check = self.make_check(1000, suggest=False, receive=False, number="4711")
        for pairs, sentence in (
            ([(self.old, 600.01)], "is open for .*600.00.*and checks would pay .*600.01"),
            ([(self.old, 600), (self.new, 400.01)], "is for .*1,000.00.*: its invoices add up to .*1,000.01"),
            ([(self.old, -1)], "must be above zero"),
            ([(other, 100)], "is of another customer"),
            ([(abroad, 100)], "is of another company"),
            ([(draft, 100)], "is not a posted invoice that is owed"),
            ([(refund, 100)], "is not a posted invoice that is owed"),
        ):
            with self.subTest(sentence=sentence):
                with self.assertRaisesRegex(ValidationError, f"(?s)4711 .*{sentence}"), self.cr.savepoint():
                    self.allocate(check, *pairs)
                self.assertFalse(check.line_ids)

    def test_paper_faults(self):
        for values, sentence in (
            ({"amount": 0}, "amount must be above zero"),
            ({"amount": -5}, "amount must be above zero"),
            ({"receipt_date": self.tomorrow()}, "cannot be deposited before it is received"),
            ({"face_date": self.tomorrow()}, "agree on a deposit on its date or later"),
            ({"amount_covered": 1000.01}, "insurer cannot cover more"),
        ):
            refused = self.assertRaisesRegex(ValidationError, sentence)
            with self.subTest(values=values), refused, self.cr.savepoint():
                self.make_check(**{"amount": 1000, "suggest": False, **values})

    def tomorrow(self):
        return self.today + timedelta(days=1)

    def test_one_paper_one_record(self):
        """Spaces and hyphens do not make it another one; a cancelled one does not count; another account is another."""
        first = self.make_check(1000, number="00 42", account_number="0022-2570 0312")
        self.assertEqual((first.number, first.account_number), ("0042", "002225700312"))
        with self.assertRaisesRegex(ValidationError, r"0042 \(Banco del Bajio\).*received from Postdater.*In Custody"):
            self.make_check(5, number="0042", account_number="002225700312")
        other = self.make_check(5, number="0042", account_number="999", suggest=False)
        with self.assertRaisesRegex(ValidationError, "registered already"):
            other.sudo().account_number = "002225700312"
        first._cancel(self.today)
        self.make_check(5, number="0042", account_number="002225700312")

    def test_the_database_holds_it(self):
        """Two people at once: whoever is second is refused by the unique index."""
        self.env.cr.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'account_postdated_check_paper_unique'")
        (definition,) = self.env.cr.fetchone()
        self.assertIn("CREATE UNIQUE INDEX", definition)
        self.assertIn("WHERE ((state)::text <> 'cancelled'::text)", definition)

    def test_received_it_is_what_it_is(self):
        check = self.make_check(1000)
        collector = self.make_user("invoicer", "account.group_account_invoice")
        with self.assertRaisesRegex(UserError, "was received: what is written on it stays"):
            check.with_user(collector).amount = 999
        check.with_user(collector).deposit_date = self.today + timedelta(days=3)
        with self.assertRaisesRegex(UserError, "was received: cancel it"):
            check.with_user(collector).unlink()


@tagged("post_install", "-at_install")
class TestCheckBooks(CheckCommon):
    """What is reconciled is what was meant, and every way back leaves the ledger as it was."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first = cls.make_invoice(cls.customer, 600, days=40)
        cls.second = cls.make_invoice(cls.customer, 900, days=20)

    def partials(self, check):
        """``{invoice: (amount, amount in the invoice's currency, amount in the check's currency)}`` of the deposit."""
        credit = check.payment_id.move_id.line_ids._get_receivable()
        return {
            partial.debit_move_id.move_id: (
                partial.amount,
                partial.debit_amount_currency,
                partial.credit_amount_currency,
            )
            for partial in credit.matched_debit_ids
            if partial.debit_move_id.move_id.move_type == "out_invoice"
        }

    def test_partials_are_the_allocation(self):
        check = self.make_check(1000, suggest=False, receive=False)
        self.allocate(check, (self.second, 700.1), (self.first, 0.2))
        check.action_receive()
        check._deposit(self.today)
        self.assertEqual(self.partials(check), {self.second: (700.1, 700.1, 700.1), self.first: (0.2, 0.2, 0.2)})
        credit = check.payment_id.move_id.line_ids._get_receivable()
        self.assertAlmostEqual(credit.amount_residual, -299.7)
        self.assertEqual(self.debtor(self.customer).unallocated, 299.7)

    def foreign(self):
        """A currency of which one is 20 today, and was 18 when the invoices were made."""
        currency = self.env.ref("base.USD") if self.company.currency_id.name != "USD" else self.env.ref("base.EUR")
        currency.active = True
        currency.rate_ids.filtered(lambda rate: rate.company_id == self.company).unlink()
        self.env["res.currency.rate"].create(
            [
                {"currency_id": currency.id, "company_id": self.company.id, "name": self.days_ago(days),
                 "inverse_company_rate": rate}
                for days, rate in ((400, 18.0), (5, 20.0))
            ]
        )  # fmt: skip
        return currency

    def test_foreign_currency(self):
        """Each partial is its line in both currencies; the exchange difference is Odoo's, and goes when it bounces."""
        currency = self.foreign()
        invoice = self.make_invoice(self.customer, 100, days=15, currency_id=currency.id)
        other = self.make_invoice(self.customer, 70, days=15, currency_id=currency.id)
        check = self.make_check(150, currency_id=currency.id, suggest=False, receive=False)
        self.allocate(check, (invoice, 100), (other, 33.33))
        check.action_receive()
        before = self.owed()
        check._deposit(self.today)
        found = self.partials(check)
        self.assertEqual(found[invoice], (1800, 100, 100))
        self.assertEqual(found[other], (599.94, 33.33, 33.33))
        self.assertEqual((invoice.amount_residual, other.amount_residual), (0, 36.67))
        credit = check.payment_id.move_id.line_ids._get_receivable()
        self.assertAlmostEqual(credit.amount_residual_currency, -16.67)
        self.assertAlmostEqual(credit.amount_residual, -333.4)
        # 150 at 20, less a gain of 2 on each of 133.33.
        self.assertAlmostEqual(before - self.owed(), 3000 - 266.66, 2)
        check._bounce(self.today, "Funds")
        self.assertEqual((invoice.amount_residual, other.amount_residual), (100, 70))
        self.assertAlmostEqual(self.owed(), before, 2)
        reverse = check.entry_ids.filtered("reversed_entry_id")
        self.assertEqual(sum(reverse.line_ids.filtered(lambda line: line.balance > 0).mapped("amount_currency")), 150)

    def test_a_check_in_another_currency(self):
        """A check in dollars for an invoice in pesos settles what it is worth on the day of the deposit."""
        currency = self.foreign()
        check = self.make_check(40, currency_id=currency.id, suggest=False, receive=False)
        self.allocate(check, (self.second, 40))
        self.assertEqual(check.line_ids.item_amount, 800)
        check.action_receive()
        check._deposit(self.today)
        self.assertEqual(self.partials(check), {self.second: (800, 800, 40)})
        self.assertEqual(check.line_ids.item_amount, 800)
        self.assertEqual(self.second.amount_residual, 100)

    def test_another_day_changes_nothing_of_what_custody_paid(self):
        self.company.collection_check_in_custody_account = True
        early = {"receipt_date": self.days_ago(8), "face_date": self.days_ago(8)}
        check = self.make_check(40, currency_id=self.foreign().id, suggest=False, receive=False, **early)
        self.allocate(check, (self.second, 40))
        check.action_receive()
        paid = check.line_ids.item_amount
        self.assertEqual(self.second.amount_residual, 900 - paid)
        for day in (self.days_ago(7), self.today):
            check.deposit_date = day
            self.env.flush_all()
            self.assertEqual(check.line_ids.item_amount, paid)

    def test_early_discount(self):
        """Who pays all in time takes the discount: proposed, booked with the deposit, and gone when it bounces."""
        term = self.env["account.payment.term"].create(
            {
                "name": "2/10 net 30",
                "early_discount": True,
                "discount_percentage": 2,
                "discount_days": 10,
                "line_ids": [Command.create({"value": "percent", "value_amount": 100, "nb_days": 30})],
            }
        )
        customer = self.make_customer("Prompt")
        invoice = self.make_invoice(customer, 1000, invoice_payment_term_id=term.id, invoice_date=self.days_ago(3))
        check = self.make_check(1000, days=2, partner=customer, receive=False)
        self.assertEqual((check.line_ids.amount, check.line_ids.discount, check.advance_amount), (980, 20, 20))
        check.deposit_date = self.today + timedelta(days=20)
        self.assertEqual((check.line_ids.amount, check.line_ids.discount), (980, 0))
        check.action_suggest()
        self.assertEqual((check.line_ids.amount, check.line_ids.discount), (1000, 0))
        check.line_ids.unlink()
        check.write({"deposit_date": self.today, "amount": 980})
        check.action_suggest()
        check.action_receive()
        check._deposit(self.today)
        self.assertEqual(invoice.amount_residual, 0)
        self.assertEqual(check.payment_id.amount, 980)
        self.assertEqual(self.partials(check), {invoice: (1000, 1000, 1000)})
        check._bounce(self.today, "Funds")
        self.assertEqual(invoice.amount_residual, 1000)
        self.assertEqual(sum(self.entries(check).values()), 0)

    def test_paid_meanwhile(self):
        """The deposit proposes anew for what was paid meanwhile, and says so."""
        check = self.make_check(700)
        self.assertEqual({line.move_id: line.amount for line in check.line_ids}, {self.first: 600, self.second: 100})
        self.pay(self.first, 450)
        check._deposit(self.today)
        self.assertEqual(self.partials(check), {self.first: (150, 150, 150), self.second: (550, 550, 550)})
        body = check.message_ids[0].body
        self.assertIn("What is open changed since it was received", body)
        self.assertRegex(body, rf"{self.first.name} .*600.00.*, now .*150.00")

    def test_all_paid_meanwhile(self):
        check = self.make_check(700)
        self.pay(self.first)
        self.pay(self.second)
        check._deposit(self.today)
        self.assertFalse(self.partials(check))
        self.assertEqual(check.advance_amount, 700)
        self.assertEqual(self.owed(), -700)

    def match_with_bank(self, check):
        """A statement line of the deposit, matched with it as the bank reconciliation does; returns the line."""
        statement_line = self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.journal.id,
                "date": self.today,
                "payment_ref": "Deposit",
                "amount": check.amount,
                "partner_id": self.customer.id,
            }
        )
        bank = check.payment_id.move_id.line_ids.filtered(
            lambda line: line.account_id == check.payment_id.outstanding_account_id
        )
        suspense = statement_line.line_ids.filtered(lambda line: line.account_id == self.journal.suspense_account_id)
        suspense.with_context(skip_readonly_check=True, force_delete=True).account_id = bank.account_id
        (suspense + bank).reconcile()
        return statement_line

    def test_the_bank_clears(self):
        check = self.make_check(600)
        check._deposit(self.today)
        line = self.match_with_bank(check)
        self.assertEqual((check.state, check.cleared_on), ("cleared", self.today))
        self.assertIn("the bank statement shows it", check.message_ids[0].body)
        line.line_ids.remove_move_reconcile()
        self.assertEqual((check.state, check.cleared_on), ("deposited", False))

    def test_bounce_keeps_the_statement(self):
        """A check that the bank had credited bounces: the match stays, and the charge-back has a line to match."""
        check = self.make_check(600)
        check._deposit(self.today)
        bank = check.payment_id.outstanding_account_id
        line = self.match_with_bank(check)
        check._bounce(self.today, "Funds")
        self.assertTrue(line.line_ids.filtered(lambda item: item.account_id == bank).reconciled)
        reverse = check.entry_ids.filtered("reversed_entry_id").line_ids.filtered(lambda item: item.account_id == bank)
        self.assertEqual((reverse.balance, reverse.reconciled), (-600, False))
        self.assertEqual(self.first.amount_residual, 600)

    def test_the_payment_is_the_checks(self):
        """Nobody resets or cancels it behind the check's back: the way to the check is offered."""
        check = self.make_check(600)
        check._deposit(self.today)
        user = self.make_user("accountant", "account.group_account_manager")
        payment = check.payment_id.with_user(user)
        self.assertEqual(payment.postdated_check_id, check)
        for refused in (
            payment.action_draft,
            payment.action_cancel,
            payment.move_id.button_draft,
            payment.move_id.button_cancel,
        ):
            with self.assertRaises(RedirectWarning) as caught:
                refused()
            self.assertIn(f"belongs to {check.display_name}, which is Deposited", caught.exception.args[0])
            self.assertEqual(caught.exception.args[1]["res_id"], check.id)
        self.assertEqual(check.payment_id.move_id.state, "posted")

    def test_the_payment_of_an_advance_is_not_deleted(self):
        """It is matched with nothing, so that Odoo would let it go."""
        check = self.make_check(600, suggest=False)
        check._deposit(self.today)
        user = self.make_user("accountant", "account.group_account_manager")
        with self.assertRaises(RedirectWarning):
            check.payment_id.with_user(user).unlink()
        self.assertEqual(check.payment_id.move_id.state, "posted")

    def test_closed_period(self):
        """A deposit, or the way back, into a closed period is refused whole."""
        yesterday = self.days_ago(1)
        check = self.make_check(600, days=-1)
        self.company.fiscalyear_lock_date = yesterday
        with self.assertRaisesRegex(UserError, "is in a closed period of"), self.cr.savepoint():
            check._deposit(yesterday)
        self.assertEqual((check.state, self.first.amount_residual), ("custody", 600))
        self.assertFalse(check.entry_ids)
        check._deposit(self.today)
        self.company.fiscalyear_lock_date = self.today
        with self.assertRaisesRegex(UserError, "is in a closed period of"), self.cr.savepoint():
            check._bounce(self.today, "Funds")
        self.assertEqual((check.state, self.first.amount_residual), ("deposited", 0))

    def test_days(self):
        """No deposit on a day to come, and no way back before what it takes back."""
        check = self.make_check(600)
        with self.assertRaisesRegex(UserError, "on a day that is still to come"):
            check._deposit(self.today + timedelta(days=1))
        check._deposit(self.today)
        with self.assertRaisesRegex(UserError, "when it was booked, or a later day"):
            check._bounce(self.days_ago(1), "Funds")
        with self.assertRaisesRegex(UserError, "fee cannot be below zero"):
            check._bounce(self.today, "Funds", fee=-1)

    def test_an_invoice_that_changes(self):
        """Its item is another one afterwards: the check says that what it pays must be chosen anew."""
        check = self.make_check(600)
        self.first.button_draft()
        self.first.invoice_payment_term_id = self.env["account.payment.term"].create(
            {
                "name": "Halves",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": days}) for days in (10, 40)
                ],
            }
        )
        self.first.action_post()
        if not check.line_ids:
            self.assertEqual(check.advance_amount, 600)
            self.assertIn("must be chosen anew", check.message_ids[0].body)
        check.action_suggest()
        self.assertEqual(check.allocated_amount, 600)
        self.assertEqual(check.line_ids.move_line_id, self.first.line_ids._get_receivable())

    def test_entries_are_not_reversed_by_hand(self):
        """Neither the deposit nor custody; a fee that was mistyped may be."""
        check = self.make_check(600)
        check._deposit(self.today)
        payment = check.payment_id.move_id
        user = self.make_user("bookkeeper", "account.group_account_manager")
        with self.assertRaises(RedirectWarning):
            payment.with_user(user)._reverse_moves(cancel=True)
        check._bounce(self.today, "Funds", fee=1500)
        fee = check.entry_ids.filtered(lambda move: self.fee_account in move.line_ids.account_id)
        fee.with_user(user).button_draft()
        self.assertEqual(fee.state, "draft")
        with self.assertRaises(RedirectWarning):
            payment.with_user(user).button_draft()

    def test_the_custody_account_is_its_own(self):
        with self.assertRaisesRegex(ValidationError, "choose a receivable account of its own"):
            self.company.collection_check_custody_account_id = self.receivable(self.first).account_id

    def test_the_penalty_follows_the_country(self):
        mexico = self.env["res.company"].create({"name": "Mexicana", "country_id": self.env.ref("base.mx").id})
        self.assertEqual(mexico.collection_check_penalty_percent, 20)
        other = self.env["res.company"].create({"name": "French", "country_id": self.env.ref("base.fr").id})
        self.assertEqual(other.collection_check_penalty_percent, 0)

    def test_one_fault_stops_no_other(self):
        """Deposited together, those at fault stay in custody, each with its sentence."""
        good = self.Check
        for _number in range(5):
            good += self.make_check(100)
        early = self.make_check(50, days=9)
        homeless = self.make_check(60)
        homeless.journal_id = False
        faults = (good[:2] + early + good[2:] + homeless)._deposit_each(self.today)
        self.assertEqual(set(faults), {early, homeless})
        self.assertRegex(faults[early], "is to be deposited on .*: agree on an earlier day first")
        self.assertIn("choose the bank journal in which to deposit it", faults[homeless])
        self.assertEqual(set(good.mapped("state")), {"deposited"})
        self.assertEqual(set((early + homeless).mapped("state")), {"custody"})
        self.assertEqual(self.first.amount_residual, 100)

    def test_fee_needs_its_account(self):
        check = self.make_check(600)
        check._deposit(self.today)
        self.company.collection_check_fee_account_id = False
        with self.assertRaisesRegex(UserError, "choose the account of the bank's fees"), self.cr.savepoint():
            check._bounce(self.today, "Funds", fee=100)
        self.assertEqual((check.state, self.first.amount_residual), ("deposited", 0))

    def test_two_receivable_accounts(self):
        other_account = self.custody_account.copy({"code": "105901", "name": "Other customers"})
        third = self.make_invoice(self.customer, 300, days=10, post=False)
        self.receivable(third).account_id = other_account
        third.action_post()
        check = self.make_check(1000, suggest=False, receive=False)
        with self.assertRaisesRegex(ValidationError, "different receivable accounts"), self.cr.savepoint():
            self.allocate(check, (self.first, 600), (third, 300))
        self.allocate(check, (third, 300))
        check.action_receive()
        check._deposit(self.today)
        self.assertEqual(third.amount_residual, 0)
