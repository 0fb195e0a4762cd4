from collections import defaultdict
from dataclasses import dataclass, field

from odoo import _, api, models
from odoo.tools import SQL, float_compare

from ..engine.keys import tax_key

BY = ("ref", "vat", "name")
DIGITS = 6
"""Decimals that a cell may have; no currency has more."""


@dataclass(kw_only=True)
class PartyRow:
    """A row that names a customer and an amount, as it was understood, and what is wrong with it in words."""

    number: int
    customer: str
    tax_id: str = ""
    currency_name: str = ""
    amount: float = 0.0
    partner: models.BaseModel | None = None
    currency: models.BaseModel | None = None
    faults: list[str] = field(default_factory=list)


class CollectionImportParty(models.AbstractModel):
    """An import whose rows name customers and amounts: both are found for all rows at once, with a constant number of
    queries.

    How to use: make the rows :class:`PartyRow`, and call ``_match_customers`` and ``_match_currencies`` on them.
    """

    _name = "collection.import.party"
    _inherit = ["collection.import"]
    _description = "Import of Customers' Amounts"

    # === Customers ===#

    def _match_customers(self, rows):
        """By tax ID where one is told apart, else by reference, tax ID or name; contacts of one customer are that
        customer. Who is archived is found, and told."""
        known = self._get_known_customers(rows)
        for row in rows:
            if row.customer or row.tax_id:
                self._choose_customer(row, self._find_customers(row, known))

    def _get_known_customers(self, rows):
        """``{(field, text): customers}`` of those that the rows may mean."""
        texts = {row.customer.casefold() for row in rows if row.customer}
        tax_ids = {tax_key(text) for row in rows for text in (row.tax_id, row.customer)} - {""}
        Partner = self.env["res.partner"].with_context(active_test=False)
        Partner.flush_model(["name", "ref", "vat"])
        self.env.cr.execute(self._query_customers(texts, tax_ids))
        ids = [partner_id for (partner_id,) in self.env.cr.fetchall()]
        found = Partner.search([("id", "in", ids), ("company_id", "in", (False, self.env.company.id))])
        known = defaultdict(self.env["res.partner"].browse)
        for partner in found:
            keys = ((partner.ref or "").casefold(), tax_key(partner.vat), (partner.name or "").casefold())
            for name, key in zip(BY, keys):
                known[name, key] |= partner.commercial_partner_id
        return known

    @api.model
    def _query_customers(self, texts, tax_ids):
        """Rows (partner) called, known or taxed as written: names and references in lower case, tax IDs in upper case
        and without marks. One scan of the partners."""
        return SQL(
            """SELECT id FROM res_partner
                WHERE lower(name) = ANY(%(texts)s) OR lower(ref) = ANY(%(texts)s) OR %(tax_key)s = ANY(%(tax_ids)s)""",
            texts=list(texts),
            tax_key=self.env["res.partner"]._query_tax_key(),
            tax_ids=list(tax_ids),
        )

    def _find_customers(self, row, known):
        """The customers that a row may mean, the archived ones only where there is no other."""
        text = row.customer.casefold()
        by_name = known["name", text]
        if row.tax_id:
            candidates = [known["vat", tax_key(row.tax_id)]]
            if len(candidates[0]) > 1 and candidates[0] & by_name:
                # Several share a general tax ID: the name tells which of them.
                candidates = [candidates[0] & by_name]
            candidates.append(by_name.filtered(lambda partner: not partner.vat))
        else:
            candidates = [known["ref", text], known["vat", tax_key(row.customer)], by_name]
        for found in candidates:
            if active := found.filtered("active"):
                return active
        return next(filter(None, candidates), by_name.browse())

    def _choose_customer(self, row, found):
        written = row.tax_id or row.customer
        if len(found) == 1 and found.active:
            row.partner = found
        elif len(found) == 1:
            row.faults.append(_("%(customer)s is archived: restore it first.", customer=found.display_name))
        elif found:
            row.faults.append(
                _(
                    "“%(customer)s” stands for %(count)s customers: write its reference or its tax ID.",
                    customer=written,
                    count=len(found),
                )
            )
        else:
            row.faults.append(
                _("There is no customer “%(customer)s”: correct its name, reference or tax ID.", customer=written)
            )

    # === Currencies ===#

    def _match_currencies(self, rows):
        """Without one it is the company's; amounts have no more decimals than theirs."""
        company = self.env.company
        currencies = {currency.name.casefold(): currency for currency in self.env["res.currency"].search([])}
        for row in rows:
            row.currency = currencies.get(row.currency_name.casefold()) if row.currency_name else company.currency_id
            if not row.currency:
                row.faults.append(_("“%(currency)s” is no active currency.", currency=row.currency_name))
            elif float_compare(row.currency.round(row.amount), row.amount, precision_digits=DIGITS):
                row.faults.append(_("The amount has more decimals than %(currency)s.", currency=row.currency.name))
