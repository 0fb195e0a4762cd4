from odoo import _, api, models

# What is of a debtor, and follows it to the one that takes over.
SAID_AND_DONE = (
    *("collection.notice", "account.postdated.check", "account.postdated.check.event"),
    *("collection.promise", "collection.dispute", "collection.interaction"),
)


class CollectionDebtor(models.Model):
    """Several customers become one: by Odoo's merging of contacts, or because one becomes a contact of another.

    *How it works.* Who owes is the commercial partner: the debtor of one that is a customer of its own no more is
    joined to that of the one who owes from now on, in each company, with all that was said and done.
    """

    _inherit = "collection.debtor"

    @api.model
    def _touch_families(self, partners):
        """These customers gained or lost contacts: their debtors' figures change with them. The debtors of those that
        are contacts of another now join that one's."""
        for head, joined in partners.grouped("commercial_partner_id").items():
            self._merge_into(joined - head, head)
        debtors = self.sudo().search([("partner_id", "in", partners.ids)])
        self.env["collection.debtor.touch"]._touch_partners(
            {(debtor.partner_id.id, debtor.company_id.id) for debtor in debtors}
            | {(partner.id, debtor.company_id.id) for debtor in debtors for partner in partners}
        )

    @api.model
    def _merge_into(self, src_partners, dst_partner):
        """Where both are debtors of a company, the survivor takes over the notices, the chatter, the attachments and
        the activities, and what the other one lacked; where it was none yet, the debtor becomes the survivor's."""
        # sudo: merging contacts is Odoo's own right, and must not depend on rights on collections
        Debtor = self.sudo()
        dst_partner = dst_partner.commercial_partner_id
        joined = src_partners and Debtor.search([("partner_id", "in", src_partners.ids)], order="id")
        if not joined:
            return
        kept_of = {debtor.company_id: debtor for debtor in Debtor.search([("partner_id", "=", dst_partner.id)])}
        for debtor in joined:
            if kept := kept_of.get(debtor.company_id):
                kept._take_over(debtor)
            else:
                debtor.partner_id = dst_partner
                kept_of[debtor.company_id] = debtor
        self.env.flush_all()
        self.env["collection.debtor.touch"]._touch_partners({(dst_partner.id, company.id) for company in kept_of})

    def _take_over(self, debtor):
        """Join ``debtor``, which ceases to be, to this one."""
        self.ensure_one()
        if not self.collector_id:
            for name in ("portfolio_id", "collector_locked", "assigned_on", "assignment_reason"):
                self[name] = debtor[name]
        for name in ("collector_id", "policy_id", "best_time"):
            self[name] = self[name] or debtor[name]
        self.excluded = self.excluded or debtor.excluded
        if debtor.risk_class_fixed and not self.risk_class_fixed:
            self.write({name: debtor[name] for name in ("risk_class_fixed", "risk_reason")})
        if debtor.hold and not self.hold:
            self.write({name: debtor[name] for name in ("hold", "hold_reason", "hold_until")})
        self.cc_partner_ids |= debtor.cc_partner_ids
        self.bcc_partner_ids |= debtor.bcc_partner_ids
        for name in SAID_AND_DONE:
            self.env[name].search([("debtor_id", "=", debtor.id)]).write({"debtor_id": self.id})
        self._cancel_duplicates()
        for name in ("mail.message", "ir.attachment", "mail.activity"):
            model_field = "model" if name == "mail.message" else "res_model"
            documents = self.env[name].search([(model_field, "=", self._name), ("res_id", "=", debtor.id)])
            documents.write({"res_id": self.id})
        self.env.flush_all()
        debtor.unlink()

    def _cancel_duplicates(self):
        """Of the notices of this debtor that wait, the one of the highest level stays: one message, all items."""
        self.ensure_one()
        waiting = self.env["collection.notice"].search(
            [("debtor_id", "=", self.id), ("state", "in", ("proposed", "queued"))]
        )
        waiting = waiting.sorted(lambda notice: (notice.level_id.day_from, notice.id))
        waiting[:-1]._cancel(_("Merged with a customer who has a later notice of the ladder"))
