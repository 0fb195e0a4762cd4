import csv
import io
import zipfile
from datetime import date, datetime, time
from unittest.mock import patch

import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..engine import cells, spreadsheet
from ..engine.spreadsheet import Column, SpreadsheetError
from .examples import examples

COLUMNS = (
    Column("invoice", ("Invoice", "Factura", "Folio")),
    Column("day", ("Date", "Fecha")),
    Column("note", ("Note", "Motivo de Rechazo"), required=False),
)
HEADERS = ["Factura", "Fecha", "Motivo de rechazo"]

texts = st.text(st.characters(codec="cp1252", exclude_categories=["Cc", "Zs"]), min_size=1, max_size=12)
# Serial numbers before March 1900 are Excel's own, and it keeps no more than milliseconds.
days = st.datetimes(datetime(1990, 1, 1), datetime(2150, 1, 1)).map(lambda moment: moment.replace(microsecond=0))
rows_of_text = st.lists(st.tuples(texts, texts, st.one_of(st.just(""), texts)), min_size=1, max_size=8)


def workbook(*sheets, hidden=()):
    """An XLSX file of these sheets, each a list of rows."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(
        buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        shown = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
        for number, rows in enumerate(sheets):
            sheet = book.add_worksheet()
            if number in hidden:
                sheet.hide()
            for row, values in enumerate(rows):
                for column, value in enumerate(values):
                    if isinstance(value, str):
                        sheet.write_string(row, column, value)
                    elif isinstance(value, date | time):
                        sheet.write_datetime(row, column, value, shown)
                    elif value is not None:
                        sheet.write(row, column, value)
    return buffer.getvalue()


def text_file(rows, delimiter=",", encoding="utf-8"):
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows(rows)
    return buffer.getvalue().encode(encoding)


@tagged("post_install", "-at_install")
class TestSpreadsheet(BaseCase):
    def cells_of(self, content):
        return [list(row.values.values()) for row in spreadsheet.read(content, COLUMNS).rows]

    def fails(self, content, code, **details):
        with self.assertRaises(SpreadsheetError) as caught:
            spreadsheet.read(content, COLUMNS, limit=details.get("limit", spreadsheet.MAX_ROWS))
        self.assertEqual((caught.exception.code, caught.exception.details), (code, details))

    # === What is written is read ===#

    @settings(max_examples=examples(100), deadline=None, derandomize=True)
    @given(rows_of_text, st.sampled_from(spreadsheet.DELIMITERS), st.sampled_from(["utf-8-sig", "utf-8", "utf-16"]))
    def test_a_csv_file_comes_back(self, rows, delimiter, encoding):
        content = text_file([HEADERS, *rows], delimiter, encoding)
        self.assertEqual(self.cells_of(content), [[cell or None for cell in row] for row in rows])

    @settings(max_examples=examples(60), deadline=None, derandomize=True)
    @given(st.lists(st.tuples(st.one_of(texts, st.integers(1, 10**9)), days, texts), min_size=1, max_size=8))
    def test_a_workbook_comes_back(self, rows):
        table = spreadsheet.read(workbook([HEADERS, *rows]), COLUMNS)
        for number, (row, written) in enumerate(zip(table.rows, rows, strict=True), start=2):
            self.assertEqual((row.number, row.values["invoice"], row.values["note"]), (number, written[0], written[2]))
            day, hour = cells.as_moment(row.values["day"])
            self.assertLessEqual(abs(datetime.combine(day, hour or time()) - written[1]).total_seconds(), 1)

    @settings(max_examples=examples(300), derandomize=True)
    @given(st.dates(date(1900, 1, 1), date(2199, 12, 31)), st.times().map(lambda hour: hour.replace(microsecond=0)))
    def test_a_date_is_read_as_it_is_written(self, day, hour):
        for text, day_first in (
            (f"{day:%d/%m/%Y}", True),
            (f"{day.day}-{day.month}-{day.year}", True),
            (f"{day:%m/%d/%Y}", False),
            (f"{day}", True),
        ):
            self.assertEqual(cells.as_moment(text, day_first=day_first), (day, None))
            for clock in (f"{hour}", f"{hour:%I:%M:%S %p}", f"{hour:%I:%M:%S} {'ap'[hour.hour > 11]}. m."):
                self.assertEqual(cells.as_moment(f"{text} {clock}", day_first=day_first), (day, hour))
                self.assertEqual(cells.as_time(clock), hour)

    def test_months_in_words(self):
        for text in ("12-nov-26", "12/NOV/2026", "12 de noviembre de 2026", "12 November 2026", "12 de nov. del 2026"):
            self.assertEqual(cells.as_moment(text), (date(2026, 11, 12), None), text)
        for text, month in (("1-ene-26", 1), ("1-abr-26", 4), ("1 apr 2026", 4), ("1-ago-26", 8), ("1-dic-26", 12)):
            self.assertEqual(cells.as_moment(text)[0].month, month)

    def test_what_is_no_date_and_no_hour(self):
        for value in (
            "31/02/2026",
            "13/13/2026",
            "2026-13-01",
            "mañana",
            "12-xyz-26",
            46000,
            "0226-01-01",
            "#N/A",
            "1/2",
        ):
            with self.assertRaises(cells.CellError, msg=value) as caught:
                cells.as_moment(value)
            self.assertEqual((caught.exception.code, caught.exception.text), (cells.BAD_DATE, str(value)))
        for value in ("25:00", "9:60", "13:00 pm", "noon", 24, 1.5):
            with self.assertRaises(cells.CellError, msg=value) as caught:
                cells.as_time(value)
            self.assertEqual(caught.exception.code, cells.BAD_TIME)
        self.assertIsNone(cells.as_moment(None))
        self.assertIsNone(cells.as_time("  "))

    # === Where the table stands ===#

    def test_headers_in_any_case_below_a_title_and_among_other_columns(self):
        rows = [
            ["Revisión de facturas", "Fecha"],
            [],
            ["x", " FECHA", "FACTURA ", "motivo  de RECHAZO"],
            ["", "a", "b"],
        ]
        expected = {"invoice": "b", "day": "a", "note": None}
        for content in (workbook(rows), text_file(rows), text_file(rows, ";", "cp1252")):
            (row,) = spreadsheet.read(content, COLUMNS).rows
            self.assertEqual((row.number, row.values), (4, expected))

    def test_the_first_header_of_a_column_is_it(self):
        content = text_file([["Folio", "Factura", "Fecha"], ["1", "F-1", "x"]])
        self.assertEqual(self.cells_of(content), [["F-1", "x"]])

    def test_empty_rows_between_are_counted_and_those_behind_are_none(self):
        rows = [HEADERS, [], ["a", "b"], ["  ", "\N{NO-BREAK SPACE}"], ["", ""], ["c", "d"], ["", ""], []]
        for content in (workbook(rows), text_file(rows)):
            table = spreadsheet.read(content, COLUMNS)
            self.assertEqual([row.number for row in table.rows], [3, 6])
            self.assertEqual(table.empty, 3)

    def test_the_sheet_that_has_the_table_hidden_ones_left_out(self):
        content = workbook([["Notes"]], [HEADERS, ["a", "b"]], [HEADERS, ["c", "d"]], hidden=[2])
        self.assertEqual(self.cells_of(content), [["a", "b", None]])

    def test_an_old_code_page(self):
        content = text_file([["Factura", "Fecha"], ["Añejo – 1", "x"]], ";", "cp1252")
        self.assertEqual(self.cells_of(content), [["Añejo – 1", "x"]])

    # === What cannot be read ===#

    def test_each_bad_file_has_its_code(self):
        damaged = workbook([HEADERS, ["a", "b"]])[:-30]
        other_archive = io.BytesIO()
        with zipfile.ZipFile(other_archive, "w") as archive:
            archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        self.fails(b"", spreadsheet.EMPTY)
        self.fails(b" \r\n", spreadsheet.EMPTY)
        self.fails(spreadsheet.OLE + bytes(600), spreadsheet.OLD_XLS)
        self.fails(spreadsheet.OLE + "EncryptedPackage".encode("utf-16-le"), spreadsheet.ENCRYPTED)
        for content in (
            damaged,
            other_archive.getvalue(),
            b"\x89PNG\r\n\0\0",
            b"%PDF-1.7",
            b"<html><table>",
            b"\xff\xfe\0",
        ):
            self.fails(content, spreadsheet.NOT_SPREADSHEET)
        self.fails(text_file([["a", "b"], ["c", "d"]]), spreadsheet.NO_HEADER, within=20)
        self.fails(workbook([["a", "b"]]), spreadsheet.NO_HEADER, within=20)
        self.fails(workbook([["a"]], [["b"]]), spreadsheet.WRONG_SHEET, sheets=["Sheet1", "Sheet2"])
        self.fails(workbook([HEADERS], [HEADERS]), spreadsheet.SEVERAL_SHEETS, sheets=["Sheet1", "Sheet2"])
        self.fails(text_file([["Folio", "Note"]]), spreadsheet.MISSING_COLUMNS, columns=["day"])
        self.fails(workbook([["Nothing"]], [["Fecha"]]), spreadsheet.MISSING_COLUMNS, columns=["invoice"])
        self.fails(text_file([["Fecha", "Factura", "FECHA"]]), spreadsheet.DOUBLE_COLUMN, header="Fecha", row=1)
        self.fails(b'Factura,Fecha\nF-1,"x\nF-2,y\n', spreadsheet.BROKEN_ROW, row=2)

    def test_more_rows_than_the_limit(self):
        rows = [HEADERS, *([str(number), "x"] for number in range(4))]
        for content in (workbook(rows), text_file(rows)):
            self.fails(content, spreadsheet.TOO_MANY_ROWS, limit=3)
            self.assertEqual(len(spreadsheet.read(content, COLUMNS, limit=4).rows), 4)

    def test_an_archive_that_unpacks_to_too_much(self):
        with patch.object(spreadsheet, "MAX_BYTES", 1000):
            self.fails(workbook([HEADERS]), spreadsheet.TOO_LARGE)

    def test_without_openpyxl(self):
        with patch.dict("sys.modules", {"openpyxl": None}):
            self.fails(workbook([HEADERS]), spreadsheet.NO_OPENPYXL)
            self.assertEqual(self.cells_of(text_file([HEADERS, ["a", "b", ""]])), [["a", "b", None]])
