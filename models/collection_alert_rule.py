from odoo import _, api, fields, models
from odoo.exceptions import ValidationError

OVERDUE_COUNT, OVERDUE_AMOUNT, LEVEL, LIMIT = "overdue_count", "overdue_amount", "level", "limit"
PROMISE, BOUNCE, DUE_SOON = "promise", "bounce", "due_soon"
KINDS = [
    (OVERDUE_COUNT, "Many overdue items"),
    (OVERDUE_AMOUNT, "A high overdue amount"),
    (LEVEL, "A dunning level is reached"),
    (LIMIT, "The credit limit is exceeded"),
    (PROMISE, "A promise is broken"),
    (BOUNCE, "A check bounces"),
    (DUE_SOON, "A high invoice falls due soon"),
]
ACTIVITY, MAIL = "activity", "mail"


class CollectionAlertRule(models.Model):
    """What the company's own people are told of debtors, who and how.

    *How to use.* ``_alert_company(company, today)`` each night; a second time on the same day tells nothing.

    *How it works.* One statement per rule, see ``collection.alert``: it remembers what is new and forgets what is over,
    so that each event is told once and again when it happens again. All that is new is then told together: an activity
    per person and debtor, or one mail per person.
    """

    _name = "collection.alert.rule"
    _description = "Alert Rule"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one("res.company", index=True, ondelete="cascade", help="Empty: every company.")
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id")

    # === When ===#
    kind = fields.Selection(KINDS, string="When", required=True, default=OVERDUE_AMOUNT)
    count = fields.Integer(string="More Than (Items)", help="Open items that are overdue.")
    amount = fields.Monetary(string="Above", help="In the currency of each company.")
    days = fields.Integer(string="Within (Days)")
    level_id = fields.Many2one(
        "collection.level",
        ondelete="set null",
        help="This one or a later one, of any policy. Empty: the last one of each policy.",
    )
    since = fields.Date(
        string="Events Since",
        readonly=True,
        copy=False,
        default=fields.Date.context_today,
        help="Promises and checks of before are not told: the day on which the rule was made or taken up again.",
    )

    # === Who and how ===#
    to_collector = fields.Boolean(
        string="Collector", help="Or who stands in for an absent one. Without one: the company's responsible."
    )
    to_salesperson = fields.Boolean(string="Salesperson", help="Of the customer.")
    to_manager = fields.Boolean(string="Manager", help="The company's responsible of collections.")
    how = fields.Selection(
        [(ACTIVITY, "An activity on the debtor"), (MAIL, "One mail a day")], required=True, default=MAIL
    )

    _sql_constraints = [
        (
            "thresholds_positive",
            "CHECK(count >= 0 AND amount >= 0 AND days >= 0)",
            "The thresholds of an alert cannot be negative.",
        ),
    ]

    @api.depends("company_id")
    @api.depends_context("company")
    def _compute_currency_id(self):
        for rule in self:
            rule.currency_id = (rule.company_id or self.env.company).currency_id

    @api.constrains("to_collector", "to_salesperson", "to_manager")
    def _check_people(self):
        for rule in self:
            if not (rule.to_collector or rule.to_salesperson or rule.to_manager):
                raise ValidationError(
                    _("Alert “%s” reaches nobody: choose the collector, the salesperson or the manager.", rule.name)
                )

    def write(self, vals):
        if vals.get("active"):
            vals = {"since": fields.Date.context_today(self), **vals}
        result = super().write(vals)
        if "kind" in vals:
            # sudo: what was told is the system's; it was of another kind
            self.env["collection.alert"].sudo().search([("rule_id", "in", self.ids)]).unlink()
        return result

    # === The night ===#

    @api.model
    def _alert_company(self, company, today):
        """Tell what is new in a company, and return it."""
        # sudo: each person is told of what that person may see
        rules = self.sudo().search([("company_id", "in", (False, company.id))])
        new = self.env["collection.alert"].sudo()
        for rule in rules:
            new += new._remember(rule, company, today)
        told = new._tell(company, today)
        # What nobody could be told is not forgotten: it is new until there is somebody.
        (new - told).unlink()
        return told

    def _get_people(self, debtor):
        """The users whom this rule tells of a debtor."""
        self.ensure_one()
        responsible = debtor.company_id.collection_responsible_id.filtered("active")
        people = responsible.browse()
        if self.to_collector:
            people |= debtor.responsible_id.filtered("active") or responsible
        if self.to_salesperson:
            people |= debtor.partner_id.user_id.filtered("active")
        if self.to_manager:
            people |= responsible
        return people
