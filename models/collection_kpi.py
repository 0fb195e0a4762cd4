from collections import defaultdict
from datetime import timedelta

from odoo import api, models

from ..engine import kpi, periods
from .collection_kpi_query import GROUPS

CONTACT_DAYS = 7
"""Money that comes within so many days of a contact counts as its work."""


class CollectionKpi(models.AbstractModel):
    """Key figures of a period, of all debtors that a person may see or of each collector, portfolio or salesperson.

    *How to use.* ``_get_figures``; ``engine.kpi`` says what each figure means, ``engine.periods`` compares two periods.

    *How it works.* Each query of ``collection.kpi.query`` sums one table by group, whatever the number of groups and
    debtors; what is ratio is computed here by ``engine.kpi``. Amounts are whole cents of the company's currency. Whose
    debtor one is, is as it is today, also in a period that is over.
    """

    _name = "collection.kpi"
    _description = "Key Figures"
    _inherit = ["collection.kpi.query"]

    @api.model
    def _get_figures(self, company, date_from, date_to, by=None, contact_days=CONTACT_DAYS):
        """Return the figures of the days from ``date_from`` to ``date_to``, both included.

        :param by: one of ``GROUPS``; None for one group of all debtors
        :return: {record of the group, an empty one for debtors of none: {name in ``engine.kpi.KPIS``: Figure}};
            without ``by``, of the company. Amounts of figures are in the company's currency.
        :raise ValueError: when the days are in the wrong order
        """
        if date_from > date_to:
            raise ValueError(f"{date_from} is after {date_to}.")
        totals = self._get_totals(company, date_from, date_to, by, contact_days)
        days = (date_to - date_from).days + 1
        Group = self.env[GROUPS[by].model] if by else company
        scale = 10**company.currency_id.decimal_places
        return {
            Group.browse(group_id) if by else company: self._compute_figures(total, date_to, days, scale)
            for group_id, total in totals.items()
        }

    @api.model
    def _get_no_figures(self, company, date_from, date_to):
        """The figures of a group of which the days tell nothing."""
        scale = 10**company.currency_id.decimal_places
        return self._compute_figures(self._start_total(), date_to, (date_to - date_from).days + 1, scale)

    # === Sums === #

    @api.model
    def _get_totals(self, company, date_from, date_to, by, contact_days):
        """{group id: {name: sum, and ``months``: {first day: sales}}}. A constant number of statements."""
        self._flush_kpi()
        scope = self._get_scope(company, date_from, date_to, by, contact_days)
        totals = defaultdict(self._start_total)
        if not by:
            # With nothing to tell, it is told why.
            totals[None] = self._start_total()
        for row in self._fetch(self._query_ledger(scope)):
            total = totals[row["group_id"]]
            total["ending"] += row["balance"]
            total["months"][row["month"]] += row["sold"]
            if row["inside"]:
                total["sales"] += row["sold"]
            else:
                total["beginning"] += row["balance"]
        self._add_rows(totals, scope, company, date_to, self._get_queries())
        return totals

    @api.model
    def _get_queries(self):
        """The statements of a period beside that of the ledger."""
        return (
            *(self._query_open, self._query_paid, self._query_hidden, self._query_said, self._query_contacted),
            *(self._query_promises, self._query_checks),
        )

    @api.model
    def _add_rows(self, totals, scope, company, date_to, queries):
        """Add what these statements tell; amounts in the company's currency, at the rate of the last day where they are
        of their own."""
        for query in queries:
            for row in self._fetch(query(scope)):
                total = totals[row.pop("group_id")]
                if currency_id := row.pop("currency_id", None):
                    currency = self.env["res.currency"].browse(currency_id)
                    row = self._convert(row, currency, company, date_to)
                self._add(total, row)

    @api.model
    def _start_total(self):
        return defaultdict(int, months=defaultdict(int))

    @api.model
    def _fetch(self, query):
        self.env.cr.execute(query)
        return self.env.cr.dictfetchall()

    @api.model
    def _add(self, total, row):
        for name, value in row.items():
            total[name] += value or 0

    @api.model
    def _convert(self, row, currency, company, day):
        """The amounts of a row, cents of ``currency``, as cents of the company's at the rate of the last day."""
        own = company.currency_id
        rate = currency._get_conversion_rate(currency, own, company, day) if currency != own else 1
        rate *= 10 ** (own.decimal_places - currency.decimal_places)
        return {name: round(value * rate) if name.endswith("_amount") else value for name, value in row.items()}

    # === Figures === #

    @api.model
    def _compute_figures(self, total, date_to, days, scale):
        """The figures of one group from its sums, in the order of ``engine.kpi.KPIS``."""
        figures = {
            **self._compute_speed(total, date_to, days),
            **self._compute_lateness(total),
            **self._compute_work(total, days),
        }
        amounts = {name for name, spec in kpi.KPIS.items() if spec.unit == kpi.MONEY}
        for name in amounts & figures.keys():
            value = figures[name].value
            figures[name] = figures[name]._replace(value=value if value is None else value / scale)
        return {name: figures[name] for name in kpi.KPIS if name in figures}

    @api.model
    def _compute_speed(self, total, date_to, days):
        beginning, ending, sales, current = (total[name] for name in ("beginning", "ending", "sales", "current"))
        return {
            "dso": kpi.dso(ending, sales, days),
            "dso_countback": kpi.dso_countback(ending, self._get_months(total["months"], date_to)),
            "best_possible_dso": kpi.best_possible_dso(current, sales, days),
            "average_days_delinquent": kpi.average_days_delinquent(ending, current, sales, days),
            "collection_effectiveness": kpi.collection_effectiveness(beginning, sales, ending, current),
            "receivable_turnover": kpi.receivable_turnover(sales, beginning, ending),
        }

    @api.model
    def _get_months(self, sold, date_to):
        """The months from the last one back to the first in which something was sold."""
        first = min((month for month, amount in sold.items() if amount), default=date_to)
        count = 12 * (date_to.year - first.year) + date_to.month - first.month + 1
        months = periods.months_until(date_to, count)
        return [kpi.Month(sold[since], (until - since + timedelta(days=1)).days) for since, until in months]

    @api.model
    def _compute_lateness(self, total):
        return {
            "on_time_count": kpi.collected_on_time(total["on_time_count"], total["paid_count"]),
            "on_time_amount": kpi.collected_on_time(total["on_time"], total["paid"]),
            "average_days_late": kpi.average_days_late(total["paid_days"], total["paid"]),
            "overdue_share": kpi.overdue_share(total["overdue"], total["owed"]),
            "ninety_plus_share": kpi.overdue_share(total["ninety_plus"], total["owed"]),
        }

    @api.model
    def _compute_work(self, total, days):
        worked = total["collector_days"]
        return {
            "promise_kept_count": kpi.promise_kept_rate(total["kept_count"], total["judged_count"]),
            "promise_kept_amount": kpi.promise_kept_rate(total["kept_amount"], total["judged_amount"]),
            "recontact_rate": kpi.recontact_rate(total["contacted_again"], total["contacted"]),
            "right_party_contact_rate": kpi.right_party_contact_rate(total["reached"], total["attempts"]),
            "contacts_a_day": kpi.a_day(total["contacts"], worked),
            "promises_a_day": kpi.a_day(total["made_count"], worked),
            "collected_a_day": kpi.a_day(total["collected"], worked),
            "hidden_credit_days": kpi.hidden_credit_days(total["hidden_days"], total["hidden"]),
            "hidden_credit_amount": kpi.hidden_credit_amount(total["hidden_days"], days),
            "bounced_check_count": kpi.bounced_check_rate(total["bounced_count"], total["presented_count"]),
            "bounced_check_amount": kpi.bounced_check_rate(total["bounced_amount"], total["presented_amount"]),
        }
