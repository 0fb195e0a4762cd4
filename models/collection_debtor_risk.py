from odoo import _, api, fields, models
from odoo.exceptions import AccessError, ValidationError

from ..engine import risk

CLASSES = [(letter, letter) for letter in risk.CLASSES]
FIXED = {"risk_class_fixed", "risk_reason"}


class CollectionDebtor(models.Model):
    """How safe a customer's money is, the figures that say so, and what a manager says instead."""

    _inherit = "collection.debtor"

    risk_class = fields.Selection(
        CLASSES, readonly=True, help="From A, the best, to D. Empty: nothing is known of the customer yet."
    )
    risk_class_computed = fields.Selection(CLASSES, string="Class by the Figures", readonly=True)
    risk_class_fixed = fields.Selection(
        CLASSES, string="Fixed Class", tracking=True, help="What a manager says instead of the figures."
    )
    risk_reason = fields.Char(string="Reason of the Fixed Class", tracking=True)
    risk_explanation = fields.Char(string="Risk Points", compute="_compute_risk_explanation")

    # === Figures of the last 12 months, written by _rank alone ===#
    average_days_late = fields.Float(
        readonly=True,
        digits=(16, 1),
        group_operator="avg",
        help="Weighted by amount, of what was paid in the last 12 months and of what is overdue now. As of last night.",
    )
    overdue_share = fields.Integer(readonly=True, group_operator="avg", help="Percentage of the open items, by amount.")
    broken_promise_count = fields.Integer(string="Broken Promises", readonly=True, help="In the last 12 months.")
    bounced_check_count = fields.Integer(
        string="Bounced Checks", readonly=True, help="How often the bank did not pay in the last 12 months."
    )
    recent_dispute_count = fields.Integer(
        string="Disputes of the Year", readonly=True, help="Of the last 12 months, but for those that were accepted."
    )

    @api.depends(*(rule.kind for rule in risk.RULES), "risk_class_computed")
    @api.depends_context("lang")
    def _compute_risk_explanation(self):
        texts = {
            risk.DAYS_LATE: _("%(figure)s days late on average"),
            risk.OVERDUE_SHARE: _("%(figure)s %% overdue"),
            risk.BROKEN_PROMISES: _("broken promises: %(figure)s"),
            risk.BOUNCED_CHECKS: _("bounced checks: %(figure)s"),
            risk.DISPUTES: _("disputes: %(figure)s"),
        }
        for debtor in self:
            if not debtor.risk_class_computed:
                debtor.risk_explanation = False
                continue
            shares = risk.explain({rule.kind: debtor[rule.kind] for rule in risk.RULES})
            reasons = [f"{texts[share.kind] % {'figure': f'{share.figure:g}'}} ({share.points})" for share in shares]
            total = sum(share.points for share in shares)
            debtor.risk_explanation = (
                _("%(total)s points: %(reasons)s", total=total, reasons="; ".join(reasons)) if total else _("0 points")
            )

    @api.constrains(*FIXED)
    def _check_risk_reason(self):
        for debtor in self:
            if debtor.risk_class_fixed and not (debtor.risk_reason or "").strip():
                raise ValidationError(
                    _("Say why the risk class of %(customer)s is fixed.", customer=debtor.partner_id.display_name)
                )

    # === CRUD ===#

    @api.model_create_multi
    def create(self, vals_list):
        made = super().create(vals_list)
        made.filtered("risk_class_fixed")._rank()
        return made

    def write(self, vals):
        if "risk_class_fixed" in vals and not vals["risk_class_fixed"]:
            vals = {**vals, "risk_reason": False}
        result = super().write(vals)
        if "risk_class_fixed" in vals:
            # sudo: who may fix a class was asked; what follows from it is written by nobody's own right
            self.sudo()._rank()
        return result

    def _check_writable(self, names):
        result = super()._check_writable(names)
        if not FIXED.isdisjoint(names) and not self.env.user.has_group("account_collection.group_collection_manager"):
            raise AccessError(_("Only a manager of collections fixes the risk class of a debtor."))
        return result

    # === Actions ===#

    def action_lift_risk_class(self):
        """Let the figures speak again."""
        self.write({"risk_class_fixed": False})
