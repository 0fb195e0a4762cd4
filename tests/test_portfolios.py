from datetime import timedelta
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .check_common import CheckCommon
from .test_rights import RightsCommon


class PortfolioCommon(RightsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Portfolio = cls.env["collection.portfolio"]
        cls.company.collection_responsible_id = cls.manager

    @classmethod
    def make_portfolio(cls, name="Everybody", *collectors, **values):
        people = [Command.set([collector.id for collector in collectors])]
        return cls.Portfolio.create(
            {"name": name, "company_id": cls.company.id, "collector_ids": people, "sequence": 5, **values}
        )

    @classmethod
    def owing(cls, name, amount=1000, **values):
        partner = cls.make_customer(name, **values)
        cls.make_invoice(partner, amount, days=20)
        return cls.debtor(partner)

    @classmethod
    def assign(cls):
        """Assign as the night does; returns how many changed hands."""
        cls.settle()
        cls.env.flush_all()
        return cls.Portfolio._assign_company(cls.company)

    def told(self, debtor, **values):
        """Who is notified of what the customer answers."""
        author = debtor.partner_id
        debtor.invalidate_recordset()  # as in another request
        message = debtor.message_post(
            **{"body": "On Friday", "subtype_xmlid": "mail.mt_comment", "message_type": "email", **values},
            author_id=author.id,
        )
        return message.notified_partner_ids.user_ids

    def chatter(self, debtor):
        return [str(message.body) for message in debtor.message_ids.sorted("id") if "Collector:" in str(message.body)]


@tagged("post_install", "-at_install")
class TestPortfolioConditions(PortfolioCommon):
    """Which debtors a portfolio takes."""

    def assert_takes(self, debtor, others, **conditions):
        """A portfolio with these conditions takes ``debtor`` and none of ``others``."""
        portfolio = self.make_portfolio("Chosen", self.collector, **conditions)
        self.assign()
        self.assertEqual((debtor.portfolio_id, debtor.collector_id), (portfolio, self.collector))
        self.assertFalse(others.portfolio_id or others.collector_id)

    def test_country(self):
        mexico = self.env.ref("base.mx")
        theirs = self.owing("French", country_id=self.env.ref("base.fr").id) | self.owing("Homeless")
        self.assert_takes(self.owing("Mexican", country_id=mexico.id), theirs, country_ids=[Command.set(mexico.ids)])

    def test_state(self):
        mexico, state = self.env.ref("base.mx"), self.env.ref("base.state_mx_gto")
        other = self.owing("Jal", country_id=mexico.id, state_id=self.env.ref("base.state_mx_jal").id)
        mine = self.owing("Gto", country_id=mexico.id, state_id=state.id)
        self.assert_takes(mine, other, state_ids=[Command.set(state.ids)])

    def test_zip_codes_from_one_to_another_whole_prefixes_included(self):
        portfolio = self.make_portfolio("Leon", self.collector, zip_from="37000", zip_to="375")
        taken = self.owing("First", zip="37000") | self.owing("Last", zip="37599")
        left = self.owing("Before", zip="36999") | self.owing("After", zip="37600") | self.owing("Unknown")
        self.assign()
        self.assertEqual(taken.portfolio_id, portfolio)
        self.assertFalse(left.portfolio_id)

    def test_any_of_the_tags(self):
        tags = self.env["res.partner.category"].create([{"name": name} for name in ("A", "B", "C")])
        portfolio = self.make_portfolio("Tagged", self.collector, partner_tag_ids=[Command.set(tags[:2].ids)])
        debtors = [self.owing(tag.name, category_id=[Command.set(tag.ids)]) for tag in tags]
        self.assign()
        self.assertEqual([bool(debtor.portfolio_id) for debtor in debtors], [True, True, False])
        self.assertEqual(debtors[0].portfolio_id, portfolio)

    def test_salesperson_and_industry(self):
        industry = self.env["res.partner.industry"].create({"name": "Mining"})
        values = {"user_id": self.invoicing.id, "industry_id": industry.id}
        others = self.owing("Sold", user_id=self.invoicing.id) | self.owing("Miner", industry_id=industry.id)
        self.assert_takes(
            self.owing("Both", **values),
            others,
            salesperson_ids=[Command.set(self.invoicing.ids)],
            industry_ids=[Command.set(industry.ids)],
        )

    def test_balance(self):
        others = self.owing("Small", 999) | self.owing("Large", 5001)
        self.assert_takes(self.owing("Middle", 5000), others, balance_from=1000, balance_to=5000)

    def test_any_condition_on_the_customer(self):
        mine, other = self.owing("Known", ref="KEY-1"), self.owing("Unknown")
        self.assert_takes(mine, other, partner_domain="[('ref', '=like', 'KEY-%')]")

    def test_the_first_portfolio_in_order_takes_a_debtor(self):
        debtor = self.owing("Wanted")
        self.make_portfolio("Second", self.collector, sequence=20)
        first = self.make_portfolio("First", self.other_collector, sequence=10)
        self.assign()
        self.assertEqual((debtor.portfolio_id, debtor.collector_id), (first, self.other_collector))

    def test_who_owes_nothing_or_is_archived_stays_without_a_collector(self):
        paid, archived = self.owing("Paid"), self.owing("Archived")
        self.pay(paid.open_line_ids.move_id)
        archived.partner_id.active = False
        never_dunned = self.owing("Never Dunned")
        never_dunned.excluded = True
        self.make_portfolio("All", self.collector)
        self.assertEqual(self.assign(), 1)
        self.assertFalse((paid | archived).collector_id)
        self.assertEqual(never_dunned.collector_id, self.collector)

    def test_conditions_that_cannot_be_read_name_their_portfolio(self):
        for domain in ("[('name', '=',", "[('no_such_field', '=', 1)]", "'name'", "__import__('os')"):
            with self.assertRaisesRegex(ValidationError, "conditions of “Broken” cannot be read"):
                self.make_portfolio("Broken", self.collector, partner_domain=domain)

    def test_ranges_substitutes_and_companies_that_cannot_be(self):
        other = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        stranger = self.make_user("elsewhere", "account_collection.group_collection_collector", company=other)
        for text, values in (
            ("range of “Wrong”", {"balance_from": 5, "balance_to": 1}),
            ("range of “Wrong”", {"zip_from": "9", "zip_to": "1"}),
            ("Say from which day", {"substitute_id": self.viewer.id}),
            (
                "Say from which day",
                {"substitute_id": self.viewer.id, "substitute_from": self.today, "substitute_to": self.days_ago(1)},
            ),
            (
                "is no collector of portfolio “Wrong”",
                {"substitute_id": self.viewer.id, "substitute_from": self.today, "absent_id": self.manager.id},
            ),
            ("does not work in", {"collector_ids": [Command.set(stranger.ids)]}),
        ):
            with self.assertRaisesRegex(ValidationError, text):
                self.make_portfolio("Wrong", **values)


@tagged("post_install", "-at_install")
class TestPortfolioAssignment(PortfolioCommon):
    """Who gets which debtor, and why."""

    def test_open_balances_are_spread_evenly(self):
        debtors = [self.owing(f"Owes {amount}", amount) for amount in (900, 500, 400, 100)]
        self.make_portfolio("All", self.collector, self.other_collector)
        self.assertEqual(self.assign(), 4)
        first, second = self.collector, self.other_collector
        self.assertEqual([debtor.collector_id for debtor in debtors], [first, second, second, first])

    def test_numbers_are_spread_evenly(self):
        debtors = [self.owing(f"Owes {amount}", amount) for amount in (900, 100, 90, 80)]
        self.make_portfolio("All", self.collector, self.other_collector, spread_by="count")
        self.assign()
        counts = [sum(d.collector_id == user for d in debtors) for user in (self.collector, self.other_collector)]
        self.assertEqual(counts, [2, 2])

    def test_what_a_collector_holds_already_counts(self):
        held = self.owing("Held", 5000)
        held.write({"collector_id": self.collector.id, "collector_locked": True})
        debtors = self.owing("One", 2000) | self.owing("Two", 2000)
        self.make_portfolio("All", self.collector, self.other_collector)
        self.assign()
        self.assertEqual(debtors.collector_id, self.other_collector)

    def test_the_reason_stands_on_the_debtor_and_in_its_chatter(self):
        debtor = self.owing("Reasoned")
        self.make_portfolio("North", self.collector)
        self.assign()
        reason = "It meets the conditions of portfolio “North”."
        self.assertEqual((debtor.assignment_reason, debtor.assigned_on), (reason, self.today))
        self.assertEqual(self.chatter(debtor), [f"<p>Collector: nobody → Collector. {reason}</p>"])

    def test_answers_reach_who_answers_for_the_debtor(self):
        debtor = self.owing("Answering")
        portfolio = self.make_portfolio("North", self.collector)
        self.assertEqual(self.told(debtor), self.manager, "the company's responsible while nobody collects")
        self.assign()
        self.assertEqual(self.told(debtor), self.collector)
        self.assertFalse(self.told(debtor, subtype_xmlid="mail.mt_note"), "notes are nobody's mail")
        debtor.with_user(self.manager).write({"collector_id": self.other_collector.id})
        self.assertEqual(self.told(debtor), self.other_collector, "no longer who handed it over")
        portfolio.write(
            {
                "collector_ids": [Command.set(self.other_collector.ids)],
                "substitute_id": self.collector.id,
                "substitute_from": self.today,
            }
        )
        self.assertEqual(self.told(debtor), self.collector, "who stands in")
        self.assertFalse(debtor.message_follower_ids.partner_id & self.collector.partner_id)

    def test_names_in_the_chatter_are_text(self):
        debtor = self.owing("Escaped")
        self.make_portfolio("<b>North</b>", self.collector)
        self.assign()
        self.assertIn("“&lt;b&gt;North&lt;/b&gt;”", self.chatter(debtor)[0])

    def test_nobody_changes_hands_without_a_reason(self):
        debtors = self.owing("One", 1000) | self.owing("Two", 2000) | self.owing("Three", 3000)
        self.make_portfolio("All", self.collector, self.other_collector)
        self.assign()
        before = [debtor.collector_id for debtor in debtors]
        self.make_invoice(debtors[0].partner_id, 90000, days=3)
        self.make_portfolio("Earlier", self.manager, sequence=1)
        self.assertEqual(self.assign(), 0)
        self.assertEqual([debtor.collector_id for debtor in debtors], before)
        self.assertEqual([len(self.chatter(debtor)) for debtor in debtors], [1, 1, 1])

    def test_a_debtor_that_no_longer_meets_the_conditions_moves_on(self):
        debtor = self.owing("Growing", 500)
        self.make_portfolio("Small", self.collector, balance_to=1000)
        self.make_portfolio("Large", self.other_collector, balance_from=1000.01)
        self.assign()
        self.assertEqual(debtor.collector_id, self.collector)
        self.make_invoice(debtor.partner_id, 9000, days=2)
        self.assertEqual(self.assign(), 1)
        self.assertEqual((debtor.portfolio_id.name, debtor.collector_id), ("Large", self.other_collector))
        self.assertIn(
            "Collector: Collector → Other Collector. It no longer meets the conditions of portfolio “Small” and meets "
            "those of “Large”.",
            self.chatter(debtor)[1],
        )
        self.assertEqual(self.told(debtor), self.other_collector)

    def test_a_debtor_that_meets_no_portfolio_any_more_has_no_collector(self):
        debtor = self.owing("Shrinking", 5000)
        self.make_portfolio("Large", self.collector, balance_from=1000)
        self.assign()
        self.pay(debtor.open_line_ids.move_id, 4500)
        self.assertEqual(self.assign(), 1)
        self.assertFalse(debtor.collector_id or debtor.portfolio_id)
        self.assertIn("nor those of another", debtor.assignment_reason)

    def test_a_debtor_that_pays_all_keeps_its_collector(self):
        debtor = self.owing("Pays", 5000)
        self.make_portfolio("Large", self.collector, balance_from=1000)
        self.assign()
        self.pay(debtor.open_line_ids.move_id)
        self.assertEqual(self.assign(), 0)
        self.assertEqual(debtor.collector_id, self.collector)

    def test_a_collector_who_leaves_the_portfolio_hands_over(self):
        debtor = self.owing("Left")
        portfolio = self.make_portfolio("All", self.collector)
        self.assign()
        portfolio.collector_ids = self.other_collector
        self.assertEqual(self.assign(), 1)
        self.assertEqual(debtor.collector_id, self.other_collector)
        self.assertEqual(debtor.assignment_reason, "Its collector left portfolio “All”.")

    def test_a_locked_collector_stays_whatever_the_portfolios_say(self):
        debtor = self.owing("Locked")
        debtor.with_user(self.manager).collector_id = self.viewer
        self.assertTrue(debtor.collector_locked, "who is chosen by hand is locked")
        self.assertEqual(debtor.assignment_reason, "Chosen by Manager.")
        self.make_portfolio("All", self.collector)
        self.assertEqual(self.assign(), 0)
        self.assertEqual((debtor.collector_id, debtor.portfolio_id), (self.viewer, self.Portfolio))
        debtor.with_user(self.manager).collector_locked = False
        self.assertEqual(self.assign(), 1)
        self.assertEqual(debtor.collector_id, self.collector)

    def test_a_lock_without_a_collector_locks_nobody(self):
        debtor = self.owing("Nobody's")
        debtor.collector_locked = True
        self.make_portfolio("All", self.collector)
        self.assertEqual(self.assign(), 1)
        self.assertEqual(debtor.collector_id, self.collector)

    def test_a_collector_whom_a_portfolio_finds_in_place_stays_without_a_word(self):
        debtor = self.owing("In Place")
        debtor.collector_id = self.other_collector
        portfolio = self.make_portfolio("All", self.collector, self.other_collector)
        self.assertEqual(self.assign(), 0)
        self.assertEqual((debtor.collector_id, debtor.portfolio_id), (self.other_collector, portfolio))
        self.assertFalse(self.chatter(debtor))

    def test_what_finds_no_room_stays_unassigned_and_the_responsible_is_told_once(self):
        debtors = [self.owing(f"Owes {amount}", amount) for amount in (300, 200, 100)]
        portfolio = self.make_portfolio("Narrow", self.collector, capacity=2)
        self.assertEqual(self.assign(), 2)
        self.assertEqual([d.collector_id for d in debtors], [self.collector, self.collector, self.env["res.users"]])
        self.assertEqual(debtors[2].assignment_reason, "No collector of portfolio “Narrow” has room.")
        self.assertEqual(self.assign(), 0)
        activity = portfolio.activity_ids
        self.assertEqual((activity.summary, activity.user_id), ("1 debtors of “Narrow” find no room.", self.manager))
        portfolio.capacity = 0
        self.assertEqual(self.assign(), 1)
        self.assertFalse(portfolio.activity_ids)

    def test_a_portfolio_without_collectors_asks_for_them(self):
        self.owing("Waiting")
        portfolio = self.make_portfolio("Empty")
        self.assign()
        self.assertEqual(portfolio.activity_ids.summary, "1 debtors of “Empty” find no collector there.")

    def test_conditions_that_stopped_being_readable_move_nobody_and_stop_nothing(self):
        debtor, other = self.owing("Mine", ref="A"), self.owing("Other", ref="B")
        broken = self.make_portfolio("Broken", self.collector, partner_domain="[('ref', '=', 'A')]")
        self.assign()
        self.make_portfolio("Rest", self.other_collector, sequence=50)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE collection_portfolio SET partner_domain = '[(''gone'', ''='', 1)]' WHERE id = %s", [broken.id]
        )
        self.env.invalidate_all()
        self.assertEqual(self.assign(), 1)
        self.assertEqual((debtor.collector_id, other.collector_id), (self.collector, self.other_collector))
        self.assertIn("“Broken” cannot be read", broken.activity_ids.summary)

    def test_the_night_assigns_before_it_decides(self):
        debtor = self.owing("Night")
        self.make_portfolio("All", self.collector)
        self.settle()
        with patch.object(type(self.env["collection.notice"]), "_trigger_dispatch"):
            self.Run._cron_nightly()
        self.assertEqual(debtor.collector_id, self.collector)
        self.assertEqual(self.notices(debtor.partner_id).collector_id, self.collector)

    def test_an_assignment_that_fails_leaves_the_night_alone(self):
        debtor = self.owing("Night")
        with (
            patch.object(type(self.Portfolio), "_assign_company", side_effect=ValueError("broken")),
            patch.object(type(self.env["collection.notice"]), "_trigger_dispatch"),
            mute_logger("odoo.addons.account_collection.models.collection_transaction"),
        ):
            self.Run._cron_nightly()
        self.assertEqual(len(self.notices(debtor.partner_id)), 1)

    def test_companies_are_apart(self):
        data = self.other_company_data()
        other, partner = data["company"], self.make_customer("Everywhere")
        self.make_invoice(partner, 1000, days=20)
        self.make_invoice(partner, 1000, days=20, data=data)
        here, there = self.debtor(partner), self.debtor(partner, other)
        stranger = self.make_user("there", "account_collection.group_collection_collector", company=other)
        portfolio = self.make_portfolio("There", stranger, company_id=other.id)
        self.assertEqual(self.assign(), 0)
        self.assertFalse(here.portfolio_id or there.portfolio_id)
        self.assertEqual(self.Portfolio._assign_company(other), 1)
        self.assertEqual((there.portfolio_id, there.collector_id), (portfolio, stranger))
        self.assertFalse(here.portfolio_id or here.collector_id)

    def test_the_portfolio_shows_its_figures(self):
        portfolio = self.make_portfolio("All", self.collector)
        self.owing("One", 100)
        self.owing("Two", 250)
        message = portfolio.with_user(self.manager).action_assign()["params"]["message"]
        self.assertEqual(message, "2 debtors changed hands.")
        portfolio.invalidate_recordset()
        self.assertEqual((portfolio.debtor_count, portfolio.total_due, portfolio.overdue), (2, 350, 350))
        action = portfolio.action_open_debtors()
        self.assertEqual(self.Debtor.search_count(action["domain"]), 2)


