from dateutil.relativedelta import relativedelta

from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import format_date

from ..engine import kpi, periods

PREVIOUS, LAST_YEAR, OWN, AROUND = "previous", "last_year", "own", "around"


class CollectionKpiReport(models.TransientModel):
    """Key figures of two periods side by side: of which days, against which, and of whom.

    How it works: the rows, ``collection.kpi.report.line``, are made anew at each button from the figures of both
    periods (``collection.kpi``), which count the debtors that the person may see.
    """

    _name = "collection.kpi.report"
    _description = "Key Figures of Two Periods"

    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)
    date_from = fields.Date(
        string="First Day", required=True, default=lambda self: self._get_last_month_end() + relativedelta(day=1)
    )
    date_to = fields.Date(string="Last Day", required=True, default=lambda self: self._get_last_month_end())
    compare_with = fields.Selection(
        [
            (PREVIOUS, "The period before"),
            (LAST_YEAR, "The same days of last year"),
            (OWN, "Other days"),
            (AROUND, "Before and after a day"),
        ],
        required=True,
        default=PREVIOUS,
    )
    other_from = fields.Date(string="First Day Compared With")
    other_to = fields.Date(string="Last Day Compared With")
    day = fields.Date(string="Since", help="The first day of what is new, such as when a policy went live.")
    days = fields.Integer(
        string="Days on Each Side",
        compute="_compute_days",
        store=True,
        readonly=False,
        precompute=True,
        help="As many days from that day on as before it.",
    )
    by = fields.Selection(
        [("collector", "Collector"), ("portfolio", "Portfolio"), ("salesperson", "Salesperson")],
        string="For Each",
        help="Whose customer one is, is as it is today, also in a period that is over.",
    )
    line_ids = fields.One2many("collection.kpi.report.line", "wizard_id", string="Rows", readonly=True)

    @api.model
    def _get_last_month_end(self):
        return self.env.company._get_collection_today() - relativedelta(day=1) - relativedelta(days=1)

    @api.depends("day", "company_id")
    def _compute_days(self):
        """As many days as have passed; today does not count, for it is not over."""
        for report in self:
            today = (report.company_id or self.env.company)._get_collection_today()
            report.days = max((today - report.day).days, 1) if report.day else 30

    # === ACTIONS === #

    def action_open(self):
        self._fill()
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.collection_kpi_report_line_action")
        return {
            **action,
            "name": self._get_title(),
            "display_name": self._get_title(),
            "domain": [("wizard_id", "=", self.id)],
            "context": {"search_default_group_group_name": 1, "collection_kpi_groups": True} if self.by else {},
        }

    def action_export_xlsx(self):
        self._fill()
        content = self.env["collection.kpi.xlsx"]._render_xlsx(self)
        return self.env["collection.export"]._download(f"{self._get_file_title()}.xlsx", content)

    # === PERIODS === #

    def _get_periods(self):
        """((first, last) day of the period, (first, last) day of the one it is compared with).

        :raise UserError: when these days cannot be
        """
        self.ensure_one()
        if self.compare_with == AROUND:
            return self._get_periods_around()
        now = self._check_period(self.date_from, self.date_to)
        if self.compare_with == PREVIOUS:
            return now, periods.previous_period(*now)
        if self.compare_with == LAST_YEAR:
            return now, periods.same_last_year(*now)
        before = self._check_period(self.other_from, self.other_to)
        if before[0] <= now[1] and now[0] <= before[1]:
            raise UserError(_("The two periods share days: choose other days to compare with."))
        return now, before

    def _get_periods_around(self):
        if not self.day or self.days < 1:
            raise UserError(_("Choose the day, and how many days before and after it are compared."))
        now, before = periods.around(self.day, self.days)
        today = self.company_id._get_collection_today()
        if now[1] > today:
            raise UserError(
                _(
                    "%(days)s days from %(day)s on are not over yet: choose fewer days or an earlier day.",
                    days=self.days,
                    day=format_date(self.env, self.day),
                )
            )
        return now, before

    def _check_period(self, first, last):
        if not first or not last:
            raise UserError(_("Choose the first and the last day to compare with."))
        if first > last:
            first, last = format_date(self.env, first), format_date(self.env, last)
            raise UserError(
                _("%(first)s is after %(last)s: begin with the earlier of the two days.", first=first, last=last)
            )
        if last > self.company_id._get_collection_today():
            raise UserError(_("Key figures cannot be of days to come: end with today or an earlier day."))
        return first, last

    # === ROWS === #

    def _fill(self):
        """Make the rows of this report anew.

        :raise UserError: when its days cannot be
        """
        now, before = self._get_periods()
        kpis = self.env["collection.kpi"]
        figures, others = (kpis._get_figures(self.company_id, *days, by=self.by) for days in (now, before))
        none, none_before = (kpis._get_no_figures(self.company_id, *days) for days in (now, before))
        names = {group: self._get_group_name(group) for group in figures.keys() | others.keys()}
        values = [
            self._prepare_line(names[group], name, of_group[name], before_of_group[name])
            for group in sorted(names, key=lambda group: (not group, names[group].casefold(), group.id))
            for of_group, before_of_group in [(figures.get(group, none), others.get(group, none_before))]
            for name in of_group
        ]
        # sudo: rows are of the report, and for nobody to write
        lines = self.env["collection.kpi.report.line"].sudo()
        lines.search([("wizard_id", "=", self.id)]).unlink()
        lines.create(values)

    def _get_group_name(self, group):
        """How a group is called; of all debtors without a group, nothing."""
        if not self.by:
            return ""
        # sudo: the names of colleagues
        return group.sudo().display_name if group else self._get_nobody()

    def _get_nobody(self):
        return {
            "collector": _("Without Collector"),
            "portfolio": _("Without Portfolio"),
            "salesperson": _("Without Salesperson"),
        }[self.by]

    def _prepare_line(self, group_name, name, now, before):
        spec = kpi.KPIS[name]
        change = periods.compare(now, before, spec.better)
        return {
            "wizard_id": self.id,
            "group_name": group_name,
            "kpi": name,
            "unit": self.env["collection.kpi"]._get_units(self.company_id)[spec.unit],
            "now": now.value or 0,
            "now_why": now.why,
            "before": before.value or 0,
            "before_why": before.why,
            "difference": change.difference or 0,
            "percent": change.percent or 0,
            "direction": change.direction,
            "verdict": change.verdict,
        }

    # === HELPERS === #

    def _get_title(self):
        return _("Key Figures %(days)s", days=self._get_days_text(" - ", lambda day: format_date(self.env, day)))

    def _get_file_title(self):
        return _("Key Figures %(days)s", days=self._get_days_text("_", lambda day: day.isoformat()))

    def _get_days_text(self, between, write):
        return between.join(write(day) for day in self._get_periods()[0])

    def _get_periods_text(self):
        """Which days are compared with which, in a sentence."""
        now, before = ([format_date(self.env, day) for day in days] for days in self._get_periods())
        return _(
            "%(first)s - %(last)s compared with %(other_first)s - %(other_last)s",
            first=now[0],
            last=now[1],
            other_first=before[0],
            other_last=before[1],
        )
