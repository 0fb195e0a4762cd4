from odoo import _, api, models
from odoo.tools.misc import format_date


class CollectionRun(models.Model):
    """What the night does, before it decides, with what was agreed: promises are judged, owners of disputes are
    reminded, holds that are over are lifted."""

    _inherit = "collection.run"

    @api.model
    def _run_company(self, company, today):
        localized = self.with_context(lang=company._get_collection_lang())
        localized.env["collection.promise"]._judge_company(company, today)
        localized.env["collection.dispute"]._remind_company(company, today)
        localized.env["collection.debtor"]._lift_ended_holds(company, today)
        localized.env["account.move"]._lift_ended_holds(company, today)
        return super()._run_company(company, today)


class CollectionDebtor(models.Model):
    _inherit = "collection.debtor"

    @api.model
    def _lift_ended_holds(self, company, today):
        """Holds whose last day has passed are lifted, and the chatter says so, once."""
        ended = self.search([("company_id", "=", company.id), ("hold", "=", True), ("hold_until", "<", today)])
        ended._message_log_batch(
            {
                debtor.id: _(
                    "The hold until %(date)s is over: dunning goes on. %(reason)s",
                    date=format_date(self.env, debtor.hold_until),
                    reason=debtor.hold_reason or "",
                ).strip()
                for debtor in ended
            }
        )
        ended.with_context(tracking_disable=True).write({"hold": False, "hold_reason": False, "hold_until": False})
        return ended


class AccountMove(models.Model):
    _inherit = "account.move"

    @api.model
    def _lift_ended_holds(self, company, today):
        """Likewise for invoices."""
        ended = self.search(
            [
                ("company_id", "=", company.id),
                ("collection_no_dun", "=", True),
                ("collection_no_dun_until", "<", today),
            ]
        )
        ended._message_log_batch(
            {
                move.id: _(
                    "Not dunned until %(date)s: that is over. %(reason)s",
                    date=format_date(self.env, move.collection_no_dun_until),
                    reason=move.collection_no_dun_reason or "",
                ).strip()
                for move in ended
            }
        )
        ended.with_context(tracking_disable=True, skip_invoice_sync=True).write(
            {"collection_no_dun": False, "collection_no_dun_reason": False, "collection_no_dun_until": False}
        )
        return ended
