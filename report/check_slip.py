from markupsafe import Markup

from odoo import api, models
from odoo.tools.misc import get_lang

from . import statement_pdf
from .stationery import PAGE_MARGINS, Stationery, get_company_paper


class CheckSlipReport(models.AbstractModel):
    """Deposit slips as one PDF, each beginning on a page: what the bank gets with the checks."""

    _name = "account.postdated.check.slip.report"
    _description = "Deposit Slip"

    @api.model
    def _render_pdf(self, slips):
        """:raise UserError: when it cannot be printed"""
        stationery, lang = Stationery(self.env), get_lang(self.env).code
        bodies = [
            stationery.render_document(
                "account_collection.check_slip_document", slip.company_id.sudo(), lang, self._prepare_values(slip)
            )
            for slip in slips
        ]
        style = self.env["ir.qweb"]._render("account_collection.check_slip_style", {})
        paper = get_company_paper(slips[:1].company_id)
        (pdf,) = statement_pdf.render(self.env, [Markup().join(bodies)], paper, PAGE_MARGINS, stationery.head + style)
        if isinstance(pdf, Exception):
            raise pdf
        return pdf

    @api.model
    def _prepare_values(self, slip):
        # sudo: the company's own account number is on what it gives to the bank
        account = slip.journal_id.sudo().bank_account_id
        return {
            "slip": slip,
            "journal": slip.journal_id,
            "bank": account.bank_id.name or "",
            "account_number": account.acc_number or "",
            "holder": account.acc_holder_name or slip.company_id.sudo().name,
            "checks": slip.check_ids.sorted(lambda check: (check.bank_id.name or "", check.number)),
            "totals": slip._get_totals(),
        }
