from collections import defaultdict
from contextlib import contextmanager
from typing import NamedTuple
from uuid import uuid4

from lxml import html
from markupsafe import Markup

from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, generate_tracking_message_id

from .chatter_notes import add_notes
from .notice_states import OUTGOING, SENT
from .print_errors import NotPrintedError


class Text(NamedTuple):
    subject: str
    body: Markup
    sender: str
    reply_to: str
    items: Markup  # the table of items as the body has it; empty where the template does not ask for it


class CollectionNoticeChannel(models.AbstractModel):
    """What leaves, and how: a mail, a letter or a call, with its entries in the chatters.

    *How to use.* ``notices._dispatch_<channel>()`` within the dispatcher's transaction, after it has checked them.

    *How it works.* A constant number of creates per batch: texts are compiled once per template and language,
    statements printed many at a time, messages, mails and notifications created together. What needs no statement is
    done while they are being printed.
    """

    _name = "collection.notice.channel"
    _description = "Channels of Notices"

    # === Channels ===#

    def _dispatch_mail(self):
        """Hand one mail per notice to Odoo's queue, with its chatter entries."""
        addressed = self._get_addresses()
        notices = self.browse(notice.id for notice in addressed)
        if not notices:
            return
        texts = notices._render_texts()
        with notices.filtered(lambda notice: notice._get_content().attach_statement)._print_statements() as finish:
            notices._log_on_invoices(addressed)
            notices._schedule_follow_ups()
            messages = notices._create_messages(texts, addressed)
            mails = notices._create_mails(texts, messages, addressed)
            documents = finish()
        self._attach_documents(messages, documents)
        self._mark_handed_over(notices, OUTGOING, messages, mails, documents, addressed)

    def _dispatch_letter(self):
        """Print the text of the template above the statement, and ask a person to post it."""
        notices = self.filtered(lambda notice: notice.debtor_id._has_postal_address())
        self._try_next_channels(
            {
                notice: _("%(customer)s has no postal address.", customer=notice.partner_id.display_name)
                for notice in self - notices
            }
        )
        texts = notices._render_texts()
        with notices._print_statements({notice: text.body for notice, text in texts.items()}) as finish:
            notices._log_on_invoices({})
            notices._schedule_follow_ups()
            activities = notices._schedule_posting()
            messages = notices._create_messages(texts, {})
            documents = finish()
        self._attach_documents(messages, documents)
        self._mark_handed_over(notices, SENT, messages, {}, documents, {})
        notices._await_printing(activities)

    def _dispatch_call(self):
        """Ask the collector to call."""
        notices = self.filtered(lambda notice: notice.debtor_id.responsible_id)
        reason = _("Nobody to call: the debtor has no collector and the company no responsible.")
        self._try_next_channels(dict.fromkeys(self - notices, reason))
        self._mark_handed_over(notices, SENT, {}, {}, {}, {})
        notices._log_on_invoices({})
        notices._schedule_follow_ups(_("Call"))

    # === Texts ===#

    def _render_texts(self):
        """``{notice: Text}`` in each customer's language; sender and address for answers are the template's own, empty
        where it names none. Each template is compiled once per language, not once per notice."""
        texts = {}
        groups = defaultdict(self.browse)
        for notice in self:
            groups[notice._get_content().template_id, notice.partner_id.lang or notice.company_id.partner_id.lang] |= (
                notice
            )
        for (template, lang), notices in groups.items():
            if not template:
                raise UserError(_("Level “%(level)s” has no template.", level=notices[0]._get_content().name))
            template = template.with_context(lang=lang)
            notices = notices.with_context(lang=lang)
            subjects = template._render_template_inline_template(template.subject, self._name, notices.ids)
            senders = template._render_template_inline_template(template.email_from, self._name, notices.ids)
            answers = template._render_template_inline_template(template.reply_to, self._name, notices.ids)
            with_items = "items_html" in (template.body_html or "")
            for notice, body in zip(notices, notices._render_bodies(template), strict=True):
                items = notice.items_html if with_items else Markup()
                texts[self.browse(notice.id)] = Text(
                    subjects[notice.id], body, senders[notice.id], answers[notice.id], items
                )
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

    @contextmanager
    def _print_statements(self, messages=None):
        """Begin to print the statement of each notice, or its letter.

        :param messages: ``{notice: text of the letter}``
        :return: a context in which they are being printed: a function that waits for them and returns
            ``{notice: attachment}``
        """
        if not self:
            yield dict
            return
        documents, messages = {}, messages or {}
        layouts = {content: content._get_layout() for content in self.grouped(lambda notice: notice._get_content())}
        for layout, notices in self.grouped(lambda notice: layouts[notice._get_content()]).items():
            statements = notices.debtor_id._get_statement(layout=layout)
            documents.update({notice: (statements[notice.debtor_id.id], messages.get(notice)) for notice in notices})
        with self.env["report.account_collection.report_statement"]._print_pdfs(documents) as finish:
            yield lambda: self._attach_statements(finish())

    def _attach_statements(self, pdfs):
        """``{notice: attachment}`` of ``{notice: PDF or exception}``.

        :raise NotPrintedError: with the error of each notice that has no PDF
        """
        if errors := {notice: pdf for notice, pdf in pdfs.items() if isinstance(pdf, Exception)}:
            raise NotPrintedError(errors)
        # sudo: as for the messages that carry them
        attachments = (
            self.env["ir.attachment"]
            .sudo()
            .create(
                [
                    {
                        "name": f"{notice.debtor_id._get_statement_filename()}.pdf",
                        "raw": pdfs[notice],
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

    def _create_messages(self, texts, addressed):
        """``{notice: message}``: the chatter entries of the debtors, in one create, without their statements."""
        note = self.env["ir.model.data"]._xmlid_to_res_id("mail.mt_note")
        senders = {notice: notice._get_sender(texts[notice].sender) for notice in self}
        reply_to = self._get_reply_to(texts, senders)
        invoice_documents = self._get_invoice_documents()
        values = []
        for notice in self:
            author, email_from = senders[notice]
            values.append(
                {
                    "model": "collection.debtor",
                    "res_id": notice.debtor_id.id,
                    "message_type": "email_outgoing" if notice.channel == "mail" else "notification",
                    "subtype_id": note,
                    "is_internal": True,
                    "subject": texts[notice].subject,
                    "author_id": author.id,
                    "email_from": email_from,
                    "reply_to": reply_to[notice],
                    "record_name": False,
                    "record_alias_domain_id": notice.company_id.alias_domain_id.id,
                    "record_company_id": notice.company_id.id,
                    "email_add_signature": False,
                    "message_id": generate_tracking_message_id(f"collection-{notice.id}"),
                    "partner_ids": [(4, partner.id) for partner in addressed.get(notice, ())],
                    "attachment_ids": [(4, attachment.id) for attachment in invoice_documents[notice]],
                }
            )
        # sudo: as every log of Odoo's own; whoever dispatches has the right to send
        messages = dict(zip(self, self.env["mail.message"].sudo().create(values), strict=True))
        self._write_bodies({message: self._clean_body(texts[notice], message) for notice, message in messages.items()})
        return messages

    @api.model
    def _clean_body(self, text, message):
        """The text as a chatter may show it. The table of items, each cell of which is escaped, is spared the cleaning,
        which would take longer than all else that a message needs."""
        field = self.env["mail.message"]._fields["body"]
        if not text.items or text.items not in text.body:
            return field.convert_to_cache(text.body, message)
        before, table, after = text.body.partition(text.items)
        mark = uuid4().hex
        return field.convert_to_cache(before + mark + after, message).replace(mark, table, 1)

    @api.model
    def _write_bodies(self, bodies):
        """Write the texts of messages that were made without them: Odoo cleans twice what is created with its text, and
        that takes longer than all else that a message needs.

        :param bodies: ``{message: HTML that is clean}``
        """
        messages = self.env["mail.message"].browse(message.id for message in bodies)
        self.env.cr.execute(
            SQL(
                """UPDATE mail_message message SET body = new.body
                     FROM unnest(%s::int[], %s::text[]) AS new(id, body) WHERE message.id = new.id""",
                messages.ids,
                list(map(str, bodies.values())),
            )
        )
        messages.invalidate_recordset(["body"])

    @api.model
    def _attach_documents(self, messages, documents):
        """Put statements and letters, printed while all else was made, to their messages."""
        if not documents:
            return
        field = self.env["mail.message"]._fields["attachment_ids"]
        self.env.cr.execute(
            SQL(
                "INSERT INTO %s (%s, %s) SELECT * FROM unnest(%s::int[], %s::int[])",
                *map(SQL.identifier, (field.relation, field.column1, field.column2)),
                [messages[notice].id for notice in documents],
                [attachment.id for attachment in documents.values()],
            )
        )
        self.env["mail.message"].browse(message.id for message in messages.values()).invalidate_recordset(
            ["attachment_ids"]
        )

    def _create_mails(self, texts, messages, addressed):
        """``{notice: mail}`` in Odoo's queue, each with the notification through which delivery is reported."""
        copies = self._get_copies(addressed)
        values = []
        for notice in self:
            values.append(
                {
                    "mail_message_id": messages[notice].id,
                    "body_html": texts[notice].body,
                    "email_to": ", ".join(partner.email_formatted for partner in addressed[notice]),
                    "email_cc": ", ".join(copies[notice].addresses),
                    "is_notification": True,
                    "auto_delete": True,
                    "state": "outgoing",
                }
            )
        # sudo: mails and notifications are written by the system, as those of every message of Odoo's own
        mails = dict(zip(self, self.env["mail.mail"].sudo().create(values), strict=True))
        self._create_blind_copies(texts, messages, copies)
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

    def _create_blind_copies(self, texts, messages, copies):
        """Mails of their own: one that is refused must not send the customer's again."""
        values = []
        for notice in self:
            if partners := copies[notice].blind:
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
                        self._get_email_to(addressed.get(notice)) or None,
                        notice.company_id._get_collection_today(),
                        *notice._get_text_source(),
                    )
                    for notice in notices
                ],
                state,
            )
        )
        told = ["email_to", "sent_on", "template_id", "subject", "reason", "next_try"]
        notices.invalidate_recordset(["state", "message_id", "mail_id", "attachment_id", *told])

    @api.model
    def _get_email_to(self, partners):
        return ", ".join(partner.email for partner in partners or ())

    @api.model
    def _query_mark(self, rows, state):
        """Write what became of each notice. Served by the primary key."""
        columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _column in range(8)]
        return SQL(
            """UPDATE collection_notice notice
                  SET state = %s, message_id = new.message_id, mail_id = new.mail_id, attachment_id = new.attachment_id,
                      email_to = new.email_to, sent_on = new.sent_on, template_id = new.template_id,
                      subject = new.subject, reason = NULL, next_try = NULL,
                      write_uid = %s, write_date = now() AT TIME ZONE 'UTC'
                 FROM unnest(%s::int[], %s::int[], %s::int[], %s::int[], %s::text[], %s::date[], %s::int[], %s::text[])
                   AS new(id, message_id, mail_id, attachment_id, email_to, sent_on, template_id, subject)
                WHERE notice.id = new.id""",
            state,
            self.env.uid,
            *columns,
        )

    def _log_on_invoices(self, addressed):
        """One short entry on each invoice that is spoken of."""
        channels = dict(self._fields["channel"]._description_selection(self.env))
        bodies = {}
        for notice in self:
            text = _(
                "%(level)s by %(channel)s",
                level=notice._get_content().name or "",
                channel=channels[notice.channel].lower(),
            )
            if notice in addressed:
                text = f"{text}: {self._get_email_to(addressed[notice])}"
            body = Markup("<p>%s</p>") % text
            bodies.update(dict.fromkeys(notice.line_ids.move_id.ids, body))
        if bodies:
            add_notes(self.env, "account.move", bodies)

    def _schedule_follow_ups(self, default_summary=None):
        """The activity that the content asks for, or the one that the channel itself needs, for each responsible."""
        values = []
        for notice in self:
            debtor, content = notice.debtor_id, notice._get_content()
            user, (activity_type, days) = debtor.responsible_id, content._get_follow_up()
            if not user or not (activity_type or default_summary):
                continue
            deadline = fields.Date.add(notice.company_id._get_collection_today(), days=days)
            values.append(debtor._prepare_activity(user, default_summary or content.name, deadline, activity_type))
        if values:
            self.env["mail.activity"].with_context(mail_activity_quick_update=True).create(values)
