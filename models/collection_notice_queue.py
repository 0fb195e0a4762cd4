from odoo import api, models
from odoo.tools import SQL

from .array_literal import array_columns


class CollectionNoticeQueue(models.AbstractModel):
    """Writes many notices and their lines at once.

    *How to use.* ``_enqueue(notices, lines)`` with the rows of a night; the statements also with those that the
    dispatcher brings up to date.

    *How it works.* One statement each, whatever the number of rows. The rows travel as one array for each column, in
    the text that PostgreSQL reads fastest: as lists of values its parser would take longer than the insertion.
    """

    _name = "collection.notice.queue"
    _description = "Queue of Notices"

    @api.model
    def _trigger_dispatch(self):
        self.env.ref("account_collection.ir_cron_dispatch").sudo()._trigger()

    @api.model
    def _enqueue(self, notices, lines):
        """Add notices and their lines, as ``_query_enqueue`` wants them; returns the number of notices added.

        PostgreSQL looks up the foreign keys of each row, and in the small table of the currencies it would read all
        rows, once for each line: without such scans it takes the index.
        """
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        self.env.cr.execute(self._query_enqueue(notices, lines))
        added = self.env.cr.fetchone()[0]
        self.env.cr.execute("SET LOCAL enable_seqscan TO DEFAULT")
        self.invalidate_model()
        return added

    @api.model
    def _query_enqueue(self, notices, lines):
        """Insert notices and their lines, skipping the keys that exist; returns the number of notices added.

        :param notices: rows (key, debtor, company, run, level, date, channel, state, reason, amount, overdue, days)
        :param lines: rows of ``speak`` whose owner is a notice's key
        """
        return SQL(
            """
            WITH added AS (
                INSERT INTO collection_notice (dedupe_key, debtor_id, company_id, run_id, level_id, date, channel,
                       state, reason, amount, amount_overdue, days_overdue, partner_id, tries,
                       create_uid, create_date, write_uid, write_date)
                SELECT new.key, new.debtor_id, new.company_id, new.run_id, new.level_id, new.date, new.channel,
                       new.state, new.reason, new.amount, new.overdue, new.days,
                       debtor.partner_id, 0, %(uid)s, now() AT TIME ZONE 'UTC', %(uid)s, now() AT TIME ZONE 'UTC'
                  FROM unnest(%(notices)s) WITH ORDINALITY
                       AS new(key, debtor_id, company_id, run_id, level_id, date, channel, state, reason, amount,
                              overdue, days, position)
                  JOIN collection_debtor debtor ON debtor.id = new.debtor_id
                 ORDER BY position
                ON CONFLICT (dedupe_key) DO NOTHING
                RETURNING id, dedupe_key
            ), spoken AS (%(insert_lines)s)
            SELECT count(*) FROM added""",
            uid=self.env.uid,
            notices=array_columns(notices, "text int int int int date text text text numeric numeric int"),
            insert_lines=self._query_insert_lines(
                lines, "text", SQL("added.id"), SQL("JOIN added ON added.dedupe_key = new.owner")
            ),
        )

    @api.model
    def _query_insert_lines(self, lines, owner_type, notice_id, join):
        """Insert rows of ``speak``, each ``new``, as lines of the notice that ``notice_id`` tells; in their order,
        which is also that of items which fall due on one day."""
        return SQL(
            """INSERT INTO collection_notice_line (notice_id, move_line_id, move_id, currency_id, level_id, due_date,
                      days, amount, company_amount, told_on)
               SELECT %(notice_id)s, new.line_id, new.move_id, new.currency_id, new.level_id, new.due, new.days,
                      new.amount, new.company_amount, new.told_on
                 FROM unnest(%(lines)s) WITH ORDINALITY
                      AS new(owner, line_id, move_id, currency_id, level_id, due, days, amount, company_amount, told_on,
                             position) %(join)s
                ORDER BY position""",
            notice_id=notice_id,
            join=join,
            lines=array_columns(lines, f"{owner_type} int int int int date int numeric numeric date"),
        )

    @api.model
    def _query_amounts(self, rows):
        """Write rows (notice, amount, overdue, days) of notices that the ledger moved. Served by the primary key."""
        return SQL(
            """UPDATE collection_notice notice
                  SET amount = new.amount, amount_overdue = new.overdue, days_overdue = new.days,
                      write_uid = %s, write_date = now() AT TIME ZONE 'UTC'
                 FROM unnest(%s) AS new(id, amount, overdue, days)
                WHERE notice.id = new.id""",
            self.env.uid,
            array_columns(rows, "int numeric numeric int"),
        )
