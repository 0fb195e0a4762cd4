from odoo import fields, models


class CollectionDebtor(models.Model):
    """The checks of a debtor."""

    _inherit = "collection.debtor"

    check_ids = fields.One2many("account.postdated.check", "debtor_id", string="Checks", readonly=True)
    check_count = fields.Integer(string="Number of Checks", compute="_compute_check_count")

    def _compute_check_count(self):
        counts = dict(
            self.env["account.postdated.check"]._read_group([("debtor_id", "in", self.ids)], ["debtor_id"], ["__count"])
        )
        for debtor in self:
            debtor.check_count = counts.get(debtor, 0)

    def action_open_checks(self):
        self.ensure_one()
        return self.env["account.postdated.check"]._open_of(self.partner_id, self.company_id)
