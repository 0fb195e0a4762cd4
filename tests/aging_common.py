from collections import defaultdict
from datetime import timedelta

from hypothesis import strategies as st

from ..engine import aging
from .test_statement import DAYS, START

OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["invoice", "credit note", "on account", "payment", "payment", "reversal"]),
        st.integers(1, 50_000),
        st.integers(0, DAYS),
        st.booleans(),
        st.booleans(),
    ),
    min_size=2,
    max_size=7,
)


class AgingCommon:
    """Aging reports, and what they must say, counted in plain Python from the journal items one by one.

    Beside :class:`CollectionCommon`.
    """

    def make_aging(self, as_of=None, user=None, **values):
        report = self.env["collection.aging"].with_user(user or self.env.user)
        values = {"company_id": self.company.id, "as_of": as_of or self.today, **values}
        return report.with_company(self.company).create(values)

    def aging(self, as_of=None, user=None, **values):
        """The rows of a report."""
        self.settle()
        report = self.make_aging(as_of, user, **values)
        report._fill()
        return (
            self.env["collection.aging.line"].with_user(user or self.env.user).search([("wizard_id", "=", report.id)])
        )

    def count_open_items(self, as_of, own=False, contractual=False):
        """[(customer, currency, residual, due date, line)] at the end of a day."""
        lines = self.env["account.move.line"].search(
            [
                ("account_id.account_type", "=", "asset_receivable"),
                ("company_id", "=", self.company.id),
                ("partner_id", "!=", False),
                ("parent_state", "=", "posted"),
                ("date", "<=", as_of),
            ]
        )
        rows = []
        for line in lines:
            left = line.amount_currency if own else line.balance
            for part in line.matched_credit_ids.filtered(lambda part: part.max_date <= as_of):
                left -= part.debit_amount_currency if own else part.amount
            for part in line.matched_debit_ids.filtered(lambda part: part.max_date <= as_of):
                left += part.credit_amount_currency if own else part.amount
            due = (contractual and line.collection_contractual_date) or line.date_maturity or line.date
            currency = line.currency_id if own else self.company.currency_id
            if left := currency.round(left):
                rows.append((line.partner_id.commercial_partner_id, currency, left, due, line))
        return rows

    def expected_aging(self, as_of, edges=(30, 60, 90), by_document=False, **how):
        """{(customer, currency, line or None): [not due, each bucket, unallocated, total]}"""
        width = len(edges) + 2
        rows = defaultdict(lambda: [0.0] * (width + 2))
        for customer, currency, left, due, line in self.count_open_items(as_of, **how):
            row = rows[customer, currency, line if by_document else self.env["account.move.line"]]
            place = aging.bucket_index((as_of - due).days, edges) if left > 0 else width
            row[place] += left
            row[-1] += left
        return {key: [key[1].round(amount) for amount in row] for key, row in rows.items()}

    def said_aging(self, rows, buckets=4):
        names = ["not_due", *(f"bucket_{number}" for number in range(1, buckets + 1)), "unallocated", "total"]
        return {
            (row.partner_id, row.currency_id, row.move_line_id): [row.currency_id.round(row[name]) for name in names]
            for row in rows
        }

    def check_aging(self, *days):
        """At the end of each day: row by row what the items say, and in sum the balance of the customers' accounts."""
        for as_of in days:
            rows = self.aging(as_of)
            self.assertEqual(self.said_aging(rows), self.expected_aging(as_of), as_of)
            self.assertAlmostEqual(sum(rows.mapped("total")), self.receivable_balance(as_of), 2)

    def receivable_balance(self, as_of):
        """What the accounts say, whatever was reconciled."""
        groups = self.env["account.move.line"]._read_group(
            [
                ("account_id.account_type", "=", "asset_receivable"),
                ("company_id", "=", self.company.id),
                ("partner_id", "!=", False),
                ("parent_state", "=", "posted"),
                ("date", "<=", as_of),
            ],
            [],
            ["balance:sum"],
        )
        return groups[0][0] or 0.0

    def check_recent_aging(self):
        self.check_aging(self.today, self.today - timedelta(days=11), self.today - timedelta(days=45))

    def live_through(self, operations):
        """Documents and payments of two customers in two currencies, beside :class:`StatementCommon`."""
        Move, entries = self.env["account.move"], []
        for kind, cents, days, foreign, other in operations:
            amount, day = cents / 100, START + timedelta(days=days)
            currency = self.gold if foreign else self.usd
            partner = self.second if other else self.customer
            if kind == "reversal" and entries:
                entry = entries.pop()
                entry._reverse_moves([{"date": max(day, entry.date)}], cancel=True)
            elif kind in ("on account", "payment"):
                owed = Move.search([("partner_id", "=", partner.id), ("move_type", "!=", "entry")])
                owed = owed.filtered("amount_residual") if kind == "payment" else Move
                entries.append(self.bank_entry(amount, day, owed, partner, currency))
            else:
                move_type = "out_refund" if kind == "credit note" else "out_invoice"
                due = day + timedelta(days=cents % 40)
                invoice = self.invoice(amount, day, due, partner, move_type=move_type, currency_id=currency.id)
                self.receivable(invoice).collection_contractual_date = due - timedelta(days=cents % 7)
