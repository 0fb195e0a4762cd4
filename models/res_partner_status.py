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
            partner.collection_status = debtor and self._get_collection_status_text(debtor)

    @api.model
    def _get_collection_status_text(self, debtor):
        """One line: what is owed, since when, and who collects it."""
        if not debtor.total_due and not debtor.overdue:
            return _("Owes nothing.")
        text = _(
            "Owes %(total)s, of which %(overdue)s overdue.",
            total=formatLang(self.env, debtor.total_due, currency_obj=debtor.currency_id),
            overdue=formatLang(self.env, debtor.overdue, currency_obj=debtor.currency_id),
        )
        if debtor.days_overdue > 0:
            text += " " + _("Oldest: %(days)s days late.", days=debtor.days_overdue)
        if debtor.collector_id:
            text += " " + _("Collector: %(name)s.", name=debtor.collector_id.name)
        return text
