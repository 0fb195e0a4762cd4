"""What happened with customers: logged with all that came of it, and by activities that are done."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .test_disputes import DisputeCommon
from .test_rights import RightsCommon


class InteractionCommon(DisputeCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Interaction = cls.env["collection.interaction"]
        cls.call = cls.env.ref("mail.mail_activity_data_call")

    def wizard(self, debtor=None, **values):
        return self.env["collection.interaction.wizard"].create(
            {"debtor_id": (debtor or self.debtor(self.customer)).id, "kind_id": self.call.id, **values}
        )

    def logged(self):
        return self.Interaction.search([("debtor_id", "=", self.debtor(self.customer).id)])


@tagged("post_install", "-at_install")
class TestInteractions(InteractionCommon):
    def test_a_call(self):
        contact = self.make_customer("Juana", parent_id=self.customer.id, is_company=False)
        outcome = self.env.ref("account_collection.outcome_message")
        self.wizard(
            contact_id=contact.id,
            outcome_id=outcome.id,
            note="She is on holiday",
            next_step="Call again",
            duration=0.25,
            move_ids=self.invoice.ids,
        ).action_log()
        interaction = self.logged()
        self.assertEqual((interaction.contact_id, interaction.outcome_id), (contact, outcome))
        self.assertEqual(
            (interaction.direction, interaction.duration, interaction.user_id), ("out", 0.25, self.env.user)
        )
        for record in (self.debtor(self.customer), self.invoice):
            body = record.message_ids[0].body
            self.assertIn("Call with Juana: Left a message. She is on holiday. Next: Call again", body)
        self.assertEqual(self.debtor(self.customer).interaction_count, 1)

    def test_with_a_promise_a_dispute_and_a_follow_up(self):
        self.wizard(
            with_promise=True,
            promise_amount=600,
            promise_date=self.day(7),
            instalments=2,
            frequency="week",
            with_dispute=True,
            dispute_move_id=self.invoice.id,
            dispute_amount=400,
            dispute_reason_id=self.reason.id,
            dispute_revisit_date=self.day(3),
            with_follow_up=True,
            follow_up_date=self.day(8),
            follow_up_summary="Ask for the transfer",
        ).action_log()
        interaction = self.logged()
        self.assertEqual(sorted(interaction.promise_ids.mapped("amount")), [300, 300])
        self.assertEqual(interaction.promise_ids.channel_id, self.call)
        self.assertEqual((interaction.dispute_ids.amount, interaction.dispute_ids.revisit_date), (400, self.day(3)))
        activity = self.debtor(self.customer).activity_ids
        self.assertEqual((activity.summary, activity.date_deadline), ("Ask for the transfer", self.day(8)))
        self.assertFalse(activity.calendar_event_id)
        self.assertFalse(self.night(), "600 are promised and 400 in dispute")

    def test_what_is_missing_is_named(self):
        with self.assertRaisesRegex(UserError, "promises to pay: fill in Promised For"):
            self.wizard(with_promise=True).action_log()
        with self.assertRaisesRegex(UserError, "fill in Disputed Invoice, Reason"):
            self.wizard(with_dispute=True).action_log()
        with self.assertRaisesRegex(UserError, "from 0:00 to 23:59"):
            self.wizard(
                with_follow_up=True, follow_up_date=self.day(1), follow_up_with_hour=True, follow_up_hour=25
            ).action_log()
        stranger = self.make_invoice(self.make_customer("Stranger"), 10)
        with self.assertRaisesRegex(ValidationError, "is not a posted invoice of Postdater"):
            self.wizard(move_ids=stranger.ids).action_log()

    def test_a_follow_up_with_an_hour_is_an_event_and_each_moves_the_other(self):
        self.env.user.tz = "America/Mexico_City"
        self.env = self.env(context=dict(self.env.context, tz="America/Mexico_City"))
        self.wizard(
            with_follow_up=True, follow_up_date=self.day(8), follow_up_with_hour=True, follow_up_hour=16.5
        ).action_log()
        activity = self.debtor(self.customer).activity_ids
        event = activity.calendar_event_id
        self.assertEqual((len(activity), activity.activity_type_id), (1, self.call))
        self.assertEqual((event.res_model, event.res_id), ("collection.debtor", self.debtor(self.customer).id))
        local = event.start - timedelta(hours=6)
        self.assertEqual((local.date(), local.hour, local.minute), (self.day(8), 16, 30))
        self.assertEqual(event.stop - event.start, timedelta(minutes=30))
        start = event.start
        event.write({"start": start + timedelta(days=2), "stop": event.stop + timedelta(days=2)})
        self.assertEqual(activity.date_deadline, self.day(10))
        activity.date_deadline = self.day(5)
        self.assertEqual(event.start, start - timedelta(days=3))
        self.assertEqual(event.stop - event.start, timedelta(minutes=30))

    def test_what_came_of_it_is_of_the_same_customer(self):
        stranger = self.make_customer("Stranger")
        theirs = self.make_invoice(stranger, 10)
        values = {"debtor_id": self.debtor(self.customer).id, "kind_id": self.call.id}
        for name, said in (("promise", self.promise(5, partner=stranger)), ("dispute", self.dispute(theirs))):
            with self.refused(ValidationError, f"{said.display_name} is not of Postdater".replace("$", r"\$")):
                self.Interaction.create({**values, f"{name}_ids": said.ids})

    def test_nothing_is_logged_before_it_happens(self):
        later = fields.Datetime.now() + timedelta(hours=2)
        with self.refused(ValidationError, "lies ahead: log what has happened"):
            self.wizard(date=later).action_log()
        self.wizard().action_log()
        with self.refused(ValidationError, "lies ahead"):
            self.logged().date = later

    def test_an_activity_that_is_done_is_an_interaction(self):
        debtor = self.debtor(self.customer)
        activity = debtor.activity_schedule("mail.mail_activity_data_call", summary="Ask for the transfer")
        before = len(debtor.message_ids)
        activity.action_feedback(feedback="It leaves on Friday")
        interaction = self.logged()
        self.assertEqual((interaction.kind_id, interaction.user_id), (self.call, self.env.user))
        self.assertEqual(interaction.note, "Ask for the transfer\nIt leaves on Friday")
        self.assertEqual(len(debtor.message_ids), before + 1, "Odoo's own message, and no second one")
        self.customer.activity_schedule("mail.mail_activity_data_call").action_done()
        self.assertEqual(len(self.logged()), 1)

    def test_what_is_done_at_the_own_desk_reaches_no_customer(self):
        debtor = self.debtor(self.customer)
        debtor.collector_id = self.make_user("desk_collector", "account_collection.group_collection_collector")
        upload = self.env["mail.activity.type"].create({"name": "Signed contract", "category": "upload_file"})
        own = self.env["mail.activity.type"].create({"name": "Fax"})
        self.promise(400)
        self.judge(13)
        self.assertIn("broken", debtor.activity_ids.summary)
        debtor.activity_schedule(activity_type_id=upload.id)
        debtor.activity_schedule("mail.mail_activity_data_warning")
        debtor.activity_ids.action_done()
        self.assertFalse(self.logged())
        self.assertFalse(self.debtor(self.customer).last_contact_date)
        debtor.activity_schedule(activity_type_id=own.id)
        debtor.activity_ids.action_done()
        self.assertEqual(self.logged().kind_id, own)
        self.assertEqual(self.debtor(self.customer).last_contact_date, self.today)

    def test_the_buttons_of_the_debtor(self):
        debtor = self.debtor(self.customer)
        for name in ("log_call", "log_visit", "dispute", "follow_up"):
            action = getattr(debtor, f"action_{name}")()
            wizard = self.env[action["res_model"]].with_context(**action["context"]).create({})
            self.assertEqual((wizard.debtor_id, bool(wizard.kind_id)), (debtor, name != "follow_up"), name)
            self.assertEqual((wizard.with_dispute, wizard.with_follow_up), (name == "dispute", name == "follow_up"))
        action = debtor.action_promise()
        self.assertEqual(action["context"]["default_debtor_id"], debtor.id)
        for name in ("promises", "disputes", "interactions"):
            action = getattr(debtor, f"action_open_{name}")()
            self.assertEqual(action["domain"], [("debtor_id", "=", debtor.id)])


@tagged("post_install", "-at_install")
class TestInteractionRights(RightsCommon, InteractionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mine = cls.make_debtor("Mine", cls.collector)
        cls.theirs = cls.make_debtor("Theirs", cls.other_collector)
        values = [{"debtor_id": debtor.id, "kind_id": cls.call.id} for debtor in (cls.mine, cls.theirs)]
        cls.my_call, cls.their_call = cls.Interaction.create(values)

    def test_who_sees_and_writes(self):
        self.assert_own_seen(self.my_call, self.their_call)
        for user, record in ((self.viewer, self.my_call), (self.collector, self.their_call)):
            with self.assertRaises(AccessError):
                record.with_user(user).note = "Mine"
        self.my_call.with_user(self.collector).note = "Mine"

    def test_a_collector_logs_all_of_it_on_the_own_debtors(self):
        wizards = self.env["collection.interaction.wizard"].with_user(self.collector)
        values = {
            "kind_id": self.call.id,
            "with_promise": True,
            "promise_amount": 100,
            "promise_date": self.day(3),
            "with_dispute": True,
            "dispute_reason_id": self.reason.id,
            "dispute_amount": 50,
            "with_follow_up": True,
            "follow_up_date": self.day(4),
            "follow_up_with_hour": True,
        }
        for debtor in (self.mine, self.theirs):
            move = debtor.open_line_ids.move_id
            asked = {**values, "debtor_id": debtor.id, "dispute_move_id": move.id}
            if debtor == self.mine:
                wizards.create(asked).action_log()
                continue
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                wizards.create(asked).action_log()
        self.assertEqual(self.mine.promise_ids.user_id, self.collector)
        self.assertEqual(self.mine.dispute_ids.amount, 50)
        self.assertEqual(self.mine.activity_ids.calendar_event_id.user_id, self.collector)
        viewer_wizard = self.env["collection.interaction.wizard"].with_user(self.viewer)
        with self.assertRaises(AccessError):
            viewer_wizard.create({"kind_id": self.call.id, "debtor_id": self.mine.id})
