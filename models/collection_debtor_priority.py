from odoo import _, api, fields, models
from odoo.exceptions import AccessError

from ..engine import priority, risk
from .collection_debtor_rank import RANKED


class CollectionDebtor(models.Model):
    """Whom to call first, and why."""

    _inherit = "collection.debtor"

    priority_score = fields.Integer(
        string="Priority",
        readonly=True,
        group_operator="avg",
        help="The sum of what the priority rules give; 0 where nothing is overdue, promised for today or to follow up.",
    )
    priority_explanation = fields.Char(string="Why", compute="_compute_priority_explanation")

    # === Figures, written by _rank alone ===#
    promise_due_count = fields.Integer(
        string="Promises Due", readonly=True, help="Open promises whose day has come and that are not judged yet."
    )
    next_promise_date = fields.Date(string="Next Promise", readonly=True, help="Of the open promises.")
    follow_up_count = fields.Integer(string="Follow-ups Due", readonly=True, help="Activities for today or before.")
    days_without_contact = fields.Integer(
        readonly=True,
        group_operator="max",
        help="Since the last contact or, where that is later, since the oldest overdue item fell due. 0 while nothing "
        "is overdue.",
    )

    @api.depends(*priority.KINDS, "next_promise_date")
    @api.depends_context("lang")
    def _compute_priority_explanation(self):
        """In words, from the figures and the rules as they are; the rules are read once for each company."""
        texts = self._get_figure_texts()
        for company, debtors in self.grouped("company_id").items():
            rules = company and self.env["collection.priority.rule"]._get_rules(company)
            today = company and company._get_collection_today()
            for debtor in debtors:
                debtor.priority_explanation = "; ".join(
                    f"{debtor._get_figure_text(texts, share, today)}: {share.points}"
                    for share in priority.explain(rules or [], debtor._get_figures())
                )

    def _get_figures(self):
        self.ensure_one()
        figures = {kind: self[kind] for kind in priority.KINDS}
        return {**figures, priority.RISK_CLASS: risk.rank(self.risk_class)}

    @api.model
    def _get_figure_texts(self):
        """``{kind: (text for one, text for many)}``"""
        return {
            priority.DAYS_OVERDUE: (_("1 day late"), _("%(count)s days late")),
            priority.OVERDUE: (_("amount"), _("amount")),
            priority.BROKEN_PROMISES: (_("broken promise"), _("%(count)s broken promises")),
            priority.PROMISES_DUE: (_("promise due today"), _("%(count)s promises due")),
            priority.BOUNCED_CHECKS: (_("check bounced"), _("%(count)s checks bounced")),
            priority.DAYS_WITHOUT_CONTACT: (_("no contact in 1 day"), _("no contact in %(count)s days")),
            priority.FOLLOW_UPS_DUE: (_("follow-up due"), _("%(count)s follow-ups due")),
        }

    def _get_figure_text(self, texts, share, today):
        self.ensure_one()
        if share.kind == priority.RISK_CLASS:
            return _("risk class %s", self.risk_class)
        if share.kind == priority.PROMISES_DUE and share.figure == 1 and self.next_promise_date < today:
            return _("promise past its day")
        return texts[share.kind][share.figure != 1] % {"count": share.figure}

    # === CRUD ===#

    def _check_writable(self, names):
        result = super()._check_writable(names)
        if not set(RANKED).isdisjoint(names):
            raise AccessError(
                _(
                    "Score and risk class follow from the figures of the customer: a manager may fix the class, or "
                    "change the rules."
                )
            )
        return result
