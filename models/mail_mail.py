from odoo import models

# Failures of the way, not of the address: worth another try.
PASSING_FAILURES = ("mail_smtp", "unknown")


class MailMail(models.Model):
    _inherit = "mail.mail"

    def _postprocess_sent_message(self, *args, **kwargs):
        """Tell the notices what became of their mails; before Odoo deletes those that were sent."""
        # sudo: whoever runs the mail queue reports, with or without a right on collections
        notices = self.env["collection.notice"].sudo().search([("mail_id", "in", self.ids), ("state", "=", "outgoing")])
        if notices:
            notices._deliver(
                {
                    mail.id: (mail.state, mail.failure_reason, (mail.failure_type or "unknown") in PASSING_FAILURES)
                    for mail in notices.mail_id
                }
            )
        return super()._postprocess_sent_message(*args, **kwargs)
