"""Open items of another system: what the preview says of each row, what is booked, and the way back."""

import base64
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger
from odoo.tools.misc import format_date

from .common import CollectionCommon
from .examples import histories
from .test_engine_spreadsheet import workbook

HEADERS = ("RFC", "Customer", "Document", "Date", "Due Date", "Amount", "Currency", "Reference")


class OpeningCommon(CollectionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.foreign = cls.make_currency("TCU", {200: 4.0, 50: 2.0})
        cls.equity = cls.company_data["default_account_revenue"]
        cls.bare = cls.company_data["default_account_expense"]
        cls.journal = cls.env["account.journal"].create(
            {"name": "Opening", "code": "OPEN", "type": "general", "company_id": cls.company.id}
        )
        cls.company.write(
            {
                "collection_opening_journal_id": cls.journal.id,
                "collection_opening_account_id": cls.equity.id,
                "collection_opening_bare_account_id": cls.bare.id,
            }
        )
        cls.ann = cls.make_customer("Ann", vat="ANN010101AB1")
        cls.bob = cls.make_customer("Bob", ref="C-2")
        cls.manager = cls.make_user("manager", "account_collection.group_collection_manager")
        cls.day = cls.today - timedelta(days=100)
        cls.due = cls.today - timedelta(days=70)

    def row(
        self, document="F-1", customer="Ann", amount=1000, day=None, due=None, currency="", reference="", tax_id=""
    ):
        return [tax_id, customer, document, day or self.day, due or self.due, amount, currency, reference]

    def preview(self, *rows, user=None, company=None, headers=HEADERS, **values):
        values = {
            "source": "Old Books",
            "file": base64.b64encode(workbook([headers, *rows])),
            "file_name": "open.xlsx",
            **values,
        }
        wizards = self.env["collection.opening.import"].with_user(user or self.manager)
        wizard = wizards.with_company(company or self.company).with_context(lang="en_US").create(values)
        wizard.action_preview()
        return wizard

    def messages(self, *rows, **values):
        lines = self.preview(*rows, **values).line_ids
        return {line.number: line.message and line.message.partition(": ")[2] for line in lines}

    def opening(self, *rows, **values):
        wizard = self.preview(*rows, **values)
        return self.env["collection.opening"].browse(wizard.action_import()["res_id"])


@tagged("post_install", "-at_install")
class TestOpenings(OpeningCommon):
    maxDiff = None

    # === What is booked ===#

    def test_a_file_is_shown_then_booked(self):
        wizard = self.preview(
            self.row("F-1", tax_id="ann-010101-ab1", customer="", reference="PO-7"),
            self.row("F-2", customer="c-2", amount="(250.50)"),
            self.row(31.0, customer="Bob", amount=100, currency="tcu"),
        )
        self.assertEqual((wizard.row_count, wizard.good_count, wizard.fault_count), (3, 3, 0))
        self.assertEqual(wizard.totals.splitlines(), ["USD: $\xa0749.50 (items: 2)", "TCU: 100.00\xa0T (items: 1)"])
        self.assertFalse(self.env["account.move"].search([("journal_id", "=", self.journal.id)]))
        opening = self.env["collection.opening"].browse(wizard.action_import()["res_id"])
        self.assertEqual(
            (opening.name, opening.state, opening.move_count, opening.total), ("Old Books", "done", 3, 774.5)
        )
        self.assertEqual(opening.totals, "TCU 100.00\xa0T, USD $\xa0749.50")
        self.assertEqual((opening.user_id, opening.file_name), (self.manager, "open.xlsx"))
        moves = opening.move_ids.sorted("id")
        self.assertEqual(set(moves.mapped("state")), {"posted"})
        self.assertEqual(moves.journal_id, self.journal)
        self.assertEqual(moves.mapped("ref"), ["PO-7", False, False])
        self.assertEqual(moves.mapped("date"), [self.day] * 3)
        self.assertEqual(
            [
                (line.partner_id, line.name, line.date_maturity, line.amount_currency, line.balance)
                for line in self.receivable(moves).sorted("id")
            ],
            [
                (self.ann, "F-1", self.due, 1000, 1000),
                (self.bob, "F-2", self.due, -250.5, -250.5),
                # The rate of the document's own date.
                (self.bob, "31", self.due, 100, 25),
            ],
        )
        counterparts = (moves.line_ids - self.receivable(moves)).sorted("id")
        self.assertEqual(
            [(line.account_id, line.balance) for line in counterparts],
            [(self.equity, -1000), (self.bare, 250.5), (self.bare, -25)],
        )
        with self.assertRaisesRegex(UserError, "look at its preview first"):
            wizard.action_import()

    def test_items_age_dun_and_stand_on_the_statement_by_their_own_name(self):
        self.opening(self.row("F-1", reference="PO-7"), self.row("NC-1", amount=-50), booked_on=self.today)
        debtor = self.debtor(self.ann)
        self.assertEqual((debtor.overdue, debtor.unallocated, debtor.days_overdue), (1000, 50, 70))
        (section,) = debtor._get_statement()[debtor.id]["currencies"]
        item, credit = section["items"][0], section["credits"][0]
        self.assertEqual(
            [item[key] for key in ("document", "reference", "date", "due_date", "open")],
            ["F-1", "PO-7", self.day, self.due, 1000],
        )
        self.assertEqual((credit["document"], credit["reference"], credit["open"]), ("NC-1", "", 50))
        notices = self.night()
        notice = notices.filtered(lambda notice: notice.debtor_id == debtor)
        self.assertTrue(notice)
        self.assertIn("F-1 (PO-7)", notice[0].items_html)
        self.assertRegex(notice.line_ids[0].move_id.display_name, r"^F-1 \(OPEN/")

    def test_few_statements_for_each_row(self):
        def statements(source, count):
            wizard = self.preview(*(self.row(f"F-{number}") for number in range(count)), source=source)
            return self.count_statements(wizard.action_import)

        statements("Warm", 3)
        few, many = statements("Few", 3), statements("Many", 43)
        # Odoo writes the computed amounts of each entry and of its two lines by themselves; all else is for all rows.
        self.assertLessEqual((many - few) / 40, 3.5)

    def test_a_closed_period_is_told_and_another_day_can_be_chosen(self):
        self.company.fiscalyear_lock_date = self.days_ago(30)
        self.assertRegex(self.messages(self.row())[2], "is in a closed period: choose a day on which to book all")
        with self.assertRaisesRegex(UserError, "is in a closed period of .*: choose a later day"):
            self.preview(self.row(), booked_on=self.days_ago(60))
        opening = self.opening(self.row(amount=100, currency="TCU"), booked_on=self.days_ago(1))
        self.assertEqual((opening.move_ids.date, opening.total), (self.days_ago(1), 25))

    def test_the_empty_file_can_be_imported_in_spanish(self):
        self.speak_spanish()
        wizard = self.preview(self.row()).with_context(lang="es_MX")
        content = wizard.template
        self.make_customer(wizard._get_example()["customer"])
        again = self.preview(file=content, file_name="template.xlsx")
        self.assertEqual(again.line_ids.mapped("verdict"), ["ok"])

    # === Verdicts ===#

    def test_each_row_has_its_verdict(self):
        for _number in range(2):
            self.make_customer("Twin", vat="XAXX010101000")
        self.make_customer("Named", vat="XAXX010101000")
        self.make_customer("Gone", active=False)
        found = self.messages(
            self.row("1", customer="Nobody"),
            self.row("2", customer="Twin"),
            self.row("3", customer="Gone"),
            self.row("4", tax_id="XAXX010101000", customer="Named"),
            self.row("5", day="31/31/2026"),
            self.row("6", amount="a lot"),
            self.row("7", amount=0),
            self.row("8", currency="XXY"),
            self.row("9", due=self.days_ago(101)),
            self.row("10", currency="TCU", day=self.days_ago(300)),
            self.row("11"),
            self.row("11"),
            self.row("", customer=""),
            self.row("12", amount=1.001),
        )
        rate_day = format_date(self.env, self.days_ago(300), lang_code="en_US")
        self.assertEqual(
            found,
            {
                2: "There is no customer “Nobody”: correct its name, reference or tax ID.",
                3: "“Twin” stands for 2 customers: write its reference or its tax ID.",
                4: "Gone is archived: restore it first.",
                5: False,
                6: "“31/31/2026” is no date: write day, month and year, such as 28/02/2026.",
                7: "“a lot” is no amount: write it as 1234.50, or as -1234.50 for a credit.",
                8: "Write what is open, above zero, or below it for a credit.",
                9: "“XXY” is no active currency.",
                10: "It falls due before its own date.",
                11: f"There is no rate of TCU on {rate_day} or before: add it first.",
                12: "This document stands in rows 12, 13: keep one of them.",
                13: "This document stands in rows 12, 13: keep one of them.",
                14: "Write the document. Write the customer, or its tax ID.",
                15: "The amount has more decimals than USD.",
            },
        )
        wizard = self.preview(self.row("9", due=self.days_ago(101)))
        self.assertEqual((wizard.line_ids.verdict, wizard.fault_count), ("hint", 0))
        self.assertEqual(wizard.with_context(lang="en_US").action_import()["res_model"], "collection.opening")

    def test_what_was_imported_is_not_imported_again(self):
        opening = self.opening(self.row("F-1"))
        entry = opening.move_ids
        found = self.messages(self.row(" f-1"), self.row("F-2"), self.row("F-1", customer="Bob"))
        self.assertRegex(found[2], rf"^F-1 was imported already, on .*: its entry is {entry.name}\.$")
        self.assertEqual((found[3], found[4]), (False, False))
        self.assertEqual(self.messages(self.row("F-1"), source="Another"), {2: False})
        with self.assertRaisesRegex(UserError, "Every row has errors"):
            self.preview(self.row("F-1"), leave_out=True).action_import()

    def test_two_previews_import_once(self):
        first, second = self.preview(self.row("F-1"), self.row("F-2")), self.preview(self.row("F-2"), self.row("F-3"))
        first.action_import()
        with self.assertRaisesRegex(UserError, "were imported from Old Books in this very moment"):
            second.action_import()
        self.assertEqual(self.env["collection.opening"].search_count([("name", "=", "Old Books")]), 1)

    def test_the_database_keeps_a_document_unique(self):
        entry = self.opening(self.row("F-1")).move_ids
        other = self.opening(self.row("F-2")).move_ids
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.env.cr.savepoint():
            other.collection_opening_key = entry.collection_opening_key
            self.env.flush_all()

    def test_what_is_to_be_set_up_is_named(self):
        self.company.write({"collection_opening_journal_id": False, "collection_opening_bare_account_id": False})
        with self.assertRaisesRegex(UserError, "first: Journal of Imported Items, Items Without a Reference"):
            self.preview(self.row())

    # === The way back ===#

    def test_an_import_is_undone_as_a_whole(self):
        opening = self.opening(self.row("F-1"), self.row("F-2", customer="Bob")).with_user(self.manager)
        opening.action_undo()
        self.assertEqual(opening.state, "undone")
        self.assertEqual(set(opening.move_ids.mapped("state")), {"cancel"})
        self.assertEqual(self.debtor(self.ann).total_due, 0)
        with self.assertRaisesRegex(UserError, "is undone already"):
            opening.action_undo()
        self.assertEqual(self.messages(self.row("F-1")), {2: False})
        self.opening(self.row("F-1"))
        self.assertEqual(self.debtor(self.ann).total_due, 1000)

    def test_what_is_reconciled_keeps_an_import(self):
        opening = self.opening(self.row("F-1"), self.row("F-2", customer="Bob")).with_user(self.manager)
        payment = self.pay_on_account(self.ann, 400)
        (self.receivable(payment.move_id) + self.receivable(opening.move_ids).filtered(
            lambda line: line.partner_id == self.ann
        )).reconcile()  # fmt: skip
        with self.assertRaisesRegex(UserError, rf"reconciled: F-1 of Ann with {payment.move_id.name}\. Take that back"):
            opening.action_undo()
        self.assertEqual(self.debtor(self.bob).total_due, 1000)

    def test_closed_entries_are_reversed_today(self):
        opening = self.opening(self.row("F-1")).with_user(self.manager)
        entry = opening.move_ids
        self.company.fiscalyear_lock_date = self.days_ago(10)
        opening.action_undo()
        self.assertEqual(entry.state, "posted")
        reverse = self.env["account.move"].search([("reversed_entry_id", "=", entry.id)])
        self.assertEqual((reverse.state, reverse.date), ("posted", self.today))
        self.assertTrue(all(self.receivable(entry + reverse).mapped("reconciled")))
        self.assertEqual(self.messages(self.row("F-1"), booked_on=self.today), {2: False})

    # === Who ===#

    def test_only_a_manager_imports_reads_and_undoes(self):
        opening = self.opening(self.row("F-1"))
        for group in (
            "account_collection.group_collection_viewer",
            "account_collection.group_collection_collector",
            "account_collection.group_collection_sender",
            "account.group_account_manager",
        ):
            user = self.make_user(group.rpartition(".")[2], group)
            with self.assertRaises(AccessError):
                self.preview(self.row("F-2"), user=user)
            with self.assertRaises(AccessError):
                opening.with_user(user).read(["name"])
            with self.assertRaises(AccessError):
                opening.with_user(user).action_undo()
            # Its entries are as any other, for who reads the ledger.
            self.assertRegex(opening.move_ids.with_user(user).display_name, r"^F-1 \(")
        with self.assertRaises(AccessError):
            opening.with_user(self.manager).write({"state": "undone"})

    def test_companies_are_apart(self):
        data = self.other_company_data()
        other = data["company"]
        opening = self.opening(self.row("F-1"))
        manager = self.make_user("other_manager", "account_collection.group_collection_manager", company=other)
        self.assertFalse(self.env["collection.opening"].with_user(manager).search([]))
        other.write(
            {
                "collection_opening_journal_id": data["default_journal_misc"].id,
                "collection_opening_account_id": data["default_account_revenue"].id,
                "collection_opening_bare_account_id": data["default_account_revenue"].id,
            }
        )
        theirs = self.opening(self.row("F-1"), user=manager, company=other)
        self.assertEqual((theirs.company_id, theirs.move_ids.company_id), (other, other))
        self.assertEqual(opening.with_user(self.manager).search([]), opening)
        with self.assertRaises(AccessError):
            opening.with_user(manager).read(["name"])

    def test_the_manager_opens_every_view(self):
        opening = self.opening(self.row("F-1")).with_user(self.manager)
        for xmlid in (
            "collection_opening_import_view_form",
            "collection_opening_view_search",
            "collection_opening_view_tree",
            "collection_opening_view_form",
            "account_move_opening_view_tree",
        ):
            view = self.env.ref(f"account_collection.{xmlid}")
            self.assertIn("<field", self.env[view.model].with_user(self.manager).get_view(view.id, view.type)["arch"])
        action = opening.action_open_moves()
        self.assertEqual(self.env["account.move"].with_user(self.manager).search(action["domain"]), opening.move_ids)


# Customer, cents, whether abroad, whether with a reference.
ITEMS = st.lists(
    st.tuples(st.booleans(), st.integers(-(10**6), 10**6).filter(bool), st.booleans(), st.booleans()),
    min_size=1,
    max_size=8,
)


@tagged("post_install", "-at_install")
class TestRandomOpenings(OpeningCommon):
    def test_the_ledger_has_what_the_import_says(self):
        @histories(3)
        @given(ITEMS)
        def check(items):
            with self.undone():
                self.check_items(items)

        check()

    def check_items(self, items):
        rows = [
            self.row(
                f"F-{number}",
                ("Ann", "Bob")[bob],
                cents / 100,
                currency="TCU" if abroad else "",
                reference="PO" if referenced else "",
            )
            for number, (bob, cents, abroad, referenced) in enumerate(items)
        ]
        opening = self.opening(*rows)
        lines = self.receivable(opening.move_ids)
        self.assertAlmostEqual(opening.total, sum(lines.mapped("balance")), 2)
        for abroad, currency in enumerate((self.company.currency_id, self.foreign)):
            cents = sum(item[1] for item in items if item[2] == abroad)
            found = lines.filtered(lambda line, currency=currency: line.currency_id == currency)
            self.assertAlmostEqual(sum(found.mapped("amount_currency")), cents / 100, 2)
        for account, referenced in ((self.bare, False), (self.equity, True)):
            found = opening.move_ids.line_ids.filtered(lambda line, account=account: line.account_id == account)
            self.assertEqual(len(found), sum(item[3] == referenced for item in items))
        for partner in (self.ann, self.bob):
            mine = lines.filtered(lambda line, partner=partner: line.partner_id == partner)
            self.assertAlmostEqual(self.debtor(partner).total_due, sum(mine.mapped("balance")), 2)
        opening.with_user(self.manager).action_undo()
        self.assertEqual(sum(self.receivable(opening.move_ids).filtered(
            lambda line: line.parent_state == "posted").mapped("balance")), 0)  # fmt: skip
