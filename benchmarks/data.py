"""A ledger of any size in seconds: customers, open and closed invoices, payments, as Odoo itself would store them.

*How to use.* ``load(cursor, Size(...))`` on a database that has Odoo's ``account`` and a chart of accounts; the add-on
may be installed or not. The same size gives the same ledger: its random numbers are seeded.

*How it works.* One ``INSERT ... SELECT`` per kind of row. Every customer has a lateness of its own, from who pays
before the date to who is months behind, so that each level of the ladder has its share. One customer in twenty is
invoiced in another currency, one in twenty has money on account, one open invoice in ten is partly paid.
"""

import contextlib
from typing import NamedTuple

LOADED = (
    "res_partner",
    "account_move",
    "account_move_line",
    "account_partial_reconcile",
    "account_full_reconcile",
)


class Size(NamedTuple):
    """How much to load; ``closed`` invoices, each with its payment, are history of the same customers."""

    items: int
    debtors: int
    closed: int


PARTNERS = """
    CREATE TEMP TABLE new_partner AS
    SELECT number, nextval('res_partner_id_seq')::int AS id,
           CASE WHEN number %% 20 = 0 THEN %(other)s ELSE %(currency)s END AS currency_id,
           CASE WHEN number %% 20 = 0 THEN 2.0 ELSE 1.0 END AS rate,
           (ARRAY[-1, 2, 14, 14, 29, 29, 59, 59, 120, 200])[1 + floor(random() * 10)::int] AS lateness
      FROM generate_series(1, %(debtors)s) AS number;
    CREATE UNIQUE INDEX ON new_partner (number);

    INSERT INTO res_partner (id, name, complete_name, active, is_company, type, lang, commercial_partner_id, email,
           email_normalized, partner_share, customer_rank, street, city, color, create_uid, create_date, write_uid,
           write_date)
    SELECT id, 'Customer ' || number, 'Customer ' || number, TRUE, TRUE, 'contact', 'en_US', id,
           'customer' || number || '@example.com', 'customer' || number || '@example.com', TRUE, 1,
           number || ' Main Street', 'Springfield', 0, 1, now(), 1, now()
      FROM new_partner"""

# ``open`` is what remains of the invoice, in its own currency.
INVOICES = """
    CREATE TEMP TABLE new_invoice AS
    SELECT drawn.*, due - 30 AS date, round(drawn.amount * drawn.part, 2) AS open
      FROM (SELECT invoice.number, nextval('account_move_id_seq')::int AS id,
                   nextval('account_move_line_id_seq')::int AS line_id, partner.id AS partner_id,
                   partner.currency_id, partner.rate,
                   round((100 + random() * 20000)::numeric, 2) AS amount,
                   CASE WHEN invoice.number > %(items)s THEN 0 WHEN random() < 0.1 THEN 0.4 ELSE 1 END AS part,
                   %(today)s::date + 25 - CASE WHEN invoice.number > %(items)s THEN 100 + floor(random() * 600)::int
                       ELSE floor(random() * (partner.lateness + 26))::int END AS due
              FROM generate_series(1, %(items)s + %(closed)s) AS invoice(number)
              JOIN new_partner partner ON partner.number = 1 + invoice.number %% %(debtors)s) drawn;

    INSERT INTO account_move (id, name, sequence_prefix, sequence_number, move_type, state, auto_post, date,
    invoice_date,
           invoice_date_due, journal_id, company_id, currency_id, partner_id, commercial_partner_id,
           partner_shipping_id,
           payment_state, payment_reference, invoice_partner_display_name, amount_untaxed, amount_tax, amount_total,
           amount_residual, amount_untaxed_signed, amount_tax_signed, amount_total_signed,
           amount_total_in_currency_signed, amount_residual_signed, posted_before, is_move_sent, always_tax_exigible,
           create_uid, create_date, write_uid, write_date)
    SELECT id, 'LOAD/' || lpad(number::text, 7, '0'), 'LOAD/', number, 'out_invoice', 'posted', 'no', date, date,
           due, %(sale_journal)s, %(company)s, currency_id, partner_id, partner_id, partner_id,
           CASE WHEN open = 0 THEN 'paid' WHEN open < amount THEN 'partial' ELSE 'not_paid' END,
           'LOAD/' || lpad(number::text, 7, '0'), 'Customer', amount, 0, amount,
           open, amount * rate, 0, amount * rate, amount, open * rate, TRUE, FALSE, FALSE, 1, now(), 1, now()
      FROM new_invoice;

    INSERT INTO account_move_line (id, move_id, move_name, parent_state, journal_id, company_id, company_currency_id,
           currency_id, account_id, partner_id, name, display_type, sequence, date, invoice_date, date_maturity,
           quantity, price_unit, price_subtotal, price_total, discount, debit, credit, balance, amount_currency,
           amount_residual, amount_residual_currency, reconciled, create_uid, create_date, write_uid, write_date)
    SELECT id, move_id, 'LOAD/' || lpad(number::text, 7, '0'), 'posted', %(sale_journal)s, %(company)s, %(currency)s,
           currency_id, account_id, partner_id, label, display_type, sequence, date, date, maturity, 1, amount, amount,
           amount, 0, greatest(sign * amount * rate, 0), greatest(-sign * amount * rate, 0), sign * amount * rate,
           sign * amount, open * rate, open, sign > 0 AND open = 0, 1, now(), 1, now()
      FROM (SELECT line_id AS id, id AS move_id, number, currency_id, partner_id, %(receivable)s AS account_id,
                   'LOAD/' || lpad(number::text, 7, '0') AS label, 'payment_term' AS display_type, 10000 AS sequence,
                   date,
                   due AS maturity, amount, rate, 1 AS sign, open
              FROM new_invoice
             UNION ALL
            SELECT nextval('account_move_line_id_seq'), id, number, currency_id, partner_id, %(income)s, 'Goods',
            'product',
                   100, date, NULL, amount, rate, -1, 0
              FROM new_invoice) line"""

