from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools.misc import format_date

from ..engine import promises
from .collection_said import UNPAID

STATES = [
    (promises.OPEN, "Open"),
    (promises.KEPT, "Kept"),
    (promises.PARTLY, "Partly Kept"),
    (promises.BROKEN, "Broken"),
    (promises.CANCELLED, "Cancelled"),
]
# What the ledger says, and no person.
KEPT_FIELDS = {
    *("state", "paid_amount", "missing_amount", "closed_on", "closing_reason"),
    *("plan_id", "instalment", "instalment_count"),
}
# Once it is judged, what was promised is history.
TERMS = {"debtor_id", "made_on", "date", "amount", "currency_id", "move_ids"}


class CollectionPromise(models.Model):
    """A customer's promise to pay an amount by a day.

    *How to use.* Create it, or a plan of several with ``_make_plan``; ``collection_promise_judge`` says each night what
    became of it, ``collection_promise_cover`` what it answers for while it is open.

    *How it works.* Money keeps it: what is credited to the customer in a bank or cash journal, from the day on which it
    was promised until its date and the company's grace days. Credit notes are no money: they lower what is owed. Where
    nothing is owed any more of what a promise is about, it is closed: kept when money came, cancelled when none did.
    A promise that names no invoices is about all that the customer owes in its currency; one that names some is kept
    by what paid them and by what paid nothing yet, and not by what paid others.
    """

    _name = "collection.promise"
    _description = "Promise to Pay"
    _inherit = ["mail.thread", "collection.said"]
    _mail_post_access = "read"
    _order = "date desc, id desc"

    made_on = fields.Date(
        compute="_compute_made_on",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        help="Money counts from this day.",
    )
    date = fields.Date(string="Promised For", required=True, index=True, tracking=True)
    amount = fields.Monetary(required=True, tracking=True)
    currency_id = fields.Many2one("res.currency", required=True, default=lambda self: self.env.company.currency_id)
    move_ids = fields.Many2many(
        "account.move",
        "collection_promise_move_rel",
        "promise_id",
        "move_id",
        string="Invoices",
        domain=f"[{UNPAID}, ('currency_id', '=', currency_id)]",
        help="What is to be paid. Empty: whatever is owed, the oldest first.",
    )
    channel_id = fields.Many2one("mail.activity.type", ondelete="restrict", help="How it was made.")

    # === What became of it ===#
    state = fields.Selection(
        STATES, required=True, readonly=True, copy=False, default=promises.OPEN, index=True, tracking=True
    )
    paid_amount = fields.Monetary(string="Paid", readonly=True, copy=False, default=0.0, help="As of the last night.")
    missing_amount = fields.Monetary(string="Missing", compute="_compute_missing_amount", store=True)
    closed_on = fields.Date(readonly=True, copy=False)
    closing_reason = fields.Char(readonly=True, copy=False)
    last_day = fields.Date(compute="_compute_last_day", help="Its date and the company's days of grace.")

    # === Payment plan ===#
    plan_id = fields.Many2one(
        "collection.promise",
        string="Payment Plan",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The first promise of the plan that this one belongs to.",
    )
    instalment = fields.Integer(readonly=True, copy=False, group_operator=False)
    instalment_count = fields.Integer(string="Instalments", readonly=True, copy=False, group_operator=False)

    owed_amount = fields.Monetary(string="Owed", compute="_compute_owed_amount", help="Of what it is about, now.")
    warning = fields.Char(compute="_compute_warning")

    @api.model
    def _auto_init(self):
        result = super()._auto_init()
        # Open ones are few beside those of years: every night and every cover begins with them.
        self.env.cr.execute(
            """CREATE INDEX IF NOT EXISTS collection_promise_open_index
                   ON collection_promise (debtor_id) WHERE state = 'open'"""
        )
        return result

    # === Computes ===#

    @api.depends("amount", "date", "currency_id", "instalment", "instalment_count")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for promise in self:
            values = {"amount": promise._get_amount_text(), "date": format_date(self.env, promise.date)}
            promise.display_name = (
                _(
                    "Instalment %(number)s of %(count)s: %(amount)s on %(date)s",
                    number=promise.instalment,
                    count=promise.instalment_count,
                    **values,
                )
                if promise.instalment_count
                else _("Promise of %(amount)s for %(date)s", **values)
            )

    def _compute_made_on(self):
        """The day where the debtor's company is, once and for all: it depends on nothing."""
        for promise in self:
            promise.made_on = (promise.debtor_id.company_id or self.env.company)._get_collection_today()

    @api.depends("amount", "paid_amount", "state")
    def _compute_missing_amount(self):
        """What is still expected: of a promise that is over, nothing."""
        for promise in self:
            promise.missing_amount = promise.state == promises.OPEN and promise.amount - promise.paid_amount

    @api.depends("date", "company_id.collection_promise_grace_days")
    def _compute_last_day(self):
        for promise in self:
            grace = promise.company_id.collection_promise_grace_days
            promise.last_day = promise.date and fields.Date.add(promise.date, days=grace)

    @api.depends("debtor_id", "currency_id", "move_ids")
    def _compute_owed_amount(self):
        groups = self.env["account.move.line"]._read_group(
            [*self.debtor_id._get_open_lines_domain(), ("amount_residual_currency", ">", 0)],
            ["partner_id", "company_id", "currency_id", "move_id"],
            ["amount_residual_currency:sum"],
        )
        for promise in self:
            promise.owed_amount = sum(
                amount
                for partner, company, currency, move, amount in groups
                if partner.commercial_partner_id == promise.partner_id
                and company == promise.company_id
                and currency == promise.currency_id
                and (not promise.move_ids or move in promise.move_ids._origin)
            )

    @api.depends("amount", "owed_amount", "state")
    @api.depends_context("lang")
    def _compute_warning(self):
        """More than what is owed may be promised, and is said."""
        for promise in self:
            above = promise.currency_id and promise.currency_id.compare_amounts(promise.amount, promise.owed_amount) > 0
            promise.warning = (
                above
                and promise.debtor_id
                and promise.state == promises.OPEN
                and _("This is more than the %s that is owed.", promise.currency_id.format(promise.owed_amount))
            )

    # === Constraints ===#

    # Not of the debtor: whoever merges customers brings along promises of documents that follow a moment later.
    @api.constrains("amount", "date", "made_on", "currency_id", "move_ids")
    def _check_terms(self):
        for promise in self:
            if promise.currency_id.compare_amounts(promise.amount, 0) <= 0:
                raise ValidationError(_("A promise must be of more than zero."))
            if promise.date < promise.made_on:
                raise ValidationError(
                    _(
                        "A promise made on %(made)s cannot be for %(date)s: choose that day or a later one.",
                        made=format_date(self.env, promise.made_on),
                        date=format_date(self.env, promise.date),
                    )
                )
            if promise.made_on > promise.company_id._get_collection_today():
                raise ValidationError(
                    _("A promise cannot be made in the future, on %s.", format_date(self.env, promise.made_on))
                )
            # sudo: whose they are, whoever may read them
            moves = promise.move_ids.sudo()
            promise._check_documents(moves)
            if others := moves.filtered(lambda move, promise=promise: move.currency_id != promise.currency_id):
                raise ValidationError(
                    _(
                        "%(document)s is not in %(currency)s: promise its payment in its own currency.",
                        document=others[0].display_name,
                        currency=promise.currency_id.name,
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

    def action_cancel(self):
        """Take these promises back, as an agreement with the customer that is no more."""
        reason = _("Cancelled by %s", self.env.user.name)
        self._settle(
            promises.CANCELLED, lambda promise: _("%s: cancelled", promise.display_name), closing_reason=reason
        )

    def action_open_plan(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.collection_promise_action")
        return {**action, "domain": [("plan_id", "=", self.plan_id.id)], "context": {}}

    # === Business ===#

    @api.model
    def _make_plan(self, values, count, every):
        """Promises in sequence that add up to the ``amount`` of ``values``, the first one on its ``date``.

        :param values: of one promise
        :param every: a step of ``engine.promises``
        :raise UserError: where an instalment would be of nothing
        """
        if count == 1:
            return self.create(values)
        currency = self.env["res.currency"].browse(values["currency_id"])
        scale = 10**currency.decimal_places
        first = fields.Date.to_date(values["date"])
        try:
            rows = promises.instalments(round(values["amount"] * scale), count, first, every)
        except ValueError:
            raise UserError(
                _(
                    "%(amount)s cannot be paid in %(count)s instalments.",
                    amount=currency.format(values["amount"]),
                    count=count,
                )
            ) from None
        # sudo: the number of an instalment is written by nobody's own right
        made = self.sudo().create(
            [
                {**values, "date": day, "amount": amount / scale, "instalment": number, "instalment_count": count}
                for number, (day, amount) in enumerate(rows, start=1)
            ]
        )
        made.plan_id = made[0]
        made = made.with_env(self.env)
        made._check_may_write()
        return made

    # === Helpers ===#

    def _get_settled_text(self, state):
        self.ensure_one()
        return _("%(promise)s is %(state)s: what was promised stays as it was.", promise=self.display_name, state=state)

    def _get_amount_text(self):
        self.ensure_one()
        currency = self.currency_id
        text = currency.format(self.amount) if currency else str(self.amount)
        return text if currency == self.company_id.currency_id else f"{text} {currency.name or ''}"

    def _get_moves(self):
        return self.move_ids.sudo()

    def _get_made_text(self):
        self.ensure_one()
        text = self.display_name
        if moves := self._get_moves():
            text = _("%(promise)s, of %(invoices)s", promise=text, invoices=moves._get_names_text())
        if self.contact_id:
            text = _("%(promise)s, said by %(contact)s", promise=text, contact=self.contact_id.name)
        return text
