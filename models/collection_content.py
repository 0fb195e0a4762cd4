from odoo import fields, models


class CollectionContent(models.AbstractModel):
    """What a message says and brings along, and what it asks of the collector: a dunning level's or a campaign's.

    *How to use.* Inherit, with a ``name`` and ``_get_channels()``, which lists the ways to the customer in the order in
    which they are tried. ``collection.notice._get_content()`` is the record that a notice is made of.
    """

    _name = "collection.content"
    _description = "Content of Notices"

    template_id = fields.Many2one(
        "mail.template",
        domain=[("model", "=", "collection.notice")],
        ondelete="restrict",
        help="Subject and text of the mail; the text of the letter.",
    )
    attach_statement = fields.Boolean(default=True)
    attach_invoices = fields.Boolean(help="Attach the PDF of each listed invoice that has one.")
    activity_type_id = fields.Many2one(
        "mail.activity.type",
        domain=[("res_model", "in", (False, "collection.debtor"))],
        ondelete="restrict",
        help="Scheduled for the collector when the message leaves.",
    )
    activity_delay = fields.Integer(string="Activity After (Days)")
