"""The texts: all of them are in the template, translated, and met by people who read Spanish."""

import io
from pathlib import Path

from odoo import release
from odoo.tests import tagged
from odoo.tools.translate import trans_export

from ..tools import catalogues
from .common import CollectionCommon

FOLDER = Path(__file__).resolve().parent.parent / "i18n"


@tagged("post_install", "-at_install")
class TestCatalogues(CollectionCommon):
    maxDiff = None

    def setUp(self):
        super().setUp()
        self.template = catalogues.read(FOLDER / f"{catalogues.ADDON}.pot")

    def _is_ours(self, occurrence):
        """Fields that other add-ons add to the mixins of our models are texts of theirs."""
        kind, _mark, external_id = occurrence.rpartition(":")
        if not kind.startswith("model:ir.model.fields,"):
            return True
        field = self.env.ref(external_id)
        needed = self.env.ref(f"base.module_{catalogues.ADDON}").upstream_dependencies(
            exclude_states=("uninstallable",)
        )
        modules = {catalogues.ADDON, *needed.mapped("name"), "base"}
        return not modules.isdisjoint(self.env[field.model]._fields[field.name]._modules)

    def test_the_template_has_every_text_of_the_add_on(self):
        if release.series != "17.0":
            # Another series words some labels of its own mixins differently: the template is that of 17.0.
            self.assertTrue(self.template)
            return
        buffer = io.BytesIO()
        trans_export(None, [catalogues.ADDON], buffer, "po", self.env.cr)
        exported = catalogues.template(buffer.getvalue().decode())
        known, found = ({term.msgid for term in terms} for terms in (self.template, exported))
        ours = {term.msgid for term in exported if any(self._is_ours(path) for path, _line in term.occurrences)}
        self.assertEqual(
            (sorted(ours - known), sorted(known - found)),
            ([], []),
            "Texts are new (first list) or gone (second list): run `make i18n` and translate what it names.",
        )

    def test_every_language_is_complete_and_keeps_the_placeholders(self):
        for language in catalogues.LANGUAGES:
            with self.subTest(language):
                faults = list(catalogues.faults(catalogues.read(FOLDER / f"{language}.po"), self.template))
                self.assertEqual(faults, [], "run `make i18n` and translate what it names")

    def test_faults_are_found(self):
        def catalogue(**texts):
            result = catalogues.polib.POFile()
            result.extend(catalogues.polib.POEntry(msgid=msgid, msgstr=msgstr) for msgid, msgstr in texts.items())
            return result

        terms = catalogue(**{"Hello %(name)s": "", "Empty": "", "New": "", '<b title="Due">Due</b>': ""})
        translated = catalogue(
            **{
                "Hello %(name)s": "Hola %(nombre)s",
                "Empty": "",
                "Old": "Viejo",
                '<b title="Due">Due</b>': "<b>Vence</b>",
            }
        )
        found = [fault.partition(":")[0] for fault in catalogues.faults(translated, terms)]
        self.assertEqual(
            found,
            ["not in the file", "no such term any more", "other placeholders than its source", "not translated"],
        )
        merged = catalogues.merge(translated, terms, "es")
        self.assertEqual({entry.msgid for entry in merged}, {entry.msgid for entry in terms})


@tagged("post_install", "-at_install")
class TestSpanish(CollectionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.speak_spanish()
        cls.customer = cls.make_customer("Ferretería del Norte", lang="es_MX")

    def mexican(self, external_id):
        return self.env.ref(f"account_collection.{external_id}").with_context(lang="es_MX")

    def test_the_app_is_called_cobranza(self):
        self.assertEqual(self.mexican("menu_root").name, "Cobranza")
        self.assertEqual(self.env.ref("account_collection.menu_root").name, "Collections")

    def test_the_ladder_reads_in_spanish(self):
        levels = self.mexican("policy_default").level_ids
        self.assertEqual(levels.mapped("name")[-1], "Último aviso")
        for level, original in zip(levels, levels.with_context(lang="en_US"), strict=True):
            self.assertNotEqual(level.name, original.name)
            self.assertNotEqual(level.template_id.subject, original.template_id.subject)
            self.assertNotIn("Dear", level.template_id.body_html)

    def test_a_mexican_customer_is_written_to_in_spanish(self):
        self.make_invoice(self.customer, 1234.5, days=35)
        self.debtor(self.customer)
        notice = self.night()
        self.Notice._cron_dispatch()
        self.assertEqual(notice.state, "outgoing")
        self.assertIn("requerimiento formal de pago por", notice.message_id.subject)
        for text in ("Estimado cliente", "Ferretería del Norte", "1,234.50", "Días vencidos", "cinco días hábiles"):
            self.assertIn(text, notice.message_id.body)
        for text in ("Dear", "Yours", "Days overdue"):
            self.assertNotIn(text, notice.message_id.body)

    def test_the_statement_reads_in_spanish(self):
        self.make_invoice(self.customer, 100, days=-5)
        debtor = self.debtor(self.customer)
        statement = debtor._get_statement()
        buckets = statement[debtor.id]["currencies"][0]["aging"]
        self.assertEqual(buckets[0]["label"], "No vencido")
        self.assertIn("Estado de cuenta", debtor._get_statement_filename())

    def test_errors_read_in_spanish(self):
        debtor = self.debtor(self.customer).with_context(lang="es_MX")
        self.assertIn("Cobrador", debtor.fields_get(["collector_id"])["collector_id"]["string"])
        self.make_invoice(self.customer, 100, days=5)
        self.debtor(self.customer)
        notice = self.night().with_context(lang="es_MX")
        self.assertIn("tiene 5 días de atraso", notice.why)

    def test_what_a_night_writes_for_the_company_s_people_is_in_its_language(self):
        self.company.partner_id.lang = "es_MX"
        unreachable = self.make_customer("Sin Correo", email=False)
        late = self.make_invoice(unreachable, 100, days=35)
        told = self.make_invoice(self.customer, 100, days=35)
        self.set_channels(self.policy.level_ids, "mail")
        self.debtor(self.customer)
        notices = self.night()
        self.assertFalse(self.env.context.get("lang") == "es_MX")
        self.Notice._cron_dispatch()
        failed = notices.filtered(lambda notice: notice.partner_id == unreachable)
        self.assertEqual(failed.reason, "Sin Correo no tiene dirección de correo.")
        self.assertIn("Requerimiento formal por correo", told.message_ids[0].body)
        self.assertFalse(late.message_ids.filtered(lambda message: "Requerimiento" in (message.body or "")))

    def test_a_remark_is_in_the_company_s_language(self):
        self.company.partner_id.lang = "es_MX"
        self.make_invoice(self.customer, 100, days=35)
        self.debtor(self.customer).policy_id = self.env["collection.policy"].create({"name": "Empty"})
        self.night()
        run = self.Run.search([("company_id", "=", self.company.id)])
        self.assertIn("deudores no tienen una política", run.remark)
