from odoo import api, models
from odoo.tools import SQL

from .collection_interaction import OUTGOING


class CollectionKpiQuery(models.AbstractModel):
    """What people did in a period, and the money that followed."""

    _inherit = "collection.kpi.query"

    @api.model
    def _query_said(self, scope):
        """By group: interactions of the period, the outgoing ones and those of them that reached who decides, and the
        days on which people logged any, summed over people. Outcomes are found by their primary key."""
        return SQL(
            """
            WITH said AS MATERIALIZED (
                SELECT debtor_id, user_id, (date AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date AS day,
                       direction = %(outgoing)s AS outgoing, outcome.right_party
                  FROM collection_interaction
                  LEFT JOIN collection_outcome outcome ON outcome.id = outcome_id
            )
            SELECT %(group)s AS group_id, COUNT(*) AS contacts,
                   COUNT(*) FILTER (WHERE outgoing) AS attempts,
                   COUNT(*) FILTER (WHERE outgoing AND right_party) AS reached,
                   COUNT(DISTINCT (said.user_id, said.day)) AS collector_days
              FROM said
              %(debtor)s
             WHERE said.day BETWEEN %(first)s AND %(last)s AND (said.debtor_id IN %(seen)s) IS TRUE
             GROUP BY 1""",
            **scope,
            debtor=self._query_debtor("said"),
            outgoing=OUTGOING,
        )

    @api.model
    def _query_contacted(self, scope):
        """By group: debtors that were contacted, those contacted again before they paid anything, and the money that
        came within some days of a contact.

        What happened to a debtor is gathered into arrays of its days: whatever their number, nothing is joined.
        """
        receipts = SQL(
            """SELECT line.partner_id, line.date AS day, -SUM(line.balance) AS amount
                 FROM account_move_line line
                WHERE line.account_id = ANY(%(accounts)s) AND line.company_id + 0 = %(company)s
                  AND line.parent_state = 'posted' AND line.journal_id = ANY(%(money)s)
                  AND line.date BETWEEN %(first)s AND %(last)s
                GROUP BY 1, 2""",
            **scope,
        )
        return SQL(
            """
            WITH %(owned)s,
            contact AS (
                SELECT debtor_id, (date AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date AS day
                  FROM collection_interaction WHERE direction = %(outgoing)s
                 UNION
                SELECT debtor_id, sent_on FROM collection_notice WHERE sent_on IS NOT NULL
            ),
            lived AS MATERIALIZED (
                SELECT debtor_id,
                       array_agg(day ORDER BY day) FILTER (WHERE amount IS NULL AND day >= %(first)s) AS contacts,
                       array_agg(day) FILTER (WHERE amount IS NULL) AS reached_on,
                       array_agg(day) FILTER (WHERE amount IS NOT NULL) AS paid_on,
                       array_agg(amount) FILTER (WHERE amount IS NOT NULL) AS paid
                  FROM (SELECT debtor_id, day, NULL::numeric AS amount FROM contact
                         WHERE day BETWEEN %(first)s - %(contact_days)s AND %(last)s
                         UNION ALL
                        SELECT debtor_id, day, amount FROM owned) event
                 WHERE (debtor_id IN %(seen)s) IS TRUE
                 GROUP BY debtor_id
            )
            SELECT %(group)s AS group_id,
                   COUNT(lived.contacts) AS contacted,
                   COUNT(*) FILTER (WHERE lived.contacts[2] IS NOT NULL AND NOT EXISTS (
                       SELECT 1 FROM unnest(lived.paid_on, lived.paid) AS receipt(day, amount)
                        WHERE receipt.amount > 0 AND receipt.day BETWEEN lived.contacts[1] AND lived.contacts[2]
                   )) AS contacted_again,
                   ROUND(COALESCE(SUM((
                       SELECT SUM(receipt.amount) FROM unnest(lived.paid_on, lived.paid) AS receipt(day, amount)
                        WHERE EXISTS (SELECT 1 FROM unnest(lived.reached_on) AS reached(day)
                                       WHERE reached.day BETWEEN receipt.day - %(contact_days)s AND receipt.day)
                   )), 0) * %(cents)s)::bigint AS collected
              FROM lived
              %(debtor)s
             GROUP BY 1""",
            **scope,
            debtor=self._query_debtor("lived"),
            owned=self._query_owned(scope, receipts),
            outgoing=OUTGOING,
        )
