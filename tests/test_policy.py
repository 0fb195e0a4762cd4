"""Which ladder a debtor climbs, and what is said about settings that cannot work."""

import psycopg2

from odoo import Command
from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_ladder import LadderCommon


class PolicyCommon(LadderCommon):
    def make_policy(self, name, *windows, **values):
        """A policy whose levels are named A, B, C ... after their windows."""
        template = self.env.ref("account_collection.template_late_3")
        levels = [
            Command.create({"name": letter, "day_from": first, "day_to": last, "template_id": template.id})
            for letter, (first, last) in zip("ABCDEFG", windows)
        ]
        return self.env["collection.policy"].create({"name": name, "level_ids": levels, **values})


@tagged("post_install", "-at_install")
class TestPolicy(PolicyCommon):
    # === Which policy ===#

    def test_debtor_before_tag_before_company(self):
        """Policy per company default, overridden on partner tag and on the debtor."""
        tag, late_tag = self.env["res.partner.category"].create([{"name": "VIP"}, {"name": "Slow"}])
        by_tag = self.make_policy("By tag", (1, 99), partner_tag_ids=[Command.link(tag.id)], sequence=1)
        self.make_policy("Later", (1, 99), partner_tag_ids=[Command.set((tag + late_tag).ids)], sequence=2)
        by_debtor = self.make_policy("By debtor", (2, 99))
        plain, tagged_one, chosen = (self.make_customer(name) for name in ("Plain", "Tagged", "Chosen"))
        (tagged_one + chosen).category_id = tag
        for customer in (plain, tagged_one, chosen):
            self.make_invoice(customer, 100, days=5)
        self.debtor(chosen).policy_id = by_debtor
        self.night()
        policies = {plain: self.policy, tagged_one: by_tag, chosen: by_debtor}
        for customer, policy in policies.items():
            self.assertEqual(self.notices(customer).level_id.policy_id, policy, customer.name)
            self.assertEqual(self.debtor(customer).effective_policy_id, policy, customer.name)

    def test_policies_of_other_companies_and_archived_ones_are_passed_over(self):
        tag = self.env["res.partner.category"].create({"name": "VIP"})
        other = self.env["res.company"].create({"name": "Elsewhere"})
        values = {"partner_tag_ids": [Command.link(tag.id)]}
        self.make_policy("Elsewhere", (1, 99), company_id=other.id, sequence=1, **values)
        self.make_policy("Archived", (1, 99), active=False, sequence=2, **values)
        customer = self.make_customer("Tagged", category_id=[Command.link(tag.id)])
        self.make_invoice(customer, 100, days=5)
        self.assertEqual(self.night().level_id.policy_id, self.policy)

    def test_an_archived_policy_of_the_debtor_gives_way(self):
        policy = self.make_policy("Old", (1, 99))
        customer = self.make_customer("Old Policy")
        self.make_invoice(customer, 100, days=5)
        self.debtor(customer).policy_id = policy
        policy.active = False
        self.assertEqual(self.debtor(customer).effective_policy_id, self.policy)
        self.assertEqual(self.night().level_id.policy_id, self.policy)

    # === Whose policy ===#

    def assertForAnotherCompany(self, work, policy, company):
        with self.assertRaises(ValidationError) as error, self.env.cr.savepoint():
            work()
        for name in (policy.name, policy.company_id.name, f"{company.name} and its debtors need"):
            self.assertIn(name, str(error.exception))

    def test_a_company_s_own_policy_is_for_no_other(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        theirs, shared = (self.make_policy(name, (1, 99)) for name in ("Theirs", "Shared"))
        theirs.company_id = other
        customer = self.make_customer("Mine")
        self.make_invoice(customer, 100, days=5)
        debtor = self.debtor(customer)
        self.assertForAnotherCompany(lambda: debtor.write({"policy_id": theirs.id}), theirs, self.company)
        self.assertForAnotherCompany(
            lambda: self.company.write({"collection_policy_id": theirs.id}), theirs, self.company
        )
        other.collection_policy_id = theirs
        debtor.policy_id = shared
        shared.company_id = self.company
        self.assertEqual(debtor.effective_policy_id, shared)

    def test_a_policy_that_others_follow_stays_everybody_s(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        followed, chosen = (self.make_policy(name, (1, 99)) for name in ("Followed", "Chosen"))
        self.company.collection_policy_id = followed
        customer = self.make_customer("Mine")
        self.make_invoice(customer, 100, days=5)
        self.debtor(customer).policy_id = chosen
        for policy in (followed, chosen):
            with self.assertRaisesRegex(ValidationError, f"“{policy.name}” is for {other.name} alone"):
                policy.company_id = other
            policy.company_id = self.company

    def test_a_new_company_follows_the_shipped_policy_if_it_may(self):
        self.assertEqual(self.env["res.company"].create({"name": "New"}).collection_policy_id, self.policy)
        self.env["res.company"].search([("id", "!=", self.company.id)]).collection_policy_id = False
        self.policy.company_id = self.company
        self.assertFalse(self.env["res.company"].create({"name": "Newer"}).collection_policy_id)

    # === Policies that cannot work ===#

    def test_another_default_policy_keeps_its_own_approval(self):
        strict = self.env["collection.policy"].create({"name": "Strict", "requires_approval": True})
        self.assertFalse(self.company.collection_policy_id.requires_approval)
        Settings = self.env["res.config.settings"]
        shown = Settings.new({"collection_policy_id": strict.id, "collection_requires_approval": False})
        shown._onchange_collection_policy_id()
        Settings.create(
            {
                "collection_policy_id": strict.id,
                "collection_requires_approval": shown.collection_requires_approval,
            }
        )
        self.assertEqual(self.company.collection_policy_id, strict)
        self.assertTrue(strict.requires_approval)

    def test_a_policy_without_levels(self):
        """The run says how many hear nothing, and everybody else hears."""
        empty = self.make_policy("Empty")
        silent, heard = self.make_customer("Silent"), self.make_customer("Heard")
        for customer in (silent, heard):
            self.make_invoice(customer, 100, days=5)
        self.debtor(silent).policy_id = empty
        notice = self.night()
        self.assertEqual(notice.partner_id, heard)
        self.assertEqual(notice.run_id.remark, "1 debtors have no policy with levels: they hear nothing.")
        self.debtor(silent).policy_id = False
        self.assertEqual(self.night().partner_id, silent)
        self.assertFalse(notice.run_id.remark)

    def test_a_company_without_policy(self):
        self.company.collection_policy_id = False
        self.make_invoice(self.make_customer("One"), 100, days=5)
        self.assertFalse(self.night())
        run = self.Run.search([("company_id", "=", self.company.id), ("date", "=", self.today)])
        self.assertEqual((run.state, run.remark), ("done", "1 debtors have no policy with levels: they hear nothing."))

    def test_overlapping_windows(self):
        with self.assertRaises(ValidationError) as error:
            self.make_policy("Strict", (1, 10), (10, 20))
        for name in ("“A”", "“B”", "“Strict”", "overlap"):
            self.assertIn(name, str(error.exception))

    def test_inverted_windows(self):
        with self.assertRaises(ValidationError) as error:
            self.make_policy("Strict", (1, 10), (20, 15))
        for name in ("“B”", "“Strict”", "ends before it starts"):
            self.assertIn(name, str(error.exception))

    def test_one_level_pushed_into_its_neighbour(self):
        policy = self.make_policy("Strict", (1, 10), (11, 20))
        with self.assertRaises(ValidationError) as error:
            policy.level_ids[0].day_to = 15
        self.assertIn("“Strict”", str(error.exception))
        other = self.make_policy("Other", (5, 8))
        with self.assertRaises(ValidationError):
            other.level_ids.policy_id = policy

    def test_all_windows_may_move_in_one_go(self):
        """Only the windows that are saved count, not the order in which they are written."""
        policy = self.make_policy("Moving", (1, 10), (11, 20), (21, 99))
        first, second, third = policy.level_ids
        for shift in (5, -5):
            policy.write(
                {
                    "level_ids": [
                        Command.update(level.id, {"day_from": level.day_from + shift, "day_to": level.day_to + shift})
                        for level in (first, second, third)
                    ]
                }
            )
        self.assertEqual((first.day_from, second.day_from, third.day_to), (1, 11, 99))
        policy.write(
            {
                "level_ids": [
                    Command.update(first.id, {"day_from": 11, "day_to": 20}),
                    Command.update(second.id, {"day_from": 1, "day_to": 10}),
                ]
            }
        )
        self.assertEqual(policy.level_ids.sorted("day_from"), second + first + third)

    def test_what_is_wrong_after_moving_all_is_refused(self):
        policy = self.make_policy("Moving", (1, 10), (11, 20), (21, 99))
        first, second, _third = policy.level_ids
        with self.assertRaises(ValidationError) as error:
            policy.write(
                {
                    "level_ids": [
                        Command.update(first.id, {"day_to": 12}),
                        Command.update(second.id, {"day_from": 12}),
                    ]
                }
            )
        self.assertIn("“Moving”", str(error.exception))

    # === Settings ===#

    def test_a_negative_tolerance(self):
        with self.assertRaises(ValidationError) as error, self.env.cr.savepoint():
            self.company.collection_tolerance = -1
            self.env.flush_all()
        self.assertIn(self.company.name, str(error.exception))
        self.assertIn("cannot be negative", str(error.exception))

    def test_negative_numbers_of_a_level(self):
        policy = self.make_policy("Strict", (1, 10))
        for name in ("recurrence", "minimum_amount", "activity_delay"):
            with (
                self.assertRaises(psycopg2.errors.CheckViolation),
                mute_logger("odoo.sql_db"),
                self.env.cr.savepoint(),
            ):
                policy.level_ids[name] = -1
                self.env.flush_all()

    def test_bucket_edges(self):
        for edges in ((30, 30, 90), (0, 30, 60), (90, 60, 30)):
            with self.assertRaises(ValidationError) as error, self.env.cr.savepoint():
                self.company.write({f"collection_bucket_{n}": edge for n, edge in enumerate(edges, 1)})
            self.assertIn(self.company.name, str(error.exception))
            self.assertIn("such as 30, 60 and 90", str(error.exception))

    def test_a_level_that_writes_without_a_text(self):
        with self.assertRaises(ValidationError) as error:
            self.env["collection.level"].create(
                {"policy_id": self.policy.id, "name": "Wordless", "day_from": -30, "day_to": -20}
            )
        self.assertIn("“Wordless”", str(error.exception))
