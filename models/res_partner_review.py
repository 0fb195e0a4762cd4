from typing import NamedTuple

import pytz

from odoo import _, api, fields, models
from odoo.exceptions import ValidationError

from ..engine import windows
from .collection_window import PAYMENT, REVIEW

BY_INVOICE, BY_DELIVERY, BY_REVIEW = "invoice", "delivery", "review"
CREDIT_BASES = [
    (BY_INVOICE, "Invoice date"),
    (BY_DELIVERY, "Delivery date"),
    (BY_REVIEW, "Review date"),
]
ON_HOLIDAY = [
    (windows.NEXT_WINDOW, "Wait for the next window"),
    (windows.NEXT_BUSINESS_DAY, "Move to the next business day, same hours"),
]
# What decides on which days a customer's invoices fall due.
RULES = {
    "collection_credit_basis",
    "collection_review_on_holiday",
    "collection_payment_on_holiday",
    "collection_review_calendar_id",
    "collection_payment_calendar_id",
}


class CustomerDays(NamedTuple):
    """When a customer receives invoices and when it pays, in its own time zone."""

    timezone: pytz.BaseTzInfo
    reviews: windows.Schedule
    payments: windows.Schedule

    def localize(self, moment):
        return localize(moment, self.timezone)

    def first_review(self, moment):
        """Day of the first review after a local moment. Rules that leave none are refused where they are made; should
        holidays that came later leave none, it is the moment's own day: invoices must go on."""
        try:
            return windows.review_date(self.reviews, moment)
        except windows.NoDayError:
            return moment.date()

    def first_payment(self, day):
        """First payment day from ``day`` on; ``day`` itself where the rules leave none, as above."""
        try:
            return windows.effective_due_date(self.payments, day)
        except windows.NoDayError:
            return day


def localize(moment, timezone):
    """A naive UTC moment as a naive moment of ``timezone``."""
    return pytz.utc.localize(moment).astimezone(timezone).replace(tzinfo=None)


