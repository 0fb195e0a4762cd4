from odoo import api, models


class BasePartnerMerge(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        """Join the debtors first, so that the merge loses no notice and no chatter."""
        self.env["collection.debtor"]._merge_into(src_partners, dst_partner)
        return super()._update_foreign_keys(src_partners, dst_partner)
