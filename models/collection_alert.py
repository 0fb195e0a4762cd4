from collections import defaultdict

from odoo import _, api, fields, models
from odoo.tools import SQL
from odoo.tools.misc import format_date

from ..engine import checks
from . import collection_alert_rule as rules
from .collection_promise_judge import FAILED

# The key of a condition, which lasts and ends; an event has one of its own.
CONDITION = "condition"


class CollectionAlert(models.Model):
    """An alert that was given of a debtor, so that it is given once.

    A row is (rule, debtor, event). That of a condition, such as an amount, goes when the condition ends: should it
    begin again, it is told again.
    """

    _name = "collection.alert"
    _description = "Alert of a Debtor"
    _log_access = False
    _order = "id"

    rule_id = fields.Many2one("collection.alert.rule", required=True, readonly=True, ondelete="cascade")
    debtor_id = fields.Many2one("collection.debtor", required=True, readonly=True, index=True, ondelete="cascade")
    event = fields.Char(required=True, readonly=True)
    given_on = fields.Date(required=True, readonly=True)
    res_id = fields.Many2oneReference(string="Document", model_field="res_model", readonly=True)
    res_model = fields.Char(compute="_compute_res_model")
    day = fields.Date(readonly=True)
    number = fields.Integer(readonly=True)
    amount = fields.Monetary(readonly=True)
    currency_id = fields.Many2one(related="debtor_id.currency_id")

    _sql_constraints = [("given_once", "UNIQUE(rule_id, debtor_id, event)", "This alert was given already.")]

    @api.depends("rule_id.kind")
    def _compute_res_model(self):
        models_of = {
            rules.PROMISE: "collection.promise",
            rules.BOUNCE: "account.postdated.check",
            rules.DUE_SOON: "account.move",
        }
        for alert in self:
            alert.res_model = models_of.get(alert.rule_id.kind)

    # === What is new ===#

    @api.model
    def _remember(self, rule, company, today):
        """Remember what a rule says of the debtors of a company, forget what is over, and return what is new."""
        self.env.flush_all()
        self.env.cr.execute(self._query_remember(rule, company, today))
        new = self.browse(alert_id for (alert_id,) in self.env.cr.fetchall())
        self.invalidate_model()
        return new

    @api.model
    def _query_remember(self, rule, company, today):
        """Rows (alert) that are new. Served by the unique key of the alerts and by what serves
        the query of the kind."""
        return SQL(
            """WITH found (debtor_id, event, res_id, day, number, amount) AS MATERIALIZED (%(found)s),
               ended AS (
                   DELETE FROM collection_alert alert
                    USING collection_debtor debtor
                    WHERE alert.rule_id = %(rule)s AND alert.event = %(condition)s
                      AND debtor.id = alert.debtor_id AND debtor.company_id = %(company)s
                      AND alert.debtor_id NOT IN (SELECT debtor_id FROM found))
               INSERT INTO collection_alert (rule_id, debtor_id, event, given_on, res_id, day, number, amount)
               SELECT %(rule)s, debtor_id, event, %(today)s, res_id, day, number, amount
                 FROM found
                ORDER BY debtor_id, event
                   ON CONFLICT (rule_id, debtor_id, event) DO NOTHING
               RETURNING id""",
            found=getattr(self, f"_query_{rule.kind}")(rule, company, today),
            rule=rule.id,
            condition=CONDITION,
            company=company.id,
            today=today,
        )

    # === One query per kind: rows (debtor, event, document, day, number, amount) ===#

    @api.model
    def _query_condition(self, company, condition, number=None):
        """Those of a company's debtors for which a condition on their cached balances holds."""
        return SQL(
            """SELECT debtor.id, %s, NULL::int, NULL::date, %s, debtor.overdue
                 FROM collection_debtor debtor
                WHERE debtor.company_id = %s AND %s""",
            CONDITION,
            number or SQL("NULL::int"),
            company.id,
            condition,
        )

    @api.model
    def _query_overdue_count(self, rule, company, today):
        return self._query_condition(company, SQL("debtor.overdue_count > %s", rule.count), SQL("debtor.overdue_count"))

    @api.model
    def _query_overdue_amount(self, rule, company, today):
        return self._query_condition(company, SQL("debtor.overdue > %s", rule.amount))

    @api.model
    def _query_level(self, rule, company, today):
        if rule.level_id:
            levels = SQL(
                "SELECT level.id FROM collection_level level WHERE level.day_from >= %s", rule.level_id.day_from
            )
        else:
            levels = SQL(
                """SELECT DISTINCT ON (level.policy_id) level.id FROM collection_level level
                    ORDER BY level.policy_id, level.day_from DESC, level.id DESC"""
            )
        return self._query_condition(company, SQL("debtor.level_id IN (%s)", levels))

    @api.model
    def _query_limit(self, rule, company, today):
        """The limit is Odoo's, by customer and company: its field says it and no column."""
        debtors = self.env["collection.debtor"]._get_over_credit_limit(company)
        return SQL(
            """SELECT over_limit.debtor_id, %s, NULL::int, NULL::date, NULL::int, over_limit.exposure
                 FROM unnest(%s::int[], %s::numeric[]) AS over_limit(debtor_id, exposure)""",
            CONDITION,
            debtors.ids,
            debtors.mapped("credit_exposure"),
        )

    @api.model
    def _query_promise(self, rule, company, today):
        return SQL(
            """SELECT promise.debtor_id, 'promise ' || promise.id, promise.id, promise.closed_on, NULL::int,
                      NULL::numeric
                 FROM collection_promise promise
                WHERE promise.company_id = %s AND promise.state IN %s AND promise.closed_on >= %s""",
            company.id,
            FAILED,
            rule.since,
        )

    @api.model
    def _query_bounce(self, rule, company, today):
        return SQL(
            """SELECT event.debtor_id, 'bounce ' || event.id, event.check_id, event.date, NULL::int, NULL::numeric
                 FROM account_postdated_check_event event
                 JOIN collection_debtor debtor ON debtor.id = event.debtor_id
                WHERE debtor.company_id = %s AND event.new_state = %s AND event.date >= %s""",
            company.id,
            checks.BOUNCED,
            rule.since,
        )

    @api.model
    def _query_due_soon(self, rule, company, today):
        """An invoice in several parts is told of each; a part that falls due on another day is told anew. Served by
        Odoo's partial index on unreconciled lines."""
        return SQL(
            """SELECT debtor.id, 'due ' || line.id || ' ' || line.date_maturity, line.move_id, line.date_maturity,
                      NULL::int, line.amount_residual
                 FROM account_move_line line
                 JOIN account_move move ON move.id = line.move_id
                 JOIN res_partner partner ON partner.id = line.partner_id
                 JOIN collection_debtor debtor ON debtor.partner_id = partner.commercial_partner_id
                                              AND debtor.company_id = line.company_id
                WHERE line.account_id = ANY(%s) AND line.company_id = %s AND %s
                  AND move.move_type IN ('out_invoice', 'out_receipt')
                  AND line.date_maturity BETWEEN %s AND %s AND line.amount_residual > %s""",
            self.env["account.account"]._get_receivable_ids(),
            company.id,
            self.env["collection.debtor"]._query_is_open("line"),
            today,
            fields.Date.add(today, days=rule.days),
            rule.amount,
        )

    # === Whom to tell ===#

    def _get_told(self, company):
        """``{user: {alert: the record that this person opens}}``: the debtor, or the customer for its salesperson, who
        may have no right on collections. One query per person."""
        wanted = defaultdict(list)
        for alert in self:
            for user in alert.rule_id._get_people(alert.debtor_id):
                wanted[user].append(alert)
        told = {}
        for user, alerts in wanted.items():
            if company not in user.company_ids:
                continue
            seen = self._get_seen({alert.debtor_id.id for alert in alerts}, user, company)
            records = {}
            for alert in alerts:
                if alert.debtor_id.id in seen:
                    records[alert] = alert.debtor_id
                elif alert.debtor_id.partner_id.user_id == user:
                    records[alert] = alert.debtor_id.partner_id
            if records:
                told[user] = records
        return told

    @api.model
    def _get_seen(self, debtor_ids, user, company):
        """Ids of these debtors that a person may see."""
        if not user.has_group("account_collection.group_collection_viewer"):
            return set()
        debtors = self.env["collection.debtor"].with_user(user).with_context(allowed_company_ids=company.ids)
        return set(debtors.search([("id", "in", list(debtor_ids))]).ids)

    # === Telling ===#

    def _tell(self, company, today):
        """Tell these alerts, by activity or by mail, and return those that somebody was told."""
        told_to, documents = self._get_told(company), self._get_documents()
        mailed, acted = defaultdict(dict), defaultdict(lambda: defaultdict(list))
        for user, records in told_to.items():
            for alert, record in records.items():
                if alert.rule_id.how == rules.ACTIVITY:
                    acted[alert.rule_id][user, record].append(alert)
                elif user.email:
                    mailed[user][alert] = record
        for alerts_of in acted.values():
            # A rule at a time: Odoo cannot create two activities of one person on one record together.
            self._create_activities(alerts_of, documents, today)
        self.env["mail.mail"].create(
            [self._prepare_mail(user, company, records, documents) for user, records in mailed.items()]
        )
        told = {alert.id for records in mailed.values() for alert in records}
        told.update(alert.id for found in acted.values() for alerts in found.values() for alert in alerts)
        return self.filtered(lambda alert: alert.id in told)

    @api.model
    def _create_activities(self, alerts_of, documents, today):
        """
        :param dict alerts_of: lists of alerts of one rule by (user, record)
        :param dict documents: of ``_get_documents``
        """
        todo_id = self.env["ir.model.data"]._xmlid_to_res_id("mail.mail_activity_data_todo")
        values = []
        for (user, record), alerts in alerts_of.items():
            told = self.browse(alert.id for alert in alerts).with_context(lang=user.lang or self.env.lang)
            texts = [alert._get_text(documents) for alert in told]
            values.append(
                {
                    "res_model_id": self.env["ir.model"]._get_id(record._name),
                    "res_id": record.id,
                    # Both are computed by default, and written one activity at a time.
                    "res_name": record.display_name,
                    "date_done": False,
                    "activity_type_id": todo_id,
                    "summary": f"{told.rule_id.name}: {'; '.join(texts)}",
                    "date_deadline": today,
                    "user_id": user.id,
                }
            )
        self.env["mail.activity"].with_context(mail_activity_quick_update=True).create(values)

    def _get_documents(self):
        """``{alert id: the promise, check or invoice it is about}``, each kind read together."""
        documents = {}
        for model, alerts in self.grouped("res_model").items():
            if model:
                browsed = {record.id: record for record in self.env[model].browse(alerts.mapped("res_id"))}
                documents.update({alert.id: browsed[alert.res_id] for alert in alerts})
        return documents

    def _get_text(self, documents):
        """What happened, with its figures.

        :param dict documents: of ``_get_documents``, in any language
        """
        self.ensure_one()
        kind, amount = self.rule_id.kind, self.currency_id.format(self.amount)
        day = format_date(self.env, self.day)
        document = documents[self.id].with_env(self.env) if self.id in documents else None
        if kind == rules.OVERDUE_COUNT:
            return _("overdue items: %(count)s, %(amount)s", count=self.number, amount=amount)
        if kind == rules.OVERDUE_AMOUNT:
            return _("%(amount)s overdue", amount=amount)
        if kind == rules.LEVEL:
            return _("“%(level)s” was reached, %(amount)s overdue", level=self.debtor_id.level_id.name, amount=amount)
        if kind == rules.LIMIT:
            limit = self.currency_id.format(self.debtor_id.credit_limit)
            return _("%(amount)s used of a limit of %(limit)s", amount=amount, limit=limit)
        if kind == rules.PROMISE:
            return document._get_verdict_text()
        if kind == rules.BOUNCE:
            worth = document.currency_id.format(document.amount)
            return _("%(check)s of %(amount)s bounced on %(date)s", check=document.display_name, amount=worth, date=day)
        return _("%(invoice)s falls due on %(date)s: %(amount)s", invoice=document.name, date=day, amount=amount)
