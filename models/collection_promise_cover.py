from odoo import api, models
from odoo.tools import SQL


class CollectionPromise(models.Model):
    """What open promises answer for: for dunning, which leaves that much alone, and for the cash plan.

    *How it works.* Open promises about the same invoices are one pool, and so are those about the balance in one
    currency; what is still missing of a pool is spread over its open items, the oldest first. An item that is named by
    two pools belongs to the older one, and what checks, disputes and named invoices answer for is left out: no amount
    is answered for twice. One statement, whatever the number of debtors, that begins with the open promises.
    """

    _inherit = "collection.promise"

    @api.model
    def _query_covered(self, taken, company=None):
        """Rows (receivable line, amount in its currency) that open promises answer for.

        :param taken: statements with such rows of what others answer for already
        :param company: of one company alone
        """
        scope = SQL("promise.company_id = %s", company.id) if company else SQL("TRUE")
        return SQL("(%s SELECT line_id, amount FROM filled WHERE amount > 0)", self._query_spread(taken, scope))

    @api.model
    def _get_promised(self, items, company):
        """``[(item id, amount in its currency, first date), ...]`` that open promises answer for of these receivable
        lines of one company; one statement."""
        Debtor = self.env["collection.debtor"]
        Debtor._prepare_ledger()
        self.env.cr.execute(
            self._query_promised(items, Debtor._get_taken_queries(company, company._get_collection_today()), company)
        )
        return [(item_id, float(amount), date) for item_id, amount, date in self.env.cr.fetchall()]

    @api.model
    def _query_promised(self, items, taken, company):
        """Rows (receivable line, amount in its currency, first date). Served by the partial index of open promises."""
        scope = SQL(
            """promise.company_id = %s AND promise.partner_id IN (
               SELECT owner.commercial_partner_id FROM account_move_line line
                 JOIN res_partner owner ON owner.id = line.partner_id WHERE line.id = ANY(%s))""",
            company.id,
            items.ids,
        )
        return SQL(
            """%s
               SELECT filled.line_id, filled.amount, MIN(promised.date)
                 FROM filled
                 JOIN promised ON promised.debtor_id = filled.debtor_id AND promised.moves = filled.moves
                              AND promised.currency_id = filled.currency_id
                WHERE filled.amount > 0 AND filled.line_id = ANY(%s)
                GROUP BY filled.line_id, filled.moves, filled.amount
                ORDER BY MIN(promised.date)""",
            self._query_spread(taken, scope),
            items.ids,
        )

    @api.model
    def _query_expected(self, taken):
        """Rows (promise, the part of it that items are open for), of every company. Their sum is that of
        ``_query_covered``; the earlier instalment of a plan is served first."""
        return SQL(
            """(%s
                SELECT promised.id,
                       LEAST(promised.amount, GREATEST(covered.amount - COALESCE(SUM(promised.amount) OVER (
                             PARTITION BY promised.debtor_id, promised.currency_id, promised.moves
                             ORDER BY promised.date, promised.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0),
                           0)) AS amount
                  FROM promised
                  JOIN (SELECT debtor_id, currency_id, moves, SUM(amount) AS amount
                          FROM filled GROUP BY debtor_id, currency_id, moves) covered
                    ON covered.debtor_id = promised.debtor_id AND covered.currency_id = promised.currency_id
                   AND covered.moves = promised.moves)""",
            self._query_spread(taken, SQL("TRUE")),
        )

    @api.model
    def _query_spread(self, taken, scope):
        """The WITH clause of both: ``promised`` has the open promises, ``filled`` what each pool puts on each item.
        Served by the partial index of open promises and by the indexes on the partners of families and lines.

        :param scope: condition on the promises, as ``promise``
        """
        named, balance = (self._query_fill(SQL.identifier(name)) for name in ("named", "remaining"))
        return SQL(
            """
            WITH promised AS MATERIALIZED (
                SELECT promise.id, promise.debtor_id, promise.currency_id, promise.date,
                       promise.amount - COALESCE(promise.paid_amount, 0) AS amount,
                       ARRAY(SELECT about.move_id FROM collection_promise_move_rel about
                              WHERE about.promise_id = promise.id ORDER BY about.move_id) AS moves
                  FROM collection_promise promise
                 WHERE promise.state = 'open' AND %(scope)s),
            pool AS (
                SELECT debtor_id, currency_id, moves, SUM(amount) AS promised, MIN(id) AS first_id
                  FROM promised GROUP BY debtor_id, currency_id, moves),
            item AS MATERIALIZED (
                SELECT pool.*, line.id AS line_id, COALESCE(line.date_maturity, line.date) AS due,
                       GREATEST(line.amount_residual_currency - COALESCE(taken.amount, 0), 0) AS free,
                       ROW_NUMBER() OVER (PARTITION BY line.id, pool.moves = '{}' ORDER BY pool.first_id) AS claim
                  FROM pool
                  JOIN collection_debtor debtor ON debtor.id = pool.debtor_id
                  JOIN res_partner member ON member.commercial_partner_id = debtor.partner_id
                  JOIN account_move_line line ON line.partner_id = member.id AND line.company_id = debtor.company_id
                                             AND line.currency_id = pool.currency_id
                  LEFT JOIN (SELECT line_id, SUM(amount) AS amount FROM (%(taken)s) AS answered(line_id, amount)
                              GROUP BY line_id) taken ON taken.line_id = line.id
                 WHERE line.account_id = ANY(%(accounts)s) AND %(is_open)s AND line.amount_residual_currency > 0
                   AND (pool.moves = '{}' OR line.move_id = ANY(pool.moves))),
            named AS (SELECT * FROM item WHERE moves <> '{}' AND claim = 1),
            filled_named AS MATERIALIZED (%(named)s),
            remaining AS (
                SELECT item.debtor_id, item.currency_id, item.moves, item.promised, item.line_id, item.due,
                       item.free - COALESCE(named.amount, 0) AS free
                  FROM item
                  LEFT JOIN (SELECT line_id, SUM(amount) AS amount FROM filled_named GROUP BY line_id) named
                    ON named.line_id = item.line_id
                 WHERE item.moves = '{}'),
            filled AS (SELECT * FROM filled_named UNION ALL %(balance)s)
            """,
            scope=scope,
            taken=SQL(" UNION ALL ").join(taken),
            accounts=self.env["account.account"]._get_receivable_ids(),
            is_open=self.env["collection.debtor"]._query_is_open("line"),
            named=named,
            balance=balance,
        )

    @api.model
    def _query_fill(self, source):
        """Spread what each pool of ``source`` promised over its items, the oldest first."""
        return SQL(
            """SELECT debtor_id, currency_id, moves, line_id,
                      LEAST(free, GREATEST(promised - COALESCE(SUM(free) OVER (
                            PARTITION BY debtor_id, currency_id, moves
                            ORDER BY due, line_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0), 0)) AS amount
                 FROM %s""",
            source,
        )
