from odoo import _, api, models
from odoo.tools import SQL


class CollectionNoticeFrequency(models.AbstractModel):
    """Not too many messages to one debtor: a company's limit over the ladder and all campaigns together."""

    _name = "collection.notice.frequency"
    _description = "Frequency of Notices"

    @api.model
    def _get_frequent(self, company, today):
        """``{debtor id: why it hears no more now}`` of the debtors whose messages of the last days reached the limit of
        ``company``. One statement, none where there is no limit."""
        limit, days = company.collection_notice_limit, company.collection_notice_days
        if not limit:
            return {}
        self.env["collection.notice"].flush_model()
        self.env.cr.execute(self._query_frequent(company, today, limit, days))
        return {
            debtor_id: _(
                "It had %(count)s messages in the last %(days)s days, and more than %(limit)s are too many.",
                count=count,
                days=days,
                limit=limit,
            )
            for debtor_id, count in self.env.cr.fetchall()
        }

    @api.model
    def _query_frequent(self, company, today, limit, days):
        """Rows (debtor, messages that it had). A message that went on through another channel is one, and a call of the
        collector's is none. Served by the partial index of contacts."""
        return SQL(
            """SELECT debtor_id, count(DISTINCT COALESCE(fallback_of_id, id))
                 FROM collection_notice
                WHERE sent_on > %s::date - %s AND sent_on IS NOT NULL AND company_id = %s AND channel <> 'call'
                  AND state IN ('outgoing', 'sent')
                GROUP BY debtor_id
               HAVING count(DISTINCT COALESCE(fallback_of_id, id)) >= %s""",
            today,
            days,
            company.id,
            limit,
        )
