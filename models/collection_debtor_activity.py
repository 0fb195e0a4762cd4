from collections import defaultdict

from odoo import _, fields, models
from odoo.tools import SQL

from ..engine import checks
from .collection_debtor_statement import PAYMENT_JOURNALS


class CollectionDebtor(models.Model):
    """The statement as activity: what a debtor owed before some days, what happened in them, what it owes after.

    How to use: ``_get_activity`` gives the figures; report/statement_report.py and report/statement_xlsx.py make
    documents of them as of any statement. How it works: the open items at the last day as ``_get_statement`` tells
    them, and one query more for balances and movements, one for checks, whatever the number of debtors.
    """

    _inherit = "collection.debtor"

    # === BUSINESS METHODS === #

    def _get_activity(self, date_from, date_to):
        """Return what each debtor's receivable lines say of the days from ``date_from`` to ``date_to``, both included.

        Everything that ``_get_statement(date_to)`` returns, and in each currency, in its own amounts: ``opening``, the
        balance at the end of the day before; ``movements``, a row for each journal entry that changed it, with the
        ``balance`` after it; ``debited`` and ``credited``, their sums; ``closing``, the balance at the end of the
        last day. ``otherwise`` is what of the closing balance is no longer open since it was settled against another
        currency or another customer: ``closing - total``. An entry that changes nothing in a currency, such as an
        exchange difference or a check taken into custody, is no movement of it; both count in the balances in company
        currency. ``checks`` are those that came in these days, or were in hand at the end of them.

        :return: {debtor id: statement with date_from, opening_company_currency and closing_company_currency}
        :raise AccessError: when the user may not read one of the debtors
        :raise ValueError: when the days are in the wrong order
        """
        date_from, date_to = fields.Date.to_date(date_from), fields.Date.to_date(date_to)
        if date_from > date_to:
            raise ValueError(f"{date_from} is after {date_to}.")
        statements = self._get_statement(date_to)
        debtors = self.sudo()
        effects = debtors._group_activity_rows(debtors._query_activity(date_from, date_to))
        checks_of = debtors._group_activity_rows(debtors._query_activity_checks(date_from, date_to))
        # All at once: then they are read once for all languages.
        self._browse_activity_checks([*effects.values(), *checks_of.values()]).mapped("display_name")
        for debtor in debtors:
            statements[debtor.id] = debtor._prepare_activity_statement(
                statements[debtor.id], date_from, effects[debtor.id], checks_of[debtor.id]
            )
        return statements

    def _get_activity_kinds(self):
        """Return {kind of movement: its name in the context's language}."""
        return {
            "invoice": _("Invoice"),
            "credit_note": _("Credit note"),
            "payment": _("Payment"),
            "refund": _("Refund"),
            "check": _("Check"),
            "reversal": _("Reversal"),
            "exchange": _("Exchange difference"),
            "other": _("Other entry"),
        }

    def _get_activity_check_states(self):
        """Return {state of a check: its name in the context's language}."""
        return dict(self.env["account.postdated.check"]._fields["state"]._description_selection(self.env))

    # === HELPERS === #

    def _prepare_activity_statement(self, statement, date_from, effects, checks_in):
        """Return the activity of one debtor, from its open items and the rows of its entries and checks."""
        self.ensure_one()
        debtor = self.with_context(lang=statement["lang"])
        company_currency = self.company_id.currency_id
        sections = {section["currency"]: section for section in statement["currencies"]}
        effects_of, checks_of = defaultdict(list), defaultdict(list)
        for rows, rows_of in ((effects, effects_of), (checks_in, checks_of)):
            for row in rows:
                rows_of[self.env["res.currency"].browse(row["currency_id"])].append(row)
        prepared = []
        for currency in self._sort_activity_currencies({*sections, *effects_of, *checks_of}):
            section = sections.get(currency) or debtor._prepare_activity_nothing_open(currency, statement["as_of"])
            section = {
                **section,
                **debtor._prepare_activity_currency(currency, effects_of[currency]),
                "checks": debtor._prepare_activity_checks(currency, checks_of[currency]),
            }
            section["otherwise"] = currency.round(section["closing"] - section["total"])
            if any(section[key] for key in ("opening", "movements", "closing", "items", "credits", "checks")):
                prepared.append(section)
        before = [row["balance"] for row in effects if not row["move_id"]]
        return {
            **statement,
            "date_from": date_from,
            "currencies": prepared,
            "opening_company_currency": company_currency.round(sum(before)),
            "closing_company_currency": company_currency.round(sum(row["balance"] for row in effects)),
        }

    def _sort_activity_currencies(self, currencies):
        """The company's own first."""
        own = self.company_id.currency_id
        return sorted(currencies, key=lambda currency: (currency != own, currency.name))

    def _prepare_activity_nothing_open(self, currency, as_of):
        edges = self.company_id._get_collection_bucket_edges()
        return self._prepare_statement_currency(currency, [], as_of, edges, self._get_statement_bucket_labels())

    def _prepare_activity_currency(self, currency, effects):
        """Return balances and movements in one currency; each figure is the sum of those before it, rounded."""
        before = [row["amount_currency"] for row in effects if not row["move_id"]]
        balance = opening = currency.round(sum(before))
        kinds, movements = self._get_activity_kinds(), []
        moves = [row for row in effects if row["move_id"] and not currency.is_zero(row["amount_currency"])]
        for row in sorted(moves, key=lambda row: (row["date"], row["move_id"])):
            amount = currency.round(row["amount_currency"])
            balance = currency.round(balance + amount)
            movements.append(self._prepare_activity_movement(row, amount, balance, kinds))
        return {
            "opening": opening,
            "movements": movements,
            "debited": currency.round(sum(movement["debit"] for movement in movements)),
            "credited": currency.round(sum(movement["credit"] for movement in movements)),
            "closing": balance,
        }

    def _prepare_activity_movement(self, row, amount, balance, kinds):
        kind = self._get_activity_kind(row)
        document, reference = row["document"] or "", row["reference"] or ""
        if kind == "check":
            document, reference = self._browse_activity_checks([[row]]).display_name, document
        return {
            "move_id": row["move_id"],
            "kind": kind,
            "label": kinds[kind],
            "document": document,
            "reference": reference if reference != document else "",
            "date": row["date"],
            # What comes in is due on no day.
            "due_date": row["due_date"] if amount > 0 and kind in ("invoice", "other") else False,
            "debit": max(amount, 0.0),
            "credit": max(-amount, 0.0),
            "balance": balance,
        }

    def _get_activity_kind(self, row):
        if row["move_type"] in ("out_invoice", "out_receipt"):
            return "invoice"
        if row["move_type"] == "out_refund":
            return "credit_note"
        if row["is_exchange"]:
            return "exchange"
        if row["is_reversal"]:
            return "reversal"
        if row["check_id"]:
            return "check"
        if row["journal_type"] in PAYMENT_JOURNALS:
            return "payment" if row["amount_currency"] < 0 else "refund"
        return "other"

    def _prepare_activity_checks(self, currency, rows):
        """Return the checks of one currency, those to be deposited first before the others."""
        labels = self._get_activity_check_states()
        return [
            {
                "check": self._browse_activity_checks([[row]]).display_name,
                "receipt_date": row["receipt_date"],
                "deposit_date": row["deposit_date"],
                "state": row["state"],
                "label": labels[row["state"]],
                "amount": currency.round(row["amount"]),
            }
            for row in sorted(rows, key=lambda row: (row["deposit_date"], row["check_id"]))
        ]

    def _browse_activity_checks(self, groups):
        """The checks of these groups of rows, as the customer's language names them."""
        ids = {row["check_id"] for rows in groups for row in rows if row["check_id"]}
        return self.env["account.postdated.check"].sudo().browse(ids)

    # === SQL === #

    def _group_activity_rows(self, query):
        """Return {debtor id: rows of ``query``}, an empty list for whom there is none."""
        rows = defaultdict(list)
        if self.ids:
            # What is not written yet was flushed with the statement.
            self.env.cr.execute(query)
            for row in self.env.cr.dictfetchall():
                rows[row["debtor_id"]].append(row)
        return rows

    def _query_activity(self, date_from, date_to):
        """Return the statement that sums the receivable lines of these debtors, each currency apart: one row, without
        ``move_id``, of all that was before ``date_from``, and one for each entry since."""
        # Found as the open items are, see _query_statement_items; entries and journals by their primary keys.
        return SQL(
            """
            WITH effect AS (
                SELECT debtor.id AS debtor_id,
                       line.currency_id,
                       CASE WHEN line.date >= %(date_from)s THEN line.move_id END AS move_id,
                       SUM(line.amount_currency) AS amount_currency,
                       SUM(line.balance) AS balance,
                       MIN(COALESCE(line.date_maturity, line.date)) AS due_date,
                       MIN(line.name) AS label
                  %(lines)s
                 WHERE debtor.id IN %(ids)s
                   AND account.account_type = 'asset_receivable'
                   AND line.parent_state = 'posted'
                   AND line.date <= %(date_to)s
                 GROUP BY 1, 2, 3
            )
            SELECT effect.debtor_id,
                   effect.currency_id,
                   effect.move_id,
                   effect.amount_currency::float8,
                   effect.balance::float8,
                   effect.due_date,
                   move.date,
                   move.name AS document,
                   CASE WHEN move.move_type = 'entry'
                        THEN COALESCE(NULLIF(move.ref, ''), effect.label)
                        ELSE move.ref END AS reference,
                   move.move_type,
                   move.reversed_entry_id IS NOT NULL AS is_reversal,
                   CASE WHEN move.move_type = 'entry' THEN move.postdated_check_id END AS check_id,
                   journal.type AS journal_type,
                   journal.id IS NOT DISTINCT FROM company.currency_exchange_journal_id AS is_exchange
              FROM effect
              LEFT JOIN account_move move ON move.id = effect.move_id
              LEFT JOIN account_journal journal ON journal.id = move.journal_id
              LEFT JOIN res_company company ON company.id = move.company_id
            """,
            lines=self._query_statement_lines(),
            date_from=date_from,
            date_to=date_to,
            ids=tuple(self.ids),
        )

    def _query_activity_checks(self, date_from, date_to):
        """Return the statement that lists the checks of these debtors that came in the days given, or were in hand at
        the end of the last one, with their state then."""
        # By the checks' index on their debtor and the events' one on their check.
        return SQL(
            """
            SELECT checks.debtor_id,
                   checks.id AS check_id,
                   checks.currency_id,
                   checks.amount::float8,
                   checks.receipt_date,
                   checks.deposit_date,
                   event.new_state AS state
              FROM account_postdated_check checks
              JOIN LATERAL (
                    SELECT new_state
                      FROM account_postdated_check_event
                     WHERE check_id = checks.id AND date <= %(date_to)s
                     ORDER BY id DESC
                     LIMIT 1
                   ) event ON TRUE
             WHERE checks.debtor_id IN %(ids)s
               AND (event.new_state IN %(in_hand)s
                    OR (checks.receipt_date BETWEEN %(date_from)s AND %(date_to)s AND event.new_state NOT IN %(void)s))
            """,
            date_from=date_from,
            date_to=date_to,
            ids=tuple(self.ids),
            in_hand=checks.IN_HAND,
            void=(checks.DRAFT, checks.CANCELLED),
        )
