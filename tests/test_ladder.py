"""The ladder on real invoices: who hears, at which level, of how much, and who does not."""

from datetime import timedelta
from unittest.mock import patch

import psycopg2

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from .test_balances import BalancesCommon

RUN_LOGGER = "odoo.addons.account_collection.models.collection_run"


class LadderCommon(BalancesCommon):
    """Reads notices the way a person does."""

    def level_of(self, notice):
        return notice.level_id.day_from

    def told(self, notice):
        """{document: amount} of a notice."""
        return {line.move_id: line.amount for line in notice.line_ids}

    def dispatch(self):
        self.settle()
        return self.Notice._cron_dispatch()

    def nights(self, first, last):
        """Nights from ``first`` to ``last`` days after today, each dispatched; {days: notices of the night}."""
        heard = {}
        for days in range(first, last + 1):
            if added := self.night(self.today + timedelta(days=days)):
                heard[days] = added
        return heard

    def cover(self, rows):
        """Answer for (item, amount) pairs, as disputes, promises and checks will."""
        values = SQL(", ").join(SQL("(%s, %s::numeric)", line.id, amount) for line, amount in rows)
        query = SQL("SELECT line_id, amount FROM (VALUES %s) AS answered(line_id, amount)", values)
        return patch.object(self.env.registry["collection.debtor"], "_get_cover_queries", lambda *arguments: [query])


