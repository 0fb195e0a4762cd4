from typing import NamedTuple

import pytz

from odoo import models

from ..engine import windows


class BusinessDays(NamedTuple):
    """The days off and the weekdays of a calendar; without one, no day off and Monday to Friday."""

    holidays: frozenset = frozenset()
    week: frozenset = windows.WORKING_WEEK


class ResourceCalendar(models.Model):
    _inherit = "resource.calendar"

    def _get_business_days(self, company):
        """``{calendar: BusinessDays}``: the public holidays that ``company`` keeps in these calendars, and their
        weekdays. Two queries for any number of calendars."""
        leaves = self.env["resource.calendar.leaves"].search_fetch(
            [
                ("resource_id", "=", False),
                ("time_type", "=", "leave"),
                ("calendar_id", "in", [False, *self.ids]),
                ("company_id", "in", (False, company.id)),
            ],
            ["calendar_id", "date_from", "date_to"],
        )
        periods_of = leaves.grouped("calendar_id")
        everyone_s = periods_of.get(self.browse(), leaves.browse())
        days = {}
        for calendar in self:
            periods = periods_of.get(calendar, leaves.browse()) | everyone_s
            days[calendar] = BusinessDays(
                windows.days_touched(
                    ((period.date_from, period.date_to) for period in periods), pytz.timezone(calendar.tz or "UTC")
                ),
                frozenset(int(day) for day in calendar.attendance_ids.mapped("dayofweek")) or windows.WORKING_WEEK,
            )
        return days
