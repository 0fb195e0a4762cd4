from odoo import _, api, fields, models

from .review_states import PENDING, REJECTED


class AccountMove(models.Model):
    """What the night does for invoices that wait for their review."""

    _inherit = "account.move"

    @api.model
    def _plan_missed_reviews_again(self, company, today):
        """Invoices that were not taken to their review, or were rejected, wait for the next window."""
        missed = self.search(
            [
                ("company_id", "=", company.id),
                ("collection_planned_review_date", "<", today),
                *self._get_for_review_domain((PENDING, REJECTED)),
            ]
        )
        days = missed.commercial_partner_id._get_customer_days(company)
        morning = fields.Datetime.to_datetime(today)
        by_day = missed.grouped(lambda move: days[move.commercial_partner_id].first_review(morning))
        for day, moves in by_day.items():
            moves.write({"collection_planned_review_date": day})

    @api.model
    def _remind_of_reviews(self, company, today):
        """Tell each collector once what its customers review tomorrow."""
        tomorrow = fields.Date.add(today, days=1)
        due = self.search(
            [
                ("company_id", "=", company.id),
                ("collection_planned_review_date", "=", tomorrow),
                *self._get_for_review_domain((PENDING, REJECTED)),
                "|",
                ("collection_review_reminded", "=", False),
                ("collection_review_reminded", "!=", tomorrow),
            ]
        )
        due._schedule_for_collectors(lambda moves: moves._get_review_reminder())
        due.with_context(skip_invoice_sync=True).write({"collection_review_reminded": tomorrow})

    def _get_review_reminder(self):
        return _("Review tomorrow: %(invoices)s", invoices=self._get_names_text())
