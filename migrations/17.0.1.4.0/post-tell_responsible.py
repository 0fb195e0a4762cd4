"""Answers of customers reach who answers for the debtor, so that collectors need not follow; and some indexes go."""

INDEXED_NO_MORE = ("partner_id", "company_id", "level_id", "risk_class", "priority_score")


def migrate(cr, version):
    cr.execute(
        """DELETE FROM mail_followers follower
            USING collection_debtor debtor, res_users collector
            WHERE follower.res_model = 'collection.debtor' AND follower.res_id = debtor.id
              AND collector.id = debtor.collector_id AND follower.partner_id = collector.partner_id"""
    )
    for column in INDEXED_NO_MORE:
        cr.execute(f'DROP INDEX IF EXISTS "collection_debtor__{column}_index"')
