from odoo import api, fields, models


class CollectionRun(models.Model):
    """The letters of a run, to print."""

    _inherit = "collection.run"

    letter_count = fields.Integer(string="Letters", compute="_compute_letter_count", help="Those that have been made.")

    @api.depends_context("uid")
    def _compute_letter_count(self):
        Notice = self.env["collection.notice"]
        counts = dict(
            Notice._read_group([("run_id", "in", self.ids), *Notice._get_letter_domain()], ["run_id"], ["__count"])
        )
        for run in self:
            run.letter_count = counts.get(run._origin, 0)

    def action_print_letters(self):
        return self.env["collection.letter.print"]._open(self)


class CollectionCampaign(models.Model):
    """The letters of all its runs, to print."""

    _inherit = "collection.campaign"

    def action_print_letters(self):
        return self.env["collection.letter.print"]._open(self)
