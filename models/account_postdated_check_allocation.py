from odoo import _, fields, models
from odoo.exceptions import UserError

from ..engine import checks


class AccountPostdatedCheck(models.Model):
    """What a check is meant to pay: proposed for any number of checks at once, by ``engine.checks``."""

    _inherit = "account.postdated.check"

    def action_suggest(self):
        """Fill the allocations anew, those of one customer one after the other in the order of these checks."""
        for check in self:
            check._check_changeable()
        Line = self.env["account.postdated.check.line"]
        self.line_ids.unlink()
        payable = self._get_payable_lines()
        taken = Line._get_taken(payable)
        by_owner = payable.grouped(lambda line: (line.partner_id.commercial_partner_id, line.company_id))
        values = []
        for check in self:
            lines = by_owner.get((check.commercial_partner_id, check.company_id), payable.browse())
            items = check._to_items(lines, taken, check.deposit_date)
            for share in checks.suggest(check._to_units(check.amount), items):
                line = payable.browse(share.line_id)
                values.append({"check_id": check.id, **check._prepare_line(share)})
                settled = check._from_units(share.amount + share.discount)
                taken[line.id] += check.currency_id._convert(
                    settled, line.currency_id, check.company_id, check.deposit_date
                )
        Line.create(values)

    def _check_changeable(self):
        """What it is meant for changes until it is deposited, or booked in custody."""
        self.ensure_one()
        if not self._is_pending():
            raise UserError(
                _(
                    "%(check)s is %(state)s: what it pays cannot be changed any more.",
                    check=self.display_name,
                    state=self._get_state_label(),
                )
            )

    def _to_units(self, amount):
        """An amount of the check's currency in its smallest unit."""
        return round(amount * 10**self.currency_id.decimal_places)

    def _from_units(self, units):
        return units / 10**self.currency_id.decimal_places

    def _get_shares(self):
        """What its lines say, as the engine reads it."""
        return [
            checks.Share(line.move_line_id.id, self._to_units(line.amount), self._to_units(line.discount))
            for line in self.line_ids
        ]

    def _get_items(self, date=None):
        """What this check may pay on ``date`` (default: the agreed day), less what other checks are meant for, as
        :class:`engine.checks.Item` each."""
        self.ensure_one()
        lines = self._get_payable_lines()
        taken = self.env["account.postdated.check.line"]._get_taken(lines, except_checks=self)
        return self._to_items(lines, taken, date or self.deposit_date)

    def _get_payable_lines(self):
        """The open items of the customers of these checks, the oldest first."""
        return self.env["account.move.line"].search(
            [
                ("account_id.account_type", "=", "asset_receivable"),
                ("account_id", "not in", self.company_id.collection_check_custody_account_id.ids),
                ("parent_state", "=", "posted"),
                ("reconciled", "=", False),
                ("balance", ">", 0),
                ("partner_id.commercial_partner_id", "in", self.commercial_partner_id.ids),
                ("company_id", "in", self.company_id.ids),
            ],
            order="date_maturity, id",
        )

    def _to_items(self, lines, taken, date):
        """These open lines as items of the engine: those of one receivable account, since one payment settles no more.

        :param taken: ``{line id: amount}`` that other checks are meant for, in the line's currency
        """
        account = (self.line_ids.move_line_id or lines[:1]).account_id[:1]
        return [self._prepare_item(line, taken.get(line.id, 0.0), date) for line in lines if line.account_id == account]

    def _prepare_item(self, line, taken, date):
        """:param taken: what other checks are meant for of it, in the item's currency"""
        open_amount = line.amount_residual_currency - taken
        same = line.currency_id == self.currency_id
        if not same:
            open_amount = line.currency_id._convert(open_amount, self.currency_id, self.company_id, date)
        discount = line._get_collection_discount(date) if same and not taken else 0.0
        return checks.Item(
            line.id, line.date_maturity or line.date, self._to_units(open_amount), same, self._to_units(discount)
        )

    def _prepare_line(self, share):
        return {
            "move_line_id": share.line_id,
            "amount": self._from_units(share.amount),
            "discount": self._from_units(share.discount),
        }

    def _prepare_lines(self, shares):
        return [fields.Command.create(self._prepare_line(share)) for share in shares]
