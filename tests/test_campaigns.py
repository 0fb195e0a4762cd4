"""Campaigns: statements and letters by calendar, to whom a manager chooses."""

from datetime import date, datetime, time, timedelta

import pytz
from freezegun import freeze_time

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .test_dispatch import DispatchCommon
from .test_engine_schedule import is_planned
from .test_rights import RightsCommon


class CampaignCommon(DispatchCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Campaign = cls.env["collection.campaign"]
        cls.summary = cls.env.ref("account_collection.template_debt_summary")
        # Three customers: what is late, what is not, and both.
        cls.late, cls.early, cls.both = (cls.make_customer(name) for name in ("Late", "Early", "Both"))
        cls.make_invoice(cls.late, 1000, days=40)
        cls.make_invoice(cls.early, 500, days=-10)
        cls.make_invoice(cls.both, 300, days=12)
        cls.make_invoice(cls.both, 200, days=-3)
        cls.settle()

    @classmethod
    def make_campaign(cls, name="Statements", **values):
        return cls.Campaign.create(
            {
                "name": name,
                "company_id": cls.company.id,
                "template_id": cls.summary.id,
                "attach_statement": False,
                **values,
            }
        )

    def send(self, campaign):
        """Send it now; returns ``{customer: amount asked for}``."""
        run = self.env["collection.run"].browse(campaign.action_send()["res_id"])
        return {notice.partner_id: notice.amount for notice in run.notice_ids if notice.state == "queued"}


@tagged("post_install", "-at_install")
class TestCampaignContent(CampaignCommon):
    def test_a_summary_lists_all_and_overdue_documents_what_is_late(self):
        everything = self.make_campaign()
        self.assertEqual(self.send(everything), {self.late: 1000, self.early: 500, self.both: 500})
        late = self.make_campaign("Overdue", content="overdue")
        everything.run_ids.action_cancel()
        self.assertEqual(self.send(late), {self.late: 1000, self.both: 300})

    def test_the_mail_leaves_as_those_of_the_ladder_do(self):
        campaign = self.make_campaign(attach_statement=True)
        campaign.partner_domain = f"[('id', '=', {self.both.id})]"
        self.send(campaign)
        self.dispatch()
        notice = self.notices(self.both)
        self.assertEqual((notice.state, notice.level_id.id, notice.campaign_id), ("outgoing", False, campaign))
        self.assertIn("your statement of account, $\xa0500.00", notice.message_id.subject)
        self.assertIn("past due: <strong>$\xa0300.00</strong>", notice.mail_id.body_html)
        self.assertEqual(notice.attachment_id.mimetype, "application/pdf")
        self.assertIn(notice.message_id, notice.debtor_id.message_ids)
        entries = notice.line_ids.move_id.message_ids.mapped("body")
        self.assertEqual(sum("Statements by mail" in str(body) for body in entries), 2, "one on each invoice")
        self.assertEqual(campaign.run_ids.state, "approved")
        self.assertFalse(any(notice.line_ids.mapped("told_on")), "the ladder goes its own way")

    def test_a_letter(self):
        self.both.write({"street": False, "city": False})
        campaign = self.make_campaign("Letters", channel="letter", content="overdue")
        self.send(campaign)
        self.dispatch()
        letter = self.notices(self.late)
        self.assertEqual((letter.channel, letter.state), ("letter", "sent"))
        self.assertEqual(letter.attachment_id.mimetype, "application/pdf")
        nowhere = self.notices(self.both)
        self.assertEqual(nowhere.state, "failed")
        self.assertIn("has no postal address", nowhere.reason)

    def test_the_collector_gets_the_activity_that_the_campaign_asks_for(self):
        self.debtor(self.late).collector_id = self.collector
        call = self.env.ref("mail.mail_activity_data_call")
        campaign = self.make_campaign(content="overdue", follow_up_type_id=call.id, follow_up_delay=2)
        # The campaign's own activities are no business of its customers.
        campaign.activity_schedule("mail.mail_activity_data_warning", user_id=self.collector.id)
        self.send(campaign)
        self.dispatch()
        activity = self.debtor(self.late).activity_ids
        self.assertEqual((activity.activity_type_id, activity.user_id), (call, self.collector))
        self.assertEqual(activity.date_deadline, fields.Date.add(self.today, days=2))
        silent = self.make_campaign("Silent", balance_from=500.01)
        silent.activity_schedule("mail.mail_activity_data_warning", user_id=self.collector.id)
        self.notices(self.late).state = "sent"
        self.assertIn(self.late, self.send(silent))
        self.dispatch()
        self.assertEqual(self.debtor(self.late).activity_ids, activity)

    def test_what_was_paid_meanwhile_does_not_leave(self):
        campaign = self.make_campaign(content="overdue")
        self.send(campaign)
        self.pay(self.notices(self.late).line_ids.move_id)
        self.late.invalidate_recordset()
        self.dispatch()
        self.assertEqual(self.notices(self.late).state, "cancelled")
        self.assertEqual(self.notices(self.both).state, "outgoing")

    def test_an_archived_campaign_never_sends(self):
        campaign = self.make_campaign()
        campaign.action_schedule()
        self.send(campaign)
        campaign.active = False
        self.assertEqual((campaign.state, campaign.next_run), ("paused", False))
        self.dispatch()
        self.assertEqual(set(self.notices(self.late).mapped("reason")), {"Its campaign was archived"})
        with self.assertRaisesRegex(UserError, "is archived: nothing leaves"):
            campaign.action_send()

    def test_holds_exclusions_and_waiting_messages_are_kept(self):
        self.debtor(self.late).hold = True
        self.debtor(self.early).excluded = True
        first = self.make_campaign("First")
        self.assertEqual(self.send(first), {self.both: 500})
        self.assertEqual(self.send(self.make_campaign("Second")), {}, "one message waits already")
        self.assertIn(
            "0 of 1 chosen debtors get a message", self.Campaign.search([("name", "=", "Second")]).run_ids.remark
        )

    def test_a_proposal_is_read_pruned_approved_or_proposed_again(self):
        campaign = self.make_campaign(content="overdue")
        run = self.env["collection.run"].browse(campaign.action_propose()["res_id"])
        self.assertEqual((run.state, run.name), ("proposal", f"Statements {self.today}"))
        campaign.minimum_amount = 500
        self.assertEqual(campaign.action_propose()["res_id"], run.id)
        self.assertEqual(run.notice_ids.partner_id, self.late, "what was proposed before is taken back")
        run.action_approve()
        self.dispatch()
        self.assertEqual(self.notices(self.late).state, "outgoing")
        with self.assertRaisesRegex(UserError, "was sent today"):
            campaign.action_send()

    def test_the_test_goes_to_who_asks_and_leaves_nothing_behind(self):
        boss = self.make_user("boss", "account_collection.group_collection_manager", email="boss@company.example.com")
        campaign = self.make_campaign(attach_statement=True, content="overdue")
        campaign.with_user(boss).action_test()
        mail = self.env["mail.mail"].search([("email_to", "ilike", "boss@company.example.com")])
        self.assertIn("Test for ", mail.subject)
        self.assertEqual(mail.attachment_ids.mapped("mimetype"), ["application/pdf"])
        self.assertFalse(campaign.run_ids or self.notices(self.late) or self.notices(self.both))
        campaign.minimum_amount = 99999
        with self.assertRaisesRegex(UserError, "Nobody would receive “Statements” now"):
            campaign.with_user(boss).action_test()

    def test_not_too_many_messages(self):
        self.company.write({"collection_notice_limit": 1, "collection_notice_days": 7})
        self.send(self.make_campaign("First", content="overdue"))
        self.dispatch()
        (self.notices(self.late) | self.notices(self.both)).state = "sent"
        second = self.make_campaign("Second")
        self.assertEqual(self.send(second), {self.early: 500})
        skipped = second.run_ids.notice_ids.filtered(lambda notice: notice.state == "skipped")
        self.assertEqual(skipped.partner_id, self.late | self.both)
        self.assertEqual(
            set(skipped.mapped("reason")),
            {"It had 1 messages in the last 7 days, and more than 1 are too many."},
        )
        tomorrow = fields.Date.add(self.today, days=1)
        self.make_invoice(self.late, 70, days=2)
        rows = [self.night(day).filtered(lambda notice: notice.partner_id == self.late) for day in (tomorrow, tomorrow)]
        self.assertEqual([notice.state for notice in rows[0]], ["skipped"], "the ladder counts as well")
        self.assertFalse(rows[1], "and says so once")
        later = self.night(fields.Date.add(self.today, days=8))
        self.assertEqual(later.filtered(lambda notice: notice.partner_id == self.late).state, "queued")

    def test_the_same_statements_for_few_and_many(self):
        few = self.make_campaign("Few", partner_domain=f"[('id', '=', {self.late.id})]")
        many = self.make_campaign("Many", content="overdue")
        for number in range(6):
            self.make_invoice(self.make_customer(f"More {number}"), 100, days=3)
        self.settle()
        warm = self.make_campaign("Warm", balance_from=99999)
        _warm, *counts = (
            self.count_statements(lambda campaign=campaign: campaign._send(self.today))
            for campaign in (warm, few, many)
        )
        self.assertEqual(len(many.run_ids.notice_ids), 7, "the one of the first campaign waits")
        self.assertLessEqual(abs(counts[0] - counts[1]), 2, counts)


@tagged("post_install", "-at_install")
class TestCampaignAudience(CampaignCommon):
    def assert_reaches(self, *customers, **conditions):
        campaign = self.make_campaign("Chosen", **conditions)
        found = self.Debtor.search(campaign._get_audience_domain()).partner_id
        self.assertEqual(found, self.env["res.partner"].union(*customers))
        self.assertEqual(campaign.debtor_count, len(customers))

    def test_conditions(self):
        tag = self.env["res.partner.category"].create({"name": "Retail"})
        self.late.category_id = tag
        self.debtor(self.both).collector_id = self.collector
        category = self.env["product.category"].create({"name": "Tools"})
        product, other = self.env["product.product"].create(
            [{"name": "Drill", "categ_id": category.id}, {"name": "Never Sold"}]
        )
        invoice = self.make_invoice(self.early, 50, days=-10, post=False)
        invoice.invoice_line_ids.product_id = product
        invoice.action_post()
        self.settle()
        self.assert_reaches(self.late, self.early, self.both)
        self.assert_reaches(self.late, self.both, content="overdue")
        self.assert_reaches(self.late, partner_tag_ids=[Command.set(tag.ids)])
        self.assert_reaches(self.both, collector_ids=[Command.set(self.collector.ids)])
        self.assert_reaches(self.late, days_overdue_from=20)
        self.assert_reaches(self.both, days_overdue_from=1, days_overdue_to=20)
        self.assert_reaches(self.late, balance_from=600)
        self.assert_reaches(self.late, self.early, self.both, currency_ids=[Command.set(self.company.currency_id.ids)])
        self.assert_reaches(self.early, product_category_ids=[Command.set(category.ids)])
        self.assert_reaches(self.early, product_ids=[Command.set(product.ids)])
        self.assert_reaches(product_ids=[Command.set(other.ids)])

    def test_groups_by_hand_and_by_condition(self):
        Group = self.env["collection.group"]
        contact = self.env["res.partner"].create({"name": "Buyer", "parent_id": self.late.id})
        by_hand = Group.create({"name": "By Hand", "partner_ids": [Command.set(contact.ids)]})
        by_name = Group.create({"name": "By Name", "partner_domain": "[('name', '=', 'Early')]"})
        self.assertEqual((by_hand.partner_count, by_name.partner_count), (1, 1))
        self.assert_reaches(self.late, group_ids=[Command.set(by_hand.ids)])
        self.assert_reaches(self.late, self.early, group_ids=[Command.set((by_hand | by_name).ids)])
        empty = Group.create({"name": "Empty"})
        self.assert_reaches(group_ids=[Command.set(empty.ids)])
        with self.assertRaisesRegex(ValidationError, "conditions of “By Name” cannot be read"):
            by_name.partner_domain = "[('nothing', '=', 1)]"

    def test_never_to_a_customer_or_a_tax_id(self):
        self.early.vat = "XAXX010101000"
        self.assert_reaches(self.both, excluded_partner_ids=[Command.set(self.late.ids)], excluded_vats="xaxx010101000")
        self.assert_reaches(self.late, self.both, excluded_vats="AAA010101AAA\nXAXX-010101-000, ")
        self.early.vat = "XAXX 010101-000"
        self.assert_reaches(self.late, self.both, excluded_vats="XAXX010101000")

    def test_the_recipients_are_counted_while_it_is_edited(self):
        with Form(self.Campaign.with_company(self.company)) as form:
            form.name = "Live"
            form.template_id = self.summary
            before = form.debtor_count
            form.days_overdue_from = 20
            self.assertEqual((before, form.debtor_count, form.overdue), (3, 1, 1000))

    def test_what_cannot_be(self):
        for text, values in (
            ("days overdue of “Wrong” end before", {"days_overdue_from": 9, "days_overdue_to": 3}),
            ("must be one of notices", {"template_id": self.env["mail.template"].create({"name": "Other"}).id}),
            ("conditions of “Wrong” cannot be read", {"partner_domain": "[("}),
            ("recurs every one or more", {"interval": 0}),
            ("lies between 0:00 and 23:59", {"hour": 25}),
            ("ends before it starts", {"start_date": "2026-02-01", "end_date": "2026-01-01"}),
            ("Choose the weekdays", {"frequency": "weekly", "monday": False}),
            ("lies between 1 and 31", {"month_day": 0}),
        ):
            with self.assertRaisesRegex(ValidationError, text):
                self.make_campaign("Wrong", **values)


@tagged("post_install", "-at_install")
class TestCampaignSchedule(CampaignCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.partner_id.tz = "America/Mexico_City"
        # Nothing else waits for its moment.
        cls.Campaign.search([]).next_run = False

    def cron(self, moment):
        with freeze_time(moment):
            return self.Campaign._cron_send()

    def test_weekly_at_its_hour_and_never_twice(self):
        campaign = self.make_campaign(frequency="weekly", hour=9.5, start_date="2026-11-02")
        with freeze_time("2026-11-02 12:00:00"):
            campaign.action_schedule()
        self.assertEqual(campaign.next_run, datetime(2026, 11, 2, 15, 30), "9:30 in Mexico")
        self.assertEqual(self.cron("2026-11-02 15:15:00"), 0)
        self.assertFalse(campaign.run_ids)
        self.assertEqual(self.cron("2026-11-02 15:31:00"), 1)
        self.assertEqual(campaign.run_ids.date, date(2026, 11, 2))
        self.assertEqual(campaign.next_run, datetime(2026, 11, 9, 15, 30))
        self.assertEqual(self.cron("2026-11-02 15:46:00"), 0)

    def test_400_days_of_every_kind(self):
        """Each leaves within minutes of nine o'clock there, in summer and winter, on the days that a walk finds."""
        self.company.partner_id.tz = "America/Tijuana"
        first = date(2026, 10, 1)
        kinds = (
            {"frequency": "once", "start_date": "2027-03-14"},
            {"frequency": "weekly", "monday": True, "thursday": True},
            {"frequency": "weekly", "interval": 3, "monday": False, "sunday": True},
            {"month_day": 31},
            {"monthly_by": "nth_weekday", "nth": "-1", "weekday": "4"},
            {"monthly_by": "last_working_day", "interval": 2, "end_date": "2027-08-31"},
        )
        campaigns = self.Campaign.concat(
            *(
                self.make_campaign(f"Kind {number}", **{"start_date": first, "minimum_amount": 1e9, **values})
                for number, values in enumerate(kinds)
            )
        )
        zone = pytz.timezone("America/Tijuana")
        days = [first + timedelta(days=number) for number in range(400)]
        with freeze_time("2026-09-30 12:00:00") as clock:
            campaigns.action_schedule()
            for day in days:
                for minute, moment in ((0, time(8, 50)), (5, time(9, 5))):
                    clock.move_to(zone.localize(datetime.combine(day, moment)).astimezone(pytz.utc))
                    # Where none is due, the scheduler finds none: it need not look 800 times.
                    if any(campaign.next_run and campaign.next_run <= fields.Datetime.now() for campaign in campaigns):
                        self.Campaign._cron_send()
                        self.assertTrue(minute, f"too early on {day}")
        for campaign in campaigns:
            expected = [day for day in days if is_planned(campaign._as_schedule(), day)]
            self.assertTrue(expected)
            self.assertEqual(sorted(campaign.run_ids.mapped("date")), expected, campaign.name)

    def test_once(self):
        campaign = self.make_campaign(frequency="once", hour=8, start_date="2026-11-02")
        with freeze_time("2026-11-01 12:00:00"):
            campaign.action_schedule()
            self.assertIn("Nov 2026, 08:00", campaign.next_runs_text)
        self.cron("2026-11-02 14:10:00")
        self.assertEqual((campaign.state, campaign.next_run, campaign.run_count), ("done", False, 1))
        with freeze_time("2026-11-03 12:00:00"), self.assertRaisesRegex(UserError, "would never leave"):
            campaign.action_schedule()

    def test_a_missed_time_runs_once_or_is_left_out_and_says_so(self):
        for when, runs, text in (("send", 1, "it is sent now, once"), ("skip", 0, "it is left out that time")):
            campaign = self.make_campaign(when, frequency="weekly", start_date="2026-11-02", when_missed=when)
            with freeze_time("2026-11-01 12:00:00"):
                campaign.action_schedule()
            self.cron("2026-11-18 03:00:00")
            self.assertEqual(campaign.run_count, runs)
            self.assertEqual(campaign.next_run, datetime(2026, 11, 23, 15))
            self.assertIn(text, str(campaign.message_ids[0].body))

    def test_what_a_person_took_in_hand_that_day_is_left_to_that_person(self):
        campaign = self.make_campaign(frequency="weekly", start_date="2026-11-02")
        with freeze_time("2026-11-02 14:00:00"):
            campaign.action_schedule()
            run = self.env["collection.run"].browse(campaign.action_propose()["res_id"])
            pruned = run.notice_ids.filtered(lambda notice: notice.partner_id == self.late)
            pruned.action_cancel()
        self.cron("2026-11-02 15:10:00")
        self.assertEqual((run.state, pruned.state), ("proposal", "cancelled"))
        self.assertEqual(set((run.notice_ids - pruned).mapped("state")), {"proposed"})
        self.assertIn("A person took it in hand today", str(campaign.message_ids[0].body))
        self.assertFalse(campaign.activity_ids)
        self.assertEqual(campaign.next_run, datetime(2026, 11, 9, 15))

    def test_a_change_of_the_schedule_moves_the_next_time_and_pausing_ends_it(self):
        campaign = self.make_campaign(month_day=15, start_date="2026-11-01")
        with freeze_time("2026-11-01 12:00:00"):
            campaign.action_schedule()
            self.assertEqual(campaign.next_run, datetime(2026, 11, 15, 15))
            campaign.month_day = 20
            self.assertEqual(campaign.next_run, datetime(2026, 11, 20, 15))
            campaign.action_pause()
        self.assertEqual((campaign.state, campaign.next_run), ("paused", False))
        self.assertEqual(self.cron("2026-11-21 12:00:00"), 0)
        with self.assertRaisesRegex(UserError, "is not scheduled"):
            campaign.action_pause()

    def test_the_calendar_shows_what_will_leave_when(self):
        """Three months ahead, moved by a holiday of the company's, and nothing of what is not scheduled."""
        campaign = self.make_campaign(month_day=16, start_date="2026-11-01", hour=9)
        with freeze_time("2026-11-01 12:00:00"):
            campaign.action_schedule()
            moments = [datetime(2026, 11, 16, 15), datetime(2026, 12, 16, 15), datetime(2027, 1, 16, 15)]
            self.assertEqual(campaign.moment_ids.mapped("moment"), [*moments, datetime(2027, 2, 16, 15)])
            holiday = self.env["resource.calendar.leaves"].create(
                {"name": "Revolution", "date_from": "2026-11-16 08:00:00", "date_to": "2026-11-16 17:00:00"}
            )
            self.assertEqual(campaign.next_run, datetime(2026, 11, 17, 15))
            self.assertEqual(campaign.moment_ids[0].moment, datetime(2026, 11, 17, 15))
            holiday.unlink()
            self.assertEqual(campaign.moment_ids.mapped("moment")[:3], moments)
        self.cron("2026-11-16 15:05:00")
        self.assertEqual(campaign.moment_ids[0].moment, datetime(2026, 12, 16, 15))
        calendar = campaign.action_open_moments()
        self.assertEqual(self.env[calendar["res_model"]].search(calendar["domain"]), campaign.moment_ids)
        with freeze_time("2026-11-17 12:00:00"):
            campaign.action_pause()
        self.assertFalse(campaign.moment_ids)

    def test_one_that_fails_stops_no_other_and_is_told(self):
        self.company.collection_responsible_id = self.collector
        broken, good = (
            self.make_campaign(name, frequency="weekly", start_date="2026-11-02") for name in ("Broken", "Good")
        )
        with freeze_time("2026-11-01 12:00:00"):
            (broken | good).action_schedule()
        self.env.cr.execute(
            "UPDATE collection_campaign SET partner_domain = %s WHERE id = %s", ["[('gone', '=', 1)]", broken.id]
        )
        broken.invalidate_recordset()
        with mute_logger("odoo.addons.account_collection.models.collection_campaign_schedule"):
            self.assertEqual(self.cron("2026-11-02 15:10:00"), 2)
        self.assertEqual((broken.run_count, good.run_count), (0, 1))
        self.assertIn("It could not be sent: ", broken.activity_ids.summary)
        self.assertEqual(broken.next_run, datetime(2026, 11, 9, 15))


@tagged("post_install", "-at_install")
class TestCampaignRights(RightsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.campaign = cls.env["collection.campaign"].create(
            {
                "name": "Statements",
                "company_id": cls.company.id,
                "template_id": cls.env.ref("account_collection.template_debt_summary").id,
            }
        )

    def test_managers_send_and_others_only_read(self):
        self.make_debtor("Owing", self.other_collector)
        for user in (self.viewer, self.collector, self.sender, self.collecting_sender):
            theirs = self.campaign.with_user(user)
            self.assertEqual(theirs.name, "Statements")
            for action in (theirs.action_send, theirs.action_propose, theirs.action_test, theirs.action_schedule):
                with self.assertRaisesRegex(AccessError, "Only a manager of collections sends campaigns"):
                    action()
            with self.assertRaises(AccessError):
                theirs.name = "Mine"
        mine = self.campaign.with_user(self.manager)
        mine.action_schedule()
        times = self.campaign.moment_ids
        self.assertEqual(times.with_user(self.viewer).campaign_id, self.campaign)
        (seen,) = times[:1].with_user(self.viewer).read(["moment", "content", "debtor_count"])
        self.assertEqual((seen["moment"], seen["content"], seen["debtor_count"]), (times[0].moment, "summary", 1))
        with self.assertRaises(AccessError):
            times.with_user(self.manager).write({"moment": fields.Datetime.now()})
        for user in (self.invoicing, self.employee, self.portal):
            for records in (self.campaign, times):
                with self.assertRaises(AccessError):
                    records.with_user(user).read(["display_name"])
        mine.action_send()
        self.assertEqual(self.campaign.run_ids.notice_count, 1)
        with self.assertRaisesRegex(UserError, "archive it, its history stays"):
            mine.unlink()

    def test_managers_name_contact_groups_and_preview_messages(self):
        debtor = self.make_debtor("Owing", self.other_collector)
        group = self.env.ref("account_collection.contact_group_purchasing")
        for user in (self.viewer, self.collector, self.sender):
            self.assertEqual(group.with_user(user).name, "Purchasing")
            with self.assertRaises(AccessError):
                group.with_user(user).name = "Mine"
            with self.assertRaises(AccessError):
                self.campaign.with_user(user).action_preview()
        for user in (self.invoicing, self.employee, self.portal):
            with self.assertRaises(AccessError):
                group.with_user(user).read(["name"])
        group.with_user(self.manager).name = "Buyers"
        action = self.campaign.with_user(self.manager).action_preview()
        wizard = self.env["collection.preview.wizard"].with_user(self.manager).browse(action["res_id"])
        self.assertEqual(wizard.debtor_id, debtor)
        other = self.env["res.company"].create({"name": "Another"})
        wizard.sudo().debtor_id = self.Debtor.create(
            {"partner_id": self.make_customer("Far").id, "company_id": other.id}
        )
        with self.assertRaises(AccessError):
            wizard.action_show()

    def test_a_campaign_of_another_company_is_not_seen(self):
        other = self.env["res.company"].create({"name": "Another"})
        campaign = self.campaign.copy({"company_id": other.id})
        self.assertEqual(self.seen_by(self.manager, self.campaign | campaign), self.campaign)
