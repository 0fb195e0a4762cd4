import io

from odoo import _, models
from odoo.exceptions import UserError


class IrActionsReport(models.Model):
    _inherit = "ir.actions.report"

    def _render_qweb_pdf_prepare_streams(self, report_ref, data, res_ids=None):
        """Print statements through the batch renderer, in the order of the selection.

        :param data: may hold ``as_of`` and ``date_from``, ISO dates, ``include_deliveries``, and ``debtor_ids``: the
            web client sends no other ids with data
        """
        report = self._get_report(report_ref)
        if report.report_name == "account_collection.report_statement":
            res_ids = res_ids or (data or {}).get("debtor_ids")
        if report.report_name != "account_collection.report_statement" or not res_ids:
            return super()._render_qweb_pdf_prepare_streams(report_ref, data, res_ids=res_ids)
        debtors = self.env["collection.debtor"].browse(dict.fromkeys(res_ids))
        pdfs = debtors._render_statement_pdfs(**debtors._get_shape_options(data or {}))
        for debtor in debtors:
            error = pdfs[debtor.id]
            if isinstance(error, Exception):
                raise UserError(
                    _(
                        "The statement of %(customer)s cannot be printed: %(error)s",
                        customer=debtor.partner_id.display_name,
                        error=error,
                    )
                ) from error
        return {debtor.id: {"stream": io.BytesIO(pdfs[debtor.id]), "attachment": None} for debtor in debtors}
