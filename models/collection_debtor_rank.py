from decimal import Decimal

from odoo import api, models
from odoo.tools import SQL

from ..engine import checks, priority, promises, risk
from .collection_dispute import ACCEPTED

# What the statement below writes, and no person.
RANKED = (
    "broken_promise_count",
    "bounced_check_count",
    "recent_dispute_count",
    "promise_due_count",
    "next_promise_date",
    "follow_up_count",
    "days_without_contact",
    "average_days_late",
    "overdue_share",
    "risk_class_computed",
    "risk_class",
    "priority_score",
)


class CollectionDebtor(models.Model):
    """Ranks debtors: the figures that tell how each one keeps its word, its risk class and its score.

    *How to use.* ``_rank_all(company)`` for every debtor of a company (nightly), ``_rank()`` for some. What happens
    calls neither: it touches the debtor, which is refreshed and ranked after the commit (collection_debtor_touch.py).

    *How it works.* One statement for a company whatever the number of its debtors, which writes only what changed. It
    is ``engine.priority`` and ``engine.risk`` in SQL. How late a customer paid takes the ledger of a year: that is read
    at night alone, and what happens during the day counts with the average of the night before.
    """

    _inherit = "collection.debtor"

    @api.model
    def _rank_all(self, companies, today=None, with_ledger=True):
        """Rank every debtor of ``companies``, in a constant number of statements for each of them.

        :param with_ledger: whether their lateness is read again, or only counted by other rules
        """
        self._prepare_ledger()
        for company in companies:
            self._write_ranks(company, today, with_ledger=with_ledger)
        self.invalidate_model()

    def _rank(self, today=None):
        """Rank these debtors."""
        if not self:
            return
        self._prepare_ledger()
        for company, debtors in self.grouped("company_id").items():
            self._write_ranks(company, today, debtors.ids)
        self.invalidate_model()

    @api.model
    def _rank_partners(self, partner_ids, company_ids):
        """Rank the debtors among these commercial partners and companies."""
        self.search([("partner_id", "in", partner_ids), ("company_id", "in", company_ids)])._rank()

    @api.model
    def _write_ranks(self, company, today, debtor_ids=None, with_ledger=False):
        rules = self.env["collection.priority.rule"]._get_rules(company)
        today = today or company._get_collection_today()
        # As with the balances, whoever calls this begins again after a conflict.
        query = self._query_rank(company, today, rules, debtor_ids, with_ledger)
        self.env.cr.execute(query, log_exceptions=False)

    @api.model
    def _write_balances(self, partner_ids, company_ids):
        result = super()._write_balances(partner_ids, company_ids)
        if partner_ids is not None:
            self._rank_partners(partner_ids, company_ids)
        return result

    @api.model
    def _prepare_ledger(self):
        for name in ("account.postdated.check.event", "mail.activity", "collection.priority.rule"):
            self.env[name].flush_model()
        return super()._prepare_ledger()

    # === SQL ===#

    @api.model
    def _query_rank(self, company, today, rules, debtor_ids=None, with_ledger=False):
        """Write the figures, class and score of the debtors of ``company``, or of ``debtor_ids`` among them, where they
        changed. Returns nothing.

        As in ``_query_refresh``, what belongs to one debtor is gathered by UNION ALL and GROUP BY and then looked up by
        primary key, so that no plan loops over a whole set however old the statistics are. Classes and scores are
        materialized: else PostgreSQL computes them again wherever they are named.
        """
        names = [SQL.identifier(name) for name in RANKED]
        debtors = SQL("debtor.company_id = %s", company.id)
        known = self._query_known(company, today, debtor_ids)
        average = SQL("debtor.average_days_late")
        if with_ledger:
            known.append(self._query_lateness(company, today))
            average = SQL("ROUND(fresh.late / NULLIF(fresh.weight, 0), 1)")
        if debtor_ids is not None:
            debtors = SQL("%s AND debtor.id = ANY(%s)", debtors, list(debtor_ids))
        known.append(
            SQL("SELECT debtor.id, 0, 0, 0, 0, NULL::date, 0, 0, 0 FROM collection_debtor debtor WHERE %s", debtors)
        )
        return SQL(
            """
            WITH fresh AS (
                SELECT debtor_id, SUM(broken) AS broken, SUM(bounced) AS bounced, SUM(disputed) AS disputed,
                       SUM(promised) AS promised, MIN(promise_date) AS promise_date, SUM(follow_ups) AS follow_ups,
                       SUM(late) AS late, SUM(weight) AS weight
                  FROM (%(known)s) AS known (debtor_id, broken, bounced, disputed, promised, promise_date, follow_ups,
                                             late, weight)
                 GROUP BY debtor_id
            ),
            figure AS (
                SELECT debtor.id, COALESCE(debtor.overdue, 0) AS overdue,
                       COALESCE(debtor.days_overdue, 0) AS days_overdue, debtor.risk_class_fixed,
                       fresh.broken::int AS broken_promise_count, fresh.bounced::int AS bounced_check_count,
                       fresh.disputed::int AS recent_dispute_count, fresh.promised::int AS promise_due_count,
                       fresh.promise_date AS next_promise_date, fresh.follow_ups::int AS follow_up_count,
                       CASE WHEN debtor.overdue > 0
                            THEN GREATEST(%(today)s::date
                                          - GREATEST(debtor.last_contact_date, debtor.oldest_due_date), 0)
                            ELSE 0 END AS days_without_contact,
                       %(average)s AS average_days_late,
                       COALESCE(ROUND(100 * debtor.overdue / NULLIF(debtor.overdue + debtor.not_due, 0)), 0)::int
                           AS overdue_share
                  FROM fresh JOIN collection_debtor debtor ON debtor.id = fresh.debtor_id
                 WHERE %(debtors)s
            ),
            classed AS MATERIALIZED (SELECT figure.*, %(risk_class)s AS risk_class_computed FROM figure),
            chosen AS (
                SELECT classed.*, COALESCE(risk_class_fixed, risk_class_computed) AS risk_class FROM classed
            ),
            ranked AS MATERIALIZED (SELECT chosen.*, %(score)s AS priority_score FROM chosen)
            UPDATE collection_debtor debtor SET (%(names)s) = ROW(%(new)s)
              FROM ranked
             WHERE ranked.id = debtor.id AND (%(old)s) IS DISTINCT FROM (%(new)s)
            """,
            known=SQL(" UNION ALL ").join(known),
            today=today,
            average=average,
            debtors=debtors,
            risk_class=self._query_risk_class(company._get_collection_risk_thresholds()),
            score=self._query_score(rules),
            names=SQL(", ").join(names),
            new=SQL(", ").join(SQL("ranked.%s", name) for name in names),
            old=SQL(", ").join(SQL("debtor.%s", name) for name in names),
        )

    @api.model
    def _query_known(self, company, today, debtor_ids=None):
        """Statements with rows (debtor, broken promises, bounced checks, disputes, promises due, date of a promise,
        follow-ups due, amount times days late, amount), one for each thing that happened. Served by the indexes on the
        debtor, or by one scan of each table for all of them."""

        def of(alias):
            if debtor_ids is None:
                return SQL("TRUE")
            return SQL("%s.debtor_id = ANY(%s)", SQL.identifier(alias), list(debtor_ids))

        since = risk.since(today)
        return [
            SQL(
                """SELECT promise.debtor_id, (promise.state = %(broken)s)::int, 0, 0,
                          (promise.state = %(open)s AND promise.date <= %(today)s)::int,
                          CASE WHEN promise.state = %(open)s THEN promise.date END, 0, 0, 0
                     FROM collection_promise promise
                    WHERE promise.company_id = %(company)s AND %(theirs)s
                      AND (promise.state = %(open)s OR promise.state = %(broken)s AND promise.closed_on > %(since)s)""",
                open=promises.OPEN,
                broken=promises.BROKEN,
                today=today,
                since=since,
                company=company.id,
                theirs=of("promise"),
            ),
            SQL(
                """SELECT event.debtor_id, 0, 1, 0, 0, NULL::date, 0, 0, 0 FROM account_postdated_check_event event
                    WHERE event.new_state = %s AND event.date > %s AND %s""",
                checks.BOUNCED,
                since,
                of("event"),
            ),
            SQL(
                """SELECT dispute.debtor_id, 0, 0, 1, 0, NULL::date, 0, 0, 0 FROM collection_dispute dispute
                    WHERE dispute.company_id = %s AND dispute.opened_on > %s AND dispute.state <> %s AND %s""",
                company.id,
                since,
                ACCEPTED,
                of("dispute"),
            ),
            self._query_follow_ups(today, debtor_ids),
        ]

    @api.model
    def _query_follow_ups(self, today, debtor_ids):
        """A row for each activity of a debtor that is due. Which ones are still to do is Odoo's to say, and it says it
        differently in each series. Served by the index of activities on their document."""
        domain = [("res_model", "=", self._name), ("date_deadline", "<=", today)]
        if debtor_ids is not None:
            domain.append(("res_id", "in", list(debtor_ids)))
        # sudo: whoever's activities they are
        query = self.env["mail.activity"].sudo()._search(domain)
        return SQL("(%s)", query.select(SQL("mail_activity.res_id, 0, 0, 0, 0, NULL, 1, 0, 0")))

    @api.model
    def _query_lateness(self, company, today):
        """A row for each debtor whose amounts say how late it pays: what was paid within the year, and what is overdue
        as if it were paid today. Credit notes are no payments, and money that went back is no invoice. One scan of the
        reconciliations, and Odoo's partial index on unreconciled lines."""
        journals = self.env["account.journal"].sudo().with_context(active_test=False)
        return SQL(
            """SELECT debtor.id, 0, 0, 0, 0, NULL, 0, SUM(customer.late), SUM(customer.weight)
                 FROM (SELECT item.partner_id, SUM(item.amount * item.days) AS late, SUM(item.amount) AS weight
                         FROM (SELECT line.partner_id, part.amount,
                                      GREATEST(part.max_date - COALESCE(line.date_maturity, line.date), 0) AS days
                                 FROM account_partial_reconcile part
                                 JOIN account_move_line line ON line.id = part.debit_move_id
                                 JOIN account_move_line payment ON payment.id = part.credit_move_id
                                WHERE part.max_date > %(since)s AND part.max_date <= %(today)s
                                  AND line.company_id = %(company)s AND line.account_id = ANY(%(accounts)s)
                                  AND line.journal_id <> ALL(%(money)s) AND payment.journal_id <> ALL(%(sales)s)
                                UNION ALL
                               SELECT line.partner_id, line.amount_residual,
                                      %(today)s::date - COALESCE(line.date_maturity, line.date)
                                 FROM account_move_line line
                                WHERE line.company_id = %(company)s AND line.account_id = ANY(%(accounts)s)
                                  AND %(is_open)s AND line.amount_residual > 0
                                  AND COALESCE(line.date_maturity, line.date) < %(today)s) item
                        GROUP BY item.partner_id) customer
                 JOIN res_partner partner ON partner.id = customer.partner_id
                 JOIN collection_debtor debtor
                   ON debtor.partner_id = COALESCE(partner.commercial_partner_id, partner.id)
                  AND debtor.company_id = %(company)s
                GROUP BY debtor.id""",
            since=risk.since(today),
            today=today,
            company=company.id,
            accounts=self.env["account.account"]._get_receivable_ids(),
            money=journals.search([("type", "in", ("bank", "cash"))]).ids,
            sales=journals.search([("type", "=", "sale")]).ids,
            is_open=self._query_is_open("line"),
        )

    @api.model
    def _query_points(self, rules, columns):
        """Expression for the sum of what ``rules`` give, ``engine.priority.points`` in SQL.

        :param columns: ``{kind: expression}`` of the figures, never null
        """
        terms = [
            SQL(
                "LEAST(%s, DIV(GREATEST(%s, 0)::numeric, %s) * %s)",
                rule.maximum,
                columns[rule.kind],
                Decimal(str(rule.unit)),
                rule.points,
            )
            for rule in rules
        ]
        return SQL("(%s)::int", SQL(" + ").join(terms) if terms else SQL("0"))

    @api.model
    def _query_risk_class(self, thresholds):
        """Expression for the class of a row of ``figure``, null without history."""
        columns = {rule.kind: SQL("COALESCE(%s, 0)", SQL.identifier(rule.kind)) for rule in risk.RULES}
        return SQL(
            """CASE WHEN average_days_late IS NOT NULL OR %(events)s > 0
                    THEN (ARRAY[%(classes)s])[1 + width_bucket(%(points)s, ARRAY[%(thresholds)s])] END""",
            events=SQL(" + ").join(SQL.identifier(kind) for kind in risk.EVENTS),
            classes=SQL(", ").join(SQL("%s", letter) for letter in risk.CLASSES),
            points=self._query_points(risk.RULES, columns),
            thresholds=SQL(", ").join(SQL("%s", threshold) for threshold in thresholds),
        )

    @api.model
    def _query_score(self, rules):
        """Expression for the score of a row of ``chosen``."""
        columns = {kind: SQL.identifier(kind) for kind in priority.KINDS}
        classes = SQL(", ").join(SQL("%s", letter) for letter in risk.CLASSES)
        columns[priority.RISK_CLASS] = SQL("COALESCE(array_position(ARRAY[%s]::varchar[], risk_class) - 1, 0)", classes)
        return SQL(
            "CASE WHEN %s THEN %s ELSE 0 END",
            SQL(" OR ").join(SQL("%s > 0", SQL.identifier(kind)) for kind in priority.TO_DO),
            self._query_points(rules, columns),
        )
