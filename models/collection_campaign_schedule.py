import logging
from datetime import timedelta
from itertools import islice

import psycopg2
from dateutil import tz

from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL
from odoo.tools.misc import format_datetime

from ..engine import schedule, windows
from .collection_campaign import DONE, SCHEDULED
from .collection_window import NTHS, WEEKDAYS
from .responsible import ask_responsible

_logger = logging.getLogger(__name__)

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LISTED = 5
# Later than this, its moment was missed: the scheduler looks every 15 minutes.
LATE = timedelta(hours=2)


class CollectionCampaign(models.Model):
    """When a campaign leaves.

    *How it works.* ``next_run`` is its next moment, in UTC. ``_cron_send`` claims one campaign after the other whose
    moment has come, as many hosts at once as there are, and moves ``next_run`` on in the transaction that queues its
    notices: killed before the commit, nothing was queued; after it, nothing is queued again.
    """

    _name = "collection.campaign"
    _inherit = ["collection.campaign", "collection.transaction"]

    frequency = fields.Selection(
        [(schedule.ONCE, "Once"), (schedule.WEEKLY, "Weekly"), (schedule.MONTHLY, "Monthly")],
        required=True,
        default=schedule.MONTHLY,
    )
    start_date = fields.Date(required=True, default=fields.Date.context_today)
    end_date = fields.Date(help="Last day on which it may leave. Empty: no end.")
    hour = fields.Float(default=9.0, help="Of the company's own clock.")
    interval = fields.Integer(default=1, help="Weeks or months from one time to the next.")
    monday = fields.Boolean(default=True)
    tuesday = fields.Boolean()
    wednesday = fields.Boolean()
    thursday = fields.Boolean()
    friday = fields.Boolean()
    saturday = fields.Boolean()
    sunday = fields.Boolean()
    monthly_by = fields.Selection(
        [
            (windows.MONTH_DAY, "Day of the month"),
            (windows.NTH_WEEKDAY, "Weekday of the month"),
            (schedule.LAST_WORKING_DAY, "Last working day"),
        ],
        required=True,
        default=windows.MONTH_DAY,
    )
    month_day = fields.Integer(string="Day", default=1, help="In a shorter month, its last day.")
    nth = fields.Selection(NTHS, required=True, default="1")
    weekday = fields.Selection(WEEKDAYS, required=True, default="0")
    on_holiday = fields.Selection(
        [
            (schedule.AFTER, "On the next working day"),
            (schedule.BEFORE, "On the working day before"),
            (schedule.SKIP, "Not that time"),
        ],
        string="On Holidays",
        required=True,
        default=schedule.AFTER,
        help="Public holidays of the company's working hours.",
    )
    when_missed = fields.Selection(
        [("send", "Send it late, once"), ("skip", "Leave that time out")],
        required=True,
        default="send",
        help="What happens when the server was down at its moment.",
    )
    next_run = fields.Datetime(readonly=True, copy=False, index="btree_not_null", help="When it leaves next.")
    next_runs_text = fields.Char(string="Next Times", compute="_compute_next_runs_text")

    # === Computes and constraints ===#

    @api.depends(lambda self: self._get_schedule_fields())
    @api.depends_context("lang")
    def _compute_next_runs_text(self):
        for campaign in self:
            try:
                moments = list(islice(campaign._iter_moments(fields.Datetime.now()), LISTED))
            except schedule.ScheduleError:
                moments = []
            zone = campaign.company_id._get_collection_timezone().zone
            texts = [format_datetime(self.env, moment, tz=zone, dt_format="EEE d MMM y, HH:mm") for moment in moments]
            campaign.next_runs_text = " · ".join(texts) or _("never")

    @api.model
    def _get_schedule_fields(self):
        return [
            *("company_id", "frequency", "start_date", "end_date", "hour", "interval", *DAYS),
            *("monthly_by", "month_day", "nth", "weekday", "on_holiday"),
        ]

    @api.constrains(lambda self: self._get_schedule_fields())
    def _check_schedule(self):
        for campaign in self:
            try:
                schedule.check(campaign._as_schedule())
            except schedule.ScheduleError as error:
                raise ValidationError(campaign._get_schedule_problem(error.args[0])) from error

    def _get_schedule_problem(self, kind):
        self.ensure_one()
        return {
            "interval": _("“%(campaign)s” recurs every one or more weeks or months.", campaign=self.name),
            "hour": _("The hour of “%(campaign)s” lies between 0:00 and 23:59.", campaign=self.name),
            "end": _("“%(campaign)s” ends before it starts.", campaign=self.name),
            "weekdays": _("Choose the weekdays on which “%(campaign)s” leaves.", campaign=self.name),
            "day": _("The day of “%(campaign)s” lies between 1 and 31.", campaign=self.name),
            "nth": _("Choose which weekday of the month “%(campaign)s” leaves on.", campaign=self.name),
        }[kind]

    def write(self, vals):
        result = super().write(vals)
        if not set(self._get_schedule_fields()).isdisjoint(vals):
            for campaign in self.filtered(lambda campaign: campaign.state == SCHEDULED):
                campaign._set_next_run(fields.Datetime.now())
        return result

    # === Actions ===#

    def action_schedule(self):
        """Let it leave by itself from its next moment on."""
        self._check_manager()
        self._check_text()
        for campaign in self:
            campaign.state = SCHEDULED
            campaign._set_next_run(fields.Datetime.now())
            if not campaign.next_run:
                raise UserError(
                    _(
                        "“%(campaign)s” would never leave: its dates lie in the past. Choose later ones, or send now.",
                        campaign=campaign.name,
                    )
                )

    # === Moments ===#

    def _as_schedule(self):
        self.ensure_one()
        return schedule.Schedule(
            self.frequency,
            self.start_date or fields.Date.context_today(self),
            self.hour,
            self.end_date or None,
            self.interval,
            tuple(number for number, name in enumerate(DAYS) if self[name]),
            self.monthly_by,
            self.month_day,
            int(self.nth),
            int(self.weekday),
            self.on_holiday,
        )

    def _iter_moments(self, after):
        """Its moments later than ``after``, in UTC.

        :raise engine.schedule.ScheduleError: when they cannot be
        """
        self.ensure_one()
        rules = self._as_schedule()
        schedule.check(rules)
        company = self.company_id.sudo()
        calendar = company.resource_calendar_id
        zone = tz.gettz(company._get_collection_timezone().zone)
        return schedule.moments(rules, zone, calendar._get_business_days(company)[calendar], after)

    def _set_next_run(self, after):
        """The moment after ``after``; without one it is done."""
        self.ensure_one()
        self.next_run = next(self._iter_moments(after), False)
        if not self.next_run:
            self.state = DONE
        self._plan_moments()

    # === The scheduler ===#

    @api.model
    def _cron_send(self, now=None):
        """Queue the notices of every campaign whose moment has come, each in a transaction of its own.

        :param now: naive, in UTC; the moment of the call by default
        :return: the number of campaigns
        """
        now = now or fields.Datetime.now()
        sent = 0
        while self._in_transaction(self._send_next, now):
            sent += 1
        if sent:
            self._in_transaction(self.env["collection.notice"]._trigger_dispatch)
        return sent

    @api.model
    def _send_next(self, now):
        """Send the campaign that waits longest; returns whether there was one."""
        self.env.flush_all()
        self.env.cr.execute(self._query_claim(now))
        campaign = self.browse(campaign_id for (campaign_id,) in self.env.cr.fetchall())
        if campaign:
            campaign.with_company(campaign.company_id).with_context(
                lang=campaign.company_id._get_collection_lang()
            )._send_at_its_moment(now)
        return bool(campaign)

    @api.model
    def _query_claim(self, now):
        """Lock and return the campaign that waits longest and that no other scheduler holds. Served by the index of
        the next moments."""
        return SQL(
            """SELECT id FROM collection_campaign WHERE next_run <= %s AND state = %s AND active
                ORDER BY next_run, id LIMIT 1 FOR UPDATE SKIP LOCKED""",
            now,
            SCHEDULED,
        )

    def _send_at_its_moment(self, now):
        """What goes wrong in one campaign is told to its people and stops no other; its next moment comes all the
        same."""
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                self._send_unless_handled(now, self.company_id._get_collection_today())
        except psycopg2.OperationalError:
            raise
        except Exception as error:
            _logger.exception("Campaign %s could not be sent; its next time comes all the same", self.id)
            self._tell_failure(str(error) or type(error).__name__)
        self.with_context(tracking_disable=True)._set_next_run(now)

    def _send_unless_handled(self, now, today):
        if self._get_run(today):
            # Who reads and prunes a proposal, sent it or cancelled it has decided for that day.
            self._message_log(body=_("A person took it in hand today: nothing is sent by itself."))
            return
        late = now - self.next_run > LATE
        if late:
            self._tell_missed(self.next_run)
        if not late or self.when_missed == "send":
            self._send(today)

    def _tell_missed(self, planned):
        day = format_datetime(self.env, planned, tz=self.company_id._get_collection_timezone().zone)
        if self.when_missed == "send":
            text = _("Its moment, %(moment)s, was missed: it is sent now, once.", moment=day)
        else:
            text = _("Its moment, %(moment)s, was missed: it is left out that time.", moment=day)
        self._message_log(body=text)

    def _tell_failure(self, reason):
        text = _("It could not be sent: %(reason)s", reason=reason)
        self._message_log(body=text)
        ask_responsible(self, "mail.mail_activity_data_warning", text)
