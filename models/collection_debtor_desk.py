from urllib.parse import quote

from dateutil.relativedelta import relativedelta

from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, html2plaintext

PAYMENT_MONTHS = 6
# Operators of a search that excludes, and what each one excludes.
POSITIVE = {"!=": "=", "not in": "in", "not ilike": "ilike", "not like": "like"}
# Where a number may be, the likelier one for messages first; not every series has both.
PHONES = ("mobile", "phone")
WHATSAPP_URL = "https://wa.me/%s?text=%s"


class CollectionDebtor(models.Model):
    """What a collector works with: who to reach, when and how, and what came of it last."""

    _inherit = "collection.debtor"

    best_time = fields.Char(string="Best Time to Call", help="When somebody answers, in words: “mornings, Tue to Thu”.")
    last_interaction_id = fields.Many2one("collection.interaction", compute="_compute_last_interaction")
    last_said = fields.Char(compute="_compute_last_interaction", help="Day, kind and outcome of the last interaction.")
    partner_tag_ids = fields.Many2many(related="partner_id.category_id", string="Customer Tags")
    open_product_ids = fields.Many2many(
        "product.product",
        string="Products",
        compute="_compute_open_product_ids",
        search="_search_open_product_ids",
        help="Those of the invoices that are open.",
    )
    overdue_text = fields.Char(
        compute="_compute_overdue_text", help="For templates: what is past due, currency by currency."
    )
    payment_line_ids = fields.Many2many(
        "account.move.line", string="Payments", compute="_compute_payment_line_ids", compute_sudo=False
    )

    @api.depends("interaction_ids")
    @api.depends_context("lang", "tz")
    def _compute_last_interaction(self):
        self.env["collection.interaction"].flush_model(["debtor_id", "date"])
        self.env.cr.execute(self._query_last_interactions())
        last_ids = [interaction_id for _debtor_id, interaction_id in self.env.cr.fetchall()]
        # A search: who reads the debtor may not read all that was said.
        found = self.env["collection.interaction"].search([("id", "in", last_ids)])
        last_of = {interaction.debtor_id.id: interaction for interaction in found}
        for debtor in self:
            last = last_of.get(debtor._origin.id, found.browse())
            debtor.last_interaction_id = last
            debtor.last_said = last._get_summary() if last else False

    def _query_last_interactions(self):
        """Rows (debtor, its last interaction). Served by the index of interactions on their debtor."""
        return SQL(
            """SELECT DISTINCT ON (debtor_id) debtor_id, id
                 FROM collection_interaction
                WHERE debtor_id = ANY(%s)
                ORDER BY debtor_id, date DESC, id DESC""",
            self.ids,
        )

    @api.depends("overdue", "balance_ids.overdue")
    @api.depends_context("lang")
    def _compute_overdue_text(self):
        for debtor in self:
            parts = [(line.overdue, line.currency_id) for line in debtor.balance_ids if line.overdue > 0]
            parts = parts or [(debtor.overdue, debtor.currency_id)]
            debtor.overdue_text = " + ".join(currency.format(amount) for amount, currency in parts)

    def _compute_open_product_ids(self):
        open_lines = self.env["account.move.line"].search(
            [
                ("move_id.commercial_partner_id", "in", self.partner_id.ids),
                ("company_id", "in", self.company_id.ids),
                *self._get_open_product_domain(),
            ]
        )
        products_of = {}
        for line in open_lines:
            key = line.move_id.commercial_partner_id, line.company_id
            products_of[key] = products_of.get(key, line.product_id) | line.product_id
        for debtor in self:
            debtor.open_product_ids = products_of.get((debtor.partner_id, debtor.company_id), False)

    @api.model
    def _search_open_product_ids(self, operator, value):
        """Debtors with an open invoice of these products: one query on the lines, one on the debtors."""
        positive = POSITIVE.get(operator, operator)
        wanted = [("product_id", positive, value)] if value else []
        groups = self.env["account.move.line"]._read_group(
            [*wanted, *self._get_open_product_domain()], ["partner_id", "company_id"]
        )
        pairs = {(partner.commercial_partner_id, company) for partner, company in groups}
        debtors = self.search(
            [
                ("partner_id", "in", [partner.id for partner, _company in pairs]),
                ("company_id", "in", [company.id for _partner, company in pairs]),
            ]
        ).filtered(lambda debtor: (debtor.partner_id, debtor.company_id) in pairs)
        # “No product” is what remains, and so is “other than these”.
        excluded = (operator in POSITIVE) == bool(value)
        return [("id", "not in" if excluded else "in", debtors.ids)]

    @api.model
    def _get_open_product_domain(self):
        return [
            ("product_id", "!=", False),
            ("parent_state", "=", "posted"),
            ("move_id.move_type", "in", ("out_invoice", "out_receipt")),
            ("move_id.payment_state", "in", ("not_paid", "partial")),
        ]

    def _compute_payment_line_ids(self):
        """What came in during the last months, whatever it was booked as: a payment, a bank statement, an entry."""
        since = fields.Date.context_today(self) - relativedelta(months=PAYMENT_MONTHS)
        lines = self.env["account.move.line"].search(
            [
                ("partner_id.commercial_partner_id", "in", self.partner_id.ids),
                ("company_id", "in", self.company_id.ids),
                ("account_id.account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
                ("balance", "<", 0),
                ("date", ">=", since),
                ("journal_id.type", "in", ("bank", "cash")),
            ],
            order="date desc, id desc",
        )
        lines_of = lines.grouped(lambda line: (line.partner_id.commercial_partner_id, line.company_id))
        for debtor in self:
            debtor.payment_line_ids = lines_of.get((debtor.partner_id, debtor.company_id), lines.browse())

    # === Actions ===#

    def action_hold(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.collection_hold_wizard_action")
        return {**action, "context": {"active_model": self._name, "active_ids": self.ids}}

    def action_send_statement(self):
        """Odoo's own composer, with the statement attached and those whom the debtor's messages reach."""
        self.ensure_one()
        template = self.env.ref("account_collection.template_statement")
        return {
            "type": "ir.actions.act_window",
            "name": _("Send Statement"),
            "res_model": "mail.compose.message",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_model": self._name,
                "default_res_ids": self.ids,
                "default_template_id": template.id,
                "default_partner_ids": self._get_statement_partners().ids,
                "default_composition_mode": "comment",
                "default_email_layout_xmlid": "mail.mail_notification_light",
            },
        }

    def action_open_whatsapp(self):
        """A conversation with the customer, the text prepared: the person reads it and sends it."""
        self.ensure_one()
        number = self._get_whatsapp_number()
        if not number:
            raise UserError(
                _(
                    "%(customer)s has no valid phone number: write it with its area code on the contact.",
                    customer=self.partner_id.display_name,
                )
            )
        # Without Python's phonenumbers Odoo gives numbers back as they were typed.
        digits = "".join(filter(str.isdecimal, number))
        url = WHATSAPP_URL % (digits, quote(self._get_whatsapp_text()))
        return {"type": "ir.actions.act_url", "url": url, "target": "new"}

    def _get_whatsapp_number(self):
        """The number of who is written to: of the debtor's recipients, else of the customer, the first valid one."""
        candidates = self._get_recipients()[self] | self.partner_id
        names = [name for name in PHONES if name in candidates._fields]
        numbers = (contact._phone_format(fname=name) for contact in candidates for name in names if contact[name])
        return next(filter(None, numbers), None)

    def _get_whatsapp_text(self):
        template = self.env.ref("account_collection.template_whatsapp")
        # sudo: templates are read by whoever sends with them
        body = template.sudo()._render_field("body_html", self.ids, compute_lang=True)[self.id]
        return html2plaintext(body).strip()

    def _get_statement_partners(self):
        """Those whom the debtor's messages reach, and their copies."""
        self.ensure_one()
        return (self._get_recipients()[self] | self.cc_partner_ids).filtered("email")
