from odoo import _, api, models
from odoo.tools.misc import format_amount, formatLang

from ..engine import kpi

NO_VALUE = "—"
DECIMALS = {kpi.DAYS: 1, kpi.PERCENT: 1, kpi.TIMES: 2, kpi.COUNT: 1}


class CollectionKpi(models.AbstractModel):
    """Key figures in words, in the language of the reader: the one place for every screen and file that shows them.

    *How to use.* ``_get_labels``, ``_get_helps`` and ``_get_reasons`` of all, ``_get_reason`` of a figure without a
    value, ``_format_figure`` and ``_format_difference`` of a figure and of what it changed by.
    """

    _inherit = "collection.kpi"

    @api.model
    def _get_labels(self):
        """{name in ``engine.kpi.KPIS``: what it is called}, in their order."""
        return {
            "dso": _("DSO"),
            "dso_countback": _("DSO by Countback"),
            "best_possible_dso": _("Best Possible DSO"),
            "average_days_delinquent": _("Average Days Delinquent"),
            "collection_effectiveness": _("Collection Effectiveness"),
            "receivable_turnover": _("Receivable Turnover"),
            "on_time_count": _("Collected on Time, Items"),
            "on_time_amount": _("Collected on Time, Amount"),
            "average_days_late": _("Average Days Late"),
            "overdue_share": _("Overdue Share"),
            "ninety_plus_share": _("Share over 90 Days Late"),
            "promise_kept_count": _("Promises Kept, Number"),
            "promise_kept_amount": _("Promises Kept, Amount"),
            "recontact_rate": _("Contacted Again Unpaid"),
            "right_party_contact_rate": _("Right-Party Contacts"),
            "contacts_a_day": _("Contacts per Collector and Day"),
            "promises_a_day": _("Promises per Collector and Day"),
            "collected_a_day": _("Collected per Collector and Day"),
            "hidden_credit_days": _("Hidden Credit, Days"),
            "hidden_credit_amount": _("Hidden Credit, Amount"),
            "bounced_check_count": _("Bounced Checks, Number"),
            "bounced_check_amount": _("Bounced Checks, Amount"),
        }

    @api.model
    def _get_helps(self):
        """{name: what it says and how it is computed, in a sentence}"""
        return {**self._get_speed_helps(), **self._get_lateness_helps(), **self._get_work_helps()}

    @api.model
    def _get_speed_helps(self):
        return {
            "dso": _("How many days of sales are owed at the end: receivable / sales of the period x its days."),
            "dso_countback": _(
                "The days of the last months whose sales add up to the receivable: free of seasons, unlike the DSO."
            ),
            "best_possible_dso": _(
                "The DSO if nobody were late: receivable that is not due / sales of the period x its days."
            ),
            "average_days_delinquent": _("The part of the DSO that lateness makes: DSO - best possible DSO."),
            "collection_effectiveness": _(
                "How much of what could be collected was: (beginning receivable + sales - ending receivable) / "
                "(beginning receivable + sales - ending receivable not due)."
            ),
            "receivable_turnover": _(
                "How often the receivable became money in the period: sales / average of the beginning and the ending "
                "receivable."
            ),
        }

    @api.model
    def _get_lateness_helps(self):
        return {
            "on_time_count": _("Of the items paid off in the period, those paid by their effective due date."),
            "on_time_amount": _("Of the money that paid items in the period, what came by their effective due date."),
            "average_days_late": _(
                "Weighted by amount: sum of amount x days late / amount collected; early is not late."
            ),
            "overdue_share": _("Of what is owed at the end of the period, what is past its effective due date."),
            "ninety_plus_share": _("Of what is owed at the end of the period, what is more than 90 days late."),
            "hidden_credit_days": _(
                "Days that reviews and deliveries add to the credit: sum of amount x days until it starts / amount "
                "invoiced."
            ),
            "hidden_credit_amount": _(
                "What waiting for reviews and deliveries lends on an average day: sum of amount x days until the "
                "credit starts / days of the period."
            ),
        }

    @api.model
    def _get_work_helps(self):
        return {
            "promise_kept_count": _("Of the promises judged in the period, those kept in full."),
            "promise_kept_amount": _("Of the amounts promised and judged in the period, what was paid."),
            "recontact_rate": _(
                "Of the customers contacted in the period, those contacted again before they paid anything."
            ),
            "right_party_contact_rate": _(
                "Of all interactions in which we reached out, those whose outcome says that who decides was reached."
            ),
            "contacts_a_day": _("Interactions logged / days on which a collector logged any, summed over collectors."),
            "promises_a_day": _("Promises made / days on which a collector logged an interaction."),
            "collected_a_day": _(
                "Money that came within a week of a contact / days on which a collector logged an interaction."
            ),
            "bounced_check_count": _("Of the checks presented to the bank in the period, those that it did not pay."),
            "bounced_check_amount": _(
                "Of the amount of the checks presented to the bank in the period, what it did not pay."
            ),
        }

    @api.model
    def _get_reasons(self):
        """{why a figure has no value: a sentence that says so}"""
        return {
            kpi.NO_SALES: _("Nothing was sold in the period."),
            kpi.NO_DAYS: _("The period has no days."),
            kpi.SHORT_HISTORY: _("More is owed than all sales on record add up to."),
            kpi.NOTHING_TO_COLLECT: _("Nothing was due to be collected in the period."),
            kpi.NO_RECEIVABLE: _("Nothing was owed at the beginning or the end of the period."),
            kpi.NOTHING_COLLECTED: _("Nothing was collected in the period."),
            kpi.NOTHING_OWED: _("Nothing was owed at the end of the period."),
            kpi.NO_PROMISES: _("No promise was kept or broken in the period."),
            kpi.NOBODY_CONTACTED: _("Nobody was contacted in the period."),
            kpi.NO_ATTEMPTS: _("No call, visit or message to a customer was logged in the period."),
            kpi.NO_WORK: _("No interaction was logged in the period."),
            kpi.NOTHING_INVOICED: _("No invoice of the period waited for a review or a delivery."),
            kpi.NO_SNAPSHOT: _("No figures were kept of that day."),
            kpi.NO_CHECKS: _("No check was presented to the bank in the period."),
        }

    @api.model
    def _get_reason(self, why):
        """Why a figure has no value, in a sentence; nothing where it has one."""
        return self._get_reasons()[why] if why else ""

    @api.model
    def _get_units(self, company):
        """{unit in ``engine.kpi``: what its numbers count}"""
        return {
            kpi.DAYS: _("days"),
            kpi.PERCENT: "%",
            kpi.TIMES: _("times"),
            kpi.COUNT: _("per day"),
            kpi.MONEY: company.currency_id.name,
        }

    @api.model
    def _format_figure(self, name, figure, company):
        """A figure with its unit, as text; a dash where there is none."""
        if figure is None or figure.value is None:
            return NO_VALUE
        return self._format_value(kpi.KPIS[name].unit, figure.value, company)

    @api.model
    def _format_value(self, unit, value, company):
        if unit == kpi.MONEY:
            return format_amount(self.env, float(value), company.currency_id)
        number = formatLang(self.env, float(value), digits=DECIMALS[unit])
        if unit == kpi.DAYS:
            return _("%(number)s days", number=number)
        return f"{number}%" if unit == kpi.PERCENT else number

    @api.model
    def _format_difference(self, name, difference, company):
        """By how much a figure changed, with its sign; percents change by points. A dash where nothing is known."""
        if difference is None:
            return NO_VALUE
        unit = kpi.KPIS[name].unit
        if unit == kpi.PERCENT:
            return self._format_points(difference)
        sign = "+" if difference > 0 else ""
        return f"{sign}{self._format_value(unit, difference, company)}"

    @api.model
    def _format_points(self, points):
        """By how many points a percentage changed, with its sign; a dash where nothing is known."""
        if points is None:
            return NO_VALUE
        sign = "+" if points > 0 else ""
        return _("%(number)s points", number=sign + formatLang(self.env, float(points), digits=DECIMALS[kpi.PERCENT]))

    @api.model
    def _format_percent(self, percent):
        """A change in percent of what was before, with its sign; a dash where there is none."""
        if percent is None:
            return NO_VALUE
        number = formatLang(self.env, float(percent), digits=DECIMALS[kpi.PERCENT])
        return f"+{number}%" if percent > 0 else f"{number}%"
