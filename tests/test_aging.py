import base64
import io
from datetime import date, datetime, timedelta
from unittest.mock import patch

import openpyxl
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from ..report import aging_document
from ..report.collection_aging_line import EDGES_KEY
from .aging_common import OPERATIONS, AgingCommon
from .examples import histories
from .test_statement import DAYS, START, StatementCommon
from .test_statement_pdf import text

DAY = date(2024, 3, 31)


@tagged("post_install", "-at_install")
class TestAging(AgingCommon, StatementCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tags = cls.env["res.partner.category"].create([{"name": "Wholesale"}, {"name": "Export"}])
        cls.customer.write({"zip": "37000", "category_id": [(6, 0, cls.tags.ids)]})
        cls.second = cls.make_customer("Abarrotes", zip="44100")
        cls.collector = cls.make_user("aging_collector", "account_collection.group_collection_collector")
        cls.employee = cls.make_user("aging_employee", "base.group_user")

    def make_month(self):
        """The first customer owes 100 not due, 40 for 11 days, 30 for 31 and 20 for 91 days, and paid 15 on account;
        the second owes 7 since yesterday."""
        for amount, days in ((100.0, -5), (40.0, 11), (30.0, 31), (20.0, 91)):
            due = DAY - timedelta(days=days)
            self.invoice(amount, min(due, DAY) - timedelta(days=1), due)
        self.bank_entry(15.0, DAY)
        self.invoice(7.0, date(2024, 3, 1), DAY - timedelta(days=1), partner=self.second)
        later = self.invoice(500.0, DAY + timedelta(days=1))
        self.bank_entry(500.0, DAY + timedelta(days=2), later)
        return self.debtor()

    def amounts(self, row):
        return [
            row[name] for name in ("not_due", "bucket_1", "bucket_2", "bucket_3", "bucket_4", "unallocated", "total")
        ]

    # === What it says ===#

    def test_by_debtor(self):
        self.make_month()
        second, first = self.aging(DAY, self.viewer)
        self.assertEqual((second.partner_id, first.partner_id), (self.second, self.customer))
        self.assertEqual(self.amounts(first), [100, 40, 30, 0, 20, -15, 175])
        self.assertEqual(self.amounts(second), [0, 7, 0, 0, 0, 0, 7])
        self.assertEqual((first.overdue, first.item_count, first.days_overdue), (90, 5, 91))
        self.assertEqual(first.due_date, DAY - timedelta(days=91))
        self.assertEqual(self.receivable_balance(DAY), 182)

    def test_by_document(self):
        debtor = self.make_month()
        rows = self.aging(DAY, self.viewer, detail="document", debtor_id=debtor.id)
        self.assertEqual([row.total for row in rows], [20, 30, 40, -15, 100], "by due date")
        self.assertEqual([row.bucket for row in rows], ["4", "2", "1", "unallocated", "0"])
        self.assertEqual(rows[0].document, rows[0].move_id.name)
        self.assertEqual(rows[0].action_open()["res_id"], rows[0].move_id.id)

    def test_a_debtor_opens_its_items(self):
        self.make_month()
        row = self.aging(DAY, self.viewer, edges="7, 14").filtered(lambda row: row.partner_id == self.customer)
        action = row.action_open()
        items = self.env[action["res_model"]].with_user(self.viewer).search(action["domain"])
        self.assertEqual(sum(items.mapped("total")), row.total)
        self.assertEqual(items.partner_id, self.customer)
        self.assertEqual(action["context"][EDGES_KEY], "7,14")
        self.assertIn(self.customer.name, action["name"])

    def test_contractual_due_date(self):
        invoice = self.invoice(100.0, date(2024, 2, 1), DAY - timedelta(days=10))
        self.receivable(invoice).collection_contractual_date = DAY - timedelta(days=40)
        self.assertEqual(self.aging(DAY).bucket_1, 100)
        self.assertEqual(self.aging(DAY, due_basis="contractual").bucket_2, 100)

    def test_currencies(self):
        invoice = self.invoice(100.0, date(2024, 1, 10), currency_id=self.gold.id)
        self.bank_entry(40.0, date(2024, 3, 10), invoice, currency=self.gold)
        self.invoice(9.0, date(2024, 3, 1))
        (row,) = self.aging(DAY)
        self.assertEqual((row.currency_id, row.total), (self.usd, self.ledger(DAY)))
        gold, dollars = sorted(self.aging(DAY, amounts_in="own"), key=lambda row: row.currency_id == self.usd)
        self.assertEqual((gold.currency_id, gold.bucket_3, dollars.total), (self.gold, 60, 9))

    def test_what_rows_are_grouped_by(self):
        self.make_month().sudo().collector_id = self.collector
        self.env.flush_all()
        self.aging(DAY)
        Line = self.env["collection.aging.line"]
        for name, expected in (
            ("collector_id", {self.collector: 175, self.env["res.users"]: 7}),
            ("zip", {"37000": 175, "44100": 7}),
            ("category_ids", {self.tags[0]: 175, self.tags[1]: 175, self.env["res.partner.category"]: 7}),
        ):
            self.assertEqual(dict(Line._read_group([("company_id", "=", self.company.id)], [name], ["total:sum"])),
                             expected)  # fmt: skip

    # === Buckets ===#

    def test_buckets_of_a_report_of_its_own(self):
        self.make_month()
        report = self.make_aging(DAY, self.viewer, edges="7, 14, 21, 28, 35")
        action = report.action_open()
        Line = self.env["collection.aging.line"].with_user(self.viewer).with_context(**action["context"])
        first = Line.search(action["domain"])[-1]
        self.assertEqual([first[f"bucket_{number}"] for number in range(1, 7)], [0, 40, 0, 0, 30, 20])
        fields = Line.fields_get(attributes=["string", "selection"])
        labels = [fields[f"bucket_{number}"]["string"] for number in range(1, 7)]
        self.assertEqual(labels, ["1-7", "8-14", "15-21", "22-28", "29-35", "35+"])
        self.assertEqual(fields["bucket"]["selection"][-2:], [("6", "35+"), ("unallocated", "Unallocated")])

    def test_buckets_that_it_has_not_are_nowhere(self):
        self.make_month()
        action = self.make_aging(DAY, self.viewer, edges="45").action_open()
        Line = self.env["collection.aging.line"].with_user(self.viewer).with_context(**action["context"])
        result = Line.get_views([(False, "list"), (False, "pivot"), (False, "search")])
        for kind in ("list", "pivot"):
            arch = etree.fromstring(result["views"][kind]["arch"])
            names = [node.get("name") for node in arch.xpath("//field[starts-with(@name, 'bucket_')]")]
            self.assertEqual(names, ["bucket_1", "bucket_2"], kind)
        self.assertEqual(Line.fields_get(["bucket_2", "bucket_3"], ["string"]), {"bucket_2": {"string": "45+"}})

    def test_bad_input_is_told(self):
        with self.assertRaisesRegex(UserError, "a day to come"):
            self.make_aging(self.days_ago(-1)).action_open()
        for edges in ("60, 30", "x", "0", "1,2,3,4,5,6"):
            with self.assertRaisesRegex(UserError, "are no buckets"):
                self.make_aging(edges=edges).action_export_xlsx()

    def test_the_company_s_buckets_by_default(self):
        self.company.write({"collection_bucket_1": 15, "collection_bucket_2": 45})
        form = Form(self.env["collection.aging"].with_company(self.company).with_user(self.viewer))
        self.assertEqual((form.edges, form.as_of), ("15, 45, 90", self.today))

    # === Rights ===#

    def test_a_collector_gets_the_own_debtors_alone(self):
        debtor = self.make_month()
        debtor.sudo().collector_id = self.collector
        rows = self.aging(DAY, self.collector)
        self.assertEqual(rows.partner_id, self.customer)
        self.assertEqual(self.aging(DAY, self.viewer).partner_id, self.customer + self.second)
        other = self.debtor(self.second)
        self.assertFalse(self.aging(DAY, self.collector, debtor_id=other.id))

    def test_reports_are_of_whoever_opened_them(self):
        self.make_month()
        rows = self.aging(DAY, self.viewer)
        self.assertFalse(rows.with_user(self.collector).search([("id", "in", rows.ids)]))
        with self.assertRaises(AccessError):
            rows.wizard_id.with_user(self.collector).read(["as_of"])
        with self.assertRaises(AccessError):
            self.make_aging(user=self.employee)
        with self.assertRaises(AccessError):
            rows[:1].write({"zip": "1"})

    def test_another_company_is_none_of_it(self):
        data = self.other_company_data()
        self.invoice(70.0, date(2024, 3, 1), data=data)
        self.invoice(10.0, date(2024, 3, 1))
        self.assertEqual(self.aging(DAY, self.viewer).mapped("total"), [10])
        self.settle()
        self.assertFalse(self.aging(DAY, self.viewer, company_id=data["company"].id))

    def test_rows_go_with_their_report(self):
        self.make_month()
        rows = self.aging(DAY)
        rows.wizard_id.unlink()
        rows._gc_rows()
        self.assertFalse(rows.exists())

    # === Documents ===#

    def workbook(self, report):
        self.settle()
        action = report.action_export_xlsx()
        export = self.env["collection.export"].sudo().browse(int(action["url"].split("/")[4]))
        content = io.BytesIO(base64.b64decode(export.with_context(bin_size=False).content))
        return openpyxl.load_workbook(content), openpyxl.load_workbook(content, data_only=True)

    def test_workbook_with_groups(self):
        self.make_month()
        formulas, values = self.workbook(self.make_aging(DAY, self.viewer, group_by="zip"))
        sheet, computed = formulas[self.usd.name], values[self.usd.name]
        header = next(row for row in sheet.iter_rows() if row[1].value == "Customer")
        self.assertEqual(
            [cell.value for cell in header],
            ["ZIP", "Customer", "Not due", "1-30", "31-60", "61-90", "90+", "Unallocated", "Total"],
        )
        rows = [[cell.value for cell in row] for row in computed.iter_rows(min_row=header[0].row + 1)]
        self.assertEqual([row[0] for row in rows], ["37000", "Total of 37000", "44100", "Total of 44100", "Total"])
        self.assertEqual([row[-1] for row in rows], [175, 175, 7, 7, 182])
        self.assertEqual(rows[-1][2:], [100, 47, 30, 0, 20, -15, 182] if rows[-1][5] is not None else
                         [100, 47, 30, None, 20, -15, 182])  # fmt: skip
        first = header[0].row + 1
        self.assertEqual(sheet.cell(first, 9).value, f"=SUM(C{first}:H{first})")
        self.assertIn("SUBTOTAL", sheet.cell(first + 1, 9).value)

    def test_workbook_of_documents_in_their_currencies(self):
        self.invoice(100.0, date(2024, 3, 1), date(2024, 3, 20), currency_id=self.gold.id)
        self.invoice(9.0, date(2024, 3, 1))
        report = self.make_aging(DAY, self.viewer, detail="document", amounts_in="own", group_by="category_ids")
        formulas, values = self.workbook(report)
        self.assertEqual(formulas.sheetnames, [self.usd.name, "XGO"])
        rows = [[cell.value for cell in row] for row in values["XGO"].iter_rows()]
        item = next(row for row in rows if row[1] == self.customer.name)
        self.assertEqual(item[0], "Export, Wholesale", "once, whatever its tags")
        self.assertEqual(item[4:6], [datetime(2024, 3, 20), 11])
        self.assertEqual(rows[-1][-1], 100)

    def test_nothing_to_tell(self):
        formulas, _values = self.workbook(self.make_aging(START - timedelta(days=30), self.viewer))
        self.assertEqual(formulas.sheetnames, [self.usd.name])

    def test_pdf(self):
        self.make_month()
        self.speak_spanish()
        report = self.make_aging(DAY, self.viewer, group_by="zip", detail="document")
        page = text(self.env["collection.aging.document"]._render_pdf(self.filled(report)))
        for expected in ("Aging as of 03/31/2024", "Grouped by: ZIP", "Total of 37000", "175.00", "182.00", "-15.00"):
            self.assertIn(expected, page)
        self.assertNotIn("500.00", page)
        spanish = report.with_context(lang="es_MX")
        page = text(spanish.env["collection.aging.document"]._render_pdf(self.filled(spanish)))
        self.assertIn("Antigüedad de saldos al 31/03/2024", page)
        with patch.object(aging_document, "PRINTABLE", 2), self.assertRaisesRegex(UserError, "too many to print"):
            report.action_print()

    def filled(self, report):
        self.settle()
        report._fill()
        return report

    # === The ledger ===#

    def test_statements_do_not_grow_with_debtors(self):
        self.make_month()
        report = self.make_aging(DAY, self.viewer)
        report._fill()
        few = self.count_statements(report._fill)
        for number in range(4):
            self.invoice(10.0, date(2024, 2, 1), partner=self.make_customer(f"More {number}"))
        self.settle()
        self.assertLessEqual(self.count_statements(report._fill), few)

    @histories(6)
    @given(
        OPERATIONS,
        st.lists(st.integers(0, DAYS), min_size=1, max_size=3),
        st.lists(st.integers(1, 120), min_size=1, max_size=5, unique=True).map(sorted),
    )
    def test_any_history_at_any_date(self, operations, days, edges):
        """What was paid later, reversed or paid in another currency counts at each date as the ledger had it then."""
        with self.undone():
            self.live_through(operations)
            for day in days:
                as_of = START + timedelta(days=day)
                self.check_aging(as_of)
                self.check_all_ways(as_of, edges)

    def check_all_ways(self, as_of, edges):
        text_of = ",".join(map(str, edges))
        for own in (False, True):
            rows = self.aging(
                as_of, edges=text_of, detail="document", amounts_in="own" if own else "company", due_basis="contractual"
            )
            expected = self.expected_aging(as_of, edges, by_document=True, own=own, contractual=True)
            self.assertEqual(self.said_aging(rows, len(edges) + 1), expected)
        for debtor in rows.debtor_id:
            statement = debtor._get_statement(as_of)[debtor.id]
            (row,) = self.aging(as_of, debtor_id=debtor.id) or [self.env["collection.aging.line"]]
            self.assertAlmostEqual(row.total, statement["total_company_currency"], 2)
