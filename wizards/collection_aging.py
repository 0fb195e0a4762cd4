from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import format_date

from ..engine import aging
from ..report.collection_aging_line import (
    BY_DEBTOR,
    BY_DOCUMENT,
    CONTRACTUAL,
    EDGES_KEY,
    EFFECTIVE,
    MAX_EDGES,
    OWN_CURRENCY,
)

GROUPS = [
    ("collector_id", "Collector"),
    ("portfolio_id", "Portfolio"),
    ("salesperson_id", "Salesperson"),
    ("country_id", "Country"),
    ("state_id", "State"),
    ("zip", "ZIP"),
    ("category_ids", "Tags"),
    ("risk_class", "Risk Class"),
    ("level_id", "Level Reached"),
]


class CollectionAging(models.TransientModel):
    """An aging report: as of which day, of what, in which buckets; on the screen, as PDF or as XLSX.

    How it works: the rows, ``collection.aging.line``, are made anew by one statement at each button.
    """

    _name = "collection.aging"
    _description = "Aging Report"

    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)
    as_of = fields.Date(required=True, default=lambda self: self.env.company._get_collection_today())
    detail = fields.Selection(
        [(BY_DEBTOR, "One row for each debtor"), (BY_DOCUMENT, "One row for each document")],
        string="Rows",
        required=True,
        default=BY_DEBTOR,
    )
    due_basis = fields.Selection(
        [(EFFECTIVE, "Effective due date"), (CONTRACTUAL, "Contractual due date")],
        string="Age From",
        required=True,
        default=EFFECTIVE,
        help="The contractual date is what the payment terms say; the effective one is the customer's payment day.",
    )
    amounts_in = fields.Selection(
        [("company", "The company's currency"), (OWN_CURRENCY, "The currency of each document")],
        required=True,
        default="company",
    )
    edges = fields.Char(
        string="Buckets",
        required=True,
        compute="_compute_edges",
        store=True,
        readonly=False,
        precompute=True,
        help="Last day of each bucket but the open one, such as 30, 60, 90.",
    )
    group_by = fields.Selection(GROUPS, string="Grouped By", help="As it is today, also in a report of a past day.")
    debtor_id = fields.Many2one(
        "collection.debtor", string="Only This Debtor", domain="[('company_id', '=', company_id)]"
    )
    line_ids = fields.One2many("collection.aging.line", "wizard_id", string="Rows Found", readonly=True)

    @api.depends("company_id")
    def _compute_edges(self):
        for report in self:
            company = report.company_id or self.env.company
            report.edges = ", ".join(str(edge) for edge in company._get_collection_bucket_edges())

    # === ACTIONS === #

    def action_open(self):
        """The rows as list, pivot and graph."""
        self._fill()
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.collection_aging_line_action")
        return {
            **action,
            "name": self._get_title(),
            "display_name": self._get_title(),
            "domain": [("wizard_id", "=", self.id)],
            "context": self._prepare_context(),
        }

    def action_print(self):
        return self._download("pdf", self.env["collection.aging.document"]._render_pdf)

    def action_export_xlsx(self):
        return self._download("xlsx", self.env["collection.aging.document"]._render_xlsx)

    def _download(self, extension, render):
        self._fill()
        name = _("Aging %(date)s", date=self.as_of.isoformat())
        return self.env["collection.export"]._download(f"{name}.{extension}", render(self))

    # === ROWS === #

    def _fill(self):
        """Make the rows of this report anew.

        :raise UserError: when its day or its buckets cannot be
        """
        self.ensure_one()
        if self.as_of > self.company_id._get_collection_today():
            raise UserError(_("Aging cannot be as of a day to come: choose today or an earlier day."))
        lines = self.env["collection.aging.line"]
        lines._refill(self, lines._query_fill(self))

    def _get_edges(self):
        """The edges of the buckets as integers. :raise UserError: when they are none"""
        self.ensure_one()
        try:
            edges = tuple(int(edge) for edge in self.edges.split(","))
            aging.check_edges(edges)
        except ValueError:
            edges = ()
        if not 0 < len(edges) <= MAX_EDGES:
            raise UserError(
                _(
                    "“%(edges)s” are no buckets: write up to %(count)s numbers of days, each higher than the one "
                    "before, such as 30, 60, 90.",
                    edges=self.edges,
                    count=MAX_EDGES,
                )
            )
        return edges

    def _get_debtors_query(self):
        """The debtors of this report that the person may see."""
        domain = [("company_id", "=", self.company_id.id)]
        if self.debtor_id:
            domain.append(("id", "=", self.debtor_id.id))
        return self.env["collection.debtor"]._search(domain, order="id")

    def _prepare_items(self, debtor):
        """Values of a report of the items of one debtor, on the same terms as this one."""
        self.ensure_one()
        return {
            "company_id": self.company_id.id,
            "as_of": self.as_of,
            "detail": BY_DOCUMENT,
            "due_basis": self.due_basis,
            "amounts_in": self.amounts_in,
            "edges": self.edges,
            "debtor_id": debtor.id,
        }

    # === HELPERS === #

    def _get_title(self):
        title = _("Aging as of %(date)s", date=format_date(self.env, self.as_of))
        return f"{title}: {self.debtor_id.display_name}" if self.debtor_id else title

    def _prepare_context(self):
        """Groups as chosen, currencies apart, and the buckets that views and labels follow."""
        groups = ["currency_id"] if self.amounts_in == OWN_CURRENCY else []
        if self.group_by:
            groups.append(self.group_by)
        ages = ["bucket"] if self.detail == BY_DOCUMENT else ["partner_id"]
        return {
            "collection_aging_documents": self.detail == BY_DOCUMENT,
            EDGES_KEY: ",".join(str(edge) for edge in self._get_edges()),
            **{f"search_default_group_{name}": position for position, name in enumerate(groups, start=1)},
            "pivot_row_groupby": groups or ["partner_id"],
            "graph_groupbys": groups or ages,
        }
