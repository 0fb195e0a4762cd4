from lxml import etree

from odoo.tests import tagged
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
class TestScreens(CollectionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls.make_user(
            "collection_manager",
            "account_collection.group_collection_manager",
            "account.group_account_invoice",
            "base.group_partner_manager",
        )

    def test_every_view_of_every_model_loads(self):
        for model in MODELS:
            views = self.env["ir.ui.view"].search([("model", "=", model), ("type", "!=", "qweb")])
            self.assertLessEqual({"form", "search"}, set(views.mapped("type")), model)
            for view in views:
                arch = self.env[model].with_user(self.manager).get_view(view.id, view.type)["arch"]
                self.assertTrue(etree.fromstring(arch).xpath("//field"), (model, view.type))

    def test_empty_lists_say_what_they_are_for(self):
        for name in ("outcome", "dispute_reason", "promise", "dispute", "interaction", "portfolio"):
            self.assertIn("o_view_nocontent", self.env.ref(f"account_collection.collection_{name}_action").help)

    def test_what_was_said_is_read_on_a_phone(self):
        for name in ("promise", "dispute", "interaction"):
            action = self.env.ref(f"account_collection.collection_{name}_action")
            self.assertIn("kanban", action.view_mode)
            views = self.env[action.res_model].with_user(self.manager).get_views([(False, "kanban")])["views"]
            self.assertTrue(etree.fromstring(views["kanban"]["arch"]).xpath("//field[@name='partner_id']"))

    def test_the_figures_of_portfolios_are_summed(self):
        view = self.env.ref("account_collection.collection_portfolio_view_tree")
        arch = etree.fromstring(self.env["collection.portfolio"].with_user(self.manager).get_view(view.id)["arch"])
        summed = {field.get("name") for field in arch.xpath("//field[@sum]")}
        self.assertEqual(summed, {"debtor_count", "overdue", "total_due"})

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
