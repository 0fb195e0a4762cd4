"""What a check in hand covers: in dunning, on the invoice, in the statement, in mails, in the portal, on the debtor."""

from datetime import timedelta

from odoo import Command
from odoo.tests import HttpCase, new_test_user, tagged

from .check_common import CheckCommon
from .test_ladder import LadderCommon


class CoverCommon(CheckCommon, LadderCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls.make_invoice(cls.customer, 1000, days=40)
        cls.company.partner_id.lang = cls.customer.lang = "en_US"
        cls.gold = cls.make_currency("XGC", {900: 2})

    @classmethod
    def book_custody(cls):
        cls.company.collection_check_in_custody_account = True

    def day(self, days):
        return self.today + timedelta(days=days)

    def statement(self, as_of=None, partner=None):
        debtor = self.debtor(partner or self.customer)
        return debtor._get_statement(as_of)[debtor.id]


@tagged("post_install", "-at_install")
class TestCheckCover(CoverCommon):
    # === Dunning ===#

    def test_full_cover(self):
        self.make_check(1000, days=10)
        for days in (0, 5, 10):
            self.assertFalse(self.night(self.day(days)), f"day {days}")
        self.assertEqual(self.debtor(self.customer).total_due, 1000)

    def test_partial_cover(self):
        self.make_check(600, days=10)
        notice = self.night()
        self.assertEqual((self.told(notice), self.level_of(notice)), ({self.invoice: 400}, 30))

    def test_the_day_after(self):
        self.make_check(1000, days=10)
        self.assertEqual(self.told(self.night(self.day(11))), {self.invoice: 1000})

    def test_check_in_another_currency(self):
        self.make_check(800, days=10, currency_id=self.gold.id)
        self.assertEqual(self.told(self.night()), {self.invoice: 600}, "two gold pieces are a dollar")

    def test_two_checks_and_an_uncovered_invoice(self):
        other = self.make_invoice(self.customer, 300, days=5)
        self.make_check(500, days=3)
        self.make_check(500, days=8)
        first = self.night()
        self.assertEqual(self.told(first), {other: 300})
        first._cancel("By hand")
        self.assertEqual(self.told(self.night(self.day(4))), {self.invoice: 500, other: 300})

    def test_on_hold_covers(self):
        self.make_check(1000, days=10)._hold(self.today, "Lost the ink")
        self.assertFalse(self.night())

    def test_a_draft_covers_nothing(self):
        self.make_check(1000, days=10, receive=False)
        self.assertEqual(self.told(self.night()), {self.invoice: 1000})

    def test_returned_cancelled_and_bounced_cover_nothing(self):
        for end in ("return", "cancel"):
            check = self.make_check(1000, days=10)
            getattr(check, f"_{end}")(self.today)
        bounced = self.make_check(1000)
        bounced._deposit(self.today)
        self.assertFalse(self.night(), "paid, as far as anybody knows")
        bounced._bounce(self.today, "Insufficient funds")
        self.assertEqual(self.told(self.night(self.day(1))), {self.invoice: 1000})

    def test_queued_before_the_check_came(self):
        partly = self.make_customer("Partly")
        half = self.make_invoice(partly, 700, days=40)
        whole_notice = self.night().filtered(lambda notice: notice.partner_id == self.customer)
        part_notice = self.notices(partly)
        self.make_check(1000, days=10)
        self.make_check(200, days=10, partner=partly)
        self.dispatch()
        self.assertEqual((whole_notice.state, part_notice.state), ("cancelled", "outgoing"))
        self.assertIn("Nothing is left to ask for", whole_notice.reason)
        self.assertEqual((self.told(part_notice), part_notice.amount), ({half: 500}, 500))
        self.assertIn("Apart from what Check 00002 (Banco del Bajio) pays on", part_notice.message_id.body)
        self.assertIn("200.00", part_notice.message_id.body)

    # === Dunning, where custody is booked ===#

    def test_booked_in_custody(self):
        self.book_custody()
        check = self.make_check(1000, days=10)
        self.assertEqual((self.invoice.amount_residual, check._get_custody_line().amount_residual), (0, 1000))
        for days in (0, 10):
            self.assertFalse(self.night(self.day(days)), f"day {days}")
        self.assertEqual(self.told(self.night(self.day(13))), {check.custody_move_id: 1000})

    def test_the_advance_in_a_booked_check_is_no_money_yet(self):
        self.book_custody()
        self.make_check(1500, days=10)
        late = self.make_invoice(self.customer, 500, days=20)
        self.assertEqual(self.told(self.night()), {late: 500})

    def test_totals_tie_to_the_ledger(self):
        for booked in (False, True):
            self.company.collection_check_in_custody_account = booked
            customer = self.make_customer(f"Tied {booked}")
            self.make_invoice(customer, 1000, days=40)
            check = self.make_check(1200, days=0, partner=customer)
            self.assertEqual(self.debtor(customer).total_due, 1000)
            self.assertEqual(self.owed(customer), 1000)
            self.assertEqual(self.statement(partner=customer)["total_company_currency"], 1000)
            check._deposit(self.today)
            self.assertEqual((self.debtor(customer).total_due, self.owed(customer)), (-200, -200))

    # === The invoice ===#

    def test_the_invoice_says_so(self):
        check = self.make_check(600, days=10)
        text = self.invoice.collection_cover_text
        self.assertIn(f"Covered by Check {check.number} (Banco del Bajio), deposit on ", text)
        self.assertTrue(text.endswith("600.00"), text)
        found = self.env["account.move"].search(
            [("collection_check_line_ids.check_id.state", "in", ("custody", "hold")), ("id", "=", self.invoice.id)]
        )
        self.assertEqual(found, self.invoice)
        check._return(self.today)
        self.invoice.invalidate_recordset(["collection_cover_text"])
        self.assertFalse(self.invoice.collection_cover_text)

    def test_paid_meanwhile_is_not_covered(self):
        self.make_check(1000, days=10)
        self.pay(self.invoice, 700)
        self.assertIn("300.00", self.invoice.collection_cover_text)
        self.pay(self.invoice)
        self.invoice.invalidate_recordset(["collection_cover_text"])
        self.assertFalse(self.invoice.collection_cover_text)

    def test_a_list_costs_no_query_per_invoice(self):
        def count(number):
            customer = self.make_customer(f"Listed {number}")
            moves = self.make_invoices(*[(customer, 100, 5)] * number)
            self.make_check(100 * number, days=10, partner=customer)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertTrue(all(moves.mapped("collection_cover_text")))
            return self.env.cr.sql_log_count - before

        few = count(2)
        self.assertLessEqual(count(12), few + 1)

    def test_who_may_not_see_checks_reads_nothing(self):
        self.make_check(1000, days=10)
        employee = self.make_user("covered_employee", "base.group_user")
        # sudo(False): a person, as an extension that lets salespeople read invoices would have it
        self.assertFalse(self.invoice.with_user(employee)._get_covering_lines())
        reader = self.make_user("covered_reader", "account.group_account_readonly")
        self.assertIn("Covered by", self.invoice.with_user(reader).collection_cover_text)

    # === The statement ===#

    def test_statement(self):
        check = self.make_check(600, days=10)
        before = self.statement()["currencies"][0]
        (item,) = before["items"]
        self.assertEqual(
            item["covers"],
            [
                {
                    "check": f"Check {check.number} (Banco del Bajio)",
                    "deposit_date": self.day(10),
                    "amount": 600,
                }
            ],
        )
        self.assertEqual((before["overdue"], before["total"], before["covered"]), (1000, 1000, 600))

    def test_statement_of_a_past_day(self):
        """A check counts where it was in hand at the end of that day, whatever came of it."""
        check = self.make_check(600, days=-2, receipt_date=self.day(-20), face_date=self.day(-20))

        def covered(days):
            sections = self.statement(self.day(days))["currencies"]
            return sections[0]["covered"]

        self.assertEqual([covered(days) for days in (-21, -20, -3, 0)], [0, 600, 600, 600])
        check._deposit(self.day(-2))
        self.assertEqual([covered(days) for days in (-21, -20, -3, -2, 0)], [0, 600, 600, 0, 0])
        check._bounce(self.day(-1), "Insufficient funds")
        self.assertEqual([covered(days) for days in (-20, -3, -2, -1, 0)], [600, 600, 0, 0, 0])
        self.assertEqual(self.statement()["currencies"][0]["total"], 1000)

    def test_statement_where_custody_is_booked(self):
        self.book_custody()
        check = self.make_check(1500, days=10)
        section = self.statement()["currencies"][0]
        (item,), (credit,) = section["items"], section["credits"]
        name = f"Check {check.number} (Banco del Bajio)"
        self.assertEqual((item["document"], item["deposit_date"], item["open"]), (name, self.day(10), 1500))
        self.assertEqual((credit["document"], credit["kind"], credit["open"]), (name, "check", 500))
        self.assertEqual((section["not_due"], section["total"], section["covered"]), (1500, 1000, 0))
        check._cancel(self.today)
        # What was reconciled is undone: of that day the ledger still knows the entry that held the check.
        past = self.statement(self.day(-5))["currencies"][0]
        self.assertEqual([item["document"] for item in past["items"]], [self.invoice.name, name])
        self.assertEqual([(credit["document"], credit["open"]) for credit in past["credits"]], [(name, 1500)])
        self.assertEqual((past["total"], past["covered"]), (1000, 0), "what is booked is owed, and covers nothing")
        self.assertEqual(self.statement()["currencies"][0]["items"][0]["document"], self.invoice.name)

    def test_statement_html_in_the_customer_s_language(self):
        self.speak_spanish()
        self.customer.lang = "es_MX"
        self.make_check(600, days=10)
        report = self.env["report.account_collection.report_statement"]
        body = "".join(report._get_report_values(self.debtor(self.customer).ids)["bodies"])
        self.assertIn("Cubierto por", body)
        self.assertIn("Cheque 00001 (Banco del Bajio)", body)
        self.assertNotIn("Covered by", body)
        self.assertIn("600.00", body)

    # === The debtor ===#

    def test_debtor(self):
        self.make_check(600, days=10)
        self.make_check(200, days=4, suggest=False, currency_id=self.gold.id)
        bounced = self.make_check(50)
        bounced._deposit(self.today)
        bounced._bounce(self.today, "Insufficient funds")
        debtor = self.debtor(self.customer)
        self.assertEqual(
            (debtor.check_amount, debtor.check_in_hand_count, debtor.check_next_date), (700, 2, self.day(4))
        )
        self.assertEqual((debtor.last_bounce_date, debtor.bounce_count), (self.today, 1))


@tagged("post_install", "-at_install")
class TestCheckPortal(CoverCommon, HttpCase):
    def test_the_customer_sees_its_own(self):
        check = self.make_check(600, days=10)
        stranger = self.make_customer("Stranger")
        foreign = self.make_invoice(stranger, 500, days=3)
        self.make_check(500, days=10, partner=stranger, number="99887")
        new_test_user(
            self.env,
            "covered customer",
            password="covered customer",
            groups="base.group_portal",
            partner_id=self.customer.id,
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self.authenticate("covered customer", "covered customer")
        page = self.url_open("/my/invoices").text
        self.assertIn(f"Covered by Check {check.number} (Banco del Bajio), deposit on", page)
        self.assertNotIn("99887", page)
        page = self.url_open(self.invoice.get_portal_url()).text
        self.assertIn(f"Covered by Check {check.number} (Banco del Bajio), deposit on", page)
        self.assertIn("600.00", page)
        answer = self.url_open(f"/my/invoices/{foreign.id}")
        self.assertNotIn("99887", answer.text)

    def test_by_a_link_that_was_mailed(self):
        self.make_check(600, days=10)
        page = self.url_open(self.invoice._get_share_url(redirect=True))
        self.assertIn("Covered by Check", page.text)
