from odoo import _, api, fields, models
from odoo.exceptions import AccessError
from odoo.tools.misc import format_date

from ..models.res_partner_review import BY_REVIEW


class _PreviewError(Exception):
    """Takes back what was tried."""


class CollectionRecomputeWizard(models.TransientModel):
    """Shows which open invoices a customer's new rules move, and by how much, before it moves them.

    *How it works.* The preview does the work itself inside a savepoint that it rolls back, so that what is shown is
    what will happen.
    """

    _name = "collection.recompute.wizard"
    _description = "Recompute Due Dates"

    partner_id = fields.Many2one("res.partner", string="Customer", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, readonly=True, default=lambda self: self.env.company)
    summary = fields.Char(related="partner_id.collection_credit_summary")
    message = fields.Char(compute="_compute_message")
    line_ids = fields.One2many("collection.recompute.wizard.line", "wizard_id", string="Invoices")

    @api.depends("line_ids.days", "line_ids.chosen")
    def _compute_message(self):
        for wizard in self:
            days = [line.days for line in wizard.line_ids if line.chosen and line.days]
            wizard.message = (
                _(
                    "Open invoices that move: %(count)s, by %(least)+d to %(most)+d days.",
                    count=len(days),
                    least=min(days),
                    most=max(days),
                )
                if days
                else _("No open invoice moves.")
            )

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        partner = self.env["res.partner"].browse(values.get("partner_id") or self.env.context.get("active_id"))
        partner = partner.commercial_partner_id
        if partner:
            values.setdefault("company_id", self.env.company.id)
            values["partner_id"] = partner.id
            values["line_ids"] = [
                fields.Command.create(self._prepare_line(partner, move, old, new))
                for move, (old, new) in self._preview(
                    partner, self.env["res.company"].browse(values["company_id"])
                ).items()
            ]
        return values

    @api.model
    def _prepare_line(self, partner, move, old, new):
        """An invoice that would have to go to its review first, or is partly paid, moves only when a person says so."""
        to_review = partner.sudo().collection_credit_basis == BY_REVIEW and move.collection_credit_basis != BY_REVIEW
        return {
            "move_id": move.id,
            "old_date": old,
            "new_date": new,
            "to_review": to_review,
            "chosen": not to_review and move.payment_state != "partial",
        }

    @api.model
    def _get_open_invoices(self, partner, company):
        self._check_right(partner, company)
        # sudo: a collector lets the invoices of the own customers follow, without other rights on them
        return (
            self.env["account.move"]
            .sudo()
            .search(
                [
                    ("commercial_partner_id", "=", partner.id),
                    ("company_id", "=", company.id),
                    *self.env["account.move"]._get_recompute_domain(),
                ],
                order="invoice_date, id",
            )
        )

    @api.model
    def _check_right(self, partner, company):
        """Invoicing, or collecting from this customer: only such a debtor is visible to a collector."""
        user = self.env.user
        if self.env.su or user.has_group("account.group_account_invoice"):
            return
        if user.has_group("account_collection.group_collection_collector") and self.env["collection.debtor"].search(
            [("partner_id", "=", partner.id), ("company_id", "=", company.id)]
        ):
            return
        raise AccessError(
            _(
                "Moving due dates of %(customer)s takes the right to invoice, or to collect.",
                customer=partner.display_name,
            )
        )

    @api.model
    def _preview(self, partner, company):
        moved = {}
        try:
            with self.env.cr.savepoint():
                moved = self._get_open_invoices(partner, company)._follow_customer()
                raise _PreviewError
        except _PreviewError:
            self.env.invalidate_all()
        return moved

    def action_apply(self):
        self.ensure_one()
        chosen = self.line_ids.filtered("chosen").move_id
        moves = self._get_open_invoices(self.partner_id, self.company_id).filtered(lambda move: move in chosen)
        moved = moves._follow_customer()
        moves.browse(move.id for move, (old, new) in moved.items() if old != new)._log_with_debtors(
            {
                move: _(
                    "Due date recomputed after the customer's days changed: %(old)s to %(new)s",
                    old=format_date(self.env, old),
                    new=format_date(self.env, new),
                )
                for move, (old, new) in moved.items()
                if old != new
            }
        )
        return self.action_dismiss()

    def action_dismiss(self):
        """The open invoices stay as they are."""
        self._check_right(self.partner_id, self.company_id)
        # sudo: a mark of the system's own
        debtors = self.env["collection.debtor"].sudo()
        debtors.search([("partner_id", "=", self.partner_id.id), ("company_id", "=", self.company_id.id)]).write(
            {"recompute_offered": False}
        )
        return {"type": "ir.actions.act_window_close"}


class CollectionRecomputeWizardLine(models.TransientModel):
    _name = "collection.recompute.wizard.line"
    _description = "Invoice to Recompute"

    wizard_id = fields.Many2one("collection.recompute.wizard", required=True, ondelete="cascade")
    chosen = fields.Boolean(string="Move", default=True)
    move_id = fields.Many2one("account.move", string="Invoice", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="move_id.currency_id")
    amount = fields.Monetary(related="move_id.amount_residual", string="Open")
    old_date = fields.Date(string="Due Now", readonly=True)
    new_date = fields.Date(string="New Due Date", readonly=True)
    days = fields.Integer(compute="_compute_days")
    to_review = fields.Boolean(
        string="To Review First", readonly=True, help="It will wait for its review, and is not dunned meanwhile."
    )

    @api.depends("old_date", "new_date")
    def _compute_days(self):
        for line in self:
            line.days = (line.new_date - line.old_date).days if line.old_date and line.new_date else 0
