from odoo import api, models


class CollectionRun(models.Model):
    """What the night does last: the company's own people are told."""

    _inherit = "collection.run"

    @api.model
    def _run_company(self, company, today):
        run = super()._run_company(company, today)
        rules = self.env["collection.alert.rule"].with_company(company)
        failure = f"The alerts of {company.name} failed; they are tried again the next night"
        self._attempt(failure, rules._alert_company, company, today)
        return run
