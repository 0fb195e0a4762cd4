from datetime import timedelta

import pytz

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from ..models.collection_interaction import DIRECTIONS, OUTGOING
from ..models.collection_said import UNPAID

MEETING = timedelta(minutes=30)


class CollectionInteractionWizard(models.TransientModel):
    """Logs what happened with a customer, with the promise, the dispute and the follow-up that came of it; or plans a
    follow-up alone, when nothing happened yet."""

    _name = "collection.interaction.wizard"
    _description = "Log Interaction"
    _inherit = ["collection.promise.terms"]

    only_follow_up = fields.Boolean()
    date = fields.Datetime(required=True, default=fields.Datetime.now)
    kind_id = fields.Many2one(
        "mail.activity.type",
        domain="[('res_model', 'in', (False, 'collection.debtor'))]",
        ondelete="cascade",
    )
    direction = fields.Selection(DIRECTIONS, required=True, default=OUTGOING)
    outcome_id = fields.Many2one("collection.outcome", ondelete="cascade")
    note = fields.Text()
    duration = fields.Float(help="In hours.")
    next_step = fields.Char()

    # === What came of it ===#
    with_promise = fields.Boolean(string="The customer promises to pay")
    with_dispute = fields.Boolean(string="The customer disputes an invoice")
    dispute_move_id = fields.Many2one(
        "account.move",
        string="Disputed Invoice",
        domain=f"[{UNPAID}]",
    )
    dispute_currency_id = fields.Many2one(related="dispute_move_id.currency_id", string="Currency of the Dispute")
    dispute_amount = fields.Monetary(
        string="Disputed Amount",
        currency_field="dispute_currency_id",
        compute="_compute_dispute_amount",
        store=True,
        readonly=False,
    )
    dispute_reason_id = fields.Many2one("collection.dispute.reason", string="Reason", ondelete="cascade")
    dispute_user_id = fields.Many2one(
        "res.users", string="Owner", default=lambda self: self.env.user, domain=[("share", "=", False)]
    )
    dispute_revisit_date = fields.Date(string="Come Back On")
    with_follow_up = fields.Boolean(string="Schedule a follow-up")
    follow_up_type_id = fields.Many2one(
        "mail.activity.type",
        string="Activity",
        default=lambda self: self.env.ref("mail.mail_activity_data_call", raise_if_not_found=False),
        domain="[('res_model', 'in', (False, 'collection.debtor'))]",
        ondelete="cascade",
    )
    follow_up_date = fields.Date(
        string="On", default=lambda self: fields.Date.add(fields.Date.context_today(self), days=1)
    )
    follow_up_with_hour = fields.Boolean(string="At a fixed hour", help="It becomes an event of the calendar, too.")
    follow_up_hour = fields.Float(string="At", default=10.0)
    follow_up_summary = fields.Char(string="Summary", help="Empty: the next step.")
    follow_up_user_id = fields.Many2one(
        "res.users", string="Assigned To", default=lambda self: self.env.user, domain=[("share", "=", False)]
    )

    @api.depends("dispute_move_id")
    def _compute_dispute_amount(self):
        left = self.env["collection.dispute"]._get_left(self.dispute_move_id)
        for wizard in self:
            wizard.dispute_amount = left.get(wizard.dispute_move_id.id, 0.0)

    @api.onchange("promise_date", "promise_amount")
    def _onchange_promise(self):
        if self.promise_date and not self.next_step:
            self.next_step = _("Check that the payment came")

    # === Actions ===#

    def action_log(self):
        self.ensure_one()
        if not self.only_follow_up:
            self._log()
        if self._wants("with_follow_up"):
            self._schedule_follow_up()
        return {"type": "ir.actions.act_window_close"}

    def _log(self):
        if not self.kind_id:
            raise UserError(_("Choose what it was: a call, a visit, a mail."))
        promised = self._make_promises(channel_id=self.kind_id.id) if self._wants("with_promise") else None
        disputed = self._make_dispute() if self._wants("with_dispute") else None
        return self.env["collection.interaction"].create(
            {
                "debtor_id": self.debtor_id.id,
                "date": self.date,
                "kind_id": self.kind_id.id,
                "direction": self.direction,
                "contact_id": self.contact_id.id,
                "outcome_id": self.outcome_id.id,
                "note": self.note,
                "duration": self.duration,
                "next_step": self.next_step,
                "move_ids": [fields.Command.set(self.move_ids.ids)],
                "promise_ids": [fields.Command.set(promised.ids if promised else [])],
                "dispute_ids": [fields.Command.set(disputed.ids if disputed else [])],
            }
        )

    def _wants(self, name):
        """Whether that is asked for, with all that it needs."""
        needed = {
            "with_promise": ("promise_date",),
            "with_dispute": ("dispute_move_id", "dispute_reason_id", "dispute_user_id"),
            "with_follow_up": ("follow_up_type_id", "follow_up_date", "follow_up_user_id"),
        }[name]
        missing = [field for field in needed if not self[field]] if self[name] else []
        if missing:
            labels = self.fields_get(missing, ["string"])
            raise UserError(
                _(
                    "%(what)s: fill in %(fields)s.",
                    what=self.fields_get([name], ["string"])[name]["string"],
                    fields=", ".join(labels[field]["string"] for field in missing),
                )
            )
        return self[name]

    def _make_dispute(self):
        return self.env["collection.dispute"].create(
            {
                "debtor_id": self.debtor_id.id,
                "move_id": self.dispute_move_id.id,
                "amount": self.dispute_amount,
                "reason_id": self.dispute_reason_id.id,
                "user_id": self.dispute_user_id.id,
                "contact_id": self.contact_id.id,
                "revisit_date": self.dispute_revisit_date,
                "note": self.note,
            }
        )

    def _schedule_follow_up(self):
        """An activity of the debtor; with an hour it is one of a calendar event, and each moves the other."""
        summary = self.follow_up_summary or self.next_step or self.follow_up_type_id.name
        activity = {
            "res_model_id": self.env["ir.model"]._get_id("collection.debtor"),
            "res_id": self.debtor_id.id,
            "activity_type_id": self.follow_up_type_id.id,
            "summary": summary,
            "date_deadline": self.follow_up_date,
            "user_id": self.follow_up_user_id.id,
        }
        if not self.follow_up_with_hour:
            return self.env["mail.activity"].create(activity)
        start = self._get_follow_up_start()
        customer = self.debtor_id.display_name
        event = self.env["calendar.event"].create(
            {
                "name": _("%(summary)s: %(customer)s", summary=summary, customer=customer),
                "start": start,
                "stop": start + MEETING,
                "user_id": self.follow_up_user_id.id,
                "partner_ids": [fields.Command.set(self.follow_up_user_id.partner_id.ids)],
                "res_model_id": activity["res_model_id"],
                "res_id": self.debtor_id.id,
                "activity_ids": [fields.Command.create(activity)],
            }
        )
        return event.activity_ids

    def _get_follow_up_start(self):
        """The hour is that of whoever fills this in."""
        timezone = pytz.timezone(self.env.user.tz or self.company_id._get_collection_timezone().zone)
        minutes = round(self.follow_up_hour * 60)
        if not 0 <= minutes < 24 * 60:
            raise UserError(_("An hour is from 0:00 to 23:59."))
        naive = fields.Datetime.to_datetime(self.follow_up_date) + timedelta(minutes=minutes)
        return timezone.localize(naive).astimezone(pytz.utc).replace(tzinfo=None)
