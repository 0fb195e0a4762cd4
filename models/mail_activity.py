from datetime import timedelta

import pytz

from odoo import api, fields, models
from odoo.tools import html2plaintext

DEBTOR = "collection.debtor"
# What is done at the own desk. Everything else, a company's own types too, reaches the customer.
DESK_TYPES = ("mail.mail_activity_data_todo", "mail.mail_activity_data_warning")
DESK_CATEGORIES = ("upload_file", "grant_approval")


class MailActivity(models.Model):
    """Activities of debtors: done, those that reach the customer are interactions; moved, their calendar events move
    with them; planned or done, their debtor's score follows."""

    _inherit = "mail.activity"

    @api.model_create_multi
    def create(self, vals_list):
        made = super().create(vals_list)
        made._touch_collection_debtors()
        return made

    def write(self, vals):
        result = super().write(vals)
        if "date_deadline" in vals:
            self._move_collection_events()
        if not {"date_deadline", "active"}.isdisjoint(vals):
            self._touch_collection_debtors()
        return result

    def unlink(self):
        self._touch_collection_debtors()
        return super().unlink()

    def _touch_collection_debtors(self):
        ids = [activity.res_id for activity in self if activity.res_model == DEBTOR and activity.res_id]
        if not ids:
            return
        # sudo: whoever's activities they are; a debtor that is being deleted is not found
        debtors = self.env[DEBTOR].sudo().search_fetch([("id", "in", ids)], ["partner_id", "company_id"])
        self.env["collection.debtor.touch"]._touch_partners(
            {(debtor.partner_id.id, debtor.company_id.id) for debtor in debtors}
        )

    def _move_collection_events(self):
        """The event of a follow-up keeps its hour on the activity's new day. Moving the event moves the activity, which
        is Odoo's own doing, in the same time zone: then there is nothing left to move."""
        timezone = pytz.timezone(self.env.context.get("tz") or "UTC")
        for activity in self.filtered(lambda activity: activity.res_model == DEBTOR and activity.calendar_event_id):
            event = activity.calendar_event_id
            day = event.start_date if event.allday else pytz.utc.localize(event.start).astimezone(timezone).date()
            days = (activity.date_deadline - day).days
            if days:
                event.write({"start": event.start + timedelta(days=days), "stop": event.stop + timedelta(days=days)})

    def _action_done(self, feedback=False, attachment_ids=None):
        # Odoo deletes what is done: it is read before.
        values = [
            {
                "debtor_id": activity.res_id,
                "kind_id": activity.activity_type_id.id,
                "user_id": self.env.uid,
                "date": fields.Datetime.now(),
                "note": "\n".join(
                    part.strip()
                    for part in (
                        activity.summary or "",
                        html2plaintext(activity.note or ""),
                        html2plaintext(feedback or ""),
                    )
                    if part.strip()
                ),
            }
            for activity in self
            if activity.res_model == DEBTOR and activity.res_id and activity._is_collection_contact()
        ]
        result = super()._action_done(feedback=feedback, attachment_ids=attachment_ids)
        if values:
            # sudo: whoever does an activity that is theirs, as Odoo lets them
            self.env["collection.interaction"].sudo().with_context(collection_activity_done=True).create(values)
        return result

    def _is_collection_contact(self):
        """Whether doing this reaches the customer: what the system asks a person to look at does not."""
        self.ensure_one()
        kind = self.activity_type_id
        desk_ids = {self.env["ir.model.data"]._xmlid_to_res_id(name) for name in DESK_TYPES}
        return kind.id not in desk_ids and kind.category not in DESK_CATEGORIES
