from odoo import api, fields, models
from odoo.tools import SQL

CALL = "call"


class CollectionNotice(models.Model):
    """The text that a notice left with, as its template had it that day: templates change, and so do the levels and
    campaigns that use them. By it, what two texts brought is compared (collection.effect)."""

    _inherit = "collection.notice"

    template_id = fields.Many2one(
        "mail.template", readonly=True, copy=False, index="btree_not_null", ondelete="set null"
    )
    subject = fields.Char(
        readonly=True, copy=False, help="As its template had it, before names and amounts were filled in."
    )
    effect_line_id = fields.Many2one(
        "collection.effect.line",
        string="Row of What Works",
        compute="_compute_effect_line_id",
        search="_search_effect_line_id",
    )

    def _compute_effect_line_id(self):
        # It is there to be searched for: a notice may be behind rows of many reports.
        self.effect_line_id = False

    @api.model
    def _search_effect_line_id(self, operator, value):
        if operator not in ("=", "in"):
            raise ValueError(f"Notices are found by the rows that they are behind, and not by {operator!r}.")
        ids = [value] if isinstance(value, int) else list(value)
        # Searched for, and not browsed: the own rows alone.
        rows = self.env["collection.effect.line"].search([("id", "in", ids)])
        return [("id", "in", rows._get_notice_ids())]

    def _get_text_source(self):
        """(id of the template, its subject in the customer's language) that this notice leaves with; none of a call."""
        self.ensure_one()
        template = self._get_content().template_id if self.channel != CALL else None
        if not template:
            return None, None
        lang = self.partner_id.lang or self.company_id.partner_id.lang
        return template.id, template.with_context(lang=lang).subject or None

    @api.model
    def _query_texts(self, scope):
        """Notices with their campaign, template and subject: what was kept when each left, else what its level,
        campaign or letter has today. Served by primary keys.

        :param scope: condition on the notices, as ``notice``
        """
        return SQL(
            """
            SELECT notice.id AS notice_id, notice.debtor_id, notice.state, notice.amount, notice.level_id,
                   notice.channel, COALESCE(notice.sent_on, notice.date) AS day, run.campaign_id,
                   CASE WHEN notice.channel <> %(call)s THEN COALESCE(notice.template_id, today.id) END AS template_id,
                   CASE WHEN notice.channel = %(call)s THEN NULL
                        WHEN notice.template_id IS NOT NULL OR notice.subject IS NOT NULL THEN notice.subject
                        ELSE COALESCE(today.subject ->> COALESCE(customer.lang, own.lang), today.subject ->> 'en_US')
                    END AS subject
              FROM collection_notice notice
              LEFT JOIN collection_run run ON run.id = notice.run_id
              LEFT JOIN collection_campaign campaign ON campaign.id = run.campaign_id
              LEFT JOIN collection_letter letter ON letter.id = notice.letter_id
              LEFT JOIN collection_level level ON level.id = notice.level_id
              LEFT JOIN mail_template today
                ON today.id = COALESCE(campaign.template_id, letter.template_id, level.template_id)
              LEFT JOIN res_partner customer ON customer.id = notice.partner_id
              LEFT JOIN res_company company ON company.id = notice.company_id
              LEFT JOIN res_partner own ON own.id = company.partner_id
             WHERE %(scope)s""",
            call=CALL,
            scope=scope,
        )
