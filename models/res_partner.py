from odoo import api, fields, models
from odoo.tools import SQL

from ..engine.keys import tax_key
from .account_move import VIEWERS


class ResPartner(models.Model):
    _inherit = "res.partner"

    # Whoever invoices may change it: the chatter says who did.
    credit_limit = fields.Float(tracking=True)

    collection_contact = fields.Boolean(
        string="Collections Contact",
        help="Receives the collection messages of its company instead of the invoice address.",
    )
    collection_contact_group_ids = fields.Many2many(
        "collection.contact.group",
        "collection_contact_group_partner_rel",
        "partner_id",
        "group_id",
        string="Contact Groups",
        groups=VIEWERS,
        help="Receives the messages of the levels and campaigns that write to one of these groups.",
    )
    collection_debtor_ids = fields.One2many(
        "collection.debtor",
        "partner_id",
        string="Debtor",
        groups=VIEWERS,
        help="This customer as a debtor of each company.",
    )
    collection_debtor_id = fields.Many2one(
        "collection.debtor",
        string="Debtor of the Company",
        compute="_compute_collection_debtor_id",
        groups=VIEWERS,
    )
    collection_overdue = fields.Monetary(
        string="Overdue", compute="_compute_collection_debtor_id", currency_field="currency_id", groups=VIEWERS
    )
    collection_check_count = fields.Integer(
        string="Checks",
        compute="_compute_collection_check_count",
        groups="account.group_account_readonly,account.group_account_invoice",
    )

    @api.depends("commercial_partner_id")
    @api.depends_context("company", "uid")
    def _compute_collection_debtor_id(self):
        debtors = self.env["collection.debtor"].search(
            [("partner_id", "in", self.commercial_partner_id.ids), ("company_id", "=", self.env.company.id)]
        )
        debtor_of = {debtor.partner_id: debtor for debtor in debtors}
        for partner in self:
            debtor = debtor_of.get(partner.commercial_partner_id, debtors.browse())
            partner.collection_debtor_id = debtor
            partner.collection_overdue = debtor.overdue

    @api.depends("commercial_partner_id")
    @api.depends_context("allowed_company_ids", "uid")
    def _compute_collection_check_count(self):
        counts = dict(
            self.env["account.postdated.check"]._read_group(
                [
                    ("commercial_partner_id", "in", self.commercial_partner_id.ids),
                    ("company_id", "in", self.env.companies.ids),
                ],
                ["commercial_partner_id"],
                ["__count"],
            )
        )
        for partner in self:
            partner.collection_check_count = counts.get(partner.commercial_partner_id, 0)

    def write(self, vals):
        if not {"parent_id", "is_company"} & set(vals):
            return super().write(vals)
        families = self.commercial_partner_id
        result = super().write(vals)
        self.env["collection.debtor"]._touch_families(families | self.commercial_partner_id)
        return result

    def action_open_collection_debtor(self):
        self.ensure_one()
        return self.collection_debtor_id.action_open_debtor()

    def action_open_collection_checks(self):
        self.ensure_one()
        return self.env["account.postdated.check"]._open_of(self)

    # === Tax IDs ===#

    @api.model
    def _find_by_tax_ids(self, texts):
        """The partners with one of these tax IDs, however either is written. One scan of the partners."""
        keys = {tax_key(text) for text in texts} - {""}
        if not keys:
            return self.browse()
        self.flush_model(["vat"])
        self.env.cr.execute(SQL("SELECT id FROM res_partner WHERE %s = ANY(%s)", self._query_tax_key(), list(keys)))
        return self.browse(partner_id for (partner_id,) in self.env.cr.fetchall())

    @api.model
    def _query_tax_key(self):
        """Expression for ``engine.keys.tax_key`` of a partner."""
        return SQL("upper(regexp_replace(vat, '[^[:alnum:]]', '', 'g'))")
