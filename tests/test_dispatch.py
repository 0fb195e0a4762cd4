from contextlib import contextmanager
from unittest.mock import patch

from odoo import SUPERUSER_ID, fields
from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import html_sanitize

from ..models.collection_notice import MAX_TRIES
from ..report import statement_pdf
from .common import CollectionCommon


class DispatchCommon(CollectionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # As the cron job does.
        cls.Notice = cls.Notice.with_user(SUPERUSER_ID)
        cls.Run = cls.Run.with_user(SUPERUSER_ID)
        cls.Notice.search([]).unlink()
        cls.collector = new_test_user(
            cls.env,
            "dispatch_collector",
            "account_collection.group_collection_collector",
            name="Clara Collector",
            email="clara@company.example.com",
        )
        cls.level = cls.env.ref("account_collection.level_late_3")
        cls.template = cls.level.template_id
        # The statement is printed only where a test looks at it.
        cls.policy.level_ids.attach_statement = False

    @classmethod
    def queue(cls, partner, *invoices, days=5):
        """One queued notice of ``partner``, about an invoice of 1,000 unless some are given."""
        if not invoices:
            cls.make_invoice(partner, 1000, days=days)
        notice = cls.night().filtered(lambda notice: notice.partner_id == partner and notice.state == "queued")
        notice.ensure_one()
        notice.debtor_id.collector_id = cls.collector
        return notice

    def dispatch(self):
        self.Notice._cron_dispatch()

    def failure_activities(self, notice):
        return notice.debtor_id.activity_ids.filtered(lambda activity: "not delivered" in (activity.summary or ""))


@tagged("post_install", "-at_install")
class TestCheckAgain(DispatchCommon):
    """Between the night and the dispatch the world goes on: what must not leave any more does not."""

    def assertCancelled(self, notice, text):
        self.assertEqual(notice.state, "cancelled")
        self.assertIn(text, notice.reason)
        self.assertFalse(notice.mail_id)
        self.assertFalse(any(notice.line_ids.mapped("told_on")), "what was not said may be said later")

    def test_paying_cancels_in_the_same_transaction(self):
        customer = self.make_customer("Pays in Time")
        invoice = self.make_invoice(customer, 1000, days=5)
        notice = self.queue(customer, invoice)
        self.pay(invoice)
        self.assertCancelled(notice, "Paid")
        self.dispatch()
        self.assertCancelled(notice, "Paid")

    def test_paying_cancels_a_proposal_too(self):
        self.policy.requires_approval = True
        customer = self.make_customer("Pays a Proposal")
        invoice = self.make_invoice(customer, 1000, days=5)
        notice = self.night()
        self.assertEqual(notice.state, "proposed")
        self.pay(invoice)
        self.assertCancelled(notice, "Paid")

    def test_partly_paid_tells_what_is_left(self):
        customer = self.make_customer("Pays Half")
        invoice = self.make_invoice(customer, 1000, days=5)
        other = self.make_invoice(customer, 300, days=4)
        notice = self.queue(customer, invoice)
        self.assertEqual(notice.amount, 1300)
        self.pay(invoice, 400)
        self.assertEqual(notice.state, "queued")
        self.dispatch()
        self.assertEqual(notice.state, "outgoing")
        self.assertEqual((notice.amount, notice.amount_overdue), (900, 900))
        self.assertEqual({line.move_id: line.amount for line in notice.line_ids}, {invoice: 600, other: 300})
        self.assertIn("900.00", notice.message_id.body)
        self.assertNotIn("1,300.00", notice.message_id.body)

    def test_a_payment_on_account_lowers_what_is_asked(self):
        customer = self.make_customer("Pays on Account")
        invoice = self.make_invoice(customer, 1000, days=5)
        notice = self.queue(customer, invoice)
        self.pay_on_account(customer, 999)
        self.company.collection_tolerance = 5
        self.dispatch()
        self.assertCancelled(notice, "Nothing is left to ask for")

    def test_the_item_of_the_level_is_paid_but_younger_ones_are_open(self):
        customer = self.make_customer("Pays the Old One")
        old = self.make_invoice(customer, 1000, days=20)
        self.make_invoice(customer, 500, days=5)
        notice = self.queue(customer, old)
        self.assertEqual(notice.level_id, self.env.ref("account_collection.level_late_15"))
        self.pay(old)
        self.assertCancelled(notice, "Paid")

    def test_credited_instead_of_paid(self):
        customer = self.make_customer("Gets Credit")
        old = self.make_invoice(customer, 1000, days=20)
        self.make_invoice(customer, 500, days=5)
        notice = self.queue(customer, old)
        self.make_invoice(customer, 1000, days=0, move_type="out_refund")
        self.dispatch()
        self.assertCancelled(notice, "What had reached this level")

    def test_hold_exclusion_and_do_not_dun(self):
        cases = {
            "hold": lambda notice, invoice: notice.debtor_id.write({"hold": True}),
            "hold until today": lambda notice, invoice: notice.debtor_id.write(
                {"hold": True, "hold_until": self.today}
            ),
            "excluded": lambda notice, invoice: notice.debtor_id.write({"excluded": True}),
            "do not dun": lambda notice, invoice: invoice.write({"collection_no_dun": True}),
        }
        texts = {"do not dun": "Nothing is left to ask for"}
        for name, change in cases.items():
            with self.subTest(name):
                customer = self.make_customer(f"Customer of {name}")
                invoice = self.make_invoice(customer, 1000, days=5)
                notice = self.queue(customer, invoice)
                change(notice, invoice)
                self.dispatch()
                self.assertCancelled(notice, texts.get(name, "on hold or excluded"))

    def test_a_hold_that_is_over_stops_nothing(self):
        notice = self.queue(self.make_customer("Was on Hold"))
        notice.debtor_id.write({"hold": True, "hold_until": self.days_ago(1)})
        self.dispatch()
        self.assertEqual(notice.state, "outgoing")

    def test_invoice_reset_to_draft_or_cancelled(self):
        for name in ("button_draft", "button_cancel"):
            with self.subTest(name):
                customer = self.make_customer(f"Withdrawn by {name}")
                invoice = self.make_invoice(customer, 1000, days=5)
                notice = self.queue(customer, invoice)
                invoice.button_draft()
                if name == "button_cancel":
                    invoice.button_cancel()
                self.assertCancelled(notice, "withdrawn")
                self.dispatch()
                self.assertEqual(notice.state, "cancelled")

    def test_one_of_two_invoices_is_withdrawn(self):
        customer = self.make_customer("Half Withdrawn")
        first, second = (self.make_invoice(customer, amount, days=5) for amount in (1000, 70))
        notice = self.queue(customer, first)
        first.button_draft()
        self.dispatch()
        self.assertEqual((notice.state, notice.amount, notice.line_ids.move_id), ("outgoing", 70, second))

    def test_customer_archived(self):
        customer = self.make_customer("Archived")
        notice = self.queue(customer)
        customer.active = False
        self.dispatch()
        self.assertCancelled(notice, "archived")

    def test_customer_merged_in_the_middle_of_a_run(self):
        source, target = self.make_customer("Doubled"), self.make_customer("The Double")
        notice = self.queue(source)
        self.make_invoice(target, 200, days=4)
        self.settle()
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((source + target).ids, target)
        self.assertFalse(source.exists())
        self.assertEqual(notice.debtor_id.partner_id, target)
        self.dispatch()
        self.assertEqual((notice.state, notice.amount), ("outgoing", 1200))
        self.assertEqual(notice.email_to, target.email)

    def test_two_queued_notices_become_one_by_a_merge(self):
        source, target = self.make_customer("Twice Queued"), self.make_customer("Queued Twice")
        self.make_invoice(source, 1000, days=5)
        self.make_invoice(target, 200, days=4)
        notices = self.night()
        self.assertEqual(len(notices), 2)
        self.env["base.partner.merge.automatic.wizard"].create({})._merge((source + target).ids, target)
        self.dispatch()
        self.assertEqual(sorted(notices.mapped("state")), ["cancelled", "outgoing"])
        self.assertIn("later notice", notices.filtered(lambda notice: notice.state == "cancelled").reason)

    def test_archived_template_never_sends(self):
        notice = self.queue(self.make_customer("No Template"))
        self.template.active = False
        self.dispatch()
        self.assertCancelled(notice, "template")

    def test_deleted_level(self):
        notice = self.queue(self.make_customer("No Level"))
        self.level.unlink()
        self.dispatch()
        self.assertCancelled(notice, "archived or deleted")

    def test_archived_policy(self):
        notice = self.queue(self.make_customer("No Policy"))
        self.policy.active = False
        self.dispatch()
        self.assertCancelled(notice, "archived or deleted")

    def test_minimum_of_the_level(self):
        customer = self.make_customer("Owes Little")
        self.level.minimum_amount = 500
        invoice = self.make_invoice(customer, 1000, days=5)
        notice = self.queue(customer, invoice)
        self.pay(invoice, 600)
        self.dispatch()
        self.assertCancelled(notice, "minimum")

    def test_what_was_cancelled_can_be_told_another_day(self):
        notice = self.queue(self.make_customer("Held for a Day"))
        notice.debtor_id.hold = True
        self.dispatch()
        self.assertEqual(notice.state, "cancelled")
        notice.debtor_id.hold = False
        again = self.night(fields.Date.add(self.today, days=1)).filtered(lambda new: new.debtor_id == notice.debtor_id)
        self.assertEqual((again.state, again.level_id), ("queued", self.level))

    def test_a_failed_notice_that_comes_late_gives_way_to_the_next_level(self):
        customer = self.make_customer("Late Retry")
        invoice = self.make_invoice(customer, 1000, days=14)
        notice = self.queue(customer, invoice)
        notice._fail("the printer was away")
        following = self.night(fields.Date.add(self.today, days=1)).filtered(lambda new: new.state == "queued")
        self.assertEqual(following.level_id, self.env.ref("account_collection.level_late_15"))
        notice.action_retry()
        with patch.object(type(self.company), "_get_collection_today", lambda company: following.date):
            self.dispatch()
        self.assertEqual(following.state, "outgoing")
        self.assertCancelled(notice, "later notice")


@tagged("post_install", "-at_install")
class TestFailures(DispatchCommon):
    """A notice that cannot leave keeps its error and stands in nobody's way."""

    def make_queue(self, count):
        customers = self.make_customers(*(f"Queued {number:02}" for number in range(count)))
        self.make_invoices(*((customer, 100 + number, 5) for number, customer in enumerate(customers)))
        notices = self.night().sorted("id")
        self.assertEqual(len(notices), count)
        notices.debtor_id.collector_id = self.collector
        return notices

    def break_template(self):
        """Newer series try a text when it is saved: this one breaks later."""
        self.template.subject = "{{ 1 / (7 - object.level_id.activity_delay) }}"
        self.level.activity_delay = 7

    def test_one_bad_text_among_twenty(self):
        notices = self.make_queue(20)
        bad = notices[7]
        self.template.body_html = f'<p>Dear <t t-out="1 / 0 if object.id == {bad.id} else object.partner_id.name"/></p>'
        self.dispatch()
        self.assertEqual(bad.state, "failed")
        self.assertIn("division by zero", bad.reason)
        self.assertFalse(bad.next_try, "a broken text does not mend itself")
        self.assertEqual(len(self.failure_activities(bad)), 1)
        self.assertEqual(self.failure_activities(bad).user_id, self.collector)
        good = notices - bad
        self.assertEqual(set(good.mapped("state")), {"outgoing"})
        self.assertEqual(len(good.mail_id), 19)
        for notice in good:
            self.assertEqual(len(notice.debtor_id.message_ids.filtered("subject")), 1)
            self.assertIn(notice.partner_id.name, notice.message_id.body)

    def test_a_template_that_never_renders(self):
        notices = self.make_queue(3)
        self.break_template()
        self.dispatch()
        self.assertEqual(set(notices.mapped("state")), {"failed"})
        self.assertTrue(all(notices.mapped("reason")))
        self.assertFalse(notices.mail_id)

    def test_one_statement_that_cannot_be_printed(self):
        self.level.attach_statement = True
        notices = self.make_queue(3)
        bad = notices[1]
        Report = type(self.env["report.account_collection.report_statement"])
        origin, printed = Report._print_pdfs, []

        @contextmanager
        def print_pdfs(report, documents):
            printed.append(len(documents))
            ink = {notice: ValueError("ink is out") for notice in documents if notice == bad}
            with origin(report, documents) as finish:
                yield lambda: {**finish(), **ink}

        with patch.object(Report, "_print_pdfs", print_pdfs):
            self.dispatch()
        self.assertEqual(notices.mapped("state"), ["outgoing", "failed", "outgoing"])
        self.assertEqual(bad.reason, "ink is out")
        self.assertEqual(printed, [3, 2], "the others once more, together")
        for notice in notices - bad:
            self.assertEqual(notice.attachment_id.raw[:4], b"%PDF")

    def test_what_took_too_long_to_print_is_tried_again(self):
        self.level.attach_statement = True
        notice = self.make_queue(1)
        with patch.object(statement_pdf, "DEADLINE", 0):
            self.dispatch()
        self.assertEqual(notice.state, "failed")
        self.assertIn("took more than", notice.reason)
        self.assertTrue(notice.next_try)

    def test_nothing_prints_on_when_the_batch_fails_meanwhile(self):
        self.level.attach_statement = True
        notices = self.make_queue(2)
        Dispatch, Printing = type(self.Notice), statement_pdf.Printing
        running, hang = [], ["sleep", "60"]

        def log_on_invoices(notices, addressed):
            raise ValueError("no ink for the chatter")

        def execute(printing, command, folder, timeout):
            running.append(printing)
            return original(printing, hang, folder, timeout)

        original = Printing._execute
        with (
            patch.object(Dispatch, "_log_on_invoices", log_on_invoices),
            patch.object(Printing, "_execute", execute),
        ):
            self.dispatch()
        self.assertEqual(set(notices.mapped("state")), {"failed"})
        self.assertFalse(any(printing._processes for printing in running))

    def test_chatters_are_written_while_the_statements_print(self):
        self.level.attach_statement = True
        notices = self.make_queue(2)
        Report = type(self.env["report.account_collection.report_statement"])
        Dispatch = type(self.Notice)
        origin, log, steps = Report._print_pdfs, Dispatch._log_on_invoices, []

        @contextmanager
        def print_pdfs(report, documents):
            with origin(report, documents) as finish:
                steps.append("start")
                yield lambda: steps.append("finish") or finish()

        def log_on_invoices(notices, addressed):
            steps.append("log")
            log(notices, addressed)

        with (
            patch.object(Report, "_print_pdfs", print_pdfs),
            patch.object(Dispatch, "_log_on_invoices", log_on_invoices),
        ):
            self.dispatch()
        self.assertEqual(steps, ["start", "log", "finish"])
        for notice in notices:
            self.assertEqual(notice.attachment_id, notice.message_id.attachment_ids)
            self.assertEqual(notice.attachment_id.raw[:4], b"%PDF")

    def test_what_the_chatters_keep_is_clean(self):
        """Messages are written without Odoo's own cleaning: what they say is as if it had taken place."""
        notice = self.make_queue(1)
        notice.line_ids.move_id.ref = "<script>alert(4)</script>"
        self.level.name = "Late <script>alert(1)</script> & more"
        self.template.body_html = (
            "<p onclick='alert(2)'>Pay, <t t-out='object.level_id.name'/><script>alert(3)</script></p>"
            "<div onclick='alert(5)'><t t-out='object.items_html'/><script>alert(6)</script></div>"
        )
        self.dispatch()
        entry = notice.line_ids.move_id.message_ids.filtered(lambda message: "by mail" in (message.body or ""))
        self.assertEqual(
            entry.body,
            "<p>Late &lt;script&gt;alert(1)&lt;/script&gt; &amp; more by mail: " + notice.email_to + "</p>",
        )
        self.assertEqual(
            notice.message_id.body,
            "<p>Pay, Late &lt;script&gt;alert(1)&lt;/script&gt; &amp; more</p>"
            f"<div>{notice.with_context(lang=notice.partner_id.lang).items_html}</div>",
        )
        self.assertIn("(&lt;script&gt;alert(4)&lt;/script&gt;)", notice.message_id.body)
        self.assertEqual(entry.body, html_sanitize(entry.body, sanitize_attributes=True, sanitize_style=True))

    def test_an_unreadable_record_fails_alone(self):
        notices = self.make_queue(4)
        self.company.collection_sender = "collector"
        self.template.email_from = (
            f"{{{{ object.partner_id.name if object.id != {notices[0].id} else object.partner_id.no_such }}}}"
        )
        self.dispatch()
        self.assertEqual(notices.mapped("state"), ["failed", "outgoing", "outgoing", "outgoing"])

    def test_passing_trouble_is_tried_again_with_longer_waits_and_then_waits_for_a_person(self):
        notice = self.make_queue(1)
        Dispatch = type(self.Notice)
        waits = []
        with patch.object(Dispatch, "_create_mails", side_effect=OSError("disk is away")):
            for number in range(MAX_TRIES):
                before = fields.Datetime.now()
                self.dispatch()
                self.assertEqual((notice.state, notice.reason, notice.tries), ("failed", "disk is away", number + 1))
                if number < MAX_TRIES - 1:
                    waits.append(notice.next_try - before)
                    self.assertFalse(self.failure_activities(notice), "nobody is disturbed while it is tried")
                    self.dispatch()
                    self.assertEqual(notice.tries, number + 1, "not before its time")
                    notice.next_try = before
        self.assertEqual(waits, sorted(set(waits)), "each wait is longer")
        self.assertFalse(notice.next_try)
        self.assertEqual(len(self.failure_activities(notice)), 1)
        self.dispatch()
        self.assertEqual(notice.state, "failed")

    def test_what_failed_by_passing_trouble_leaves_later(self):
        notice = self.make_queue(1)
        with patch.object(type(self.Notice), "_create_mails", side_effect=OSError("disk is away")):
            self.dispatch()
        self.assertFalse(notice.mail_id)
        notice.next_try = fields.Datetime.now()
        self.dispatch()
        self.assertEqual((notice.state, notice.reason, notice.next_try), ("outgoing", False, False))
        self.assertEqual(len(notice.debtor_id.message_ids.filtered("subject")), 1)

    def test_a_failed_notice_whose_invoice_is_paid_meanwhile(self):
        customer = self.make_customer("Pays a Failed One")
        invoice = self.make_invoice(customer, 1000, days=5)
        notice = self.queue(customer, invoice)
        with patch.object(type(self.Notice), "_create_mails", side_effect=OSError("disk is away")):
            self.dispatch()
        self.pay(invoice)
        notice.next_try = fields.Datetime.now()
        self.dispatch()
        self.assertEqual(notice.state, "cancelled")

    def test_retry_and_cancel_by_hand(self):
        notices = self.make_queue(2)
        self.break_template()
        self.dispatch()
        self.assertEqual(set(notices.mapped("state")), {"failed"})
        self.template.subject = "Mended"
        sender = new_test_user(
            self.env,
            "dispatch_sender",
            "account_collection.group_collection_collector,account_collection.group_collection_sender",
        )
        notices.debtor_id.collector_id = sender
        as_sender = notices.with_user(sender)
        as_sender[0].action_retry()
        as_sender[1].action_cancel()
        self.assertEqual((notices[0].state, notices[0].tries, notices[0].reason), ("queued", 0, False))
        self.assertEqual(notices[1].reason, f"Cancelled by {sender.name}")
        self.dispatch()
        self.assertEqual(notices.mapped("state"), ["outgoing", "cancelled"])
        with self.assertRaisesRegex(UserError, "Only failed notices"):
            as_sender.action_retry()
        with self.assertRaisesRegex(UserError, "not left yet"):
            as_sender.action_cancel()

    def test_retry_and_cancel_take_the_right_to_send(self):
        notice = self.make_queue(1)
        for action in ("action_retry", "action_cancel"):
            with self.assertRaisesRegex(UserError, "Sender"):
                getattr(notice.with_user(self.collector), action)()
        self.assertEqual(notice.state, "queued")

    def test_a_mail_that_a_person_took_out_of_the_queue(self):
        """It reports nothing: the notice waits for a person, and its debtor hears the next level."""
        deleted, cancelled, waiting = (
            self.queue(self.make_customer(name)) for name in ("Deleted", "Taken Out", "Left")
        )
        self.dispatch()
        deleted.mail_id.unlink()
        cancelled.mail_id.cancel()
        self.dispatch()
        self.assertEqual((deleted | cancelled | waiting).mapped("state"), ["failed", "failed", "outgoing"])
        self.assertEqual(len(self.failure_activities(deleted)), 1)
        self.assertFalse(deleted.next_try)

    def test_limit(self):
        notices = self.make_queue(5)
        self.assertEqual(self.Notice._cron_dispatch(limit=2), 2)
        self.assertEqual(notices.mapped("state"), ["outgoing"] * 2 + ["queued"] * 3)
        self.assertEqual(self.Notice._cron_dispatch(), 3)
        self.assertEqual(self.Notice._cron_dispatch(), 0)
        self.assertEqual(notices.run_id.state, "approved", "they are still being delivered")

    def test_when_its_time_is_up_it_asks_for_more(self):
        self.make_queue(3)
        module = "odoo.addons.account_collection.models.collection_notice_dispatch"
        trigger = patch.object(type(self.Notice), "_trigger_dispatch")
        with patch(f"{module}.TIME_BUDGET", -1), patch(f"{module}.BATCH", 2), trigger as triggered:
            self.assertEqual(self.Notice._cron_dispatch(), 2)
        triggered.assert_called_once()
        self.dispatch()


@tagged("post_install", "-at_install")
class TestAddresses(DispatchCommon):
    def test_no_address_takes_the_next_channel(self):
        customer = self.make_customer("No Address", email=False)
        notice = self.queue(customer)
        self.dispatch()
        self.assertEqual(notice.state, "failed")
        self.assertIn("has no mail address", notice.reason)
        self.assertFalse(notice.next_try)
        letter = self.notices(customer) - notice
        self.assertEqual((letter.channel, letter.state, letter.fallback_of_id), ("letter", "sent", notice))
        self.assertEqual(letter.attachment_id.raw[:4], b"%PDF")
        self.assertEqual(letter.message_id.attachment_ids, letter.attachment_id)
        self.assertEqual((letter.amount, letter.line_ids.move_id), (notice.amount, notice.line_ids.move_id))
        self.assertIn("Print and post", letter.debtor_id.activity_ids.mapped("summary")[0])
        self.assertFalse(self.failure_activities(notice), "the letter takes its place")

    def test_trying_again_without_an_address_sends_no_second_letter(self):
        customer = self.make_customer("Still No Address", email=False)
        notice = self.queue(customer)
        self.dispatch()
        notice.action_retry()
        self.dispatch()
        self.assertEqual(notice.state, "failed")
        self.assertIn("has no mail address", notice.reason)
        self.assertEqual(len(self.notices(customer)), 2)
        customer.email = "at.last@customer.example.com"
        notice.action_retry()
        self.dispatch()
        self.assertEqual((notice.state, notice.email_to), ("outgoing", customer.email))

    def test_the_address_may_come_before_the_letter_leaves_its_hold(self):
        """A letter that was cancelled leaves nothing told: another night may tell it."""
        customer = self.make_customer("Held Letter", email=False)
        notice = self.queue(customer)
        with patch.object(type(self.Notice), "_dispatch_letter", side_effect=OSError("printer")):
            self.dispatch()
        letter = self.notices(customer) - notice
        letter.action_cancel()
        customer.email = "found@customer.example.com"
        again = self.night(fields.Date.add(self.today, days=1))
        self.assertEqual((again.partner_id, again.channel, again.state), (customer, "mail", "queued"))

    def test_no_address_and_no_other_channel(self):
        self.set_channels(self.level, "mail")
        notice = self.queue(self.make_customer("No Way", email=False))
        self.dispatch()
        self.assertEqual(notice.state, "failed")
        self.assertEqual(len(self.failure_activities(notice)), 1)
        self.assertEqual(self.notices(notice.partner_id), notice)

    def test_a_customer_without_address_stops_nobody(self):
        self.set_channels(self.level, "mail")
        lost = self.make_customer("Unreachable", email=False)
        found = self.make_customer("Reachable")
        for customer in (lost, found):
            self.make_invoice(customer, 1000, days=5)
        self.night()
        self.dispatch()
        self.assertEqual((self.notices(lost).state, self.notices(found).state), ("failed", "outgoing"))

    def test_invalid_and_blacklisted_addresses(self):
        self.set_channels(self.level, "mail")
        invalid = self.queue(self.make_customer("Invalid", email="not an address"))
        self.dispatch()
        self.assertEqual(invalid.state, "failed")
        self.assertIn("is not a mail address", invalid.reason)
        blocked = self.make_customer("Blacklisted")
        self.env["mail.blacklist"]._add(blocked.email)
        notice = self.queue(blocked)
        self.dispatch()
        self.assertEqual(notice.state, "failed")
        self.assertIn("blacklist", notice.reason)

    def test_recipients(self):
        customer = self.make_customer("Recipients")
        notice = self.queue(customer)
        self.assertEqual(notice.recipient, customer.email)
        contact = {"parent_id": customer.id, "is_company": False}
        invoicing = self.make_customer("Invoice Contact", type="invoice", **contact)
        notice.invalidate_recordset()
        self.assertEqual(notice.recipient, invoicing.email)
        first = self.make_customer("Collections One", type="contact", collection_contact=True, **contact)
        second = self.make_customer("Collections Two", type="other", collection_contact=True, **contact)
        notice.invalidate_recordset()
        self.assertEqual(notice.recipient, f"{first.email}, {second.email}")
        first.active = False
        self.dispatch()
        self.assertEqual(notice.email_to, second.email)
        self.assertEqual(notice.message_id.partner_ids, second)

    def test_a_contact_without_address_gives_way_to_one_that_has(self):
        customer = self.make_customer("Has Address")
        self.make_customer("Silent Contact", email=False, parent_id=customer.id, is_company=False, type="invoice")
        notice = self.queue(customer)
        self.dispatch()
        self.assertEqual((notice.state, notice.email_to), ("outgoing", customer.email))

    def test_copies(self):
        customer = self.make_customer("Copied")
        notice = self.queue(customer)
        debtor = notice.debtor_id
        debtor.cc_partner_ids = self.make_customer("Copy One") + self.make_customer("Copy Two")
        debtor.bcc_partner_ids = self.make_customer("Blind One") + self.make_customer("Blind Two", email=False)
        self.dispatch()
        self.assertEqual(notice.mail_id.email_cc.count("@"), 2)
        self.assertNotIn("blind", notice.mail_id.email_cc + notice.mail_id.email_to)
        self.assertFalse(notice.mail_id.recipient_ids, "a refused blind copy must not send the customer's mail twice")
        blind = self.env["mail.mail"].search([("mail_message_id", "=", notice.message_id.id)]) - notice.mail_id
        self.assertEqual(blind.recipient_ids.mapped("name"), ["Blind One"])
        self.assertFalse(blind.email_to or blind.email_cc)

    def test_sender(self):
        notice = self.queue(self.make_customer("From Collector"))
        self.dispatch()
        self.assertIn("clara@company.example.com", notice.message_id.email_from)
        self.assertEqual(notice.message_id.author_id, self.collector.partner_id)
        self.company.collection_sender = "company"
        notice = self.queue(self.make_customer("From Company"))
        self.dispatch()
        self.assertIn("collections@company.example.com", notice.message_id.email_from)
        self.template.email_from = "dunning@template.example.com"
        notice = self.queue(self.make_customer("From Template"))
        self.dispatch()
        self.assertEqual(notice.message_id.email_from, "dunning@template.example.com")

    def test_a_company_without_address_says_so(self):
        self.company.partner_id.email = False
        self.company.email = False
        notice = self.queue(self.make_customer("No Sender"))
        notice.debtor_id.collector_id = False
        self.dispatch()
        self.assertEqual(notice.state, "failed")
        self.assertIn("no mail address to send from", notice.reason)

    def test_an_answer_lands_in_the_chatter_of_the_debtor(self):
        domain = self.env["mail.alias.domain"].create({"name": "answers.example.com"})
        self.company.alias_domain_id = domain
        customer = self.make_customer("Answers")
        notice = self.queue(customer)
        self.dispatch()
        message = notice.message_id
        self.assertIn(domain.catchall_email, message.reply_to)
        answer = f"""From: {customer.email}
To: {domain.catchall_email}
Subject: Re: {message.subject}
Message-ID: <an-answer@customer.example.com>
In-Reply-To: {message.message_id}
References: {message.message_id}
Content-Type: text/plain; charset=utf-8

We pay on Friday."""
        self.env["mail.thread"].message_process(False, answer)
        self.assertIn("We pay on Friday.", notice.debtor_id.message_ids[0].body)
        self.assertEqual(notice.debtor_id.message_ids[0].author_id, customer)


@tagged("post_install", "-at_install")
class TestContent(DispatchCommon):
    def test_chatter_and_documents(self):
        self.level.attach_statement = True
        customer = self.make_customer("With Papers")
        first, second = (self.make_invoice(customer, amount, days=5) for amount in (1000, 70))
        notice = self.queue(customer, first)
        before = notice.debtor_id.message_ids
        self.dispatch()
        entry = notice.debtor_id.message_ids - before
        entry = entry.filtered("subject")
        self.assertEqual(entry, notice.message_id)
        self.assertEqual(entry.attachment_ids, notice.attachment_id)
        self.assertEqual(entry.attachment_ids.with_user(self.collector).raw[:4], b"%PDF")
        self.assertEqual(notice.mail_id.attachment_ids, notice.attachment_id)
        for invoice in (first, second):
            short = invoice.message_ids[0]
            self.assertIn(customer.email, short.body)
            self.assertIn(self.level.name, short.body)
            self.assertFalse(short.attachment_ids)

    def test_activity_of_the_level(self):
        self.level.activity_type_id = self.env.ref("mail.mail_activity_data_call")
        self.level.activity_delay = 3
        notice = self.queue(self.make_customer("To Call"))
        self.dispatch()
        activity = notice.debtor_id.activity_ids
        self.assertEqual(activity.activity_type_id, self.level.activity_type_id)
        self.assertEqual(activity.date_deadline, fields.Date.add(self.today, days=3))
        self.assertEqual(activity.user_id, self.collector)

    def test_call(self):
        self.set_channels(self.level, "call")
        notice = self.queue(self.make_customer("Called"))
        self.dispatch()
        self.assertEqual((notice.state, notice.sent_on), ("sent", self.today))
        self.assertEqual(notice.debtor_id.activity_ids.mapped("summary"), ["Call"])
        nobody = self.queue(self.make_customer("Nobody Calls"))
        nobody.debtor_id.collector_id = False
        self.company.collection_responsible_id = False
        self.dispatch()
        self.assertEqual(nobody.state, "failed")
        self.assertIn("Nobody to call", nobody.reason)

    def test_letters_of_two_customers_do_not_mix(self):
        self.set_channels(self.level, "letter")
        notices = self.queue(self.make_customer("Ariadne")) + self.queue(self.make_customer("Bertrand"))
        self.dispatch()
        self.assertEqual(set(notices.mapped("state")), {"sent"})
        self.assertFalse(notices.mail_id)
        for notice, name in zip(notices, ("Ariadne", "Bertrand")):
            self.assertIn(name, notice.message_id.body)
            self.assertIn(name, notice.attachment_id.name)
            self.assertEqual(notice.attachment_id.raw[:4], b"%PDF")

    def test_language_of_the_customer(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.template.subject = "You owe"
        self.template.with_context(lang="fr_FR").subject = "Vous devez"
        self.template.with_context(lang="fr_FR").body_html = "<p>Bonjour <t t-out='object.partner_id.name'/></p>"
        french = self.queue(self.make_customer("Marianne", lang="fr_FR"))
        english = self.queue(self.make_customer("John", lang="en_US"))
        self.dispatch()
        self.assertEqual((french.message_id.subject, english.message_id.subject), ("Vous devez", "You owe"))
        self.assertIn("Bonjour Marianne", french.message_id.body)
        self.assertIn("Dear", english.message_id.body)

    def test_company_without_bank_accounts(self):
        self.company.partner_id.bank_ids.unlink()
        notice = self.queue(self.make_customer("Where to Pay"))
        self.dispatch()
        self.assertEqual(notice.state, "outgoing")
        self.assertNotIn("Where to pay", notice.message_id.body)

    def test_company_with_bank_accounts(self):
        self.env["res.partner.bank"].create({"acc_number": "BANK 0042 17", "partner_id": self.company.partner_id.id})
        notice = self.queue(self.make_customer("How to Pay"))
        self.dispatch()
        self.assertIn("BANK 0042 17", notice.message_id.body)

    def test_texts_do_not_leak(self):
        self.template.body_html = (
            '<div><t t-if="\'First\' in object.partner_id.name"><t t-set="remark" t-value="\'only the first\'"/></t>'
            '<t t-foreach="object.line_ids" t-as="line"><t t-set="last" t-value="line.amount"/></t>'
            '<p t-out="object.partner_id.name"/><p t-out="remark if remark else \'nothing\'"/></div>'
        )
        notices = self.queue(self.make_customer("First of All")) + self.queue(self.make_customer("Second"))
        self.dispatch()
        self.assertEqual(notices.mapped("state"), ["outgoing"] * 2)
        self.assertIn("only the first", notices[0].message_id.body)
        self.assertNotIn("Second", notices[0].message_id.body)
        self.assertNotIn("only the first", notices[1].message_id.body)
        self.assertIn("nothing", notices[1].message_id.body)

    def test_names_are_escaped(self):
        customer = self.make_customer("Smith & <script>alert(1)</script>Sons", email="smith@customer.example.com")
        self.template.subject = "Dear {{ object.partner_id.name }}"
        notice = self.queue(customer)
        self.dispatch()
        for body in (notice.message_id.body, notice.mail_id.body_html):
            self.assertNotIn("<script", body)
            self.assertIn("Smith &amp; ", body)
            self.assertNotIn("&amp;amp;", body)
        self.assertEqual(notice.message_id.subject, f"Dear {customer.name}")

    def test_a_text_with_several_roots_comments_and_odd_html(self):
        self.template.body_html = "Hello <b>you</b><!-- a comment --><p>é &amp; ü<br/>&nbsp;end</p>tail"
        notices = self.queue(self.make_customer("Odd One")) + self.queue(self.make_customer("Odd Two"))
        self.dispatch()
        self.assertEqual(notices.mapped("state"), ["outgoing"] * 2)
        for notice in notices:
            body = str(notice.message_id.body)
            self.assertIn("Hello <b>you</b>", body)
            self.assertIn("é &amp; ü", body)
            self.assertEqual(body.count("tail"), 1)

    def test_two_notices_of_one_customer_in_one_batch(self):
        customer = self.make_customer("Twice", email=False)
        self.make_invoice(customer, 1000, days=5)
        self.night()
        original = self.notices(customer)
        original.debtor_id.collector_id = self.collector
        self.Notice._cron_dispatch(limit=1)
        letter = self.notices(customer) - original
        self.assertEqual(letter.state, "queued")
        customer.email = "now@customer.example.com"
        original.action_retry()
        self.dispatch()
        self.assertEqual((original.state, letter.state), ("outgoing", "sent"))
        self.assertNotEqual(original.message_id, letter.message_id)
        self.assertEqual(original.message_id.attachment_ids, self.env["ir.attachment"])

    def test_attached_invoices(self):
        self.level.attach_invoices = True
        customer = self.make_customer("Wants Copies")
        invoice = self.make_invoice(customer, 1000, days=5)
        document = self.env["ir.attachment"].create(
            {
                "name": "invoice.pdf",
                "raw": b"%PDF-1.4 invoice",
                "res_model": "account.move",
                "res_id": invoice.id,
                "res_field": "invoice_pdf_report_file",
            }
        )
        notice = self.queue(customer, invoice)
        self.dispatch()
        self.assertEqual(notice.mail_id.attachment_ids, document)

    def test_multi_company(self):
        """A notice speaks for its own company, whoever dispatches."""
        other = self.env["res.company"].create({"name": "Other Company"})
        other.collection_policy_id = self.policy
        customer = self.make_customer("Shared")
        notice = self.queue(customer)
        self.Notice.with_company(other)._cron_dispatch()
        self.assertEqual(notice.state, "outgoing")
        self.assertIn(self.company.name, notice.message_id.subject)
        self.assertEqual(notice.message_id.record_company_id, self.company)
