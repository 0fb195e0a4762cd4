from collections import defaultdict
from datetime import date
from typing import NamedTuple

import psycopg2
from markupsafe import Markup

from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, mute_logger

from ..engine import cells
from .rights import check_manager

DONE, UNDONE = "done", "undone"
NAMED = 5
"""So many items are named in a sentence; of the others their number."""


class OpenItem(NamedTuple):
    """A document of another system that is still open. Amounts are positive for what the customer owes."""

    partner: models.BaseModel
    document: str
    reference: str
    date: date
    due: date
    currency: models.BaseModel
    amount: float
    balance: float


class CollectionOpening(models.Model):
    """One import of open items that were not born here: an entry for each, undone together.

    *How to use.* ``_import`` makes one, ``action_undo`` takes it back while nothing of it is reconciled.

    *How it works.* Each item is an entry: a receivable line with its document, due date and amount, against the account
    that the company chose. A unique index of the entries keeps the same document of a customer from coming in twice
    from one source, also from two hosts at once.
    """

    _name = "collection.opening"
    _description = "Import of Open Items"
    _inherit = ["mail.thread"]
    _order = "id desc"
    _mail_post_access = "read"

    name = fields.Char(string="Source", required=True, readonly=True, help="The system that the items come from.")
    date = fields.Date(string="Imported On", required=True, readonly=True)
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    user_id = fields.Many2one("res.users", string="Imported By", required=True, readonly=True)
    file_name = fields.Char(string="File", readonly=True)
    state = fields.Selection([(DONE, "Done"), (UNDONE, "Undone")], required=True, readonly=True, default=DONE)
    move_ids = fields.One2many("account.move", "collection_opening_id", string="Entries", readonly=True)
    move_count = fields.Integer(string="Items", readonly=True)
    total = fields.Monetary(readonly=True, help="What the items add up to in the company's currency, credits deducted.")
    totals = fields.Char(string="By Currency", compute="_compute_totals")

    @api.depends("name", "date")
    def _compute_display_name(self):
        for opening in self:
            opening.display_name = f"{opening.name} {opening.date or ''}".strip()

    def _compute_totals(self):
        groups = self.env["account.move.line"]._read_group(
            [
                ("move_id.collection_opening_id", "in", self.ids),
                ("account_id.account_type", "=", "asset_receivable"),
                ("move_id.reversed_entry_id", "=", False),
            ],
            ["move_id", "currency_id"],
            ["amount_currency:sum"],
        )
        sums = defaultdict(lambda: defaultdict(float))
        for move, currency, amount in groups:
            sums[move.sudo().collection_opening_id.id][currency] += amount
        for opening in self:
            found = sums[opening.id]
            opening.totals = ", ".join(
                f"{currency.name} {currency.format(found[currency])}"
                for currency in sorted(found, key=lambda currency: currency.name)
            )

    # === Actions ===#

    def action_open_moves(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.account_move_opening_action")
        return {**action, "domain": [("collection_opening_id", "=", self.id)], "context": {"create": False}}

    def action_undo(self):
        """Take back whole imports of which nothing is reconciled."""
        check_manager(self.env, _("Only a manager of collections undoes an import of open items."))
        # sudo: managers need no right to invoice; the rules of their companies were asked by this search
        openings = self.search([("id", "in", self.ids)]).sudo()
        openings.flush_recordset()
        self.env.cr.execute(
            SQL("SELECT id FROM collection_opening WHERE id = ANY(%s) ORDER BY id FOR UPDATE", openings.ids)
        )
        openings.invalidate_recordset()
        for opening in openings:
            if opening.state == UNDONE:
                raise UserError(_("The import %s is undone already.", opening.display_name))
            opening._check_nothing_reconciled()
            debtors = opening._group_by_debtor()
            opening.move_ids._take_back_opening()
            opening.state = UNDONE
            opening._message_log(body=_("Undone: its items are owed no more."))
            opening._log_on_debtors(debtors, _("Import undone"))

    def _check_nothing_reconciled(self):
        items = self.move_ids.line_ids
        settled = items._get_settling()
        if not settled:
            return
        named = [
            _(
                "%(document)s of %(customer)s with %(entry)s",
                document=item.move_id._get_collection_document(),
                customer=item.partner_id.display_name or item.move_id.partner_id.display_name,
                entry=", ".join(others.move_id.mapped("name")),
            )
            for item, others in list(settled.items())[:NAMED]
        ]
        if len(settled) > NAMED:
            named.append(_("%s more", len(settled) - NAMED))
        raise UserError(
            _(
                "The import %(opening)s cannot be undone, because these items are reconciled: %(items)s. Take that "
                "back first.",
                opening=self.display_name,
                items="; ".join(named),
            )
        )

    # === Importing ===#

    @api.model
    def _import(self, company, source, items, booked_on=None, file_name=None):
        """Book these items. Whoever calls checked the right to.

        :param items: [:class:`OpenItem`]
        :param booked_on: date of all entries; without it each has the date of its document
        :raise UserError: when one of them was imported in this very moment by somebody else
        """
        company._check_opening_set_up()
        # sudo: managers of collections need no right to invoice, as for checks and disputes
        openings = self.sudo()
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                opening = openings.create(
                    {
                        "name": source,
                        "date": company._get_collection_today(),
                        "company_id": company.id,
                        "user_id": self.env.uid,
                        "file_name": file_name,
                        "move_count": len(items),
                        "total": company.currency_id.round(sum(item.balance for item in items)),
                    }
                )
                opening._book(items, booked_on)
        except psycopg2.errors.UniqueViolation:
            raise UserError(
                _("Some of these items were imported from %s in this very moment: look at the preview again.", source)
            ) from None
        opening._log_on_debtors(opening._group_by_debtor(), _("Open items imported"))
        return opening.with_env(self.env)

    def _book(self, items, booked_on):
        """Create and post the entries. The first one of each month is numbered by Odoo, which asks for each number by
        itself, and holds the sequence until the transaction ends; the others follow it."""
        # What thousands of entries would log of themselves, and whom they would tell, the import tells once.
        moves = self.env["account.move"].with_context(tracking_disable=True, collection_no_followers=True)
        accounts = self._get_receivable_accounts(items)
        months = defaultdict(list)
        for item in items:
            day = booked_on or item.date
            months[day.year, day.month].append(self._prepare_entry(item, day, accounts[item.partner]))
        first = moves.create([entries[0] for entries in months.values()])
        first._post(soft=False)
        others = [entries[1:] for entries in months.values()]
        moves.create(self._name_after(first, others))._post(soft=False)
        self.env.flush_all()

    @api.model
    def _name_after(self, first, others):
        """The values of entries with names that follow the one of the first entry of their month.

        :param first: an entry for each month
        :param others: values of the other entries of each month
        """
        patterns, last = [], defaultdict(int)
        for entry in first:
            pattern, parts = entry._get_sequence_format_param(entry.name)
            series = pattern.format(**{**parts, "seq": 0})
            last[series] = max(last[series], parts["seq"])
            patterns.append((series, pattern, parts))
        named = []
        for (series, pattern, parts), entries in zip(patterns, others):
            for entry in entries:
                last[series] += 1
                named.append({**entry, "name": pattern.format(**{**parts, "seq": last[series]})})
        return named

    def _get_receivable_accounts(self, items):
        """``{customer: its receivable account in this company}``"""
        partners = self.env["res.partner"].union(*(item.partner.sudo() for item in items)).with_company(self.company_id)
        return {partner: partner.property_account_receivable_id for partner in partners}

    def _prepare_entry(self, item, day, receivable):
        company = self.company_id
        bare = not item.reference
        counterpart = company.collection_opening_bare_account_id if bare else company.collection_opening_account_id
        shared = {
            "name": item.document,
            "partner_id": item.partner.id,
            "currency_id": item.currency.id,
            # Said here, it is looked for nowhere: no cost centre bears what was booked elsewhere.
            "analytic_distribution": False,
        }
        lines = [
            {
                **shared,
                "account_id": receivable.id,
                "date_maturity": item.due,
                "amount_currency": item.amount,
                "balance": item.balance,
            },
            {
                **shared,
                "account_id": counterpart.id,
                "amount_currency": -item.amount,
                "balance": -item.balance,
            },
        ]
        return {
            "move_type": "entry",
            "company_id": company.id,
            "journal_id": company.collection_opening_journal_id.id,
            "partner_id": item.partner.id,
            "fiscal_position_id": False,
            "currency_id": item.currency.id,
            "date": day,
            "ref": item.reference or False,
            "collection_opening_id": self.id,
            "collection_opening_document": item.document,
            "collection_opening_date": item.date,
            "collection_opening_key": self._get_key(self.name, item.document),
            "collection_opening_owner": item.partner.id,
            "line_ids": [fields.Command.create(line) for line in lines],
        }

    @api.model
    def _get_key(self, source, document):
        """What a document of a source is called, however it is written."""
        return f"{cells.fold(source)} {cells.as_text(document).casefold()}"

    # === Chatter ===#

    def _group_by_debtor(self):
        """``{(customer id, company id): entries}``"""
        return self.move_ids.grouped(lambda move: (move.commercial_partner_id.id, move.company_id.id))

    def _log_on_debtors(self, groups, text):
        # sudo: the log is the system's own
        debtor_of = self.env["collection.debtor"].sudo()._get_or_create(set(groups))
        bodies = {
            debtor_of[key].id: Markup("%s: %s (%s)") % (text, self._get_html_link(), len(moves))
            for key, moves in groups.items()
        }
        self.env["collection.debtor"].sudo().browse(bodies)._message_log_batch(bodies)
