from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools.misc import format_date

from ..engine import checks
from .account_move import VIEWERS
from .rights import without_defaults

STATES = [
    (checks.DRAFT, "Draft"),
    (checks.CUSTODY, "In Custody"),
    (checks.HOLD, "On Hold"),
    (checks.DEPOSITED, "Deposited"),
    (checks.CLEARED, "Cleared"),
    (checks.BOUNCED, "Bounced"),
    (checks.REDEPOSITED, "Redeposited"),
    (checks.RETURNED, "Returned"),
    (checks.REPLACED, "Replaced"),
    (checks.LEGAL, "Legal"),
    (checks.CANCELLED, "Cancelled"),
]
PLACES = [("same", "Same place"), ("other", "Another place in the country"), ("abroad", "Abroad")]
PROTECTIONS = [("none", "None"), ("insured", "Insured"), ("bank", "Protected by the bank")]

# What a person cannot write: transitions do, or what it is computed from.
KEPT = {
    "state", "state_date", "debtor_id", "payment_id", "custody_move_id", "replaces_id", "replaced_by_id",
    "deposited_on", "cleared_on",
    "bounced_on", "bounce_count", "bounce_reason", "presented_in_time", "penalty_move_id", "cleared_by_bank", "slip_id",
    "commercial_partner_id", "collector_id", "presentation_deadline", "allocated_amount", "advance_amount",
    "company_amount",
}  # fmt: skip
# What the paper says, and when it came: once received it is what it is.
ON_PAPER = {
    "number", "bank_id", "account_number", "partner_id", "company_id", "amount", "currency_id", "face_date",
    "receipt_date",
}  # fmt: skip
# What was agreed on: changed until it is deposited, and again once it bounced.
AGREED = {"deposit_date", "place", "journal_id"}
# What tells one paper from another.
PAPER = {"company_id", "bank_id", "account_number", "number"}


