"""Due dates that count from the review: the worked case, and what must not change on posted invoices."""

from datetime import date, datetime

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged

from .review_common import NOW, ReviewCommon


@tagged("post_install", "-at_install")
class TestWorkedCase(ReviewCommon):
    def test_next_business_day(self):
        invoice = self.bill(self.customer, collection_delivered_at=NOW)
        self.assertEqual(invoice.collection_planned_review_date, date(2026, 11, 17))
        self.assertEqual(invoice.collection_contractual_date, date(2026, 12, 17))
        self.assertEqual(invoice.invoice_date_due, date(2026, 12, 18))
        self.assertEqual(self.receivable(invoice).date_maturity, date(2026, 12, 18))
        self.assertTrue(invoice.collection_due_estimated)

    def test_next_window(self):
        customer = self.make_reviewer("Patient", "next_window")
        invoice = self.bill(customer, collection_delivered_at=NOW)
        self.assertEqual(invoice.collection_planned_review_date, date(2026, 11, 23))
        self.assertEqual(invoice.collection_contractual_date, date(2026, 12, 23))
        self.assertEqual(invoice.invoice_date_due, date(2027, 1, 8))
        self.assertEqual(self.receivable(invoice).date_maturity, date(2027, 1, 8))

    def test_a_draft_follows_what_is_typed(self):
        invoice = self.bill(self.customer, post=False)
        self.assertEqual(invoice.collection_review_state, "pending")
        # Without a delivery it is planned from the invoice's day: Monday 16 is off, so Tuesday 17.
        self.assertEqual(invoice.invoice_date_due, date(2026, 12, 18))
        invoice.collection_delivered_at = "2026-11-17 20:00:00"
        self.assertEqual(invoice.collection_planned_review_date, date(2026, 11, 23))
        self.assertEqual(invoice.invoice_date_due, date(2026, 12, 28))
        self.assertEqual(self.receivable(invoice).date_maturity, date(2026, 12, 28))
        self.assertEqual(len(self.receivable(invoice)), 1)

    def test_an_accepted_invoice_is_due_from_its_real_review(self):
        invoice = self.bill(self.customer)
        with freeze_time("2026-11-24 18:00:00"):
            invoice._register_review("accepted", datetime(2026, 11, 23, 17), {invoice: "CR-77"})
        self.assertEqual(invoice.collection_review_date, date(2026, 11, 23))
        self.assertEqual(invoice.collection_contractual_date, date(2026, 12, 23))
        self.assertEqual(invoice.invoice_date_due, date(2026, 12, 28))
        self.assertFalse(invoice.collection_due_estimated)
        self.assertEqual(
            invoice.collection_due_reason,
            "Reviewed on 11/23/2026; 30 days: 12/23/2026; first payment day: 12/28/2026",
        )

    def test_the_review_day_is_the_customer_s(self):
        """23:30 in Mexico City is the next day in UTC."""
        invoice = self.bill(self.customer)
        with freeze_time("2026-11-24 18:00:00"):
            invoice._register_review("accepted", datetime(2026, 11, 24, 5, 30))
        self.assertEqual(invoice.collection_review_date, date(2026, 11, 23))

    def test_credit_from_the_delivery(self):
        self.customer.collection_credit_basis = "delivery"
        invoice = self.bill(self.customer)
        self.assertEqual(invoice.collection_review_state, "not_required")
        # 12 November + 30 = Saturday 12 December, paid on Friday 18.
        self.assertEqual((invoice.invoice_date_due, invoice.collection_due_estimated), (date(2026, 12, 18), True))
        with freeze_time("2026-11-20 18:00:00"):
            invoice._register_review("submitted", datetime(2026, 11, 20, 17))
            with self.assertRaisesRegex(UserError, "does not count from a review"):
                invoice._register_review("accepted", datetime(2026, 11, 20, 17))
        # 20 November + 30 = Sunday 20 December; Friday 25 is off: moved to Monday 28.
        self.assertEqual((invoice.invoice_date_due, invoice.collection_due_estimated), (date(2026, 12, 28), False))

    def test_payment_days_alone_move_the_effective_date(self):
        self.customer.collection_credit_basis = False
        invoice = self.bill(self.customer)
        self.assertEqual(invoice.collection_contractual_date, date(2026, 12, 12))
        self.assertEqual(invoice.invoice_date_due, date(2026, 12, 18))
        self.assertFalse(invoice.collection_due_estimated)

    def test_without_payment_terms_the_typed_date_stands(self):
        invoice = self.make_invoice(self.customer, days=-20)
        self.assertEqual(invoice.invoice_date_due, date(2026, 12, 2))
        self.assertIn("No payment terms", invoice.collection_due_reason)

    def test_an_ordinary_invoice_is_left_alone(self):
        customer = self.make_customer("Ordinary", property_payment_term_id=self.term.id)
        invoice = self.bill(customer)
        line = self.receivable(invoice)
        self.assertEqual(invoice.invoice_date_due, date(2026, 12, 12))
        self.assertEqual((line.collection_contractual_date, invoice.collection_due_reason), (False, False))
        self.assertEqual(set(line.term_key), {"move_id", "date_maturity", "discount_date"})
        self.assertNotIn("collection_contractual_date", next(iter(invoice.needed_terms)))


