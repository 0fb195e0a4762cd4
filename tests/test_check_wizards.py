import base64
import io
from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError, RedirectWarning, UserError
from odoo.tests import Form, tagged
from odoo.tools.pdf import PdfFileReader

from ..wizards import account_postdated_check_deposit
from .check_common import CheckCommon


class CheckWizardCommon(CheckCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoicing = cls.make_user("invoicing", "account.group_account_invoice", "base.group_partner_manager")
        cls.collector = cls.make_user("collector", "account_collection.group_collection_collector")
        cls.manager = cls.make_user("manager", "account_collection.group_collection_manager")
        cls.second_journal = cls.journal.copy({"name": "Second Bank", "code": "SBNK"})

    def dialog(self, name, checks, user=None):
        """The dialog of a button as its user sees it, filled in by default."""
        model = self.env[f"account.postdated.check.{name}"].with_user(user or self.invoicing)
        context = {"active_model": checks._name, "active_ids": checks.ids, "active_id": checks[:1].id}
        return Form(model.with_company(self.company).with_context(**context))

    def deposit(self, checks, **values):
        dialog = self.dialog("deposit", checks)
        for name, value in values.items():
            setattr(dialog, name, value)
        wizard = dialog.save()
        action = wizard.action_deposit()
        self.assertEqual((action["res_model"], action["res_id"]), (wizard._name, wizard.id))
        return wizard

    def match_bank(self, line, amount, date=None):
        """A line of the bank statement, matched with a journal item."""
        statement_line = self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.journal.id,
                "payment_ref": "Deposit",
                "amount": amount,
                "date": date or self.today,
            }
        )
        _liquidity, suspense, _other = statement_line._seek_for_lines()
        suspense.account_id = line.account_id
        (suspense + line).reconcile()
        return statement_line


