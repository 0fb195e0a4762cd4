from odoo import Command, api, fields, models
from odoo.tools import SQL

from ..engine import promises
from .collection_promise_judge import FAILED, RECEIPT_JOURNALS
from .rights import users_of

WEEK = "account_collection.digest_week"


class DigestDigest(models.Model):
    """What collectors and managers read of their own debtors in Odoo's periodic digest, and who gets that of the week.

    *How it works.* Each figure is one query that follows the record rules of its reader: a collector's are of the own
    debtors. Who may collect gets the digest of the week without asking, once: who unsubscribed stays so.
    """

    _inherit = "digest.digest"

    kpi_collection_collected = fields.Boolean("Collected")
    kpi_collection_collected_value = fields.Monetary(compute="_compute_kpi_collection_collected_value")
    kpi_collection_promised = fields.Boolean("Promised for the Next 7 Days")
    kpi_collection_promised_value = fields.Monetary(compute="_compute_kpi_collection_promised_value")
    kpi_collection_broken = fields.Boolean("Broken Promises")
    kpi_collection_broken_value = fields.Monetary(compute="_compute_kpi_collection_broken_value")
    kpi_collection_to_call = fields.Boolean("Debtors to Call")
    kpi_collection_to_call_value = fields.Integer(compute="_compute_kpi_collection_to_call_value")
    collection_known_user_ids = fields.Many2many(
        "res.users", "collection_digest_known_user_rel", "digest_id", "user_id", readonly=True, copy=False
    )

    # === Figures ===#

    def _compute_kpi_collection_collected_value(self):
        """Money of the period, less what went back, as a bounced check does."""
        start, end, companies = self._get_collection_period("viewer")
        self.env.flush_all()
        self.env.cr.execute(self._query_collected(start, end, companies))
        amounts = dict(self.env.cr.fetchall())
        for digest in self:
            digest.kpi_collection_collected_value = float(amounts.get((digest.company_id or self.env.company).id, 0))

    def _compute_kpi_collection_promised_value(self):
        """What is expected of promises due in the week from the end of the period; of an earlier period, what was."""
        _start, end, companies = self._get_collection_period("viewer")
        amounts = self._get_promised(
            [
                ("company_id", "in", companies.ids),
                ("made_on", "<=", end),
                ("date", ">=", end),
                ("date", "<=", fields.Date.add(end, days=7)),
                "|",
                ("state", "=", promises.OPEN),
                ("closed_on", ">", end),
            ],
            lambda state, promised, paid: promised - paid if state == promises.OPEN else promised,
            end,
        )
        for digest in self:
            digest.kpi_collection_promised_value = amounts[digest.company_id or self.env.company]

    def _compute_kpi_collection_broken_value(self):
        """What did not come of promises that were judged in the period."""
        start, end, companies = self._get_collection_period("viewer")
        amounts = self._get_promised(
            [
                ("company_id", "in", companies.ids),
                ("state", "in", FAILED),
                ("closed_on", ">", start),
                ("closed_on", "<=", end),
            ],
            lambda _state, promised, paid: promised - paid,
            end,
        )
        for digest in self:
            digest.kpi_collection_broken_value = amounts[digest.company_id or self.env.company]

    def _compute_kpi_collection_to_call_value(self):
        """Now, whatever the period: who was to be called then is not kept."""
        _start, _end, companies = self._get_collection_period("viewer")
        counts = dict(
            self.env["collection.debtor"]._read_group(
                [("company_id", "in", companies.ids), ("to_call", "=", True)], ["company_id"], ["__count"]
            )
        )
        for digest in self:
            digest.kpi_collection_to_call_value = counts.get(digest.company_id or self.env.company, 0)

    @api.model
    def _get_promised(self, domain, get_amount, day):
        """``{company: amount}`` of the promises that the reader sees, in its currency; one query.

        :param get_amount: from (state, promised, paid) of those of one state to what counts of them
        """
        groups = self.env["collection.promise"]._read_group(
            domain, ["company_id", "currency_id", "state"], ["amount:sum", "paid_amount:sum"]
        )
        return self._add_up(((company, currency, get_amount(*figures)) for company, currency, *figures in groups), day)

    def _query_collected(self, start, end, companies):
        """Rows (company, net receipts) of the debtors that the reader sees. Served by the indexes on the partners of
        families and lines."""
        debtors = self.env["collection.debtor"]._search([("company_id", "in", companies.ids)], order="id")
        return SQL(
            """SELECT line.company_id, -SUM(line.balance)
                 FROM (%s) debtor
                 JOIN res_partner member ON member.commercial_partner_id = debtor.partner_id
                 JOIN account_move_line line ON line.partner_id = member.id AND line.company_id = debtor.company_id
                 JOIN account_journal journal ON journal.id = line.journal_id
                WHERE line.account_id = ANY(%s) AND line.parent_state = 'posted' AND journal.type IN %s
                  AND line.date > %s AND line.date <= %s
                GROUP BY line.company_id""",
            debtors.select("id", "partner_id", "company_id"),
            self.env["account.account"]._get_receivable_ids(),
            RECEIPT_JOURNALS,
            start,
            end,
        )

    def _compute_kpis_actions(self, company, user):
        actions = super()._compute_kpis_actions(company, user)
        actions["kpi_collection_collected"] = "account_collection.collection_collected_action"
        actions["kpi_collection_promised"] = "account_collection.collection_promise_week_action"
        actions["kpi_collection_broken"] = "account_collection.collection_promise_broken_action"
        actions["kpi_collection_to_call"] = "account_collection.collection_debtor_to_call_action"
        return actions

    # === Who gets that of the week ===#

    def _action_send(self, update_periodicity=True):
        self._sync_collection_digest()
        return super()._action_send(update_periodicity=update_periodicity)

    @api.model
    def _sync_collection_digest(self):
        """Subscribe who came to collect, and unsubscribe who does so no more."""
        digest = self.env.ref(WEEK, raise_if_not_found=False)
        if not digest:
            return
        # sudo: whoever changes users or sends digests
        digest = digest.sudo().with_context(active_test=False)
        people = users_of(self.env, "account_collection.group_collection_collector")
        known, subscribed = digest.collection_known_user_ids, digest.user_ids
        came, left = people - known, (known & subscribed) - people
        if came or left:
            digest.write(
                {
                    "user_ids": [Command.set((subscribed + came - left).ids)],
                    "collection_known_user_ids": [Command.set((known + came - left).ids)],
                }
            )
