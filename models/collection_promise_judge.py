from collections import defaultdict

from markupsafe import Markup

from odoo import _, api, models
from odoo.tools import SQL

from ..engine import promises

RECEIPT_JOURNALS = ("bank", "cash")
# Of these the collector is told: dunning goes on.
FAILED = (promises.PARTLY, promises.BROKEN)


class CollectionPromise(models.Model):
    """Judges promises by the ledger, each night.

    *How to use.* ``_judge_company(company, today)``; a second time on the same day changes nothing.

    *How it works.* One statement reads the receipts of the debtors with an open promise, one what is still owed of what
    each promise is about; ``engine.promises`` assigns and judges; one statement writes what changed. Verdicts are told
    in batches and, of what failed, in one activity per debtor. Promises that were judged before keep what they were
    paid, so that no receipt serves twice.
    """

    _inherit = "collection.promise"

    @api.model
    def _judge_company(self, company, today):
        """Judge the open promises of a company; returns those that are open no more."""
        open_ones = self.search([("company_id", "=", company.id), ("state", "=", promises.OPEN)], order="id")
        if not open_ones:
            return open_ones
        paid_of = self._get_paid(open_ones, company)
        owed_of = self._get_owed(open_ones)
        grace = company.collection_promise_grace_days
        rows = []
        for promise in open_ones:
            paid = paid_of[promise.id]
            state = promises.judge(promise._to_engine(), paid, owed_of.get(promise.id, 0), today, grace)
            amount = paid / promise._get_scale()
            if state != promise.state or promise.currency_id.compare_amounts(amount, promise.paid_amount):
                rows.append((promise.id, state, amount))
        self._write_verdicts(rows, today)
        closed = open_ones.filtered(lambda promise: promise.state != promises.OPEN)
        self._log_verdicts(closed)
        self._tell_responsible(
            lambda found: found._get_failure_summary(), closed.filtered(lambda promise: promise.state in FAILED), today
        )
        closed.debtor_id._rank(today)
        return closed

    # === What was paid ===#

    @api.model
    def _get_paid(self, open_ones, company):
        """``{promise id: amount in the smallest unit}`` of these, beside those of the same debtors that were judged."""
        judged = self.search(
            [
                ("debtor_id", "in", open_ones.debtor_id.ids),
                ("state", "in", promises.JUDGED),
                ("paid_amount", ">", 0),
            ]
        )
        promised = (open_ones + judged).grouped(lambda promise: (promise.debtor_id.id, promise.currency_id.id))
        scales = {currency.id: 10**currency.decimal_places for currency in open_ones.currency_id}
        receipts = defaultdict(list)
        since = min((open_ones + judged).mapped("made_on"))
        self.env["collection.debtor"]._prepare_ledger()
        self.env.cr.execute(self._query_receipts(open_ones.debtor_id.ids, since))
        for debtor_id, currency_id, line_id, day, amount, move_id in self.env.cr.fetchall():
            if currency_id in scales:
                receipts[debtor_id, currency_id].append(
                    promises.Receipt(line_id, day, round(amount * scales[currency_id]), move_id)
                )
        paid = {}
        for key, found in promised.items():
            engine = [promise._to_engine() for promise in found]
            paid.update(promises.assign(engine, receipts[key], company.collection_promise_grace_days))
        return paid

    def _get_scale(self):
        return 10**self.currency_id.decimal_places

    def _to_engine(self):
        self.ensure_one()
        judged = self.state != promises.OPEN
        amount = round((self.paid_amount if judged else self.amount) * self._get_scale())
        return promises.Promise(self.id, self.made_on, self.date, amount, judged, frozenset(self.move_ids.ids))

    @api.model
    def _query_receipts(self, debtor_ids, since):
        """Rows (debtor, currency, journal item, day, amount, document that it paid): the money of these debtors from
        that day on, what paid nothing yet with document 0. Money that went back to the customer, such as a bounced
        check, is none; what paid an item counts in its currency. Served by the indexes on the partners of families and
        lines, and by those of the reconciliations on their two sides."""
        return SQL(
            """
            WITH receipt AS MATERIALIZED (
                SELECT debtor.id AS debtor_id, line.id, line.currency_id, line.date, -line.amount_currency AS amount
                  FROM collection_debtor debtor
                  JOIN res_partner member ON member.commercial_partner_id = debtor.partner_id
                  JOIN account_move_line line ON line.partner_id = member.id AND line.company_id = debtor.company_id
                  JOIN account_journal journal ON journal.id = line.journal_id
                 WHERE debtor.id = ANY(%(debtors)s) AND line.account_id = ANY(%(accounts)s)
                   AND line.parent_state = 'posted' AND line.balance < 0 AND line.date >= %(since)s
                   AND journal.type IN %(journals)s),
            used AS MATERIALIZED (
                SELECT receipt.debtor_id, receipt.id, receipt.date, item.currency_id, item.move_id,
                       part.debit_amount_currency AS paid, part.credit_amount_currency AS spent,
                       journal.type IN %(journals)s AS went_back
                  FROM receipt
                  JOIN account_partial_reconcile part ON part.credit_move_id = receipt.id
                  JOIN account_move_line item ON item.id = part.debit_move_id
                  JOIN account_journal journal ON journal.id = item.journal_id)
            SELECT receipt.debtor_id, receipt.currency_id, receipt.id, receipt.date,
                   receipt.amount - COALESCE((SELECT SUM(used.spent) FROM used WHERE used.id = receipt.id), 0), 0
              FROM receipt
             UNION ALL
            SELECT debtor_id, currency_id, id, date, SUM(paid), move_id
              FROM used WHERE NOT went_back
             GROUP BY debtor_id, currency_id, id, date, move_id""",
            debtors=debtor_ids,
            accounts=self.env["account.account"]._get_receivable_ids(),
            since=since,
            journals=RECEIPT_JOURNALS,
        )

    # === What is still owed ===#

    @api.model
    def _get_owed(self, open_ones):
        """``{promise id: amount}`` that is open of what each of these is about, in its currency."""
        self.flush_model()
        self.env.cr.execute(self._query_owed(open_ones.ids))
        return dict(self.env.cr.fetchall())

    @api.model
    def _query_owed(self, promise_ids):
        """Rows (promise, amount). Served by the indexes on the partners of families and lines."""
        return SQL(
            """SELECT promise.id, SUM(line.amount_residual_currency)
                 FROM collection_promise promise
                 JOIN collection_debtor debtor ON debtor.id = promise.debtor_id
                 JOIN res_partner member ON member.commercial_partner_id = debtor.partner_id
                 JOIN account_move_line line ON line.partner_id = member.id AND line.company_id = debtor.company_id
                                            AND line.currency_id = promise.currency_id
                WHERE promise.id = ANY(%(promises)s) AND line.account_id = ANY(%(accounts)s) AND %(is_open)s
                  AND line.amount_residual_currency > 0
                  AND (line.move_id IN (SELECT about.move_id FROM collection_promise_move_rel about
                                         WHERE about.promise_id = promise.id)
                       OR NOT EXISTS (SELECT 1 FROM collection_promise_move_rel about
                                       WHERE about.promise_id = promise.id))
                GROUP BY promise.id""",
            promises=promise_ids,
            accounts=self.env["account.account"]._get_receivable_ids(),
            is_open=self.env["collection.debtor"]._query_is_open("line"),
        )

    # === Verdicts ===#

    @api.model
    def _write_verdicts(self, rows, today):
        """:param rows: (promise id, state, paid amount) of those that changed"""
        if not rows:
            return
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """UPDATE collection_promise promise
                      SET state = verdict.state, paid_amount = verdict.paid,
                          missing_amount = CASE verdict.state WHEN 'open' THEN promise.amount - verdict.paid ELSE 0 END,
                          closed_on = CASE WHEN verdict.state <> 'open' THEN %s::date END,
                          closing_reason = CASE verdict.state WHEN 'cancelled' THEN %s END,
                          write_date = now() AT TIME ZONE 'UTC'
                     FROM (VALUES %s) AS verdict(id, state, paid)
                    WHERE promise.id = verdict.id""",
                today,
                _("Settled without money: nothing of it is owed any more"),
                SQL(", ").join(SQL("(%s, %s, %s::numeric)", *row) for row in rows),
            )
        )
        self.invalidate_model()

    @api.model
    def _log_verdicts(self, closed):
        """Tell the debtors, the invoices and, as the state was not written by a person, the promises themselves."""
        texts = {promise: promise._get_verdict_text() for promise in closed}
        self._log_said(texts)
        closed._message_log_batch({promise.id: Markup.escape(text) for promise, text in texts.items()})

    def _get_verdict_text(self):
        self.ensure_one()
        values = {"promise": self.display_name, "paid": self.currency_id.format(self.paid_amount)}
        if self.state == promises.KEPT:
            return _("%(promise)s: kept, %(paid)s came in", **values)
        if self.state == promises.PARTLY:
            return _("%(promise)s: kept in part, %(paid)s came in", **values)
        if self.state == promises.BROKEN:
            return _("%(promise)s: broken, nothing came in", **values)
        return _("%(promise)s: nothing of it is owed any more", **values)

    def _get_failure_summary(self):
        return "; ".join(promise._get_verdict_text() for promise in self)
