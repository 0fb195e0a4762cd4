from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import is_html_empty


class CollectionNoticePlaceholder(models.AbstractModel):
    """What templates say by placeholders, each level or campaign in its own way: accounts, signature, logo."""

    _name = "collection.notice.placeholder"
    _description = "Placeholders of Notices"

    bank_accounts_html = fields.Html(compute="_compute_bank_accounts_html", sanitize=False, help="Where to pay.")
    signature_html = fields.Html(
        compute="_compute_signature_html",
        sanitize=False,
        help="The signature of its level or campaign, else the names of the collector and of the company.",
    )
    logo_html = fields.Html(
        compute="_compute_logo_html", sanitize=False, help="The logo of its level or campaign, else the company's."
    )

    @api.depends("company_id", "level_id", "run_id")
    @api.depends_context("lang")
    def _compute_bank_accounts_html(self):
        # sudo: where to pay is for whoever reads the notice
        by_choice = self.grouped(
            lambda notice: (notice.company_id, frozenset(notice._get_content().sudo().bank_account_ids.ids))
        )
        for (company, chosen), notices in by_choice.items():
            notices.bank_accounts_html = self.env["ir.qweb"]._render(
                "account_collection.notice_bank_accounts",
                {"company": company, "accounts": company.sudo()._get_collection_bank_accounts(chosen)},
            )

    @api.depends("company_id", "level_id", "run_id", "collector_id")
    @api.depends_context("lang")
    def _compute_signature_html(self):
        for (content, collector, company), notices in self.grouped(
            lambda notice: (notice._get_content(), notice.collector_id, notice.company_id)
        ).items():
            signature = content.signature
            if is_html_empty(signature):
                signature = self.env["ir.qweb"]._render(
                    "account_collection.notice_signature",
                    {"name": collector.name or company.name, "company": company.name},
                )
            notices.signature_html = signature

    @api.depends("company_id", "level_id", "run_id")
    def _compute_logo_html(self):
        for (content, company), notices in self.grouped(
            lambda notice: (notice._get_content(), notice.company_id)
        ).items():
            url = content._get_logo_url(company)
            notices.logo_html = url and Markup(
                '<img src="%(url)s" alt="%(name)s" style="max-width:240px;max-height:90px"/>'
            ) % {"url": url, "name": company.name}
