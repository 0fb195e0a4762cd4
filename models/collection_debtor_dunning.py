from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from ..engine import dunning
from .review_states import WAITING
from .statement_layout import EVERYTHING


class Units(NamedTuple):
    """Smallest units of the currencies at hand: 10 ** decimal places, and the tolerance counted in them."""

    company_scale: int
    scales: dict
    tolerances: dict


class Position(NamedTuple):
    """The open items of one debtor, as the engine reads them."""

    debtor_id: int
    policy_id: int
    items: list


class Spoken(NamedTuple):
    """What a message says, amounts in their currency."""

    rows: list
    total: float
    overdue: float
    days: int
    """Of the oldest item."""


UNSPOKEN = Spoken([], 0, 0, 0)


class Occasion(NamedTuple):
    """What all notices that are made together have in common."""

    company_id: int
    run_id: int | None
    today: date
    units: Units

    def prepare_notice(self, key, debtor_id, level_id, channel, state, reason=None, spoken=UNSPOKEN):
        """The row of a notice, as ``collection.notice._query_enqueue`` reads it."""
        return (
            *(key, debtor_id, self.company_id, self.run_id, level_id, self.today, channel),
            *(state, reason, spoken.total, spoken.overdue, spoken.days),
        )


def speak(owner, level, items, rungs, units, today):
    """What a message of ``level`` that was decided on ``today`` says of these items, at least one.

    :param owner: the key of a notice that is new, or the id of one that exists
    :return: a ``Spoken``, with the rows that ``collection.notice._query_insert_lines`` reads
    """
    company_scale, scales, _tolerances = units
    rows, total, overdue = [], 0, 0
    for item in items:
        line_id, due, currency_id, amount, company_amount, _covered, _blocked, _told, document_id = item
        days, own = rungs[due]
        told = dunning.told_at(level, own)
        total += company_amount
        if days > 0:
            overdue += company_amount
        rows.append(
            (
                owner,
                line_id,
                document_id,
                currency_id,
                told.id if told else None,
                due,
                days,
                amount / scales[currency_id],
                company_amount / company_scale,
                today if told else None,
            )
        )
    return Spoken(rows, total / company_scale, overdue / company_scale, rows[0][6])


class CollectionDebtorDunning(models.AbstractModel):
    """Reads debtors' open items as ``engine.dunning`` wants them, for the nightly run and again before a notice leaves.

    *How it works.* One statement for the items of every debtor of a company, one more for the rates of the tolerance
    where another currency is owed.
    """

    _name = "collection.debtor.dunning"
    _description = "Open Items of Debtors"

    @api.model
    def _get_positions(self, company, today, debtor_ids=None, documents=EVERYTHING):
        """An iterator of the positions of the debtors that may be dunned, or of ``debtor_ids`` whatever their state,
        and the units their amounts are counted in. Of their items only ``documents``, a ``Documents``."""
        self._prepare_ledger()
        self.env["collection.policy"].flush_model()
        self.env.cr.execute(self._query_open_items(company, today, debtor_ids, documents))
        rows = self.env.cr.fetchall()
        foreign = {row[8]: row[2] for row in rows if row[2] is not None}
        return self._iter_positions(rows), self._get_units(company, today, foreign)

    @api.model
    def _iter_positions(self, rows):
        """A position at a time: what was decided of one debtor is let go before the next one is read. An item has as
        many rows as it was told, one at least."""
        # As a NamedTuple makes them, without the call in between.
        item_class, make = dunning.Item, tuple.__new__
        never = {}
        for (debtor_id, policy_id), of_debtor in groupby(rows, itemgetter(0, 1)):
            items, told_of = [], {}
            for _debtor, _policy, _places, level_id, day, move_id, *item in of_debtor:
                told = never
                if level_id:
                    line_id = item[0]
                    if line_id in told_of:
                        told_of[line_id][level_id] = max(day, told_of[line_id].get(level_id, day))
                        continue
                    told = told_of[line_id] = {level_id: day}
                item += (told, move_id)
                items.append(make(item_class, item))
            yield Position(debtor_id, policy_id, items)

    @api.model
    def _get_units(self, company, today, foreign):
        """:param foreign: ``{currency: its decimal places}`` of the other currencies at hand, by id"""
        currency = company.currency_id
        others = self.env["res.currency"].browse(foreign)
        scales = {currency_id: 10**places for currency_id, places in foreign.items()}
        scales[currency.id] = 10**currency.decimal_places
        tolerance = company.collection_tolerance
        tolerances = {currency.id: round(tolerance * 10**currency.decimal_places)}
        if tolerance and others:
            rates = (others + currency)._get_rates(company, today)
            for other in others:
                worth = tolerance * rates[other.id] / rates[currency.id]
                tolerances[other.id] = int(worth * scales[other.id])
        return Units(scales[currency.id], scales, tolerances)

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
    def _query_open_items(self, company, today, debtor_ids=None, documents=EVERYTHING):
        """Rows (debtor, policy, decimal places of another currency than the company's, level told, its day, document,
        then of ``dunning.Item``: item, effective due date, currency, residual, residual in company currency, covered,
        blocked), by debtor; amounts in the smallest unit of their currency. An item that was told several times has as
        many rows.

        Without ``debtor_ids``: of every debtor that is neither excluded, on hold, archived nor waiting for a notice to
        leave or to be tried again. The items come from Odoo's partial index on unreconciled lines. Every inner side of
        a join is a table with a fitting index, so that no plan loops over a whole set right after a bulk load, when
        PostgreSQL takes thousands of lines for a handful; ``OFFSET 0`` keeps what was told before from becoming another
        join. The notices that wait are read once, from their partial index.
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
                   AND debtor.id NOT IN (SELECT notice.debtor_id FROM collection_notice notice
                                          WHERE notice.state IN ('proposed', 'queued', 'outgoing')
                                             OR notice.next_try IS NOT NULL)""",
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
            SELECT debtor.id, %(policy)s,
                   CASE WHEN line.currency_id <> %(currency)s THEN currency.decimal_places END,
                   told.level_id, told.told_on, line.move_id,
                   line.id, COALESCE(line.date_maturity, line.date), line.currency_id,
                   (line.amount_residual_currency * %(scale)s)::bigint,
                   (line.amount_residual * %(company_scale)s)::bigint,
                   COALESCE((%(covered)s * %(scale)s)::bigint, 0),
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
                    SELECT spoken.level_id, spoken.told_on
                      FROM collection_notice_line spoken
                     WHERE spoken.move_line_id = line.id AND spoken.told_on IS NOT NULL
                       AND spoken.level_id IS NOT NULL
                    OFFSET 0) told ON TRUE
              %(cover_join)s
             WHERE line.account_id = ANY(%(accounts)s) AND line.company_id = %(company)s AND %(is_open)s
               AND line.amount_residual_currency <> 0 AND %(lines)s AND %(who)s AND %(is_chosen)s
             ORDER BY debtor.id
            """,
            policy=self.env["collection.policy"]._query_debtor_policy("debtor", company.id),
            company=company.id,
            accounts=self.env["account.account"]._get_receivable_ids(),
            currency=company.currency_id.id,
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
            is_chosen=self._query_is_chosen(documents),
        )
