from odoo import _, api, fields, models
from odoo.tools.misc import formatLang


class ResPartner(models.Model):
    """What a salesperson sees of the own customers: one line, without a right on collections."""

    _inherit = "res.partner"

    collection_status = fields.Char(
        string="Collections",
        compute="_compute_collection_status",
        groups="base.group_user",
        help="What this customer owes your company and who collects it. For its salesperson.",
    )

    @api.depends("user_id", "commercial_partner_id.user_id")
    @api.depends_context("uid", "company", "lang")
    def _compute_collection_status(self):
        own = self.filtered(
            lambda partner: self.env.user in (partner.user_id | partner.commercial_partner_id.sudo().user_id)
        )
        # sudo: what the salesperson of the customer may know, and nothing else
        debtors = (
            self.env["collection.debtor"]
            .sudo()
            .search([("partner_id", "in", own.commercial_partner_id.ids), ("company_id", "=", self.env.company.id)])
        )
        debtor_of = {debtor.partner_id.id: debtor for debtor in debtors}
        for partner in self:
            debtor = partner in own and debtor_of.get(partner.commercial_partner_id.id)
            partner.collection_status = debtor and debtor._get_status_text()


class CollectionDebtor(models.Model):
    _inherit = "collection.debtor"

    def _get_status_text(self):
        """One line: what is owed, since when, and who collects it."""
        self.ensure_one()
        if not self.total_due and not self.overdue:
            return _("Owes nothing.")
        text = _(
            "Owes %(total)s, of which %(overdue)s overdue.",
            total=formatLang(self.env, self.total_due, currency_obj=self.currency_id),
            overdue=formatLang(self.env, self.overdue, currency_obj=self.currency_id),
        )
        if self.days_overdue > 0:
            text += " " + _("Oldest: %(days)s days late.", days=self.days_overdue)
        if self.collector_id:
            text += " " + _("Collector: %(name)s.", name=self.collector_id.name)
        return text
