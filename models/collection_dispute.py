from collections import defaultdict

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import SQL
from odoo.tools.misc import format_date

from .collection_said import OPEN, UNPAID
from .rights import may_book

ACCEPTED, REJECTED, CLOSED = "accepted", "rejected", "closed"
STATES = [(OPEN, "Open"), (ACCEPTED, "Accepted"), (REJECTED, "Rejected"), (CLOSED, "Closed")]
KEPT_FIELDS = {"state", "opened_on", "closed_on", "credit_move_id", "reminded_for"}
TERMS = {"debtor_id", "move_id", "amount", "reason_id"}


class CollectionDispute(models.Model):
    """An amount of an invoice that the customer does not accept, or asks to be cleared up.

    *How to use.* Create it; ``action_accept`` proposes the credit note, ``action_reject`` and ``action_close`` end it;
    ``_remind_company`` tells the owners each night whose day to come back to it has come.

    *How it works.* It changes no balance. While it is open, and while the credit note of an accepted one is a draft,
    dunning leaves exactly its amount alone.
    """

    _name = "collection.dispute"
    _description = "Dispute"
    _inherit = ["mail.thread", "collection.said"]
    _mail_post_access = "read"
    _order = "opened_on desc, id desc"

    move_id = fields.Many2one(
        "account.move",
        string="Invoice",
        required=True,
        index=True,
        ondelete="cascade",
        domain=f"[{UNPAID}]",
    )
    # Stored, so that amounts are summed currency by currency.
    currency_id = fields.Many2one(related="move_id.currency_id", store=True)
    amount = fields.Monetary(
        compute="_compute_amount",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        tracking=True,
        help="What is in dispute: all that is open, unless you write less.",
    )
    reason_id = fields.Many2one("collection.dispute.reason", required=True, ondelete="restrict", tracking=True)
    user_id = fields.Many2one(string="Owner", tracking=True, help="Who clears it up.")
    revisit_date = fields.Date(string="Come Back On", tracking=True, help="The owner gets an activity on that day.")
    state = fields.Selection(STATES, required=True, readonly=True, copy=False, default=OPEN, index=True, tracking=True)
    opened_on = fields.Date(
        compute="_compute_opened_on", store=True, readonly=False, precompute=True, required=True, copy=False
    )
    closed_on = fields.Date(readonly=True, copy=False)
    resolution = fields.Text(copy=False, help="What came of it.")
    credit_move_id = fields.Many2one(
        "account.move", string="Credit Note", readonly=True, copy=False, index="btree_not_null", ondelete="set null"
    )
    reminded_for = fields.Date(readonly=True, copy=False, help="The day for which the owner was told.")

    @api.model
    def _auto_init(self):
        result = super()._auto_init()
        # Open ones are few beside those of years: every cover begins with them.
        self.env.cr.execute(
            """CREATE INDEX IF NOT EXISTS collection_dispute_live_index
                   ON collection_dispute (move_id) WHERE state IN ('open', 'accepted')"""
        )
        return result

    # === Computes ===#

    @api.depends("move_id.name", "amount", "currency_id")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for dispute in self:
            currency = dispute.currency_id
            dispute.display_name = _(
                "%(amount)s of %(invoice)s in dispute",
                amount=currency.format(dispute.amount) if currency else dispute.amount,
                invoice=dispute.move_id.name or "",
            )

    def _compute_opened_on(self):
        """The day where the debtor's company is, once and for all: it depends on nothing."""
        for dispute in self:
            dispute.opened_on = (dispute.debtor_id.company_id or self.env.company)._get_collection_today()

    @api.depends("move_id")
    def _compute_amount(self):
        left = self._get_left(self.move_id._origin or self.move_id)
        for dispute in self:
            dispute.amount = left.get(dispute.move_id._origin.id or dispute.move_id.id, 0.0)

    # === Constraints ===#

    # Not of the debtor, as in promises: and of what was paid long ago nothing is open any more.
    @api.constrains("move_id", "amount")
    def _check_amount(self):
        for dispute in self:
            # sudo: whose it is, whoever may read it
            move = dispute.move_id.sudo()
            dispute._check_documents(move)
            left = self._get_left(move, except_ids=dispute.ids)[move.id]
            if move.currency_id.compare_amounts(left, 0) <= 0:
                raise ValidationError(_("Nothing of %s is open that is not in dispute already.", move.display_name))
            if move.currency_id.compare_amounts(dispute.amount, 0) <= 0:
                raise ValidationError(_("A dispute must be of more than zero."))
            if move.currency_id.compare_amounts(dispute.amount, left) > 0:
                raise ValidationError(
                    _(
                        "%(amount)s cannot be in dispute: %(left)s of %(invoice)s is open.",
                        amount=move.currency_id.format(dispute.amount),
                        left=move.currency_id.format(left),
                        invoice=move.display_name,
                    )
                )

    # === CRUD ===#

    @api.model
    def _get_kept_fields(self):
        return super()._get_kept_fields() | KEPT_FIELDS

    @api.model
    def _get_terms(self):
        return super()._get_terms() | TERMS

    # === Actions ===#

    def action_accept(self):
        """The customer is right: a draft credit note of the disputed amount is proposed."""
        self._check_open()
        self._check_may_accept()
        for dispute in self:
            dispute.sudo().credit_move_id = dispute._make_credit_note()
        self._settle(ACCEPTED, lambda dispute: _("%s: accepted, a credit note is proposed", dispute.display_name))
        return self.action_open_credit_note() if len(self) == 1 else None

    def action_reject(self):
        """The customer owes it: dunning goes on."""
        self._settle(REJECTED, lambda dispute: _("%s: rejected", dispute.display_name))

    def action_close(self):
        """It was cleared up without a credit note."""
        self._settle(CLOSED, lambda dispute: _("%s: closed", dispute.display_name))

    def action_open_credit_note(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.move",
            "res_id": self.credit_move_id.id,
            "view_mode": "form",
        }

    # === Business ===#

    def _make_credit_note(self):
        """A draft of exactly the disputed amount: Odoo's own reversal of an invoice that is disputed as a whole, else
        one line without taxes, which whoever posts it may split."""
        self.ensure_one()
        # sudo: who may accept was asked; the draft waits for who invoices
        move = self.move_id.sudo()
        today = self.company_id._get_collection_today()
        values = {"ref": self._get_credit_reference(), "invoice_date": today, "date": today}
        if not move.currency_id.compare_amounts(self.amount, move.amount_total):
            return move._reverse_moves([values])
        sold = move.invoice_line_ids.filtered(lambda line: line.display_type == "product")[:1]
        line = {
            "name": self._get_credit_reference(),
            "quantity": 1,
            "price_unit": self.amount,
            "account_id": sold.account_id.id,
            "tax_ids": [fields.Command.clear()],
        }
        return (
            self.env["account.move"]
            .sudo()
            .with_company(move.company_id)
            .create(
                {
                    **values,
                    "move_type": "out_refund",
                    "partner_id": move.partner_id.id,
                    "currency_id": move.currency_id.id,
                    "journal_id": move.journal_id.id,
                    "reversed_entry_id": move.id,
                    "invoice_payment_term_id": False,
                    "invoice_line_ids": [fields.Command.create(line)],
                }
            )
        )

    @api.model
    def _remind_company(self, company, today):
        """Tell the owners, once, of open disputes whose day to come back has come."""
        due = self.search(
            [("company_id", "=", company.id), ("state", "=", OPEN), ("revisit_date", "<=", today)], order="id"
        ).filtered(lambda dispute: dispute.reminded_for != dispute.revisit_date)
        values = []
        for (debtor, owner), found in due.grouped(lambda dispute: (dispute.debtor_id, dispute.user_id)).items():
            named = found.with_context(lang=owner.lang or self.env.lang)
            summary = named._get_reminder()
            values.append(debtor._prepare_activity(owner, summary, min(found.mapped("revisit_date"))))
        self.env["mail.activity"].with_context(mail_activity_quick_update=True).create(values)
        for day, found in due.grouped("revisit_date").items():
            found.reminded_for = day
        return due

    # === Helpers ===#

    def _check_may_accept(self):
        if not may_book(self.env):
            raise AccessError(
                _(
                    "Accepting a dispute proposes a credit note, and takes the right to invoice, or to manage "
                    "collections."
                )
            )

    def _get_settled_text(self, state):
        self.ensure_one()
        return _("%(dispute)s: it is %(state)s already.", dispute=self.display_name, state=state)

    @api.model
    def _get_left(self, moves, except_ids=()):
        """``{move id: amount}`` that is open and in no other live dispute, in the currency of each document."""
        # sudo: what is open, whoever may read it
        lines = self.env["account.move.line"].sudo()
        groups = lines._read_group(
            [
                ("move_id", "in", moves.ids),
                ("account_id.account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
            ],
            ["move_id"],
            ["amount_residual_currency:sum"],
        )
        left = defaultdict(float, {move.id: amount for move, amount in groups})
        self.flush_model(["move_id", "amount", "state", "credit_move_id"])
        self.env["account.move"].flush_model(["state"])
        others = SQL("dispute.move_id = ANY(%s) AND dispute.id <> ALL(%s)", moves.ids, list(except_ids))
        self.env.cr.execute(self._query_live(others))
        for move_id, amount in self.env.cr.fetchall():
            left[move_id] -= float(amount)
        return left

    def _get_moves(self):
        return self.move_id.sudo()

    def _get_made_text(self):
        self.ensure_one()
        text = _("%(dispute)s: %(reason)s", dispute=self.display_name, reason=self.reason_id.name)
        if self.contact_id:
            text = _("%(dispute)s, said by %(contact)s", dispute=text, contact=self.contact_id.name)
        return text

    def _get_credit_reference(self):
        self.ensure_one()
        # In the words of who reads the credit note.
        named = self.with_context(lang=self.partner_id.lang or self.env.lang)
        return named._get_credit_text()

    def _get_credit_text(self):
        return _("Dispute of %(invoice)s: %(reason)s", invoice=self.move_id.name, reason=self.reason_id.name)

    def _get_reminder(self):
        return "; ".join(
            _(
                "%(dispute)s, come back on %(date)s",
                dispute=dispute.display_name,
                date=format_date(dispute.env, dispute.revisit_date),
            )
            for dispute in self
        )

    # === SQL ===#

    @api.model
    def _query_covered(self, company):
        """Rows (receivable line, amount in its currency) that disputes answer for, the oldest line of a document first.
        Served by the partial index of live disputes and the index of account_move_line on move_id."""
        return SQL(
            """(SELECT line.id,
                       LEAST(line.amount_residual_currency, GREATEST(disputed.amount - COALESCE(
                             SUM(line.amount_residual_currency) OVER (
                                 PARTITION BY line.move_id ORDER BY COALESCE(line.date_maturity, line.date), line.id
                                 ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0), 0)) AS amount
                  FROM (%s) disputed
                  JOIN account_move_line line ON line.move_id = disputed.move_id
                 WHERE line.account_id = ANY(%s) AND %s AND line.amount_residual_currency > 0)""",
            self._query_live(SQL("dispute.company_id = %s", company.id)),
            self.env["account.account"]._get_receivable_ids(),
            self.env["collection.debtor"]._query_is_open("line"),
        )

    @api.model
    def _get_disputed_items(self, items, company):
        """``[(item id, amount in its currency), ...]`` in dispute of these receivable lines; one statement."""
        self.env["collection.debtor"]._prepare_ledger()
        self.env.cr.execute(
            SQL(
                "SELECT id, amount FROM %s AS covered(id, amount) WHERE amount > 0 AND id = ANY(%s)",
                self._query_covered(company),
                items.ids,
            )
        )
        return [(item_id, float(amount)) for item_id, amount in self.env.cr.fetchall()]

    @api.model
    def _get_disputed(self, move_ids, as_of=None):
        """``{document id: amount}`` in dispute of these documents, now or at the end of a past day; one statement."""
        if not move_ids:
            return {}
        of_these = SQL("dispute.move_id = ANY(%s)", list(move_ids))
        query = self._query_live(of_these)
        if as_of:
            query = SQL(
                """SELECT dispute.move_id, SUM(dispute.amount) FROM collection_dispute dispute
                    WHERE %(of_these)s AND dispute.opened_on <= %(day)s
                      AND (dispute.closed_on IS NULL OR dispute.closed_on > %(day)s)
                    GROUP BY dispute.move_id""",
                of_these=of_these,
                day=as_of,
            )
        self.env.cr.execute(query)
        return {move_id: float(amount) for move_id, amount in self.env.cr.fetchall()}

    @api.model
    def _query_live(self, condition):
        """Rows (document, amount) of live disputes: those that are open, and the accepted ones whose credit note is
        still a draft. Served by the partial index of live disputes."""
        return SQL(
            """SELECT dispute.move_id, SUM(dispute.amount) AS amount
                 FROM collection_dispute dispute
                 LEFT JOIN account_move credit ON credit.id = dispute.credit_move_id
                WHERE (dispute.state = 'open' OR dispute.state = 'accepted' AND credit.state = 'draft') AND %s
                GROUP BY dispute.move_id""",
            condition,
        )
