import base64
import doctest
import io
from collections import defaultdict
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import count

import openpyxl
from hypothesis import given
from hypothesis import strategies as st

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..engine import effect
from .aging_common import AgingCommon
from .examples import histories
from .test_statement import START, StatementCommon

NOTICES = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from(["mail", "letter"]), st.sampled_from(["sent", "sent", "failed"])),
    max_size=6,
)
PAYMENTS = st.lists(st.tuples(st.integers(0, 100), st.integers(0, 3), st.integers(1, 70)), max_size=6)
NUMBERS = count()


@tagged("post_install", "-at_install")
class TestEffect(AgingCommon, StatementCommon):
    """What works: which notice a payment is credited to, and who sees it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second = cls.make_customer("Second")
        cls.collector = cls.make_user("effect_collector", "account_collection.group_collection_collector")
        cls.manager = cls.make_user("effect_manager", "account_collection.group_collection_manager")
        cls.employee = cls.make_user("effect_employee", "base.group_user")
        cls.kind = cls.policy.level_ids[0].template_id
        cls.strict = cls.policy.level_ids[-1].template_id

    def tell(self, day, *moves, asked=None, state="sent", channel="mail", template=None):
        """A notice of that day about these invoices."""
        debtor = self.debtor(moves[0].partner_id).sudo()
        lines = self.env["account.move.line"].union(*map(self.receivable, moves))
        amounts = {line: line.balance if asked is None else asked for line in lines}
        template = template or self.kind
        return self.Notice.create(
            {
                "debtor_id": debtor.id,
                "company_id": self.company.id,
                "date": day,
                "sent_on": day if state == "sent" else False,
                "state": state,
                "channel": channel,
                "template_id": template.id,
                "subject": template.subject,
                "amount": sum(amounts.values()),
                "dedupe_key": f"effect-{next(NUMBERS)}",
                "line_ids": [
                    Command.create(
                        {
                            "move_line_id": line.id,
                            "move_id": line.move_id.id,
                            "currency_id": line.currency_id.id,
                            "amount": amount,
                            "company_amount": amount,
                        }
                    )
                    for line, amount in amounts.items()
                ],
            }
        )

    def make_report(self, since=90, until=0, user=None, **values):
        values = {
            "company_id": self.company.id,
            "date_from": self.days_ago(since),
            "date_to": self.days_ago(until),
        } | values
        return self.env["collection.effect"].with_user(user or self.viewer).with_company(self.company).create(values)

    def rows(self, *args, **values):
        self.settle()
        report = self.make_report(*args, **values)
        report._fill()
        return self.env["collection.effect.line"].with_user(report.env.user).search([("wizard_id", "=", report.id)])

    def figures(self, row, name):
        return [row[f"{name}_{days}"] for days in effect.HORIZONS]

    # === What it says === #

    def test_the_examples_of_the_rules_hold(self):
        result = doctest.testmod(effect)
        self.assertGreater(result.attempted, 5)
        self.assertEqual(result.failed, 0)

    def test_a_payment_is_credited_to_the_last_notice_before_it(self):
        first, other = (self.invoice(amount, self.days_ago(90)) for amount in (100.0, 300.0))
        self.tell(self.days_ago(60), first, other)
        self.tell(self.days_ago(50), first, template=self.strict)
        self.bank_entry(100.0, self.days_ago(50), [first])
        self.bank_entry(60.0, self.days_ago(55), [other])
        self.bank_entry(140.0, self.days_ago(40), [other])
        kind, strict = self.rows()
        self.assertEqual((kind.template_id, strict.template_id), (self.kind, self.strict))
        self.assertEqual((kind.sent, kind.item_count, kind.amount), (1, 2, 400))
        self.assertEqual(self.figures(kind, "paid"), [0, 60, 60, 200])
        self.assertEqual(self.figures(kind, "items"), [0, 0, 0, 0])
        self.assertEqual(self.figures(kind, "rate"), [0, 15, 15, 50])
        self.assertEqual(self.figures(strict, "paid"), [100, 100, 100, 100])
        self.assertEqual(self.figures(strict, "items"), [1, 1, 1, 1])
        later = self.rows(90, 55)
        self.assertEqual(later.template_id, self.kind)
        self.assertEqual(later.paid_30, 200, "the later notice keeps its credit, in a report without it as well")

    def test_nothing_is_said_of_notices_too_young(self):
        invoice = self.invoice(100.0, self.days_ago(90))
        self.tell(self.days_ago(40), invoice)
        self.tell(self.days_ago(7), invoice)
        self.bank_entry(80.0, self.days_ago(6), [invoice])
        row = self.rows()
        self.assertEqual((row.sent, row.amount), (2, 200))
        self.assertEqual(self.figures(row, "old"), [2, 1, 1, 1])
        self.assertEqual(self.figures(row, "asked"), [200, 100, 100, 100])
        self.assertEqual(self.figures(row, "paid"), [80, 0, 0, 0])
        self.assertEqual(self.figures(self.rows(10), "rate"), [80, 0, 0, 0])
        self.assertEqual(self.figures(self.rows(10), "asked"), [100, 0, 0, 0], "of nothing: a dash")

    def test_no_more_than_was_asked_for_and_money_alone(self):
        covered, credited = (self.invoice(100.0, self.days_ago(90)) for _number in range(2))
        self.tell(self.days_ago(60), covered, credited, asked=40.0)
        self.bank_entry(100.0, self.days_ago(59), [covered])
        refund = self.invoice(100.0, self.days_ago(58), move_type="out_refund")
        (self.receivable(refund) + self.receivable(credited)).reconcile()
        row = self.rows()
        self.assertEqual((row.paid_3, row.items_3, row.rate_3), (40, 1, 50))

    def test_failed_and_other_channels(self):
        invoice = self.invoice(100.0, self.days_ago(90))
        self.tell(self.days_ago(60), invoice)
        self.tell(self.days_ago(59), invoice, state="failed")
        self.tell(self.days_ago(58), invoice, state="cancelled")
        self.tell(self.days_ago(20), invoice, channel="letter")
        self.bank_entry(100.0, self.days_ago(57), [invoice])
        mail, letter = self.rows()
        self.assertEqual((mail.channel, mail.sent, mail.failed, mail.paid_3), ("mail", 1, 1, 100))
        self.assertEqual((letter.sent, letter.failed, letter.paid_3), (1, 0, 0))

    def test_answers(self):
        invoices = [self.invoice(10.0, self.days_ago(99), partner=partner) for partner in (self.customer, self.second)]
        for day in (60, 50, 40):
            self.tell(self.days_ago(day), invoices[0])
        self.tell(self.days_ago(60), invoices[1])
        debtor = self.debtor().sudo()
        said = {"debtor_id": debtor.id, "direction": "in", "user_id": self.manager.id}
        for day, direction in ((58, "in"), (57, "in"), (45, "out"), (5, "in")):
            noon = datetime.combine(self.days_ago(day), time(12))
            self.env["collection.interaction"].create({**said, "date": noon, "direction": direction})
        self.assertEqual(self.rows().answered, 1, "the second was told nothing, and 35 days are too long")
        other = self.debtor(self.second).sudo()
        mail = other.message_post(body="We pay", author_id=self.second.id, message_type="email")
        mail.date = datetime.combine(self.days_ago(59), time(12))
        own = debtor.message_post(body="Call them", author_id=self.manager.partner_id.id, message_type="comment")
        own.date = datetime.combine(self.days_ago(49), time(12))
        self.assertEqual(self.rows().answered, 2)

    def test_the_text_that_left_is_kept(self):
        """Templates change after a notice left, and a level takes another one: the notice keeps its own."""
        self.make_invoice(self.second, 1000, days=5)
        notice = self.night()
        level, subject = notice.level_id, notice.level_id.template_id.subject
        self.assertFalse(notice.subject)
        self.Notice._cron_dispatch()
        self.assertEqual((notice.template_id, notice.subject), (level.template_id, subject))
        notice.template_id.subject = "Something else"
        level.template_id = self.strict
        row = self.rows()
        self.assertEqual((row.level_id, row.template_id, row.subject), (level, notice.template_id, subject))
        self.assertEqual((row.sent, row.amount), (1, 1000))
        # Of what left before texts were kept, today's is all that is known.
        notice.write({"template_id": False, "subject": False})
        row = self.rows()
        self.assertEqual((row.template_id, row.subject), (self.strict, self.strict.subject))

    def test_groups_are_of_the_sums(self):
        large, small = self.invoice(900.0, self.days_ago(90)), self.invoice(100.0, self.days_ago(90))
        self.tell(self.days_ago(60), large)
        self.tell(self.days_ago(60), small, template=self.strict)
        self.tell(self.days_ago(1), large, channel="letter")
        self.bank_entry(100.0, self.days_ago(59), [small])
        rows = self.rows()
        mine = [("id", "in", rows.ids)]
        self.assertEqual(rows._read_group(mine, [], ["rate_7:avg", "paid_7:sum"]), [(10, 100)])
        by_channel = dict(rows._read_group(mine, ["channel"], ["rate_7:avg"]))
        self.assertEqual((by_channel["mail"], bool(by_channel["letter"])), (10, False))

    def test_a_row_opens_its_notices(self):
        invoice = self.invoice(100.0, self.days_ago(90))
        mails = self.tell(self.days_ago(60), invoice) + self.tell(self.days_ago(59), invoice, state="failed")
        letter = self.tell(self.days_ago(58), invoice, channel="letter")
        for row in self.rows():
            action = row.action_open()
            found = self.env[action["res_model"]].with_user(self.viewer).search(action["domain"])
            self.assertEqual(found, (mails if row.channel == "mail" else letter).sorted("date", reverse=True))
            self.assertFalse(self.Notice.with_user(self.manager).search(action["domain"]), "another's report")

    def test_bad_input_is_told(self):
        with self.assertRaisesRegex(UserError, "comes after the last one"):
            self.make_report(1, 2).action_open()
        with self.assertRaisesRegex(UserError, "a day to come"):
            self.make_report(1, -1).action_export_xlsx()
        report = self.env["collection.effect"].with_company(self.company).with_user(self.viewer).create({})
        self.assertEqual((report.date_from, report.date_to), (self.days_ago(90), self.today))

    def test_workbook(self):
        invoice = self.invoice(100.0, self.days_ago(90))
        self.tell(self.days_ago(60), invoice)
        self.tell(self.days_ago(1), invoice, template=self.strict)
        self.bank_entry(25.0, self.days_ago(59), [invoice])
        self.settle()
        action = self.make_report().action_export_xlsx()
        export = self.env["collection.export"].sudo().browse(int(action["url"].split("/")[4]))
        content = base64.b64decode(export.with_context(bin_size=False).content)
        book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
        self.assertEqual(book.sheetnames, ["By Template", "Detail"])
        cells = [[cell.value for cell in row] for row in book["By Template"].iter_rows()]
        (header,) = (position for position, row in enumerate(cells) if row[0] == "Template")
        kind, strict = (dict(zip(cells[header], row)) for row in cells[header + 1 : header + 3])
        self.assertEqual((kind["Template"], kind["Sent"], kind["% in 7 days"]), (self.kind.name, 1, 25))
        self.assertEqual((strict["Asked for"], strict["% in 7 days"]), (100, "—"))
        (chart,) = openpyxl.load_workbook(io.BytesIO(content))["By Template"]._charts
        self.assertEqual(len(chart.series), 2)
        self.make_report(365, 300).action_export_xlsx()

    # === Rights === #

    def test_whose_figures(self):
        for partner in (self.customer, self.second):
            self.tell(self.days_ago(60), self.invoice(100.0, self.days_ago(90), partner=partner))
        self.debtor().sudo().collector_id = self.collector
        self.env.flush_all()
        for user, sent in ((self.collector, 1), (self.viewer, 2), (self.manager, 2)):
            self.assertEqual(self.rows(user=user).sent, sent, user.login)
        rows = self.rows()
        self.assertFalse(rows.with_user(self.manager).search([("id", "in", rows.ids)]))
        with self.assertRaises(AccessError):
            rows.wizard_id.with_user(self.manager).read(["date_from"])
        with self.assertRaises(AccessError):
            self.make_report(user=self.employee)
        with self.assertRaises(AccessError):
            rows.write({"sent": 5})
        other = self.env["res.company"].create({"name": "Strangers"})
        self.assertFalse(self.rows(company_id=other.id))
        rows.wizard_id.unlink()
        rows._gc_rows()
        self.assertFalse(rows.exists())

    # === Any history === #

    @histories(8)
    @given(NOTICES, PAYMENTS)
    def test_any_history(self, notices, payments):
        with self.undone():
            invoices = [
                self.invoice(100.0 * (1 + number), START, partner=(self.customer, self.second)[number % 2])
                for number in range(4)
            ]
            self.settle()
            for number, (days, channel, state) in enumerate(notices):
                day = START + timedelta(days=days)
                about = [move for move in invoices[number % 2 :: 2] if days % 3 or move != invoices[0]]
                if about:
                    self.tell(day, *about, asked=90.0 if days % 5 else None, state=state, channel=channel)
            for days, number, amount in payments:
                left = invoices[number].amount_residual
                if left:
                    self.bank_entry(min(left, amount), START + timedelta(days=days), [invoices[number]],
                                    partner=invoices[number].partner_id)  # fmt: skip
            first, last = START + timedelta(days=10), START + timedelta(days=50)
            rows = self.rows(date_from=first, date_to=last)
            self.assertEqual({row.channel: self.said(row) for row in rows}, self.count_effect(first, last))

    def said(self, row):
        amounts = [*self.figures(row, "paid"), *self.figures(row, "rate")]
        return [row.sent, row.failed, row.item_count, *self.figures(row, "items"), *amounts]

    def count_effect(self, first, last):
        """What each channel brought, from raw records in plain Python."""
        told = self.Notice.search([("company_id", "=", self.company.id), ("state", "in", ("sent", "failed"))])
        sent = told.filtered(lambda notice: notice.state == "sent")
        rows = defaultdict(lambda: defaultdict(Decimal))
        for notice in told.filtered(lambda notice: first <= notice.date <= last):
            row = rows[notice.channel]
            row[notice.state] += 1
            if notice.state == "failed":
                continue
            row["asked"] += Decimal(str(notice.amount))
            for line in notice.line_ids:
                row["items"] += 1
                mine = self.get_credited(notice, sent, line.move_line_id)
                asked = Decimal(str(line.company_amount))
                for days in effect.HORIZONS:
                    paid = effect.paid_within(days, notice.sent_on, asked, mine)
                    row["paid", days] += paid
                    row["items", days] += paid >= asked
        return {
            channel: [
                *(int(row[name]) for name in ("sent", "failed", "items")),
                *(int(row["items", days]) for days in effect.HORIZONS),
                *(float(row["paid", days]) for days in effect.HORIZONS),
                *(float(effect.rate(row["paid", days], row["asked"]) or 0) for days in effect.HORIZONS),
            ]
            for channel, row in rows.items()
        }

    def get_credited(self, notice, sent, item):
        """[(day, amount)] of the money that this item's payments brought to a notice."""
        told = [effect.Told(other.sent_on, other.id) for other in sent if item in other.line_ids.move_line_id]
        return [
            (part.max_date, Decimal(str(part.amount)))
            for part in item.matched_credit_ids
            if effect.credited(told, part.max_date) == (notice.sent_on, notice.id)
        ]

    def test_statements_do_not_grow_with_notices(self):
        invoice = self.invoice(100.0, self.days_ago(90))
        self.tell(self.days_ago(60), invoice)
        report = self.make_report()
        report._fill()
        few = self.count_statements(report._fill)
        for day in range(5):
            self.tell(date.fromordinal(self.days_ago(50).toordinal() + day), invoice)
        self.assertLessEqual(self.count_statements(report._fill), few)
