from odoo import api, models


class CollectionRun(models.Model):
    """What the night does last: the company's own people are told."""

    _inherit = "collection.run"

    @api.model
    def _run_company(self, company, today):
        run = super()._run_company(company, today)
        self.env["collection.alert.rule"]._alert_company_alone(company, today)
        return run
