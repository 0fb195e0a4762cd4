from odoo import _, api, models

from . import xlsx
from .stationery import get_company_paper
from .xlsx import AMOUNT, Column


class KpiXlsx(models.AbstractModel):
    """Key figures of two periods as a workbook: a row for each figure and group, numbers as numbers.

    How to use: ``_render_xlsx`` of a ``collection.kpi.report`` whose rows were made.
    """

    _name = "collection.kpi.xlsx"
    _description = "Key Figures as a Workbook"

    @api.model
    def _render_xlsx(self, report):
        company = report.company_id.sudo()  # sudo: its name and its paper
        book = xlsx.Book(get_company_paper(company).format)
        notes = [company.name, report._get_periods_text()]
        sheet = book.add_sheet(_("Key Figures"), report._get_title(), notes, self._get_columns(report))
        for line in report.line_ids:
            sheet.add_row([*([line.group_name] if report.by else []), *self._get_row(line)])
        return book.close()

    @api.model
    def _get_columns(self, report):
        by = dict(report._fields["by"]._description_selection(self.env)).get(report.by)
        return [
            *([Column(by, 24)] if by else []),
            Column(_("Key Figure"), 32),
            Column(_("Unit"), 10),
            *(Column(label, 15, AMOUNT) for label in (_("Now"), _("Before"), _("Difference"), _("Change in %"))),
            Column(_("Verdict"), 12),
            Column(_("Why There Is No Figure"), 40),
            Column(_("What It Says"), 60),
        ]

    @api.model
    def _get_row(self, line):
        labels = {name: dict(line._fields[name]._description_selection(self.env)) for name in ("kpi", "verdict")}
        return [
            labels["kpi"][line.kpi],
            line.unit,
            *line._get_numbers().values(),
            labels["verdict"][line.verdict],
            line.reason,
            line.explanation,
        ]