@tagged("post_install", "-at_install")
class TestPostedInvoices(ReviewCommon):
    """Whatever state a posted invoice is in, dates move and nothing else."""

    maxDiff = None

    def books(self, moves):
        """All that must not change: every line with its amounts, reconciliations and the numbers of both."""
        self.env.flush_all()
        self.env.invalidate_all()
        lines = moves.line_ids.sorted("id")
        names = ("id", "account_id", "partner_id", "debit", "credit", "balance", "amount_currency", "currency_id")
        names += ("amount_residual", "amount_residual_currency", "reconciled", "matching_number", "name", "date")
        partials = lines.matched_debit_ids | lines.matched_credit_ids
        return (
            [[line[name] for name in names] for line in lines],
            [(partial.id, partial.amount, partial.debit_amount_currency) for partial in partials.sorted("id")],
            [(move.name, move.amount_total, move.amount_residual, move.payment_state) for move in moves],
        )

    def accept(self, moves, day="2026-12-01", **kwargs):
        """Accept them on 1 December and prove that nothing but dates changed."""
        before = self.books(moves)
        with freeze_time(f"{day} 20:00:00"):
            moves._register_review("accepted", datetime.fromisoformat(f"{day} 18:00:00"), **kwargs)
        self.assertEqual(self.books(moves), before)

    def dates(self, invoice, name="date_maturity"):
        return [
            line[name]
            for line in self.receivable(invoice).sorted(lambda line: (line.collection_contractual_date, line.id))
        ]

    def test_a_partly_paid_invoice(self):
        invoice = self.bill(self.customer)
        self.pay(invoice, 400)
        self.accept(invoice)
        self.assertEqual((invoice.invoice_date_due, invoice.amount_residual), (date(2027, 1, 4), 600))

    def test_a_paid_invoice_was_due_when_it_was_due(self):
        invoice = self.bill(self.customer)
        self.pay(invoice)
        self.accept(invoice)
        self.assertEqual(invoice.invoice_date_due, date(2026, 12, 18))

    def test_instalments_keep_their_amounts_when_dates_coincide_with_old_ones(self):
        """30 and 60 days from a review 30 days later: the first instalment takes the day that the second one had."""
        customer = self.make_reviewer("Daily")
        customer.collection_window_ids.unlink()
        term = self.make_term(30, 60)
        term.line_ids[0].value_amount, term.line_ids[1].value_amount = 20, 80
        invoice = self.bill(customer, invoice_payment_term_id=term.id)
        self.assertEqual(self.dates(invoice), [date(2026, 12, 12), date(2027, 1, 11)])
        self.pay(invoice, 100)
        self.accept(invoice, "2026-12-12")
        lines = self.receivable(invoice).sorted("date_maturity")
        self.assertEqual(lines.mapped("balance"), [200, 800])
        self.assertEqual(lines.mapped("date_maturity"), [date(2027, 1, 11), date(2027, 2, 10)])
        self.assertEqual(invoice.invoice_date_due, date(2027, 2, 10))

    def test_two_instalments_on_one_payment_day_stay_two_lines(self):
        term = self.make_term(28, 30)
        invoice = self.bill(self.customer, invoice_payment_term_id=term.id)
        self.assertEqual(self.dates(invoice), [date(2026, 12, 18), date(2026, 12, 18)])
        self.assertEqual(self.dates(invoice, "collection_contractual_date"), [date(2026, 12, 15), date(2026, 12, 17)])
        self.accept(invoice)
        self.assertEqual(len(self.receivable(invoice)), 2)
        # 29 and 31 December: Friday 1 January is off, Monday 4 takes its place.
        self.assertEqual(self.dates(invoice), [date(2027, 1, 4), date(2027, 1, 4)])

    def test_an_early_payment_discount_counts_from_the_review_too(self):
        term = self.make_term(30, early_discount=True, discount_percentage=2, discount_days=10)
        invoice = self.bill(self.customer, invoice_payment_term_id=term.id)
        line = self.receivable(invoice)
        self.assertEqual(line.discount_date, date(2026, 11, 27))
        discounted = line.discount_balance
        self.assertEqual(discounted, 980)
        self.accept(invoice)
        self.assertEqual((line.discount_date, line.discount_balance), (date(2026, 12, 11), discounted))

    def test_a_foreign_currency(self):
        currency = (
            self.env.ref("base.EUR")
            if self.company.currency_id != self.env.ref("base.EUR")
            else self.env.ref("base.USD")
        )
        currency.active = True
        self.env["res.currency.rate"].create({"name": "2026-01-01", "currency_id": currency.id, "rate": 0.37})
        invoice = self.bill(
            self.customer, 333.33, currency_id=currency.id, invoice_payment_term_id=self.make_term(15, 30).id
        )
        self.pay(invoice, 100)
        self.accept(invoice)
        self.assertEqual(self.dates(invoice), [date(2026, 12, 18), date(2027, 1, 4)])

    def test_a_credit_note(self):
        invoice = self.bill(self.customer)
        refund = self.bill(self.customer, 250, move_type="out_refund")
        (self.receivable(invoice) + self.receivable(refund)).reconcile()
        self.accept(invoice + refund)
        other = self.bill(self.customer, 80, move_type="out_refund")
        self.accept(other)
        self.assertEqual((invoice + other).mapped("invoice_date_due"), [date(2027, 1, 4)] * 2)
        self.assertEqual(refund.invoice_date_due, date(2026, 12, 18), "used up, it stays")
        self.assertEqual(invoice.amount_residual, 750)

    def test_a_locked_period(self):
        invoice = self.bill(self.customer)
        self.company.sudo().fiscalyear_lock_date = date(2026, 11, 30)
        self.accept(invoice)
        self.assertEqual(invoice.invoice_date_due, date(2027, 1, 4))

    def test_an_inalterable_journal(self):
        self.company_data["default_journal_sale"].restrict_mode_hash_table = True
        invoice = self.bill(self.customer)
        if not invoice.inalterable_hash:
            # 19.0 hashes on demand.
            invoice.button_hash()
        hashed = invoice.inalterable_hash
        self.assertTrue(hashed)
        self.accept(invoice)
        self.assertEqual((invoice.inalterable_hash, invoice.invoice_date_due), (hashed, date(2027, 1, 4)))

    def test_reset_to_draft_and_posted_again(self):
        invoice = self.bill(self.customer)
        self.accept(invoice)
        lines = self.receivable(invoice)
        invoice.button_draft()
        invoice.invoice_line_ids.price_unit = 1500
        self.assertEqual(self.receivable(invoice).date_maturity, date(2027, 1, 4))
        invoice.action_post()
        self.assertEqual(self.receivable(invoice), lines)
        self.assertEqual((lines.balance, invoice.invoice_date_due), (1500, date(2027, 1, 4)))

    def test_a_fixed_date_stays_until_it_is_released(self):
        invoice = self.bill(self.customer)
        line = self.receivable(invoice)
        invoice._fix_due_dates({line: date(2027, 2, 1)}, "agreed with the owner")
        self.assertEqual((line.date_maturity, invoice.invoice_date_due), (date(2027, 2, 1), date(2027, 2, 1)))
        self.accept(invoice)
        self.assertEqual((line.date_maturity, invoice.invoice_date_due), (date(2027, 2, 1), date(2027, 2, 1)))
        self.assertEqual(line.collection_contractual_date, date(2026, 12, 31))
        self.assertIn("fixed for 02/01/2027: agreed with the owner", invoice.collection_due_reason)
        self.assertIn("agreed with the owner", "".join(invoice.message_ids.mapped("body")))
        invoice._release_due_dates()
        self.assertEqual((line.date_maturity, invoice.invoice_date_due), (date(2027, 1, 4), date(2027, 1, 4)))
        self.assertFalse(invoice.collection_due_overridden)

    def test_a_fixed_date_of_an_ordinary_invoice_goes_back_to_its_terms(self):
        customer = self.make_customer("Ordinary", property_payment_term_id=self.term.id)
        for invoice in (self.bill(customer), self.make_invoice(customer, days=-30)):
            line = self.receivable(invoice)
            invoice._fix_due_dates({line: date(2027, 2, 1)}, "agreed")
            self.assertEqual(invoice.invoice_date_due, date(2027, 2, 1))
            invoice.ref = "touched"
            self.assertEqual(line.date_maturity, date(2027, 2, 1))
            invoice._release_due_dates()
            self.assertEqual((line.date_maturity, invoice.invoice_date_due), (date(2026, 12, 12), date(2026, 12, 12)))
            self.assertFalse(line.collection_contractual_date)

    def test_a_fixed_date_survives_a_draft(self):
        invoice = self.bill(self.customer)
        invoice._fix_due_dates({self.receivable(invoice): date(2027, 2, 1)}, "agreed")
        invoice.button_draft()
        invoice.invoice_line_ids.price_unit = 1500
        self.assertEqual(self.receivable(invoice).date_maturity, date(2027, 2, 1))
