import io
import os
import re
import subprocess
import tempfile
import threading
import time
from datetime import date
from unittest.mock import Mock, patch

import psycopg2
from markupsafe import Markup

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger
from odoo.tools.pdf import PdfFileReader

from ..models.print_errors import PrintTimeoutError
from ..report import statement_pdf
from ..report.statement_report import _Renderer, clean_message
from .test_statement import StatementCommon

REPORT = "account_collection.action_report_statement"


def page_texts(pdf):
    """The text of each page; Qt writes the space glyph as a tabulator, which readers show as a space."""
    pages = PdfFileReader(io.BytesIO(pdf), strict=False).pages
    return [re.sub(r"\s+", " ", page.extract_text()) for page in pages]


def hang(printing, command, html, timeout):
    time.sleep(min(timeout, 0.2))
    raise subprocess.TimeoutExpired(command, timeout)


def text(pdf):
    return "\n".join(page_texts(pdf))


@tagged("post_install", "-at_install")
class TestStatementPdf(StatementCommon):
    @classmethod
    def owing(cls, name, lines=1, amount=100.0, **values):
        """A customer who owes ``lines`` items of ``amount``, and its debtor."""
        partner = cls.env["res.partner"].create({"name": name, **values})
        item = {"account_id": cls.receivable_account.id, "partner_id": partner.id, "balance": amount}
        item["date_maturity"] = date(2024, 2, 20)
        income = {"account_id": cls.company_data["default_account_revenue"].id, "balance": -amount * lines}
        cls.env["account.move"].create(
            {
                "date": date(2024, 2, 1),
                "line_ids": [(0, 0, {**item, "name": f"Order {number}"}) for number in range(lines)] + [(0, 0, income)],
            }
        ).action_post()
        return cls.debtor(partner)

    def render(self, debtors, **options):
        return debtors._render_statement_pdfs(date(2024, 3, 1), **options)

    def test_one_page_says_everything(self):
        self.customer.write({"vat": False, "ref": "C-0042", "street": "Calle 5", "city": "Puebla"})
        self.company.partner_id.write({"street": "Av. Juárez 10", "phone": "+1 555 0100"})
        collector = self.viewer
        invoice = self.invoice(1234.5, date(2024, 2, 1), date(2024, 2, 20), ref="PO-77")
        self.bank_entry(34.5, date(2024, 2, 25))
        debtor = self.debtor()
        debtor.sudo().collector_id = collector
        pdf = self.render(debtor)[debtor.id]
        (page,) = page_texts(pdf)
        for expected in (
            self.company.name,
            "Av. Juárez 10",
            "Ferretería Ñandú",
            "Calle 5",
            "C-0042",
            "03/01/2024",
            invoice.name,
            "PO-77",
            "02/01/2024",
            "02/20/2024",
            "10",
            "1,234.50",
            "-34.50",
            "1,200.00",
            "Payment",
            "31-60",
            collector.name,
        ):
            self.assertIn(expected, page)
        self.assertLessEqual(len(pdf), 30 * 1024)

    def test_a_batch_gives_each_customer_its_own(self):
        debtors = self.env["collection.debtor"].with_user(self.viewer)
        for number in range(13):
            lines = 90 if number % 8 == 0 else 1 + number % 4
            debtors |= self.owing(f"Customer {number:02d} Ñandú", lines, 100.0 + number)
        with patch.object(statement_pdf, "CHUNK_SIZE", 5):
            pdfs = self.render(debtors)
        self.assertEqual(list(pdfs), debtors.ids)
        for number, debtor in enumerate(debtors):
            pages = page_texts(pdfs[debtor.id])
            self.assertEqual(len(pages) > 1, number % 8 == 0)
            names = set(re.findall(r"Customer (\d\d)", "".join(pages)))
            self.assertEqual(names, {f"{number:02d}"})
            lines = 90 if number % 8 == 0 else 1 + number % 4
            self.assertEqual("".join(pages).count("Order "), lines)
            self.assertIn(f"{(100 + number) * lines:,.2f}", pages[-1])

    def test_alone_and_among_many_are_the_same(self):
        debtors = self.owing("First", 60) | self.owing("Second" * 12, 3) | self.owing("Third", 1)
        together = self.render(debtors)
        for debtor in debtors:
            alone = self.render(debtor)[debtor.id]
            self.assertEqual(page_texts(alone), page_texts(together[debtor.id]))
        self.assertEqual(
            debtors._get_statement(date(2024, 3, 1))[debtors[0].id]["currencies"],
            debtors[0]._get_statement(date(2024, 3, 1))[debtors[0].id]["currencies"],
        )

    def test_a_document_that_does_not_render_stops_no_other(self):
        debtors = self.owing("First") | self.owing("Broken") | self.owing("Third")
        original = _Renderer.render

        def render(renderer, statement, message=None):
            if statement["partner"].name == "Broken":
                raise ValueError("this template does not render")
            return original(renderer, statement, message)

        with patch.object(_Renderer, "render", render):
            pdfs = self.render(debtors)
        self.assertIsInstance(pdfs[debtors[1].id], ValueError)
        self.assertIn("First", text(pdfs[debtors[0].id]))
        self.assertIn("Third", text(pdfs[debtors[2].id]))

    def test_a_document_that_does_not_print_stops_no_other(self):
        original, printed = statement_pdf.Printing._run, []

        def run(printing, command, html, timeout):
            printed.append(timeout)
            if "poison" in html:
                raise statement_pdf.PrintError("cannot print this")
            return original(printing, command, html, timeout)

        documents = [f"<p>Document {number}</p>" for number in range(6)]
        documents[2] = "<p>poison</p>"
        with patch.object(statement_pdf.Printing, "_run", run):
            results = statement_pdf.render(self.env, documents, self.company.paperformat_id)
        self.assertIsInstance(results.pop(2), UserError)
        self.assertEqual(
            [text(result).strip() for result in results], [f"Document {number}" for number in (0, 1, 3, 4, 5)]
        )
        self.assertLess(len(printed), 8)

    def test_a_document_that_hangs_is_found_before_odoo_kills_the_job(self):
        """By the time that each process may take: 125 documents, of which the last one hangs."""
        clock = [0.0]

        def run(printing, command, html, timeout):
            hangs = "poison" in html
            clock[0] += timeout if hangs else 1
            if hangs:
                raise subprocess.TimeoutExpired(command, timeout)
            return html

        documents = [*(f"<p>Document {number}</p>" for number in range(124)), "<p>poison</p>"]
        with (
            patch.object(statement_pdf.Printing, "_run", run),
            patch.object(statement_pdf, "_split", lambda html, count: re.findall(r"Document \d+|poison", html)),
            patch.object(statement_pdf, "time", Mock(monotonic=lambda: clock[0])),
        ):
            results = statement_pdf.render(self.env, documents, self.company.paperformat_id)
        self.assertIsInstance(results.pop(), PrintTimeoutError)
        self.assertEqual(len(results), 124)
        self.assertFalse([result for result in results if isinstance(result, Exception)])
        self.assertLess(clock[0], statement_pdf.DEADLINE + 10)

    def test_when_everything_hangs_it_ends_at_the_deadline(self):
        with (
            patch.object(statement_pdf, "DEADLINE", 0.5),
            patch.object(statement_pdf.Printing, "_run", hang),
        ):
            results = statement_pdf.render(self.env, ["<p>"] * 30, self.company.paperformat_id)
        self.assertEqual({type(result) for result in results}, {PrintTimeoutError})

    def test_whoever_leaves_early_ends_what_prints(self):
        original, started = statement_pdf.Printing._execute, []

        def execute(printing, command, folder, timeout):
            started.append(folder)
            return original(printing, ["sleep", "60"], folder, timeout)

        begun = time.monotonic()
        with (
            patch.object(statement_pdf.Printing, "_execute", execute),
            patch.object(statement_pdf, "CHUNK_SIZE", 1),
            self.assertRaises(ValueError),
            statement_pdf.Printing(self.env) as printing,
        ):
            printing.start(["<p>"] * 9, self.company.paperformat_id)
            raise ValueError("something else failed meanwhile")
        self.assertLess(time.monotonic() - begun, 30)
        self.assertFalse(printing._processes)
        self.assertLessEqual(len(started), statement_pdf.PROCESSES)

    def test_papers_share_the_processes(self):
        papers = [self.env.ref("base.paperformat_euro"), self.env.ref("base.paperformat_us")]
        together, lock, most = set(), threading.Lock(), []
        original = statement_pdf.Printing._execute

        def execute(printing, command, folder, timeout):
            with lock:
                together.add(folder)
                most.append(len(together))
            try:
                return original(printing, command, folder, timeout)
            finally:
                with lock:
                    together.discard(folder)

        with (
            patch.object(statement_pdf.Printing, "_execute", execute),
            patch.object(statement_pdf, "CHUNK_SIZE", 1),
            statement_pdf.Printing(self.env) as printing,
        ):
            finishes = [printing.start(["<p>One</p>", "<p>Two</p>"], paper) for paper in papers * 2]
            for finish in finishes:
                self.assertEqual([text(pdf).strip() for pdf in finish()], ["One", "Two"])
        self.assertLessEqual(max(most), statement_pdf.PROCESSES)

    def test_an_error_of_the_database_is_no_document_s_own(self):
        debtors = self.owing("First") | self.owing("Broken")

        def render(renderer, template, *args):
            with mute_logger("odoo.sql_db"):
                try:
                    renderer.env.cr.execute("SELECT 1 / 0")
                except Exception as error:
                    raise ValueError("as QWeb wraps it") from error

        with (
            patch.object(_Renderer, "render_document", render),
            self.assertRaises(psycopg2.Error),
            self.env.cr.savepoint(),
        ):
            self.render(debtors)
        self.assertTrue(debtors.exists(), "the transaction goes on after its savepoint")

    def test_html_that_disturbs_its_neighbours_is_printed_apart(self):
        documents = ["<p>Document 0</p>", "</div></div></body><!--", "<p>Document 2</p>"]
        results = statement_pdf.render(self.env, documents, self.company.paperformat_id)
        self.assertEqual(text(results[0]).strip(), "Document 0")
        self.assertEqual(text(results[2]).strip(), "Document 2")

    def test_a_document_that_imitates_the_marker_is_split_right(self):
        colour = f"<div style='background-color:rgb{statement_pdf.MARKER_COLOUR};height:1px'></div>"
        imitation = (
            "<p>Document 1</p><div style='page-break-before:always'>"
            f"{colour}<div style='background-color:rgb(232,232,234);height:1px'></div>more</div>"
        )
        documents = ["<p>Document 0</p>", imitation, "<p>Document 2</p>"]
        results = statement_pdf.render(self.env, documents, self.company.paperformat_id)
        self.assertEqual([len(page_texts(result)) for result in results], [1, 2, 1])
        for number, result in enumerate(results):
            self.assertIn(f"Document {number}", text(result))

    def test_a_letter_comes_before_the_tables(self):
        debtors = self.owing("First") | self.owing("Second")
        message = Markup("<p>Dear customer, please pay.</p><div><b>Left open<script>alert(1)</script>")
        pdfs = self.render(debtors, messages={debtors[0].id: message})
        letter, plain = (text(pdfs[debtor.id]) for debtor in debtors)
        self.assertLess(letter.index("please pay"), letter.index("Due date"))
        self.assertNotIn("alert", letter)
        self.assertNotIn("please pay", plain)

    def test_a_letter_touches_nothing_but_itself(self):
        html = clean_message(
            "<style>*{display:none}</style><p style='position:fixed; color:red'>Hello"
            "<img src='http://localhost/x.png'/><img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='/>"
        )
        self.assertNotIn("style>", html)
        self.assertNotIn("position", html)
        self.assertNotIn("http:", html)
        self.assertEqual(html.count("<img"), 1)
        self.assertEqual(html.count("<p"), html.count("</p>"))

    def test_the_customer_s_language_and_formats(self):
        for code in ("fr_FR", "es_MX"):
            self.env["res.lang"].sudo()._activate_lang(code)
        view = self.env.ref("account_collection.report_statement_document").sudo()
        view.update_field_translations("arch_db", {"es_MX": {"Statement of account": "Estado de cuenta"}})
        english = self.owing("English", amount=1234.5)
        french = self.owing("Français", amount=1234.5, lang="fr_FR")
        spanish = self.owing("Español", amount=1234.5, lang="es_MX")
        pdfs = self.render(english | french | spanish)
        english, french, spanish = (text(pdfs[debtor.id]) for debtor in (english, french, spanish))
        self.assertIn("Statement of account", english)
        self.assertIn("02/20/2024", english)
        self.assertIn("1,234.50", english)
        self.assertIn("20/02/2024", french)
        self.assertIn("1 234,50", french)
        self.assertIn("Estado de cuenta", spanish)
        self.assertNotIn("Statement of account", spanish)

    def test_no_bank_account_no_section(self):
        self.company.partner_id.bank_ids.sudo().unlink()
        debtor = self.owing("First")
        self.assertNotIn("Where to pay", text(self.render(debtor)[debtor.id]))
        self.env["res.partner.bank"].sudo().create(
            {"partner_id": self.company.partner_id.id, "acc_number": "0123 4567"}
        )
        page = text(self.render(debtor)[debtor.id])
        self.assertIn("Where to pay", page)
        self.assertIn("0123 4567", page)

    def test_nothing_owed_is_said(self):
        invoice = self.invoice(100.0, date(2024, 2, 1))
        self.bank_entry(100.0, date(2024, 2, 2), invoice)
        debtor = self.debtor()
        self.assertIn("There are no open items", text(self.render(debtor)[debtor.id]))

    def test_print_menu_merges_in_the_order_of_the_selection(self):
        debtors = self.owing("First") | self.owing("Second", 70) | self.owing("Third")
        chosen = [debtors[2].id, debtors[1].id, debtors[0].id]
        report = self.env["ir.actions.report"].with_user(self.viewer).with_context(force_report_rendering=True)
        pdf, kind = report._render_qweb_pdf(REPORT, chosen)
        self.assertEqual(kind, "pdf")
        names = re.findall("First|Second|Third", text(pdf))
        self.assertEqual(list(dict.fromkeys(names)), ["Third", "Second", "First"])
        alone, _kind = report._render_qweb_pdf(REPORT, debtors[0].ids)
        self.assertEqual(len(page_texts(alone)), 1)
        self.assertIn("First", text(alone))

    def test_print_menu_names_the_customer_that_failed(self):
        debtors = self.owing("First") | self.owing("Broken")
        failed = {debtors[0].id: b"", debtors[1].id: ValueError("no paper")}
        report = self.env["ir.actions.report"].with_context(force_report_rendering=True)
        with (
            patch.object(type(debtors), "_render_statement_pdfs", lambda *args, **kwargs: failed),
            self.assertRaisesRegex(UserError, "Broken.*no paper"),
        ):
            report.with_user(self.viewer)._render_qweb_pdf(REPORT, debtors.ids)

    def test_preview(self):
        debtors = self.owing("First") | self.owing("Second")
        html, kind = self.env["ir.actions.report"].with_user(self.viewer)._render_qweb_html(REPORT, debtors.ids)
        self.assertEqual(kind, "html")
        html = html.decode() if isinstance(html, bytes) else str(html)
        self.assertTrue(html.lstrip().startswith("<!DOCTYPE html>"))
        self.assertLess(html.index("First"), html.index("Second"))

    def test_it_is_in_the_print_menu(self):
        action = self.env.ref(REPORT)
        self.assertEqual(action.binding_model_id.model, "collection.debtor")
        self.assertEqual(action.binding_type, "report")

    def test_missing_wkhtmltopdf_is_said(self):
        debtor = self.owing("First")
        with (
            patch.object(statement_pdf, "find_in_path", side_effect=OSError),
            self.assertRaisesRegex(UserError, "not installed"),
        ):
            self.render(debtor)

    def test_no_file_stays_behind(self):
        debtor = self.owing("First")
        with tempfile.TemporaryDirectory() as folder, patch.object(tempfile, "tempdir", folder):
            self.render(debtor)
            statement_pdf.render(self.env, ["<p>"], self.company.paperformat_id)
            self.assertEqual(os.listdir(folder), [])
