import base64
import io
from collections import defaultdict
from datetime import date, datetime, timedelta

import openpyxl
from hypothesis import given
from hypothesis import strategies as st

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .check_common import CheckCommon
from .examples import histories
from .test_statement import DAYS, START, StatementCommon
from .test_statement_pdf import REPORT, text

FROM, TO = date(2024, 3, 1), date(2024, 3, 31)


class ActivityCommon(StatementCommon):
    def activity(self, date_from=FROM, date_to=TO, partner=None):
        debtor = self.debtor(partner)
        return debtor._get_activity(date_from, date_to)[debtor.id]

    @staticmethod
    def rows(section):
        return [(row["kind"], row["debit"], row["credit"], row["balance"]) for row in section["movements"]]

    def make_month(self, partner=None):
        """A customer who owed 100 and 40 at the end of February; 100 is paid in March, 60 credited, 250.5 invoiced."""
        february = self.invoice(100.0, date(2024, 2, 1), date(2024, 2, 20), partner=partner)
        self.invoice(40.0, date(2024, 2, 29), date(2024, 4, 5), partner=partner)
        self.bank_entry(100.0, FROM, february, partner)
        self.invoice(250.5, date(2024, 3, 10), TO - timedelta(days=1), partner=partner, ref="PO-77")
        self.invoice(60.0, date(2024, 3, 12), move_type="out_refund", partner=partner)
        self.invoice(999.0, date(2024, 4, 1), partner=partner)


