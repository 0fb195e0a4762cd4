from odoo import _, api, fields, models
from odoo.exceptions import ValidationError

from .searches import asks_for


class ResUsers(models.Model):
    _inherit = "res.users"

    collection_covered = fields.Boolean(
        string="Collected by Me",
        compute="_compute_collection_covered",
        search="_search_collection_covered",
        help="The debtors of this person are the current user's to work on: the own ones, and those of whom the user "
        "stands in for today.",
    )

    @api.depends_context("uid")
    def _compute_collection_covered(self):
        covered = self._get_collection_covered_ids()
        for user in self:
            user.collection_covered = user._origin.id in covered

    @api.model
    def _search_collection_covered(self, operator, value):
        """Asked by the record rules of collectors at each query: what a rule itself computes is kept for longer than
        the day on which a substitute comes or goes."""
        return [("id", "in" if asks_for(operator, value) else "not in", sorted(self._get_collection_covered_ids()))]

    @api.model
    def _get_collection_covered_ids(self):
        return {self.env.uid} | self.env["collection.portfolio"]._get_substituted_ids()

    @api.model_create_multi
    def create(self, vals_list):
        users = super().create(vals_list)
        self.env["digest.digest"]._sync_collection_digest()
        return users

    def write(self, vals):
        left = vals.get("active") is False and self.filtered("active")
        result = super().write(vals)
        if left:
            left._release_collection_debtors()
        # On 17.0 the form writes each group, or choice of groups, as a field of its own.
        if any(name.startswith(("groups_id", "in_group_", "sel_groups_", "active")) for name in vals):
            self.env["digest.digest"]._sync_collection_digest()
        return result

    def _check_collection_companies(self, companies):
        """Raise a sentence unless each of these users may enter each of these companies, where they collect."""
        # sudo: the companies of a person are Odoo's own to read
        for user in self.sudo():
            if closed := companies - user.company_ids:
                raise ValidationError(
                    _(
                        "%(person)s does not work in %(company)s and cannot collect there: allow the company or choose "
                        "someone else.",
                        person=user.name,
                        company=closed[0].name,
                    )
                )

    def _release_collection_debtors(self):
        """These users left: their debtors return to assignment, they stand in for nobody any more, and the company's
        responsible is told of both."""
        # sudo: whoever archives users needs no right on collections
        debtors = self.env["collection.debtor"].sudo().search([("collector_id", "in", self.ids)])
        portfolios = self.env["collection.portfolio"].sudo().with_context(active_test=False)
        portfolios = portfolios.search([("substitute_id", "in", self.ids)])
        debtors_of = debtors.grouped(lambda debtor: (debtor.company_id, debtor.collector_id))
        portfolios_of = portfolios.grouped(lambda portfolio: (portfolio.company_id, portfolio.substitute_id))
        portfolios._clear_substitute()
        for company, user in debtors_of | portfolios_of:
            theirs = debtors_of.get((company, user), debtors.browse())
            substituted = portfolios_of.get((company, user), portfolios.browse())
            texts = self.with_context(lang=company._get_collection_lang())
            texts.env["collection.debtor"].sudo()._release(theirs, texts._get_collection_leaving(user))
            responsible = company.collection_responsible_id - self
            if responsible:
                user.partner_id.sudo().with_context(mail_activity_quick_update=True).activity_schedule(
                    "mail.mail_activity_data_todo",
                    user_id=responsible.id,
                    summary=texts._get_collection_task(user, company, len(theirs), substituted),
                )

    def _get_collection_leaving(self, user):
        return _("%(user)s was archived.", user=user.name)

    def _get_collection_task(self, user, company, count, portfolios):
        parts = [_("%(user)s was archived.", user=user.name)]
        if count:
            parts.append(
                _(
                    "%(count)s debtors of %(company)s returned to assignment. Those that no portfolio takes in the "
                    "night need a collector.",
                    count=count,
                    company=company.name,
                )
            )
        if portfolios:
            names = ", ".join(portfolios.mapped("name"))
            parts.append(_("Nobody substitutes any more in: %(portfolios)s.", portfolios=names))
        return " ".join(parts)
