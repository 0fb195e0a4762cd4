from odoo import _, api, fields, models

from ..engine import periods
from ..engine.kpi import PLACES, Figure


class CollectionKpiReportLine(models.TransientModel):
    """A key figure of two periods, of one group: a row of a report that a person opened.

    How to use: ``collection.kpi.report`` fills and opens them. How it works: numbers are kept as numbers beside the
    reason why there is none; what people read is made of them in their language.
    """

    _name = "collection.kpi.report.line"
    _description = "Key Figure"
    _rec_name = "kpi"
    # The order in which they were made.
    _order = "id"

    wizard_id = fields.Many2one(
        "collection.kpi.report", string="Report", required=True, readonly=True, index=True, ondelete="cascade"
    )
    group_name = fields.Char(string="Group", readonly=True)
    kpi = fields.Selection("_select_kpi", string="Key Figure", required=True, readonly=True)
    explanation = fields.Char(string="What It Says", compute="_compute_texts")
    unit = fields.Char(readonly=True)

    # === Numbers === #
    now = fields.Float(string="Number Now", readonly=True, digits=(16, PLACES))
    before = fields.Float(string="Number Before", readonly=True, digits=(16, PLACES))
    difference = fields.Float(string="Difference of Numbers", readonly=True, digits=(16, PLACES))
    percent = fields.Float(string="Difference in Percent", readonly=True, digits=(16, PLACES))
    now_why = fields.Char(string="Why None Now", readonly=True)
    before_why = fields.Char(string="Why None Before", readonly=True)
    direction = fields.Selection(
        [(periods.UP, "Up"), (periods.DOWN, "Down"), (periods.SAME, "Unchanged")], readonly=True
    )
    verdict = fields.Selection(
        [
            (periods.BETTER, "Better"),
            (periods.WORSE, "Worse"),
            (periods.SAME, "As before"),
            (periods.UNKNOWN, "Unknown"),
        ],
        readonly=True,
    )

    # === What is read === #
    now_text = fields.Char(string="Now", compute="_compute_texts")
    before_text = fields.Char(string="Before", compute="_compute_texts")
    difference_text = fields.Char(string="Difference", compute="_compute_texts")
    percent_text = fields.Char(string="Change", compute="_compute_texts", help="In percent of what it was before.")
    reason = fields.Char(string="Why There Is No Figure", compute="_compute_texts")

    @api.model
    def _select_kpi(self):
        return list(self.env["collection.kpi"]._get_labels().items())

    @api.depends("kpi", "now", "before", "difference", "percent", "now_why", "before_why")
    @api.depends_context("lang")
    def _compute_texts(self):
        words = self.env["collection.kpi"]
        helps, reasons = words._get_helps(), words._get_reasons()
        for line in self:
            company, numbers = line.wizard_id.company_id, line._get_numbers()
            for name in ("now", "before"):
                line[f"{name}_text"] = words._format_figure(line.kpi, Figure(numbers[name]), company)
            line.difference_text = words._format_difference(line.kpi, numbers["difference"], company)
            line.percent_text = words._format_percent(numbers["percent"])
            line.reason = line._get_reason(reasons)
            line.explanation = helps[line.kpi]

    def _get_numbers(self):
        """{name: number, or None where there is none}"""
        self.ensure_one()
        known = not (self.now_why or self.before_why)
        return {
            "now": None if self.now_why else self.now,
            "before": None if self.before_why else self.before,
            "difference": self.difference if known else None,
            "percent": self.percent if known and self.before else None,
        }

    def _get_reason(self, reasons):
        if self.now_why == self.before_why:
            return reasons.get(self.now_why, "")
        said = []
        if self.now_why:
            said.append(_("Now: %(reason)s", reason=reasons[self.now_why]))
        if self.before_why:
            said.append(_("Before: %(reason)s", reason=reasons[self.before_why]))
        return " ".join(said)
