from datetime import timedelta

from odoo.exceptions import UserError
from odoo.tests import tagged

from .check_common import CheckCommon


@tagged("post_install", "-at_install")
class TestCheckStates(CheckCommon):
    """Each arrow of the diagram, with the journal items that it leaves, where custody makes no entry."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls.make_invoice(cls.customer, 1000, days=5)
        cls.account = cls.receivable(cls.invoice).account_id

    def outstanding(self, check):
        return check.payment_id.outstanding_account_id

    def test_receive(self):
        check = self.make_check(1000, days=20)
        self.assertEqual(check.state, "custody")
        self.assertFalse(check.entry_ids)
        self.assertEqual(self.invoice.amount_residual, 1000)
        self.assertEqual(self.invoice.payment_state, "not_paid")
        self.assertEqual(self.owed(), 1000)

    def test_deposit(self):
        check = self.make_check(1000)
        check._deposit(self.today)
        self.assertEqual(check.state, "deposited")
        self.assertEqual(
            self.entries(check), {(self.outstanding(check), self.today): 1000, (self.account, self.today): -1000}
        )
        self.assertEqual(self.invoice.amount_residual, 0)
        self.assertEqual(self.owed(), 0)

    def test_bounce(self):
        check = self.make_check(1000)
        check._deposit(self.today - timedelta(days=0))
        outstanding = self.outstanding(check)
        tomorrow = self.today + timedelta(days=1)
        check._bounce(tomorrow, "Insufficient funds", fee=150)
        self.assertEqual(check.state, "bounced")
        self.assertEqual(
            self.entries(check),
            {
                (outstanding, self.today): 1000,
                (self.account, self.today): -1000,
                (outstanding, tomorrow): -1150,
                (self.account, tomorrow): 1000,
                (self.fee_account, tomorrow): 150,
            },
        )
        self.assertEqual(self.invoice.amount_residual, 1000)
        self.assertEqual(self.invoice.payment_state, "not_paid")
        self.assertEqual(self.owed(), 1000)
        penalty = check.penalty_move_id
        self.assertEqual((penalty.state, penalty.amount_total), ("draft", 200))

    def test_refusal(self):
        check = self.make_check(1000, days=20)
        with self.assertRaisesRegex(UserError, "In Custody: only a deposited check can bounce"):
            check._bounce(self.today, "Insufficient funds")
        with self.assertRaisesRegex(UserError, "is to be deposited on"):
            check._deposit(self.today)
