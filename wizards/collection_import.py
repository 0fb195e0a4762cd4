import base64
import io

import xlsxwriter

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from ..engine import cells, spreadsheet


class CollectionImport(models.AbstractModel):
    """What importing a spreadsheet is like, whatever it tells: a file, its preview, and what was seen is imported.

    How to use: inherit it with ``line_ids`` of a model that inherits ``collection.import.line``, and say what the
    columns are (``_get_columns``, ``_get_headers``, ``_get_example``), what rows mean (``_parse_rows``,
    ``_prepare_line``) and how to register those that ``_take_good`` gives.
    """

    _name = "collection.import"
    _description = "Import of a Spreadsheet"

    file = fields.Binary(string="XLSX or CSV File", attachment=False)
    file_name = fields.Char()
    date_order = fields.Selection(
        [("dmy", "Day/Month/Year"), ("mdy", "Month/Day/Year")], string="Dates Are Written", required=True, default="dmy"
    )
    template = fields.Binary(string="Empty Template", compute="_compute_template")
    template_name = fields.Char(compute="_compute_template")
    empty_count = fields.Integer(string="Empty Rows Left Out", readonly=True)
    row_count = fields.Integer(string="Rows", compute="_compute_counts")
    good_count = fields.Integer(string="To Import", compute="_compute_counts")
    fault_count = fields.Integer(string="With Errors", compute="_compute_counts")
    leave_out = fields.Boolean(string="Leave out the rows with errors")

    @api.depends("line_ids.verdict")
    def _compute_counts(self):
        for wizard in self:
            wizard.row_count = len(wizard.line_ids)
            wizard.good_count = len(wizard.line_ids.filtered(lambda line: line.verdict != "error"))
            wizard.fault_count = wizard.row_count - wizard.good_count

    @api.depends_context("lang")
    def _compute_template(self):
        content = base64.b64encode(self._prepare_template())
        for wizard in self:
            wizard.template, wizard.template_name = content, wizard._get_template_name()

    # === Hooks ===#

    @api.model
    def _get_columns(self):
        """The columns, as :class:`engine.spreadsheet.Column`."""
        raise NotImplementedError

    @api.model
    def _get_headers(self):
        """``{column: header}`` in the user's language; each one is known to the column."""
        raise NotImplementedError

    @api.model
    def _get_example(self):
        """``{column: cell}`` of a row that shows how to fill in the empty file."""
        raise NotImplementedError

    @api.model
    def _get_template_name(self):
        raise NotImplementedError

    @api.model
    def _get_choices(self):
        """``{column: words}`` that the empty file offers."""
        return {}

    @api.model
    def _get_number_formats(self):
        """``{column: how a spreadsheet shows it}``."""
        return {}

    @api.model
    def _get_limit(self):
        """Most rows of a file."""
        return spreadsheet.MAX_ROWS

    def _parse_rows(self, rows):
        """What rows of the file mean: objects with a ``number``, ``faults`` in sentences and perhaps ``hints``."""
        raise NotImplementedError

    def _prepare_line(self, row):
        """Values of the preview line of a parsed row."""
        hints = getattr(row, "hints", ())
        text = " ".join([*row.faults, *hints])
        return {
            "wizard_id": self.id,
            "number": row.number,
            "verdict": "error" if row.faults else ("hint" if hints else "ok"),
            "message": _("Row %(number)s: %(text)s", number=row.number, text=text) if text else False,
        }

    def _get_no_rows_text(self):
        raise NotImplementedError

    def _get_action_id(self):
        """External id of the action that opens this wizard."""
        raise NotImplementedError

    # === Actions ===#

    def action_download_template(self):
        self.ensure_one()
        field = "field=template&filename_field=template_name&download=true"
        url = f"/web/content?model={self._name}&id={self.id}&{field}"
        return {"type": "ir.actions.act_url", "url": url, "target": "self"}

    def action_preview(self):
        self.ensure_one()
        table = self._read_file()
        if not table.rows:
            raise UserError(self._get_no_rows_text())
        rows = self._parse_rows(table.rows)
        self.empty_count = table.empty
        # sudo: nobody but the preview writes rows, so that what is imported is what was shown
        lines = self.sudo().line_ids
        lines.unlink()
        lines.create([self._prepare_line(row) for row in sorted(rows, key=lambda row: not row.faults)])
        return self._open()

    def action_other_file(self):
        self.ensure_one()
        self.sudo().line_ids.unlink()
        self.write({"file": False, "file_name": False, "empty_count": 0, "leave_out": False})
        return self._open()

    def _take_good(self):
        """The rows to import. :raise UserError: when there are none, or others are not left out"""
        self.ensure_one()
        if not self.line_ids:
            raise UserError(_("Choose a file and look at its preview first."))
        good = self.line_ids.filtered(lambda line: line.verdict != "error")
        faulty = self.line_ids - good
        if faulty and not self.leave_out:
            raise UserError(
                _(
                    "Rows with errors: %(count)s, row %(number)s first. Correct the file, or choose to leave these "
                    "rows out.",
                    count=len(faulty),
                    number=faulty[0].number,
                )
            )
        if not good:
            raise UserError(_("Every row has errors, so that nothing can be imported: correct the file."))
        return good

    def _open(self):
        action = self.env["ir.actions.act_window"]._for_xml_id(self._get_action_id())
        return {**action, "res_id": self.id}

    # === The file ===#

    def _get_name(self):
        return self.file_name or _("The file")

    def _read_file(self):
        content = self.with_context(bin_size=False).file
        if not content:
            raise UserError(_("Choose a file first."))
        return self._read_table(base64.b64decode(content))

    def _read_table(self, content):
        try:
            return spreadsheet.read(content, self._get_columns(), limit=self._get_limit())
        except spreadsheet.SpreadsheetError as error:
            raise UserError(self._get_file_fault(error)) from None

    def _get_file_fault(self, error):
        texts = {
            spreadsheet.EMPTY: _("%(file)s is empty."),
            spreadsheet.NOT_SPREADSHEET: _(
                "%(file)s is neither an XLSX nor a CSV file, or is damaged: save it as one of these in your "
                "spreadsheet program."
            ),
            spreadsheet.OLD_XLS: _("%(file)s has Excel's old format (.xls): save it as an XLSX workbook."),
            spreadsheet.ENCRYPTED: _("%(file)s is protected with a password: save it without one."),
            spreadsheet.NO_OPENPYXL: _(
                "XLSX files cannot be read on this server: ask your administrator to install openpyxl, or save the "
                "file as CSV."
            ),
            spreadsheet.TOO_LARGE: _("%(file)s is too large: split it into several files."),
            spreadsheet.TOO_MANY_ROWS: _("%(file)s has more than %(limit)s rows: split it into several files."),
            spreadsheet.BROKEN_ROW: _(
                "Row %(row)s of %(file)s cannot be read: a quotation mark in it is not closed, or stands where none "
                "can be."
            ),
            spreadsheet.NO_HEADER: _(
                "No header was found in the first %(within)s rows of %(file)s: write %(headers)s above the columns."
            ),
            spreadsheet.WRONG_SHEET: _(
                "None of the sheets of %(file)s (%(sheets)s) has the headers: write %(headers)s above the columns."
            ),
            spreadsheet.SEVERAL_SHEETS: _(
                "Several sheets of %(file)s have the headers (%(sheets)s): leave the one to import in a file of its "
                "own."
            ),
            spreadsheet.MISSING_COLUMNS: _("%(file)s lacks these columns: %(columns)s."),
            spreadsheet.DOUBLE_COLUMN: _(
                "Row %(row)s of %(file)s has the header “%(header)s” twice: leave one of them."
            ),
        }
        headers = self._get_headers()
        details = {
            **error.details,
            "file": self._get_name(),
            "headers": ", ".join(headers[column.name] for column in self._get_columns() if column.required),
            "sheets": ", ".join(error.details.get("sheets", ())),
            "columns": ", ".join(headers[name] for name in error.details.get("columns", ())),
        }
        return texts[error.code] % details

    @api.model
    def _prepare_template(self):
        """An XLSX file with the headers and a row that shows how to fill it in."""
        example, choices = self._get_example(), self._get_choices()
        buffer = io.BytesIO()
        with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
            sheet = book.add_worksheet()
            bold = book.add_format({"bold": True})
            formats = {
                name: book.add_format({"num_format": shown}) for name, shown in self._get_number_formats().items()
            }
            for position, (name, header) in enumerate(self._get_headers().items()):
                sheet.set_column(position, position, 18, formats.get(name))
                sheet.write(0, position, header, bold)
                sheet.write(1, position, example[name], formats.get(name))
                if name in choices:
                    choice = {"validate": "list", "source": choices[name], "error_type": "warning"}
                    sheet.data_validation(1, position, spreadsheet.MAX_ROWS, position, choice)
            sheet.freeze_panes(1, 0)
        return buffer.getvalue()

    # === Cells ===#

    def _parse_day(self, value):
        return cells.as_moment(value, day_first=self.date_order == "dmy") or (None, None)

    def _get_cell_fault(self, error):
        if error.code == cells.BAD_TIME:
            return _("“%(text)s” is no hour: write hours and minutes, such as 16:30.", text=error.text)
        if self.date_order == "dmy":
            return _("“%(text)s” is no date: write day, month and year, such as 28/02/2026.", text=error.text)
        return _("“%(text)s” is no date: write month, day and year, such as 02/28/2026.", text=error.text)


class CollectionImportLine(models.AbstractModel):
    """A row of the file in the preview."""

    _name = "collection.import.line"
    _description = "Row of a Spreadsheet"
    # What is to be corrected comes first, then what is to be looked at.
    _order = "verdict, number"

    number = fields.Integer(string="Row", required=True)
    verdict = fields.Selection([("error", "Error"), ("hint", "Take a Look"), ("ok", "OK")], required=True)
    message = fields.Char(string="What to Correct")