@tagged("post_install", "-at_install")
class TestActivity(ActivityCommon):
    def test_a_month(self):
        self.make_month()
        (section,) = self.activity()["currencies"]
        self.assertEqual((section["opening"], section["closing"]), (140.0, 230.5))
        self.assertEqual(
            self.rows(section),
            [
                ("payment", 0.0, 100.0, 40.0),
                ("invoice", 250.5, 0.0, 290.5),
                ("credit_note", 0.0, 60.0, 230.5),
            ],
        )
        self.assertEqual((section["debited"], section["credited"]), (250.5, 160.0))
        invoice = section["movements"][1]
        self.assertEqual((invoice["date"], invoice["due_date"]), (date(2024, 3, 10), date(2024, 3, 30)))
        self.assertEqual((invoice["label"], invoice["reference"]), ("Invoice", "PO-77"))
        self.assertEqual([bucket["amount"] for bucket in section["aging"]], [40.0, 250.5, 0.0, 0.0, 0.0])
        self.assertEqual((section["unallocated"], section["total"], section["otherwise"]), (60.0, 230.5, 0.0))
        self.assertEqual(section["aging"], self.statement(TO)["currencies"][0]["aging"])

    def test_both_days_count(self):
        for day in (FROM - timedelta(days=1), FROM, TO, TO + timedelta(days=1)):
            self.invoice(10.0, day)
        (section,) = self.activity()["currencies"]
        self.assertEqual([row["date"] for row in section["movements"]], [FROM, TO])
        self.assertEqual((section["opening"], section["closing"]), (10.0, 30.0))
        with self.assertRaises(ValueError):
            self.activity(TO, FROM)

    def test_kinds(self):
        payment = self.bank_entry(50.0, FROM)
        payment._reverse_moves([{"date": date(2024, 3, 2)}])._post(soft=False)
        self.bank_entry(-20.0, date(2024, 3, 3))
        other = {"partner_id": self.customer.id, "account_id": self.receivable_account.id, "balance": -5.0}
        income = {"account_id": self.company_data["default_account_revenue"].id, "balance": 5.0}
        self.env["account.move"].create(
            {"date": date(2024, 3, 4), "line_ids": [Command.create(other), Command.create(income)]}
        ).action_post()
        self.invoice(8.0, date(2024, 3, 5), post=False)
        (section,) = self.activity()["currencies"]
        self.assertEqual(
            self.rows(section),
            [
                ("payment", 0.0, 50.0, -50.0),
                ("reversal", 50.0, 0.0, 0.0),
                ("refund", 20.0, 0.0, 20.0),
                ("other", 0.0, 5.0, 15.0),
            ],
        )

    def test_exchange_differences_move_the_company_s_currency_alone(self):
        invoice = self.invoice(100.0, date(2024, 2, 1), currency_id=self.gold.id)
        self.bank_entry(100.0, date(2024, 3, 10), invoice, currency=self.gold)
        activity = self.activity()
        (section,) = activity["currencies"]
        self.assertEqual(section["currency"], self.gold)
        self.assertEqual(self.rows(section), [("payment", 0.0, 100.0, 0.0)])
        self.assertEqual(activity["opening_company_currency"], 50.0)
        self.assertEqual(activity["closing_company_currency"], self.ledger(TO))

    def test_what_another_currency_paid_is_told(self):
        invoice = self.invoice(100.0, date(2024, 3, 2), currency_id=self.gold.id)
        self.bank_entry(40.0, date(2024, 3, 2), invoice)
        dollars, gold = self.activity()["currencies"]
        self.assertEqual((dollars["closing"], gold["closing"]), (-40.0, 100.0))
        for section in (dollars, gold):
            self.assertEqual(section["otherwise"], section["closing"] - section["total"])
        self.assertTrue(dollars["otherwise"] and gold["otherwise"])

    def test_contacts_roll_up_and_companies_stay_apart(self):
        child = self.env["res.partner"].create({"name": "Branch", "parent_id": self.customer.id})
        self.invoice(10.0, FROM, partner=child)
        data = self.other_company_data()
        self.invoice(70.0, FROM, data=data)
        self.assertEqual(self.activity()["closing_company_currency"], 10.0)
        other = self.debtor(company=data["company"]).sudo()
        self.assertEqual(other._get_activity(FROM, TO)[other.id]["closing_company_currency"], 70.0)

    def test_a_collector_gets_the_own_debtors_alone(self):
        self.invoice(10.0, FROM)
        debtor = self.debtor()
        collector = new_test_user(
            self.env,
            "activity collector",
            groups="account_collection.group_collection_collector",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        debtor.sudo().collector_id = self.viewer
        with self.assertRaises(AccessError):
            debtor.with_user(collector)._get_activity(FROM, TO)
        debtor.sudo().collector_id = collector
        self.assertEqual(len(debtor.with_user(collector)._get_activity(FROM, TO)), 1)

    def test_queries_do_not_grow_with_debtors(self):
        partners = self.env["res.partner"].create([{"name": f"Customer {number}"} for number in range(6)])
        for partner in partners:
            self.invoice(100.0, date(2024, 2, 1), partner=partner)
            self.bank_entry(10.0, FROM, partner=partner)
        debtors = self.env["collection.debtor"].browse([self.debtor(partner).id for partner in partners])
        debtors = debtors.with_user(self.viewer)
        debtors._get_activity(FROM, TO)  # the registry's caches are filled once, whatever the number
        few, many = (
            self.count_statements(lambda some=some: some._get_activity(FROM, TO)) for some in (debtors[:2], debtors)
        )
        self.assertLessEqual(many, few)

    @histories(6)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["invoice", "credit note", "on account", "payment", "reversal"]),
                st.integers(1, 50_000),
                st.integers(0, DAYS),
                st.booleans(),
            ),
            min_size=2,
            max_size=7,
        ),
        st.tuples(st.integers(0, DAYS), st.integers(0, DAYS)),
    )
    def test_opening_and_movements_are_closing_and_the_ledger(self, operations, days):
        partner = self.env["res.partner"].create({"name": "Random"})
        Move, entries = self.env["account.move"], []
        for kind, cents, day, foreign in operations:
            amount, day = cents / 100, START + timedelta(days=day)
            currency = self.gold if foreign else self.usd
            if kind == "reversal" and entries:
                entry = entries.pop()
                entry._reverse_moves([{"date": max(day, entry.date)}], cancel=True)
            elif kind in ("on account", "payment"):
                found = [("partner_id", "=", partner.id), ("currency_id", "=", currency.id)]
                owed = Move.search([*found, ("move_type", "!=", "entry")]) if kind == "payment" else Move
                entries.append(self.bank_entry(amount, day, owed.filtered("amount_residual"), partner, currency))
            else:
                move_type = "out_refund" if kind == "credit note" else "out_invoice"
                self.invoice(amount, day, partner=partner, move_type=move_type, currency_id=currency.id)
        date_from, date_to = (START + timedelta(days=day) for day in sorted(days))
        self.check_activity(partner, date_from, date_to)

    def check_activity(self, partner, date_from, date_to):
        """Compare with what the journal items say, one by one."""
        lines = self.env["account.move.line"].search(
            [
                ("account_id", "=", self.receivable_account.id),
                ("partner_id", "=", partner.id),
                ("parent_state", "=", "posted"),
                ("date", "<=", date_to),
            ]
        )
        opening, effects = defaultdict(float), defaultdict(lambda: defaultdict(float))
        for line in lines:
            if line.date < date_from:
                opening[line.currency_id] += line.amount_currency
            else:
                effects[line.currency_id][line.move_id.id] += line.amount_currency
        activity = self.activity(date_from, date_to, partner)
        self.assertEqual(activity["opening_company_currency"], self.ledger(date_from - timedelta(days=1), partner))
        self.assertEqual(activity["closing_company_currency"], self.ledger(date_to, partner))
        sections = {section["currency"]: section for section in activity["currencies"]}
        for currency in opening.keys() | effects.keys() | sections.keys():
            expected = {move: currency.round(amount) for move, amount in effects[currency].items()}
            expected = {move: amount for move, amount in expected.items() if amount}
            if currency not in sections:
                self.assertFalse(expected or currency.round(opening[currency]))
                continue
            section = sections[currency]
            balance = section["opening"]
            self.assertAlmostEqual(balance, opening[currency], 2)
            moved = {}
            for row in section["movements"]:
                moved[row["move_id"]] = row["debit"] - row["credit"]
                balance += moved[row["move_id"]]
                self.assertAlmostEqual(row["balance"], balance, 2)
            self.assertEqual(moved, expected)
            self.assertEqual(
                [row["date"] for row in section["movements"]], sorted(row["date"] for row in section["movements"])
            )
            self.assertAlmostEqual(section["closing"], opening[currency] + sum(expected.values()), 2)
            aged = sum(bucket["amount"] for bucket in section["aging"])
            self.assertAlmostEqual(section["closing"], aged - section["unallocated"], 2)


