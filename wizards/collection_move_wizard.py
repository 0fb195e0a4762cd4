from odoo import _, api, fields, models
from odoo.exceptions import UserError

from ..engine import assignment
from ..models.collection_debtor_assignment import Handover


class CollectionMoveWizard(models.TransientModel):
    """Moves the debtors of someone who leaves to others, or back to assignment."""

    _name = "collection.move.wizard"
    _description = "Move Portfolio"

    company_id = fields.Many2one("res.company", required=True, readonly=True, default=lambda self: self.env.company)
    collector_id = fields.Many2one("res.users", string="From", required=True)
    portfolio_id = fields.Many2one(
        "collection.portfolio", domain="[('company_id', '=', company_id)]", help="Empty: all debtors of the person."
    )
    collector_ids = fields.Many2many(
        "res.users",
        string="To",
        domain="[('share', '=', False), ('company_ids', 'in', company_id), ('id', '!=', collector_id)]",
        help="Several share them by open balance. Empty: back to assignment, locked debtors too.",
    )
    replace = fields.Boolean(
        string="Replace in the Portfolios",
        default=True,
        help="Who leaves is no collector of the portfolios any more, and who takes over is one. Without it the debtors "
        "are locked to who takes over.",
    )
    reason = fields.Char(help="Kept on each debtor and in its chatter.")
    debtor_count = fields.Integer(string="Debtors", compute="_compute_debtor_count")

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        if self.env.context.get("active_model") == "collection.portfolio":
            portfolio = self.env["collection.portfolio"].browse(self.env.context.get("active_id"))
            values.update(portfolio_id=portfolio.id, company_id=portfolio.company_id.id)
        return values

    @api.depends("collector_id", "portfolio_id", "company_id")
    def _compute_debtor_count(self):
        for wizard in self:
            wizard.debtor_count = self.env["collection.debtor"].search_count(wizard._get_domain())

    def _get_domain(self):
        domain = [("collector_id", "=", self.collector_id.id or 0), ("company_id", "=", self.company_id.id)]
        if self.portfolio_id:
            domain.append(("portfolio_id", "=", self.portfolio_id.id))
        return domain

    def action_move(self):
        self.ensure_one()
        Debtor = self.env["collection.debtor"]
        Debtor._check_manager()
        debtors = Debtor.search(self._get_domain())
        if not debtors:
            raise UserError(_("%(user)s collects from nobody there.", user=self.collector_id.name))
        if self.collector_id in self.collector_ids:
            raise UserError(_("%(user)s cannot take over from the same person.", user=self.collector_id.name))
        self.collector_ids._check_collection_companies(self.company_id)
        if self.replace:
            self._replace_in_portfolios()
        reason = self.reason or _("Moved by %(user)s.", user=self.env.user.name)
        if self.collector_ids:
            Debtor._hand_over(self._prepare_handovers(debtors, reason), self.company_id)
        else:
            Debtor._release(debtors, reason)
        return {"type": "ir.actions.act_window_close"}

    def _replace_in_portfolios(self):
        everywhere = self.env["collection.portfolio"].with_context(active_test=False)
        portfolios = self.portfolio_id or everywhere.search(
            [
                ("company_id", "=", self.company_id.id),
                *("|", ("collector_ids", "in", self.collector_id.ids), ("substitute_id", "=", self.collector_id.id)),
            ]
        )
        portfolios.filtered(
            lambda portfolio: self.collector_id in portfolio.absent_id | portfolio.substitute_id
        )._clear_substitute()
        joined = self.portfolio_id or portfolios.filtered(
            lambda portfolio: self.collector_id in portfolio.collector_ids
        )
        for portfolio in joined:
            gone = fields.Command.unlink(self.collector_id.id)
            portfolio.collector_ids = [gone, *(fields.Command.link(user.id) for user in self.collector_ids)]

    def _prepare_handovers(self, debtors, reason):
        groups = self.env["collection.debtor"]._read_group(
            [("company_id", "=", self.company_id.id), ("collector_id", "in", self.collector_ids.ids)],
            ["collector_id"],
            ["__count", "total_due:sum"],
        )
        unit = 10**self.company_id.currency_id.decimal_places
        held = dict.fromkeys(self.collector_ids.ids, assignment.Held())
        held.update({user.id: assignment.Held(count, round(total * unit)) for user, count, total in groups})
        items = [assignment.Debtor(debtor.id, round(debtor.total_due * unit)) for debtor in debtors]
        found = assignment.spread(items, held, by_balance=True)
        return [
            Handover(
                debtor.id,
                self.collector_id.id,
                found[debtor.id],
                debtor.portfolio_id.id or None,
                debtor.collector_locked or not self.replace,
                reason,
            )
            for debtor in debtors
        ]
