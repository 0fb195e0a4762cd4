from odoo import api, models
from odoo.tools import SQL

from ..engine.keys import notice_key
from .notice_states import FAILED, QUEUED


class CollectionNoticeFallback(models.AbstractModel):
    """A message that its channel cannot deliver goes on through the next one of its level.

    *How to use.* ``notices._try_next_channels({notice: reason})`` from a channel, for those that it cannot reach.

    *How it works.* Each further channel is a notice of its own, queued behind the others, with the items of the one
    before. All of them name the first one in ``fallback_of_id``: together they are one message. A constant number of
    statements whatever their number.
    """

    _name = "collection.notice.fallback"
    _description = "Next Channels of Notices"

    @api.model
    def _try_next_channels(self, reasons):
        """``{notice: why its channel cannot reach the customer}``: queue each level's next channel, else wait for a
        person."""
        channels = self.browse(notice.id for notice in reasons)._get_next_channels()
        values, line_values = [], []
        for notice, reason in reasons.items():
            if notice in channels:
                values.append(notice._prepare_next_channel(channels[notice]))
                line_values.append([line.copy_data()[0] for line in notice.line_ids])
            else:
                notice._fail(reason)
        self._mark_replaced({notice: reasons[notice] for notice in channels})
        for following, lines in zip(self.create(values), line_values, strict=True):
            for line in lines:
                line["notice_id"] = following.id
        self.env["collection.notice.line"].create([line for lines in line_values for line in lines])
        # From here on the other ones tell it; should they be cancelled, nothing was told.
        self.browse(notice.id for notice in channels).line_ids.write({"told_on": False})

    def _get_next_channels(self):
        """``{notice: channel}``: after a notice's own, the first channel of its level that was not tried yet. Notices
        that have none, or whose place another one took already, are left out."""
        first_of = {notice: notice.fallback_of_id or notice for notice in self}
        firsts = self.browse(first.id for first in first_of.values())
        following = self.search([("fallback_of_id", "in", firsts.ids)])
        tried = (firsts | following).grouped(lambda notice: notice.fallback_of_id or notice)
        channels = {}
        for notice, first in first_of.items():
            order, known = notice._get_content()._get_channels(), tried[first].mapped("channel")
            if notice.channel in order:
                order = order[order.index(notice.channel) + 1 :]
            left = [channel for channel in order if channel not in known]
            if left and notice.id == max(tried[first].ids):
                channels[notice] = left[0]
        return channels

    def _prepare_next_channel(self, channel):
        """Values of the notice that takes the place of this one. However long the chain, it names the first."""
        first = self.fallback_of_id or self
        # What an earlier try left behind is not the new one's.
        left_behind = ("reason", "next_try", "sent_on", "email_to", "message_id", "mail_id", "attachment_id")
        return {
            **self.copy_data()[0],
            **dict.fromkeys(left_behind, False),
            "partner_id": self.partner_id.id,
            "channel": channel,
            "state": QUEUED,
            "fallback_of_id": first.id,
            "dedupe_key": notice_key(self.company_id.id, self.debtor_id.id, f"fallback-{first.id}", self.date, channel),
            "tries": 0,
        }

    @api.model
    def _mark_replaced(self, reasons):
        """``{notice: why its channel was impossible}``, of those whose place another one takes."""
        notices = self.browse(notice.id for notice in reasons)
        self.env["collection.notice"].flush_model()
        self.env.cr.execute(self._query_mark_replaced(notices.ids, list(reasons.values())))
        notices.invalidate_recordset(["state", "reason", "tries", "next_try"])

    @api.model
    def _query_mark_replaced(self, ids, reasons):
        """Write why each notice failed, which is told in words of its own. Served by the primary key."""
        return SQL(
            """UPDATE collection_notice notice
                  SET state = %s, reason = new.reason, tries = COALESCE(notice.tries, 0) + 1, next_try = NULL,
                      write_uid = %s, write_date = now() AT TIME ZONE 'UTC'
                 FROM unnest(%s::int[], %s::text[]) AS new(id, reason)
                WHERE notice.id = new.id""",
            FAILED,
            self.env.uid,
            ids,
            reasons,
        )