@tagged("post_install", "-at_install")
class TestLadder(LadderCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company_data_2 = cls.other_company_data()

    # === Who hears ===#

    def test_paid_on_account(self):
        """A customer who owes 100 and has paid 5,000 on account is not dunned."""
        customer = self.make_customer("Prepaid")
        self.make_invoice(customer, 100, days=40)
        self.pay_on_account(customer, 5000)
        self.assertFalse(self.night())
        self.assertEqual(self.debtor(customer).total_due, -4900)

    def test_credits_lower_what_is_asked(self):
        """Credit notes and unallocated payments reduce what is asked for, the oldest item first."""
        customer = self.make_customer("Credited")
        old = self.make_invoice(customer, 100, days=40)
        young = self.make_invoice(customer, 70, days=5)
        self.make_invoice(customer, 120, days=1, move_type="out_refund")
        notice = self.night()
        self.assertEqual(self.told(notice), {young: 50})
        self.assertEqual((self.level_of(notice), notice.amount, notice.amount_overdue), (3, 50, 50))
        self.assertNotIn(old, notice.line_ids.move_id)

    def test_thirty_days_late(self):
        """30 days late is in 1-30, not 31-60, and at the level of 30 days."""
        customer = self.make_customer("Thirty")
        self.make_invoice(customer, 100, days=30)
        self.assertEqual((self.debtor(customer).bucket_1, self.debtor(customer).bucket_2), (100, 0))
        self.assertEqual(self.level_of(self.night()), 30)

    def test_equal_lines(self):
        """Two equal receivable lines of one invoice count twice."""
        customer = self.make_customer("Equal")
        move = self.make_invoice(customer, 200, days=10, invoice_payment_term_id=self.halves.id)
        self.receivable(move).date_maturity = self.days_ago(10)
        notice = self.night()
        self.assertEqual((len(notice.line_ids), notice.amount, notice.amount_overdue), (2, 200, 200))

    def test_tolerance_by_currency(self):
        """A tolerance of 1 USD is about 150 JPY, not 0.01."""
        yen = self.make_currency("TJY", {900: 150}, rounding=1)
        self.company.collection_tolerance = 1
        under, over, usd, cents = (self.make_customer(name) for name in ("Under", "Over", "Dollar", "Cents"))
        self.make_invoice(under, 150, days=5, currency_id=yen.id)
        self.make_invoice(over, 151, days=5, currency_id=yen.id)
        self.make_invoice(usd, 1.01, days=5)
        self.make_invoice(cents, 1.00, days=5)
        notices = self.night()
        self.assertEqual(notices.partner_id, over + usd)
        self.assertEqual(notices.filtered(lambda n: n.partner_id == over).line_ids.amount, 151)

    def test_twice_a_day(self):
        """Running twice a day recreates nothing."""
        customers = [self.make_customer(f"Twice {number}") for number in range(3)]
        for customer in customers:
            self.make_invoice(customer, 100, days=16)
        first = self.night()
        self.assertEqual(len(first), 3)
        figures = first.read(["amount", "state", "dedupe_key", "line_ids", "write_date"])
        self.assertFalse(self.night())
        first[0]._cancel("By hand")
        self.dispatch()
        self.assertFalse(self.night(), "neither what left nor what was cancelled comes back today")
        self.assertEqual([row["dedupe_key"] for row in figures], first.mapped("dedupe_key"))
        self.assertEqual(len(self.Run.search([("company_id", "=", self.company.id), ("date", "=", self.today)])), 1)

    def test_queued_does_not_escalate(self):
        """A queued but unsent message never escalates to the next level."""
        customer = self.make_customer("Queued")
        self.make_invoice(customer, 100, days=3)
        notice = self.night()
        self.assertEqual(self.level_of(notice), 3)
        self.assertFalse(self.nights(1, 70), "night after night")
        self.assertEqual((notice.state, self.notices(customer)), ("queued", notice))

    def test_waiting_for_another_try_does_not_escalate(self):
        customer = self.make_customer("Retried")
        self.make_invoice(customer, 100, days=14)
        notice = self.night()
        notice._fail("The server is down", retry=True)
        self.assertTrue(notice.next_try)
        self.assertFalse(self.nights(1, 3))

    def test_waiting_for_a_person_escalates(self):
        """A message that could not leave for good does not silence the ladder."""
        customer = self.make_customer("Given Up")
        self.make_invoice(customer, 100, days=14)
        self.night()._fail("No address")
        heard = self.nights(1, 3)
        self.assertEqual({days: self.level_of(notice) for days, notice in heard.items()}, {1: 15})

    def test_one_message_for_all(self):
        """One message per customer in a run, not one per level, listing every open item with its own days."""
        customer = self.make_customer("Many")
        moves = {days: self.make_invoice(customer, 100 + days, days=days) for days in (70, 33, 16, 4, 1, 0, -5, -40)}
        notice = self.night()
        self.assertEqual(len(notice), 1)
        self.assertEqual((self.level_of(notice), notice.channel, notice.days_overdue), (60, "letter", 70))
        self.assertEqual(
            {line.move_id: line.days for line in notice.line_ids}, {move: days for days, move in moves.items()}
        )
        self.assertEqual(notice.amount, 800 + 70 + 33 + 16 + 4 + 1 - 5 - 40)
        self.assertEqual(notice.amount_overdue, 500 + 70 + 33 + 16 + 4 + 1)

    @mute_logger("odoo.addons.account_collection.models.collection_notice_dispatch")
    def test_no_address(self):
        """A customer without address stops nobody else."""
        silent = self.make_customer("Silent", email=False)
        broken = self.make_customer("Broken", email="nobody at nowhere")
        heard = [self.make_customer(f"Heard {number}") for number in range(3)]
        for customer in [heard[0], silent, heard[1], broken, heard[2]]:
            self.make_invoice(customer, 100, days=0)
        self.assertEqual(len(self.night()), 5)
        self.dispatch()
        states = {customer: self.notices(customer).state for customer in heard + [silent, broken]}
        self.assertEqual(list(states.values()), ["outgoing"] * 3 + ["failed"] * 2)
        self.assertIn("Silent has no mail address", self.notices(silent).reason)

    # === Items that are not asked for ===#

    def test_instalments(self):
        """Instalments count by their own due date."""
        customer = self.make_customer("Instalments")
        move = self.make_invoice(customer, 200, days=45, invoice_payment_term_id=self.halves.id)
        first, second = self.receivable(move).sorted("date_maturity")
        self.assertEqual(((self.today - first.date_maturity).days, (self.today - second.date_maturity).days), (60, 0))
        notice = self.night()
        self.assertEqual(
            {line.move_line_id: (line.days, line.amount) for line in notice.line_ids},
            {first: (60, 100), second: (0, 100)},
        )
        self.assertEqual((self.level_of(notice), notice.amount, notice.amount_overdue), (60, 200, 100))

    def test_do_not_dun(self):
        """An invoice that must not be dunned is left out until its date has passed."""
        customer = self.make_customer("Spared")
        spared = self.make_invoice(customer, 100, days=40)
        other = self.make_invoice(customer, 30, days=5)
        spared.write({"collection_no_dun": True, "collection_no_dun_until": self.today})
        notice = self.night()
        self.assertEqual((self.told(notice), self.level_of(notice)), ({other: 30}, 3))
        notice._cancel("Start again")
        tomorrow = self.night(self.today + timedelta(days=1))
        self.assertEqual((self.told(tomorrow), self.level_of(tomorrow)), ({spared: 100, other: 30}, 30))

    def test_do_not_dun_without_end(self):
        customer = self.make_customer("Spared for Good")
        self.make_invoice(customer, 100, days=40).collection_no_dun = True
        self.assertFalse(self.nights(0, 40))

    def test_hold_and_excluded(self):
        """On hold until a day, on hold for good, excluded: nothing until it is over."""
        until, ever, never = (self.make_customer(name) for name in ("Until", "Ever", "Never"))
        for customer in (until, ever, never):
            self.make_invoice(customer, 100, days=5)
        self.debtor(until).write({"hold": True, "hold_until": self.today + timedelta(days=2)})
        self.debtor(ever).hold = True
        self.debtor(never).excluded = True
        heard = self.nights(0, 5)
        self.assertEqual({days: notices.partner_id for days, notices in heard.items()}, {3: until})
        self.debtor(ever).action_lift_hold()
        self.assertEqual(self.night(self.today + timedelta(days=6)).partner_id, ever)

    def test_an_archived_customer_hears_nothing(self):
        customer = self.make_customer("Archived")
        self.make_invoice(customer, 100, days=5)
        self.settle()
        customer.active = False
        self.assertFalse(self.night())

    def test_currencies_never_mix(self):
        """Each currency has its own credits, items and sums."""
        customer = self.make_customer("Two Currencies")
        mine = self.make_invoice(customer, 100, days=20)
        foreign = self.make_invoice(customer, 90, days=4, currency_id=self.foreign.id)
        self.make_invoice(customer, 30, days=2, move_type="out_refund", currency_id=self.foreign.id)
        notice = self.night()
        self.assertEqual(self.told(notice), {mine: 100, foreign: 60})
        lines = {line.move_id: line for line in notice.line_ids}
        self.assertEqual(lines[foreign].currency_id, self.foreign)
        self.assertEqual(lines[mine].currency_id, self.company.currency_id)
        open_line = self.receivable(foreign)
        self.assertAlmostEqual(lines[foreign].company_amount, open_line.amount_residual * 60 / 90, 2)
        self.assertAlmostEqual(notice.amount, 100 + lines[foreign].company_amount, 2)
        self.assertIn("T", notice.balance_text)
        self.assertIn("100.00", notice.balance_text)
        self.assertIn("60.00", notice.balance_text)

    def test_a_credit_in_another_currency_pays_nothing(self):
        customer = self.make_customer("Other Credit")
        move = self.make_invoice(customer, 100, days=4)
        self.make_invoice(customer, 5000, days=2, move_type="out_refund", currency_id=self.foreign.id)
        self.assertEqual(self.told(self.night()), {move: 100})

    # === Nights ===#

    def test_a_whole_life(self):
        """Each level once, on its first day, as long as nothing is paid."""
        customer = self.make_customer("Whole Life")
        self.make_invoice(customer, 100, days=-10)
        heard = {}
        for days in range(90):
            added = self.night(self.today + timedelta(days=days))
            if added:
                heard[days - 10] = self.level_of(added)
                added.write({"state": "sent"})
        self.assertEqual(heard, {-7: -7, -1: -1, 0: 0, 3: 3, 15: 15, 30: 30, 60: 60})

    def test_a_missed_night_catches_up_once(self):
        """The level due today is sent, the skipped are recorded as skipped, never a burst."""
        customer = self.make_customer("Missed")
        self.make_invoice(customer, 100, days=2)
        self.night(self.today - timedelta(days=1)).write({"state": "sent"})
        added = self.night(self.today + timedelta(days=30))
        sent = added.filtered(lambda notice: notice.state == "queued")
        skipped = added - sent
        self.assertEqual((len(sent), self.level_of(sent)), (1, 30))
        self.assertEqual((set(skipped.mapped("state")), sorted(skipped.mapped(self.level_of))), ({"skipped"}, [3, 15]))
        self.assertTrue(all(skipped.mapped("reason")))
        self.assertFalse(skipped.line_ids)
        self.assertFalse(self.night(self.today + timedelta(days=30)))
        sent.write({"state": "sent"})
        self.assertFalse(self.nights(31, 40))
        self.dispatch()
        self.assertEqual(set(skipped.mapped("state")), {"skipped"})

    def test_recurrence(self):
        """A level with a recurrence speaks again every so many days, once a day at most."""
        level = self.policy.level_ids.filtered(lambda level: level.day_from == 3)
        level.recurrence = 4
        customer = self.make_customer("Again")
        self.make_invoice(customer, 100, days=3)
        heard = []
        for days in range(12):
            added = self.night(self.today + timedelta(days=days))
            added.write({"state": "sent"})
            heard += [(days, self.level_of(notice)) for notice in added]
        self.assertEqual(heard, [(0, 3), (4, 3), (8, 3)])

    def test_minimum(self):
        """Less overdue than the minimum of the level: no message; what is not due yet does not count."""
        level = self.policy.level_ids.filtered(lambda level: level.day_from == 3)
        level.minimum_amount = 100
        low, high, ahead = (self.make_customer(name) for name in ("Low", "High", "Ahead"))
        self.make_invoice(low, 99.99, days=5)
        self.make_invoice(high, 60, days=5)
        self.make_invoice(high, 40, days=1)
        self.make_invoice(ahead, 99.99, days=5)
        self.make_invoice(ahead, 1000, days=-20)
        self.assertEqual(self.night().partner_id, high)

    # === Why ===#

    def test_why(self):
        """The reason names the document that set the level, and its days."""
        late, ahead, today = (self.make_customer(name) for name in ("Late", "Ahead", "Today"))
        move = self.make_invoice(late, 100, days=17)
        self.make_invoice(late, 100, days=1)
        soon = self.make_invoice(ahead, 100, days=-5)
        now = self.make_invoice(today, 100, days=0)
        self.night()
        self.assertEqual(self.notices(late).why, f"{move.name} is 17 days late")
        self.assertEqual(self.notices(ahead).why, f"{soon.name} falls due in 5 days")
        self.assertEqual(self.notices(today).why, f"{now.name} falls due today")

    def test_why_outside_the_windows(self):
        """An older item that no window holds does not explain the message."""
        self.policy.level_ids.filtered(lambda level: level.day_from == 60).unlink()
        customer = self.make_customer("Very Old")
        self.make_invoice(customer, 100, days=200)
        move = self.make_invoice(customer, 100, days=31)
        notice = self.night()
        self.assertEqual(notice.why, f"{move.name} is 31 days late")

    # === The seam ===#

    def test_cover(self):
        """What something else answers for is not asked for, neither by the night nor when it leaves."""
        whole, part, none = (self.make_customer(name) for name in ("Whole", "Part", "None"))
        covered = self.make_invoice(whole, 100, days=40)
        younger = self.make_invoice(whole, 20, days=4)
        partly = self.make_invoice(part, 100, days=5)
        self.make_invoice(none, 100, days=5)
        lines = {move: self.receivable(move) for move in (covered, partly)}
        with self.cover([(lines[covered], 60), (lines[covered], 40), (lines[partly], 25)]):
            self.night()
            self.assertEqual(self.told(self.notices(whole)), {younger: 20})
            self.assertEqual(self.level_of(self.notices(whole)), 3)
            self.assertEqual(self.told(self.notices(part)), {partly: 75})
            self.assertEqual(self.notices(none).amount, 100)

    def test_cover_that_came_after_the_night(self):
        whole, part = self.make_customer("Whole"), self.make_customer("Part")
        lines = {customer: self.receivable(self.make_invoice(customer, 100, days=5)) for customer in (whole, part)}
        self.night()
        with self.cover([(lines[whole], 100), (lines[part], 70)]):
            self.dispatch()
        self.assertEqual(self.notices(whole).state, "cancelled")
        self.assertTrue(self.notices(whole).reason)
        self.assertEqual((self.notices(part).state, self.notices(part).amount), ("outgoing", 30))
        self.assertEqual(self.notices(part).line_ids.amount, 30)

    # === Approval ===#

    def test_approval(self):
        """A proposal waits; a manager removes a customer from it, approves, and the others hear."""
        self.policy.requires_approval = True
        one, two = self.make_customer("One"), self.make_customer("Two")
        for customer in (one, two):
            self.make_invoice(customer, 100, days=5)
        notices = self.night()
        run = notices.run_id
        self.assertEqual((run.state, set(notices.mapped("state"))), ("proposal", {"proposed"}))
        self.dispatch()
        self.assertEqual(set(notices.mapped("state")), {"proposed"}, "nothing leaves before it is approved")
        self.notices(two).action_cancel()
        self.assertFalse(self.night(), "what was removed does not come back today")
        run.action_approve()
        self.assertEqual((run.state, run.approved_by_id), ("approved", self.env.user))
        self.dispatch()
        self.assertEqual((self.notices(one).state, self.notices(two).state), ("outgoing", "cancelled"))
        self.assertIn(self.env.user.name, self.notices(two).reason)
        self.assertEqual((run.sent_count, run.cancelled_count, run.waiting_count, run.amount), (1, 1, 0, 100))
        with self.assertRaises(UserError):
            run.action_approve()

    def test_approved_late(self):
        """What waited in a proposal was told at its level: the level reached meanwhile is still due."""
        self.policy.requires_approval = True
        customer = self.make_customer("Waiting")
        self.make_invoice(customer, 100, days=14)
        notice = self.night()
        tomorrow = self.today + timedelta(days=1)
        notice.run_id.action_approve()
        with patch.object(type(self.company), "_get_collection_today", lambda company: tomorrow):
            self.dispatch()
        self.assertEqual(
            (notice.state, notice.line_ids.days, notice.line_ids.level_id), ("outgoing", 15, notice.level_id)
        )
        notice.state = "sent"
        self.assertEqual(self.level_of(self.night(tomorrow)), 15)

    def test_a_proposal_that_was_paid_is_over(self):
        self.policy.requires_approval = True
        invoice = self.make_invoice(self.make_customer("Paid"), 100, days=5)
        run = self.night().run_id
        self.pay(invoice)
        self.Run._close_finished()
        self.assertEqual(run.state, "done")

    def test_cancelling_a_run_takes_back_what_waits_for_another_try(self):
        self.make_invoice(self.make_customer("Failed"), 100, days=5)
        self.make_invoice(self.make_customer("Queued"), 100, days=5)
        notices = self.night()
        notices[0]._fail("the printer was away", retry=True)
        notices.run_id.action_cancel()
        self.assertEqual(set(notices.mapped("state")), {"cancelled"})
        self.assertFalse(any(notices.mapped("next_try")))

    def test_a_cancelled_run_stays_cancelled(self):
        one, two = self.make_customer("One"), self.make_customer("Two")
        self.make_invoice(one, 100, days=5)
        run = self.night().run_id
        run.action_cancel()
        self.make_invoice(two, 100, days=5)
        self.assertFalse(self.night(), "a run that was taken back adds nobody")
        self.dispatch()
        self.assertEqual((run.state, self.notices(one).state), ("cancelled", "cancelled"))
        self.assertEqual(self.night(self.today + timedelta(days=1)).partner_id, one + two)

    def test_approving_takes_the_right_to_send(self):
        self.policy.requires_approval = True
        self.make_invoice(self.make_customer("One"), 100, days=5)
        run = self.night().run_id
        viewer = self.env["res.users"].create(
            {
                "name": "Viewer",
                "login": "ladder_viewer",
                "groups_id": [Command.set(self.env.ref("account_collection.group_collection_viewer").ids)],
                "company_id": self.company.id,
                "company_ids": [Command.set(self.company.ids)],
            }
        )
        with self.assertRaises(UserError):
            run.with_user(viewer).action_approve()
        self.assertEqual(run.state, "proposal")

    # === Companies ===#

    def test_a_company_that_fails_stops_no_other(self):
        here, there = self.make_customer("Here"), self.make_customer("There")
        company = self.company_data_2["company"]
        company.collection_policy_id = self.policy
        self.make_invoice(here, 100, days=5)
        self.make_invoice(there, 70, 5, data=self.company_data_2)
        decide = type(self.Run)._decide
        for failing, heard in ((self.company, there), (company, here)):

            def broken(run, of_company, *args, failing=failing):
                if of_company == failing:
                    raise ValueError("Broken on purpose")
                return decide(run, of_company, *args)

            self.settle()
            with patch.object(self.env.registry["collection.run"], "_decide", broken), mute_logger(RUN_LOGGER):
                self.Run._cron_nightly(self.today)
            self.assertEqual(len(self.notices(heard)), 1)
        self.assertEqual(self.notices(here).company_id, self.company)
        self.assertEqual(self.notices(there).company_id, company)

    def test_a_shared_customer_hears_from_each_company(self):
        company = self.company_data_2["company"]
        company.collection_policy_id = self.policy
        customer = self.make_customer("Shared")
        mine = self.make_invoice(customer, 100, days=5)
        other = self.make_invoice(customer, 70, 31, data=self.company_data_2)
        self.settle()
        self.Run._cron_nightly(self.today)
        told = {notice.company_id: (self.told(notice), self.level_of(notice)) for notice in self.notices(customer)}
        self.assertEqual(told, {self.company: ({mine: 100}, 3), company: ({other: 70}, 30)})

    def test_a_conflict_begins_again(self):
        """Somebody posts while the night refreshes: it begins again and no company loses its night."""
        customer = self.make_customer("Busy")
        self.make_invoice(customer, 100, days=5)
        self.settle()
        refresh, calls = type(self.Debtor)._refresh_balances, []

        def busy(debtors, *args):
            calls.append(1)
            if len(calls) == 1:
                raise psycopg2.errors.SerializationFailure("could not serialize access due to concurrent update")
            return refresh(debtors, *args)

        with (
            patch.object(self.env.registry["collection.debtor"], "_refresh_balances", busy),
            patch.object(self.env.cr, "rollback", lambda: None),
        ):
            self.Run._cron_nightly(self.today)
        self.assertEqual(len(calls), 2)
        self.assertEqual(len(self.notices(customer)), 1)
