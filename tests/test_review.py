"""Registering reviews, the rules of customers, dunning and rights."""

from datetime import date, datetime

from freezegun import freeze_time

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .review_common import ReviewCommon

GROUP = "account_collection.group_collection_"


@tagged("post_install", "-at_install")
class TestRegistering(ReviewCommon):
    def test_a_rejected_invoice_starts_again(self):
        invoice = self.bill(self.customer)
        collector = self.make_user("collector_of_reviews", GROUP + "collector")
        self.debtor(self.customer).collector_id = collector
        with freeze_time("2026-11-23 19:00:00"):
            invoice._register_review("rejected", datetime(2026, 11, 23, 18), reason="no purchase order")
        self.assertEqual(invoice.collection_review_state, "rejected")
        # From Monday 23 at 12:00 the window is still open; at 13:00 it is over.
        self.assertEqual(invoice.collection_planned_review_date, date(2026, 11, 23))
        with freeze_time("2026-11-23 20:00:00"):
            invoice._register_review("rejected", datetime(2026, 11, 23, 19), reason="no purchase order")
        self.assertEqual(invoice.collection_planned_review_date, date(2026, 11, 30))
        self.assertEqual(invoice.invoice_date_due, date(2027, 1, 4))
        activity = self.debtor(self.customer).activity_ids[-1:]
        self.assertEqual(activity.user_id, collector)
        self.assertIn(invoice.name, activity.summary)
        self.assertIn("no purchase order", activity.note)

    def test_taken_back_it_is_pending_again(self):
        invoice = self.bill(self.customer)
        due = invoice.invoice_date_due
        with freeze_time("2026-12-01 20:00:00"):
            invoice._register_review("accepted", datetime(2026, 12, 1, 18), {invoice: "CR-1"})
            self.assertNotEqual(invoice.invoice_date_due, due)
            invoice._register_review("pending", datetime(2026, 12, 1, 18))
        self.assertEqual((invoice.collection_review_state, invoice.collection_receipt_number), ("pending", False))
        # Planned anew from the day on which it was taken back: Monday 7 December, 6 January, Friday 8.
        self.assertEqual((invoice.collection_review_date, invoice.invoice_date_due), (False, date(2027, 1, 8)))

    def test_chatter_says_who_and_when(self):
        invoices = self.bill(self.customer) + self.bill(self.customer)
        debtor = self.debtor(self.customer)
        with freeze_time("2026-12-01 20:00:00"):
            invoices._register_review("submitted", datetime(2026, 11, 23, 17))
            invoices._register_review("accepted", datetime(2026, 12, 1, 18), dict.fromkeys(invoices, "CR-9"))
        for invoice in invoices:
            texts = invoice.message_ids[:2].mapped("body")
            self.assertIn("Accepted on 12/01/2026; due on 01/04/2027 (receipt CR-9)", texts[0])
            self.assertIn("Submitted for review on 11/23/2026; review planned for 11/23/2026", texts[1])
        body = debtor.message_ids[0].body
        for invoice in invoices:
            self.assertIn(f"{invoice.name}: Accepted", body)
        self.assertEqual(debtor.message_ids[0].author_id, self.env.user.partner_id)

    def test_a_receipt_may_cover_many_invoices_but_comes_once(self):
        first, second, third = (self.bill(self.customer) for _number in range(3))
        other = self.bill(self.make_reviewer("Other"))
        now = datetime(2026, 11, 12, 15)
        (first + second)._register_review("accepted", now, {first: "CR-5", second: "CR-5"})
        with self.assertRaisesRegex(UserError, f"Receipt CR-5 of Reviewer is that of {first.name} already"):
            (third + other)._register_review("accepted", now, {third: "CR-5", other: "X"})
        self.assertEqual((third.collection_review_state, other.collection_review_state), ("pending", "pending"))
        other._register_review("accepted", now, {other: "CR-5"})
        (first + second + third)._register_review("accepted", now, dict.fromkeys(first + second + third, "CR-5"))
        self.assertEqual(third.collection_receipt_number, "CR-5")

    def test_an_accepted_invoice_keeps_its_receipt_until_it_is_taken_back(self):
        invoice = self.bill(self.customer)
        now = datetime(2026, 11, 12, 15)
        invoice._register_review("accepted", now, {invoice: "CR-1"})
        with self.assertRaisesRegex(UserError, "was accepted with receipt CR-1: take it back"):
            invoice._register_review("accepted", now, {invoice: "CR-2"})
        invoice._register_review("pending", now)
        invoice._register_review("accepted", now, {invoice: "CR-2"})
        self.assertEqual(invoice.collection_receipt_number, "CR-2")

    def test_a_paid_invoice_goes_to_no_review(self):
        invoice = self.bill(self.customer)
        self.pay(invoice)
        with freeze_time("2026-11-18 12:00:00"):
            self.night(self.company._get_collection_today())
        self.assertEqual(invoice.collection_planned_review_date, date(2026, 11, 17))

    def test_bad_input_is_refused_whole(self):
        early, late = self.bill(self.customer, day=date(2026, 11, 2)), self.bill(self.customer)
        both = early + late
        for sentence, result, moment, values in (
            (f"{late.name} .*was invoiced on 11/12/2026", "accepted", datetime(2026, 11, 11, 18), {}),
            ("lies in the future", "accepted", datetime(2026, 11, 12, 17), {}),
            ("Say why", "rejected", datetime(2026, 11, 12, 15), {}),
        ):
            with self.assertRaisesRegex(UserError, sentence):
                both._register_review(result, moment, **values)
            self.assertEqual(both.mapped("collection_review_state"), ["pending"] * 2)
        ordinary = self.bill(self.make_customer("Ordinary", property_payment_term_id=self.term.id))
        draft = self.bill(self.customer, post=False)
        with self.assertRaisesRegex(UserError, "is a draft: post it first"):
            (late + draft)._register_review("accepted", datetime(2026, 11, 12, 15))
        with self.assertRaisesRegex(UserError, "does not count from a review"):
            (late + ordinary)._register_review("accepted", datetime(2026, 11, 12, 15))
        self.assertEqual(late.collection_review_state, "pending")

    def test_many_invoices_take_no_more_statements_each_than_few(self):
        def cost(count):
            moves = self.bills(self.customer, *[1000] * count)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            moves._register_review("accepted", datetime(2026, 11, 12, 15), dict.fromkeys(moves, f"CR-{count}"))
            self.env.flush_all()
            return self.cr.sql_log_count - before

        cost(2)
        few, many = cost(5), cost(15)
        self.assertLess((many - few) / 10, 1, "less than a statement for each further invoice")

    def test_a_wizard_from_many_invoices(self):
        invoices = self.bill(self.customer) + self.bill(self.customer)
        wizard = (
            self.env["collection.review.wizard"]
            .with_context(active_model="account.move", active_ids=invoices.ids)
            .create({"moment": datetime(2026, 11, 12, 15), "promised_date": date(2026, 12, 18)})
        )
        for number, line in enumerate(wizard.line_ids):
            line.receipt_number = f"CR-{number}"
        wizard.write({"scan": "c2Nhbg==", "scan_name": "receipt.txt"})
        wizard.action_register()
        self.assertEqual(invoices.mapped("collection_receipt_number"), ["CR-0", "CR-1"])
        self.assertEqual(invoices.mapped("collection_promised_date"), [date(2026, 12, 18)] * 2)
        self.assertEqual(invoices.collection_receipt_scan_id.raw, b"scan")


