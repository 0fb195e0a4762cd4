import base64
from datetime import timedelta

from odoo.exceptions import UserError
from odoo.tests import tagged

from .check_common import CheckCommon
from .test_engine_spreadsheet import workbook

HEADERS = ("Check", "Bank", "Account", "Customer", "Amount", "Deposit On")


@tagged("post_install", "-at_install")
class TestCheckImport(CheckCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.write({"ref": "C-77", "vat": "XAXX010101000"})
        cls.user = cls.make_user("invoicing", "account.group_account_invoice", "base.group_partner_manager")
        cls.collector = cls.make_user("collector", "account_collection.group_collection_collector")
        cls.day = cls.today + timedelta(days=20)

    def row(self, number="501", bank="Banco del Bajio", account="", customer="Postdater", amount=1000, deposit=None):
        return [number, bank, account, customer, amount, deposit or self.day]

    def preview(self, *rows, headers=HEADERS, user=None, **values):
        if "pasted" not in values:
            values = {"file": base64.b64encode(workbook([headers, *rows])), "file_name": "checks.xlsx", **values}
        wizards = self.env["account.postdated.check.import"].with_user(user or self.user).with_company(self.company)
        wizard = wizards.with_context(lang="en_US").create(values)
        before = self.Check.search_count([])
        wizard.action_preview()
        self.assertEqual(self.Check.search_count([]), before)
        return wizard

    def faults(self, *rows, **values):
        """``{row: what to correct}``, without the number of the row that it begins with."""
        lines = self.preview(*rows, **values).line_ids
        return {line.number: line.message and line.message.partition(": ")[2] for line in lines}

    def imported(self, wizard):
        return self.Check.search(wizard.action_import()["domain"]).sorted("number")

    # === Good files ===#

    def test_a_workbook_is_shown_then_registered_with_its_invoices(self):
        invoice = self.make_invoice(self.customer, 1500, days=5)
        wizard = self.preview(
            self.row("501", account="0022-2570 0312345678"),
            self.row("502", customer="c-77", amount="$ 700.50"),
            receive=True,
        )
        self.assertEqual((wizard.good_count, wizard.fault_count), (2, 0))
        first, second = self.imported(wizard)
        self.assertEqual((first + second).mapped("state"), ["custody", "custody"])
        self.assertEqual((first + second).mapped("amount"), [1000, 700.5])
        self.assertEqual((first.account_number, first.deposit_date), ("002225700312345678", self.day))
        self.assertEqual(first.line_ids.move_id, invoice)
        self.assertEqual(second.advance_amount, 200.5)
        with self.assertRaisesRegex(UserError, "look at its preview first"):
            wizard.action_import()

    def test_rows_are_pasted_with_headers_or_without(self):
        day = self.day.strftime("%d/%m/%Y")
        with_headers = (
            f"Cheque\tBanco\tCliente\tImporte\tFecha de depósito\n601\tbanco del bajío\tXAXX010101000\t1,200.00\t{day}"
        )
        checks = self.imported(self.preview(pasted=with_headers.replace("bajío", "bajio"), suggest=False))
        self.assertEqual((checks.number, checks.amount, checks.state), ("601", 1200, "draft"))
        cells = ["602", "Banco del Bajio", "", "Postdater", "", "350.5", "", "", "", day, "", "By courier"]
        wizard = self.preview(pasted="\t".join(cells))
        self.assertEqual(wizard.line_ids.number, 1)
        checks = self.imported(wizard)
        self.assertEqual((checks.number, checks.amount, checks.notes), ("602", 350.5, "By courier"))

    def test_missing_banks_are_created_when_a_person_says_so(self):
        self.assertEqual(
            self.faults(self.row(bank="Banco Nuevo")),
            {2: "There is no bank “Banco Nuevo”: correct it, or have the missing banks created."},
        )
        wizard = self.preview(self.row("1", bank="Banco Nuevo"), self.row("2", bank="BANCO NUEVO"), create_banks=True)
        self.assertEqual((wizard.missing_banks, wizard.fault_count), ("Banco Nuevo", 0))
        checks = self.imported(wizard)
        self.assertEqual(checks.bank_id.mapped("name"), ["Banco Nuevo"])

    def test_the_empty_file_can_be_imported(self):
        self.env["res.lang"]._activate_lang("es_MX")
        wizard = self.preview(self.row()).with_context(lang="es_MX")
        content = wizard.template
        self.make_customer(wizard._get_example()["customer"])
        self.env["res.bank"].create({"name": "BBVA"})
        again = self.preview(file=content, file_name="template.xlsx")
        self.assertEqual(again.line_ids.mapped("message"), [False])

    # === Faults ===#

    def test_each_fault_is_a_sentence(self):
        self.make_customer("Twin")
        self.make_customer("Twin")
        found = self.faults(
            self.row(customer="Nobody"),
            self.row("502", customer="Twin"),
            self.row("503", amount="a lot"),
            self.row("504", amount=0),
            self.row("505", deposit="31/31/2026"),
            self.row("506", deposit=self.days_ago(3)),
            self.row("", amount=None),
        )
        self.assertEqual(
            found,
            {
                2: "There is no customer “Nobody”: correct its name, reference or tax ID.",
                3: "“Twin” stands for 2 customers: write its reference or its tax ID.",
                4: "“a lot” is no amount: write it as 1234.50, without a sign.",
                5: "Write an amount above zero.",
                6: "“31/31/2026” is no date: write day, month and year, such as 28/02/2026.",
                7: "It cannot be deposited before it is received.",
                8: "Write the number of the check. Write an amount above zero.",
            },
        )

    def test_one_paper_is_registered_once(self):
        check = self.make_check(100, suggest=False, account_number="")
        found = self.faults(self.row(check.number), self.row("900"), self.row("900"))
        self.assertRegex(
            found[2], rf"Check {check.number} .* is registered already, for .*100\.00.*: it is In Custody\."
        )
        self.assertEqual(found[3], "This check stands in rows 3, 4: keep one of them.")
        self.assertEqual(found[4], found[3])

    def test_rows_with_faults_are_left_out_when_a_person_says_so(self):
        wizard = self.preview(self.row("701"), self.row("702", customer="Nobody"))
        with self.assertRaisesRegex(UserError, "Rows with errors: 1, row 3 first"):
            wizard.action_import()
        wizard.leave_out = True
        self.assertEqual(self.imported(wizard).mapped("number"), ["701"])

    def test_a_collector_imports_checks_of_the_own_debtors_alone(self):
        mine = self.make_customer("Mine")
        self.make_invoice(mine, 100)
        self.debtor(mine).collector_id = self.collector
        wizard = self.preview(self.row("801", customer="Mine"), self.row("802"), user=self.collector, leave_out=True)
        self.assertEqual(
            {line.number: line.message for line in wizard.line_ids},
            {2: False, 3: "Row 3: Postdater is not among your debtors: ask for it first."},
        )
        self.assertEqual(self.imported(wizard).partner_id, mine)

    def test_the_number_of_queries_does_not_grow_with_the_rows(self):
        def queries(count):
            wizard = self.preview(*(self.row(str(number)) for number in range(count)))
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            wizard._parse_rows(wizard._read_file().rows)
            return self.env.cr.sql_log_count - before

        queries(3)
        self.assertEqual(queries(3), queries(60))
