"""What the nightly job did before today: the same rules on the ledger of each of those nights, and no mail.

The notices of a night are decided by the add-on itself; they are then written down as sent on that night, with their
entries in the chatter of the debtor and of each invoice, dated that night. Nothing is handed to the mail queue.
"""

from datetime import datetime, time, timedelta

from odoo.tools import SQL

NIGHT = time(9, 0)
"""When the job of the past nights ran, UTC."""


class History:
    """The nights of one company.

    *How to use.* ``night(day)`` with the ledger as it was on that day, the oldest night first.
    """

    def __init__(self, env, company, today, manager):
        self.company = company
        # Nobody is written to about the activities of the past either.
        self.env = env(context=dict(env.context, allowed_company_ids=company.ids, mail_activity_quick_update=True))
        self.today = today
        self.manager = manager

    def night(self, days_ago):
        """Decide and write down what a night ``days_ago`` sent; returns the notices of its run."""
        date = self.today - timedelta(days=days_ago)
        self.env["collection.debtor"]._refresh_balances()
        run = self.env["collection.run"]._run_company(self.company, date)
        if run.state == "proposal":
            run.notice_ids.filtered(lambda notice: notice.state == "proposed").write({"state": "queued"})
            run.write({"approved_by_id": self.manager.id, "approved_on": datetime.combine(date, NIGHT)})
            run.activity_unlink(["mail.mail_activity_data_todo"])
        self._send(run.notice_ids.filtered(lambda notice: notice.state == "queued" and notice.channel == "mail"))
        self._send(run.notice_ids.filtered(lambda notice: notice.state == "queued"))
        run.write({"state": "done"})
        self._date_back(run, date)
        return run.notice_ids

    def keep_forecast(self, days_ago):
        """Keep what the night ``days_ago`` expected, with the usual delays as they were known then."""
        date = self.today - timedelta(days=days_ago)
        self.env["collection.debtor"]._rank_all(self.company, date)
        self.env["collection.forecast"]._keep(date)

    def _send(self, notices):
        """Log these notices as sent, but for those whose address is of no use."""
        by_mail = notices.filtered(lambda notice: notice.channel == "mail")
        addressed = by_mail._get_addresses()
        notices -= by_mail - by_mail.browse(notice.id for notice in addressed)
        if not notices:
            return
        messages = notices._create_messages(notices._render_texts(), addressed)
        notices._mark_handed_over(notices, "sent", messages, {}, {}, addressed)
        notices._log_on_invoices(addressed)

    def _date_back(self, run, date):
        """What was written just now happened on ``date``."""
        self.env.flush_all()
        for query in self._query_date_back(run, date):
            self.env.cr.execute(query)
        self.env.invalidate_all()

    def _query_date_back(self, run, date):
        """Statements that date the run, its notices, their activities and their messages. Served by primary keys and by
        the indexes on the run and on the messages' document."""
        moment = datetime.combine(date, NIGHT)
        notices = SQL("SELECT id FROM collection_notice WHERE run_id = %s", run.id)
        yield SQL(
            "UPDATE collection_run SET create_date = %(moment)s, write_date = %(moment)s WHERE id = %(run)s",
            moment=moment,
            run=run.id,
        )
        yield SQL(
            """UPDATE mail_message SET date = %(moment)s, create_date = %(moment)s
                WHERE id IN (SELECT message_id FROM collection_notice WHERE run_id = %(run)s)
                   OR model = 'collection.run' AND res_id = %(run)s
                   OR model = 'account.move' AND create_date >= now() AT TIME ZONE 'UTC'
                      AND res_id IN (SELECT move_id FROM collection_notice_line WHERE notice_id IN (%(notices)s))""",
            moment=moment,
            run=run.id,
            notices=notices,
        )
        yield SQL(
            """UPDATE collection_notice SET create_date = %(moment)s, write_date = %(moment)s,
                      sent_on = CASE WHEN sent_on IS NULL THEN NULL ELSE %(date)s END
                WHERE run_id = %(run)s""",
            moment=moment,
            date=date,
            run=run.id,
        )
