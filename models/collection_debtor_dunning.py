from itertools import groupby
from operator import itemgetter
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
        for (_item, _amount, company_amount), days, _level_id in listed:
            total += company_amount
            if days > 0:
                overdue += company_amount
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
            line_id, due, currency_id, *_others = item
            rows.append(
                (
                    owner,
                    line_id,
                    move_of[line_id],
                    currency_id,
                    level_id,
                    due,
                    days,
                    amount / scales[currency_id],
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
        make_item = dunning.Item
        for (debtor_id, policy_id), of_debtor in groupby(rows, itemgetter(0, 1)):
            items, move_of = [], {}
            for _debtor, _policy, move_id, _places, level_ids, told_on, *values in of_debtor:
                if level_ids:
                    values.append(_latest(level_ids, told_on))
                items.append(make_item(*values))
                move_of[values[0]] = move_id
            yield Position(debtor_id, policy_id, items, move_of)

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
        taken = self._get_taken_queries(company, today)
        return [*taken, self.env["collection.promise"]._query_covered(taken, company)]

    @api.model
    def _get_taken_queries(self, company, today):
        """Likewise, of what answers before promises do."""
        return [
            self.env["account.postdated.check.line"]._query_covered(company, today),
            self.env["account.postdated.check"]._query_custody_lines(company, today),
            self.env["collection.dispute"]._query_covered(company),
        ]

    @api.model
    def _query_open_items(self, company, today, debtor_ids=None):
        """Rows (debtor, policy, document, decimal places of the currency, level ids told, the day of each, then the
        fields of ``dunning.Item``: item, effective due date, currency, residual, residual in company currency, covered,
        blocked), by debtor; amounts in the smallest unit of their currency.

        Without ``debtor_ids``: of every debtor that is neither excluded, on hold, archived nor waiting for a notice to
        leave or to be tried again. The items come from Odoo's partial index on unreconciled lines; debtors and what was
        told before are looked up by index. Every inner side of a join is a table with a fitting index, so that no plan
        loops over a whole set right after a bulk load, when PostgreSQL takes thousands of lines for a handful;
        ``OFFSET 0`` keeps the notices that wait from becoming such a join.
        """
        covered, cover_join = SQL("NULL::numeric"), SQL("")
        if cover_queries := self._get_cover_queries(company, today):
            covered = SQL("cover.amount")
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
                   line.id, COALESCE(line.date_maturity, line.date), line.currency_id,
                   round(line.amount_residual_currency * %(scale)s)::bigint,
                   round(line.amount_residual * %(company_scale)s)::bigint,
                   COALESCE(round(%(covered)s * %(scale)s)::bigint, 0),
                   EXISTS (SELECT 1 FROM account_move move
                            WHERE move.id = line.move_id
                              AND (move.collection_no_dun OR move.collection_review_state IN %(waiting)s)
                              AND (move.collection_review_state IN %(waiting)s OR move.collection_no_dun_until IS NULL
                                   OR move.collection_no_dun_until >= %(today)s))
              FROM account_move_line line
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
             ORDER BY debtor.id
            """,
            policy=self.env["collection.policy"]._query_debtor_policy("debtor", company.id),
            company=company.id,
            accounts=self.env["account.account"]._get_receivable_ids(),
            company_scale=10**company.currency_id.decimal_places,
            # As a power of numeric it would take as long as all the rest of the row.
            scale=SQL("(10::float8 ^ currency.decimal_places)::int"),
            today=today,
            waiting=WAITING,
            who=who,
            covered=covered,
            cover_join=cover_join,
            is_open=self._query_is_open("line"),
            lines=lines,
        )
