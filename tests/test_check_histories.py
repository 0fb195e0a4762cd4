from collections import defaultdict
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from odoo.tests import tagged

from ..engine import checks
from .aging_common import AgingCommon
from .check_common import CheckCommon
from .examples import histories

PICK = st.integers(0, 50)
CENTS = st.integers(1, 150_000)


class CheckHistory(RuleBasedStateMachine):
    """Invoices, payments and checks of one customer in two currencies, taken through any transitions in any order.

    What is told of the ledger is counted here apart from it: what every invoice was paid by hand, and what the bank
    holds of every check.
    """

    test = None

    def __init__(self):
        super().__init__()
        self.savepoint = self.test.cr.savepoint()
        self.invoices, self.checks = [], []
        self.by_hand = defaultdict(float)
        self.at_bank = {}

    def teardown(self):
        try:
            self.test.check_recent_aging()
        finally:
            self._undo()

    def _undo(self):
        self.savepoint.close(rollback=True)
        self.test.env.invalidate_all()

    def _currency(self, foreign):
        return self.test.foreign if foreign else self.test.company.currency_id

    def _some(self, pick, transition):
        fitting = [check for check in self.checks if check.state in checks.TRANSITIONS[transition][0]]
        return fitting[pick % len(fitting)] if fitting else None

    # === What happens ===#

    @initialize()
    def start(self):
        for cents, foreign, days in ((60_000, False, 40), (90_000, False, 10), (7_000, True, 20)):
            self.invoice(cents, foreign, days)

    @rule(cents=CENTS, foreign=st.booleans(), days=st.integers(-20, 60))
    def invoice(self, cents, foreign, days):
        self.invoices.append(
            self.test.make_invoice(self.test.customer, cents / 100, days=days, currency_id=self._currency(foreign).id)
        )

    @rule(pick=PICK, part=st.integers(1, 3))
    def pay_by_hand(self, pick, part):
        invoice = self.invoices[pick % len(self.invoices)]
        amount = round(invoice.amount_residual / part, 2)
        if amount:
            self.test.pay(invoice, amount=amount)
            self.by_hand[invoice] += amount

    @rule(cents=CENTS, foreign=st.booleans(), keep=st.integers(1, 2))
    def receive(self, cents, foreign, keep):
        """``keep``: all that is proposed, or half of each share, as a person would have it."""
        check = self.test.make_check(cents / 100, currency_id=self._currency(foreign).id, receive=False)
        for line in check.line_ids:
            line.amount = max(round(line.amount / keep, 2), 0.01)
        check.action_receive()
        self.checks.append(check)

    @rule(pick=PICK, transition=st.sampled_from(["deposit", "redeposit"]))
    def deposit(self, pick, transition):
        if check := self._some(pick, transition):
            getattr(check, f"_{transition}")(self.test.today)
            self.at_bank[check] = {line.move_id: line.item_amount for line in check.line_ids}

    @rule(pick=PICK, later=st.integers(0, 20), penalty=st.booleans())
    def bounce(self, pick, later, penalty):
        if check := self._some(pick, "bounce"):
            check._bounce(self.test.today + timedelta(days=later), "Funds", penalty=penalty)
            del self.at_bank[check]

    @rule(pick=PICK, transition=st.sampled_from(["hold", "resume", "return", "clear"]))
    def move_on(self, pick, transition):
        if check := self._some(pick, transition):
            getattr(check, f"_{transition}")(self.test.today)

    @rule(pick=PICK)
    def take_to_court(self, pick):
        if check := self._some(pick, "legal"):
            check._take_to_court(self.test.today)

    @rule(pick=PICK, days=st.integers(0, 9))
    def agree_on_another_day(self, pick, days):
        waiting = [check for check in self.checks if check.state in checks.PENDING]
        if waiting:
            check = waiting[pick % len(waiting)]
            check.deposit_date = max(self.test.today - timedelta(days=days), check.receipt_date, check.face_date)

    @rule(pick=PICK)
    def begin_again(self, pick):
        if check := self._some(pick, "draft"):
            check._reset(self.test.today)
            check.action_suggest()
            check._receive()

    @rule(pick=PICK)
    def cancel(self, pick):
        if check := self._some(pick, "cancel"):
            check._cancel(self.test.today)
            self.at_bank.pop(check, None)

    @rule(pick=PICK, cents=CENTS)
    def replace(self, pick, cents):
        if check := self._some(pick, "replace"):
            number = f"R{len(self.checks)}"
            self.checks.append(check._replace(self.test.today, {"number": number, "amount": cents / 100}))

    # === What must hold ===#

    @invariant()
    def invoices_are_open_for_the_rest(self):
        """Of each invoice: what is open is its total less what a person and the bank's checks, or custody, paid."""
        held = {
            check: {line.move_id: line.item_amount for line in check.line_ids}
            for check in self.checks
            if check.custody_move_id and check.state in checks.IN_HAND
        }
        for invoice in self.invoices:
            paid = self.by_hand[invoice] + sum(
                shares.get(invoice, 0.0) for shares in (*self.at_bank.values(), *held.values())
            )
            self.test.assertAlmostEqual(invoice.amount_residual, invoice.amount_total - paid, 2, invoice.name)

    @invariant()
    def receivable_is_what_did_not_come_in(self):
        """Per currency: invoices less payments and the checks at the bank, wherever custody is booked."""
        owed, expected = defaultdict(float), defaultdict(float)
        for line in self.test.receivables():
            owed[line.currency_id] += line.amount_currency
        for invoice in self.invoices:
            expected[invoice.currency_id] += invoice.amount_total - self.by_hand[invoice]
        for check in self.at_bank:
            expected[check.currency_id] -= check.amount
        for currency in owed.keys() | expected.keys():
            self.test.assertAlmostEqual(owed[currency], expected[currency], 2, currency.name)

    @invariant()
    def nothing_is_given_twice(self):
        """No check gives more than it is for, and no invoice is given more than it is for."""
        given = defaultdict(float)
        for check in self.checks:
            self.test.assertLessEqual(round(sum(check.line_ids.mapped("amount")) - check.amount, 2), 0)
            if check.state in checks.PENDING or check in self.at_bank:
                for line in check.line_ids:
                    given[line.move_id] += line.item_amount
        for invoice, amount in given.items():
            self.test.assertLessEqual(round(amount - invoice.amount_total, 2), 0, invoice.name)

    @invariant()
    def entries_balance(self):
        for check in self.checks:
            for move in check.entry_ids:
                self.test.assertAlmostEqual(sum(move.line_ids.mapped("balance")), 0, 2, move.name)
            done = check not in self.at_bank and check.state not in checks.IN_HAND
            if done:
                posted = check.entry_ids.filtered(lambda move: move.state == "posted")
                for account, lines in posted.line_ids.grouped("account_id").items():
                    self.test.assertAlmostEqual(sum(lines.mapped("balance")), 0, 2, account.name)


