"""Whom to call first: the score, what it is made of, and when it changes."""

from decimal import Decimal
from random import Random
from unittest.mock import patch

import psycopg2

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import SQL, mute_logger

from ..engine import priority, risk
from .test_disputes import DisputeCommon
from .test_rights import RightsCommon

SHIPPED = {
    "days_overdue": (1, 3, 40),
    "overdue": (1, 10000, 15),
    "broken_promise_count": (10, 1, 30),
    "promise_due_count": (30, 1, 30),
    "bounced_check_count": (25, 1, 50),
    "days_without_contact": (1, 2, 20),
    "follow_up_count": (20, 1, 20),
    "risk_class": (5, 1, 15),
}


class PriorityCommon(DisputeCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Rule = cls.env["collection.priority.rule"]

    @classmethod
    def keep(cls, *kinds, **values):
        """Of the shared rules, these alone, with ``values``."""
        rules = cls.Rule.search([])
        kept = rules.filtered(lambda rule: rule.kind in kinds)
        (rules - kept).active = False
        if values:
            kept.write(values)
        return kept

    @classmethod
    def owing(cls, name, amount=1000, days=20):
        partner = cls.make_customer(name)
        cls.make_invoice(partner, amount, days=days)
        return cls.debtor(partner)

    @classmethod
    def rank(cls, today=None):
        cls.env.flush_all()
        cls.Debtor._rank_all(cls.company, today)

    def now(self, debtor, *names):
        """As of the last commit, which settles what was touched."""
        self.settle()
        return tuple(debtor[name] for name in names)

    @classmethod
    def bounce(cls, debtor, days=0):
        """A check of a debtor that bounced so many days ago."""
        check = cls.env["account.postdated.check"].create(
            {
                "number": f"B{cls.env['account.postdated.check'].search_count([])}",
                "bank_id": cls.env["res.bank"].create({"name": "Bank"}).id,
                "partner_id": debtor.partner_id.id,
                "company_id": cls.company.id,
                "currency_id": cls.company.currency_id.id,
                "amount": 100,
                "receipt_date": cls.days_ago(cls, days + 5),
                "face_date": cls.days_ago(cls, days + 5),
                "deposit_date": cls.days_ago(cls, days + 2),
                "journal_id": cls.company_data["default_journal_bank"].id,
            }
        )
        check._receive()
        check._deposit(cls.days_ago(cls, days + 2))
        check._bounce(cls.days_ago(cls, days), "Funds", penalty=False)
        return check


@tagged("post_install", "-at_install")
class TestPriority(PriorityCommon):
    # === What it is made of ===#

    def test_the_rules_that_come_with_it(self):
        rules = self.Rule.search([("company_id", "=", False)])
        self.assertEqual({rule.kind: (rule.points, rule.unit, rule.maximum) for rule in rules}, SHIPPED)

    def test_the_score_says_why(self):
        debtor = self.owing("Worst", 152000, days=120)
        for _number in range(2):
            self.promise(1000, days=1, partner=debtor.partner_id)
        self.judge(5)
        self.promise(1000, days=0, partner=debtor.partner_id)
        self.bounce(debtor)
        self.Rule.search([("kind", "in", ("risk_class", "follow_up_count"))]).active = False
        self.env["collection.interaction"].create(
            {"debtor_id": debtor.id, "date": f"{self.days_ago(21)} 18:00:00", "note": "Called"}
        )
        self.assertEqual(
            self.now(debtor, "broken_promise_count", "promise_due_count", "bounced_check_count"), (2, 1, 1)
        )
        self.assertEqual(debtor.last_contact_date, self.days_ago(21))
        self.assertEqual(
            debtor.priority_explanation,
            "120 days late: 40; promise due today: 30; check bounced: 25; 2 broken promises: 20; amount: 15; "
            "no contact in 21 days: 10",
        )
        self.assertEqual(debtor.priority_score, 140)

    def test_one_and_many(self):
        debtor = self.owing("One", 5, days=1)
        self.Rule.search([]).write({"unit": 1, "points": 1, "maximum": 1})
        self.promise(1, days=0, partner=debtor.partner_id)
        self.settle()
        self.assertEqual(
            debtor.priority_explanation,
            "1 day late: 1; amount: 1; promise due today: 1; no contact in 1 day: 1",
        )
        self.promise(1, days=0, partner=debtor.partner_id)
        self.bounce(debtor)
        self.bounce(debtor)
        self.settle()
        self.assertIn("; 2 promises due: 1; 2 checks bounced: 1;", debtor.priority_explanation)

    def test_a_promise_whose_day_was_before(self):
        debtor = self.owing("Late Promise")
        self.promise(1, days=-1, made_on=self.days_ago(3), partner=debtor.partner_id)
        self.settle()
        self.assertIn("promise past its day: 30", debtor.priority_explanation)

    def test_in_spanish(self):
        self.speak_spanish()
        debtor = self.owing("Hispanic", days=120)
        self.rank()
        self.assertEqual(
            debtor.with_context(lang="es_MX").priority_explanation,
            "120 días de atraso: 40; sin contacto en 120 días: 20; clase de riesgo D: 15",
        )
        self.assertEqual(
            debtor.with_context(lang="es_MX").risk_explanation,
            "110 puntos: 120 días de atraso en promedio (90); 100 % vencido (20)",
        )

    def test_nothing_overdue_and_nothing_to_do_is_zero(self):
        self.company.collection_responsible_id = self.env.ref("base.user_admin")
        debtor = self.owing("Not Due", days=-5)
        self.promise(1, days=-9, made_on=self.days_ago(20), partner=debtor.partner_id)
        self.judge()
        self.assertEqual(self.now(debtor, "broken_promise_count", "priority_score"), (1, 30), "to follow up")
        debtor.activity_ids.unlink()
        self.assertEqual(self.now(debtor, "priority_score", "priority_explanation"), (0, ""))

    # === When something happens ===#

    def test_a_payment(self):
        debtor = self.owing("Payer")
        self.assertEqual(self.now(debtor, "priority_score", "days_without_contact"), (6 + 10, 20))
        self.pay(debtor.open_line_ids.move_id)
        self.assertEqual(self.now(debtor, "priority_score", "days_without_contact"), (0, 0))

    def test_promises(self):
        debtor = self.owing("Promiser")
        promise = self.promise(1000, days=0, partner=debtor.partner_id)
        self.assertEqual(self.now(debtor, "priority_score", "next_promise_date"), (16 + 30, self.today))
        promise.date = self.day(3)
        self.assertEqual(self.now(debtor, "priority_score", "next_promise_date"), (16, self.day(3)))
        promise.action_cancel()
        self.assertEqual(self.now(debtor, "priority_score", "next_promise_date"), (16, False))
        self.promise(1000, days=0, partner=debtor.partner_id)
        self.judge(5)
        self.assertEqual(debtor.broken_promise_count, 1)
        self.assertEqual((debtor.days_without_contact, debtor.risk_class), (25, "C"))
        self.assertEqual(debtor.priority_score, 12 + 6 + 10 + 10, "five days later, not called since")

    def test_interactions_and_notices_are_contacts(self):
        debtor = self.owing("Called")
        self.night()
        notice = self.notices(debtor.partner_id)
        notice.write({"state": "sent", "sent_on": self.days_ago(9)})
        self.env["collection.debtor.touch"]._touch_partners({(debtor.partner_id.id, self.company.id)})
        self.assertEqual(self.now(debtor, "last_contact_date", "days_without_contact"), (self.days_ago(9), 9))
        said = self.env["collection.interaction"].create({"debtor_id": debtor.id, "note": "No answer"})
        self.assertEqual(self.now(debtor, "last_contact_date", "days_without_contact"), (self.today, 0))
        said.date = f"{self.days_ago(4)} 18:00:00"
        self.assertEqual(self.now(debtor, "last_contact_date", "days_without_contact"), (self.days_ago(4), 4))
        said.unlink()
        self.assertEqual(self.now(debtor, "last_contact_date", "days_without_contact"), (self.days_ago(9), 9))

    def test_contact_is_missed_since_something_is_overdue(self):
        debtor = self.owing("Good", days=3)
        self.env["collection.interaction"].create({"debtor_id": debtor.id, "date": f"{self.days_ago(90)} 18:00:00"})
        self.assertEqual(self.now(debtor, "last_contact_date", "days_without_contact"), (self.days_ago(90), 3))

    def test_the_day_of_a_contact_is_the_company_s(self):
        self.company.partner_id.tz = "America/Mexico_City"
        debtor = self.owing("Late Call")
        self.env["collection.interaction"].create({"debtor_id": debtor.id, "date": "2024-05-02 03:00:00"})
        self.assertEqual(str(self.now(debtor, "last_contact_date")[0]), "2024-05-01")

    def test_a_bounced_check(self):
        debtor = self.owing("Bouncer")
        self.Rule.search([("kind", "not in", ("bounced_check_count",))]).active = False
        self.bounce(debtor)
        self.assertEqual(self.now(debtor, "bounced_check_count", "priority_score"), (1, 25))

    def test_follow_ups(self):
        debtor = self.owing("Follow Up")
        self.keep("follow_up_count")
        activity = debtor.activity_schedule("mail.mail_activity_data_call", date_deadline=self.day(1))
        self.assertEqual(self.now(debtor, "follow_up_count", "priority_score"), (0, 0))
        activity.date_deadline = self.today
        self.assertEqual(self.now(debtor, "follow_up_count", "priority_score"), (1, 20))
        self.assertEqual(debtor.priority_explanation, "follow-up due: 20")
        activity.action_feedback(feedback="Done")
        self.assertEqual(self.now(debtor, "follow_up_count", "priority_score"), (0, 0))
        self.assertEqual(debtor.last_contact_date, self.today, "what was done is an interaction")

    def test_what_happened_more_than_a_year_ago_is_forgotten(self):
        debtor = self.owing("Reformed")
        self.bounce(debtor, days=364)
        self.promise(1, days=-370, made_on=self.days_ago(380), partner=debtor.partner_id)
        self.judge(-364)
        self.assertEqual(self.now(debtor, "broken_promise_count", "bounced_check_count"), (1, 1))
        self.rank(self.day(5))
        self.assertEqual((debtor.broken_promise_count, debtor.bounced_check_count), (0, 0))

    def test_the_night_ranks_before_it_assigns_and_decides(self):
        debtor = self.owing("Night", days=100)
        self.env.cr.execute("UPDATE collection_debtor SET priority_score = 7, risk_class = NULL")
        portfolio = self.env["collection.portfolio"].create(
            {"name": "Risky", "company_id": self.company.id, "risk_d": True, "collector_ids": self.env.user.ids}
        )
        self.env.invalidate_all()
        self.settle()
        with self.patch_dispatch():
            self.Run._cron_nightly()
        self.assertEqual(debtor.risk_class, "D")
        self.assertEqual(debtor.priority_score, 33 + 20 + 15)
        self.assertEqual(debtor.portfolio_id, portfolio)

    def patch_dispatch(self):
        return patch.object(type(self.env["collection.notice"]), "_trigger_dispatch")

    def test_ranks_that_fail_leave_the_night_alone(self):
        debtor = self.owing("Night")
        with (
            self.patch_dispatch(),
            patch.object(type(self.Debtor), "_rank_all", side_effect=ValueError("broken")),
            mute_logger("odoo.addons.account_collection.models.collection_transaction"),
        ):
            self.Run._cron_nightly()
        self.assertEqual(len(self.notices(debtor.partner_id)), 1)

    # === Rules ===#

    def test_a_changed_rule_counts_at_once(self):
        debtor = self.owing("Scored")
        rule = self.keep("days_overdue", unit=1, points=2, maximum=100)
        self.assertEqual(debtor.priority_score, 40)
        rule.maximum = 30
        self.assertEqual((debtor.priority_score, debtor.priority_explanation), (30, "20 days late: 30"))
        rule.active = False
        self.assertEqual(debtor.priority_score, 0)
        rule.active = True
        rule.unlink()
        self.assertEqual(debtor.priority_score, 0)

    def test_a_company_s_own_rule_replaces_the_shared_one(self):
        other = self.other_company_data()
        partner = self.make_customer("Everywhere")
        self.make_invoice(partner, 100, days=9)
        self.make_invoice(partner, 100, days=9, data=other)
        here, there = self.debtor(partner), self.debtor(partner, other["company"])
        self.keep("days_overdue")
        self.assertEqual((here.priority_score, there.priority_score), (3, 3))
        own = self.Rule.create({"kind": "days_overdue", "points": 5, "maximum": 50, "company_id": other["company"].id})
        self.assertEqual((here.priority_score, there.priority_score), (3, 45))
        self.assertEqual(there.priority_explanation, "9 days late: 45")
        own.points = 0
        self.assertEqual((here.priority_score, there.priority_score), (3, 0))
        own.unlink()
        self.assertEqual(there.priority_score, 3)

    def test_rules_that_cannot_be(self):
        rule = self.Rule.search([], limit=1)
        for values in ({"unit": 0}, {"points": -1}, {"maximum": -1}):
            with (
                self.assertRaises(psycopg2.IntegrityError, msg=str(values)),
                mute_logger("odoo.sql_db"),
                self.env.cr.savepoint(),
            ):
                rule.write(values)
                self.env.flush_all()

    def test_a_second_rule_of_a_kind_is_refused_with_a_sentence(self):
        shared = self.Rule.search([("kind", "=", "overdue"), ("company_id", "=", False)])
        other = self.Rule.search([("kind", "=", "days_overdue"), ("company_id", "=", False)])
        refusal = "a rule “Overdue amount” for every company already"
        for refused in (
            lambda: self.Rule.create({"kind": "overdue"}),
            lambda: other.write({"kind": "overdue"}),
        ):
            with self.assertRaisesRegex(ValidationError, refusal):
                refused()
        own = self.Rule.create({"kind": "overdue", "company_id": self.company.id})
        with self.assertRaisesRegex(ValidationError, f"for {self.company.name} already"):
            self.Rule.create({"kind": "overdue", "company_id": self.company.id})
        with self.assertRaisesRegex(ValidationError, refusal):
            own.company_id = False
        own.write({"kind": "overdue", "company_id": self.company.id, "points": 2})
        shared.active = False
        with self.assertRaisesRegex(ValidationError, "archived rule “Overdue amount”.*restore"):
            self.Rule.create({"kind": "overdue"})

    # === SQL and the engine ===#

    def test_points_in_sql_are_those_of_the_engine(self):
        seed = Random().randrange(10**6)
        random = Random(seed)
        for _round in range(25):
            rules = [
                priority.Rule(
                    kind,
                    random.randrange(20),
                    random.choice([1, 2, 0.01, 0.1, 0.3, 7, 1234.56, random.randrange(1, 10**6) / 100]),
                    random.randrange(100),
                )
                for kind in random.sample(priority.KINDS, random.randint(0, len(priority.KINDS)))
            ]
            rows = [
                [Decimal(random.choice([0, -5, 1, random.randrange(10**9)])) / random.choice([1, 10, 100])
                 for _kind in priority.KINDS]
                for _row in range(40)
            ]  # fmt: skip
            names = SQL(", ").join(SQL.identifier(kind) for kind in priority.KINDS)
            values = SQL(", ").join(SQL("(%s)", SQL(", ").join(SQL("%s", value) for value in row)) for row in rows)
            columns = {kind: SQL.identifier(kind) for kind in priority.KINDS}
            points = self.Debtor._query_points(rules, columns)
            self.env.cr.execute(SQL("SELECT %s FROM (VALUES %s) AS figure(%s)", points, values, names))
            found = [row[0] for row in self.env.cr.fetchall()]
            expected = [
                sum(share.points for share in priority.share(rules, dict(zip(priority.KINDS, row)))) for row in rows
            ]
            self.assertEqual(found, expected, f"seed {seed}, {rules}")

    def test_ranks_in_sql_are_those_of_the_engine(self):
        """Random debtors, random things that happened to them: every figure, class and score."""
        seed = Random().randrange(10**6)
        random = Random(seed)
        customers = self.env["res.partner"].create([self.prepare_customer(f"Random {n}") for n in range(60)])
        pairs = [(customer.id, self.company.id) for customer in customers]
        debtors = self.Debtor.concat(*self.Debtor._get_or_create(pairs).values())
        expected = {debtor: self.make_figures(debtor, random) for debtor in debtors}
        self.env.flush_all()
        debtors._rank()
        rules = self.Rule._get_rules(self.company)
        for debtor, figures in expected.items():
            for name, value in figures.items():
                if name != risk.DAYS_LATE:
                    self.assertEqual(debtor[name], value, f"seed {seed}: {name}")
            letter = risk.classify(figures, (15, 30, 60))
            self.assertEqual(debtor.risk_class_computed or None, letter, f"seed {seed}: {figures}")
            self.assertEqual(debtor.risk_class or None, debtor.risk_class_fixed or letter)
            counted = {**figures, priority.RISK_CLASS: risk.rank(debtor.risk_class)}
            self.assertEqual(debtor.priority_score, priority.score(rules, counted), f"seed {seed}: {counted}")
            shares = priority.explain(rules, debtor._get_figures())
            self.assertEqual(sum(share.points for share in shares), debtor.priority_score)

    def make_figures(self, debtor, random):
        """Give a debtor what the ledger says and what happened; returns the figures that follow."""
        day = lambda: self.days_ago(random.randrange(-10, 500))  # noqa: E731
        overdue = random.choice([0, 0, random.randrange(10**8) / 100])
        not_due = random.randrange(10**8) / 100
        oldest, contact = day(), random.choice([None, day()])
        late = random.choice([None, 0, random.randrange(1500) / 10])
        fixed = random.choice([None, None, None, *risk.CLASSES])
        days = overdue and random.randrange(1, 300)
        self.env.cr.execute(
            """UPDATE collection_debtor SET overdue = %s, not_due = %s, days_overdue = %s, oldest_due_date = %s,
                      last_contact_date = %s, average_days_late = %s, risk_class_fixed = %s WHERE id = %s""",
            [overdue, not_due, days, oldest, contact, late, fixed, debtor.id],
        )
        broken = promised = 0
        dates = []
        for _number in range(random.randrange(3)):
            date, state, closed = day(), random.choice(["open", "broken", "kept", "partly"]), day()
            promise = self.Promise.create(
                {"debtor_id": debtor.id, "amount": 5, "date": max(date, self.today), "made_on": self.days_ago(500)}
            )
            promise.write({"state": state, "closed_on": closed})
            self.env.flush_all()
            self.env.cr.execute("UPDATE collection_promise SET date = %s WHERE id = %s", [date, promise.id])
            broken += state == "broken" and closed > risk.since(self.today)
            promised += state == "open" and date <= self.today
            dates += [date] if state == "open" else []
        follow_ups = 0
        for _number in range(random.randrange(3)):
            deadline = day()
            debtor.activity_schedule("mail.mail_activity_data_todo", date_deadline=deadline, user_id=self.env.uid)
            follow_ups += deadline <= self.today
        return {
            "days_overdue": days,
            "overdue": overdue,
            "broken_promise_count": broken,
            "promise_due_count": promised,
            "next_promise_date": min(dates, default=False),
            "bounced_check_count": 0,
            "recent_dispute_count": 0,
            "follow_up_count": follow_ups,
            "days_without_contact": max((self.today - max(oldest, contact or oldest)).days, 0) if overdue else 0,
            "average_days_late": None if late is None else Decimal(str(late)),
            "overdue_share": int(
                (100 * Decimal(str(overdue)) / (Decimal(str(overdue)) + Decimal(str(not_due)))).quantize(
                    0, "ROUND_HALF_UP"
                )
            ),
        }

    # === Cost ===#

    def test_the_same_statements_for_few_and_many(self):
        def make(count):
            customers = self.make_customers(*(f"{count} {n}" for n in range(count)))
            self.make_invoices(*((customer, 100, 30) for customer in customers))
            self.settle()

        costs, known = [], lambda: (self.company._get_collection_today(), self.company.currency_id.name)
        for count in (3, 3, 30):
            make(count)
            costs.append(self.count_statements(self.rank, known))
        self.assertEqual(costs[1], costs[2])
        debtors = self.Debtor.search([("company_id", "=", self.company.id)])
        self.assertGreaterEqual(len(debtors), 36)
        debtors.mapped("priority_explanation")  # what is looked up once in a process
        few = self.count_statements(lambda: debtors[:3].mapped("priority_explanation"))
        many = self.count_statements(lambda: debtors.mapped("priority_explanation"))
        self.assertEqual(few, many)
        few, many = (self.count_statements(found._rank) for found in (debtors[:3], debtors))
        self.assertEqual(few, many)

    def test_a_second_time_writes_nothing(self):
        self.owing("Still")
        self.rank()
        self.env.cr.execute("SELECT id, xmin::text FROM collection_debtor ORDER BY id")
        before = self.env.cr.fetchall()
        with self.env.cr.savepoint():
            self.rank()
            self.env.cr.execute("SELECT id, xmin::text FROM collection_debtor ORDER BY id")
            self.assertEqual(self.env.cr.fetchall(), before)


@tagged("post_install", "-at_install")
class TestPriorityRights(RightsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Rule = cls.env["collection.priority.rule"]
        cls.mine = cls.make_debtor("Mine", cls.collector)

    def test_who_collects_reads_and_a_manager_sets_up(self):
        rule = self.Rule.search([("kind", "=", "days_overdue")])
        for user in (self.viewer, self.collector, self.sender):
            self.assertEqual(rule.with_user(user).points, 1)
            for work in (
                lambda rule: rule.write({"points": 9}),
                lambda rule: rule.unlink(),
                lambda rule: rule.create({"kind": "overdue", "company_id": self.company.id}),
            ):
                with self.assertRaises(AccessError, msg=user.login):
                    work(rule.with_user(user))
        before = self.mine.priority_score
        rule.with_user(self.manager).points = 2
        self.assertEqual(self.mine.priority_score, before + 6)
        for user in (self.invoicing, self.employee, self.portal):
            with self.assertRaises(AccessError, msg=user.login):
                rule.with_user(user).read(["points"])

    def test_a_manager_of_one_company_sees_no_rule_of_another(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        own = self.Rule.create({"kind": "overdue", "company_id": other.id})
        self.assertFalse(self.seen_by(self.manager, own))
        with self.assertRaises(AccessError):
            own.with_user(self.manager).write({"points": 9})

    def test_nobody_writes_a_score(self):
        for user in (self.collector, self.manager):
            for values in ({"priority_score": 999}, {"risk_class": "A"}, {"broken_promise_count": 0}):
                with self.assertRaisesRegex(AccessError, "follow from the figures"):
                    self.mine.with_user(user).write(values)
        with self.assertRaises(AccessError):
            self.mine.with_user(self.viewer).write({"priority_score": 999})

    def test_a_viewer_and_a_collector_read_why(self):
        for user in (self.viewer, self.collector, self.manager):
            debtor = self.mine.with_user(user)
            self.assertEqual(debtor.read(["priority_score"])[0]["priority_score"], 16)
            self.assertEqual(debtor.priority_explanation, "no contact in 20 days: 10; 20 days late: 6")
        groups = self.env["collection.debtor"].with_user(self.collector).read_group([], ["priority_score:max"], [])
        self.assertEqual(groups[0]["priority_score"], 16)

    def test_the_lists_open(self):
        form = Form(self.mine.with_user(self.manager), "account_collection.collection_debtor_view_form")
        self.assertEqual(form.priority_score, 16)
        rule = Form(self.Rule.with_user(self.manager).search([], limit=1))
        rule.points = 3
        rule.save()