# A payment closes an invoice, pays part of it, or (without invoice) stands on account.
PAYMENTS = """
    CREATE TEMP TABLE new_payment AS
    SELECT row_number() OVER () AS number, nextval('account_move_id_seq')::int AS id,
           nextval('account_move_line_id_seq')::int AS line_id, paid.*
      FROM (SELECT line_id AS invoice_line_id, open = 0 AS closes, partner_id, currency_id, rate, amount - open AS
      amount,
                   least(date + 45, %(today)s::date) AS date
              FROM new_invoice WHERE open < amount
             UNION ALL
            SELECT NULL, FALSE, id, currency_id, rate, 250, %(today)s::date - 3
              FROM new_partner WHERE number %% 20 = 7) paid;

    INSERT INTO account_move (id, name, sequence_prefix, sequence_number, move_type, state, auto_post, date, journal_id,
           company_id, currency_id, partner_id, commercial_partner_id, payment_state, amount_untaxed, amount_tax,
           amount_total, amount_residual, amount_total_signed, posted_before, is_move_sent, always_tax_exigible,
           create_uid, create_date, write_uid, write_date)
    SELECT id, 'PAID/' || lpad(number::text, 7, '0'), 'PAID/', number, 'entry', 'posted', 'no', date, %(bank_journal)s,
           %(company)s, currency_id, partner_id, partner_id, 'not_paid', 0, 0, amount, 0, amount * rate, TRUE, FALSE,
           TRUE, 1, now(), 1, now()
      FROM new_payment;

    INSERT INTO account_move_line (id, move_id, move_name, parent_state, journal_id, company_id, company_currency_id,
           currency_id, account_id, partner_id, name, display_type, sequence, date, date_maturity, quantity, debit,
           credit,
           balance, amount_currency, amount_residual, amount_residual_currency, reconciled,
           create_uid, create_date, write_uid, write_date)
    SELECT id, move_id, 'PAID/' || lpad(number::text, 7, '0'), 'posted', %(bank_journal)s, %(company)s, %(currency)s,
           currency_id, account_id, partner_id, 'Payment', 'product', 10, date, date, 1,
           greatest(sign * amount * rate, 0), greatest(-sign * amount * rate, 0), sign * amount * rate, sign * amount,
           -open * rate, -open, sign < 0 AND open = 0, 1, now(), 1, now()
      FROM (SELECT line_id AS id, id AS move_id, number, currency_id, partner_id, %(receivable)s AS account_id, date,
      amount,
                   rate, -1 AS sign, CASE WHEN invoice_line_id IS NULL THEN amount ELSE 0 END AS open
              FROM new_payment
             UNION ALL
            SELECT nextval('account_move_line_id_seq'), id, number, currency_id, partner_id, %(bank)s, date, amount,
            rate, 1, 0
              FROM new_payment) line"""

