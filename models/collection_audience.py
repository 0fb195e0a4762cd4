import ast

from odoo import _, api, fields, models
from odoo.exceptions import ValidationError


class CollectionAudience(models.AbstractModel):
    """Conditions on debtors, which all must hold; an empty one always does.

    *How to use.* Inherit, with a ``name``; ``_get_debtor_domain()`` finds the debtors.
    """

    _name = "collection.audience"
    _description = "Conditions on Debtors"
    _inherit = "collection.risk.choice"

    company_id = fields.Many2one(
        "res.company", required=True, index=True, ondelete="cascade", default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    country_ids = fields.Many2many("res.country", string="Countries")
    state_ids = fields.Many2many("res.country.state", string="States")
    zip_from = fields.Char(string="ZIP From", help="ZIP codes are compared as text.")
    zip_to = fields.Char(string="ZIP To", help="Up to this one, and those that begin with it.")
    partner_tag_ids = fields.Many2many(
        "res.partner.category", string="Customer Tags", help="Customers with any of these tags."
    )
    industry_ids = fields.Many2many("res.partner.industry", string="Industries")
    salesperson_ids = fields.Many2many("res.users", string="Salespersons", domain=[("share", "=", False)])
    balance_from = fields.Monetary(help="Least total due of the debtor. 0: any.")
    balance_to = fields.Monetary(help="Highest total due of the debtor. 0: any.")
    partner_domain = fields.Char(string="Other Conditions", help="Any condition on the customer.")

    @api.constrains("partner_domain")
    def _check_partner_domain(self):
        for audience in self:
            if problem := audience._get_domain_problem():
                raise ValidationError(problem)

    @api.constrains("zip_from", "zip_to", "balance_from", "balance_to")
    def _check_ranges(self):
        for audience in self:
            zips = audience.zip_from and audience.zip_to and audience.zip_from > audience.zip_to
            if zips or (audience.balance_to and audience.balance_from > audience.balance_to):
                raise ValidationError(
                    _(
                        "A range of “%(name)s” ends before it starts: correct ZIP codes or balances.",
                        name=audience.name,
                    )
                )

    def _get_domain_problem(self):
        """One sentence about conditions on the customer that cannot be asked, or None."""
        self.ensure_one()
        return self._get_problem_of(self.name, self._get_partner_domain)

    @api.model
    def _get_problem_of(self, name, get_domain):
        """What is wrong with the conditions that ``get_domain`` returns, told with the ``name`` of whose they are."""
        try:
            # sudo: whether they can be asked, not what this person sees
            with self.env.cr.savepoint():
                self.env["res.partner"].sudo().search(get_domain(), limit=1)
        except Exception as error:
            return _(
                "The other conditions of “%(name)s” cannot be read, correct them: %(reason)s",
                name=name,
                reason=str(error).strip() or type(error).__name__,
            )
        return None

    def _get_partner_domain(self):
        """:raise ValueError: when the other conditions are no domain"""
        self.ensure_one()
        domain = [
            (name, "in", records.ids)
            for name, records in (
                ("country_id", self.country_ids),
                ("state_id", self.state_ids),
                ("category_id", self.partner_tag_ids),
                ("industry_id", self.industry_ids),
                ("user_id", self.salesperson_ids),
            )
            if records
        ]
        if self.zip_from:
            domain.append(("zip", ">=", self.zip_from))
        if self.zip_to:
            prefix = self.zip_to.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            domain += ["|", ("zip", "<=", self.zip_to), ("zip", "=like", f"{prefix}%")]
        return domain + self._read_domain(self.partner_domain)

    @api.model
    def _read_domain(self, text):
        """
        :raise ValueError: when the text is no domain
        """
        domain = ast.literal_eval((text or "").strip() or "[]")
        if not isinstance(domain, list):
            raise ValueError(_("a list of conditions is missing"))
        return domain

    def _get_debtor_domain(self):
        """The debtors of the company that meet all conditions. Customers that are archived meet none."""
        self.ensure_one()
        domain = [("company_id", "=", self.company_id.id), ("partner_id", "any", self._get_partner_domain())]
        if classes := self._get_risk_classes():
            domain.append(("risk_class", "in", classes))
        if self.balance_from:
            domain.append(("total_due", ">=", self.balance_from))
        if self.balance_to:
            domain.append(("total_due", "<=", self.balance_to))
        return domain