class AccountPostdatedCheck(models.Model):
    """A check that is to be deposited on an agreed day.

    *How to use.* ``action_suggest`` fills the allocation; the transitions of ``account_postdated_check_transition``
    take it from custody to cleared or bounced; ``account_postdated_check_books`` makes the entries.

    *How it works.* It pays nothing until it is deposited: what it is meant for is said in its lines, and dunning leaves
    that much alone until the agreed day.
    """

    _name = "account.postdated.check"
    _description = "Postdated Check"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "deposit_date, id"
    _rec_name = "number"
    _rec_names_search = ["number", "account_number", "partner_id"]
    _check_company_auto = True

    calendar_name = fields.Char(compute="_compute_calendar_name")

    # === The paper ===#
    number = fields.Char(required=True, tracking=True)
    bank_id = fields.Many2one("res.bank", required=True, ondelete="restrict", tracking=True)
    account_number = fields.Char(string="Account or CLABE", help="Account of the drawer.")
    drawer = fields.Char(help="Who signed it, where that is not the customer.")
    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, index=True, ondelete="restrict", check_company=True
    )
    commercial_partner_id = fields.Many2one(related="partner_id.commercial_partner_id", store=True, index=True)
    company_id = fields.Many2one("res.company", required=True, index=True, default=lambda self: self.env.company)
    amount = fields.Monetary(required=True, tracking=True)
    currency_id = fields.Many2one("res.currency", required=True, default=lambda self: self.env.company.currency_id)
    company_currency_id = fields.Many2one(related="company_id.currency_id", string="Company Currency")
    company_amount = fields.Monetary(
        string="In Company Currency",
        currency_field="company_currency_id",
        compute="_compute_company_amount",
        store=True,
        help="At the rate of the day on which it was received: for sums of checks in several currencies.",
    )
    receipt_date = fields.Date(string="Received On", required=True, default=fields.Date.context_today)
    face_date = fields.Date(string="Date of the Check", required=True, default=fields.Date.context_today, tracking=True)
    deposit_date = fields.Date(
        string="Deposit On",
        compute="_compute_deposit_date",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        index=True,
        tracking=True,
        help="The day that was agreed with the customer.",
    )
    place = fields.Selection(
        PLACES, required=True, default="same", help="Where it was drawn, as seen from where it is payable."
    )
    front_scan = fields.Binary(attachment=True)
    back_scan = fields.Binary(attachment=True)
    notes = fields.Text()

    # === Protection ===#
    protection = fields.Selection(PROTECTIONS, required=True, default="none")
    insurer_id = fields.Many2one("res.partner")
    policy_number = fields.Char(string="Insurance Policy")
    authorisation_number = fields.Char(string="Authorisation")
    amount_covered = fields.Monetary()
    protection_activated = fields.Boolean(string="Activated by the Drawer", tracking=True)
    protection_folio = fields.Char(string="Folio")

    # === What it is meant for ===#
    line_ids = fields.One2many("account.postdated.check.line", "check_id", string="Invoices", copy=False)
    allocated_amount = fields.Monetary(compute="_compute_allocated_amount", store=True)
    advance_amount = fields.Monetary(
        string="Advance", compute="_compute_allocated_amount", store=True, help="What is meant for no invoice."
    )

    # === Where it is ===#
    state = fields.Selection(
        STATES,
        required=True,
        readonly=True,
        copy=False,
        default=checks.DRAFT,
        index=True,
        group_expand="_group_expand_state",
    )
    state_date = fields.Date(string="Since", readonly=True, copy=False)
    debtor_id = fields.Many2one(
        "collection.debtor",
        compute="_compute_debtor_id",
        store=True,
        copy=False,
        index=True,
        ondelete="restrict",
        groups=VIEWERS,
    )
    collector_id = fields.Many2one(
        related="debtor_id.collector_id", string="Collector", store=True, related_sudo=True, groups=VIEWERS
    )
    journal_id = fields.Many2one(
        "account.journal",
        string="Deposit In",
        domain="[('type', '=', 'bank'), ('company_id', '=', company_id)]",
        check_company=True,
        compute="_compute_journal_id",
        store=True,
        readonly=False,
        precompute=True,
        ondelete="restrict",
    )
    presentation_deadline = fields.Date(
        string="Present Until",
        compute="_compute_presentation_deadline",
        store=True,
        help="A check presented later loses the claim for damages.",
    )
    deposited_on = fields.Date(readonly=True, copy=False)
    cleared_on = fields.Date(readonly=True, copy=False)
    bounced_on = fields.Date(readonly=True, copy=False)
    bounce_count = fields.Integer(string="Times Bounced", readonly=True, copy=False)
    bounce_reason = fields.Char(readonly=True, copy=False)
    presented_in_time = fields.Boolean(readonly=True, copy=False)
    replaces_id = fields.Many2one("account.postdated.check", readonly=True, copy=False, index="btree_not_null")
    replaced_by_id = fields.Many2one("account.postdated.check", readonly=True, copy=False, index="btree_not_null")
    event_ids = fields.One2many("account.postdated.check.event", "check_id", string="History", readonly=True)

    # === The books ===#
    payment_id = fields.Many2one(
        "account.payment", string="Deposit Payment", readonly=True, copy=False, index="btree_not_null"
    )
    slip_id = fields.Many2one(
        "account.postdated.check.slip", string="Deposit Slip", readonly=True, copy=False, index="btree_not_null"
    )
    custody_move_id = fields.Many2one("account.move", string="Custody Entry", readonly=True, copy=False)
    penalty_move_id = fields.Many2one("account.move", string="Penalty", readonly=True, copy=False)
    penalty_state = fields.Selection(related="penalty_move_id.state", string="State of the Penalty")
    penalty_amount = fields.Monetary(related="penalty_move_id.amount_total", string="Amount of the Penalty")
    entry_count = fields.Integer(compute="_compute_counts")
    invoice_count = fields.Integer(compute="_compute_counts")
    entry_ids = fields.One2many("account.move", "postdated_check_id", string="Journal Entries", readonly=True)

    @api.model
    def _auto_init(self):
        result = super()._auto_init()
        # One paper, one record. In hand by day: for what is due, for the cover of dunning and for the cash plan.
        self.env.cr.execute(
            """CREATE UNIQUE INDEX IF NOT EXISTS account_postdated_check_paper_unique
                   ON account_postdated_check (company_id, bank_id, COALESCE(account_number, ''), number)
                WHERE state <> 'cancelled';
               CREATE INDEX IF NOT EXISTS account_postdated_check_in_hand_index
                   ON account_postdated_check (deposit_date) WHERE state IN ('custody', 'hold')"""
        )
        return result

    # === Computes ===#

    @api.depends("number", "bank_id.name")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for check in self:
            check.display_name = _(
                "Check %(number)s (%(bank)s)", number=check.number or "", bank=check.bank_id.name or ""
            )

    @api.depends("partner_id.name", "amount", "currency_id", "number")
    def _compute_calendar_name(self):
        """What a day of the calendar has room for: whose it is, how much, which one."""
        for check in self:
            amount = check.currency_id and check.currency_id.format(check.amount)
            check.calendar_name = " · ".join(filter(None, (check.partner_id.name, amount, check.number)))

    @api.depends("partner_id.commercial_partner_id", "company_id")
    def _compute_debtor_id(self):
        """The debtor of its customer, who becomes one with a first check; a form being filled in makes nobody one."""
        saved = self.filtered(lambda check: isinstance(check.id, int))
        pairs = {check: (check.partner_id.commercial_partner_id.id, check.company_id.id) for check in saved}
        # sudo: whose the check is, whoever may see it; a rule then says whether this person may register it
        debtor_of = self.env["collection.debtor"].sudo()._get_or_create(set(pairs.values()))
        for check in self:
            check.debtor_id = debtor_of[pairs[check]] if check in pairs else check._origin.debtor_id

    @api.depends("amount", "currency_id", "company_id", "receipt_date")
    def _compute_company_amount(self):
        for check in self:
            known = check.currency_id and check.company_id and check.receipt_date
            check.company_amount = known and check.currency_id._convert(
                check.amount, check.company_id.currency_id, check.company_id, check.receipt_date
            )

    @api.depends("face_date", "receipt_date")
    def _compute_deposit_date(self):
        for check in self:
            days = [day for day in (check.face_date, check.receipt_date) if day]
            check.deposit_date = max(days, default=False)

    @api.depends("face_date", "place")
    def _compute_presentation_deadline(self):
        for check in self:
            known = check.face_date and check.place
            check.presentation_deadline = known and checks.presentation_deadline(check.face_date, check.place)

    @api.depends("company_id", "currency_id")
    def _compute_journal_id(self):
        """The bank journal in the check's currency, else the first one of the company."""
        journals = self.env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "in", self.company_id.ids)], order="sequence, id"
        )
        for check in self:
            own = journals.filtered(lambda journal: journal.company_id == check.company_id)
            if check.journal_id not in own:
                fitting = own.filtered(
                    lambda journal: (journal.currency_id or journal.company_id.currency_id) == check.currency_id
                )
                check.journal_id = (fitting or own)[:1]

    @api.depends("line_ids.amount", "amount")
    def _compute_allocated_amount(self):
        for check in self:
            check.allocated_amount = sum(check.line_ids.mapped("amount"))
            check.advance_amount = check.amount - check.allocated_amount

    @api.depends("line_ids.move_id", "entry_ids")
    def _compute_counts(self):
        for check in self:
            check.invoice_count = len(check.line_ids.move_id)
            check.entry_count = len(check.entry_ids)

    @api.model
    def _group_expand_state(self, states, domain, order=None):
        """The states that every check may pass through are columns of the board, also the empty ones."""
        shown = {checks.CUSTODY, checks.DEPOSITED, checks.CLEARED, checks.BOUNCED, *states}
        return [state for state, _label in STATES if state in shown]

    # === Constraints ===#

    @api.constrains("amount", "receipt_date", "deposit_date", "face_date", "amount_covered")
    def _check_paper(self):
        for check in self:
            name = check.display_name
            if check.currency_id.compare_amounts(check.amount, 0) <= 0:
                raise ValidationError(_("%(check)s: the amount must be above zero.", check=name))
            if check.deposit_date < check.receipt_date:
                raise ValidationError(_("%(check)s cannot be deposited before it is received.", check=name))
            if check.deposit_date < check.face_date:
                raise ValidationError(
                    _("%(check)s: agree on a deposit on its date or later, not before it.", check=name)
                )
            if check.currency_id.compare_amounts(check.amount_covered, check.amount) > 0:
                raise ValidationError(_("%(check)s: the insurer cannot cover more than its amount.", check=name))

    @api.constrains("line_ids", "amount", "partner_id", "company_id", "currency_id")
    def _check_lines(self):
        self.line_ids._check_allocation()

    # === CRUD ===#

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [self._clean_paper(vals) for vals in vals_list]
        if not self.env.su and any(not KEPT.isdisjoint(vals) for vals in vals_list):
            self._refuse_kept()
        self._check_papers([self._get_paper(vals) for vals in vals_list])
        return super(AccountPostdatedCheck, without_defaults(self, KEPT)).create(vals_list)

    def write(self, vals):
        if not self.env.su:
            self._check_writable(vals)
        vals = self._clean_paper(vals)
        if not PAPER.isdisjoint(vals):
            live = self.filtered(lambda check: check.state != checks.CANCELLED)
            live._check_papers([check._get_paper(vals) for check in live])
        result = super().write(vals)
        if not self.env.su and "partner_id" in vals and self.search_count([("id", "in", self.ids)]) < len(self):
            raise AccessError(_("The check would be of a customer whose checks are not yours to see."))
        if "deposit_date" in vals:
            # sudo: the terms and the books say so, whoever agreed on another day
            self.sudo().line_ids._drop_lost_discounts()
            self.sudo()._move_custody_day()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_drafts(self):
        kept = self.filtered(
            lambda check: check.state != checks.DRAFT or checks.CUSTODY in check.event_ids.mapped("new_state")
        )
        if kept:
            raise UserError(
                _("%(check)s was received: cancel it, so that its history stays.", check=kept[0].display_name)
            )

    def _check_writable(self, vals):
        if not KEPT.isdisjoint(vals):
            self._refuse_kept()
        if not AGREED.isdisjoint(vals):
            for check in self.filtered(lambda check: check.state not in (*checks.PENDING, checks.BOUNCED)):
                raise UserError(
                    _(
                        "%(check)s is %(state)s: when and where it is deposited cannot be changed any more.",
                        check=check.display_name,
                        state=check._get_state_label(),
                    )
                )
        received = self.filtered(lambda check: check.state != checks.DRAFT)
        changed = ON_PAPER.intersection(vals)
        for check in received if changed else ():
            values = check._convert_to_write({name: check[name] for name in changed})
            if any(values[name] != (vals[name] or False) for name in changed):
                raise UserError(
                    _("%(check)s was received: what is written on it stays. Cancel it and register it again.",
                      check=check.display_name)
                )  # fmt: skip

    def _get_paper(self, vals=None):
        """(company id, bank id, account, number) of this check, or of one with these values."""
        vals = vals or {}
        company_id = vals.get("company_id", self.company_id.id or self.env.company.id)
        account_number = vals.get("account_number", self.account_number)
        return company_id, vals.get("bank_id", self.bank_id.id), account_number or "", vals.get("number", self.number)

    def _check_papers(self, papers):
        """Raise a sentence when a check that is not cancelled, beside these, is one of ``papers``. The unique index
        holds against two people at once; this names the other check.

        :param papers: as ``_get_paper`` returns them
        """
        # sudo: a check that another collector registered is the same paper
        twins = self.sudo().search(
            [
                ("company_id", "in", [company_id for company_id, *_others in papers]),
                ("bank_id", "in", [bank_id for _company_id, bank_id, *_others in papers]),
                ("number", "in", [number for *_others, number in papers]),
                ("state", "!=", checks.CANCELLED),
                ("id", "not in", self.ids),
            ]
        )
        twin_of = {twin._get_paper(): twin for twin in twins}
        for number, paper in enumerate(papers):
            if twin := twin_of.get(paper):
                raise ValidationError(
                    _(
                        "%(check)s of this account is registered already: received from %(customer)s on %(date)s for "
                        "%(amount)s, now %(state)s.",
                        check=twin.display_name,
                        customer=twin.partner_id.display_name,
                        date=format_date(self.env, twin.receipt_date),
                        amount=twin.currency_id.format(twin.amount),
                        state=twin._get_state_label(),
                    )
                )
            if paper in papers[:number]:
                raise ValidationError(_("Check %s is there twice.", paper[-1]))

    @api.model
    def _refuse_kept(self):
        raise AccessError(_("The state of a check changes by its buttons, which keep the books with it."))

    @api.model
    def _clean_paper(self, vals):
        """Numbers as banks compare them: without spaces, and accounts without hyphens."""
        cleaned = dict(vals)
        if vals.get("number"):
            cleaned["number"] = "".join(vals["number"].split())
        if vals.get("account_number"):
            cleaned["account_number"] = "".join(vals["account_number"].replace("-", "").split())
        return cleaned

    # === Helpers ===#

    def _get_state_label(self):
        self.ensure_one()
        return dict(self._fields["state"]._description_selection(self.env))[self.state]
