import base64
import io
from datetime import date, datetime, time
from unittest.mock import patch

from openpyxl import load_workbook

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, HttpCase, tagged

from ..engine import spreadsheet
from .test_engine_spreadsheet import text_file, workbook
from .test_review import ReviewCommon
from .test_rights import RightsCommon

HEADERS = ("Invoice", "Receipt", "Date", "Hour", "Result", "Reason", "Payment Date")
FEW, MANY = 3, 30


class ImportCommon(ReviewCommon, RightsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.day = date(2026, 11, 9)
        cls.first, cls.second, cls.third = (cls.bill(cls.customer, day=date(2026, 11, 3)) for _number in range(3))
        cls.settle()
        cls.user = cls.invoicing

    def file(self, *rows, headers=HEADERS):
        return workbook([headers, *rows])

    def row(self, invoice, receipt="R-1", day=None, hour=None, result="accepted", reason=None, promised=None):
        return [getattr(invoice, "name", invoice), receipt, day or self.day, hour, result, reason, promised]

    def wizard(self, content, file_name="reviews.xlsx", **values):
        values = {"file": base64.b64encode(content), "file_name": file_name, **values}
        return self.env["collection.review.import"].with_user(self.user).with_context(lang="en_US").create(values)

    def preview(self, content, *args, **values):
        wizard = self.wizard(content, *args, **values)
        action = wizard.action_preview()
        self.assertEqual((action["res_model"], action["res_id"]), (wizard._name, wizard.id))
        return wizard

    def messages(self, *rows, **values):
        """``{row: what is to be corrected}`` of a file with these rows; nothing is written, and nothing can be."""
        states = [move.read() for move in self.moves()]
        wizard = self.preview(self.file(*rows), **values)
        self.assertEqual([move.read() for move in self.moves()], states)
        return {line.number: line.message or False for line in wizard.line_ids.sorted("number")}

    def moves(self):
        return self.first | self.second | self.third

    def refused(self, content, text, *args, **values):
        with self.assertRaises(UserError) as caught:
            self.preview(content, *args, **values)
        self.assertEqual(str(caught.exception), text)


@tagged("post_install", "-at_install")
class TestReviewImport(ImportCommon):
    # === Good files ===#

    def test_a_workbook_is_shown_then_registered(self):
        content = self.file(
            self.row(self.first, "CR-7", hour=time(9, 30), promised=date(2026, 12, 18)),
            self.row(self.second, "CR-7", result="Aceptada"),
            [],
            self.row(self.third, None, result="RECHAZADO", reason="No purchase order"),
        )
        wizard = self.preview(content)
        self.assertEqual((wizard.row_count, wizard.good_count, wizard.fault_count, wizard.empty_count), (3, 3, 0, 1))
        self.assertEqual(wizard.line_ids.mapped("number"), [2, 3, 5])
        self.assertEqual(wizard.line_ids.move_id, self.moves())
        self.assertEqual(wizard.line_ids[0].moment, datetime(2026, 11, 9, 15, 30))
        self.assertEqual(wizard.line_ids[1].moment, datetime(2026, 11, 9, 18), "noon in Mexico City")
        self.assertEqual(self.moves().mapped("collection_review_state"), ["pending"] * 3, "nothing is written yet")
        action = wizard.action_import()
        self.assertEqual(self.env["account.move"].search(action["domain"]), self.moves())
        self.assertEqual(self.moves().mapped("collection_review_state"), ["accepted", "accepted", "rejected"])
        self.assertEqual(self.moves().mapped("collection_receipt_number"), ["CR-7", "CR-7", False])
        self.assertEqual(self.first.collection_review_date, self.day)
        self.assertEqual(self.first.collection_contractual_date, date(2026, 12, 9))
        self.assertEqual(self.first.invoice_date_due, date(2026, 12, 11))
        self.assertEqual(self.first.collection_promised_date, date(2026, 12, 18))
        self.assertFalse(self.second.collection_promised_date)
        self.assertEqual(self.third.collection_rejection_reason, "No purchase order")

    def test_a_csv_file_of_each_kind(self):
        rows = [
            ["FOLIO", "Contrarrecibo", "Fecha de revisión", "ESTATUS"],
            [self.first.name.lower(), "CR–1", "9/11/2026", "Aceptada"],
            [self.second.name, "CR–1", "09-nov-26 9:30 a. m.", "Ingresada"],
        ]
        for delimiter, encoding in ((",", "utf-8"), (";", "cp1252"), ("\t", "utf-16"), (";", "utf-8-sig")):
            wizard = self.preview(text_file(rows, delimiter, encoding), "reviews.csv")
            lines = wizard.line_ids
            self.assertEqual(lines.mapped("message"), [False, False])
            self.assertEqual(lines.move_id, self.first | self.second)
            self.assertEqual(lines.mapped("receipt_number"), ["CR–1", "CR–1"])
            self.assertEqual(lines.mapped("result"), ["accepted", "submitted"])
            self.assertEqual(lines.mapped("moment"), [datetime(2026, 11, 9, 18), datetime(2026, 11, 9, 15, 30)])
        wizard.action_import()
        self.assertEqual(self.first.collection_review_state, "accepted")
        self.assertEqual(self.second.collection_delivered_at, datetime(2026, 11, 9, 15, 30))

    def test_month_first_when_the_person_says_so(self):
        wizard = self.preview(self.file(self.row(self.first, day="11/9/2026")), date_order="mdy")
        self.assertEqual(wizard.line_ids.moment, datetime(2026, 11, 9, 18))
        wizard = self.preview(self.file(self.row(self.first, day="9/11/2026")))
        self.assertEqual(wizard.line_ids.moment, datetime(2026, 11, 9, 18))

    def test_today_without_an_hour_is_never_later_than_now(self):
        wizard = self.preview(self.file(self.row(self.first, day=self.today)))
        self.assertEqual(wizard.line_ids.moment, datetime(2026, 11, 12, 16))
        wizard.action_import()
        self.assertEqual(self.first.collection_review_date, self.today)

    def test_noon_where_the_customer_is(self):
        far = self.make_reviewer("Far Reviewer")
        far.tz = "Pacific/Auckland"
        invoice = self.bill(far, day=date(2026, 11, 3))
        wizard = self.preview(self.file(self.row(invoice, "A"), self.row(self.first, "B")))
        # 23:00 of the day before in UTC, where daylight saving time is kept.
        self.assertEqual(wizard.line_ids.mapped("moment"), [datetime(2026, 11, 8, 23), datetime(2026, 11, 9, 18)])
        wizard.action_import()
        self.assertEqual((invoice | self.first).mapped("collection_review_date"), [self.day, self.day])

    def test_rows_that_share_a_receipt_and_differ_otherwise(self):
        wizard = self.preview(
            self.file(self.row(self.first, "CR-1"), self.row(self.second, "CR-1", promised=date(2026, 12, 18)))
        )
        wizard.action_import()
        self.assertEqual((self.first | self.second).mapped("collection_receipt_number"), ["CR-1", "CR-1"])

    def test_an_invoice_by_a_reference_that_no_other_has(self):
        self.first.ref = "OC-1"
        self.second.payment_reference = "PAY-2"
        wizard = self.preview(self.file(self.row("oc-1"), self.row(" PAY-2 ")))
        self.assertEqual(wizard.line_ids.move_id, self.first | self.second)
        self.assertEqual(wizard.fault_count, 0)

    def test_the_number_of_an_invoice_goes_before_the_reference_of_another(self):
        self.second.ref = self.first.name
        wizard = self.preview(self.file(self.row(self.first)))
        self.assertEqual(wizard.line_ids.move_id, self.first)

    def test_a_delivery_of_which_the_credit_counts(self):
        customer = self.make_reviewer("By Delivery")
        customer.collection_credit_basis = "delivery"
        invoice = self.bill(customer, day=date(2026, 11, 3))
        self.preview(self.file(self.row(invoice, None, result="entregada"))).action_import()
        self.assertEqual(invoice.collection_delivered_at, datetime(2026, 11, 9, 18))

    # === Rows with errors ===#

    def test_each_bad_row_says_what_to_correct(self):
        plain = self.bill(self.make_customer("Plain Customer"), day=date(2026, 11, 3))
        company = self.company.name
        name = self.first.name
        rows = {
            ("NO/1",): f"{company} has no customer invoice “NO/1” that you may see: correct the number.",
            ("/",): f"{company} has no customer invoice “/” that you may see: correct the number.",
            ("",): "Write the number of the invoice.",
            (name, "R", "31/11/2026"): "“31/11/2026” is no date: write day, month and year, such as 28/02/2026.",
            (name, "R", 46000): "“46000” is no date: write day, month and year, such as 28/02/2026.",
            (name, "R", None, "25:00"): "“25:00” is no hour: write hours and minutes, such as 16:30.",
            (name, "R", date(2026, 11, 13)): f"The review of {name} lies in the future.",
            (name, "R", None, "23:00", "accepted", "", "soon"): "“soon” is no date: write day, month and year, such as "
            "28/02/2026.",
            (name, "R", date(2026, 11, 2)): f"{name} was invoiced on 11/03/2026 and cannot be reviewed before.",
            (name, "R", None, None, "perhaps"): "“perhaps” is no result: write Submitted, Accepted, Rejected.",
            (name, "R", None, None, "pendiente"): "“pendiente” is no result: write Submitted, Accepted, Rejected.",
            (name, "R", None, None, ""): "Write the result: Submitted, Accepted, Rejected.",
            (name, "", None, None, "rejected"): f"Say why {name} was rejected.",
            (name, "R", None, None, "rejected", "Torn"): "It was rejected and has receipt R: correct one of them.",
            (plain.name,): f"The credit of {plain.name} does not count from a review: say so on the invoice or on its "
            "customer first.",
        }
        for row, text in rows.items():
            self.assertEqual(self.messages(self.row(*row)), {2: f"Row 2: {text}"})
        no_day = self.file([name, "R", None, None, "accepted"])
        self.assertEqual(self.preview(no_day).line_ids.message, "Row 2: Write the day of the review.")

    def test_a_reference_of_several_invoices(self):
        (self.first | self.second).ref = "OC-9"
        self.assertEqual(
            self.messages(self.row("OC-9")),
            {
                2: f"Row 2: “OC-9” stands for 2 invoices, {self.first.display_name} and {self.second.display_name} "
                "among them: write the invoice's own number."
            },
        )

    def test_month_first_is_said_so(self):
        self.assertEqual(
            self.messages(self.row(self.first, day="31/10/2026"), date_order="mdy"),
            {2: "Row 2: “31/10/2026” is no date: write month, day and year, such as 02/28/2026."},
        )

    def test_a_row_with_several_errors_names_all_of_them(self):
        self.assertEqual(
            self.messages(["NO/1", None, "yesterday", None, "ok"]),
            {
                2: "Row 2: “yesterday” is no date: write day, month and year, such as 28/02/2026. “ok” is no result: "
                f"write Submitted, Accepted, Rejected. {self.company.name} has no customer invoice “NO/1” that you may "
                "see: correct the number."
            },
        )

    def test_the_same_invoice_twice(self):
        found = self.messages(self.row(self.first), self.row(self.second), self.row(self.first, result="Rechazada"))
        self.assertFalse(found[3])
        self.assertEqual(found[2], f"Row 2: {self.first.name} stands in rows 2, 4: keep one of them.")
        self.assertIn("stands in rows 2, 4", found[4])

    def test_a_receipt_of_another_invoice(self):
        self.third._register_review("accepted", datetime(2026, 11, 9, 18), {self.third: "CR-5"})
        text = (
            f"Receipt CR-5 of Reviewer is that of {self.third.name} already: correct the number, or register these "
            "invoices together."
        )
        found = self.messages(self.row(self.first, "CR-5"), self.row(self.second, "CR-6"))
        self.assertEqual(found, {2: f"Row 2: {text}", 3: False})
        self.assertEqual(
            self.messages(self.row(self.first, "CR-5"), self.row(self.third, "CR-5")), {2: False, 3: False}, "together"
        )
        left_out = self.messages(self.row(self.first, "CR-5"), self.row(self.third, "CR-5", day="31/11/2026"))
        self.assertEqual(left_out[2], f"Row 2: {text}", "a row that stays out shares no receipt")
        other = self.bill(self.make_reviewer("Another Reviewer"), day=date(2026, 11, 3))
        self.assertEqual(self.messages(self.row(other, "CR-5")), {2: False}, "each customer counts its own receipts")

    def test_other_documents_and_other_companies(self):
        bill = self.make_invoice(self.customer, move_type="in_invoice", invoice_date=self.day)
        cancelled = self.bill(self.customer, post=False)
        cancelled.write({"name": "GONE/1"})
        cancelled.button_cancel()
        other_company = self.env["res.company"].sudo().create({"name": "Other Company"})
        self.user.company_ids += other_company
        for name in (bill.name, "Other Company"):
            self.assertIn("has no customer invoice", self.messages(self.row(name))[2])
        self.assertIn("is no customer invoice that could be reviewed", self.messages(self.row("GONE/1"))[2])
        wizard = self.wizard(self.file(self.row(self.first))).with_company(other_company)
        wizard.action_preview()
        self.assertIn("Other Company has no customer invoice", wizard.line_ids.message)

    def test_what_was_rejected_or_taken_back_keeps_no_receipt(self):
        for result in ("rejected", "pending"):
            self.first._register_review("accepted", datetime(2026, 11, 9, 18), {self.first: "CR-5"})
            self.assertEqual(self.first.collection_receipt_number, "CR-5")
            self.first._register_review(result, datetime(2026, 11, 9, 18), {self.first: "CR-5"}, reason="Torn")
            self.assertFalse(self.first.collection_receipt_number, result)

    # === All or nothing ===#

    def test_rows_with_errors_are_left_out_only_when_the_person_says_so(self):
        wizard = self.preview(self.file(self.row("NO/1"), self.row(self.first), self.row("NO/2")))
        self.assertEqual((wizard.row_count, wizard.good_count, wizard.fault_count), (3, 1, 2))
        self.assertEqual(wizard.line_ids.mapped("number"), [2, 4, 3], "what is to be corrected comes first")
        with self.assertRaises(UserError) as caught:
            wizard.action_import()
        self.assertEqual(
            str(caught.exception),
            "Rows with errors: 2, row 2 first. Correct the file, or choose to leave these rows out.",
        )
        self.assertEqual(self.first.collection_review_state, "pending")
        wizard.leave_out = True
        wizard.action_import()
        self.assertEqual(self.moves().mapped("collection_review_state"), ["accepted", "pending", "pending"])

    def test_a_file_of_errors_alone(self):
        wizard = self.preview(self.file(self.row("NO/1")), leave_out=True)
        with self.assertRaisesRegex(UserError, "Every row has errors, so that nothing can be imported"):
            wizard.action_import()

    def test_a_failure_half_way_leaves_nothing(self):
        wizard = self.preview(self.file(self.row(self.first, "A"), self.row(self.second, None, result="Submitted")))
        self.second.sudo().with_context(skip_account_move_synchronization=True).collection_credit_basis = "invoice"
        messages = self.first.message_ids
        with self.assertRaises(UserError) as caught:
            wizard.action_import()
        self.assertIn(f"The credit of {self.second.name} does not count from a review", str(caught.exception))
        self.first.invalidate_recordset()
        self.assertEqual(self.first.collection_review_state, "pending")
        self.assertFalse(self.first.collection_receipt_number)
        self.assertEqual(self.first.message_ids, messages)
        self.assertEqual(len(wizard.line_ids), 2)

    def test_what_was_imported_is_not_imported_again(self):
        wizard = self.preview(self.file(self.row(self.first)))
        wizard.action_import()
        logged = len(self.first.message_ids)
        with self.assertRaisesRegex(UserError, "Choose a file and look at its preview first"):
            wizard.action_import()
        self.assertEqual(len(self.first.message_ids), logged)

    def test_another_file_after_a_preview(self):
        wizard = self.preview(self.file(self.row("NO/1"), [], self.row(self.first)), leave_out=True)
        wizard.action_other_file()
        self.assertFalse(wizard.line_ids or wizard.file or wizard.file_name or wizard.leave_out or wizard.empty_count)
        with self.assertRaisesRegex(UserError, "Choose a file first"):
            wizard.action_preview()
        wizard.file = base64.b64encode(self.file(self.row(self.first)))
        wizard.action_preview()
        wizard.action_preview()
        self.assertEqual((wizard.row_count, wizard.fault_count), (1, 0))

    # === Bad files ===#

    def test_each_bad_file_says_what_to_do(self):
        headers = "Invoice, Receipt, Date, Result"
        self.refused(b" ", "reviews.xlsx is empty.")
        self.refused(
            b"%PDF-1.7",
            "reviews.pdf is neither an XLSX nor a CSV file, or is damaged: save it as one of these in your spreadsheet "
            "program.",
            "reviews.pdf",
        )
        self.refused(
            spreadsheet.OLE + bytes(9), "old.xls has Excel's old format (.xls): save it as an XLSX workbook.", "old.xls"
        )
        self.refused(
            spreadsheet.OLE + "EncryptedPackage".encode("utf-16-le"),
            "reviews.xlsx is protected with a password: save it without one.",
        )
        self.refused(
            text_file([["a", "b"]]),
            f"No header was found in the first 20 rows of reviews.csv: write {headers} above the columns.",
            "reviews.csv",
        )
        self.refused(
            workbook([["a"]], [["b"]]),
            f"None of the sheets of reviews.xlsx (Sheet1, Sheet2) has the headers: write {headers} above the columns.",
        )
        self.refused(
            workbook([HEADERS], [HEADERS]),
            "Several sheets of reviews.xlsx have the headers (Sheet1, Sheet2): leave the one to import in a file of "
            "its own.",
        )
        self.refused(workbook([["Folio", "Fecha"]]), "reviews.xlsx lacks these columns: Receipt, Result.")
        self.refused(
            workbook([[*HEADERS, "DATE"]]), "Row 1 of reviews.xlsx has the header “Date” twice: leave one of them."
        )
        self.refused(workbook([HEADERS]), "reviews.xlsx has headers and no rows: write one row per invoice.")
        self.refused(
            b'Invoice,Receipt,Date,Result\nA,"B,9/11/2026,accepted\n',
            "Row 2 of reviews.csv cannot be read: a quotation mark in it is not closed, or stands where none can be.",
            "reviews.csv",
        )

    def test_limits_and_missing_libraries(self):
        two = self.file(self.row(self.first), self.row(self.second))
        with patch.object(spreadsheet, "MAX_ROWS", 1):
            self.refused(two, "reviews.xlsx has more than 1 rows: split it into several files.")
        with patch.object(spreadsheet, "MAX_BYTES", 1):
            self.refused(two, "reviews.xlsx is too large: split it into several files.")
        with patch.dict("sys.modules", {"openpyxl": None}):
            self.refused(
                two,
                "XLSX files cannot be read on this server: ask your administrator to install openpyxl, or save the "
                "file as CSV.",
            )

    # === The template ===#

    def test_the_template_can_be_filled_in_and_read(self):
        self.speak_spanish()
        for lang, header in (("en_US", "Invoice"), ("es_MX", "Factura")):
            empty = self.env["collection.review.import"].with_user(self.user).with_context(lang=lang).create({})
            self.assertTrue(empty.template_name.endswith(".xlsx"))
            book = load_workbook(io.BytesIO(base64.b64decode(empty.template)))
            sheet = book.active
            self.assertEqual(sheet["A1"].value, header)
            empty.file = empty.template
            empty.action_preview()
            self.assertIn(sheet["A2"].value, empty.line_ids.message)
            self.assertEqual((empty.line_ids.result, empty.line_ids.receipt_number), ("accepted", sheet["B2"].value))
            sheet["A2"] = self.first.name
            filled = io.BytesIO()
            book.save(filled)
            empty.file = base64.b64encode(filled.getvalue())
            empty.action_preview()
            self.assertFalse(empty.line_ids.message)
            self.assertEqual(empty.line_ids.move_id, self.first)
            self.assertEqual(empty.line_ids.promised_date, date(2026, 12, 12))

    def test_spanish(self):
        self.speak_spanish()
        wizard = self.wizard(self.file(self.row("NO/1", day="ayer"))).with_context(lang="es_MX")
        wizard.action_preview()
        self.assertEqual(
            wizard.line_ids.message,
            "Renglón 2: “ayer” no es una fecha: escriba día, mes y año, por ejemplo 28/02/2026. "
            f"{self.company.name} no tiene una factura de cliente “NO/1” que usted pueda ver: corrija el número.",
        )
        with self.assertRaises(UserError) as caught:
            wizard.action_import()
        self.assertIn("Renglones con errores: 1, primero el 2.", str(caught.exception))

    # === People ===#

    def test_who_may_import(self):
        debtor = self.debtor(self.customer)
        debtor.collector_id = self.collector
        for user, receipt in ((self.collector, "C"), (self.manager, "M"), (self.invoicing, "I")):
            self.user = user
            wizard = self.preview(self.file(self.row(self.first, receipt)))
            self.assertEqual(wizard.fault_count, 0, user.login)
            wizard.action_import()
            self.assertEqual(self.first.collection_receipt_number, receipt)
            self.first._register_review("pending", fields.Datetime.now())
            with self.assertRaises(AccessError):
                wizard.line_ids.create({"wizard_id": wizard.id, "number": 1, "verdict": "ok", "move_id": self.first.id})
        for user in (self.viewer, self.sender, self.employee, self.portal):
            self.user = user
            with self.assertRaises(AccessError, msg=user.login):
                self.wizard(b"")

    def test_a_collector_imports_nothing_of_another_s_customers(self):
        self.user = self.collector
        self.debtor(self.customer).collector_id = self.other_collector
        own = self.bill(self.make_reviewer("Mine to Review"), day=date(2026, 11, 3))
        self.debtor(own.partner_id).collector_id = self.collector
        wizard = self.preview(self.file(self.row(self.first, "A"), self.row(own, "B")), leave_out=True)
        self.assertEqual(
            wizard.line_ids.mapped("message"),
            [f"Row 2: Customers of another collector: {self.first.name}.", False],
        )
        wizard.action_import()
        self.assertEqual((self.first | own).mapped("collection_review_state"), ["pending", "accepted"])

    def test_the_menu_and_the_form(self):
        menu = self.env.ref("account_collection.menu_reviews_import")
        self.assertEqual(menu.parent_id, self.env.ref("account_collection.menu_reviews"))
        menus = self.env["ir.ui.menu"]
        self.assertIn(menu.id, menus.with_user(self.collector)._visible_menu_ids())
        self.assertNotIn(menu.id, menus.with_user(self.viewer)._visible_menu_ids())
        form = Form(self.env["collection.review.import"].with_user(self.collector))
        form.file = base64.b64encode(self.file(self.row(self.first))).decode()
        wizard = form.save()
        wizard.action_preview()
        self.assertEqual(Form(wizard).row_count, 1)

    # === Cost ===#

    def test_a_preview_takes_the_same_statements_for_few_and_many_rows_and_an_import_hardly_more(self):
        def rows(count):
            customer = self.make_reviewer(f"Customer of {count}")
            moves = self.bills(customer, *[1000] * (count - 2), day=date(2026, 11, 3))
            return [*(self.row(move, f"R-{count}") for move in moves), self.row("NO/1"), self.row(self.first, "", "x")]

        def costs(content):
            wizard = self.wizard(content, leave_out=True)
            return self.count_statements(wizard.action_preview), self.count_statements(wizard.action_import)

        few, many = self.file(*rows(FEW)), self.file(*rows(MANY))
        costs(few)
        (preview_few, import_few), (preview_many, import_many) = costs(few), costs(many)
        self.assertEqual(preview_few, preview_many)
        self.assertLess(import_many - import_few, (MANY - FEW) / 4, "a fraction of a statement for each more row")


@tagged("post_install", "-at_install")
class TestTemplateDownload(ImportCommon, HttpCase):
    def test_the_template_is_downloaded_by_whoever_may_import(self):
        self.user = self.collector
        self.user.password = self.user.login
        wizard = self.wizard(b"")
        self.authenticate(self.user.login, self.user.login)
        response = self.url_open(wizard.action_download_template()["url"])
        self.assertEqual(response.status_code, 200)
        self.assertIn(wizard.template_name, response.headers["Content-Disposition"])
        self.assertEqual(load_workbook(io.BytesIO(response.content)).active["A1"].value, "Invoice")
