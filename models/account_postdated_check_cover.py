from collections import defaultdict
from datetime import date
from typing import NamedTuple

from odoo import _, api, models
from odoo.tools import SQL
from odoo.tools.misc import format_amount, format_date

from ..engine import checks


class Cover(NamedTuple):
    """A check that is to pay an open item, or part of it."""

    check: models.BaseModel
    deposit_date: date
    amount: float
    """In the currency of the item."""


class AccountPostdatedCheckLine(models.Model):
    """Tells of open items by which checks they are covered.

    How to use: ``_get_covers`` for any number of items, today or at the end of a past day; one statement.
    """

    _inherit = "account.postdated.check.line"

    @api.model
    def _get_covers(self, items, as_of=None):
        """``{item id: [Cover, ...]}`` of what checks in hand are meant to pay of these open items, the earliest deposit
        first. Checks that are booked in custody cover no item: they paid it, and are owed themselves. Records are in
        sudo: rights are checked on the items.

        :param items: ids of receivable lines
        :param as_of: end of the day at which the checks were in hand, or None for now
        """
        covers = defaultdict(list)
        if items:
            for name in ("account.move", "account.postdated.check", "account.postdated.check.event", self._name):
                self.env[name].flush_model()
            self.env.cr.execute(self._query_covers(list(items), as_of))
            rows = self.env.cr.fetchall()
            # One recordset: whatever is read of one check is read of all.
            records = self.env["account.postdated.check"].sudo().browse({row[1] for row in rows})
            check_of = {check.id: check for check in records}
            for item_id, check_id, deposit_date, amount in rows:
                covers[item_id].append(Cover(check_of[check_id], deposit_date, float(amount)))
        return covers

    @api.model
    def _query_covers(self, item_ids, as_of):
        """Rows (item, check, day of its deposit, amount in the item's currency). Served by the indexes of the lines on
        their item, of the events on their check and of entries on their check."""
        if as_of:
            in_hand = SQL(
                "%s AND NOT (%s)",
                self._query_in_hand(SQL("checks.id"), as_of),
                self._query_was_booked(SQL("checks.id")),
            )
        else:
            in_hand = SQL("checks.state IN %s AND checks.custody_move_id IS NULL", checks.IN_HAND)
        return SQL(
            """SELECT line.move_line_id, line.check_id, checks.deposit_date, line.item_amount
                 FROM account_postdated_check_line line
                 JOIN account_postdated_check checks ON checks.id = line.check_id
                WHERE line.move_line_id = ANY(%(items)s) AND %(in_hand)s
                ORDER BY checks.deposit_date, checks.id""",
            items=item_ids,
            in_hand=in_hand,
        )

    @api.model
    def _query_in_hand(self, check_id, day, states=checks.IN_HAND):
        """Condition: this check was in hand, or in one of these states, at the end of ``day``. What was done to it
        last, of all that was done by that day, tells its state then."""
        return SQL(
            """(SELECT event.new_state FROM account_postdated_check_event event
                 WHERE event.check_id = %(check_id)s AND event.date <= %(day)s
                 ORDER BY event.id DESC LIMIT 1) IN %(states)s""",
            check_id=check_id,
            day=day,
            states=states,
        )

    @api.model
    def _query_was_booked(self, check_id):
        """Condition: an entry held this check in custody, also where it is reversed by now."""
        return SQL(
            """EXISTS (SELECT 1 FROM account_move move
                         JOIN account_move_line held ON held.move_id = move.id
                         JOIN account_account account ON account.id = held.account_id
                        WHERE move.postdated_check_id = %s AND move.move_type = 'entry'
                          AND move.reversed_entry_id IS NULL AND held.balance > 0
                          AND account.account_type = 'asset_receivable')""",
            check_id,
        )

    def _get_cover_text(self, amount=None):
        """What a customer or a person reads of this cover, beside the item."""
        self.ensure_one()
        currency = self.item_currency_id
        return _(
            "Covered by %(check)s, deposit on %(date)s: %(amount)s",
            check=self.check_id.display_name,
            date=format_date(self.env, self.check_id.deposit_date),
            amount=format_amount(self.env, self.item_amount if amount is None else amount, currency),
        )
