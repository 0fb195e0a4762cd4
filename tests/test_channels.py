"""The channels of a level: the next one is tried where the one before is impossible."""

from odoo import Command, fields
from odoo.exceptions import ValidationError
from odoo.tests import Form, tagged

from .test_dispatch import DispatchCommon
from .test_policy import PolicyCommon


@tagged("post_install", "-at_install")
class TestChain(DispatchCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.set_channels(cls.level, "mail", "letter", "call")

    def unreachable(self, name="Unreachable", **values):
        return self.make_customer(name, **{"email": False, "street": False, "city": False, **values})

    def asked(self, run):
        """What a run asks for, computed anew."""
        run.invalidate_recordset()
        return run.amount

    def chain(self, partner):
        """[(channel, state)] of a customer's notices, the first one first."""
        return [(notice.channel, notice.state) for notice in self.notices(partner).sorted("id")]

    def test_mail_then_letter_then_call(self):
        customer = self.unreachable()
        mail = self.queue(customer)
        self.dispatch()
        self.assertEqual(self.chain(customer), [("mail", "failed"), ("letter", "failed"), ("call", "sent")])
        mail, letter, call = self.notices(customer).sorted("id")
        self.assertIn("has no mail address", mail.reason)
        self.assertIn("has no postal address", letter.reason)
        self.assertEqual((letter.fallback_of_id, call.fallback_of_id), (mail, mail))
        self.assertEqual((call.amount, call.line_ids.move_id), (1000, mail.line_ids.move_id))
        self.assertEqual(call.debtor_id.activity_ids.mapped("summary"), ["Call"], "no failure is left to a person")
        self.assertFalse(any((mail | letter).line_ids.mapped("told_on")))
        self.assertEqual(call.line_ids.told_on, self.today)
        run = mail.run_id
        self.assertEqual((self.asked(run), run.notice_count, run.sent_count, run.failed_count), (1000, 3, 1, 2))
        self.assertEqual(run.state, "done")
        self.assertFalse(self.night(fields.Date.add(self.today, days=1)), "it was told once")

    def test_the_chain_ends_where_the_customer_is_reached(self):
        customer = self.unreachable("Has a House", street="1 High Street")
        self.queue(customer)
        self.dispatch()
        self.assertEqual(self.chain(customer), [("mail", "failed"), ("letter", "sent")])

    def test_the_last_channel_waits_for_a_person(self):
        self.set_channels(self.level, "mail", "letter")
        customer = self.unreachable()
        mail = self.queue(customer)
        self.dispatch()
        letter = self.notices(customer) - mail
        self.assertEqual(self.chain(customer), [("mail", "failed"), ("letter", "failed")])
        self.assertEqual(len(self.failure_activities(letter)), 1)
        self.assertEqual(self.failure_activities(letter).user_id, self.collector)
        self.assertEqual((self.asked(letter.run_id), letter.run_id.failed_count), (1000, 2))
        # Whichever of the two is tried again without an address, nothing more is queued.
        (mail | letter).action_retry()
        self.dispatch()
        self.assertEqual(self.chain(customer), [("mail", "failed"), ("letter", "failed")])
        customer.street = "At Last 1"
        letter.action_retry()
        self.dispatch()
        self.assertEqual(self.chain(customer), [("mail", "failed"), ("letter", "sent")])

    def test_nobody_to_call(self):
        customer = self.unreachable()
        notice = self.queue(customer)
        notice.debtor_id.collector_id = False
        self.company.collection_responsible_id = False
        self.dispatch()
        self.assertEqual(self.chain(customer), [("mail", "failed"), ("letter", "failed"), ("call", "failed")])
        self.assertIn("Nobody to call", self.notices(customer).sorted("id")[-1].reason)
        self.assertEqual(self.asked(notice.run_id), 1000)

    def test_nobody_to_call_but_an_address_to_write_to(self):
        self.set_channels(self.level, "call", "mail")
        customer = self.make_customer("Written To")
        notice = self.queue(customer)
        notice.debtor_id.collector_id = False
        self.company.collection_responsible_id = False
        self.dispatch()
        self.assertEqual(self.chain(customer), [("call", "failed"), ("mail", "outgoing")])

    def test_a_channel_added_later_is_tried_with_the_last_one(self):
        self.set_channels(self.level, "mail")
        customer = self.unreachable()
        notice = self.queue(customer)
        self.dispatch()
        self.set_channels(self.level, "mail", "call")
        notice.action_retry()
        self.dispatch()
        self.assertEqual(self.chain(customer), [("mail", "failed"), ("call", "sent")])

    def test_no_channel_is_tried_twice_when_their_order_changes(self):
        self.set_channels(self.level, "mail", "letter")
        customer = self.unreachable()
        self.queue(customer)
        self.Notice._cron_dispatch(limit=1)
        self.assertEqual(self.chain(customer), [("mail", "failed"), ("letter", "queued")])
        self.set_channels(self.level, "letter", "mail")
        self.dispatch()
        self.assertEqual(self.chain(customer), [("mail", "failed"), ("letter", "failed")])

    def test_a_channel_that_the_level_gave_up_is_followed_by_its_first(self):
        customer = self.unreachable()
        self.queue(customer)
        self.set_channels(self.level, "call")
        self.dispatch()
        self.assertEqual(self.chain(customer), [("mail", "failed"), ("call", "sent")])

    def test_the_run_asks_once_whatever_was_cancelled(self):
        customer = self.unreachable()
        first = self.queue(customer)
        self.dispatch()
        run = first.run_id
        first, letter, call = self.notices(customer).sorted("id")
        letter.action_cancel()
        self.assertEqual(self.asked(run), 1000)
        first.action_cancel()
        self.assertEqual(self.asked(run), 1000)
        call._cancel("by hand")
        self.assertEqual(self.asked(run), 0)

    def test_an_address_that_came_too_late_does_not_count_twice(self):
        customer = self.unreachable()
        first = self.queue(customer)
        self.dispatch()
        customer.email = "late@customer.example.com"
        first.action_retry()
        self.dispatch()
        self.assertEqual(first.state, "outgoing", "a person asked for it: the call does not take its place")
        self.assertEqual(self.asked(first.run_id), 1000)


@tagged("post_install", "-at_install")
class TestChannelsOfALevel(PolicyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.level = cls.env.ref("account_collection.level_late_3")

    def assertRefused(self, sentence, work):
        with self.assertRaises(ValidationError) as error, self.env.cr.savepoint():
            work()
        self.assertIn(sentence, str(error.exception))
        self.assertIn(f"“{self.level.name}”", str(error.exception))

    def test_the_shipped_levels(self):
        self.assertEqual(
            {level.day_from: level.channels_text for level in self.policy.level_ids},
            {
                **dict.fromkeys((-7, -1, 0), "Mail"),
                **dict.fromkeys((3, 15, 30), "Mail, then letter"),
                60: "Letter, then mail",
            },
        )

    def test_the_night_takes_the_first_one_in_their_order(self):
        self.set_channels(self.level, "mail", "letter", "call")
        self.level.channel_ids[2].sequence = 1
        self.assertEqual(self.level._get_channels(), ["call", "mail", "letter"])
        self.make_invoice(self.make_customer("Called First"), 100, days=5)
        self.assertEqual(self.night().channel, "call")

    def test_the_list_in_words(self):
        self.set_channels(self.level, "call")
        self.assertEqual(self.level.channels_text, "Call")
        self.set_channels(self.level, "mail", "letter", "call")
        self.assertEqual(self.level.channels_text, "Mail, then letter, then call")
        self.level.channel_ids[0].sequence = 99
        self.assertEqual(self.level.channels_text, "Letter, then call, then mail")

    def test_at_least_one(self):
        self.assertRefused("at least one channel", lambda: self.level.write({"channel_ids": [Command.clear()]}))
        self.assertRefused("at least one channel", self.level.channel_ids.unlink)
        self.level.channel_ids[0].unlink()
        self.assertEqual(self.level.channels_text, "Letter")

    def test_each_once(self):
        again = Command.create({"channel": "letter"})
        self.assertRefused("a channel twice", lambda: self.level.write({"channel_ids": [again]}))
        self.assertRefused("a channel twice", lambda: self.level.channel_ids.write({"channel": "mail"}))

    def test_two_channels_change_places(self):
        mail, letter = self.level.channel_ids
        self.level.write(
            {
                "channel_ids": [
                    Command.update(mail.id, {"channel": "letter"}),
                    Command.update(letter.id, {"channel": "mail"}),
                ]
            }
        )
        self.env.flush_all()
        self.assertEqual(self.level._get_channels(), ["letter", "mail"])

    def test_a_level_that_starts_to_write_needs_a_text(self):
        self.set_channels(self.level, "call")
        self.level.template_id = False
        self.assertRefused("choose the template", lambda: self.level.channel_ids.write({"channel": "letter"}))
        # What counts is what is saved in the end, not the order in which it is written.
        self.level.write(
            {
                "channel_ids": [Command.create({"channel": "mail"})],
                "template_id": self.env.ref("account_collection.template_late_3").id,
            }
        )
        call, mail = self.level.channel_ids
        self.level.write({"channel_ids": [Command.update(mail.id, {"sequence": 1}), Command.delete(call.id)]})
        self.assertEqual(self.level._get_channels(), ["mail"])

    def test_a_copied_policy_keeps_their_order(self):
        self.set_channels(self.level, "mail", "letter", "call")
        self.level.channel_ids[2].sequence = 1
        copied = self.policy.copy().level_ids.filtered(lambda level: level.day_from == self.level.day_from)
        self.assertEqual(copied.channels_text, "Call, then mail, then letter")
        self.assertFalse(copied.channel_ids & self.level.channel_ids)

    def test_a_new_level_starts_with_mail(self):
        with Form(self.env["collection.policy"]) as form:
            form.name = "New"
            with form.level_ids.new() as level:
                level.name, level.day_from = "First", 3
                level.template_id = self.level.template_id
        level = form.save().level_ids
        self.assertEqual(level._get_channels(), ["mail"])
        with Form(level) as form, form.channel_ids.new() as way:
            way.channel = "call"
        self.assertEqual(level.channels_text, "Mail, then call")
