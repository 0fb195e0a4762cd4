import io
import socket
from contextlib import contextmanager
from email.utils import getaddresses
from unittest.mock import patch

from pypdf import PdfReader

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from .crash_common import Sink
from .test_dispatch import DispatchCommon


@tagged("post_install", "-at_install")
class TestDelivery(DispatchCommon):
    """What leaves is read where it arrives, and what becomes of it comes back to the notice."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        servers = cls.env["ir.mail_server"].sudo()
        servers.search([]).active = False
        cls.server = servers.create(
            {
                "name": "Sink",
                "smtp_host": "127.0.0.1",
                "smtp_port": 1,
                "smtp_encryption": "none",
                "from_filter": "company.example.com",
            }
        )

    @contextmanager
    def connected(self):
        """Odoo sends no mail while it tests, unless told to; the series tell it differently."""
        Server = type(self.server)
        name = "_is_test_mode" if hasattr(Server, "_is_test_mode") else "_disable_send"
        with patch.object(Server, name, lambda *args: False), mute_logger("odoo.addons.mail.models.mail_mail"):
            yield

    def deliver(self, *notices, refuse=()):
        """Run the mail queue for these notices; returns what arrived: (envelope recipients, message)."""
        messages = [notice.message_id.id for notice in notices]
        mails = self.env["mail.mail"].sudo().search([("mail_message_id", "in", messages)])
        with Sink() as sink, self.connected():
            sink.refuse.update(refuse)
            self.server.smtp_port = sink.port
            mails.send()
        return sink.messages

    def without_server(self, notice):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.server.smtp_port = free.getsockname()[1]
        with self.connected():
            notice.mail_id.send()

    # === What arrives ===#

    def test_the_mail_itself(self):
        self.level.attach_statement = True
        domain = self.env["mail.alias.domain"].create({"name": "answers.example.com"})
        self.company.alias_domain_id = domain
        customer = self.make_customer("Müller & Söhne", email="muller@customer.example.com")
        notice = self.queue(customer)
        debtor = notice.debtor_id
        debtor.cc_partner_ids = self.make_customer("Copy")
        debtor.bcc_partner_ids = self.make_customer("Blind")
        self.dispatch()
        arrived = self.deliver(notice)
        self.assertEqual((notice.state, notice.sent_on), ("sent", self.today))
        self.assertEqual(len(arrived), 2)
        (to, mail), (blind_to, blind) = sorted(arrived, key=lambda entry: len(entry[0]), reverse=True)
        self.assertEqual(set(to), {"muller@customer.example.com", "copy@customer.example.com"})
        self.assertEqual(blind_to, ("blind@customer.example.com",))
        self.assertEqual(getaddresses([mail["To"]]), [("Müller & Söhne", "muller@customer.example.com")])
        self.assertEqual(getaddresses([mail["Cc"]])[0][1], "copy@customer.example.com")
        self.assertEqual(getaddresses([mail["From"]])[0][1], self.collector.email)
        self.assertEqual(getaddresses([mail["Reply-To"]])[0][1], domain.catchall_email)
        self.assertIn("1,000.00", mail["Subject"])
        self.assertNotIn("blind", mail.as_string().lower())
        body = mail.get_body(("html",)).get_content()
        self.assertIn("Müller &amp; Söhne", body)
        self.assertIn("1,000.00", body)
        self.assertIn(notice.line_ids.move_id.name, body)
        self.assertIn("1,000.00", mail.get_body(("plain",)).get_content())
        for message in (mail, blind):
            (document,) = message.iter_attachments()
            self.assertEqual(document.get_content_type(), "application/pdf")
            self.assertTrue(document.get_filename().endswith(".pdf"))
            text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(document.get_content())).pages)
            self.assertIn("Müller & Söhne", " ".join(text.split()))

    def test_several_recipients_see_each_other(self):
        customer = self.make_customer("Two Contacts")
        contacts = [
            self.make_customer(name, parent_id=customer.id, is_company=False, collection_contact=True)
            for name in ("One", "Two")
        ]
        notice = self.queue(customer)
        self.dispatch()
        ((to, mail),) = self.deliver(notice)
        self.assertEqual(set(to), {contact.email for contact in contacts})
        self.assertEqual([address for _name, address in getaddresses([mail["To"]])], [c.email for c in contacts])

    # === What comes back ===#

    def test_no_server_then_a_server(self):
        notice = self.queue(self.make_customer("Waits for the Server"))
        self.dispatch()
        self.without_server(notice)
        self.assertEqual((notice.state, notice.tries), ("failed", 1))
        self.assertTrue(notice.reason)
        self.assertTrue(notice.next_try)
        self.assertFalse(self.failure_activities(notice))
        message = notice.message_id
        notice.next_try = fields.Datetime.now()
        self.dispatch()
        self.assertEqual((notice.state, notice.message_id), ("outgoing", message), "the same mail goes again")
        self.assertEqual(len(self.deliver(notice)), 1)
        self.assertEqual((notice.state, notice.reason), ("sent", False))

    def test_paid_while_the_server_was_away(self):
        customer = self.make_customer("Pays Meanwhile")
        invoice = self.make_invoice(customer, 1000, days=5)
        notice = self.queue(customer, invoice)
        self.dispatch()
        self.without_server(notice)
        self.pay(invoice)
        notice.next_try = fields.Datetime.now()
        self.dispatch()
        self.assertEqual(notice.state, "cancelled")
        self.assertFalse(self.deliver(notice))

    def test_partly_paid_while_the_server_was_away(self):
        customer = self.make_customer("Pays Half Meanwhile")
        invoice = self.make_invoice(customer, 1000, days=5)
        notice = self.queue(customer, invoice)
        self.dispatch()
        self.without_server(notice)
        self.pay(invoice, 400)
        notice.next_try = fields.Datetime.now()
        self.dispatch()
        self.assertEqual((notice.state, notice.amount), ("outgoing", 600))
        ((_to, mail),) = self.deliver(notice)
        self.assertIn("600.00", mail["Subject"])

    def test_a_refused_recipient(self):
        customer = self.make_customer("Refused")
        notice = self.queue(customer)
        self.dispatch()
        self.assertFalse(self.deliver(notice, refuse=[customer.email]))
        self.assertEqual(notice.state, "failed")
        self.assertIn("No such user here", notice.reason)
        self.assertFalse(notice.next_try, "another try would be refused as well")
        self.assertEqual(len(self.failure_activities(notice)), 1)
        customer.email = "right@customer.example.com"
        notice.action_retry()
        self.dispatch()
        ((to, _mail),) = self.deliver(notice)
        self.assertEqual((to, notice.state), (("right@customer.example.com",), "sent"))
        self.assertFalse(
            self.env["mail.mail"].sudo().search([("state", "=", "exception"), ("model", "=", "collection.debtor")]),
            "no mail is left that Odoo could send a second time",
        )

    def test_a_refused_blind_copy_does_not_repeat_the_mail(self):
        notice = self.queue(self.make_customer("Not Repeated"))
        blind = self.make_customer("Gone")
        notice.debtor_id.bcc_partner_ids = blind
        self.dispatch()
        self.assertEqual(len(self.deliver(notice, refuse=[blind.email])), 1)
        self.assertEqual(notice.state, "sent")

    def test_a_mail_that_came_back(self):
        customer = self.make_customer("Moved Away")
        notice = self.queue(customer)
        self.dispatch()
        self.deliver(notice)
        self.assertEqual(notice.state, "sent")
        domain = self.env["mail.alias.domain"].create({"name": "bounces.example.com"})
        self.company.alias_domain_id = domain
        report = f"""From: MAILER-DAEMON@customer.example.com
To: {domain.bounce_email}
Subject: Undelivered Mail Returned to Sender
Message-ID: <returned@customer.example.com>
Content-Type: multipart/report; report-type=delivery-status; boundary="part"
MIME-Version: 1.0

--part
Content-Type: text/plain; charset=utf-8

The mailbox of this customer does not exist any more.

--part
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.customer.example.com

Final-Recipient: rfc822; {customer.email}
Original-Recipient: rfc822;{customer.email}
Action: failed
Status: 5.1.1

--part
Content-Type: text/rfc822-headers

From: collections@company.example.com
To: {customer.email}
Message-Id: {notice.message_id.message_id}

--part--
"""
        self.env["mail.thread"].message_process(False, report)
        self.assertEqual(notice.state, "failed")
        self.assertIn("does not exist any more", notice.reason)
        self.assertFalse(notice.next_try)
        self.assertEqual(len(self.failure_activities(notice)), 1)
