from odoo import api, fields, models
from odoo.tools import SQL

from ..engine.effect import HORIZONS, LONGEST
from ..models.collection_interaction import INCOMING
from ..models.collection_level_channel import CHANNELS
from ..models.notice_states import FAILED, OUTGOING, SENT

KEYS = ("level_id", "campaign_id", "channel", "template_id", "subject")
LEFT = (SENT, OUTGOING)


class CollectionEffectLine(models.Model):
    """What the notices of a period brought: the rows of a report on what works.

    *How to use.* ``collection.effect`` fills and opens them. A row is one level, campaign, channel, template and
    subject; ``_get_notice_ids`` are the notices behind it.

    *How it works.* One ``INSERT ... SELECT``, ``engine.effect`` in SQL. What happened to an item, notices and payments,
    is laid in the order of its days, and each payment falls to the notice before it; likewise what customers answered.
    Nothing is looked up for each notice, so that no plan loops however old the statistics are. Figures of a horizon are
    those of the notices for which it is over: of younger ones nothing can be said yet.
    """

    _name = "collection.effect.line"
    _description = "What Works"
    _inherit = ["collection.found.row", "collection.ratio"]
    _auto = False
    _rec_name = "subject"

    wizard_id = fields.Many2one("collection.effect", string="Report", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    level_id = fields.Many2one("collection.level", string="Dunning Level", readonly=True)
    campaign_id = fields.Many2one("collection.campaign", readonly=True)
    channel = fields.Selection(CHANNELS, readonly=True)
    template_id = fields.Many2one("mail.template", readonly=True)
    subject = fields.Char(readonly=True, help="As the template had it, before names and amounts were filled in.")

    sent = fields.Integer(readonly=True, help="Sent or being delivered.")
    failed = fields.Integer(readonly=True)
    answered = fields.Integer(
        readonly=True,
        help="Notices after which the customer wrote or called, within 30 days and before the next notice.",
    )
    item_count = fields.Integer(string="Items", readonly=True, help="Of which the sent ones spoke.")
    amount = fields.Monetary(string="Asked For", readonly=True, help="In company currency, by those that were sent.")

    # === Of the notices for which the horizon is over ===#
    old_3 = fields.Integer(string="Older Than 3 Days", readonly=True)
    old_7 = fields.Integer(string="Older Than 7 Days", readonly=True)
    old_14 = fields.Integer(string="Older Than 14 Days", readonly=True)
    old_30 = fields.Integer(string="Older Than 30 Days", readonly=True)
    asked_3 = fields.Monetary(string="Asked More Than 3 Days Ago", readonly=True)
    asked_7 = fields.Monetary(string="Asked More Than 7 Days Ago", readonly=True)
    asked_14 = fields.Monetary(string="Asked More Than 14 Days Ago", readonly=True)
    asked_30 = fields.Monetary(string="Asked More Than 30 Days Ago", readonly=True)
    items_3 = fields.Integer(string="Items Paid Within 3 Days", readonly=True)
    items_7 = fields.Integer(string="Items Paid Within 7 Days", readonly=True)
    items_14 = fields.Integer(string="Items Paid Within 14 Days", readonly=True)
    items_30 = fields.Integer(string="Items Paid Within 30 Days", readonly=True)
    paid_3 = fields.Monetary(string="Paid Within 3 Days", readonly=True)
    paid_7 = fields.Monetary(string="Paid Within 7 Days", readonly=True)
    paid_14 = fields.Monetary(string="Paid Within 14 Days", readonly=True)
    paid_30 = fields.Monetary(string="Paid Within 30 Days", readonly=True)
    rate_3 = fields.Float(string="% in 3 Days", digits=(16, 1), group_operator="avg", readonly=True)
    rate_7 = fields.Float(string="% in 7 Days", digits=(16, 1), group_operator="avg", readonly=True)
    rate_14 = fields.Float(string="% in 14 Days", digits=(16, 1), group_operator="avg", readonly=True)
    rate_30 = fields.Float(string="% in 30 Days", digits=(16, 1), group_operator="avg", readonly=True)

    def init(self):
        result = super().init()
        self.env.cr.execute("ALTER TABLE collection_effect_line ADD COLUMN notice_ids integer[]")
        return result

    @api.model
    def _get_ratios(self):
        return {**super()._get_ratios(), **{f"rate_{days}": (f"paid_{days}", f"asked_{days}") for days in HORIZONS}}

    # === Actions ===#

    def action_open(self):
        """The notices behind a row."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.collection_notice_action")
        return {**action, "domain": [("effect_line_id", "=", self.id)], "context": {}}

    def _get_notice_ids(self):
        """Ids of the notices behind these rows."""
        self.env.cr.execute(
            SQL("SELECT unnest(notice_ids) FROM collection_effect_line WHERE id = ANY(%s)", list(self.ids))
        )
        return [notice_id for (notice_id,) in self.env.cr.fetchall()]

    # === SQL ===#

    @api.model
    def _query_fill(self, report):
        """Insert the rows of ``report``. Returns nothing.

        One scan each of the notices, their items, the reconciliations of the period and the messages of debtors.
        """
        values = {**self._get_sum_columns(), **self._get_horizon_columns()}
        keys = SQL(", ").join(SQL.identifier(name) for name in KEYS)
        scope = self._get_scope(report)
        return SQL(
            """
            WITH told AS MATERIALIZED (%(told)s), %(paid)s, %(answered)s,
            known AS (
                SELECT id, day, has_left, amount, %(keys)s, NULL::bigint AS items, %(nothing)s, FALSE AS answered
                  FROM told WHERE day <= %(last)s
                 UNION ALL
                SELECT notice_id, NULL, NULL, NULL, %(no_keys)s, items, %(figures)s, FALSE FROM paid
                 UNION ALL
                SELECT notice_id, NULL, NULL, NULL, %(no_keys)s, NULL, %(nothing)s, TRUE FROM answered
            ),
            notice AS (
                SELECT id, MAX(day) AS day, BOOL_OR(has_left) AS has_left, MAX(amount) AS amount, %(any_key)s,
                       MAX(items) AS items, %(any_figure)s, BOOL_OR(answered) AS answered
                  FROM known GROUP BY id
            )
            INSERT INTO collection_effect_line (wizard_id, user_id, company_id, currency_id, %(keys)s, %(names)s)
            SELECT %(report)s, %(user)s, %(company)s, %(currency)s, %(keys)s, %(values)s
              FROM notice
             WHERE day IS NOT NULL
             GROUP BY %(keys)s
             ORDER BY COUNT(*) DESC, MAX(id)""",
            **scope,
            told=self._query_told(scope),
            paid=self._query_paid(scope),
            answered=self._query_answered(scope),
            **self._get_gathered(),
            keys=keys,
            names=SQL(", ").join(SQL.identifier(name) for name in values),
            values=SQL(", ").join(SQL(text, **scope) for text in values.values()),
            report=report.id,
            user=self.env.uid,
            currency=report.company_id.currency_id.id,
        )

    @api.model
    def _get_gathered(self):
        """What gathers all that is known of one notice by GROUP BY: joined, it would be looked up row by row where
        old statistics expect but one."""
        figures = [SQL.identifier(f"{name}_{days}") for days in HORIZONS for name in ("paid", "items")]
        kinds = {"channel": "varchar", "subject": "varchar"}
        return {
            "figures": SQL(", ").join(figures),
            "nothing": SQL(", ").join(SQL("NULL::numeric AS %s", name) for name in figures),
            "no_keys": SQL(", ").join(SQL("NULL::" + kinds.get(name, "int")) for name in KEYS),
            "any_key": SQL(", ").join(SQL("MAX(%(name)s) AS %(name)s", name=SQL.identifier(name)) for name in KEYS),
            "any_figure": SQL(", ").join(SQL("MAX(%(name)s) AS %(name)s", name=name) for name in figures),
        }

    @api.model
    def _get_scope(self, report):
        """What the statements refer to."""
        company = report.company_id
        return {
            "company": company.id,
            "first": SQL("%s::date", report.date_from),
            "last": SQL("%s::date", report.date_to),
            "today": SQL("%s::date", company._get_collection_today()),
            "seen": self.env["collection.debtor"]._search([("company_id", "=", company.id)], order="id").subselect(),
            "accounts": self.env["account.account"]._get_receivable_ids(),
            "money": self.env["account.journal"]._get_receipt_ids(),
            "zone": str(company._get_collection_timezone()),
            "longest": LONGEST,
        }

    @api.model
    def _get_sum_columns(self):
        """{column: what of the notices is summed there}"""
        return {
            "sent": "COUNT(*) FILTER (WHERE has_left)",
            "failed": "COUNT(*) FILTER (WHERE NOT has_left)",
            "answered": "COUNT(*) FILTER (WHERE answered)",
            "item_count": "COALESCE(SUM(items), 0)",
            "amount": "COALESCE(SUM(amount) FILTER (WHERE has_left), 0)",
            "notice_ids": "array_agg(id)",
        }

    @api.model
    def _get_horizon_columns(self):
        """Likewise, for each horizon of the notices for which it is over."""
        columns = {}
        for days in HORIZONS:
            old = f"FILTER (WHERE has_left AND day + {days} < %(today)s)"
            asked, paid = f"SUM(amount) {old}", f"SUM(paid_{days}) {old}"
            columns |= {
                f"old_{days}": f"COUNT(*) {old}",
                f"asked_{days}": f"COALESCE({asked}, 0)",
                f"items_{days}": f"COALESCE(SUM(items_{days}) {old}, 0)",
                f"paid_{days}": f"COALESCE({paid}, 0)",
                f"rate_{days}": f"ROUND(100 * COALESCE({paid}, 0) / NULLIF({asked}, 0), 1)",
            }
        return columns

    @api.model
    def _query_told(self, scope):
        """The notices since the first day that left or failed, those after the last day too: they take the credit of
        what came after them."""
        since = SQL(
            """notice.company_id = %(company)s AND notice.state IN %(states)s
               AND COALESCE(notice.sent_on, notice.date) >= %(first)s""",
            **scope,
            states=(*LEFT, FAILED),
        )
        return SQL(
            """SELECT said.notice_id AS id, said.debtor_id, said.state IN %(left)s AS has_left, said.amount, said.day,
                      said.level_id, said.campaign_id, said.channel, said.template_id, said.subject
                 FROM (%(texts)s) said
                WHERE (said.debtor_id IN %(seen)s) IS TRUE""",
            **scope,
            left=LEFT,
            texts=self.env["collection.notice"]._query_texts(since),
        )

    @api.model
    def _query_paid(self, scope):
        """``paid``: of each notice that left its items, what of them was paid within each horizon, and which were paid
        in full. Money is what key figures take for it."""
        until = {**scope, "last": SQL("LEAST(%(last)s + %(longest)s, %(today)s)", **scope)}
        return SQL(
            """
            spoken AS MATERIALIZED (
                SELECT item.move_line_id AS line_id, told.day, told.id AS notice_id, item.company_amount AS asked
                  FROM told
                  LEFT JOIN collection_notice_line item ON item.notice_id = told.id
                 WHERE told.has_left AND item.move_line_id IS NOT NULL AND item.company_amount > 0
            ),
            %(settled)s,
            lived AS (
                SELECT line_id, day, notice_id, asked, NULL::numeric AS amount FROM spoken
                 UNION ALL
                SELECT line_id, day, NULL, NULL, amount FROM settled
            ),
            counted AS (
                SELECT lived.*, COUNT(notice_id) OVER (PARTITION BY line_id ORDER BY day, amount IS NOT NULL, notice_id
                                                       ROWS UNBOUNDED PRECEDING) AS turn
                  FROM lived
            ),
            turned AS (
                SELECT counted.*, MIN(day) OVER (PARTITION BY line_id, turn) AS told_on FROM counted WHERE turn > 0
            ),
            credited AS (
                SELECT MAX(notice_id) AS notice_id, MAX(asked) AS asked, %(within)s
                  FROM turned GROUP BY line_id, turn
            ),
            paid AS MATERIALIZED (
                SELECT notice_id, COUNT(*) AS items, %(sums)s FROM credited GROUP BY notice_id
            )""",
            settled=self.env["collection.kpi"]._query_settled(until),
            within=SQL(", ").join(
                SQL(
                    "LEAST(MAX(asked), COALESCE(SUM(amount) FILTER (WHERE day <= told_on + %s), 0)) AS %s",
                    days,
                    SQL.identifier(f"paid_{days}"),
                )
                for days in HORIZONS
            ),
            sums=SQL(", ").join(
                SQL(
                    "SUM(%(paid)s) AS %(paid)s, COUNT(*) FILTER (WHERE %(paid)s >= asked) AS %(items)s",
                    paid=SQL.identifier(f"paid_{days}"),
                    items=SQL.identifier(f"items_{days}"),
                )
                for days in HORIZONS
            ),
        )

    @api.model
    def _query_answered(self, scope):
        """``answered``: the notices that customers answered, be it that they called, came or wrote to the chatter of
        their debtor. Served by the index of messages on their document."""
        return SQL(
            """
            wrote AS MATERIALIZED (
                SELECT message.res_id AS debtor_id, message.date, message.message_type,
                       message.author_id, author.commercial_partner_id AS writer_id, debtor.partner_id
                  FROM mail_message message
                  LEFT JOIN res_partner author ON author.id = message.author_id
                  LEFT JOIN collection_debtor debtor ON debtor.id = message.res_id
                 WHERE message.model = 'collection.debtor' AND message.message_type IN ('email', 'comment')
            ),
            answer AS (
                SELECT debtor_id, (date AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date AS day
                  FROM (SELECT debtor_id, date FROM collection_interaction WHERE direction = %(incoming)s
                         UNION ALL
                        SELECT debtor_id, date FROM wrote
                         WHERE writer_id = partner_id OR author_id IS NULL AND message_type = 'email') said
            ),
            talked AS (
                SELECT debtor_id, day, id AS notice_id, FALSE AS answers FROM told WHERE has_left
                 UNION ALL
                SELECT debtor_id, day, NULL, TRUE FROM answer WHERE day BETWEEN %(first)s AND %(last)s + %(longest)s
            ),
            heard AS (
                SELECT talked.*, COUNT(notice_id) OVER (PARTITION BY debtor_id ORDER BY day, answers, notice_id
                                                        ROWS UNBOUNDED PRECEDING) AS turn
                  FROM talked
            ),
            answered AS MATERIALIZED (
                SELECT MAX(notice_id) AS notice_id FROM heard WHERE turn > 0
                 GROUP BY debtor_id, turn
                HAVING MIN(day) FILTER (WHERE answers) <= MIN(day) + %(longest)s
            )""",
            **scope,
            incoming=INCOMING,
        )
