from unittest.mock import patch

from odoo import Command, fields
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import CollectionCommon

RUN_LOGGER = "odoo.addons.account_collection.models.collection_run"


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


@tagged("post_install", "-at_install")
class TestFailedNight(CollectionCommon):
    """A night that fails is told to the company's people, once, in their language, and tried again."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.responsible = new_test_user(
            cls.env,
            "night_responsible",
            "account_collection.group_collection_manager",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )
        cls.company.collection_responsible_id = cls.responsible
        cls.make_invoice(cls.make_customer("Late"), 1000, days=5)
        cls.settle()

    def failing_night(self, reason="The ink is out", today=None):
        """A night in which the company fails; returns its run, as it was when the last commit was made."""
        runs, decide, company = [], type(self.Run)._decide, self.company

        def broken(run, of_company, *args):
            if of_company == company:
                # What was done before is taken back.
                company.partner_id.comment = "half done"
                raise ValueError(reason)
            return decide(run, of_company, *args)

        def committed(model):
            model.env.flush_all()
            runs.append(self.Run.search([("company_id", "=", company.id), ("date", "=", today or self.today)]))
            model.env.invalidate_all()

        with (
            patch.object(self.env.registry["collection.run"], "_decide", broken),
            patch.object(self.env.registry["collection.run"], "_commit", committed),
            mute_logger(RUN_LOGGER),
        ):
            self.Run._cron_nightly(today or self.today)
        self.assertFalse(company.partner_id.comment)
        return runs[-1]

    def test_it_is_told_and_stays_told(self):
        run = self.failing_night()
        text = f"The nightly run of {self.today:%m/%d/%Y} failed: The ink is out"
        self.assertEqual((run.failure, run.notice_count), ("The ink is out", 0))
        self.assertEqual((run.activity_ids.user_id, run.activity_ids.summary), (self.responsible, text))
        self.assertEqual([text in message.body for message in run.message_ids], [True])

    def test_it_is_told_once_a_day(self):
        run = self.failing_night()
        self.assertEqual(self.failing_night("The paper is out"), run)
        self.assertEqual((run.failure, len(run.activity_ids), len(run.message_ids)), ("The paper is out", 1, 1))
        following = self.failing_night(today=fields.Date.add(self.today, days=1))
        self.assertNotEqual(following, run)
        self.assertEqual(len(following.activity_ids), 1)

    def test_a_night_that_works_after_all(self):
        run = self.failing_night()
        notice = self.night()
        self.assertEqual((notice.run_id, notice.amount), (run, 1000))
        self.assertFalse(run.failure or run.activity_ids)
        self.assertIn("The ink is out", run.message_ids.body, "its history stays")

    def test_without_a_responsible_the_chatter_tells_it(self):
        self.company.collection_responsible_id = False
        run = self.failing_night()
        self.assertFalse(run.activity_ids)
        self.assertIn("The ink is out", run.message_ids.body)

    def test_in_the_language_of_the_company(self):
        self.speak_spanish()
        self.company.partner_id.lang = "es_MX"
        run = self.failing_night()
        self.assertEqual(
            run.activity_ids.summary, f"La corrida nocturna del {self.today:%d/%m/%Y} falló: The ink is out"
        )

    def test_a_failed_night_is_a_missed_one(self):
        """The level whose day passed then is remembered, as when no run took place at all."""
        customer = self.make_customer("Between")
        self.make_invoice(customer, 500, days=-1)
        self.night(self.days_ago(1)).write({"state": "sent"})
        for days in (0, 1):
            self.failing_night(today=fields.Date.add(self.today, days=days))
        added = self.night(fields.Date.add(self.today, days=4)).filtered(lambda notice: notice.partner_id == customer)
        self.assertEqual(
            {(notice.level_id.day_from, notice.state) for notice in added},
            {(-1, "skipped"), (0, "skipped"), (3, "queued")},
        )

    def test_what_cannot_be_told_stops_no_other(self):
        other = self.env["res.company"].create({"name": "Another"})
        broken = patch.object(self.env.registry["collection.run"], "_keep_failure", side_effect=ValueError("No pen"))
        with broken:
            self.assertFalse(self.failing_night())
        self.assertTrue(self.Run.search([("company_id", "=", other.id), ("date", "=", self.today)]))