@tagged("post_install", "-at_install")
class TestRules(ReviewCommon):
    def test_windows_that_cannot_be_are_refused(self):
        for values, sentence in (
            ({"hour_from": 13, "hour_to": 9}, "ends before it starts"),
            ({"kind": "month_day", "month_day": 31}, "Not every month has a day 31"),
            ({"kind": "weekday", "weekday": False}, "Choose the weekday"),
        ):
            with self.assertRaisesRegex(ValidationError, sentence), self.cr.savepoint():
                self.env["collection.window"].create({"partner_id": self.customer.id, **values})

    def test_rules_that_leave_no_day_are_refused_where_they_are_made(self):
        with self.assertRaisesRegex(ValidationError, "Reviewer leaves no day for a review within two years"):
            self.env["collection.closed.period"].create(
                {"partner_id": self.customer.id, "date_from": "2026-01-01", "date_to": "2030-01-01"}
            )

    def test_a_readable_summary(self):
        self.assertEqual(self.customer.collection_credit_summary, "Reviews Mon 9-13, pays Fri, 30 days from review")
        self.env["collection.window"].create(
            [
                {"partner_id": self.customer.id, "kind": "nth_weekday", "nth": "-1", "weekday": "2", "hour_from": 9.5},
                {"partner_id": self.customer.id, "purpose": "payment", "kind": "month_day", "month_day": 15},
                {"partner_id": self.customer.id, "purpose": "payment", "kind": "month_end"},
            ]
        )
        self.customer.invalidate_recordset()
        self.assertEqual(
            self.customer.collection_credit_summary,
            "Reviews Mon 9-13, last Wed of the month 9:30-24, pays last day of the month, day 15, Fri, "
            "30 days from review",
        )

    def test_a_contact_follows_its_company(self):
        contact = self.make_customer("Plant", parent_id=self.customer.id, is_company=False)
        invoice = self.bill(contact, invoice_payment_term_id=self.term.id)
        self.assertEqual((invoice.collection_review_state, invoice.invoice_date_due), ("pending", date(2026, 12, 18)))

    def test_closed_periods_and_another_calendar(self):
        self.env["collection.closed.period"].create(
            {"partner_id": self.customer.id, "date_from": "2026-12-14", "date_to": "2026-12-31", "name": "Vacation"}
        )
        # Friday 18 is closed: the first business day after the vacation and New Year's holiday is Monday 4.
        self.assertEqual(self.bill(self.customer).invoice_date_due, date(2027, 1, 4))
        calendar = self.env["resource.calendar"].create({"name": "No holidays", "tz": "America/Mexico_City"})
        self.customer.collection_payment_calendar_id = calendar
        self.assertEqual(self.bill(self.customer).invoice_date_due, date(2027, 1, 1))

    def test_new_rules_offer_to_move_open_invoices(self):
        moved, fixed, paid = (self.bill(self.customer) for _number in range(3))
        debtor = self.debtor(self.customer)
        fixed._fix_due_dates({self.receivable(fixed): date(2027, 3, 1)}, "agreed")
        self.pay(paid)
        self.assertFalse(self.customer.collection_recompute_offered)
        self.customer.collection_payment_window_ids.weekday = "1"
        self.customer.invalidate_recordset()
        self.assertTrue(self.customer.collection_recompute_offered)
        self.assertTrue(debtor.recompute_offered)
        self.assertEqual(moved.invoice_date_due, date(2026, 12, 18))

        wizard = self.env["collection.recompute.wizard"].with_context(active_id=self.customer.id).create({})
        self.assertEqual(wizard.line_ids.move_id, moved)
        self.assertEqual(
            (wizard.line_ids.old_date, wizard.line_ids.new_date, wizard.line_ids.days),
            (date(2026, 12, 18), date(2026, 12, 22), 4),
        )
        self.assertEqual(wizard.message, "Open invoices that move: 1, by +4 to +4 days.")
        self.assertEqual(moved.invoice_date_due, date(2026, 12, 18), "a preview writes nothing")

        wizard.action_apply()
        self.assertEqual(
            (moved + fixed + paid).mapped("invoice_date_due"),
            [date(2026, 12, 22), date(2027, 3, 1), date(2026, 12, 18)],
        )
        self.customer.invalidate_recordset()
        self.assertFalse(self.customer.collection_recompute_offered)
        self.assertIn("12/18/2026 to 12/22/2026", moved.message_ids[0].body)

    def test_a_draft_older_than_the_rules_is_posted_with_todays(self):
        draft = self.bill(self.customer, post=False)
        self.assertEqual(draft.invoice_date_due, date(2026, 12, 18))
        self.env.flush_all()
        self.customer.collection_payment_window_ids.weekday = "1"
        draft.action_post()
        self.assertEqual(draft.invoice_date_due, date(2026, 12, 22))
        self.assertEqual(self.receivable(draft).date_maturity, date(2026, 12, 22))

    def test_a_draft_follows_its_customer_unless_a_person_decided(self):
        customer = self.make_customer("Undecided", property_payment_term_id=self.term.id)
        follower, decided = self.bill(customer, post=False), self.bill(customer, post=False)
        decided.collection_credit_basis = "delivery"
        customer.write(
            {
                "collection_credit_basis": "review",
                "collection_window_ids": [Command.create({"weekday": "0", "hour_to": 13})],
            }
        )
        self.assertEqual((follower.collection_review_state, follower.invoice_date_due), ("pending", date(2026, 12, 23)))
        self.assertEqual(self.receivable(follower).date_maturity, date(2026, 12, 23))
        self.assertEqual(decided.collection_credit_basis, "delivery")

    def test_holidays_that_came_later_and_leave_no_day_stop_nobody(self):
        invoice = self.bill(self.customer)
        self.env["resource.calendar.leaves"].create(
            {"name": "For ever", "calendar_id": self.calendar.id, "date_from": "2026-01-01", "date_to": "2030-01-01"}
        )
        with freeze_time("2026-12-01 20:00:00"):
            invoice._register_review("accepted", datetime(2026, 12, 1, 18))
        self.assertEqual(invoice.invoice_date_due, date(2026, 12, 31))

    def test_a_customer_that_starts_to_review(self):
        customer = self.make_customer("Starter", property_payment_term_id=self.term.id)
        invoice = self.bill(customer)
        customer.write(
            {
                "collection_credit_basis": "review",
                "collection_window_ids": [Command.create({"weekday": "0", "hour_to": 13})],
            }
        )
        wizard = self.env["collection.recompute.wizard"].with_context(active_id=customer.id).create({})
        self.assertEqual((wizard.line_ids.to_review, wizard.line_ids.chosen), (True, False), "a person says so")
        wizard.line_ids.chosen = True
        wizard.action_apply()
        self.assertEqual(
            (invoice.collection_review_state, invoice.collection_planned_review_date, invoice.invoice_date_due),
            ("pending", date(2026, 11, 23), date(2026, 12, 23)),
        )
        customer.write({"collection_credit_basis": "invoice", "collection_window_ids": [Command.clear()]})
        self.env["collection.recompute.wizard"].with_context(active_id=customer.id).create({}).action_apply()
        self.assertEqual(
            (invoice.collection_review_state, invoice.invoice_date_due), ("not_required", date(2026, 12, 12))
        )
        self.assertFalse(self.receivable(invoice).collection_contractual_date)


