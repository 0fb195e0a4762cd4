from odoo import _, fields, models
from odoo.exceptions import UserError

GENERAL = "[('type', '=', 'general'), ('company_id', '=', id)]"
# Accounts against which receivables are booked: what adds up on them is nobody's debt.
COUNTERPARTS = "[('account_type', 'not in', ('asset_receivable', 'liability_payable', 'off_balance'))]"


class ResCompany(models.Model):
    """In which journals and on which accounts residues of cents and imported open items are booked."""

    _inherit = "res.company"

    collection_residue_account_id = fields.Many2one(
        "account.account",
        string="Residues of Cents",
        help="Proposed when residues are written off: expense or income, such as rounding differences.",
    )
    collection_residue_journal_id = fields.Many2one("account.journal", string="Journal of Residues", domain=GENERAL)
    collection_opening_journal_id = fields.Many2one(
        "account.journal",
        string="Journal of Imported Items",
        domain=GENERAL,
        help="A journal of its own keeps what was not born here apart.",
    )
    collection_opening_account_id = fields.Many2one(
        "account.account",
        string="Items With a Reference",
        help="Counterpart of imported open items that have a reference, such as the opening balance or the account on "
        "which their invoices were booked.",
    )
    collection_opening_bare_account_id = fields.Many2one(
        "account.account",
        string="Items Without a Reference",
        help="Counterpart of imported open items without one, such as an account of items to be cleared up.",
    )

    def _get_residue_journal(self):
        """The journal in which residues were written off last, else the first general one."""
        self.ensure_one()
        return self.collection_residue_journal_id or self.env["account.journal"].search(
            [("type", "=", "general"), ("company_id", "=", self.id)], limit=1
        )

    def _check_opening_set_up(self):
        """:raise UserError: naming what is to be chosen before open items can be imported"""
        self.ensure_one()
        names = ("collection_opening_journal_id", "collection_opening_account_id", "collection_opening_bare_account_id")
        labels = self.fields_get(names, ["string"])
        missing = [labels[name]["string"] for name in names if not self[name]]
        if missing:
            raise UserError(
                _(
                    "Choose in Settings / Invoicing / Imported Open Items of %(company)s first: %(missing)s.",
                    company=self.display_name,
                    missing=", ".join(missing),
                )
            )
