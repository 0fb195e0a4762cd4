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
        total = sum(line.asked.company_amount for line in listed)
        overdue = sum(line.asked.company_amount for line in listed if line.days > 0)
        return total / self.company_scale, overdue / self.company_scale


class Position(NamedTuple):
    """The open items of one debtor, as the engine reads them."""

    debtor_id: int
    policy_id: int
    items: list
    move_of: dict

    def line_values(self, listed, units, today):
        """Values of a notice line, in the order of ``collection.notice._query_enqueue`` after its key."""
        item = listed.asked.item
        return (
            item.line_id,
            self.move_of[item.line_id],
            item.currency_id,
            listed.level_id,
            item.due,
            listed.days,
            listed.asked.amount / units.scales[item.currency_id],
            listed.asked.company_amount / units.company_scale,
            today if listed.level_id else None,
        )


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
        """Positions of the debtors that may be dunned, or of ``debtor_ids`` whatever their state, and the units their
        amounts are counted in."""
        self._flush_ledger()
        self.env["collection.policy"].flush_model()
        self.env.cr.execute(self._query_open_items(company.id, today, debtor_ids))
        rows = self.env.cr.fetchall()
        units = self._get_units(company, today, {row[5]: row[6] for row in rows})
        scales, company_scale = units.scales, units.company_scale
        positions = []
        for (debtor_id, policy_id), group in groupby(rows, key=itemgetter(0, 1)):
            items, move_of = [], {}
            for _d, _p, line_id, move_id, due, currency_id, _places, residual, company_residual, *rest in group:
                covered, blocked, level_ids, told_on = rest
                scale = scales[currency_id]
                items.append(
                    dunning.Item(
                        line_id,
                        due,
                        currency_id,
                        round(residual * scale),
                        round(company_residual * company_scale),
                        round(covered * scale),
                        blocked,
                        dict(zip(level_ids, told_on, strict=True)) if level_ids else {},
                    )
                )
                move_of[line_id] = move_id
            positions.append(Position(debtor_id, policy_id, items, move_of))
        return positions, units

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
    def _get_cover_queries(self):
        """Statements with rows (receivable line, amount in its currency) of what someone or something already answers
        for, and which is therefore not dunned: disputes, promises, checks in custody. To be extended."""
        return []

    @api.model
    def _query_open_items(self, company_id, today, debtor_ids=None):
        """Rows (debtor, policy, item, document, effective due date, currency, its decimal places, residual, residual in
        company currency, covered, blocked, level ids told, the day of each), by debtor and due date.

        Without ``debtor_ids``: of every debtor that is neither excluded, on hold, archived nor waiting for a notice to
        leave or to be tried again. The items come from Odoo's partial index on unreconciled lines; debtors and what was
        told before are looked up by index. Every inner side of a join is a table with a fitting index, so that no plan
        loops over a whole set right after a bulk load, when PostgreSQL takes thousands of lines for a handful.
        """
        covered, cover_join = SQL("0"), SQL("")
        if cover_queries := self._get_cover_queries():
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
                                           OR notice.next_try IS NOT NULL))""",
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
            SELECT debtor.id, %(policy)s, line.id, line.move_id, COALESCE(line.date_maturity, line.date) AS due,
                   line.currency_id, currency.decimal_places, line.amount_residual_currency, line.amount_residual,
                   %(covered)s,
                   COALESCE(move.collection_no_dun AND (move.collection_no_dun_until IS NULL
                                                        OR move.collection_no_dun_until >= %(today)s), FALSE)
                       OR COALESCE(move.collection_review_state IN %(waiting)s, FALSE),
                   told.level_ids, told.told_on
              FROM account_move_line line
              JOIN account_account account ON account.id = line.account_id
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
             WHERE account.account_type = 'asset_receivable' AND line.company_id = %(company)s AND %(is_open)s
               AND line.amount_residual_currency <> 0 AND %(lines)s AND %(who)s
             ORDER BY debtor.id, due, line.id
            """,
            policy=self.env["collection.policy"]._query_debtor_policy("debtor", company_id),
            company=company_id,
            today=today,
            waiting=WAITING,
            who=who,
            covered=covered,
            cover_join=cover_join,
            is_open=self._query_is_open("line"),
            lines=lines,
        )