@tagged("post_install", "-at_install")
class TestPortfolioPeople(PortfolioCommon):
    """Substitutes, people who leave, assigning by hand, who may do what."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mine = cls.make_debtor("Mine", cls.collector)
        cls.theirs = cls.make_debtor("Theirs", cls.other_collector)

    def substitute(self, first, last, **values):
        return self.make_portfolio(
            "Absent",
            self.other_collector,
            substitute_id=self.collector.id,
            substitute_from=self.days_ago(first),
            substitute_to=last is not None and self.days_ago(last),
            **values,
        )

    def test_a_substitute_sees_and_works_on_the_debtors_of_the_absent_within_the_dates(self):
        notices = self.night()
        self.assertEqual(len(notices), 2)
        portfolio = self.substitute(1, -1)
        records = (
            self.mine | self.theirs,
            notices,
            notices.line_ids,
            self.env["collection.cash.plan"].search([("partner_id", "in", (self.mine | self.theirs).partner_id.ids)]),
        )
        for all_of_them in records:
            self.assertEqual(self.seen_by(self.collector, all_of_them), all_of_them, all_of_them._name)
        self.theirs.with_user(self.collector).write({"hold": True})
        self.assertEqual(self.theirs.collector_id, self.other_collector)
        self.assertEqual(self.seen_by(self.other_collector, self.mine | self.theirs), self.theirs)
        for first, last in ((5, 1), (-1, -5)):
            portfolio.write({"substitute_from": self.days_ago(first), "substitute_to": self.days_ago(last)})
            for all_of_them in records:
                own = self.seen_by(self.collector, all_of_them)
                self.assertTrue(own and own != all_of_them, all_of_them._name)
            with self.assertRaises(AccessError):
                self.theirs.with_user(self.collector).write({"hold": True})
            with self.assertRaises(AccessError):
                self.theirs.with_user(self.collector).read(["overdue"])

    def test_the_first_and_the_last_day_count_and_an_open_end_goes_on(self):
        both = self.mine | self.theirs
        for first, last in ((0, 0), (0, None), (9, 0), (0, -9)):
            portfolio = self.substitute(first, last)
            self.assertEqual(self.seen_by(self.collector, both), both, (first, last))
            portfolio.unlink()
        self.assertEqual(self.seen_by(self.collector, both), self.mine)

    def test_midnight_ends_a_substitution_by_itself(self):
        self.substitute(3, 0)
        both = self.mine | self.theirs
        self.assertEqual(self.seen_by(self.collector, both), both)
        tomorrow = self.today + timedelta(days=1)
        with patch.object(type(self.company), "_get_collection_today", lambda company: tomorrow):
            self.assertEqual(self.seen_by(self.collector, both), self.mine)

    def test_a_substitute_of_one_collector_sees_no_other_one(self):
        others = self.make_debtor("Others", self.collecting_sender)
        portfolio = self.substitute(1, -1)
        portfolio.write({"collector_ids": [Command.link(self.collecting_sender.id)]})
        every = self.mine | self.theirs | others
        self.assertEqual(self.seen_by(self.collector, every), every)
        portfolio.absent_id = self.other_collector
        self.assertEqual(self.seen_by(self.collector, every), self.mine | self.theirs)
        portfolio.active = False
        self.assertEqual(self.seen_by(self.collector, every), self.mine)

    def test_the_filter_standing_in_finds_the_debtors_of_the_absent(self):
        self.substitute(1, -1)
        domain = [("collector_id.collection_covered", "=", True), ("collector_id", "!=", self.collector.id)]
        self.assertEqual(self.Debtor.with_user(self.collector).search(domain).sudo(), self.theirs)
        users = self.env["res.users"].with_user(self.collector).search([("collection_covered", "!=", True)])
        self.assertFalse(users & (self.collector | self.other_collector))

    # === Who leaves ===#

    def test_the_debtors_of_an_archived_user_return_to_assignment_and_the_responsible_is_told(self):
        self.theirs.collector_locked = True
        self.other_collector.active = False
        self.assertEqual((self.theirs.collector_id, self.theirs.collector_locked), (self.env["res.users"], False))
        self.assertEqual(
            self.chatter(self.theirs), ["<p>Collector: Other Collector → nobody. Other Collector was archived.</p>"]
        )
        self.assertEqual(self.told(self.theirs), self.manager)
        activity = self.env["mail.activity"].search(
            [("res_model", "=", "res.partner"), ("res_id", "=", self.other_collector.partner_id.id)]
        )
        self.assertEqual(activity.user_id, self.manager)
        self.assertIn("Other Collector was archived. 1 debtors", activity.summary)
        self.assertEqual(self.mine.collector_id, self.collector)
        self.make_portfolio("All", self.collector)
        self.assign()
        self.assertEqual(self.theirs.collector_id, self.collector)

    def test_who_is_archived_stands_in_for_nobody_any_more(self):
        dates = {"substitute_from": self.today, "absent_id": self.other_collector.id}
        portfolio = self.make_portfolio("North", self.other_collector, substitute_id=self.viewer.id, **dates)
        archived = self.make_portfolio(
            "South", self.other_collector, substitute_id=self.viewer.id, active=False, **dates
        )
        self.viewer.active = False
        for one in (portfolio, archived):
            self.assertFalse(one.substitute_id or one.absent_id or one.substitute_from)
        activity = self.env["mail.activity"].search(
            [("res_model", "=", "res.partner"), ("res_id", "=", self.viewer.partner_id.id)]
        )
        self.assertEqual(activity.user_id, self.manager)
        self.assertIn("Viewer was archived. Nobody substitutes any more in: North, South.", activity.summary)

    def test_who_leaves_stands_in_for_nobody_any_more(self):
        own = self.make_portfolio("Own", self.other_collector)
        portfolio = self.make_portfolio(
            "North", self.viewer, substitute_id=self.other_collector.id, substitute_from=self.today
        )
        wizard = self.env["collection.move.wizard"].with_user(self.manager)
        wizard.create(
            {"collector_id": self.other_collector.id, "collector_ids": [Command.set(self.collector.ids)]}
        ).action_move()
        self.assertFalse(portfolio.substitute_id or portfolio.substitute_from)
        self.assertEqual((portfolio.collector_ids, own.collector_ids), (self.viewer, self.collector))

    def test_moving_to_several_shares_by_open_balance(self):
        debtors = [self.make_debtor(name, self.viewer) for name in ("A", "B")]
        portfolio = self.make_portfolio("All", self.viewer)
        self.assertEqual(self.assign(), 2, "those of the two others")
        self.assertEqual([d.portfolio_id for d in debtors], [portfolio, portfolio])
        wizard = self.env["collection.move.wizard"].with_user(self.manager)
        wizard = wizard.with_context(active_model="collection.portfolio", active_id=portfolio.id).create(
            {
                "collector_id": self.viewer.id,
                "collector_ids": [Command.set((self.collector | self.other_collector).ids)],
                "reason": "On leave",
            }
        )
        self.assertEqual((wizard.portfolio_id, wizard.debtor_count), (portfolio, 4))
        wizard.action_move()
        self.assertEqual({d.collector_id for d in debtors}, {self.collector, self.other_collector})
        self.assertEqual(portfolio.collector_ids, self.collector | self.other_collector)
        self.assertIn("On leave", self.chatter(debtors[0])[-1])
        self.assertEqual(self.assign(), 0, "who took over keeps them")

    def test_moving_back_to_assignment_unlocks_and_lets_the_person_go(self):
        portfolio = self.make_portfolio("All", self.other_collector, self.viewer)
        self.theirs.collector_locked = True
        wizard = self.env["collection.move.wizard"].with_user(self.manager)
        wizard.create({"collector_id": self.other_collector.id}).action_move()
        self.assertFalse(self.theirs.collector_id or self.theirs.collector_locked)
        self.assertEqual(portfolio.collector_ids, self.viewer)
        self.assign()
        self.assertEqual(self.theirs.collector_id, self.viewer)
        with self.assertRaisesRegex(UserError, "collects from nobody there"):
            wizard.create({"collector_id": self.other_collector.id}).action_move()

    # === By hand ===#

    def assign_by_hand(self, debtors, user=None, **values):
        wizard = self.env["collection.assign.wizard"].with_user(user or self.manager)
        return wizard.with_context(active_model="collection.debtor", active_ids=debtors.ids).create(values)

    def test_a_manager_assigns_many_by_hand(self):
        both = self.mine | self.theirs
        self.assign_by_hand(both, collector_id=self.viewer.id, reason="Key accounts").action_assign()
        self.assertEqual(both.collector_id, self.viewer)
        self.assertEqual(both.mapped("collector_locked"), [True, True])
        self.assertEqual(both.mapped("assignment_reason"), ["Key accounts"] * 2)
        self.assertEqual(self.chatter(self.mine), ["<p>Collector: Collector → Viewer. Key accounts</p>"])
        self.assertEqual(self.mine.message_ids[0].author_id, self.manager.partner_id)
        self.assign_by_hand(both, collector_id=self.collector.id, lock=False).action_assign()
        self.assertEqual(both.mapped("collector_locked"), [False, False])
        self.assign_by_hand(both).action_assign()
        self.assertFalse(both.collector_id)

    def test_nobody_collects_where_they_do_not_work(self):
        elsewhere = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        stranger = self.make_user("stranger", "account_collection.group_collection_collector", company=elsewhere)
        sentence = f"Stranger does not work in {self.company.name}"
        move = self.env["collection.move.wizard"].with_user(self.manager)
        for refused in (
            lambda: self.mine.with_user(self.manager).write({"collector_id": stranger.id}),
            lambda: self.assign_by_hand(self.mine, collector_id=stranger.id).action_assign(),
            lambda: move.create(
                {"collector_id": self.collector.id, "collector_ids": [Command.set(stranger.ids)]}
            ).action_move(),
        ):
            with self.assertRaisesRegex(ValidationError, sentence), self.env.cr.savepoint():
                refused()
            self.env.invalidate_all()
            self.assertEqual(self.mine.collector_id, self.collector)

    def test_the_action_opens_with_the_chosen_debtors(self):
        wizard = self.env["collection.assign.wizard"].with_user(self.manager)
        form = Form(wizard.with_context(active_model="collection.debtor", active_ids=self.mine.ids))
        form.collector_id = self.viewer
        form.save().action_assign()
        self.assertEqual(self.mine.collector_id, self.viewer)

    def test_only_a_manager_assigns_locks_and_sets_up(self):
        portfolio = self.make_portfolio("All", self.collector)
        for user in (self.viewer, self.collector, self.sender, self.collecting_sender):
            self.assertEqual(portfolio.with_user(user).read(["name"])[0]["name"], "All")
            with self.assertRaises(AccessError):
                portfolio.with_user(user).write({"name": "Mine"})
            with self.assertRaises(AccessError):
                portfolio.with_user(user).action_assign()
            with self.assertRaises(AccessError):
                self.assign_by_hand(self.mine, user)
            with self.assertRaises(AccessError):
                self.env["collection.move.wizard"].with_user(user).create({"collector_id": self.collector.id})
        with self.assertRaises(AccessError):
            self.mine.with_user(self.collector).write({"collector_locked": True})
        for user in (self.collector, self.manager):
            with self.assertRaises(AccessError):
                self.mine.with_user(user).write({"portfolio_id": portfolio.id})
        for user in (self.invoicing, self.employee, self.portal):
            with self.assertRaises(AccessError):
                self.Portfolio.with_user(user).search([])
        portfolio.with_user(self.manager).write({"name": "Renamed"})
        portfolio.with_user(self.manager).unlink()

    def test_the_portfolios_of_another_company_are_not_seen(self):
        other_company = self.env["res.company"].sudo().create({"name": "Strangers"})
        stranger = self.make_user("stranger", "account_collection.group_collection_manager", company=other_company)
        portfolio = self.make_portfolio("Here", self.collector)
        self.assertFalse(self.seen_by(stranger, portfolio))
        wizard = self.env["collection.assign.wizard"].with_user(stranger)
        with self.assertRaises(UserError):
            wizard.create({"debtor_ids": [Command.set(self.mine.ids)], "collector_id": stranger.id}).action_assign()
        self.assertEqual(self.mine.collector_id, self.collector)

    def test_the_screens_open(self):
        for user in (self.manager, self.viewer):
            for model in ("collection.portfolio", "collection.debtor"):
                Model = self.env[model].with_user(user)
                views = Model.get_views([(False, "form"), (False, "search"), (False, "pivot")])["views"]
                self.assertTrue(views["form"]["arch"])
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.collection_debtor_load_action")
        self.assertEqual(action["res_model"], "collection.debtor")
        rows = self.Debtor.with_user(self.manager).read_group(
            [("company_id", "=", self.company.id)], ["overdue:sum", "overdue_count:sum"], ["collector_id"]
        )
        load = {row["collector_id"][0]: (row["overdue"], row["overdue_count"]) for row in rows if row["collector_id"]}
        self.assertEqual(load, {self.collector.id: (1000, 1), self.other_collector.id: (1000, 1)})

    # === Salespersons ===#

    def test_a_salesperson_sees_how_the_own_customers_stand_and_nothing_else(self):
        customer = self.mine.partner_id
        customer.user_id = self.employee
        seen = customer.with_user(self.employee)
        self.assertRegex(
            seen.collection_status.replace("\xa0", " "),
            r"^Owes \$ 1,000.00, of which \$ 1,000.00 overdue. Oldest: 20 days late. Collector: Collector.$",
        )
        self.assertFalse(self.theirs.partner_id.with_user(self.employee).collection_status)
        self.assertFalse(customer.with_user(self.invoicing).collection_status)
        contact = self.make_customer("Contact", parent_id=customer.id, is_company=False)
        self.assertTrue(contact.with_user(self.employee).collection_status)
        with self.assertRaises(AccessError):
            self.mine.with_user(self.employee).read(["overdue"])
        self.pay(self.mine.open_line_ids.move_id)
        self.settle()
        self.env.invalidate_all()
        self.assertEqual(seen.collection_status, "Owes nothing.")


@tagged("post_install", "-at_install")
class TestPortfolioChecks(CheckCommon):
    """The checks of a debtor follow it."""

    def test_a_check_follows_its_debtor_and_its_substitute(self):
        collectors = [
            self.make_user(login, "account_collection.group_collection_collector") for login in ("one", "two")
        ]
        check = self.make_check()
        debtor = check.debtor_id
        self.env["collection.portfolio"].create(
            {"name": "All", "company_id": self.company.id, "collector_ids": [Command.set(collectors[0].ids)]}
        )
        self.make_invoice(debtor.partner_id, 100, days=3)
        self.settle()
        self.env["collection.portfolio"]._assign_company(self.company)
        self.assertEqual(check.collector_id, collectors[0])
        Check = self.env["account.postdated.check"]
        domain = [("id", "=", check.id)]
        self.assertEqual([Check.with_user(user).search_count(domain) for user in collectors], [1, 0])
        self.env["collection.portfolio"].search([("name", "=", "All")]).write(
            {"substitute_id": collectors[1].id, "substitute_from": self.today}
        )
        self.assertEqual([Check.with_user(user).search_count(domain) for user in collectors], [1, 1])
