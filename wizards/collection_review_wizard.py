from odoo import _, api, fields, models
from odoo.exceptions import UserError

from ..models.account_move_review import REVIEW_STATES
from ..models.review_states import ACCEPTED, NOT_REQUIRED, PENDING, REJECTED, SUBMITTED


class CollectionReviewWizard(models.TransientModel):
    """Registers what came of the review of one or many invoices."""

    _name = "collection.review.wizard"
    _description = "Register Review"

    result = fields.Selection(
        [
            *(state for state in REVIEW_STATES if state[0] not in (NOT_REQUIRED, PENDING)),
            (PENDING, "Take back to pending"),
        ],
        required=True,
        default=ACCEPTED,
    )
    moment = fields.Datetime(string="Date and Hour", required=True, default=fields.Datetime.now)
    receipt_number = fields.Char(
        string="Receipt for All", help="One receipt for all invoices. Else write each one's own in the list."
    )
    scan = fields.Binary(string="Scan of the Receipt", attachment=False)
    scan_name = fields.Char()
    promised_date = fields.Date(string="Payment Promised For")
    reason = fields.Char(string="Reason of the Rejection")
    line_ids = fields.One2many("collection.review.wizard.line", "wizard_id", string="Invoices")

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        if self.env.context.get("active_model") == "account.move" and "line_ids" in fields_list:
            moves = self.env["account.move"].browse(self.env.context.get("active_ids"))
            values["line_ids"] = [
                fields.Command.create({"move_id": move.id, "receipt_number": move.collection_receipt_number})
                for move in moves
            ]
        return values

    @api.onchange("receipt_number")
    def _onchange_receipt_number(self):
        if self.receipt_number:
            self.line_ids.receipt_number = self.receipt_number

    def action_register(self):
        self.ensure_one()
        if not self.line_ids:
            raise UserError(_("Choose the invoices first."))
        moves = self.line_ids.move_id
        moves._check_may_review()
        moves._register_review(
            self.result,
            self.moment,
            {line.move_id: (line.receipt_number or "").strip() for line in self.line_ids},
            self.result == REJECTED and self.reason,
            self.promised_date,
            self._create_scan(moves) if self.result in (ACCEPTED, SUBMITTED) else None,
        )
        return {"type": "ir.actions.act_window_close"}

    def _create_scan(self, moves):
        """The scan, attached to the first invoice and shown on all."""
        if not self.scan:
            return None
        # sudo: a collector attaches without a right to change invoices; whoever calls checked the right to register
        attachments = self.env["ir.attachment"].sudo()
        return attachments.create(
            {
                "name": self.scan_name or _("Receipt %(number)s", number=self.receipt_number or ""),
                "datas": self.scan,
                "res_model": moves._name,
                "res_id": moves[:1].id,
            }
        )


class CollectionReviewWizardLine(models.TransientModel):
    _name = "collection.review.wizard.line"
    _description = "Invoice to Register"

    wizard_id = fields.Many2one("collection.review.wizard", required=True, ondelete="cascade")
    move_id = fields.Many2one("account.move", string="Invoice", required=True, readonly=True, ondelete="cascade")
    partner_id = fields.Many2one(related="move_id.commercial_partner_id", string="Customer")
    currency_id = fields.Many2one(related="move_id.currency_id")
    amount = fields.Monetary(related="move_id.amount_total_in_currency_signed", string="Total")
    state = fields.Selection(related="move_id.collection_review_state")
    planned_date = fields.Date(related="move_id.collection_planned_review_date")
    receipt_number = fields.Char(string="Receipt")
