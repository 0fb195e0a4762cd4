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
        localized._lift_ended_holds(company, today)
        return super()._run_company(company, today)

    @api.model
    def _lift_ended_holds(self, company, today):
        """Holds of debtors and of invoices whose last day has passed are lifted, and the chatter says so, once."""
        # A hold is a field, with the reason and the last day beside it.
        for name, hold, text in (
            ("collection.debtor", "hold", _("The hold until %(date)s is over: dunning goes on. %(reason)s")),
            ("account.move", "collection_no_dun", _("Not dunned until %(date)s: that is over. %(reason)s")),
        ):
            until, reason = f"{hold}_until", f"{hold}_reason"
            ended = self.env[name].search([("company_id", "=", company.id), (hold, "=", True), (until, "<", today)])
            ended._message_log_batch(
                {
                    record.id: (
                        text % {"date": format_date(self.env, record[until]), "reason": record[reason] or ""}
                    ).strip()
                    for record in ended
                }
            )
            ended.with_context(tracking_disable=True, skip_invoice_sync=True).write(
                {hold: False, until: False, reason: False}
            )
