from collections import defaultdict

from odoo import _, api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ..engine import checks

# What a person chooses; the rest follows from it.
CHOSEN = {"check_id", "move_line_id", "amount", "discount"}
FOLLOWING = {"company_id", "move_id", "date_maturity", "item_amount"}


class AccountPostdatedCheckLine(models.Model):
    """What a check is meant to pay of one open item."""

    _name = "account.postdated.check.line"
    _description = "Invoice Paid by a Check"
    _order = "check_id, date_maturity, id"

    check_id = fields.Many2one("account.postdated.check", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="check_id.company_id", store=True)
    commercial_partner_id = fields.Many2one(related="check_id.commercial_partner_id")
    state = fields.Selection(related="check_id.state")
    move_line_id = fields.Many2one(
        "account.move.line",
        string="Open Item",
        required=True,
        index=True,
        ondelete="cascade",
        domain="[('account_id.account_type', '=', 'asset_receivable'), ('parent_state', '=', 'posted'),"
        " ('reconciled', '=', False), ('balance', '>', 0), ('company_id', '=', company_id),"
        " ('partner_id.commercial_partner_id', '=', commercial_partner_id)]",
    )
    move_id = fields.Many2one(related="move_line_id.move_id", store=True, index=True, string="Invoice")
    date_maturity = fields.Date(related="move_line_id.date_maturity", store=True, string="Due")
    currency_id = fields.Many2one(related="check_id.currency_id")
    amount = fields.Monetary(required=True)
    discount = fields.Monetary(
        readonly=True, help="What the payment terms take off, because all of it is paid by the day of the deposit."
    )
    item_currency_id = fields.Many2one(related="move_line_id.currency_id", string="Currency of the Item")
    open_amount = fields.Monetary(
        related="move_line_id.amount_residual_currency", currency_field="item_currency_id", string="Open"
    )
    item_amount = fields.Monetary(
        string="Settles",
        currency_field="item_currency_id",
        compute="_compute_item_amount",
        store=True,
        readonly=False,
        help="What it takes off the item, in the item's currency; an estimate until the deposit where they differ.",
    )

    _sql_constraints = [
        ("item_unique", "UNIQUE(check_id, move_line_id)", "A check names each open item once."),
    ]

    @api.depends("amount", "discount", "move_line_id", "check_id.currency_id", "check_id.deposit_date")
    def _compute_item_amount(self):
        for line in self:
            check = line.check_id
            if check.custody_move_id and check.state in checks.IN_HAND:
                # Custody paid it at the rate of its day: another day for the deposit changes nothing of that.
                line.item_amount = line.item_amount
            else:
                line.item_amount = line._get_settled(check.deposit_date or fields.Date.context_today(line))

    @api.onchange("move_line_id")
    def _onchange_move_line_id(self):
        """What no other check is meant for and what this one has left, whichever is less."""
        for line in self.filtered("move_line_id"):
            check = line.check_id
            taken = self._get_taken(line.move_line_id, except_checks=check)[line.move_line_id.id]
            item = check._prepare_item(line.move_line_id, taken, check.deposit_date)
            others = sum(other.amount for other in check.line_ids if other != line)
            share = checks.suggest(check._to_units(check.amount - others), [item])
            line.amount = check._from_units(share[0].amount) if share else 0.0
            line.discount = check._from_units(share[0].discount) if share else 0.0

    @api.onchange("amount")
    def _onchange_amount(self):
        """A discount is for who pays all that remains."""
        for line in self.filtered("move_line_id"):
            if not line._is_discount_allowed(line.check_id.deposit_date):
                line.discount = 0.0

    @api.constrains("amount", "move_line_id", "check_id")
    def _check_line(self):
        self._check_allocation()

    # === CRUD ===#

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            vals_list = [self._drop_following(vals) for vals in vals_list]
        lines = super().create(vals_list)
        lines._check_changeable()
        return lines

    def write(self, vals):
        if not self.env.su:
            vals = self._drop_following(vals)
        if CHOSEN.isdisjoint(vals):
            return super().write(vals)
        self._check_changeable()
        # A discount is for who pays all that remains: a person who changes the amount does without it.
        result = super().write({"discount": 0.0, **vals})
        if "check_id" in vals:
            self._check_changeable()
        if "discount" in vals and not self.env.su:
            self._check_allocation()
        return result

    def unlink(self):
        self._check_changeable()
        return super().unlink()

    @api.model
    def _drop_following(self, vals):
        """What follows from the check and its item is nobody's to write, also not through the API."""
        return {name: value for name, value in vals.items() if name not in FOLLOWING}

    def _check_changeable(self):
        # sudo does what a person may not: the deposit writes what was paid in the end
        for check in self.check_id if not self.env.su else ():
            check._check_changeable()

    # === Helpers ===#

    def _check_allocation(self):
        """Raise a sentence where these lines do not fit their check or the items that they pay."""
        for line in self:
            if fault := line._get_fault():
                raise ValidationError(_("%(check)s: %(fault)s", check=line.check_id.display_name, fault=fault))
        for check in self.check_id:
            if check.currency_id.compare_amounts(sum(check.line_ids.mapped("amount")), check.amount) > 0:
                raise ValidationError(
                    _(
                        "%(check)s is for %(amount)s: its invoices add up to %(total)s.",
                        check=check.display_name,
                        amount=check.currency_id.format(check.amount),
                        total=check.currency_id.format(sum(check.line_ids.mapped("amount"))),
                    )
                )
            if len(check.line_ids.move_line_id.account_id) > 1:
                raise ValidationError(
                    _(
                        "%(check)s: its invoices are on different receivable accounts (%(accounts)s); one payment "
                        "cannot settle both.",
                        check=check.display_name,
                        accounts=", ".join(check.line_ids.move_line_id.account_id.mapped("code")),
                    )
                )
        self.filtered(lambda line: line.check_id._is_pending())._check_open_amounts()

    def _get_fault(self):
        """A sentence on what is wrong with this line by itself, or None."""
        self.ensure_one()
        item, check = self.move_line_id, self.check_id
        document = item.move_id._get_collection_document()
        if check.currency_id.compare_amounts(self.amount, 0) <= 0:
            return _("what it pays of %(document)s must be above zero.", document=document)
        if item.company_id != check.company_id:
            return _("%(document)s is of another company.", document=document)
        if item.partner_id.commercial_partner_id != check.commercial_partner_id:
            return _("%(document)s is of another customer.", document=document)
        if item.account_id.account_type != "asset_receivable" or item.parent_state != "posted" or item.balance <= 0:
            return _("%(document)s is not a posted invoice that is owed.", document=document)
        if not self._is_discount_allowed(check.deposit_date):
            return _("the terms of %(document)s do not allow that discount.", document=document)
        return None

    def _get_settled(self, date):
        """What it takes off the item on that day, in the item's currency. Where this is not the check's, the check's
        last cent may be worth more than what is left of the item: then it settles that."""
        self.ensure_one()
        check, item = self.check_id, self.move_line_id
        settled = self.amount + self.discount
        if not item or item.currency_id == check.currency_id:
            return settled
        settled, cent = (
            check.currency_id._convert(amount, item.currency_id, check.company_id, date)
            for amount in (settled, check.currency_id.rounding)
        )
        left = item.amount_residual_currency - self._get_taken(item, except_checks=check)[item.id]
        return left if left < settled < left + cent else settled

    def _is_discount_allowed(self, date):
        """Whether the terms take off what this line does, of an item that is paid whole on that day."""
        if not self.discount:
            return True
        allowed = self.move_line_id._get_collection_discount(date)
        settled, remains = self.amount + self.discount, self.move_line_id.amount_residual_currency
        compare = self.currency_id.compare_amounts
        return not compare(self.discount, allowed) and not compare(settled, remains)

    def _drop_lost_discounts(self):
        """The agreed day moved: who pays later than the terms say does without the discount."""
        lost = self.filtered(
            lambda line: line.check_id._is_pending() and not line._is_discount_allowed(line.check_id.deposit_date)
        )
        lost.discount = 0.0

    def _fits(self, date):
        """Whether on that day the item is open for what the check would pay of it."""
        self.ensure_one()
        item = self.move_line_id
        enough = item.currency_id.compare_amounts(item.amount_residual_currency, self.item_amount) >= 0
        return enough and self._is_discount_allowed(date) and item.parent_state == "posted"

    def _read_settled(self, pair):
        """Keep what the deposit took off the item, as its partial reconciliation says."""
        partial = self.env["account.partial.reconcile"].search(
            [("debit_move_id", "in", pair.ids), ("credit_move_id", "in", pair.ids)], order="id desc", limit=1
        )
        self.item_amount = partial.debit_amount_currency

    def _check_open_amounts(self):
        taken = self._get_taken(self.move_line_id)
        for item in self.move_line_id:
            if item.currency_id.compare_amounts(taken[item.id], item.amount_residual_currency) > 0:
                line = self.filtered(lambda line: line.move_line_id == item)[:1]
                others = self._get_taking(item, except_checks=line.check_id)
                raise ValidationError(
                    _(
                        "%(check)s: %(document)s is open for %(amount)s, and checks would pay %(taken)s of it. "
                        "%(others)s",
                        check=line.check_id.display_name,
                        document=item.move_id._get_collection_document(),
                        amount=item.currency_id.format(item.amount_residual_currency),
                        taken=item.currency_id.format(taken[item.id]),
                        others=_("Also meant for it: %s.", ", ".join(others.mapped("check_id.display_name")))
                        if others
                        else "",
                    )
                )

    @api.model
    def _query_covered(self, company=None, today=None):
        """Rows (receivable line, amount in its currency) of what checks in hand are to pay: of one company, and whose
        agreed day has not passed by ``today``, or of all. Served by the partial index of checks in hand and the index
        on the check of its lines."""
        scope = (
            SQL("checks.deposit_date >= %s AND checks.company_id = %s", today, company.id) if company else SQL("TRUE")
        )
        return SQL(
            """SELECT line.move_line_id, line.item_amount
                 FROM account_postdated_check checks
                 JOIN account_postdated_check_line line ON line.check_id = checks.id
                WHERE checks.state IN %(in_hand)s AND checks.custody_move_id IS NULL AND %(scope)s""",
            in_hand=checks.IN_HAND,
            scope=scope,
        )

    @api.model
    def _get_taking(self, items, except_checks=None):
        """The lines of checks that wait, and are not booked, which are meant for these items."""
        # sudo: what other collectors' checks are meant for counts too
        return self.sudo().search(
            [
                ("move_line_id", "in", items.ids),
                ("check_id.state", "in", checks.PENDING),
                ("check_id.custody_move_id", "=", False),
                ("check_id", "not in", except_checks.ids if except_checks else []),
            ]
        )

    @api.model
    def _get_taken(self, items, except_checks=None):
        """``{item id: amount}`` of what waiting checks are meant for, in the item's currency."""
        taken = defaultdict(float)
        for line in self._get_taking(items, except_checks):
            taken[line.move_line_id.id] += line.item_amount
        return taken
