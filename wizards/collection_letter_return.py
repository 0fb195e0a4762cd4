from odoo import fields, models


class CollectionLetterReturn(models.TransientModel):
    """Letters that came back, one or many, and why."""

    _name = "collection.letter.return"
    _description = "Letters Returned"

    notice_ids = fields.Many2many("collection.notice", string="Letters", default=lambda self: self._get_chosen())
    reason = fields.Char(required=True, help="Kept on each letter and in its debtor's chatter.")

    def _get_chosen(self):
        chosen = self.env["collection.notice"]
        if self.env.context.get("active_model") == chosen._name:
            return chosen.browse(self.env.context.get("active_ids"))
        return chosen

    def action_return(self):
        self.notice_ids._mark_returned(self.reason)
        return {"type": "ir.actions.act_window_close"}
