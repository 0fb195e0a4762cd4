from odoo import _, api, fields, models
from odoo.tools.misc import format_date

from ..engine import promises
from ..models.collection_said import UNPAID

FREQUENCIES = [(promises.WEEK, "Each week"), (promises.FORTNIGHT, "Every two weeks"), (promises.MONTH, "Each month")]
MOST = 60


class CollectionPromiseTerms(models.AbstractModel):
    """What a person fills in to note a promise, or a payment plan: promises in sequence that add up to the cent."""

    _name = "collection.promise.terms"
    _description = "Terms of a Promise"

    debtor_id = fields.Many2one("collection.debtor", required=True, ondelete="cascade")
    partner_id = fields.Many2one(related="debtor_id.partner_id")
    company_id = fields.Many2one(related="debtor_id.company_id")
    contact_id = fields.Many2one(
        "res.partner", string="Contact Person", domain="[('commercial_partner_id', '=', partner_id)]"
    )
    move_ids = fields.Many2many("account.move", string="Invoices", domain=f"[{UNPAID}]")
    promise_amount = fields.Monetary(
        string="Amount",
        compute="_compute_promise_amount",
        store=True,
        readonly=False,
        help="All that is overdue, unless you write another.",
    )
    currency_id = fields.Many2one(
        "res.currency", compute="_compute_currency_id", store=True, readonly=False, required=True, precompute=True
    )
    promise_date = fields.Date(string="Promised For")
    instalments = fields.Integer(default=1, help="More than one: a payment plan.")
    frequency = fields.Selection(FREQUENCIES, default=promises.MONTH)
    warning = fields.Char(compute="_compute_warning")
    preview = fields.Text(string="Instalments Preview", compute="_compute_preview")

    @api.depends("debtor_id", "move_ids")
    def _compute_currency_id(self):
        for wizard in self:
            wizard.currency_id = wizard.move_ids[:1].currency_id or wizard._get_owed_currency()

    @api.depends("debtor_id", "move_ids", "currency_id")
    def _compute_promise_amount(self):
        for wizard in self:
            wizard.promise_amount = wizard._get_owed(overdue=not wizard.move_ids)

    @api.depends("promise_amount", "currency_id", "move_ids", "debtor_id")
    @api.depends_context("lang")
    def _compute_warning(self):
        for wizard in self:
            owed = wizard._get_owed()
            above = wizard.currency_id and wizard.currency_id.compare_amounts(wizard.promise_amount, owed) > 0
            wizard.warning = above and _("This is more than the %s that is owed.", wizard.currency_id.format(owed))

    @api.depends("promise_amount", "promise_date", "instalments", "frequency", "currency_id")
    @api.depends_context("lang")
    def _compute_preview(self):
        for wizard in self:
            wizard.preview = "\n".join(
                f"{format_date(self.env, day)}: {wizard.currency_id.format(amount)}"
                for day, amount in wizard._get_instalments()
            )

    def _get_instalments(self):
        """(day, amount) of each instalment; none while the terms are incomplete."""
        self.ensure_one()
        if not (self.promise_date and self.frequency and 1 < self.instalments <= MOST):
            return []
        scale = 10**self.currency_id.decimal_places
        total = round(self.promise_amount * scale)
        if total < self.instalments:
            return []
        rows = promises.instalments(total, self.instalments, self.promise_date, self.frequency)
        return [(day, amount / scale) for day, amount in rows]

    def _get_owed_domain(self, overdue):
        domain = [*self.debtor_id._get_open_lines_domain(), ("amount_residual_currency", ">", 0)]
        if overdue:
            domain.append(("date_maturity", "<", self.debtor_id.company_id._get_collection_today()))
        return domain

    def _get_owed_currency(self):
        """The company's own, unless all that is overdue is in others: then that of what is so for the longest time."""
        self.ensure_one()
        own = self.debtor_id.currency_id
        if not self.debtor_id:
            return own
        groups = self.env["account.move.line"]._read_group(
            self._get_owed_domain(overdue=True), ["currency_id"], ["date_maturity:min"]
        )
        oldest_in = dict(groups)
        return own if own in oldest_in or not oldest_in else min(oldest_in, key=oldest_in.get)

    def _get_owed(self, overdue=False):
        """What is open in the currency, of the invoices or, without any, of all."""
        self.ensure_one()
        if not self.debtor_id:
            return 0.0
        domain = [*self._get_owed_domain(overdue), ("currency_id", "=", self.currency_id.id)]
        if self.move_ids:
            domain.append(("move_id", "in", self.move_ids.ids))
        ((owed,),) = self.env["account.move.line"]._read_group(domain, [], ["amount_residual_currency:sum"])
        return owed

    def _make_promises(self, **values):
        """The promises that these terms ask for."""
        self.ensure_one()
        return self.env["collection.promise"]._make_plan(
            {
                "debtor_id": self.debtor_id.id,
                "contact_id": self.contact_id.id,
                "amount": self.promise_amount,
                "currency_id": self.currency_id.id,
                "date": self.promise_date,
                "made_on": self.company_id._get_collection_today(),
                "move_ids": [fields.Command.set(self.move_ids.ids)],
                **values,
            },
            min(max(self.instalments, 1), MOST),
            self.frequency,
        )


class CollectionPromiseWizard(models.TransientModel):
    """Notes a promise of a debtor, or its payment plan."""

    _name = "collection.promise.wizard"
    _description = "Note a Promise"
    _inherit = ["collection.promise.terms"]

    promise_date = fields.Date(required=True)
    channel_id = fields.Many2one("mail.activity.type")
    note = fields.Text()

    def action_promise(self):
        self.ensure_one()
        made = self._make_promises(channel_id=self.channel_id.id, note=self.note)
        if len(made) == 1:
            return {"type": "ir.actions.act_window_close"}
        return made[0].action_open_plan()
