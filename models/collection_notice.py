from datetime import timedelta

import psycopg2

from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.misc import format_amount, format_date

from .collection_level_channel import CHANNELS
from .notice_states import CANCELLED, FAILED, OUTGOING, PROPOSED, QUEUED, SENT, SKIPPED

MAX_TRIES = 5


class CollectionNotice(models.Model):
    _name = "collection.notice"
    _description = "Notice"
    _inherit = [
        "collection.notice.queue",
        "collection.notice.dispatch",
        "collection.notice.address",
        "collection.notice.document",
        "collection.notice.placeholder",
        "collection.notice.channel",
        "collection.notice.fallback",
        "collection.notice.frequency",
    ]
    _order = "date desc, id desc"

    debtor_id = fields.Many2one("collection.debtor", required=True, readonly=True, index=True, ondelete="cascade")
    partner_id = fields.Many2one(related="debtor_id.partner_id", string="Customer", store=True, index=True)
    collector_id = fields.Many2one(related="debtor_id.collector_id", store=False)
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    run_id = fields.Many2one("collection.run", readonly=True, index=True, ondelete="cascade")
    campaign_id = fields.Many2one(related="run_id.campaign_id")
    level_id = fields.Many2one("collection.level", readonly=True, index=True, ondelete="set null")
    policy_id = fields.Many2one(related="level_id.policy_id")
    date = fields.Date(required=True, readonly=True)
    channel = fields.Selection(CHANNELS, required=True, readonly=True)
    fallback_of_id = fields.Many2one(
        "collection.notice",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="The first notice of this message, whose channel could not reach the customer.",
    )
    dedupe_key = fields.Char(required=True, readonly=True)

    state = fields.Selection(
        [
            (PROPOSED, "Proposed"),
            (QUEUED, "Queued"),
            (OUTGOING, "Being Delivered"),
            (SENT, "Sent"),
            (FAILED, "Failed"),
            (CANCELLED, "Cancelled"),
            (SKIPPED, "Skipped"),
        ],
        required=True,
        readonly=True,
        index=True,
        default=QUEUED,
    )
    reason = fields.Char(readonly=True, help="Why it failed, was cancelled or was skipped.")
    tries = fields.Integer(readonly=True)
    next_try = fields.Datetime(readonly=True, help="When a failed notice is tried again by itself.")
    sent_on = fields.Date(readonly=True)

    line_ids = fields.One2many("collection.notice.line", "notice_id", string="Items", readonly=True)
    line_count = fields.Integer(string="Items Listed", compute="_compute_line_count")
    amount = fields.Monetary(readonly=True, help="All that is asked for, in company currency.")
    amount_overdue = fields.Monetary(readonly=True, help="The part of it that is past due, in company currency.")
    days_overdue = fields.Integer(readonly=True, group_operator="max", help="Days of the oldest item.")
    why = fields.Char(compute="_compute_why", help="Why this customer hears from us.")
    recipient = fields.Char(compute="_compute_recipient")
    email_to = fields.Char(readonly=True)

    message_id = fields.Many2one("mail.message", readonly=True, index="btree_not_null", ondelete="set null")
    mail_id = fields.Many2one("mail.mail", readonly=True, index="btree_not_null", ondelete="set null")
    attachment_id = fields.Many2one(
        "ir.attachment", string="Document", readonly=True, index="btree_not_null", ondelete="set null"
    )

    # For the placeholders of templates
    balance_text = fields.Char(compute="_compute_amount_texts", help="All that is asked for, currency by currency.")
    overdue_text = fields.Char(compute="_compute_amount_texts", help="What is past due, currency by currency.")
    items_html = fields.Html(compute="_compute_items_html", sanitize=False, help="Table of the items.")

    _sql_constraints = [
        ("dedupe_key_unique", "UNIQUE(dedupe_key)", "This notice exists already."),
    ]

    @api.model
    def _auto_init(self):
        result = super()._auto_init()
        self.env.cr.execute(
            """CREATE INDEX IF NOT EXISTS collection_notice_queue_index
                   ON collection_notice (id) WHERE state = 'queued';
               CREATE INDEX IF NOT EXISTS collection_notice_waiting_index
                   ON collection_notice (debtor_id)
                WHERE state IN ('proposed', 'queued', 'outgoing') OR next_try IS NOT NULL;
               CREATE INDEX IF NOT EXISTS collection_notice_contact_index
                   ON collection_notice (debtor_id, sent_on) WHERE sent_on IS NOT NULL"""
        )
        return result

    # === Computes ===#

    @api.depends("debtor_id.partner_id.display_name", "level_id.name", "campaign_id.name", "letter_id.name", "date")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for notice in self:
            name = notice._get_content().name
            notice.display_name = " - ".join(
                filter(None, (notice.debtor_id.display_name, name, fields.Date.to_string(notice.date)))
            )

    @api.depends("line_ids")
    def _compute_line_count(self):
        for notice in self:
            notice.line_count = len(notice.line_ids)

    @api.depends("line_ids.days", "line_ids.level_id", "level_id")
    @api.depends_context("lang")
    def _compute_why(self):
        for notice in self:
            # When it left some days later, no item may be at the level itself any more: then the oldest explains it.
            lines = notice.line_ids.filtered(lambda line: line.level_id == notice.level_id) or notice.line_ids
            line = lines.sorted("days")[-1:]
            notice.why = line and line._get_days_text()

    @api.depends("email_to", "channel", "state")
    def _compute_recipient(self):
        by_mail = self.filtered(lambda notice: notice.channel == "mail" and not notice.email_to)
        partners_of = by_mail._get_recipients()
        for notice in self:
            if notice.channel == "mail":
                partners = partners_of.get(notice, ())
                notice.recipient = notice.email_to or ", ".join(p.email for p in partners if p.email)
            elif notice.channel == "letter":
                address = notice.partner_id._display_address(without_company=True)
                notice.recipient = ", ".join(filter(None, map(str.strip, address.splitlines())))
            else:
                notice.recipient = notice.partner_id.phone

    @api.depends("line_ids.amount", "line_ids.currency_id", "line_ids.days")
    @api.depends_context("lang")
    def _compute_amount_texts(self):
        for notice in self:
            notice.balance_text = notice._get_sum_text(notice.line_ids)
            notice.overdue_text = notice._get_sum_text(notice.line_ids.filtered(lambda line: line.days > 0))

    def _get_sum_text(self, lines):
        sums = {}
        for line in lines:
            sums[line.currency_id] = sums.get(line.currency_id, 0.0) + line.amount
        if not sums:
            sums = {self.currency_id: 0.0}
        codes = len(sums) > 1 or self.currency_id not in sums
        return " + ".join(self._get_amount_text(amount, currency, codes) for currency, amount in sums.items())

    def _get_amount_text(self, amount, currency, code):
        """An amount in the customer's format; with ``code`` it names its currency: pesos and dollars share a sign."""
        text = format_amount(self.env, amount, currency)
        return f"{text} {currency.name}" if code else text

    @api.depends("line_ids")
    @api.depends_context("lang")
    def _compute_items_html(self):
        covers = self.env["account.postdated.check.line"]._get_covers(self.line_ids.move_line_id.ids)
        for notice in self:
            notice.items_html = self.env["ir.qweb"]._render(
                "account_collection.notice_items", {"rows": notice._prepare_item_rows(covers)}
            )

    def _prepare_item_rows(self, covers):
        """The items in words, one cell of plain text each: Odoo cleans every element of a mail, twice.

        :param covers: those of ``_get_covers``: what checks answer for is not asked for, and is told beside the item
        """
        codes = self.line_ids.currency_id != self.currency_id
        return [
            {
                "document": line.move_id._get_collection_document()
                + (f" ({line.move_id.ref})" if line.move_id.ref else ""),
                "due_date": format_date(self.env, line.due_date),
                "days": line.days if line.days > 0 else "",
                "amount": self._get_amount_text(line.amount, line.currency_id, codes),
                "covers": [
                    self._get_cover_text(cover, line.currency_id, codes)
                    for cover in covers.get(line.move_line_id.id, [])
                ],
            }
            for line in self.line_ids
        ]

    def _get_cover_text(self, cover, currency, code):
        return _(
            "Apart from what %(check)s pays on %(date)s: %(amount)s",
            check=cover.check.with_context(lang=self.env.lang).display_name,
            date=format_date(self.env, cover.deposit_date),
            amount=self._get_amount_text(cover.amount, currency, code),
        )

    def _get_content(self):
        """What it is made of: a record of ``collection.content``."""
        self.ensure_one()
        # sudo: what a notice says is for whoever sends it
        notice = self.sudo()
        return notice.campaign_id or notice.letter_id or notice.level_id

    # === Actions ===#

    def action_cancel(self):
        """Take back what has not left yet, one reason for all."""
        self._check_sender()
        pending = self.filtered(lambda notice: notice.state in (PROPOSED, QUEUED, FAILED))
        if not pending:
            raise UserError(_("Only notices that have not left yet can be cancelled."))
        pending._cancel(_("Cancelled by %(user)s", user=self.env.user.name))
        # sudo: a run of which nothing waits any more is over, whoever took the last row out
        pending.run_id.sudo()._settle_states()

    def action_retry(self):
        """Queue failed notices again, from their first try."""
        self._check_sender()
        failed = self.filtered(lambda notice: notice.state == FAILED)
        if not failed:
            raise UserError(_("Only failed notices can be tried again."))
        # sudo: notices change through their buttons alone, and the right to send was checked
        failed.sudo()._drop_mails()
        failed.sudo().write({"tries": 0, "next_try": False, "reason": False, "state": QUEUED, "mail_id": False})
        self._trigger_dispatch()

    def action_open_debtor(self):
        self.ensure_one()
        return self.debtor_id.action_open_debtor()

    def action_open_document(self):
        self.ensure_one()
        return {"type": "ir.actions.act_url", "url": f"/web/content/{self.attachment_id.id}", "target": "new"}

    def _check_sender(self):
        if not self.env.user.has_group("account_collection.group_collection_sender") and not self.env.su:
            raise UserError(_("Sending, retrying and cancelling notices takes the right “Sender”: ask a manager."))

    # === States ===#

    def _cancel(self, reason):
        """Cancel these notices; what they told counts no more, so that another run may tell it again."""
        # sudo: notices change through their buttons and the ledger alone; each caller checks its right
        notices = self.sudo()
        notices._drop_mails()
        notices.write({"state": CANCELLED, "reason": reason, "next_try": False})
        notices.line_ids.write({"told_on": False})

    @api.model
    def _cancel_settled(self, lines):
        """Cancel the pending notices whose reason to exist is gone with ``lines``: every item that set their level is
        paid or no longer posted. A notice that is being dispatched right now is left to the dispatcher's own check."""
        lines = lines.filtered(lambda line: line.account_id.account_type == "asset_receivable")
        if not lines:
            return
        self.env.cr.execute(self._query_pending_of(lines.ids))
        notice_ids = {notice_id for (notice_id,) in self.env.cr.fetchall()}
        if not notice_ids:
            return
        for name in ("account.move.line", "account.move"):
            self.env[name].flush_model()
        try:
            with self.env.cr.savepoint(flush=False):
                self.env.cr.execute(self._query_settled(notice_ids), log_exceptions=False)
                settled = self.browse(notice_id for (notice_id,) in self.env.cr.fetchall())
        except psycopg2.errors.SerializationFailure:
            # One of them left since this transaction began. The payment must not fail for that: the dispatcher's own
            # check cancels the others.
            return
        if settled:
            settled._cancel(_("Paid or withdrawn before it left"))

    @api.model
    def _query_pending_of(self, line_ids):
        """Ids, perhaps repeated, of proposed and queued notices that speak of these items. Served by the partial index
        of told items and by the primary key: each look-up is of one table, so that old statistics choose no other."""
        return SQL(
            """SELECT spoken.notice_id
                 FROM collection_notice_line spoken
                WHERE spoken.move_line_id = ANY(%s) AND spoken.told_on IS NOT NULL
                  AND (SELECT notice.state FROM collection_notice notice WHERE notice.id = spoken.notice_id)
                      IN ('proposed', 'queued')""",
            list(line_ids),
        )

    @api.model
    def _query_settled(self, notice_ids):
        """Lock and return those of these notices of which no item that set the level is open any more. Served by the
        index on the lines' notice and by primary keys; ``OFFSET 0`` keeps it a look-up for each notice."""
        return SQL(
            """SELECT notice.id
                 FROM collection_notice notice
                WHERE notice.id = ANY(%s) AND notice.state IN ('proposed', 'queued')
                  AND NOT EXISTS (
                      SELECT 1
                        FROM collection_notice_line spoken
                       WHERE spoken.notice_id = notice.id AND spoken.level_id = notice.level_id
                         AND (SELECT line.parent_state = 'posted' AND line.amount_residual_currency > 0
                                FROM account_move_line line WHERE line.id = spoken.move_line_id)
                      OFFSET 0)
                FOR UPDATE SKIP LOCKED""",
            list(notice_ids),
        )

    def _fail(self, reason, retry=False):
        """Keep the error with the notice. With ``retry`` it is tried again later, each time after a longer wait, and
        then waits for a person; without, it waits at once."""
        now = fields.Datetime.now()
        for notice in self:
            tries = notice.tries + 1
            again = retry and tries < MAX_TRIES
            notice.write(
                {
                    "state": FAILED,
                    "reason": reason,
                    "tries": tries,
                    "next_try": now + timedelta(minutes=5 * 4 ** (tries - 1)) if again else False,
                }
            )
            if not again:
                notice._schedule_failure_activity()

    def _schedule_failure_activity(self):
        self.ensure_one()
        user = self.debtor_id.responsible_id
        if user:
            # Quickly: the activity says it; a mail about each would leave in the middle of the queue that just failed.
            self.debtor_id.with_context(mail_activity_quick_update=True).activity_schedule(
                "mail.mail_activity_data_todo",
                user_id=user.id,
                summary=_("Notice not delivered: %(level)s", level=self._get_content().name or self.display_name),
                note=self.reason,
            )

    def _bounce(self, failure_reason):
        """The mail of these notices came back."""
        self._fail(_("The mail came back: %(reason)s", reason=failure_reason or _("no reason given")))

    def _deliver(self, mail_states):
        """Take over what became of the mails of these notices: ``{mail id: (state, failure reason, retry)}``."""
        for notice in self:
            state, reason, retry = mail_states[notice.mail_id.id]
            if state == "sent":
                notice.write({"state": SENT, "reason": False})
            elif state in ("exception", "cancel"):
                notice._fail(reason or _("The mail could not be sent."), retry=retry)

    @api.model
    def _fail_lost(self):
        """Mails that a person cancelled or deleted in Odoo's queue report nothing: their notices wait for a person,
        and hold their debtors back no longer."""
        lost = self.search([("state", "=", OUTGOING), "|", ("mail_id", "=", False), ("mail_id.state", "=", "cancel")])
        lost._fail(_("The mail could not be sent."))
