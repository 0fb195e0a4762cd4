from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from ..engine import dunning
from .review_states import WAITING


class Units(NamedTuple):
    """Smallest units of the currencies at hand: 10 ** decimal places, and the tolerance counted in them."""

    company_scale: int
    scales: dict
    tolerances: dict

    def totals(self, listed):
        """(all that is asked for, the part of it that is overdue) in company currency."""
        total = overdue = 0
        for line in listed:
            total += line.asked.company_amount
            if line.days > 0:
                overdue += line.asked.company_amount
        return total / self.company_scale, overdue / self.company_scale


class Position(NamedTuple):
    """The open items of one debtor, as the engine reads them."""

    debtor_id: int
    policy_id: int
    items: list
    move_of: dict

    def line_rows(self, owner, lines, units, today):
        """The rows of a notice's lines, as ``collection.notice._query_insert_lines`` reads them.

        :param owner: the key of a notice that is new, or the id of one that exists
        """
        scales, company_scale, move_of = units.scales, units.company_scale, self.move_of
        rows = []
        for (item, amount, company_amount), days, level_id in lines:
            rows.append(
                (
                    owner,
                    item.line_id,
                    move_of[item.line_id],
                    item.currency_id,
                    level_id,
                    item.due,
                    days,
                    amount / scales[item.currency_id],
                    company_amount / company_scale,
                    today if level_id else None,
                )
            )
        return rows


def _latest(level_ids, told_on):
    """The last day of each level.

    >>> _latest([1, 2, 1], [3, 4, 2])
    {1: 3, 2: 4}
    """
    latest = {}
    for level_id, day in zip(level_ids, told_on):
        if level_id not in latest or latest[level_id] < day:
            latest[level_id] = day
    return latest


