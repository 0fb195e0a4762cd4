from odoo import api, models
from odoo.tools import SQL


class CollectionDebtorRefresh(models.AbstractModel):
    """Keeps the cached balances of debtors equal to the ledger, a set at a time.

    *How to use.* ``_refresh_balances()`` for every debtor (nightly), ``_refresh_balances(debtors)`` for some,
    ``_refresh_partners(pairs)`` where the debtor may not exist yet.

    *How it works.* Two statements whatever the number of customers: one adds the debtors that are missing, one reads
    the open receivable lines once and writes every figure that changed, the balances by currency included.
    """

    _name = "collection.debtor.refresh"
    _description = "Balances of Debtors"

    @api.model
    def _refresh_balances(self, debtors=None):
        """Write the balances of ``debtors``, or of every customer with an open item, from the ledger."""
        if debtors is not None and not debtors:
            return
        self._prepare_ledger()
        if debtors is None:
            self.env.cr.execute(self._query_add_missing())
            self._write_balances(None, None)
        else:
            self._write_balances(debtors.partner_id.ids, debtors.company_id.ids)

    @api.model
    def _refresh_partners(self, pairs):
        """Refresh the debtors of ``(commercial partner id, company id)`` pairs and add those that are missing."""
        self._prepare_ledger()
        partner_ids = [partner for partner, _company in pairs]
        company_ids = [company for _partner, company in pairs]
        # Whoever calls this begins again after a conflict: no error in the log for what mends itself.
        self.env.cr.execute(self._query_add(partner_ids, company_ids), log_exceptions=False)
        self._write_balances(partner_ids, company_ids)

    @api.model
    def _write_balances(self, partner_ids, company_ids):
        self.env.cr.execute(self._query_refresh(partner_ids, company_ids), log_exceptions=False)
        self.env["collection.debtor"].invalidate_model()
        self.env["collection.debtor.balance"].invalidate_model()

    @api.model
    def _prepare_ledger(self):
        """Write what the statements on the ledger read, and keep PostgreSQL from compiling them: that takes seconds for
        what runs in a tenth of one, whenever old statistics make it expect a long run."""
        for model in (
            "account.move",
            "account.move.line",
            "account.account",
            "res.partner",
            "res.company",
            "collection.debtor",
            "collection.notice",
            "collection.notice.line",
            "account.postdated.check",
            "account.postdated.check.line",
            "collection.promise",
            "collection.dispute",
            "collection.interaction",
        ):
            self.env[model].flush_model()
        self.env.cr.execute("SET LOCAL jit = off")

    @api.model
    def _query_add(self, partner_ids, company_ids):
        """Insert the debtors of these pairs that do not exist, where something was ever posted to a receivable account
        of theirs. Served by the unique key (partner, company) and the indexes on the partners of families and lines."""
        return SQL(
            """INSERT INTO collection_debtor (partner_id, company_id, create_uid, create_date, write_uid, write_date)
               SELECT pair.partner_id, pair.company_id, %(uid)s, now() AT TIME ZONE 'UTC',
                      %(uid)s, now() AT TIME ZONE 'UTC'
                 FROM unnest(%(partner_ids)s::int[], %(company_ids)s::int[]) AS pair(partner_id, company_id)
                WHERE NOT EXISTS (SELECT 1 FROM collection_debtor debtor
                                   WHERE debtor.partner_id = pair.partner_id AND debtor.company_id = pair.company_id)
                  AND EXISTS (SELECT 1
                                FROM res_partner member
                                JOIN account_move_line line ON line.partner_id = member.id
                                JOIN account_account account ON account.id = line.account_id
                               WHERE COALESCE(member.commercial_partner_id, member.id) = pair.partner_id
                                 AND line.company_id = pair.company_id AND line.parent_state = 'posted'
                                 AND account.account_type = 'asset_receivable')
               ON CONFLICT (partner_id, company_id) DO NOTHING""",
            uid=self.env.uid,
            partner_ids=partner_ids,
            company_ids=company_ids,
        )

    @api.model
    def _query_add_debtors(self, pairs):
        """Insert the debtors of these (commercial partner, company) pairs that do not exist, whatever they owe."""
        return SQL(
            """INSERT INTO collection_debtor (partner_id, company_id, create_uid, create_date, write_uid, write_date)
               SELECT pair.partner_id, pair.company_id, %(uid)s, now() AT TIME ZONE 'UTC',
                      %(uid)s, now() AT TIME ZONE 'UTC'
                 FROM unnest(%(partner_ids)s::int[], %(company_ids)s::int[]) AS pair(partner_id, company_id)
               ON CONFLICT (partner_id, company_id) DO NOTHING""",
            uid=self.env.uid,
            partner_ids=[partner for partner, _company in pairs],
            company_ids=[company for _partner, company in pairs],
        )

    @api.model
    def _query_add_missing(self, with_history=False):
        """Insert a debtor for every customer with an open receivable line or, ``with_history``, with any posted one.
        Served by Odoo's partial index on unreconciled lines; with history, by one scan of the lines."""
        return SQL(
            """INSERT INTO collection_debtor (partner_id, company_id, create_uid, create_date, write_uid, write_date)
               SELECT DISTINCT COALESCE(partner.commercial_partner_id, partner.id), customer.company_id,
                      %(uid)s, now() AT TIME ZONE 'UTC', %(uid)s, now() AT TIME ZONE 'UTC'
                 FROM (SELECT line.partner_id, line.company_id
                         FROM account_move_line line
                        WHERE line.account_id = ANY(%(accounts)s) AND line.parent_state = 'posted' AND %(scope)s
                        GROUP BY line.partner_id, line.company_id) customer
                 JOIN res_partner partner ON partner.id = customer.partner_id
                WHERE NOT EXISTS (SELECT 1 FROM collection_debtor debtor
                                   WHERE debtor.partner_id = COALESCE(partner.commercial_partner_id, partner.id)
                                     AND debtor.company_id = customer.company_id)
               ON CONFLICT (partner_id, company_id) DO NOTHING""",
            uid=self.env.uid,
            accounts=self.env["account.account"]._get_receivable_ids(),
            scope=SQL("TRUE") if with_history else self._query_is_open("line"),
        )

    @api.model
    def _query_is_open(self, alias):
        """Condition of Odoo's partial index on unreconciled lines. The index spells it as three alternatives; one of
        them is enough to use it, and PostgreSQL estimates it better than all three."""
        return SQL("%(line)s.reconciled IS NOT TRUE AND %(line)s.parent_state = 'posted'", line=SQL.identifier(alias))

    @api.model
    def _query_refresh(self, partner_ids, company_ids):
        """Write the balances of the debtors of these commercial partners in these companies (``None``: of all), and
        only where they changed. Returns nothing.

        The open lines come from Odoo's partial index on unreconciled lines, or from the index on the lines' partner
        when partners are given; the other look-ups are by primary key or by the indexes of the notices. Right after a
        bulk load PostgreSQL takes thousands of lines for a handful: so that no plan loops over them, what belongs to
        one debtor is gathered by UNION ALL and GROUP BY, and only tables with a fitting index are joined; which
        balances may go is told by an array, not by a join.
        """
        some = partner_ids is not None
        companies = self.env["res.company"].sudo().with_context(active_test=False)
        companies = companies.search([("id", "in", company_ids)] if some else [])
        calendar = SQL(", ").join(
            SQL(
                "(%s, %s::date, %s, %s, %s, %s)",
                company.id,
                company._get_collection_today(),
                *company._get_collection_bucket_edges(),
                str(company._get_collection_timezone()),
            )
            for company in companies
        )
        debtors = SQL("debtor.company_id = ANY(%s)", companies.ids)
        lines = balances = SQL("TRUE")
        if some:
            family = self.env["res.partner"].sudo().with_context(active_test=False)
            family_ids = family.search([("commercial_partner_id", "in", partner_ids)]).ids
            debtors = SQL("%s AND debtor.partner_id = ANY(%s)", debtors, partner_ids)
            lines = SQL("line.partner_id = ANY(%s)", family_ids)
            balances = SQL(
                "balance.debtor_id = ANY(ARRAY(SELECT debtor.id FROM collection_debtor debtor WHERE %s))", debtors
            )
        return SQL(
            """
            WITH calendar (company_id, today, edge_1, edge_2, edge_3, zone) AS (VALUES %(calendar)s),
            open AS MATERIALIZED (
                SELECT COALESCE(partner.commercial_partner_id, partner.id) AS partner_id, line.company_id,
                       line.company_currency_id, line.currency_id, line.amount_residual AS residual,
                       line.amount_residual_currency AS residual_currency,
                       COALESCE(line.date_maturity, line.date) AS due,
                       calendar.today - COALESCE(line.date_maturity, line.date) AS days,
                       calendar.edge_1, calendar.edge_2, calendar.edge_3,
                       (%(told)s) AS told
                  FROM account_move_line line
                  JOIN res_partner partner ON partner.id = line.partner_id
                  JOIN calendar ON calendar.company_id = line.company_id
                 WHERE line.account_id = ANY(%(accounts)s) AND %(is_open)s AND %(lines)s
            ),
            by_currency AS MATERIALIZED (
                SELECT debtor.id AS debtor_id, owed.*
                  FROM (SELECT partner_id, company_id, currency_id,
                               SUM(residual_currency) AS total_due,
                               COALESCE(SUM(residual_currency) FILTER (WHERE residual_currency > 0 AND days <= 0), 0)
                                   AS not_due,
                               COALESCE(SUM(residual_currency) FILTER (WHERE residual_currency > 0 AND days > 0), 0)
                                   AS overdue,
                               COALESCE(-SUM(residual_currency) FILTER (WHERE residual_currency < 0), 0)
                                   AS unallocated,
                               bool_or(currency_id <> company_currency_id) OVER (PARTITION BY partner_id, company_id)
                                   AS is_mixed
                          FROM open
                         GROUP BY partner_id, company_id, company_currency_id, currency_id) owed
                  JOIN collection_debtor debtor ON debtor.partner_id = owed.partner_id
                                               AND debtor.company_id = owed.company_id
                 WHERE owed.is_mixed
            ),
            gone AS (
                DELETE FROM collection_debtor_balance balance
                 WHERE %(balances)s
                   AND (balance.debtor_id, balance.currency_id) NOT IN (SELECT debtor_id, currency_id FROM by_currency)
            ),
            kept AS (
                INSERT INTO collection_debtor_balance AS balance
                       (debtor_id, currency_id, total_due, not_due, overdue, unallocated)
                SELECT debtor_id, currency_id, total_due, not_due, overdue, unallocated FROM by_currency
                ON CONFLICT (debtor_id, currency_id) DO UPDATE
                   SET total_due = EXCLUDED.total_due, not_due = EXCLUDED.not_due, overdue = EXCLUDED.overdue,
                       unallocated = EXCLUDED.unallocated
                 WHERE (balance.total_due, balance.not_due, balance.overdue, balance.unallocated) IS DISTINCT FROM
                       (EXCLUDED.total_due, EXCLUDED.not_due, EXCLUDED.overdue, EXCLUDED.unallocated)
            ),
            known AS (
                SELECT partner_id, company_id, residual, due, days, edge_1, edge_2, edge_3, told,
                       NULL::date AS paid_on, NULL::date AS contacted_on
                  FROM open
                 UNION ALL
                SELECT paid.partner_id, paid.company_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, paid.paid_on, NULL
                  FROM (%(payments)s) paid
                 UNION ALL
                SELECT debtor.partner_id, debtor.company_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                       GREATEST((SELECT MAX(notice.sent_on) FROM collection_notice notice
                                  WHERE notice.debtor_id = debtor.id AND notice.sent_on IS NOT NULL),
                                ((SELECT MAX(said.date) FROM collection_interaction said
                                   WHERE said.debtor_id = debtor.id)
                                 AT TIME ZONE 'UTC' AT TIME ZONE calendar.zone)::date)
                  FROM collection_debtor debtor
                  JOIN calendar ON calendar.company_id = debtor.company_id
                 WHERE %(debtors)s
            ),
            fresh AS (
                SELECT partner_id, company_id,
                       COALESCE(SUM(residual), 0) AS total_due,
                       COALESCE(SUM(residual) FILTER (WHERE residual > 0 AND days <= 0), 0) AS not_due,
                       COALESCE(SUM(residual) FILTER (WHERE residual > 0 AND days > 0), 0) AS overdue,
                       COALESCE(-SUM(residual) FILTER (WHERE residual < 0), 0) AS unallocated,
                       COALESCE(SUM(residual) FILTER (WHERE residual > 0 AND days BETWEEN 1 AND edge_1), 0) AS bucket_1,
                       COALESCE(SUM(residual) FILTER (WHERE residual > 0 AND days > edge_1 AND days <= edge_2), 0)
                           AS bucket_2,
                       COALESCE(SUM(residual) FILTER (WHERE residual > 0 AND days > edge_2 AND days <= edge_3), 0)
                           AS bucket_3,
                       COALESCE(SUM(residual) FILTER (WHERE residual > 0 AND days > edge_3), 0) AS bucket_4,
                       COUNT(*) FILTER (WHERE residual > 0 AND days > 0) AS overdue_count,
                       MIN(due) FILTER (WHERE residual > 0) AS oldest_due_date,
                       GREATEST(MAX(days) FILTER (WHERE residual > 0), 0) AS days_overdue,
                       -(MAX(told))[2] AS level_id,
                       MAX(paid_on) AS last_payment_date,
                       MAX(contacted_on) AS last_contact_date
                  FROM known
                 GROUP BY partner_id, company_id
            )
            UPDATE collection_debtor debtor
               SET total_due = fresh.total_due, not_due = fresh.not_due, overdue = fresh.overdue,
                   unallocated = fresh.unallocated, bucket_1 = fresh.bucket_1, bucket_2 = fresh.bucket_2,
                   bucket_3 = fresh.bucket_3, bucket_4 = fresh.bucket_4, overdue_count = fresh.overdue_count,
                   oldest_due_date = fresh.oldest_due_date, days_overdue = fresh.days_overdue,
                   level_id = fresh.level_id, last_payment_date = fresh.last_payment_date,
                   last_contact_date = fresh.last_contact_date
              FROM fresh
             WHERE fresh.partner_id = debtor.partner_id AND fresh.company_id = debtor.company_id AND %(debtors)s
               AND (debtor.total_due, debtor.not_due, debtor.overdue, debtor.unallocated, debtor.bucket_1,
                    debtor.bucket_2, debtor.bucket_3, debtor.bucket_4, debtor.overdue_count, debtor.oldest_due_date,
                    debtor.days_overdue, debtor.level_id, debtor.last_payment_date, debtor.last_contact_date)
                   IS DISTINCT FROM
                   (fresh.total_due, fresh.not_due, fresh.overdue, fresh.unallocated, fresh.bucket_1,
                    fresh.bucket_2, fresh.bucket_3, fresh.bucket_4, fresh.overdue_count, fresh.oldest_due_date,
                    fresh.days_overdue, fresh.level_id, fresh.last_payment_date, fresh.last_contact_date)
            """,
            calendar=calendar,
            debtors=debtors,
            balances=balances,
            lines=lines,
            accounts=self.env["account.account"]._get_receivable_ids(),
            told=self._query_told_level(),
            is_open=self._query_is_open("line"),
            payments=self._query_last_payments(lines),
        )

    @api.model
    def _query_told_level(self):
        """Highest level at which ``line`` was told to the customer, as an array [first day, minus its id] that sorts.

        Served by the partial index of told items and by primary keys. Each look-up is of one table and by its key
        alone: where statistics are older than the last night, a join of notices with levels, or a condition on their
        state, may be answered by reading every notice once per item.
        """
        return SQL(
            """SELECT MAX((SELECT ARRAY[level.day_from, -level.id]
                             FROM collection_level level
                            WHERE level.id = (SELECT CASE WHEN notice.state IN ('outgoing', 'sent')
                                                          THEN notice.level_id END
                                                FROM collection_notice notice
                                               WHERE notice.id = spoken.notice_id)))
                 FROM collection_notice_line spoken
                WHERE spoken.move_line_id = line.id AND spoken.told_on IS NOT NULL"""
        )

    @api.model
    def _query_last_payments(self, lines):
        """Rows (commercial partner, company, date of a last receipt). A receipt is a receivable line credited in a
        bank or cash journal. Served by the index on the lines' partner, or by one scan for all customers."""
        return SQL(
            """SELECT COALESCE(partner.commercial_partner_id, partner.id) AS partner_id, receipt.company_id,
                      receipt.date AS paid_on
                 FROM (SELECT line.partner_id, line.company_id, line.journal_id, MAX(line.date) AS date
                         FROM account_move_line line
                        WHERE line.account_id = ANY(%(accounts)s) AND line.parent_state = 'posted'
                          AND line.balance < 0 AND %(lines)s
                        GROUP BY line.partner_id, line.company_id, line.journal_id) receipt
                 JOIN account_journal journal ON journal.id = receipt.journal_id
                 JOIN res_partner partner ON partner.id = receipt.partner_id
                WHERE journal.type IN ('bank', 'cash')""",
            accounts=self.env["account.account"]._get_receivable_ids(),
            lines=lines,
        )
