"""Small tables that people send: XLSX or CSV bytes in, rows by column out.

*What it is.* A reader for imports that a person prepares by hand, with a header row somewhere near the top. What a file
is follows from its bytes, never from its name.

*How to use.* Name the wanted columns with the headers by which they may be called, and :func:`read` the file; its rows
hold the raw cells under the names of the columns; :mod:`engine.cells` says what they mean. Every error is a
:class:`SpreadsheetError` with a code and details: its words are the caller's.

*How it works.* The header row is the first one that has all required columns; the delimiter of a CSV and the sheet of a
workbook are those in which it is found. Cells are read one row at a time, formulas as their last results.

>>> columns = [Column("invoice", ("Factura", "Invoice")), Column("day", ("Fecha",)), Column("note", ("Nota",), False)]
>>> table = read("Facturas;;\\nFACTURA ;Nota;fecha\\nF-1;;3/11/2026\\n;;\\nF-2;Falta;".encode(), columns)
>>> table.empty
1
>>> for row in table.rows:
...     print(row.number, row.values)
3 {'invoice': 'F-1', 'day': '3/11/2026', 'note': None}
5 {'invoice': 'F-2', 'day': None, 'note': 'Falta'}
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from .cells import as_text, fold

MAX_ROWS = 20_000
# Where people write titles before their table begins.
HEADER_WITHIN = 20
# Unpacked: a workbook of 20,000 rows has some 10 MB; a file made to exhaust the memory has gigabytes.
MAX_BYTES = 200 * 1024 * 1024
DELIMITERS = ",;\t"

# Codes of a SpreadsheetError, each with its details.
EMPTY = "empty"
NOT_SPREADSHEET = "not_spreadsheet"
OLD_XLS = "old_xls"
ENCRYPTED = "encrypted"
NO_OPENPYXL = "no_openpyxl"
TOO_LARGE = "too_large"
TOO_MANY_ROWS = "too_many_rows"
BROKEN_ROW = "broken_row"
NO_HEADER = "no_header"
WRONG_SHEET = "wrong_sheet"
SEVERAL_SHEETS = "several_sheets"
MISSING_COLUMNS = "missing_columns"
DOUBLE_COLUMN = "double_column"

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = b"PK\x03\x04"
BYTE_ORDERS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


class SpreadsheetError(ValueError):
    """``code`` says what is wrong, ``details`` with what."""

    def __init__(self, code: str, **details):
        super().__init__(code, details)
        self.code = code
        self.details = details


class Column(NamedTuple):
    """A column under the name that its reader uses, with the headers that it may have; the first one found is it."""

    name: str
    headers: tuple[str, ...]
    required: bool = True


class Row(NamedTuple):
    """A row as numbered where people see it; its cells by column: text, number, date, time or None."""

    number: int
    values: dict[str, object]


class Table(NamedTuple):
    """The rows that hold something, and how many between them held nothing."""

    rows: list[Row]
    empty: int


def read(content: bytes, columns: Sequence[Column], *, limit: int = MAX_ROWS) -> Table:
    """The rows of the table in a file.

    :param content: bytes of an XLSX file, or of a CSV one in UTF-8, UTF-16 or the Windows code page of Western Europe
    :param limit: most rows that are read
    :raise SpreadsheetError: EMPTY, NOT_SPREADSHEET, OLD_XLS, ENCRYPTED, NO_OPENPYXL, TOO_LARGE; TOO_MANY_ROWS (limit);
        BROKEN_ROW (row); NO_HEADER (within); WRONG_SHEET, SEVERAL_SHEETS (sheets); MISSING_COLUMNS (columns: their
        names); DOUBLE_COLUMN (header, row)
    """
    if not content.strip():
        raise SpreadsheetError(EMPTY)
    if content.startswith(OLE):
        # Excel wraps a workbook with a password in the container of its old format.
        raise SpreadsheetError(ENCRYPTED if "EncryptedPackage".encode("utf-16-le") in content else OLD_XLS)
    if content.startswith(ZIP):
        return _read_workbook(content, columns, limit)
    return _read_text(_decode(content), columns, limit)


# === Files ===#


def _decode(content: bytes) -> str:
    for mark, encoding in BYTE_ORDERS.items():
        if content.startswith(mark):
            encodings = (encoding,)
            break
    else:
        # The last one decodes whatever bytes there are.
        encodings = ("utf-8", "cp1252", "latin-1")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise SpreadsheetError(NOT_SPREADSHEET)
    # Pictures and programs have zeros; pages and PDF files say what they are.
    if "\0" in text or text.lstrip()[:1] == "<" or text.startswith("%PDF"):
        raise SpreadsheetError(NOT_SPREADSHEET)
    return text


def _read_text(text: str, columns: Sequence[Column], limit: int) -> Table:
    headers = {}
    for delimiter in DELIMITERS:
        try:
            headers[delimiter] = _find_header(_records(text, delimiter), columns)
        except SpreadsheetError:
            # Quotation marks that make no sense with this delimiter.
            headers[delimiter] = _Header(0, {})
    best = max(DELIMITERS, key=lambda delimiter: len(headers[delimiter].positions))
    return _table(_records(text, best), headers[best].checked(columns), limit)


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    # Strict: a quotation mark that is never closed would swallow the rows after it.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for record in reader:
            number += 1
            yield record
    except csv.Error:
        raise SpreadsheetError(BROKEN_ROW, row=number + 1) from None


def _read_workbook(content: bytes, columns: Sequence[Column], limit: int) -> Table:
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise SpreadsheetError(NO_OPENPYXL) from None
    with _damaged(), zipfile.ZipFile(io.BytesIO(content)) as archive:
        unpacked = sum(part.file_size for part in archive.infolist())
    if unpacked > MAX_BYTES:
        raise SpreadsheetError(TOO_LARGE)
    with _damaged():
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        for sheet in sheets:
            # What a file says of its own size is often wrong.
            sheet.reset_dimensions()
    return _read_sheets({sheet.title: sheet for sheet in sheets}, columns, limit)


@contextmanager
def _damaged() -> Iterator[None]:
    """A damaged file fails wherever its library happens to trip: by its format, by its XML, by a number in it."""
    try:
        yield
    except Exception:
        raise SpreadsheetError(NOT_SPREADSHEET) from None


def _sheet_records(sheet) -> Iterator[tuple]:
    with _damaged():
        yield from sheet.iter_rows(values_only=True)


def _read_sheets(sheets: dict[str, object], columns: Sequence[Column], limit: int) -> Table:
    headers = {title: _find_header(_sheet_records(sheet), columns) for title, sheet in sheets.items()}
    complete = [title for title, header in headers.items() if not header.missing(columns)]
    if len(complete) > 1:
        raise SpreadsheetError(SEVERAL_SHEETS, sheets=complete)
    if len(sheets) > 1 and not any(header.positions for header in headers.values()):
        raise SpreadsheetError(WRONG_SHEET, sheets=list(sheets))
    title = max(headers, key=lambda title: (title in complete, len(headers[title].positions)), default=None)
    if title is None:
        raise SpreadsheetError(EMPTY)
    return _table(_sheet_records(sheets[title]), headers[title].checked(columns), limit)


# === Header and rows ===#


class _Header(NamedTuple):
    """The row with the headers, numbered from 1, and at which position each column stands."""

    row: int
    positions: dict[str, int]
    double: str | None = None

    def missing(self, columns: Sequence[Column]) -> list[str]:
        return [column.name for column in columns if column.required and column.name not in self.positions]

    def checked(self, columns: Sequence[Column]) -> _Header:
        if not self.positions:
            raise SpreadsheetError(NO_HEADER, within=HEADER_WITHIN)
        if missing := self.missing(columns):
            raise SpreadsheetError(MISSING_COLUMNS, columns=missing)
        if self.double:
            raise SpreadsheetError(DOUBLE_COLUMN, header=self.double, row=self.row)
        return self


def _find_header(records: Iterable[Sequence], columns: Sequence[Column]) -> _Header:
    """The first row near the top with all required columns, else the one with most of them."""
    best = _Header(0, {})
    for number, record in enumerate(records, start=1):
        header = _match_header(number, record, columns)
        if len(header.positions) > len(best.positions):
            best = header
        if (header.positions and not header.missing(columns)) or number == HEADER_WITHIN:
            break
    return best


def _match_header(number: int, record: Sequence, columns: Sequence[Column]) -> _Header:
    written: dict[str, list[int]] = {}
    for position, value in enumerate(record):
        if isinstance(value, str) and (folded := fold(value)):
            written.setdefault(folded, []).append(position)
    positions, double = {}, None
    for column in columns:
        for header in column.headers:
            if found := written.get(fold(header)):
                positions[column.name] = found[0]
                double = double or (as_text(record[found[0]]) if len(found) > 1 else None)
                break
    return _Header(number, positions, double)


def _table(records: Iterable[Sequence], header: _Header, limit: int) -> Table:
    rows, empty, blank = [], 0, 0
    for number, record in enumerate(records, start=1):
        if number <= header.row:
            continue
        values = {
            name: _cell(record[position]) if position < len(record) else None
            for name, position in header.positions.items()
        }
        if all(value is None for value in values.values()):
            blank += 1
            continue
        # Blank rows after the last one are no rows of the table.
        empty, blank = empty + blank, 0
        if len(rows) == limit:
            raise SpreadsheetError(TOO_MANY_ROWS, limit=limit)
        rows.append(Row(number, values))
    return Table(rows, empty)


def _cell(value: object) -> object:
    """A cell, None when nothing can be seen in it."""
    return None if isinstance(value, str) and not value.strip() else value
