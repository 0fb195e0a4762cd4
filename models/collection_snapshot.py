from odoo import _, api, fields, models

from .collection_debtor import BUCKETS
from .collection_debtor_risk import CLASSES
from .rights import check_manager


class CollectionSnapshot(models.Model):
    """What was owed on a day, by collector, portfolio, level reached and risk class: the history that the ledger alone
    cannot tell, for it knows no levels, no collectors and no risk.

    *How to use.* The night takes one (``_take``) of every company; ``_rebuild`` makes the ends of the last months from
    the ledger, where no night told them. Rows of one day add up to all debtors of the company that have something open;
    those of several days add up to nothing. Only the statements of collection_snapshot_query.py write.
    """

    _name = "collection.snapshot"
    _description = "History of Debtors"
    _inherit = ["collection.snapshot.query"]
    _rec_name = "date"
    _order = "date desc, id"

    date = fields.Date(
        required=True, readonly=True, help="As the night of this day found it; what was rebuilt, at its end."
    )
    month_end = fields.Boolean(string="End of a Month", readonly=True, help="Whether it is the last day of its month.")
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    collector_id = fields.Many2one("res.users", readonly=True, ondelete="set null")
    portfolio_id = fields.Many2one("collection.portfolio", readonly=True, ondelete="set null")
    level_id = fields.Many2one("collection.level", string="Level Reached", readonly=True, ondelete="set null")
    risk_class = fields.Selection(CLASSES, readonly=True)
    # Not the columns above: a collector or a level that is deleted leaves rows that are no more told apart by them.
    group_key = fields.Char(required=True, readonly=True)
    rebuilt = fields.Boolean(
        string="From the Ledger",
        readonly=True,
        help="Made later from the ledger, which tells amounts and no collector, portfolio, level or risk class.",
    )

    debtor_count = fields.Integer(string="Debtors", readonly=True, help="With something open.")
    on_hold_count = fields.Integer(string="On Hold", readonly=True)
    total_due = fields.Monetary(readonly=True, help="Not due plus overdue, less what is unallocated.")
    not_due = fields.Monetary(readonly=True)
    overdue = fields.Monetary(readonly=True)
    bucket_1 = fields.Monetary(string="1-30", readonly=True)
    bucket_2 = fields.Monetary(string="31-60", readonly=True)
    bucket_3 = fields.Monetary(string="61-90", readonly=True)
    bucket_4 = fields.Monetary(string="90+", readonly=True)
    unallocated = fields.Monetary(readonly=True, help="Credit notes and payments not applied to an invoice yet.")

    _sql_constraints = [
        (
            "group_unique",
            "UNIQUE(company_id, date, group_key)",
            "A group of debtors has one row in each company and day.",
        ),
    ]

    @api.model
    def fields_get(self, allfields=None, attributes=None):
        """Label the buckets as those of debtors are."""
        result = super().fields_get(allfields, attributes)
        labels = self.env["collection.debtor"].fields_get(BUCKETS, ["string"])
        for name in BUCKETS:
            if "string" in result.get(name, ()):
                result[name]["string"] = labels[name]["string"]
        return result

    # === ACTIONS === #

    def action_rebuild(self):
        """The ends of the last twelve months, of the companies that the manager has chosen."""
        check_manager(self.env, _("Only a manager of collections rebuilds the history."))
        self._rebuild(self.env.companies)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": _("The ends of the last 12 months were rebuilt from the ledger, where no night told them."),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
