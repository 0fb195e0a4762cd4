from odoo import api, fields, models

from ..engine import risk


class CollectionRiskChoice(models.AbstractModel):
    """The risk classes that something applies to; none chosen says nothing of classes."""

    _name = "collection.risk.choice"
    _description = "Choice of Risk Classes"

    risk_a = fields.Boolean(string="Risk Class A")
    risk_b = fields.Boolean(string="Risk Class B")
    risk_c = fields.Boolean(string="Risk Class C")
    risk_d = fields.Boolean(string="Risk Class D")
    risk_classes = fields.Char(compute="_compute_risk_classes")

    @api.depends("risk_a", "risk_b", "risk_c", "risk_d")
    def _compute_risk_classes(self):
        for record in self:
            record.risk_classes = ", ".join(record._get_risk_classes())

    def _get_risk_classes(self):
        self.ensure_one()
        return [letter for letter in risk.CLASSES if self[f"risk_{letter.lower()}"]]
