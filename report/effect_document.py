from odoo import _, api, models

from ..engine import effect
from . import xlsx
from .stationery import get_company_paper
from .xlsx import AMOUNT, INTEGER, SUM, Column, Formula, cell_name

CHARTED = (7, 30)


class EffectDocument(models.AbstractModel):
    """What works as a workbook: the templates side by side, with a chart, and every row.

    How to use: ``_render_xlsx`` of a ``collection.effect`` whose rows were made.
    """

    _name = "collection.effect.document"
    _description = "What Works as a Workbook"

    @api.model
    def _render_xlsx(self, report):
        lines = self.env["collection.effect.line"].search([("wizard_id", "=", report.id)])
        book = xlsx.Book(get_company_paper(report.company_id).format)
        # sudo: the name of a company that this person works in
        notes = [report.company_id.sudo().name, _("Percentages: of the notices for which those days are over.")]
        self._write_templates(book, report, notes, lines)
        self._write_detail(book, report, notes, lines)
        return book.close()

    @api.model
    def _write_templates(self, book, report, notes, lines):
        columns = [Column(_("Template"), 40), *self._get_figure_columns(report)]
        sheet = book.add_sheet(_("By Template"), report._get_title(), notes, columns)
        # sudo: of a template, its name alone
        for template, of_template in lines.grouped("template_id").items():
            self._write_row(sheet, [template.sudo().name or _("Without template")], of_template, report)
        if lines:
            shown = [position for position, column in enumerate(columns) if column.label in self._get_charted()]
            book.add_chart(sheet, _("Percent paid after a notice"), shown)

    @api.model
    def _get_charted(self):
        return {self._get_rate_label(days) for days in CHARTED}

    @api.model
    def _get_rate_label(self, days):
        return _("%% in %(days)s days", days=days)

    @api.model
    def _write_detail(self, book, report, notes, lines):
        heads = [(_("Dunning level"), 20), (_("Campaign"), 24), (_("Channel"), 10), (_("Template"), 32)]
        columns = [*(Column(*head) for head in heads), Column(_("Subject"), 50), *self._get_figure_columns(report)]
        sheet = book.add_sheet(_("Detail"), report._get_title(), notes, columns)
        channels = dict(lines._fields["channel"]._description_selection(self.env))
        for line in lines:
            names = [line.level_id.name, line.campaign_id.name, channels[line.channel]]
            # sudo: of a template, its name alone
            texts = [line.template_id.sudo().name, line.subject]
            self._write_row(sheet, [*names, *texts], line, report)
        if lines:
            sheet.add_total(_("Total"))

    @api.model
    def _get_figure_columns(self, report):
        places = report.company_id.currency_id.decimal_places
        columns = [
            *(Column(label, 10, INTEGER, SUM) for label in (_("Sent"), _("Failed"), _("Answered"))),
            Column(_("Asked for"), 15, AMOUNT, SUM, places),
        ]
        for days in effect.HORIZONS:
            columns += [
                Column(_("Asked more than %(days)s days ago", days=days), 15, AMOUNT, SUM, places),
                Column(_("Paid within %(days)s days", days=days), 15, AMOUNT, SUM, places),
                Column(self._get_rate_label(days), 9, AMOUNT, None, 1),
            ]
        return columns

    @api.model
    def _write_row(self, sheet, names, lines, report):
        currency = report.company_id.currency_id
        cells = [*names, *(sum(lines.mapped(name)) for name in ("sent", "failed", "answered"))]
        cells.append(currency.round(sum(lines.mapped("amount"))))
        for days in effect.HORIZONS:
            asked, paid = (currency.round(sum(lines.mapped(f"{name}_{days}"))) for name in ("asked", "paid"))
            places = [cell_name(sheet.next_row, len(cells) + shift) for shift in (0, 1)]
            cells += [asked, paid, Formula(f"=100*{places[1]}/{places[0]}", 100 * paid / asked) if asked else "—"]
        sheet.add_row(cells)
