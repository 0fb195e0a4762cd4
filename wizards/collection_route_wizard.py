from datetime import timedelta

from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import format_date

from ..models.review_states import PENDING, REJECTED, SUBMITTED, WAITING


class CollectionRouteWizard(models.TransientModel):
    """The route sheet of a day: all that is planned for it, or the invoices that were chosen in the list."""

    _name = "collection.route.wizard"
    _description = "Route Sheet"

    date = fields.Date(required=True, default=lambda self: self._default_date())
    collector_ids = fields.Many2many("res.users", string="Collectors", domain=[("share", "=", False)])
    with_submitted = fields.Boolean(string="Submitted Ones Too", help="Also those that were handed in already.")
    by_collector = fields.Boolean(string="A Sheet for Each Collector")
    move_ids = fields.Many2many("account.move", string="Chosen Invoices", default=lambda self: self._default_move_ids())
    invoice_count = fields.Integer(string="Invoices", compute="_compute_counts")
    customer_count = fields.Integer(string="Customers", compute="_compute_counts")

    # === Defaults ===#

    @api.model
    def _default_move_ids(self):
        if self.env.context.get("active_model") == "account.move":
            return self.env["account.move"].browse(self.env.context.get("active_ids"))

    @api.model
    def _default_date(self):
        """The first day to come with a planned review: of the chosen invoices, else of those that the user may see."""
        today = self.env.company._get_collection_today()
        if chosen := self._default_move_ids():
            planned = chosen.filtered("collection_planned_review_date").mapped("collection_planned_review_date")
            day = min((day for day in planned if day > today), default=False)
        else:
            day = self._get_next_day(today)
        return day or today + timedelta(days=1)

    # === Computes ===#

    @api.depends("date", "collector_ids", "with_submitted", "move_ids")
    def _compute_counts(self):
        for wizard in self:
            moves = wizard._get_moves()
            wizard.invoice_count = len(moves)
            wizard.customer_count = len(moves.commercial_partner_id)

    # === Actions ===#

    def action_pdf(self):
        return self._download("pdf", self.env["collection.route.sheet"]._render_pdf)

    def action_xlsx(self):
        return self._download("xlsx", self.env["collection.route.sheet"]._render_xlsx)

    def _download(self, extension, render):
        self.ensure_one()
        moves = self._get_moves()
        if not moves:
            raise UserError(self._get_nothing_text())
        sheets = self.env["collection.route.sheet"]._prepare_sheets(moves, self.date, self.by_collector)
        name = _("Route sheet %(date)s", date=self.date.isoformat())
        return self.env["collection.export"]._download(f"{name}.{extension}", render(sheets))

    # === Invoices ===#

    def _get_moves(self):
        """The invoices of the sheet, of those customers alone whose debtors the user may see."""
        self.ensure_one()
        if self.move_ids:
            moves = self.move_ids._origin.filtered_domain(self._get_domain(WAITING))
        elif self.date:
            on_date = ("collection_planned_review_date", "=", self.date)
            moves = self.env["account.move"].search([*self._get_domain(self._get_states()), on_date])
        else:
            moves = self.env["account.move"]
        collectors = self.collector_ids._origin
        return moves.filtered(
            lambda move: (
                move.collection_debtor_id and (not collectors or move.collection_debtor_id.collector_id in collectors)
            )
        )

    def _get_states(self):
        return (PENDING, REJECTED, SUBMITTED) if self.with_submitted else (PENDING, REJECTED)

    @api.model
    def _get_domain(self, states):
        moves = self.env["account.move"]
        return [("company_id", "in", self.env.companies.ids), *moves._get_for_review_domain(states)]

    def _get_next_day(self, day):
        """First day after ``day`` for which this user has a review planned, or False. Two queries."""
        planned = self.env["account.move"]._read_group(
            [*self._get_domain(self._get_states()), ("collection_planned_review_date", ">", day)],
            ["commercial_partner_id", "company_id"],
            ["collection_planned_review_date:min"],
        )
        domain = [("partner_id", "in", [customer.id for customer, _company, _first in planned])]
        if self.collector_ids:
            domain.append(("collector_id", "in", self.collector_ids._origin.ids))
        debtors = self.env["collection.debtor"].search_fetch(domain, ["partner_id", "company_id"])
        seen = {(debtor.partner_id, debtor.company_id) for debtor in debtors}
        return min((first for customer, company, first in planned if (customer, company) in seen), default=False)

    def _get_nothing_text(self):
        self.ensure_one()
        if self.move_ids:
            return _("None of the chosen invoices waits for its review: choose pending, submitted or rejected ones.")
        day = format_date(self.env, self.date)
        if following := self._get_next_day(self.date):
            return _(
                "No review is planned for %(date)s. The next day with planned reviews is %(next)s.",
                date=day,
                next=format_date(self.env, following),
            )
        return _("No review is planned for %(date)s, nor for any later day.", date=day)
