from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from ..engine import checks, promises
from .collection_interaction import OUTGOING
from .collection_promise_judge import RECEIPT_JOURNALS
from .review_states import ACCEPTED

NINETY = (90,)


class Group(NamedTuple):
    model: str
    column: SQL


GROUPS = {
    "collector": Group("res.users", SQL("debtor.collector_id")),
    "portfolio": Group("collection.portfolio", SQL("debtor.portfolio_id")),
    "salesperson": Group("res.users", SQL("customer.user_id")),
}


class CollectionKpiQuery(models.AbstractModel):
    """What key figures are made of: one statement each, rows by group, amounts in whole cents.

    How it works: ``seen`` of each statement are the debtors that the person may see, with their group. What is of each
    debtor is read by the indexes of its table, the ledger by one scan of the receivable lines.
    """

    _name = "collection.kpi.query"
    _description = "Sums of Key Figures"

    @api.model
    def _flush_kpi(self):
        self.env["collection.debtor"]._prepare_ledger()
        for name in ("account.partial.reconcile", "account.postdated.check.event", "collection.portfolio"):
            self.env[name].flush_model()

    @api.model
    def _get_scope(self, company, date_from, date_to, by, contact_days):
        """What every statement refers to."""
        # sudo: which journals hold money is for nobody to hide
        journals = self.env["account.journal"].sudo().with_context(active_test=False)
        debtors = self.env["collection.debtor"]._search([("company_id", "=", company.id)], order="id")
        seen = SQL(
            """seen AS MATERIALIZED (
                SELECT debtor.id, debtor.partner_id, %(group)s AS group_id
                  FROM collection_debtor debtor
                  JOIN res_partner customer ON customer.id = debtor.partner_id
                 WHERE debtor.id IN %(debtors)s)""",
            group=GROUPS[by].column if by else SQL("NULL::int"),
            debtors=debtors.subselect(),
        )
        return {
            "seen": seen,
            "company": company.id,
            "first": date_from,
            "last": date_to,
            "cents": 10**company.currency_id.decimal_places,
            "accounts": self.env["account.account"]._get_receivable_ids(),
            "sales": journals.search([("type", "=", "sale")]).ids,
            "money": journals.search([("type", "in", RECEIPT_JOURNALS)]).ids,
            "zone": str(company._get_collection_timezone()),
            "contact_days": contact_days,
            "of": company,
            "debtors": debtors,
        }

    @api.model
    def _query_lines(self):
        """The joins from ``seen`` to each posted receivable ``line`` of its customer."""
        return SQL(
            """FROM account_move_line line
               JOIN res_partner member ON member.id = line.partner_id
               JOIN seen ON seen.partner_id = COALESCE(member.commercial_partner_id, member.id)"""
        )

    @api.model
    def _query_ledger(self, scope):
        """By group and month, before the period or in it: what the receivable changed by, and what was sold of it."""
        return SQL(
            """
            WITH %(seen)s
            SELECT seen.group_id,
                   date_trunc('month', line.date)::date AS month,
                   line.date >= %(first)s AS inside,
                   ROUND(SUM(line.balance) * %(cents)s)::bigint AS balance,
                   ROUND(COALESCE(SUM(line.balance) FILTER (WHERE line.journal_id = ANY(%(sales)s)), 0)
                         * %(cents)s)::bigint AS sold
              %(lines)s
             WHERE line.account_id = ANY(%(accounts)s) AND line.company_id = %(company)s
               AND line.parent_state = 'posted' AND line.date <= %(last)s
             GROUP BY 1, 2, 3""",
            **{**scope, "lines": self._query_lines()},
        )

    @api.model
    def _query_open(self, scope):
        """By group: what is owed at the end of the last day, not due, overdue and more than 90 days late."""
        rows = self.env["collection.aging.line"]
        return SQL(
            """
            WITH %(seen)s, %(item)s,
            aged AS (%(aged)s)
            SELECT seen.group_id,
                   ROUND(SUM(aged.amount) * %(cents)s)::bigint AS owed,
                   ROUND(COALESCE(SUM(aged.amount) FILTER (WHERE bucket = 0), 0) * %(cents)s)::bigint AS current,
                   ROUND(COALESCE(SUM(aged.amount) FILTER (WHERE bucket > 0), 0) * %(cents)s)::bigint AS overdue,
                   ROUND(COALESCE(SUM(aged.amount) FILTER (WHERE bucket > 1), 0) * %(cents)s)::bigint AS ninety_plus
              FROM aged
              JOIN seen ON seen.id = aged.debtor_id
             WHERE aged.bucket IS NOT NULL
             GROUP BY 1""",
            **scope,
            item=rows._query_items(scope["of"], scope["last"]),
            aged=rows._query_aged(scope["of"], scope["last"], NINETY, scope["debtors"]),
        )

    @api.model
    def _query_paid(self, scope):
        """By group: what money paid of items in the period, how much of it on time, amount times days late, and of the
        items that were closed in it, how many and how many on time."""
        return SQL(
            """
            WITH %(seen)s,
            paid AS MATERIALIZED (
                SELECT line.id, seen.group_id, line.balance, COALESCE(line.date_maturity, line.date) AS due,
                       SUM(part.amount) AS amount,
                       SUM(part.amount) FILTER (WHERE part.max_date <= COALESCE(line.date_maturity, line.date))
                           AS on_time,
                       SUM(part.amount * GREATEST(part.max_date - COALESCE(line.date_maturity, line.date), 0)) AS late
                  %(lines)s
                  JOIN account_partial_reconcile part ON part.debit_move_id = line.id
                  JOIN account_move_line payment ON payment.id = part.credit_move_id
                 WHERE line.account_id = ANY(%(accounts)s) AND line.company_id = %(company)s
                   AND line.parent_state = 'posted' AND line.journal_id <> ALL(%(money)s)
                   AND part.max_date BETWEEN %(first)s AND %(last)s AND payment.journal_id = ANY(%(money)s)
                 GROUP BY 1, 2, 3, 4
            ),
            closed AS (
                SELECT paid.id, MAX(part.max_date) AS day
                  FROM paid
                  JOIN account_partial_reconcile part ON part.debit_move_id = paid.id AND part.max_date <= %(last)s
                 GROUP BY paid.id, paid.balance
                HAVING SUM(part.amount) = paid.balance
            )
            SELECT paid.group_id,
                   ROUND(SUM(paid.amount) * %(cents)s)::bigint AS paid,
                   ROUND(COALESCE(SUM(paid.on_time), 0) * %(cents)s)::bigint AS on_time,
                   ROUND(SUM(paid.late) * %(cents)s)::bigint AS paid_days,
                   COUNT(closed.id) AS paid_count,
                   COUNT(closed.id) FILTER (WHERE closed.day <= paid.due) AS on_time_count
              FROM paid
              LEFT JOIN closed ON closed.id = paid.id
             GROUP BY 1""",
            **{**scope, "lines": self._query_lines()},
        )

    @api.model
    def _query_work(self, scope):
        """By group: interactions, days on which people logged them, debtors that were contacted and contacted again
        before they paid, and the money that came within some days of a contact."""
        return SQL(
            """
            WITH %(seen)s,
            said AS MATERIALIZED (
                SELECT said.debtor_id, said.user_id, said.direction,
                       (said.date AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date AS day
                  FROM collection_interaction said
            ),
            contact AS MATERIALIZED (
                SELECT debtor_id, day FROM said WHERE direction = %(outgoing)s
                 UNION
                SELECT debtor_id, sent_on FROM collection_notice WHERE sent_on IS NOT NULL
            ),
            receipt AS MATERIALIZED (
                SELECT seen.id AS debtor_id, seen.group_id, line.date AS day, -line.balance AS amount
                  %(lines)s
                 WHERE line.account_id = ANY(%(accounts)s) AND line.company_id = %(company)s
                   AND line.parent_state = 'posted' AND line.journal_id = ANY(%(money)s)
                   AND line.date BETWEEN %(first)s AND %(last)s
            ),
            started AS (
                SELECT debtor_id, MIN(day) AS day
                  FROM contact WHERE day BETWEEN %(first)s AND %(last)s GROUP BY debtor_id
            ),
            again AS (
                SELECT started.debtor_id, MIN(contact.day) AS day, MIN(started.day) AS started
                  FROM started
                  JOIN contact ON contact.debtor_id = started.debtor_id
                   AND contact.day > started.day AND contact.day <= %(last)s
                 GROUP BY started.debtor_id
            )
            SELECT seen.group_id, COUNT(*) AS contacts, COUNT(DISTINCT (said.user_id, said.day)) AS collector_days,
                   0 AS contacted, 0 AS contacted_again, 0 AS collected
              FROM said JOIN seen ON seen.id = said.debtor_id
             WHERE said.day BETWEEN %(first)s AND %(last)s
             GROUP BY 1
             UNION ALL
            SELECT seen.group_id, 0, 0, COUNT(*),
                   COUNT(*) FILTER (WHERE again.day IS NOT NULL AND NOT EXISTS (
                       SELECT 1 FROM receipt
                        WHERE receipt.debtor_id = seen.id AND receipt.amount > 0
                          AND receipt.day BETWEEN again.started AND again.day)), 0
              FROM started
              JOIN seen ON seen.id = started.debtor_id
              LEFT JOIN again ON again.debtor_id = started.debtor_id
             GROUP BY 1
             UNION ALL
            SELECT receipt.group_id, 0, 0, 0, 0, ROUND(SUM(receipt.amount) * %(cents)s)::bigint
              FROM receipt
             WHERE EXISTS (SELECT 1 FROM contact
                            WHERE contact.debtor_id = receipt.debtor_id
                              AND contact.day BETWEEN receipt.day - %(contact_days)s AND receipt.day)
             GROUP BY 1""",
            **{**scope, "lines": self._query_lines()},
            outgoing=OUTGOING,
        )

    @api.model
    def _query_hidden(self, scope):
        """By group: invoices of the period whose credit counts from a review or a delivery, and amount times the days
        until it starts, as far as that day is known or planned."""
        return SQL(
            """
            WITH %(seen)s
            SELECT seen.group_id,
                   ROUND(SUM(move.amount_total_signed) * %(cents)s)::bigint AS hidden,
                   ROUND(SUM(move.amount_total_signed * GREATEST(credit.day - move.invoice_date, 0))
                         * %(cents)s)::bigint AS hidden_days
              FROM account_move move
              JOIN seen ON seen.partner_id = move.commercial_partner_id
             CROSS JOIN LATERAL (
                SELECT CASE WHEN move.collection_credit_basis = 'delivery'
                            THEN (move.collection_delivered_at AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date
                            WHEN move.collection_review_state = %(accepted)s THEN move.collection_review_date
                            ELSE move.collection_planned_review_date END AS day) credit
             WHERE move.company_id = %(company)s AND move.state = 'posted' AND move.move_type = 'out_invoice'
               AND move.invoice_date BETWEEN %(first)s AND %(last)s
               AND move.collection_credit_basis IN ('delivery', 'review') AND credit.day IS NOT NULL
             GROUP BY 1""",
            **scope,
            accepted=ACCEPTED,
        )

    @api.model
    def _query_promises(self, scope):
        """By group and currency: promises that were judged in the period, what was kept of them, and those made in it.
        Cents are the currency's own."""
        return SQL(
            """
            WITH %(seen)s,
            promise AS (
                SELECT promise.*, 10 ^ currency.decimal_places AS scale,
                       promise.state IN %(judged)s AND promise.closed_on BETWEEN %(first)s AND %(last)s AS is_judged
                  FROM collection_promise promise
                  JOIN res_currency currency ON currency.id = promise.currency_id
            )
            SELECT seen.group_id, promise.currency_id,
                   COUNT(*) FILTER (WHERE promise.made_on BETWEEN %(first)s AND %(last)s) AS made_count,
                   COUNT(*) FILTER (WHERE is_judged) AS judged_count,
                   COUNT(*) FILTER (WHERE is_judged AND promise.state = %(kept)s) AS kept_count,
                   ROUND(COALESCE(SUM(promise.amount * scale) FILTER (WHERE is_judged), 0))::bigint AS judged_amount,
                   ROUND(COALESCE(SUM(LEAST(promise.paid_amount, promise.amount) * scale) FILTER (WHERE is_judged), 0)
                         )::bigint AS kept_amount
              FROM promise
              JOIN seen ON seen.id = promise.debtor_id
             GROUP BY 1, 2""",
            **scope,
            judged=promises.JUDGED,
            kept=promises.KEPT,
        )

    @api.model
    def _query_checks(self, scope):
        """By group and currency: how often checks were presented to the bank in the period, and how often it did not
        pay; cents are the currency's own."""
        return SQL(
            """
            WITH %(seen)s
            SELECT seen.group_id, checks.currency_id,
                   COUNT(*) FILTER (WHERE event.new_state IN %(at_bank)s) AS presented_count,
                   COUNT(*) FILTER (WHERE event.new_state = %(bounced)s) AS bounced_count,
                   ROUND(COALESCE(SUM(checks.amount * scale) FILTER (WHERE event.new_state IN %(at_bank)s), 0)
                         )::bigint AS presented_amount,
                   ROUND(COALESCE(SUM(checks.amount * scale) FILTER (WHERE event.new_state = %(bounced)s), 0)
                         )::bigint AS bounced_amount
              FROM account_postdated_check_event event
              JOIN account_postdated_check checks ON checks.id = event.check_id
              JOIN (SELECT id, 10 ^ decimal_places AS scale FROM res_currency) currency
                ON currency.id = checks.currency_id
              JOIN seen ON seen.id = event.debtor_id
             WHERE event.date BETWEEN %(first)s AND %(last)s
             GROUP BY 1, 2""",
            **scope,
            at_bank=checks.AT_BANK,
            bounced=checks.BOUNCED,
        )
