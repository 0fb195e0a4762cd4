"""What the messages of a campaign and of a level say and bring along, and who receives them."""

import base64
import io
from unittest.mock import patch

from PIL import Image

from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from ..models.statement_layout import DEFAULT
from ..report import stationery
from ..report.statement_report import _Renderer
from .test_campaigns import CampaignCommon
from .test_statement_pdf import text


def image(colour):
    with io.BytesIO() as buffer:
        Image.new("RGB", (60, 20), colour).save(buffer, "PNG")
        return base64.b64encode(buffer.getvalue())


class ContentCommon(CampaignCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        holder = {"partner_id": cls.company.partner_id.id}
        cls.pesos, cls.dollars = cls.env["res.partner.bank"].create(
            [{"acc_number": "PESOS 0001", **holder}, {"acc_number": "DOLLARS 0002", **holder}]
        )
        cls.debtor(cls.late).collector_id = cls.collector
        cls.group = cls.env.ref("account_collection.contact_group_purchasing")

    def make_sent(self, partner, **values):
        """The notice of a campaign to one customer, dispatched."""
        campaign = self.make_campaign(partner_domain=f"[('id', 'in', {partner.ids})]", **values)
        self.send(campaign)
        self.dispatch()
        return campaign.run_ids.notice_ids

    def make_contact(self, customer, name, *groups, **values):
        ids = [group.id for group in groups]
        return self.make_customer(
            name, parent_id=customer.id, is_company=False, collection_contact_group_ids=[Command.set(ids)], **values
        )

    def break_template(self, campaign):
        """Newer series try a text when it is saved: this one breaks later."""
        self.summary.subject = "{{ 1 / (7 - object.campaign_id.follow_up_delay) }}"
        campaign.follow_up_delay = 7


@tagged("post_install", "-at_install")
class TestContents(ContentCommon):
    # === Deposit accounts ===#

    def test_only_the_chosen_accounts_are_shown(self):
        notice = self.make_sent(self.late, attach_statement=True, bank_account_ids=[Command.set(self.dollars.ids)])
        for told in (notice.message_id.body, text(notice.attachment_id.raw)):
            self.assertIn("DOLLARS 0002", told)
            self.assertNotIn("PESOS 0001", told)
        self.level.attach_statement = True
        both = self.queue(self.make_customer("Of the Ladder"))
        self.dispatch()
        for told in (both.message_id.body, text(both.attachment_id.raw)):
            self.assertIn("DOLLARS 0002", told)
            self.assertIn("PESOS 0001", told)

    def test_a_ladder_of_several_companies_shows_to_each_its_own(self):
        other = self.env["res.company"].create({"name": "Another"})
        theirs = self.env["res.partner.bank"].create({"acc_number": "THEIRS 0003", "partner_id": other.partner_id.id})
        self.assertFalse(self.policy.company_id)
        self.level.bank_account_ids = theirs
        notice = self.queue(self.make_customer("None Chosen"))
        self.assertIn("PESOS 0001", notice.bank_accounts_html)
        self.assertNotIn("THEIRS 0003", notice.bank_accounts_html)
        self.level.bank_account_ids = theirs | self.pesos
        notice.invalidate_recordset()
        self.assertIn("PESOS 0001", notice.bank_accounts_html)
        self.assertNotIn("DOLLARS 0002", notice.bank_accounts_html)
        with self.assertRaisesRegex(ValidationError, f"THEIRS 0003 of Another is no account of {self.company.name}"):
            self.make_campaign(bank_account_ids=[Command.set(theirs.ids)])
        customers = self.env["res.partner.bank"].create({"acc_number": "CUSTOMER 4", "partner_id": self.late.id})
        with self.assertRaisesRegex(ValidationError, "CUSTOMER 4 of Late is no account of any company"):
            self.level.bank_account_ids = customers
        self.level.bank_account_ids = theirs
        with self.assertRaisesRegex(ValidationError, "THEIRS 0003 of Another is no account of "):
            self.policy.company_id = self.company

    # === Logo and signature ===#

    def test_its_own_signature_and_logo(self):
        signed = {"signature": "<p>Terry <b>Treasurer</b></p><script>alert(1)</script>", "logo": image("red")}
        mail = self.make_sent(self.late, attach_statement=True, **signed)
        self.assertIn("<p>Terry <b>Treasurer</b></p>", mail.message_id.body)
        statement = text(mail.attachment_id.raw)
        for told in (mail.message_id.body, statement):
            self.assertIn("Treasurer", told)
            self.assertNotIn("alert", told)
            self.assertNotIn("Clara Collector", told)
        letter = self.make_sent(self.both, channel="letter", **signed)
        self.assertEqual(text(letter.attachment_id.raw).count("Terry Treasurer"), 2, "of the text and of the statement")
        logo = self.env["ir.attachment"].search(
            [
                ("res_model", "=", "collection.campaign"),
                ("res_id", "=", mail.campaign_id.id),
                ("res_field", "=", "logo"),
            ]
        )
        self.assertIn(f"/web/image/{logo.id}?access_token={logo.access_token}", mail.logo_html)

    def test_by_default_the_names_of_the_collector_and_of_the_company(self):
        notice = self.make_sent(self.late, attach_statement=True)
        words = f"<p>Yours sincerely,<br>Clara Collector<br>{self.company.name}</p>"
        self.assertIn(words, str(notice.message_id.body).replace("<br/>", "<br>"))
        self.assertIn(f"Clara Collector {self.company.name}", text(notice.attachment_id.raw))
        nobody = self.make_sent(self.both)
        words = f"<p>Yours sincerely,<br>{self.company.name}<br>{self.company.name}</p>"
        self.assertIn(words, str(nobody.message_id.body).replace("<br/>", "<br>"))

    def test_the_signature_in_the_customer_s_language(self):
        self.speak_spanish()
        campaign = self.make_campaign(signature="<p>The treasury</p>")
        campaign.update_field_translations("signature", {"es_MX": {"The treasury": "La tesorería"}})
        self.late.lang = "es_MX"
        self.send(campaign)
        self.dispatch()
        self.assertIn("La tesorería", self.notices(self.late).message_id.body)
        self.assertIn("The treasury", self.notices(self.both).message_id.body)
        plain = self.make_campaign()
        with plain._sampled(self.debtor(self.late)) as notice:
            self.assertIn("<p>Atentamente,<br", notice._render_texts()[notice].body)

    def test_a_logo_is_prepared_once_for_all_customers_and_languages(self):
        self.speak_spanish()
        self.late.lang = "es_MX"
        self.company.logo = image("blue")
        campaign = self.make_campaign(logo=image("red"))
        debtors = self.debtor(self.late) | self.debtor(self.both) | self.debtor(self.early)
        own = debtors._get_statement(layout=campaign._get_layout())
        usual = debtors._get_statement()
        renderer, prepared = _Renderer(self.env), []
        original = stationery.logo_uri
        with patch.object(stationery, "logo_uri", lambda logo: prepared.append(logo) or original(logo)):
            pages = [str(renderer.render(statements[id_])) for statements in (own, usual) for id_ in debtors.ids]
        self.assertEqual(len(prepared), 2)
        red, blue = map(original, (campaign.logo, self.company.logo))
        self.assertEqual([red in page for page in pages], [True] * 3 + [False] * 3)
        self.assertEqual([blue in page for page in pages], [False] * 3 + [True] * 3)

    def test_a_picture_in_the_signature_is_printed_where_its_address_may_be_known(self):
        values = {"name": "signature.png", "datas": image("red")}
        shared, private, public = self.env["ir.attachment"].create([values, values, {**values, "public": True}])
        shared.generate_access_token()
        sources = [f"/web/image/{shared.id}-abc/s.png?access_token={shared.access_token}", f"/web/image/{public.id}"]
        hidden = [
            f"/web/image/{private.id}",
            f"/web/image/{private.id}?access_token=guessed",
            "https://x.example.com/1",
        ]
        campaign = self.make_campaign(signature="".join(f'<p>Terry<img src="{url}"></p>' for url in sources + hidden))
        renderer = _Renderer(self.env)
        html = str(renderer._get_signature(renderer._get_brand(campaign._get_layout(), "en_US")))
        self.assertEqual((html.count("Terry"), html.count("<img")), (5, 2))
        self.assertEqual(html.count(stationery.logo_uri(image("red"))), 2)

    def test_what_is_as_usual_is_laid_out_as_usual(self):
        layouts = {level._get_layout() for level in self.env.ref("account_collection.policy_default").level_ids}
        self.assertEqual(layouts, {DEFAULT})
        self.assertEqual(self.make_campaign(signature="<p><br></p>")._get_layout(), DEFAULT)
        self.assertNotEqual(self.make_campaign(logo=image("red"))._get_layout(), DEFAULT)

    # === From, answers and copies ===#

    def test_from_and_answers_as_the_template_says(self):
        self.summary.write(
            {"email_from": "treasury@template.example.com", "reply_to": "{{ object.company_id.email }}, b@example.com"}
        )
        mail = self.make_sent(self.late).mail_id
        self.assertEqual(mail.email_from, "treasury@template.example.com")
        self.assertEqual(mail.reply_to, "collections@company.example.com, b@example.com")
        domain = self.env["mail.alias.domain"].create({"name": "answers.example.com"})
        self.company.alias_domain_id = domain
        self.summary.reply_to = False
        self.assertIn(domain.catchall_email, self.make_sent(self.both).mail_id.reply_to, "the debtor's thread")

    def test_copies_of_the_campaign_and_of_the_debtor_once_each(self):
        shared, seen, unseen, blocked = self.make_customers("Shared", "Seen", "Unseen", "Blocked")
        twin = self.make_customer("Twin", email=shared.email.upper())
        self.env["mail.blacklist"]._add(blocked.email)
        debtor = self.debtor(self.late)
        debtor.cc_partner_ids = shared
        debtor.bcc_partner_ids = seen
        notice = self.make_sent(
            self.late,
            cc_partner_ids=[Command.set((twin | seen | self.late | blocked).ids)],
            bcc_partner_ids=[Command.set((unseen | shared | self.late | blocked).ids)],
        )
        self.assertEqual(notice.mail_id.email_to, self.late.email_formatted)
        self.assertEqual(notice.mail_id.email_cc, f"{shared.email}, {seen.email}")
        blind = self.env["mail.mail"].search([("mail_message_id", "=", notice.message_id.id)]) - notice.mail_id
        self.assertEqual(blind.recipient_ids, unseen)

    # === XML files ===#

    def test_the_xml_files_of_the_listed_invoices(self):
        invoices = {customer: self.receivable_moves(customer) for customer in (self.late, self.early, self.both)}
        first, second = invoices[self.both]
        values = {"res_model": "account.move", "raw": b"<cfdi/>"}
        attachments = self.env["ir.attachment"].create(
            [
                {**values, "name": "by_name.XML", "mimetype": "application/octet-stream", "res_id": first.id},
                {**values, "name": "by_type", "mimetype": "application/xml", "res_id": second.id},
                {**values, "name": "order.txt", "mimetype": "text/plain", "raw": b"no", "res_id": first.id},
                {**values, "name": "others.xml", "mimetype": "text/xml", "res_id": invoices[self.late].id},
                {
                    **values,
                    "name": "a_partner.xml",
                    "mimetype": "text/xml",
                    "res_model": "res.partner",
                    "res_id": first.id,
                },
            ]
        )
        field = self.env["ir.attachment"].create(
            {**values, "name": "ubl.xml", "mimetype": "text/xml", "res_id": first.id, "res_field": "ubl_cii_xml_file"}
        )
        self.assertEqual(self.make_sent(self.both, attach_xml=True).mail_id.attachment_ids, attachments[:2] | field)
        self.assertFalse(self.make_sent(self.early, attach_xml=True).mail_id.attachment_ids)
        campaign = self.make_campaign("All", attach_xml=True)
        self.notices(self.both).state = self.notices(self.early).state = "sent"
        self.assertEqual(len(self.send(campaign)), 3)
        notices = campaign.run_ids.notice_ids

        def count(some):
            return self.count_statements(
                some._get_invoice_documents,
                lambda: [some.mapped(name) for name in ("line_ids.move_id.name", "campaign_id.attach_xml")],
            )

        self.assertEqual(count(notices[:1]), count(notices), "one search for all")
        self.level.attach_xml = True
        mine = self.env["ir.attachment"].create({**values, "name": "level.xml", "res_id": first.id})
        first.line_ids.invalidate_recordset()
        self.notices(self.both).state = "sent"
        notice = self.night().filtered(lambda notice: notice.partner_id == self.both)
        self.assertEqual(notice.level_id, self.level)
        self.dispatch()
        self.assertIn(mine, notice.mail_id.attachment_ids)

    def receivable_moves(self, customer):
        return self.env["account.move"].search([("partner_id", "=", customer.id)], order="id")

    # === Contact groups ===#

    def test_contacts_of_the_groups_receive_it(self):
        buyer = self.make_contact(self.late, "Buyer", self.group)
        boss = self.make_contact(self.late, "Boss", self.env.ref("account_collection.contact_group_management"))
        silent = self.make_contact(self.early, "Silent Buyer", self.group, email=False)
        usual = self.make_contact(self.both, "Usual", collection_contact=True)
        campaign = self.make_campaign(contact_group_ids=[Command.set(self.group.ids)])
        self.send(campaign)
        queued = campaign.run_ids.notice_ids.filtered(lambda notice: notice.partner_id == self.late)
        self.assertEqual(queued.recipient, buyer.email)
        self.dispatch()
        found = {notice.partner_id: notice.message_id.partner_ids for notice in campaign.run_ids.notice_ids}
        self.assertEqual(found, {self.late: buyer, self.early: self.early, self.both: usual})
        self.assertNotIn(boss | silent, found[self.late])

    def test_nobody_else_where_it_is_for_these_contacts_alone(self):
        buyer = self.make_contact(self.late, "Buyer", self.group)
        only = {"contact_group_ids": [Command.set(self.group.ids)], "contact_groups_only": True}
        campaign = self.make_campaign(**only)
        self.send(campaign)
        self.dispatch()
        states = {notice.partner_id: notice.state for notice in campaign.run_ids.notice_ids}
        self.assertEqual(states, {self.late: "outgoing", self.early: "failed", self.both: "failed"})
        self.assertEqual(self.notices(self.late).email_to, buyer.email)
        self.assertEqual(self.notices(self.early).reason, "Early has no contact with a mail address in Purchasing.")
        self.level.write(only)
        self.set_channels(self.level, "mail", "letter")
        customer = self.make_customer("By Letter")
        self.queue(customer)
        self.dispatch()
        ways = self.notices(customer).sorted("id")
        self.assertEqual(ways.mapped("channel"), ["mail", "letter"], "the next channel of the level")
        self.assertEqual(ways.mapped("state"), ["failed", "sent"])

    def test_the_contacts_of_many_customers_are_read_together(self):
        for customer in (self.late, self.early, self.both):
            self.make_contact(customer, f"Buyer of {customer.name}", self.group)
        campaign = self.make_campaign(contact_group_ids=[Command.set(self.group.ids)])
        self.send(campaign)
        notices = campaign.run_ids.notice_ids
        counts = [
            self.count_statements(some._get_recipients, lambda some=some: some.debtor_id.mapped("partner_id.name"))
            for some in (notices[:1], notices)
        ]
        self.assertEqual(counts[0], counts[1])


@tagged("post_install", "-at_install")
class TestPreview(ContentCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.boss = cls.make_user("boss", "account_collection.group_collection_manager")
        cls.summary.reply_to = "answers@template.example.com"

    def show(self, content, debtor=None):
        """The dialog that a manager sees."""
        before = self.Notice.search_count([]), self.Run.search_count([]), self.env["mail.mail"].search_count([])
        wizard = self.env["collection.preview.wizard"].browse(content.with_user(self.boss).action_preview()["res_id"])
        wizard = wizard.with_user(self.boss)
        if debtor:
            wizard.debtor_id = debtor
            wizard.action_show()
        after = self.Notice.search_count([]), self.Run.search_count([]), self.env["mail.mail"].search_count([])
        self.assertEqual(before, after, "nothing stays")
        return wizard

    def test_it_shows_the_message_of_a_campaign_as_it_would_leave(self):
        seen, unseen = self.make_customers("Seen", "Unseen")
        campaign = self.make_campaign(
            cc_partner_ids=[Command.set(seen.ids)], bcc_partner_ids=[Command.set(unseen.ids)], signature="<p>Terry</p>"
        )
        wizard = self.show(campaign)
        self.assertEqual(wizard.debtor_id, self.Debtor.search(campaign._get_audience_domain())[:1])
        wizard = self.show(campaign, self.debtor(self.late))
        self.assertEqual(wizard.email_to, self.late.email_formatted)
        self.assertEqual((wizard.email_cc, wizard.email_bcc), (seen.email, unseen.email_formatted))
        self.assertEqual(wizard.reply_to, "answers@template.example.com")
        self.assertIn("clara@company.example.com", wizard.email_from)
        self.send(campaign)
        self.dispatch()
        notice = self.notices(self.late)
        self.assertEqual(wizard.subject, notice.message_id.subject)
        self.assertEqual(wizard.body, notice.mail_id.body_html)
        self.assertIn("$\xa01,000.00", wizard.body)
        self.show(campaign)

    def test_another_debtor_in_its_own_language(self):
        self.speak_spanish()
        self.both.lang = "es_MX"
        wizard = self.show(self.make_campaign(), self.debtor(self.both))
        self.assertIn("estado de cuenta", wizard.subject)
        self.assertIn("500.00", wizard.body)
        self.assertFalse(wizard.problem)

    def test_the_documents(self):
        wizard = self.show(self.make_campaign(channel="letter"), self.debtor(self.both))
        self.assertIn("1 High Street", wizard.email_to)
        before = self.env["ir.attachment"].search_count([])
        pages = []
        for action in (wizard.action_open_statement(), wizard.action_open_letter()):
            export = self.env["collection.export"].browse(int(action["url"].split("/")[4]))
            pages.append(text(base64.b64decode(export.content)))
        for page in pages:
            self.assertIn("Total in USD", page)
            self.assertIn("$ 500.00", page.replace("\xa0", " "))
        self.assertNotIn("Dear Both", pages[0])
        self.assertIn("Dear Both", pages[1])
        self.assertEqual(self.env["ir.attachment"].search_count([]), before)

    def test_a_level(self):
        self.level.template_id.reply_to = False
        wizard = self.show(self.level.with_company(self.company))
        self.assertEqual(wizard.debtor_id, self.debtor(self.late), "who owes most")
        self.assertIn("overdue balance of $\xa01,000.00", wizard.subject)
        self.set_channels(self.level, "call")
        self.assertIn("writes to nobody", self.show(self.level.with_company(self.company)).problem)

    def test_what_cannot_be_shown_or_sent_says_why(self):
        campaign = self.make_campaign(content="overdue")
        wizard = self.show(campaign, self.debtor(self.early))
        self.assertEqual(wizard.problem, "Early has nothing to be told by it now: choose another debtor.")
        self.both.email = False
        wizard = self.show(campaign, self.debtor(self.both))
        self.assertEqual(wizard.problem, "Both has no mail address.")
        self.assertIn("$\xa0300.00", wizard.body)
        self.break_template(campaign)
        wizard = self.show(campaign, self.debtor(self.late))
        self.assertIn("The template “Collections: Debt summary” cannot be rendered for Late", wizard.problem)
        self.assertIn("division by zero", wizard.problem)
        self.assertFalse(wizard.body)
        self.assertEqual(wizard.action_open_template()["res_id"], self.summary.id)

    def test_a_text_that_cannot_be_rendered_stops_the_campaign_before_anything_is_sent(self):
        campaign = self.make_campaign()
        self.break_template(campaign)
        for action in (campaign.action_schedule, campaign.action_send, campaign.action_propose, campaign.action_test):
            with self.assertRaisesRegex(UserError, "“Collections: Debt summary” cannot be rendered.*division by zero"):
                action()
        self.assertEqual((campaign.state, campaign.run_count), ("draft", 0))
        self.summary.subject = "Mended"
        self.summary.body_html = "<p><i t-out='1 / (7 - object.campaign_id.follow_up_delay)'/></p>"
        with self.assertRaisesRegex(UserError, "correct it: division by zero$"):
            campaign.action_send()
        campaign.follow_up_delay = 0
        self.assertEqual(len(self.send(campaign)), 3)
