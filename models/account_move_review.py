import logging

import pytz
from markupsafe import Markup

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools.misc import format_date

from ..engine import windows
from .res_partner_review import BY_DELIVERY, BY_REVIEW
from .review_states import ACCEPTED, NOT_REQUIRED, PENDING, REJECTED, SUBMITTED, WAITING

_logger = logging.getLogger(__name__)

REVIEW_STATES = [
    (NOT_REQUIRED, "Not required"),
    (PENDING, "Pending"),
    (SUBMITTED, "Submitted"),
    (ACCEPTED, "Accepted"),
    (REJECTED, "Rejected"),
]


class AccountMove(models.Model):
    """The review of an invoice by its customer: when it is planned, what came of it, and the receipt for it.

    How to use: ``_register_review`` for one or many invoices at once. How it works: everything is checked before
    anything is written; then one write per distinct set of values, the due dates of all, and the chatter in two
    batches.
    """

    _inherit = "account.move"

    collection_review_state = fields.Selection(
        REVIEW_STATES,
        string="Review",
        compute="_compute_collection_review_state",
        store=True,
        readonly=False,
        precompute=True,
        copy=False,
        group_expand="_group_expand_collection_review_state",
        groups="base.group_user",
    )
    collection_delivered_at = fields.Datetime(
        string="Delivered",
        copy=False,
        groups="base.group_user",
        help="When the invoice, or the goods, reached the customer: submitted for review.",
    )
    collection_planned_review_date = fields.Date(
        string="Planned Review",
        compute="_compute_collection_planned_review_date",
        store=True,
        readonly=False,
        copy=False,
        groups="base.group_user",
        help="First day on which the customer receives it.",
    )
    collection_review_date = fields.Date(
        string="Reviewed On", readonly=True, copy=False, groups="base.group_user", help="Day of the acceptance."
    )
    collection_receipt_number = fields.Char(
        string="Review Receipt",
        copy=False,
        readonly=True,
        groups="base.group_user",
        index="btree_not_null",
        help="Number of the receipt that the customer gave for the invoice.",
    )
    collection_receipt_scan_id = fields.Many2one(
        "ir.attachment", string="Scan of the Receipt", copy=False, readonly=True, groups="base.group_user"
    )
    collection_promised_date = fields.Date(
        string="Payment Promised For",
        copy=False,
        groups="base.group_user",
        help="Day on which the customer said that it will pay.",
    )
    collection_rejection_reason = fields.Char(
        string="Reason of the Rejection", readonly=True, copy=False, groups="base.group_user"
    )
    collection_review_reminded = fields.Date(copy=False, readonly=True, groups="base.group_user")

    def _auto_init(self):
        result = super()._auto_init()
        # Planned days of what waits, for route sheets and nights; all on review terms by day, for the review report.
        self.env.cr.execute(
            """CREATE INDEX IF NOT EXISTS account_move_review_planned_index
                   ON account_move (collection_planned_review_date)
                WHERE state = 'posted' AND collection_review_state IN ('pending', 'submitted', 'rejected');
               CREATE INDEX IF NOT EXISTS account_move_review_index
                   ON account_move (invoice_date)
                WHERE state = 'posted'
                  AND collection_review_state IN ('pending', 'submitted', 'accepted', 'rejected')"""
        )
        return result

    # === Computes ===#

    @api.depends("collection_credit_basis")
    def _compute_collection_review_state(self):
        for move in self:
            if not move._is_for_review():
                move.collection_review_state = False
            elif move.collection_credit_basis != BY_REVIEW:
                move.collection_review_state = NOT_REQUIRED
            elif move.collection_review_state in (False, NOT_REQUIRED):
                move.collection_review_state = PENDING
            else:
                move.collection_review_state = move.collection_review_state

    @api.depends("collection_review_state", "collection_delivered_at", "invoice_date", "partner_id")
    def _compute_collection_planned_review_date(self):
        for move in self:
            move.collection_planned_review_date = move.collection_planned_review_date
        for move, day in self._get_planned_reviews().items():
            move.collection_planned_review_date = day

    @api.model
    def _group_expand_collection_review_state(self, states, domain, order=None):
        return [PENDING, SUBMITTED, REJECTED, ACCEPTED]

    def _get_planned_reviews(self):
        """``{move: day}`` on which the customer will receive each of these invoices that wait for their review."""
        waiting = self.filtered(lambda move: move.collection_review_state in WAITING and move.commercial_partner_id)
        planned = {}
        for company, moves in waiting.grouped("company_id").items():
            days = moves.commercial_partner_id._get_customer_days(company)
            planned.update((move, move._plan_review(days[move.commercial_partner_id])) for move in moves)
        return planned

    def _plan_reviews(self):
        """Plan the reviews of posted invoices anew."""
        changed = {
            move: day for move, day in self._get_planned_reviews().items() if move.collection_planned_review_date != day
        }
        for day, moves in self.browse(move.id for move in changed).grouped(changed.get).items():
            moves.write({"collection_planned_review_date": day})

    def _plan_review(self, days):
        """First day on which the customer receives the invoice, from its delivery or else from its date."""
        self.ensure_one()
        if self.collection_delivered_at:
            moment = days.localize(self.collection_delivered_at)
        else:
            moment = fields.Datetime.to_datetime(self.invoice_date or fields.Date.context_today(self))
        try:
            return windows.review_date(days.reviews, moment)
        except windows.NoDayError:
            raise UserError(self.commercial_partner_id._get_no_day_text(_("review"))) from None

    @api.model
    def _get_for_review_domain(self, states):
        """Invoices that go to their review; nobody takes one that a credit note took back."""
        return [
            ("state", "=", "posted"),
            ("collection_review_state", "in", states),
            ("payment_state", "!=", "reversed"),
        ]

    def _is_for_review(self):
        """Invoices and credit notes to customers; a sales receipt is paid at once."""
        self.ensure_one()
        return self.move_type in ("out_invoice", "out_refund")

    def _get_customer_moment(self, moment):
        """A naive UTC moment as a naive moment in the customer's time zone."""
        self.ensure_one()
        timezone = self.commercial_partner_id._get_collection_timezone(self.company_id)
        return pytz.utc.localize(moment).astimezone(timezone).replace(tzinfo=None)

    # === Actions ===#

    def action_register_review(self):
        return self._open_for_selection("account_collection.collection_review_wizard_action")

    def action_fix_due_date(self):
        return self._open_for_selection("account_collection.collection_due_date_wizard_action")

    def _open_for_selection(self, external_id):
        action = self.env["ir.actions.act_window"]._for_xml_id(external_id)
        action["context"] = {"active_model": self._name, "active_ids": self.ids, "active_id": self.ids[:1]}
        return action

    # === Registering ===#

    def _register_review(self, result, moment, receipts=None, reason=None, promised=None, scan=None):
        """Record what came of the review of these invoices; all of them, or none.

        :param result: one of the review states but "not required"; pending takes back what was registered
        :param moment: when, naive UTC
        :param receipts: ``{invoice: number}`` of the receipts that the customer gave; invoices beyond these are
            registered together with them and may share a receipt
        :param reason: why it was rejected
        :param promised: date on which the customer will pay
        :param scan: ``ir.attachment`` of the receipt
        :raise UserError: a sentence that names the invoice at fault
        """
        receipts = receipts or {}
        self._check_may_review()
        for move in self:
            if fault := move._get_review_fault(result, moment, reason):
                raise UserError(fault)
        # What was not accepted, or is taken back, has no receipt.
        given = {} if result in (REJECTED, PENDING) else receipts
        for fault in self._get_receipt_faults(given).values():
            raise UserError(fault)
        # sudo: a collector registers reviews without a right to change invoices; checked above
        moves = self.sudo()
        # The due dates follow once, after the last write.
        later = moves.with_context(collection_apply_later=True)
        delivered = later.filtered(lambda move: move.collection_credit_basis == BY_DELIVERY)
        delivered.write({"collection_delivered_at": moment if result == SUBMITTED else False})
        reviewed = later - delivered
        common = moves._prepare_review(result, moment, reason, promised, scan)
        for day, of_day in reviewed.grouped(lambda move: move._get_customer_moment(moment).date()).items():
            of_day.write({**common, "collection_review_date": day if result == ACCEPTED else False})
        numbered = reviewed.filtered(given.get).with_context(skip_invoice_sync=True)
        for number, of_number in numbered.grouped(given.get).items():
            of_number.write({"collection_receipt_number": number})
        moves.filtered(lambda move: move.state == "posted")._apply_due_dates()
        moves._log_review(result, moment, given, reason)
        if result == REJECTED:
            moves._schedule_for_collectors(lambda names: _("Rejected at review: %(invoices)s", invoices=names), reason)

    @api.model
    def _prepare_review(self, result, moment, reason, promised, scan):
        values = {
            "collection_review_state": result,
            "collection_rejection_reason": reason if result == REJECTED else False,
        }
        if result in (SUBMITTED, REJECTED):
            # Rejected, it starts again: the next window after this moment.
            values["collection_delivered_at"] = moment
        if result in (REJECTED, PENDING):
            values["collection_receipt_number"] = False
        if result == PENDING:
            values.update(collection_delivered_at=False, collection_promised_date=False)
        if promised:
            values["collection_promised_date"] = promised
        if scan:
            values["collection_receipt_scan_id"] = scan.id
        return values

    def _check_may_review(self):
        if foreign := self._get_not_reviewable():
            raise AccessError(foreign._get_foreign_text())

    def _get_not_reviewable(self):
        """Those of these invoices that belong to customers of another collector.

        :raise AccessError: when the user may register no review at all
        """
        if self.env.su or self.env.user.has_group("account.group_account_invoice"):
            return self.browse()
        if not self.env.user.has_group("account_collection.group_collection_collector"):
            raise AccessError(_("Registering reviews takes the right to invoice or to collect: ask a manager."))
        return self.filtered(lambda move: not move.collection_debtor_id)

    def _get_foreign_text(self):
        return _("%(invoices)s belong to customers of another collector.", invoices=", ".join(self.mapped("name")))

    def _get_review_fault(self, result, moment, reason):
        """Why this cannot be registered on the invoice, as a sentence that names it; else None."""
        self.ensure_one()
        if not self._is_for_review() or self.state == "cancel":
            return _("%(document)s is no customer invoice that could be reviewed.", document=self.display_name)
        allowed = {BY_REVIEW: (PENDING, SUBMITTED, ACCEPTED, REJECTED), BY_DELIVERY: (PENDING, SUBMITTED)}
        if result not in allowed.get(self.collection_credit_basis, ()):
            return _(
                "The credit of %(document)s does not count from a review: say so on the invoice or on its customer "
                "first.",
                document=self.display_name,
            )
        if result == REJECTED and not reason:
            return _("Say why %(document)s was rejected.", document=self.display_name)
        if result == PENDING:
            return None
        if moment > fields.Datetime.now():
            return _("The review of %(document)s lies in the future.", document=self.display_name)
        if self.invoice_date and self._get_customer_moment(moment).date() < self.invoice_date:
            return _(
                "%(document)s was invoiced on %(date)s and cannot be reviewed before.",
                document=self.display_name,
                date=format_date(self.env, self.invoice_date),
            )
        return None

    def _get_receipt_faults(self, receipts):
        """``{invoice: sentence}`` of those of these invoices whose receipt other ones carry already: a customer never
        gives its number twice. The invoices in ``receipts`` are registered together and may share one."""
        numbers = {move: receipts[move] for move in self if receipts.get(move)}
        if not numbers:
            return {}
        # sudo: invoices that the user may not read count too
        others = (
            self.env["account.move"]
            .sudo()
            .search(
                [
                    ("id", "not in", self.union(*receipts).ids),
                    ("collection_receipt_number", "in", list(set(numbers.values()))),
                    ("commercial_partner_id", "in", self.commercial_partner_id.ids),
                    ("company_id", "in", self.company_id.ids),
                ]
            )
        )
        taken = {
            (other.commercial_partner_id, other.company_id, other.collection_receipt_number): other for other in others
        }
        faults = {}
        for move, number in numbers.items():
            if other := taken.get((move.commercial_partner_id, move.company_id, number)):
                faults[move] = _(
                    "Receipt %(number)s of %(customer)s is that of %(document)s already: correct the number, or "
                    "register these invoices together.",
                    number=number,
                    customer=move.commercial_partner_id.display_name,
                    document=other.name,
                )
        return faults

    # === Chatter ===#

    def _log_review(self, result, moment, receipts, reason):
        self._log_with_debtors(
            {move: move._get_review_text(result, moment, receipts.get(move), reason) for move in self}
        )

    def _get_review_text(self, result, moment, receipt, reason):
        self.ensure_one()
        day = format_date(self.env, self._get_customer_moment(moment).date())
        due = format_date(self.env, self.invoice_date_due)
        if result == SUBMITTED:
            planned = format_date(self.env, self.collection_planned_review_date)
            text = _("Submitted for review on %(date)s; review planned for %(planned)s", date=day, planned=planned)
        elif result == ACCEPTED:
            text = _("Accepted on %(date)s; due on %(due)s", date=day, due=due)
        elif result == REJECTED:
            text = _("Rejected on %(date)s: %(reason)s", date=day, reason=reason)
        else:
            text = _("Back to pending: what was registered of its review is taken back")
        return f"{text} ({_('receipt %(number)s', number=receipt)})" if receipt else text

    def _log_with_debtors(self, texts):
        """Log ``{invoice: text}`` on the invoices, and what belongs to one debtor in one entry on it."""
        # sudo: the log is the system's own, as that of every change
        self.sudo()._message_log_batch({move.id: text for move, text in texts.items()})
        bodies = {}
        for debtor, moves in self._group_by_debtor().items():
            lines = [Markup("%s: %s") % (move.name or move.display_name, texts[move]) for move in moves]
            bodies[debtor.id] = Markup("<br/>").join(lines)
        self.env["collection.debtor"].sudo().browse(bodies)._message_log_batch(bodies)

    def _group_by_debtor(self):
        """``{debtor: its invoices among these}``, debtors in sudo; invoices without one are left out."""
        # sudo: whose the invoices are, whoever may see it
        debtors = (
            self.env["collection.debtor"]
            .sudo()
            .search([("partner_id", "in", self.commercial_partner_id.ids), ("company_id", "in", self.company_id.ids)])
        )
        debtor_of = {(debtor.partner_id, debtor.company_id): debtor for debtor in debtors}
        groups = self.grouped(lambda move: debtor_of.get((move.commercial_partner_id, move.company_id)))
        groups.pop(None, None)
        return groups

    # === Activities ===#

    def _schedule_for_collectors(self, get_summary, note=None):
        """An activity on each debtor of these invoices for whoever collects it, in one create.

        :param get_summary: from the invoices' names to the text
        """
        values = []
        for debtor, moves in self._group_by_debtor().items():
            if user := debtor._get_responsible():
                names = ", ".join(moves.mapped("name"))
                values.append({**debtor._prepare_activity(user, get_summary(names)), "note": note})
        self.env["mail.activity"].sudo().with_context(mail_activity_quick_update=True).create(values)

    # === The night ===#

    @api.model
    def _plan_missed_reviews_again(self, company, today):
        """Invoices that were not taken to their review, or were rejected, wait for the next window."""
        missed = self.search(
            [
                ("company_id", "=", company.id),
                ("collection_planned_review_date", "<", today),
                *self._get_for_review_domain((PENDING, REJECTED)),
            ]
        )
        days = missed.commercial_partner_id._get_customer_days(company)
        morning = fields.Datetime.to_datetime(today)
        planned = {}
        for customer in missed.commercial_partner_id:
            try:
                planned[customer] = windows.review_date(days[customer].reviews, morning)
            except windows.NoDayError:
                _logger.warning("%s leaves no day for a review", customer.display_name)
        by_day = missed.filtered(lambda move: move.commercial_partner_id in planned).grouped(
            lambda move: planned[move.commercial_partner_id]
        )
        for day, moves in by_day.items():
            moves.write({"collection_planned_review_date": day})

    @api.model
    def _remind_of_reviews(self, company, today):
        """Tell each collector once what its customers review tomorrow."""
        tomorrow = fields.Date.add(today, days=1)
        due = self.search(
            [
                ("company_id", "=", company.id),
                ("collection_planned_review_date", "=", tomorrow),
                *self._get_for_review_domain((PENDING, REJECTED)),
                "|",
                ("collection_review_reminded", "=", False),
                ("collection_review_reminded", "!=", tomorrow),
            ]
        )
        due._schedule_for_collectors(lambda names: _("Review tomorrow: %(invoices)s", invoices=names))
        due.write({"collection_review_reminded": tomorrow})