@tagged("post_install", "-at_install")
class TestActivityDocuments(ActivityCommon):
    def open_wizard(self, debtors, **values):
        return (
            self.env["collection.statement.wizard"]
            .with_user(self.viewer)
            .with_context(active_model="collection.debtor", active_ids=debtors.ids)
            .create({"shape": "activity", "date_from": FROM, "date_to": TO, **values})
        )

    def workbook(self, wizard):
        action = wizard.action_export_xlsx()
        export = self.env["collection.export"].browse(int(action["url"].split("/")[4]))
        content = io.BytesIO(base64.b64decode(export.with_context(bin_size=False).content))
        return openpyxl.load_workbook(content), openpyxl.load_workbook(content, data_only=True)

    def test_pdf(self):
        self.make_month()
        debtor = self.debtor()
        action = self.open_wizard(debtor).action_print()
        report = self.env["ir.actions.report"].with_user(self.viewer).with_context(force_report_rendering=True)
        streams = report._render_qweb_pdf_prepare_streams(action["report_name"], action["data"], res_ids=None)
        page = text(streams[debtor.id]["stream"].read())
        for expected in (
            "Account activity",
            "Period: 03/01/2024 – 03/31/2024",
            "Opening balance",
            "140.00",
            "Credit note",
            "PO-77",
            "250.50",
            "290.50",
            "Closing balance",
            "230.50",
            "1-30",
        ):
            self.assertIn(expected, page)
        self.assertNotIn("999.00", page)

    def test_preview_in_spanish(self):
        self.speak_spanish()
        self.customer.lang = "es_MX"
        self.make_month()
        action = self.open_wizard(self.debtor()).action_preview()
        self.assertEqual(action["report_type"], "qweb-html")
        report = self.env["ir.actions.report"].with_user(self.viewer)
        # As the web client asks for it: with data, and no ids beside them.
        html, _kind = report._render_qweb_html(REPORT, None, data=dict(action["data"]))
        html = html.decode() if isinstance(html, bytes) else str(html)
        for expected in ("Movimientos de la cuenta", "Saldo inicial", "Saldo final", "Nota de crédito", "290.50"):
            self.assertIn(expected, html)
        for foreign in ("Account activity", "Opening balance", "Credit note"):
            self.assertNotIn(foreign, html)

    def test_workbook_of_the_activity(self):
        second = self.env["res.partner"].create({"name": "=Second()"})
        self.make_month()
        self.make_month(second)
        formulas, values = self.workbook(self.open_wizard(self.debtor() | self.debtor(second)))
        name = self.usd.name
        self.assertEqual(formulas.sheetnames, [name, f"{name} Aging"])
        sheet, computed = formulas[name], values[name]
        header = next(row for row in sheet.iter_rows() if row[0].value == "Customer")[0].row
        self.assertEqual(sheet.freeze_panes, f"A{header + 1}")
        first = header + 1
        self.assertEqual([cell.value for cell in sheet[first]][4], "Opening balance")
        self.assertEqual(sheet.cell(first, 9).value, 140.0)
        invoice = first + 2
        self.assertEqual(sheet.cell(invoice, 2).value, datetime(2024, 3, 10))
        self.assertEqual(sheet.cell(invoice, 2).data_type, "d")
        self.assertEqual((sheet.cell(invoice, 7).value, sheet.cell(invoice, 7).data_type), (250.5, "n"))
        self.assertEqual(sheet.cell(invoice, 9).value, f"=I{invoice - 1}+G{invoice}-H{invoice}")
        self.assertEqual(computed.cell(invoice, 9).value, 290.5)
        closing = first + 4
        self.assertEqual(sheet.cell(closing, 7).value, f"=SUBTOTAL(9,G{first}:G{closing - 1})")
        self.assertEqual([computed.cell(closing, column).value for column in (7, 8, 9)], [250.5, 160.0, 230.5])
        last = sheet.max_row
        self.assertEqual([computed.cell(last, column).value for column in (1, 7, 8)], ["Total", 501.0, 320.0])
        self.assertIn("=Second()", [cell.value for cell in computed["A"]])
        self.assertNotIn("f", {cell.data_type for cell in sheet["A"]})
        sheet, computed = formulas[f"{name} Aging"], values[f"{name} Aging"]
        row = sheet.max_row - 1
        self.assertEqual(sheet.cell(row, 5).value, f"=B{row}+C{row}-D{row}")
        self.assertEqual(sheet.cell(row, 12).value, f"=SUM(F{row}:K{row})")
        self.assertEqual(
            [cell.value for cell in computed[row]][1:], [140, 250.5, 160, 230.5, 40, 250.5, 0, 0, 0, -60, 230.5]
        )
        self.assertEqual(computed.cell(row + 1, 12).value, 461.0)

    def test_workbook_of_open_items(self):
        self.make_month()
        formulas, values = self.workbook(self.open_wizard(self.debtor(), shape="open_items", as_of=TO))
        sheet, computed = formulas.worksheets[0], values.worksheets[0]
        last = sheet.max_row
        self.assertEqual(
            [computed.cell(row, 9).value for row in range(last - 3, last + 1)], [250.5, 40.0, -60.0, 230.5]
        )
        self.assertEqual(sheet.cell(last, 9).value, f"=SUBTOTAL(9,I{last - 3}:I{last - 1})")
        self.assertEqual(sheet.cell(last - 3, 6).value, datetime(2024, 3, 30))
        aging = values.worksheets[1]
        self.assertEqual([cell.value for cell in aging[aging.max_row]][1:], [40, 250.5, 0, 0, 0, -60, 230.5])

    def test_nothing_to_tell(self):
        self.invoice(10.0, TO + timedelta(days=9))
        formulas, _values = self.workbook(self.open_wizard(self.debtor()))
        self.assertEqual(len(formulas.sheetnames), 2)

    def test_days_that_cannot_be_and_nobody_chosen(self):
        self.invoice(10.0, FROM)
        debtor = self.debtor()
        with self.assertRaisesRegex(UserError, "begin with the earlier"):
            self.open_wizard(debtor, date_from=TO, date_to=FROM).action_export_xlsx()
        with self.assertRaisesRegex(UserError, "a day to come"):
            self.open_wizard(debtor, date_to=self.days_ago(-2)).action_preview()
        with self.assertRaisesRegex(UserError, "Choose the debtors first"):
            self.open_wizard(debtor.browse()).action_print()

    def test_last_month_until_today_by_default(self):
        wizard = self.env["collection.statement.wizard"].new({})
        first = (self.today.replace(day=1) - timedelta(days=1)).replace(day=1)
        self.assertEqual((wizard.date_from, wizard.date_to, wizard.as_of), (first, self.today, self.today))


