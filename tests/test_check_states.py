from datetime import timedelta

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..engine import checks
from .check_common import CheckCommon

REFUSED = {
    "receive": lambda check, day: check._receive(),
    "hold": lambda check, day: check._hold(day),
    "resume": lambda check, day: check._resume(day),
    "deposit": lambda check, day: check._deposit(day),
    "clear": lambda check, day: check._clear(day),
    "bounce": lambda check, day: check._bounce(day, "Insufficient funds"),
    "redeposit": lambda check, day: check._redeposit(day),
    "return": lambda check, day: check._return(day),
    "replace": lambda check, day: check._replace(day, {"number": "1"}),
    "legal": lambda check, day: check._take_to_court(day),
    "cancel": lambda check, day: check._cancel(day),
    "draft": lambda check, day: check._reset(day),
}


class CheckStatesCommon(CheckCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls.make_invoice(cls.customer, 1000, days=5)
        cls.line = cls.receivable(cls.invoice)
        cls.account = cls.line.account_id
        cls.tomorrow = cls.today + timedelta(days=1)

    def take_to(self, state, **values):
        """A check of 1,000 in that state, for the invoice."""
        check = self.make_check(1000, receive=state != checks.DRAFT, **values)
        steps = {
            checks.HOLD: [lambda: check._hold(self.today)],
            checks.DEPOSITED: [lambda: check._deposit(self.today)],
            checks.CLEARED: [lambda: check._deposit(self.today), lambda: check._clear(self.today)],
            checks.BOUNCED: [lambda: check._deposit(self.today), lambda: check._bounce(self.today, "Funds")],
            checks.CANCELLED: [lambda: check._cancel(self.today)],
            checks.RETURNED: [lambda: check._return(self.today)],
        }
        steps[checks.REDEPOSITED] = [*steps[checks.BOUNCED], lambda: check._redeposit(self.today)]
        steps[checks.LEGAL] = [*steps[checks.BOUNCED], lambda: check._take_to_court(self.today)]
        steps[checks.REPLACED] = [lambda: check._replace(self.today, {"number": "NEW"})]
        for step in steps.get(state, ()):
            step()
        self.assertEqual(check.state, state)
        return check

    def outstanding(self, check):
        return check.entry_ids.filtered(lambda move: move.move_type == "entry").line_ids.account_id.filtered(
            lambda account: account not in self.account + self.custody_account + self.fee_account
        )

    def assertEntries(self, check, *rows):
        """:param rows: ``(account, date, balance)`` of all that is posted for the check"""
        self.assertEqual(self.entries(check), {(account, date): balance for account, date, balance in rows})

    def assertOpen(self, amount):
        """The invoice is open for that much, on its own due date."""
        self.assertEqual(self.invoice.amount_residual, amount)
        self.assertEqual(self.line.date_maturity, self.days_ago(5))
        self.assertEqual(self.invoice.payment_state in ("paid", "in_payment"), not amount)


@tagged("post_install", "-at_install")
class TestCheckStates(CheckStatesCommon):
    """Each arrow of the diagram, with the journal items that it leaves, where custody makes no entry."""

    def test_receive(self):
        check = self.take_to("custody", days=20)
        self.assertEntries(check)
        self.assertOpen(1000)
        self.assertEqual(self.owed(), 1000)
        self.assertEqual(check.debtor_id, self.debtor(self.customer))

    def test_hold_and_resume(self):
        check = self.take_to("hold")
        with self.assertRaisesRegex(UserError, "On Hold: only a check in custody can be deposited"):
            check._deposit(self.today)
        check._resume(self.today)
        self.assertEqual(check.state, "custody")
        self.assertEntries(check)

    def test_deposit(self):
        check = self.take_to("deposited")
        bank = self.outstanding(check)
        self.assertEntries(check, (bank, self.today, 1000), (self.account, self.today, -1000))
        self.assertOpen(0)
        self.assertEqual(self.owed(), 0)
        self.assertEqual((check.payment_id.amount, check.payment_id.date), (1000, self.today))
        self.assertEqual(check.payment_id.journal_id, self.journal)

    def test_clear_by_hand(self):
        check = self.take_to("cleared")
        self.assertEqual(check.cleared_on, self.today)
        self.assertEntries(check, (self.outstanding(check), self.today, 1000), (self.account, self.today, -1000))

    def test_bounce(self):
        check = self.take_to("deposited")
        bank = self.outstanding(check)
        check._bounce(self.tomorrow, "Insufficient funds", fee=150)
        self.assertEqual((check.state, check.bounce_count, check.bounced_on), ("bounced", 1, self.tomorrow))
        self.assertEntries(
            check,
            (bank, self.today, 1000),
            (self.account, self.today, -1000),
            (bank, self.tomorrow, -1150),
            (self.account, self.tomorrow, 1000),
            (self.fee_account, self.tomorrow, 150),
        )
        self.assertOpen(1000)
        self.assertEqual(self.owed(), 1000)
        penalty = check.penalty_move_id
        self.assertEqual((penalty.state, penalty.amount_total, penalty.amount_tax), ("draft", 200, 0))
        self.assertEqual(penalty.invoice_line_ids.account_id, self.penalty_account)

    def test_bounce_after_the_deadline(self):
        """Presented too late the claim is gone: no penalty is proposed."""
        check = self.make_check(1000, receipt_date=self.days_ago(40), face_date=self.days_ago(40))
        self.assertEqual(check.presentation_deadline, self.days_ago(25))
        check._deposit(self.today)
        check._bounce(self.today, "Insufficient funds")
        self.assertFalse(check.presented_in_time)
        self.assertFalse(check.penalty_move_id)

    def test_bounce_of_a_cleared_check(self):
        """Banks take back what they credited subject to collection."""
        check = self.take_to("cleared")
        check._bounce(self.tomorrow, "Stolen")
        self.assertEqual((check.state, check.cleared_on), ("bounced", False))
        self.assertOpen(1000)

    def test_redeposit(self):
        check = self.take_to("bounced")
        bank = self.outstanding(check)
        check._redeposit(self.today)
        self.assertEqual(check.state, "redeposited")
        self.assertEntries(check, (bank, self.today, 1000), (self.account, self.today, -1000))
        self.assertOpen(0)
        penalty = check.penalty_move_id
        check._bounce(self.today, "Account closed")
        self.assertEqual((check.bounce_count, check.penalty_move_id), (2, penalty), "one penalty for one check")
        self.assertEntries(check)
        self.assertOpen(1000)

    def test_redeposit_and_clear(self):
        check = self.take_to("redeposited")
        check._clear(self.tomorrow)
        self.assertEqual((check.state, check.cleared_on), ("cleared", self.tomorrow))
        self.assertOpen(0)

    def test_return(self):
        for state in ("custody", "hold", "bounced"):
            with self.subTest(state=state):
                check = self.take_to(state)
                check._return(self.today, "It paid in cash")
                self.assertEqual(check.state, "returned")
                self.assertEntries(check)
                self.assertOpen(1000)

    def test_replace(self):
        for number, state in enumerate(("custody", "hold", "bounced")):
            with self.subTest(state=state):
                check = self.take_to(state)
                other = check._replace(
                    self.today, {"number": f"R{number}", "deposit_date": self.today + timedelta(days=30)}
                )
                self.assertEqual((check.state, check.replaced_by_id, other.replaces_id), ("replaced", other, check))
                self.assertEqual((other.state, other.amount, other.partner_id), ("custody", 1000, self.customer))
                self.assertEqual([(line.move_line_id, line.amount) for line in other.line_ids], [(self.line, 1000)])
                self.assertOpen(1000)
                other._cancel(self.today)

    def test_legal(self):
        check = self.take_to("legal")
        self.assertEntries(check)
        self.assertOpen(1000)

    def test_cancel(self):
        for state in ("draft", "custody", "hold", "deposited", "redeposited"):
            with self.subTest(state=state):
                check = self.take_to(state)
                check._cancel(self.tomorrow)
                self.assertEqual(check.state, "cancelled")
                self.assertEqual(sum(self.entries(check).values()), 0)
                self.assertOpen(1000)
                self.assertEqual(self.owed(), 1000)

    def test_draft_again(self):
        check = self.take_to("cancelled")
        check._reset(self.today)
        self.assertEqual(check.state, "draft")
        twin = self.take_to("cancelled", number="77")
        self.make_check(100, number="77", suggest=False)
        with self.assertRaisesRegex(UserError, "registered already"):
            twin._reset(self.today)

    def test_refusals(self):
        """What does not fit the state is refused with a sentence that names the check and its state."""
        for state in dict(self.Check._fields["state"].selection):
            check = self.take_to(state)
            for transition, (before, _after) in checks.TRANSITIONS.items():
                if state in before:
                    continue
                with self.subTest(state=state, transition=transition):
                    with self.assertRaisesRegex(UserError, rf"{check.number} \(.*is {check._get_state_label()}:"):
                        REFUSED[transition](check, self.today)
                    self.assertEqual(check.state, state)
            if state in checks.TRANSITIONS["cancel"][0]:
                check._cancel(self.today)

    def test_history(self):
        """Who, when, from where to where, and why; the chatter of check, debtor and invoice tell it."""
        check = self.take_to("deposited")
        check._bounce(self.tomorrow, "Insufficient funds")
        self.assertEqual(
            [(event.old_state, event.new_state, event.date, event.note) for event in check.event_ids],
            [
                ("deposited", "bounced", self.tomorrow, "Insufficient funds"),
                ("custody", "deposited", self.today, False),
                ("draft", "custody", check.receipt_date, False),
            ],
        )
        self.assertEqual(check.event_ids.user_id, self.env.user)
        for record in (check, self.debtor(self.customer), self.invoice):
            self.assertIn("Bounced: Insufficient funds.", record.message_ids[0].body, record)

    def test_bounce_tells_the_collector(self):
        collector = self.make_user("collector", "account_collection.group_collection_collector")
        debtor = self.debtor(self.customer)
        debtor.collector_id = collector
        check = self.take_to("bounced")
        activity = debtor.activity_ids.filtered(lambda activity: activity.user_id == collector)
        self.assertEqual(activity.summary, f"Bounced: {check.display_name}")

    def test_dunning_level_survives(self):
        """What was told before the check came in is not told again after it bounced."""
        self.night()
        self.Notice._cron_dispatch()
        level = self.debtor(self.customer).level_id
        self.assertTrue(level)
        check = self.take_to("deposited")
        self.assertFalse(self.debtor(self.customer).level_id)
        check._bounce(self.today, "Funds")
        self.assertEqual(self.debtor(self.customer).level_id, level)


@tagged("post_install", "-at_install")
class TestCheckStatesInCustodyAccount(CheckStatesCommon):
    """The same where checks in custody are booked: the customer owes the check instead of the invoice."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.collection_check_in_custody_account = True
        cls.received = cls.today - timedelta(days=10)

    def test_receive(self):
        check = self.take_to("custody", days=20)
        self.assertEntries(
            check, (self.custody_account, check.receipt_date, 1000), (self.account, check.receipt_date, -1000)
        )
        self.assertOpen(0)
        self.assertEqual(self.owed(), 1000)
        custody = check.custody_move_id.line_ids.filtered(lambda line: line.account_id == self.custody_account)
        self.assertEqual((custody.date_maturity, custody.partner_id), (check.deposit_date, self.customer))
        check.deposit_date += timedelta(days=15)
        self.assertEqual(custody.date_maturity, check.deposit_date, "another day was agreed on")

    def test_deposit(self):
        check = self.take_to("deposited")
        bank = self.outstanding(check)
        self.assertEntries(
            check,
            (self.custody_account, self.received, 1000),
            (self.account, self.received, -1000),
            (bank, self.today, 1000),
            (self.custody_account, self.today, -1000),
        )
        self.assertOpen(0)
        self.assertEqual(self.owed(), 0)

    def test_bounce(self):
        check = self.take_to("deposited")
        bank = self.outstanding(check)
        check._bounce(self.tomorrow, "Insufficient funds")
        self.assertEntries(
            check,
            (self.custody_account, self.received, 1000),
            (self.account, self.received, -1000),
            (bank, self.today, 1000),
            (self.custody_account, self.today, -1000),
            (bank, self.tomorrow, -1000),
            # Back from the bank, and out of custody.
            (self.account, self.tomorrow, 1000),
        )
        self.assertOpen(1000)
        self.assertEqual(self.owed(), 1000)
        self.assertFalse(check.custody_move_id)
        entries = check.entry_ids.filtered(lambda move: move.state == "posted")
        open_lines = entries.line_ids.filtered(lambda line: line.account_id.reconcile and not line.reconciled)
        self.assertFalse(open_lines, "what was booked and reversed is matched with each other")

    def test_redeposit(self):
        check = self.take_to("redeposited")
        bank = self.outstanding(check)
        self.assertEqual(check.payment_id.destination_account_id, self.account)
        self.assertEqual(self.entries(check)[bank, self.today], 1000)
        self.assertOpen(0)

    def test_back(self):
        for state, back in (
            ("custody", "_return"),
            ("hold", "_return"),
            ("custody", "_cancel"),
            ("deposited", "_cancel"),
        ):
            with self.subTest(state=state, back=back):
                check = self.take_to(state)
                getattr(check, back)(self.today)
                balances = {}
                for (account, _date), balance in self.entries(check).items():
                    balances[account] = balances.get(account, 0) + balance
                self.assertFalse(any(balances.values()))
                self.assertOpen(1000)
                self.assertEqual(self.owed(), 1000)

    def test_replace(self):
        check = self.take_to("custody")
        other = check._replace(self.today, {"number": "NEW"})
        self.assertEqual((check.state, other.state), ("replaced", "custody"))
        self.assertOpen(0)
        self.assertEqual(self.owed(), 1000)
        self.assertEqual(sum(self.entries(check).values()), 0)

    def test_nothing_changes_once_booked(self):
        check = self.take_to("custody")
        with self.assertRaisesRegex(UserError, "cannot be changed any more"):
            check.action_suggest()

    def test_set_up(self):
        self.company.collection_check_custody_account_id = False
        with self.assertRaisesRegex(UserError, "choose the account and the journal of checks in custody"):
            self.take_to("custody")
