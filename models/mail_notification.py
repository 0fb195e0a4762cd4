from odoo import models


class MailNotification(models.Model):
    _inherit = "mail.notification"

    def write(self, vals):
        """A mail that came back makes its notice fail."""
        result = super().write(vals)
        if vals.get("notification_status") == "bounce":
            # sudo: bounces are written by the mail gateway
            notices = (
                self.env["collection.notice"]
                .sudo()
                .search([("message_id", "in", self.mail_message_id.ids), ("state", "in", ("outgoing", "sent"))])
            )
            for notice in notices:
                lang = notice.company_id._get_collection_lang()
                notice.with_context(lang=lang)._bounce(vals.get("failure_reason"))
        return result
