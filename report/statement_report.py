import hmac
import re
from collections import defaultdict
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import lxml.html
import psycopg2
from markupsafe import Markup

from odoo import api, models
from odoo.tools import html_sanitize, is_html_empty

from . import statement_pdf
from .letter_page import get_letter_page
from .stationery import PAGE_MARGINS, Stationery, address_lines, get_company_paper, logo_uri

LOCAL_IMAGE = re.compile(r"/web/image/(\d+)")


class StatementReport(models.AbstractModel):
    """Statements as HTML and PDF, from what ``collection.debtor._get_statement`` or ``_get_activity`` returns.

    Each document is rendered alone, in its customer's language, by a template compiled once, so that
    the error of one stays its own; the PDFs are then printed together (statement_pdf.py).
    """

    _name = "report.account_collection.report_statement"
    _description = "Statement of account"

    @api.model
    def _get_report_values(self, docids, data=None):
        data = data or {}
        # The web client sends no other ids with data.
        docids = docids or data.get("debtor_ids")
        debtors = self.env["collection.debtor"].browse(docids)
        statements = debtors._get_statement_shape(**debtors._get_shape_options(data))
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
    @contextmanager
    def _print_pdfs(self, documents):
        """Begin to print statements, those of one paper together.

        :param documents: {key: (what ``_get_statement`` or ``_get_activity`` says of a debtor, text of a letter or
            None)}
        :return: a context in which they are being printed: a function that waits and returns {key: PDF or exception}.
            What still prints when it is left, by an error, is ended.
        """
        companies = {statement["company"] for statement, _message in documents.values()}
        papers = {company: self._get_paper(company) for company in companies}
        keys_of = defaultdict(list)
        for key, (statement, _message) in documents.items():
            keys_of[papers[statement["company"]]].append(key)
        with statement_pdf.Printing(self.env) as printing:
            finish_of = {}
            for (paperformat, margins), keys in keys_of.items():
                renderer = _Renderer(self.env, get_letter_page(paperformat, margins))
                bodies = (renderer.try_render(*documents[key]) for key in keys)
                finish_of[tuple(keys)] = printing.start(bodies, paperformat, margins, renderer.head)

            def finish():
                pdfs = {}
                for keys, finish_paper in finish_of.items():
                    pdfs.update(zip(keys, finish_paper(), strict=True))
                return {key: pdfs[key] for key in documents}

            yield finish

    @api.model
    def _get_paper(self, company):
        """Return (paper format, margins): the report's own paper, else the company's sheet."""
        report = self.env.ref("account_collection.action_report_statement").sudo()
        if report.paperformat_id:
            return report.paperformat_id, None
        return get_company_paper(company), PAGE_MARGINS


class _Renderer(Stationery):
    """Renders the HTML of statements."""

    def __init__(self, env, page=None):
        """:param page: ``LetterPage`` that letters are printed on"""
        super().__init__(env)
        self._page = page
        self._signatures = {}

    def try_render(self, statement, message):
        """Return one statement or, as one document's error must stay its own, the exception that it met.

        :raise psycopg2.Error: PostgreSQL then refuses whatever follows in the transaction
        """
        try:
            return self.render(statement, message)
        except Exception as error:
            if sql_error := _get_sql_error(error):
                raise sql_error from error
            return error

    def render(self, statement, message=None):
        """Return one statement as a balanced HTML fragment in its customer's language.

        :param message: text of a letter, HTML
        """
        layout = statement["layout"]
        is_letter = message is not None
        partner = statement["partner"].with_context(lang=statement["lang"])
        shape = "activity" if "date_from" in statement else "statement"
        brand = self._get_brand(layout, statement["lang"])
        return self.render_document(
            f"account_collection.report_{shape}_document",
            statement["company"],
            statement["lang"],
            {
                "statement": statement,
                "partner": partner,
                "address": address_lines(partner),
                "message": message and clean_message(message),
                "signature": brand and self._get_signature(brand),
                "window": is_letter and self._page and self._page.get_window(layout.address_window),
                "signature_line": is_letter and layout.signature_line,
            },
            brand if brand and brand.logo else None,
        )

    def _get_brand(self, layout, lang):
        """Return the record that has a logo or a signature of its own, or None."""
        if not layout.brand:
            return None
        model, brand_id = layout.brand
        # sudo: what a document bears is for whoever prints it
        return self.env[model].sudo().with_context(lang=lang).browse(brand_id)

    def _get_signature(self, brand):
        """Return its signature in its language, as balanced HTML, or an empty one."""
        key = brand, brand.env.lang
        if key not in self._signatures:
            empty = is_html_empty(brand.signature)
            self._signatures[key] = Markup() if empty else clean_message(inline_images(self.env, brand.signature))
        return self._signatures[key]


def _get_sql_error(error):
    """Return the error of PostgreSQL that led to this one, or None: QWeb wraps what its templates meet."""
    while error and not isinstance(error, psycopg2.Error):
        error = error.__cause__ or error.__context__
    return error


def inline_images(env, html):
    """Return HTML whose pictures are part of it, for printing has no network: those of this database that whoever knows
    their address may fetch."""
    fragment = lxml.html.fragment_fromstring(str(html), create_parent="div")
    for image in fragment.iter("img"):
        source = urlsplit(image.get("src") or "")
        if found := LOCAL_IMAGE.match(source.path):
            # sudo: its address tells whether it may be seen
            attachment = env["ir.attachment"].sudo().browse(int(found[1])).exists()
            (token,) = parse_qs(source.query).get("access_token", [""])[:1]
            if attachment.public or (token and hmac.compare_digest(attachment.access_token or "", token)):
                image.set("src", logo_uri(attachment.datas) or "")
    return Markup(lxml.html.tostring(fragment, encoding="unicode"))


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
