"""Tables as an XLSX file, the way every export of the add-on writes them.

What: sheets with a title, one table each and its totals; numbers are numbers, dates are dates, printed in landscape.

How to use::

    book = Book()
    sheet = book.add_sheet("Reviews", "Review report", ["1 to 30 November"], [Column("Customer", 30), amount_column])
    sheet.add_row(["Acme", 10.0])
    sheet.add_total("Total of Acme", since=sheet.next_row - 1)
    sheet.add_total("Total")
    sheet.add_row(["Twice", Formula(f"=2*{cell_name(sheet.first_row, 1)}", 20.0)])
    book.add_chart(sheet, "By customer", [1])
    content = book.close()

How it works: totals are SUBTOTAL formulas, which leave out other SUBTOTALs and what a filter hides: a grand total
covers the whole column, the totals of its groups included. Each formula is stored with its computed value, for readers
that do not calculate. Texts are written as texts: one that begins with "=" is no formula.
"""

import io
import math
import re
from typing import NamedTuple

import xlsxwriter
from xlsxwriter.utility import xl_range, xl_rowcol_to_cell

TEXT, DATE, INTEGER, AMOUNT = "text", "date", "integer", "amount"
SUM, AVERAGE = 9, 1  # functions of SUBTOTAL
PAPERS = {"Letter": 1, "Legal": 5, "A3": 8, "A4": 9, "A5": 11}
SHORT_DATE = 14  # Excel's own format: a date as the reader's machine writes it
FORBIDDEN_IN_NAME = re.compile(r"[\[\]:*?/\\']")
NAME_LENGTH = 31
CHART_WIDTH, CHART_HEIGHT = 960, 360


class Formula(NamedTuple):
    """What a cell computes, and what it came to."""

    text: str
    value: float


def cell_name(row, position, last=None):
    """How formulas name a cell, or those of a row up to the position ``last``.

    >>> cell_name(4, 1), cell_name(4, 1, last=3)
    ('B5', 'B5:D5')
    """
    return xl_rowcol_to_cell(row, position) if last is None else xl_range(row, position, row, last)


class Column(NamedTuple):
    label: str
    width: int = 12
    kind: str = TEXT
    total: int | None = None
    decimals: int = 2

    def get_format(self, *, total=False):
        places = 1 if total and self.total == AVERAGE else self.decimals if self.kind == AMOUNT else 0
        number = {"num_format": "#,##0" + ("." + "0" * places if places else "")}
        return {TEXT: {"text_wrap": True}, DATE: {"num_format": SHORT_DATE, "align": "right"}}.get(self.kind, number)

    def compute(self, numbers):
        result = math.fsum(numbers) / (len(numbers) if self.total == AVERAGE else 1)
        return round(result, self.decimals) if self.kind == AMOUNT else result


def amount_columns(label, currencies, width=15):
    """A column of amounts for each currency, for they are never added up together."""
    return [Column(f"{label} {currency.name}", width, AMOUNT, SUM, currency.decimal_places) for currency in currencies]


class Book:
    """A workbook in memory; ``paper`` is a name of Odoo's paper formats."""

    def __init__(self, paper="A4"):
        self._buffer = io.BytesIO()
        self._book = xlsxwriter.Workbook(self._buffer, {"in_memory": True})
        self._paper = PAPERS.get(paper, PAPERS["A4"])
        self._formats = {}
        self._sheets = {}

    def add_sheet(self, name, title, notes, columns):
        """A sheet with its title, lines of notes below it, and the headers of its table."""
        base = FORBIDDEN_IN_NAME.sub(" ", name).strip() or "-"
        free, number = base[:NAME_LENGTH], 1
        while free.lower() in self._sheets:
            number += 1
            free = f"{base[: NAME_LENGTH - 5]} ({number})"
        sheet = Sheet(self._book.add_worksheet(free), self.get_format, title, notes, columns)
        sheet.set_up_print(self._paper)
        self._sheets[free.lower()] = sheet
        return sheet

    def add_chart(self, sheet, title, positions, labels=0):
        """A chart of columns below what was written of ``sheet``, to be called once it is complete.

        :param positions: of the columns that are shown, each with its header as its name
        :param labels: position of the column that names what is compared
        """
        chart = self._book.add_chart({"type": "column"})
        for position in positions:
            chart.add_series(sheet.get_series(position, labels))
        chart.set_title({"name": title, "name_font": {"size": 12}})
        chart.set_legend({"position": "bottom"})
        chart.set_size({"width": CHART_WIDTH, "height": CHART_HEIGHT})
        sheet.place(chart)

    def get_format(self, **properties):
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self._book.add_format({"valign": "top", **properties})
        return self._formats[key]

    def close(self):
        """Return the bytes of the file."""
        for sheet in self._sheets.values():
            sheet.close()
        self._book.close()
        return self._buffer.getvalue()