class CollectionDebtorDunning(models.AbstractModel):
    """Reads debtors' open items as ``engine.dunning`` wants them, for the nightly run and again before a notice leaves.

    *How it works.* One statement for the items of every debtor of a company, one more for the rates of the tolerance
    where another currency is owed.
    """

    _name = "collection.debtor.dunning"
    _description = "Open Items of Debtors"

    @api.model
    def _get_positions(self, company, today, debtor_ids=None):
        """An iterator of the positions of the debtors that may be dunned, or of ``debtor_ids`` whatever their state,
        and the units their amounts are counted in."""
        self._prepare_ledger()
        self.env["collection.policy"].flush_model()
        self.env.cr.execute(self._query_open_items(company, today, debtor_ids))
        rows = self.env.cr.fetchall()
        units = self._get_units(company, today, {row[8]: row[3] for row in rows})
        return self._iter_positions(rows), units

    @api.model
    def _iter_positions(self, rows):
        """A position at a time: what was decided of one debtor is let go before the next one is read."""
        position = None
        for debtor_id, policy_id, move_id, _places, level_ids, told_on, *values in rows:
            if position is None or debtor_id != position.debtor_id:
                if position:
                    yield position
                position = Position(debtor_id, policy_id, [], {})
            item = dunning.Item(*values, _latest(level_ids, told_on)) if level_ids else dunning.Item(*values)
            position.items.append(item)
            position.move_of[item.line_id] = move_id
        if position:
            yield position

    @api.model
    def _get_units(self, company, today, decimal_places):
        """:param dict decimal_places: of each currency at hand, by its id"""
        currency = company.currency_id
        scales = {currency_id: 10**places for currency_id, places in decimal_places.items()}
        tolerance = company.collection_tolerance
        tolerances = {currency.id: round(tolerance * 10**currency.decimal_places)}
        others = self.env["res.currency"].browse(scales.keys() - {currency.id})
        if tolerance and others:
            rates = (others + currency)._get_rates(company, today)
            for other in others:
                worth = tolerance * rates[other.id] / rates[currency.id]
                tolerances[other.id] = int(worth * scales[other.id])
        return Units(10**currency.decimal_places, scales, tolerances)

    @api.model
    def _get_cover_queries(self, company, today):
        """Statements with rows (receivable line, amount in its currency) of what someone or something already answers
        for on that day, and which is therefore not dunned: checks in custody, promises, disputes. To be extended."""
        taken = [
            self.env["account.postdated.check.line"]._query_covered(company, today),
            self.env["account.postdated.check"]._query_custody_lines(company, today),
            self.env["collection.dispute"]._query_covered(company),
        ]
        return [*taken, self.env["collection.promise"]._query_covered(taken, company)]

    @api.model
    def _query_open_items(self, company, today, debtor_ids=None):
        """Rows (debtor, policy, document, decimal places of the currency, level ids told, the day of each, then the
        fields of ``dunning.Item``: item, effective due date, currency, residual, residual in company currency, covered,
        blocked), by debtor and due date; amounts in the smallest unit of their currency.

        Without ``debtor_ids``: of every debtor that is neither excluded, on hold, archived nor waiting for a notice to
        leave or to be tried again. The items come from Odoo's partial index on unreconciled lines; debtors and what was
        told before are looked up by index. Every inner side of a join is a table with a fitting index, so that no plan
        loops over a whole set right after a bulk load, when PostgreSQL takes thousands of lines for a handful;
        ``OFFSET 0`` keeps the notices that wait from becoming such a join.
        """
        covered, cover_join = SQL("0"), SQL("")
        if cover_queries := self._get_cover_queries(company, today):
            covered = SQL("COALESCE(cover.amount, 0)")
            cover_join = SQL(
                """LEFT JOIN (SELECT line_id, SUM(amount) AS amount FROM (%s) AS answered(line_id, amount)
                               GROUP BY line_id) cover ON cover.line_id = line.id""",
                SQL(" UNION ALL ").join(cover_queries),
            )
        lines = SQL("TRUE")
        if debtor_ids is None:
            who = SQL(
                """debtor.excluded IS NOT TRUE
                   AND (debtor.hold IS NOT TRUE OR debtor.hold_until < %s)
                   AND customer.active
                   AND NOT EXISTS (SELECT 1 FROM collection_notice notice WHERE notice.debtor_id = debtor.id
                                      AND (notice.state IN ('proposed', 'queued', 'outgoing')
                                           OR notice.next_try IS NOT NULL)
                                   OFFSET 0)""",
                today,
            )
        else:
            who = SQL("debtor.id = ANY(%s)", list(debtor_ids))
            lines = SQL(
                """line.partner_id IN (SELECT member.id FROM res_partner member
                                         JOIN collection_debtor head ON head.partner_id = member.commercial_partner_id
                                        WHERE head.id = ANY(%s))""",
                list(debtor_ids),
            )
        return SQL(
            """
            SELECT debtor.id, %(policy)s, line.move_id, currency.decimal_places, told.level_ids, told.told_on,
                   line.id, COALESCE(line.date_maturity, line.date) AS due, line.currency_id,
                   round(line.amount_residual_currency * 10 ^ currency.decimal_places)::bigint,
                   round(line.amount_residual * 10 ^ %(company_places)s)::bigint,
                   round(%(covered)s * 10 ^ currency.decimal_places)::bigint,
                   COALESCE(move.collection_no_dun AND (move.collection_no_dun_until IS NULL
                                                        OR move.collection_no_dun_until >= %(today)s), FALSE)
                       OR COALESCE(move.collection_review_state IN %(waiting)s, FALSE)
              FROM account_move_line line
              JOIN account_move move ON move.id = line.move_id
              JOIN res_partner partner ON partner.id = line.partner_id
              JOIN res_partner customer ON customer.id = COALESCE(partner.commercial_partner_id, partner.id)
              JOIN collection_debtor debtor ON debtor.partner_id = customer.id AND debtor.company_id = line.company_id
              JOIN res_currency currency ON currency.id = line.currency_id
              LEFT JOIN LATERAL (
                    SELECT array_agg(spoken.level_id) AS level_ids, array_agg(spoken.told_on) AS told_on
                      FROM collection_notice_line spoken
                     WHERE spoken.move_line_id = line.id AND spoken.told_on IS NOT NULL
                       AND spoken.level_id IS NOT NULL) told ON TRUE
              %(cover_join)s
             WHERE line.account_id = ANY(%(accounts)s) AND line.company_id = %(company)s AND %(is_open)s
               AND line.amount_residual_currency <> 0 AND %(lines)s AND %(who)s
             ORDER BY debtor.id, due, line.id
            """,
            policy=self.env["collection.policy"]._query_debtor_policy("debtor", company.id),
            company=company.id,
            accounts=self.env["account.account"]._get_receivable_ids(),
            company_places=company.currency_id.decimal_places,
            today=today,
            waiting=WAITING,
            who=who,
            covered=covered,
            cover_join=cover_join,
            is_open=self._query_is_open("line"),
            lines=lines,
        )
