from datetime import timedelta

from lxml import etree

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import safe_eval

from .check_common import CheckCommon

MODELS = (
    "account.postdated.check",
    "account.postdated.check.slip",
    "account.postdated.check.deposit",
    "account.postdated.check.bounce",
    "account.postdated.check.replace",
    "account.postdated.check.transition",
    "account.postdated.check.import",
)


@tagged("post_install", "-at_install")
class TestCheckScreens(CheckCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        group = "account_collection.group_collection_"
        cls.users = {
            "viewer": cls.make_user("viewer", group + "viewer"),
            "collector": cls.make_user("collector", group + "collector"),
            "manager": cls.make_user("manager", group + "manager"),
            "invoicing": cls.make_user("invoicing", "account.group_account_invoice"),
            "accountant": cls.make_user("accountant", "account.group_account_user"),
        }

    def test_every_view_loads_for_whoever_may_open_it(self):
        for model in MODELS:
            views = self.env["ir.ui.view"].search([("model", "=", model), ("type", "!=", "qweb")])
            self.assertTrue(views, model)
            for user in self.users.values():
                records = self.env[model].with_user(user)
                if not records.check_access_rights("read", raise_exception=False):
                    continue
                for view in views:
                    arch = records.get_view(view.id, view.type)["arch"]
                    self.assertTrue(etree.fromstring(arch).xpath("//field"), (user.login, model, view.name))

    def test_the_form_reads_for_whoever_may_see_it(self):
        self.make_invoice(self.customer, 100)
        check = self.make_check(100)
        check.debtor_id.collector_id = self.users["collector"]
        check._deposit(self.today)
        for user in self.users.values():
            arch = etree.fromstring(check.with_user(user).get_view(False, "form")["arch"])
            names = {field.get("name") for field in arch.xpath("//field[not(ancestor::field)]")}
            values = check.with_user(user).with_company(self.company).read(sorted(names))[0]
            self.assertEqual(values["amount"], 100, user.login)
            self.assertEqual("debtor_id" in names, user.login not in ("invoicing", "accountant"))

    def test_who_may_not_deposit_sees_no_such_button(self):
        for login, seen in (("viewer", False), ("collector", False), ("manager", True), ("invoicing", True)):
            arch = etree.fromstring(self.Check.with_user(self.users[login]).get_view(False, "form")["arch"])
            cancel = str(self.env.ref("account_collection.account_postdated_check_cancel_action").id)
            for name in ("action_deposit", "action_bounce", cancel):
                self.assertEqual(bool(arch.xpath(f"//button[@name='{name}']")), seen, (login, name))
            receive = bool(arch.xpath("//header/button[@name='action_receive']"))
            self.assertEqual(receive, login != "viewer", login)

    def test_menus_are_for_those_who_may(self):
        menus = {
            name: self.env.ref(f"account_collection.menu_{name}")
            for name in ("checks_checks", "checks_due", "checks_register", "receivables_checks")
        }
        expected = {
            "viewer": {"checks_checks"},
            "collector": {"checks_checks", "checks_register"},
            "manager": {"checks_checks", "checks_due", "checks_register"},
            "invoicing": {"receivables_checks"},
        }
        for login, names in expected.items():
            visible = self.env["ir.ui.menu"].with_user(self.users[login])._visible_menu_ids()
            seen = {
                name
                for name, menu in menus.items()
                if visible.issuperset(map(int, menu.parent_path.strip("/").split("/")))
            }
            self.assertEqual(seen, names, login)

    def test_the_calendar_names_the_customer_first(self):
        check = self.make_check(1000, number="5001", suggest=False)
        self.assertRegex(check.calendar_name, r"^Postdater · .*1,000\.00.* · 5001$")
        arch = etree.fromstring(self.Check.get_view(False, "calendar")["arch"])
        self.assertEqual(arch.get("create_name_field"), "calendar_name")

    def filtered_by(self, name):
        arch = etree.fromstring(self.env.ref("account_collection.account_postdated_check_view_search").arch)
        (domain,) = arch.xpath(f"//filter[@name='{name}']/@domain")
        collector = self.users["collector"]
        values = {"context_today": lambda: self.today, "datetime": safe_eval.datetime, "uid": collector.id}
        found = self.Check.search([("company_id", "=", self.company.id), *safe_eval.safe_eval(domain, values)])
        return set(found.mapped("number"))

    def test_the_filters_find_what_they_say(self):
        def make(number, **values):
            return self.make_check(100, number=number, suggest=False, **values)

        make("draft", receive=False, days=30)
        make("open", protection="bank", days=30, place="abroad")
        make("today")
        make("week", days=7, protection="bank", protection_activated=True, face_date=self.today + timedelta(days=7))
        make("late", days=-1)
        make("stale", days=-9, place="abroad")
        old = make("old", days=40, face_date=self.days_ago(20), receipt_date=self.days_ago(20))
        old.debtor_id.collector_id = self.users["collector"]
        bounced = make("bounced")
        bounced._deposit(self.today)
        bounced._bounce(self.today, "No funds", penalty=False)
        gone = make("gone")
        gone._cancel(self.today)
        every = {"draft", "open", "today", "week", "late", "stale", "old", "bounced", "gone"}
        self.assertEqual(self.filtered_by("working"), every - {"gone"})
        self.assertEqual(self.filtered_by("deposit_today"), {"today"})
        self.assertEqual(self.filtered_by("deposit_week"), {"today", "week"})
        self.assertEqual(self.filtered_by("deposit_late"), {"late", "stale"})
        self.assertEqual(self.filtered_by("to_deposit"), {"today", "late", "stale"})
        self.assertEqual(self.filtered_by("stale"), {"stale"})
        self.assertEqual(self.filtered_by("ever_bounced"), {"bounced"})
        self.assertEqual(self.filtered_by("bounced_month"), {"bounced"})
        bounced.sudo().bounced_on = self.days_ago(31)
        self.assertEqual(self.filtered_by("bounced_month"), set())
        self.assertEqual(self.filtered_by("deadline_near"), {"old"})
        self.assertEqual(self.filtered_by("not_activated"), {"open"})
        self.assertEqual(self.filtered_by("cancelled"), {"gone"})
        self.assertEqual(self.filtered_by("mine"), every, "the customer's collector is that of all its checks")

    def test_one_company_sees_no_slip_of_another(self):
        check = self.make_check(100, suggest=False)
        check._deposit(self.today)
        slip = self.env["account.postdated.check.slip"]._create_for(check, self.today)
        stranger = self.make_user(
            "stranger",
            "account_collection.group_collection_manager",
            company=self.env["res.company"].create({"name": "Strangers"}),
        )
        with self.assertRaises(AccessError):
            slip.with_user(stranger).read(["name"])
        with self.assertRaises(AccessError):
            slip.with_user(self.users["collector"]).read(["name"])
        check.debtor_id.collector_id = self.users["collector"]
        self.assertEqual(slip.with_user(self.users["collector"]).read(["check_count"])[0]["check_count"], 1)
        with self.assertRaises(AccessError):
            slip.with_user(self.users["manager"]).write({"name": "Mine"})
