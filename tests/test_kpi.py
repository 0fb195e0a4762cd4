import base64
import io
from collections import defaultdict
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import openpyxl
from hypothesis import given
from hypothesis import strategies as st

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..engine import kpi, periods
from .aging_common import OPERATIONS, AgingCommon
from .check_common import CheckCommon
from .examples import histories
from .test_statement import DAYS, START, StatementCommon


@tagged("post_install", "-at_install")
class TestKpi(AgingCommon, CheckCommon, StatementCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second = cls.make_customer("Second")
        cls.collector = cls.make_user("kpi_collector", "account_collection.group_collection_collector")

    def figures(self, date_from=None, date_to=None, by=None, user=None):
        self.settle()
        since = date_from or self.days_ago(29)
        found = self.env["collection.kpi"].with_user(user or self.env.user)._get_figures(
            self.company, since, date_to or self.today, by
        )  # fmt: skip
        return found if by else found[self.company]

    def values(self, figures, *names):
        return [figures[name].value for name in names]

    # === The ledger === #

    def test_the_worked_numbers(self):
        """15,000 owed of which 4,000 are not due, after sales of 10,000 in 30 days."""
        last = date(2024, 3, 30)
        self.invoice(5000, date(2024, 2, 1), date(2024, 2, 10))
        self.invoice(6000, date(2024, 3, 5), date(2024, 3, 10))
        self.invoice(4000, date(2024, 3, 20), date(2024, 4, 20))
        figures = self.figures(date(2024, 3, 1), last)
        names = ("dso", "best_possible_dso", "average_days_delinquent", "overdue_share")
        self.assertEqual([round(value, 1) for value in self.values(figures, *names)],
                         [Decimal("45.0"), Decimal("12.0"), Decimal("33.0"), Decimal("73.3")])  # fmt: skip
        # The 30 days of March, and all of February, whose sales are the rest.
        self.assertEqual(figures["dso_countback"].value, 59)

    def test_nothing_to_tell_is_told_why(self):
        figures = self.figures(date(2020, 1, 1), date(2020, 1, 31))
        self.assertEqual(figures["dso"], (None, kpi.NO_SALES))
        self.assertEqual(figures["overdue_share"], (None, kpi.NOTHING_OWED))
        self.assertEqual(figures["recontact_rate"], (None, kpi.NOBODY_CONTACTED))
        self.assertEqual(self.figures(date(2020, 1, 1), date(2020, 1, 31), by="collector"), {})
        with self.assertRaises(ValueError):
            self.figures(date(2020, 2, 1), date(2020, 1, 31))

    @histories(5)
    @given(OPERATIONS, st.tuples(st.integers(0, DAYS), st.integers(0, DAYS)).map(sorted))
    def test_any_history(self, operations, days):
        first, last = (START + timedelta(days=day) for day in days)
        with self.undone():
            self.live_through(operations)
            figures = self.figures(first, last)
            for name, expected in self.count_figures(first, last).items():
                self.assertEqual(figures[name], expected, name)

    def count_figures(self, first, last):
        """The figures of the ledger from raw entries, in plain Python."""
        cents = lambda amount: round(amount * 100)  # noqa: E731
        lines = self.env["account.move.line"].search(
            [
                ("account_id", "=", self.receivable_account.id),
                ("company_id", "=", self.company.id),
                ("parent_state", "=", "posted"),
                ("date", "<=", last),
            ]
        )
        beginning = sum(cents(line.balance) for line in lines if line.date < first)
        ending = sum(cents(line.balance) for line in lines)
        sold = lines.filtered(lambda line: line.journal_id.type == "sale")
        sales = sum(cents(line.balance) for line in sold if line.date >= first)
        by_month = defaultdict(int)
        for line in sold:
            by_month[line.date.replace(day=1)] += cents(line.balance)
        months = [
            kpi.Month(by_month[since], (until - since).days + 1)
            for since, until in periods.months_until(last, 1000)
            if not sold or until >= min(sold.mapped("date"))
        ]
        ages = [(cents(left), (last - due).days) for _customer, _currency, left, due, _line in
                self.count_open_items(last) if left > 0]  # fmt: skip
        current = sum(left for left, days in ages if days <= 0)
        owed = sum(left for left, _days in ages)
        overdue, ninety = (sum(left for left, days in ages if days > least) for least in (0, 90))
        days = (last - first).days + 1
        return {
            "dso": kpi.dso(ending, sales, days),
            "dso_countback": kpi.dso_countback(ending, months if sold else []),
            "best_possible_dso": kpi.best_possible_dso(current, sales, days),
            "average_days_delinquent": kpi.average_days_delinquent(ending, current, sales, days),
            "collection_effectiveness": kpi.collection_effectiveness(beginning, sales, ending, current),
            "receivable_turnover": kpi.receivable_turnover(sales, beginning, ending),
            "overdue_share": kpi.overdue_share(overdue, owed),
            "ninety_plus_share": kpi.overdue_share(ninety, owed),
            **self.count_payments(lines, first, last),
        }

    def count_payments(self, lines, first, last):
        amount = on_time = late = closed = closed_on_time = 0
        for line in lines.filtered(lambda line: line.journal_id.type != "bank"):
            due = line.date_maturity or line.date
            parts = line.matched_credit_ids.filtered(lambda part: part.max_date <= last)
            money = parts.filtered(
                lambda part: part.max_date >= first and part.credit_move_id.journal_id.type == "bank"
            )
            for part in money:
                amount += round(part.amount * 100)
                on_time += round(part.amount * 100) if part.max_date <= due else 0
                late += round(part.amount * 100) * max((part.max_date - due).days, 0)
            if money and not round((line.balance - sum(parts.mapped("amount"))) * 100):
                closed += 1
                closed_on_time += max(parts.mapped("max_date")) <= due
        return {
            "on_time_amount": kpi.collected_on_time(on_time, amount),
            "on_time_count": kpi.collected_on_time(closed_on_time, closed),
            "average_days_late": kpi.average_days_late(late, amount),
        }

    # === Work === #

    def say(self, partner, days):
        noon = datetime.combine(self.days_ago(days), time(12))
        return self.env["collection.interaction"].create(
            {"debtor_id": self.debtor(partner).id, "date": noon, "user_id": self.collector.id}
        )

    def promise(self, amount, paid, state):
        made = {"debtor_id": self.debtor().id, "made_on": self.days_ago(3), "date": self.days_ago(2), "amount": amount}
        promise = self.env["collection.promise"].create(made)
        promise.write({"state": state, "paid_amount": paid, "closed_on": self.days_ago(1)})

    def test_what_work_brings(self):
        for partner in (self.customer, self.second):
            self.invoice(1000, self.days_ago(50), partner=partner)
        for partner, days in ((self.customer, 5), (self.customer, 2), (self.second, 6), (self.second, 1)):
            self.say(partner, days)
        self.bank_entry(100, self.days_ago(4), partner=self.second)
        self.promise(100, 100, "kept")
        self.promise(300, 150, "partly")
        figures = self.figures()
        names = ("recontact_rate", "contacts_a_day", "collected_a_day")
        self.assertEqual(self.values(figures, *names), [50, 1, 25], "the second one paid before it was called again")
        names = ("promise_kept_count", "promise_kept_amount", "promises_a_day")
        self.assertEqual(self.values(figures, *names), [50, Decimal("62.5"), Decimal("0.5")])
        quiet = self.figures(self.days_ago(300), self.days_ago(200))
        self.assertEqual(quiet["contacts_a_day"].why, kpi.NO_WORK)
        self.assertEqual(quiet["promise_kept_count"].why, kpi.NO_PROMISES)

    def test_who_decides_was_reached(self):
        self.invoice(1000, self.days_ago(50))
        outcomes = self.env["collection.outcome"].search([])
        said = [(days % 3, outcome, way) for days, outcome in enumerate(outcomes) for way in ("out", "in")]
        for days, outcome, way in [*said, (1, outcomes.browse(), "out"), (40, outcomes[0], "out")]:
            self.say(self.customer, days + 1).write({"outcome_id": outcome.id, "direction": way})
        attempts = self.env["collection.interaction"].search([("company_id", "=", self.company.id)]).filtered(
            lambda said: said.direction == "out" and said.date.date() >= self.days_ago(29)
        )  # fmt: skip
        reached = attempts.filtered("outcome_id.right_party")
        self.assertEqual((len(reached), len(attempts)), (5, len(outcomes) + 1))
        figures = self.figures()
        self.assertEqual(figures["right_party_contact_rate"], kpi.right_party_contact_rate(5, len(attempts)))
        quiet = self.figures(self.days_ago(300), self.days_ago(200))
        self.assertEqual(quiet["right_party_contact_rate"].why, kpi.NO_ATTEMPTS)

    # === Words === #

    def test_every_figure_has_its_words(self):
        words = self.env["collection.kpi"]
        for said in (words._get_labels(), words._get_helps()):
            self.assertEqual(said.keys(), kpi.KPIS.keys())
        reasons = {
            value for name, value in vars(kpi).items() if name.startswith(("NO_", "NOTHING_", "NOBODY_", "SHORT_"))
        }
        self.assertEqual(words._get_reasons().keys(), reasons)
        self.assertEqual(words._get_reason(None), "")

    def test_figures_in_words(self):
        words = self.env["collection.kpi"].with_context(lang="en_US")
        figure = lambda text: kpi.Figure(Decimal(text))  # noqa: E731
        said = [
            words._format_figure(name, figure(value), self.company)
            for name, value in (
                *(("dso", "45.04"), ("overdue_share", "73.3333"), ("receivable_turnover", "3.2")),
                *(("contacts_a_day", "1234.5"), ("collected_a_day", "1234.5")),
            )
        ]
        self.assertEqual(said, ["45.0 days", "73.3%", "3.20", "1,234.5", "$\N{NO-BREAK SPACE}1,234.50"])
        self.assertEqual(words._format_figure("dso", kpi.Figure(None, kpi.NO_SALES), self.company), "—")
        changed = [words._format_difference(name, Decimal(difference), self.company)
                   for name, difference in (("overdue_share", "2.5"), ("dso", "-3"), ("dso", "0"))]  # fmt: skip
        self.assertEqual(changed, ["+2.5 points", "-3.0 days", "0.0 days"])

    def test_checks(self):
        self.invoice(1000, self.days_ago(50))
        good, bad = self.make_check(100), self.make_check(300)
        for check in (good, bad):
            check._deposit(self.today)
        bad._bounce(self.today, "Funds")
        figures = self.figures()
        self.assertEqual(self.values(figures, "bounced_check_count", "bounced_check_amount"), [50, 75])

    def test_hidden_credit(self):
        invoices = self.invoice(100, self.days_ago(20)) + self.invoice(300, self.days_ago(20))
        for invoice, days in zip(invoices, (10, 2), strict=True):
            invoice.with_context(collection_apply_later=True).write(
                {
                    "collection_credit_basis": "review",
                    "collection_review_state": "accepted",
                    "collection_review_date": self.days_ago(20 - days),
                }
            )
        figures = self.figures()
        self.assertEqual(figures["hidden_credit_days"].value, 4)
        self.assertEqual(round(figures["hidden_credit_amount"].value, 2), Decimal("53.33"))

    # === Two periods side by side === #

    def report(self, user=None, **values):
        self.settle()
        report = self.env["collection.kpi.report"].with_user(user or self.viewer).with_company(self.company)
        return report.create({"company_id": self.company.id, **values})

    def rows(self, report):
        report._fill()
        return {(line.group_name, line.kpi): line for line in report.line_ids}

    def make_two_months(self):
        """February: 1,000 sold, all of it open and late. March: 4,000 sold, 2,500 owed; a promise was kept."""
        self.invoice(1000, date(2024, 2, 5), date(2024, 2, 10))
        invoice = self.invoice(4000, date(2024, 3, 5), date(2024, 3, 20))
        self.bank_entry(2500, date(2024, 3, 15), invoice)
        return {"date_from": date(2024, 3, 1), "date_to": date(2024, 3, 31)}

    def test_a_month_beside_the_one_before(self):
        report = self.report(**self.make_two_months())
        rows = self.rows(report)
        self.assertEqual([name for _group, name in rows], list(kpi.KPIS), "one row a figure, in their order")
        dso = rows["", "dso"]
        # 2,500 / 4,000 * 31 days, and 1,000 / 1,000 * 29 days.
        self.assertEqual((dso.now_text, dso.before_text), ("19.4 days", "29.0 days"))
        self.assertEqual((dso.difference_text, dso.percent_text), ("-9.6 days", "-33.2%"))
        self.assertEqual((dso.direction, dso.verdict, dso.reason), ("down", "better", ""))
        share = rows["", "on_time_amount"]
        self.assertEqual((share.now_text, share.before_text, share.difference_text), ("100.0%", "—", "—"))
        self.assertEqual((share.verdict, share.reason), ("unknown", "Before: Nothing was collected in the period."))
        self.assertEqual(rows["", "promise_kept_count"].reason, "No promise was kept or broken in the period.")
        self.assertIn("compared with", report._get_periods_text())

    def test_which_days_are_compared(self):
        march = {"date_from": date(2024, 3, 1), "date_to": date(2024, 3, 31)}
        own = {"other_from": date(2024, 1, 1), "other_to": date(2024, 1, 10)}
        for values, now, before in (
            (march, (3, 1, 3, 31), (2, 1, 2, 29)),
            ({**march, "compare_with": "own", **own}, (3, 1, 3, 31), (1, 1, 1, 10)),
            ({"compare_with": "around", "day": date(2024, 3, 1), "days": 10}, (3, 1, 3, 10), (2, 20, 2, 29)),
        ):
            expected = tuple((date(2024, *days[:2]), date(2024, *days[2:])) for days in (now, before))
            self.assertEqual(self.report(**values)._get_periods(), expected)
        last_year = self.report(**march, compare_with="last_year")._get_periods()[1]
        self.assertEqual(last_year, (date(2023, 3, 1), date(2023, 3, 31)))
        since = self.report(compare_with="around", day=self.days_ago(20))
        self.assertEqual((since.days, since._get_periods()[0][1]), (20, self.days_ago(1)), "as much as has passed")
        month = self.report()
        self.assertEqual((month.date_from.day, month.date_to), (1, self.today - timedelta(days=self.today.day)))

    def test_days_that_cannot_be_are_told(self):
        march = {"date_from": date(2024, 3, 1), "date_to": date(2024, 3, 31)}
        shared = {"other_from": date(2024, 2, 1), "other_to": date(2024, 3, 1)}
        for values, expected in (
            ({**march, "date_to": date(2024, 2, 1)}, "begin with the earlier"),
            ({**march, "date_to": self.days_ago(-1)}, "days to come"),
            ({**march, "compare_with": "own"}, "Choose the first and the last day"),
            ({**march, "compare_with": "own", **shared}, "share days"),
            ({"compare_with": "around"}, "Choose the day"),
            ({"compare_with": "around", "day": self.days_ago(5), "days": 10}, "not over yet"),
        ):
            with self.assertRaisesRegex(UserError, expected):
                self.report(**values).action_open()

    def test_of_each_collector_and_for_whom(self):
        days = self.make_two_months()
        self.invoice(300, date(2024, 3, 5), partner=self.second)
        self.debtor().sudo().collector_id = self.collector
        self.settle()
        report = self.report(**days, by="collector")
        rows = self.rows(report)
        self.assertEqual(list(dict.fromkeys(group for group, _kpi in rows)), ["Kpi Collector", "Without Collector"])
        self.assertEqual(rows["Kpi Collector", "dso"].now_text, "19.4 days")
        other = rows["Without Collector", "dso"]
        self.assertEqual((other.now_text, other.reason), ("31.0 days", "Before: Nothing was sold in the period."))
        self.assertEqual(rows["Without Collector", "hidden_credit_amount"].verdict, "same")
        action = report.action_open()
        self.assertEqual(action["context"]["search_default_group_group_name"], 1)
        own = self.report(self.collector, **days, by="portfolio")
        own._fill()
        self.assertEqual(set(own.line_ids.mapped("group_name")), {"Without Portfolio"})
        with self.assertRaises(AccessError):
            report.with_user(self.collector).read(["by"])
        self.assertFalse(own.line_ids.with_user(self.viewer).search([("wizard_id", "=", own.id)]))
        with self.assertRaises(AccessError):
            own.line_ids[0].write({"now": 1})
        with self.assertRaises(AccessError):
            self.report(self.make_user("kpi_employee", "base.group_user"))

    def test_workbook_of_two_periods(self):
        report = self.report(**self.make_two_months())
        action = report.action_export_xlsx()
        export = self.env["collection.export"].sudo().browse(int(action["url"].split("/")[4]))
        content = base64.b64decode(export.with_context(bin_size=False).content)
        rows = [[cell.value for cell in row] for row in openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows()]
        header = next(index for index, row in enumerate(rows) if row[0] == "Key Figure")
        self.assertEqual(rows[header + 1][:6], ["DSO", "days", 19.375, 29, -9.625, -33.1897])
        self.assertEqual(len(rows) - header - 1, len(kpi.KPIS))
        self.assertEqual(export.name, "Key Figures 2024-03-01_2024-03-31.xlsx")

    # === Groups and rights === #

    def test_groups_and_rights(self):
        self.invoice(1000, self.days_ago(20))
        self.invoice(3000, self.days_ago(20), partner=self.second)
        self.debtor().sudo().collector_id = self.collector
        found = self.figures(by="collector", user=self.viewer)
        nobody = self.env["res.users"]
        self.assertEqual(
            {group: figures["dso"].value for group, figures in found.items()}, {self.collector: 30, nobody: 30}
        )
        self.assertEqual(found[self.collector]["hidden_credit_amount"].value, 0)
        for by in (None, "portfolio", "salesperson"):
            totals = self.env["collection.kpi"]._get_totals(self.company, self.days_ago(29), self.today, by, 7)
            self.assertEqual(sum(total["ending"] for total in totals.values()), 400_000)
        own = self.env["collection.kpi"].with_user(self.collector)
        totals = own._get_totals(self.company, self.days_ago(29), self.today, None, 7)
        self.assertEqual(totals[None]["ending"], 100_000)

    def test_statements_do_not_grow_with_groups(self):
        self.invoice(1000, self.days_ago(20))
        few = self.count_statements(lambda: self.figures(by="collector"))
        for number in range(3):
            partner = self.make_customer(f"Of {number}")
            self.invoice(1000, self.days_ago(20), partner=partner)
            collector = self.make_user(f"collector_{number}", "account_collection.group_collection_collector")
            self.debtor(partner).sudo().collector_id = collector
        self.settle()
        self.assertLessEqual(self.count_statements(lambda: self.figures(by="collector")), few)
