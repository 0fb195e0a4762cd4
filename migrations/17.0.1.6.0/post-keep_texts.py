"""What left is taken to have left with the text that its level, campaign or letter has today."""

from odoo import SUPERUSER_ID, api
from odoo.tools import SQL


def migrate(cr, version):
    texts = api.Environment(cr, SUPERUSER_ID, {})["collection.notice"]._query_texts(SQL("notice.sent_on IS NOT NULL"))
    cr.execute(
        SQL(
            """UPDATE collection_notice notice SET template_id = said.template_id, subject = said.subject
                 FROM (%s) said WHERE said.notice_id = notice.id AND said.template_id IS NOT NULL""",
            texts,
        )
    )
