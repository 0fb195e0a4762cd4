"""The cash plan: each amount once, on its day, and what it adds up to."""

import io
from collections import defaultdict
from random import Random

import openpyxl

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from ..engine import checks
from .examples import examples
from .test_check_cover import CoverCommon

MANAGER = "account_collection.group_collection_manager"
SEEDS = range(examples(5))
STEPS = 14


class PlanCommon(CoverCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Plan = cls.env["collection.cash.plan"]

    def plan(self, partner=None, **values):
        # A view of other tables: what was read of it before is not what it says now.
        self.Plan.invalidate_model()
        return self.Plan.search(
            [("company_id", "=", self.company.id), ("partner_id", "=", (partner or self.customer).id)]
        )

    def rows(self, partner=None):
        """[(kind, days from today, amount)] of the customer."""
        return [(row.kind, (row.date - self.today).days, row.amount) for row in self.plan(partner)]


@tagged("post_install", "-at_install")
class TestCashPlan(PlanCommon):
    def test_overdue_is_expected_today(self):
        self.make_invoice(self.customer, 300, days=-7)
        self.assertEqual(self.rows(), [("overdue", 0, 1000), ("invoice", 7, 300)])
        self.assertEqual(self.plan()[0].due_date, self.day(-40))

    def test_a_covered_invoice_is_not_counted_again(self):
        check = self.make_check(600, days=10)
        self.assertEqual(self.rows(), [("overdue", 0, 400), ("check", 10, 600)])
        self.assertEqual(self.plan().mapped("check_id"), check)
        check._hold(self.today)
        self.assertEqual(self.rows(), [("overdue", 0, 400), ("check", 10, 600)])

    def test_a_check_whose_day_has_passed_is_expected_today(self):
        self.make_check(1000, days=-3)
        self.assertEqual(self.rows(), [("check", 0, 1000)])

    def test_an_advance_is_money_too(self):
        self.make_check(1500, days=10)
        self.assertEqual(self.rows(), [("check", 10, 1500)])

    def test_what_is_not_in_hand_is_not_expected(self):
        draft = self.make_check(1000, days=10, receive=False)
        self.assertEqual(self.rows(), [("overdue", 0, 1000)])
        draft.unlink()
        check = self.make_check(1000)
        check._deposit(self.today)
        self.assertEqual(self.rows(), [])
        check._bounce(self.today, "Insufficient funds")
        self.assertEqual(self.rows(), [("overdue", 0, 1000)])

    def test_paid_meanwhile(self):
        self.make_check(600, days=10)
        self.pay(self.invoice, 700)
        self.assertEqual(self.rows(), [("check", 10, 600)], "300 of it for the invoice, and an advance")

    def test_credits_count_against_today(self):
        self.pay_on_account(self.customer, 250)
        self.make_invoice(self.customer, 100, days=3, move_type="out_refund")
        self.assertEqual(sorted(self.rows()), [("credit", 0, -250), ("credit", 0, -100), ("overdue", 0, 1000)])

    def test_booked_in_custody(self):
        self.book_custody()
        check = self.make_check(1500, days=10)
        self.assertEqual(self.rows(), [("check", 10, 1500)], "the entry that holds it is the check, once")
        self.assertEqual((self.plan().check_id, self.plan().move_id), (check, self.env["account.move"]))
        check.deposit_date = self.today
        check._deposit(self.today)
        self.assertEqual(self.rows(), [("credit", 0, -500)])

    def test_currencies(self):
        check = self.make_check(800, days=10, currency_id=self.gold.id)
        rows = self.plan()
        self.assertEqual([(row.currency_id, row.amount, row.company_amount) for row in rows],
                         [(self.company.currency_id, 600, 600), (self.gold, 800, 400)])  # fmt: skip
        self.assertEqual(check.line_ids.item_amount, 400)

    def test_opens_the_document_or_the_check(self):
        check = self.make_check(600, days=10)
        overdue, held = self.plan()
        self.assertEqual(overdue.action_open_document()["res_id"], self.invoice.id)
        self.assertEqual(held.action_open_document()["res_model"], check._name)

    def test_groups_by_day_week_and_month(self):
        self.make_check(600, days=10)
        for interval in ("day", "week", "month"):
            groups = self.Plan._read_group(
                [("partner_id", "=", self.customer.id)], [f"date:{interval}", "kind"], ["company_amount:sum"]
            )
            self.assertEqual(sum(amount for _date, _kind, amount in groups), 1000, interval)

    def test_xlsx(self):
        self.make_check(600, days=10)
        self.make_check(100, days=10, currency_id=self.gold.id, suggest=False)
        book = openpyxl.load_workbook(io.BytesIO(self.plan()._render_xlsx()), data_only=True)
        self.assertEqual(book.sheetnames, ["By Day", "By Week", "By Month", "Detail"])
        for name in book.sheetnames:
            cells = [[cell.value for cell in row] for row in book[name].iter_rows()]
            totals = next(row for row in cells if row[0] == "Total")
            labels = ("Amount",) if name == "Detail" else ("By due date", "With usual delay")
            for label in labels:
                own, gold = f"{label} {self.company.currency_id.name}", f"{label} XGC"
                header = next(row for row in cells if own in row)
                self.assertEqual(totals[header.index(own)], 1000, name)
                self.assertEqual(totals[header.index(gold)], 100, name)
        action = self.plan().action_export_xlsx()
        self.assertIn(".xlsx", action["url"])

    def test_rights(self):
        stranger = self.make_customer("Somebody")
        self.make_invoice(stranger, 500, days=3)
        self.make_check(600, days=10)
        collector = self.make_user("plan_collector", "account_collection.group_collection_collector")
        self.debtor(self.customer).collector_id = collector
        mine = self.Plan.with_user(collector).search([])
        self.assertEqual(mine.partner_id, self.customer)
        self.assertEqual(sorted(mine.mapped("kind")), ["check", "overdue"])
        viewer = self.make_user("plan_viewer", "account_collection.group_collection_viewer")
        self.assertLessEqual(self.customer + stranger, self.Plan.with_user(viewer).search([]).partner_id)
        other = self.env["res.company"].create({"name": "Elsewhere"})
        outsider = self.make_user("plan_outsider", MANAGER, company=other)
        self.assertFalse(self.Plan.with_user(outsider).search([("company_id", "=", self.company.id)]))


@tagged("post_install", "-at_install")
class TestCashPlanIdentity(PlanCommon):
    """On random histories, the plan is the open receivable of the ledger and what checks in hand bring beyond it."""

    def test_random_histories(self):
        for booked in (False, True):
            for seed in SEEDS:
                with self.subTest(booked=booked, seed=seed), self.undone():
                    self.company.collection_check_in_custody_account = booked
                    self._live_through(Random(seed))

    def _live_through(self, random):
        customer = self.make_customer("Random")
        for _step in range(STEPS):
            act = random.choice(
                (self._bill, self._bill, self._credit, self._receive, self._check, self._check, self._move_on)
            )
            try:
                with self.env.cr.savepoint():
                    act(random, customer)
            except (UserError, ValidationError):
                self.env.invalidate_all()
            self._compare(customer)

    def _bill(self, random, customer):
        values = {"currency_id": self.gold.id} if random.random() < 0.3 else {}
        self.make_invoice(customer, random.randint(1, 90000) / 100, days=random.randint(-30, 60), **values)

    def _credit(self, random, customer):
        self.make_invoice(customer, random.randint(1, 20000) / 100, days=3, move_type="out_refund")

    def _receive(self, random, customer):
        moves = self._open(customer).move_id.filtered(lambda move: move.move_type == "out_invoice")
        if moves and random.random() < 0.6:
            move = random.choice(moves)
            self.pay(move, round(move.amount_residual * random.choice((0.3, 0.5, 1)), 2) or None)
        else:
            self.pay_on_account(customer, random.randint(1, 30000) / 100)

    def _check(self, random, customer):
        currency = self.gold if random.random() < 0.3 else self.company.currency_id
        self.make_check(
            random.randint(100, 90000) / 100,
            days=random.randint(-8, 30),
            partner=customer,
            suggest=random.random() < 0.8,
            receive=random.random() < 0.9,
            currency_id=currency.id,
        )

    def _move_on(self, random, customer):
        found = self.Check.search([("partner_id", "=", customer.id)])
        if not found:
            return
        check = random.choice(found)
        step = random.choice(
            ("receive", "hold", "resume", "deposit", "clear", "bounce", "redeposit", "return", "cancel")
        )
        arguments = {"receive": (), "bounce": (self.today, "Insufficient funds")}.get(step, (self.today,))
        getattr(check, f"_{step}")(*arguments)

    def _open(self, customer):
        return self.env["account.move.line"].search(
            [
                ("partner_id", "=", customer.id),
                ("account_id.account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
                ("reconciled", "=", False),
            ]
        )

    def _compare(self, customer):
        rows, lines = self.plan(customer), self._open(customer)
        expected = defaultdict(float)
        for line in lines:
            expected[line.currency_id] += line.amount_residual_currency
        in_hand = self.Check.search([("partner_id", "=", customer.id), ("state", "in", checks.IN_HAND)])
        unbooked = in_hand.filtered(lambda check: not check.custody_move_id)
        for check in unbooked:
            expected[check.currency_id] += check.amount
        for line, paying in unbooked.line_ids.grouped("move_line_id").items():
            expected[line.currency_id] -= min(sum(paying.mapped("item_amount")), max(line.amount_residual_currency, 0))
        for line in in_hand.custody_move_id.line_ids & lines:
            expected[line.currency_id] -= min(line.amount_residual_currency, 0)
        found = defaultdict(float)
        for row in rows:
            found[row.currency_id] += row.amount
        for currency in {*expected, *found}:
            self.assertEqual(
                currency.compare_amounts(found[currency], expected[currency]),
                0,
                f"{currency.name}: planned {found[currency]}, expected {expected[currency]}; "
                f"{rows.read(['kind', 'amount', 'move_id', 'check_id'])}; "
                f"{lines.read(['name', 'move_id', 'amount_residual_currency', 'currency_id'])}",
            )
        self.assertEqual(rows.check_id, in_hand)
        self.assertEqual(len(rows.filtered("check_id")), len(in_hand), "each check once")
        self.assertFalse(rows.filtered(lambda row: row.date < self.today))
