"""Who is told of checks, of what, and once; and what the digest says of them."""

from ast import literal_eval
from datetime import datetime, time, timedelta
from unittest.mock import patch

from freezegun import freeze_time
from lxml import etree

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .check_common import CheckCommon

LOGGER = "odoo.addons.account_collection.models.collection_transaction"
KPIS = ("due", "deadline", "stale", "inactive", "bounced")
MANAGER = "account_collection.group_collection_manager"


class AlertCommon(CheckCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(
            patch.object(
                cls.env.registry["account.postdated.check"],
                "_commit",
                lambda self: (self.env.flush_all(), self.env.invalidate_all()),
            )
        )
        cls.boss = cls.make_user("boss", MANAGER)
        cls.collector = cls.make_user("collector", "account_collection.group_collection_collector")
        cls.company.collection_responsible_id = cls.boss
        cls.company.collection_check_notice_days = 3
        cls.make_invoice(cls.customer, 5000, days=5)
        cls.debtor(cls.customer).collector_id = cls.collector

    def alert(self, today=None, company=None):
        """``{(user, first word of the summary): activity}`` of what is told on a night of the company."""
        company = company or self.company
        activities = self.Check.with_company(company)._alert_company(company, today or self.today)
        found = {(activity.user_id, activity.summary.partition(":")[0]): activity for activity in activities}
        self.assertEqual(len(found), len(activities), "one activity for each person and kind")
        return found

    def day(self, days):
        return self.today + timedelta(days=days)

    def fresh(self, days, amount=100, **values):
        """A check that may be presented long after its day."""
        return self.make_check(amount, days=days, place="abroad", **values)


@tagged("post_install", "-at_install")
class TestCheckAlerts(AlertCommon):
    def test_due_today(self):
        check = self.fresh(0, 250)
        ((key, activity),) = self.alert().items()
        self.assertEqual(key, (self.boss, "To Deposit"))
        self.assertIn(f"To Deposit: Check {check.number} (Banco del Bajio), $", activity.summary)
        self.assertIn("250.00", activity.summary)
        self.assertEqual(
            (activity.res_id, activity.res_model, activity.date_deadline), (check.id, check._name, self.today)
        )
        self.assertIn(f'data-oe-id="{check.id}"', activity.note)

    def test_once(self):
        self.fresh(0)
        self.assertTrue(self.alert())
        self.assertFalse(self.alert())
        self.assertFalse(self.alert(self.day(1)), "still to be deposited: told already")

    def test_soon_and_then_due(self):
        self.fresh(3)
        self.assertFalse(self.alert(self.day(-1)))
        ((key, activity),) = self.alert().items()
        self.assertEqual((key, activity.date_deadline), ((self.boss, "To Deposit Soon"), self.day(3)))
        self.assertEqual(set(self.alert(self.day(3))), {(self.boss, "To Deposit")})

    def test_another_day_is_told_anew(self):
        check = self.fresh(2)
        self.alert()
        check.deposit_date = self.day(3)
        self.assertEqual(set(self.alert()), {(self.boss, "To Deposit Soon")})

    def test_many_are_told_together(self):
        checks = self.Check.union(*(self.fresh(0, 100 + number) for number in range(4)))
        ((_key, activity),) = self.alert().items()
        self.assertIn(f"To Deposit: 4 checks of {self.company.name}, $", activity.summary)
        self.assertIn("406.00", activity.summary)
        for check in checks:
            self.assertIn(check.display_name, activity.note)

    def test_presentation_ends(self):
        """Drawn and payable in one place, a check may be presented for 15 days from its date."""
        check = self.make_check(100, days=20, face_date=self.day(-12), receipt_date=self.day(-12))
        self.assertEqual(check.presentation_deadline, self.day(3))
        ((key, activity),) = self.alert().items()
        self.assertEqual((key, activity.date_deadline), ((self.collector, "Presentation Ends"), self.day(3)))
        self.assertIn("to be presented until", activity.note)

    def test_not_deposited(self):
        check = self.fresh(-4)
        self.assertEqual(set(self.alert()), {(self.boss, "To Deposit"), (self.collector, "Not Deposited")})
        held = self.fresh(-4)
        held._hold(self.today)
        self.assertEqual(set(self.alert()), {(self.collector, "Not Deposited")}, "on hold it is not to be deposited")
        check._deposit(self.today)
        self.assertFalse(self.alert(self.day(9)))

    def test_protection_not_activated(self):
        check = self.fresh(30, protection="bank")
        self.fresh(30, protection="bank", protection_activated=True)
        self.fresh(30, protection="insured")
        ((key, activity),) = self.alert().items()
        self.assertEqual((key, activity.res_id), ((self.collector, "Protection Not Activated"), check.id))

    def test_what_is_not_in_hand_is_not_told(self):
        self.fresh(0, receive=False)
        self.fresh(0)._return(self.today)
        self.fresh(0)._cancel(self.today)
        self.fresh(0)._deposit(self.today)
        self.assertFalse(self.alert())

    def test_each_in_the_place_of_the_other(self):
        self.fresh(-4)
        self.collector.active = False
        self.assertEqual({user for user, _kind in self.alert()}, {self.boss})
        self.company.collection_responsible_id = False
        self.fresh(0)
        self.assertFalse(self.alert(), "nobody to tell")
        self.collector.active = True
        # Whoever is archived loses their debtors.
        self.debtor(self.customer).collector_id = self.collector
        self.assertEqual(set(self.alert()), {(self.collector, "To Deposit")}, "what nobody was told is not forgotten")

    def test_in_the_language_of_who_is_told(self):
        self.speak_spanish()
        self.boss.lang = "es_MX"
        self.fresh(0)
        ((key, activity),) = self.alert().items()
        self.assertEqual(key, (self.boss, "Por depositar"))
        self.assertIn("depósito el", activity.note)

    def test_companies_are_apart_and_one_that_fails_stops_no_other(self):
        data = self.other_company_data()
        other = data["company"]
        other.collection_responsible_id = self.env.ref("base.user_admin")
        self.env.ref("base.user_admin").sudo().company_ids += other
        mine = self.fresh(0)
        theirs = self.fresh(
            0, suggest=False, company_id=other.id, journal_id=data["default_journal_bank"].id, number="77"
        )
        self.assertEqual({activity.res_id for activity in self.alert().values()}, {mine.id})
        self.env["account.postdated.check.alert"].search([]).unlink()
        alert = type(self.Check)._alert_company

        def failing(checks, company, today):
            if company == self.company:
                raise ValueError("Broken")
            return alert(checks, company, today)

        with patch.object(self.env.registry[self.Check._name], "_alert_company", failing), mute_logger(LOGGER):
            self.Check._cron_alert()
        told = self.env["account.postdated.check.alert"].search([("check_id", "in", (mine + theirs).ids)])
        self.assertEqual(told.check_id, theirs)

    def test_a_night_that_was_killed_begins_again(self):
        self.fresh(0)
        activities = self.env.registry["mail.activity"]
        with patch.object(activities, "create", side_effect=ValueError("Killed")), mute_logger(LOGGER):
            self.Check._cron_alert()
        self.assertFalse(self.env["account.postdated.check.alert"].search([]))
        self.assertEqual(set(self.alert()), {(self.boss, "To Deposit")})

    def test_today_is_where_the_company_is(self):
        self.company.partner_id.tz = "America/Mexico_City"
        check = self.fresh(0)
        midnight = datetime.combine(check.deposit_date, time(3))
        with freeze_time(midnight):
            self.Check._cron_alert()
        told = self.env["account.postdated.check.alert"].search([("check_id", "=", check.id)])
        self.assertEqual(told.mapped("kind"), ["soon"], "in Mexico it is still the day before")

    def test_the_cron_job(self):
        self.fresh(0)
        self.env.ref("account_collection.ir_cron_checks").ir_actions_server_id.run()
        self.assertEqual(self.env["account.postdated.check.alert"].search([]).mapped("kind"), ["due"])

    def test_statements_do_not_grow_with_the_checks(self):
        def count(number):
            for _number in range(number):
                self.fresh(0)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.alert()
            return self.env.cr.sql_log_count - before

        count(1)
        self.assertLessEqual(abs(count(12) - count(3)), 2)


@tagged("post_install", "-at_install")
class TestCheckDigest(AlertCommon):
    def digest(self, days=0, user=None):
        """The digest of the day that ended ``days`` days from today."""
        end = datetime.combine(self.day(days), time(12))
        digest = self.env["digest.digest"].create(
            {
                "name": "Day",
                "company_id": self.company.id,
                **{f"kpi_collection_checks_{name}": True for name in KPIS},
            }
        )
        user = user or self.boss
        return (
            digest.with_user(user)
            .with_company(self.company)
            .with_context(start_datetime=end - timedelta(days=1), end_datetime=end)
        )

    def test_to_deposit(self):
        self.fresh(3, 300)
        self.fresh(4, 1000)
        self.fresh(0, 40, receipt_date=self.day(-1))
        self.fresh(2, 7)._hold(self.day(-1))
        self.assertEqual(self.digest().kpi_collection_checks_due_value, 340)
        self.assertEqual(self.digest(-1).kpi_collection_checks_due_value, 40, "in hand and near, on the day before")
        self.assertEqual(self.digest(-2).kpi_collection_checks_due_value, 0)

    def test_in_the_company_s_currency(self):
        gold = self.make_currency("XGD", {900: 2})
        self.fresh(0, 300, currency_id=gold.id, suggest=False)
        self.assertEqual(self.digest().kpi_collection_checks_due_value, 150)

    def test_bounced(self):
        for amount, days in ((500, 0), (70, -1)):
            check = self.fresh(-3, amount)
            check._deposit(self.day(-2))
            check._bounce(self.day(days), "Insufficient funds")
        self.assertEqual(self.digest().kpi_collection_checks_bounced_value, 500)
        self.assertEqual(self.digest(-1).kpi_collection_checks_bounced_value, 70)

    def test_alerts(self):
        """The amounts of the checks that the alerts are about, and the list that shows them."""
        self.fresh(30, 10)
        near = self.make_check(200, days=20, face_date=self.day(-12), receipt_date=self.day(-12))
        self.assertEqual(near.presentation_deadline, self.day(3))
        old = self.fresh(-4, 3000)
        open_ = self.fresh(30, 40000, protection="bank")
        draft = self.fresh(30, 9, protection="bank", receive=False)
        digest = self.digest()
        for name, check in (("deadline", near), ("stale", old), ("inactive", open_)):
            self.assertEqual(digest[f"kpi_collection_checks_{name}_value"], check.amount, name)
            self.assertEqual(self.Check.search([("alert", "=", name)]), check)
        self.assertFalse(
            self.Check.search([("alert", "in", list(dict(self.Check._fields["alert"].selection)))]) & draft
        )
        before = self.digest(-2)
        self.assertEqual(before.kpi_collection_checks_deadline_value, 0, "far away two days ago")
        self.assertEqual(before.kpi_collection_checks_stale_value, 0)
        self.assertEqual(before.kpi_collection_checks_inactive_value, 40000)
        (near + old + open_)._return(self.today)
        for name in ("deadline", "stale", "inactive"):
            self.assertEqual(self.digest()[f"kpi_collection_checks_{name}_value"], 0, name)

    def test_each_figure_leads_to_the_checks_that_it_counts(self):
        actions = self.digest()._compute_kpis_actions(self.company, self.boss)
        search = etree.fromstring(self.env.ref("account_collection.account_postdated_check_view_search").arch)
        for name in KPIS:
            action = self.env.ref(actions[f"kpi_collection_checks_{name}"])
            self.assertEqual(action.res_model, "account.postdated.check")
            ((default, _value),) = literal_eval(action.context).items()
            self.assertTrue(search.xpath(f"//filter[@name='{default.removeprefix('search_default_')}']"), default)

    def test_for_managers_alone(self):
        with self.assertRaises(AccessError):
            self.digest(user=self.collector).read(["kpi_collection_checks_due_value"])

    def test_another_company_counts_for_itself(self):
        self.fresh(0, 300)
        other = self.other_company_data()["company"]
        self.boss.company_ids += other
        digest = self.digest()
        digest.sudo().company_id = other
        self.assertEqual(digest.with_company(other).kpi_collection_checks_due_value, 0)

    def test_it_is_rendered(self):
        self.fresh(0, 300)
        kpis = self.digest()._compute_kpis(self.company, self.boss)
        names = {kpi["kpi_name"]: kpi for kpi in kpis}
        self.assertIn("kpi_collection_checks_due", names)
        self.assertIn("300", str(names["kpi_collection_checks_due"]["kpi_col1"]["value"]))
