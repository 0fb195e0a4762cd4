from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.misc import format_date

from ..models.res_company_books import COUNTERPARTS
from ..models.rights import check_manager


class CollectionResidueWriteOff(models.TransientModel):
    """Writes off residues of cents that a manager saw and ticked.

    How to use: ``_list`` opens it, of the chosen debtors or of all. How it works: what is written off is found in the
    ledger again by the same rule, under a lock; what was paid or reconciled meanwhile stays out, and is told.
    """

    _name = "collection.residue.write.off"
    _description = "Write Off Residues"

    date = fields.Date(required=True, default=fields.Date.context_today)
    line_ids = fields.One2many("collection.residue.write.off.line", "wizard_id", string="Residues")
    company_ids = fields.One2many("collection.residue.write.off.company", "wizard_id", string="Booked In")
    totals = fields.Text(compute="_compute_totals")

    @api.depends("line_ids.ticked")
    def _compute_totals(self):
        for wizard in self:
            groups = wizard.line_ids.filtered("ticked").grouped(lambda line: (line.company_id, line.currency_id))
            wizard.totals = "\n".join(lines._get_total_text() for lines in groups.values())

    # === Opening ===#

    @api.model
    def _list(self, debtors=None):
        """Open the residues of ``debtors``, or of the companies at hand.

        :raise UserError: in one sentence, where there are none
        """
        check_manager(self.env, _("Only a manager of collections writes off residues."))
        domain, companies = [], self.env.companies
        if debtors is not None:
            companies = debtors.company_id & companies
            domain = [("partner_id.commercial_partner_id", "in", debtors.partner_id.ids)]
        residues = self.env["account.move.line"]._get_residues(companies, domain)
        if debtors is not None:
            chosen = {(debtor.partner_id, debtor.company_id) for debtor in debtors}
            residues = residues.filtered(
                lambda line: (line.partner_id.commercial_partner_id, line.company_id) in chosen
            )
        if not residues:
            raise UserError(self._get_nothing_text(companies))
        # sudo: nobody but this lists residues
        wizard = self.sudo().create(
            {
                "company_ids": [
                    fields.Command.create(self._prepare_company(company)) for company in residues.company_id
                ],
                "line_ids": [
                    fields.Command.create(self._prepare_line(line, reason))
                    for line, reason in residues._get_residue_reasons().items()
                ],
            }
        )
        return wizard.with_env(self.env)._open()

    @api.model
    def _get_nothing_text(self, companies):
        without = companies.filtered(lambda company: company.currency_id.is_zero(company.collection_tolerance))
        if without == companies:
            return _(
                "%(companies)s: the tolerance is zero, so that no item is a residue. Set it in Settings / Invoicing / "
                "Collections.",
                companies=", ".join(companies.mapped("name")),
            )
        return _(
            "No open residue is within the tolerance: %(tolerances)s.",
            tolerances=", ".join(
                _(
                    "%(amount)s in %(company)s",
                    amount=company.currency_id.format(company.collection_tolerance),
                    company=company.name,
                )
                for company in companies - without
            ),
        )

    @api.model
    def _prepare_company(self, company):
        return {
            "company_id": company.id,
            "account_id": company.collection_residue_account_id.id,
            "journal_id": company._get_residue_journal().id,
        }

    @api.model
    def _prepare_line(self, line, reason):
        return {
            "move_line_id": line.id,
            "document": line.move_id._get_collection_document(),
            "amount": line.amount_residual_currency,
            "balance": line.amount_residual,
            "reason": reason,
            # What nobody paid a cent of is a small document, and no residue before a person says so.
            "ticked": bool(line.matched_debit_ids or line.matched_credit_ids),
        }

    def _open(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.collection_residue_write_off_action")
        return {**action, "res_id": self.id}

    # === Actions ===#

    def action_tick_all(self):
        self.line_ids.ticked = True
        return self._open()

    def action_untick_all(self):
        self.line_ids.ticked = False
        return self._open()

    def action_write_off(self):
        self.ensure_one()
        check_manager(self.env, _("Only a manager of collections writes off residues."))
        ticked = self.line_ids.filtered("ticked")
        if not ticked:
            raise UserError(_("Tick the residues to write off first."))
        books = self._get_books(ticked.company_id)
        residues = self._get_still_open(ticked)
        left = ticked.filtered(lambda line: line.move_line_id not in residues)
        if not residues:
            raise UserError(_("Nothing is left to write off: all of it was paid or reconciled meanwhile."))
        self._check_not_before(residues)
        entries = self.env["account.move"]._write_off_residues(residues, self.date, books)
        self._remember(books)
        action = entries._open_residue_entries(_("Written-Off Residues"))
        result = left._tell(action) if left else action
        # sudo: what was written off cannot be written off again by a second click
        self.sudo().line_ids.unlink()
        return result

    def _get_books(self, companies):
        """``{company: (account, journal)}``. :raise UserError: where one is missing, or the day is closed"""
        books = {}
        for row in self.company_ids.filtered(lambda row: row.company_id in companies):
            if not row.account_id or not row.journal_id:
                raise UserError(
                    _("Choose the account and the journal for the residues of %s.", row.company_id.display_name)
                )
            self.env["account.move"]._check_open_period(self.date, row.journal_id, row.company_id)
            books[row.company_id] = row.account_id, row.journal_id
        return books

    def _get_still_open(self, ticked):
        """The items of these lines whose residue is the one that was listed, held until the transaction ends."""
        items = ticked.move_line_id
        items.flush_recordset()
        self.env.cr.execute(
            SQL("SELECT id FROM account_move_line WHERE id = ANY(%s) ORDER BY id FOR UPDATE", items.ids)
        )
        items.invalidate_recordset()
        listed = {line.move_line_id: line.amount for line in ticked}
        residues = self.env["account.move.line"]._get_residues(ticked.company_id, [("id", "in", items.ids)])
        return residues.filtered(
            lambda item: not item.currency_id.compare_amounts(item.amount_residual_currency, listed[item])
        )

    def _check_not_before(self, residues):
        latest = max(residues, key=lambda line: line.date)
        if self.date < latest.date:
            raise UserError(
                _(
                    "%(document)s is of %(date)s: choose that day or a later one.",
                    document=latest.move_id._get_collection_document(),
                    date=format_date(self.env, latest.date),
                )
            )

    def _remember(self, books):
        for company, (account, journal) in books.items():
            values = {"collection_residue_account_id": account.id, "collection_residue_journal_id": journal.id}
            if any(company[name].id != value for name, value in values.items()):
                # sudo: what is proposed next time is no right to change a company
                company.sudo().write(values)


class CollectionResidueWriteOffCompany(models.TransientModel):
    _name = "collection.residue.write.off.company"
    _description = "Where Residues Are Booked"
    _check_company_auto = True

    wizard_id = fields.Many2one("collection.residue.write.off", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    account_id = fields.Many2one(
        "account.account",
        string="Write Off To",
        check_company=True,
        domain=COUNTERPARTS,
        ondelete="cascade",
        help="Proposed again next time.",
    )
    journal_id = fields.Many2one(
        "account.journal", check_company=True, domain="[('type', '=', 'general')]", ondelete="cascade"
    )


class CollectionResidueWriteOffLine(models.TransientModel):
    _name = "collection.residue.write.off.line"
    _description = "Residue to Write Off"

    wizard_id = fields.Many2one("collection.residue.write.off", required=True, ondelete="cascade", index=True)
    ticked = fields.Boolean(string="Write Off")
    move_line_id = fields.Many2one("account.move.line", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one(related="move_line_id.company_id")
    partner_id = fields.Many2one(related="move_line_id.partner_id", string="Customer")
    document = fields.Char(readonly=True)
    date = fields.Date(related="move_line_id.date")
    currency_id = fields.Many2one(related="move_line_id.currency_id")
    company_currency_id = fields.Many2one(related="move_line_id.company_currency_id")
    amount = fields.Monetary(string="Residue", readonly=True)
    balance = fields.Monetary(string="In Company Currency", currency_field="company_currency_id", readonly=True)
    reason = fields.Char(readonly=True)

    def _get_total_text(self):
        """What lines of one company and currency add up to."""
        amount = self.currency_id.format(self.currency_id.round(sum(self.mapped("amount"))))
        text = _(
            "%(currency)s: %(amount)s (residues: %(count)s)",
            currency=self.currency_id.name,
            amount=amount,
            count=len(self),
        )
        return f"{self.company_id.name}, {text}" if len(self.wizard_id.company_ids) > 1 else text

    def _tell(self, action):
        """Say which of these were left out, before ``action``."""
        documents = ", ".join(self.mapped("document"))
        message = _("Left out, since it was paid or reconciled meanwhile: %s.", documents)
        params = {"type": "warning", "sticky": True, "message": message, "next": action}
        return {"type": "ir.actions.client", "tag": "display_notification", "params": params}
