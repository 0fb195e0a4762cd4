from collections import defaultdict

from odoo import _, api, models
from odoo.tools.misc import format_date

from . import xlsx
from .stationery import get_company_paper
from .xlsx import AMOUNT, DATE, INTEGER, SUM, Column, Formula, cell_name

BALANCE, DEBIT, CREDIT = 8, 6, 7  # columns of the activity


class StatementXlsx(models.AbstractModel):
    """Statements as a workbook, from what ``collection.debtor._get_statement`` or ``_get_activity`` returns.

    How to use: ``_render_xlsx``. How it works: in each currency a sheet of all customers' rows, with the totals of
    each; one with a row for each customer and its aging; and, of the activity, one of checks. A workbook of one
    customer speaks its language, one of many that of whom it is made for.
    """

    _name = "collection.statement.xlsx"
    _description = "Statements as a Workbook"

    @api.model
    def _render_xlsx(self, statements):
        """Return the workbook of these statements, of one shape and in this order, as bytes."""
        statements = list(statements.values())
        alone = len(statements) == 1
        return self.with_context(lang=statements[0]["lang"] if alone else self.env.lang)._render_book(statements)

    @api.model
    def _render_book(self, statements):
        book = xlsx.Book(get_company_paper(statements[0]["company"]).format)
        sections = self._group_sections(statements, "currencies")
        if not sections:
            company = statements[0]["company"]
            sections = {(company, company.currency_id): [(statements[0], None)]}
        several = len({statement["company"] for statement in statements}) > 1
        for (company, currency), of_currency in sections.items():
            name = self._get_sheet_name(company, currency, several)
            if "date_from" in of_currency[0][0]:
                self._write_activity(book, name, currency, of_currency)
            else:
                self._write_open_items(book, name, currency, of_currency)
        for (company, currency), of_currency in self._group_sections(statements, "deliveries").items():
            self._write_deliveries(book, self._get_sheet_name(company, currency, several), currency, of_currency)
        return book.close()

    @api.model
    def _get_sheet_name(self, company, currency, several):
        return f"{currency.name} {company.name}" if several else currency.name

    @api.model
    def _group_sections(self, statements, key):
        """{(company, currency): [(statement, section), ...]} of the sections under ``key``, own currencies first."""
        groups = defaultdict(list)
        for statement in statements:
            for section in statement[key]:
                groups[statement["company"], section["currency"]].append((statement, section))
        return dict(
            sorted(
                groups.items(),
                key=lambda group: (group[0][0].id, group[0][1] != group[0][0].currency_id, group[0][1].name),
            )
        )

    @api.model
    def _prepare_notes(self, statement):
        as_of = format_date(self.env, statement["as_of"])
        if "date_from" not in statement:
            return [statement["company"].name, _("As of %(date)s", date=as_of)]
        first = format_date(self.env, statement["date_from"])
        return [statement["company"].name, _("From %(first)s to %(last)s", first=first, last=as_of)]

    @api.model
    def _add_sheet(self, book, name, title, of_currency, columns):
        """The sheet, and its sections: none where nothing is to tell."""
        sheet = book.add_sheet(name, title, self._prepare_notes(of_currency[0][0]), columns)
        return sheet, [(statement, section) for statement, section in of_currency if section]

    @api.model
    def _amount(self, label, currency, total=SUM):
        return Column(label, 15, AMOUNT, total, currency.decimal_places)

    @api.model
    def _get_name(self, statement):
        return statement["partner"].name or ""

    # === Open items ===#

    @api.model
    def _write_open_items(self, book, name, currency, of_currency):
        columns = [
            Column(_("Customer"), 30),
            Column(_("Document"), 24),
            Column(_("Reference"), 22),
            Column(_("Kind"), 18),
            Column(_("Date"), 12, DATE),
            Column(_("Due date"), 12, DATE),
            Column(_("Days overdue"), 9, INTEGER),
            self._amount(_("Original"), currency, total=None),
            self._amount(_("Open"), currency),
            self._amount(_("Covered by checks"), currency),
            self._amount(_("In dispute"), currency),
        ]
        sheet, sections = self._add_sheet(book, name, _("Statement of account"), of_currency, columns)
        for statement, section in sections:
            since = sheet.next_row
            for row in self._prepare_open_items(section):
                sheet.add_row([self._get_name(statement), *row])
            sheet.add_total(_("Total of %(customer)s", customer=self._get_name(statement)), since)
        if len(sections) > 1:
            sheet.add_total(_("Total"))
        self._write_aging(book, name, currency, of_currency)

    @api.model
    def _prepare_open_items(self, section):
        """What the customer owes, then what counts against it, as negative amounts."""
        kinds = self._get_credit_kinds()
        for item in section["items"]:
            yield [
                *(item["document"], item["reference"], "", item["date"], item["due_date"]),
                *(item["days_overdue"] or None, item["original"], item["open"]),
                sum(cover["amount"] for cover in item["covers"]) or None,
                item["disputed"] or None,
            ]
        for item in section["credits"]:
            yield [
                *(item["document"], item["reference"], kinds[item["kind"]], item["date"], None, None),
                *(-item["original"], -item["open"], None, None),
            ]

    @api.model
    def _get_credit_kinds(self):
        return {
            "payment": _("Payment"),
            "credit_note": _("Credit note"),
            "check": _("Advance in a check"),
            "other": _("Other credit"),
        }

    # === Deliveries ===#

    @api.model
    def _write_deliveries(self, book, name, currency, of_currency):
        """What was delivered and is not invoiced yet; it is part of no balance."""
        columns = [
            Column(_("Customer"), 30),
            Column(_("Order"), 20),
            Column(_("Reference"), 22),
            Column(_("Delivery"), 22),
            Column(_("Date"), 12, DATE),
            self._amount(_("Amount"), currency),
        ]
        title = _("Delivered and not invoiced yet")
        sheet, sections = self._add_sheet(book, f"{name} {_('Deliveries')}", title, of_currency, columns)
        for statement, section in sections:
            customer, since = self._get_name(statement), sheet.next_row
            for row in section["rows"]:
                sheet.add_row([customer, *(row[key] for key in ("order", "reference", "delivery", "date", "amount"))])
            sheet.add_total(_("Total of %(customer)s", customer=customer), since)
        if len(sections) > 1:
            sheet.add_total(_("Total"))

    # === Activity ===#

    @api.model
    def _write_activity(self, book, name, currency, of_currency):
        columns = [
            Column(_("Customer"), 30),
            Column(_("Date"), 12, DATE),
            Column(_("Document"), 24),
            Column(_("Reference"), 24),
            Column(_("Kind"), 18),
            Column(_("Due date"), 12, DATE),
            self._amount(_("Debit"), currency),
            self._amount(_("Credit"), currency),
            self._amount(_("Balance"), currency, total=None),
        ]
        sheet, sections = self._add_sheet(book, name, _("Account activity"), of_currency, columns)
        for statement, section in sections:
            self._write_movements(sheet, statement, section)
        if len(sections) > 1:
            sheet.add_total(_("Total"))
        self._write_aging(book, name, currency, of_currency)
        self._write_checks(book, name, currency, of_currency)

    @api.model
    def _write_movements(self, sheet, statement, section):
        """Each balance is the one above it and what happened; the closing one is the last of them."""
        kinds = self.env["collection.debtor"]._get_activity_kinds()
        customer, since = self._get_name(statement), sheet.next_row
        opening = _("Opening balance")
        sheet.add_row([customer, statement["date_from"], "", "", opening, None, None, None, section["opening"]])
        for item in section["movements"]:
            row = sheet.next_row
            above, debit, credit = cell_name(row - 1, BALANCE), cell_name(row, DEBIT), cell_name(row, CREDIT)
            sheet.add_row(
                [
                    *(customer, item["date"], item["document"], item["reference"], kinds[item["kind"]]),
                    *(item["due_date"], item["debit"] or None, item["credit"] or None),
                    Formula(f"={above}+{debit}-{credit}", item["balance"]),
                ]
            )
        closing = Formula(f"={cell_name(sheet.next_row - 1, BALANCE)}", section["closing"])
        label = _("Closing balance of %(customer)s", customer=customer)
        sheet.add_total(label, since, formulas={BALANCE: closing})

    @api.model
    def _write_checks(self, book, name, currency, of_currency):
        """Those that came in or are in hand; they change no balance."""
        if not any(section and section["checks"] for _statement, section in of_currency):
            return
        columns = [
            Column(_("Customer"), 30),
            Column(_("Check"), 30),
            Column(_("Received on"), 12, DATE),
            Column(_("Deposit on"), 12, DATE),
            Column(_("State"), 14),
            self._amount(_("Amount"), currency),
        ]
        title = _("Checks")
        sheet, sections = self._add_sheet(book, f"{name} {title}", title, of_currency, columns)
        states = self.env["collection.debtor"]._get_activity_check_states()
        for statement, section in sections:
            for check in section["checks"]:
                sheet.add_row(
                    [
                        *(self._get_name(statement), check["check"], check["receipt_date"], check["deposit_date"]),
                        *(states[check["state"]], check["amount"]),
                    ]
                )
        sheet.add_total(_("Total"))

    # === Aging ===#

    @api.model
    def _write_aging(self, book, name, currency, of_currency):
        """A row for each customer: of the activity its balances, and what is open by age, which is added up."""
        statement = of_currency[0][0]
        labels = statement["debtor"].with_context(lang=self.env.lang)._get_statement_bucket_labels()
        balances = [_("Opening"), _("Debit"), _("Credit"), _("Closing")] if "date_from" in statement else []
        columns = [
            Column(_("Customer"), 30),
            *(self._amount(label, currency) for label in (*balances, *labels, _("Unallocated"), _("Open"))),
        ]
        title = _("Aging")
        sheet, sections = self._add_sheet(book, f"{name} {title}", title, of_currency, columns)
        for statement, section in sections:
            row, first = sheet.next_row, 1 + len(balances)
            buckets = [bucket["amount"] for bucket in section["aging"]]
            values = [self._get_name(statement)]
            if balances:
                text = f"={cell_name(row, 1)}+{cell_name(row, 2)}-{cell_name(row, 3)}"
                values += [*(section[key] for key in ("opening", "debited", "credited"))]
                values.append(Formula(text, section["closing"]))
            summed = Formula(f"=SUM({cell_name(row, first, first + len(buckets))})", section["total"])
            sheet.add_row([*values, *buckets, -section["unallocated"], summed])
        sheet.add_total(_("Total"))
