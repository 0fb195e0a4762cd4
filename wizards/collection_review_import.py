from collections import defaultdict
from datetime import datetime, time

import pytz

from odoo import _, api, fields, models

from ..engine import cells
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
    _inherit = ["collection.import"]
    _description = "Import Reviews"

    line_ids = fields.One2many("collection.review.import.line", "wizard_id", string="Preview", readonly=True)

    # === Actions ===#

    def action_import(self):
        good = self._take_good()
        moves = good.move_id
        receipts = {line.move_id: line.receipt_number for line in good}
        for (result, reason, promised), lines in good.grouped(lambda line: line._get_group()).items():
            moments = {line.move_id: line.moment for line in lines}
            lines.move_id._register_review(result, moments, receipts, reason, promised)
        # sudo: nobody but the preview writes rows; what was imported cannot be imported again by a second click
        self.sudo().line_ids.unlink()
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.account_move_review_action")
        return {
            **action,
            "name": _("Imported Reviews"),
            "display_name": _("Imported Reviews"),
            "domain": [("id", "in", moves.ids)],
            "context": {"create": False},
        }

    def _get_action_id(self):
        return "account_collection.collection_review_import_action"

    # === The file ===#

    @api.model
    def _get_columns(self):
        return COLUMNS

    @api.model
    def _get_template_name(self):
        return _("review_import.xlsx")

    def _get_no_rows_text(self):
        return _("%(file)s has headers and no rows: write one row per invoice.", file=self._get_name())

    @api.model
    def _get_headers(self):
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
    def _get_example(self):
        today = fields.Date.context_today(self)
        return {
            "invoice": _("EXAMPLE-1"),
            "receipt": _("R-100"),
            "date": today,
            "hour": "",
            "result": self._get_results()[ACCEPTED],
            "reason": "",
            "promised": fields.Date.add(today, days=30),
        }

    @api.model
    def _get_number_formats(self):
        return {"date": "dd/mm/yyyy", "promised": "dd/mm/yyyy", "hour": "hh:mm"}

    @api.model
    def _get_choices(self):
        return {"result": list(self._get_results().values())}

    # === Rows ===#

    def _parse_rows(self, rows):
        results = self._get_results()
        parsed = [self._parse(row, results) for row in rows]
        self._match(parsed)
        self._judge(parsed)
        return parsed

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
        return {
            **super()._prepare_line(row),
            "invoice": row.invoice,
            "move_id": row.move and row.move.id,
            "receipt_number": row.receipt,
            "moment": row.moment,
            "result": row.result,
            "reason": row.reason,
            "promised_date": row.promised,
        }


class CollectionReviewImportLine(models.TransientModel):
    _name = "collection.review.import.line"
    _inherit = ["collection.import.line"]
    _description = "Row to Import"

    wizard_id = fields.Many2one("collection.review.import", required=True, ondelete="cascade", index=True)
    invoice = fields.Char(string="Invoice in the File")
    move_id = fields.Many2one("account.move", string="Invoice", ondelete="cascade")
    partner_id = fields.Many2one(related="move_id.commercial_partner_id", string="Customer")
    receipt_number = fields.Char(string="Receipt")
    moment = fields.Datetime(string="Date and Hour")
    result = fields.Selection([state for state in REVIEW_STATES if state[0] in RESULTS.values()])
    reason = fields.Char()
    promised_date = fields.Date(string="Payment Promised For")

    def _get_group(self):
        """What rows have in common that are registered together."""
        self.ensure_one()
        return self.result, self.result == REJECTED and self.reason, self.promised_date
