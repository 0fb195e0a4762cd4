from markupsafe import Markup

from odoo import _, api, fields, models

from .res_partner_review import BY_REVIEW, localize
from .review_states import ACCEPTED, NOT_REQUIRED, PENDING, REJECTED, SUBMITTED, WAITING

NAMED = 5  # invoices that a summary names

REVIEW_STATES = [
    (NOT_REQUIRED, "Not required"),
    (PENDING, "Pending"),
    (SUBMITTED, "Submitted"),
    (ACCEPTED, "Accepted"),
    (REJECTED, "Rejected"),
]


class AccountMove(models.Model):
    """The review of an invoice by its customer: when it is planned, what came of it, and the receipt for it.

    Registering what came of it is in ``account_move_review_register``, the nightly work in
    ``account_move_review_night``.
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
        # Planned days of what waits, for route sheets and nights; all on review terms by day, for the review report;
        # what is not dunned whatever its age, few among the entries of all years, for the decision of the night.
        self.env.cr.execute(
            """CREATE INDEX IF NOT EXISTS account_move_review_planned_index
                   ON account_move (collection_planned_review_date)
                WHERE state = 'posted' AND collection_review_state IN ('pending', 'submitted', 'rejected');
               CREATE INDEX IF NOT EXISTS account_move_review_index
                   ON account_move (invoice_date)
                WHERE state = 'posted'
                  AND collection_review_state IN ('pending', 'submitted', 'accepted', 'rejected');
               CREATE INDEX IF NOT EXISTS account_move_not_dunned_index
                   ON account_move (id)
                WHERE collection_no_dun OR collection_review_state IN ('pending', 'submitted', 'rejected')"""
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
                move.collection_review_state = ACCEPTED if move.collection_review_date else PENDING
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
        """First day on which the customer receives the invoice: from its delivery or else from its date, but not in
        the past."""
        self.ensure_one()
        if self.collection_delivered_at:
            moment = days.localize(self.collection_delivered_at)
        else:
            today = self.company_id._get_collection_today()
            moment = fields.Datetime.to_datetime(max(self.invoice_date or today, today))
        return days.first_review(moment)

    @api.model
    def _get_for_review_domain(self, states):
        """Invoices that go to their review; nobody takes one that was paid or that a credit note took back."""
        return [
            ("state", "=", "posted"),
            ("collection_review_state", "in", states),
            ("payment_state", "in", ("not_paid", "partial")),
        ]

    def _is_for_review(self):
        """Invoices and credit notes to customers; a sales receipt is paid at once."""
        self.ensure_one()
        return self.move_type in ("out_invoice", "out_refund")

    def _get_customer_moment(self, moment):
        """A naive UTC moment as a naive moment in the customer's time zone."""
        self.ensure_one()
        return localize(moment, self.commercial_partner_id._get_collection_timezone(self.company_id))

    # === Actions ===#

    def action_register_review(self):
        return self._open_for_selection("account_collection.collection_review_wizard_action")

    def action_fix_due_date(self):
        return self._open_for_selection("account_collection.collection_due_date_wizard_action")

    def _open_for_selection(self, external_id):
        action = self.env["ir.actions.act_window"]._for_xml_id(external_id)
        action["context"] = {"active_model": self._name, "active_ids": self.ids, "active_id": self.ids[:1]}
        return action

    # === Helpers ===#

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
            .search(
                [
                    ("partner_id", "in", self.partner_id.commercial_partner_id.ids),
                    ("company_id", "in", self.company_id.ids),
                ]
            )
        )
        debtor_of = {(debtor.partner_id, debtor.company_id): debtor for debtor in debtors}
        groups = self.grouped(lambda move: debtor_of.get((move.partner_id.commercial_partner_id, move.company_id)))
        groups.pop(None, None)
        return groups

    def _get_names_text(self):
        """The names of a few of these invoices and how many more there are."""
        names = [move.name or "" for move in self[:NAMED]]
        if len(self) > NAMED:
            return _("%(names)s and %(count)s more", names=", ".join(names), count=len(self) - NAMED)
        return ", ".join(names)

    def _schedule_for_collectors(self, get_summary, note=None):
        """An activity on each debtor of these invoices for whoever collects it, in one create.

        :param get_summary: from the invoices of one debtor, in the collector's language, to the text
        """
        values = []
        for debtor, moves in self._group_by_debtor().items():
            if user := debtor.responsible_id:
                summary = get_summary(moves.with_context(lang=user.lang or self.env.lang))
                values.append({**debtor._prepare_activity(user, summary), "note": note})
        self.env["mail.activity"].sudo().with_context(mail_activity_quick_update=True).create(values)
