"""Which documents a campaign speaks of: whom it reaches, what it asks for and what the statement shows agree."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from odoo import Command
from odoo.exceptions import ValidationError
from odoo.tests import Form, tagged

from ..report.statement_report import _Renderer
from .check_common import CheckCommon
from .examples import histories
from .test_campaigns import CampaignCommon

DAYS = 60
KINDS = st.sampled_from(["invoice", "invoice", "credit note", "payment"])


@tagged("post_install", "-at_install")
class TestCampaignDocuments(CampaignCommon, CheckCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.collection_tolerance = 0
        cls.sales = cls.company_data["default_journal_sale"]
        cls.exports = cls.sales.copy({"code": "EXP"})
        cls.exports.name = "Exports"

    @classmethod
    def document(cls, partner, amount, dated, journal=None, **values):
        """An invoice, overdue since yesterday, or a credit note of so many days ago."""
        dates = {"invoice_date": cls.today - timedelta(days=dated), "date": cls.today - timedelta(days=dated)}
        return cls.make_invoice(partner, amount, days=1, journal_id=(journal or cls.sales).id, **dates, **values)

    def only(self, partner, **values):
        """A campaign to this customer alone."""
        values = {"content": "overdue", "partner_domain": f"[('id', '=', {partner.id})]", **values}
        return self.make_campaign(f"Only {partner.name}", **values)

    def statement(self, campaign, partner):
        debtor = self.debtor(partner)
        return debtor._get_statement(layout=campaign._get_layout())[debtor.id]

    def outcome(self, partner, **values):
        """(recipients, what is asked for, total of the statement, its open amounts) of a campaign to this customer."""
        self.settle()
        with self.undone():
            campaign = self.only(partner, **values)
            with campaign._sampled() as notice:
                previewed = notice.amount
            count, asked = campaign.debtor_count, self.send(campaign).get(partner, 0)
            sections = self.statement(campaign, partner)["currencies"]
        self.assertEqual(previewed, asked, "the preview shows what would leave")
        opened = sorted(round(item["open"], 2) for section in sections for item in section["items"])
        return count, asked, sum(section["total"] for section in sections), opened

    def test_dates_journals_and_credits(self):
        customer = self.make_customer("Chooser")
        self.document(customer, 100, 50)
        self.document(customer, 200, 20, self.exports)
        self.document(customer, 400, 5)
        self.document(customer, 30, 20, move_type="out_refund")
        self.pay_on_account(customer, 7)
        day = self.days_ago
        between = {"document_dates": "between", "document_date_from": day(20), "document_date_to": day(20)}
        exports = {"journal_ids": [Command.set(self.exports.ids)]}
        for values, outcome in (
            ({}, (1, 663, 663, [100, 200, 400])),
            (between, (1, 163, 163, [200])),
            ({**between, "document_date_from": False}, (1, 263, 263, [100, 200])),
            ({**between, "document_date_to": False}, (1, 563, 563, [200, 400])),
            ({**between, **exports}, (1, 193, 193, [200])),
            (exports, (1, 193, 193, [200])),
            ({"document_dates": "last", "document_days": 10}, (1, 393, 393, [400])),
            ({"include_credits": False}, (1, 700, 700, [100, 200, 400])),
            ({**exports, "include_credits": False}, (1, 200, 200, [200])),
            ({**between, "document_date_from": day(15), "document_date_to": day(10)}, (0, 0, -7, [])),
        ):
            with self.subTest(values):
                self.assertEqual(self.outcome(customer, **values), outcome)

    def test_without_credits_a_customer_who_owes_nothing_in_all_is_asked_for_its_invoices(self):
        customer = self.make_customer("Prepaid")
        self.document(customer, 100, 5)
        self.pay_on_account(customer, 500)
        self.assertEqual(self.outcome(customer)[1:], (0, -400, [100]))
        self.assertEqual(self.outcome(customer, include_credits=False), (1, 100, 100, [100]))

    @histories(6)
    @given(
        st.lists(st.tuples(KINDS, st.integers(1, 50_000), st.integers(0, DAYS), st.booleans()), min_size=1, max_size=5),
        st.tuples(st.integers(0, DAYS), st.integers(0, DAYS)),
        st.booleans(),
        st.booleans(),
    )
    def test_message_statement_and_recipients_agree(self, documents, days, some_journals, with_credits):
        (first, last), total, opened = sorted(days, reverse=True), 0, []
        customer = self.make_customer("Random")
        for kind, cents, dated, is_export in documents:
            amount, chosen = cents / 100, last <= dated <= first and (is_export or not some_journals)
            if kind == "payment":
                self.pay_on_account(customer, amount, self.days_ago(dated))
                total -= cents * with_credits
                continue
            journal = self.exports if is_export else self.sales
            is_credit = kind == "credit note"
            self.document(customer, amount, dated, journal, move_type="out_refund" if is_credit else "out_invoice")
            if chosen and is_credit:
                total -= cents * with_credits
            elif chosen:
                total += cents
                opened.append(amount)
        outcome = self.outcome(
            customer,
            document_dates="between",
            document_date_from=self.days_ago(first),
            document_date_to=self.days_ago(last),
            journal_ids=[Command.set(self.exports.ids if some_journals else [])],
            include_credits=with_credits,
        )
        count, asked, of_statement, shown = outcome
        self.assertEqual(shown, sorted(opened))
        self.assertAlmostEqual(of_statement, total / 100, 2)
        self.assertAlmostEqual(asked, max(total, 0) / 100, 2)
        self.assertEqual(count, int(total > 0))

    def test_checks_in_custody(self):
        for is_booked in (False, True):
            with self.subTest(is_booked):
                self.company.collection_check_in_custody_account = is_booked
                customer = self.make_customer(f"Checks {is_booked}")
                self.document(customer, 100, 9)
                self.document(customer, 250, 5)
                self.make_check(300, days=6, partner=customer, number=f"77{is_booked:d}")
                check, rest = (300, 50) if is_booked else (100, 250)
                self.assertEqual(self.outcome(customer), (1, 50, 350, sorted([check, rest])))
                self.assertEqual(self.outcome(customer, include_checks=False), (1, 50, 50, [50]))
                statement = self.statement(self.only(customer, include_checks=False), customer)
                (section,) = statement["currencies"]
                self.assertEqual((section["covered"], statement["total_company_currency"]), (0, 50))

    def test_a_check_whose_day_has_passed_is_left_out_and_its_invoice_is_asked_for(self):
        customer = self.make_customer("Late Check")
        self.document(customer, 100, 9)
        check = self.make_check(100, days=6, partner=customer)
        self.assertEqual(self.outcome(customer, include_checks=False), (1, 0, 0, []))
        check.deposit_date = self.days_ago(1)
        self.assertEqual(self.outcome(customer, include_checks=False), (1, 100, 100, [100]))

    def test_what_leaves_is_compared_with_the_same_documents(self):
        """Of three messages of one batch two speak of a part; what happens to the rest of the ledger moves neither."""
        first, second = (self.make_customer(name) for name in ("First", "Second"))
        paid, kept = self.document(first, 100, 9, self.exports), self.document(first, 70, 9)
        self.document(second, 200, 9, self.exports)
        self.document(second, 50, 20)
        exports = {"journal_ids": [Command.set(self.exports.ids)], "content": "overdue"}
        self.settle()
        self.assertEqual(self.send(self.only(first, **exports)), {first: 100})
        self.assertEqual(self.send(self.only(second, **exports)), {second: 200})
        self.send(self.only(self.late))
        self.pay(paid)
        self.document(second, 999, 1)
        self.settle()
        self.dispatch()
        self.assertEqual(kept.amount_residual, 70)
        self.assertEqual(self.notices(first).state, "cancelled")
        self.assertEqual((self.notices(second).state, self.notices(second).amount), ("outgoing", 200))
        self.assertEqual((self.notices(self.late).state, self.notices(self.late).amount), ("outgoing", 1000))

    def test_the_statement_says_that_it_is_a_part(self):
        self.speak_spanish()
        campaign = self.only(
            self.late,
            document_dates="between",
            document_date_from="2024-01-01",
            journal_ids=[Command.set((self.sales | self.exports).ids)],
            include_credits=False,
            include_checks=False,
        )

        def page(layout=None):
            debtor = self.debtor(self.late)
            statement = debtor._get_statement(**({"layout": layout} if layout else {}))[debtor.id]
            return _Renderer(self.env).render(statement)

        for text in (
            "This is a part of what is open.",
            "Documents from 01/01/2024 on.",
            f"Journals: {self.sales.name}, Exports.",
            "Unallocated payments and credit notes are left out.",
            "Checks in custody and what they cover are left out.",
        ):
            self.assertIn(text, page(campaign._get_layout()))
            self.assertNotIn(text, page())
        self.late.lang = "es_MX"
        self.assertIn("Es una parte de lo que está pendiente.", page(campaign._get_layout()))

    def test_the_recipients_are_counted_while_documents_are_chosen(self):
        self.document(self.early, 10, 3, self.exports)
        self.settle()
        with Form(self.Campaign.with_company(self.company)) as form:
            form.name = "Live"
            form.template_id = self.summary
            before = form.debtor_count
            form.journal_ids.add(self.exports)
            self.assertEqual((before, form.debtor_count), (3, 1))
            form.content = "overdue"
            self.assertEqual(form.debtor_count, 1)
            form.document_dates = "last"
            form.document_days = 2
            self.assertEqual(form.debtor_count, 0)
        campaign = self.Campaign.search([("name", "=", "Live")])
        campaign.document_days = 3
        self.assertEqual(self.Debtor.search(campaign.action_open_audience()["domain"]).partner_id, self.early)

    def test_what_cannot_be(self):
        other = self.env["res.company"].create({"name": "Other Company"})
        journals = self.env["account.journal"].with_company(other)
        theirs = journals.create({"name": "Their Sales", "code": "THS", "type": "sale", "company_id": other.id})
        purchases = self.company_data["default_journal_purchase"]
        for text, values in (
            (
                "dates of the documents of “Wrong” end before they start",
                {
                    "document_dates": "between",
                    "document_date_from": "2026-02-01",
                    "document_date_to": "2026-01-01",
                },
            ),
            ("“Wrong” goes back one day or more", {"document_dates": "last", "document_days": 0}),
            ("“Their Sales” is no sales journal of", {"journal_ids": [Command.set(theirs.ids)]}),
            (f"“{purchases.name}” is no sales journal of", {"journal_ids": [Command.set(purchases.ids)]}),
        ):
            with self.subTest(text), self.assertRaisesRegex(ValidationError, text):
                self.make_campaign("Wrong", **values)

    def test_without_sales_nobody_is_asked_about_deliveries(self):
        self.assertNotIn("sale.order", self.env, "another test has a database with it")
        for model in ("collection.campaign", "collection.level", "collection.statement.wizard"):
            arch = self.env[model].get_view(view_type="form")["arch"]
            self.assertNotIn("include_deliveries", arch)
            self.assertNotIn("Beside Them", arch)
        campaign = self.only(self.late, include_deliveries=True)
        self.assertEqual(self.statement(campaign, self.late)["deliveries"], [])

    def test_the_same_statements_with_chosen_documents(self):
        few = self.make_campaign("Few", partner_domain=f"[('id', '=', {self.late.id})]", include_credits=False)
        many = self.make_campaign("Many", include_credits=False)
        plain = self.make_campaign("Plain")
        counts = [
            self.count_statements(lambda campaign=campaign: campaign._decide(campaign.run_ids, self.today, "queued"))
            for campaign in (plain, plain, few, many)
        ]
        self.assertEqual(counts[2], counts[3])
        self.assertLessEqual(counts[2], counts[1] + 2, "one more for its journals, one for whom it reaches")