@tagged("post_install", "-at_install")
class TestActivityChecks(CheckCommon):
    def activity(self, day):
        debtor = self.debtor(self.customer)
        (section,) = debtor._get_activity(self.days_ago(60), day)[debtor.id]["currencies"]
        checks = [(check["check"], check["state"], check["amount"]) for check in section["checks"]]
        return section["closing"], [row["kind"] for row in section["movements"]], checks

    def test_a_check_in_custody_is_told_and_changes_no_balance(self):
        for booked in (False, True):
            self.company.collection_check_in_custody_account = booked
            self.customer = self.make_customer(f"Custody {booked}")
            self.make_invoice(self.customer, 1000, days=20)
            check = self.make_check(1000, partner=self.customer)
            name = check.display_name
            self.assertEqual(self.activity(self.today), (1000.0, ["invoice"], [(name, "custody", 1000.0)]))
            self.assertEqual(self.activity(self.days_ago(11)), (1000.0, ["invoice"], []))
            check._deposit(self.today)
            closing, kinds, checks = self.activity(self.today)
            self.assertEqual((closing, kinds), (0.0, ["invoice", "check"]))
            self.assertEqual(checks, [(name, "deposited", 1000.0)])
            check._bounce(self.today, "Insufficient funds")
            closing, kinds, _checks = self.activity(self.today)
            self.assertEqual(closing, 1000.0)
            self.assertEqual(kinds[:3], ["invoice", "check", "reversal"])
