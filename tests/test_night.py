from odoo import fields
from odoo.tests import tagged

from .common import CollectionCommon


@tagged("post_install", "-at_install")
class TestNight(CollectionCommon):
    def test_an_overdue_customer_hears_once(self):
        customer = self.make_customer("Late Payer")
        invoice = self.make_invoice(customer, 1000, days=5)
        debtor = self.debtor(customer)
        self.assertEqual(debtor.overdue, 1000)
        notice = self.night()
        self.assertEqual((notice.partner_id, notice.state, notice.amount), (customer, "queued", 1000))
        self.assertFalse(self.night())
        self.Notice._cron_dispatch()
        self.assertEqual(notice.state, "outgoing")
        self.assertEqual(notice.email_to, customer.email)
        self.assertEqual(notice.mail_id.state, "outgoing")
        self.pay(invoice)
        self.assertEqual(self.debtor(customer).overdue, 0)

    def test_the_last_level_is_told_again_every_thirty_days(self):
        """A debtor at the end of the ladder does not fall silent, newer invoices included."""
        customer = self.make_customer("Chronic")
        self.make_invoice(customer, 1000, days=70)
        self.assertEqual(self.night(self.today).amount, 1000)
        self.Notice._cron_dispatch()
        self.make_invoice(customer, 500, days=5)
        self.assertFalse(self.night(fields.Date.add(self.today, days=29)))
        again = self.night(fields.Date.add(self.today, days=30))
        self.assertEqual((again.level_id.day_from, again.amount), (60, 1500))

    def test_a_proposal_whose_rows_are_all_taken_out_is_over(self):
        self.policy.requires_approval = True
        customer = self.make_customer("Spared")
        self.make_invoice(customer, 1000, days=5)
        notice = self.night()
        self.assertEqual(notice.run_id.state, "proposal")
        notice.action_cancel()
        self.assertEqual(notice.run_id.state, "done")

    def test_a_foreign_amount_names_its_currency(self):
        """Pesos and dollars both write themselves $."""
        currency = self.env["res.currency"].with_context(active_test=False).search([("name", "=", "MXN")])
        currency.active = True
        customer = self.make_customer("Two Pesos")
        self.make_invoice(customer, 100, days=5, currency_id=currency.id)
        self.make_invoice(customer, 70, days=5)
        notice = self.night()
        self.assertRegex(notice.overdue_text, rf"100\.00 MXN \+ .*70\.00 {self.company.currency_id.name}$")
        self.assertEqual(notice.items_html.count("MXN"), 1)
        self.assertEqual(notice.items_html.count(f" {self.company.currency_id.name}"), 1)

    def test_a_letter_needs_a_postal_address(self):
        """Without one the level's other channel is tried, and the notice says why."""
        self.set_channels(self.env.ref("account_collection.level_late_60"), "letter", "mail")
        customer = self.make_customer("Nomad", street=False, city=False)
        self.make_invoice(customer, 1000, days=90)
        letter = self.night()
        self.Notice._cron_dispatch()
        mail = self.notices(customer) - letter
        self.assertEqual((letter.channel, letter.state), ("letter", "failed"))
        self.assertIn("Nomad has no postal address", letter.reason)
        self.assertEqual((mail.channel, mail.state, mail.email_to), ("mail", "outgoing", customer.email))
        self.assertEqual(letter.run_id.amount, 1000, "asked for once")
