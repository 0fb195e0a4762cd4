"""The cached balances of debtors against a plain computation over the ledger's lines and their reconciliations."""

from datetime import timedelta

from hypothesis import given, note
from hypothesis import strategies as st

from odoo import Command, fields
from odoo.tests import tagged

from .common import CollectionCommon
from .examples import histories

FIGURES = (
    "total_due",
    "not_due",
    "overdue",
    "unallocated",
    "bucket_1",
    "bucket_2",
    "bucket_3",
    "bucket_4",
    "overdue_count",
    "oldest_due_date",
    "days_overdue",
    "last_payment_date",
)


class BalancesCommon(CollectionCommon):
    """Compares debtors with the ledger."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.foreign = cls.make_currency("TCU", {900: 2.0, 40: 2.5, 5: 3.0})
        cls.halves = cls.env["account.payment.term"].create(
            {
                "name": "Halves",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": 15}),
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": 75}),
                ],
            }
        )

    # === The other way to the same figures ===#

    def family_lines(self, partner, company):
        return self.env["account.move.line"].search(
            [
                ("partner_id", "in", partner.search([("commercial_partner_id", "=", partner.id)]).ids),
                ("company_id", "=", company.id),
                ("account_id.account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
            ]
        )

    def expected_figures(self, partner, company=None):
        """Every figure of a debtor, from the lines and what was reconciled with them."""
        company = company or self.company
        today = company._get_collection_today()
        edges = [company.collection_bucket_1, company.collection_bucket_2, company.collection_bucket_3]
        figures = dict.fromkeys(FIGURES, 0)
        figures.update(oldest_due_date=False, last_payment_date=False)
        currencies = {}
        lines = self.family_lines(partner.with_context(active_test=False), company)
        for line in lines:
            if line.balance < 0 and line.journal_id.type in ("bank", "cash"):
                figures["last_payment_date"] = max(figures["last_payment_date"] or line.date, line.date)
            credits, debits = line.matched_credit_ids, line.matched_debit_ids
            residual = line.balance - sum(credits.mapped("amount")) + sum(debits.mapped("amount"))
            foreign = (
                line.amount_currency
                - sum(credits.mapped("debit_amount_currency"))
                + sum(debits.mapped("credit_amount_currency"))
            )
            residual, foreign = round(residual, 2), round(foreign, 2)
            if not residual and not foreign:
                continue
            due = line.date_maturity or line.date
            days = (today - due).days
            figures["total_due"] += residual
            if residual < 0:
                figures["unallocated"] -= residual
            elif residual > 0:
                figures["oldest_due_date"] = min(figures["oldest_due_date"] or due, due)
                figures["days_overdue"] = max(figures["days_overdue"], days)
                if days <= 0:
                    figures["not_due"] += residual
                else:
                    figures["overdue"] += residual
                    figures["overdue_count"] += 1
                    figures[f"bucket_{1 + sum(days > edge for edge in edges)}"] += residual
            sums = currencies.setdefault(line.currency_id, [0, 0, 0, 0])
            sums[0] += foreign
            sums[1 if foreign > 0 and days <= 0 else 2 if foreign > 0 else 3] += abs(foreign)
        if not set(currencies) - {company.currency_id}:
            currencies = {}
        return (
            {name: round(value, 2) if isinstance(value, float) else value for name, value in figures.items()},
            {currency: [round(value, 2) for value in sums] for currency, sums in currencies.items()},
            bool(lines),
        )

    def assert_balances(self, *partners, company=None):
        """The debtors of these customers say what the ledger says; whoever owes or owed something has one."""
        self.settle()
        self.env.invalidate_all()
        for partner in partners:
            company = company or self.company
            debtor = self.Debtor.search([("partner_id", "=", partner.id), ("company_id", "=", company.id)])
            figures, currencies, has_history = self.expected_figures(partner, company)
            if has_history:
                self.assertEqual(len(debtor), 1, f"{partner.name} is one debtor")
            if not debtor:
                continue
            found = {name: debtor[name] for name in FIGURES}
            found = {name: round(value, 2) if isinstance(value, float) else value for name, value in found.items()}
            self.assertEqual(found, figures, partner.name)
            by_currency = {
                row.currency_id: [round(v, 2) for v in (row.total_due, row.not_due, row.overdue, row.unallocated)]
                for row in debtor.balance_ids
            }
            self.assertEqual(by_currency, currencies, partner.name)


# === Random histories ===#


class History:
    """What can happen to two customers, one of them with a contact, chosen by small numbers."""

    def __init__(self, test, number):
        self.test = test
        self.moves = test.env["account.move"]
        self.payments = test.env["account.payment"]
        self.one = test.make_customer(f"One {number}")
        self.two = test.make_customer(f"Two {number}")
        self.contact = test.make_customer(f"Contact {number}", parent_id=self.one.id, is_company=False)

    def _pick(self, number, **states):
        invoices = self.moves.filtered(lambda m: m.state == states.get("state", "posted"))
        if states.get("open"):
            invoices = invoices.filtered(lambda m: m.move_type == "out_invoice" and m.amount_residual)
        return invoices[number % len(invoices)] if invoices else invoices

    def _due(self, number):
        return (-20, -1, 0, 1, 30, 31, 60, 61, 90, 91, 200)[number % 11]

    def post(self, a, b):
        partner = (self.one, self.two, self.contact)[a % 3]
        self.moves |= self.test.make_invoice(partner, 100 + b, days=self._due(b))

    def post_foreign(self, a, b):
        self.moves |= self.test.make_invoice(self.one, 50 + a, days=self._due(b), currency_id=self.test.foreign.id)

    def post_instalments(self, a, b):
        self.moves |= self.test.make_invoice(
            self.one, 77.77, days=self._due(b), invoice_payment_term_id=self.test.halves.id
        )

    def pay_partly(self, a, b):
        if move := self._pick(a, open=True):
            self.payments |= self.test.pay(move, amount=max(round(move.amount_residual / (2 + b % 3), 2), 0.01))

    def pay_fully(self, a, b):
        if move := self._pick(a, open=True):
            self.payments |= self.test.pay(move, date=self.test.days_ago(b % 9))

    def pay_on_account(self, a, b):
        partner = (self.one, self.two, self.contact)[a % 3]
        self.payments |= self.test.pay_on_account(partner, 10 + b, date=self.test.days_ago(a))

    def reconcile(self, a, b):
        lines = self.test.family_lines(self.one if a % 2 else self.two, self.test.company)
        lines = lines.filtered(lambda line: not line.reconciled)
        if len(lines.account_id) == 1 and len({line.balance > 0 for line in lines}) == 2:
            lines.reconcile()

    def unreconcile(self, a, b):
        if move := self._pick(a):
            self.test.receivable(move).remove_move_reconcile()

    def credit(self, a, b):
        move = self._pick(a)
        if move.move_type == "out_invoice":
            self.moves |= move._reverse_moves(
                [{"invoice_date": self.test.today, "date": self.test.today}], cancel=bool(b % 2)
            )
            (self.moves - self.moves.filtered(lambda m: m.state == "posted")).filtered(
                lambda m: m.move_type == "out_refund" and m.state == "draft"
            ).action_post()

    def repost(self, a, b):
        """Back to draft, another customer or another amount, posted again: one transaction."""
        if move := self._pick(a):
            move.button_draft()
            if b % 2 and move.move_type == "out_invoice":
                move.partner_id = self.two if move.partner_id == self.one else self.one
            else:
                move.invoice_line_ids[0].price_unit += 5 + b
            move.action_post()

    def change_due_date(self, a, b):
        if move := self._pick(a):
            due = self.test.days_ago(self._due(b))
            if b % 2 and not move.invoice_payment_term_id:
                move.invoice_date_due = due
            else:
                self.test.receivable(move)[:1].date_maturity = due

    def cancel(self, a, b):
        if move := self._pick(a):
            move.button_draft()
            move.button_cancel()

    def undo_payment(self, a, b):
        if self.payments:
            payment = self.payments[a % len(self.payments)]
            self.payments -= payment
            payment.action_draft()
            if b % 2:
                payment.action_cancel()

    def move_contact(self, a, b):
        self.contact.parent_id = self.two if self.contact.parent_id == self.one else self.one

    def leave_and_return(self, a, b):
        self.contact.parent_id = False if self.contact.parent_id else self.one


EVENTS = [name for name in vars(History) if not name.startswith("_")]


@tagged("post_install", "-at_install")
class TestRandomBalances(BalancesCommon):
    def test_balances_equal_the_ledger_after_any_history(self):
        """Post, pay, credit, reset, change, cancel, in any order: every figure of every debtor is the ledger's."""
        numbers = st.integers(0, 40)
        events = st.sampled_from(EVENTS + ["post", "post", "post_foreign", "pay_partly", "pay_fully"])
        count = iter(range(10**6))

        @histories(6)
        @given(st.lists(st.tuples(events, numbers, numbers), min_size=6, max_size=14))
        def check(history):
            world = History(self, next(count))
            world.post(0, 4)
            world.post_foreign(1, 9)
            for step in history:
                note(step)
                getattr(world, step[0])(*step[1:])
                self.assert_balances(world.one, world.two, world.contact)
            self.Debtor._refresh_balances()
            self.assert_balances(world.one, world.two, world.contact)

        check()


