from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .rights import check_manager

WRITTEN_OFF, UNDONE = "written_off", "undone"


class AccountMove(models.Model):
    """Entries that write off residues of cents, and the way back.

    *How it works.* One entry for each company and currency. Each residue is closed by a line on its own account and
    partner with the opposite of both its amounts, so that nothing is left of it and no rate is looked for; what that
    adds up to is on the chosen account, what customers owed and what they paid too much on a line each.
    """

    _inherit = "account.move"

    collection_residue_state = fields.Selection(
        [(WRITTEN_OFF, "Written Off"), (UNDONE, "Undone")],
        string="Residues",
        readonly=True,
        copy=False,
        index="btree_not_null",
        groups="base.group_user",
    )

    # === Writing off ===#

    @api.model
    def _write_off_residues(self, residues, date, books):
        """Write off these residues, whole. Whoever calls checked the right to.

        :param residues: journal items
        :param books: ``{company: (account, journal)}``
        :return: the entries, posted
        """
        # sudo: managers of collections need no right to invoice, as for checks and disputes; what is booked is what
        # ``_get_residues`` lets them choose, on the account and in the journal of their company
        moves = self.sudo()
        groups = residues.sudo().grouped(lambda line: (line.company_id, line.currency_id))
        entries = moves.create(
            [moves._prepare_residue_entry(lines, date, *books[lines.company_id]) for lines in groups.values()]
        )
        entries._post(soft=False)
        pairs, texts = [], {}
        for entry, lines in zip(entries, groups.values()):
            # The lines have the order in which they were created.
            for residue, line in zip(lines, entry.line_ids.sorted("id")):
                pairs.append((residue, line))
                texts[residue] = _(
                    "Residue of %(amount)s written off: %(entry)s",
                    amount=residue.currency_id.format(-line.amount_currency),
                    entry=entry._get_html_link(),
                )
        moves.line_ids._reconcile_opposites(pairs)
        moves.line_ids._log_by_item(texts)
        return entries.with_env(self.env)

    @api.model
    def _prepare_residue_entry(self, residues, date, account, journal):
        """Values of the entry of residues of one company and currency."""
        name = _("Residue written off")
        lines = [
            line._prepare_residue_line(date, f"{name}: {line.move_id._get_collection_document()}") for line in residues
        ]
        shared = {
            "name": _("Residues written off"),
            "account_id": account.id,
            "currency_id": residues.currency_id.id,
            "partner_id": False,
        }
        for part in (
            residues.filtered(lambda line: line.amount_residual_currency > 0),
            residues.filtered(lambda line: line.amount_residual_currency < 0),
        ):
            if part:
                amount = residues.currency_id.round(sum(part.mapped("amount_residual_currency")))
                balance = residues.company_currency_id.round(sum(part.mapped("amount_residual")))
                lines.append({**shared, "amount_currency": amount, "balance": balance})
        return {
            "move_type": "entry",
            "company_id": residues.company_id.id,
            "journal_id": journal.id,
            "currency_id": residues.currency_id.id,
            "date": date,
            "ref": _("Residues of cents"),
            "collection_residue_state": WRITTEN_OFF,
            "line_ids": [fields.Command.create(line) for line in lines],
        }

    # === The way back ===#

    def action_undo_residues(self):
        """Take back whole entries: what they wrote off is open again."""
        check_manager(self.env, _("Only a manager of collections takes back what was written off."))
        # sudo: as for writing off; the rules of the manager's own companies were asked by this search
        entries = self.search([("id", "in", self.ids)], order="id").sudo()
        entries._hold_residues()
        for entry in entries:
            entry._check_residue_undo()
        if not entries:
            raise UserError(_("Choose entries that wrote off residues."))
        closing = entries.line_ids._get_receivable()
        settled = closing._get_settling()
        closing.remove_move_reconcile()
        reverses = self.sudo().create([entry._prepare_residue_reverse() for entry in entries])
        reverses._post(soft=False)
        pairs, texts = [], {}
        for entry, reverse in zip(entries, reverses):
            text = _("Its residue is open again: %(entry)s is undone", entry=entry._get_html_link())
            for line, opposite in zip(entry.line_ids.sorted("id"), reverse.line_ids.sorted("id")):
                if line in closing:
                    pairs.append((line, opposite))
                    texts.update(dict.fromkeys(settled[line], text))
            # Once it is posted: Odoo would match the two by account, whatever the customer.
            reverse.reversed_entry_id = entry
        closing._reconcile_opposites(pairs)
        entries.collection_residue_state = UNDONE
        closing._log_by_item(texts)
        return reverses.with_env(self.env)._open_residue_entries(_("Reversals"))

    def _hold_residues(self):
        """Two people at once: the second one waits, and then sees what the first one did."""
        self.flush_recordset()
        self.env.cr.execute(SQL("SELECT id FROM account_move WHERE id = ANY(%s) ORDER BY id FOR UPDATE", self.ids))
        self.invalidate_recordset()

    def _check_residue_undo(self):
        states = {
            False: _("%(entry)s wrote off no residues."),
            UNDONE: _("%(entry)s is undone already."),
        }
        if fault := states.get(self.collection_residue_state):
            raise UserError(fault % {"entry": self.display_name})
        if self.state != "posted":
            raise UserError(_("%(entry)s is not posted: there is nothing to undo.", entry=self.display_name))
        if self.search_count([("reversed_entry_id", "=", self.id), ("state", "=", "posted")], limit=1):
            raise UserError(_("%(entry)s was reversed by hand already.", entry=self.display_name))

    def _prepare_residue_reverse(self):
        """Values of the entry that takes this one back, on its own day, or today where that day is closed."""
        date = self.date
        if self._is_closed_period(date, self.journal_id, self.company_id):
            date = self.company_id._get_collection_today()
            self._check_open_period(date, self.journal_id, self.company_id)
        lines = [
            {
                "name": line.name,
                "account_id": line.account_id.id,
                "partner_id": line.partner_id.id,
                "currency_id": line.currency_id.id,
                "date_maturity": date,
                "amount_currency": -line.amount_currency,
                "balance": -line.balance,
            }
            for line in self.line_ids.sorted("id")
        ]
        return {
            "move_type": "entry",
            "company_id": self.company_id.id,
            "journal_id": self.journal_id.id,
            "currency_id": self.currency_id.id,
            "date": date,
            "ref": _("Undone: %s", self.name),
            "line_ids": [fields.Command.create(line) for line in lines],
        }

    def _open_residue_entries(self, name):
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.account_move_residue_action")
        return {
            **action,
            "name": name,
            "display_name": name,
            "domain": [("id", "in", self.ids)],
            "context": {"create": False},
        }
