from contextlib import contextmanager
from unittest.mock import patch

from odoo import Command, fields
from odoo.tests import tagged
from odoo.tools import SQL

from .common import CollectionCommon

FEW, MANY = 2, 8
STATEMENTS_PER_NOTICE = 0.5


@tagged("post_install", "-at_install")
class TestCost(CollectionCommon):
    """What a night costs in SQL statements: constant to decide, a fraction of one per notice to dispatch."""

    def count(self, work):
        """Statements that ``work`` takes, the company and the currency known beforehand as they are in a night."""

        def know():
            self.company._get_collection_today()
            self.company.currency_id.fetch(["decimal_places"])

        return self.count_statements(work, know)

    def make_debtors(self, count):
        """That many more customers with two overdue invoices each."""
        customers = self.make_customers(*(f"Debtor {number} of {count}" for number in range(count)))
        self.make_invoices(*((customer, *due) for customer in customers for due in ((1000, 5), (500, 20))))
        self.settle()
        return customers

    def costs_at_both_sizes(self, work):
        self.make_debtors(FEW)
        work()  # what is compiled or looked up once in a process
        few = self.count(work)
        self.make_debtors(MANY)
        return few, self.count(work)

    def test_refresh_takes_the_same_statements_for_few_and_many(self):
        few, many = self.costs_at_both_sizes(self.Debtor._refresh_balances)
        self.assertEqual(few, many)

    def test_assigning_takes_the_same_statements_for_few_and_many(self):
        collectors = [self.make_user(login, "account_collection.group_collection_collector") for login in "ab"]
        people = [Command.set([collector.id for collector in collectors])]
        Portfolio = self.env["collection.portfolio"]
        Portfolio.create(
            [
                {"name": "Nobody's", "company_id": self.company.id, "partner_domain": "[('ref', '=', 'none')]"},
                {"name": "All", "company_id": self.company.id, "collector_ids": people},
            ]
        )
        changed, costs = [], []
        for count in (FEW, FEW, MANY):
            self.make_debtors(count)
            costs.append(self.count(lambda: changed.append(Portfolio._assign_company(self.company))))
        self.assertEqual(changed, [FEW, FEW, MANY])
        self.assertEqual(costs[1], costs[2])
        debtors = self.Debtor.search([("company_id", "=", self.company.id)])
        self.assertEqual([len(debtor.message_ids.filtered("body")) for debtor in debtors], [1] * (FEW + FEW + MANY))

    def scans(self, query, *tables):
        """The nodes of the plan of ``query`` that read ``tables``, each with whether it does so again and again."""
        self.env.cr.execute(SQL("EXPLAIN (FORMAT JSON) %s", query))
        plan = self.env.cr.fetchone()[0][0]["Plan"]
        nodes, found = [(plan, False)], []
        while nodes:
            node, repeated = nodes.pop()
            for child in node.get("Plans", ()):
                role = child["Parent Relationship"]
                inner = node["Node Type"] == "Nested Loop" and role == "Inner"
                hashed = role == "SubPlan" and f"hashed {child['Subplan Name']})" in str(plan)
                nodes.append((child, not hashed and (repeated or inner or role == "SubPlan")))
            if node["Node Type"].endswith("Scan") and node.get("Relation Name") in tables:
                found.append((node, repeated))
        return found

    def test_no_plan_reads_every_notice_where_statistics_are_older_than_the_night(self):
        customers = self.make_debtors(FEW)
        self.night()
        self.env.flush_all()
        # What PostgreSQL makes of tables that were analysed while all their rows were dead: one row, in many pages.
        self.env.cr.execute("DELETE FROM collection_notice")
        self.env.cr.execute("ANALYZE collection_notice, collection_notice_line")
        self.env.invalidate_all()
        notices = self.night()
        self.assertEqual(len(notices), FEW)
        # Of few rows every plan would read all.
        self.env.cr.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        lines = notices.line_ids.move_line_id
        for query in (
            self.Debtor._query_refresh(None, None),
            self.Debtor._query_refresh([customer.id for customer in customers], self.company.ids),
            self.Debtor._query_open_items(self.company, self.today, notices.debtor_id.ids),
            self.Notice._query_pending_of(lines.ids),
        ):
            scans = self.scans(query, "collection_notice", "collection_notice_line")
            self.assertTrue(scans)
            for scan, _repeated in scans:
                self.assertIn("Index Cond", scan)
        # The night of all debtors reads the notices that wait once, from their index.
        for scan, repeated in self.scans(
            self.Debtor._query_open_items(self.company, self.today), "collection_notice", "collection_notice_line"
        ):
            waiting = scan.get("Index Name") == "collection_notice_waiting_index" and not repeated
            self.assertTrue("Index Cond" in scan or waiting, scan)
        # Once over the notices that wait may do here, but not over the lines of all.
        for scan, _repeated in self.scans(self.Notice._query_settled(notices.ids), "collection_notice_line"):
            self.assertIn("Index Cond", scan)

    def test_statements_on_the_ledger_are_never_compiled(self):
        self.make_debtors(1)
        debtors = self.Debtor.search([("company_id", "=", self.company.id)])
        for work in (
            self.Debtor._refresh_balances,
            debtors._refresh_balances,
            lambda: self.Debtor._get_positions(self.company, self.today, debtors.ids),
        ):
            self.env.cr.execute("SET LOCAL jit = on")
            work()
            self.env.cr.execute("SHOW jit")
            self.assertEqual(self.env.cr.fetchone(), ("off",))

    def test_decide_takes_at_most_three_statements_for_few_and_many(self):
        run = self.Run.create({"company_id": self.company.id, "date": self.today})
        decided = []
        few, many = self.costs_at_both_sizes(lambda: decided.append(run._decide(self.company, self.today, None)))
        self.assertEqual(few, many)
        self.assertLessEqual(many, 3)
        self.assertEqual(len(decided[-1][0]), FEW + MANY)

    def test_enqueue_takes_the_same_statements_for_few_and_many(self):
        def night():
            self.Run.with_company(self.company)._run_company(self.company, self.today)

        few, many = self.costs_at_both_sizes(night)
        self.assertEqual(few, many)
        self.assertEqual(self.Notice.search_count([("company_id", "=", self.company.id)]), FEW + MANY)

    def assert_dispatch_takes_a_fraction_of_a_statement(self, day):
        """For each further notice that was decided on ``day``. The PDFs are left out: printing takes no statement."""

        @contextmanager
        def without_pdf(renderer, documents):
            yield lambda: dict.fromkeys(documents, b"%PDF-1.4")

        def dispatch(count):
            self.make_debtors(count)
            self.night(day)
            cost = self.count(self.Notice._cron_dispatch)
            self.assertFalse(self.Notice.search_count([("company_id", "=", self.company.id), ("state", "=", "queued")]))
            return cost

        report = type(self.env["report.account_collection.report_statement"])
        with patch.object(report, "_print_pdfs", without_pdf):
            dispatch(1)
            few, many = dispatch(4), dispatch(14)
        self.assertLess((many - few) / 10, STATEMENTS_PER_NOTICE)

    def test_further_channels_take_a_fraction_of_a_statement_each(self):
        self.set_channels(self.policy.level_ids, "mail", "letter", "call")
        self.company.collection_responsible_id = self.env.ref("base.user_admin")

        def dispatch(count):
            for customer in self.make_debtors(count):
                customer.write({"email": False, "street": False, "city": False})
            added = self.night()
            cost = self.count(self.Notice._cron_dispatch)
            calls = self.Notice.search([("fallback_of_id", "in", added.ids), ("channel", "=", "call")])
            self.assertEqual(calls.mapped("state"), ["sent"] * count)
            return cost

        dispatch(1)
        few, many = dispatch(4), dispatch(14)
        self.assertLess((many - few) / 10, STATEMENTS_PER_NOTICE)

    def test_dispatch_takes_a_fraction_of_a_statement_for_each_further_notice(self):
        self.assert_dispatch_takes_a_fraction_of_a_statement(self.today)

    def test_dispatch_past_midnight_takes_no_more_although_every_notice_is_a_day_older(self):
        self.assert_dispatch_takes_a_fraction_of_a_statement(fields.Date.add(self.today, days=-1))
        notices = self.Notice.search([("company_id", "=", self.company.id)])
        self.assertEqual(set(notices.mapped("days_overdue")), {20})
        self.assertEqual({tuple(notice.line_ids.mapped("days")) for notice in notices}, {(20, 5)})
        self.assertEqual({tuple(notice.line_ids.mapped("amount")) for notice in notices}, {(500, 1000)})
