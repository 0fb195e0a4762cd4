from odoo import api, fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    collection_contact = fields.Boolean(
        string="Collections Contact", help="Receives the collection messages of its company instead of the invoice address."
    )
    collection_debtor_id = fields.Many2one("collection.debtor", string="Debtor", compute="_compute_collection_debtor_id")
    collection_collector_id = fields.Many2one(related="collection_debtor_id.collector_id", readonly=False)
    collection_policy_id = fields.Many2one(related="collection_debtor_id.policy_id", readonly=False)
    collection_effective_policy_id = fields.Many2one(related="collection_debtor_id.effective_policy_id")
    collection_level_id = fields.Many2one(related="collection_debtor_id.level_id")
    collection_hold = fields.Boolean(related="collection_debtor_id.hold", readonly=False)
    collection_hold_reason = fields.Char(related="collection_debtor_id.hold_reason", readonly=False)
    collection_hold_until = fields.Date(related="collection_debtor_id.hold_until", readonly=False)
    collection_currency_id = fields.Many2one(related="collection_debtor_id.currency_id")
    collection_total_due = fields.Monetary(
        related="collection_debtor_id.total_due", currency_field="collection_currency_id", string="Total Due"
    )
    collection_not_due = fields.Monetary(
        related="collection_debtor_id.not_due", currency_field="collection_currency_id", string="Not Due"
    )
    collection_overdue = fields.Monetary(
        related="collection_debtor_id.overdue", currency_field="collection_currency_id", string="Overdue"
    )

    @api.depends("commercial_partner_id")
    @api.depends_context("company")
    def _compute_collection_debtor_id(self):
        debtors = self.env["collection.debtor"].search(
            [("partner_id", "in", self.commercial_partner_id.ids), ("company_id", "=", self.env.company.id)]
        )
        debtor_of = {debtor.partner_id: debtor for debtor in debtors}
        for partner in self:
            partner.collection_debtor_id = debtor_of.get(partner.commercial_partner_id)

    def write(self, vals):
        if not {"parent_id", "is_company"} & set(vals):
            return super().write(vals)
        families = self.commercial_partner_id
        result = super().write(vals)
        self.env["collection.debtor"]._touch_families(families | self.commercial_partner_id)
        return result

    def action_open_collection_debtor(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "collection.debtor",
            "res_id": self.collection_debtor_id.id,
            "view_mode": "form",
        }
