import base64
import io
import re
from functools import cached_property

import lxml.html
from markupsafe import Markup
from PIL import Image

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import html_sanitize
from odoo.tools.image import image_data_uri, image_process
from odoo.tools.misc import format_date, formatLang, get_lang

from . import statement_pdf

LOGO_SIZE = (240, 90)  # pixels, printed about 48 mm wide: more would only make the mails heavier
PAGE_MARGINS = (12, 12, 12, 12)  # millimetres; the letterhead is in the body, unlike Odoo's own layouts
LONG_TEXT = 20  # characters that surely fit the narrowest column of text
# The template's indentation: text nodes that show nothing and cost wkhtmltopdf a third of its time.
INDENTATION = re.compile(r"\n\s*(?=</?(?:div|table|thead|tbody|tr|th|td|p)\b)")


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
        return company.paperformat_id or self.env.ref("base.paperformat_euro"), PAGE_MARGINS


class _Renderer:
    """Renders the HTML of statements and remembers what many of them share."""

    def __init__(self, env):
        self.env = env
        self._formatters = {}
        self._letterheads = {}

    @cached_property
    def head(self):
        return self.env["ir.qweb"]._render("account_collection.report_statement_style", {})

    def render(self, statement, message=None):
        """Return one statement as a balanced HTML fragment in its customer's language."""
        lang = statement["lang"]
        if lang not in self._formatters:
            self._formatters[lang] = _Formatter(self.env(context={**self.env.context, "lang": lang}))
        formatter = self._formatters[lang]
        company = statement["company"]
        if (company, lang) not in self._letterheads:
            self._letterheads[company, lang] = _prepare_letterhead(company.with_context(lang=lang))
        html = formatter.env["ir.qweb"]._render(
            "account_collection.report_statement_document",
            {
                "statement": statement,
                "partner": statement["partner"].with_context(lang=lang),
                "address": _address_lines(statement["partner"].with_context(lang=lang)),
                "letterhead": self._letterheads[company, lang],
                "message": message and clean_message(message),
                "date": formatter.date,
                "number": formatter.number,
                "money": formatter.money,
                "wrap": lambda text: "o_wrap" if len(text) > LONG_TEXT else None,
            },
        )
        return Markup(INDENTATION.sub("", str(html)))


class _Formatter:
    """Dates and amounts as one language writes them, each formatted once: a batch repeats them."""

    def __init__(self, env):
        self.env = env
        self._lang = env["res.lang"].browse(get_lang(env).id)
        self._dates = {}
        self._numbers = {}

    def date(self, value):
        if value not in self._dates:
            self._dates[value] = format_date(self.env, value)
        return self._dates[value]

    def number(self, amount, currency):
        key = amount, currency
        if key not in self._numbers:
            # What formatLang does, without looking the language up for each amount.
            pattern = f"%.{currency.decimal_places}f"
            self._numbers[key] = self._lang.format(pattern, amount, grouping=True)
        return self._numbers[key]

    def money(self, amount, currency):
        return formatLang(self.env, amount, currency_obj=currency)


def _prepare_letterhead(company):
    partner = company.partner_id
    return {
        "name": company.name,
        "logo": _logo_uri(company),
        "colour": company.primary_color or "#334155",
        "address": _address_lines(partner),
        "vat": company.vat,
        "vat_label": company.country_id.vat_label,
        "contact": [line for line in (company.phone, company.email, company.website) if line],
    }


def _logo_uri(company):
    """Return the company's logo as a small data: URI, or False when it has none that can be read."""
    if not company.logo:
        return False
    try:
        logo = image_process(base64.b64decode(company.logo), size=LOGO_SIZE, output_format="PNG")
        image = Image.open(io.BytesIO(logo)).convert("RGBA")
    except (UserError, ValueError, OSError):
        return False
    # Transparency would be stored in every PDF as an image of its own: paper is white.
    opaque = Image.new("RGB", image.size, "white")
    opaque.paste(image, mask=image)
    with io.BytesIO() as buffer:
        opaque.save(buffer, "PNG", optimize=True)
        return image_data_uri(base64.b64encode(buffer.getvalue()))


def _address_lines(partner):
    address = partner._display_address(without_company=True)
    return [line.strip() for line in address.splitlines() if line.strip()]


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
