from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL
from odoo.tools.misc import format_date

from .res_partner_review import BY_DELIVERY, BY_REVIEW
from .review_states import ACCEPTED, PENDING, REJECTED, SUBMITTED


class AccountMove(models.Model):
    """Registers what came of the review of invoices.

    How to use: ``_register_review`` for one or many invoices at once. How it works: everything is checked before
    anything is written; then one write per distinct set of values, the due dates of all, and the chatter in two
    batches.
    """

    _inherit = "account.move"

    def _register_review(self, result, moment, receipts=None, reason=None, promised=None, scan=None):
        """Record what came of the review of these invoices; all of them, or none.

        :param result: one of the review states but "not required"; pending takes back what was registered
        :param moment: when, naive UTC; or ``{invoice: when}``
        :param receipts: ``{invoice: number}`` of the receipts that the customer gave; invoices beyond these are
            registered together with them and may share a receipt
        :param reason: why it was rejected
        :param promised: date on which the customer will pay
        :param scan: ``ir.attachment`` of the receipt
        :raise UserError: a sentence that names the invoice at fault
        """
        receipts = receipts or {}
        moments = moment if isinstance(moment, dict) else dict.fromkeys(self, moment)
        self._check_may_review()
        for move in self:
            if fault := move._get_review_fault(result, moments[move], reason):
                raise UserError(fault)
        # What was not accepted, or is taken back, has no receipt; neither has a delivery.
        reviewed = self.filtered(lambda move: move.collection_credit_basis == BY_REVIEW)
        given = receipts if result in (ACCEPTED, SUBMITTED) else {}
        if given:
            self.env.cr.execute(reviewed._query_hold_receipts())
        for fault in reviewed._get_receipt_faults(given).values():
            raise UserError(fault)
        # sudo: a collector registers reviews without a right to change invoices; checked above
        moves = self.sudo()
        # The due dates follow once, after the last write.
        later = moves.with_context(collection_apply_later=True)
        later._write_deliveries(result, moments)
        later._write_reviews(result, moments, given, reason, promised, scan)
        moves._apply_due_dates()
        moves._log_with_debtors(
            {move: move._get_review_text(result, moments[move], given.get(move), reason) for move in moves}
        )
        if result == REJECTED:
            moves._schedule_for_collectors(lambda rejected: rejected._get_rejection_summary(), reason)

    def _write_deliveries(self, result, moments):
        delivered = self.filtered(lambda move: move.collection_credit_basis == BY_DELIVERY)
        for moment, of_moment in delivered.grouped(moments.get).items():
            of_moment.write({"collection_delivered_at": moment if result == SUBMITTED else False})

    def _write_reviews(self, result, moments, receipts, reason, promised, scan):
        """One write per distinct moment or day, and one per distinct receipt."""
        reviewed = self.filtered(lambda move: move.collection_credit_basis == BY_REVIEW)
        if result == ACCEPTED:
            groups = reviewed.grouped(lambda move: move._get_customer_moment(moments[move]).date())
        else:
            groups = reviewed.grouped(moments.get)
        for when, moves in groups.items():
            moves.write(self._prepare_review(result, when, reason, promised, scan))
        numbered = reviewed.filtered(receipts.get).with_context(skip_invoice_sync=True)
        for number, of_number in numbered.grouped(receipts.get).items():
            of_number.write({"collection_receipt_number": number})

    @api.model
    def _prepare_review(self, result, when, reason, promised, scan):
        """:param when: the day of an acceptance, else the moment"""
        values = {
            "collection_review_state": result,
            "collection_review_date": when if result == ACCEPTED else False,
            "collection_rejection_reason": reason if result == REJECTED else False,
        }
        if result in (REJECTED, PENDING):
            values.update(
                collection_receipt_number=False, collection_receipt_scan_id=False, collection_promised_date=False
            )
        else:
            values.update({"collection_promised_date": promised} if promised else {})
            values.update({"collection_receipt_scan_id": scan.id} if scan else {})
        if result in (SUBMITTED, REJECTED):
            # Rejected, it starts again: the next window after this moment.
            values["collection_delivered_at"] = when
        if result == PENDING:
            values["collection_delivered_at"] = False
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
        return _("Customers of another collector: %(invoices)s.", invoices=self._get_names_text())

    def _get_review_fault(self, result, moment, reason):
        """Why this cannot be registered on the invoice, as a sentence that names it; else None."""
        self.ensure_one()
        if not self._is_for_review() or self.state == "cancel":
            return _("%(document)s is no customer invoice that could be reviewed.", document=self.display_name)
        if self.state != "posted":
            return _("%(document)s is a draft: post it first.", document=self.display_name)
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
        faults = {}
        for move, number in numbers.items():
            known = move.collection_receipt_number
            if move.collection_review_state == ACCEPTED and known and known != number:
                faults[move] = _(
                    "%(document)s was accepted with receipt %(number)s: take it back to pending before you register "
                    "another one.",
                    document=move.display_name,
                    number=known,
                )
        # sudo: invoices that the user may not read count too
        others = (
            self.env["account.move"]
            .sudo()
            .search(
                [
                    ("id", "not in", [*self.ids, *(move.id for move in receipts)]),
                    ("collection_receipt_number", "in", list(set(numbers.values()))),
                    ("commercial_partner_id", "in", self.commercial_partner_id.ids),
                    ("company_id", "in", self.company_id.ids),
                    ("state", "!=", "cancel"),
                    ("payment_state", "!=", "reversed"),
                ]
            )
        )
        taken = {
            (other.commercial_partner_id, other.company_id, other.collection_receipt_number): other for other in others
        }
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

    def _query_hold_receipts(self):
        """Change the debtors of these invoices, so that of two people who register receipts of one customer at once the
        second begins anew and sees the receipts of the first. Served by the debtors' unique key."""
        return SQL(
            """UPDATE collection_debtor SET write_date = now() AT TIME ZONE 'UTC', write_uid = %s
                WHERE partner_id = ANY(%s) AND company_id = ANY(%s)""",
            self.env.uid,
            self.commercial_partner_id.ids,
            self.company_id.ids,
        )

    # === Texts ===#

    def _get_review_text(self, result, moment, receipt, reason):
        self.ensure_one()
        day = format_date(self.env, self._get_customer_moment(moment).date())
        due = format_date(self.env, self.invoice_date_due)
        if self.collection_credit_basis == BY_DELIVERY and result == SUBMITTED:
            text = _("Delivered on %(date)s; due on %(due)s", date=day, due=due)
        elif result == SUBMITTED:
            planned = format_date(self.env, self.collection_planned_review_date)
            text = _("Submitted for review on %(date)s; review planned for %(planned)s", date=day, planned=planned)
        elif result == ACCEPTED:
            text = _("Accepted on %(date)s; due on %(due)s", date=day, due=due)
        elif result == REJECTED:
            text = _("Rejected on %(date)s: %(reason)s", date=day, reason=reason)
        else:
            text = _("Back to pending: what was registered of its review is taken back")
        return f"{text} ({_('receipt %(number)s', number=receipt)})" if receipt else text

    def _get_rejection_summary(self):
        return _("Rejected at review: %(invoices)s", invoices=self._get_names_text())
