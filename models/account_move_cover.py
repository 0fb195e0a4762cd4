from collections import defaultdict

from odoo import api, fields, models

from ..engine import checks

READERS = (
    "account.group_account_readonly",
    "account.group_account_invoice",
    "account_collection.group_collection_viewer",
)


class AccountMove(models.Model):
    """Says of invoices by which checks in hand they are covered."""

    _inherit = "account.move"

    collection_check_line_ids = fields.One2many(
        "account.postdated.check.line",
        "move_id",
        string="Paid by Checks",
        readonly=True,
        groups="account.group_account_readonly,account.group_account_invoice",
    )
    collection_cover_text = fields.Char(
        string="Covered By",
        compute="_compute_collection_cover_text",
        help="Checks that we hold and will deposit on the day agreed with the customer.",
    )

    @api.depends_context("uid", "lang")
    def _compute_collection_cover_text(self):
        """One query for all: a list of invoices shows it, in the portal too."""
        texts = defaultdict(list)
        for line in self._get_covering_lines():
            if line.check_id.custody_move_id:
                texts[line.move_id.id].append(line._get_cover_text())
                continue
            # Paid otherwise meanwhile: the check is no cover of what is not open.
            amount = min(line.item_amount, line.move_line_id.amount_residual_currency)
            if line.item_currency_id.compare_amounts(amount, 0) > 0:
                texts[line.move_id.id].append(line._get_cover_text(amount))
        for move in self:
            move.collection_cover_text = "; ".join(texts[move.id])

    def _get_covering_lines(self):
        Line = self.env["account.postdated.check.line"]
        if self.env.user.share:
            # sudo: customers know the checks that they gave, and read their own invoices alone
            Line = Line.sudo()
        elif not self.env.su and not any(self.env.user.has_group(group) for group in READERS):
            return Line
        return Line.search([("move_id", "in", self.ids), ("state", "in", checks.IN_HAND)], order="check_id, id")
