from odoo import fields, models

from .statement_layout import StatementLayout


class CollectionContent(models.AbstractModel):
    """What a message says and brings along: a dunning level's or a campaign's.

    *How to use.* Inherit, with a ``name``, ``_get_channels()``, which lists the ways to the customer in the order in
    which they are tried, and ``_get_follow_up()``. ``collection.notice._get_content()`` is the record that a notice is
    made of.
    """

    _name = "collection.content"
    _description = "Content of Notices"
    _inherit = "collection.deliveries.choice"

    template_id = fields.Many2one(
        "mail.template",
        domain=[("model", "=", "collection.notice")],
        ondelete="restrict",
        help="Subject and text of the mail; the text of the letter.",
    )
    attach_statement = fields.Boolean(default=True)
    attach_invoices = fields.Boolean(help="Attach the PDF of each listed invoice that has one.")

    def _get_layout(self):
        """The ``StatementLayout`` of the statements and letters that it sends."""
        self.ensure_one()
        return StatementLayout(deliveries=self.include_deliveries)

    def _get_follow_up(self):
        """(type, days after the message) of the activity that it asks of the collector; the type may be empty."""
        raise NotImplementedError