class ResPartner(models.Model):
    """When a customer receives invoices for review and when it pays.

    How to use: ``_get_customer_days(company)`` gives what :mod:`engine.windows` needs. How it works: a constant number
    of queries for any number of customers; customers with the same rules share one schedule, whose days are listed
    once.
    """

    _inherit = "res.partner"

    collection_credit_basis = fields.Selection(
        CREDIT_BASES,
        string="Credit Counts From",
        groups="base.group_user",
        help="The day from which the payment terms count. Empty: the invoice date.",
    )
    collection_window_ids = fields.One2many(
        "collection.window", "partner_id", string="Windows", groups="base.group_user"
    )
    collection_review_window_ids = fields.One2many(
        "collection.window",
        "partner_id",
        string="Review Windows",
        domain=[("purpose", "=", REVIEW)],
        groups="base.group_user",
        help="When this customer receives invoices. None: any day that is no holiday.",
    )
    collection_payment_window_ids = fields.One2many(
        "collection.window",
        "partner_id",
        string="Payment Windows",
        domain=[("purpose", "=", PAYMENT)],
        groups="base.group_user",
        help="When this customer pays. None: any day.",
    )
    collection_closed_period_ids = fields.One2many(
        "collection.closed.period", "partner_id", string="Closed Periods", groups="base.group_user"
    )
    collection_review_on_holiday = fields.Selection(
        ON_HOLIDAY, string="Review on a Holiday", groups="base.group_user", help="Empty: it waits for the next window."
    )
    collection_payment_on_holiday = fields.Selection(
        ON_HOLIDAY,
        string="Payment on a Holiday",
        groups="base.group_user",
        help="Empty: it waits for the next window.",
    )
    collection_review_calendar_id = fields.Many2one(
        "resource.calendar",
        string="Review Holidays",
        groups="base.group_user",
        help="Calendar whose public holidays reviews keep. Empty: the company's.",
    )
    collection_payment_calendar_id = fields.Many2one(
        "resource.calendar",
        string="Payment Holidays",
        groups="base.group_user",
        help="Calendar whose public holidays payments keep. Empty: the company's.",
    )

    # === What to take where ===#
    collection_review_place = fields.Char(
        string="Review Place", groups="base.group_user", help="Where invoices are handed in: address, window, floor."
    )
    collection_review_contact_id = fields.Many2one(
        "res.partner", string="Review Contact", groups="base.group_user", help="Who receives the invoices."
    )
    collection_portal_url = fields.Char(
        string="Supplier Portal", groups="base.group_user", help="Where the customer's suppliers upload their invoices."
    )
    collection_review_document_ids = fields.Many2many(
        "collection.review.document", string="Required Documents", groups="base.group_user"
    )

    collection_credit_summary = fields.Char(
        string="Review and Payment", compute="_compute_collection_credit_summary", groups="base.group_user"
    )
    collection_recompute_offered = fields.Boolean(
        string="Due Dates to Look At", compute="_compute_collection_recompute_offered", groups="base.group_user"
    )

    @api.depends(
        "commercial_partner_id",
        "collection_credit_basis",
        "collection_review_window_ids.display_name",
        "collection_payment_window_ids.display_name",
        "property_payment_term_id",
    )
    @api.depends_context("lang", "company")
    def _compute_collection_credit_summary(self):
        for partner in self:
            partner.collection_credit_summary = ", ".join(partner.commercial_partner_id._get_credit_parts())

    @api.depends("commercial_partner_id")
    @api.depends_context("company")
    def _compute_collection_recompute_offered(self):
        # sudo: whoever invoices is told, with or without a right on collections
        offering = (
            self.env["collection.debtor"]
            .sudo()
            .search(
                [
                    ("partner_id", "in", self.commercial_partner_id.ids),
                    ("company_id", "=", self.env.company.id),
                    ("recompute_offered", "=", True),
                ]
            )
            .partner_id
        )
        for partner in self:
            partner.collection_recompute_offered = partner.commercial_partner_id in offering

    def _get_credit_parts(self):
        """“Reviews Mon 9-13”, “pays Fri”, “30 days from review”; nothing where all is as Odoo's own terms say."""
        self.ensure_one()
        parts = []
        reviews = ", ".join(self.collection_review_window_ids.mapped("display_name"))
        payments = ", ".join(self.collection_payment_window_ids.mapped("display_name"))
        if reviews and self.collection_credit_basis == BY_REVIEW:
            parts.append(_("Reviews %(windows)s", windows=reviews))
        if payments:
            parts.append(_("pays %(windows)s", windows=payments) if parts else _("Pays %(windows)s", windows=payments))
        # sudo: the terms' name is on every invoice; what a form has not saved does not hold them
        term = (self._origin or self).sudo().property_payment_term_id.name
        if self.collection_credit_basis == BY_REVIEW:
            parts.append(_("%(term)s from review", term=term) if term else _("credit counts from review"))
        elif self.collection_credit_basis == BY_DELIVERY:
            parts.append(_("%(term)s from delivery", term=term) if term else _("credit counts from delivery"))
        return parts

    def write(self, vals):
        if RULES.isdisjoint(vals):
            return super().write(vals)
        # Contacts get a copy of what their company says: the company alone decides.
        customers = self.filtered(lambda partner: partner == partner.commercial_partner_id)
        bases = {customer: customer.sudo().collection_credit_basis or BY_INVOICE for customer in customers}
        result = super().write(vals)
        customers._offer_recompute()
        if "collection_credit_basis" in vals:
            customers._update_drafts(bases)
        return result

    def _update_drafts(self, bases):
        """Drafts follow their customer, but those that a person gave another basis.

        :param bases: ``{customer: what its credit counted from before}``
        """
        # sudo: drafts follow whoever keeps the contact
        drafts = (
            self.env["account.move"]
            .sudo()
            .search(
                [
                    ("state", "=", "draft"),
                    ("move_type", "in", ("out_invoice", "out_refund")),
                    ("commercial_partner_id", "in", self.ids),
                ]
            )
        )
        for customer, moves in drafts.grouped("commercial_partner_id").items():
            followers = moves.filtered(lambda move: move.collection_credit_basis in (False, bases[customer]))
            followers.write({"collection_credit_basis": customer.collection_credit_basis or BY_INVOICE})

    @api.model
    def _commercial_fields(self):
        return super()._commercial_fields() + ["collection_credit_basis"]

    def action_open_credit_days(self):
        """The customer's days in a dialog, from its contact and from its debtor."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": _("Review and Payment"),
            "res_model": "res.partner",
            "res_id": self.commercial_partner_id.id,
            "view_mode": "form",
            "views": [(self.env.ref("account_collection.res_partner_view_form_credit_days").id, "form")],
            "target": "new",
        }

    # === Days ===#

    def _get_customer_days(self, company):
        """``{commercial partner: CustomerDays}`` of these partners as customers of ``company``."""
        # sudo: whoever writes an invoice needs its due dates, not the customer's calendar
        customers = self.sudo().commercial_partner_id
        own_calendar = company.sudo().resource_calendar_id
        calendars = customers.collection_review_calendar_id | customers.collection_payment_calendar_id | own_calendar
        business_days = calendars._get_business_days(company)
        shared, days = {}, {}

        def schedule(rules, calendar, closed, on_holiday):
            holidays, week = business_days[calendar]
            engine_windows = tuple(rule._as_engine() for rule in rules)
            found = windows.Schedule(engine_windows, holidays, closed, on_holiday or windows.NEXT_WINDOW, week)
            return shared.setdefault(found, found)

        for customer in customers:
            closed = tuple((period.date_from, period.date_to) for period in customer.collection_closed_period_ids)
            by_purpose = customer.collection_window_ids.grouped("purpose")
            days[customer] = CustomerDays(
                customer._get_collection_timezone(company),
                schedule(
                    by_purpose.get(REVIEW, ()),
                    customer.collection_review_calendar_id or own_calendar,
                    closed,
                    customer.collection_review_on_holiday,
                ),
                schedule(
                    by_purpose.get(PAYMENT, ()),
                    customer.collection_payment_calendar_id or own_calendar,
                    closed,
                    customer.collection_payment_on_holiday,
                ),
            )
        return days

    def _get_collection_timezone(self, company):
        """The customer's time zone, else the company's."""
        self.ensure_one()
        return pytz.timezone(self.tz) if self.tz else company._get_collection_timezone()

    def _check_days_left(self):
        """Refuse rules that leave no day, where they are made."""
        today = fields.Datetime.now()
        for customer, days in self._get_customer_days(self.env.company).items():
            for schedule, what in ((days.reviews, _("review")), (days.payments, _("payment"))):
                try:
                    schedule.first_after(days.localize(today))
                except windows.NoDayError:
                    raise ValidationError(customer._get_no_day_text(what)) from None

    def _get_no_day_text(self, what):
        """Why no day can be found for a review or a payment of this customer."""
        self.ensure_one()
        return _(
            "%(customer)s leaves no day for a %(what)s within two years: look at its windows, closed periods and "
            "holidays.",
            customer=self.display_name,
            what=what,
        )

    # === Recompute ===#

    def _offer_recompute(self):
        """The days of these customers changed: their debtors with open invoices offer to recompute these."""
        if not self:
            return
        self._check_days_left()
        # sudo: a mark of the system's own, whoever may change a window
        open_moves = (
            self.env["account.move"]
            .sudo()
            ._read_group(
                [
                    ("commercial_partner_id", "in", self.commercial_partner_id.ids),
                    *self.env["account.move"]._get_recompute_domain(),
                ],
                ["commercial_partner_id", "company_id"],
            )
        )
        owing = set(open_moves)
        debtors = self.env["collection.debtor"].sudo().search([("partner_id", "in", self.commercial_partner_id.ids)])
        debtors = debtors.filtered(lambda debtor: (debtor.partner_id, debtor.company_id) in owing)
        debtors.write({"recompute_offered": True})
