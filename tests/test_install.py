"""Installing on a database with a past, and leaving it as it was."""

import re

from odoo.tests import tagged

from ..tools.database import rows
from .crash_common import CrashCase

CUSTOMERS, INVOICES = 100, 700

# Everything by which an add-on could leave a trace, as a set of rows each.
TRACES = {
    "tables": "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'public'",
    "columns": """SELECT table_name, column_name, data_type, is_nullable, column_default
                    FROM information_schema.columns WHERE table_schema = 'public'""",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "constraints": """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
                       WHERE connamespace = 'public'::regnamespace""",
    "functions": "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    "triggers": "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal",
    "models": "SELECT model FROM ir_model",
    "fields": "SELECT model, name FROM ir_model_fields",
    "selections": """SELECT field.model, field.name, value FROM ir_model_fields_selection selection
                       JOIN ir_model_fields field ON field.id = selection.field_id""",
    "relations": "SELECT name FROM ir_model_relation",
    # Of foreign keys Odoo itself keeps the entry, though not the key: those are compared above.
    "model constraints": "SELECT name FROM ir_model_constraint WHERE type <> 'f'",
    "external ids": "SELECT module, name FROM ir_model_data WHERE model <> 'ir.module.module'",
    "access rights": "SELECT id FROM ir_model_access",
    "rules": "SELECT id FROM ir_rule",
    "groups": "SELECT id FROM res_groups",
    # Not their members: rights that a group implied stay with the person, as with every add-on of Odoo's.
    "group implications": "SELECT gid, hid FROM res_groups_implied_rel",
    "categories": "SELECT id FROM ir_module_category",
    "views": "SELECT id, active FROM ir_ui_view",
    "menus": "SELECT id FROM ir_ui_menu",
    "actions": "SELECT id FROM ir_actions",
    "scheduled jobs": "SELECT id FROM ir_cron",
    "triggered jobs": "SELECT id, cron_id FROM ir_cron_trigger WHERE cron_id NOT IN (SELECT id FROM ir_cron)",
    "parameters": "SELECT key FROM ir_config_parameter",
    "templates": "SELECT id FROM mail_template",
    "activity types": "SELECT id FROM mail_activity_type",
    "activities": "SELECT id FROM mail_activity",
    "followers": "SELECT res_model, res_id, partner_id FROM mail_followers",
    "mails": "SELECT id FROM mail_mail",
    "messages": "SELECT id FROM mail_message WHERE model IS DISTINCT FROM 'account.move'",
    "attachments": "SELECT id, res_model FROM ir_attachment WHERE url IS NULL OR url NOT LIKE '/web/assets/%'",
    "saved filters": "SELECT id FROM ir_filters",
    "defaults": "SELECT id FROM ir_default",
    "paper formats": "SELECT id FROM report_paperformat",
}
# The documents themselves: that no row was written shows in the transaction that wrote it last.
LEDGER = "SELECT id, xmin::text FROM {} ORDER BY id"


@tagged("-standard", "post_install", "collection_crash")
class TestInstall(CrashCase):
    def traces(self, database):
        return {name: set(rows(query, database=database)) for name, query in TRACES.items()}

    def ledger(self, database):
        tables = ("account_move", "account_move_line", "account_partial_reconcile")
        documents = {table: rows(LEDGER.format(table), database=database) for table in tables}
        customers = "res_partner WHERE id NOT IN (SELECT partner_id FROM res_users)"
        return {**documents, "res_partner": rows(LEDGER.format(customers), database=database)}

    def test_install_and_uninstall(self):
        database = self.clone()
        with self.worker(database) as worker:
            worker.do("fill", customers=CUSTOMERS, invoices=INVOICES)
            worker.do("post_invoice")
        before, ledger = self.traces(database), self.ledger(database)

        log = self.install(database)
        self.assertEqual([line for line in log.splitlines() if " ERROR " in line], [])
        for table, documents in self.ledger(database).items():
            self.assertEqual(set(documents) - set(ledger[table]), set(), "no document was written or recomputed")
        with self.worker(database) as worker:
            debtors, customers, different = worker.do("debtors")
            self.assertEqual((debtors, different), (customers, 0))
            self.assertEqual(debtors, CUSTOMERS + 1)
            self.assertGreater(worker.do("queue"), CUSTOMERS * 2 // 3)
            self.assertGreater(worker.do("dispatch"), CUSTOMERS * 2 // 3)
            self.leave_more_traces(database)
            self.assertEqual(worker.do("uninstall"), ["posted", 0.0])
        trouble = re.compile(r" ERROR |could not be deleted \(\[\d")
        self.assertEqual([line for line in worker.log.read_text().splitlines() if trouble.search(line)], [])
        after = self.traces(database)
        for name, traces in before.items():
            with self.subTest(name):
                self.assertEqual(after[name] - traces, set(), "left behind")
                self.assertEqual(traces - after[name], set(), "lost")

    def leave_more_traces(self, database):
        """What people add on top while they work."""
        rows(
            """INSERT INTO mail_followers (res_model, res_id, partner_id)
               SELECT 'collection.debtor', debtor.id, debtor.partner_id FROM collection_debtor debtor LIMIT 5;
               INSERT INTO ir_filters (name, model_id, active, domain, context, sort)
               VALUES ('"Mine"', 'collection.debtor', TRUE, '[]', '{}', '[]');
               INSERT INTO ir_attachment (name, type, res_model, res_id, res_field)
               VALUES ('note', 'binary', 'collection.run', 1, 'note');""",
            database=database,
        )
