import re
from collections import defaultdict

from odoo import _, api, fields, models
from odoo.tools import SQL
from odoo.tools.misc import get_lang

from ..engine import aging
from .review_states import WAITING
from .statement_layout import DEFAULT

PAYMENT_JOURNALS = ("bank", "cash", "credit")
FORBIDDEN_IN_FILENAME = re.compile(r'[\x00-\x1f/\\:*?"<>|]')


class CollectionDebtor(models.Model):
    """The customer statement: what a debtor owes at a date, from the ledger alone.

    How to use: ``_get_statement`` gives the figures, ``_render_statement_pdfs`` the documents
    (report/statement_report.py). How it works: one query for the open lines of all debtors
    whatever their number; everything else is read through one shared prefetch.
    """

    _inherit = "collection.debtor"

    # === BUSINESS METHODS === #

    def _get_statement(self, as_of=None, layout=DEFAULT):
        """Return what each debtor owes, every figure that a statement shows.

        With a date, amounts are those of the ledger at the end of that day: entries dated later and
        reconciliations that later entries made do not count, so that ``total_company_currency`` is the
        balance of the debtor's receivable lines up to that date. Without one, the amounts are the live
        residuals that Odoo shows now, and days overdue count to today in the company's time zone.

        Amounts are floats rounded to their currency. ``items`` are what the customer owes, ``credits``
        (amounts positive) what counts against it; ``aging`` ages the items and leaves the credits out,
        so that its sum is ``not_due + overdue``. ``covers`` of an item are the checks in hand that are meant for it,
        and ``disputed`` is what of it is in dispute; neither changes a balance. Where the layout leaves documents out,
        the figures are those of the others, and ``selection`` says so to the customer. ``deliveries`` are what was
        delivered and not invoiced yet, apart from all balances. Records are in sudo: rights are checked on the debtors.

        :param as_of: date, or None for the live ledger
        :param layout: ``StatementLayout``: what of it is shown, and how
        :return: {debtor id: {debtor, partner, company, as_of, lang, layout, selection, currencies,
            total_company_currency, deliveries, bank_accounts}}
        :raise AccessError: when the user may not read one of the debtors
        """
        self.fetch(["partner_id", "company_id"])
        as_of = fields.Date.to_date(as_of)
        debtors = self.sudo()
        bank_accounts = {
            company: debtors._prepare_statement_bank_accounts(company, layout) for company in debtors.company_id
        }
        rows = debtors._group_statement_rows(as_of, layout.documents)
        deliveries = debtors._get_deliveries() if layout.deliveries else {}
        labels, selections = {}, {}
        statements = {}
        for debtor in debtors:
            company = debtor.company_id
            lang = debtor._get_statement_lang()
            self._name_statement_checks(rows[debtor.id], lang)
            if (company, lang) not in labels:
                labels[company, lang] = debtor.with_context(lang=lang)._get_statement_bucket_labels()
                selections[lang] = debtor.with_context(lang=lang)._get_selection_text(layout.documents)
            statements[debtor.id] = {
                **debtor._prepare_statement(
                    rows[debtor.id],
                    as_of or company._get_collection_today(),
                    lang,
                    labels[company, lang],
                    bank_accounts[company],
                    layout,
                ),
                "selection": selections[lang],
                "deliveries": deliveries.get(debtor.id, []),
            }
        return statements

    def _get_statement_shape(self, as_of=None, date_from=None, include_deliveries=False):
        """Return the statements in the shape that is asked for: the activity since ``date_from``, else open items."""
        if date_from:
            return self._get_activity(date_from, as_of)
        return self._get_statement(as_of, DEFAULT._replace(deliveries=bool(include_deliveries)))

    @api.model
    def _get_shape_options(self, data):
        """The arguments of ``_get_statement_shape`` among the data of a report."""
        return {name: data.get(name) for name in ("as_of", "date_from", "include_deliveries")}

    def _render_statement_pdfs(self, as_of=None, messages=None, date_from=None, include_deliveries=False):
        """Return the statement of each debtor as a PDF, many per wkhtmltopdf process.

        :param as_of: date, or None for the live ledger
        :param date_from: with a date, the activity from then to ``as_of`` instead of the open items
        :param include_deliveries: also what was delivered and not invoiced yet, beside the open items
        :param messages: {debtor id: Markup} of letters, put before the tables
        :return: {debtor id: bytes, or the exception that this debtor's document met}
        :raise UserError: when wkhtmltopdf is not installed
        """
        messages = messages or {}
        statements = self._get_statement_shape(as_of, date_from, include_deliveries)
        documents = {id_: (statement, messages.get(id_)) for id_, statement in statements.items()}
        with self.env["report.account_collection.report_statement"]._print_pdfs(documents) as finish:
            return finish()

    def _get_statement_filename(self, as_of=None, date_from=None):
        """Return the name of the statement's file, without extension, in the debtor's language."""
        self.ensure_one()
        debtor = self.sudo()
        if self.env.context.get("lang") != debtor._get_statement_lang():
            return self.with_context(lang=debtor._get_statement_lang())._get_statement_filename(as_of, date_from)
        as_of = fields.Date.to_date(as_of) or debtor.company_id._get_collection_today()
        values = {"customer": debtor.partner_id.name or "", "date": as_of.isoformat()}
        if date_from:
            first = fields.Date.to_date(date_from).isoformat()
            name = _("Activity - %(customer)s - %(first)s to %(date)s", first=first, **values)
        else:
            name = _("Statement - %(customer)s - %(date)s", **values)
        return FORBIDDEN_IN_FILENAME.sub("-", name)

    # === HELPERS === #

    def _get_statement_lang(self):
        """Return the code of the language in which this debtor is written to."""
        company_lang = self.company_id.partner_id.lang
        return get_lang(self.env(context={"lang": company_lang}), self.partner_id.lang).code

    def _get_statement_bucket_labels(self):
        """Return the headings of the aging of these debtors' company, in its context's language."""
        return aging.bucket_labels(self.company_id._get_collection_bucket_edges(), not_due=_("Not due"))

    def _prepare_statement(self, rows, as_of, lang, labels, bank_accounts, layout):
        """Return the statement of one debtor from the rows of its open lines."""
        self.ensure_one()
        company = self.company_id
        edges = company._get_collection_bucket_edges()
        by_currency = defaultdict(list)
        for row in rows:
            by_currency[row["currency_id"]].append(row)
        currencies = self.env["res.currency"].browse(by_currency)
        sections = [
            self._prepare_statement_currency(currency, by_currency[currency.id], as_of, edges, labels)
            for currency in currencies.sorted(lambda currency: (currency != company.currency_id, currency.name))
        ]
        return {
            "debtor": self,
            "partner": self.partner_id,
            "company": company,
            "as_of": as_of,
            "lang": lang,
            "layout": layout,
            "currencies": [section for section in sections if section["items"] or section["credits"]],
            "total_company_currency": company.currency_id.round(sum(row["residual"] for row in rows)),
            "bank_accounts": bank_accounts,
        }

    def _prepare_statement_currency(self, currency, rows, as_of, edges, labels):
        items, credits = [], []
        for row in rows:
            open_amount = currency.round(row["residual_currency"])
            if currency.is_zero(open_amount):
                # A line kept open by an exchange difference alone: nothing is owed in this currency.
                continue
            if open_amount > 0:
                items.append(self._prepare_statement_item(row, as_of, open_amount, currency))
            else:
                credit = self._prepare_statement_item(row, as_of, -open_amount, currency, sign=-1)
                credits.append({**credit, "kind": self._get_statement_credit_kind(row)})
        items.sort(key=lambda item: (item["due_date"], item["document"], item["line_id"]))
        self._add_statement_disputes(items, {row["move_id"]: row["disputed"] for row in rows}, currency)
        credits.sort(key=lambda item: (item["date"], item["document"], item["line_id"]))
        buckets = aging.bucket_totals(((item["days_overdue"], item["open"]) for item in items), edges)
        not_due = currency.round(buckets[0])
        overdue = currency.round(sum(buckets[1:]))
        unallocated = currency.round(sum(credit["open"] for credit in credits))
        return {
            "currency": currency,
            "items": items,
            "credits": credits,
            "not_due": not_due,
            "overdue": overdue,
            "unallocated": unallocated,
            "covered": currency.round(sum(cover["amount"] for item in items for cover in item["covers"])),
            "total": currency.round(not_due + overdue - unallocated),
            "aging": [
                {"label": label, "amount": currency.round(amount)}
                for label, amount in zip(labels, buckets, strict=True)
            ],
        }

    def _prepare_statement_item(self, row, as_of, open_amount, currency, sign=1):
        return {
            "line_id": row["line_id"],
            "move_id": row["move_id"],
            "document": row["check_name"] or row["document"] or "",
            "deposit_date": row["check_id"] and sign > 0 and row["due_date"],
            "covers": self._prepare_statement_covers(row["covers"], open_amount, currency) if sign > 0 else [],
            "reference": row["reference"] or "",
            "date": row["date"],
            "due_date": row["due_date"],
            "days_overdue": max((as_of - row["due_date"]).days, 0),
            "is_estimated": row["is_estimated"],
            "original": currency.round(sign * row["amount_currency"]),
            "open": open_amount,
        }

    def _prepare_statement_covers(self, covers, open_amount, currency):
        """Return what checks are meant to pay of an item, never more than is open of it."""
        prepared = []
        for name, cover in covers:
            amount = min(currency.round(cover.amount), open_amount)
            open_amount = currency.round(open_amount - amount)
            if not currency.is_zero(amount):
                prepared.append({"check": name, "deposit_date": cover.deposit_date, "amount": amount})
        return prepared

    def _add_statement_disputes(self, items, left, currency):
        """Say of each item, the oldest of a document first, what of it is in dispute.

        :param left: {document id: amount in dispute}
        """
        for item in items:
            item["disputed"] = min(currency.round(left[item["move_id"]]), item["open"])
            left[item["move_id"]] -= item["disputed"]

    def _get_statement_credit_kind(self, row):
        if row["move_type"] == "out_refund":
            return "credit_note"
        if row["check_id"]:
            return "check"
        return "payment" if row["journal_type"] in PAYMENT_JOURNALS else "other"

    def _prepare_statement_bank_accounts(self, company, layout):
        """Return where the customers of ``company`` pay: its own bank accounts that ``layout`` shows, perhaps none."""
        accounts = company._get_collection_bank_accounts(layout.bank_account_ids)
        return [self._prepare_statement_bank_account(account) for account in accounts]

    def _prepare_statement_bank_account(self, account):
        return {
            "bank": account.bank_id.name or "",
            "number": account.acc_number,
            "holder": account.acc_holder_name or account.partner_id.name,
            "currency": account.currency_id.name or "",
        }

    # === SQL === #

    def _group_statement_rows(self, as_of, documents):
        """Return {debtor id: rows of its open lines among ``documents``}, an empty list for who owes nothing."""
        rows = defaultdict(list)
        if self.ids:
            self._flush_statement()
            self.env.cr.execute(self._query_statement_items(as_of, documents))
            found = self.env.cr.dictfetchall()
            covers = self.env["account.postdated.check.line"]._get_covers({row["line_id"] for row in found}, as_of)
            disputed = self.env["collection.dispute"]._get_disputed({row["move_id"] for row in found}, as_of)
            # One recordset: whatever is read of one check is read of all.
            checks = self.env["account.postdated.check"].sudo().browse({row["check_id"] for row in found} - {None})
            check_of = {check.id: check for check in checks}
            for row in found:
                row["check"] = check_of.get(row["check_id"])
                row["disputed"] = disputed.get(row["move_id"], 0.0)
                row["covers"] = covers.get(row["line_id"], [])
                if not documents.checks:
                    self._leave_out_checks(row, as_of)
                rows[row["debtor_id"]].append(row)
        return rows

    def _name_statement_checks(self, rows, lang):
        """Name the checks of these rows in the language of their customer: an entry that holds a check reads as the
        check, and each cover becomes a pair (name, cover)."""

        def name(check):
            return check.with_context(lang=lang).display_name

        for row in rows:
            row["check_name"] = row["check"] and name(row["check"])
            row["covers"] = [(name(cover.check), cover) for cover in row["covers"]]

    def _flush_statement(self):
        for model in (
            "account.account",
            "account.journal",
            "account.move",
            "account.move.line",
            "account.partial.reconcile",
            "account.postdated.check",
            "account.postdated.check.event",
            "account.postdated.check.line",
            "collection.debtor",
            "collection.dispute",
            "res.partner",
        ):
            self.env[model].flush_model()

    def _query_statement_items(self, as_of, documents):
        """Return the statement that lists the open receivable lines of these debtors among ``documents``."""
        # One row per receivable line that is open, live or at the end of a day, with both residuals.
        # Partners come by res_partner's index on commercial_partner_id; their lines by
        # account_move_line_partner_id_ref_idx or, live, by the partial account_move_line__unreconciled_index where
        # histories are long; what was reconciled by the two indexes of account_partial_reconcile.
        if as_of:
            residual = SQL("line.balance - COALESCE(paid.amount, 0)")
            residual_currency = SQL("line.amount_currency - COALESCE(paid.amount_currency, 0)")
            reconciled = self._query_statement_reconciled(as_of)
            is_open = SQL("line.date <= %s AND (%s <> 0 OR %s <> 0)", as_of, residual, residual_currency)
        else:
            residual = SQL("line.amount_residual")
            residual_currency = SQL("line.amount_residual_currency")
            reconciled = SQL()
            is_open = SQL("line.reconciled IS NOT TRUE AND (%s <> 0 OR %s <> 0)", residual, residual_currency)
        return SQL(
            """
            SELECT debtor.id AS debtor_id,
                   debtor.company_id,
                   line.id AS line_id,
                   line.move_id,
                   COALESCE(move.collection_opening_document, move.name) AS document,
                   CASE WHEN move.move_type = 'entry' AND move.collection_opening_document IS NULL
                        THEN COALESCE(NULLIF(move.ref, ''), line.name)
                        ELSE move.ref END AS reference,
                   move.move_type,
                   COALESCE(move.collection_review_state IN %(waiting)s, FALSE)
                       OR (move.collection_credit_basis = 'delivery' AND move.collection_delivered_at IS NULL)
                       AS is_estimated,
                   journal.type AS journal_type,
                   CASE WHEN %(holds_check)s THEN move.postdated_check_id END AS check_id,
                   COALESCE(move.collection_opening_date, line.date) AS date,
                   COALESCE(line.date_maturity, line.date) AS due_date,
                   line.currency_id,
                   line.amount_currency,
                   %(residual)s AS residual,
                   %(residual_currency)s AS residual_currency
              %(lines)s
              JOIN account_move move ON move.id = line.move_id
              JOIN account_journal journal ON journal.id = move.journal_id
              %(reconciled)s
             WHERE debtor.id IN %(ids)s
               AND account.account_type = 'asset_receivable'
               AND line.parent_state = 'posted'
               AND %(is_open)s
               AND %(is_chosen)s
            """,
            lines=self._query_statement_lines(),
            residual=residual,
            residual_currency=residual_currency,
            reconciled=reconciled,
            waiting=WAITING,
            holds_check=self._query_holds_check("move", "journal"),
            ids=tuple(self.ids),
            is_open=is_open,
            is_chosen=self._query_is_chosen(documents),
        )

    def _query_statement_lines(self):
        """Return the joins that lead from ``debtor`` to every ``line`` of its customer, and to its ``account``."""
        return SQL(
            """
            FROM collection_debtor debtor
            JOIN res_partner partner
              ON partner.commercial_partner_id = debtor.partner_id
              OR (partner.id = debtor.partner_id AND partner.commercial_partner_id IS NULL)
            JOIN account_move_line line
              ON line.partner_id = partner.id AND line.company_id = debtor.company_id
            JOIN account_account account ON account.id = line.account_id
            """
        )

    def _query_statement_reconciled(self, as_of):
        """Return the join that gives what was reconciled with a line up to ``as_of``, signed as the line."""
        return SQL(
            """
            LEFT JOIN LATERAL (
                SELECT SUM(part.amount) AS amount, SUM(part.amount_currency) AS amount_currency
                  FROM (
                    SELECT amount, debit_amount_currency AS amount_currency
                      FROM account_partial_reconcile
                     WHERE debit_move_id = line.id AND max_date <= %(as_of)s
                     UNION ALL
                    SELECT -amount, -credit_amount_currency
                      FROM account_partial_reconcile
                     WHERE credit_move_id = line.id AND max_date <= %(as_of)s
                  ) part
            ) paid ON TRUE
            """,
            as_of=as_of,
        )