RECONCILES = """
    CREATE TEMP TABLE new_match AS
    SELECT payment.*, CASE WHEN closes THEN nextval('account_full_reconcile_id_seq')::int END AS full_id
      FROM new_payment payment WHERE invoice_line_id IS NOT NULL;

    INSERT INTO account_full_reconcile (id, create_uid, create_date, write_uid, write_date)
    SELECT full_id, 1, now(), 1, now() FROM new_match WHERE closes;

    INSERT INTO account_partial_reconcile (debit_move_id, credit_move_id, full_reconcile_id, company_id,
    debit_currency_id,
           credit_currency_id, amount, debit_amount_currency, credit_amount_currency, max_date,
           create_uid, create_date, write_uid, write_date)
    SELECT invoice_line_id, line_id, full_id, %(company)s, currency_id, currency_id, amount * rate, amount, amount,
    date,
           1, now(), 1, now()
      FROM new_match;

    UPDATE account_move_line line
       SET full_reconcile_id = matched.full_id, matching_number = matched.full_id::text
      FROM (SELECT full_id, unnest(ARRAY[invoice_line_id, line_id]) AS line_id FROM new_match WHERE closes) matched
     WHERE line.id = matched.line_id"""

CLEAN_UP = "DROP TABLE new_partner, new_invoice, new_payment, new_match"


def load(cursor, size, today):
    """Add the customers, invoices and payments of ``size`` to the first company, seen on the day ``today``."""
    chart = _chart(cursor)
    values = {**size._asdict(), **chart, "today": today}
    # Without this, a vacuum in the background would gather statistics at some moment of the measures.
    for table in LOADED:
        cursor.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = FALSE)")
    cursor.execute("SELECT setseed(0.5)")
    cursor.execute("UPDATE res_currency SET active = TRUE WHERE id = %(other)s", chart)
    with _bare_tables(cursor):
        for statement in (PARTNERS, INVOICES, PAYMENTS, RECONCILES, CLEAN_UP):
            cursor.execute(statement, values)


@contextlib.contextmanager
def _bare_tables(cursor):
    """Load without secondary indexes and, where the role may, without foreign key checks: several times as fast."""
    cursor.execute(
        """SELECT format('%%I', indexes.indexname), indexes.indexdef
             FROM pg_indexes indexes
            WHERE indexes.schemaname = current_schema() AND indexes.tablename = ANY(%s)
              AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = indexes.indexname)""",
        [list(LOADED)],
    )
    indexes = cursor.fetchall()
    for name, _definition in indexes:
        cursor.execute(f"DROP INDEX {name}")
    cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    (free,) = cursor.fetchone()
    if free:
        cursor.execute("SET LOCAL session_replication_role = replica")
    yield
    if free:
        cursor.execute("SET LOCAL session_replication_role = origin")
    for _name, definition in indexes:
        cursor.execute(definition)


def _chart(cursor):
    """Return the ids of what an entry needs: company, currencies, journals, accounts."""
    ids = {}
    cursor.execute("SELECT id, currency_id FROM res_company ORDER BY id LIMIT 1")
    ids["company"], ids["currency"] = cursor.fetchone()
    cursor.execute(
        "SELECT id FROM res_currency WHERE id <> %s AND name IN ('USD', 'EUR') ORDER BY name", [ids["currency"]]
    )
    (ids["other"],) = cursor.fetchone()
    for name, kind in (("sale_journal", "sale"), ("bank_journal", "bank")):
        cursor.execute("SELECT id FROM account_journal WHERE type = %s ORDER BY id LIMIT 1", [kind])
        (ids[name],) = cursor.fetchone()
    for name, kind in (("receivable", "asset_receivable"), ("income", "income"), ("bank", "asset_cash")):
        cursor.execute("SELECT id FROM account_account WHERE account_type = %s ORDER BY id LIMIT 1", [kind])
        (ids[name],) = cursor.fetchone()
    return ids
