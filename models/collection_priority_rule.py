from odoo import _, api, fields, models
from odoo.exceptions import ValidationError

from ..engine import priority

KINDS = [
    (priority.DAYS_OVERDUE, "Days overdue"),
    (priority.OVERDUE, "Overdue amount"),
    (priority.BROKEN_PROMISES, "Broken promises, 12 months"),
    (priority.PROMISES_DUE, "Promises due"),
    (priority.BOUNCED_CHECKS, "Bounced checks, 12 months"),
    (priority.DAYS_WITHOUT_CONTACT, "Days without contact"),
    (priority.FOLLOW_UPS_DUE, "Follow-ups due"),
    (priority.RISK_CLASS, "Risk class: steps below A"),
]
# Whatever of a rule changes the score of debtors.
WEIGHTS = {"kind", "points", "unit", "maximum", "active", "sequence", "company_id"}


class CollectionPriorityRule(models.Model):
    """What a figure of a debtor adds to its score; the formula is ``engine.priority``'s.

    Rules without a company are everybody's; a company's own rule of a kind replaces the shared one. To leave a shared
    rule out for one company, give it a rule of its own with 0 points. A change counts at once.
    """

    _name = "collection.priority.rule"
    _description = "Priority Rule"
    _order = "sequence, id"

    kind = fields.Selection(KINDS, string="Figure", required=True)
    points = fields.Integer(required=True, default=1, help="For each whole unit of the figure.")
    unit = fields.Float(
        string="For Each",
        required=True,
        default=1,
        digits=(16, 2),
        help="Days, pieces or, of an amount, units of the company's currency.",
    )
    maximum = fields.Integer(string="At Most", required=True, default=30, help="Most points of this rule.")
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", index=True, ondelete="cascade", help="Empty: every company.")

    _sql_constraints = [
        ("points_positive", "CHECK(points >= 0)", "The points of a rule are 0 or more."),
        ("unit_positive", "CHECK(unit > 0)", "A rule gives points for each so much of a figure: more than 0."),
        ("maximum_positive", "CHECK(maximum >= 0)", "The most points of a rule are 0 or more."),
    ]

    @api.model
    def _auto_init(self):
        result = super()._auto_init()
        # A shared rule has no company, and what is null is equal to nothing.
        self.env.cr.execute(
            """CREATE UNIQUE INDEX IF NOT EXISTS collection_priority_rule_kind_unique
                   ON collection_priority_rule (kind, COALESCE(company_id, 0))"""
        )
        return result

    @api.depends("kind")
    @api.depends_context("lang")
    def _compute_display_name(self):
        names = dict(self._fields["kind"]._description_selection(self.env))
        for rule in self:
            rule.display_name = names.get(rule.kind, "")

    # === CRUD ===#

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_only_one(vals.get("kind"), vals.get("company_id"))
        made = super().create(vals_list)
        made._score_again(made.company_id, made._is_shared())
        return made

    def write(self, vals):
        if not {"kind", "company_id"}.isdisjoint(vals):
            for rule in self:
                rule._check_only_one(vals.get("kind", rule.kind), vals.get("company_id", rule.company_id.id))
        before, shared = self.company_id, self._is_shared()
        result = super().write(vals)
        if not WEIGHTS.isdisjoint(vals):
            self._score_again(before | self.company_id, shared or self._is_shared())
        return result

    def unlink(self):
        companies, shared = self.company_id, self._is_shared()
        result = super().unlink()
        self._score_again(companies, shared)
        return result

    def _check_only_one(self, kind, company_id):
        """Raise a sentence where there is another rule of that kind already. Before it is written: the unique index
        would answer before a constraint is asked."""
        # sudo: there is one, whoever may read it
        others = self.sudo().with_context(active_test=False)
        other = others.search(
            [("kind", "=", kind), ("company_id", "=", company_id or False), ("id", "not in", self.ids)], limit=1
        )
        if not other:
            return
        values = {"rule": other.display_name, "company": other.company_id.name or _("every company")}
        if other.active:
            raise ValidationError(_("There is a rule “%(rule)s” for %(company)s already: change that one.", **values))
        raise ValidationError(
            _("There is an archived rule “%(rule)s” for %(company)s already: restore and change that one.", **values)
        )

    def _is_shared(self):
        """Whether one of these is every company's."""
        return any(not rule.company_id for rule in self)

    @api.model
    def _score_again(self, companies, everywhere):
        """Score the debtors of ``companies``, or of every company, by the rules as they are now."""
        # The rules that come with the add-on are scored once they are all there.
        if self.env.context.get("install_mode"):
            return
        # sudo: a shared rule counts in companies that this person does not see
        debtors = self.env["collection.debtor"].sudo()
        for company in debtors.env["res.company"].search([]) if everywhere else companies.sudo():
            debtors._rank_all(company, with_ledger=False)

    # === Rules of a company ===#

    @api.model
    def _get_rules(self, company):
        """The rules of ``company`` for ``engine.priority``, in one query."""
        # sudo: everybody's debtors are scored by them, whoever may read them
        found = self.sudo().search([("company_id", "in", (company.id, False))])
        return priority.choose([(rule.company_id.id or None, rule._to_engine()) for rule in found], company.id)

    def _to_engine(self):
        self.ensure_one()
        return priority.Rule(self.kind, self.points, self.unit, self.maximum)
