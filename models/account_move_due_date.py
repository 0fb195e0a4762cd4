from collections import defaultdict

from odoo import _, api, fields, models
from odoo.tools import frozendict
from odoo.tools.misc import format_date
from odoo.tools.sql import column_exists, create_column

from ..engine import terms
from .res_partner_review import BY_DELIVERY, BY_INVOICE, BY_REVIEW, CREDIT_BASES
from .review_states import ACCEPTED, WAITING

# What decides on which day the credit of an invoice starts.
CREDIT_FIELDS = {
    "collection_credit_basis",
    "collection_delivered_at",
    "collection_planned_review_date",
    "collection_review_date",
    "collection_review_state",
}
COLUMNS = {
    "collection_credit_basis": "varchar",
    "collection_review_state": "varchar",
    "collection_planned_review_date": "date",
}


class AccountMove(models.Model):
    """Due dates that count from the delivery or the review, and fall on days on which the customer pays.

    *How it works.* Odoo asks ``needed_terms`` for the due dates of an invoice. For a customer with rules of its own,
    the payment term counts from another day (``account.payment.term._compute_terms``), each date is rolled to the next
    payment day, and both dates become part of the key by which Odoo finds the line: two instalments that fall on one
    payment day stay two lines. A draft is kept up to date by Odoo's own synchronisation. A posted invoice needs what
    its lines say, so that nothing rewrites them; ``_apply_due_dates`` computes the terms anew and writes dates alone.
    """

    _inherit = "account.move"

    collection_credit_basis = fields.Selection(
        CREDIT_BASES,
        string="Credit Counts From",
        compute="_compute_collection_credit_basis",
        store=True,
        readonly=False,
        precompute=True,
        copy=False,
        groups="base.group_user",
    )
    collection_contractual_date = fields.Date(
        string="Contractual Due Date",
        compute="_compute_collection_contractual_date",
        groups="base.group_user",
        help="What the payment terms say, before it moves to a day on which the customer pays.",
    )
    collection_due_overridden = fields.Boolean(
        string="Due Date Fixed", compute="_compute_collection_due_overridden", groups="base.group_user"
    )
    collection_due_reason = fields.Char(
        string="Reason of the Due Date",
        compute="_compute_collection_due_reason",
        groups="base.group_user",
        help="Why the invoice falls due when it does.",
    )
    collection_override_reason = fields.Char(
        string="Reason of the Fixed Date", readonly=True, copy=False, groups="base.group_user"
    )
    collection_due_estimated = fields.Boolean(
        string="Due Date Is Estimated", compute="_compute_collection_due_reason", groups="base.group_user"
    )

    def _auto_init(self):
        """Columns that are here already are not computed for every entry of the past: installing stays fast."""
        for name, kind in COLUMNS.items():
            if not column_exists(self.env.cr, self._table, name):
                create_column(self.env.cr, self._table, name, kind)
        return super()._auto_init()

    # === Computes ===#

    @api.depends("partner_id", "move_type")
    def _compute_collection_credit_basis(self):
        for move in self:
            # sudo: whoever writes the invoice needs its due dates
            customer = move.sudo().commercial_partner_id or move.sudo().partner_id.commercial_partner_id
            customer_basis = customer.collection_credit_basis or BY_INVOICE
            move.collection_credit_basis = customer_basis if move._is_for_review() else False

    @api.depends("line_ids.collection_contractual_date", "invoice_date_due")
    def _compute_collection_contractual_date(self):
        for move in self:
            dates = move.line_ids.filtered("collection_contractual_date").mapped("collection_contractual_date")
            move.collection_contractual_date = max(dates, default=move.invoice_date_due)

    @api.depends("line_ids.collection_due_overridden")
    def _compute_collection_due_overridden(self):
        for move in self:
            move.collection_due_overridden = any(line.collection_due_overridden for line in move.line_ids)

    @api.depends(*CREDIT_FIELDS, "invoice_payment_term_id", "invoice_date_due", "collection_override_reason")
    @api.depends_context("lang")
    def _compute_collection_due_reason(self):
        for move in self:
            has_rules = move.collection_credit_basis in (BY_DELIVERY, BY_REVIEW) or move.line_ids.filtered(
                "collection_contractual_date"
            )
            if not (move._is_for_review() and has_rules):
                move.collection_due_reason, move.collection_due_estimated = False, False
                continue
            _start, move.collection_due_estimated = move._get_credit_start()
            reason = "; ".join(move._get_due_parts())
            move.collection_due_reason = reason[:1].upper() + reason[1:]

    def _get_due_parts(self):
        """The steps from the day the credit counts from to the effective due date, in words."""
        self.ensure_one()
        start, estimated = self._get_credit_start()
        day = format_date(self.env, start)
        fixed = []
        if self.collection_due_overridden:
            effective = format_date(self.env, self.invoice_date_due)
            fixed.append(
                _("fixed for %(date)s: %(reason)s", date=effective, reason=self.collection_override_reason or "")
            )
        if not self.invoice_payment_term_id:
            return fixed or [_("no payment terms: due on the date that was typed")]
        if self.collection_credit_basis == BY_REVIEW and self.collection_review_state in (*WAITING, ACCEPTED):
            text = _("review planned for %(date)s", date=day) if estimated else _("reviewed on %(date)s", date=day)
        elif self.collection_credit_basis == BY_DELIVERY:
            text = (
                _("not delivered yet: from %(date)s", date=day) if estimated else _("delivered on %(date)s", date=day)
            )
        else:
            text = _("invoiced on %(date)s", date=day)
        contractual = format_date(self.env, self.collection_contractual_date)
        parts = [text, _("%(term)s: %(date)s", term=self.invoice_payment_term_id.name, date=contractual)]
        if fixed:
            return parts + fixed
        if self.collection_contractual_date != self.invoice_date_due:
            effective = format_date(self.env, self.invoice_date_due)
            parts.append(_("first payment day: %(date)s", date=effective))
        return parts

    # === Terms ===#

    @api.depends(*CREDIT_FIELDS)
    def _compute_needed_terms(self):  # pylint: disable=missing-return
        kept = self._get_with_kept_terms()
        others = self - kept
        days_of = others._get_days_of_ruled()
        super(AccountMove, others.filtered(lambda move: move not in days_of))._compute_needed_terms()
        for move in others:
            if move in days_of:
                start, _estimated = move._get_credit_start()
                super(AccountMove, move.with_context(collection_credit_start=start))._compute_needed_terms()
                move.needed_terms = move._roll_terms(days_of[move])
            elif move.line_ids.filtered("collection_contractual_date"):
                # No rules any more: its lines forget the date that the rules had moved.
                move.needed_terms = {
                    frozendict({**key, "collection_contractual_date": False}): values
                    for key, values in move.needed_terms.items()
                }
        for move in kept:
            move.needed_terms = {line.term_key: line._prepare_kept_term() for line in move._get_term_lines()}
            move.needed_terms_dirty = True

    def _get_with_kept_terms(self):
        """Posted invoices under rules: they need what their lines say."""
        if self.env.context.get("collection_fresh_terms"):
            return self.browse()
        return self.filtered(
            lambda move: move.state == "posted" and move._get_term_lines().filtered("collection_contractual_date")
        )

    def _get_days_of_ruled(self):
        """``{move: CustomerDays}`` of those whose customer's rules decide the due dates."""
        candidates = self.filtered(
            lambda move: move._is_for_review() and move.invoice_payment_term_id and move.commercial_partner_id
        )
        found = {}
        for company, moves in candidates.grouped("company_id").items():
            # sudo: as the rules themselves
            ruled = moves.filtered(
                lambda move: (
                    move.collection_credit_basis in (BY_DELIVERY, BY_REVIEW)
                    or move.sudo().commercial_partner_id.collection_payment_window_ids
                )
            )
            days = ruled.commercial_partner_id._get_customer_days(company)
            found.update((move, days[move.commercial_partner_id]) for move in ruled)
        return found

    def _roll_terms(self, days):
        """Move each date of ``needed_terms`` to the customer's next payment day, but those that a person fixed."""
        self.ensure_one()
        fixed = {
            line.collection_contractual_date: line.date_maturity
            for line in self._get_term_lines()
            if line.collection_due_overridden
        }
        rolled = {}
        for key, values in self.needed_terms.items():
            contractual = key["date_maturity"]
            effective = fixed.get(contractual) or days.first_payment(contractual)
            dates = {"date_maturity": effective, "collection_contractual_date": contractual}
            rolled[frozendict({**key, **dates})] = {**values, "collection_due_overridden": contractual in fixed}
        return rolled

    def _get_credit_start(self):
        """(the day from which the credit counts, whether it is an estimate)"""
        self.ensure_one()
        invoiced = self.invoice_date or self.date or fields.Date.context_today(self)
        if self.collection_credit_basis == BY_DELIVERY:
            if self.collection_delivered_at:
                return self._get_customer_moment(self.collection_delivered_at).date(), False
            return invoiced, True
        if self.collection_credit_basis == BY_REVIEW:
            if self.collection_review_state == ACCEPTED and self.collection_review_date:
                return self.collection_review_date, False
            if self.collection_review_state in WAITING and self.collection_planned_review_date:
                return self.collection_planned_review_date, True
        return invoiced, False

    def _get_term_lines(self):
        """The receivable lines of these invoices, one per instalment."""
        return self.line_ids.filtered(lambda line: line.display_type == "payment_term")

    # === CRUD ===#

    def write(self, vals):
        """Of a posted invoice the rules move dates alone: Odoo's synchronisation, which rewrites lines, is left out."""
        posted = self.filtered(lambda move: move.state == "posted")
        if not posted or CREDIT_FIELDS.isdisjoint(vals):
            return super().write(vals)
        super(AccountMove, posted.with_context(skip_invoice_sync=True)).write(vals)
        if others := self - posted:
            super(AccountMove, others).write(vals)
        if not self.env.context.get("collection_apply_later"):
            posted._apply_due_dates()
        return True

    def _post(self, soft=True):
        """A draft may be older than the customer's rules of today."""
        posted = super()._post(soft)
        posted.browse(move.id for move in posted._get_days_of_ruled())._apply_due_dates()
        return posted

    # === Posted invoices ===#

    def _get_fresh_terms(self):
        """``{move: needed terms}`` as if each invoice were a draft."""
        # Protected, as in any compute: else each value is written, and Odoo synchronises the invoice with it.
        with self.env.protecting([self._fields["needed_terms"], self._fields["needed_terms_dirty"]], self):
            self.with_context(collection_fresh_terms=True)._compute_needed_terms()
        fresh = {move: dict(move.needed_terms or {}) for move in self}
        self.invalidate_recordset(["needed_terms", "needed_terms_dirty"])
        return fresh

    def _get_new_dates(self):
        """``{line: values}``: the dates that the term lines of these posted invoices should have."""
        invoices = self.filtered(
            lambda move: move.state == "posted" and move._is_for_review() and move.invoice_payment_term_id
        )
        new_dates = {}
        for move, needed in invoices._get_fresh_terms().items():
            lines = move._get_term_lines()
            if not needed or not lines:
                continue
            open_lines = lines.filtered(lambda line: not line.reconciled)
            keys = list(needed)
            wanted = [
                terms.Instalment(
                    _contractual(key), _amount(move, needed[key]["balance"], needed[key]["amount_currency"])
                )
                for key in keys
            ]
            present = [
                terms.Instalment(
                    line.collection_contractual_date or line.date_maturity or line.date,
                    _amount(move, line.balance, line.amount_currency),
                )
                for line in lines
            ]
            for line, position in zip(lines, terms.match(present, wanted), strict=True):
                # When a paid instalment fell due stays what it was on the day that it was paid.
                if line in open_lines:
                    new_dates[line] = line._prepare_term_dates(keys[position])
        return new_dates

    def _apply_due_dates(self):
        """Write the due dates of these posted invoices anew."""
        changes = defaultdict(list)
        for line, values in self._get_new_dates().items():
            if any(line[name] != value for name, value in values.items()):
                changes[frozendict(values)].append(line.id)
        Line = self.env["account.move.line"].with_context(skip_invoice_sync=True, tracking_disable=True)
        for values, line_ids in changes.items():
            Line.browse(line_ids).write(dict(values))
        self._apply_last_date()

    @api.model
    def _get_recompute_domain(self):
        """Invoices whose due dates follow when the customer's rules change."""
        return [
            ("state", "=", "posted"),
            ("move_type", "in", ("out_invoice", "out_refund")),
            ("payment_state", "in", ("not_paid", "partial")),
            ("invoice_payment_term_id", "!=", False),
        ]

    def _follow_customer(self):
        """Take over what the customers' rules say today; returns ``{move: (old, new due date)}`` of what changed."""

        def terms_of(move):
            return move.invoice_date_due, move.collection_credit_basis, move.collection_planned_review_date

        before = {move: terms_of(move) for move in self}
        moves = self.with_context(collection_apply_later=True)
        for basis, of_basis in moves.grouped(
            lambda move: move.commercial_partner_id.collection_credit_basis or BY_INVOICE
        ).items():
            of_basis.filtered(lambda move: move.collection_credit_basis != basis).write(
                {"collection_credit_basis": basis}
            )
        moves._plan_reviews()
        self._apply_due_dates()
        return {move: (old[0], move.invoice_date_due) for move, old in before.items() if terms_of(move) != old}

    def _fix_due_dates(self, dates, reason):
        """Set the due dates of open instalments by hand; the rules leave them alone until they are released.

        :param dates: ``{term line: date}``
        """
        for line, day in dates.items():
            line.with_context(skip_invoice_sync=True, tracking_disable=True).write(
                {
                    "collection_contractual_date": line.collection_contractual_date or line.date_maturity,
                    "collection_due_overridden": True,
                    "date_maturity": day,
                }
            )
        self.with_context(skip_invoice_sync=True).write({"collection_override_reason": reason})
        self._apply_last_date()
        self._log_with_debtors(
            {move: _("Due date fixed: %(text)s", text=move._get_fixed_text(dates, reason)) for move in self}
        )

    def _get_fixed_text(self, dates, reason):
        days = ", ".join(format_date(self.env, day) for line, day in dates.items() if line.move_id == self)
        return f"{days} ({reason})"

    def _release_due_dates(self):
        """Give the due dates back to the rules."""
        lines = self._get_term_lines().filtered("collection_due_overridden")
        lines = lines.with_context(skip_invoice_sync=True, tracking_disable=True)
        lines.write({"collection_due_overridden": False})
        for line in lines.filtered(lambda line: not line.move_id.invoice_payment_term_id):
            line.write({"date_maturity": line.collection_contractual_date, "collection_contractual_date": False})
        self.with_context(skip_invoice_sync=True).write({"collection_override_reason": False})
        self._apply_due_dates()
        self._log_with_debtors(
            {move: _("Due date released: %(date)s", date=format_date(self.env, move.invoice_date_due)) for move in self}
        )

    def _apply_last_date(self):
        """The due date of an invoice is that of its last instalment."""
        moves_due = defaultdict(self.browse)
        for move in self:
            due = max((line.date_maturity for line in move._get_term_lines() if line.date_maturity), default=False)
            if due and due != move.invoice_date_due:
                moves_due[due] |= move
        for due, moves in moves_due.items():
            moves.with_context(skip_invoice_sync=True, tracking_disable=True).write({"invoice_date_due": due})
        self.invalidate_recordset(["needed_terms", "needed_terms_dirty"])


def _contractual(key):
    return key.get("collection_contractual_date") or key["date_maturity"]


def _amount(move, balance, amount_currency):
    """Both amounts of an instalment in the smallest units of their currencies, so that they compare exactly."""
    return (
        round(balance * 10**move.company_currency_id.decimal_places),
        round(amount_currency * 10**move.currency_id.decimal_places),
    )
