from odoo import _, api, models
from odoo.tools import SQL
from odoo.tools.misc import format_date

from .collection_debtor_statement import PAYMENT_JOURNALS
from .statement_layout import EVERYTHING


class CollectionDebtor(models.Model):
    """Which open items a campaign speaks of.

    *How it works.* One condition on receivable lines, for whom it reaches, what its messages ask for and what their
    statements show: they cannot disagree.
    """

    _inherit = "collection.debtor"

    def _get_selection_text(self, documents):
        """What a customer reads of ``documents`` on the statement, in the context's language; nothing where they are
        all that is open."""
        if documents == EVERYTHING:
            return ""
        texts = [_("This is a part of what is open.")]
        first, last = (day and format_date(self.env, day) for day in (documents.first, documents.last))
        if first and last:
            texts.append(_("Documents from %(first)s to %(last)s.", first=first, last=last))
        elif first:
            texts.append(_("Documents from %s on.", first))
        elif last:
            texts.append(_("Documents up to %s.", last))
        if documents.journal_ids:
            names = self.env["account.journal"].sudo().browse(documents.journal_ids).mapped("name")
            texts.append(_("Journals: %s.", ", ".join(names)))
        if not documents.credits:
            texts.append(_("Unallocated payments and credit notes are left out."))
        if not documents.checks:
            texts.append(_("Checks in custody and what they cover are left out."))
        return " ".join(texts)

    @api.model
    def _leave_out_checks(self, row, as_of):
        """Take off a row of a statement what checks cover, as long as nobody asks for that: until their agreed day has
        passed."""
        day = as_of or self.env["res.company"].browse(row["company_id"])._get_collection_today()
        covered = sum(cover.amount for cover in row["covers"] if cover.deposit_date >= day)
        row["covers"] = []
        if covered and row["residual_currency"] > 0:
            left = max(1 - covered / row["residual_currency"], 0)
            row["residual"] *= left
            row["residual_currency"] *= left

    # === SQL ===#

    @api.model
    def _query_is_chosen(self, documents):
        """Condition: this receivable ``line`` is one of ``documents``. Served by primary keys."""
        if documents == EVERYTHING:
            return SQL("TRUE")
        return SQL(
            """EXISTS (
                SELECT 1 FROM account_move chosen
                  JOIN account_journal book ON book.id = chosen.journal_id
                 WHERE chosen.id = line.move_id
                   AND (%(credits)s OR line.amount_currency >= 0)
                   AND CASE WHEN %(holds_check)s THEN %(checks)s
                            WHEN line.amount_currency < 0 AND chosen.move_type = 'entry'
                                 AND chosen.collection_opening_document IS NULL THEN TRUE
                            ELSE %(dates_and_journals)s END)""",
            credits=documents.credits,
            checks=documents.checks,
            holds_check=self._query_holds_check("chosen", "book"),
            dates_and_journals=SQL(" AND ").join(self._query_dates_and_journals(documents)),
        )

    @api.model
    def _query_dates_and_journals(self, documents):
        """Conditions on the ``line`` of a ``chosen`` document."""
        day = SQL("COALESCE(chosen.collection_opening_date, chosen.invoice_date, line.date)")
        conditions = [SQL("TRUE")]
        if documents.first:
            conditions.append(SQL("%s >= %s", day, documents.first))
        if documents.last:
            conditions.append(SQL("%s <= %s", day, documents.last))
        if documents.journal_ids:
            conditions.append(SQL("line.journal_id = ANY(%s)", list(documents.journal_ids)))
        return conditions

    @api.model
    def _query_holds_check(self, move, journal):
        """Condition: this entry took a check into custody."""
        return SQL(
            """(%(move)s.move_type = 'entry' AND %(move)s.reversed_entry_id IS NULL
                AND %(move)s.postdated_check_id IS NOT NULL AND %(journal)s.type NOT IN %(payment_journals)s)""",
            move=SQL.identifier(move),
            journal=SQL.identifier(journal),
            payment_journals=PAYMENT_JOURNALS,
        )

    @api.model
    def _query_owing(self, company, documents, overdue_on=None):
        """Rows (debtor) of those who owe something of ``documents``, credits deducted; with a day, something that is
        overdue on it. The lines come from Odoo's partial index on unreconciled ones."""
        counts = SQL("TRUE")
        if overdue_on:
            counts = SQL("(line.amount_residual < 0 OR COALESCE(line.date_maturity, line.date) < %s)", overdue_on)
        return SQL(
            """SELECT debtor.id
                 FROM account_move_line line
                 JOIN res_partner partner ON partner.id = line.partner_id
                 JOIN collection_debtor debtor
                   ON debtor.partner_id = COALESCE(partner.commercial_partner_id, partner.id)
                  AND debtor.company_id = line.company_id
                WHERE line.account_id = ANY(%(accounts)s) AND line.company_id = %(company)s AND %(is_open)s
                  AND %(is_chosen)s AND %(counts)s
                GROUP BY debtor.id
               HAVING SUM(line.amount_residual) > 0""",
            accounts=self.env["account.account"]._get_receivable_ids(),
            company=company.id,
            is_open=self._query_is_open("line"),
            is_chosen=self._query_is_chosen(documents),
            counts=counts,
        )
