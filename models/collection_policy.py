from odoo import _, api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ..engine import dunning, risk


class CollectionPolicy(models.Model):
    _name = "collection.policy"
    _description = "Dunning Policy"
    _inherit = ["collection.risk.choice"]
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(
        default=10, help="Among the policies that a customer's tags or risk class select, the first one applies."
    )
    company_id = fields.Many2one("res.company", index=True, help="Empty: every company may use it.")
    level_ids = fields.One2many("collection.level", "policy_id", string="Levels", copy=True)
    partner_tag_ids = fields.Many2many(
        "res.partner.category",
        "collection_policy_partner_tag_rel",
        "policy_id",
        "category_id",
        string="Customer Tags",
        help="Customers with one of these tags follow this policy, unless their debtor names another.",
    )
    requires_approval = fields.Boolean(
        help="The nightly run of this policy stays a proposal until a person approves it."
    )
    is_company_default = fields.Boolean(compute="_compute_is_company_default")

    @api.depends_context("company")
    def _compute_is_company_default(self):
        default = self.env.company.collection_policy_id
        for policy in self:
            policy.is_company_default = policy == default

    @api.constrains("level_ids")
    def _check_levels(self):
        for policy in self:
            names = {level.id: level.name for level in policy.level_ids}
            try:
                dunning.check_levels(policy.level_ids._as_engine())
            except ValueError as error:
                kind, *ids = error.args
                if kind == "inverted":
                    message = _(
                        "Level “%(level)s” of policy “%(policy)s” ends before it starts: set “To day” to the day "
                        "“From day” or a later one.",
                        level=names[ids[0]],
                        policy=policy.name,
                    )
                else:
                    message = _(
                        "Levels “%(first)s” and “%(second)s” of policy “%(policy)s” overlap: end the first one before "
                        "the second one starts.",
                        first=names[ids[0]],
                        second=names[ids[1]],
                        policy=policy.name,
                    )
                raise ValidationError(message) from None

    @api.constrains("company_id")
    def _check_followers(self):
        # sudo: of every company, also of those that this person does not see
        for policy in self.filtered("company_id").sudo().with_context(active_test=False):
            groups = self.env["collection.debtor"].sudo()._read_group([("policy_id", "=", policy.id)], ["company_id"])
            companies = policy.env["res.company"].search([("collection_policy_id", "=", policy.id)])
            policy._check_usable_by(companies.union(*(company for (company,) in groups)))

    @api.constrains("company_id")
    def _check_bank_accounts(self):
        self.level_ids._check_bank_accounts()

    def _check_usable_by(self, companies):
        """:raise ValidationError: when this policy is one company's own and ``companies`` holds another one"""
        # sudo: the policy of another company is the very case
        policy = self.sudo()
        strangers = policy.company_id and companies.sudo() - policy.company_id
        if strangers:
            raise ValidationError(
                _(
                    "Policy “%(policy)s” is for %(owner)s alone: %(company)s and its debtors need one of their own, or "
                    "one without a company.",
                    policy=policy.name,
                    owner=policy.company_id.name,
                    company=strangers[0].name,
                )
            )

    def write(self, vals):
        # Several windows may move in one go: they are compared when the last one is where it belongs.
        super(CollectionPolicy, self.with_context(collection_windows_checked_later=True)).write(vals)
        if "level_ids" in vals:
            self._check_levels()
        return True

    @api.model
    def _query_debtor_policy(self, debtor_alias, company_id=None):
        """Expression for the policy of a ``collection_debtor`` row: its own, else its customer's tags', else its
        risk class's, else the company's; an archived one counts as none. Served by the primary keys of the policies and
        of the two relation tables; customers without a policy's tag, most of them, are told apart by one hash. With
        ``company_id``, all debtors are that company's, and its policy and those of its classes are read once."""
        debtor = SQL.identifier(debtor_alias)
        company = company_id or SQL("%s.company_id", debtor)
        return SQL(
            """COALESCE(
                CASE WHEN %(debtor)s.policy_id IS NOT NULL
                THEN (SELECT policy.id FROM collection_policy policy
                       WHERE policy.id = %(debtor)s.policy_id AND policy.active) END,
                CASE WHEN %(debtor)s.partner_id IN (
                    SELECT tagged.partner_id FROM res_partner_res_partner_category_rel tagged
                      JOIN collection_policy_partner_tag_rel chosen ON chosen.category_id = tagged.category_id)
                THEN (SELECT policy.id
                   FROM res_partner_res_partner_category_rel tagged
                   JOIN collection_policy_partner_tag_rel chosen ON chosen.category_id = tagged.category_id
                   JOIN collection_policy policy ON policy.id = chosen.policy_id
                  WHERE tagged.partner_id = %(debtor)s.partner_id AND policy.active
                    AND (policy.company_id IS NULL OR policy.company_id = %(debtor)s.company_id)
                  ORDER BY policy.sequence, policy.id LIMIT 1) END,
                CASE %(debtor)s.risk_class %(by_class)s END,
                (SELECT company.collection_policy_id FROM res_company company
                  WHERE company.id = %(company)s))""",
            debtor=debtor,
            company=company,
            by_class=SQL(" ").join(
                SQL(
                    """WHEN %(letter)s THEN (SELECT policy.id FROM collection_policy policy
                         WHERE policy.active AND policy.%(chosen)s
                           AND (policy.company_id IS NULL OR policy.company_id = %(company)s)
                         ORDER BY policy.sequence, policy.id LIMIT 1)""",
                    letter=letter,
                    chosen=SQL.identifier(f"risk_{letter.lower()}"),
                    company=company,
                )
                for letter in risk.CLASSES
            ),
        )
