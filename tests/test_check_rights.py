from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .check_common import CheckCommon
from .test_rights import RightsCommon


@tagged("post_install", "-at_install")
class TestCheckRights(RightsCommon, CheckCommon):
    """Collectors register and see their debtors' checks; who invoices, or manages collections, books them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mine = cls.make_debtor("Mine", cls.collector)
        cls.theirs = cls.make_debtor("Theirs", cls.other_collector)
        cls.my_check = cls.make_check(500, partner=cls.mine.partner_id)
        cls.their_check = cls.make_check(500, partner=cls.theirs.partner_id)

    def values(self, debtor, number="900"):
        return {
            "number": number,
            "bank_id": self.bank.id,
            "partner_id": debtor.partner_id.id,
            "amount": 100,
            "receipt_date": self.today,
            "face_date": self.today,
            "deposit_date": self.today,
            "journal_id": self.journal.id,
        }

    def test_who_sees(self):
        both = self.my_check + self.their_check
        for user, seen in (
            (self.collector, self.my_check),
            (self.other_collector, self.their_check),
            (self.viewer, both),
            (self.manager, both),
            (self.invoicing, both),
        ):
            self.assertEqual(self.seen_by(user, both), seen, user.login)
            self.assertEqual(self.seen_by(user, both.line_ids), seen.line_ids, user.login)
            self.assertEqual(self.seen_by(user, both.event_ids), seen.event_ids, user.login)
        for user in (self.employee, self.portal):
            with self.assertRaises(AccessError):
                self.seen_by(user, both)

    def test_a_default_says_no_state(self):
        board = self.Check.with_user(self.collector).with_context(default_state="cleared", default_bounce_count=3)
        check = board.create(self.values(self.mine))
        self.assertEqual((check.state, check.bounce_count), ("draft", 0))

    def test_collector_registers(self):
        check = self.Check.with_user(self.collector).create(self.values(self.mine))
        check.action_suggest()
        self.assertEqual(check.line_ids.amount, 100)
        check.action_receive()
        check._hold(self.today)
        check.action_resume()
        check._return(self.today)
        self.assertEqual(check.state, "returned")
        with self.assertRaises(AccessError):
            self.Check.with_user(self.collector).create(self.values(self.theirs, "901"))
        with self.assertRaises(AccessError):
            self.Check.with_user(self.viewer).create(self.values(self.mine, "902"))

    def test_collector_books_custody(self):
        """The entry of custody is the system's: it takes no right to post."""
        self.company.collection_check_in_custody_account = True
        check = self.Check.with_user(self.collector).create(self.values(self.mine))
        check.action_receive()
        self.assertEqual(check.sudo().custody_move_id.state, "posted")

    def test_collector_books_nothing_else(self):
        check = self.my_check.with_user(self.collector)
        for refused in (
            lambda: check._deposit(self.today),
            lambda: check._cancel(self.today),
            lambda: check._bounce(self.today, "Funds"),
            lambda: check._clear(self.today),
            lambda: check._take_to_court(self.today),
        ):
            with self.assertRaisesRegex(AccessError, "takes the right to invoice, or to manage collections"):
                refused()

    def test_a_check_of_another(self):
        check = self.their_check.with_user(self.collector)
        with self.assertRaises(AccessError):
            check._hold(self.today)
        self.assertEqual(self.their_check.state, "custody")

    def test_who_books(self):
        for user in (self.manager, self.invoicing):
            with self.subTest(user=user.login):
                check = self.make_check(200, partner=self.mine.partner_id).with_user(user)
                check._deposit(self.today)
                check._bounce(self.today, "Funds")
                check._redeposit(self.today)
                check._clear(self.today)
                self.assertEqual(check.state, "cleared")
                self.assertEqual(check.event_ids[:1].user_id, user)

    def test_nobody_writes_the_state(self):
        for user in (self.collector, self.manager, self.invoicing):
            for values in (
                {"state": "cleared"},
                {"payment_id": 1},
                {"bounce_count": 0},
                {"debtor_id": self.theirs.id},
                {"commercial_partner_id": self.theirs.partner_id.id},
                {"collector_id": user.id},
                {"allocated_amount": 0},
            ):
                with self.assertRaises(AccessError):
                    self.my_check.with_user(user).write(values)
            with self.assertRaises(AccessError):
                self.Check.with_user(user).create({**self.values(self.mine, "903"), "state": "cleared"})

    def test_nobody_writes_what_a_line_takes_off(self):
        """It follows from the check and its item; a discount is what the terms say."""
        line = self.my_check.line_ids[:1].with_user(self.collector)
        settled, move = line.item_amount, line.move_id
        line.write({"item_amount": 0.01, "move_id": self.their_check.line_ids.move_id[:1].id})
        self.assertEqual((line.item_amount, line.move_id), (settled, move))
        with self.assertRaisesRegex(ValidationError, "do not allow that discount"):
            line.discount = 5
        with self.assertRaises(UserError):
            line.check_id = self.their_check.id

    def test_companies(self):
        data = self.other_company_data()
        foreign = self.make_user("foreign", "account_collection.group_collection_manager", company=data["company"])
        self.assertFalse(self.seen_by(foreign, self.my_check))
        with self.assertRaises(AccessError):
            self.my_check.with_user(foreign).read(["number"])
