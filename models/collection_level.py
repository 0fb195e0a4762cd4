from odoo import Command, _, api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ..engine import dunning

SHOWN = 100  # debtors among whom one is found whom a level can be shown on


class CollectionLevel(models.Model):
    _name = "collection.level"
    _description = "Dunning Level"
    _inherit = "collection.content"
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
    channel_ids = fields.One2many(
        "collection.level.channel",
        "level_id",
        string="Channels",
        copy=True,
        default=lambda self: [Command.create({"channel": "mail"})],
        help="The first one is tried first; the next one where it cannot reach the customer.",
    )
    channels_text = fields.Char(string="Channels in Words", compute="_compute_channels_text")
    tone = fields.Selection(
        [("cordial", "Cordial"), ("neutral", "Neutral"), ("firm", "Firm")], required=True, default="neutral"
    )
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

    @api.depends("channel_ids.channel", "channel_ids.sequence")
    @api.depends_context("lang")
    def _compute_channels_text(self):
        for level in self:
            names = level.channel_ids.sorted("sequence").mapped("display_name")
            text = names[0] if names else ""
            for name in names[1:]:
                text = _("%(channels)s, then %(next)s", channels=text, next=name.lower())
            level.channels_text = text

    @api.constrains("day_from", "day_to", "policy_id")
    def _check_windows(self):
        if not self.env.context.get("collection_windows_checked_later"):
            self.policy_id._check_levels()

    @api.constrains("channel_ids", "template_id")
    def _check_channels(self):
        for level in self:
            channels = level._get_channels()
            if not channels:
                raise ValidationError(
                    _("Level “%(level)s” reaches nobody: give it at least one channel.", level=level.name)
                )
            if len(set(channels)) < len(channels):
                raise ValidationError(
                    _("Level “%(level)s” has a channel twice: each one is tried once.", level=level.name)
                )
            if not level.template_id and {"mail", "letter"} & set(channels):
                raise ValidationError(
                    _("Level “%(level)s” writes to the customer: choose the template of its text.", level=level.name)
                )
            if level.template_id and level.template_id.model != "collection.notice":
                raise ValidationError(_("The template of level “%(level)s” must be one of notices.", level=level.name))

    def _check_channels_now(self):
        """Check levels of which a channel changed, unless the level itself is being written and checked at the end."""
        if not self.env.context.get("collection_channels_checked_later"):
            self._check_channels()

    def write(self, vals):
        # Several channels may change in one go: only what is saved in the end counts.
        super(CollectionLevel, self.with_context(collection_channels_checked_later=True)).write(vals)
        return True

    def _get_companies(self):
        # sudo: every company may use a ladder that is none's own
        return self.policy_id.company_id or self.env["res.company"].sudo().search([])

    @api.model
    def _get_company_fields(self):
        return ["policy_id"]

    def _get_sample_debtors(self):
        """The debtors who owe, the one with most overdue first."""
        company = self.policy_id.company_id or self.env.company
        return self.env["collection.debtor"].search(
            [("company_id", "=", company.id), ("total_due", ">", 0)],
            order="overdue DESC, total_due DESC, id",
            limit=SHOWN,
        )

    def _get_sample_owners(self, today):
        return self.env["collection.run"], self

    def _get_follow_up(self):
        self.ensure_one()
        return self.activity_type_id, self.activity_delay

    def _get_channels(self):
        """The level's channels, in the order in which they are tried."""
        self.ensure_one()
        return self.channel_ids.sorted("sequence").mapped("channel")

    def _as_engine(self):
        """The windows as :class:`engine.dunning.Level`, amounts left out: for checks of the ladder alone."""
        return [dunning.Level(level.id, level.day_from, level.day_to) for level in self]

    @api.model
    def _query_ladders(self, decimal_places):
        """Rows (policy, requires_approval, first channel, level, from, to, recurrence, minimum) of every active policy;
        the minimum in the smallest unit of a currency with ``decimal_places``. A handful of rows; no index needed."""
        return SQL(
            """SELECT policy.id, COALESCE(policy.requires_approval, FALSE), first.channel, level.id, level.day_from,
                      level.day_to, COALESCE(level.recurrence, 0),
                      COALESCE(round(level.minimum_amount * 10 ^ %s), 0)::bigint
                 FROM collection_level level
                 JOIN collection_policy policy ON policy.id = level.policy_id
                 JOIN LATERAL (SELECT way.channel FROM collection_level_channel way WHERE way.level_id = level.id
                                ORDER BY way.sequence, way.id LIMIT 1) first ON TRUE
                WHERE policy.active
                ORDER BY policy.id, level.day_from""",
            decimal_places,
        )
