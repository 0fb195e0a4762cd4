from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools.pdf import PdfFileReader

from .common import CollectionCommon


@tagged("post_install", "-at_install")
class TestStatementWizard(CollectionCommon):
    def open_wizard(self, debtors, as_of):
        return (
            self.env["collection.statement.wizard"]
            .with_context(active_model="collection.debtor", active_ids=debtors.ids)
            .create({"as_of": as_of})
        )

    def test_it_prints_the_chosen_debtors_as_of_the_chosen_day(self):
        """An invoice that was open then and is paid now is on the document; one of today is not."""
        customers = [self.make_customer("Past One"), self.make_customer("Past Two")]
        for customer in customers:
            old = self.make_invoice(customer, 100, days=40)
            self.pay(old)
            self.make_invoice(customer, 70, days=-30, invoice_date=self.today)
        debtors = self.debtor(customers[0]) + self.debtor(customers[1])
        action = self.open_wizard(debtors, self.days_ago(10)).action_print()
        self.assertEqual(action["report_name"], "account_collection.report_statement")
        report = self.env["ir.actions.report"].with_context(force_report_rendering=True)
        # As the web client asks for it: with data, and no ids beside them.
        streams = report._render_qweb_pdf_prepare_streams(action["report_name"], action["data"], res_ids=None)
        self.assertEqual(list(streams), debtors.ids)
        for customer, stream in zip(customers, streams.values()):
            text = " ".join(PdfFileReader(stream["stream"]).pages[0].extract_text().split())
            self.assertIn(customer.name, text)
            self.assertIn("100.00", text)
            self.assertNotIn("70.00", text)

    def test_a_day_to_come_is_refused(self):
        debtor = self.debtor(self.make_invoice(self.make_customer("Future"), 100).partner_id)
        with self.assertRaisesRegex(UserError, "choose today or an earlier day"):
            self.open_wizard(debtor, self.days_ago(-1)).action_print()


@tagged("post_install", "-at_install")
class TestProposal(CollectionCommon):
    def test_a_proposal_is_announced_to_the_responsible(self):
        self.policy.requires_approval = True
        self.company.collection_responsible_id = self.env.ref("base.user_admin")
        self.make_invoice(self.make_customer("Proposed"), 1000, days=5)
        run = self.night().run_id
        self.assertEqual(run.activity_ids.user_id, self.company.collection_responsible_id)
        run.action_approve()
        self.assertFalse(run.activity_ids)
