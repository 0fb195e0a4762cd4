"""What is taken to whom on a day, and how long invoices wait: the documents that people carry and export."""

import base64
import io
import re
from datetime import date, datetime, timedelta
from urllib.parse import unquote

from openpyxl import load_workbook

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged
from odoo.tools.pdf import PdfFileReader

from ..report import xlsx
from .common import CollectionCommon
from .test_review import ReviewCommon
from .test_rights import RightsCommon

# The holiday of Monday 16 November 2026 moves the window to this Tuesday.
ROUTE_DAY = date(2026, 11, 17)


class ReviewReportsCommon(ReviewCommon, RightsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.silver = cls.make_currency("XSI", {date(2026, 1, 1): 2.0})
        cls.money = cls.company.currency_id

    @classmethod
    def route(cls, user=None, **values):
        wizard = cls.env["collection.route.wizard"].with_user(user or cls.manager).with_company(cls.company)
        return wizard.create(values)

    def fetch(self, action):
        """(file name, bytes) of what an action downloads."""
        path = re.fullmatch(
            r"/web/content/collection\.export/(\d+)/content/(.+)\?download=true&mimetype=.+", action["url"]
        )
        export = self.env["collection.export"].browse(int(path[1]))
        self.assertEqual(export.name, unquote(path[2]))
        return export.name, base64.b64decode(export.content)

    def fetch_pages(self, action):
        """The text of each page of the PDF that an action downloads."""
        name, content = self.fetch(action)
        self.assertTrue(name.endswith(".pdf"), name)
        return [" ".join(page.extract_text().split()) for page in PdfFileReader(io.BytesIO(content)).pages]

    def fetch_books(self, action):
        """(formulas, values) of the workbook that an action downloads."""
        name, content = self.fetch(action)
        self.assertTrue(name.endswith(".xlsx"), name)
        return [load_workbook(io.BytesIO(content), data_only=values) for values in (False, True)]

    def table(self, sheet, header):
        """Rows as {label: value} of the table whose first header is ``header``."""
        rows = list(sheet.iter_rows(values_only=True))
        start = next(number for number, row in enumerate(rows) if row[0] == header)
        return [dict(zip(rows[start], row)) for row in rows[start + 1 :]]


@tagged("post_install", "-at_install")
class TestRouteSheet(ReviewReportsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.contact = cls.make_customer("Doña Lupe", phone="+52 55 5555 0101", is_company=False)
        documents = cls.env["collection.review.document"].create([{"name": "Purchase order"}, {"name": "Signed slip"}])
        cls.customer.write(
            {
                "name": "Ferretería Ñandú",
                "collection_review_place": "Av. Juárez 10, window 4",
                "collection_review_contact_id": cls.contact.id,
                "collection_portal_url": "https://suppliers.example.com",
                "collection_review_document_ids": [Command.set(documents.ids)],
            }
        )
        cls.second = cls.make_reviewer("Early Bird", phone="+1 555 0199")
        cls.second.collection_review_window_ids.write({"hour_from": 8, "hour_to": 9.5})
        cls.pending = cls.bill(cls.customer, 1000.25, ref="PO-77")
        cls.rejected = cls.bill(cls.customer, 500)
        cls.rejected._register_review("rejected", datetime(2026, 11, 12, 15), reason="Stamp missing")
        cls.foreign = cls.bill(cls.customer, 80.5, currency_id=cls.silver.id)
        cls.early = cls.bill(cls.second, 300)
        cls.moves = cls.pending + cls.rejected + cls.foreign + cls.early
        cls.debtor(cls.customer).collector_id = cls.collector
        cls.debtor(cls.second).collector_id = cls.other_collector

    def test_the_next_day_with_planned_reviews_is_proposed(self):
        wizard = self.route()
        self.assertEqual(wizard.date, ROUTE_DAY)
        self.assertEqual((wizard.invoice_count, wizard.customer_count), (4, 2))

    def test_the_sheet_says_where_when_whom_and_what(self):
        (page,) = self.fetch_pages(self.route().action_pdf())
        for expected in (
            self.company.name,
            "Route sheet",
            "Tuesday 11/17/2026",
            "Collector: Collector, Other Collector",
            "Ferretería Ñandú",
            "Av. Juárez 10, window 4",
            "Hours: 9-13",
            "Contact: Doña Lupe +52 55 5555 0101",
            "☐ Purchase order",
            "☐ Signed slip",
            "https://suppliers.example.com",
            self.pending.name,
            "PO-77",
            "Rejected: Stamp missing",
            "Receipt number",
            "Signature",
            "1 High Street",
            "Hours: 8-9:30",
            "+1 555 0199",
        ):
            self.assertIn(expected, page)
        self.assertLess(page.index("Early Bird"), page.index("Ferretería"), "who opens first comes first")

    def test_currencies_are_totalled_apart(self):
        (sheet,) = self.env["collection.route.sheet"]._prepare_sheets(self.moves, ROUTE_DAY)
        totals = [
            [(total["currency"], total["count"], total["amount"]) for total in stop["totals"]]
            for stop in sheet["stops"]
        ]
        self.assertEqual(totals, [[(self.money, 1, 300)], [(self.money, 2, 1500.25), (self.silver, 1, 80.5)]])
        grand = [(total["currency"], total["count"], total["amount"]) for total in sheet["totals"]]
        self.assertEqual(grand, [(self.money, 3, 1800.25), (self.silver, 1, 80.5)])
        (page,) = self.fetch_pages(self.route().action_pdf())
        for expected in (
            f"Total in {self.money.name} Invoices: 2 1,500.25 {self.money.name}",
            "Total in XSI Invoices: 1 80.50 XSI",
            f"Total in {self.money.name} Invoices: 3",
            "1,800.25",
        ):
            self.assertIn(expected, page)

    def test_the_workbook_has_real_cells_and_totals_that_a_spreadsheet_computes(self):
        formulas, values = self.fetch_books(self.route().action_xlsx())
        rows = self.table(values.active, "Customer")
        own, silver = f"Amount {self.money.name}", "Amount XSI"
        self.assertEqual(
            [(row["Customer"], row[own], row[silver]) for row in rows],
            [
                ("Early Bird", 300, None),
                ("Total of Early Bird", 300, None),
                ("Ferretería Ñandú", 1000.25, None),
                ("Ferretería Ñandú", 500, None),
                ("Ferretería Ñandú", None, 80.5),
                ("Total of Ferretería Ñandú", 1500.25, 80.5),
                ("Total", 1800.25, 80.5),
            ],
        )
        first = rows[2]
        self.assertEqual((first["Date"], first["Reference"]), (datetime(2026, 11, 12), "PO-77"))
        self.assertEqual(first["Documents"], "☐ Purchase order\n☐ Signed slip")
        self.assertEqual((rows[3]["Review"], rows[3]["Reason of the rejection"]), ("Rejected", "Stamp missing"))
        written = [row[own] for row in self.table(formulas.active, "Customer")]
        header = next(cell.row for cell in formulas.active["A"] if cell.value == "Customer")
        letter = next(cell.column_letter for cell in formulas.active[header] if cell.value == own)
        self.assertEqual(written[1], f"=SUBTOTAL(9,{letter}{header + 1})")
        self.assertEqual(written[-2], f"=SUBTOTAL(9,{letter}{header + 3}:{letter}{header + 5})")
        self.assertEqual(written[-1], f"=SUBTOTAL(9,{letter}{header + 1}:{letter}{header + 6})")
        self.assertEqual(formulas.active.freeze_panes, f"A{header + 1}")
        self.assertEqual(formulas.active.page_setup.orientation, "landscape")
        self.assertTrue(formulas.active.auto_filter.ref.startswith(f"A{header}:"))

    def test_a_sheet_for_each_collector(self):
        pages = self.fetch_pages(self.route(by_collector=True).action_pdf())
        self.assertEqual(len(pages), 2)
        self.assertIn("Collector: Collector", pages[0])
        self.assertIn("Ferretería", pages[0])
        self.assertNotIn("Early Bird", pages[0])
        self.assertIn("Early Bird", pages[1])
        book, _values = self.fetch_books(self.route(by_collector=True).action_xlsx())
        self.assertEqual(book.sheetnames, ["Collector", "Other Collector"])

    def test_only_the_chosen_collectors(self):
        wizard = self.route(collector_ids=[Command.set(self.other_collector.ids)])
        self.assertEqual(wizard._get_moves(), self.early)

    def test_what_was_handed_in_comes_along_when_asked(self):
        self.early._register_review("submitted", datetime(2026, 11, 12, 15))
        self.early.collection_planned_review_date = ROUTE_DAY
        self.assertEqual(self.route()._get_moves(), self.moves - self.early)
        self.assertEqual(self.route(with_submitted=True)._get_moves(), self.moves)

    def test_a_draft_or_what_was_taken_back_stays_at_the_office(self):
        self.pending.button_draft()
        self.early._reverse_moves([{"invoice_date": self.today}], cancel=True)
        self.assertEqual(self.early.payment_state, "reversed")
        self.assertEqual(self.route()._get_moves() & self.moves, self.rejected + self.foreign)

    def test_chosen_invoices_whatever_their_day(self):
        accepted = self.bill(self.second, 40)
        accepted._register_review("accepted", datetime(2026, 11, 12, 15))
        chosen = self.early + self.pending + accepted
        self.early.collection_planned_review_date = date(2026, 11, 23)
        wizard = (
            self.env["collection.route.wizard"]
            .with_user(self.manager)
            .with_context(active_model="account.move", active_ids=chosen.ids)
            .create({})
        )
        self.assertEqual((wizard.date, wizard._get_moves()), (ROUTE_DAY, self.early + self.pending))
        wizard.move_ids = accepted
        with self.assertRaisesRegex(UserError, "None of the chosen invoices waits"):
            wizard.action_pdf()

    def test_an_empty_day_names_the_next_one(self):
        with self.assertRaisesRegex(UserError, r"for 11/13/2026\. The next day with planned reviews is 11/17/2026"):
            self.route(date=date(2026, 11, 13)).action_pdf()
        with self.assertRaisesRegex(UserError, r"for 11/18/2026, nor for any later day"):
            self.route(date=date(2026, 11, 18)).action_xlsx()

    def test_a_day_without_a_window_says_so(self):
        self.early.collection_planned_review_date = date(2026, 11, 18)
        (page,) = self.fetch_pages(self.route(date=date(2026, 11, 18)).action_pdf())
        self.assertIn("Hours: no window on this day", page)

    def test_many_invoices_repeat_their_customer_on_each_page(self):
        self.bills(self.customer, *range(10, 40)).collection_planned_review_date = date(2026, 11, 23)
        pages = self.fetch_pages(self.route(date=date(2026, 11, 23)).action_pdf())
        self.assertGreater(len(pages), 1)
        self.assertEqual(sum(page.count("INV/2026/") for page in pages), 30)
        for page in pages:
            self.assertTrue(re.search(r"Ferretería Ñandú( \(continued\))? Av\. Juárez", page) or "INV/" not in page)
        self.assertEqual(pages[0].count("Total in"), 0, "the total stands below the last of them")

    def test_the_number_of_queries_does_not_grow_with_the_customers(self):
        def count(moves):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["collection.route.sheet"]._prepare_sheets(moves, ROUTE_DAY)
            return self.env.cr.sql_log_count - before

        more = sum((self.bill(self.make_reviewer(f"More {number}")) for number in range(15)), self.early)
        self.settle()
        count(self.early)
        self.assertLessEqual(count(more), count(self.early) + 5)

    def test_who_may_see_what(self):
        for user in (self.manager, self.viewer, self.sender):
            self.assertEqual(self.route(user)._get_moves(), self.moves, user.login)
        mine = self.pending + self.rejected + self.foreign
        self.assertEqual(self.route(self.collector)._get_moves(), mine)
        (page,) = self.fetch_pages(self.route(self.collector).action_pdf())
        self.assertNotIn("Early Bird", page)
        self.early.collection_planned_review_date = date(2026, 11, 13)
        self.assertEqual(self.route(self.collector).date, ROUTE_DAY, "another's day is not proposed")
        with self.assertRaisesRegex(UserError, "The next day with planned reviews is 11/17/2026"):
            self.route(self.collector, date=date(2026, 11, 13)).action_pdf()
        for user in (self.invoicing, self.employee):
            with self.assertRaises(AccessError, msg=user.login):
                self.route(user)

    def test_in_spanish(self):
        self.speak_spanish()
        wizard = self.route().with_context(lang="es_MX")
        (page,) = self.fetch_pages(wizard.action_pdf())
        for expected in (
            "Relación de facturas a revisión",
            "Martes 17/11/2026",
            "Rechazada: Stamp missing",
            "Contrarrecibo",
        ):
            self.assertIn(expected, page)
        _formulas, values = self.fetch_books(wizard.action_xlsx())
        self.assertIn(f"Importe {self.money.name}", self.table(values.active, "Cliente")[0])


@tagged("post_install", "-at_install")
class TestReviewReport(ReviewReportsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second = cls.make_reviewer("Second")
        ago = {days: cls.today - timedelta(days=days) for days in (4, 10, 20, 40)}
        cls.waiting = cls.bill(cls.customer, 1000, ago[20])
        cls.rejected = cls.bill(cls.second, 300, ago[4])
        cls.rejected._register_review("rejected", datetime(2026, 11, 12, 15), reason="Stamp missing")
        cls.accepted = cls.bill(cls.customer, 400, ago[10], currency_id=cls.silver.id)
        cls.accepted._register_review("accepted", datetime(2026, 11, 9, 18))
        cls.old = cls.bill(cls.second, 600, ago[40])
        cls.old._register_review("accepted", datetime(2026, 10, 5, 18))
        # None of these is on review terms, an invoice, posted, or waited for.
        other = cls.make_customer("Other")
        cls.make_invoice(other, 70)
        cls.bill(cls.customer, 70, post=False)
        cls.bill(cls.customer, 70, move_type="out_refund")
        cls.bill(cls.customer, 70)._reverse_moves([{"invoice_date": cls.today}], cancel=True)
        cls.debtor(cls.customer).collector_id = cls.collector
        cls.debtor(cls.second).collector_id = cls.other_collector
        cls.Report = cls.env["collection.review.report"]
        cls.rows = cls.Report.search([("company_id", "=", cls.company.id)])

    def test_one_row_for_each_invoice_on_review_terms(self):
        values = {
            row.move_id: (
                row.partner_id,
                row.collector_id,
                row.state,
                row.progress,
                row.days,
                row.amount,
                row.credit_days,
            )
            for row in self.rows
        }
        self.assertEqual(
            values,
            {
                self.waiting: (self.customer, self.collector, "pending", "waiting", 20, 1000, 20000),
                self.rejected: (self.second, self.other_collector, "rejected", "waiting", 4, 300, 1200),
                self.accepted: (self.customer, self.collector, "accepted", "processed", 7, 200, 1400),
                self.old: (self.second, self.other_collector, "accepted", "processed", 2, 600, 1200),
            },
        )
        row = self.rows.filtered(lambda row: row.move_id == self.accepted)
        self.assertEqual((row.currency_id, row.company_currency_id), (self.silver, self.money))
        self.assertEqual(
            (row.review_date, row.planned_date), (date(2026, 11, 9), self.accepted.collection_planned_review_date)
        )

    def test_groups_average_their_days_and_sum_their_amounts(self):
        groups = self.Report._read_group(
            [("company_id", "=", self.company.id)],
            ["progress"],
            ["__count", "days:avg", "amount:sum"],
            order="progress",
        )
        self.assertEqual(groups, [("processed", 2, 4.5, 800), ("waiting", 2, 12, 1300)])
        fields = self.Report.fields_get(["days"])["days"]
        self.assertEqual(fields.get("aggregator") or fields.get("group_operator"), "avg")

    def test_today_is_that_of_the_company(self):
        self.company.partner_id.tz = "Pacific/Kiritimati"
        self.env.invalidate_all()
        row = self.rows.filtered(lambda row: row.move_id == self.waiting)
        self.assertEqual(row.days, 21)

    def test_the_summary_weighs_days_by_amount(self):
        summary = self.rows._get_summary()
        figures = [[part[name] for name in ("progress", "count", "amount", "days")] for part in summary]
        self.assertEqual(figures, [["waiting", 2, 1300, 12], ["processed", 2, 800, 4.5]])
        self.assertAlmostEqual(summary[0]["weighted_days"], 21200 / 1300)
        self.assertAlmostEqual(summary[1]["weighted_days"], 3.25)

    def test_the_workbook_has_the_rows_and_their_summary(self):
        formulas, values = self.fetch_books(self.rows.with_user(self.manager).action_export_xlsx())
        self.assertEqual(values.sheetnames, ["Invoices", "Summary"])
        own = f"Amount {self.money.name}"
        rows = self.table(values["Invoices"], "Invoice")
        self.assertEqual([row["Invoice"] for row in rows], [*self.rows.mapped("move_id.name"), "Total"])
        self.assertEqual([row["Days to Review"] for row in rows], [4, 7, 20, 2, 8.25])
        self.assertEqual([row[own] for row in rows], [300, 200, 1000, 600, 2100])
        self.assertEqual(rows[1]["Reviewed On"], datetime(2026, 11, 9))
        self.assertEqual((rows[1]["Collector"], rows[1]["Currency"]), ("Collector", "XSI"))
        total = self.table(formulas["Invoices"], "Invoice")[-1]
        self.assertRegex(total["Days to Review"], r"^=SUBTOTAL\(1,")
        self.assertRegex(total[own], r"^=SUBTOTAL\(9,")
        summary = self.table(values["Summary"], "Progress")
        self.assertEqual(
            [list(row.values())[:5] for row in summary[:2]],
            [
                ["Waiting", self.money.name, 2, 1300, 12],
                ["Processed", self.money.name, 2, 800, 4.5],
            ],
        )
        self.assertEqual(summary[2]["Invoices"], 4)

    def test_the_summary_is_printed(self):
        (page,) = self.fetch_pages(self.rows.with_user(self.manager).action_print_summary())
        for expected in (
            self.company.name,
            "Invoices from 10/03/2026 to 11/08/2026",
            f"Waiting {self.money.name} 2 1,300.00 12.0 16.3",
            f"Processed {self.money.name} 2 800.00 4.5 3.2",
        ):
            self.assertIn(expected, page)
        with self.assertRaisesRegex(UserError, "Choose the invoices"):
            self.Report.action_print_summary()

    def test_who_may_see_what(self):
        for user in (self.manager, self.viewer, self.sender):
            self.assertEqual(self.seen_by(user, self.rows), self.rows, user.login)
        mine = self.rows.filtered(lambda row: row.move_id in self.waiting + self.accepted)
        for user, own in ((self.collector, mine), (self.other_collector, self.rows - mine)):
            self.assertEqual(self.seen_by(user, self.rows), own, user.login)
        with self.assertRaises(AccessError):
            self.rows.with_user(self.collector).read(["amount"])
        with self.assertRaises(AccessError):
            self.rows.with_user(self.collector).action_export_xlsx()
        stranger_company = self.env["res.company"].create({"name": "Strangers"})
        stranger = self.make_user("stranger", "account_collection.group_collection_manager", company=stranger_company)
        self.assertFalse(self.seen_by(stranger, self.rows))
        for user in (self.invoicing, self.employee, self.portal):
            with self.assertRaises(AccessError, msg=user.login):
                self.rows.with_user(user).search([])

    def test_a_row_opens_its_invoice_and_every_view_loads(self):
        row = self.rows[:1].with_user(self.manager)
        action = row.action_open_invoice()
        self.assertEqual((action["res_model"], action["res_id"]), ("account.move", row.move_id.id))
        for view in self.env["ir.ui.view"].search([("model", "=", self.Report._name)]):
            self.assertIn("<field", row.get_view(view.id, view.type)["arch"])

    def test_in_spanish(self):
        self.speak_spanish()
        rows = self.rows.with_user(self.manager).with_context(lang="es_MX")
        (page,) = self.fetch_pages(rows.action_print_summary())
        self.assertIn("Reporte de revisión", page)
        self.assertIn(f"En espera {self.money.name} 2 1,300.00", page)


@tagged("post_install", "-at_install")
class TestXlsx(CollectionCommon):
    def test_texts_stay_texts_and_sheets_get_names_of_their_own(self):
        book = xlsx.Book()
        for name in ("Cash: [a/b]*?", "Cash: [a/b]*?", "x" * 40, "x" * 40, "''"):
            sheet = book.add_sheet(name, "Title", [], [xlsx.Column("Text"), xlsx.Column("N", 9, xlsx.AMOUNT, xlsx.SUM)])
            sheet.add_row(["=1+1", 0.0])
            sheet.add_row([None, False])
            sheet.add_total("Total")
        read = load_workbook(io.BytesIO(book.close()))
        self.assertEqual(len(set(map(str.lower, read.sheetnames))), 5)
        self.assertEqual(read.sheetnames[3], "x" * 26 + " (2)")
        cell = read.worksheets[0]["A4"]
        self.assertEqual((cell.value, cell.data_type), ("=1+1", "s"))
        self.assertEqual((read.worksheets[0]["B4"].value, read.worksheets[0]["B5"].value), (0, None))
        self.assertEqual(read.worksheets[0]["B6"].value, "=SUBTOTAL(9,B4:B5)")


@tagged("post_install", "-at_install")
class TestDownload(RightsCommon, HttpCase):
    def test_a_file_is_its_owner_s_and_leaves_no_attachment(self):
        attachments = self.env["ir.attachment"].search_count([])
        self.collector.password = self.viewer.password = "a long password"
        action = self.env["collection.export"].with_user(self.collector)._download("Ruta ñ 1.xlsx", b"content")
        self.assertEqual(self.env["ir.attachment"].search_count([]), attachments)
        self.authenticate("collector", "a long password")
        response = self.url_open(action["url"])
        self.assertEqual((response.status_code, response.content), (200, b"content"))
        self.assertIn("filename*=UTF-8''Ruta%20%C3%B1%201.xlsx", response.headers["Content-Disposition"])
        self.authenticate("viewer", "a long password")
        self.assertNotEqual(self.url_open(action["url"]).status_code, 200)
        with self.assertRaises(AccessError):
            self.env["collection.export"].with_user(self.collector).create({"name": "x", "content": "eA=="})
