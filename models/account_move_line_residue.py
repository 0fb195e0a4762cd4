from collections import Counter, defaultdict

from markupsafe import Markup

from odoo import _, api, models

from .collection_debtor_statement import PAYMENT_JOURNALS

PAYMENT, CREDIT_NOTE, INVOICE, ENTRY = "payment", "credit_note", "invoice", "entry"


class AccountMoveLine(models.Model):
    """Residues of cents: open items whose residual is within the tolerance under which nobody is dunned.

    *How to use.* ``_get_residues(companies)`` finds them, ``_get_residue_reasons`` says why they are there,
    ``account.move._write_off_residues`` writes them off.
    """

    _inherit = "account.move.line"

    @api.model
    def _get_residues(self, companies, domain=()):
        """The residues of customers in these companies, what is owed and what was overpaid. Three statements for each
        company.

        :param domain: which ones alone
        """
        residues = self.browse()
        for company in companies:
            open_items = [
                ("company_id", "=", company.id),
                ("account_id", "in", self.env["account.account"]._get_receivable_ids()),
                ("parent_state", "=", "posted"),
                ("reconciled", "=", False),
                ("partner_id", "!=", False),
                *domain,
            ]
            tolerances = self._get_residue_tolerances(company, open_items)
            within = [
                [("currency_id", "=", currency.id), ("amount_residual_currency", ">=", -tolerance)]
                + [("amount_residual_currency", "<=", tolerance), ("amount_residual_currency", "!=", 0)]
                for currency, tolerance in tolerances.items()
                if not currency.is_zero(tolerance)
            ]
            if within:
                # Each is one of four conditions; domains are written operators first.
                any_of = ["|"] * (len(within) - 1) + [part for one in within for part in ["&"] * 3 + one]
                residues += self.search([*open_items, *any_of], order="currency_id, partner_id, date, id")
        # Owed in one currency and overpaid in the other, by a mistaken rate: no single line is its opposite.
        return residues.filtered(lambda line: line.amount_residual * line.amount_residual_currency >= 0)

    @api.model
    def _get_residue_tolerances(self, company, open_items):
        """``{currency: tolerance in it}`` of the currencies of these items, as dunning has them today."""
        currencies = [currency for (currency,) in self._read_group(open_items, ["currency_id"])]
        places = {currency.id: currency.decimal_places for currency in currencies}
        units = self.env["collection.debtor"]._get_units(company, company._get_collection_today(), places)
        return {currency: units.tolerances.get(currency.id, 0) / 10**currency.decimal_places for currency in currencies}

    def _get_residue_reasons(self):
        """``{residue: why it is there, in words}``, from what was reconciled with it."""
        settled = self._get_settling()
        return {line: line._get_residue_reason(settled[line]) for line in self}

    def _get_settling(self):
        """``{item: the items that are reconciled with it}``, one query for all."""
        partials = self.env["account.partial.reconcile"].search(
            ["|", ("debit_move_id", "in", self.ids), ("credit_move_id", "in", self.ids)], order="id"
        )
        settled, mine = defaultdict(self.browse), set(self.ids)
        for partial in partials:
            debit, credit = partial.debit_move_id, partial.credit_move_id
            for line, other in ((debit, credit), (credit, debit)):
                if line.id in mine:
                    settled[line] += other
        return settled

    def _get_residue_reason(self, settling):
        self.ensure_one()
        amount = self.currency_id.format(abs(self.amount_currency))
        # Odoo's own differences settle nothing that a person did.
        exchange = settling.filtered(lambda line: line.journal_id == line.company_id.currency_exchange_journal_id)
        kinds = Counter(line._get_settling_kind() for line in settling - exchange)
        if not kinds:
            return _("Whole document: nothing of %(amount)s was settled", amount=amount)
        what = ", ".join(self._get_settling_text(kind, count) for kind, count in kinds.items())
        if (settling - exchange).currency_id - self.currency_id:
            return _("Exchange rounding: left of %(amount)s after %(what)s", amount=amount, what=what)
        if self.amount_residual_currency < 0:
            return _("Paid too much: left of %(amount)s after %(what)s", amount=amount, what=what)
        return _("Left of %(amount)s after %(what)s", amount=amount, what=what)

    def _get_settling_kind(self):
        if self.journal_id.type in PAYMENT_JOURNALS:
            return PAYMENT
        kinds = {"out_refund": CREDIT_NOTE, "out_invoice": INVOICE, "out_receipt": INVOICE}
        return kinds.get(self.move_id.move_type, ENTRY)

    @api.model
    def _get_settling_text(self, kind, count):
        texts = {
            PAYMENT: (_("1 payment"), _("%s payments", count)),
            CREDIT_NOTE: (_("1 credit note"), _("%s credit notes", count)),
            INVOICE: (_("1 invoice"), _("%s invoices", count)),
            ENTRY: (_("1 entry"), _("%s entries", count)),
        }
        return texts[kind][count > 1]

    def _prepare_residue_line(self, date, name):
        """Values of a line that closes this item: its opposite, to the cent in both currencies."""
        self.ensure_one()
        return {
            "name": name,
            "account_id": self.account_id.id,
            "partner_id": self.partner_id.id,
            "currency_id": self.currency_id.id,
            "date_maturity": date,
            "amount_currency": -self.amount_residual_currency,
            "balance": -self.amount_residual,
        }

    def _prepare_reconciliation_single_partial(self, debit_values, credit_values, shadowed_aml_values=None):
        """A residue and its opposite close each other whole. Odoo would look for a rate in a few cents and book what
        that leaves as a difference of exchange.

        The context has ``collection_opposites``: ids of pairs, the debit first.
        """
        pair = debit_values["aml"].id, credit_values["aml"].id
        if pair not in (self.env.context.get("collection_opposites") or ()):
            return super()._prepare_reconciliation_single_partial(debit_values, credit_values, shadowed_aml_values)
        partial = {
            "amount": debit_values["amount_residual"],
            "debit_amount_currency": debit_values["amount_residual_currency"],
            "credit_amount_currency": -credit_values["amount_residual_currency"],
            "debit_move_id": pair[0],
            "credit_move_id": pair[1],
        }
        for values in (debit_values, credit_values):
            values.update(amount_residual=0.0, amount_residual_currency=0.0)
        return {"debit_values": None, "credit_values": None, "partial_values": partial}

    @api.model
    def _reconcile_opposites(self, pairs):
        """Reconcile each item with its opposite, all in one plan.

        :param pairs: ``[(item, opposite)]``
        """

        def is_debit(line):
            return (line.amount_currency, line.balance) > (0, 0)

        ids = frozenset((one.id, other.id) if is_debit(one) else (other.id, one.id) for one, other in pairs)
        lines = self.with_context(collection_opposites=ids)
        lines._reconcile_plan([(one + other).with_env(lines.env) for one, other in pairs])

    @api.model
    def _log_by_item(self, texts):
        """Log ``{item: text}`` on the documents and, with their names, on the debtors: two batches, whatever their
        number."""
        pairs = {(line.partner_id.commercial_partner_id.id, line.company_id.id) for line in texts}
        # sudo: the log is the system's own
        debtor_of = self.env["collection.debtor"].sudo()._get_or_create(pairs)
        bodies = {"account.move": defaultdict(list), "collection.debtor": defaultdict(list)}
        for line, text in texts.items():
            debtor = debtor_of[line.partner_id.commercial_partner_id.id, line.company_id.id]
            bodies["account.move"][line.move_id.id].append(Markup("%s") % text)
            bodies["collection.debtor"][debtor.id].append(
                Markup("%s: %s") % (line.move_id._get_collection_document(), text)
            )
        for name, found in bodies.items():
            records = self.env[name].sudo().browse(found)
            records._message_log_batch({key: Markup("<br/>").join(lines) for key, lines in found.items()})