class Sheet:
    """One table, written from top to bottom; ``next_row`` is the row that comes next."""

    def __init__(self, sheet, get_format, title, notes, columns):
        self._sheet, self._get_format, self._columns = sheet, get_format, columns
        self._numbers = {}  # {(row, column): what totals count}
        sheet.write_string(0, 0, title, get_format(bold=True, font_size=14))
        for row, note in enumerate(notes, start=1):
            sheet.write_string(row, 0, note)
        self._header = self._last_row = len(notes) + 2
        for position, column in enumerate(columns):
            align = "left" if column.kind == TEXT else "right"
            sheet.write_string(
                self._header, position, column.label, get_format(bold=True, bottom=1, text_wrap=True, align=align)
            )
            sheet.set_column(position, position, column.width)
        self.first_row = self.next_row = self._header + 1

    def set_up_print(self, paper):
        self._sheet.freeze_panes(self.first_row, 0)
        self._sheet.set_landscape()
        self._sheet.set_paper(paper)
        self._sheet.fit_to_pages(1, 0)
        self._sheet.repeat_rows(self._header)
        self._sheet.set_footer("&R&P / &N")

    def add_row(self, values):
        for position, (column, value) in enumerate(zip(self._columns, values, strict=True)):
            style = self._get_format(**column.get_format())
            if value is None or value is False or value == "":
                self._sheet.write_blank(self.next_row, position, None, style)
            elif column.kind == TEXT:
                self._sheet.write_string(self.next_row, position, value, style)
            elif isinstance(value, str):
                # In place of a number that there is none: a dash.
                self._sheet.write_string(
                    self.next_row, position, value, self._get_format(**column.get_format(), align="right")
                )
            elif column.kind == DATE:
                self._sheet.write_datetime(self.next_row, position, value, style)
            elif isinstance(value, Formula):
                self._numbers[self.next_row, position] = value.value
                self._sheet.write_formula(self.next_row, position, value.text, style, value.value)
            else:
                self._numbers[self.next_row, position] = value
                self._sheet.write_number(self.next_row, position, value, style)
        self._last_row = self.next_row
        self.next_row += 1

    def add_total(self, label, since=None, formulas=None):
        """Totals of the rows from ``since`` on, or of the whole table, in each column that has one.

        :param formulas: {position: Formula} of columns that have none
        """
        first, last = since or self.first_row, self.next_row - 1
        self._sheet.write_string(self.next_row, 0, label, self._get_format(bold=True, top=1))
        for position, column in enumerate(self._columns[1:], start=1):
            style = self._get_format(bold=True, top=1, **column.get_format(total=True))
            cells = [self._numbers.get((row, position)) for row in range(first, last + 1)]
            numbers = [number for number in cells if number is not None]
            if column.total and numbers:
                formula = f"=SUBTOTAL({column.total},{xl_range(first, position, last, position)})"
                self._sheet.write_formula(self.next_row, position, formula, style, column.compute(numbers))
            elif formulas and position in formulas:
                text, value = formulas[position]
                self._sheet.write_formula(self.next_row, position, text, style, value)
            else:
                self._sheet.write_blank(self.next_row, position, None, style)
        if since:
            # The total of a group stays with its rows when they are filtered; that of the table below them.
            self._last_row = self.next_row
        self.next_row += 1

    def get_series(self, position, labels):
        """What a chart shows of the column ``position``: the rows that a filter may hide, and no totals below them."""
        name, rows = self._sheet.get_name(), (self.first_row, self._last_row)
        return {
            "name": [name, self._header, position],
            "categories": [name, rows[0], labels, rows[1], labels],
            "values": [name, rows[0], position, rows[1], position],
        }

    def place(self, chart):
        self._sheet.insert_chart(self.next_row + 1, 0, chart)

    def close(self):
        self._sheet.autofilter(self._header, 0, self._last_row, len(self._columns) - 1)
