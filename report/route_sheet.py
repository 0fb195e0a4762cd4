import math

from markupsafe import Markup

from odoo import _, api, models
from odoo.tools.misc import format_date, get_lang

from ..models.collection_window import format_hours
from . import statement_pdf, xlsx
from .stationery import PAGE_MARGINS, Stationery, address_lines, get_company_paper

ROWS_TOGETHER = 6  # invoices of a customer that stay on one page, whose half they fill


class RouteSheet(models.AbstractModel):
    """What must be taken to whom on a day, for review: one sheet per company, or per collector.

    How to use: ``_prepare_sheets`` gives what a sheet says, ``_render_pdf`` and ``_render_xlsx`` the documents. How it
    works: a constant number of queries for any number of invoices; customers in the order in which they open. Amounts
    are totalled per currency and never mixed.
    """

    _name = "collection.route.sheet"
    _description = "Route Sheet"

    @api.model
    def _prepare_sheets(self, moves, day, by_collector=False):
        """Return the sheets of a day.

        :param moves: invoices to take along, of customers whose debtors the user may see
        :param day: on which they are taken
        :param by_collector: a sheet for each collector
        :return: [{company, date, weekday, collectors, currencies, stops, totals}]
        """
        groups = moves.grouped(
            lambda move: (move.company_id, by_collector and move.collection_debtor_id.collector_id.sudo())
        )
        # sudo: the names of companies and colleagues
        ordered = sorted(
            groups.items(), key=lambda group: (group[0][0].sudo().sequence, group[0][0].id, _name(group[0][1]))
        )
        return [self._prepare_sheet(company, of_group, day) for (company, _collector), of_group in ordered]

    @api.model
    def _prepare_sheet(self, company, moves, day):
        days = moves.commercial_partner_id._get_customer_days(company)
        customers = moves.grouped("commercial_partner_id")
        hours_of = {customer: days[customer].reviews.hours(day) for customer in customers}
        in_order = sorted(
            customers, key=lambda customer: (hours_of[customer] or [(math.inf, 0)], _name(customer), customer.id)
        )
        collectors = moves.collection_debtor_id.collector_id.sudo()
        return {
            "company": company.sudo(),
            "date": day,
            "weekday": format_date(self.env, day, date_format="EEEE").capitalize(),
            "collectors": ", ".join(collectors.sorted("name").mapped("name")),
            "currencies": self._sort_currencies(moves.currency_id, company),
            "stops": [self._prepare_stop(customer, customers[customer], hours_of[customer]) for customer in in_order],
            "totals": self._prepare_totals(moves),
        }

    @api.model
    def _prepare_stop(self, customer, moves, hours):
        """What the person who goes there needs to know of a customer, and its invoices."""
        contact = customer.collection_review_contact_id
        invoices = self._prepare_invoices(moves)
        return {
            "name": customer.name or "",
            "place": customer.collection_review_place or ", ".join(address_lines(customer)),
            "hours": self._get_hours_text(hours),
            "contact": contact.name or "",
            "phone": contact.phone or customer.phone or "",
            "documents": customer.collection_review_document_ids.mapped("name"),
            "portal": customer.collection_portal_url or "",
            "invoices": invoices,
            "parts": [invoices[start : start + ROWS_TOGETHER] for start in range(0, len(invoices), ROWS_TOGETHER)],
            "totals": self._prepare_totals(moves),
        }

    @api.model
    def _prepare_invoices(self, moves):
        states = dict(moves._fields["collection_review_state"]._description_selection(self.env))
        return [
            {
                "name": move.name,
                "date": move.invoice_date,
                "reference": move.ref or "",
                "currency": move.currency_id,
                "amount": move.amount_total_in_currency_signed,
                "state": states[move.collection_review_state],
                "reason": move.collection_rejection_reason or "",
            }
            for move in moves.sorted(lambda move: (move.invoice_date, move.name))
        ]

    @api.model
    def _prepare_totals(self, moves):
        """[{currency, count, amount}] of these invoices, each currency apart."""
        by_currency = moves.grouped("currency_id")
        return [
            {
                "currency": currency,
                "count": len(by_currency[currency]),
                "amount": currency.round(sum(by_currency[currency].mapped("amount_total_in_currency_signed"))),
            }
            for currency in self._sort_currencies(moves.currency_id, moves.company_id)
        ]

    @api.model
    def _sort_currencies(self, currencies, companies):
        """The companies' own first."""
        return currencies.sorted(lambda currency: (currency not in companies.currency_id, currency.name))

    @api.model
    def _get_hours_text(self, hours):
        """“9-13, 16-18”, or in words that the whole day or no hour is good."""
        if not hours:
            return _("no window on this day")
        all_day = _("all day")
        return ", ".join(format_hours(*pair) or all_day for pair in hours)

    # === Documents ===#

    @api.model
    def _render_pdf(self, sheets):
        """Return the sheets as one PDF, each beginning on a page. :raise UserError: when it cannot be printed"""
        stationery, lang = Stationery(self.env), get_lang(self.env).code
        bodies = [
            stationery.render_document(
                "account_collection.route_sheet_document", sheet["company"], lang, {"sheet": sheet}
            )
            for sheet in sheets
        ]
        style = self.env["ir.qweb"]._render("account_collection.route_sheet_style", {})
        paper = get_company_paper(sheets[0]["company"])
        (pdf,) = statement_pdf.render(
            self.env, [Markup().join(bodies)], paper, PAGE_MARGINS, stationery.head + style, orientation="Landscape"
        )
        if isinstance(pdf, Exception):
            raise pdf
        return pdf

    @api.model
    def _render_xlsx(self, sheets):
        """Return the sheets as a workbook: a row per invoice, a column of amounts per currency."""
        book = xlsx.Book(get_company_paper(sheets[0]["company"]).format)
        for sheet in sheets:
            notes = [sheet["company"].name, f"{sheet['weekday']} {format_date(self.env, sheet['date'])}"]
            if sheet["collectors"]:
                notes.append(_("Collector: %(names)s", names=sheet["collectors"]))
            table = book.add_sheet(
                sheet["collectors"] or sheet["company"].name, _("Route sheet"), notes, self._get_columns(sheet)
            )
            for stop in sheet["stops"]:
                since = table.next_row
                for invoice in stop["invoices"]:
                    table.add_row(self._get_row(sheet, stop, invoice))
                table.add_total(_("Total of %(customer)s", customer=stop["name"]), since)
            table.add_total(_("Total"))
        return book.close()

    @api.model
    def _get_columns(self, sheet):
        return [
            xlsx.Column(_("Customer"), 28),
            xlsx.Column(_("Place"), 30),
            xlsx.Column(_("Hours"), 12),
            xlsx.Column(_("Contact"), 18),
            xlsx.Column(_("Phone"), 15),
            xlsx.Column(_("Documents"), 24),
            xlsx.Column(_("Supplier portal"), 20),
            xlsx.Column(_("Invoice"), 17),
            xlsx.Column(_("Date"), 11, xlsx.DATE),
            xlsx.Column(_("Reference"), 16),
            xlsx.Column(_("Review"), 11),
            xlsx.Column(_("Reason of the rejection"), 22),
            *xlsx.amount_columns(_("Amount"), sheet["currencies"]),
            xlsx.Column(_("Receipt number"), 15),
            xlsx.Column(_("Received on"), 12),
            xlsx.Column(_("Signature"), 18),
        ]

    @api.model
    def _get_row(self, sheet, stop, invoice):
        return [
            *(stop[name] for name in ("name", "place", "hours", "contact", "phone")),
            "\n".join(f"☐ {document}" for document in stop["documents"]),
            stop["portal"],
            *(invoice[name] for name in ("name", "date", "reference", "state", "reason")),
            *(currency == invoice["currency"] and invoice["amount"] for currency in sheet["currencies"]),
            *("", "", ""),
        ]


def _name(record):
    """By what people and customers are put in order; none comes last."""
    return record.name.casefold() if record and record.name else "\uffff"
