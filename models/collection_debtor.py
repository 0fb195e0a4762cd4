from collections import defaultdict

from odoo import _, api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from ..engine import aging

# What a collector does not decide about the own debtors.
MANAGED = {"collector_id", "policy_id", "excluded"}
BUCKETS = ("bucket_1", "bucket_2", "bucket_3", "bucket_4")
# What the ledger and the notices say, and no person: whose debtor of which company this is, too.
CACHED = {
    *("partner_id", "company_id"),
    *BUCKETS,
    *("total_due", "not_due", "overdue", "unallocated", "overdue_count", "oldest_due_date", "days_overdue"),
    *("last_payment_date", "last_contact_date", "level_id", "recompute_offered"),
}


class CollectionDebtor(models.Model):
    _name = "collection.debtor"
    _description = "Debtor"
    _inherit = ["mail.thread", "mail.activity.mixin", "collection.debtor.refresh", "collection.debtor.dunning"]
    _order = "overdue desc, id"
    _rec_names_search = ["partner_id.complete_name", "partner_id.ref", "partner_id.vat"]
    _mail_post_access = "read"

    # Every night writes most debtors, and an index costs as much as the row: the unique key begins with the customer,
    # and of a company or a level all debtors are read, or few in the order of what is overdue.
    partner_id = fields.Many2one("res.partner", string="Customer", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")

    # === Who and how ===#
    collector_id = fields.Many2one("res.users", index=True, tracking=True, domain=[("share", "=", False)])
    responsible_id = fields.Many2one(
        "res.users",
        compute="_compute_responsible_id",
        compute_sudo=True,
        help="Who does today what a person must do: the collector, who stands in for an absent one, or the company's "
        "responsible where there is no collector.",
    )
    policy_id = fields.Many2one(
        "collection.policy",
        tracking=True,
        domain="[('company_id', 'in', (False, company_id))]",
        help="Empty: the policy of the customer's tags, else of its risk class, else the company's.",
    )
    effective_policy_id = fields.Many2one("collection.policy", compute="_compute_effective_policy_id")
    cc_partner_ids = fields.Many2many(
        "res.partner", "collection_debtor_cc_rel", "debtor_id", "partner_id", string="Copy To"
    )
    bcc_partner_ids = fields.Many2many(
        "res.partner", "collection_debtor_bcc_rel", "debtor_id", "partner_id", string="Blind Copy To"
    )
    recipient = fields.Char(compute="_compute_recipient", help="Where a mail to this debtor would go today.")

    # === What stops dunning ===#
    excluded = fields.Boolean(string="Never Dun", tracking=True)
    hold = fields.Boolean(string="On Hold", tracking=True)
    hold_reason = fields.Char(tracking=True)
    hold_until = fields.Date(tracking=True, help="Last day of the hold. Empty: until it is lifted.")

    # === Cached balances, written by _refresh_balances alone ===#
    total_due = fields.Monetary(readonly=True, help="Not due plus overdue, less what is unallocated.")
    not_due = fields.Monetary(readonly=True)
    overdue = fields.Monetary(readonly=True, index=True)
    unallocated = fields.Monetary(readonly=True, help="Credit notes and payments not applied to an invoice yet.")
    bucket_1 = fields.Monetary(string="1-30", readonly=True)
    bucket_2 = fields.Monetary(string="31-60", readonly=True)
    bucket_3 = fields.Monetary(string="61-90", readonly=True)
    bucket_4 = fields.Monetary(string="90+", readonly=True)
    overdue_count = fields.Integer(string="Overdue Items", readonly=True)
    oldest_due_date = fields.Date(readonly=True, help="Effective due date of the oldest item.")
    days_overdue = fields.Integer(readonly=True, group_operator="max")
    last_payment_date = fields.Date(string="Last Payment", readonly=True)
    level_id = fields.Many2one(
        "collection.level",
        string="Level Reached",
        readonly=True,
        ondelete="set null",
        group_expand="_group_expand_level_id",
        help="Highest level at which an item that is still open was told to the customer.",
    )
    last_contact_date = fields.Date(
        string="Last Contact", readonly=True, help="The last notice sent or interaction logged, answered or not."
    )
    balance_ids = fields.One2many("collection.debtor.balance", "debtor_id", string="By Currency", readonly=True)

    # === Documents ===#
    notice_ids = fields.One2many("collection.notice", "debtor_id", string="Notices", readonly=True)
    notice_count = fields.Integer(compute="_compute_notice_count")
    open_line_ids = fields.Many2many(
        "account.move.line", string="Open Items", compute="_compute_open_line_ids", compute_sudo=False
    )

    # === Contact, for lists and phones ===#
    phone = fields.Char(related="partner_id.phone")
    email = fields.Char(related="partner_id.email")
    vat = fields.Char(related="partner_id.vat")

    # === Review and payment: the customer's own, for every company ===#
    credit_summary = fields.Char(related="partner_id.collection_credit_summary")
    review_place = fields.Char(related="partner_id.collection_review_place")
    review_contact_id = fields.Many2one(related="partner_id.collection_review_contact_id")
    portal_url = fields.Char(related="partner_id.collection_portal_url")
    review_document_ids = fields.Many2many(related="partner_id.collection_review_document_ids")
    recompute_offered = fields.Boolean(
        readonly=True, help="The days of this customer changed, and open invoices may fall due on others."
    )

    _sql_constraints = [
        ("partner_company_unique", "UNIQUE(partner_id, company_id)", "A customer is one debtor in each company."),
    ]

    # === Computes ===#

    @api.depends("partner_id.display_name")
    def _compute_display_name(self):
        for debtor in self:
            debtor.display_name = debtor.partner_id.display_name

    @api.depends("collector_id", "company_id.collection_responsible_id")
    def _compute_responsible_id(self):
        stand_ins = self.env["collection.portfolio"]._get_stand_ins(self.company_id)
        for debtor in self:
            collector = debtor.collector_id
            standing_in = stand_ins.get((debtor.company_id, collector), collector)
            debtor.responsible_id = standing_in or debtor.company_id.collection_responsible_id

    @api.depends("policy_id", "partner_id.category_id", "risk_class", "company_id.collection_policy_id")
    def _compute_effective_policy_id(self):
        self.flush_model(["policy_id", "risk_class"])
        self.env["res.partner"].flush_model(["category_id"])
        self.env["collection.policy"].flush_model()
        self.env["res.company"].flush_model(["collection_policy_id"])
        policy_of = {}
        if self.ids:
            self.env.cr.execute(self._query_effective_policies(self.ids))
            policy_of = dict(self.env.cr.fetchall())
        for debtor in self:
            debtor.effective_policy_id = policy_of.get(debtor._origin.id)

    def _compute_recipient(self):
        for debtor, partners in self._get_recipients().items():
            debtor.recipient = ", ".join(partner.email for partner in partners if partner.email)

    def _compute_notice_count(self):
        counts = dict(
            self.env["collection.notice"]._read_group([("debtor_id", "in", self.ids)], ["debtor_id"], ["__count"])
        )
        for debtor in self:
            debtor.notice_count = counts.get(debtor, 0)

    def _compute_open_line_ids(self):
        lines_of = defaultdict(lambda: self.env["account.move.line"])
        for line in self.env["account.move.line"].search(self._get_open_lines_domain(), order="date_maturity, id"):
            lines_of[line.partner_id.commercial_partner_id, line.company_id] |= line
        for debtor in self:
            debtor.open_line_ids = lines_of[debtor.partner_id, debtor.company_id]

    @api.model
    def _group_expand_level_id(self, levels, domain, order=None):
        """Every level of the company's ladder is a column of the board, also the empty ones."""
        return (levels | self.env.company.collection_policy_id.level_ids).sorted(
            lambda level: (level.day_from, level.id)
        )

    @api.model
    def fields_get(self, allfields=None, attributes=None):
        """Label the buckets with the company's own edges."""
        result = super().fields_get(allfields, attributes)
        labels = aging.bucket_labels(self.env.company._get_collection_bucket_edges())[1:]
        for name, label in zip(BUCKETS, labels, strict=True):
            if "string" in result.get(name, ()):
                result[name]["string"] = label
        return result

    # === Constraints ===#

    @api.constrains("policy_id", "company_id")
    def _check_policy_company(self):
        for policy, debtors in self.grouped("policy_id").items():
            policy._check_usable_by(debtors.company_id)

    @api.constrains("collector_id", "company_id")
    def _check_collector_company(self):
        for collector, debtors in self.grouped("collector_id").items():
            collector._check_collection_companies(debtors.company_id)

    # === CRUD ===#

    def write(self, vals):
        if not self.env.su:
            self._check_writable(vals)
        return super().write(vals)

    def _check_writable(self, names):
        if not CACHED.isdisjoint(names):
            raise AccessError(_("The balances of a debtor come from its journal entries: correct those."))
        manager = self.env.user.has_group("account_collection.group_collection_manager")
        if not manager and not MANAGED.isdisjoint(names):
            raise AccessError(
                _("Only a manager of collections assigns a collector or a policy, or stops dunning for good.")
            )

    # === Actions ===#

    def action_open_debtor(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "collection.debtor",
            "res_id": self.id,
            "view_mode": "form",
        }

    def action_open_invoices(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account.action_move_out_invoice_type")
        action["domain"] = [
            ("move_type", "in", ("out_invoice", "out_refund", "out_receipt")),
            ("partner_id.commercial_partner_id", "=", self.partner_id.id),
            ("company_id", "=", self.company_id.id),
        ]
        action["context"] = {"create": False}
        return action

    def action_open_items(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": _("Open Items"),
            "res_model": "account.move.line",
            "view_mode": "tree,form",
            "domain": self._get_open_lines_domain(),
            "context": {"create": False, "search_default_group_by_partner": 0},
        }

    def action_open_notices(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.collection_notice_action")
        action["domain"] = [("debtor_id", "=", self.id)]
        action["context"] = {}
        return action

    def action_open_partner(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "res.partner",
            "res_id": self.partner_id.id,
            "view_mode": "form",
        }

    def action_open_credit_days(self):
        self.ensure_one()
        return self.partner_id.action_open_credit_days()

    def action_recompute_due_dates(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.collection_recompute_wizard_action")
        action["context"] = {"active_id": self.partner_id.id, "default_company_id": self.company_id.id}
        return action

    def action_lift_hold(self):
        self.write({"hold": False, "hold_reason": False, "hold_until": False})

    # === Helpers ===#

    def _get_open_lines_domain(self):
        """Open receivable lines of these debtors, their child contacts included."""
        return [
            ("account_id.account_type", "=", "asset_receivable"),
            ("parent_state", "=", "posted"),
            ("reconciled", "=", False),
            ("amount_residual", "!=", 0),
            ("partner_id.commercial_partner_id", "in", self.partner_id.ids),
            ("company_id", "in", self.company_id.ids),
        ]

    def _get_recipients(self):
        """``{debtor: partners}`` to whom its messages go: its collections contacts, else its invoice contacts, else
        the customer itself. Contacts without an address are passed over. One query for all debtors."""
        contacts = self.env["res.partner"].search_fetch(
            [
                ("commercial_partner_id", "in", self.partner_id.ids),
                ("email", "not in", (False, "")),
                "|",
                ("collection_contact", "=", True),
                ("type", "=", "invoice"),
            ],
            ["commercial_partner_id", "collection_contact", "type", "email", "name", "lang"],
            order="id",
        )
        collections, invoicing = defaultdict(contacts.browse), defaultdict(contacts.browse)
        for contact in contacts:
            chosen = collections if contact.collection_contact else invoicing
            chosen[contact.commercial_partner_id] |= contact
        return {
            debtor: collections[debtor.partner_id] or invoicing[debtor.partner_id] or debtor.partner_id
            for debtor in self
        }

    @api.model
    def _get_or_create(self, pairs):
        """``{(commercial partner id, company id): debtor}`` of these pairs; who was no debtor yet becomes one."""
        if not pairs:
            return {}
        self.env.cr.execute(self._query_add_debtors(sorted(pairs)))
        debtors = self.search(
            [
                ("partner_id", "in", [partner for partner, _company in pairs]),
                ("company_id", "in", [company for _partner, company in pairs]),
            ]
        )
        return {(debtor.partner_id.id, debtor.company_id.id): debtor for debtor in debtors}

    def _prepare_activity(self, user, summary, deadline=None, activity_type=None):
        """Values of an activity on this debtor, for a create of many."""
        self.ensure_one()
        todo_id = self.env["ir.model.data"]._xmlid_to_res_id("mail.mail_activity_data_todo")
        return {
            "res_model_id": self.env["ir.model"]._get_id(self._name),
            "res_id": self.id,
            # Both are computed by default, and written one activity at a time.
            "res_name": self.display_name,
            "date_done": False,
            "activity_type_id": activity_type.id if activity_type else todo_id,
            "summary": summary,
            "date_deadline": deadline or self.company_id._get_collection_today(),
            "user_id": user.id,
        }

    def _has_postal_address(self):
        self.ensure_one()
        return bool(self.partner_id.street or self.partner_id.city)

    def _is_on_hold(self, today):
        self.ensure_one()
        return bool(self.excluded or (self.hold and (not self.hold_until or self.hold_until >= today)))

    @api.model
    def _query_effective_policies(self, debtor_ids):
        """Rows (debtor, policy). Served by the primary key of the debtors."""
        return SQL(
            "SELECT debtor.id, %s FROM collection_debtor debtor WHERE debtor.id = ANY(%s)",
            self.env["collection.policy"]._query_debtor_policy("debtor"),
            list(debtor_ids),
        )
