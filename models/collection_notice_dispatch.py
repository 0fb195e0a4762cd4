import logging
import time
from collections import defaultdict
from typing import NamedTuple
from uuid import uuid4

import psycopg2
from lxml import html
from markupsafe import Markup

from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, email_split_and_format, generate_tracking_message_id

from ..engine import dunning
from ..engine.keys import notice_key
from .notice_states import FAILED, OUTGOING, QUEUED, SENT

_logger = logging.getLogger(__name__)

# Measured: statements per notice halve from 100 to 250 and change little after; the memory of a batch is a few MB.
BATCH = 250
TIME_BUDGET = 60.0


class Text(NamedTuple):
    subject: str
    body: Markup
    sender: str


class CollectionNoticeDispatch(models.AbstractModel):
    """Makes queued notices leave, a batch at a time.

    *How to use.* ``_cron_dispatch()`` until the queue is empty or its time is up; any number of them at once.

    *How it works.* A batch is one transaction: claim rows that nobody else holds, check each again against the ledger,
    render, hand the mails to Odoo's queue, log, commit. A process that dies before the commit leaves the rows queued
    and nothing sent; after it, they are Odoo's to deliver. When something in a batch fails, the batch is halved until
    the notice at fault stands alone and keeps its error; the others leave.
    """

    _name = "collection.notice.dispatch"
    _description = "Dispatch of Notices"
    _inherit = ["collection.transaction"]

    # === The loop ===#

    @api.model
    def _cron_dispatch(self, limit=None):
        """Dispatch what is queued, and what is due for another try.

        :param limit: at most so many notices; by default until the queue is empty or the time is up, when the cron
            job is triggered again
        :return: number of notices handled
        """
        deadline = time.monotonic() + TIME_BUDGET
        self._in_transaction(self._prepare_queue)
        handled = 0
        while limit is None or handled < limit:
            done = self._in_transaction(self._dispatch_next, BATCH if limit is None else min(BATCH, limit - handled))
            if not done:
                break
            handled += done
            if time.monotonic() > deadline:
                self._trigger_dispatch()
                break
        if handled:
            self._in_transaction(self._finish)
        return handled

    @api.model
    def _prepare_queue(self):
        self.env["collection.debtor.touch"]._drain()
        self._requeue_due()

    @api.model
    def _dispatch_next(self, size):
        """Dispatch the next ``size`` notices; returns how many there were."""
        batch = self._claim(size)
        for lang, notices in batch.grouped(lambda notice: notice.company_id._get_collection_lang()).items():
            notices.with_context(lang=lang)._dispatch_isolated()
        return len(batch)

    @api.model
    def _finish(self):
        self.env["collection.run"]._close_finished()
        self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()

    @api.model
    def _claim(self, size):
        self.env.flush_all()
        self.env.cr.execute(self._query_claim(size))
        return self.browse(notice_id for (notice_id,) in self.env.cr.fetchall())

    @api.model
    def _query_claim(self, size):
        """Lock and return the oldest queued notices that no other dispatcher holds. Served by the partial index of
        the queue."""
        return SQL(
            "SELECT id FROM collection_notice WHERE state = 'queued' ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED", size
        )

    @api.model
    def _requeue_due(self):
        """Give failed notices whose time has come another try: the mail that waits in Odoo's queue where it still tells
        the truth, else everything from the start."""
        due = self.search([("state", "=", FAILED), ("next_try", "<=", fields.Datetime.now())])
        with_mail = due.filtered(lambda notice: notice.mail_id.state == "exception")
        amounts = {notice: notice.amount for notice in with_mail}
        kept = with_mail._recheck().filtered(lambda notice: notice.amount == amounts[notice])
        kept.mail_id.mark_outgoing()
        kept.write({"state": OUTGOING, "next_try": False})
        (with_mail - kept)._drop_mails()
        (due - kept).filtered(lambda notice: notice.state == FAILED).write({"state": QUEUED, "next_try": False})

    def _drop_mails(self):
        """Undelivered mails that must not leave any more, neither by themselves nor by a person's retry in Odoo."""
        self.mail_id.sudo().filtered(lambda mail: mail.state == "exception").unlink()

    def _dispatch_isolated(self):
        """Dispatch these notices; the one that cannot be built fails alone."""
        if not self:
            return
        try:
            with self.env.cr.savepoint():
                self._dispatch_batch()
        except psycopg2.OperationalError:
            raise
        except Exception as error:
            if len(self) > 1:
                half = len(self) // 2
                self[:half]._dispatch_isolated()
                self[half:]._dispatch_isolated()
                return
            _logger.info("Notice %s could not be built", self.id, exc_info=True)
            self._fail(str(error) or type(error).__name__, retry=isinstance(error, OSError))

    def _dispatch_batch(self):
        notices = self._recheck()
        # Read once for all channels, templates and languages, whose records would fetch their own otherwise.
        notices.line_ids.move_id.fetch(["name", "ref", "company_id", "partner_id"])
        for channel, of_channel in notices.grouped("channel").items():
            getattr(of_channel, f"_dispatch_{channel}")()
        self.env["collection.debtor.touch"]._touch_partners(
            {(notice.partner_id.id, notice.company_id.id) for notice in self}
        )

    # === Check again ===#

    def _recheck(self):
        """Compare with the ledger of this moment: cancel what must not leave any more, bring the lines of the others
        up to date; returns these others."""
        kept = self.browse()
        for company, notices in self.grouped("company_id").items():
            today = company._get_collection_today()
            positions, units = self.env["collection.debtor"]._get_positions(company, today, notices.debtor_id.ids)
            position_of = {position.debtor_id: position for position in positions}
            ladders = self.env["collection.run"]._get_ladders(company)
            superseded = notices._get_superseded()
            for notice in notices:
                reason, listed = None, None
                if notice in superseded:
                    reason = _("A later notice took its place")
                else:
                    reason, listed = notice._assess_again(position_of.get(notice.debtor_id.id), units, ladders, today)
                if reason:
                    notice._cancel(reason)
                else:
                    notice._update_lines(position_of[notice.debtor_id.id], listed, units, today)
                    kept |= notice
        return kept

    def _get_superseded(self):
        """Those of which the debtor has a later notice that left or is about to: a retry that comes late, or customers
        that were merged. The letter in place of a mail is the same notice."""
        later = self.env["collection.notice"].search_fetch(
            [
                ("debtor_id", "in", self.debtor_id.ids),
                ("id", ">", min(self.ids)),
                ("state", "in", (QUEUED, OUTGOING, SENT)),
            ],
            ["debtor_id", "fallback_of_id"],
        )
        newest = {}
        for notice in later:
            newest[notice.debtor_id] = max(newest.get(notice.debtor_id, 0), (notice.fallback_of_id or notice).id)
        return self.filtered(lambda notice: newest.get(notice.debtor_id, 0) > (notice.fallback_of_id or notice).id)

    def _assess_again(self, position, units, ladders, today):
        """(why this notice must not leave, None) or (None, the items that it lists now)."""
        self.ensure_one()
        ladder = ladders.get(self.level_id.policy_id.id)
        if obstacle := self._get_obstacle(ladder, position, today):
            return obstacle, None
        asked, _reasons = dunning.assess(position.items, units.tolerances)
        level, listed = dunning.reached(asked, ladder.levels, today)
        mine = next(level for level in ladder.levels if level.id == self.level_id.id)
        if not asked:
            return _("Nothing is left to ask for: paid, credited, on hold or under the tolerance"), None
        if level is None or level.day_from < mine.day_from:
            return _("What had reached this level was paid or withdrawn"), None
        if dunning.amount_at(mine, listed) < mine.minimum:
            return _("Less is owed now than the minimum of the level"), None
        return None, listed

    def _get_obstacle(self, ladder, position, today):
        """What stops this notice whatever its amounts, or ``None``."""
        if not ladder:
            return _("Its policy or level was archived or deleted")
        if self.channel in ("mail", "letter") and not self.level_id.template_id.active:
            return _("The template of its level is archived")
        if not self.partner_id.active:
            return _("The customer was archived")
        if self.debtor_id._is_on_hold(today):
            return _("The customer is on hold or excluded")
        if not position:
            return _("Paid or withdrawn before it left")
        return None

    def _update_lines(self, position, listed, units, today):
        """Rewrite the lines when the ledger moved since they were queued."""
        self.ensure_one()
        total, overdue = units.totals(listed)
        values = [position.line_values(line, units, self.date) for line in listed]
        same = {line.move_line_id.id: (line.days, line.amount, line.company_amount) for line in self.line_ids}
        if same == {line[0]: (line[5], line[6], line[7]) for line in values}:
            return
        names = (
            "move_line_id",
            "move_id",
            "currency_id",
            "level_id",
            "due_date",
            "days",
            "amount",
            "company_amount",
            "told_on",
        )
        self.line_ids.unlink()
        self.env["collection.notice.line"].create(
            [{"notice_id": self.id, **dict(zip(names, line, strict=True))} for line in values]
        )
        self.write({"amount": total, "amount_overdue": overdue, "days_overdue": listed[0].days})

    # === Channels ===#

    def _dispatch_mail(self):
        """Hand one mail per notice to Odoo's queue, with its chatter entries."""
        addressed = self._get_addresses()
        notices = self.browse(notice.id for notice in addressed)
        if not notices:
            return
        texts = notices._render_texts()
        documents = notices.filtered("level_id.attach_statement")._attach_statements()
        messages = notices._create_messages(texts, documents, addressed)
        mails = notices._create_mails(texts, messages, addressed)
        self._mark_handed_over(notices, OUTGOING, messages, mails, documents, addressed)
        notices._log_on_invoices()
        notices._schedule_level_activities()

    def _dispatch_letter(self):
        """Print the text of the level above the statement, and ask a person to post it."""
        notices = self.filtered(lambda notice: notice.partner_id.street or notice.partner_id.city)
        for notice in self - notices:
            notice._try_next_channel(_("%(customer)s has no postal address.", customer=notice.partner_id.display_name))
        texts = notices._render_texts()
        documents = notices._attach_statements({notice.debtor_id.id: text.body for notice, text in texts.items()})
        messages = notices._create_messages(texts, documents, {})
        self._mark_handed_over(notices, SENT, messages, {}, documents, {})
        notices._log_on_invoices()
        notices._schedule_level_activities(_("Print and post the letter"))

    def _dispatch_call(self):
        """Ask the collector to call."""
        for notice in self:
            if not notice.debtor_id._get_responsible():
                notice._fail(_("Nobody to call: the debtor has no collector and the company no responsible."))
        notices = self.filtered(lambda notice: notice.state == QUEUED)
        self._mark_handed_over(notices, SENT, {}, {}, {}, {})
        notices._log_on_invoices()
        notices._schedule_level_activities(_("Call"))

    # === Addresses ===#

    def _get_addresses(self):
        """``{notice: partners}`` for those that can be written to; the others try their next channel or fail."""
        partners_of = self.debtor_id._get_recipients()
        addressed = {}
        for notice in self:
            partners = partners_of[notice.debtor_id]
            usable = partners.filtered(lambda partner: partner.email_normalized and not partner.is_blacklisted)
            if usable:
                addressed[notice] = usable
                continue
            partner = partners[:1]
            if not partner.email:
                reason = _("%(customer)s has no mail address.", customer=partner.display_name)
            elif not partner.email_normalized:
                reason = _(
                    "“%(address)s” of %(customer)s is not a mail address.",
                    address=partner.email,
                    customer=partner.display_name,
                )
            else:
                reason = _("%(address)s asked not to receive mails (blacklist).", address=partner.email)
            notice._try_next_channel(reason)
        return addressed

    def _try_next_channel(self, reason):
        """This channel cannot reach the customer: queue the level's next one, else wait for a person."""
        self.ensure_one()
        channel = self.level_id.fallback_channel
        if not channel or channel == self.channel or self.fallback_of_id or self._get_fallbacks():
            self._fail(reason)
            return
        self.write({"state": FAILED, "reason": reason, "tries": self.tries + 1, "next_try": False})
        what = f"fallback-{self.id}"
        following = self.copy(
            {
                "channel": channel,
                "state": QUEUED,
                "fallback_of_id": self.id,
                "dedupe_key": notice_key(self.company_id.id, self.debtor_id.id, what, self.date, channel),
                "reason": False,
                "tries": 0,
            }
        )
        for line in self.line_ids:
            line.copy({"notice_id": following.id})
        # From here on the other one tells it; should that be cancelled, nothing was told.
        self.line_ids.write({"told_on": False})

    def _get_fallbacks(self):
        return self.env["collection.notice"].search([("fallback_of_id", "in", self.ids)])

    # === Texts ===#

    def _render_texts(self):
        """``{notice: Text}`` in each customer's language; the sender is the template's own, empty where it names none.
        Each template is compiled once per language, not once per notice."""
        texts = {}
        groups = defaultdict(self.browse)
        for notice in self:
            groups[notice.level_id.template_id, notice.partner_id.lang or notice.company_id.partner_id.lang] |= notice
        for (template, lang), notices in groups.items():
            if not template:
                raise UserError(_("Level “%(level)s” has no template.", level=notices.level_id[:1].name))
            template = template.with_context(lang=lang)
            notices = notices.with_context(lang=lang)
            subjects = template._render_template_inline_template(template.subject, self._name, notices.ids)
            senders = template._render_template_inline_template(template.email_from, self._name, notices.ids)
            for notice_id, body in zip(notices.ids, notices._render_bodies(template), strict=True):
                texts[self.browse(notice_id)] = Text(subjects[notice_id], body, senders[notice_id])
        return texts

    def _render_bodies(self, template):
        """The template's body for each of these notices, in order.

        The body is Odoo's own mail template, which only template editors may write. It is put inside a loop, so that
        QWeb compiles it once; every name that it sets begins anew with each notice.
        """
        values = template._render_eval_context()
        mark = uuid4().hex
        loop = html.fragment_fromstring(template.body_html or "", create_parent="t")
        names = set(loop.xpath(".//@t-set | .//@t-as"))
        loop.set("t-foreach", "notices_to_render")
        loop.set("t-as", "object")
        for name in sorted(names):
            reset = html.Element("t")
            reset.set("t-set", name)
            reset.set("t-value", f"initial_values.get({name!r})")
            loop.insert(0, reset)
        end = html.Element("t")
        end.set("t-out", "end_mark")
        loop.append(end)
        values.update(notices_to_render=self, initial_values=dict(values), end_mark=mark)
        rendered = self.env["ir.qweb"]._render(loop, values)
        return [Markup(body) for body in str(rendered).split(mark)[:-1]]

    # === Documents ===#

    def _attach_statements(self, messages=None):
        """``{notice: attachment}`` with the statement of each debtor, or its letter.

        :param messages: ``{debtor id: text of the letter}``
        """
        if not self:
            return {}
        pdfs = self.debtor_id._render_statement_pdfs(messages=messages)
        for pdf in pdfs.values():
            if isinstance(pdf, Exception):
                raise pdf
        attachments = (
            self.env["ir.attachment"]
            .sudo()
            .create(
                [
                    {
                        "name": f"{notice.debtor_id._get_statement_filename()}.pdf",
                        "raw": pdfs[notice.debtor_id.id],
                        "mimetype": "application/pdf",
                        "res_model": "collection.debtor",
                        "res_id": notice.debtor_id.id,
                    }
                    for notice in self
                ]
            )
        )
        return dict(zip(self, attachments, strict=True))

    # === Messages ===#

    def _create_messages(self, texts, documents, addressed):
        """``{notice: message}``: the chatter entries of the debtors, in one create."""
        note = self.env["ir.model.data"]._xmlid_to_res_id("mail.mt_note")
        senders = {notice: notice._get_sender(texts[notice].sender) for notice in self}
        reply_to = {}
        for sender, notices in self.grouped(lambda notice: senders[notice][1]).items():
            reply_to.update(notices.debtor_id._notify_get_reply_to(default=sender))
        values = []
        for notice in self:
            author, email_from = senders[notice]
            attachments = list(filter(None, [documents.get(notice)])) + list(notice._get_invoice_documents())
            values.append(
                {
                    "model": "collection.debtor",
                    "res_id": notice.debtor_id.id,
                    "message_type": "email_outgoing" if notice.channel == "mail" else "notification",
                    "subtype_id": note,
                    "is_internal": True,
                    "subject": texts[notice].subject,
                    "body": texts[notice].body,
                    "author_id": author.id,
                    "email_from": email_from,
                    "reply_to": reply_to[notice.debtor_id.id],
                    "record_name": False,
                    "record_alias_domain_id": notice.company_id.alias_domain_id.id,
                    "record_company_id": notice.company_id.id,
                    "email_add_signature": False,
                    "message_id": generate_tracking_message_id(f"collection-{notice.id}"),
                    "partner_ids": [(4, partner.id) for partner in addressed.get(notice, ())],
                    "attachment_ids": [(4, attachment.id) for attachment in attachments],
                }
            )
        # sudo: as every log of Odoo's own; whoever dispatches has the right to send
        return dict(zip(self, self.env["mail.message"].sudo().create(values), strict=True))

    def _get_sender(self, email_from):
        """(author, formatted address) of a notice: the template's address where it names one, else that of the
        collector or the company, as the company's setting says."""
        self.ensure_one()
        company = self.company_id
        author = company.partner_id
        if company.collection_sender == "collector" and self.debtor_id.collector_id.email:
            author = self.debtor_id.collector_id.partner_id
        email_from = email_from or author.email_formatted or company.email_formatted
        if not email_from:
            raise UserError(_("%(company)s has no mail address to send from.", company=company.name))
        return author, email_from

    def _get_invoice_documents(self):
        """The PDFs of the listed invoices, where the level attaches them and they exist."""
        self.ensure_one()
        if not self.level_id.attach_invoices:
            return self.env["ir.attachment"]
        return self.line_ids.move_id.sudo().invoice_pdf_report_id

    def _create_mails(self, texts, messages, addressed):
        """``{notice: mail}`` in Odoo's queue, each with the notification through which delivery is reported."""
        values = []
        for notice in self:
            debtor = notice.debtor_id
            copies = [
                address for partner in debtor.cc_partner_ids for address in email_split_and_format(partner.email or "")
            ]
            values.append(
                {
                    "mail_message_id": messages[notice].id,
                    "body_html": texts[notice].body,
                    "email_to": ", ".join(partner.email_formatted for partner in addressed[notice]),
                    "email_cc": ", ".join(copies),
                    "is_notification": True,
                    "auto_delete": True,
                    "state": "outgoing",
                }
            )
        mails = dict(zip(self, self.env["mail.mail"].sudo().create(values), strict=True))
        self._create_blind_copies(texts, messages)
        self.env["mail.notification"].sudo().create(
            [
                {
                    "author_id": messages[notice].author_id.id,
                    "mail_message_id": messages[notice].id,
                    "mail_mail_id": mails[notice].id,
                    "res_partner_id": partner.id,
                    "notification_type": "email",
                    "notification_status": "ready",
                    "is_read": True,
                }
                for notice in self
                for partner in addressed[notice]
            ]
        )
        return mails

    def _create_blind_copies(self, texts, messages):
        """Mails of their own: one that is refused must not send the customer's again."""
        values = []
        for notice in self:
            partners = notice.debtor_id.bcc_partner_ids.filtered("email_normalized")
            if partners:
                values.append(
                    {
                        "mail_message_id": messages[notice].id,
                        "body_html": texts[notice].body,
                        "recipient_ids": [(4, partner.id) for partner in partners],
                        "is_notification": True,
                        "auto_delete": True,
                        "state": "outgoing",
                    }
                )
        self.env["mail.mail"].sudo().create(values)

    @api.model
    def _mark_handed_over(self, notices, state, messages, mails, documents, addressed):
        self.env["collection.notice"].flush_model()
        self.env.cr.execute(
            self._query_mark(
                [
                    (
                        notice.id,
                        messages[notice].id if notice in messages else None,
                        mails[notice].id if notice in mails else None,
                        documents[notice].id if notice in documents else None,
                        ", ".join(partner.email for partner in addressed.get(notice, ())) or None,
                        notice.company_id._get_collection_today(),
                    )
                    for notice in notices
                ],
                state,
            )
        )
        notices.invalidate_recordset(
            ["state", "message_id", "mail_id", "attachment_id", "email_to", "sent_on", "reason", "next_try"]
        )

    @api.model
    def _query_mark(self, rows, state):
        """Write what became of each notice. Served by the primary key."""
        columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _column in range(6)]
        return SQL(
            """UPDATE collection_notice notice
                  SET state = %s, message_id = new.message_id, mail_id = new.mail_id, attachment_id = new.attachment_id,
                      email_to = new.email_to, sent_on = new.sent_on, reason = NULL, next_try = NULL,
                      write_uid = %s, write_date = now() AT TIME ZONE 'UTC'
                 FROM unnest(%s::int[], %s::int[], %s::int[], %s::int[], %s::text[], %s::date[])
                   AS new(id, message_id, mail_id, attachment_id, email_to, sent_on)
                WHERE notice.id = new.id""",
            state,
            self.env.uid,
            *columns,
        )

    def _log_on_invoices(self):
        """One short entry on each invoice that was spoken of."""
        channels = dict(self._fields["channel"]._description_selection(self.env))
        bodies = {}
        for notice in self:
            text = _(
                "%(level)s by %(channel)s", level=notice.level_id.name or "", channel=channels[notice.channel].lower()
            )
            if notice.email_to:
                text = f"{text}: {notice.email_to}"
            for move in notice.line_ids.move_id:
                bodies[move.id] = text
        if bodies:
            self.env["account.move"].browse(bodies)._message_log_batch(bodies)

    def _schedule_level_activities(self, default_summary=None):
        """The activity that the level asks for, or the one that the channel itself needs, for each responsible."""
        todo = self.env.ref("mail.mail_activity_data_todo")
        model_id = self.env["ir.model"]._get_id("collection.debtor")
        values = []
        for notice in self:
            level, user = notice.level_id, notice.debtor_id._get_responsible()
            if not user or not (level.activity_type_id or default_summary):
                continue
            today = notice.company_id._get_collection_today()
            values.append(
                {
                    "res_model_id": model_id,
                    "res_id": notice.debtor_id.id,
                    # Both are computed by default, and written one activity at a time.
                    "res_name": notice.debtor_id.display_name,
                    "date_done": False,
                    "activity_type_id": (level.activity_type_id or todo).id,
                    "summary": default_summary or level.name,
                    "date_deadline": fields.Date.add(today, days=level.activity_delay),
                    "user_id": user.id,
                }
            )
        if values:
            self.env["mail.activity"].with_context(mail_activity_quick_update=True).create(values)
