from odoo import _, api, fields, models
from odoo.exceptions import ValidationError

from .collection_campaign import OVERDUE
from .statement_layout import EVERYTHING, Documents

ALL, BETWEEN, LAST = "all", "between", "last"


class CollectionCampaign(models.Model):
    """Which documents a campaign speaks of: those alone decide whom it reaches, what it asks for and what the attached
    statement shows and adds up."""

    _inherit = "collection.campaign"

    document_dates = fields.Selection(
        [(ALL, "Of any day"), (BETWEEN, "Between two days"), (LAST, "Of the last days")],
        string="Documents Dated",
        required=True,
        default=ALL,
        help="The date of invoices and credit notes. Payments and checks that wait count whatever their day.",
    )
    document_date_from = fields.Date(string="First Day", help="Empty: from the beginning.")
    document_date_to = fields.Date(string="Last Day", help="Empty: no end.")
    document_days = fields.Integer(
        string="Days Back", default=30, help="Counted back from the day on which the message leaves."
    )
    journal_ids = fields.Many2many(
        "account.journal",
        "collection_campaign_journal_rel",
        "campaign_id",
        "journal_id",
        string="Sales Journals",
        domain="[('type', '=', 'sale'), ('company_id', 'parent_of', company_id)]",
        help="Invoices and credit notes of these journals; empty: of any. Payments and checks that wait have none and "
        "count all the same.",
    )
    include_credits = fields.Boolean(
        string="Unallocated Credits",
        default=True,
        help="Payments and credit notes that are not allocated yet count against what is asked for. Without them the "
        "sum of the invoices is asked for.",
    )
    include_checks = fields.Boolean(
        string="Checks in Custody",
        default=True,
        help="The statement shows checks in custody and which invoices they cover. Without them it shows of an invoice "
        "only what no check covers. Either way nobody is asked for what a check covers, until its day has passed.",
    )

    @api.model
    def _get_audience_fields(self):
        dates = ("document_dates", "document_date_from", "document_date_to", "document_days")
        return [*super()._get_audience_fields(), *dates, "journal_ids", "include_credits", "include_checks"]

    # === Constraints ===#

    @api.constrains("document_dates", "document_date_from", "document_date_to", "document_days")
    def _check_document_dates(self):
        for campaign in self:
            first, last = campaign.document_date_from, campaign.document_date_to
            if campaign.document_dates == BETWEEN and first and last and first > last:
                raise ValidationError(
                    _("The dates of the documents of “%(campaign)s” end before they start.", campaign=campaign.name)
                )
            if campaign.document_dates == LAST and campaign.document_days < 1:
                raise ValidationError(
                    _("“%(campaign)s” goes back one day or more for its documents.", campaign=campaign.name)
                )

    @api.constrains("journal_ids", "company_id")
    def _check_journals(self):
        for campaign in self:
            # sudo: what the journals are, not who may read them
            for journal in campaign.sudo().journal_ids:
                if journal.type != "sale" or journal.company_id not in campaign.company_id.parent_ids:
                    raise ValidationError(
                        _(
                            "“%(journal)s” is no sales journal of %(company)s: choose another one for “%(campaign)s”.",
                            journal=journal.name,
                            company=campaign.company_id.name,
                            campaign=campaign.name,
                        )
                    )

    # === Documents ===#

    def _get_documents(self, today):
        """The ``Documents`` that a message which leaves today speaks of."""
        self.ensure_one()
        first = last = None
        if self.document_dates == BETWEEN:
            first, last = self.document_date_from or None, self.document_date_to or None
        elif self.document_dates == LAST:
            first = fields.Date.subtract(today, days=self.document_days)
        journals = tuple(sorted(self.journal_ids._origin.ids))
        return Documents(first, last, journals, self.include_credits, self.include_checks)

    def _get_layout(self):
        return super()._get_layout()._replace(documents=self._get_documents(self.company_id._get_collection_today()))

    def _get_owing_domain(self, today):
        """With documents chosen, balances do not tell who owes: their items do."""
        documents = self._get_documents(today)
        if documents == EVERYTHING:
            return super()._get_owing_domain(today)
        debtors = self.env["collection.debtor"]
        debtors._prepare_ledger()
        overdue_on = today if self.content == OVERDUE else None
        self.env.cr.execute(debtors._query_owing(self.company_id._origin, documents, overdue_on))
        return [("id", "in", [debtor_id for (debtor_id,) in self.env.cr.fetchall()])]
