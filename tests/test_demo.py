from datetime import date, timedelta
from unittest.mock import patch

from stdnum.mx import rfc

from odoo.tests import TransactionCase, tagged

from ..demo import collection_demo, identifiers, parties, people, plan
from ..engine import checks, dunning


@tagged("post_install", "-at_install")
class TestDemo(TransactionCase):
    """The demo data, loaded once for the whole class and rolled back."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mails_before = cls.env["mail.mail"].search([])
        Module = cls.env.registry["ir.module.module"]
        update = Module._update_translations

        def update_ours(modules, *args, **kwargs):
            update(modules.filtered(lambda module: module.name == "account_collection"), *args, **kwargs)

        # Odoo's own Spanish texts take a tenth of the time and nothing here reads them.
        with patch.object(Module, "_update_translations", update_ours):
            collection_demo.load(cls.env)
        cls.mexican = parties.ref(cls.env, "company_mx")
        cls.american = parties.ref(cls.env, "company_us")
        cls.companies = cls.mexican + cls.american
        cls.partners = cls.env["res.partner"].concat(
            *(parties.ref(cls.env, f"customer_{index}") for index in range(len(people.CUSTOMERS)))
        )
        cls.today = cls.mexican._get_collection_today()
        cls.Notice = cls.env["collection.notice"]

    def invoices(self, company, *types):
        """The documents of the plan: penalties of bounced checks are drafts that wait for a person."""
        return self.env["account.move"].search(
            [("company_id", "=", company.id), ("move_type", "in", types), ("postdated_check_id", "=", False)]
        )

    def open_lines(self, company):
        return self.env["account.move.line"].search(
            [
                ("company_id", "=", company.id),
                ("account_id.account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
                ("amount_residual", "!=", 0),
            ]
        )

    def test_two_companies_and_their_currencies(self):
        self.assertEqual(self.companies.mapped("currency_id.name"), ["MXN", "USD"])
        for company in self.companies:
            entries = self.env["account.move"].search([("company_id", "=", company.id)])
            self.assertEqual(set(entries.line_ids.company_currency_id), set(company.currency_id))
        self.assertFalse(self.mexican.collection_policy_id.requires_approval)
        self.assertTrue(self.american.collection_policy_id.requires_approval)

    def test_three_portfolios_whose_debtors_have_a_collector(self):
        portfolios = parties.ref(self.env, "portfolio_wholesale").search([("company_id", "=", self.mexican.id)])
        self.assertEqual(portfolios.mapped("name"), ["Mayoreo", "Obra", "Resto de los clientes"])
        for portfolio in portfolios:
            self.assertTrue(portfolio.debtor_count, portfolio.name)
            debtors = self.env["collection.debtor"].search([("portfolio_id", "=", portfolio.id)])
            self.assertLessEqual(debtors.collector_id, portfolio.collector_ids)

    def test_sixty_customers_with_valid_tax_ids(self):
        self.assertEqual(len(self.partners), 60)
        mexican = self.partners.filtered(lambda partner: partner.country_id.code == "MX")
        tax_ids = (mexican + self.mexican.partner_id).mapped("vat")
        self.assertEqual(len(set(tax_ids)), len(mexican) + 1)
        for tax_id in tax_ids:
            rfc.validate(tax_id, validate_check_digits=True)

    def test_bank_accounts_of_the_peso_company_are_well_formed(self):
        for account in self.mexican.partner_id.bank_ids:
            self.assertEqual(len(account.acc_number), 18)
            self.assertEqual(identifiers.clabe(account.acc_number[3:6], account.acc_number[6:17]), account.acc_number)

    def test_a_year_of_invoices_of_every_kind(self):
        invoices = self.invoices(self.mexican, "out_invoice") + self.invoices(self.american, "out_invoice")
        credits = self.invoices(self.mexican, "out_refund")
        self.assertGreaterEqual(len(invoices), 450)
        self.assertGreaterEqual(len(invoices + credits + self.invoices(self.american, "out_refund")), 480)
        self.assertEqual(set(invoices.mapped("state")), {"posted"})
        self.assertGreaterEqual(min(invoices.mapped("invoice_date")), self.today - timedelta(days=plan.YEAR))
        self.assertLessEqual(max(invoices.mapped("invoice_date")), self.today)
        self.assertEqual({"paid", "partial", "not_paid"} - set(invoices.mapped("payment_state")), set())
        self.assertTrue(invoices.filtered(lambda move: move.currency_id != move.company_id.currency_id))
        self.assertTrue(invoices.filtered("collection_no_dun"))
        open_lines = self.open_lines(self.mexican)
        self.assertTrue(open_lines.filtered(lambda line: line.move_id.move_type == "out_refund"))
        self.assertTrue(open_lines.filtered(lambda line: line.move_id.move_type == "entry" and line.balance < 0))
        self.assertTrue([move for move in invoices if len(move.line_ids.filtered("date_maturity")) >= 3])

    def test_due_dates_are_those_of_the_plan(self):
        planned = sorted(
            self.today - timedelta(days=days)
            for company_plan in plan.make_plan().values()
            for bill in company_plan.bills
            if not bill.credits
            for days in bill.due_days()
        )
        invoices = self.invoices(self.mexican, "out_invoice") + self.invoices(self.american, "out_invoice")
        invoices = invoices.filtered(lambda move: move.collection_credit_basis == "invoice")
        lines = invoices.line_ids.filtered(lambda line: line.account_id.account_type == "asset_receivable")
        self.assertEqual(sorted(lines.mapped("date_maturity")), planned)

    def test_reviews_are_on_every_step(self):
        invoices = self.invoices(self.mexican, "out_invoice")
        reviewed = invoices.filtered(lambda move: move.collection_credit_basis == "review")
        self.assertLessEqual({"pending", "submitted", "accepted"}, set(reviewed.mapped("collection_review_state")))
        accepted = reviewed.filtered(lambda move: move.collection_review_state == "accepted")
        self.assertTrue(all(accepted.mapped("collection_receipt_number")))
        for move in reviewed:
            self.assertGreaterEqual(move.invoice_date_due, move.collection_contractual_date)
        self.assertTrue(invoices.filtered(lambda move: move.collection_credit_basis == "delivery"))

    def test_checks_are_in_every_state_around_today(self):
        Check = self.env["account.postdated.check"]
        found = Check.search([("company_id", "in", self.companies.ids)])
        self.assertGreaterEqual(len(found), 25)
        self.assertEqual(set(found.mapped("state")), set(dict(Check._fields["state"].selection)))
        in_hand = found.filtered(lambda check: check.state in checks.IN_HAND)
        for company in self.companies:
            mine = in_hand.filtered(lambda check: check.company_id == company)
            self.assertIn(self.today, mine.mapped("deposit_date"), company.name)
            self.assertTrue(all(bool(check.custody_move_id) == (company == self.american) for check in mine))
        self.assertLess(min(in_hand.mapped("deposit_date")), self.today - timedelta(days=4))
        self.assertTrue(found.filtered("penalty_move_id") and found.filtered("advance_amount"))
        self.assertTrue(any(found.line_ids.move_id.mapped("collection_cover_text")))
        replaced = found.filtered(lambda check: check.state == "replaced")
        self.assertEqual(replaced.replaced_by_id.state, "custody")
        entries = found.entry_ids.filtered(lambda move: move.state == "posted")
        self.assertTrue(entries)
        self.assertEqual(self.mexican.currency_id.round(sum(entries.line_ids.mapped("balance"))), 0)

    def test_promises_disputes_and_calls_of_every_outcome(self):
        promises = self.env["collection.promise"].search([("company_id", "in", self.companies.ids)])
        self.assertEqual(set(promises.mapped("state")), {"open", "kept", "partly", "broken"})
        self.assertEqual(len(promises.filtered("plan_id")), 3)
        disputes = self.env["collection.dispute"].search([("company_id", "in", self.companies.ids)])
        self.assertEqual(set(disputes.mapped("state")), {"open", "accepted", "rejected"})
        calls = self.env["collection.interaction"].search([("company_id", "in", self.companies.ids)])
        self.assertGreaterEqual(len(calls), 8)
        self.assertTrue(all(calls.mapped("outcome_id")) and calls.promise_ids and calls.dispute_ids)

    def test_tonight_every_alert_of_checks_has_a_case(self):
        for company in self.companies:
            self.env["account.postdated.check"]._alert_company(company, self.today)
        alerts = self.env["account.postdated.check.alert"].search([("check_id.company_id", "in", self.companies.ids)])
        self.assertEqual(set(alerts.mapped("kind")), {"due", "soon", "deadline", "stale", "inactive"})

    def test_past_forecasts_and_what_works_show_something(self):
        for company in self.companies:
            rows = self.env["collection.forecast.report"].search([("company_id", "=", company.id)])
            self.assertEqual(len(set(rows.mapped("made_on"))), 3)
            self.assertTrue(any(rows.mapped("received")) and any(rows.mapped("error")))
        report = self.env["collection.effect"].with_company(self.mexican).create({"company_id": self.mexican.id})
        report._fill()
        self.assertTrue(any(report.line_ids.mapped("paid_7")))
        self.assertGreater(len(report.line_ids.template_id), 2)

    def test_the_cash_plan_has_every_kind_in_two_currencies(self):
        rows = self.env["collection.cash.plan"].search([("company_id", "=", self.mexican.id)])
        self.assertEqual(set(rows.mapped("kind")), {"overdue", "invoice", "check", "credit", "promise"})
        self.assertEqual(set(rows.currency_id.mapped("name")), {"MXN", "USD"})

    def test_the_plan_is_the_same_every_time(self):
        self.assertEqual(plan.make_plan(), plan.make_plan())

    def test_every_level_is_reached_on_any_day_of_the_year(self):
        ladders = self.env["collection.run"]._get_ladders(self.mexican, date(2028, 1, 1))
        levels = ladders[self.mexican.collection_policy_id.id].rungs.levels
        steps = {level.day_from for level in levels}
        self.assertEqual(steps, {-7, -1, 0, 3, 15, 30, 60})
        days = [date(2028, 1, 1) + timedelta(days=number) for number in range(366)] + [date(2027, 2, 28)]
        for today in days:
            rungs = dunning.Rungs(levels, today)
            for code in (plan.MX, plan.US):
                reached = set()
                for standing in filter(lambda standing: standing is not plan.SETTLED, plan.STANDINGS[code]):
                    item = dunning.Item(1, today - timedelta(days=standing), 1, 10000, 10000)
                    level = dunning.reached([item], rungs)
                    if level and standing == level.day_from:
                        reached.add(level.day_from)
                self.assertEqual(reached, steps, f"{code} on {today}")

    def test_tonight_every_level_speaks_and_the_dollar_company_waits(self):
        for company, state in ((self.mexican, "queued"), (self.american, "proposed")):
            with self.subTest(company=company.name):
                run = self.env["collection.run"].with_company(company)._run_company(company, self.today)
                notices = run.notice_ids
                self.assertEqual(set(notices.level_id), set(company.collection_policy_id.level_ids))
                self.assertEqual(set(notices.mapped("state")), {state})
                quiet = notices.debtor_id.filtered(lambda debtor: debtor._is_on_hold(self.today))
                self.assertFalse(quiet)

    def test_dollars_and_pesos_are_told_apart(self):
        run = self.env["collection.run"].with_company(self.mexican)._run_company(self.mexican, self.today)
        dollars = self.env.ref("base.USD")
        notices = run.notice_ids.filtered(lambda notice: dollars in notice.line_ids.currency_id)
        self.assertTrue(notices)
        for notice in notices:
            self.assertIn("USD", notice.balance_text)
            self.assertIn("USD", notice.items_html)
            self.assertEqual("MXN" in notice.balance_text, len(notice.line_ids.currency_id) > 1)
            self.assertIn("(USD)", notice.bank_accounts_html)

    def test_the_past_is_told_and_nothing_of_it_is_mailed(self):
        notices = self.Notice.search([("company_id", "in", self.companies.ids), ("date", "<", self.today)])
        self.assertGreater(len(notices), 100)
        self.assertFalse(notices.filtered(lambda notice: notice.state in ("proposed", "queued", "outgoing")))
        sent = notices.filtered(lambda notice: notice.state == "sent")
        self.assertTrue(all(notice.sent_on == notice.date for notice in sent))
        self.assertTrue(all(notice.message_id.date.date() == notice.date for notice in sent))
        self.assertFalse(sent.mail_id)
        self.assertEqual(set(notices.run_id.mapped("state")), {"done"})
        self.assertFalse(notices.run_id.activity_ids)
        self.assertEqual(self.env["mail.mail"].search([]), self.mails_before)
        debtors = self.env["collection.debtor"].search([("company_id", "=", self.mexican.id)])
        self.assertGreaterEqual(len(debtors.level_id), 6)

    def test_balances_equal_the_ledger(self):
        for company in self.companies:
            lines = self.open_lines(company)
            debtors = self.env["collection.debtor"].search([("company_id", "=", company.id)])
            self.assertEqual(
                debtors.partner_id & lines.partner_id.commercial_partner_id, lines.partner_id.commercial_partner_id
            )
            for debtor in debtors:
                mine = lines.filtered(lambda line: line.partner_id.commercial_partner_id == debtor.partner_id)
                late = mine.filtered(lambda line: line.amount_residual > 0 and line.date_maturity < self.today)
                self.assertAlmostEqual(debtor.total_due, sum(mine.mapped("amount_residual")), places=2)
                self.assertAlmostEqual(debtor.overdue, sum(late.mapped("amount_residual")), places=2)

    def test_a_second_load_changes_nothing(self):
        before = self.env["account.move"].search_count([])
        collection_demo.load(self.env)
        self.assertEqual(self.env["account.move"].search_count([]), before)
