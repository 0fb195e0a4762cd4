"""A collector's desk: who to call first, everything about a debtor on one screen, and the buttons on it."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, HttpCase, tagged
from odoo.tools.misc import format_date

from .common import CollectionCommon
from .test_disputes import DisputeCommon
from .test_rights import RightsCommon


@tagged("post_install", "-at_install")
class TestDesk(DisputeCommon):
    """The customer of ``DisputeCommon`` owes one invoice of 1,000."""

    def setUp(self):
        super().setUp()
        self.theirs = self.debtor(self.customer)

    def open_items(self):
        self.theirs.invalidate_recordset()
        return self.theirs.open_line_ids

    def test_what_answers_for_an_item_is_told_beside_it(self):
        later = self.make_invoice(self.customer, 800, days=2)
        self.dispute(amount=300)
        self.promise(900, days=6)
        told = {line.move_id: line.collection_answered for line in self.open_items()}
        day = format_date(self.env, self.today + timedelta(days=6))
        # The dispute answers for 300 of the older invoice, the promise for the other 700 and for 200 of the later one.
        self.assertEqual(told[self.invoice], f"Promised for {day}: $\xa0700.00; In dispute: $\xa0300.00")
        self.assertEqual(told[later], f"Promised for {day}: $\xa0200.00")

    def test_nothing_answers_for_most_items(self):
        self.assertEqual(self.open_items().mapped("collection_answered"), [""])

    def test_the_last_interaction_and_its_outcome(self):
        call, visit = (
            self.env.ref("mail.mail_activity_data_call"),
            self.env.ref("account_collection.activity_type_visit"),
        )
        message = self.env.ref("account_collection.outcome_message")
        said = {"debtor_id": self.theirs.id}
        now = fields.Datetime.now()
        self.assertFalse(self.theirs.last_said)
        self.env["collection.interaction"].create(
            [
                {**said, "kind_id": call.id, "outcome_id": message.id, "date": now - timedelta(days=1)},
                # Written down later, about an earlier day.
                {**said, "kind_id": visit.id, "note": "Closed", "date": now - timedelta(days=3)},
            ]
        )
        self.theirs.invalidate_recordset()
        self.assertEqual(self.theirs.last_interaction_id.kind_id, call)
        self.assertTrue(self.theirs.last_said.endswith(": Call, Left a message"), self.theirs.last_said)

    def test_debtors_by_product_of_their_open_invoices(self):
        chair, table = self.env["product.product"].create([{"name": "Desk chair"}, {"name": "Desk table"}])
        paid = self.make_customer("Has paid")
        for customer, product in ((self.customer, chair), (self.make_customer("Table"), table), (paid, chair)):
            invoice = self.make_invoice(customer, 100, post=False)
            invoice.invoice_line_ids.product_id = product
            invoice.action_post()
            if customer == paid:
                self.pay(invoice)
            self.debtor(customer)

        def found(operator, value):
            domain = [("open_product_ids", operator, value), ("company_id", "=", self.company.id)]
            return self.Debtor.search(domain).partner_id

        self.assertEqual(found("in", chair.ids), self.customer)
        self.assertEqual(found("ilike", "desk chair"), self.customer)
        others = found("not in", chair.ids)
        self.assertIn(paid, others)
        self.assertNotIn(self.customer, others)
        self.assertEqual(self.theirs.open_product_ids, chair)

    def test_payments_of_the_last_months(self):
        self.pay(self.invoice, 250, date=self.today - timedelta(days=10))
        old = self.make_invoice(self.customer, 90, days=300)
        self.pay(old, 90, date=self.today - timedelta(days=250))
        self.theirs.invalidate_recordset()
        self.assertEqual(self.theirs.payment_line_ids.mapped("credit"), [250])

    def test_a_hold_has_a_reason_and_may_end_by_itself(self):
        wizard = self.env["collection.hold.wizard"].with_context(
            active_model="collection.debtor", active_ids=self.theirs.ids
        )
        with Form(wizard) as form:
            form.reason = "Agreement being signed"
            form.until = self.today + timedelta(days=5)
        form.save().action_hold()
        self.assertEqual((self.theirs.hold, self.theirs.hold_reason), (True, "Agreement being signed"))
        self.assertTrue(self.theirs._is_on_hold(self.today + timedelta(days=5)))
        self.assertFalse(self.theirs._is_on_hold(self.today + timedelta(days=6)))

    def test_the_day_of_a_hold_is_that_of_the_debtor_s_company(self):
        """In Honolulu it is still yesterday when the day begins in Kiritimati."""
        self.env.user.tz = "Pacific/Honolulu"
        self.company.partner_id.tz = "Pacific/Kiritimati"
        today = self.company._get_collection_today()
        self.assertEqual(today, fields.Date.context_today(self.theirs.with_context(tz="Pacific/Kiritimati")))
        values = {"debtor_ids": self.theirs.ids, "reason": "Late", "until": today - timedelta(days=1)}
        wizard = self.env["collection.hold.wizard"].with_context(tz="Pacific/Honolulu").create(values)
        with self.assertRaisesRegex(UserError, "has passed"):
            wizard.action_hold()
        wizard.until = today
        wizard.action_hold()
        self.assertEqual(self.theirs.hold_until, today)

    def test_a_hold_that_is_over_is_refused(self):
        wizard = self.env["collection.hold.wizard"].create(
            {"debtor_ids": self.theirs.ids, "reason": "Late", "until": self.today - timedelta(days=1)}
        )
        with self.assertRaisesRegex(UserError, "has passed"):
            wizard.action_hold()
        self.assertFalse(self.theirs.hold)

    def test_whatsapp_opens_with_the_text_prepared(self):
        self.customer.write({"phone": "55 1234 5678", "country_id": self.env.ref("base.mx").id})
        action = self.theirs.action_open_whatsapp()
        parts = urlsplit(action["url"])
        self.assertEqual((parts.netloc, parts.path), ("wa.me", "/525512345678"))
        (text,) = parse_qs(parts.query)["text"]
        self.assertIn(f"{self.theirs.overdue_text} of {self.customer.name} past due", text)
        self.assertNotIn("<", text)

    def test_whatsapp_prefers_a_mobile_where_contacts_have_one(self):
        self.customer.write({"phone": "55 1234 5678", "country_id": self.env.ref("base.mx").id})
        expected = "/525512345678"
        if "mobile" in self.customer._fields:
            self.customer.write({"mobile": "477 765 4321"})
            expected = "/524777654321"
        self.assertEqual(urlsplit(self.theirs.action_open_whatsapp()["url"]).path, expected)
        if "mobile" in self.customer._fields:
            self.customer.write({"phone": False})
            self.assertEqual(urlsplit(self.theirs.action_open_whatsapp()["url"]).path, expected)
            self.customer.write({"mobile": "none", "phone": "55 1234 5678"})
            self.assertEqual(urlsplit(self.theirs.action_open_whatsapp()["url"]).path, "/525512345678")

    def test_whatsapp_needs_a_number(self):
        with self.assertRaisesRegex(UserError, "has no valid phone number"):
            self.theirs.action_open_whatsapp()

    def test_a_follow_up_alone_logs_nothing(self):
        action = self.theirs.action_follow_up()
        wizard = self.env["collection.interaction.wizard"].with_context(**action["context"]).create({})
        wizard.follow_up_summary = "Ask for the transfer"
        wizard.action_log()
        self.assertFalse(self.theirs.interaction_ids)
        activity = self.theirs.activity_ids
        self.assertEqual(
            (activity.summary, activity.date_deadline), ("Ask for the transfer", self.today + timedelta(days=1))
        )

    def test_activities_of_an_absent_collector_go_to_the_substitute(self):
        absent, substitute = (
            self.make_user(login, "account_collection.group_collection_collector") for login in ("absent", "stand_in")
        )
        self.theirs.collector_id = absent
        portfolio = self.env["collection.portfolio"].create(
            {
                "name": "Absent",
                "company_id": self.company.id,
                "collector_ids": [Command.set(absent.ids)],
                "substitute_id": substitute.id,
                "substitute_from": self.today,
                "substitute_to": self.today,
            }
        )
        self.theirs.invalidate_recordset()
        self.assertEqual(self.theirs.responsible_id, substitute)
        substitution = {name: portfolio[name] for name in ("substitute_from", "substitute_to")}
        substitute.active = False
        self.theirs.invalidate_recordset()
        self.assertEqual(self.theirs.responsible_id, absent, "who was archived stands in for nobody")
        substitute.active = True
        portfolio.write({**substitution, "substitute_id": substitute.id})
        self.theirs.invalidate_recordset()
        self.assertEqual(self.theirs.responsible_id, substitute)
        portfolio.write(
            {"substitute_from": self.today - timedelta(days=2), "substitute_to": self.today - timedelta(days=1)}
        )
        self.theirs.invalidate_recordset()
        self.assertEqual(self.theirs.responsible_id, absent)


@tagged("post_install", "-at_install")
class TestDeskRights(RightsCommon):
    def test_a_collector_holds_the_own_debtors_alone(self):
        theirs = self.debtor(self.make_customer("Of nobody"))
        values = {"debtor_ids": theirs.ids, "reason": "No"}
        with self.assertRaisesRegex(UserError, "Choose the debtors"):
            self.env["collection.hold.wizard"].with_user(self.collector).create(values).action_hold()
        self.assertFalse(theirs.hold)

    def test_what_answers_for_an_item_is_told_to_who_sees_the_debtor(self):
        theirs = self.make_debtor("Theirs", self.other_collector)
        self.env["collection.promise"].create(
            {
                "debtor_id": theirs.id,
                "amount": 400,
                "currency_id": self.company.currency_id.id,
                "date": self.today,
                "made_on": self.today,
            }
        )
        item = theirs.open_line_ids
        for user, told in ((self.collector, False), (self.other_collector, True), (self.viewer, True)):
            answered = item.with_user(user).collection_answered
            self.assertEqual("400.00" in answered, told, f"{user.login}: {answered}")

    def test_a_viewer_holds_nobody(self):
        with self.assertRaises(AccessError):
            self.env["collection.hold.wizard"].with_user(self.viewer).create({"reason": "No"})


@tagged("post_install", "-at_install")
class TestStatementByHand(CollectionCommon, HttpCase):
    def test_the_composer_sends_the_statement(self):
        customer = self.make_customer("By Hand")
        self.make_invoice(customer, 640, days=12)
        debtor = self.debtor(customer)
        debtor.cc_partner_ids = self.make_customer("Copied")
        action = debtor.action_send_statement()
        composer = (
            self.env["mail.compose.message"].with_context(**action["context"], force_report_rendering=True).create({})
        )
        composer._action_send_mail()
        message = debtor.message_ids[0]
        self.assertIn("640.00", message.body)
        self.assertIn("is past due", message.body)
        self.assertEqual(message.partner_ids, customer | debtor.cc_partner_ids)
        (attachment,) = message.attachment_ids
        self.assertTrue(attachment.name.startswith("Statement - By Hand - "), attachment.name)
        self.assertTrue(attachment.raw.startswith(b"%PDF"))
