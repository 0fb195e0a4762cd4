"""Disputes: exactly their amount is not dunned, and what ends them."""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from .test_promises import PromiseCommon
from .test_rights import RightsCommon


class DisputeCommon(PromiseCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Dispute = cls.env["collection.dispute"]
        cls.reason = cls.env.ref("account_collection.dispute_reason_price")

    @classmethod
    def dispute(cls, move=None, **values):
        move = move or cls.invoice
        return cls.Dispute.create(
            {
                "debtor_id": cls.debtor(move.partner_id).id,
                "move_id": move.id,
                "reason_id": cls.reason.id,
                "opened_on": cls.today,
                **values,
            }
        )


@tagged("post_install", "-at_install")
class TestDisputes(DisputeCommon):
    # === Dunning ===#

    def test_by_default_all_that_is_open(self):
        self.pay(self.invoice, 300)
        self.assertEqual(self.dispute().amount, 700)
        self.assertFalse(self.night())

    def test_exactly_its_amount_is_not_dunned(self):
        dispute = self.dispute(amount=400)
        self.assertEqual(self.told(self.night()), {self.invoice: 600})
        self.notices(self.customer)._cancel("By hand")
        dispute.action_reject()
        self.assertEqual(self.told(self.night(self.day(1))), {self.invoice: 1000})

    def test_instalments_of_an_invoice_oldest_first(self):
        move = self.make_invoice(self.make_customer("Halves"), 200, days=10, invoice_payment_term_id=self.halves.id)
        first, second = self.receivable(move).sorted("id")
        first.date_maturity, second.date_maturity = self.day(-10), self.day(-5)
        self.dispute(move, amount=150)
        notice = self.night().filtered(lambda notice: notice.partner_id == move.partner_id)
        self.assertEqual([(line.move_line_id, line.amount) for line in notice.line_ids], [(second, 50)])

    def test_beside_a_promise_and_a_check(self):
        self.dispute(amount=300)
        self.make_check(200, days=5)
        self.promise(400)
        self.assertEqual(self.told(self.night()), {self.invoice: 100})

    def test_a_draft_credit_note_answers_until_it_is_posted(self):
        dispute = self.dispute(amount=400)
        dispute.action_accept()
        self.assertEqual(self.told(self.night()), {self.invoice: 600})
        self.notices(self.customer)._cancel("By hand")
        dispute.credit_move_id.action_post()
        self.assertEqual(self.told(self.night(self.day(10))), {self.invoice: 600}, "a credit to apply")

    # === What it ends in ===#

    def test_accepted_as_a_whole_it_is_reversed(self):
        dispute = self.dispute()
        dispute.action_accept()
        credit = dispute.credit_move_id
        self.assertEqual((credit.move_type, credit.state, credit.amount_total), ("out_refund", "draft", 1000))
        self.assertEqual((credit.reversed_entry_id, credit.invoice_line_ids.name), (self.invoice, "Goods"))
        self.assertEqual((dispute.state, dispute.closed_on), ("accepted", self.today))

    def test_accepted_in_part_it_is_credited_to_the_cent(self):
        move = self.make_invoice(self.customer, 500, days=5, currency_id=self.gold.id)
        dispute = self.dispute(move, amount=123.45)
        dispute.action_accept()
        credit = dispute.credit_move_id
        self.assertEqual((credit.state, credit.amount_total, credit.currency_id), ("draft", 123.45, self.gold))
        self.assertEqual((len(credit.invoice_line_ids), credit.reversed_entry_id), (1, move))
        self.assertIn("Price or discount", credit.invoice_line_ids.name)

    def test_over_it_is_over(self):
        dispute = self.dispute()
        dispute.action_close()
        self.assertEqual(dispute.state, "closed")
        with self.assertRaisesRegex(UserError, "it is closed already"):
            dispute.action_accept()
        manager = self.make_user("dispute_manager", "account_collection.group_collection_manager")
        with self.assertRaisesRegex(UserError, "it is closed already"):
            dispute.with_user(manager).amount = 5

    # === Bad input ===#

    def test_more_than_is_open_is_refused(self):
        with self.refused(ValidationError, r"1,000\.01.*cannot be in dispute.*1,000\.00.*is open"):
            self.dispute(amount=1000.01)
        self.dispute(amount=600)
        with self.refused(ValidationError, r"400\.00.*is open"):
            self.dispute(amount=500)
        self.assertEqual(self.dispute().amount, 400)
        with self.refused(ValidationError, "is open that is not in dispute already"):
            self.dispute(amount=1)

    def test_what_a_proposed_credit_note_takes_back_is_not_disputed_again(self):
        self.dispute(amount=600).action_accept()
        with self.refused(ValidationError, r"400\.00.*is open"):
            self.dispute(amount=401)
        rest = self.dispute()
        self.assertEqual(rest.amount, 400)
        rest.action_accept()
        with self.refused(ValidationError, "is open that is not in dispute already"):
            self.dispute(amount=1)
        rest.credit_move_id.button_cancel()
        self.assertEqual(self.dispute().amount, 400, "nothing takes it back any more")

    def test_other_wrong_input_is_refused(self):
        with self.refused(ValidationError, "more than zero"):
            self.dispute(amount=-1)
        stranger = self.make_invoice(self.make_customer("Stranger"), 10)
        with self.refused(ValidationError, "is not a posted invoice of Postdater"):
            self.dispute(stranger, debtor_id=self.debtor(self.customer).id)

    # === Coming back ===#

    def test_the_owner_is_told_once_for_each_day(self):
        owner = self.make_user("dispute_owner", "account_collection.group_collection_manager")
        dispute = self.dispute(user_id=owner.id, revisit_date=self.day(2))
        domain = [("res_model", "=", "collection.debtor"), ("user_id", "=", owner.id)]

        def told(days):
            self.Dispute._remind_company(self.company, self.day(days))
            return self.env["mail.activity"].search(domain, order="id")

        self.assertFalse(told(1))
        activity = told(2)
        self.assertEqual((len(activity), activity.date_deadline), (1, self.day(2)))
        self.assertIn(f"1,000.00 of {self.invoice.name} in dispute, come back on", activity.summary)
        self.assertEqual(told(3), activity)
        dispute.revisit_date = self.day(5)
        self.assertEqual(told(4), activity)
        self.assertEqual(len(told(5)), 2)
        dispute.action_close()
        self.assertEqual(len(told(9)), 2)

    # === Where it is seen ===#

    def test_the_invoice_the_debtor_and_their_chatters(self):
        self.dispute(amount=400)
        self.assertEqual(self.invoice.collection_disputed_amount, 400)
        self.assertEqual(self.debtor(self.customer).dispute_count, 1)
        for record in (self.debtor(self.customer), self.invoice):
            self.assertIn("Price or discount not as agreed", record.message_ids[0].body)

    def test_statement(self):
        dispute = self.dispute(amount=400)
        item = self.statement()["currencies"][0]["items"][0]
        self.assertEqual((item["open"], item["disputed"]), (1000, 400))
        report = self.env["report.account_collection.report_statement"]
        body = "".join(report._get_report_values(self.debtor(self.customer).ids)["bodies"])
        self.assertIn("In dispute", body)
        self.pay(self.invoice, 700)
        self.assertEqual(self.statement()["currencies"][0]["items"][0]["disputed"], 300)
        dispute.action_reject()
        self.assertEqual(self.statement()["currencies"][0]["items"][0]["disputed"], 0)

    def test_statement_of_a_past_day(self):
        dispute = self.dispute(amount=400, opened_on=self.day(-10))
        dispute.action_close()
        dispute.closed_on = self.day(-5)
        disputed = [
            self.statement(self.day(days))["currencies"][0]["items"][0]["disputed"] for days in (-11, -10, -6, -5, 0)
        ]
        self.assertEqual(disputed, [0, 400, 400, 0, 0])

    # === Merged customers ===#

    def test_merged_customers_keep_what_was_said_of_their_documents(self):
        twin = self.make_customer("Twin")
        owed, paid = self.make_invoice(twin, 100, days=5), self.make_invoice(twin, 50, days=5)
        promise = self.promise(60, partner=twin, moves=owed)
        live, over = self.dispute(owed, amount=40), self.dispute(paid)
        over.action_reject()
        self.pay(paid)
        call = self.env["collection.interaction"].create(
            {"debtor_id": self.debtor(twin).id, "move_ids": (owed + paid).ids, "note": "Called"}
        )
        self.debtor(twin).best_time = "Mornings"
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((twin + self.customer).ids, self.customer)
        kept = self.debtor(self.customer)
        for said in (promise, live, over, call):
            self.assertEqual((said.debtor_id, said.partner_id), (kept, self.customer), said._name)
        self.assertEqual(kept.best_time, "Mornings")

    def join(self, customer, head):
        """``customer`` becomes a contact of ``head``, which then owes what it owed."""
        customer.write({"parent_id": head.id, "is_company": False})
        self.env.flush_all()
        return self.debtor(head)

    def test_what_was_said_follows_who_becomes_a_contact_of_another(self):
        promise = self.promise(600, moves=self.invoice)
        dispute = self.dispute(amount=400)
        call = self.env["collection.interaction"].create(
            {"debtor_id": self.debtor(self.customer).id, "move_ids": self.invoice.ids, "note": "Called"}
        )
        head = self.make_customer("Head Office")
        self.make_invoice(head, 50, days=3)
        self.debtor(head)
        kept = self.join(self.customer, head)
        self.assertEqual((kept.partner_id, kept.total_due), (head, 1050))
        for said in (promise, dispute, call):
            self.assertEqual((said.debtor_id, said.partner_id), (kept, head), said._name)
        self.assertFalse(self.Debtor.search([("partner_id", "=", self.customer.id)]))
        self.night()
        told = {line.move_id: line.amount for line in self.notices(head).line_ids}
        self.assertNotIn(self.invoice, told, "600 are promised and 400 in dispute")
        self.assertEqual((promise.state, dispute.state), ("open", "open"))
        self.judge(13)
        self.assertEqual(promise.state, "broken")

    def test_what_was_said_follows_to_who_was_no_debtor(self):
        promise, dispute = self.promise(600), self.dispute(amount=400)
        debtor = self.debtor(self.customer)
        kept = self.join(self.customer, self.make_customer("Head Office"))
        self.assertEqual((kept, promise.debtor_id, dispute.debtor_id), (debtor, debtor, debtor))
        self.assertEqual((promise.partner_id, dispute.partner_id), (kept.partner_id, kept.partner_id))
        self.assertFalse(self.night())

    def test_a_hold_follows_who_becomes_a_contact_of_another(self):
        self.debtor(self.customer).write({"hold": True, "hold_reason": "Agreement"})
        head = self.make_customer("Head Office")
        self.make_invoice(head, 50, days=-30)
        self.debtor(head)
        kept = self.join(self.customer, head)
        self.assertEqual((kept.hold, kept.hold_reason), (True, "Agreement"))
        self.assertFalse(self.night())

    def test_after_such_a_move_their_documents_are_still_theirs(self):
        head = self.join(self.customer, self.make_customer("Head Office"))
        head.collector_id = self.make_user("head_collector", "account_collection.group_collection_collector")
        moves = self.env["account.move"]
        self.assertEqual(self.invoice.collection_debtor_id, head)
        self.assertIn(self.invoice, moves.search([("collection_debtor_id", "=", head.id)]))
        groups = moves._read_group([("id", "=", self.invoice.id)], ["collection_collector_id"])
        self.assertEqual(groups, [(head.collector_id,)])
        self.assertEqual(self.promise(600, partner=head.partner_id, moves=self.invoice).owed_amount, 1000)
        self.assertEqual(self.dispute(debtor_id=head.id, amount=400).partner_id, head.partner_id)
        call = self.env["collection.interaction"].create({"debtor_id": head.id, "move_ids": self.invoice.ids})
        self.assertEqual(call.move_ids, self.invoice)
        for model, name in (("promise", "move_ids"), ("dispute", "move_id"), ("interaction", "move_ids")):
            domain = self.env[f"collection.{model}"]._fields[name].domain
            known = {"partner_id": head.partner_id.id, "company_id": self.company.id}
            known["currency_id"] = self.company.currency_id.id
            self.assertIn(self.invoice, self.env["account.move"].search(safe_eval(domain, known)), model)


@tagged("post_install", "-at_install")
class TestDisputeRights(RightsCommon, DisputeCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mine = cls.make_debtor("Mine", cls.collector)
        cls.theirs = cls.make_debtor("Theirs", cls.other_collector)
        cls.my_dispute = cls.dispute(cls.mine.open_line_ids.move_id, amount=5)
        cls.their_dispute = cls.dispute(cls.theirs.open_line_ids.move_id, amount=5)

    def values(self, debtor):
        return {
            "debtor_id": debtor.id,
            "move_id": debtor.open_line_ids.move_id.id,
            "amount": 7,
            "reason_id": self.reason.id,
        }

    def test_who_sees(self):
        self.assert_own_seen(self.my_dispute, self.their_dispute)
        invoice = self.their_dispute.move_id
        self.assertEqual(invoice.with_user(self.collector).collection_disputed_amount, 0)

    def test_who_writes(self):
        made = self.Dispute.with_user(self.collector).create(self.values(self.mine))
        made.action_reject()
        self.assertEqual((made.state, made.user_id), ("rejected", self.collector))
        for refused in (
            lambda: self.Dispute.with_user(self.collector).create(self.values(self.theirs)),
            lambda: self.their_dispute.with_user(self.collector).action_close(),
            lambda: self.Dispute.with_user(self.viewer).create(self.values(self.mine)),
            lambda: self.my_dispute.with_user(self.viewer).action_close(),
            lambda: self.my_dispute.with_user(self.manager).write({"state": "closed"}),
        ):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                refused()

    def test_who_accepts(self):
        with self.assertRaisesRegex(AccessError, "takes the right to invoice, or to manage collections"):
            self.my_dispute.with_user(self.collector).action_accept()
        self.my_dispute.with_user(self.manager).action_accept()
        self.assertEqual(self.my_dispute.credit_move_id.amount_total, 5)
