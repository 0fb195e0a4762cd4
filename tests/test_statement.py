from datetime import date, timedelta

from freezegun import freeze_time
from hypothesis import given
from hypothesis import strategies as st

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import CollectionCommon
from .examples import histories

START = date(2024, 1, 1)
DAYS = 200


class StatementCommon(CollectionCommon):
    """Documents on given dates, and what the viewer reads of them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.usd = cls.company.currency_id
        cls.receivable_account = cls.company_data["default_account_receivable"]
        cls.customer = cls.env["res.partner"].create({"name": "Ferretería Ñandú", "is_company": True})
        cls.viewer = new_test_user(
            cls.env,
            "statement viewer",
            groups="account_collection.group_collection_viewer",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )
        cls.gold = cls.make_currency("XGO", {START: 2.0, date(2024, 3, 1): 2.5, date(2024, 5, 1): 1.6})

    @classmethod
    def invoice(cls, amount, day, due=None, partner=None, **values):
        dates = {"date": day, "invoice_date": day, "invoice_date_due": due or day}
        return cls.make_invoice(partner or cls.customer, amount, **dates, **values)

    @classmethod
    def bank_entry(cls, amount, day, moves=(), partner=None, currency=None, **values):
        """A bank entry of ``amount`` in ``currency``, reconciled with ``moves``."""
        currency = currency or cls.usd
        journal = cls.company_data["default_journal_bank"]
        balance = currency._convert(amount, cls.usd, cls.company, day)
        common = {"partner_id": (partner or cls.customer).id, "currency_id": currency.id}
        entry = cls.env["account.move"].create(
            {
                "move_type": "entry",
                "journal_id": journal.id,
                "date": day,
                "line_ids": [
                    Command.create(
                        {
                            **common,
                            "account_id": cls.receivable_account.id,
                            "amount_currency": -amount,
                            "balance": -balance,
                        }
                    ),
                    Command.create(
                        {
                            **common,
                            "account_id": journal.default_account_id.id,
                            "amount_currency": amount,
                            "balance": balance,
                        }
                    ),
                ],
                **values,
            }
        )
        entry.action_post()
        lines = cls.receivable(entry)
        for move in moves:
            lines |= cls.receivable(move)
        if moves:
            lines.reconcile()
        return entry

    @classmethod
    def debtor(cls, partner=None, company=None):
        """The debtor of ``partner``, as the viewer sees it."""
        return super().debtor(partner or cls.customer, company).with_user(cls.viewer)

    def statement(self, as_of=None, partner=None):
        debtor = self.debtor(partner)
        return debtor._get_statement(as_of)[debtor.id]

    def ledger(self, as_of, partner=None):
        lines = self.env["account.move.line"].search(
            [
                ("account_id.account_type", "=", "asset_receivable"),
                ("partner_id", "child_of", (partner or self.customer).id),
                ("company_id", "=", self.company.id),
                ("parent_state", "=", "posted"),
                ("date", "<=", as_of),
            ]
        )
        return self.usd.round(sum(lines.mapped("balance")))

    @staticmethod
    def amounts(section):
        return tuple(section[key] for key in ("not_due", "overdue", "unallocated", "total"))


@tagged("post_install", "-at_install")
class TestStatement(StatementCommon):
    def test_items_credits_and_balances(self):
        late = self.invoice(100.0, date(2024, 2, 1), date(2024, 2, 20), ref="PO-77")
        self.invoice(250.5, date(2024, 2, 10), date(2024, 3, 31))
        self.invoice(30.0, date(2024, 2, 15), move_type="out_refund")
        self.bank_entry(40.0, date(2024, 2, 16))
        statement = self.statement("2024-03-01")
        self.assertEqual(statement["as_of"], date(2024, 3, 1))
        self.assertEqual(statement["partner"], self.customer)
        self.assertEqual(statement["company"], self.company)
        (section,) = statement["currencies"]
        self.assertEqual(section["currency"], self.usd)
        self.assertEqual(self.amounts(section), (250.5, 100.0, 70.0, 280.5))
        self.assertEqual([item["open"] for item in section["items"]], [100.0, 250.5])
        first = section["items"][0]
        self.assertEqual(first["move_id"], late.id)
        self.assertEqual((first["document"], first["reference"]), (late.name, "PO-77"))
        self.assertEqual((first["date"], first["due_date"]), (date(2024, 2, 1), date(2024, 2, 20)))
        self.assertEqual(first["days_overdue"], 10)
        self.assertEqual(
            [(credit["kind"], credit["open"]) for credit in section["credits"]],
            [("credit_note", 30.0), ("payment", 40.0)],
        )
        self.assertEqual(
            [(bucket["label"], bucket["amount"]) for bucket in section["aging"]],
            [("Not due", 250.5), ("1-30", 100.0), ("31-60", 0.0), ("61-90", 0.0), ("90+", 0.0)],
        )
        self.assertEqual(statement["total_company_currency"], 280.5)

    def test_partial_payment_leaves_the_rest(self):
        invoice = self.invoice(100.0, date(2024, 2, 1))
        self.bank_entry(33.33, date(2024, 2, 2), invoice)
        (section,) = self.statement()["currencies"]
        (item,) = section["items"]
        self.assertEqual((item["original"], item["open"]), (100.0, 66.67))
        self.assertEqual(section["credits"], [])

    def test_thirty_days_late_is_1_30(self):
        due = date(2024, 3, 1)
        self.invoice(10.0, date(2024, 2, 1), due)
        for days, label in ((0, "Not due"), (1, "1-30"), (30, "1-30"), (31, "31-60"), (91, "90+")):
            (section,) = self.statement(due + timedelta(days=days))["currencies"]
            self.assertEqual([bucket["label"] for bucket in section["aging"] if bucket["amount"]], [label])

    def test_the_company_chooses_the_buckets(self):
        self.company.sudo().write({"collection_bucket_1": 7, "collection_bucket_2": 14, "collection_bucket_3": 21})
        self.invoice(10.0, date(2024, 2, 1))
        (section,) = self.statement(date(2024, 2, 10))["currencies"]
        self.assertEqual([bucket["label"] for bucket in section["aging"] if bucket["amount"]], ["8-14"])

    def test_two_equal_lines_of_one_document_count_twice(self):
        line = {"account_id": self.receivable_account.id, "partner_id": self.customer.id, "balance": 50.0}
        income = {"account_id": self.company_data["default_account_revenue"].id, "balance": -100.0}
        move = self.env["account.move"].create(
            {"date": date(2024, 2, 1), "line_ids": [Command.create(v) for v in (line, dict(line), income)]}
        )
        move.action_post()
        (section,) = self.statement(date(2024, 2, 1))["currencies"]
        self.assertEqual([item["open"] for item in section["items"]], [50.0, 50.0])
        self.assertEqual(section["total"], 100.0)

    def test_instalments_keep_their_due_dates(self):
        terms = self.env["account.payment.term"].create(
            {
                "name": "Half now, half in 30 days",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 50.0, "nb_days": days}) for days in (0, 30)
                ],
            }
        )
        self.invoice(100.0, date(2024, 2, 1), invoice_payment_term_id=terms.id)
        (section,) = self.statement(date(2024, 2, 11))["currencies"]
        self.assertEqual(
            [(item["due_date"], item["days_overdue"], item["open"]) for item in section["items"]],
            [(date(2024, 2, 1), 10, 50.0), (date(2024, 3, 2), 0, 50.0)],
        )

    def test_child_contacts_roll_up(self):
        child = self.env["res.partner"].create({"name": "Branch", "parent_id": self.customer.id})
        self.invoice(100.0, date(2024, 2, 1), partner=child)
        self.invoice(20.0, date(2024, 2, 1))
        self.assertEqual(self.statement(date(2024, 2, 1))["total_company_currency"], 120.0)
        self.assertFalse(self.env["collection.debtor"].sudo().search([("partner_id", "=", child.id)]))

    def test_other_company_is_invisible(self):
        other_data = self.other_company_data()
        self.invoice(100.0, date(2024, 2, 1))
        self.invoice(70.0, date(2024, 2, 1), data=other_data)
        other = self.debtor(company=other_data["company"])
        self.assertEqual(self.statement()["total_company_currency"], 100.0)
        self.assertEqual(other.sudo()._get_statement()[other.id]["total_company_currency"], 70.0)

    def test_who_may_not_read_debtors_gets_no_statement(self):
        self.invoice(100.0, date(2024, 2, 1))
        clerk = new_test_user(self.env, "statement clerk", groups="base.group_user")
        with self.assertRaises(AccessError):
            self.debtor().with_user(clerk)._get_statement()

    def test_past_date_ignores_what_came_later(self):
        invoice = self.invoice(100.0, date(2024, 2, 1))
        self.bank_entry(60.0, date(2024, 3, 1), invoice)
        refund = self.invoice(40.0, date(2024, 4, 1), move_type="out_refund")
        (self.receivable(invoice) | self.receivable(refund)).reconcile()
        self.invoice(500.0, date(2024, 5, 1))
        for day, total in (
            (date(2024, 1, 31), 0.0),
            (date(2024, 2, 29), 100.0),
            (date(2024, 3, 1), 40.0),
            (date(2024, 4, 1), 0.0),
            (date(2024, 5, 1), 500.0),
        ):
            statement = self.statement(day)
            self.assertEqual(statement["total_company_currency"], total, day)
            self.assertEqual(sum(section["total"] for section in statement["currencies"]), total, day)
            self.assertEqual(self.ledger(day), total, day)

    def test_payment_entered_before_its_invoice_is_unallocated_until_then(self):
        payment = self.bank_entry(60.0, date(2024, 2, 1))
        invoice = self.invoice(100.0, date(2024, 3, 1))
        (self.receivable(payment) | self.receivable(invoice)).reconcile()
        (section,) = self.statement(date(2024, 2, 15))["currencies"]
        self.assertEqual(self.amounts(section), (0.0, 0.0, 60.0, -60.0))
        (section,) = self.statement(date(2024, 3, 1))["currencies"]
        self.assertEqual(self.amounts(section), (40.0, 0.0, 0.0, 40.0))

    def test_exchange_difference_is_owed_in_no_currency(self):
        invoice = self.invoice(100.0, date(2024, 2, 1), currency_id=self.gold.id)
        payment = self.bank_entry(100.0, date(2024, 3, 10), invoice, currency=self.gold)
        (section,) = self.statement(date(2024, 2, 1))["currencies"]
        self.assertEqual((section["currency"], section["total"]), (self.gold, 100.0))
        self.assertEqual(self.statement(date(2024, 2, 1))["total_company_currency"], 50.0)
        self.assertEqual(self.receivable(payment).balance, -40.0)
        for day in (date(2024, 3, 10), date(2024, 12, 31)):
            statement = self.statement(day)
            self.assertEqual(statement["currencies"], [])
            self.assertEqual(statement["total_company_currency"], self.ledger(day))
        self.assertEqual(self.ledger(date(2024, 12, 31)), 0.0)

    def test_currencies_never_mix(self):
        self.invoice(100.0, date(2024, 2, 1), currency_id=self.gold.id)
        self.invoice(10.0, date(2024, 2, 1))
        statement = self.statement(date(2024, 2, 1))
        self.assertEqual(
            [(section["currency"], section["total"]) for section in statement["currencies"]],
            [(self.usd, 10.0), (self.gold, 100.0)],
        )
        self.assertEqual(statement["total_company_currency"], 60.0)

    def test_live_statement_is_the_debtor_s_balance(self):
        invoice = self.invoice(100.0, date(2024, 2, 1))
        self.bank_entry(25.0, date(2024, 2, 3), invoice)
        self.bank_entry(10.0, date(2024, 2, 4))
        self.invoice(80.0, date(2024, 2, 1), date(2099, 1, 1))
        debtor = self.debtor()
        self.env["collection.debtor"]._refresh_balances(debtor.sudo())
        (section,) = self.statement()["currencies"]
        self.assertEqual((debtor.not_due, debtor.overdue, debtor.unallocated, debtor.total_due), self.amounts(section))
        self.assertEqual(section["total"], 145.0)

    def test_today_is_the_company_s(self):
        self.company.partner_id.tz = "America/Mexico_City"
        self.invoice(100.0, date(2024, 3, 1), date(2024, 3, 9))
        with freeze_time("2024-03-10 03:00:00"):
            self.assertEqual(self.statement()["as_of"], date(2024, 3, 9))
            self.assertEqual(self.statement()["currencies"][0]["overdue"], 0.0)
        with freeze_time("2024-03-10 12:00:00"):
            self.assertEqual(self.statement()["currencies"][0]["items"][0]["days_overdue"], 1)

    def test_nothing_owed(self):
        self.bank_entry(100.0, date(2024, 3, 1), self.invoice(100.0, date(2024, 2, 1)))
        statement = self.statement()
        self.assertEqual(statement["currencies"], [])
        self.assertEqual(statement["total_company_currency"], 0.0)

    def test_where_to_pay(self):
        self.invoice(100.0, date(2024, 2, 1))
        self.company.partner_id.bank_ids.sudo().unlink()
        self.assertEqual(self.statement()["bank_accounts"], [])
        bank = self.env["res.bank"].sudo().create({"name": "Banco del Centro"})
        self.env["res.partner.bank"].sudo().create(
            {"partner_id": self.company.partner_id.id, "acc_number": "0123 4567", "bank_id": bank.id}
        )
        (account,) = self.statement()["bank_accounts"]
        self.assertEqual((account["bank"], account["number"]), ("Banco del Centro", "0123 4567"))
        self.assertEqual(account["holder"], self.company.partner_id.name)

    def test_queries_do_not_grow_with_debtors(self):
        partners = self.env["res.partner"].create([{"name": f"Customer {number}"} for number in range(12)])
        for partner in partners:
            self.invoice(100.0, date(2024, 2, 1), partner=partner)
        debtors = (
            self.env["collection.debtor"]
            .browse([self.debtor(partner).id for partner in partners])
            .with_user(self.viewer)
        )
        for as_of in (None, date(2024, 2, 1)):
            counts = []
            debtors._get_statement(as_of)  # the registry's caches are filled once, whatever the number
            for some in (debtors[:2], debtors):
                self.env.flush_all()
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                self.assertEqual(len(some._get_statement(as_of)), len(some))
                counts.append(self.env.cr.sql_log_count - before)
            self.assertLessEqual(counts[1], counts[0])

    def test_filename_is_safe_and_in_the_customer_s_words(self):
        self.customer.name = 'A/B: "Ñandú"'
        self.invoice(100.0, date(2024, 2, 1))
        self.assertEqual(
            self.debtor()._get_statement_filename(date(2024, 2, 1)), "Statement - A-B- -Ñandú- - 2024-02-01"
        )

    @histories(7)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["invoice", "credit note", "on account", "payment"]),
                st.integers(1, 50_000),
                st.integers(0, DAYS),
                st.booleans(),
            ),
            min_size=1,
            max_size=6,
        ),
        st.lists(st.integers(0, DAYS), min_size=1, max_size=3),
    )
    def test_any_date_ties_to_the_ledger(self, operations, days):
        partner = self.env["res.partner"].create({"name": "Random"})
        for kind, cents, day, foreign in operations:
            amount, day = cents / 100, START + timedelta(days=day)
            currency = self.gold if foreign else self.usd
            if kind in ("on account", "payment"):
                moves = self.env["account.move"]
                if kind == "payment":
                    moves = moves.search(
                        [
                            ("partner_id", "=", partner.id),
                            ("move_type", "!=", "entry"),
                            ("currency_id", "=", currency.id),
                        ]
                    ).filtered("amount_residual")
                self.bank_entry(amount, day, moves, partner, currency)
            else:
                move_type = "out_invoice" if kind == "invoice" else "out_refund"
                self.invoice(amount, day, partner=partner, move_type=move_type, currency_id=currency.id)
        for day in [START + timedelta(days=day) for day in days]:
            statement = self.statement(day, partner)
            self.assertEqual(statement["total_company_currency"], self.ledger(day, partner), day)
            for section in statement["currencies"]:
                opened = sum(item["open"] for item in section["items"])
                self.assertAlmostEqual(opened, section["not_due"] + section["overdue"], 2)
                self.assertAlmostEqual(opened, sum(bucket["amount"] for bucket in section["aging"]), 2)
                self.assertAlmostEqual(section["total"], opened - section["unallocated"], 2)
        live, last = self.statement(partner=partner), self.statement(date(2099, 1, 1), partner)
        self.assertEqual(live["total_company_currency"], last["total_company_currency"])
        self.assertEqual(
            [(section["currency"], section["total"]) for section in live["currencies"]],
            [(section["currency"], section["total"]) for section in last["currencies"]],
        )
