from odoo import _, api, fields, models


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
        wanted = any(value) if operator in ("in", "not in") else bool(value)
        positive = wanted == (operator in ("=", "in"))
        return [("id", "in" if positive else "not in", sorted(self._get_collection_covered_ids()))]

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

    def _release_collection_debtors(self):
        """These users left: their debtors return to assignment, and the company's responsible is told."""
        # sudo: whoever archives users needs no right on collections
        Debtor = self.env["collection.debtor"].sudo()
        for (company, user), debtors in (
            Debtor.search([("collector_id", "in", self.ids)])
            .grouped(lambda debtor: (debtor.company_id, debtor.collector_id))
            .items()
        ):
            texts = self.with_context(lang=company._get_collection_lang())
            texts.env["collection.debtor"].sudo()._release(debtors, texts._get_collection_leaving(user))
            responsible = company.collection_responsible_id - self
            if responsible:
                user.partner_id.sudo().with_context(mail_activity_quick_update=True).activity_schedule(
                    "mail.mail_activity_data_todo",
                    user_id=responsible.id,
                    summary=texts._get_collection_task(user, company, len(debtors)),
                )

    def _get_collection_leaving(self, user):
        return _("%(user)s was archived.", user=user.name)

    def _get_collection_task(self, user, company, count):
        return _(
            "%(user)s was archived: %(count)s debtors of %(company)s returned to assignment. Those that no portfolio "
            "takes in the night need a collector.",
            user=user.name,
            company=company.name,
            count=count,
        )
