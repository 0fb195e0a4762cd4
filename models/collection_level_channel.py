from odoo import api, fields, models

CHANNELS = [
    ("mail", "Mail"),
    ("letter", "Letter"),
    ("call", "Call"),
]


class CollectionLevelChannel(models.Model):
    """One way in which a level reaches its customers. They are tried in their order: the next one where the one before
    is impossible, for want of an address or of somebody to call."""

    _name = "collection.level.channel"
    _description = "Channel of a Level"
    _order = "sequence, id"

    # Its index is that of the unique key.
    level_id = fields.Many2one("collection.level", required=True, ondelete="cascade")
    sequence = fields.Integer(default=10)
    channel = fields.Selection(CHANNELS, required=True, default="mail")

    _sql_constraints = [
        # Deferred, so that two rows of one level may exchange their channels.
        (
            "level_channel_unique",
            "UNIQUE(level_id, channel) DEFERRABLE INITIALLY DEFERRED",
            "A level tries each channel once.",
        ),
    ]

    @api.depends("channel")
    @api.depends_context("lang")
    def _compute_display_name(self):
        names = dict(self._fields["channel"]._description_selection(self.env))
        for way in self:
            way.display_name = names.get(way.channel)

    @api.constrains("level_id", "channel")
    def _check_level(self):
        self.level_id._check_channels_now()

    def unlink(self):
        levels = self.level_id
        result = super().unlink()
        levels._check_channels_now()
        return result
