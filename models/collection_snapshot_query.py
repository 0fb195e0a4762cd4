from dateutil.relativedelta import relativedelta

from odoo import api, models
from odoo.tools import SQL

from .collection_debtor import BUCKETS

MONTHS = 12
"""So many ends of months are rebuilt from the ledger."""
DAILY_MONTHS = 13
"""So many months are kept day by day: a month and the same one of last year side by side."""
LEDGER = "ledger"
AMOUNTS = ("total_due", "not_due", "overdue", *BUCKETS, "unallocated")


class CollectionSnapshotQuery(models.AbstractModel):
    """Takes the history of debtors, makes what is missing of it, and forgets what is too fine and too old.

    *How it works.* A night is one statement of the cached balances for all companies, each on its own day, and one that
    forgets. A month is one statement of the ledger for each set of buckets that companies have.
    """

    _name = "collection.snapshot.query"
    _description = "Making of the History"

    # === The night === #

    @api.model
    def _take(self, today=None):
        """Keep what each company's debtors are today; a second time on the same day replaces the first."""
        days = {company: today or company._get_collection_today() for company in self.env["res.company"].search([])}
        self.env["collection.debtor"].flush_model()
        self.env.cr.execute(self._query_take(days))
        self.env.cr.execute(self._query_forget(min(days.values()) - relativedelta(months=DAILY_MONTHS)))
        self.env["collection.snapshot"].invalidate_model()

    @api.model
    def _query_take(self, days):
        """Insert or replace the rows of ``{company: day}``, and delete those of groups that are no more. Returns
        nothing. One scan of the debtors; rows of the day by the unique key (company, date, group)."""
        return SQL(
            """
            WITH calendar (company_id, date) AS (VALUES %(calendar)s),
            grouped AS MATERIALIZED (
                SELECT debtor.company_id, calendar.date, debtor.collector_id, debtor.portfolio_id, debtor.level_id,
                       debtor.risk_class,
                       concat_ws('/', COALESCE(debtor.collector_id, 0), COALESCE(debtor.portfolio_id, 0),
                                 COALESCE(debtor.level_id, 0), COALESCE(debtor.risk_class, '')) AS group_key,
                       COUNT(*) AS debtor_count,
                       COUNT(*) FILTER (WHERE debtor.hold AND COALESCE(debtor.hold_until, calendar.date)
                                              >= calendar.date) AS on_hold_count,
                       %(sums)s
                  FROM collection_debtor debtor
                  JOIN calendar ON calendar.company_id = debtor.company_id
                 WHERE debtor.not_due <> 0 OR debtor.overdue <> 0 OR debtor.unallocated <> 0
                 GROUP BY 1, 2, 3, 4, 5, 6
            ),
            gone AS (
                DELETE FROM collection_snapshot kept
                 USING calendar
                 WHERE kept.company_id = calendar.company_id AND kept.date = calendar.date
                   AND NOT EXISTS (SELECT 1 FROM grouped WHERE grouped.company_id = kept.company_id
                                                           AND grouped.group_key = kept.group_key)
            )
            INSERT INTO collection_snapshot (%(names)s, month_end, rebuilt, create_uid, create_date, write_uid,
                   write_date)
            SELECT %(names)s, %(month_end)s, FALSE, %(uid)s, now() AT TIME ZONE 'UTC', %(uid)s, now() AT TIME ZONE 'UTC'
              FROM grouped
            %(replace)s""",
            calendar=SQL(", ").join(SQL("(%s, %s::date)", company.id, day) for company, day in days.items()),
            sums=SQL(", ").join(
                SQL("COALESCE(SUM(debtor.%(name)s), 0) AS %(name)s", name=SQL.identifier(name)) for name in AMOUNTS
            ),
            names=self._get_names("collector_id", "portfolio_id", "level_id", "risk_class", "on_hold_count"),
            month_end=self._query_month_end(),
            replace=self._query_replace("on_hold_count"),
            uid=self.env.uid,
        )

    @api.model
    def _query_forget(self, day):
        """Delete the rows before ``day`` of which their company has later ones in the same month."""
        return SQL(
            """DELETE FROM collection_snapshot kept
                USING (SELECT company_id, date_trunc('month', date) AS month, MAX(date) AS last
                         FROM collection_snapshot GROUP BY 1, 2) known
                WHERE kept.date < %(day)s AND kept.company_id = known.company_id
                  AND date_trunc('month', kept.date) = known.month AND kept.date < known.last""",
            day=day,
        )

    # === The past === #

    @api.model
    def _rebuild(self, companies):
        """Make the rows of the ends of the last months from the ledger, but for the days of which a night told."""
        self.env["collection.debtor"]._prepare_ledger()
        self.env["account.partial.reconcile"].flush_model()
        alike = companies.grouped(lambda company: company._get_collection_bucket_edges())
        for edges, of_edges in alike.items():
            first = min(company._get_collection_today() for company in of_edges).replace(day=1)
            for months in range(MONTHS):
                day = first - relativedelta(months=months) - relativedelta(days=1)
                self.env.cr.execute(self._query_rebuild(of_edges, edges, day))
        self.env["collection.snapshot"].invalidate_model()

    @api.model
    def _query_rebuild(self, companies, edges, day):
        """Insert or replace the row of each company at the end of ``day``, unless a night told of that day. Returns
        nothing. See ``collection.aging.line`` for what serves it."""
        aging = self.env["collection.aging.line"]
        # sudo: all debtors of these companies, for rows that tell of no single one
        debtors = self.env["collection.debtor"].sudo()._search([("company_id", "in", companies.ids)], order="id")
        return SQL(
            """
            WITH %(item)s,
            aged AS MATERIALIZED (%(aged)s),
            grouped AS MATERIALIZED (
                SELECT debtor.company_id, %(day)s::date AS date, %(ledger)s AS group_key,
                       COUNT(DISTINCT aged.debtor_id) AS debtor_count,
                       SUM(amount) AS total_due,
                       COALESCE(SUM(amount) FILTER (WHERE bucket > 0), 0) AS overdue,
                       COALESCE(-SUM(amount) FILTER (WHERE bucket IS NULL), 0) AS unallocated,
                       %(buckets)s
                  FROM aged
                  JOIN collection_debtor debtor ON debtor.id = aged.debtor_id
                 GROUP BY 1
            )
            INSERT INTO collection_snapshot (%(names)s, month_end, rebuilt, create_uid, create_date, write_uid,
                   write_date)
            SELECT %(names)s, %(month_end)s, TRUE, %(uid)s, now() AT TIME ZONE 'UTC', %(uid)s, now() AT TIME ZONE 'UTC'
              FROM grouped
             WHERE NOT EXISTS (SELECT 1 FROM collection_snapshot told
                                WHERE told.company_id = grouped.company_id AND told.date = grouped.date
                                  AND told.rebuilt IS NOT TRUE)
            %(replace)s""",
            item=aging._query_items(SQL("%s::date", day)),
            aged=aging._query_aged(day, edges, debtors),
            buckets=SQL(", ").join(
                SQL("COALESCE(SUM(amount) FILTER (WHERE bucket = %s), 0) AS %s", number, SQL.identifier(name))
                for number, name in enumerate(("not_due", *BUCKETS))
            ),
            names=self._get_names(),
            month_end=self._query_month_end(),
            replace=self._query_replace(),
            day=day,
            ledger=LEDGER,
            uid=self.env.uid,
        )

    # === Helpers === #

    @api.model
    def _get_names(self, *names):
        """The columns that a statement fills, in one order."""
        every = ("company_id", "date", "group_key", "debtor_count", *AMOUNTS, *names)
        return SQL(", ").join(SQL.identifier(name) for name in every)

    @api.model
    def _query_month_end(self):
        return SQL("EXTRACT(DAY FROM date + 1) = 1")

    @api.model
    def _query_replace(self, *names):
        """What there was of the same company, day and group is replaced."""
        return SQL(
            """ON CONFLICT (company_id, date, group_key) DO UPDATE
                  SET %s, write_uid = EXCLUDED.write_uid, write_date = EXCLUDED.write_date""",
            SQL(", ").join(
                SQL("%(name)s = EXCLUDED.%(name)s", name=SQL.identifier(name))
                for name in ("rebuilt", "debtor_count", *AMOUNTS, *names)
            ),
        )
