from collections import defaultdict

from markupsafe import Markup

from odoo import _, api, fields, models
from odoo.tools import SQL
from odoo.tools.misc import format_date

from ..engine import checks

DUE, SOON, DEADLINE, STALE, INACTIVE = "due", "soon", "deadline", "stale", "inactive"
DEPOSITS = (DUE, SOON)
KINDS = [
    (DUE, "To Deposit"),
    (SOON, "To Deposit Soon"),
    (DEADLINE, "Presentation Ends"),
    (STALE, "Not Deposited"),
    (INACTIVE, "Protection Not Activated"),
]
MAX_LISTED = 50


class AccountPostdatedCheckAlert(models.Model):
    """An alert that was given of a check, so that it is given once.

    A row is (check, kind, the day that it speaks of): a deposit that is agreed on for another day is told anew.
    """

    _name = "account.postdated.check.alert"
    _description = "Alert of a Check"
    _log_access = False

    check_id = fields.Many2one("account.postdated.check", required=True, readonly=True, ondelete="cascade")
    kind = fields.Selection(KINDS, required=True, readonly=True)
    day = fields.Date(required=True, readonly=True)

    _sql_constraints = [("given_once", "UNIQUE(check_id, kind, day)", "This alert was given already.")]


class AccountPostdatedCheck(models.Model):
    """Alerts of checks in hand, each night.

    *How to use.* ``_cron_alert()``; ``_alert_company(company, today)`` for one company.

    *How it works.* One statement per company remembers what is new to tell; activities are then created for all of it,
    one for each person and kind. Both are one transaction: a night that was killed begins again, and a second one on
    the same day tells nothing.
    """

    _name = "account.postdated.check"
    _inherit = ["account.postdated.check", "collection.transaction"]

    alert = fields.Selection(KINDS, store=False, search="_search_alert", help="To search by: what is to be told of it.")

    def _search_alert(self, operator, value):
        if operator not in ("=", "in"):
            raise NotImplementedError(operator)
        kinds = {value} if operator == "=" else set(value)
        found = set()
        for name in ("account.postdated.check", "res.company"):
            self.env[name].flush_model()
        for company in self.env.companies:
            self.env.cr.execute(self._query_alerts(company, company._get_collection_today()))
            found.update(check_id for check_id, kind, _day in self.env.cr.fetchall() if kind in kinds)
        return [("id", "in", list(found))]

    @api.model
    def _cron_alert(self, today=None):
        """Tell the people of each company what its checks need; a company that fails stops no other.

        :param today: by default each company's own today
        """
        for company in self.env["res.company"].search([]):
            failure = f"The alerts of checks of {company.name} failed; they are tried again the next night"
            day = today or company._get_collection_today()
            self._in_transaction(self._attempt, failure, self.with_company(company)._alert_company, company, day)

    @api.model
    def _alert_company(self, company, today):
        """Give the alerts of one company and return their activities."""
        for name in ("account.postdated.check", "collection.debtor", "res.company", "res.users"):
            self.env[name].flush_model()
        self.env.cr.execute(self._query_new_alerts(company, today))
        rows = self.env.cr.fetchall()
        checks_of = defaultdict(self.browse)
        # One recordset: whatever is read of one check is read of all.
        for check, (_check_id, kind) in zip(self.browse(check_id for check_id, _kind in rows), rows):
            checks_of[kind] |= check
        activities = self.env["mail.activity"].with_context(mail_activity_quick_update=True)
        given = activities.browse()
        for kind, alerted in checks_of.items():
            # A kind at a time: Odoo cannot create two activities of one person on one record together.
            given += activities.create(
                [
                    found.sorted(lambda check: (check.deposit_date, check.id))._prepare_alert(
                        user, kind, company, today
                    )
                    for user, found in alerted.grouped(lambda check, kind=kind: check._get_alerted(kind)).items()
                ]
            )
        return given

    def _get_alerted(self, kind):
        """Who is told: depositing is for the company's responsible, the rest for the collector of the debtor; each in
        the place of the other where there is none."""
        self.ensure_one()
        responsible = self.company_id.collection_responsible_id.filtered("active")
        collector = self.debtor_id.collector_id.filtered("active")
        return responsible or collector if kind in DEPOSITS else collector or responsible

    @api.model
    def _query_new_alerts(self, company, today):
        """Remember what must be told of the checks in hand of a company and was not told before; returns rows (check,
        kind). Where nobody could be told, nothing is remembered. Served by the partial index of checks in hand and by
        the unique key of the alerts."""
        return SQL(
            """INSERT INTO account_postdated_check_alert (check_id, kind, day)
               SELECT alert.check_id, alert.kind, alert.day
                 FROM (%(alerts)s) AS alert
                 JOIN account_postdated_check checks ON checks.id = alert.check_id
                 LEFT JOIN collection_debtor debtor ON debtor.id = checks.debtor_id
                WHERE EXISTS (SELECT 1 FROM res_users person
                               WHERE person.active AND person.id IN (debtor.collector_id, %(responsible)s))
                ORDER BY alert.check_id
                   ON CONFLICT (check_id, kind, day) DO NOTHING
               RETURNING check_id, kind""",
            alerts=self._query_alerts(company, today),
            responsible=company.collection_responsible_id.id or None,
        )

    @api.model
    def _query_alerts(self, company, today):
        """Rows (check, kind, the day that it speaks of) of the checks in hand of a company. Served by the partial index
        of checks in hand."""
        days = {DEADLINE: SQL("checks.presentation_deadline")}
        kinds = [
            SQL("(%s, %s, %s)", kind, days.get(kind, SQL("checks.deposit_date")), condition)
            for kind, condition in self._query_alert_conditions(today).items()
        ]
        return SQL(
            """SELECT checks.id AS check_id, found.kind, found.day
                 FROM account_postdated_check checks
                 JOIN res_company company ON company.id = checks.company_id
                CROSS JOIN LATERAL (VALUES %(kinds)s) AS found(kind, day, applies)
                WHERE checks.state IN %(in_hand)s AND checks.company_id = %(company)s AND found.applies
                  AND (checks.state = %(custody)s OR found.kind NOT IN %(deposits)s)""",
            kinds=SQL(", ").join(kinds),
            in_hand=checks.IN_HAND,
            custody=checks.CUSTODY,
            deposits=DEPOSITS,
            company=company.id,
        )

    @api.model
    def _query_alert_conditions(self, day):
        """``{kind: condition}`` of ``checks`` in hand of a ``company`` on that day."""
        day = SQL("%s::date", day)
        horizon = SQL("%s + company.collection_check_notice_days", day)
        return {
            DUE: SQL("checks.deposit_date <= %s", day),
            SOON: SQL("checks.deposit_date > %s AND checks.deposit_date <= %s", day, horizon),
            DEADLINE: SQL("checks.presentation_deadline <= %s", horizon),
            STALE: SQL("checks.deposit_date < %s - company.collection_check_notice_days", day),
            INACTIVE: SQL("checks.protection = 'bank' AND checks.protection_activated IS NOT TRUE"),
        }

    # === Texts ===#

    def _prepare_alert(self, user, kind, company, today):
        """Values of the activity that tells ``user`` of these checks, on the first of them; its note lists them."""
        named = self.with_context(lang=user.lang or self.env.lang)
        todo_id = self.env["ir.model.data"]._xmlid_to_res_id("mail.mail_activity_data_todo")
        return {
            "res_model_id": self.env["ir.model"]._get_id(self._name),
            "res_id": self[:1].id,
            # Both are computed by default, and written one activity at a time.
            "res_name": named[:1].display_name,
            "date_done": False,
            "activity_type_id": todo_id,
            "summary": named._get_alert_summary(kind, company),
            "note": named._get_alert_note(kind),
            "date_deadline": self._get_alert_deadline(kind, today),
            "user_id": user.id,
        }

    def _get_alert_deadline(self, kind, today):
        """When it is to be done: what is near on its own day, the rest today."""
        days = {SOON: self.mapped("deposit_date"), DEADLINE: self.mapped("presentation_deadline")}.get(kind)
        return max(min(days), today) if days else today

    def _get_alert_summary(self, kind, company):
        """The kind, how many checks of which company, and their amounts by currency."""
        label = dict(self.env["account.postdated.check.alert"]._fields["kind"]._description_selection(self.env))[kind]
        amounts = " + ".join(
            currency.format(sum(found.mapped("amount"))) for currency, found in self.grouped("currency_id").items()
        )
        if len(self) == 1:
            return _("%(kind)s: %(check)s, %(amount)s", kind=label, check=self.display_name, amount=amounts)
        return _(
            "%(kind)s: %(count)s checks of %(company)s, %(amount)s",
            kind=label,
            count=len(self),
            company=company.name,
            amount=amounts,
        )

    def _get_alert_note(self, kind):
        """A line with a link for each check."""
        lines = [
            Markup("%s, %s, %s: %s")
            % (
                check._get_html_link(),
                check.commercial_partner_id.display_name,
                check.currency_id.format(check.amount),
                check._get_alert_text(kind),
            )
            for check in self[:MAX_LISTED]
        ]
        if len(self) > MAX_LISTED:
            lines.append(_("%s more", len(self) - MAX_LISTED))
        return Markup("<br/>").join(lines)

    def _get_alert_text(self, kind):
        self.ensure_one()
        deposit = format_date(self.env, self.deposit_date)
        if kind == DEADLINE:
            return _("to be presented until %s", format_date(self.env, self.presentation_deadline))
        if kind == STALE:
            return _("was to be deposited on %s", deposit)
        if kind == INACTIVE:
            return _("the drawer has not activated its protection; deposit on %s", deposit)
        return _("deposit on %s", deposit)
