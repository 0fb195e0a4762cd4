from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL

from ..engine import checks
from .searches import asks_for

# The bank may still give these back.
UNCLEARED = (checks.DEPOSITED, checks.REDEPOSITED)


class CollectionDebtor(models.Model):
    """How much of its credit limit a debtor uses.

    *How it works.* The limit is Odoo's own, the customer's or else the company's default one, where the company uses
    limits. Against it count what is open in the ledger, and so also checks that are booked in custody or only
    remembered; what was paid by checks that the bank did not clear yet; and, with Sales, what Odoo says is to be
    invoiced. A hold stops messages and not sales: it changes nothing here. A constant number of statements per company,
    whatever the number of debtors.
    """

    _inherit = "collection.debtor"

    credit_limit = fields.Monetary(
        compute="_compute_credit", help="The customer's, else the company's default one. Zero: no limit."
    )
    credit_exposure = fields.Monetary(
        string="Credit Used",
        compute="_compute_credit",
        help="What is open, checks in custody included, what was paid by checks that did not clear yet, and what is to "
        "be invoiced of sales orders.",
    )
    credit_available = fields.Monetary(compute="_compute_credit")
    credit_used = fields.Float(string="Part of the Limit", compute="_compute_credit", group_operator=False)
    over_credit_limit = fields.Boolean(
        string="Over the Limit", compute="_compute_credit", search="_search_over_credit_limit"
    )

    @api.depends(
        "total_due",
        "check_ids.state",
        "check_ids.company_amount",
        "partner_id.credit_limit",
        "company_id.account_use_credit_limit",
    )
    def _compute_credit(self):
        exposures, limits = self._get_exposures(), self._get_credit_limits()
        for debtor in self:
            limit, exposure = limits[debtor._get_credit_key()], exposures[debtor._get_credit_key()]
            debtor.credit_limit, debtor.credit_exposure = limit, exposure
            debtor.credit_available = limit and limit - exposure
            debtor.credit_used = limit and exposure / limit
            debtor.over_credit_limit = limit and debtor.currency_id.compare_amounts(exposure, limit) > 0

    @api.model
    def _search_over_credit_limit(self, operator, value):
        return [
            ("id", "in" if asks_for(operator, value) else "not in", self._get_over_credit_limit(self.env.companies).ids)
        ]

    @api.model
    def _get_over_credit_limit(self, companies):
        """The debtors of these companies that use more than their limit, in sudo."""
        # sudo: rules say afterwards which of them this person sees
        debtors = self.sudo().search_fetch(
            [("company_id", "in", companies.filtered("account_use_credit_limit").ids)],
            ["partner_id", "company_id", "total_due"],
            order="id",
        )
        exposures, limits = debtors._get_exposures(), debtors._get_credit_limits()
        return debtors.filtered(
            lambda debtor: (
                limits[debtor._get_credit_key()]
                and debtor.currency_id.compare_amounts(
                    exposures[debtor._get_credit_key()], limits[debtor._get_credit_key()]
                )
                > 0
            )
        )

    # === Limit and exposure, by (commercial partner id, company id) ===#

    def _get_credit_key(self):
        self.ensure_one()
        return (self.partner_id.id, self.company_id.id)

    def _get_exposures(self):
        """``{key: amount}`` of these debtors, from their balances."""
        exposures = self._get_exposures_beside_ledger(self.partner_id, self.company_id)
        for debtor in self:
            exposures[debtor._get_credit_key()] += debtor.total_due
        return exposures

    def _get_credit_limits(self):
        return self._get_limits(self.partner_id, self.company_id)

    @api.model
    def _get_exposures_now(self, partners, companies):
        """``{key: amount}`` of these customers from the ledger itself: within a transaction the balances are those from
        before it."""
        exposures = self._get_exposures_beside_ledger(partners, companies)
        self._prepare_ledger()
        self.env.cr.execute(self._query_open_totals(partners.ids, companies.ids))
        for partner_id, company_id, amount in self.env.cr.fetchall():
            exposures[partner_id, company_id] += float(amount)
        return exposures

    @api.model
    def _get_exposures_beside_ledger(self, partners, companies):
        """What counts though the ledger does not show it as open."""
        exposures = defaultdict(float)
        # sudo: whoever posts an invoice is told what its customer owes
        groups = (
            self.env["account.postdated.check"]
            .sudo()
            ._read_group(
                [
                    ("commercial_partner_id", "in", partners.ids),
                    ("company_id", "in", companies.ids),
                    ("state", "in", UNCLEARED),
                ],
                ["commercial_partner_id", "company_id"],
                ["company_amount:sum"],
            )
        )
        for partner, company, amount in groups:
            exposures[partner.id, company.id] += amount
        for company in companies:
            for partner_id, amount in self._get_uninvoiced(partners, company).items():
                exposures[partner_id, company.id] += amount
        return exposures

    @api.model
    def _get_uninvoiced(self, partners, company):
        """``{commercial partner id: amount}`` that Odoo says is to be invoiced of the orders of these customers and of
        their contacts; nothing without Sales."""
        uninvoiced = defaultdict(float)
        if "sale.order" not in self.env:
            return uninvoiced
        members = self.env["res.partner"].sudo().with_context(active_test=False).with_company(company)
        members = members.search([("commercial_partner_id", "in", partners.ids)])
        # Nothing tells Odoo's cache that an order changed.
        members.invalidate_recordset(["credit_to_invoice"])
        for member in members:
            uninvoiced[member.commercial_partner_id.id] += member.credit_to_invoice
        return uninvoiced

    @api.model
    def _get_limits(self, partners, companies):
        """``{key: amount}``; zero where there is no limit."""
        limits = defaultdict(float)
        for company in companies.filtered("account_use_credit_limit"):
            # sudo: as above
            for partner in partners.sudo().with_company(company):
                limits[partner.id, company.id] = partner.credit_limit
        return limits

    @api.model
    def _query_open_totals(self, partner_ids, company_ids):
        """Rows (commercial partner, company, open amount in company currency). Served by the indexes on the partners of
        families and lines."""
        return SQL(
            """SELECT member.commercial_partner_id, line.company_id, SUM(line.amount_residual)
                 FROM res_partner member
                 JOIN account_move_line line ON line.partner_id = member.id
                WHERE member.commercial_partner_id = ANY(%s) AND line.company_id = ANY(%s)
                  AND line.account_id = ANY(%s) AND %s
                GROUP BY member.commercial_partner_id, line.company_id""",
            partner_ids,
            company_ids,
            self.env["account.account"]._get_receivable_ids(),
            self._query_is_open("line"),
        )
