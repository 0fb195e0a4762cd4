from odoo import models

from ..engine.smtp import is_refused_for_good

# Failures of the way, not of the address: worth another try.
PASSING_FAILURES = ("mail_smtp", "unknown")
ADDRESS_FAILURES = ("mail_email_invalid", "mail_email_missing")


class MailMail(models.Model):
    _inherit = "mail.mail"

    def _postprocess_sent_message(self, *args, **kwargs):
        """Tell the notices what became of their mails; before Odoo deletes those that were sent."""
        # sudo: whoever runs the mail queue reports, with or without a right on collections
        notices = self.env["collection.notice"].sudo().search([("mail_id", "in", self.ids), ("state", "=", "outgoing")])
        if notices:
            notices._deliver(
                {mail.id: mail._get_collection_outcome(kwargs.get("failure_type")) for mail in notices.mail_id}
            )
        return super()._postprocess_sent_message(*args, **kwargs)

    def _get_collection_outcome(self, failure_type):
        """(state, why it failed, whether another try may help). Odoo tells the type of a failure to its post-processing
        and does not always write it on the mail."""
        self.ensure_one()
        failure_type = failure_type or self.failure_type or "unknown"
        reason = self.failure_reason
        if failure_type in ADDRESS_FAILURES:
            reason = dict(self._fields["failure_type"]._description_selection(self.env)).get(failure_type)
        return self.state, reason, failure_type in PASSING_FAILURES and not is_refused_for_good(self.failure_reason)
