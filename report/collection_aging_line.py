from odoo import _, api, fields, models
from odoo.tools import SQL

from ..engine import aging
from ..models.collection_debtor_risk import CLASSES

MAX_EDGES = 5
BUCKETS = tuple(f"bucket_{number}" for number in range(1, MAX_EDGES + 2))
AMOUNTS = ("not_due", *BUCKETS, "unallocated", "total")
UNALLOCATED = "unallocated"
# Views are kept by what of the context ends so, in the browser as on the server: that is how a report with its own
# buckets gets labels and columns of its own.
EDGES_KEY = "collection_aging_view_ref"
EFFECTIVE, CONTRACTUAL = "effective", "contractual"
BY_DEBTOR, BY_DOCUMENT = "debtor", "document"
OWN_CURRENCY = "own"


class CollectionAgingLine(models.Model):
    """Who owed what at the end of a day, by age: the rows of an aging report that a person opened.

    *How to use.* ``collection.aging`` fills and opens them. Each row is one debtor in one currency, or one open item.

    *How it works.* One ``INSERT ... SELECT``: of the items that are open now or were reconciled by something later, the
    residual of today and what was reconciled since, so that long histories cost nothing. They are made in their order:
    customers by name, their items by due date.
    """

    _name = "collection.aging.line"
    _description = "Aging"
    _inherit = ["collection.found.row"]
    _auto = False
    _rec_name = "partner_id"

    wizard_id = fields.Many2one("collection.aging", string="Report", readonly=True)
    debtor_id = fields.Many2one("collection.debtor", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)

    # === What they are grouped by, as it is today ===#
    collector_id = fields.Many2one("res.users", readonly=True)
    portfolio_id = fields.Many2one("collection.portfolio", readonly=True)
    salesperson_id = fields.Many2one("res.users", readonly=True, help="The customer's.")
    country_id = fields.Many2one("res.country", readonly=True)
    state_id = fields.Many2one("res.country.state", readonly=True)
    zip = fields.Char(string="ZIP", readonly=True)
    category_ids = fields.Many2many(
        "res.partner.category",
        "collection_aging_line_category",
        "line_id",
        "category_id",
        string="Tags",
        readonly=True,
        help="A customer with several tags stands under each of them.",
    )
    risk_class = fields.Selection(CLASSES, readonly=True)
    level_id = fields.Many2one("collection.level", string="Level Reached", readonly=True)

    # === What is open ===#
    move_id = fields.Many2one("account.move", string="Journal Entry", readonly=True)
    move_line_id = fields.Many2one("account.move.line", string="Item", readonly=True)
    document = fields.Char(readonly=True)
    date = fields.Date(readonly=True)
    due_date = fields.Date(readonly=True, help="Of several items, the oldest.")
    days_overdue = fields.Integer(readonly=True, group_operator="max")
    bucket = fields.Selection(
        [*((str(number), str(number)) for number in range(MAX_EDGES + 2)), (UNALLOCATED, "Unallocated")],
        string="Age",
        readonly=True,
    )
    item_count = fields.Integer(string="Items", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    not_due = fields.Monetary(readonly=True)
    bucket_1 = fields.Monetary(string="1-30", readonly=True)
    bucket_2 = fields.Monetary(string="31-60", readonly=True)
    bucket_3 = fields.Monetary(string="61-90", readonly=True)
    bucket_4 = fields.Monetary(string="90+", readonly=True)
    bucket_5 = fields.Monetary(string="Fifth Bucket", readonly=True)
    bucket_6 = fields.Monetary(string="Sixth Bucket", readonly=True)
    unallocated = fields.Monetary(
        readonly=True, help="Credit notes and payments not applied to an invoice yet, as negative amounts."
    )
    overdue = fields.Monetary(readonly=True)
    total = fields.Monetary(readonly=True)

    def init(self):
        """Beside the table, the view that gives each row the tags of its customer."""
        result = super().init()
        self.env.cr.execute(
            """CREATE VIEW collection_aging_line_category AS
               SELECT line.id AS line_id, tagged.category_id
                 FROM collection_aging_line line
                 JOIN res_partner_res_partner_category_rel tagged ON tagged.partner_id = line.partner_id"""
        )
        return result

    # === Labels ===#

    @api.model
    def _get_edges(self):
        """The bucket edges of the report at hand, else those of the company."""
        if text := self.env.context.get(EDGES_KEY):
            return tuple(int(edge) for edge in text.split(","))
        return self.env.company._get_collection_bucket_edges()

    @api.model
    def _get_bucket_labels(self):
        """{field: heading}, in order, of the buckets that this report has."""
        labels = aging.bucket_labels(self._get_edges(), not_due=_("Not due"))
        return dict(zip(("not_due", *BUCKETS), labels, strict=False))

    @api.model
    def fields_get(self, allfields=None, attributes=None):
        """Label the buckets with the edges of this report, and leave out those that it has not."""
        result = super().fields_get(allfields, attributes)
        labels = self._get_bucket_labels()
        for name in set(BUCKETS) - set(labels):
            result.pop(name, None)
        for name, label in labels.items():
            if "string" in result.get(name, ()):
                result[name]["string"] = label
        if "selection" in result.get("bucket", ()):
            names = dict(result["bucket"]["selection"])
            ages = [(str(number), label) for number, label in enumerate(labels.values())]
            result["bucket"]["selection"] = [*ages, (UNALLOCATED, names[UNALLOCATED])]
        return result

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        arch, view = super()._get_view(view_id, view_type, **options)
        labels = self._get_bucket_labels()
        for node in arch.xpath("//field"):
            if node.get("name") in BUCKETS and node.get("name") not in labels:
                node.getparent().remove(node)
        return arch, view

    # === Actions ===#

    def action_open(self):
        """The document of a row, or the items of a debtor's one."""
        self.ensure_one()
        if self.move_id:
            return self.move_id.get_formview_action()
        report = self.wizard_id
        return report.create(report._prepare_items(self.debtor_id)).action_open()

    # === SQL ===#

    @api.model
    def _query_fill(self, report):
        """Insert the rows of ``report``. Returns nothing.

        What is open comes from Odoo's partial index on unreconciled lines, what was reconciled later from one scan of
        the reconciliations; debtors by their unique key (partner, company), all else by primary keys.
        """
        values = {**self._get_row_columns(report), **self._get_customer_columns()}
        return SQL(
            """
            WITH %(item)s,
            aged AS MATERIALIZED (%(aged)s),
            summed AS MATERIALIZED (
                SELECT debtor_id, currency_id, %(line)s AS move_line_id,
                       SUM(amount) AS total,
                       COUNT(*) AS item_count,
                       COALESCE(MIN(due) FILTER (WHERE amount > 0), MIN(due)) AS due_date,
                       COALESCE(GREATEST(MAX(days) FILTER (WHERE amount > 0), 0), 0) AS days_overdue,
                       MIN(bucket) AS bucket,
                       COALESCE(SUM(amount) FILTER (WHERE bucket > 0), 0) AS overdue,
                       COALESCE(SUM(amount) FILTER (WHERE bucket IS NULL), 0) AS unallocated,
                       %(buckets)s
                  FROM aged
                 GROUP BY 1, 2, 3
            )
            INSERT INTO collection_aging_line (%(names)s)
            SELECT %(values)s
              FROM summed
              LEFT JOIN collection_debtor debtor ON debtor.id = summed.debtor_id
              LEFT JOIN res_partner customer ON customer.id = debtor.partner_id
              LEFT JOIN account_move_line line ON line.id = summed.move_line_id
              LEFT JOIN account_move move ON move.id = line.move_id
             ORDER BY customer.name, customer.id, summed.due_date, summed.move_line_id
            """,
            item=self._query_items(report.as_of),
            aged=self._query_aged(
                report.as_of,
                report._get_edges(),
                report._get_debtors_query(),
                own=report.amounts_in == OWN_CURRENCY,
                contractual=report.due_basis == CONTRACTUAL,
            ),
            line=SQL("line_id" if report.detail == BY_DOCUMENT else "NULL::int"),
            buckets=SQL(", ").join(
                SQL("COALESCE(SUM(amount) FILTER (WHERE bucket = %s), 0) AS %s", number, SQL.identifier(name))
                for number, name in enumerate(("not_due", *BUCKETS))
            ),
            names=SQL(", ").join(SQL.identifier(name) for name in values),
            values=SQL(", ").join(values.values()),
        )

    @api.model
    def _get_row_columns(self, report):
        """{column: what of ``summed`` and its entry goes there}"""
        alone = report.detail == BY_DOCUMENT
        amounts = ("total", "item_count", "due_date", "days_overdue", "overdue", *AMOUNTS[:-1])
        return {
            "wizard_id": SQL("%s", report.id),
            "user_id": SQL("%s", self.env.uid),
            "debtor_id": SQL("debtor.id"),
            "currency_id": SQL("summed.currency_id"),
            "move_line_id": SQL("line.id"),
            "move_id": SQL("line.move_id"),
            "document": SQL("COALESCE(move.collection_opening_document, move.name)"),
            "date": SQL("COALESCE(move.collection_opening_date, line.date)"),
            "bucket": SQL("COALESCE(summed.bucket::varchar, %s)", UNALLOCATED) if alone else SQL("NULL"),
            **{name: SQL("summed.%s", SQL.identifier(name)) for name in amounts},
        }

    @api.model
    def _get_customer_columns(self):
        """{column: what of a debtor and its customer goes there}"""
        of_debtor = ("partner_id", "company_id", "collector_id", "portfolio_id", "risk_class", "level_id")
        of_customer = ("country_id", "state_id", "zip")
        return {
            **{name: SQL("debtor.%s", SQL.identifier(name)) for name in of_debtor},
            **{name: SQL("customer.%s", SQL.identifier(name)) for name in of_customer},
            "salesperson_id": SQL("customer.user_id"),
        }

    @api.model
    def _query_items(self, as_of):
        """``item``: the receivable lines that are open now or were reconciled by something later than the day, with
        what was open of them then: what is open now, and what was reconciled since; ``owned``: with their debtor.

        Right after a bulk load PostgreSQL takes thousands of rows for a handful. So that no plan loops over them or
        reads the whole history, each step is computed by itself, joins outward to what has a fitting index, and the
        conditions on what it found are the next step's.
        """
        return SQL(
            """
            item AS MATERIALIZED (
                SELECT line.id, line.partner_id, line.company_id, line.account_id, line.parent_state, line.date,
                       line.date_maturity, line.collection_contractual_date, line.currency_id,
                       line.company_currency_id, SUM(residual) AS residual, SUM(residual_currency) AS residual_currency
                  FROM (SELECT %(columns)s, line.amount_residual AS residual,
                               line.amount_residual_currency AS residual_currency
                          FROM account_move_line line
                         WHERE line.account_id = ANY(%(accounts)s) AND %(is_open)s
                         UNION ALL
                        SELECT %(columns)s, later.amount, later.amount_currency
                          FROM (SELECT debit_move_id AS line_id, amount, debit_amount_currency AS amount_currency
                                  FROM account_partial_reconcile WHERE max_date > %(as_of)s
                                 UNION ALL
                                SELECT credit_move_id, -amount, -credit_amount_currency
                                  FROM account_partial_reconcile WHERE max_date > %(as_of)s) later
                          JOIN account_move_line line ON line.id = later.line_id) line
                 WHERE line.date + 0 <= %(as_of)s
                 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
            ),
            owned AS MATERIALIZED (
                SELECT item.*, debtor.id AS debtor_id
                  FROM item
                  LEFT JOIN res_partner member ON member.id = item.partner_id
                  LEFT JOIN collection_debtor debtor
                    ON debtor.partner_id = COALESCE(member.commercial_partner_id, member.id)
                   AND debtor.company_id = item.company_id
            )""",
            # Taken along from the first: to look the lines up once more takes longer than all else.
            columns=SQL(
                """line.id, line.partner_id, line.company_id, line.account_id, line.parent_state, line.date,
                   line.date_maturity, line.collection_contractual_date, line.currency_id, line.company_currency_id"""
            ),
            accounts=self.env["account.account"]._get_receivable_ids(),
            is_open=self.env["collection.debtor"]._query_is_open("line"),
            as_of=as_of,
        )

    @api.model
    def _query_aged(self, as_of, edges, debtors, own=False, contractual=False):
        """One row per ``owned`` item that was open at the end of the day; a bucket of NULL counts against what is owed.

        :param debtors: query of those that are looked at
        :param own: amounts in the currency of each item, and not in the company's
        :param contractual: by the contractual due date, and not by the effective one
        """
        due = "COALESCE(owned.date_maturity, owned.date)"
        if contractual:
            due = "COALESCE(owned.collection_contractual_date, owned.date_maturity, owned.date)"
        return SQL(
            """
            SELECT owned.debtor_id, owned.id AS line_id, %(currency)s AS currency_id, owed.amount, owed.due,
                   %(as_of)s - owed.due AS days,
                   CASE WHEN owed.amount > 0 THEN width_bucket(%(as_of)s - owed.due, %(starts)s) END AS bucket
              FROM owned
             CROSS JOIN LATERAL (SELECT %(amount)s AS amount, %(due)s AS due) owed
             WHERE (owned.debtor_id IN %(debtors)s) IS TRUE AND owned.parent_state = 'posted'
               AND owned.account_id = ANY(%(accounts)s) AND owed.amount <> 0""",
            currency=SQL("owned.currency_id" if own else "owned.company_currency_id"),
            amount=SQL("owned.residual_currency" if own else "owned.residual"),
            due=SQL(due),
            as_of=SQL("%s::date", as_of),
            starts=[1, *(edge + 1 for edge in edges)],
            accounts=self.env["account.account"]._get_receivable_ids(),
            debtors=debtors.subselect(),
        )
