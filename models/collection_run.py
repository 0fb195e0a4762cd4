import logging
from collections import defaultdict

import psycopg2

from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.misc import format_date

from .notice_states import CANCELLED, SKIPPED
from .responsible import ask_responsible

_logger = logging.getLogger(__name__)

FAILURE_ACTIVITY = "mail.mail_activity_data_warning"


class CollectionRun(models.Model):
    """One execution of the nightly dunning of a company, or of a campaign.

    *How to use.* ``_cron_nightly()`` does a night; ``_decide(company, today)`` tells what it would queue.

    *How it works.* Refresh, decide, enqueue: a constant number of statements per company; of the last, one, which
    writes the notices and their lines and leaves out those whose key exists.
    """

    _name = "collection.run"
    _description = "Collection Run"
    _inherit = ["mail.thread", "mail.activity.mixin", "collection.transaction", "collection.run.decide"]
    _mail_post_access = "read"
    _order = "date desc, id desc"

    name = fields.Char(compute="_compute_name")
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    kind = fields.Selection(
        [("dunning", "Nightly Dunning"), ("campaign", "Campaign"), ("manual", "Sent by Hand")],
        required=True,
        readonly=True,
        default="dunning",
    )
    campaign_id = fields.Many2one("collection.campaign", readonly=True, index="btree_not_null", ondelete="restrict")
    date = fields.Date(required=True, readonly=True)
    state = fields.Selection(
        [("proposal", "Proposal"), ("approved", "Approved"), ("done", "Done"), ("cancelled", "Cancelled")],
        required=True,
        readonly=True,
        default="approved",
        tracking=True,
    )
    remark = fields.Char(readonly=True, help="What a person should know about this run.")
    failure = fields.Char(
        string="Why It Failed", readonly=True, help="What went wrong in the night; it is tried again with the next run."
    )
    approved_by_id = fields.Many2one("res.users", readonly=True)
    approved_on = fields.Datetime(readonly=True)
    notice_ids = fields.One2many("collection.notice", "run_id", string="Notices")
    notice_count = fields.Integer(string="All Notices", compute="_compute_figures")
    waiting_count = fields.Integer(string="Waiting", compute="_compute_figures", help="Proposed or queued.")
    sent_count = fields.Integer(string="Sent", compute="_compute_figures", help="Sent or being delivered.")
    failed_count = fields.Integer(string="Failed", compute="_compute_figures")
    cancelled_count = fields.Integer(string="Cancelled", compute="_compute_figures", help="Cancelled or skipped.")
    amount = fields.Monetary(compute="_compute_figures", help="All that its notices ask for.")

    @api.model
    def _auto_init(self):
        result = super()._auto_init()
        self.env.cr.execute(
            """CREATE UNIQUE INDEX IF NOT EXISTS collection_run_unique_index
                   ON collection_run (company_id, kind, date, COALESCE(campaign_id, 0))"""
        )
        return result

    # === Computes ===#

    @api.depends("kind", "date", "campaign_id.name")
    @api.depends_context("lang")
    def _compute_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for run in self:
            run.name = f"{run.campaign_id.name or kinds.get(run.kind)} {fields.Date.to_string(run.date)}"

    def _compute_figures(self):
        figures = {run: dict.fromkeys(("waiting", "sent", "failed", "cancelled"), 0) for run in self}
        amounts = dict.fromkeys(self, 0.0)
        column = {
            "proposed": "waiting",
            "queued": "waiting",
            "outgoing": "sent",
            "sent": "sent",
            "failed": "failed",
            "cancelled": "cancelled",
            "skipped": "cancelled",
        }
        groups = self.env["collection.notice"]._read_group(
            [("run_id", "in", self.ids)], ["run_id", "state"], ["__count", "amount:sum"]
        )
        for run, state, count, amount in groups:
            figures[run][column[state]] += count
            if column[state] != "cancelled":
                amounts[run] += amount
        for notice in self._get_told_again():
            amounts[notice.run_id] -= notice.amount
        for run in self:
            run.waiting_count, run.sent_count, run.failed_count, run.cancelled_count = figures[run].values()
            run.notice_count = sum(figures[run].values())
            run.amount = amounts[run]

    def _get_told_again(self):
        """The notices of these runs whose message went on through another channel: it is asked for once, by the last
        one that is not cancelled."""
        asking = [("run_id", "in", self.ids), ("state", "not in", (CANCELLED, SKIPPED))]
        Notice = self.env["collection.notice"]
        following = Notice.search([*asking, ("fallback_of_id", "!=", False)], order="id")
        firsts = following.fallback_of_id.filtered_domain(asking)
        last_of = {notice.fallback_of_id: notice for notice in following}
        return (following | firsts).filtered(lambda notice: notice != last_of.get(notice.fallback_of_id or notice))

    # === CRUD ===#

    def write(self, vals):
        result = super().write(vals)
        if vals.get("state", "proposal") != "proposal":
            # Approved, cancelled or over: nobody needs to read it any more.
            self.activity_unlink(["mail.mail_activity_data_todo"])
        return result

    # === Actions ===#

    def action_approve(self):
        """Queue what the proposal holds of the debtors that the user sees; the dispatcher takes it from there. What
        others must approve keeps the run a proposal."""
        Notice = self.env["collection.notice"]
        Notice._check_sender()
        proposals = self.filtered(lambda run: run.state == "proposal")
        if not proposals:
            raise UserError(_("Only a proposal can be approved."))
        # sudo: notices and runs change through their buttons alone, and the right to send was checked
        Notice.search([("run_id", "in", proposals.ids), ("state", "=", "proposed")]).sudo().write({"state": "queued"})
        for run in proposals - proposals._get_with_notices(["proposed"]):
            run.sudo().write(
                {"state": "approved", "approved_by_id": self.env.uid, "approved_on": fields.Datetime.now()}
            )
        Notice._trigger_dispatch()

    def action_cancel(self):
        """Take the run back: nothing that has not left will leave, of the debtors that the user sees."""
        Notice = self.env["collection.notice"]
        Notice._check_sender()
        runs = self.filtered(lambda run: run.state in ("proposal", "approved"))
        if not runs:
            raise UserError(_("This run is over: there is nothing left to cancel."))
        waiting = Notice.search(
            [
                ("run_id", "in", runs.ids),
                "|",
                ("state", "in", ("proposed", "queued")),
                ("next_try", "!=", False),
            ]
        )
        waiting._cancel(_("Run cancelled by %(user)s", user=self.env.user.name))
        (runs - runs._get_with_notices(["proposed", "queued"])).sudo().write({"state": "cancelled"})

    def _get_with_notices(self, states):
        """Those of these runs that have a notice in one of ``states``, whoever may see it."""
        # sudo: a run is one for all collectors, of whom each sees the own notices
        groups = (
            self.env["collection.notice"]
            .sudo()
            ._read_group([("run_id", "in", self.ids), ("state", "in", states)], ["run_id"])
        )
        return self.browse(run.id for (run,) in groups)

    def action_open_notices(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.collection_notice_action")
        action["domain"] = [("run_id", "=", self.id)]
        action["context"] = {"search_default_group_state": 1}
        return action

    # === The night ===#

    @api.model
    def _cron_nightly(self, today=None):
        """Refresh every debtor, rank it and assign it to its collector, decide who must hear from each company today
        and queue the notices, and keep for the history what there was.

        Each company is committed by itself; one that fails is told to its people and stops no other. A second call on
        the same day adds nothing.

        :param today: the day to decide for; by default each company's own today
        """
        self._in_transaction(self._refresh_all)
        companies = self.env["res.company"].search([])
        debtors, portfolios = self.env["collection.debtor"], self.env["collection.portfolio"]
        for company in companies:
            whose = f"The debtors of {company.name}"
            self._do_alone(f"{whose} could not be ranked", debtors._rank_all, company, today)
            self._do_alone(f"{whose} could not be assigned", portfolios._assign_company, company)
            self._in_transaction(self._run_company_alone, company, today)
        self._do_alone("The history of debtors could not be kept", self.env["collection.snapshot"]._take, today)
        self._in_transaction(self.env["collection.notice"]._trigger_dispatch)
        # Last, for nothing may wait for it.
        for company in companies:
            failure = f"The days of the ledger of {company.name} could not be kept"
            self._do_alone(failure, self.env["collection.ledger.day"]._refresh, company)
        self._do_alone("What is expected could not be kept", self.env["collection.forecast"]._keep, today)

    @api.model
    def _do_alone(self, failure, work, *args):
        """A piece of the night, committed by itself; should it fail, the others are done all the same."""
        self._in_transaction(self._attempt, f"{failure}; it is tried again tomorrow", work, *args)

    @api.model
    def _refresh_all(self):
        self.env["collection.debtor.touch"]._drain()
        self.env["collection.debtor"]._refresh_balances()

    @api.model
    def _run_company_alone(self, company, today):
        """The night of a company; what goes wrong in it is logged, told to its people and stops no other."""
        try:
            with self.env.cr.savepoint():
                self.with_company(company)._run_company(company, today or company._get_collection_today())
        except psycopg2.OperationalError:
            raise
        except Exception as error:
            _logger.exception("The nightly dunning of %s failed; it is tried again with the next run", company.name)
            nobody = f"Nobody could be told that the nightly dunning of {company.name} failed"
            self._attempt(nobody, self._tell_failure, company, today, str(error) or type(error).__name__)

    @api.model
    def _tell_failure(self, company, today, reason):
        """Tell the company's people that there was no night."""
        run, _last_run = self._open_run(company, today or company._get_collection_today())
        run._keep_failure(reason)

    @api.model
    def _open_run(self, company, today, kind="dunning"):
        """The run of the day, which writes in the language of the company's people, and the day of the one before."""
        self.env.cr.execute(self._query_open_run(company.id, today, kind))
        run_id, last_run = self.env.cr.fetchone()
        return self.with_company(company).with_context(lang=company._get_collection_lang()).browse(run_id), last_run

    def _keep_failure(self, reason):
        """Keep why there was no night, and say it once, however often it is tried again."""
        self.ensure_one()
        told = self.failure
        self.failure = reason
        if told:
            return
        day = format_date(self.env, self.date)
        text = _("The nightly run of %(date)s failed: %(reason)s", date=day, reason=reason)
        self._message_log(body=text)
        ask_responsible(self, FAILURE_ACTIVITY, text)

    def _forget_failure(self):
        self.failure = False
        self.activity_unlink([FAILURE_ACTIVITY])

    @api.model
    def _run_company(self, company, today):
        moves = self.env["account.move"].with_context(lang=company._get_collection_lang())
        moves._plan_missed_reviews_again(company, today)
        moves._remind_of_reviews(company, today)
        run, last_run = self._open_run(company, today)
        if run.state == "cancelled":
            return run
        notices, lines, remark = run._decide(company, today, last_run)
        added = self.env["collection.notice"]._enqueue(notices, lines)
        run._settle_states(remark)
        if run.failure:
            run._forget_failure()
        _logger.info("Dunning of %s on %s: %s notices added", company.name, today, added)
        return run

    @api.model
    def _query_open_run(self, company_id, today, kind="dunning"):
        """Make the run of the day if it is missing; returns (its id, day of the last run before that did not fail).
        Served by the unique key (company, kind, date, campaign)."""
        return SQL(
            """WITH added AS (
                   INSERT INTO collection_run (company_id, kind, date, state, create_uid, create_date,
                          write_uid, write_date)
                   SELECT %(company)s, %(kind)s, %(today)s, 'approved', %(uid)s, now() AT TIME ZONE 'UTC',
                          %(uid)s, now() AT TIME ZONE 'UTC'
                    WHERE NOT EXISTS (SELECT 1 FROM collection_run
                                       WHERE company_id = %(company)s AND kind = %(kind)s AND date = %(today)s)
                   ON CONFLICT DO NOTHING
                   RETURNING id)
               SELECT COALESCE((SELECT id FROM added),
                               (SELECT id FROM collection_run
                                 WHERE company_id = %(company)s AND kind = %(kind)s AND date = %(today)s)),
                      (SELECT MAX(date) FROM collection_run
                        WHERE company_id = %(company)s AND kind = %(kind)s AND date < %(today)s
                          AND failure IS NULL)""",
            company=company_id,
            kind=kind,
            today=today,
            uid=self.env.uid,
        )

    def _settle_states(self, remark=None):
        """A run with proposed notices is a proposal; one with nothing waiting is done. ``remark`` replaces theirs."""
        states_of = defaultdict(set)
        for run, state in self.env["collection.notice"]._read_group([("run_id", "in", self.ids)], ["run_id", "state"]):
            states_of[run.id].add(state)
        for run in self.filtered(lambda run: run.state != "cancelled"):
            states = states_of[run.id]
            waiting = "approved" if states & {"queued", "outgoing"} else "done"
            state = "proposal" if "proposed" in states else waiting
            text = remark if remark is not None else run.remark or ""
            if state == "proposal" != run.state:
                run._ask_for_approval()
            if (run.state, run.remark or "") != (state, text):
                # What the system does is no history of approvals: people's own changes are tracked.
                run.with_context(tracking_disable=True).write({"state": state, "remark": text})

    def _ask_for_approval(self):
        """Tell the company's responsible that nothing leaves, and these debtors hear nothing else, until it is read."""
        self.ensure_one()
        ask_responsible(self, "mail.mail_activity_data_todo", _("Read and approve what would leave today"))

    @api.model
    def _close_finished(self):
        """Runs of which nothing waits any more are done; so is a proposal whose last row was paid meanwhile."""
        self.search([("state", "in", ("proposal", "approved"))])._settle_states()
