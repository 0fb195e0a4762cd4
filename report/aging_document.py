from odoo import _, api, models
from odoo.exceptions import UserError
from odoo.tools.misc import get_lang

from . import statement_pdf, xlsx
from .collection_aging_line import BY_DOCUMENT, EDGES_KEY
from .stationery import PAGE_MARGINS, Stationery, get_company_paper
from .xlsx import AMOUNT, DATE, INTEGER, SUM, Column, Formula, cell_name

PRINTABLE = 5000  # rows: some hundred pages, beyond which nobody reads and wkhtmltopdf takes minutes


class AgingDocument(models.AbstractModel):
    """An aging report as PDF or as a workbook: a table in each currency, its groups with their totals.

    How to use: ``_render_pdf`` and ``_render_xlsx`` of a ``collection.aging`` whose rows were made. How it works: both
    write what ``_prepare`` returns. A customer with several tags stands once, in the group of all of them, so that
    totals are those of the ledger.
    """

    _name = "collection.aging.document"
    _description = "Aging as a Document"

    # === What it says === #

    @api.model
    def _prepare(self, report):
        """Return {company, title, notes, labels, by_document, group_label, sections: [{currency, groups, totals}]}.

        Each group is {name, rows, totals}, each row as ``_prepare_row`` says; amounts in the order of ``labels``.
        """
        edges = ",".join(str(edge) for edge in report._get_edges())
        Line = self.env["collection.aging.line"].with_context(**{EDGES_KEY: edges})
        labels = {**Line._get_bucket_labels(), "unallocated": _("Unallocated"), "total": _("Total")}
        lines = Line.search([("wizard_id", "=", report.id)])
        by_currency = lines.grouped("currency_id") or {report.company_id.currency_id: lines}
        own = report.company_id.currency_id
        return {
            "company": report.company_id.sudo(),
            "title": report._get_title(),
            "notes": self._get_notes(report),
            "labels": list(labels.values()),
            "by_document": report.detail == BY_DOCUMENT,
            "group_label": self._get_choice(report, "group_by"),
            "sections": [
                self._prepare_section(report, currency, by_currency[currency], list(labels))
                for currency in sorted(by_currency, key=lambda currency: (currency != own, currency.name))
            ],
        }

    @api.model
    def _prepare_section(self, report, currency, lines, names):
        groups = lines.grouped(report.group_by) if report.group_by else {None: lines}
        prepared = [
            {
                "name": self._get_group_name(report.group_by, key),
                "rows": [self._prepare_row(line, names) for line in of_group],
                "totals": self._sum(of_group, names, currency),
            }
            for key, of_group in groups.items()
        ]
        prepared.sort(key=lambda group: (not group["name"], (group["name"] or "").casefold()))
        return {"currency": currency, "groups": prepared, "totals": self._sum(lines, names, currency)}

    @api.model
    def _prepare_row(self, line, names):
        return {
            "customer": line.partner_id.name or "",
            "document": line.document or "",
            "date": line.date,
            "due_date": line.due_date,
            "days": line.days_overdue,
            "amounts": [line[name] for name in names],
        }

    @api.model
    def _sum(self, lines, names, currency):
        return [currency.round(sum(lines.mapped(name))) for name in names]

    @api.model
    def _get_group_name(self, name, key):
        """How a group is headed; nothing for what belongs to none."""
        if not name or not key:
            return ""
        if isinstance(key, models.BaseModel):
            # sudo: the names of colleagues
            return ", ".join(sorted(record.display_name or "" for record in key.sudo()))
        field = self.env["collection.aging.line"]._fields[name]
        return dict(field._description_selection(self.env))[key] if field.type == "selection" else key

    @api.model
    def _get_notes(self, report):
        notes = [self._get_choice(report, "due_basis")]
        if report.group_by:
            notes.append(_("Grouped by: %(name)s", name=self._get_choice(report, "group_by")))
        return notes

    @api.model
    def _get_choice(self, report, name):
        return dict(report._fields[name]._description_selection(self.env)).get(report[name], "")

    # === PDF === #

    @api.model
    def _render_pdf(self, report):
        """Return the report as one PDF. :raise UserError: when it is too long or cannot be printed"""
        count = self.env["collection.aging.line"].search_count([("wizard_id", "=", report.id)])
        if count > PRINTABLE:
            raise UserError(
                _(
                    "%(count)s rows are too many to print: choose one row for each debtor, or the spreadsheet.",
                    count=count,
                )
            )
        stationery, values = Stationery(self.env), self._prepare(report)
        body = stationery.render_document(
            "account_collection.aging_document", values["company"], get_lang(self.env).code, {"report": values}
        )
        style = self.env["ir.qweb"]._render("account_collection.aging_style", {})
        paper = get_company_paper(report.company_id)
        (pdf,) = statement_pdf.render(
            self.env, [body], paper, PAGE_MARGINS, stationery.head + style, orientation="Landscape"
        )
        if isinstance(pdf, Exception):
            raise pdf
        return pdf

    # === XLSX === #

    @api.model
    def _render_xlsx(self, report):
        """Return the report as a workbook, a sheet in each currency."""
        values = self._prepare(report)
        book = xlsx.Book(get_company_paper(report.company_id).format)
        for section in values["sections"]:
            notes = [values["company"].name, *values["notes"]]
            columns = self._get_columns(values, section["currency"])
            sheet = book.add_sheet(section["currency"].name, values["title"], notes, columns)
            for group in section["groups"]:
                self._write_group(sheet, values, group)
            if any(group["rows"] for group in section["groups"]):
                sheet.add_total(_("Total"))
        return book.close()

    @api.model
    def _get_columns(self, values, currency):
        of_document = [
            Column(_("Document"), 22),
            Column(_("Date"), 12, DATE),
            Column(_("Due date"), 12, DATE),
            Column(_("Days overdue"), 9, INTEGER),
        ]
        return [
            *([Column(values["group_label"], 24)] if values["group_label"] else []),
            Column(_("Customer"), 32),
            *(of_document if values["by_document"] else []),
            *(Column(label, 15, AMOUNT, SUM, currency.decimal_places) for label in values["labels"]),
        ]

    @api.model
    def _write_group(self, sheet, values, group):
        since, name = sheet.next_row, group["name"] or _("None")
        for row in group["rows"]:
            cells = [name] if values["group_label"] else []
            cells.append(row["customer"])
            if values["by_document"]:
                cells += [row["document"], row["date"], row["due_date"], row["days"] or None]
            *parts, total = row["amounts"]
            summed = cell_name(sheet.next_row, len(cells), last=len(cells) + len(parts) - 1)
            sheet.add_row([*cells, *(part or None for part in parts), Formula(f"=SUM({summed})", total)])
        if values["group_label"]:
            sheet.add_total(_("Total of %(name)s", name=name), since)
