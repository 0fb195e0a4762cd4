from babel.dates import get_day_names

from odoo import _, api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools.misc import babel_locale_parse, get_lang

from ..engine import windows

REVIEW = "review"
PAYMENT = "payment"
MONTH_END = "month_end"
WEEKDAYS = [
    ("0", "Monday"),
    ("1", "Tuesday"),
    ("2", "Wednesday"),
    ("3", "Thursday"),
    ("4", "Friday"),
    ("5", "Saturday"),
    ("6", "Sunday"),
]
NTHS = [("1", "First"), ("2", "Second"), ("3", "Third"), ("4", "Fourth"), ("-1", "Last")]


class CollectionWindow(models.Model):
    """When a customer receives invoices for review, or pays: a thin record around :class:`engine.windows.Window`."""

    _name = "collection.window"
    _description = "Review or Payment Window"
    _inherit = "collection.schedule.part"
    _order = "weekday, month_day, hour_from, id"

    purpose = fields.Selection([(REVIEW, "Review"), (PAYMENT, "Payment")], required=True, default=REVIEW)
    kind = fields.Selection(
        [
            (windows.WEEKDAY, "Every week"),
            (windows.NTH_WEEKDAY, "A weekday of the month"),
            (windows.MONTH_DAY, "A day of the month"),
            (MONTH_END, "Last day of the month"),
        ],
        string="Repeats",
        required=True,
        default=windows.WEEKDAY,
    )
    weekday = fields.Selection(WEEKDAYS, default="0")
    nth = fields.Selection(NTHS, string="Which", default="1")
    month_day = fields.Integer(string="Day", default=1, help="From 1 to 28, which every month has.")
    hour_from = fields.Float(string="From", help="In the customer's time zone.")
    hour_to = fields.Float(string="To", default=24.0, help="Who arrives later waits for the next window.")

    @api.depends("kind", "weekday", "nth", "month_day", "hour_from", "hour_to")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for window in self:
            window.display_name = window._get_text()

    @api.constrains("kind", "weekday", "nth", "month_day", "hour_from", "hour_to")
    def _check_window(self):
        for window in self:
            try:
                window._as_engine()
            except windows.WindowError as error:
                raise ValidationError(window._get_fault(error.args[0])) from None

    def _get_fault(self, what):
        """Why the engine refuses this window, in a sentence."""
        self.ensure_one()
        if what == "hours":
            return _(
                "A window of %(customer)s ends before it starts: set “From” to an earlier hour than “To”, both between "
                "0:00 and 24:00.",
                customer=self.partner_id.display_name,
            )
        if what == "day":
            return _(
                "Not every month has a day %(day)s: choose 1 to 28 for %(customer)s, or “Last day of the month”.",
                day=self.month_day,
                customer=self.partner_id.display_name,
            )
        return _("Choose the weekday of each window of %(customer)s.", customer=self.partner_id.display_name)

    def _as_engine(self):
        """This window as the engine knows it. :raise WindowError: when it cannot be"""
        self.ensure_one()
        if self.kind == MONTH_END:
            return windows.Window.monthly(windows.LAST, self.hour_from, self.hour_to)
        return windows.Window(
            self.kind,
            weekday=int(self.weekday or -1),
            day=self.month_day if self.kind == windows.MONTH_DAY else 1,
            nth=int(self.nth or 0) if self.kind == windows.NTH_WEEKDAY else 1,
            start=self.hour_from,
            end=self.hour_to,
        )

    def _get_text(self):
        """“Mon 9-13”, “last Fri”, “day 15”, in the reader's language."""
        self.ensure_one()
        day = get_day_names("abbreviated", locale=babel_locale_parse(get_lang(self.env).code))[int(self.weekday or 0)]
        if self.kind == windows.NTH_WEEKDAY:
            nth = dict(self._fields["nth"]._description_selection(self.env)).get(self.nth, "").lower()
            day = _("%(nth)s %(weekday)s of the month", nth=nth, weekday=day)
        elif self.kind == windows.MONTH_DAY:
            day = _("day %(day)s", day=self.month_day)
        elif self.kind == MONTH_END:
            day = _("last day of the month")
        hours = format_hours(self.hour_from, self.hour_to)
        return f"{day} {hours}" if hours else day


def format_hours(start, end):
    """“9-13” or “9:30-13”; empty for the whole day."""
    return "" if start <= 0 and end >= 24 else "-".join(_format_hour(hour) for hour in (start, end))


def _format_hour(hour):
    """
    >>> [_format_hour(hour) for hour in (9.0, 9.5, 24.0)]
    ['9', '9:30', '24']
    """
    hours, minutes = divmod(round(hour * 60), 60)
    return f"{hours}:{minutes:02d}" if minutes else str(hours)
