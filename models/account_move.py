from collections import defaultdict

from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL
from odoo.tools.misc import format_date
from odoo.tools.query import Query

# Who has no right on collections reads invoices as before, these fields left out.
VIEWERS = "account_collection.group_collection_viewer"


class AccountMove(models.Model):
    _inherit = "account.move"

    collection_debtor_id = fields.Many2one(
        "collection.debtor",
        string="Debtor",
        compute="_compute_collection_debtor_id",
        search="_search_collection_debtor_id",
        groups=VIEWERS,
    )
    collection_collector_id = fields.Many2one(
        "res.users",
        related="collection_debtor_id.collector_id",
        related_sudo=False,
        string="Collector",
        groups=VIEWERS,
    )
    collection_level_id = fields.Many2one(
        "collection.level",
        string="Dunning Level",
        compute="_compute_collection_notices",
        help="Highest level at which this invoice was told to the customer.",
        groups=VIEWERS,
    )
    collection_notice_ids = fields.Many2many(
        "collection.notice", string="Notices", compute="_compute_collection_notices", groups=VIEWERS
    )
    collection_notice_count = fields.Integer(compute="_compute_collection_notices", groups=VIEWERS)
    collection_days_overdue = fields.Integer(
        string="Days Overdue", compute="_compute_collection_days_overdue", search="_search_collection_days_overdue"
    )
    # Customers read their own invoices through the portal, and not what is thought of them.
    collection_no_dun = fields.Boolean(string="Do Not Dun", copy=False, tracking=True, groups="base.group_user")
    collection_no_dun_reason = fields.Char(
        string="Reason not to Dun", copy=False, tracking=True, groups="base.group_user"
    )
    collection_no_dun_until = fields.Date(
        string="Do Not Dun Until",
        copy=False,
        tracking=True,
        groups="base.group_user",
        help="Last day. Empty: until a person changes it.",
    )

    # === Computes ===#

    @api.depends("partner_id.commercial_partner_id", "company_id")
    @api.depends_context("uid")
    def _compute_collection_debtor_id(self):
        """By the contact: on the invoices of one that became a contact of another, Odoo keeps whose it was."""
        sales = self.filtered(lambda move: move.is_sale_document(include_receipts=True))
        debtors = self.env["collection.debtor"].search(
            [
                ("partner_id", "in", sales.partner_id.commercial_partner_id.ids),
                ("company_id", "in", sales.company_id.ids),
            ]
        )
        debtor_of = {(debtor.partner_id, debtor.company_id): debtor for debtor in debtors}
        for move in self:
            key = move.partner_id.commercial_partner_id, move.company_id
            move.collection_debtor_id = move in sales and debtor_of.get(key)

    @api.model
    def _search_collection_debtor_id(self, operator, value):
        if isinstance(value, bool):
            raise ValidationError(_("Search the debtor of an invoice by its name."))
        if isinstance(value, str):
            debtors = self.env["collection.debtor"].search([("partner_id", operator, value)])
        elif operator.rstrip("!") in ("any", "not any"):
            # By a field of the debtor, as in collection_debtor_id.collector_id.
            domain = [("id", "in", value)] if isinstance(value, Query) else value
            debtors = self.env["collection.debtor"].search(domain)
        else:
            debtors = self.env["collection.debtor"].search([("id", operator, value)])
        companies = defaultdict(list)
        for debtor in debtors:
            companies[debtor.company_id.id].append(debtor.partner_id.id)
        found = [
            (
                "id",
                "in",
                self._search([("company_id", "=", company), ("partner_id.commercial_partner_id", "in", partners)]),
            )
            for company, partners in companies.items()
        ]
        domain = ["|"] * (len(found) - 1) + found if found else [("id", "=", 0)]
        return ["!", *domain] if operator.startswith("not any") else domain

    @api.depends_context("uid")
    def _compute_collection_notices(self):
        spoken = self.env["collection.notice.line"].search(
            [("move_id", "in", self.ids), ("notice_id.state", "!=", "skipped")]
        )
        notices_of = defaultdict(lambda: self.env["collection.notice"])
        for line in spoken:
            notices_of[line.move_id] |= line.notice_id
        for move in self:
            notices = notices_of[move]
            left = notices.filtered(lambda notice: notice.state in ("outgoing", "sent"))
            move.collection_notice_ids = notices
            move.collection_notice_count = len(notices)
            move.collection_level_id = left.level_id.sorted("sequence")[-1:]

    @api.depends("state", "payment_state", "invoice_date_due", "line_ids.date_maturity", "line_ids.amount_residual")
    def _compute_collection_days_overdue(self):
        for move in self:
            due = [
                line.date_maturity or line.date
                for line in move.line_ids
                if line.account_id.account_type == "asset_receivable" and line.amount_residual > 0
            ]
            overdue = due and move.state == "posted" and move.is_sale_document(include_receipts=True)
            today = move.company_id._get_collection_today() if overdue else None
            move.collection_days_overdue = max((today - min(due)).days, 0) if overdue else 0

    @api.model
    def _search_collection_days_overdue(self, operator, value):
        """Only sale documents with an open receivable line; answered by the lines' effective due dates."""
        today = self.env.company._get_collection_today()
        inverse = {">": "<", ">=": "<=", "=": "=", "<": ">", "<=": ">="}
        if operator == "in" and len(value) == 1:
            # 19.0 asks for one value with a set of one.
            operator, value = "=", next(iter(value))
        if operator not in inverse or not isinstance(value, int) or value < 0:
            raise ValidationError(_("Search the days overdue with a number of days and one of =, <, <=, >, >=."))
        lines = self.env["account.move.line"]._search(
            [
                ("move_id.move_type", "in", self.get_sale_types(include_receipts=True)),
                ("account_id.account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
                ("amount_residual", ">", 0),
                ("date_maturity", inverse[operator], fields.Date.subtract(today, days=value)),
            ]
        )
        return [("line_ids", "in", lines)]

    def _field_to_sql(self, alias, fname, query=None):
        """Invoices group by their collector, which is not stored with them; that of a debtor whom the user may not see
        is none. Served by the primary key of the contacts and the debtors' unique key."""
        if fname != "collection_collector_id" or query is None:
            return super()._field_to_sql(alias, fname, query)
        self.env["collection.debtor"].flush_model(["collector_id"])
        visible = self.env["collection.debtor"]._search([], order="id")
        self.env["res.partner"].flush_model(["commercial_partner_id"])
        contact = query.make_alias(alias, "collection_contact_id")
        query.add_join(
            "LEFT JOIN",
            contact,
            "res_partner",
            SQL("%s = %s", SQL.identifier(contact, "id"), SQL.identifier(alias, "partner_id")),
        )
        debtor = query.make_alias(alias, "collection_debtor_id")
        query.add_join(
            "LEFT JOIN",
            debtor,
            SQL("(%s)", visible.select("id", "partner_id", "company_id", "collector_id")),
            SQL(
                "%s = %s AND %s = %s",
                SQL.identifier(debtor, "partner_id"),
                SQL.identifier(contact, "commercial_partner_id"),
                SQL.identifier(debtor, "company_id"),
                SQL.identifier(alias, "company_id"),
            ),
        )
        return SQL.identifier(debtor, "collector_id")

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        if field_name != "collection_collector_id":
            return super()._order_field_to_sql(alias, field_name, direction, nulls, query)
        return SQL("%s %s %s", self._field_to_sql(alias, field_name, query), direction, nulls)

    # === CRUD ===#

    def write(self, vals):
        touch = self.env["collection.debtor.touch"]
        if "partner_id" in vals or "commercial_partner_id" in vals:
            touch._touch_partners(
                {(move.commercial_partner_id.id, move.company_id.id) for move in self if move.partner_id}
            )
        if "state" in vals and vals["state"] != "posted":
            # Who owes it now: once it is a draft its lines may go to another customer before this is committed.
            posted = self.filtered(lambda move: move.state == "posted")
            touch._touch_partners(
                {(line.partner_id.id, line.company_id.id) for line in posted.line_ids._get_receivable()}
            )
        result = super().write(vals)
        if "state" in vals or "invoice_date_due" in vals:
            touch._touch_moves(self)
        if "state" in vals and vals["state"] != "posted":
            self.env["collection.notice"]._cancel_settled(self.line_ids)
        return result

    def unlink(self):
        self.env["collection.debtor.touch"]._touch_partners(
            {(move.commercial_partner_id.id, move.company_id.id) for move in self if move.partner_id}
        )
        return super().unlink()

    # === Helpers ===#

    def _get_collection_document(self):
        """The name under which the customer knows this document."""
        self.ensure_one()
        return self.collection_opening_document or self.name or self.display_name

    @api.model
    def _is_closed_period(self, date, journal, company):
        """Whether that day is in a closed period: Odoo would book in the next open one instead, and say so nowhere."""
        move = self.new({"journal_id": journal.id, "company_id": company.id})
        return bool(move._get_violated_lock_dates(date, False))

    @api.model
    def _check_open_period(self, date, journal, company):
        if self._is_closed_period(date, journal, company):
            raise UserError(
                _(
                    "%(date)s is in a closed period of %(company)s: choose a later day.",
                    date=format_date(self.env, date),
                    company=company.display_name,
                )
            )

    # === Actions ===#

    def action_open_collection_notices(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.collection_notice_action")
        action["domain"] = [("id", "in", self.collection_notice_ids.ids)]
        action["context"] = {}
        return action
