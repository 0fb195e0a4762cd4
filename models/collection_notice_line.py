from odoo import _, api, fields, models


class CollectionNoticeLine(models.Model):
    """One open item that a notice speaks of, and its amounts when it did."""

    _name = "collection.notice.line"
    _description = "Notice Line"
    _order = "due_date, id"
    _log_access = False

    notice_id = fields.Many2one("collection.notice", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="notice_id.company_id")
    # The index of told items below does not serve the deletion of an item, which asks for every line.
    move_line_id = fields.Many2one("account.move.line", string="Open Item", index="btree_not_null", ondelete="cascade")
    move_id = fields.Many2one("account.move", string="Document", index="btree_not_null", ondelete="cascade")
    currency_id = fields.Many2one("res.currency", required=True, ondelete="restrict")
    company_currency_id = fields.Many2one(related="notice_id.currency_id", string="Company Currency")
    level_id = fields.Many2one("collection.level", string="Own Level", ondelete="set null")
    due_date = fields.Date(string="Effective Due Date")
    days = fields.Integer(string="Days Overdue", help="Days past the effective due date; negative before it.")
    amount = fields.Monetary(string="Open Amount", help="What was asked for, credits counted.")
    company_amount = fields.Monetary(string="In Company Currency", currency_field="company_currency_id")
    told_on = fields.Date(help="Day of the notice while the notice counts; empty once it is cancelled.")

    @api.model
    def _auto_init(self):
        result = super()._auto_init()
        self.env.cr.execute(
            """CREATE INDEX IF NOT EXISTS collection_notice_line_told_index
                   ON collection_notice_line (move_line_id, level_id, told_on) INCLUDE (notice_id)
                WHERE told_on IS NOT NULL"""
        )
        return result

    def _get_days_text(self):
        """How late the document is, or how soon it falls due, in words."""
        self.ensure_one()
        document, days = self.move_id._get_collection_document(), self.days
        if days > 1:
            return _("%(document)s is %(days)s days late", document=document, days=days)
        if days == 1:
            return _("%(document)s is one day late", document=document)
        if days == 0:
            return _("%(document)s falls due today", document=document)
        if days == -1:
            return _("%(document)s falls due tomorrow", document=document)
        return _("%(document)s falls due in %(days)s days", document=document, days=-days)
