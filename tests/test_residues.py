"""Residues of cents: what is listed and why, what is booked, and the way back."""

from datetime import timedelta

from freezegun import freeze_time
from hypothesis import given
from hypothesis import strategies as st

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import CollectionCommon
from .examples import histories


class ResidueCommon(CollectionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.collection_tolerance = 1
        cls.foreign = cls.make_currency("TCU", {900: 4.0, 5: 2.0})
        cls.account = cls.company_data["default_account_expense"]
        cls.misc = cls.company_data["default_journal_misc"]
        cls.manager = cls.make_user("manager", "account_collection.group_collection_manager")
        cls.wizards = cls.env(user=cls.manager, su=False)["collection.residue.write.off"].with_company(cls.company)
        cls.ann, cls.bob, cls.cid = (cls.make_customer(name) for name in ("Ann", "Bob", "Cid"))

    @classmethod
    def owe(cls, partner, *residues, currency=None):
        """An entry whose items are these residues of a customer, whole."""
        currency = currency or cls.company.currency_id
        rate = 1 if currency == cls.company.currency_id else 0.5
        lines = [(amount, cls.company_data["default_account_receivable"], partner) for amount in residues]
        lines += [(-sum(residues), cls.income, partner.browse())]
        entry = cls.env["account.move"].create(
            {
                "journal_id": cls.misc.id,
                "date": cls.today - timedelta(days=3),
                "line_ids": [
                    Command.create(
                        {
                            "account_id": account.id,
                            "partner_id": owner.id,
                            "currency_id": currency.id,
                            "amount_currency": amount,
                            "balance": cls.company.currency_id.round(amount * rate),
                        }
                    )
                    for amount, account, owner in lines
                ],
            }
        )
        entry.action_post()
        return cls.receivable(entry)

    @classmethod
    def underpaid(cls, partner, amount=1160.0, payments=(600, 559.97)):
        invoice = cls.make_invoice(partner, amount, days=10)
        for paid in payments:
            cls.pay(invoice, paid)
        return cls.receivable(invoice)

    def list(self, debtors=None, **values):
        wizard = self.wizards.browse(self.wizards._list(debtors)["res_id"])
        wizard.company_ids.filtered(lambda row: row.company_id == self.company).account_id = self.account
        wizard.write(values)
        return wizard

    def residuals(self, items):
        self.env.flush_all()
        items.invalidate_recordset()
        return [(item.amount_residual_currency, item.amount_residual) for item in items]

    def entries(self, action):
        return self.env["account.move"].search(action["domain"], order="id")

    def chatter(self, record):
        return " ".join(
            self.env["mail.message"].search([("model", "=", record._name), ("res_id", "=", record.id)]).mapped("body")
        )


@tagged("post_install", "-at_install")
class TestResidues(ResidueCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.owed = cls.underpaid(cls.ann)
        invoice = cls.make_invoice(cls.bob, 500, days=10)
        payment = cls.pay_on_account(cls.bob, 500.02)
        cls.overpaid = cls.receivable(payment.move_id)
        (cls.receivable(invoice) + cls.overpaid).reconcile()
        abroad = cls.make_invoice(cls.cid, 100, days=20, currency_id=cls.foreign.id)
        cls.pay(abroad, 99.99, date=cls.today)
        cls.abroad = cls.receivable(abroad)
        # Over the tolerance of 1.00, and of 2.00 abroad.
        cls.underpaid(cls.ann, 200, (198.5,))
        cls.residues = cls.owed + cls.overpaid + cls.abroad
        cls.settle()

    # === What is listed ===#

    def test_residues_are_listed_with_their_reason(self):
        small = self.receivable(self.make_invoice(self.bob, 0.5, days=10))
        wizard = self.list()
        found = {line.move_line_id: line for line in wizard.line_ids}
        self.assertEqual(set(found), {*self.residues, small})
        self.assertEqual(
            {item: (found[item].amount, found[item].ticked, found[item].reason) for item in found},
            {
                self.owed: (0.03, True, "Left of $\xa01,160.00 after 2 payments"),
                self.overpaid: (-0.02, True, "Paid too much: left of $\xa0500.02 after 1 invoice"),
                self.abroad: (0.01, True, "Left of 100.00\xa0T after 1 payment"),
                small: (0.5, False, "Whole document: nothing of $\xa00.50 was settled"),
            },
        )
        line = found[self.owed]
        self.assertEqual((line.document, line.partner_id, line.balance), (self.owed.move_id.name, self.ann, 0.03))
        self.assertEqual(wizard.totals.splitlines(), ["TCU: 0.01\xa0T (residues: 1)", "USD: $\xa00.01 (residues: 2)"])
        wizard.action_tick_all()
        self.assertIn("USD: $\xa00.51 (residues: 3)", wizard.totals)
        wizard.action_untick_all()
        self.assertFalse(wizard.totals)

    def test_what_another_currency_left_is_rounding(self):
        invoice = self.make_invoice(self.bob, 50, days=2, currency_id=self.foreign.id)
        items = self.receivable(invoice) + self.receivable(self.pay_on_account(self.bob, 24.9).move_id)
        items.reconcile()
        (line,) = self.list().line_ids.filtered(lambda line: line.move_line_id in items)
        self.assertRegex(line.reason, r"^Exchange rounding: left of .* after 1 (payment|invoice)$")

    def test_the_action_menu_lists_the_chosen_debtors_alone(self):
        wizard = self.list(self.debtor(self.bob).with_user(self.manager))
        self.assertEqual(wizard.line_ids.move_line_id, self.overpaid)
        dan = self.make_customer("Dan")
        self.make_invoice(dan, 100)
        with self.assertRaisesRegex(UserError, r"No open residue is within the tolerance: \$.1\.00 in "):
            self.list(self.debtor(dan).with_user(self.manager))

    def test_without_tolerance_one_sentence_says_so(self):
        self.company.collection_tolerance = 0
        with self.assertRaisesRegex(UserError, "the tolerance is zero, so that no item is a residue"):
            self.wizards._list()

    # === What is booked ===#

    def test_one_entry_per_currency_closes_each_residue_whole(self):
        abroad = self.abroad.amount_residual
        moves = self.entries(self.list().action_write_off())
        self.assertEqual(moves.currency_id, self.foreign + self.company.currency_id)
        self.assertEqual(set(moves.mapped("state")), {"posted"})
        self.assertEqual(moves.mapped("collection_residue_state"), ["written_off"] * 2)
        self.assertEqual(self.residuals(self.residues), [(0, 0)] * 3)
        self.assertTrue(all(self.residues.mapped("reconciled")))
        self.assertEqual(self.owed.move_id.payment_state, "paid")
        other, domestic = moves
        self.assertEqual(
            [
                (line.account_id, line.partner_id, line.amount_currency, line.balance)
                for line in domestic.line_ids.sorted("id")
            ],
            [
                (self.owed.account_id, self.ann, -0.03, -0.03),
                (self.overpaid.account_id, self.bob, 0.02, 0.02),
                (self.account, self.ann.browse(), 0.03, 0.03),
                (self.account, self.ann.browse(), -0.02, -0.02),
            ],
        )
        line = self.receivable(other)
        self.assertEqual((line.partner_id, line.amount_currency, line.balance), (self.cid, -0.01, -abroad))
        self.assertFalse(line.matched_debit_ids.exchange_move_id)
        self.assertEqual(self.debtor(self.ann).total_due, 1.5)
        self.assertEqual(self.debtor(self.bob).total_due, 0)
        for record in (self.owed.move_id, self.debtor(self.ann)):
            self.assertRegex(self.chatter(record), rf"Residue of \$&nbsp;0\.03 written off: .*{domestic.name}")
        self.assertEqual(self.company.collection_residue_account_id, self.account)
        self.assertEqual(self.list_account(), self.account)

    def list_account(self):
        self.underpaid(self.ann)
        return self.wizards.browse(self.wizards._list()["res_id"]).company_ids.account_id

    def test_undone_the_residues_are_open_again(self):
        before = self.residuals(self.residues)
        moves = self.entries(self.list().action_write_off())
        reverses = self.entries(moves.with_user(self.manager).action_undo_residues())
        self.assertEqual(self.residuals(self.residues), before)
        self.assertEqual(moves.mapped("collection_residue_state"), ["undone"] * 2)
        self.assertEqual(reverses.reversed_entry_id, moves)
        self.assertEqual(sum((moves + reverses).line_ids.mapped("balance")), 0)
        self.assertTrue(all(self.receivable(moves + reverses).mapped("reconciled")))
        self.assertEqual(self.debtor(self.ann).total_due, 1.53)
        self.assertIn("Its residue is open again", self.chatter(self.owed.move_id))
        with self.assertRaisesRegex(UserError, "is undone already"):
            moves[0].with_user(self.manager).action_undo_residues()
        with self.assertRaisesRegex(UserError, "wrote off no residues"):
            reverses[0].with_user(self.manager).action_undo_residues()
        self.assertEqual(self.list().line_ids.move_line_id, self.residues)

    def test_what_was_paid_meanwhile_is_left_out_and_told(self):
        wizard = self.list()
        self.pay(self.owed.move_id)
        action = wizard.action_write_off()
        self.assertEqual(
            action["params"]["message"],
            f"Left out, since it was paid or reconciled meanwhile: {self.owed.move_id.name}.",
        )
        moves = self.entries(action["params"]["next"])
        self.assertEqual(self.receivable(moves).partner_id, self.bob + self.cid)
        with self.assertRaisesRegex(UserError, "Tick the residues to write off first"):
            wizard.action_write_off()

    def test_two_wizards_write_off_once(self):
        first, second = self.list(), self.list()
        first.action_write_off()
        with self.assertRaisesRegex(UserError, "Nothing is left to write off"):
            second.action_write_off()

    def test_each_obstacle_is_a_sentence(self):
        wizard = self.list()
        wizard.company_ids.account_id = False
        with self.assertRaisesRegex(UserError, "Choose the account and the journal for the residues of"):
            wizard.action_write_off()
        wizard.company_ids.account_id = self.account
        wizard.date = self.days_ago(300)
        with self.assertRaisesRegex(UserError, "choose that day or a later one"):
            wizard.action_write_off()
        self.company.fiscalyear_lock_date = self.days_ago(1)
        wizard.date = self.days_ago(1)
        with self.assertRaisesRegex(UserError, r"is in a closed period of .*: choose a later day\."):
            wizard.action_write_off()

    def test_undone_today_where_its_own_day_is_closed(self):
        abroad, domestic = self.entries(self.list().action_write_off())
        domestic._reverse_moves([{"date": self.today}], cancel=True)
        with self.assertRaisesRegex(UserError, "was reversed by hand already"):
            domestic.with_user(self.manager).action_undo_residues()
        with freeze_time(self.today + timedelta(days=40)):
            self.company.fiscalyear_lock_date = self.today
            reverse = self.entries(abroad.with_user(self.manager).action_undo_residues())
        self.assertEqual((abroad.date, reverse.date), (self.today, self.today + timedelta(days=40)))

    # === Who ===#

    def test_only_a_manager_writes_off_and_undoes(self):
        moves = self.entries(self.list().action_write_off())
        for group in (
            "account_collection.group_collection_viewer",
            "account_collection.group_collection_collector",
            "account_collection.group_collection_sender",
            "account.group_account_manager",
        ):
            user = self.make_user(group.rpartition(".")[2], group)
            with self.assertRaises(AccessError):
                self.wizards.with_user(user)._list()
            with self.assertRaisesRegex(AccessError, "Only a manager of collections takes back"):
                moves.with_user(user).action_undo_residues()
            self.assertNotIn(
                self.env.ref("account_collection.menu_residues").id,
                self.env["ir.ui.menu"].with_user(user)._visible_menu_ids(),
            )

    def test_the_manager_opens_every_view(self):
        self.assertIn(
            self.env.ref("account_collection.menu_residues").id,
            self.env["ir.ui.menu"].with_user(self.manager)._visible_menu_ids(),
        )
        wizard = self.list()
        for name, model in (("write_off_view_form", wizard), ("", self.env["account.move"].with_user(self.manager))):
            xmlid = f"collection_residue_{name}" if name else "account_move_residue_view_tree"
            view = self.env.ref(f"account_collection.{xmlid}")
            self.assertIn("<field", model.get_view(view.id, view.type)["arch"])
        action = self.env.ref("account_collection.collection_residue_list_action").with_user(self.manager)
        self.assertEqual(action.with_company(self.company).run()["res_model"], "collection.residue.write.off")

    def test_one_entry_for_each_company(self):
        data = self.other_company_data()
        other = data["company"]
        other.collection_tolerance = 1
        self.manager.company_ids += other
        invoice = self.make_invoice(self.ann, 0.4, days=10, data=data)
        self.assertNotIn(self.receivable(invoice), self.list().line_ids.move_line_id)
        wizards = self.wizards.with_context(allowed_company_ids=(self.company + other).ids)
        wizard = wizards.browse(wizards._list()["res_id"])
        wizard.action_tick_all()
        self.assertEqual(wizard.company_ids.company_id, self.company + other)
        for row, account in zip(wizard.company_ids, (self.account, data["default_account_expense"])):
            row.account_id = account
        moves = self.entries(wizard.action_write_off())
        self.assertEqual(len(moves), 3)
        self.assertEqual(moves[-1].company_id, other)
        self.assertEqual(self.receivable(invoice).amount_residual, 0)
        with self.assertRaises(UserError):
            wizard.company_ids[0].account_id = data["default_account_expense"]


CENTS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(-100, 100).filter(bool)), min_size=1, max_size=8
)