class CheckHistoriesCommon(AgingCommon, CheckCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        own = cls.company.currency_id.name
        cls.foreign = cls.env.ref("base.EUR" if own == "USD" else "base.USD")
        cls.foreign.active = True
        cls.foreign.rate_ids.filtered(lambda rate: rate.company_id == cls.company).unlink()
        cls.env["res.currency.rate"].create(
            [
                {
                    "currency_id": cls.foreign.id,
                    "company_id": cls.company.id,
                    "name": cls.today - timedelta(days=days),
                    "inverse_company_rate": rate,
                }
                for days, rate in ((400, 18.0), (5, 20.0))
            ]
        )

    def receivables(self):
        """The customer's posted receivable lines, those of exchange differences left out."""
        return self.env["account.move.line"].search(
            [
                ("partner_id", "child_of", self.customer.id),
                ("account_id.account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
                ("journal_id", "!=", self.company.currency_exchange_journal_id.id),
            ]
        )

    def walk(self):
        machine = type("History", (CheckHistory,), {"test": self})
        run_state_machine_as_test(
            machine,
            settings=histories(6, stateful_step_count=12),
        )


@tagged("post_install", "-at_install")
class TestCheckHistories(CheckHistoriesCommon):
    def test_any_history(self):
        self.walk()

    def test_any_history_with_custody_booked(self):
        self.company.collection_check_in_custody_account = True
        self.walk()
