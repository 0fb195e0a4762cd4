from datetime import timedelta
from typing import NamedTuple

from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.date_utils import start_of

from ..engine import checks, promises

OVERDUE, INVOICE, CHECK, CREDIT, PROMISE = "overdue", "invoice", "check", "credit", "promise"
IDS = 4  # ids of rows are those of their sources, times so many: so many kinds of source there may be


class Source(NamedTuple):
    """Money that is expected on a day of its own, beside the open items of the ledger."""

    rows: SQL
    """SELECT of the columns of ``_query_ledger`` in order; ids are multiples of ``IDS`` plus a number of theirs."""
    covers: SQL
    """SELECT of (receivable line, amount in its currency): what it will pay is not expected from the item as well."""


class CollectionCashPlan(models.Model):
    """The receipts that are to be expected, each on its day: a check on the day of its deposit, what was promised on
    the day of the promise, and what neither covers of an open item on its effective due date. What is late is expected
    today.

    How it works: one row per open receivable line, per check in hand and per open promise, each amount once. A promise
    brings what open items leave to it, beside the checks: it moves that to its own day, and adds nothing. Where custody
    is booked, the entry that holds the check is the check's row, and the advance in it, a credit that is no money yet,
    is none. Other credits count against what is expected today.

    There are two opinions on the day of an open item: its effective due date, which follows planned reviews, and that
    date plus how late the customer pays on average, ``usual_date``. Checks and promises have their own day in both.

    For each company and currency, the plan adds up to the open receivable lines of the ledger, plus what the checks in
    hand bring beyond what they take off open items: their advances, less the discounts that they take::

        plan = open receivable
             + sum of the checks in hand that are not booked - what they take off open items
             - open credits of the entries that hold checks
    """

    _name = "collection.cash.plan"
    _description = "Cash Plan"
    _auto = False
    _rec_name = "partner_id"
    _order = "date, kind, id"
    _depends = {
        "account.move": ["name", "state"],
        "account.move.line": [
            *("account_id", "amount_residual", "amount_residual_currency", "company_id", "currency_id", "date"),
            *("date_maturity", "move_id", "parent_state", "partner_id", "reconciled"),
        ],
        "account.postdated.check": [
            *("amount", "commercial_partner_id", "company_id", "currency_id", "custody_move_id", "debtor_id"),
            *("deposit_date", "state"),
        ],
        "account.postdated.check.line": ["check_id", "item_amount", "move_line_id"],
        "collection.debtor": ["average_days_late", "collector_id", "company_id", "partner_id"],
        "collection.promise": [
            *("amount", "company_id", "currency_id", "date", "debtor_id", "move_ids", "paid_amount", "partner_id"),
            "state",
        ],
        "res.company": ["currency_id"],
        "res.partner": ["commercial_partner_id"],
    }

    date = fields.Date(string="Expected On", readonly=True)
    usual_date = fields.Date(
        string="Expected With Usual Delay",
        readonly=True,
        help="Open items on their due date plus the days that the customer pays late on average.",
    )
    due_date = fields.Date(
        string="Agreed For", readonly=True, help="Effective due date, day of the deposit or day of the promise."
    )
    kind = fields.Selection(
        [
            *((OVERDUE, "Overdue"), (INVOICE, "Falls Due"), (CHECK, "Check"), (PROMISE, "Promise")),
            (CREDIT, "Credit to Apply"),
        ],
        readonly=True,
    )
    move_id = fields.Many2one("account.move", string="Document", readonly=True)
    check_id = fields.Many2one("account.postdated.check", readonly=True)
    promise_id = fields.Many2one("collection.promise", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    collector_id = fields.Many2one("res.users", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    company_currency_id = fields.Many2one("res.currency", readonly=True)
    amount = fields.Monetary(readonly=True, help="In the currency in which it is owed.")
    company_amount = fields.Monetary(string="In Company Currency", currency_field="company_currency_id", readonly=True)

    # === SQL ===#

    @property
    def _table_query(self):
        todays = self._query_todays()
        sources = self._get_sources(todays)
        covers = [source.covers for source in sources]
        rows = [self._query_ledger(todays, covers), *(source.rows for source in sources)]
        return SQL("(%s)", SQL(" UNION ALL ").join(rows))

    @api.model
    def _get_sources(self, todays):
        """What is expected beside the ledger's items: checks, and promises of what these leave."""
        rates = self._query_rates()
        covers = self.env["account.postdated.check.line"]._query_covered()
        taken = [covers, self._query_held_items()]
        promised = self.env["collection.promise"]._query_covered(taken)
        return [
            Source(self._query_checks(todays, rates), covers),
            Source(self._query_promises(todays, rates, taken), promised),
        ]

    @api.model
    def _query_todays(self):
        """The day from which each company looks ahead: its own today, or the one of the context."""
        companies = self.env["res.company"].sudo().search([])
        day = self.env.context.get("collection_plan_day")
        rows = [SQL("(%s, %s)", company.id, day or company._get_collection_today()) for company in companies]
        return SQL("(VALUES %s) AS today(company_id, day)", SQL(", ").join(rows))

    @api.model
    def _query_ledger(self, todays, covers):
        """One row per open receivable line. The lines come from Odoo's partial index on unreconciled lines, their
        debtors from the unique key (partner, company); checks in hand are few.

        :param covers: the ``covers`` of every source
        """
        return SQL(
            """
            SELECT line.id::bigint * %(ids)s AS id,
                   CASE WHEN held.id IS NOT NULL THEN %(check)s WHEN planned.amount < 0 THEN %(credit)s
                        WHEN COALESCE(line.date_maturity, line.date) < today.day THEN %(overdue)s
                        ELSE %(invoice)s END AS kind,
                   CASE WHEN planned.amount < 0 THEN today.day
                        ELSE GREATEST(COALESCE(line.date_maturity, line.date), today.day) END AS date,
                   CASE WHEN planned.amount < 0 THEN today.day
                        ELSE GREATEST(COALESCE(line.date_maturity, line.date) + CASE WHEN held.id IS NULL
                                      THEN ROUND(COALESCE(debtor.average_days_late, 0))::int ELSE 0 END, today.day)
                    END AS usual_date,
                   COALESCE(line.date_maturity, line.date) AS due_date,
                   CASE WHEN held.id IS NULL THEN line.move_id END AS move_id,
                   held.id AS check_id,
                   NULL::int AS promise_id,
                   COALESCE(partner.commercial_partner_id, partner.id) AS partner_id,
                   debtor.collector_id,
                   line.company_id,
                   line.currency_id,
                   line.company_currency_id,
                   planned.amount,
                   CASE WHEN cover.amount IS NULL THEN line.amount_residual
                        ELSE ROUND(line.amount_residual * planned.amount / line.amount_residual_currency,
                                   company_currency.decimal_places) END AS company_amount
              FROM account_move_line line
              JOIN %(todays)s ON today.company_id = line.company_id
              JOIN res_currency company_currency ON company_currency.id = line.company_currency_id
              LEFT JOIN res_partner partner ON partner.id = line.partner_id
              LEFT JOIN collection_debtor debtor
                ON debtor.partner_id = COALESCE(partner.commercial_partner_id, partner.id)
               AND debtor.company_id = line.company_id
              LEFT JOIN account_postdated_check held
                ON held.custody_move_id = line.move_id AND held.state IN %(in_hand)s
              LEFT JOIN (SELECT line_id, SUM(amount) AS amount FROM (%(covers)s) AS answered(line_id, amount)
                          GROUP BY line_id) cover ON cover.line_id = line.id
             CROSS JOIN LATERAL (SELECT line.amount_residual_currency
                     - LEAST(COALESCE(cover.amount, 0), GREATEST(line.amount_residual_currency, 0)) AS amount) planned
             WHERE line.account_id = ANY(%(accounts)s) AND %(is_open)s AND line.amount_residual_currency <> 0
               AND planned.amount <> 0 AND (held.id IS NULL OR planned.amount > 0)""",
            ids=IDS,
            check=CHECK,
            credit=CREDIT,
            overdue=OVERDUE,
            invoice=INVOICE,
            todays=todays,
            in_hand=checks.IN_HAND,
            covers=SQL(" UNION ALL ").join(covers),
            accounts=self.env["account.account"]._get_receivable_ids(),
            is_open=self.env["collection.debtor"]._query_is_open("line"),
        )

    @api.model
    def _query_checks(self, todays, rates):
        """One row per check in hand that is not booked. Served by the partial index of checks in hand."""
        return SQL(
            """
            SELECT checks.id::bigint * %(ids)s + 1, %(check)s, GREATEST(checks.deposit_date, today.day),
                   GREATEST(checks.deposit_date, today.day), checks.deposit_date, NULL::int, checks.id, NULL::int,
                   checks.commercial_partner_id, debtor.collector_id, checks.company_id, checks.currency_id,
                   company.currency_id, checks.amount,
                   ROUND(checks.amount * COALESCE(rate.factor, 1), company_currency.decimal_places)
              FROM account_postdated_check checks
              JOIN %(todays)s ON today.company_id = checks.company_id
              JOIN res_company company ON company.id = checks.company_id
              JOIN res_currency company_currency ON company_currency.id = company.currency_id
              LEFT JOIN collection_debtor debtor ON debtor.id = checks.debtor_id
              LEFT JOIN %(rates)s ON rate.company_id = checks.company_id AND rate.currency_id = checks.currency_id
             WHERE checks.state IN %(in_hand)s AND checks.custody_move_id IS NULL""",
            ids=IDS,
            check=CHECK,
            todays=todays,
            rates=rates,
            in_hand=checks.IN_HAND,
        )

    @api.model
    def _query_held_items(self):
        """Rows (receivable line, amount in its currency) of the entries that hold checks: what they wait for is no
        promise's."""
        return SQL(
            """SELECT line.id, line.amount_residual_currency
                 FROM account_postdated_check checks
                 JOIN account_move_line line ON line.move_id = checks.custody_move_id
                WHERE checks.state IN %s AND line.amount_residual_currency > 0""",
            checks.IN_HAND,
        )

    @api.model
    def _query_promises(self, todays, rates, taken):
        """One row per open promise that items are open for. Served by the partial index of open promises."""
        return SQL(
            """
            SELECT promise.id::bigint * %(ids)s + 2, %(promise)s, GREATEST(promise.date, today.day),
                   GREATEST(promise.date, today.day), promise.date, NULL::int, NULL::int, promise.id,
                   promise.partner_id, debtor.collector_id, promise.company_id, promise.currency_id,
                   company.currency_id, expected.amount,
                   ROUND(expected.amount * COALESCE(rate.factor, 1), company_currency.decimal_places)
              FROM %(expected)s AS expected(promise_id, amount)
              JOIN collection_promise promise ON promise.id = expected.promise_id
              JOIN %(todays)s ON today.company_id = promise.company_id
              JOIN res_company company ON company.id = promise.company_id
              JOIN res_currency company_currency ON company_currency.id = company.currency_id
              JOIN collection_debtor debtor ON debtor.id = promise.debtor_id
              LEFT JOIN %(rates)s ON rate.company_id = promise.company_id AND rate.currency_id = promise.currency_id
             WHERE expected.amount > 0""",
            ids=IDS,
            promise=PROMISE,
            expected=self.env["collection.promise"]._query_expected(taken),
            todays=todays,
            rates=rates,
        )

    @api.model
    def _query_rates(self):
        """What the currencies of checks in hand and of open promises are worth today in that of their company."""
        # sudo: of every company, for rows that the rules of the report then let through or not
        groups = set()
        for name, states in (("account.postdated.check", checks.IN_HAND), ("collection.promise", (promises.OPEN,))):
            groups.update(self.env[name].sudo()._read_group([("state", "in", states)], ["company_id", "currency_id"]))
        rows = [SQL("(0, 0, 1::numeric)")]
        for company, currency in sorted(groups, key=lambda group: (group[0].id, group[1].id)):
            if currency != company.currency_id:
                factor = currency._get_conversion_rate(
                    currency, company.currency_id, company, company._get_collection_today()
                )
                rows.append(SQL("(%s, %s, %s::numeric)", company.id, currency.id, factor))
        return SQL("(VALUES %s) AS rate(company_id, currency_id, factor)", SQL(", ").join(rows))

    # === Weeks ===#

    @api.model
    def _get_weeks(self, company, debtors_domain, weeks=13):
        """What ``company`` may expect in each week from this one on, of its debtors that this person may see.

        :param debtors_domain: of ``collection.debtor``, which of them
        :return: [{"week": its Monday, "due": by due date, "usual": with the customers' usual delay}], in the company's
            currency; what comes later is in none
        """
        monday = start_of(company._get_collection_today(), "week")
        self.env["collection.debtor"]._prepare_ledger()
        self.env.cr.execute(self._query_weeks(company, debtors_domain, monday, weeks))
        found = [{"week": monday + timedelta(weeks=number), "due": 0.0, "usual": 0.0} for number in range(weeks + 1)]
        for due_week, usual_week, amount in self.env.cr.fetchall():
            found[due_week]["due"] += float(amount)
            found[usual_week]["usual"] += float(amount)
        for week in found:
            week.update({method: company.currency_id.round(week[method]) for method in ("due", "usual")})
        return found[:weeks]

    @api.model
    def _query_weeks(self, company, debtors_domain, monday, weeks):
        """Rows (week by due date, week with the usual delay, amount); week number ``weeks`` holds all that is later."""
        debtors = self.env["collection.debtor"]._search([("company_id", "=", company.id), *debtors_domain], order="id")
        return SQL(
            """SELECT LEAST((plan.date - %(monday)s) / 7, %(weeks)s),
                      LEAST((plan.usual_date - %(monday)s) / 7, %(weeks)s), SUM(plan.company_amount)
                 FROM %(plan)s AS plan
                WHERE plan.company_id = %(company)s
                  AND plan.partner_id IN (%(customers)s)
                GROUP BY 1, 2""",
            monday=SQL("%s::date", monday),
            weeks=weeks,
            plan=self._table_query,
            company=company.id,
            customers=debtors.select(SQL("collection_debtor.partner_id")),
        )

    # === Actions ===#

    def action_open_document(self):
        self.ensure_one()
        return (self.check_id or self.promise_id or self.move_id).get_formview_action()

    def action_export_xlsx(self):
        """These rows, and their sums by day, week and month, as a workbook."""
        if not self:
            raise UserError(_("Choose rows of the cash plan first."))
        name = _("Cash plan %(date)s", date=self.env.company._get_collection_today().isoformat())
        return self.env["collection.export"]._download(f"{name}.xlsx", self._render_xlsx())
