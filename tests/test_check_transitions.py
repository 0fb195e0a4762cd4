"""The dialog that asks of what day, and why, before checks change their state."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .test_check_wizards import CheckWizardCommon

STATES = {
    "clear": "cleared",
    "redeposit": "redeposited",
    "hold": "hold",
    "return": "returned",
    "legal": "legal",
    "cancel": "cancelled",
}
EXPLAINED = ("hold", "return", "cancel")


@tagged("post_install", "-at_install")
class TestCheckTransitions(CheckWizardCommon):
    def ask(self, transition, checks, user=None):
        """The dialog as its action opens it."""
        action = self.env.ref(f"account_collection.account_postdated_check_{transition}_action")
        self.assertEqual(action.context, f"{{'default_transition': '{transition}'}}")
        model = self.env[action.res_model].with_user(user or self.invoicing).with_company(self.company)
        context = {"active_model": checks._name, "active_ids": checks.ids, "default_transition": transition}
        return Form(model.with_context(**context))

    def take_to_before(self, transition, count=2):
        """Checks, received ten days ago, in a state that the transition starts from since five days ago."""
        found = self.Check.union(*(self.make_check(100, days=-5, suggest=False) for _number in range(count)))
        if transition in ("clear", "redeposit", "legal"):
            found._deposit(self.days_ago(5))
        if transition in ("redeposit", "legal"):
            found._bounce(self.days_ago(5), "Funds", penalty=False)
        return found

    def test_many_on_a_past_day_with_the_reason(self):
        for transition, state in STATES.items():
            with self.subTest(transition=transition):
                found = self.take_to_before(transition)
                dialog = self.ask(transition, found)
                self.assertEqual(dialog.date, self.today)
                dialog.date = self.days_ago(2)
                explained = transition not in ("clear", "redeposit")
                if explained:
                    dialog.reason = "The customer asked for it"
                action = dialog.save().action_confirm()
                self.assertEqual(action, {"type": "ir.actions.act_window_close"})
                self.assertEqual(found.mapped("state"), [state, state])
                self.assertEqual(set(found.mapped("state_date")), {self.days_ago(2)})
                for check in found:
                    event = check.event_ids[0]
                    self.assertEqual((event.new_state, event.date), (state, self.days_ago(2)))
                    self.assertEqual(event.user_id, self.invoicing)
                    if explained:
                        self.assertEqual(check.state_reason, "The customer asked for it")
                        self.assertIn("The customer asked for it", check.message_ids[0].body)

    def test_the_books_follow_the_day(self):
        check = self.take_to_before("clear", 1)
        dialog = self.ask("cancel", check)
        dialog.date, dialog.reason = self.days_ago(3), "Registered twice"
        dialog.save().action_confirm()
        self.assertEqual({day for _account, day in self.entries(check)}, {self.days_ago(5), self.days_ago(3)})
        self.assertEqual(sum(self.entries(check).values()), 0)

    def test_where_a_reason_is_asked_for(self):
        for transition, state in STATES.items():
            with self.subTest(transition=transition):
                found = self.take_to_before(transition, 1)
                if transition not in EXPLAINED:
                    self.ask(transition, found).save().action_confirm()
                    self.assertEqual(found.state, state)
                    continue
                with self.assertRaisesRegex(AssertionError, "reason is a required field"):
                    self.ask(transition, found).save()
                dialog = self.ask(transition, found)
                dialog.reason = "  "
                with self.assertRaisesRegex(UserError, "Say why"):
                    dialog.save().action_confirm()

    def test_a_day_out_of_range(self):
        for transition in STATES:
            found = self.take_to_before(transition)
            before = found[0].state
            first = 5 if found[0].deposited_on else 15
            for day, sentence in ((self.days_ago(first + 1), r"is .* since"), (self.days_ago(-1), "is still to come")):
                with self.subTest(transition=transition, day=day):
                    dialog = self.ask(transition, found)
                    dialog.date = day
                    if transition in EXPLAINED:
                        dialog.reason = "Why"
                    with self.assertRaisesRegex(UserError, sentence):
                        dialog.save().action_confirm()
                    self.assertEqual(found.mapped("state"), [before, before])

    def test_a_bounce_may_come_before_a_clearing_told_by_hand(self):
        check = self.take_to_before("clear", 1)
        check._clear(self.today)
        dialog = self.dialog("bounce", check)
        dialog.date, dialog.reason = self.days_ago(1), "No funds"
        dialog.save().action_bounce()
        self.assertEqual((check.state, check.bounced_on), ("bounced", self.days_ago(1)))

    def test_all_or_none(self):
        good, deposited = self.take_to_before("hold", 1), self.take_to_before("clear", 1)
        dialog = self.ask("hold", good + deposited)
        dialog.reason = "Wait"
        wizard = dialog.save()
        with self.assertRaisesRegex(UserError, f"{deposited.number} .* only a check in custody"):
            wizard.action_confirm()
        self.assertEqual((good.state, deposited.state), ("custody", "deposited"))
        wizard.check_ids = good
        wizard.action_confirm()
        self.assertEqual((good.state, deposited.state), ("hold", "deposited"))
        wizard.check_ids = False
        with self.assertRaisesRegex(UserError, "Choose the checks"):
            wizard.action_confirm()

    def test_a_collector_holds_and_returns_and_books_nothing(self):
        for transition in ("hold", "return", "cancel", "clear", "legal", "redeposit"):
            with self.subTest(transition=transition):
                check = self.take_to_before(transition, 1)
                check.debtor_id.collector_id = self.collector
                dialog = self.ask(transition, check, self.collector)
                if transition in EXPLAINED:
                    dialog.reason = "Why"
                wizard = dialog.save()
                if transition in ("hold", "return"):
                    wizard.action_confirm()
                    self.assertEqual(check.state, STATES[transition])
                else:
                    with self.assertRaises(AccessError):
                        wizard.action_confirm()

    def test_the_list_offers_them_to_who_may(self):
        offered = {
            user: {
                transition
                for transition in STATES
                for action in self.env["ir.actions.actions"].with_user(user).get_bindings(self.Check._name)["action"]
                if action["id"] == self.env.ref(f"account_collection.account_postdated_check_{transition}_action").id
            }
            for user in (self.invoicing, self.manager, self.collector)
        }
        self.assertEqual(offered[self.invoicing], set(STATES))
        self.assertEqual(offered[self.manager], set(STATES))
        self.assertEqual(offered[self.collector], {"hold", "return"})
