from odoo import models


class AccountPaymentTerm(models.Model):
    _inherit = "account.payment.term"

    def _compute_terms(self, date_ref, *args, **kwargs):
        """Count from the day on which the credit of the invoice at hand starts, where that is not its own date."""
        start = self.env.context.get("collection_credit_start") or date_ref
        return super()._compute_terms(start, *args, **kwargs)
