from collections import defaultdict

from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import format_date

from ..engine import cells
from ..models.collection_opening import OpenItem
from ..models.rights import check_manager
from .opening_columns import COLUMNS, ParsedItem

AT_ONCE = 2000
"""How many rows a file may have: Odoo makes their entries in some forty seconds, within the limits of its workers."""


class CollectionOpeningImport(models.TransientModel):
    """Books the open items of another system, once a manager has seen what each row of its list would do.

    How it works: customers, currencies, rates and what was imported before are found for all rows at once; the rate is
    that of each document's own date. See ``collection.opening`` for the entries.
    """

    _name = "collection.opening.import"
    _inherit = ["collection.import.party"]
    _description = "Import Open Items"

    source = fields.Char(
        required=True,
        help="The system that the items come from. A document of a customer comes in once from each source.",
    )
    booked_on = fields.Date(
        string="Book All On", help="Empty: each on the date of its document, which must be in an open period."
    )
    line_ids = fields.One2many("collection.opening.import.line", "wizard_id", string="Preview", readonly=True)
    totals = fields.Text(compute="_compute_totals")

    @api.depends("line_ids.verdict")
    def _compute_totals(self):
        for wizard in self:
            groups = wizard.line_ids.filtered(lambda line: line.verdict != "error").grouped("currency_id")
            wizard.totals = "\n".join(
                _(
                    "%(currency)s: %(amount)s (items: %(count)s)",
                    currency=currency.name,
                    amount=currency.format(currency.round(sum(lines.mapped("amount")))),
                    count=len(lines),
                )
                for currency, lines in groups.items()
            )

    # === Actions ===#

    def action_preview(self):
        check_manager(self.env, _("Only a manager of collections imports open items."))
        self.env.company._check_opening_set_up()
        if self.booked_on:
            self._check_open_day()
        return super().action_preview()

    def action_import(self):
        check_manager(self.env, _("Only a manager of collections imports open items."))
        good = self._take_good()
        company = self.env.company
        if good.company_id != company:
            raise UserError(_("The preview was made for %s: make it again.", good.company_id[:1].display_name))
        if self.booked_on:
            self._check_open_day()
        items = [line._get_item() for line in good.sorted("number")]
        opening = self.env["collection.opening"]._import(company, self.source, items, self.booked_on, self.file_name)
        # sudo: nobody but the preview writes rows; what was imported cannot be imported again by a second click
        self.sudo().line_ids.unlink()
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.collection_opening_action")
        return {**action, "views": [(False, "form")], "view_mode": "form", "res_id": opening.id}

    def _check_open_day(self):
        company = self.env.company
        journal = company.collection_opening_journal_id
        self.env["account.move"]._check_open_period(self.booked_on, journal, company)

    # === The file ===#

    def _get_action_id(self):
        return "account_collection.collection_opening_import_action"

    @api.model
    def _get_columns(self):
        return COLUMNS

    @api.model
    def _get_limit(self):
        return AT_ONCE

    @api.model
    def _get_template_name(self):
        return _("open_items_import.xlsx")

    def _get_no_rows_text(self):
        return _("%(file)s has headers and no rows: write one row per open item.", file=self._get_name())

    @api.model
    def _get_headers(self):
        return {
            "tax_id": _("Tax ID"),
            "customer": _("Customer"),
            "document": _("Document"),
            "date": _("Date"),
            "due": _("Due Date"),
            "amount": _("Amount"),
            "currency": _("Currency"),
            "reference": _("Reference"),
        }

    @api.model
    def _get_example(self):
        today = fields.Date.context_today(self)
        return {
            "tax_id": "",
            "customer": _("Name, reference or tax ID"),
            "document": _("EXAMPLE-1"),
            "date": today,
            "due": fields.Date.add(today, days=30),
            "amount": 1000.5,
            "currency": self.env.company.currency_id.name,
            "reference": "",
        }

    @api.model
    def _get_number_formats(self):
        return {**dict.fromkeys(("date", "due"), "dd/mm/yyyy"), "amount": "#,##0.00"}

    # === Rows ===#

    def _parse_rows(self, rows):
        parsed = [self._parse(row) for row in rows]
        self._match_customers(parsed)
        self._match_currencies(parsed)
        self._refuse_closed(parsed)
        self._convert(parsed)
        self._find_twins(parsed)
        return parsed

    def _parse(self, row):
        values = {column.name: cells.as_text(row.values.get(column.name)) for column in COLUMNS}
        parsed = ParsedItem(
            number=row.number,
            tax_id=values["tax_id"],
            customer=values["customer"],
            document=values["document"],
            reference=values["reference"],
            currency_name=values["currency"],
        )
        if not parsed.document:
            parsed.faults.append(_("Write the document."))
        if not (parsed.customer or parsed.tax_id):
            parsed.faults.append(_("Write the customer, or its tax ID."))
        self._parse_amount(parsed, row.values.get("amount"))
        self._parse_dates(parsed, row.values)
        return parsed

    def _parse_amount(self, parsed, value):
        try:
            parsed.amount = float(cells.as_signed_amount(value) or 0)
        except cells.CellError as error:
            parsed.faults.append(
                _("“%(text)s” is no amount: write it as 1234.50, or as -1234.50 for a credit.", text=error.text)
            )
        else:
            if not parsed.amount:
                parsed.faults.append(_("Write what is open, above zero, or below it for a credit."))

    def _parse_dates(self, parsed, values):
        try:
            (parsed.day, _hour), (due, _hour) = self._parse_day(values.get("date")), self._parse_day(values.get("due"))
        except cells.CellError as error:
            parsed.faults.append(self._get_cell_fault(error))
            return
        if not parsed.day:
            parsed.faults.append(_("Write the date of the document."))
            return
        parsed.due = due or parsed.day
        if parsed.due < parsed.day:
            parsed.hints.append(_("It falls due before its own date."))

    def _refuse_closed(self, rows):
        if self.booked_on:
            return
        company = self.env.company
        journal, closed = company.collection_opening_journal_id, {}
        for day in {row.day for row in rows if row.day}:
            closed[day] = self.env["account.move"]._is_closed_period(day, journal, company)
        for row in rows:
            if row.day and closed[row.day]:
                row.faults.append(
                    _(
                        "%(date)s is in a closed period: choose a day on which to book all.",
                        date=format_date(self.env, row.day),
                    )
                )

    def _convert(self, rows):
        """What the amounts are worth in the company's currency, at the rate of each document's date."""
        company = self.env.company
        foreign = [row for row in rows if row.currency and row.currency != company.currency_id and row.day]
        first_rates = self._get_first_rates({company.currency_id.id, *(row.currency.id for row in foreign)})
        rates = {}
        for row in rows:
            row.balance = row.amount
        for row in foreign:
            # Rates are told of either currency, in units of any third one.
            known = (first_rates.get(currency) for currency in (row.currency, company.currency_id))
            if not any(first and first <= row.day for first in known):
                row.faults.append(
                    _(
                        "There is no rate of %(currency)s on %(date)s or before: add it first.",
                        currency=row.currency.name,
                        date=format_date(self.env, row.day),
                    )
                )
                continue
            key = row.currency, row.day
            if key not in rates:
                rates[key] = row.currency._get_conversion_rate(row.currency, company.currency_id, company, row.day)
            row.balance = company.currency_id.round(row.amount * rates[key])

    def _get_first_rates(self, currency_ids):
        """``{currency: day of its first rate in this company}``"""
        groups = self.env["res.currency.rate"]._read_group(
            [
                ("currency_id", "in", list(currency_ids)),
                ("company_id", "in", (False, self.env.company.root_id.id)),
            ],
            ["currency_id"],
            ["name:min"],
        )
        return dict(groups)

    def _find_twins(self, rows):
        """A document of a customer stands once in the file, and came in once from this source."""
        Opening = self.env["collection.opening"]
        rows_of = defaultdict(list)
        for row in rows:
            if row.partner and row.document:
                rows_of[row.partner, Opening._get_key(self.source, row.document)].append(row)
        # sudo: what was imported is imported, whoever may read it
        moves = (
            self.env["account.move"]
            .sudo()
            .search(
                [
                    ("company_id", "=", self.env.company.id),
                    ("collection_opening_key", "in", list({key for _partner, key in rows_of})),
                    ("state", "!=", "cancel"),
                ]
            )
        )
        imported = {(move.commercial_partner_id.id, move.collection_opening_key): move for move in moves}
        for (partner, key), same in rows_of.items():
            move = imported.get((partner.id, key))
            for row in same:
                if len(same) > 1:
                    others = ", ".join(str(other.number) for other in same)
                    row.faults.append(_("This document stands in rows %(rows)s: keep one of them.", rows=others))
                if move:
                    row.faults.append(
                        _(
                            "%(document)s was imported already, on %(date)s: its entry is %(entry)s.",
                            document=move.collection_opening_document,
                            date=format_date(self.env, move.collection_opening_id.date),
                            entry=move.name,
                        )
                    )

    def _prepare_line(self, row):
        return {
            **super()._prepare_line(row),
            "company_id": self.env.company.id,
            "customer": row.customer or row.tax_id,
            "partner_id": row.partner and row.partner.id,
            "document": row.document,
            "reference": row.reference,
            "date": row.day,
            "date_due": row.due,
            "currency_id": row.currency and row.currency.id,
            "amount": row.amount,
            "balance": row.balance,
        }


class CollectionOpeningImportLine(models.TransientModel):
    _name = "collection.opening.import.line"
    _inherit = ["collection.import.line"]
    _description = "Open Item to Import"

    wizard_id = fields.Many2one("collection.opening.import", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    company_currency_id = fields.Many2one(related="company_id.currency_id", string="Company Currency")
    customer = fields.Char(string="Customer in the File")
    partner_id = fields.Many2one("res.partner", string="Customer", ondelete="cascade")
    document = fields.Char()
    reference = fields.Char()
    date = fields.Date()
    date_due = fields.Date(string="Due Date")
    currency_id = fields.Many2one("res.currency", ondelete="cascade")
    amount = fields.Monetary()
    balance = fields.Monetary(string="In Company Currency", currency_field="company_currency_id")

    def _get_item(self):
        self.ensure_one()
        return OpenItem(
            self.partner_id,
            self.document,
            self.reference or "",
            self.date,
            self.date_due,
            self.currency_id,
            self.amount,
            self.balance,
        )
