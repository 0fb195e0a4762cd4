from odoo import _, fields, models
from odoo.exceptions import UserError


class CollectionStatementWizard(models.TransientModel):
    """Statements as of a day that a person chooses."""

    _name = "collection.statement.wizard"
    _description = "Statement at a Date"
    _inherit = ["collection.debtor.selection"]

    as_of = fields.Date(required=True, default=fields.Date.context_today)

    def action_print(self):
        """Print one document, in the order of the list."""
        self.ensure_one()
        if self.as_of > fields.Date.context_today(self):
            raise UserError(_("A statement cannot be as of a day to come: choose today or an earlier day."))
        report = self.env.ref("account_collection.action_report_statement")
        data = {"as_of": fields.Date.to_string(self.as_of), "debtor_ids": self.debtor_ids.ids}
        # No layout to choose first: the letterhead is the statement's own.
        return report.report_action(self.debtor_ids, data=data, config=False)
