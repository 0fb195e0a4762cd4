"""The invoices, credit notes and payments of a company: created, posted and reconciled in batches."""

from collections import defaultdict
from datetime import timedelta

from odoo import Command

from . import people
from .parties import INVOICE_CONTACT

BULK = 50
"""So many documents at once change what the tables look like."""
NO_DUN_DAYS = 21
"""Invoices that are not dunned stay so for so many days from today."""


class Ledger:
    """Turns bills and receipts of the plan into journal entries.

    *How to use.* ``add(bills, receipts)`` as often as wished, the oldest first.

    *How it works.* One create and one post for the bills, the same for the payments, one reconciliation plan for
    everything that the payments settle. ``remaining`` keeps in memory what is open of each instalment,
    so that the amount of a payment is known before the one before it is reconciled.
    """

    def __init__(self, env, company, partners, terms, today):
        self.company = company
        self.env = env(context=dict(env.context, allowed_company_ids=company.ids, tracking_disable=True))
        self.partners = partners.with_env(self.env).with_company(company)
        self.terms = terms
        self.today = today
        self.mexican = company.currency_id.name == "MXN"
        self.payment_label = "Transferencia" if self.mexican else "Wire transfer"
        # A fiscal position that changes nothing spares the search for one at every document.
        self.partners.property_account_position_id = self.env["account.fiscal.position"].create(
            {"name": "Régimen general" if self.mexican else "Standard", "company_id": company.id}
        )
        self.currencies = {name: self.env.ref(f"base.{name}") for name in ("MXN", "USD")}
        self.journal = self.env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", company.id)], limit=1
        )
        # Receipts go straight to the bank: there is no statement to wait for, and every series makes an entry of them.
        self.method_line = self.journal.inbound_payment_method_line_ids[:1]
        self.method_line.payment_account_id = self.journal.default_account_id
        self.tax = company.account_sale_tax_id
        self.sales_code = (
            self.env["account.journal"].search([("type", "=", "sale"), ("company_id", "=", company.id)], limit=1).code
        )
        self.numbers = defaultdict(int)
        """Prefix of a document's number, with its year: last number given, so that no document asks for its own."""
        self.lines = {}
        """Key of a bill: its receivable lines by due date."""
        self.remaining = defaultdict(dict)
        """Key of a bill: {position of the instalment: open amount, in the currency of the bill}."""

    def add(self, bills, receipts):
        """Post these bills and receipts and set off what settles what."""
        # PostgreSQL believes these tables empty until it counts them: Odoo's own reading of what a credit note or a
        # payment settled would loop over them for minutes.
        is_bulk = len(bills) + len(receipts) > BULK
        self._post_bills([bill for bill in bills if not bill.credits])
        self._analyze(is_bulk)
        self._post_bills([bill for bill in bills if bill.credits])
        settlements = self._post_receipts(receipts)
        self._analyze(is_bulk)
        self.env.cr.execute("SET LOCAL enable_nestloop = off")
        self.env["account.move.line"]._reconcile_plan(settlements)
        self.env.flush_all()
        self.env.cr.execute("SET LOCAL enable_nestloop = on")
        self._analyze(is_bulk)

    def _analyze(self, is_bulk):
        self.env.flush_all()
        if is_bulk:
            self.env.cr.execute("ANALYZE account_move, account_move_line, account_payment, account_partial_reconcile")

    # === Bills ===#

    def _post_bills(self, bills):
        if not bills:
            return
        moves = self.env["account.move"].create([self._prepare_bill(bill) for bill in bills])
        moves.action_post()
        for bill, move in zip(bills, moves):
            lines = move.line_ids.filtered(lambda line: line.account_id.account_type == "asset_receivable")
            lines = lines.sorted("date_maturity")
            self.lines[bill.key] = lines
            if not bill.credits:
                self.remaining[bill.key] = dict(enumerate(lines.mapped("amount_currency")))
            elif bill.applied:
                self._take_credit(bill.credits, -sum(lines.mapped("amount_currency")))

    def _take_credit(self, key, amount):
        """Odoo sets a credit note off against the instalments of its invoice when it is posted, the oldest first."""
        remaining = self.remaining[key]
        for position in remaining:
            used = min(amount, remaining[position])
            remaining[position] -= used
            amount -= used

    def _prepare_bill(self, bill):
        customer = self.partners[bill.customer]
        if bill.customer in INVOICE_CONTACT:
            customer = customer.child_ids.filtered(lambda contact: contact.type == "invoice")[:1]
        goods = people.GOODS if self.mexican else people.US_GOODS
        first = (bill.customer + bill.day) % len(goods)
        name = goods[first]
        values = {
            "move_type": "out_refund" if bill.credits else "out_invoice",
            "partner_id": customer.id,
            "company_id": self.company.id,
            "currency_id": self.currencies[bill.currency].id,
            "invoice_date": self.today - timedelta(days=bill.day),
            "name": self._next_name(f"{'R' if bill.credits else ''}{self.sales_code}", bill.day),
            "ref": bill.order,
            "invoice_payment_term_id": self.terms[bill.terms].id if not bill.credits else False,
            "invoice_user_id": False,
            "invoice_line_ids": [
                Command.create(
                    {
                        "name": name,
                        "quantity": 1,
                        "price_unit": bill.amount,
                        "tax_ids": [Command.set(self.tax.ids)],
                    }
                )
            ],
        }
        if bill.credits:
            invoice = self.lines[bill.credits].move_id
            values.update(invoice_date_due=values["invoice_date"], ref=f"Devolución {invoice.name}")
            if bill.applied:
                values["reversed_entry_id"] = invoice.id
        if bill.no_dun:
            until = self.today + timedelta(days=NO_DUN_DAYS)
            values.update(collection_no_dun=True, collection_no_dun_reason=bill.no_dun, collection_no_dun_until=until)
        return values

    def _next_name(self, code, day):
        prefix = f"{code}/{(self.today - timedelta(days=day)).year}"
        self.numbers[prefix] += 1
        return f"{prefix}/{self.numbers[prefix]:05d}"

    # === Receipts ===#

    def _post_receipts(self, receipts):
        """Post payments; returns the recordsets of lines that each one settles."""
        amounts = [(receipt, self._take(receipt)) for receipt in receipts]
        paying = [(receipt, amount) for receipt, amount in amounts if amount > 0]
        payments = self.env["account.payment"].create([self._prepare_payment(*pair) for pair in paying])
        payments.action_post()
        settlements = []
        for (receipt, _amount), payment in zip(paying, payments):
            if not receipt.pays:
                continue
            lines = payment.move_id.line_ids.filtered(lambda line: line.account_id.account_type == "asset_receivable")
            for key, position, _share in receipt.pays:
                lines |= self.lines[key][position]
            settlements.append(lines)
        return settlements

    def _take(self, receipt):
        """The amount of a receipt, taken off what remains of the bills that it pays."""
        total = receipt.on_account - receipt.short
        for key, position, share in receipt.pays:
            remaining = self.remaining[key]
            paid = round(remaining[position] * share, 2)
            remaining[position] -= paid
            total += paid
        return round(total, 2)

    def _prepare_payment(self, receipt, amount):
        customer, currency = self.partners[receipt.customer], self.currencies[receipt.currency]
        date = self.today - timedelta(days=receipt.day)
        values = {
            "payment_type": "inbound",
            "partner_type": "customer",
            "partner_id": customer.id,
            "company_id": self.company.id,
            "amount": amount,
            "date": date,
            "journal_id": self.journal.id,
            "payment_method_line_id": self.method_line.id,
        }
        if currency != self.company.currency_id:
            # Told what it is anyway, Odoo writes the currency of each payment to its entry, one by one.
            values["currency_id"] = currency.id
        if "line_ids" in self.env["account.payment"]._fields:
            # Where a payment is its entry, the lines are made with it: the ORM would write them payment by payment.
            balance = currency._convert(amount, self.company.currency_id, self.company, date)
            line = {
                "partner_id": customer.id,
                "currency_id": currency.id,
                "date_maturity": date,
                "name": self.payment_label,
            }
            values["name"] = self._next_name(f"P{self.journal.code}", receipt.day)
            bank, receivable = self.journal.default_account_id, customer.property_account_receivable_id
            values["line_ids"] = [
                Command.create({**line, "account_id": bank.id, "amount_currency": amount, "balance": balance}),
                Command.create({**line, "account_id": receivable.id, "amount_currency": -amount, "balance": -balance}),
            ]
        return values
