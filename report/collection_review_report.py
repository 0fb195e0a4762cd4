from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.misc import format_date, get_lang

from ..models.account_move_review import REVIEW_STATES
from ..models.review_states import ACCEPTED, NOT_REQUIRED, PENDING, REJECTED, SUBMITTED
from . import statement_pdf, xlsx
from .stationery import PAGE_MARGINS, Stationery, get_company_paper


class CollectionReviewReport(models.Model):
    """How long invoices wait for their review: the credit that customers take beside the agreed one.

    One row per posted customer invoice whose credit counts from the review. What waits counts its days to today, where
    its company is. An invoice that a credit note took back before it was accepted is left out: nobody waits for it.
    """

    _name = "collection.review.report"
    _description = "Review Report"
    _auto = False
    _rec_name = "move_id"
    _order = "invoice_date desc, id desc"
    _depends = {
        "account.move": [
            *("amount_total_signed", "commercial_partner_id", "company_id", "currency_id", "invoice_date"),
            *("move_type", "payment_state", "state"),
            *("collection_planned_review_date", "collection_review_date", "collection_review_state"),
        ],
        "collection.debtor": ["collector_id", "company_id", "partner_id"],
        "res.company": ["currency_id"],
    }

    move_id = fields.Many2one("account.move", string="Invoice", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    collector_id = fields.Many2one("res.users", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    company_currency_id = fields.Many2one("res.currency", readonly=True)
    invoice_date = fields.Date(readonly=True)
    planned_date = fields.Date(string="Planned Review", readonly=True)
    review_date = fields.Date(string="Reviewed On", readonly=True)
    state = fields.Selection(
        [state for state in REVIEW_STATES if state[0] != NOT_REQUIRED], string="Review", readonly=True
    )
    progress = fields.Selection([("waiting", "Waiting"), ("processed", "Processed")], readonly=True)
    days = fields.Integer(
        string="Days to Review",
        group_operator="avg",
        readonly=True,
        help="From the invoice to its review; to today while it waits.",
    )
    amount = fields.Monetary(
        currency_field="company_currency_id", readonly=True, help="Total in the currency of the company."
    )
    credit_days = fields.Float(
        string="Amount x Days",
        readonly=True,
        help="What was waited for, weighted: divided by the amount, the average days of the money.",
    )

    @property
    def _table_query(self):
        # One row per invoice, found by account_move_review_index; debtors by their unique key (partner, company).
        companies = self.env["res.company"].sudo().search([])
        todays = [SQL("(%s, %s)", company.id, company._get_collection_today()) for company in companies]
        return SQL(
            """(
            SELECT move.id, move.id AS move_id, move.commercial_partner_id AS partner_id, move.company_id,
                   debtor.collector_id, move.currency_id, company.currency_id AS company_currency_id,
                   move.invoice_date, move.collection_planned_review_date AS planned_date,
                   move.collection_review_date AS review_date, move.collection_review_state AS state,
                   CASE move.collection_review_state WHEN %(accepted)s THEN 'processed' ELSE 'waiting' END AS progress,
                   counted.days, move.amount_total_signed AS amount,
                   move.amount_total_signed * counted.days AS credit_days
              FROM account_move move
              JOIN res_company company ON company.id = move.company_id
              JOIN (VALUES %(todays)s) AS today(company_id, day) ON today.company_id = move.company_id
              LEFT JOIN collection_debtor debtor
                ON debtor.partner_id = move.commercial_partner_id AND debtor.company_id = move.company_id
             CROSS JOIN LATERAL (
                 SELECT COALESCE(move.collection_review_date, today.day) - move.invoice_date AS days) counted
             WHERE move.state = 'posted'
               AND move.move_type = 'out_invoice'
               AND move.collection_review_state IN %(states)s
               AND (move.collection_review_state = %(accepted)s OR move.payment_state IS DISTINCT FROM 'reversed')
            )""",
            accepted=ACCEPTED,
            todays=SQL(", ").join(todays),
            states=(PENDING, SUBMITTED, REJECTED, ACCEPTED),
        )

    # === Actions ===#

    def action_open_invoice(self):
        self.ensure_one()
        return self.move_id.get_formview_action()

    def action_export_xlsx(self):
        """The rows and their summary as a workbook."""
        return self.env["collection.export"]._download(f"{self._get_export_name()}.xlsx", self._render_xlsx())

    def action_print_summary(self):
        return self.env["collection.export"]._download(f"{self._get_export_name()}.pdf", self._render_pdf())

    # === Summary ===#

    def _get_summary(self):
        """[{progress, label, currency, count, amount, days, weighted_days}] of these rows, currencies apart."""
        labels = dict(self._fields["progress"]._description_selection(self.env))
        groups = self._read_group(
            [("id", "in", self.ids)],
            ["company_currency_id", "progress"],
            ["__count", "amount:sum", "days:avg", "credit_days:sum"],
        )
        return [
            {
                "progress": progress,
                "label": labels[progress],
                "currency": currency,
                "count": count,
                "amount": currency.round(amount),
                "days": days,
                "weighted_days": credit_days / amount if amount else 0.0,
            }
            for currency, progress, count, amount, days, credit_days in sorted(
                groups, key=lambda group: (group[0].name, group[1] == "processed")
            )
        ]

    def _get_period_text(self):
        """From the first invoice to the last."""
        dates = [day for day in self.mapped("invoice_date") if day]
        first, last = (format_date(self.env, day) for day in (min(dates), max(dates)))
        return _("Invoices from %(first)s to %(last)s", first=first, last=last)

    def _get_export_name(self):
        if not self:
            raise UserError(_("Choose the invoices of the report first."))
        return _("Review report %(date)s", date=self.env.company._get_collection_today().isoformat())

    # === Documents ===#

    def _render_pdf(self):
        stationery = Stationery(self.env)
        company = self.company_id[:1].sudo() if len(self.company_id) == 1 else self.env.company.sudo()
        body = stationery.render_document(
            "account_collection.review_summary_document",
            company,
            get_lang(self.env).code,
            {"summary": self._get_summary(), "period": self._get_period_text()},
        )
        (pdf,) = statement_pdf.render(self.env, [body], get_company_paper(company), PAGE_MARGINS, stationery.head)
        if isinstance(pdf, Exception):
            raise pdf
        return pdf

    def _render_xlsx(self):
        book = xlsx.Book(get_company_paper(self.env.company).format)
        notes = [", ".join(self.company_id.sudo().mapped("name")), self._get_period_text()]
        self._write_rows(book.add_sheet(_("Invoices"), _("Review report"), notes, self._get_columns()))
        self._write_summary(book.add_sheet(_("Summary"), _("Review report"), notes, self._get_summary_columns()))
        return book.close()

    def _get_columns(self):
        return [
            xlsx.Column(_("Invoice"), 18),
            xlsx.Column(_("Customer"), 32),
            xlsx.Column(_("Company"), 22),
            xlsx.Column(_("Collector"), 20),
            xlsx.Column(_("Invoice Date"), 12, xlsx.DATE),
            xlsx.Column(_("Planned Review"), 12, xlsx.DATE),
            xlsx.Column(_("Reviewed On"), 12, xlsx.DATE),
            xlsx.Column(_("Review"), 12),
            xlsx.Column(_("Progress"), 12),
            xlsx.Column(_("Days to Review"), 10, xlsx.INTEGER, xlsx.AVERAGE),
            xlsx.Column(_("Currency"), 9),
            *xlsx.amount_columns(_("Amount"), self._get_currencies()),
        ]

    def _get_currencies(self):
        return self.company_currency_id.sorted("name")

    def _write_rows(self, sheet):
        """A row per invoice; amounts in the column of the company's currency."""
        currencies = self._get_currencies()
        states, progress = (dict(self._fields[name]._description_selection(self.env)) for name in ("state", "progress"))
        # sudo: the names of colleagues
        collectors = {user: user.name or "" for user in self.collector_id.sudo()}
        for row in self:
            sheet.add_row(
                [
                    row.move_id.name,
                    row.partner_id.name,
                    row.company_id.name,
                    collectors.get(row.collector_id, ""),
                    *(row.invoice_date, row.planned_date, row.review_date),
                    *(states[row.state], progress[row.progress], row.days, row.currency_id.name),
                    *(currency == row.company_currency_id and row.amount for currency in currencies),
                ]
            )
        sheet.add_total(_("Total"))

    @api.model
    def _get_summary_columns(self):
        return [
            xlsx.Column(_("Progress"), 18),
            xlsx.Column(_("Currency"), 10),
            xlsx.Column(_("Invoices"), 10, xlsx.INTEGER, xlsx.SUM),
            xlsx.Column(_("Amount"), 18, xlsx.AMOUNT),
            xlsx.Column(_("Average days"), 12, xlsx.AMOUNT, decimals=1),
            xlsx.Column(_("Average days, by amount"), 14, xlsx.AMOUNT, decimals=1),
        ]

    def _write_summary(self, sheet):
        for part in self._get_summary():
            sheet.add_row(
                [
                    *(part["label"], part["currency"].name, part["count"]),
                    *(part["amount"], part["days"], part["weighted_days"]),
                ]
            )
        sheet.add_total(_("Total"))
