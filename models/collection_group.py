from odoo import _, api, fields, models
from odoo.exceptions import ValidationError
from odoo.osv import expression


class CollectionGroup(models.Model):
    """A customer group to write to: chosen one by one, by a condition, or both."""

    _name = "collection.group"
    _description = "Customer Group"
    _order = "name, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", ondelete="cascade", help="Empty: every company may use it.")
    partner_ids = fields.Many2many(
        "res.partner",
        "collection_group_partner_rel",
        "group_id",
        "partner_id",
        string="Customers",
        help="Contacts stand for their company.",
    )
    partner_domain = fields.Char(string="And All Where", help="Any condition on the customer.")
    partner_count = fields.Integer(string="Members", compute="_compute_partner_count")

    @api.depends("partner_ids", "partner_domain")
    def _compute_partner_count(self):
        for group in self:
            problem = group._get_domain_problem()
            group.partner_count = 0 if problem else self.env["res.partner"].search_count(group._get_partner_domain())

    @api.constrains("partner_domain")
    def _check_partner_domain(self):
        for group in self:
            if problem := group._get_domain_problem():
                raise ValidationError(problem)

    def _get_domain_problem(self):
        self.ensure_one()
        return self.env["collection.audience"]._get_problem_of(self.name, self._get_partner_domain)

    def _get_partner_domain(self):
        """The customers of any of these groups."""
        domains = []
        for group in self:
            if group.partner_ids:
                domains.append([("id", "in", group.partner_ids.commercial_partner_id.ids)])
            if condition := self.env["collection.audience"]._read_domain(group.partner_domain):
                domains.append(condition)
        return expression.OR(domains) if domains else [("id", "=", False)]

    def action_open_customers(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": _("Members of %(group)s", group=self.name),
            "res_model": "res.partner",
            "view_mode": "tree,form",
            "domain": self._get_partner_domain(),
        }
