"""Letters: made for chosen debtors, merged to print, printed, handed over and returned."""

import base64
import io
import re
import time

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger
from odoo.tools.pdf import PdfFileReader, PdfFileWriter

from ..report.letter_page import LetterPage
from ..report.pdf_merge import MergedPdf, UnreadableError
from ..report.statement_pdf import _call
from .common import QUIET
from .test_dispatch import DispatchCommon
from .test_rights import RightsCommon
from .test_statement_pdf import page_texts

LETTERS = 200
DEAR = {"en_US": "Dear customer", "es_MX": "Estimado cliente", "fr_FR": "Cher client"}
RECEIPTS = {"en_US": "Received by", "es_MX": "Recibido por", "fr_FR": "Received by"}


class LetterCommon:
    """Builders of letters, for who may send them and who may not."""

    def send(self, debtors, user=None, **values):
        """The dialog, after these debtors were sent a letter."""
        Wizard = self.env["collection.letter.send"].with_user(user or self.env.user)
        wizard = Wizard.with_context(active_model="collection.debtor", active_ids=debtors.ids).create(values)
        wizard.action_send()
        return wizard

    def print_letters(self, records, user=None, **values):
        """(the action, the PDF that it downloads, if any)."""
        Wizard = self.env["collection.letter.print"].with_user(user or self.env.user)
        wizard = Wizard.with_context(active_model=records._name, active_ids=records.ids).create(values)
        action = wizard.action_print()
        export = self.env["collection.export"].sudo().search([], order="id desc", limit=1)
        return action, base64.b64decode(export.content)

    def letter_of(self, debtor):
        return self.env["collection.notice"].search([("debtor_id", "=", debtor.id), ("letter_id", "!=", False)])

    def notes(self, debtor):
        return [re.sub("<[^>]+>", "", body) for body in debtor.message_ids.mapped("body")]


# Of what Qt's PDF writer says of text: the font, the codes of a glyph, the beginning of a run.
TEXT = re.compile(rb"/(\w+) [\d.]+ Tf|<([0-9A-F]{4})> Tj|BT")
RANGE = re.compile(rb"<(\w{4})> <\w{4}> \[([^]]*)\]")


def quick_texts(pdf):
    """The text of each page, from the operators of Qt's PDF writer, one for each glyph: to read hundreds of pages, the
    libraries take a minute."""
    texts, characters_of = [], {}
    for page in PdfFileReader(io.BytesIO(pdf), strict=False).pages:
        fonts, words, characters = page["/Resources"].get_object().get("/Font", {}), [], {}
        data = _call(page["/Contents"].get_object(), "get_data", "getData")() if "/Contents" in page else b""
        for font, code in (match.groups() for match in TEXT.finditer(data)):
            if font:
                reference = dict.__getitem__(fonts.get_object(), f"/{font.decode()}")
                if reference.idnum not in characters_of:
                    characters_of[reference.idnum] = get_characters(reference.get_object())
                characters = characters_of[reference.idnum]
            words.append(characters.get(int(code, 16), "") if code else " " if not font else "")
        texts.append(" ".join("".join(words).split()))
    return texts


def get_characters(font):
    """``{code: character}`` of a font."""
    found = {}
    for start, targets in RANGE.findall(_call(font["/ToUnicode"].get_object(), "get_data", "getData")()):
        characters = [chr(int(target.strip(b"<>"), 16)) for target in targets.split()]
        found.update(enumerate(characters, int(start, 16)))
    return found


def first_glyphs(pdf):
    """[(x, y)] in millimetres from the upper left corner, of the first letter of each line of the first page."""
    page = PdfFileReader(io.BytesIO(pdf), strict=False).pages[0]
    height, glyphs = float(page.mediabox[3]), {}

    def visit(operator, operands, matrix, text):
        if operator in (b"Tj", b"TJ"):
            x = text[4] * matrix[0] + text[5] * matrix[2] + matrix[4]
            y = height - (text[4] * matrix[1] + text[5] * matrix[3] + matrix[5])
            glyphs.setdefault(round(y, 1), []).append(x)

    page.extract_text(visitor_operand_before=visit)
    return [(min(xs) / 72 * 25.4, y / 72 * 25.4) for y, xs in glyphs.items()]