@tagged("post_install", "-at_install")
class TestCheckDeposit(CheckWizardCommon):
    def test_what_is_due_is_proposed_and_the_others_stay(self):
        self.make_invoice(self.customer, 5000)
        due, late = self.make_check(1000), self.make_check(500, days=-3)
        future, draft = self.make_check(300, days=5), self.make_check(200, receive=False)
        wizard = self.env["account.postdated.check.deposit"].with_user(self.invoicing).create({})
        self.assertEqual(wizard.check_ids, (due + late).with_user(self.invoicing))
        self.assertEqual(wizard.date, self.today)
        self.assertRegex(wizard.totals, r"^Bank.*: .*1,500\.00.* \(checks: 2\)")
        wizard.action_deposit()
        self.assertEqual((due + late + future + draft).mapped("state"), ["deposited", "deposited", "custody", "draft"])
        self.assertEqual(wizard.slip_ids.check_ids.ids, (late + due).sorted("id").sorted("deposit_date").ids)
        self.assertFalse(wizard.line_ids)
        with self.assertRaisesRegex(UserError, "deposited already"):
            wizard.action_deposit()

    def test_one_that_cannot_be_deposited_says_why_and_stops_no_other(self):
        self.make_invoice(self.customer, 5000)
        good, early, other = self.make_check(1000), self.make_check(500, days=4), self.make_check(250)
        wizard = self.deposit(good + early + other)
        self.assertEqual((good + other + early).mapped("state"), ["deposited", "deposited", "custody"])
        self.assertEqual(wizard.line_ids.check_id.ids, early.ids)
        self.assertRegex(wizard.line_ids.reason, r"is to be deposited on \d\d/\d\d/\d{4}: agree on an earlier day")
        self.assertEqual(wizard.check_ids.ids, (good + other).ids)
        self.assertEqual((wizard.slip_ids.check_count, good.slip_id.ids), (2, wizard.slip_ids.ids))
        self.assertFalse(early.slip_id)

    def test_another_journal_for_all(self):
        check = self.make_check(1000, suggest=False)
        wizard = self.deposit(check, journal_id=self.second_journal)
        self.assertEqual(check.payment_id.journal_id, self.second_journal)
        self.assertEqual(wizard.slip_ids.journal_id.id, self.second_journal.id)

    def test_another_journal_for_all_is_not_for_those_that_stay(self):
        good, early = self.make_check(1000, suggest=False), self.make_check(500, days=4, suggest=False)
        wizard = self.deposit(good + early, journal_id=self.second_journal)
        self.assertEqual((good.journal_id, early.journal_id), (self.second_journal, self.journal))
        self.assertEqual(wizard.line_ids.check_id.ids, early.ids)

    def test_many_are_deposited_in_portions(self):
        """Each press is a request of its own: what was deposited stays so, and nothing is lost between them."""
        found = self.Check.union(*(self.make_check(100, suggest=False) for _number in range(4)))
        early = self.make_check(100, days=3, suggest=False)
        with patch.object(account_postdated_check_deposit, "AT_ONCE", 2):
            wizard = self.dialog("deposit", found + early).save()
            self.assertIn("Still to be deposited: 5. Each press of Deposit takes up to 2", wizard.waiting)
            wizard.action_deposit()
            self.assertEqual(found.mapped("state"), ["deposited"] * 2 + ["custody"] * 2)
            self.assertEqual((wizard.done, len(wizard.check_ids)), (False, 3))
            self.assertIn("be deposited: 3.", wizard.waiting)
            wizard.action_deposit()
            self.assertIn("be deposited: 1.", wizard.waiting)
            wizard.action_deposit()
        self.assertEqual((wizard.done, wizard.waiting, set(found.mapped("state"))), (True, False, {"deposited"}))
        self.assertEqual([len(slip.check_ids) for slip in wizard.slip_ids.sorted("id")], [2, 2])
        self.assertEqual((wizard.check_ids.sorted("id").ids, wizard.line_ids.check_id.ids), (found.ids, early.ids))
        with self.assertRaisesRegex(UserError, "deposited already"):
            wizard.action_deposit()

    def test_a_slip_for_each_journal_numbered_by_company_and_year(self):
        first, second = self.make_check(100, suggest=False), self.make_check(200, suggest=False)
        second.journal_id = self.second_journal
        slips = self.deposit(first + second).slip_ids
        self.assertEqual(len(slips), 2)
        self.assertEqual(sorted(slips.mapped("name")), [f"DEP/{self.today.year}/0001", f"DEP/{self.today.year}/0002"])
        self.assertEqual(first.slip_id.check_ids, first)

    def test_a_collector_deposits_nothing(self):
        debtor = self.debtor(self.customer) or self.env["collection.debtor"].browse()
        check = self.make_check(100, suggest=False)
        debtor = check.debtor_id
        debtor.collector_id = self.collector
        with self.assertRaises(AccessError):
            check.with_user(self.collector)._deposit(self.today)
        with self.assertRaises(AccessError):
            self.env["account.postdated.check.deposit"].with_user(self.collector).create({})
        self.assertEqual(check.state, "custody")
        wizard = self.dialog("deposit", check, self.manager).save()
        wizard.action_deposit()
        self.assertEqual(check.state, "deposited")

    def test_the_slip_of_the_bank_says_which_checks_and_how_much(self):
        self.journal.bank_account_id = self.env["res.partner.bank"].create(
            {"acc_number": "0123456789", "partner_id": self.company.partner_id.id, "bank_id": self.bank.id}
        )
        checks = self.make_check(1000.5, suggest=False) + self.make_check(200, suggest=False, drawer="Juan Pérez")
        slip = self.deposit(checks).slip_ids
        action = slip.action_print()
        export = self.env["collection.export"].search([], order="id desc", limit=1)
        self.assertIn(f"/{export.id}/", action["url"])
        (page,) = PdfFileReader(io.BytesIO(base64.b64decode(export.content))).pages
        text = " ".join(page.extract_text().split())
        for expected in (
            self.company.name,
            "Deposit slip",
            slip.name,
            "Banco del Bajio",
            "0123456789",
            checks[0].number,
            "002225700312345678",
            "Postdater",
            "Juan Pérez",
            "1,000.50",
            "200.00",
            f"Checks: 2 · Total in {self.company.currency_id.name}",
            "1,200.50",
            "Received by the bank",
        ):
            self.assertIn(expected, text)


