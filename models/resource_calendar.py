import pytz

from odoo import models

from ..engine import windows


class ResourceCalendar(models.Model):
    _inherit = "resource.calendar"

    def _get_business_days(self, company):
        """``{calendar: BusinessDays}``: the public holidays of these calendars, those of no calendar that ``company``
        keeps, and their weekdays; also for the empty calendar of a company without one. A holiday of some hours takes
        the whole day. Two queries for any number of calendars."""
        leaves = self.env["resource.calendar.leaves"].search_fetch(
            [
                ("resource_id", "=", False),
                ("time_type", "=", "leave"),
                "|",
                ("calendar_id", "in", self.ids),
                "&",
                ("calendar_id", "=", False),
                ("company_id", "in", (False, company.id)),
            ],
            ["calendar_id", "date_from", "date_to"],
        )
        periods_of = leaves.grouped("calendar_id")
        none = self.browse()
        days = {}
        for calendar in (*self, none):
            periods = periods_of.get(calendar, leaves.browse()) | periods_of.get(none, leaves.browse())
            timezone = pytz.timezone(calendar.tz) if calendar.tz else company._get_collection_timezone()
            days[calendar] = windows.BusinessDays(
                windows.days_touched(((period.date_from, period.date_to) for period in periods), timezone),
                frozenset(int(day) for day in calendar.attendance_ids.mapped("dayofweek")) or windows.WORKING_WEEK,
            )
        return days
