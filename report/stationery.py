"""What every printed document shares: letterhead, style, sheet, and the dates and amounts of a language.

How to use: one :class:`Stationery` for a batch; ``render`` gives each document as a balanced HTML fragment and ``head``
the style that they need, both for :func:`statement_pdf.render`. How it works: what many documents repeat (a company's
letterhead, a date, an amount) is prepared once and remembered.
"""

import base64
import io
import re
from functools import cached_property

from markupsafe import Markup
from PIL import Image

from odoo.exceptions import UserError
from odoo.tools.image import image_data_uri, image_process
from odoo.tools.misc import format_date, formatLang, get_lang

LOGO_SIZE = (240, 90)  # pixels, printed about 48 mm wide: more would only make the mails heavier
PAGE_MARGINS = (12, 12, 12, 12)  # millimetres; the letterhead is in the body, unlike Odoo's own layouts
LONG_TEXT = 20  # characters that surely fit the narrowest column of text
# The template's indentation: text nodes that show nothing and cost wkhtmltopdf a third of its time.
INDENTATION = re.compile(r"\n\s*(?=</?(?:div|table|thead|tbody|tr|th|td|p)\b)")


class Stationery:
    """Renders the HTML of documents and remembers what many of them share."""

    def __init__(self, env):
        self.env = env
        self._formatters = {}
        self._letterheads = {}
        self._logos = {}

    @cached_property
    def head(self):
        return self.env["ir.qweb"]._render("account_collection.report_statement_style", {})

    def render_document(self, template, company, lang, values, brand=None):
        """Return one document of ``company`` as a balanced HTML fragment in the language ``lang``.

        :param brand: record whose ``logo`` it bears, in place of the company's
        """
        if lang not in self._formatters:
            self._formatters[lang] = _Formatter(self.env(context={**self.env.context, "lang": lang}))
        formatter = self._formatters[lang]
        html = formatter.env["ir.qweb"]._render(
            template,
            {
                "letterhead": self._get_letterhead(company, lang, brand or company),
                "date": formatter.date,
                "number": formatter.number,
                "decimal": formatter.decimal,
                "money": formatter.money,
                "wrap": lambda text: "o_wrap" if len(text) > LONG_TEXT else None,
                **values,
            },
        )
        return Markup(INDENTATION.sub("", str(html)))

    def _get_letterhead(self, company, lang, brand):
        if (company, lang, brand) not in self._letterheads:
            if brand not in self._logos:
                self._logos[brand] = logo_uri(brand.logo)
            letterhead = _prepare_letterhead(company.with_context(lang=lang), self._logos[brand])
            self._letterheads[company, lang, brand] = letterhead
        return self._letterheads[company, lang, brand]


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
        return self.decimal(amount, currency.decimal_places)

    def decimal(self, value, places):
        key = value, places
        if key not in self._numbers:
            # What formatLang does, without looking the language up for each amount.
            self._numbers[key] = self._lang.format(f"%.{places}f", value, grouping=True)
        return self._numbers[key]

    def money(self, amount, currency):
        return formatLang(self.env, amount, currency_obj=currency)


def get_company_paper(company):
    """The paper format of a company's own documents."""
    # sudo: whoever may print need not read paper formats
    company = company.sudo()
    return company.paperformat_id or company.env.ref("base.paperformat_euro")


def _prepare_letterhead(company, logo):
    return {
        "name": company.name,
        "logo": logo,
        "colour": company.primary_color or "#334155",
        "address": address_lines(company.partner_id),
        "vat": company.vat,
        "vat_label": company.country_id.vat_label,
        "contact": [line for line in (company.phone, company.email, company.website) if line],
    }


def logo_uri(logo):
    """Return a logo as a small data: URI, or False when there is none that can be read."""
    if not logo:
        return False
    try:
        logo = image_process(base64.b64decode(logo), size=LOGO_SIZE, output_format="PNG")
        image = Image.open(io.BytesIO(logo)).convert("RGBA")
    except (UserError, ValueError, OSError):
        return False
    # Transparency would be stored in every PDF as an image of its own: paper is white.
    opaque = Image.new("RGB", image.size, "white")
    opaque.paste(image, mask=image)
    with io.BytesIO() as buffer:
        opaque.save(buffer, "PNG", optimize=True)
        return image_data_uri(base64.b64encode(buffer.getvalue()))


def address_lines(partner):
    """The postal address of a partner, without its name, line by line."""
    address = partner._display_address(without_company=True)
    return [line.strip() for line in address.splitlines() if line.strip()]
