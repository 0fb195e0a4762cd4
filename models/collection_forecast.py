from odoo import api, fields, models
from odoo.tools import SQL

DUE, USUAL = "due", "usual"
METHODS = [(DUE, "By Due Date"), (USUAL, "With Usual Delay")]
WEEKS = 13


class CollectionForecast(models.Model):
    """What the cash plan of a past day expected of a week: kept to be held against what came.

    *How to use.* ``_keep()`` each night; ``collection.forecast.report`` compares.

    *How it works.* The first night of a company's week keeps that week and the twelve that follow, by both methods:
    one statement for all companies, to which the other nights of the week add nothing. Weeks begin on Monday.
    """

    _name = "collection.forecast"
    _description = "Kept Forecast"
    _order = "made_on desc, method, week"
    _log_access = False

    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    made_on = fields.Date(required=True, readonly=True)
    made_week = fields.Date(string="Made in the Week From", required=True, readonly=True)
    method = fields.Selection(METHODS, required=True, readonly=True)
    week = fields.Date(string="Week From", required=True, readonly=True)
    amount = fields.Monetary(string="Expected", readonly=True)

    _sql_constraints = [
        (
            "week_unique",
            "UNIQUE(company_id, made_week, method, week)",
            "What this week expected is kept already.",
        ),
    ]

    @api.model
    def _keep(self, today=None):
        """Keep what each company expects, unless it did so in this week already.

        :param today: the day to look ahead from; by default each company's own today
        """
        plan = self.env["collection.cash.plan"]
        if today:
            plan = plan.with_context(collection_plan_day=today)
        self.env["collection.debtor"]._prepare_ledger()
        self.flush_model()
        self.env.cr.execute(self._query_keep(plan))
        self.invalidate_model()

    @api.model
    def _query_keep(self, plan):
        """Insert the weeks of every company that has debtors, those in which nothing is expected too. Returns nothing.
        Served by the unique key; where no company is left, the plan is not read."""
        return SQL(
            """
            WITH maker AS MATERIALIZED (
                SELECT today.company_id, today.day, date_trunc('week', today.day)::date AS week
                  FROM %(todays)s
                 WHERE EXISTS (SELECT 1 FROM collection_debtor debtor WHERE debtor.company_id = today.company_id)
                   AND NOT EXISTS (SELECT 1 FROM collection_forecast kept WHERE kept.company_id = today.company_id
                                      AND kept.made_week = date_trunc('week', today.day)::date)
            ),
            expected AS MATERIALIZED (
                SELECT plan.company_id, way.method, date_trunc('week', way.date)::date AS week,
                       SUM(plan.company_amount) AS amount
                  FROM maker
                  JOIN %(plan)s AS plan ON plan.company_id = maker.company_id
                 CROSS JOIN LATERAL (VALUES (%(due)s, plan.date), (%(usual)s, plan.usual_date)) way(method, date)
                 GROUP BY 1, 2, 3
            )
            INSERT INTO collection_forecast (company_id, made_on, made_week, method, week, amount)
            SELECT maker.company_id, maker.day, maker.week, way.method, maker.week + 7 * ahead.number,
                   COALESCE(expected.amount, 0)
              FROM maker
             CROSS JOIN (VALUES (%(due)s), (%(usual)s)) way(method)
             CROSS JOIN generate_series(0, %(weeks)s - 1) ahead(number)
              LEFT JOIN expected ON expected.company_id = maker.company_id AND expected.method = way.method
                                AND expected.week = maker.week + 7 * ahead.number
                ON CONFLICT DO NOTHING""",
            todays=plan._query_todays(),
            plan=plan._table_query,
            due=DUE,
            usual=USUAL,
            weeks=WEEKS,
        )
