from odoo import _, api, fields, models


class AccountMove(models.Model):
    """Entries of open items that another system made."""

    _inherit = "account.move"

    collection_opening_id = fields.Many2one(
        "collection.opening",
        string="Import of Open Items",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        groups="account_collection.group_collection_manager",
    )
    collection_opening_document = fields.Char(
        string="Imported Document", readonly=True, copy=False, help="Its name where it was born."
    )
    collection_opening_date = fields.Date(string="Date of the Document", readonly=True, copy=False)
    collection_opening_key = fields.Char(
        readonly=True, copy=False, help="The source and the document, while they may not be imported again."
    )
    # No link to the contact: two contacts that become one keep their entries, whatever these are called.
    collection_opening_owner = fields.Integer(
        readonly=True, copy=False, help="Id of the customer for whom it was imported."
    )

    def _auto_init(self):
        result = super()._auto_init()
        # The same document of a customer comes in once from each source, whoever imports it at the same moment.
        self.env.cr.execute(
            """CREATE UNIQUE INDEX IF NOT EXISTS account_move_opening_unique_index
                   ON account_move (collection_opening_key, company_id, collection_opening_owner)
                WHERE collection_opening_key IS NOT NULL AND state <> 'cancel'"""
        )
        return result

    @api.depends("collection_opening_document")
    def _compute_display_name(self):  # pylint: disable=missing-return
        """By the name under which the customer knows it."""
        super()._compute_display_name()
        for move in self.filtered("collection_opening_document"):
            move.display_name = f"{move.collection_opening_document} ({move.name})"

    def message_subscribe(self, partner_ids=None, subtype_ids=None):
        """Customers follow their invoices, not what an import books."""
        if self.env.context.get("collection_no_followers"):
            return True
        return super().message_subscribe(partner_ids=partner_ids, subtype_ids=subtype_ids)

    def _take_back_opening(self):
        """Cancel these entries, in sudo; reverse those that Odoo lets nobody change any more, today."""
        moves = self.with_context(tracking_disable=True)
        posted = moves.filtered(lambda move: move.state == "posted")
        closed = {
            key: self._is_closed_period(*key)
            for key in {(move.date, move.journal_id, move.company_id) for move in posted}
        }
        kept = posted.filtered(
            lambda move: move.inalterable_hash or closed[move.date, move.journal_id, move.company_id]
        )
        changeable = moves.filtered(lambda move: move.state != "cancel") - kept
        changeable.filtered(lambda move: move.state == "posted").button_draft()
        changeable.button_cancel()
        if kept:
            today = kept.company_id._get_collection_today()
            for journal in kept.journal_id:
                self._check_open_period(today, journal, kept.company_id)
            kept._reverse_moves(
                [{"date": today, "ref": _("Undone: %s", move._get_collection_document())} for move in kept], cancel=True
            )
        moves.write({"collection_opening_key": False})