@tagged("post_install", "-at_install")
class TestRandomResidues(ResidueCommon):
    def test_what_is_written_off_is_the_sum_of_the_residues(self):
        """Whatever is left over in two currencies, of two customers: no cent more or less, and all comes back."""

        @histories(3)
        @given(CENTS)
        def check(residues):
            with self.undone():
                self.check_residues(residues)

        check()

    def check_residues(self, residues):
        items = self.env["account.move.line"]
        for who, where, cents in residues:
            currency = (self.company.currency_id, self.foreign)[where]
            items += self.owe((self.ann, self.bob)[who], cents / 100, currency=currency)
        wizard = self.list()
        wizard.action_tick_all()
        self.assertEqual(wizard.line_ids.move_line_id.sorted("id"), items.sorted("id"))
        before = self.residuals(items)
        moves = self.entries(wizard.action_write_off())
        self.assertEqual(len(moves), len(items.currency_id))
        for move in moves:
            counterpart = move.line_ids.filtered(lambda line: line.account_id == self.account)
            expected = items.filtered(lambda item, move=move: item.currency_id == move.currency_id)
            for name in ("balance", "amount_currency"):
                self.assertAlmostEqual(sum(counterpart.mapped(name)), sum(expected.mapped(name)), 2)
        self.assertEqual(set(self.residuals(items)), {(0, 0)})
        moves.with_user(self.manager).action_undo_residues()
        self.assertEqual(self.residuals(items), before)
