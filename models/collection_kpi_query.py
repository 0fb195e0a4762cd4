from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from ..engine import checks, promises
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

    How it works: the ledger is summed by contact, then each sum is handed to its debtor and group, of those debtors
    alone that the person may see. As everywhere, no plan may depend on fresh statistics: see ``collection.aging.line``.
    """

    _name = "collection.kpi.query"
    _description = "Sums of Key Figures"

    @api.model
    def _flush_kpi(self):
        self.env["collection.debtor"]._prepare_ledger()
        for name in (
            "account.partial.reconcile",
            "account.postdated.check.event",
            "collection.portfolio",
            "collection.outcome",
        ):
            self.env[name].flush_model()

    @api.model
    def _get_scope(self, company, date_from, date_to, by, contact_days, domain=()):
        """What the statements refer to. Of debtors those alone that the person may see and ``domain`` holds."""
        journals = self.env["account.journal"]
        debtors = self.env["collection.debtor"]._search([("company_id", "=", company.id), *domain], order="id")
        return {
            "group": GROUPS[by].column if by else SQL("NULL::int"),
            "debtors": debtors,
            "seen": debtors.subselect(),
            "company": company.id,
            "first": SQL("%s::date", date_from),
            "last": SQL("%s::date", date_to),
            "cents": 10**company.currency_id.decimal_places,
            "accounts": self.env["account.account"]._get_receivable_ids(),
            # sudo: which journals sell is for nobody to hide
            "sales": journals.sudo().with_context(active_test=False).search([("type", "=", "sale")]).ids,
            "money": journals._get_receipt_ids(),
            "zone": str(company._get_collection_timezone()),
            "contact_days": contact_days,
        }

    @api.model
    def _query_owned(self, scope, rows):
        """``owned``: these rows, which have a ``partner_id``, with the debtor that it belongs to and its group."""
        return SQL(
            """
            summed AS MATERIALIZED (%(rows)s),
            owned AS MATERIALIZED (
                SELECT summed.*, debtor.id AS debtor_id, %(group)s AS group_id
                  FROM summed
                  LEFT JOIN res_partner member ON member.id = summed.partner_id
                  LEFT JOIN collection_debtor debtor
                    ON debtor.partner_id = COALESCE(member.commercial_partner_id, member.id)
                   AND debtor.company_id = %(company)s
                  LEFT JOIN res_partner customer ON customer.id = debtor.partner_id
            )""",
            **scope,
            rows=rows,
        )

    @api.model
    def _query_debtor(self, owner):
        """Joins: the debtor of each row of ``owner``, and its customer. Served by primary keys."""
        return SQL(
            """LEFT JOIN collection_debtor debtor ON debtor.id = %s.debtor_id
              LEFT JOIN res_partner customer ON customer.id = debtor.partner_id""",
            SQL.identifier(owner),
        )

    @api.model
    def _query_ledger(self, scope):
        """By group and month, before the period or in it: what the receivable changed by, and what was sold of it. One
        scan of the receivable lines."""
        rows = SQL(
            """SELECT line.partner_id, date_trunc('month', line.date)::date AS month, line.date >= %(first)s AS inside,
                      SUM(line.balance) AS balance,
                      SUM(CASE WHEN line.journal_id = ANY(%(sales)s) THEN line.balance ELSE 0 END) AS sold
                 FROM account_move_line line
                WHERE line.account_id = ANY(%(accounts)s) AND line.company_id + 0 = %(company)s
                  AND line.parent_state = 'posted' AND line.date <= %(last)s
                GROUP BY 1, 2, 3""",
            **scope,
        )
        return SQL(
            """
            WITH %(owned)s
            SELECT group_id, month, inside, ROUND(SUM(balance) * %(cents)s)::bigint AS balance,
                   ROUND(SUM(sold) * %(cents)s)::bigint AS sold
              FROM owned
             WHERE (debtor_id IN %(seen)s) IS TRUE
             GROUP BY 1, 2, 3""",
            **scope,
            owned=self._query_owned(scope, rows),
        )

    @api.model
    def _query_open(self, scope):
        """By group: what is owed at the end of the last day, not due, overdue and more than 90 days late."""
        rows = self.env["collection.aging.line"]
        last = scope["last"]
        return SQL(
            """
            WITH %(item)s,
            aged AS (%(aged)s),
            owing AS MATERIALIZED (
                SELECT debtor_id, SUM(amount) AS owed,
                       SUM(CASE WHEN bucket = 0 THEN amount ELSE 0 END) AS current,
                       SUM(CASE WHEN bucket > 1 THEN amount ELSE 0 END) AS ninety_plus
                  FROM aged WHERE bucket IS NOT NULL GROUP BY debtor_id
            )
            SELECT %(group)s AS group_id,
                   ROUND(SUM(owed) * %(cents)s)::bigint AS owed,
                   ROUND(SUM(current) * %(cents)s)::bigint AS current,
                   ROUND(SUM(owed - current) * %(cents)s)::bigint AS overdue,
                   ROUND(SUM(ninety_plus) * %(cents)s)::bigint AS ninety_plus
              FROM owing
              %(debtor)s
             GROUP BY 1""",
            **scope,
            debtor=self._query_debtor("owing"),
            item=rows._query_items(last),
            aged=rows._query_aged(last, NINETY, scope["debtors"]),
        )

    @api.model
    def _query_paid(self, scope):
        """By group: what money paid of items in the period, how much of it on time, amount times days late, and of the
        items that were closed in it, how many and how many on time. The days of the latter by the index on items."""
        rows = SQL(
            """SELECT line_id, partner_id, balance, due, SUM(amount) AS amount, SUM(on_time) AS on_time,
                      SUM(late) AS late
                 FROM settled GROUP BY 1, 2, 3, 4"""
        )
        return SQL(
            """
            WITH %(settled)s, %(owned)s
            SELECT group_id,
                   ROUND(SUM(amount) * %(cents)s)::bigint AS paid,
                   ROUND(SUM(on_time) * %(cents)s)::bigint AS on_time,
                   ROUND(SUM(late) * %(cents)s)::bigint AS paid_days,
                   COUNT(closed.day) AS paid_count,
                   COUNT(closed.day) FILTER (WHERE closed.day <= due) AS on_time_count
              FROM owned
              LEFT JOIN LATERAL (
                SELECT CASE WHEN SUM(part.amount) = owned.balance THEN MAX(part.max_date) END AS day
                  FROM account_partial_reconcile part
                 WHERE part.debit_move_id = owned.line_id AND part.max_date <= %(last)s) closed ON TRUE
             WHERE (debtor_id IN %(seen)s) IS TRUE
             GROUP BY 1""",
            **scope,
            settled=self._query_settled(scope),
            owned=self._query_owned(scope, rows),
        )

    @api.model
    def _query_settled(self, scope):
        """``settled``: what money took off items in the period, what of it came by the effective due date, and amount
        times days late. One scan of the reconciliations; all else by primary keys.

        :param scope: {company, accounts, money, first, last}
        """
        return SQL(
            """
            pair AS MATERIALIZED (
                SELECT part.amount, part.max_date AS day, line.id AS line_id, line.partner_id, line.account_id,
                       line.company_id, line.journal_id, line.parent_state, line.balance,
                       COALESCE(line.date_maturity, line.date) AS due, payment.journal_id AS paid_in
                  FROM account_partial_reconcile part
                  LEFT JOIN account_move_line line ON line.id = part.debit_move_id
                  LEFT JOIN account_move_line payment ON payment.id = part.credit_move_id
                 WHERE part.max_date BETWEEN %(first)s AND %(last)s
            ),
            settled AS (
                SELECT line_id, partner_id, balance, due, day, amount,
                       CASE WHEN day <= due THEN amount ELSE 0 END AS on_time,
                       amount * GREATEST(day - due, 0) AS late
                  FROM pair
                 WHERE account_id = ANY(%(accounts)s) AND company_id = %(company)s AND parent_state = 'posted'
                   AND journal_id <> ALL(%(money)s) AND paid_in = ANY(%(money)s)
            )""",
            **scope,
        )

    @api.model
    def _query_hidden(self, scope):
        """By group: invoices of the period whose credit counts from a review or a delivery, and amount times the days
        until it starts, as far as that day is known or planned."""
        rows = SQL(
            """SELECT move.commercial_partner_id AS partner_id, SUM(move.amount_total_signed) AS amount,
                      SUM(move.amount_total_signed * GREATEST(credit.day - move.invoice_date, 0)) AS amount_days
                 FROM account_move move
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
        return SQL(
            """
            WITH %(owned)s
            SELECT group_id, ROUND(SUM(amount) * %(cents)s)::bigint AS hidden,
                   ROUND(SUM(amount_days) * %(cents)s)::bigint AS hidden_days
              FROM owned
             WHERE (debtor_id IN %(seen)s) IS TRUE
             GROUP BY 1""",
            **scope,
            owned=self._query_owned(scope, rows),
        )

    @api.model
    def _query_promises(self, scope):
        """By group and currency: promises that were judged in the period, what was kept of them, and those made in it.
        Cents are the currency's own."""
        return SQL(
            """
            WITH promise AS MATERIALIZED (
                SELECT promise.*, 10 ^ currency.decimal_places AS scale,
                       promise.state IN %(judged)s AND promise.closed_on BETWEEN %(first)s AND %(last)s AS is_judged
                  FROM collection_promise promise
                  LEFT JOIN res_currency currency ON currency.id = promise.currency_id
            )
            SELECT %(group)s AS group_id, promise.currency_id,
                   COUNT(*) FILTER (WHERE promise.made_on BETWEEN %(first)s AND %(last)s) AS made_count,
                   COUNT(*) FILTER (WHERE is_judged) AS judged_count,
                   COUNT(*) FILTER (WHERE is_judged AND promise.state = %(kept)s) AS kept_count,
                   ROUND(COALESCE(SUM(promise.amount * scale) FILTER (WHERE is_judged), 0))::bigint AS judged_amount,
                   ROUND(COALESCE(SUM(LEAST(promise.paid_amount, promise.amount) * scale) FILTER (WHERE is_judged), 0)
                         )::bigint AS kept_amount
              FROM promise
              %(debtor)s
             WHERE (promise.debtor_id IN %(seen)s) IS TRUE
             GROUP BY 1, 2""",
            **scope,
            debtor=self._query_debtor("promise"),
            judged=promises.JUDGED,
            kept=promises.KEPT,
        )

    @api.model
    def _query_checks(self, scope):
        """By group and currency: how often checks were presented to the bank in the period, and how often it did not
        pay; cents are the currency's own."""
        return SQL(
            """
            WITH event AS MATERIALIZED (
                SELECT event.debtor_id, event.new_state IN %(at_bank)s AS presented,
                       event.new_state = %(bounced)s AS bounced,
                       checks.currency_id, checks.amount * 10 ^ currency.decimal_places AS amount
                  FROM account_postdated_check_event event
                  LEFT JOIN account_postdated_check checks ON checks.id = event.check_id
                  LEFT JOIN res_currency currency ON currency.id = checks.currency_id
                 WHERE event.date BETWEEN %(first)s AND %(last)s
            )
            SELECT %(group)s AS group_id, event.currency_id,
                   COUNT(*) FILTER (WHERE presented) AS presented_count,
                   COUNT(*) FILTER (WHERE bounced) AS bounced_count,
                   ROUND(COALESCE(SUM(event.amount) FILTER (WHERE presented), 0))::bigint AS presented_amount,
                   ROUND(COALESCE(SUM(event.amount) FILTER (WHERE bounced), 0))::bigint AS bounced_amount
              FROM event
              %(debtor)s
             WHERE (event.debtor_id IN %(seen)s) IS TRUE
             GROUP BY 1, 2""",
            **scope,
            debtor=self._query_debtor("event"),
            at_bank=checks.AT_BANK,
            bounced=checks.BOUNCED,
        )
