from odoo import _, api, fields, models
from odoo.tools import SQL

from ..models.collection_forecast import METHODS, WEEKS


class CollectionForecastReport(models.Model):
    """What past forecasts expected of each week that is over, and what came.

    How it works: nothing of what came is kept. It is read from the receivable lines of the journals that hold money, so
    that receipts which are booked late or taken back are counted on their day. Of the week in which a forecast was
    made, what came before it does not count. One scan of those lines since the first forecast.
    """

    _name = "collection.forecast.report"
    _description = "Forecast Accuracy"
    _inherit = ["collection.ratio"]
    _auto = False
    _rec_name = "week"
    _order = "week desc, made_on desc, method"
    _depends = {
        "account.move.line": ["account_id", "balance", "company_id", "date", "journal_id", "parent_state"],
        "collection.forecast": ["amount", "company_id", "made_on", "made_week", "method", "week"],
        "res.company": ["currency_id"],
    }

    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    method = fields.Selection(METHODS, readonly=True)
    made_on = fields.Date(readonly=True)
    week = fields.Date(string="Week From", readonly=True)
    horizon = fields.Selection("_get_horizons", readonly=True, help="How many weeks before it was made.")
    amount = fields.Monetary(string="Expected", readonly=True)
    received = fields.Monetary(
        readonly=True, help="What customers paid in that week, less what went back to them, by the day of the receipt."
    )
    difference = fields.Monetary(readonly=True, help="What came beyond the forecast; negative where less came.")
    deviation = fields.Monetary(
        readonly=True, help="The difference without its sign: in sums, too much and too little do not make up."
    )
    error = fields.Float(
        string="Error %",
        digits=(16, 1),
        group_operator="avg",
        readonly=True,
        help="The deviation as a percentage of what came; none where nothing did.",
    )

    @api.model
    def _get_horizons(self):
        """By numbers of two digits, which sort as they count."""
        texts = [_("The same week"), _("1 week ahead"), *(_("%s weeks ahead", count) for count in range(2, WEEKS))]
        return [(f"{number:02}", text) for number, text in enumerate(texts)]

    @api.model
    def _get_ratios(self):
        return {**super()._get_ratios(), "error": ("deviation", "received")}

    # === SQL ===#

    @property
    def _table_query(self):
        return SQL(
            """
            (SELECT forecast.*, company.currency_id, forecast.received - forecast.amount AS difference,
                   ABS(forecast.received - forecast.amount) AS deviation,
                   ROUND(100 * ABS(forecast.received - forecast.amount) / NULLIF(GREATEST(forecast.received, 0), 0), 1)
                       AS error
              FROM (SELECT forecast.id, forecast.company_id, forecast.method, forecast.made_on, forecast.week,
                           lpad(((forecast.week - forecast.made_week) / 7)::varchar, 2, '0') AS horizon,
                           forecast.amount, COALESCE(SUM(receipt.amount), 0) AS received
                      FROM collection_forecast forecast
                      JOIN %(todays)s ON today.company_id = forecast.company_id
                     CROSS JOIN generate_series(0, 6) AS weekday(number)
                      LEFT JOIN (SELECT line.company_id, line.date, -SUM(line.balance) AS amount
                                   FROM account_move_line line
                                  WHERE line.account_id = ANY(%(accounts)s) AND line.journal_id = ANY(%(money)s)
                                    AND line.parent_state = 'posted'
                                    AND line.date >= (SELECT MIN(made_on) FROM collection_forecast)
                                  GROUP BY 1, 2) receipt
                        ON receipt.company_id = forecast.company_id
                       AND receipt.date = forecast.week + weekday.number AND receipt.date >= forecast.made_on
                     WHERE forecast.week + 7 <= today.day
                     GROUP BY forecast.id) forecast
              JOIN res_company company ON company.id = forecast.company_id)""",
            todays=self.env["collection.cash.plan"]._query_todays(),
            accounts=self.env["account.account"]._get_receivable_ids(),
            money=self.env["account.journal"]._get_receipt_ids(),
        )
