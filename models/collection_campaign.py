import re

from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.osv import expression

from .rights import check_manager

DRAFT, SCHEDULED, PAUSED, DONE = "draft", "scheduled", "paused", "done"
OVERDUE, SUMMARY = "overdue", "summary"


class CollectionCampaign(models.Model):
    """A mailing by calendar: what, to whom and when.

    *How to use.* ``action_schedule`` lets ``_cron_send`` (collection_campaign_schedule.py) send it at its moments,
    ``action_send`` sends it now, ``action_propose`` lets a person read and prune it first.

    *How it works.* Each time makes a ``collection.run`` with one notice per debtor (collection_campaign_run.py), which
    leaves as the notices of the ladder do.
    """

    _name = "collection.campaign"
    _description = "Campaign"
    _inherit = ["mail.thread", "mail.activity.mixin", "collection.audience", "collection.content"]
    _order = "active desc, next_run, id"

    name = fields.Char(required=True, tracking=True, translate=True)
    active = fields.Boolean(default=True, tracking=True)
    state = fields.Selection(
        [(DRAFT, "Draft"), (SCHEDULED, "Scheduled"), (PAUSED, "Paused"), (DONE, "Done")],
        required=True,
        readonly=True,
        default=DRAFT,
        tracking=True,
        copy=False,
    )
    run_ids = fields.One2many("collection.run", "campaign_id", string="Runs", readonly=True)
    run_count = fields.Integer(string="Times Sent", compute="_compute_run_count")

    # === Content ===#
    content = fields.Selection(
        [(SUMMARY, "Debt summary"), (OVERDUE, "Overdue documents")],
        required=True,
        default=SUMMARY,
        tracking=True,
        help="A debt summary lists all that is open, overdue or not; the other one what is past due alone.",
    )
    channel = fields.Selection([("mail", "Mail"), ("letter", "Letter")], required=True, default="mail", tracking=True)
    template_id = fields.Many2one(required=True, tracking=True)
    # The activities of the campaign itself have the name that a level's has.
    follow_up_type_id = fields.Many2one(
        "mail.activity.type",
        string="Activity Type",
        domain=[("res_model", "in", (False, "collection.debtor"))],
        ondelete="restrict",
        help="Scheduled for the collector when the message leaves.",
    )
    follow_up_delay = fields.Integer(string="Activity After (Days)")
    cc_partner_ids = fields.Many2many(
        "res.partner",
        "collection_campaign_cc_rel",
        "campaign_id",
        "partner_id",
        string="Copy To",
        help="Besides those whom each customer's messages are copied to.",
    )
    bcc_partner_ids = fields.Many2many(
        "res.partner",
        "collection_campaign_bcc_rel",
        "campaign_id",
        "partner_id",
        string="Blind Copy To",
        help="Besides those whom each customer's messages are copied to blindly.",
    )
    requires_approval = fields.Boolean(help="Each time stays a proposal until a person approves it.")

    # === Audience ===#
    group_ids = fields.Many2many("collection.group", string="Customer Groups", help="Customers of any of these groups.")
    salesperson_ids = fields.Many2many(
        relation="collection_campaign_salesperson_rel", column1="campaign_id", column2="user_id"
    )
    collector_ids = fields.Many2many(
        "res.users",
        "collection_campaign_collector_rel",
        "campaign_id",
        "user_id",
        string="Collectors",
        domain=[("share", "=", False)],
    )
    level_ids = fields.Many2many("collection.level", string="Levels Reached")
    currency_ids = fields.Many2many("res.currency", string="Currencies", help="Customers who owe in one of them.")
    product_ids = fields.Many2many("product.product", string="Products", help="Of the invoices that are open.")
    product_category_ids = fields.Many2many("product.category", string="Product Categories")
    days_overdue_from = fields.Integer(help="Of the oldest item. 0: any.")
    days_overdue_to = fields.Integer(help="Of the oldest item. 0: any.")
    minimum_amount = fields.Monetary(help="Less than this to ask for, in the company's currency: no message.")
    excluded_partner_ids = fields.Many2many(
        "res.partner",
        "collection_campaign_excluded_partner_rel",
        "campaign_id",
        "partner_id",
        string="Never To",
        help="Contacts stand for their company.",
    )
    excluded_vats = fields.Text(string="Never To Tax IDs", help="One per line, or with commas between them.")
    debtor_count = fields.Integer(string="Recipients", compute="_compute_audience")
    total_due = fields.Monetary(compute="_compute_audience", help="What they owe in all.")
    overdue = fields.Monetary(compute="_compute_audience")

    _sql_constraints = [
        ("minimum_amount_positive", "CHECK(minimum_amount >= 0)", "A minimum amount cannot be negative."),
        ("follow_up_delay_positive", "CHECK(follow_up_delay >= 0)", "The delay of an activity cannot be negative."),
    ]

    # === Computes ===#

    @api.depends("run_ids")
    def _compute_run_count(self):
        counts = dict(
            self.env["collection.run"]._read_group([("campaign_id", "in", self.ids)], ["campaign_id"], ["__count"])
        )
        for campaign in self:
            campaign.run_count = counts.get(campaign._origin, 0)

    @api.depends(lambda self: self._get_audience_fields())
    @api.depends_context("uid")
    def _compute_audience(self):
        """Live, while it is edited: conditions that cannot be asked yet find nobody."""
        for campaign in self:
            count = total = overdue = 0
            if not campaign._get_domain_problem():
                ((count, total, overdue),) = self.env["collection.debtor"]._read_group(
                    campaign._get_audience_domain(), [], ["__count", "total_due:sum", "overdue:sum"]
                )
            campaign.debtor_count, campaign.total_due, campaign.overdue = count, total, overdue

    @api.model
    def _get_audience_fields(self):
        return [
            "company_id",
            "content",
            *("country_ids", "state_ids", "zip_from", "zip_to", "partner_tag_ids", "industry_ids", "salesperson_ids"),
            *("balance_from", "balance_to", "partner_domain", "risk_a", "risk_b", "risk_c", "risk_d"),
            *("group_ids", "collector_ids", "level_ids", "currency_ids", "product_ids", "product_category_ids"),
            *("days_overdue_from", "days_overdue_to", "excluded_partner_ids", "excluded_vats"),
        ]

    # === Constraints ===#

    @api.constrains("days_overdue_from", "days_overdue_to")
    def _check_days(self):
        for campaign in self:
            if campaign.days_overdue_to and campaign.days_overdue_from > campaign.days_overdue_to:
                raise ValidationError(
                    _("The days overdue of “%(campaign)s” end before they start.", campaign=campaign.name)
                )

    @api.constrains("template_id")
    def _check_template(self):
        for campaign in self:
            if campaign.template_id.model != "collection.notice":
                raise ValidationError(
                    _("The template of “%(campaign)s” must be one of notices.", campaign=campaign.name)
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_sent(self):
        for campaign in self:
            if campaign.run_count:
                raise UserError(
                    _("“%(campaign)s” has been sent: archive it, its history stays.", campaign=campaign.name)
                )

    def write(self, vals):
        if vals.get("active") is False:
            # An archived one never sends; brought back, a person schedules it again.
            self.filtered(lambda campaign: campaign.state == SCHEDULED).action_pause()
        return super().write(vals)

    # === Audience ===#

    def _get_partner_domain(self):
        domain = super()._get_partner_domain()
        if self.group_ids:
            domain = expression.AND([domain, self.group_ids._get_partner_domain()])
        if excluded := self._get_excluded_partners():
            domain = expression.AND([domain, [("id", "not in", excluded.ids)]])
        return domain

    def _get_excluded_partners(self):
        """The customers who never receive it, by themselves or by tax id, however it is written."""
        # sudo: who is excluded does not depend on what this person may read
        by_tax_id = self.env["res.partner"].sudo()._find_by_tax_ids(re.split(r"[,;\n]", self.excluded_vats or ""))
        return by_tax_id.commercial_partner_id | self.excluded_partner_ids._origin.commercial_partner_id

    def _get_debtor_domain(self):
        domain = super()._get_debtor_domain()
        if self.collector_ids:
            domain.append(("collector_id", "in", self.collector_ids.ids))
        if self.level_ids:
            domain.append(("level_id", "in", self.level_ids.ids))
        if self.product_ids or self.product_category_ids:
            domain.append(("open_product_ids", "in", self._get_products().ids))
        if self.currency_ids:
            in_currencies = [("balance_ids.currency_id", "in", self.currency_ids.ids)]
            if self.currency_id in self.currency_ids._origin:
                # Who owes in the company's currency alone has no balances by currency.
                in_currencies = ["|", ("balance_ids", "=", False), *in_currencies]
            domain += in_currencies
        if self.days_overdue_from:
            domain.append(("days_overdue", ">=", self.days_overdue_from))
        if self.days_overdue_to:
            domain.append(("days_overdue", "<=", self.days_overdue_to))
        return domain

    def _get_products(self):
        """The products that an open invoice must have one of."""
        products = self.product_ids._origin
        if self.product_category_ids:
            in_categories = [("categ_id", "child_of", self.product_category_ids._origin.ids)]
            products |= self.env["product.product"].with_context(active_test=False).search(in_categories)
        return products

    def _get_audience_domain(self):
        """The debtors that would receive it now, as far as their balances tell: the run asks each item as well."""
        today = self.company_id._get_collection_today()
        return [
            *self._get_debtor_domain(),
            *self._get_owing_domain(today),
            ("partner_id.active", "=", True),
            ("excluded", "=", False),
            "|",
            ("hold", "=", False),
            ("hold_until", "<", today),
        ]

    def _get_owing_domain(self, today):
        return [("overdue" if self.content == OVERDUE else "total_due", ">", 0)]

    # === Actions ===#

    def action_pause(self):
        self._check_manager()
        for campaign in self:
            if campaign.state != SCHEDULED:
                raise UserError(_("“%(campaign)s” is not scheduled.", campaign=campaign.name))
        self.write({"state": PAUSED, "next_run": False})
        self._plan_moments()

    def action_open_audience(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.collection_debtor_action")
        return {**action, "domain": self._get_audience_domain(), "context": {}}

    def action_open_runs(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.collection_run_action")
        return {**action, "domain": [("campaign_id", "=", self.id)], "context": {}}

    @api.model
    def _check_manager(self):
        check_manager(
            self.env, _("Only a manager of collections sends campaigns: they reach the debtors of everybody.")
        )

    def _get_follow_up(self):
        self.ensure_one()
        return self.follow_up_type_id, self.follow_up_delay

    def _get_companies(self):
        return self.company_id

    @api.model
    def _get_company_fields(self):
        return ["company_id"]

    def _get_copies(self):
        return self.cc_partner_ids, self.bcc_partner_ids

    def _get_channels(self):
        self.ensure_one()
        return [self.channel]
