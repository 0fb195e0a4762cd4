import logging

import psycopg2

from odoo import SUPERUSER_ID, api, fields, models
from odoo.modules.registry import Registry
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

PENDING = "account_collection.touched"
MAX_TRIES = 8


class CollectionDebtorTouch(models.Model):
    """Partners whose ledger changed and whose cached balances do not show it yet.

    *What it is.* An insert-only list, so that transactions which change the ledger of the same customer never wait
    for each other: nobody writes the debtor's row before the ledger change is committed.

    *How to use.* ``_touch_moves`` and ``_touch_partners`` during a transaction; nothing else. ``_cron`` methods call
    ``_drain`` for what a killed process left behind.

    *How it works.* Touches gather in memory and become rows in one statement right before the commit. Right after it
    a transaction of its own takes those rows and refreshes their debtors; when it meets another one that does the
    same, it starts again from a newer snapshot. The last refresh of a debtor therefore began after the last commit
    that touched it. If the process dies in between, the rows stay and the next drain takes them.
    """

    _name = "collection.debtor.touch"
    _description = "Debtor to Refresh"
    _log_access = False

    partner_id = fields.Many2one("res.partner", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")

    @api.model
    def _touch_moves(self, moves):
        """The receivable lines of these journal entries changed."""
        if moves:
            self._get_pending()["moves"].update(moves.ids)

    @api.model
    def _touch_partners(self, pairs):
        """``(partner_id, company_id)`` pairs whose figures changed."""
        self._get_pending()["pairs"].update(pairs)

    @api.model
    def _get_pending(self):
        data = self.env.cr.precommit.data
        if PENDING not in data:
            data[PENDING] = {"moves": set(), "pairs": set()}
            self.env.cr.precommit.add(self._write_pending)
        return data[PENDING]

    @api.model
    def _write_pending(self):
        """Turn what the transaction touched into rows and refresh them once it is committed."""
        pending = self.env.cr.precommit.data.pop(PENDING, None)
        if not pending or not any(pending.values()):
            return
        self.env.cr.execute(self._query_write(pending["moves"], pending["pairs"]))
        if self.env.cr.rowcount:
            dbname = self.env.cr.dbname
            self.env.cr.postcommit.add(lambda: self._drain_committed(dbname))

    @api.model
    def _query_write(self, move_ids, pairs):
        """Insert one touch per (partner, company). Served by the index of account_move_line on move_id."""
        return SQL(
            """INSERT INTO collection_debtor_touch (partner_id, company_id)
               SELECT line.partner_id, line.company_id
                 FROM account_move_line line
                 JOIN account_account account ON account.id = line.account_id
                WHERE line.move_id = ANY(%(move_ids)s) AND account.account_type = 'asset_receivable'
                  AND line.partner_id IS NOT NULL
                UNION
               SELECT partner.id, company.id
                 FROM unnest(%(partner_ids)s::int[], %(company_ids)s::int[]) AS pair(partner_id, company_id)
                 JOIN res_partner partner ON partner.id = pair.partner_id
                 JOIN res_company company ON company.id = pair.company_id""",
            move_ids=sorted(move_ids),
            partner_ids=[partner for partner, _company in pairs],
            company_ids=[company for _partner, company in pairs],
        )

    @staticmethod
    def _drain_committed(dbname):
        """Refresh in a transaction of its own; the touches survive whatever goes wrong here."""
        for _attempt in range(MAX_TRIES):
            try:
                with Registry(dbname).cursor() as cr:
                    api.Environment(cr, SUPERUSER_ID, {})["collection.debtor.touch"]._drain()
                return
            except (psycopg2.errors.SerializationFailure, psycopg2.errors.DeadlockDetected):
                continue
            except Exception:
                _logger.exception("Balances not refreshed now; the next run of the dispatcher will do it")
                return

    @api.model
    def _drain(self):
        """Refresh the debtors of every touch that no one else is refreshing."""
        self.env.cr.execute(self._query_take(), log_exceptions=False)
        pairs = self.env.cr.fetchall()
        if pairs:
            self.env["collection.debtor"]._refresh_partners(pairs)

    @api.model
    def _query_take(self):
        """Delete the free touches and return the distinct (partner, company) of their commercial partners, and of the
        partners themselves: one that became another's contact is a debtor that owes nothing any more."""
        return SQL(
            """WITH taken AS (
                   DELETE FROM collection_debtor_touch WHERE id IN (
                       SELECT id FROM collection_debtor_touch ORDER BY id FOR UPDATE SKIP LOCKED)
                RETURNING partner_id, company_id)
               SELECT DISTINCT debtor.partner_id, taken.company_id
                 FROM taken JOIN res_partner partner ON partner.id = taken.partner_id
                CROSS JOIN LATERAL (VALUES (partner.commercial_partner_id), (partner.id)) AS debtor(partner_id)
                WHERE debtor.partner_id IS NOT NULL"""
        )
