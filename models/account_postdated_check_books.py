from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.misc import format_date

from ..engine import checks


class AccountPostdatedCheck(models.Model):
    """The entries of checks. Every method is for a set of checks in sudo, whose right and state were asked before.

    *Custody* (where the company books it): Dr checks in custody, Cr receivable. *Deposit*: a payment in the bank
    journal, against the receivable or the checks in custody. *Bounce* and every way back: the reverse of what is
    booked, on its own day; nothing is deleted. Each partial reconciliation is what the check's line says.
    """

    _inherit = "account.postdated.check"

    cleared_by_bank = fields.Boolean(readonly=True, copy=False)

    # === Custody ===#

    def _book_custody(self):
        """The customer owes the check, and no longer the invoices that it is meant for."""
        for check in self:
            check._check_custody_set_up()
            check._check_open_period(check.receipt_date, check.company_id.collection_check_journal_id)
        moves = self.env["account.move"].create([check._prepare_custody_entry() for check in self])
        moves._post(soft=False)
        credits = {}
        for check, move in zip(self, moves):
            check.custody_move_id = move
            credits[check] = move.line_ids._get_receivable().filtered(lambda line: line.balance < 0)
        self._reconcile_shares(credits)

    def _check_custody_set_up(self):
        company = self.company_id
        if not company.collection_check_custody_account_id or not company.collection_check_journal_id:
            raise UserError(
                _(
                    "%(check)s: choose the account and the journal of checks in custody in the settings of "
                    "%(company)s.",
                    check=self.display_name,
                    company=company.display_name,
                )
            )

    def _prepare_custody_entry(self):
        date = self.receipt_date
        balance = self.currency_id._convert(self.amount, self.company_id.currency_id, self.company_id, date)
        write_off = self._prepare_discount(date)
        settled = self.amount + sum(line["amount_currency"] for line in write_off)
        settled_balance = balance + sum(line["balance"] for line in write_off)
        shared = {"partner_id": self.commercial_partner_id.id, "currency_id": self.currency_id.id}
        lines = [
            {
                **shared,
                "name": self.display_name,
                "account_id": self.company_id.collection_check_custody_account_id.id,
                "date_maturity": self.deposit_date,
                "amount_currency": self.amount,
                "balance": balance,
            },
            {
                **shared,
                "name": self.display_name,
                "account_id": self._get_receivable_account().id,
                "date_maturity": date,
                "amount_currency": -settled,
                "balance": -settled_balance,
            },
            *write_off,
        ]
        return {
            "move_type": "entry",
            "journal_id": self.company_id.collection_check_journal_id.id,
            "company_id": self.company_id.id,
            "date": date,
            "ref": self.display_name,
            "postdated_check_id": self.id,
            "line_ids": [fields.Command.create(line) for line in lines],
        }

    def _move_custody_day(self):
        """The agreed day moved: what is owed of checks in custody falls due on it."""
        for check in self.filtered(lambda check: check.custody_move_id and check.state in checks.IN_HAND):
            check._get_custody_line().date_maturity = check.deposit_date

    @api.model
    def _query_custody_lines(self, company, today):
        """Rows (receivable line, amount in its currency) of the entries that hold checks, until their agreed day: the
        check that is owed and the advance in it, a credit that is no money before the deposit. Served by the partial
        index of checks in hand and the index of account_move_line on move_id."""
        return SQL(
            """SELECT line.id, line.amount_residual_currency
                 FROM account_postdated_check checks
                 JOIN account_move_line line ON line.move_id = checks.custody_move_id
                WHERE checks.state IN %(in_hand)s AND checks.deposit_date >= %(today)s
                  AND checks.company_id = %(company)s AND line.amount_residual_currency <> 0""",
            in_hand=checks.IN_HAND,
            today=today,
            company=company.id,
        )

    # === Deposit ===#

    def _check_deposit(self, date):
        """Raise a sentence for the first check that cannot be deposited on that day."""
        for check in self:
            values = {"check": check.display_name, "date": format_date(self.env, check.deposit_date)}
            if check.deposit_date > date:
                raise UserError(_("%(check)s is to be deposited on %(date)s: agree on an earlier day first.", **values))
            if date > check.company_id._get_collection_today():
                raise UserError(_("%(check)s cannot be deposited on a day that is still to come.", **values))
            if not check.journal_id:
                raise UserError(_("%(check)s: choose the bank journal in which to deposit it.", **values))
            if not check._get_payment_method_line():
                raise UserError(
                    _(
                        "%(check)s: the journal %(journal)s has no method for incoming payments.",
                        journal=check.journal_id.display_name,
                        **values,
                    )
                )
            check._check_open_period(date, check.journal_id)

    def _check_open_period(self, date, journal):
        if self.env["account.move"]._is_closed_period(date, journal, self.company_id):
            raise UserError(
                _(
                    "%(check)s: %(date)s is in a closed period of %(company)s; choose a later day.",
                    check=self.display_name,
                    date=format_date(self.env, date),
                    company=self.company_id.display_name,
                )
            )

    def _check_not_before(self, date, first):
        if date < first:
            raise UserError(
                _(
                    "%(check)s: choose %(date)s, when it was booked, or a later day.",
                    check=self.display_name,
                    date=format_date(self.env, first),
                )
            )

    def _book_deposit(self, date):
        """A payment for each check, reconciled with what it is meant for; the rest is the customer's credit."""
        # Odoo 19 keeps payments without an entry where it expects the bank's; a check has one.
        Payment = self.env["account.payment"].with_context(force_payment_move=True)
        payments = Payment.create([check._prepare_payment(date) for check in self])
        payments.action_post()
        self._link_entries(zip(self, payments.move_id))
        custody, credits = [], {}
        for check, payment in zip(self, payments):
            check.payment_id = payment
            check.slip_id = False
            credit = payment.move_id.line_ids.filtered(
                lambda line, payment=payment: line.account_id == payment.destination_account_id
            )
            if check.custody_move_id:
                custody.append(credit + check._get_custody_line())
            else:
                credits[check] = credit
        self._reconcile_shares(credits)
        self.env["account.move.line"]._reconcile_plan(custody)

    @api.model
    def _link_entries(self, pairs):
        """Tell these entries whose they are, ``(check, entry)``, in one statement: written one by one, Odoo would ask
        of each whether it still balances."""
        rows = SQL(", ").join(SQL("(%s, %s)", check.id, move.id) for check, move in pairs)
        self.env["account.move"].flush_model(["postdated_check_id"])
        self.env.cr.execute(
            SQL(
                """UPDATE account_move move SET postdated_check_id = owner.check_id
                     FROM (VALUES %s) AS owner(check_id, move_id) WHERE move.id = owner.move_id""",
                rows,
            )
        )
        self.env["account.move"].invalidate_model(["postdated_check_id"])
        self.invalidate_recordset(["entry_ids"])

    def _prepare_payment(self, date):
        """Values of the payment that deposits this check; those of its write-off are the early payment discounts."""
        account = self._get_receivable_account()
        if self.custody_move_id:
            account = self._get_custody_line().account_id
        values = {
            "payment_type": "inbound",
            "partner_type": "customer",
            "partner_id": self.commercial_partner_id.id,
            "company_id": self.company_id.id,
            "amount": self.amount,
            "currency_id": self.currency_id.id,
            "date": date,
            "journal_id": self.journal_id.id,
            "payment_method_line_id": self._get_payment_method_line().id,
            "destination_account_id": account.id,
            **self.env["account.payment"]._prepare_collection_memo(self.display_name),
        }
        write_off = [] if self.custody_move_id else self._prepare_discount(date)
        return {**values, "write_off_line_vals": write_off} if write_off else values

    def _prepare_discount(self, date):
        """Lines that write off the early payment discounts that this check takes, as Odoo's own payments do."""
        taking = self.line_ids.filtered("discount")
        if not taking:
            return []
        company_currency = self.company_id.currency_id
        items = [
            {
                "aml": line.move_line_id,
                "amount_currency": -line.item_amount,
                "balance": line.currency_id._convert(-line.item_amount, company_currency, self.company_id, date),
            }
            for line in taking
        ]
        open_balance = self.currency_id._convert(
            sum(taking.mapped("discount")), company_currency, self.company_id, date
        )
        found = self.env["account.move"]._get_invoice_counterpart_amls_for_early_payment_discount(items, open_balance)
        return [line for lines in found.values() for line in lines]

    def _get_payment_method_line(self):
        lines = self.journal_id.inbound_payment_method_line_ids
        return lines.filtered(lambda line: line.code == "manual")[:1] or lines[:1]

    def _get_receivable_account(self):
        """The account of the invoices it pays, else that of the customer."""
        partner = self.commercial_partner_id.with_company(self.company_id)
        return self.line_ids.move_line_id.account_id[:1] or partner.property_account_receivable_id

    def _get_custody_line(self):
        return self.custody_move_id.line_ids._get_receivable().filtered(lambda line: line.balance > 0)

    # === What it pays ===#

    def _resettle(self, date):
        """Fit what the checks are meant for to what is open on the day of their deposit.

        :return: ``{check: text}`` of those that changed
        """
        notes = {}
        for check in self.filtered(lambda check: not check.custody_move_id):
            for line in check.line_ids.filtered(lambda line: line.item_currency_id != line.currency_id):
                line.item_amount = line._get_settled(date)
            if all(line._fits(date) for line in check.line_ids):
                continue
            before = {line.move_line_id: line.amount for line in check.line_ids}
            settled = checks.settle(check._to_units(check.amount), check._get_shares(), check._get_items(date))
            check.line_ids = [fields.Command.clear(), *check._prepare_lines(settled)]
            notes[check] = check._get_resettled_text(before)
        return notes

    def _get_resettled_text(self, before):
        """:param before: ``{open item: amount}`` that it was meant for"""
        now = {line.move_line_id: line.amount for line in self.line_ids}
        changed = [item for item in {**before, **now} if before.get(item, 0.0) != now.get(item, 0.0)]
        parts = [
            _(
                "%(document)s %(before)s, now %(now)s",
                document=item.move_id._get_collection_document(),
                before=self.currency_id.format(before.get(item, 0.0)),
                now=self.currency_id.format(now.get(item, 0.0)),
            )
            for item in changed
        ]
        return _(
            "What is open changed since it was received, and with it what it pays: %(changes)s; advance %(advance)s.",
            changes="; ".join(parts),
            advance=self.currency_id.format(self.advance_amount),
        )

    def _reconcile_shares(self, credits):
        """Reconcile with each item exactly what the check's line says.

        Those in company currency go together; those that may leave an exchange difference one by one, so that each
        difference is of its own partial.

        :param credits: ``{check: its credit line}``
        """
        items = self.env["account.move.line"]
        together, apart, shares = [], [], {}
        for check, credit in credits.items():
            for line in check.line_ids:
                pair = line.move_line_id + credit
                shares[line.move_line_id.id, credit.id] = line.amount + line.discount
                domestic = pair.currency_id == check.company_id.currency_id
                (together if domestic else apart).append((line, pair))
        items = items.with_context(collection_shares=shares)
        items._reconcile_plan([pair for _line, pair in together])
        for line, pair in apart:
            items._reconcile_plan([pair])
            line._read_settled(pair)

    # === The way back ===#

    def _reverse_entries(self, date, reason):
        """Reverse what is booked of these checks on ``date``: deposits, and custody where it stands."""
        defaults, moves = [], self.env["account.move"]
        for check in self:
            for move in check.custody_move_id + check.payment_id.move_id:
                check._check_open_period(date, move.journal_id)
                check._check_not_before(date, move.date)
                moves += move
                text = _("Reversal of %s", check.display_name)
                defaults.append(
                    {
                        "date": date,
                        "ref": ": ".join(filter(None, (text, reason))),
                        "postdated_check_id": check.id,
                    }
                )
        if not moves:
            return
        # What the bank statement matched stays matched; the customer's side is owed again.
        moves.line_ids._get_receivable().remove_move_reconcile()
        reverses = moves._reverse_moves(defaults)
        reverses._post(soft=False)
        reversals = self._get_slip_reversals(dict(zip(moves, reverses)))
        self.payment_id._collection_reject()
        self.write({"payment_id": False, "custody_move_id": False})
        # Last: what clears the other checks of the slip must not find these deposited any more.
        self.env["account.postdated.check.slip"]._release(reversals)

    def _get_slip_reversals(self, reverse_of):
        """``{slip: journal items}`` that take back what these checks put into slips with an entry.

        :param reverse_of: ``{entry: the one that reverses it}``
        """
        reversals = {}
        for check in self.filtered(lambda check: check.payment_id and check.slip_id.move_id):
            account = check.payment_id.outstanding_account_id
            lines = reverse_of[check.payment_id.move_id].line_ids.filtered(
                lambda line, account=account: line.account_id == account
            )
            reversals[check.slip_id] = reversals.get(check.slip_id, lines.browse()) + lines
        return reversals

    # === The bank ===#

    def _get_outstanding_lines(self):
        """What of the deposits of these checks waits for the bank statement, or did."""
        lines = self.env["account.move.line"]
        for payment in self.payment_id:
            lines += payment.move_id.line_ids.filtered(
                lambda line, payment=payment: line.account_id == payment.outstanding_account_id
            )
        return lines

    def _get_bank_date(self, totals_of):
        """Day of the bank statement line with which the deposit is matched whole, by itself or with the others of its
        slip, or None.

        :param totals_of: ``{slip: what of its entry the bank statement is to be matched with}``, read once for all
            checks of a slip
        """
        self.ensure_one()
        waiting = self._get_outstanding_lines()
        matched = waiting._get_collection_counterparts()
        if slip := matched.move_id.postdated_check_slip_id:
            if slip not in totals_of:
                totals_of[slip] = slip._get_total_lines()
            waiting += totals_of[slip].filtered(lambda line: line.currency_id in waiting.currency_id)
            matched = waiting._get_collection_counterparts()
        if not waiting or not all(line.reconciled for line in waiting):
            return None
        return max(matched.move_id.statement_line_id.mapped("date"), default=None)