@tagged("post_install", "-at_install")
class TestDunningOfReviews(ReviewCommon):
    def test_nobody_is_dunned_before_the_review(self):
        invoice = self.bill(self.customer, day=date(2026, 9, 1))
        invoice.collection_planned_review_date = date(2026, 9, 7)
        # 7 October was a Wednesday: paid on Friday 9.
        self.assertEqual(invoice.invoice_date_due, date(2026, 10, 9))
        self.assertEqual(self.debtor(self.customer).overdue, 1000)
        self.company.collection_responsible_id = False
        with freeze_time("2026-09-07 17:00:00"):
            self.assertFalse(self.night())
            invoice._register_review("accepted", datetime(2026, 9, 7, 16))
        self.assertEqual(invoice.invoice_date_due, date(2026, 10, 9))
        notice = self.night()
        self.assertEqual((notice.level_id, notice.days_overdue), (self.env.ref("account_collection.level_late_30"), 34))
        statement = self.debtor(self.customer)._get_statement()[self.debtor(self.customer).id]["currencies"][0]
        self.assertEqual(
            [(item["due_date"], item["days_overdue"]) for item in statement["items"]], [(date(2026, 10, 9), 34)]
        )
        self.assertEqual([bucket["amount"] for bucket in statement["aging"]], [0, 0, 1000, 0, 0])
        self.assertEqual(self.debtor(self.customer).bucket_2, 1000)

    def test_a_statement_says_which_due_dates_are_estimates(self):
        waiting, accepted = self.bill(self.customer), self.bill(self.customer)
        accepted._register_review("accepted", datetime(2026, 11, 12, 15))
        debtor = self.debtor(self.customer)
        statement = debtor._get_statement()[debtor.id]
        estimated = {item["move_id"]: item["is_estimated"] for item in statement["currencies"][0]["items"]}
        self.assertEqual(estimated, {waiting.id: True, accepted.id: False})
        html = (
            self.env["ir.actions.report"]
            ._render_qweb_html("account_collection.report_statement", debtor.ids)[0]
            .decode()
        )
        self.assertEqual(html.count("12/18/2026 *"), 1)
        self.assertEqual(html.count("* Estimated until the invoice is reviewed."), 1)

    def test_a_queued_notice_waits_when_the_acceptance_is_taken_back(self):
        invoice = self.bill(self.customer, day=date(2026, 9, 1))
        invoice._register_review("accepted", datetime(2026, 9, 7, 16))
        notice = self.night()
        self.assertEqual(notice.state, "queued")
        invoice._register_review("pending", datetime(2026, 9, 7, 16))
        self.Notice._cron_dispatch()
        self.assertEqual(notice.state, "cancelled")

    def test_a_missed_review_is_planned_again_and_the_collector_reminded(self):
        invoice = self.bill(self.customer)
        submitted = self.bill(self.customer)
        submitted._register_review("submitted", datetime(2026, 11, 12, 15))
        self.company.collection_responsible_id = self.env.user
        debtor = self.debtor(self.customer)
        debtor.activity_ids.unlink()
        for now, summary in (
            ("2026-11-15 12:00:00", False),
            ("2026-11-16 12:00:00", f"Review tomorrow: {invoice.name}"),
            ("2026-11-18 12:00:00", False),
            ("2026-11-22 12:00:00", f"Review tomorrow: {invoice.name}"),
        ):
            with freeze_time(now):
                today = self.company._get_collection_today()
                self.night(today)
                self.night(today)
                self.assertEqual(debtor.activity_ids.mapped("summary"), [summary] if summary else [], now)
                debtor.activity_ids.unlink()
        self.assertEqual(invoice.collection_planned_review_date, date(2026, 11, 23))
        self.assertEqual(invoice.invoice_date_due, date(2026, 12, 28))
        self.assertEqual(submitted.collection_planned_review_date, date(2026, 11, 17))


