from datetime import date

from odoo import api, fields, models
from odoo.tools import SQL

EVER = date(1900, 1, 1)
# What is kept of a day, in the order of ``_query_days``.
SUMS = ("change", "sold", "received", "paid", "on_time", "paid_days")


class CollectionLedgerDay(models.Model):
    """What happened in the ledger on each day that is over, by collector: a cache, so that the dashboard reads some
    thousands of rows and not the ledger of years.

    *How to use.* ``_query_known`` has the sums of any days, from here and, of the days since, from the ledger;
    ``_refresh(company)`` makes all rows of a company anew, as the nightly run does.

    *How it works.* One statement sums the whole ledger by ``_query_days``, which also tells what is not kept yet. The
    company says up to which day rows are kept: without any, everything is read from the ledger, and comes to the same.
    What is booked later on a day that is kept counts from the next night on. When debtors change hands, nothing is
    taken from here until then.
    """

    _name = "collection.ledger.day"
    _description = "Day of the Ledger"
    _order = "day, collector_id"
    _log_access = False

    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    collector_id = fields.Many2one("res.users", ondelete="cascade")
    day = fields.Date(required=True)
    change = fields.Monetary(help="Of the receivable.")
    sold = fields.Monetary()
    received = fields.Monetary(help="Money, less what went back.")
    paid = fields.Monetary(help="What money paid of items.")
    on_time = fields.Monetary(help="What of it came by the effective due date.")
    paid_days = fields.Monetary(help="Amounts paid times their days late.")

    @api.model
    def _auto_init(self):
        result = super()._auto_init()
        self.env.cr.execute(
            """CREATE UNIQUE INDEX IF NOT EXISTS collection_ledger_day_unique_index
                   ON collection_ledger_day (company_id, day, COALESCE(collector_id, 0))"""
        )
        return result

    @api.model
    def _refresh(self, company):
        """Make the rows of a company anew, of all days before today."""
        today = company._get_collection_today()
        Kpi = self.env["collection.kpi"]
        Kpi._flush_kpi()
        scope = Kpi._get_scope(company, EVER, fields.Date.subtract(today, days=1), "collector", 0)
        # Who comes second waits; what the first made meanwhile has the second begin again.
        self.env.cr.execute(SQL("SELECT pg_advisory_xact_lock(hashtext(%s), %s)", self._table, company.id))
        # The ledger of years is summed in memory, and not through files.
        self.env.cr.execute("SET LOCAL work_mem = '128MB'")
        self.env.cr.execute(SQL("DELETE FROM collection_ledger_day WHERE company_id = %s", company.id))
        self.env.cr.execute(
            SQL(
                """INSERT INTO collection_ledger_day (company_id, collector_id, day, %s)
                   SELECT %s, found.* FROM (%s) found ON CONFLICT DO NOTHING""",
                SQL(", ").join(map(SQL.identifier, SUMS)),
                company.id,
                self._query_days(scope),
            )
        )
        self.env.cr.execute("SET LOCAL work_mem TO DEFAULT")
        company.collection_days_until = today
        self.invalidate_model()

    @api.model
    def _forget(self, companies):
        """Read everything from the ledger until the next night: whose debtors are whose has changed."""
        # sudo: whoever hands over debtors writes no companies
        companies.sudo().filtered("collection_days_until").collection_days_until = False

    @api.model
    def _query_days(self, scope):
        """Rows (group, day, then ``SUMS``) of the days of the scope, amounts in the company's currency. One scan of the
        receivable lines by their index (account, date), one of the reconciliations."""
        Kpi = self.env["collection.kpi"]
        booked = SQL(
            """SELECT line.partner_id, line.date AS day, SUM(line.balance) AS change,
                      SUM(CASE WHEN line.journal_id = ANY(%(sales)s) THEN line.balance ELSE 0 END) AS sold,
                      -SUM(CASE WHEN line.journal_id = ANY(%(money)s) THEN line.balance ELSE 0 END) AS received,
                      0 AS paid, 0 AS on_time, 0 AS paid_days
                 FROM account_move_line line
                WHERE line.account_id = ANY(%(accounts)s) AND line.company_id + 0 = %(company)s
                  AND line.parent_state = 'posted' AND line.date BETWEEN %(first)s AND %(last)s
                GROUP BY 1, 2""",
            **scope,
        )
        paid = SQL(
            """SELECT partner_id, day, 0, 0, 0, SUM(amount), SUM(on_time), SUM(late)
                 FROM settled GROUP BY 1, 2"""
        )
        return SQL(
            """
            WITH %(settled)s, %(owned)s
            SELECT group_id, day, %(sums)s
              FROM owned
             WHERE (debtor_id IN %(seen)s) IS TRUE
             GROUP BY 1, 2""",
            **scope,
            settled=Kpi._query_settled(scope),
            owned=Kpi._query_owned(scope, SQL("%s UNION ALL %s", booked, paid)),
            sums=SQL(", ").join(SQL("SUM(%(name)s) AS %(name)s", name=SQL.identifier(name)) for name in SUMS),
        )

    @api.model
    def _query_known(self, scope, since, starts):
        """Rows (collector as ``group_id``, month, since, then ``SUMS`` in cents) of all days up to the last one of the
        scope, told apart by the last of the days ``starts`` that is not after them.

        :param scope: by collector, of the days that are read from the ledger
        :param since: the first of these days
        """
        return SQL(
            """
            SELECT group_id, date_trunc('month', day)::date AS month,
                   COALESCE((%(starts)s::date[])[width_bucket(day, %(starts)s::date[])], %(ever)s) AS since,
                   %(sums)s
              FROM (SELECT collector_id AS group_id, day, %(names)s
                      FROM collection_ledger_day
                     WHERE company_id = %(company)s AND day < %(since)s AND COALESCE(collector_id, 0) IN (
                           SELECT COALESCE(collector_id, 0) FROM collection_debtor WHERE id IN %(seen)s)
                     UNION ALL
                    (%(days)s)) known
             GROUP BY 1, 2, 3""",
            **scope,
            starts=starts,
            ever=EVER,
            since=since,
            names=SQL(", ").join(map(SQL.identifier, SUMS)),
            days=self._query_days(scope),
            sums=SQL(", ").join(
                SQL(
                    "ROUND(SUM(%(name)s) * %(cents)s)::bigint AS %(name)s",
                    name=SQL.identifier(name),
                    cents=scope["cents"],
                )
                for name in SUMS
            ),
        )
