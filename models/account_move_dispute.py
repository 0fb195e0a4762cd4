from odoo import api, fields, models

from .account_move import VIEWERS
from .collection_dispute import OPEN


class AccountMove(models.Model):
    """What of an invoice is in dispute."""

    _inherit = "account.move"

    collection_dispute_ids = fields.One2many(
        "collection.dispute", "move_id", string="Disputes", readonly=True, groups=VIEWERS
    )
    collection_disputed_amount = fields.Monetary(
        string="In Dispute", compute="_compute_collection_disputed_amount", groups=VIEWERS
    )

    @api.depends("collection_dispute_ids.amount", "collection_dispute_ids.state")
    @api.depends_context("uid")
    def _compute_collection_disputed_amount(self):
        groups = self.env["collection.dispute"]._read_group(
            [("move_id", "in", self.ids), ("state", "=", OPEN)], ["move_id"], ["amount:sum"]
        )
        amounts = {move.id: amount for move, amount in groups}
        for move in self:
            move.collection_disputed_amount = amounts.get(move._origin.id, 0.0)

    def action_open_collection_disputes(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.collection_dispute_action")
        context = {"default_move_id": self.id, "default_debtor_id": self.collection_debtor_id.id}
        return {**action, "domain": [("move_id", "=", self.id)], "context": context}