@tagged("post_install", "-at_install")
class TestInvoicesForReview(ReviewCommon):
    def test_they_group_by_collector_customer_and_day(self):
        collector = self.make_user("grouped", GROUP + "collector")
        first, second = self.bill(self.customer), self.bill(self.make_reviewer("Nobody's"))
        self.debtor(self.customer).collector_id = collector
        domain = [("id", "in", (first + second).ids), ("collection_review_state", "=", "pending")]
        Move = self.env["account.move"]
        groups = Move.read_group(domain, ["amount_total_signed:sum"], ["collection_collector_id"])
        self.assertEqual(
            [
                (group["collection_collector_id"] and group["collection_collector_id"][0], group["amount_total_signed"])
                for group in groups
            ],
            [(collector.id, 1000), (False, 1000)],
        )
        groups = Move._read_group(domain, ["collection_planned_review_date:day"], ["__count"])
        self.assertEqual(groups, [(date(2026, 11, 17), 2)])
        self.assertEqual(Move.search([*domain, ("collection_collector_id", "=", collector.id)]), first)
        self.assertEqual(Move.search([*domain, ("collection_collector_id", "!=", collector.id)]), second)
        other = self.make_user("grouping", GROUP + "collector")
        groups = Move.with_user(other).read_group(domain, ["__count"], ["collection_collector_id"])
        self.assertEqual([group["collection_collector_id"] for group in groups], [False], "debtors of others stay so")