@tagged("post_install", "-at_install")
class TestBalances(BalancesCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company_data_2 = cls.other_company_data()

    def touches(self):
        """Debtors that the transaction would refresh at its commit; the list is emptied."""
        self.env.cr.flush()
        touches = self.env["collection.debtor.touch"].search([])
        found = {(touch.partner_id, touch.company_id) for touch in touches}
        touches.unlink()
        return found

    def versions(self):
        """The physical versions of all debtor and balance rows: a write makes new ones."""
        self.env.flush_all()
        self.env.cr.execute(
            """SELECT 'd', id, ctid::text, xmin::text FROM collection_debtor
               UNION ALL SELECT 'b', id, ctid::text, xmin::text FROM collection_debtor_balance ORDER BY 1, 2"""
        )
        return self.env.cr.fetchall()

    # === Buckets ===#

    def test_thirty_days_late_is_in_the_first_bucket(self):
        """30 days late is in 1-30, not 31-60"""
        customer = self.make_customer("Edges")
        for days in (0, 1, 30, 31, 60, 61, 90, 91):
            self.make_invoice(customer, 100 + days, days=days)
        debtor = self.debtor(customer)
        self.assertEqual(
            [debtor.not_due, debtor.bucket_1, debtor.bucket_2, debtor.bucket_3, debtor.bucket_4],
            [100, 231, 291, 351, 191],
        )
        self.assertEqual((debtor.overdue, debtor.total_due, debtor.overdue_count), (1064, 1164, 7))
        self.assertEqual((debtor.days_overdue, debtor.oldest_due_date), (91, self.days_ago(91)))

    def test_two_equal_lines_count_twice(self):
        """two equal receivable lines of one invoice count twice"""
        customer = self.make_customer("Twice")
        move = self.make_invoice(customer, 200, days=10, invoice_payment_term_id=self.halves.id)
        for line in self.receivable(move):
            line.date_maturity = self.days_ago(10)
        debtor = self.debtor(customer)
        self.assertEqual((debtor.overdue, debtor.overdue_count, debtor.bucket_1), (200, 2, 200))

    def test_new_edges_count_at_once(self):
        customer = self.make_customer("Weeks")
        self.make_invoice(customer, 100, days=8)
        self.assertEqual(self.debtor(customer).bucket_1, 100)
        self.company.write({"collection_bucket_1": 7, "collection_bucket_2": 14, "collection_bucket_3": 21})
        debtor = self.debtor(customer)
        self.assertEqual((debtor.bucket_1, debtor.bucket_2), (0, 100))
        self.assertEqual(self.Debtor.fields_get(["bucket_2"])["bucket_2"]["string"], "8-14")

    # === Who is touched ===#

    def test_a_due_date_changed_on_a_posted_invoice_touches(self):
        customer = self.make_customer("Later")
        move = self.make_invoice(customer, 100, days=10)
        self.assertEqual(self.debtor(customer).overdue, 100)
        move.invoice_date_due = self.today + timedelta(days=5)
        self.assertEqual((self.debtor(customer).overdue, self.debtor(customer).not_due), (0, 100))
        self.receivable(move).date_maturity = self.days_ago(1)
        self.assertEqual(self.debtor(customer).overdue, 100)

    def test_what_changes_no_figure_touches_nobody(self):
        customer = self.make_customer("Quiet")
        move = self.make_invoice(customer, 100, days=10)
        self.settle()
        self.assertFalse(self.touches())
        move.ref = "PO 7"
        move.narration = "Thank you"
        self.receivable(move).name = "Renamed"
        customer.write({"phone": "555", "comment": "A good customer"})
        move.message_post(body="Hello")
        self.assertFalse(self.touches())

    def test_drafts_and_bills_make_no_debtor(self):
        """Only a posted document of a customer makes a debtor."""
        customer, vendor, other = (self.make_customer(name) for name in ("Draft", "Vendor", "Other"))
        bill = self.make_invoice(vendor, 100, days=3, move_type="in_invoice", post=False)
        bill.partner_id = other
        bill.partner_id = vendor
        bill.action_post()
        draft = self.make_invoice(customer, 100, days=3, post=False)
        draft.partner_id = other
        draft.unlink()
        self.settle()
        self.assertFalse(self.Debtor.search([("partner_id", "in", (customer + vendor + other).ids)]))

    def test_an_entry_moved_to_another_customer_in_one_go(self):
        """Reset, changed and posted again in one transaction: the customer who had it owes it no more."""
        one, two = self.make_customer("First"), self.make_customer("Second")
        accounts = self.company_data["default_account_receivable"], self.income
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "date": self.days_ago(20),
                "line_ids": [
                    Command.create({"account_id": accounts[0].id, "partner_id": one.id, "debit": 300}),
                    Command.create({"account_id": accounts[1].id, "partner_id": one.id, "credit": 300}),
                ],
            }
        )
        entry.action_post()
        self.assertEqual(self.debtor(one).total_due, 300)
        entry.button_draft()
        entry.line_ids.partner_id = two
        entry.action_post()
        self.assert_balances(one, two)
        self.assertEqual((self.debtor(one).total_due, self.debtor(two).total_due), (0, 300))

    def test_a_refresh_writes_nothing_when_nothing_changed(self):
        customer = self.make_customer("Still")
        self.make_invoice(customer, 100, days=10)
        self.make_invoice(customer, 100, days=10, currency_id=self.foreign.id)
        self.pay_on_account(customer, 30)
        self.settle()
        self.Debtor._refresh_balances()
        before = self.versions()
        self.assertTrue(before)
        self.Debtor._refresh_balances()
        self.Debtor._refresh_balances(self.debtor(customer))
        self.Debtor._refresh_partners([(customer.id, self.company.id)])
        self.assertEqual(self.versions(), before)

    def test_a_touch_left_by_a_dead_process_is_drained(self):
        customer = self.make_customer("Orphan")
        self.make_invoice(customer, 100, days=10)
        debtor = self.debtor(customer)
        self.env.flush_all()
        self.env.cr.execute("UPDATE collection_debtor SET overdue = 7 WHERE id = %s", [debtor.id])
        self.env["collection.debtor.touch"].create({"partner_id": customer.id, "company_id": self.company.id})
        debtor.invalidate_recordset()
        self.assertEqual(debtor.overdue, 7)
        self.Notice._cron_dispatch()
        self.assertEqual(debtor.overdue, 100)
        self.assertFalse(self.env["collection.debtor.touch"].search([]))

    def test_a_touch_of_an_archived_company_stops_nobody(self):
        customer = self.make_customer("Archived Company")
        company = self.company_data_2["company"]
        self.env["collection.debtor.touch"].create({"partner_id": customer.id, "company_id": company.id})
        self.env.flush_all()
        self.env.cr.execute("UPDATE res_company SET active = FALSE WHERE id = %s", [company.id])
        self.env.invalidate_all()
        self.settle()
        self.assertFalse(self.env["collection.debtor.touch"].search([]))

    # === Families ===#

    def test_contacts_roll_up(self):
        customer = self.make_customer("Parent")
        contact = self.make_customer("Child", parent_id=customer.id, is_company=False)
        self.make_invoice(contact, 100, days=10)
        self.make_invoice(customer, 50, days=-10)
        debtor = self.debtor(contact)
        self.assertEqual((debtor.partner_id, debtor.total_due, debtor.overdue), (customer, 150, 100))
        self.assertFalse(self.Debtor.search([("partner_id", "=", contact.id)]))

    def test_a_customer_that_joins_another_owes_through_it(self):
        one, two = self.make_customer("Branch", is_company=False), self.make_customer("Head Office")
        self.make_invoice(one, 100, days=10)
        self.assertEqual(self.debtor(one).total_due, 100)
        one.parent_id = two
        self.assert_balances(one, two)
        self.assertEqual(self.debtor(two).total_due, 100)
        self.assertEqual(self.Debtor.search([("partner_id", "=", one.id)]).total_due, 0)
        one.parent_id = False
        self.assert_balances(one, two)
        # 17.0 leaves the lines where they were, 19.0 gave them to the head office.
        self.assertEqual(self.debtor(one).total_due + self.debtor(two).total_due, 100)

    def test_an_archived_customer_still_owes(self):
        customer = self.make_customer("Gone")
        self.make_invoice(customer, 100, days=10)
        contact = self.make_customer("Gone too", parent_id=customer.id, is_company=False)
        self.make_invoice(contact, 30, days=10)
        (customer + contact).active = False
        self.Debtor._refresh_balances()
        self.assertEqual(self.debtor(customer).overdue, 130)
        self.Debtor._refresh_balances(self.debtor(customer))
        self.assertEqual(self.debtor(customer).overdue, 130)

    # === Companies ===#

    def test_a_shared_customer_is_two_debtors(self):
        company = self.company_data_2["company"]
        customer = self.make_customer("Shared")
        self.make_invoice(customer, 100, days=10)
        other = self.make_invoice(customer, 70, 40, data=self.company_data_2)
        here, there = self.debtor(customer), self.debtor(customer, company)
        self.assertEqual((here.overdue, here.bucket_1, here.company_id), (100, 100, self.company))
        self.assertEqual((there.overdue, there.bucket_2, there.company_id), (70, 70, company))
        self.assert_balances(customer)
        self.assert_balances(customer, company=company)
        other.with_company(company).button_draft()
        self.assertEqual((self.debtor(customer).overdue, self.debtor(customer, company).overdue), (100, 0))

    # === Merge ===#

    def merge(self, sources, target):
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((sources + target).ids, target)

    def test_merged_customers_keep_notices_chatter_and_figures(self):
        kept, gone = self.make_customer("Kept"), self.make_customer("Merged Away")
        self.make_invoice(kept, 100, days=20)
        self.make_invoice(gone, 40, days=5)
        self.night()
        self.Notice._cron_dispatch()
        notices = self.notices(kept) + self.notices(gone)
        self.assertEqual(len(notices), 2)
        debtor = self.debtor(gone)
        debtor.message_post(body="He promised to pay")
        debtor.activity_schedule("mail.mail_activity_data_todo", user_id=self.env.uid, summary="Call back")
        debtor.write({"hold": True, "hold_reason": "Asked for time", "hold_until": self.today + timedelta(days=3)})
        documents = self.env["ir.attachment"].search(
            [("res_model", "=", "collection.debtor"), ("res_id", "=", debtor.id)]
        )
        self.assertTrue(documents)
        self.settle()
        self.merge(gone, kept)
        self.assertFalse(gone.exists())
        survivor = self.debtor(kept)
        self.assert_balances(kept)
        self.assertEqual((survivor.overdue, survivor.overdue_count), (140, 2))
        self.assertEqual(survivor.notice_ids, notices)
        self.assertEqual(notices.partner_id, kept)
        self.assertIn("He promised to pay", "".join(survivor.message_ids.mapped("body")))
        self.assertIn("Call back", survivor.activity_ids.mapped("summary"))
        self.assertEqual(set(documents.mapped("res_id")), {survivor.id})
        self.assertEqual(
            (survivor.hold, survivor.hold_reason, survivor.hold_until),
            (True, "Asked for time", fields.Date.add(self.today, days=3)),
        )

    def test_a_debtor_merged_into_a_customer_without_one(self):
        kept, gone = self.make_customer("No Debtor Yet"), self.make_customer("Debtor")
        self.make_invoice(gone, 40, days=5)
        debtor = self.debtor(gone)
        self.merge(gone, kept)
        self.assert_balances(kept)
        self.assertEqual((self.debtor(kept), debtor.overdue), (debtor, 40))

    def test_merged_in_the_middle_of_a_run_one_message_leaves(self):
        kept, gone = self.make_customer("Kept"), self.make_customer("Merged Away")
        self.make_invoice(kept, 100, days=20)
        self.make_invoice(gone, 40, days=5)
        self.night()
        self.merge(gone, kept)
        self.settle()
        self.Notice._cron_dispatch()
        notices = self.notices(kept)
        self.assertEqual(sorted(notices.mapped("state")), ["cancelled", "outgoing"])
        left = notices.filtered(lambda notice: notice.state == "outgoing")
        self.assertEqual((left.amount, left.level_id.day_from), (140, 15))
