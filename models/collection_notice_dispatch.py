import logging
import time

import psycopg2

from odoo import _, api, fields, models
from odoo.tools import SQL

from ..engine import dunning
from .collection_debtor_dunning import speak
from .notice_states import FAILED, OUTGOING, QUEUED, SENT
from .print_errors import NotPrintedError, PrintTimeoutError

_logger = logging.getLogger(__name__)

# Some 70 statements of a batch do not depend on its size, and its statements print in two processes (make bench).
BATCH = 300
TIME_BUDGET = 60.0


class CollectionNoticeDispatch(models.AbstractModel):
    """Makes queued notices leave, a batch at a time.

    *How to use.* ``_cron_dispatch()`` until the queue is empty or its time is up; any number of them at once.

    *How it works.* A batch is one transaction: claim rows that nobody else holds, check each again against the ledger,
    render, hand the mails to Odoo's queue, log, commit. A process that dies before the commit leaves the rows queued
    and nothing sent; after it, they are Odoo's to deliver. When something in a batch fails, the batch is halved until
    the notice at fault stands alone and keeps its error; the others leave. Printing tells by itself which could not be
    printed.
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
        self._fail_lost()

    @api.model
    def _dispatch_next(self, size):
        """Dispatch the next ``size`` notices; returns how many there were."""
        batch = self._claim(size)
        batch._dispatch_in_languages()
        return len(batch)

    def _dispatch_by_hand(self):
        """Dispatch notices that this transaction made, whom no other dispatcher knows yet."""
        for start in range(0, len(self), BATCH):
            self[start : start + BATCH]._dispatch_in_languages()

    def _dispatch_in_languages(self):
        """Dispatch these notices, each in the language of its company's people."""
        for lang, notices in self.grouped(lambda notice: notice.company_id._get_collection_lang()).items():
            notices.with_context(lang=lang)._dispatch_isolated()

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
        kept = with_mail._recheck().filtered(
            lambda notice: not notice.currency_id.compare_amounts(notice.amount, amounts[notice])
        )
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
        except NotPrintedError as not_printed:
            # Halving would print all of it again and again, up to the time that Odoo gives a job.
            failed = self.filtered(not_printed.errors.get)
            for notice in failed:
                notice._fail_to_build(not_printed.errors[notice])
            (self - failed)._dispatch_isolated()
        except Exception as error:
            if len(self) > 1:
                half = len(self) // 2
                self[:half]._dispatch_isolated()
                self[half:]._dispatch_isolated()
                return
            self._fail_to_build(error)

    def _fail_to_build(self, error):
        self.ensure_one()
        _logger.info("Notice %s could not be built", self.id, exc_info=error)
        self._fail(str(error) or type(error).__name__, retry=isinstance(error, (OSError, PrintTimeoutError)))

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
        kept, amounts, moved_lines = self.browse(), [], []
        ladders_of = {}
        for (company, today, documents), notices in self.grouped(lambda notice: notice._get_documents()).items():
            positions, units = self.env["collection.debtor"]._get_positions(
                company, today, notices.debtor_id.ids, documents
            )
            position_of = {position.debtor_id: position for position in positions}
            if company not in ladders_of:
                ladders_of[company] = self.env["collection.run"]._get_ladders(company, today)
            ladders = ladders_of[company]
            superseded = notices._get_superseded()
            for notice in notices:
                position = position_of.get(notice.debtor_id.id)
                if notice in superseded:
                    reason = _("A later notice took its place")
                else:
                    reason, spoken = notice._assess_again(position, units, ladders, today)
                if reason:
                    notice._cancel(reason)
                    continue
                kept |= notice
                if notice._has_moved(spoken.rows):
                    amounts.append((notice.id, *spoken[1:]))
                    moved_lines += spoken.rows
        self._rewrite(amounts, moved_lines)
        return kept

    def _get_documents(self):
        """(company, its day, the ``Documents`` of this company that are spoken of)"""
        self.ensure_one()
        today = self.company_id._get_collection_today()
        return self.company_id, today, self._get_content()._get_documents(today)

    def _get_superseded(self):
        """Those of which the debtor has a later notice of the ladder, or of the same campaign, that left or is about
        to: a retry that comes late, or customers that were merged. The letter in place of a mail is the same notice;
        what a person sends by hand takes nobody's place."""
        later = self.env["collection.notice"].search_fetch(
            [
                ("debtor_id", "in", self.debtor_id.ids),
                ("id", ">", min(self.ids)),
                ("state", "in", (QUEUED, OUTGOING, SENT)),
            ],
            ["debtor_id", "run_id", "letter_id", "fallback_of_id"],
        )
        newest = {}
        for notice in later:
            about = notice._get_matter()
            newest[about] = max(newest.get(about, 0), (notice.fallback_of_id or notice).id)
        return self.filtered(lambda notice: newest.get(notice._get_matter(), 0) > (notice.fallback_of_id or notice).id)

    def _get_matter(self):
        """What a later notice takes the place of an earlier one in."""
        self.ensure_one()
        return self.debtor_id, self.campaign_id, self.letter_id

    def _assess_again(self, position, units, ladders, today):
        """(why this notice must not leave, None) or (None, the ``Spoken`` of it now)."""
        self.ensure_one()
        ladder = ladders.get(self.level_id.policy_id.id)
        if obstacle := self._get_obstacle(ladder, position, today):
            return obstacle, None
        if self.campaign_id or self.letter_id:
            return self._get_content()._assess_again(self, position, units, today)
        asked, _reasons = dunning.assess(position.items, units.tolerances)
        level = dunning.reached(asked, ladder.rungs)
        mine = next(level for level in ladder.rungs.levels if level.id == self.level_id.id)
        if not asked:
            return _("Nothing is left to ask for: paid, credited, on hold or under the tolerance"), None
        if level is None or level.day_from < mine.day_from:
            return _("What had reached this level was paid or withdrawn"), None
        if not dunning.is_worth(mine, asked, ladder.rungs):
            return _("Less is owed now than the minimum of the level"), None
        return None, speak(self.id, mine, asked, ladder.rungs, units, self.date)

    def _get_obstacle(self, ladder, position, today):
        """What stops this notice whatever its amounts, or ``None``."""
        content = self._get_content()
        if self.campaign_id and not content.active:
            return _("Its campaign was archived")
        if not (self.campaign_id or self.letter_id or ladder):
            return _("Its policy or level was archived or deleted")
        if self.channel in ("mail", "letter") and not content.template_id.active:
            return _("The template of “%(content)s” is archived", content=content.name)
        if not self.partner_id.active:
            return _("The customer was archived")
        if self.debtor_id._is_on_hold(today):
            return _("The customer is on hold or excluded")
        if not position:
            return _("Paid or withdrawn before it left")
        return None

    def _has_moved(self, lines):
        """Tell whether the ledger moved since the lines of this notice were written."""
        self.ensure_one()
        same = {line.move_line_id.id: (line.days, line.amount, line.company_amount) for line in self.line_ids}
        return same != {line[1]: line[6:9] for line in lines}

    @api.model
    def _rewrite(self, amounts, lines):
        """Bring notices up to date in three statements: past midnight, every one of a batch moved.

        :param amounts: rows of ``_query_amounts``
        :param lines: rows of ``speak`` whose owner is a notice's id, all those of these notices
        """
        if not amounts:
            return
        notices = self.browse(row[0] for row in amounts)
        self.env.flush_all()
        self.env.cr.execute(self._query_amounts(amounts))
        self.env.cr.execute(SQL("DELETE FROM collection_notice_line WHERE notice_id = ANY(%s)", notices.ids))
        self.env.cr.execute(self._query_insert_lines(lines, "int", SQL("new.owner"), SQL()))
        notices.invalidate_recordset(["amount", "amount_overdue", "days_overdue", "line_ids"])
        self.env["collection.notice.line"].invalidate_model()