@tagged("post_install", "-at_install")
class TestRightsOnReviews(ReviewCommon):
    def test_a_collector_registers_for_the_own_customers_alone(self):
        collector, other = self.make_user("own", GROUP + "collector"), self.make_user("other", GROUP + "collector")
        viewer = self.make_user("viewer", GROUP + "viewer")
        invoice = self.bill(self.customer)
        self.debtor(self.customer).collector_id = collector
        now = datetime(2026, 11, 12, 15)
        with self.assertRaisesRegex(AccessError, "Customers of another collector"):
            invoice.with_user(other)._register_review("accepted", now)
        with self.assertRaisesRegex(AccessError, "right to invoice or to collect"):
            invoice.with_user(viewer)._register_review("accepted", now)
        wizard = (
            self.env["collection.review.wizard"]
            .with_user(collector)
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"moment": now, "scan": "c2Nhbg==", "scan_name": "receipt.txt"})
        )
        wizard.line_ids.receipt_number = "CR-1"
        wizard.action_register()
        self.assertEqual((invoice.collection_review_state, invoice.collection_receipt_number), ("accepted", "CR-1"))
        self.assertEqual(invoice.collection_receipt_scan_id.raw, b"scan")
        self.assertEqual(invoice.message_ids[0].author_id, collector.partner_id)
        with self.assertRaises(AccessError):
            invoice.with_user(collector).write({"collection_promised_date": "2026-12-12"})

    def test_fixing_a_date_takes_a_right_of_its_own(self):
        invoice = self.bill(self.customer)
        for user, allowed in (
            (self.make_user("fix_collector", GROUP + "collector"), False),
            (self.make_user("fix_manager", GROUP + "manager"), True),
        ):
            wizard = (
                self.env["collection.due.date.wizard"]
                .sudo()
                .with_context(active_model="account.move", active_id=invoice.id)
                .create({"reason": "agreed"})
            )
            wizard.line_ids.due_date = "2027-02-01"
            if allowed:
                wizard.with_user(user).action_fix()
            else:
                with self.assertRaises(AccessError):
                    wizard.with_user(user).action_fix()
        self.assertEqual(invoice.invoice_date_due, date(2027, 2, 1))
        self.assertEqual(invoice.message_ids[0].author_id.name, "Fix Manager")
        other = self.bill(self.customer)
        wizard = self.env["collection.due.date.wizard"].create(
            {
                "move_id": invoice.id,
                "reason": "agreed",
                "line_ids": [Command.create({"move_line_id": self.receivable(other).id, "due_date": "2027-02-02"})],
            }
        )
        with self.assertRaisesRegex(UserError, "Only due dates of a posted customer invoice"):
            wizard.action_fix()

    def test_a_collector_moves_the_due_dates_of_the_own_customers_alone(self):
        collector, other = self.make_user("mover", GROUP + "collector"), self.make_user("stranger", GROUP + "collector")
        invoice = self.bill(self.customer)
        debtor = self.debtor(self.customer)
        debtor.collector_id = collector
        self.customer.collection_payment_window_ids.weekday = "1"
        Wizard = self.env["collection.recompute.wizard"].with_context(active_id=self.customer.id)
        with self.assertRaisesRegex(AccessError, "takes the right to invoice, or to collect"):
            Wizard.with_user(other).create({})
        self.assertTrue(debtor.recompute_offered)
        Wizard.with_user(collector).create({}).action_apply()
        self.assertEqual((invoice.invoice_date_due, debtor.recompute_offered), (date(2026, 12, 22), False))

    def test_windows_are_read_by_all_and_written_by_who_keeps_contacts(self):
        window = self.customer.collection_review_window_ids
        collector = self.make_user("w_collector", GROUP + "collector")
        keeper = self.make_user("w_keeper", GROUP + "collector", "base.group_partner_manager")
        self.assertEqual(window.with_user(collector).display_name, "Mon 9-13")
        with self.assertRaises(AccessError):
            window.with_user(collector).write({"hour_to": 12})
        window.with_user(keeper).write({"hour_to": 12})
        self.assertEqual(window.hour_to, 12)