@tagged("post_install", "-at_install")
class TestLetters(LetterCommon, DispatchCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.speak_spanish()
        cls.debtors = cls.make_debtors("Ann", "Bob", "Cid")
        cls.ann, cls.bob, cls.cid = cls.debtors

    @classmethod
    def make_debtors(cls, *names, **values):
        customers = cls.make_customers(*names, **values)
        cls.make_invoices(*((customer, 1000, 20) for customer in customers))
        cls.settle()
        debtors = cls.Debtor.search([("partner_id", "in", customers.ids)]).sorted(lambda debtor: debtor.partner_id.id)
        debtors.collector_id = cls.collector
        return debtors.with_env(cls.env)

    # === The proof ===#

    def make_many(self):
        """200 debtors in three languages, with one entry for all: invoices would take ten times as long. Every tenth
        owes so much that the letter is long."""
        self.env["res.lang"]._activate_lang("fr_FR")
        langs = list(DEAR)
        prepared = [
            self.prepare_customer(f"Letter {number:03}", lang=langs[number % 3], zip=f"{number * 37 % LETTERS:05}")
            for number in range(LETTERS)
        ]
        customers = self.env["res.partner"].with_context(**QUIET).create(prepared).with_env(self.env)
        account = self.company_data["default_account_receivable"]
        items = [
            {
                "account_id": account.id,
                "partner_id": customer.id,
                "balance": 1000.0 if number % 10 else 9000.0,
                "date_maturity": self.days_ago(20),
                "name": f"Order {number:03}",
            }
            for number, customer in enumerate(customers)
        ]
        items.append({"account_id": self.income.id, "balance": -sum(item["balance"] for item in items)})
        entry = self.env["account.move"].create({"line_ids": [(0, 0, item) for item in items]})
        entry.action_post()
        self.settle()
        return customers, self.env["collection.debtor"].search([("partner_id", "in", customers.ids)])

    def make_template(self):
        """A letter that people translated, and that is long for who owes much."""
        clauses = '<p t-foreach="range(80 if object.amount > 5000 else 0)" t-as="n">Clause <t t-out="n"/></p>'
        template = self.env["mail.template"].create(
            {"name": "Translated", "model_id": self.env["ir.model"]._get_id("collection.notice"), "subject": "Account"}
        )
        for lang, dear in DEAR.items():
            body = f'<div><p>{dear} <t t-out="object.partner_id.name"/>,</p>{clauses}</div>'
            template.with_context(lang=lang).body_html = body
        return template

    def test_200_letters_in_three_languages_are_one_pdf_whose_pages_are_where_they_should_be(self):
        customers, debtors = self.make_many()
        wizard = self.send(debtors, template_id=self.make_template().id, address_window="left", signature_line=True)
        self.assertEqual((wizard.made_count, wizard.waiting_count, wizard.left_out), (LETTERS, 0, ""))
        letters = wizard.letter_ids.notice_ids
        self.assertEqual(set(letters.mapped("letter_state")), {"to_print"})
        document_of = {letter.partner_id: letter.attachment_id for letter in letters}
        self.assertEqual(len(set(document_of.values())), LETTERS)

        begun = time.monotonic()
        action, content = self.print_letters(wizard.letter_ids, start_odd=True)
        self.assertLess(time.monotonic() - begun, 20, "2,000 of them in seconds: these take one")
        self.assertEqual(action["type"], "ir.actions.act_url")
        self.assertEqual(set(letters.mapped("letter_state")), {"printed"})

        pages = quick_texts(content)
        number, long = 0, 0
        for customer in customers.sorted("zip"):
            own = quick_texts(document_of[customer].raw)
            if number % 2:
                self.assertEqual(pages[number], "", "a blank back")
                number += 1
            self.assertEqual(pages[number : number + len(own)], own)
            first, letter = pages[number], " ".join(own)
            self.assertIn(customer.name, first)
            self.assertIn(customer.zip, first)
            self.assertEqual(set(re.findall(r"Letter \d\d\d", letter)), {customer.name})
            self.assertEqual([lang for lang, dear in DEAR.items() if dear in letter], [customer.lang])
            self.assertEqual("Estado de cuenta" in letter, customer.lang == "es_MX")
            self.assertIn(RECEIPTS[customer.lang], own[-1])
            self.assertEqual(letter.count("Clause"), 0 if "1,000.00" in letter or "1 000,00" in letter else 80)
            long += len(own) > 1
            number += len(own)
        self.assertEqual(number, len(pages))
        self.assertEqual(long, LETTERS // 10)
        # As the libraries read it.
        document = document_of[customers[1]].raw
        for slow, quick in zip(page_texts(document), quick_texts(document), strict=True):
            self.assertEqual(slow.replace(" ", ""), quick.replace(" ", ""))
        # What 200 letters have in common, such as their fonts, is there a few times at most.
        self.assertLess(len(content), sum(len(document.raw) for document in document_of.values()) / 3)

    def test_the_address_shows_in_the_window(self):
        """In millimetres from the corner, read back from the PDF."""
        self.bob.partner_id.write({"street": "Gran Via 5", "zip": "28013", "city": "Madrid"})
        for side, left in (("left", 20), ("right", self.paper_width() - 105)):
            with self.subTest(side), self.undone():
                wizard = self.send(self.bob, address_window=side)
                pdf = wizard.letter_ids.notice_ids.attachment_id.raw
                in_window = [y for x, y in first_glyphs(pdf) if abs(x - left) < 1 and 45 < y < 90]
                # The sender's line, the name and three lines of the address, of which the country is one where known.
                self.assertGreaterEqual(len(in_window), 4)
                self.assertLess(in_window[0], 51)
                self.assertTrue(all(52 < y < 84 for y in in_window[1:]), in_window)
        self.assertIsNone(LetterPage(210, 12, 12, 12).get_window(""))

    def paper_width(self):
        return (self.company.paperformat_id or self.env.ref("base.paperformat_euro")).print_page_width

    # === Sending by hand ===#

    def test_a_letter_to_chosen_debtors(self):
        form = Form(
            self.env["collection.letter.send"].with_context(
                active_model="collection.debtor", active_ids=(self.ann | self.bob).ids
            )
        )
        self.assertEqual(form.template_id, self.env.ref("account_collection.template_formal_letter"))
        form.signature_line = True
        wizard = form.save()
        wizard.action_send()
        letter = self.letter_of(self.ann)
        self.assertEqual((letter.channel, letter.state, letter.letter_state), ("letter", "sent", "to_print"))
        self.assertEqual((letter.amount, letter.run_id.kind, letter.run_id.state), (1000, "manual", "done"))
        self.assertEqual(letter.run_id.letter_count, 2)
        text = " ".join(page_texts(letter.attachment_id.raw))
        for words in ("Request for payment of $ 1,000.00", "Dear Ann", "Received by"):
            self.assertIn(words, text)
        self.assertIn(letter.attachment_id, self.ann.message_ids.attachment_ids)
        self.assertIn("Print and post the letter", self.ann.activity_ids.mapped("summary"))
        self.assertFalse(self.letter_of(self.cid))

    def test_one_letter_a_day_and_none_that_cannot_be(self):
        cases = self.make_debtors("Held", "Settled", "Archived")
        held, settled, archived = cases
        held.hold = True
        self.pay(settled.open_line_ids.move_id)
        archived.partner_id.active = False
        self.cid.partner_id.write({"street": False, "city": False})
        self.send(self.ann)
        wizard = self.send(self.debtors | cases)
        self.assertEqual(wizard.made_count, 1)
        self.assertEqual(
            set(wizard.left_out.splitlines()),
            {
                "Ann: A letter was sent by hand today already",
                "Cid: No postal address",
                "Held: The customer is on hold or excluded",
                "Settled: Nothing to ask for: paid, credited, disputed or covered",
                "Archived: The customer was archived",
            },
        )
        self.assertEqual([len(self.letter_of(debtor)) for debtor in self.debtors], [1, 1, 0])
        self.assertEqual(len(self.letter_of(self.ann).run_id | self.letter_of(self.bob).run_id), 1)

    def test_the_ladder_goes_its_own_way(self):
        mail = self.night().filtered(lambda notice: notice.debtor_id == self.ann)
        self.send(self.ann)
        self.dispatch()
        self.assertEqual((mail.state, self.letter_of(self.ann).state), ("outgoing", "sent"))

    def test_a_campaign_s_letters(self):
        campaign = self.env["collection.campaign"].create(
            {
                "name": "By Post",
                "company_id": self.company.id,
                "template_id": self.env.ref("account_collection.template_formal_letter").id,
                "channel": "letter",
                "signature_line": True,
                "partner_domain": f"[('id', '=', {self.ann.partner_id.id})]",
            }
        )
        campaign.action_send()
        self.dispatch()
        action = campaign.action_print_letters()
        wizard = self.env["collection.letter.print"].with_context(**action["context"]).create({})
        self.assertEqual(wizard.count, 1)
        wizard.action_print()
        self.assertIn("Received by", page_texts(wizard.notice_ids.attachment_id.raw)[-1])
        self.assertEqual(campaign.run_ids.letter_count, 1)
        again = campaign.run_ids.action_print_letters()["context"]
        with self.assertRaisesRegex(UserError, "choose all to print them again"):
            self.env["collection.letter.print"].with_context(**again).create({}).action_print()

    # === The paper ===#

    def test_printed_in_the_order_that_is_asked_for(self):
        for debtor, zip_code in zip(self.debtors, ("9", "", "1"), strict=True):
            debtor.partner_id.zip = zip_code
        self.bob.collector_id = self.make_user("abe", "account_collection.group_collection_collector", name="Abe")
        letters = self.send(self.debtors).letter_ids
        orders = {"zip": ["Cid", "Ann", "Bob"], "collector": ["Bob", "Cid", "Ann"], "customer": ["Ann", "Bob", "Cid"]}
        for sorted_by, names in orders.items():
            _action, content = self.print_letters(letters, sorted_by=sorted_by, which="all")
            found = re.findall(r"Dear (\w+)", " ".join(page_texts(content)))
            self.assertEqual(found, names, sorted_by)

    def test_a_letter_whose_document_is_gone_is_named_and_the_others_are_printed(self):
        wizard = self.send(self.debtors)
        self.letter_of(self.ann).attachment_id.unlink()
        self.letter_of(self.bob).attachment_id.raw = b"no PDF"
        with mute_logger("PyPDF2._reader", "pypdf._reader"):
            action, content = self.print_letters(wizard.letter_ids, start_odd=True)
        self.assertIn("is gone, send them anew: Ann, Bob.", action["params"]["message"])
        self.assertEqual(action["params"]["next"]["type"], "ir.actions.act_url")
        self.assertEqual(re.findall(r"Dear (\w+)", " ".join(page_texts(content))), ["Cid"])
        states = [self.letter_of(debtor).letter_state for debtor in self.debtors]
        self.assertEqual(states, ["to_print", "to_print", "printed"])

    def test_handed_over_returned_and_back(self):
        self.send(self.ann | self.bob)
        letters = self.letter_of(self.ann) | self.letter_of(self.bob)
        letter = letters[0]
        letters.action_letter_printed()
        self.assertEqual((letter.letter_state, letter.printed_by_id), ("printed", self.env.user))
        self.assertTrue(letters.letter_activity_id)
        letters.action_letter_handed_over()
        self.assertEqual(set(letters.mapped("letter_state")), {"handed_over"})
        self.assertEqual(letter.handed_over_by_id, self.env.user)
        self.assertFalse(letters.debtor_id.activity_ids, "nobody needs to post them any more")
        letter._mark_returned("Moved <away>")
        self.assertEqual((letter.letter_state, letter.return_reason), ("returned", "Moved <away>"))
        debtor = letter.debtor_id
        self.assertEqual(debtor.activity_ids.summary, "Letter returned: check the address")
        self.assertEqual(debtor.activity_ids.user_id, self.collector)
        self.assertIn("Moved &lt;away&gt;", debtor.activity_ids.note)
        notes = self.notes(debtor)
        for text in ("Letter printed: ", "Letter handed over: ", "Letter returned: "):
            self.assertEqual(sum(note.startswith(text) for note in notes), 1, text)
        letter.action_letter_undo()
        self.assertEqual((letter.letter_state, letter.returned_on, letter.return_reason), ("printed", False, False))
        self.assertFalse(debtor.activity_ids)
        with self.assertRaisesRegex(UserError, "None of these is a letter of which that can be recorded now"):
            letter.action_letter_undo()

    def test_what_the_content_asks_of_the_collector_stays_when_the_letter_is_handed_over(self):
        self.set_channels(self.level, "letter")
        self.level.activity_type_id = self.env.ref("mail.mail_activity_data_call")
        notice = self.queue(self.make_customer("Called Later"))
        self.dispatch()
        self.assertEqual(len(notice.debtor_id.activity_ids), 2)
        notice.action_letter_handed_over()
        self.assertEqual(notice.debtor_id.activity_ids.activity_type_id, self.level.activity_type_id)
        self.assertTrue(notice.printed_on, "what was handed over was printed")

    def test_the_same_statements_for_few_and_many(self):
        many = self.make_debtors(*(f"Many {number:02}" for number in range(12)))
        self.send(self.debtors | many)
        few, others = (self.letter_of(self.ann) | self.letter_of(self.bob)), self.letter_of(self.cid)
        for debtor in many:
            others |= self.letter_of(debtor)
        spent = [
            self.count_statements(
                lambda letters=letters: (letters.action_letter_printed(), letters._mark_returned("x"))
            )
            for letters in (few, others)
        ]
        self.assertLess(spent[1] - spent[0], 12)

    # === The merge ===#

    def test_pages_that_inherit_their_size_and_files_that_are_none(self):
        writer = PdfFileWriter()
        _call(writer, "add_blank_page", "addBlankPage")(100, 200)
        with io.BytesIO() as buffer:
            writer.write(buffer)
            small = buffer.getvalue()
        merged = MergedPdf()
        for _number in range(2):
            merged.start_on_odd_page()
            merged.add(small)
        for broken in (b"", b"no PDF", small[:50]):
            with mute_logger("PyPDF2._reader", "pypdf._reader"), self.assertRaises(UnreadableError):
                merged.add(broken)
        pages = PdfFileReader(io.BytesIO(merged.get_bytes()), strict=True).pages
        self.assertEqual([tuple(map(float, page.mediabox)) for page in pages], [(0, 0, 100, 200)] * 3)


@tagged("post_install", "-at_install")
class TestLetterRights(LetterCommon, RightsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mine = cls.make_debtor("Mine", cls.collector)
        cls.theirs = cls.make_debtor("Theirs", cls.other_collector)
        cls.own = cls.make_debtor("Own", cls.collecting_sender)

    def test_who_sends(self):
        for user in (self.viewer, self.collector, self.invoicing, self.employee):
            with self.assertRaises(AccessError):
                self.send(self.mine, user, template_id=False)
        # As far as this person sees them: newer series refuse to choose the others in the first place.
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.send(self.mine, self.collecting_sender)
        wizard = self.send(self.own, self.collecting_sender)
        self.assertEqual((wizard.made_count, wizard.left_out), (1, ""))
        self.assertTrue(self.letter_of(self.own))
        self.assertFalse(self.letter_of(self.mine))
        self.assertEqual(self.letter_of(self.own).message_id.create_uid, self.collecting_sender)
        self.send(self.mine, self.sender)
        self.assertTrue(self.letter_of(self.mine))

    def test_who_records_what_became_of_them(self):
        self.send(self.mine | self.theirs, self.manager)
        mine, theirs = self.letter_of(self.mine), self.letter_of(self.theirs)
        for name in ("action_letter_printed", "action_letter_handed_over", "action_letter_undo"):
            with self.assertRaisesRegex(UserError, "takes the right"):
                getattr(mine.with_user(self.viewer), name)()
            with self.assertRaisesRegex(UserError, "None of these"):
                getattr(theirs.with_user(self.collector), name)()
        with self.assertRaises(AccessError):
            self.print_letters(mine, self.viewer)
        with self.assertRaises(AccessError):
            mine.with_user(self.collector).write({"letter_state": "returned"})
        # Of all letters, a collector prints the own ones.
        _action, content = self.print_letters(mine.run_id, self.collector)
        self.assertEqual((mine.letter_state, theirs.letter_state), ("printed", "to_print"))
        self.assertEqual(len(page_texts(content)), 1)
        self.assertEqual(mine.printed_by_id, self.collector)
        both = mine | theirs
        both.with_user(self.collector).action_letter_handed_over()
        self.assertEqual((mine.letter_state, theirs.letter_state), ("handed_over", "to_print"))
        Wizard = self.env["collection.letter.return"].with_user(self.collector)
        Wizard.with_context(active_model=mine._name, active_ids=mine.ids).create({"reason": "Moved"}).action_return()
        self.assertEqual((mine.letter_state, mine.returned_by_id), ("returned", self.collector))
        mine.with_user(self.collector).action_letter_undo()
        self.assertEqual(mine.letter_state, "printed")
        theirs.with_user(self.sender).action_letter_handed_over()
        self.assertEqual(theirs.handed_over_by_id, self.sender)
