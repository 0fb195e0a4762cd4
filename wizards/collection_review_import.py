import base64
import io
from collections import defaultdict
from datetime import datetime, time

import pytz
import xlsxwriter

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from ..engine import cells, spreadsheet
from ..models.account_move_review import REVIEW_STATES
from ..models.review_states import ACCEPTED, REJECTED
from .review_columns import COLUMNS, RESULTS, ParsedRow


class CollectionReviewImport(models.TransientModel):
    """Registers the reviews that a spreadsheet tells, once a person has seen what it would do.

    How to use: ``action_preview``, then ``action_import``. How it works: the invoices of all rows are found at once and
    judged by the rules of ``account.move``; the import registers what the preview showed, with one call per distinct
    result, moment, reason and promise, in one transaction.
    """

    _name = "collection.review.import"
    _description = "Import Reviews"

    file = fields.Binary(string="XLSX or CSV File", attachment=False)
    file_name = fields.Char()
    date_order = fields.Selection(
        [("dmy", "Day/Month/Year"), ("mdy", "Month/Day/Year")], string="Dates Are Written", required=True, default="dmy"
    )
    template = fields.Binary(string="Empty Template", compute="_compute_template")
    template_name = fields.Char(compute="_compute_template")
    line_ids = fields.One2many("collection.review.import.line", "wizard_id", string="Preview", readonly=True)
    empty_count = fields.Integer(string="Empty Rows Left Out", readonly=True)
    row_count = fields.Integer(string="Rows", compute="_compute_counts")
    good_count = fields.Integer(string="To Import", compute="_compute_counts")
    fault_count = fields.Integer(string="With Errors", compute="_compute_counts")
    leave_out = fields.Boolean(string="Leave out the rows with errors")

    @api.depends("line_ids.verdict")
    def _compute_counts(self):
        for wizard in self:
            wizard.row_count = len(wizard.line_ids)
            wizard.good_count = len(wizard.line_ids.filtered(lambda line: line.verdict == "ok"))
            wizard.fault_count = wizard.row_count - wizard.good_count

    @api.depends_context("lang")
    def _compute_template(self):
        content = base64.b64encode(self._prepare_template())
        for wizard in self:
            wizard.template, wizard.template_name = content, _("review_import.xlsx")

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
            raise UserError(_("%(file)s has headers and no rows: write one row per invoice.", file=self._get_name()))
        results = self._get_results()
        rows = [self._parse(row, results) for row in table.rows]
        self._match(rows)
        self._judge(rows)
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

    def action_import(self):
        self.ensure_one()
        if not self.line_ids:
            raise UserError(_("Choose a file and look at its preview first."))
        good = self.line_ids.filtered(lambda line: line.verdict == "ok")
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
        moves = good.move_id
        receipts = {line.move_id: line.receipt_number for line in good}
        for (result, reason, promised), lines in good.grouped(lambda line: line._get_group()).items():
            moments = {line.move_id: line.moment for line in lines}
            lines.move_id._register_review(result, moments, receipts, reason, promised)
        # sudo: as above; what was imported cannot be imported again by a second click
        self.sudo().line_ids.unlink()
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.account_move_review_action")
        return {
            **action,
            "name": _("Imported Reviews"),
            "display_name": _("Imported Reviews"),
            "domain": [("id", "in", moves.ids)],
            "context": {"create": False},
        }

    def _open(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.collection_review_import_action")
        return {**action, "res_id": self.id}

    # === The file ===#

    def _get_name(self):
        return self.file_name or _("The file")

    def _read_file(self):
        content = self.with_context(bin_size=False).file
        if not content:
            raise UserError(_("Choose a file first."))
        try:
            return spreadsheet.read(base64.b64decode(content), COLUMNS)
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
            "headers": ", ".join(headers[column.name] for column in COLUMNS if column.required),
            "sheets": ", ".join(error.details.get("sheets", ())),
            "columns": ", ".join(headers[name] for name in error.details.get("columns", ())),
        }
        return texts[error.code] % details

    @api.model
    def _get_headers(self):
        """``{column: header}`` in the user's language; each one is known to the column."""
        return {
            "invoice": _("Invoice"),
            "receipt": _("Receipt"),
            "date": _("Date"),
            "hour": _("Hour"),
            "result": _("Result"),
            "reason": _("Reason"),
            "promised": _("Payment Date"),
        }

    @api.model
    def _get_results(self):
        """``{result: its word}`` in the user's language."""
        return dict(self.env["collection.review.import.line"]._fields["result"]._description_selection(self.env))

    @api.model
    def _prepare_template(self):
        """An XLSX file with the headers and a row that shows how to fill it in."""
        today = fields.Date.context_today(self)
        results = self._get_results()
        example = {
            "invoice": _("EXAMPLE-1"),
            "receipt": _("R-100"),
            "date": today,
            "hour": "",
            "result": results[ACCEPTED],
            "reason": "",
            "promised": fields.Date.add(today, days=30),
        }
        buffer = io.BytesIO()
        with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
            sheet = book.add_worksheet()
            bold = book.add_format({"bold": True})
            formats = {
                name: book.add_format({"num_format": shown})
                for name, shown in {"date": "dd/mm/yyyy", "promised": "dd/mm/yyyy", "hour": "hh:mm"}.items()
            }
            for position, (name, header) in enumerate(self._get_headers().items()):
                sheet.set_column(position, position, 18, formats.get(name))
                sheet.write(0, position, header, bold)
                sheet.write(1, position, example[name], formats.get(name))
                if name == "result":
                    choice = {"validate": "list", "source": list(results.values()), "error_type": "warning"}
                    sheet.data_validation(1, position, spreadsheet.MAX_ROWS, position, choice)
            sheet.freeze_panes(1, 0)
        return buffer.getvalue()

    # === Rows ===#

    def _parse(self, row, results):
        """What the cells of a row mean.

        :param results: the words for them that this person reads
        """
        values = row.values
        parsed = ParsedRow(
            row.number,
            invoice=cells.as_text(values.get("invoice")),
            receipt=cells.as_text(values.get("receipt")),
            reason=cells.as_text(values.get("reason")),
        )
        if not parsed.invoice:
            parsed.faults.append(_("Write the number of the invoice."))
        try:
            parsed.day, parsed.hour = self._parse_day(values.get("date"))
            parsed.hour = cells.as_time(values.get("hour")) or parsed.hour
            parsed.promised, _hour = self._parse_day(values.get("promised"))
        except cells.CellError as error:
            parsed.day = None
            parsed.faults.append(self._get_cell_fault(error))
        else:
            if not parsed.day:
                parsed.faults.append(_("Write the day of the review."))
        self._parse_result(parsed, cells.as_text(values.get("result")), results)
        return parsed

    def _parse_day(self, value):
        return cells.as_moment(value, day_first=self.date_order == "dmy") or (None, None)

    def _get_cell_fault(self, error):
        if error.code == cells.BAD_TIME:
            return _("“%(text)s” is no hour: write hours and minutes, such as 16:30.", text=error.text)
        if self.date_order == "dmy":
            return _("“%(text)s” is no date: write day, month and year, such as 28/02/2026.", text=error.text)
        return _("“%(text)s” is no date: write month, day and year, such as 02/28/2026.", text=error.text)

    def _parse_result(self, parsed, word, results):
        shown = (result for result, label in results.items() if cells.fold(label) == cells.fold(word))
        parsed.result = RESULTS.get(cells.fold(word)) or next(shown, None)
        choices = ", ".join(results.values())
        if not word:
            parsed.faults.append(_("Write the result: %(results)s.", results=choices))
        elif not parsed.result:
            parsed.faults.append(_("“%(word)s” is no result: write %(results)s.", word=word, results=choices))
        elif parsed.result == REJECTED and parsed.receipt:
            parsed.faults.append(
                _("It was rejected and has receipt %(number)s: correct one of them.", number=parsed.receipt)
            )

    def _match(self, rows):
        """Find the invoices of all rows: by number, else by a reference that no other invoice has."""
        written = {text for row in rows if row.invoice for text in (row.invoice, row.invoice.upper())}
        moves = self.env["account.move"].search(
            [
                ("company_id", "=", self.env.company.id),
                ("move_type", "in", ("out_invoice", "out_refund")),
                "|",
                "|",
                ("name", "in", list(written)),
                ("payment_reference", "in", list(written)),
                ("ref", "in", list(written)),
            ],
            order="id",
        )
        numbers, references = defaultdict(list), defaultdict(list)
        for move in moves:
            numbers[(move.name or "").upper()].append(move)
            for reference in {(move.payment_reference or "").upper(), (move.ref or "").upper()}:
                references[reference].append(move)
        # Drafts share it.
        numbers.pop("/", None)
        for row in rows:
            if row.invoice:
                key = row.invoice.upper()
                self._choose(row, numbers.get(key) or references.get(key) or ())

    def _choose(self, row, found):
        if len(found) == 1:
            row.move = found[0]
        elif found:
            row.faults.append(
                _(
                    "“%(invoice)s” stands for %(count)s invoices, %(first)s and %(second)s among them: write the "
                    "invoice's own number.",
                    invoice=row.invoice,
                    count=len(found),
                    first=found[0].display_name,
                    second=found[1].display_name,
                )
            )
        else:
            row.faults.append(
                _(
                    "%(company)s has no customer invoice “%(invoice)s” that you may see: correct the number.",
                    company=self.env.company.display_name,
                    invoice=row.invoice,
                )
            )

    def _judge(self, rows):
        """Find what is wrong with the rows whose invoice is known, by the rules of the invoices themselves."""
        now = fields.Datetime.now()
        matched = [row for row in rows if row.move]
        moves = self.env["account.move"].union(*(row.move for row in matched))
        foreign = set(moves._get_not_reviewable())
        rows_of = defaultdict(list)
        for row in matched:
            rows_of[row.move].append(row)
        for row in matched:
            if row.day:
                row.moment = self._get_moment(row, now)
            if row.move in foreign:
                row.faults.append(row.move._get_foreign_text())
            elif (
                row.moment and row.result and (fault := row.move._get_review_fault(row.result, row.moment, row.reason))
            ):
                row.faults.append(fault)
            if len(rows_of[row.move]) > 1:
                row.faults.append(
                    _(
                        "%(document)s stands in rows %(rows)s: keep one of them.",
                        document=row.move.display_name,
                        rows=", ".join(str(other.number) for other in rows_of[row.move]),
                    )
                )
        # Rows that stay out share no receipt with those that are imported.
        good = {row.move: row for row in matched if not row.faults}
        together = moves.browse(move.id for move in good)
        for move, fault in together._get_receipt_faults({move: row.receipt for move, row in good.items()}).items():
            good[move].faults.append(fault)

    @api.model
    def _get_moment(self, row, now):
        """The moment of a review, naive UTC. Without an hour it is noon at the customer's, and never later than now."""
        timezone = row.move.commercial_partner_id._get_collection_timezone(row.move.company_id)
        moment = timezone.localize(datetime.combine(row.day, row.hour or time(12))).astimezone(pytz.utc)
        moment = moment.replace(tzinfo=None)
        is_today = row.day == row.move._get_customer_moment(now).date()
        return min(moment, now) if is_today and not row.hour else moment

    def _prepare_line(self, row):
        text = " ".join(row.faults)
        return {
            "wizard_id": self.id,
            "number": row.number,
            "invoice": row.invoice,
            "move_id": row.move and row.move.id,
            "receipt_number": row.receipt,
            "moment": row.moment,
            "result": row.result,
            "reason": row.reason,
            "promised_date": row.promised,
            "verdict": "error" if row.faults else "ok",
            "message": _("Row %(number)s: %(text)s", number=row.number, text=text) if text else False,
        }


class CollectionReviewImportLine(models.TransientModel):
    _name = "collection.review.import.line"
    _description = "Row to Import"
    # What is to be corrected comes first.
    _order = "verdict, number"

    wizard_id = fields.Many2one("collection.review.import", required=True, ondelete="cascade", index=True)
    number = fields.Integer(string="Row", required=True)
    invoice = fields.Char(string="Invoice in the File")
    move_id = fields.Many2one("account.move", string="Invoice", ondelete="cascade")
    partner_id = fields.Many2one(related="move_id.commercial_partner_id", string="Customer")
    receipt_number = fields.Char(string="Receipt")
    moment = fields.Datetime(string="Date and Hour")
    result = fields.Selection([state for state in REVIEW_STATES if state[0] in RESULTS.values()])
    reason = fields.Char()
    promised_date = fields.Date(string="Payment Promised For")
    verdict = fields.Selection([("error", "Error"), ("ok", "OK")], required=True)
    message = fields.Char(string="What to Correct")

    def _get_group(self):
        """What rows have in common that are registered together."""
        self.ensure_one()
        return self.result, self.result == REJECTED and self.reason, self.promised_date