@tagged("post_install", "-at_install")
class TestCheckSlipEntry(CheckWizardCommon):
    """One movement of the bank for all checks of a slip."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.collection_check_slip_entry = True
        cls.invoice = cls.make_invoice(cls.customer, 3000, days=5)
        cls.checks = cls.Check.union(*(cls.make_check(1000) for _number in range(3)))

    def setUp(self):
        super().setUp()
        self.slip = self.deposit(self.checks).slip_ids.sudo()
        self.total = self.slip._get_total_lines()

    def test_the_checks_become_one_line(self):
        self.assertEqual(
            (self.total.balance, self.total.amount_residual, self.total.name), (3000, 3000, self.slip.name)
        )
        self.assertEqual(self.slip.move_id.journal_id, self.journal)
        waiting = self.checks._get_outstanding_lines()
        self.assertEqual(waiting.mapped("amount_residual"), [0, 0, 0])
        self.assertEqual(set(self.checks.mapped("state")), {"deposited"})
        self.assertEqual(self.owed(), 0)

    def test_one_line_of_the_statement_clears_all_and_its_undoing_brings_them_back(self):
        statement_line = self.match_bank(self.total, 3000)
        self.assertEqual(set(self.checks.mapped("state")), {"cleared"})
        self.assertEqual(set(self.checks.mapped("cleared_on")), {statement_line.date})
        self.total.remove_move_reconcile()
        self.assertEqual(set(self.checks.mapped("state")), {"deposited"})

    def test_one_that_bounces_before_leaves_the_line_to_the_others(self):
        self.checks[0]._bounce(self.today, "Insufficient funds")
        self.assertEqual(self.total.amount_residual, 2000)
        self.assertEqual(self.invoice.amount_residual, 1000)
        self.match_bank(self.total, 2000)
        self.assertEqual(self.checks.mapped("state"), ["bounced", "cleared", "cleared"])
        self.assertEqual(self.owed(), 1000)

    def test_the_last_one_to_bounce_clears_no_other_by_itself(self):
        self.match_bank(self.total, 2000)
        self.assertEqual(set(self.checks.mapped("state")), {"deposited"})
        self.checks[0]._bounce(self.today, "Insufficient funds")
        self.assertEqual(self.total.amount_residual, 0)
        self.assertEqual(self.checks.mapped("state"), ["bounced", "cleared", "cleared"])
        self.assertFalse(self.checks[0].cleared_on)
        self.assertEqual(self.checks[0].event_ids.mapped("new_state"), ["bounced", "deposited", "custody"])

    def test_one_that_bounces_after_waits_for_the_bank_to_charge_it_back(self):
        self.match_bank(self.total, 3000)
        self.checks[0]._bounce(self.today, "Account closed")
        self.assertEqual(self.checks.mapped("state"), ["bounced", "cleared", "cleared"])
        open_lines = self.checks[0].entry_ids.line_ids.filtered(
            lambda line: line.account_id == self.total.account_id and not line.reconciled
        )
        self.assertEqual(open_lines.mapped("amount_residual"), [-1000])

    def test_one_that_is_cancelled_leaves_the_line_to_the_others(self):
        self.checks[:2]._cancel(self.today)
        self.assertEqual((self.total.amount_residual, self.owed()), (1000, 2000))
        self.match_bank(self.total, 1000)
        self.assertEqual(self.checks.mapped("state"), ["cancelled", "cancelled", "cleared"])

    def test_the_entry_is_changed_by_its_checks_alone(self):
        move = self.slip.move_id.with_user(self.env.ref("base.user_admin")).sudo(False)
        with self.assertRaisesRegex(RedirectWarning, f"deposit slip {self.slip.name}"):
            move.with_user(self.invoicing).button_draft()

    def test_a_check_alone_needs_no_entry_nor_do_those_deposited_again(self):
        check = self.make_check(50, suggest=False)
        self.assertFalse(self.deposit(check).slip_ids.move_id)
        first = self.checks[0]
        first._bounce(self.today, "Insufficient funds")
        first._redeposit(self.today)
        self.assertFalse(first.slip_id)
        self.assertIn(first, self.slip.check_ids)
        self.match_bank(first._get_outstanding_lines(), 1000)
        self.assertEqual(first.state, "cleared")
        self.assertEqual(self.checks[1].state, "deposited")

    def test_currencies_are_lines_of_their_own(self):
        foreign = self.make_currency("XSI", {3650: 2})
        checks = (
            self.make_check(100, suggest=False)
            + self.make_check(80, suggest=False, currency_id=foreign.id)
            + self.make_check(20, suggest=False, currency_id=foreign.id)
        )
        checks.journal_id = self.journal
        slip = self.deposit(checks).slip_ids.sudo()
        lines = slip._get_total_lines().sorted("amount_currency")
        self.assertEqual(
            [(line.currency_id, line.amount_currency, line.balance) for line in lines],
            [(foreign, 100, 50), (self.company.currency_id, 100, 100)]
            if lines[0].currency_id == foreign
            else [(self.company.currency_id, 100, 100), (foreign, 100, 50)],
        )
        self.assertRegex(slip.total, r"100\.00.* \+ .*100\.00")


@tagged("post_install", "-at_install")
class TestCheckBounce(CheckWizardCommon):
    def test_the_dialog_previews_the_penalty_and_registers(self):
        invoice = self.make_invoice(self.customer, 1000, days=5)
        check = self.make_check(1000)
        check._deposit(self.today)
        dialog = self.dialog("bounce", check)
        self.assertTrue(dialog.penalty)
        with dialog.line_ids.edit(0) as line:
            self.assertTrue(line.in_time)
            self.assertEqual(line.penalty_amount, 200)
        dialog.reason, dialog.fee = "Insufficient funds", 150
        self.assertFalse(dialog.lacks_fee_account)
        dialog.save().action_bounce()
        self.assertEqual(
            (check.state, check.bounce_reason, invoice.amount_residual), ("bounced", "Insufficient funds", 1000)
        )
        self.assertEqual((check.penalty_move_id.state, check.penalty_amount), ("draft", 200))
        self.assertIn(150, self.entries(check).values())

    def test_who_presented_late_or_wants_none_proposes_no_penalty(self):
        late = self.make_check(1000, suggest=False, face_date=self.days_ago(20), receipt_date=self.days_ago(20))
        wanted = self.make_check(500, suggest=False)
        (late + wanted)._deposit(self.today)
        dialog = self.dialog("bounce", late + wanted)
        with dialog.line_ids.edit(0) as line:
            self.assertEqual((line.in_time, line.penalty_amount), (False, 0))
        dialog.reason = "Account closed"
        dialog.save().action_bounce()
        self.assertEqual((late + wanted).mapped("state"), ["bounced", "bounced"])
        self.assertEqual((late + wanted).mapped("presented_in_time"), [False, True])
        self.assertEqual((late.penalty_move_id.ids, wanted.penalty_amount), ([], 100))

    def test_a_person_knows_better_whether_it_was_in_time(self):
        check = self.make_check(1000, suggest=False)
        check._deposit(self.today)
        dialog = self.dialog("bounce", check)
        dialog.reason = "No funds"
        with dialog.line_ids.edit(0) as line:
            line.in_time = False
            self.assertEqual(line.penalty_amount, 0)
        dialog.save().action_bounce()
        self.assertFalse(check.presented_in_time or check.penalty_move_id)

    def test_a_fee_without_an_account_is_warned_of_and_refused(self):
        self.company.collection_check_fee_account_id = False
        check = self.make_check(1000, suggest=False)
        check._deposit(self.today)
        dialog = self.dialog("bounce", check)
        dialog.reason, dialog.fee = "No funds", 10
        self.assertTrue(dialog.lacks_fee_account)
        with self.assertRaisesRegex(UserError, "choose the account of the bank's fees"):
            dialog.save().action_bounce()

    def test_the_day_is_one_since_the_deposit(self):
        check = self.make_check(1000, suggest=False)
        check._deposit(self.days_ago(0))
        for day, sentence in ((self.days_ago(1), "is Deposited since"), (self.days_ago(-1), "is still to come")):
            dialog = self.dialog("bounce", check)
            dialog.reason, dialog.date = "No funds", day
            with self.assertRaisesRegex(UserError, sentence):
                dialog.save().action_bounce()
        self.assertEqual(check.state, "deposited")


@tagged("post_install", "-at_install")
class TestCheckReplace(CheckWizardCommon):
    def test_the_new_check_is_received_for_the_same_invoices(self):
        invoice = self.make_invoice(self.customer, 1000, days=5)
        check = self.make_check(1000)
        check._deposit(self.today)
        check._bounce(self.today, "Insufficient funds", penalty=False)
        dialog = self.dialog("replace", check)
        self.assertEqual((dialog.bank_id, dialog.amount, dialog.date), (self.bank, 1000, self.today))
        dialog.number, dialog.amount, dialog.deposit_date = "777", 900, self.today + timedelta(days=15)
        action = dialog.save().action_replace()
        new = self.Check.browse(action["res_id"])
        self.assertEqual((check.state, check.replaced_by_id, new.replaces_id), ("replaced", new, check))
        self.assertEqual(
            (new.state, new.number, new.amount, new.deposit_date),
            ("custody", "777", 900, self.today + timedelta(days=15)),
        )
        self.assertEqual([(line.move_id, line.amount) for line in new.line_ids], [(invoice, 900)])
        self.assertEqual(self.owed(), 1000)

    def test_a_collector_replaces_a_check_of_the_own_debtors(self):
        check = self.make_check(100, suggest=False, days=10)
        check.debtor_id.collector_id = self.collector
        dialog = self.dialog("replace", check, self.collector)
        dialog.number = "888"
        dialog.save().action_replace()
        self.assertEqual((check.state, check.replaced_by_id.number), ("replaced", "888"))


@tagged("post_install", "-at_install")
class TestCheckCapture(CheckWizardCommon):
    def test_the_form_registers_suggests_and_receives(self):
        invoice = self.make_invoice(self.customer, 800, days=5)
        for user, number in ((self.invoicing, "11"), (self.manager, "12")):
            form = Form(self.Check.with_user(user).with_company(self.company))
            form.number, form.bank_id, form.partner_id = number, self.bank, self.customer
            form.amount = 400
            form.deposit_date = self.today + timedelta(days=10)
            check = form.save()
            check.action_suggest()
            self.assertEqual(check.line_ids.mapped("amount"), [400], user.login)
            check.action_receive()
            self.assertEqual((check.state, check.advance_amount), ("custody", 0))
        self.assertEqual(invoice.with_user(self.invoicing).collection_check_count, 2)

    def test_a_pile_is_registered_in_the_list(self):
        view = "account_collection.account_postdated_check_view_tree_register"
        for number in ("21", "22"):
            form = Form(self.Check.with_user(self.invoicing).with_company(self.company), view)
            form.number, form.bank_id, form.partner_id, form.amount = number, self.bank, self.customer, 100
            form.deposit_date = self.today + timedelta(days=3)
            form.save()
        pile = self.Check.search([("number", "in", ("21", "22"))])
        self.assertEqual(pile.mapped("state"), ["draft", "draft"])
        pile.with_user(self.invoicing).action_receive()
        self.assertEqual(pile.mapped("state"), ["custody", "custody"])

    def test_an_open_item_is_called_by_its_document_and_its_day(self):
        invoice = self.make_invoice(self.customer, 800, days=5, invoice_date_due="2026-11-19")
        item = self.receivable(invoice).with_context(collection_item_name=True, lang="en_US")
        self.assertEqual(item.display_name, f"{invoice.name} · 11/19/2026")
        self.assertNotIn("·", item.with_context(collection_item_name=False).display_name)

    def test_links_lead_to_the_checks_and_back(self):
        invoice = self.make_invoice(self.customer, 1000, days=5)
        check = self.make_check(1000)
        check._deposit(self.today)
        user = self.invoicing
        self.assertEqual(invoice.with_user(user).action_open_collection_checks()["res_id"], check.id)
        customer = self.customer.with_user(user)
        self.assertEqual(customer.collection_check_count, 1)
        self.assertEqual(self.Check.search(customer.action_open_collection_checks()["domain"]), check)
        payment = check.payment_id.with_user(user)
        self.assertEqual(payment.action_open_postdated_check()["res_id"], check.id)
        self.assertEqual(check.with_user(user).action_open_payment()["res_id"], check.payment_id.id)
        debtor = check.debtor_id.with_user(self.manager)
        self.assertEqual(debtor.check_count, 1)
        self.assertEqual(self.Check.search(debtor.action_open_checks()["domain"]), check)
        self.assertEqual(check.with_user(user).action_open_invoices()["domain"], [("id", "in", invoice.ids)])
