from odoo import _, api, fields, models
from odoo.exceptions import ValidationError


class CollectionPortfolio(models.Model):
    """Conditions that hand debtors to collectors, and who stands in for whom."""

    _name = "collection.portfolio"
    _description = "Portfolio"
    _inherit = ["mail.thread", "mail.activity.mixin", "collection.audience"]
    _order = "sequence, id"

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True, tracking=True)
    sequence = fields.Integer(default=10, help="A debtor goes to the first portfolio whose conditions all hold.")

    # === Who collects ===#
    collector_ids = fields.Many2many(
        "res.users",
        "collection_portfolio_collector_rel",
        "portfolio_id",
        "user_id",
        string="Collectors",
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
    )
    capacity = fields.Integer(
        help="Debtors that a collector may hold, those of other portfolios included, before no further one comes from "
        "this portfolio. 0: any number.",
    )
    spread_by = fields.Selection(
        [("balance", "Open balance"), ("count", "Number of debtors")],
        required=True,
        default="balance",
        help="What is kept even among the collectors.",
    )
    substitute_id = fields.Many2one(
        "res.users",
        index="btree_not_null",
        tracking=True,
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        help="Sees and works on every debtor of who is absent, in each company that the substitute may enter, from the "
        "first day to the last one. The debtors keep their collector.",
    )
    absent_id = fields.Many2one(
        "res.users",
        string="Instead Of",
        tracking=True,
        domain="[('id', 'in', collector_ids)]",
        help="Empty: every collector of the portfolio.",
    )
    substitute_from = fields.Date(tracking=True)
    substitute_to = fields.Date(tracking=True, help="Last day. Empty: until further notice.")

    # === Conditions ===#
    partner_tag_ids = fields.Many2many(
        relation="collection_portfolio_partner_tag_rel", column1="portfolio_id", column2="category_id"
    )
    salesperson_ids = fields.Many2many(
        relation="collection_portfolio_salesperson_rel", column1="portfolio_id", column2="user_id"
    )

    # === Figures ===#
    debtor_count = fields.Integer(string="Debtors", compute="_compute_figures")
    total_due = fields.Monetary(compute="_compute_figures")
    overdue = fields.Monetary(compute="_compute_figures")

    _sql_constraints = [
        ("capacity_positive", "CHECK(capacity >= 0)", "The capacity of a collector is 0 or more debtors."),
    ]

    @api.depends_context("uid")
    def _compute_figures(self):
        groups = self.env["collection.debtor"]._read_group(
            [("portfolio_id", "in", self.ids)], ["portfolio_id"], ["__count", "total_due:sum", "overdue:sum"]
        )
        figures = {portfolio.id: found for portfolio, *found in groups}
        for portfolio in self:
            portfolio.debtor_count, portfolio.total_due, portfolio.overdue = figures.get(portfolio.id, (0, 0, 0))

    # === Constraints ===#

    @api.constrains("substitute_id", "absent_id", "substitute_from", "substitute_to", "collector_ids")
    def _check_substitute(self):
        for portfolio in self.filtered("substitute_id"):
            first, last = portfolio.substitute_from, portfolio.substitute_to
            if not first or (last and last < first):
                raise ValidationError(
                    _(
                        "Say from which day to which later one %(substitute)s stands in, in portfolio “%(portfolio)s”.",
                        substitute=portfolio.substitute_id.name,
                        portfolio=portfolio.name,
                    )
                )
            if portfolio.absent_id and portfolio.absent_id not in portfolio.collector_ids:
                raise ValidationError(
                    _(
                        "%(person)s is no collector of portfolio “%(portfolio)s”: nobody needs to substitute there.",
                        person=portfolio.absent_id.name,
                        portfolio=portfolio.name,
                    )
                )

    @api.constrains("collector_ids", "substitute_id", "company_id")
    def _check_companies(self):
        for portfolio in self:
            people = portfolio.collector_ids | portfolio.substitute_id
            # sudo: the companies of a person are Odoo's own to read
            strangers = people.sudo().filtered(lambda user: portfolio.company_id not in user.company_ids)
            if strangers:
                raise ValidationError(
                    _(
                        "%(person)s does not work in %(company)s: allow the company or leave the person out of "
                        "portfolio “%(portfolio)s”.",
                        person=strangers[0].name,
                        company=portfolio.company_id.name,
                        portfolio=portfolio.name,
                    )
                )

    # === Actions ===#

    def action_open_debtors(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.collection_debtor_action")
        action["domain"] = [("portfolio_id", "=", self.id)]
        action["context"] = {"search_default_group_collector": 1}
        return action

    def action_assign(self):
        """Assign the debtors of these portfolios' companies, or of the current one, now as every night does."""
        self.env["collection.debtor"]._check_manager()
        changed = sum(self.sudo()._assign_company(company) for company in self.company_id or self.env.company)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success" if changed else "info",
                "message": _("%(count)s debtors changed hands.", count=changed),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    # === Helpers ===#

    @api.model
    def _get_substituted_ids(self):
        """The users for whom the current one stands in today."""
        portfolios = self._get_with_substitute([("substitute_id", "=", self.env.uid)])
        return {user.id for portfolio in portfolios for user in portfolio._get_absent()}

    @api.model
    def _get_stand_ins(self, companies):
        """``{(company, absent user): who stands in for them today}``; one query."""
        return {
            (portfolio.company_id, user): portfolio.substitute_id
            for portfolio in self._get_with_substitute([("company_id", "in", companies.ids)])
            for user in portfolio._get_absent()
            if portfolio.substitute_id.active
        }

    @api.model
    def _get_with_substitute(self, domain):
        """The portfolios that have a substitute, some day."""
        # sudo: who substitutes sees the debtors, whatever this person may read of portfolios
        # Where a search goes through many2one fields, Odoo lets it find archived records.
        return (
            self.sudo()
            .with_context(active_test=True)
            .search([("substitute_id", "!=", False), ("substitute_from", "!=", False), *domain])
        )

    def _clear_substitute(self):
        """Nobody stands in for anybody in these portfolios any more."""
        self.write({"substitute_id": False, "absent_id": False, "substitute_from": False, "substitute_to": False})

    def _get_absent(self):
        """Whose debtors the substitute works on today."""
        self.ensure_one()
        today, last = self.company_id._get_collection_today(), self.substitute_to
        present = self.substitute_from > today or (last and last < today)
        return self.env["res.users"] if present else self.absent_id or self.collector_ids
