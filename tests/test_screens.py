from lxml import etree

from odoo import Command, fields
from odoo.http import root
from odoo.tests import HttpCase, tagged
from odoo.tools import safe_eval

from .common import CollectionCommon

MODELS = (
    "collection.debtor",
    "collection.notice",
    "collection.run",
    "collection.policy",
    "collection.level",
)


@tagged("post_install", "-at_install")
class TestScreens(CollectionCommon, HttpCase):
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

    def test_every_view_of_every_model_loads(self):
        for model in MODELS:
            views = self.env["ir.ui.view"].search([("model", "=", model), ("type", "!=", "qweb")])
            self.assertLessEqual({"form", "search"}, set(views.mapped("type")), model)
            for view in views:
                arch = self.env[model].with_user(self.manager).get_view(view.id, view.type)["arch"]
                self.assertTrue(etree.fromstring(arch).xpath("//field"), (model, view.type))

    def test_the_figures_of_a_debtor_add_up_on_its_form(self):
        customer = self.make_customer("Form Reader")
        self.make_invoice(customer, 1000, days=45)
        self.make_invoice(customer, 200, days=-5)
        self.pay_on_account(customer, 150)
        debtor = self.debtor(customer).with_user(self.manager)
        figures = debtor.web_read(
            {
                **{name: {} for name in ("overdue", "not_due", "unallocated", "total_due", "bucket_2", "days_overdue")},
                "open_line_ids": {"fields": {"collection_days": {}, "amount_residual": {}, "date_maturity": {}}},
            }
        )[0]
        self.assertEqual(
            [figures[name] for name in ("overdue", "not_due", "unallocated", "total_due", "bucket_2", "days_overdue")],
            [1000, 200, 150, 1050, 1000, 45],
        )
        days = {line["amount_residual"]: line["collection_days"] for line in figures["open_line_ids"]}
        self.assertEqual((days[1000], days[200]), (45, -5))
        self.assertEqual(sum(line["amount_residual"] for line in figures["open_line_ids"]), figures["total_due"])

    def filtered_by(self, name):
        """The debtors of this test that the filter ``name`` of the search view finds."""
        arch = etree.fromstring(self.env.ref("account_collection.collection_debtor_view_search").arch)
        (domain,) = arch.xpath(f"//filter[@name='{name}']/@domain")
        values = {"context_today": lambda: self.today, "datetime": safe_eval.datetime, "uid": self.manager.id}
        found = self.Debtor.search([("company_id", "=", self.company.id), *safe_eval.safe_eval(domain, values)])
        return set(found.mapped("partner_id.name"))

    def test_the_filters_find_what_they_say(self):
        late, good, held = (self.make_customer(name) for name in ("Late", "Good", "Held"))
        self.make_invoice(late, 1000, days=5)
        self.make_invoice(good, 1000, days=-5)
        self.make_invoice(held, 1000, days=-40)
        self.pay_on_account(held, 10)
        self.debtor(late).collector_id = self.manager
        self.debtor(held).write({"hold": True, "hold_until": self.today})
        self.debtor(good).write({"hold": True, "hold_until": self.days_ago(1)})
        self.night()
        self.Notice._cron_dispatch()
        self.settle()
        self.assertEqual(self.filtered_by("overdue"), {"Late"})
        self.assertEqual(self.filtered_by("credit"), {"Held"})
        self.assertEqual(self.filtered_by("hold"), {"Held"})
        self.assertEqual(self.filtered_by("mine"), {"Late"})
        self.assertEqual(self.filtered_by("unassigned"), {"Good", "Held"})
        self.assertEqual(self.filtered_by("reached"), {"Late", "Good"})
        self.assertEqual(self.filtered_by("no_contact"), {"Held"})

    def test_a_customer_and_an_invoice_lead_to_their_debtor(self):
        customer = self.make_customer("Led")
        invoice = self.make_invoice(customer, 1000, days=20)
        debtor = self.debtor(customer)
        self.night()
        self.Notice._cron_dispatch()
        invoice = invoice.with_user(self.manager)
        self.assertEqual(
            (invoice.collection_debtor_id.id, invoice.collection_days_overdue, invoice.collection_notice_count),
            (debtor.id, 20, 1),
        )
        self.assertEqual(invoice.collection_level_id, self.env.ref("account_collection.level_late_15"))
        customer = customer.with_user(self.manager).with_company(self.company)
        self.assertEqual(customer.action_open_collection_debtor()["res_id"], debtor.id)
        self.assertEqual(customer.collection_overdue, 1000)
        notice = self.notices(customer)
        self.assertEqual(notice.line_count, 1)
        self.assertEqual(notice.action_open_debtor()["res_id"], debtor.id)
