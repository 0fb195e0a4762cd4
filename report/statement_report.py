import lxml.html
from markupsafe import Markup

from odoo import api, models
from odoo.tools import html_sanitize

from . import statement_pdf
from .stationery import PAGE_MARGINS, Stationery, address_lines, get_company_paper


class StatementReport(models.AbstractModel):
    """Statements as HTML and PDF, from what ``collection.debtor._get_statement`` returns.

    Each document is rendered alone, in its customer's language, by a template compiled once, so that
    the error of one stays its own; the PDFs are then printed together (statement_pdf.py).
    """

    _name = "report.account_collection.report_statement"
    _description = "Statement of account"

    @api.model
    def _get_report_values(self, docids, data=None):
        debtors = self.env["collection.debtor"].browse(docids)
        statements = debtors._get_statement((data or {}).get("as_of"))
        renderer = _Renderer(self.env)
        return {
            "doc_ids": docids,
            "doc_model": debtors._name,
            "docs": debtors,
            "doctype": Markup("<!DOCTYPE html>"),
            "head": renderer.head,
            "bodies": [renderer.render(statements[debtor.id]) for debtor in debtors],
        }

    @api.model
    def _render_pdfs(self, statements, messages):
        """Return {debtor id: PDF or exception} for the statements of ``_get_statement``."""
        renderer = _Renderer(self.env)
        results, batches, papers = {}, {}, {}
        for debtor_id, statement in statements.items():
            company = statement["company"]
            if company not in papers:
                papers[company] = self._get_paper(company)
            try:
                body = renderer.render(statement, messages.get(debtor_id))
            except Exception as error:  # one document's error must stay its own
                results[debtor_id] = error
            else:
                batches.setdefault(papers[company], {})[debtor_id] = body
        for (paperformat, margins), bodies in batches.items():
            pdfs = statement_pdf.render(self.env, list(bodies.values()), paperformat, margins, renderer.head)
            results.update(zip(bodies, pdfs, strict=True))
        return {debtor_id: results[debtor_id] for debtor_id in statements}

    @api.model
    def _get_paper(self, company):
        """Return (paper format, margins): the report's own paper, else the company's sheet."""
        report = self.env.ref("account_collection.action_report_statement").sudo()
        if report.paperformat_id:
            return report.paperformat_id, None
        return get_company_paper(company), PAGE_MARGINS


class _Renderer(Stationery):
    """Renders the HTML of statements."""

    def render(self, statement, message=None):
        """Return one statement as a balanced HTML fragment in its customer's language."""
        partner = statement["partner"].with_context(lang=statement["lang"])
        return self.render_document(
            "account_collection.report_statement_document",
            statement["company"],
            statement["lang"],
            {
                "statement": statement,
                "partner": partner,
                "address": address_lines(partner),
                "message": message and clean_message(message),
            },
        )


def clean_message(message):
    """Return a letter's text as balanced HTML that can touch nothing but its own document.

    Scripts, style sheets and positioning are dropped, and so are images that are not data: URIs, for
    printing has no network. What is left open is closed.
    """
    body = html_sanitize(message, sanitize_attributes=True, sanitize_style=True)
    fragment = lxml.html.fragment_fromstring(str(body), create_parent="div")
    for image in fragment.xpath(".//img[not(starts-with(@src, 'data:'))]"):
        image.drop_tree()
    return Markup(lxml.html.tostring(fragment, encoding="unicode"))
