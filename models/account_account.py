from odoo import api, models
from odoo.tools import ormcache


class AccountAccount(models.Model):
    _inherit = "account.account"

    @api.model_create_multi
    def create(self, vals_list):
        accounts = super().create(vals_list)
        self.env.registry.clear_cache()
        return accounts

    def write(self, vals):
        result = super().write(vals)
        if "account_type" in vals:
            self.env.registry.clear_cache()
        return result

    @api.model
    @ormcache()
    def _get_receivable_ids(self):
        """Receivable accounts of all companies, for the statements about all customers: PostgreSQL estimates the lines
        of named accounts well, and those of a joined table so badly that it loops over them."""
        # sudo: the ids alone, whoever asks first
        return self.sudo().with_context(active_test=False).search([("account_type", "=", "asset_receivable")]).ids
