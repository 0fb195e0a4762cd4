from odoo import _, api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ..engine import dunning

CHANNELS = [
    ("mail", "Mail"),
    ("letter", "Letter"),
    ("call", "Call"),
]


class CollectionLevel(models.Model):
    _name = "collection.level"
    _description = "Dunning Level"
    _order = "policy_id, day_from, id"

    name = fields.Char(required=True, translate=True)
    policy_id = fields.Many2one("collection.policy", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer(compute="_compute_sequence", store=True, help="Levels follow their days.")
    day_from = fields.Integer(
        string="From Day", required=True, help="Days after the effective due date; negative before it, 0 on it."
    )
    day_to = fields.Integer(string="To Day", required=True, default=9999, help="Last day of the window; 9999: no end.")
    recurrence = fields.Integer(
        string="Every (Days)", help="Repeat every so many days while the window is open. 0: once per invoice."
    )
    minimum_amount = fields.Monetary(
        help="Less than this overdue, in the company's currency: no message at this level."
    )
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id")
    channel = fields.Selection(CHANNELS, required=True, default="mail")
    fallback_channel = fields.Selection(
        CHANNELS,
        string="If Impossible",
        help="Tried when the channel cannot reach the customer, for want of an address.",
    )
    tone = fields.Selection(
        [("cordial", "Cordial"), ("neutral", "Neutral"), ("firm", "Firm")], required=True, default="neutral"
    )
    template_id = fields.Many2one(
        "mail.template",
        domain=[("model", "=", "collection.notice")],
        ondelete="restrict",
        help="Subject and text of the mail; the text of the letter.",
    )
    attach_statement = fields.Boolean(default=True)
    attach_invoices = fields.Boolean(help="Attach the PDF of each listed invoice that has one.")
    activity_type_id = fields.Many2one(
        "mail.activity.type",
        domain=[("res_model", "in", (False, "collection.debtor"))],
        ondelete="restrict",
        help="Scheduled for the collector when the message leaves.",
    )
    activity_delay = fields.Integer(string="Activity After (Days)")

    _sql_constraints = [
        ("recurrence_positive", "CHECK(recurrence >= 0)", "The days between two messages cannot be negative."),
        ("minimum_amount_positive", "CHECK(minimum_amount >= 0)", "The minimum amount of a level cannot be negative."),
        ("activity_delay_positive", "CHECK(activity_delay >= 0)", "The delay of an activity cannot be negative."),
    ]

    @api.depends("day_from")
    def _compute_sequence(self):
        for level in self:
            level.sequence = level.day_from

    @api.depends("policy_id.company_id")
    @api.depends_context("company")
    def _compute_currency_id(self):
        for level in self:
            level.currency_id = (level.policy_id.company_id or self.env.company).currency_id

    @api.constrains("day_from", "day_to", "policy_id")
    def _check_windows(self):
        if not self.env.context.get("collection_windows_checked_later"):
            self.policy_id._check_levels()

    @api.constrains("channel", "fallback_channel", "template_id")
    def _check_template(self):
        for level in self:
            if not level.template_id and {"mail", "letter"} & {level.channel, level.fallback_channel}:
                raise ValidationError(
                    _("Level “%(level)s” writes to the customer: choose the template of its text.", level=level.name)
                )
            if level.template_id and level.template_id.model != "collection.notice":
                raise ValidationError(_("The template of level “%(level)s” must be one of notices.", level=level.name))
            if level.channel == level.fallback_channel:
                raise ValidationError(
                    _("Level “%(level)s” falls back to the channel that failed: choose another one.", level=level.name)
                )

    def _as_engine(self):
        """The windows as :class:`engine.dunning.Level`, amounts left out: for checks of the ladder alone."""
        return [dunning.Level(level.id, level.day_from, level.day_to) for level in self]

    @api.model
    def _query_ladders(self, decimal_places):
        """Rows (policy, requires_approval, channel, level, from, to, recurrence, minimum) of every active policy; the
        minimum in the smallest unit of a currency with ``decimal_places``. A handful of rows; no index needed."""
        return SQL(
            """SELECT policy.id, COALESCE(policy.requires_approval, FALSE), level.channel, level.id, level.day_from,
                      level.day_to, COALESCE(level.recurrence, 0),
                      COALESCE(round(level.minimum_amount * 10 ^ %s), 0)::bigint
                 FROM collection_level level
                 JOIN collection_policy policy ON policy.id = level.policy_id
                WHERE policy.active
                ORDER BY policy.id, level.day_from""",
            decimal_places,
        )
