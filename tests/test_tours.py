"""What people do in the browser, from the apps menu on."""

from odoo import Command, fields
from odoo.http import root
from odoo.tests import HttpCase, tagged

from .check_common import CheckCommon


@tagged("post_install", "-at_install")
class TestTours(CheckCommon, HttpCase):
    """One class for all: the bundles of the client are built once."""

    # Wide enough for every menu of a manager: what does not fit goes behind a "+".
    browser_size = "1600,900"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # 17.0 reads every manifest at the first static file; two threads that do so at once break Python 3.11's parser.
        getattr(root, "statics", None)
        # Otherwise each test builds the same bundles, which its end takes back.
        for name in ("web.assets_web", "web.assets_tests"):
            bundle = cls.env["ir.qweb"]._get_asset_bundle(name)
            bundle.js()
            bundle.css()
        cls.manager = cls.make_user(
            "collection_manager",
            "account_collection.group_collection_manager",
            "account.group_account_invoice",
            "base.group_partner_manager",
            password="collection_manager",
        )

    def test_a_manager_reads_a_debtor_and_approves_a_proposal(self):
        self.policy.level_ids.template_id.subject = "Tour subject"
        late = self.make_customer("Tour Late Payer")
        self.make_invoice(late, 1000, days=20)
        self.make_invoice(late, 500, days=4)
        self.make_invoice(self.make_customer("Tour Good Payer"), 700, days=-40)
        self.night(self.days_ago(1))
        self.Notice._cron_dispatch()
        self.policy.requires_approval = True
        removed, approved = self.make_customer("Tour Removed"), self.make_customer("Tour Approved")
        self.make_invoice(removed, 300, days=5)
        self.make_invoice(approved, 400, days=5)
        self.night()
        self.settle()
        self.start_tour("/web", "account_collection_tour", login="collection_manager")
        self.assertEqual(self.notices(removed).state, "cancelled")
        self.assertEqual(self.notices(approved).state, "queued")
        run = self.notices(approved).run_id
        self.assertEqual((run.state, run.approved_by_id), ("approved", self.manager))

    def test_a_campaign_is_made_looked_at_pruned_and_approved(self):
        template = self.env.ref("account_collection.template_debt_summary")
        template.write({"name": "Tour campaign template", "subject": "Tour campaign subject"})
        tag = self.env["res.partner.category"].create({"name": "Tour tag"})
        wanted, unwanted = (
            self.make_customer(name, category_id=[Command.set(tag.ids)]) for name in ("Tour Wanted", "Tour Unwanted")
        )
        for customer in (wanted, unwanted, self.make_customer("Tour Untagged")):
            self.make_invoice(customer, 300, days=5)
        self.settle()
        self.start_tour("/web", "account_collection_campaign_tour", login="collection_manager")
        self.Notice._cron_dispatch()
        self.assertEqual(self.notices(unwanted).state, "cancelled")
        notice = self.notices(wanted)
        self.assertEqual((notice.state, notice.amount), ("outgoing", 300), notice.reason)
        self.start_tour("/web", "account_collection_campaign_chatter_tour", login="collection_manager")

    def test_a_customer_s_windows_an_invoice_and_its_review(self):
        term = self.env["account.payment.term"].create(
            {"name": "30 days", "line_ids": [Command.create({"value": "percent", "value_amount": 100, "nb_days": 30})]}
        )
        customer = self.make_customer("Tour Reviewer", property_payment_term_id=term.id)
        self.make_invoice(customer, 100, days=-5)
        draft = self.make_invoice(
            customer,
            500,
            post=False,
            ref="Tour order",
            invoice_date=self.today,
            invoice_payment_term_id=term.id,
        )
        self.debtor(customer)
        self.start_tour("/web", "account_collection_review_tour", login="collection_manager")
        self.assertEqual((draft.state, draft.collection_review_state), ("posted", "accepted"))
        self.assertEqual((draft.collection_receipt_number, draft.collection_review_date), ("CR-2026", self.today))
        self.assertEqual(draft.invoice_date_due, fields.Date.add(self.today, days=30))

    def test_a_check_from_its_registration_to_its_replacement(self):
        self.make_user(
            "check_clerk",
            "account_collection.group_collection_manager",
            "account.group_account_invoice",
            password="check_clerk",
        )
        customer = self.make_customer("Tour Drawer")
        invoice = self.make_invoice(customer, 1000, days=5)
        self.start_tour("/web", "account_collection_check_tour", login="check_clerk")
        bounced, new = self.Check.search([("partner_id", "=", customer.id)], order="id")
        self.assertEqual((bounced.state, bounced.number, bounced.bounce_reason), ("replaced", "9001", "No funds"))
        self.assertEqual((new.state, new.number, new.replaces_id), ("custody", "9002", bounced))
        self.assertEqual([(line.move_id, line.amount) for line in new.line_ids], [(invoice, 1000)])
        self.assertEqual((bounced.penalty_amount, invoice.amount_residual), (200, 1000))

    def test_a_collector_s_morning(self):
        collector = self.make_user(
            "desk_collector", "account_collection.group_collection_collector", password="desk_collector", tz="UTC"
        )
        late, other = self.make_customer("Desk Late Payer"), self.make_customer("Desk Other Payer")
        self.make_invoice(late, 1000, days=45)
        self.make_invoice(other, 9000, days=90)
        debtor = self.debtor(late)
        debtor.collector_id = collector
        self.debtor(other)
        self.settle()
        self.start_tour("/web", "account_collection_desk_tour", login="desk_collector")
        interaction = debtor.interaction_ids
        self.assertEqual(interaction.outcome_id, self.env.ref("account_collection.outcome_promised"))
        self.assertEqual((interaction.promise_ids.amount, interaction.promise_ids.date), (600, self.today))
        activity = debtor.activity_ids
        # 17.0 gives the activity the name of its event.
        self.assertTrue(activity.summary.startswith("Ask for the transfer"), activity.summary)
        self.assertEqual(activity.user_id, collector)
        self.assertEqual(activity.calendar_event_id.name, "Ask for the transfer: Desk Late Payer")
        self.assertEqual(activity.calendar_event_id.start.hour, 12)

    def test_a_manager_looks_at_the_dashboard(self):
        late = self.make_customer("Dashboard Late Payer")
        invoice = self.make_invoice(late, 1700, days=20)
        self.make_invoice(self.make_customer("Dashboard Good Payer"), 700, days=-10)
        self.pay(invoice, 200)
        self.settle()
        self.start_tour("/web", "account_collection_dashboard_tour", login="collection_manager")
