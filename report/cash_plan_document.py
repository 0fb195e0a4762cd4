from collections import defaultdict

from odoo import _, models
from odoo.tools.date_utils import start_of

from . import xlsx
from .stationery import get_company_paper

GRANULARITIES = ("day", "week", "month")


class CollectionCashPlan(models.Model):
    """The cash plan as a workbook: by day, week and month, by due date beside the usual delay, with a chart; and row by
    row."""

    _inherit = "collection.cash.plan"

    def _render_xlsx(self):
        book = xlsx.Book(get_company_paper(self.env.company).format)
        notes = [", ".join(self.company_id.sudo().mapped("name"))]
        currencies = self.currency_id.sorted("name")
        names = {"day": _("By Day"), "week": _("By Week"), "month": _("By Month")}
        periods = {"day": _("Day"), "week": _("Week From"), "month": _("Month From")}
        for granularity in GRANULARITIES:
            columns = [
                xlsx.Column(periods[granularity], 14, xlsx.DATE),
                *xlsx.amount_columns(_("By due date"), currencies, 18),
                *xlsx.amount_columns(_("With usual delay"), currencies, 18),
            ]
            sheet = book.add_sheet(names[granularity], _("Cash plan"), notes, columns)
            self._write_periods(sheet, granularity, currencies)
            book.add_chart(sheet, _("What is expected"), range(1, len(columns)))
        sheet = book.add_sheet(_("Detail"), _("Cash plan"), notes, self._get_detail_columns(currencies))
        self._write_detail(sheet, currencies)
        return book.close()

    def _write_periods(self, sheet, granularity, currencies):
        """A row per period, amounts in the column of their method and currency."""
        sums = defaultdict(lambda: defaultdict(float))
        for row in self:
            for method in ("date", "usual_date"):
                sums[start_of(row[method], granularity)][method, row.currency_id] += row.amount
        columns = [(method, currency) for method in ("date", "usual_date") for currency in currencies]
        for day in sorted(sums):
            amounts = sums[day]
            sheet.add_row([day, *(key in amounts and key[1].round(amounts[key]) for key in columns)])
        sheet.add_total(_("Total"))

    def _get_detail_columns(self, currencies):
        return [
            xlsx.Column(_("Expected On"), 12, xlsx.DATE),
            xlsx.Column(_("With usual delay"), 12, xlsx.DATE),
            xlsx.Column(_("Agreed For"), 12, xlsx.DATE),
            xlsx.Column(_("Kind"), 18),
            xlsx.Column(_("Document"), 26),
            xlsx.Column(_("Customer"), 32),
            xlsx.Column(_("Collector"), 20),
            xlsx.Column(_("Company"), 22),
            *xlsx.amount_columns(_("Amount"), currencies),
        ]

    def _write_detail(self, sheet, currencies):
        labels = dict(self._fields["kind"]._description_selection(self.env))
        # sudo: the names of colleagues
        collectors = {user: user.name or "" for user in self.collector_id.sudo()}
        for row in self:
            sheet.add_row(
                [
                    *(row.date, row.usual_date, row.due_date, labels[row.kind]),
                    (row.check_id or row.promise_id).display_name
                    or (row.move_id and row.move_id._get_collection_document()),
                    row.partner_id.name or "",
                    collectors.get(row.collector_id, ""),
                    row.company_id.name,
                    *(currency == row.currency_id and row.amount for currency in currencies),
                ]
            )
        sheet.add_total(_("Total"))
