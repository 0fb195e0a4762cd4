from odoo import api, models


class ResourceCalendarLeaves(models.Model):
    _inherit = "resource.calendar.leaves"

    @api.model_create_multi
    def create(self, vals_list):
        leaves = super().create(vals_list)
        self._move_campaigns(leaves._has_public_holidays())
        return leaves

    def write(self, vals):
        public = self._has_public_holidays()
        result = super().write(vals)
        self._move_campaigns(public or self._has_public_holidays())
        return result

    def unlink(self):
        public = self._has_public_holidays()
        result = super().unlink()
        self._move_campaigns(public)
        return result

    def _has_public_holidays(self):
        return any(not leave.resource_id for leave in self)

    @api.model
    def _move_campaigns(self, public):
        if public:
            # sudo: whoever keeps the holidays need not know campaigns
            self.env["collection.campaign"].sudo()._follow_holidays()
