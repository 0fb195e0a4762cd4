from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import split_every

from ..models.notice_states import TO_PRINT
from ..report.pdf_merge import MergedPdf, UnreadableError

# PDFs in memory at once.
CHUNK = 100
NAMED = 10
# Letters of these records of other models.
LETTERS_OF = {
    "collection.notice": "id",
    "collection.run": "run_id",
    "collection.campaign": "run_id.campaign_id",
    "collection.letter": "letter_id",
    "collection.debtor": "debtor_id",
}


class CollectionLetterPrint(models.TransientModel):
    """The letters that were made, merged into one PDF to print.

    *How to use.* ``_open(records)`` gives the dialog for the letters of runs, campaigns or chosen notices.

    *How it works.* What is merged are the documents in the chatters, byte by byte: nothing is made anew.
    """

    _name = "collection.letter.print"
    _description = "Print Letters"

    notice_ids = fields.Many2many("collection.notice", string="Letters", default=lambda self: self._get_chosen())
    which = fields.Selection(
        [(TO_PRINT, "Not printed yet"), ("all", "All")], string="Which Ones", required=True, default=TO_PRINT
    )
    sorted_by = fields.Selection(
        [("zip", "ZIP"), ("collector", "Collector"), ("customer", "Customer")], required=True, default="zip"
    )
    start_odd = fields.Boolean(
        string="Each on a Sheet of Its Own", help="For printing on both sides: a blank page where a letter ends odd."
    )
    count = fields.Integer(string="To Be Printed", compute="_compute_count")

    @api.model
    def _open(self, records):
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.collection_letter_print_action")
        return {**action, "context": {"active_model": records._name, "active_ids": records.ids}}

    @api.model
    def _get_chosen(self):
        """The letters, as far as this person sees them, of what the dialog was opened on."""
        Notice = self.env["collection.notice"]
        field = LETTERS_OF.get(self.env.context.get("active_model"))
        if not field:
            return Notice
        chosen = [(field, "in", self.env.context.get("active_ids", []))]
        return Notice.search([*chosen, *Notice._get_letter_domain()])

    @api.depends("notice_ids", "which")
    def _compute_count(self):
        for wizard in self:
            wizard.count = len(wizard._get_letters())

    def _get_letters(self):
        letters = self.notice_ids._origin
        return letters if self.which == "all" else letters.filtered(lambda letter: letter.letter_state == TO_PRINT)

    # === Print ===#

    def action_print(self):
        """Download them as one PDF and record who printed them; one whose document is gone stops no other."""
        self.ensure_one()
        letters = self._get_letters()
        if not letters:
            raise UserError(_("None of these letters waits to be printed: choose all to print them again."))
        # Asks for the right first, and for what this person sees.
        letters = letters._get_letters(False, *dict(letters._fields["letter_state"].selection))
        content, lost = self._merge(self._sort(letters))
        if lost == letters:
            raise UserError(_("The documents of these letters are gone: send them anew."))
        (letters - lost).filtered(lambda letter: letter.letter_state in (False, TO_PRINT))._mark_printed()
        day = fields.Date.to_string(self.env.company._get_collection_today())
        download = self.env["collection.export"]._download(_("Letters - %(date)s", date=day) + ".pdf", content)
        if not lost:
            return download
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"type": "warning", "sticky": True, "message": self._get_lost_text(lost), "next": download},
        }

    def _sort(self, letters):
        """In the order in which they are wanted; those with the same, by name."""

        def order(letter):
            partner = letter.partner_id
            zip_code = (partner.zip or "").upper().replace(" ", "")
            by_zip = not zip_code, zip_code
            collector = letter.collector_id.name or ""
            keys = {"zip": by_zip, "collector": (not collector, collector, *by_zip), "customer": ()}
            return *keys[self.sorted_by], (partner.name or "").lower(), letter.id

        return letters.sorted(order)

    def _merge(self, letters):
        """(one PDF of these letters, in their order; those of which the document is gone)."""
        merged, lost = MergedPdf(), letters.browse()
        for ids in split_every(CHUNK, letters.ids):
            chunk = letters.browse(ids)
            # Read together, and let go before the next ones.
            documents = chunk.attachment_id
            for letter in chunk:
                try:
                    if self.start_odd:
                        merged.start_on_odd_page()
                    merged.add(letter.attachment_id.with_prefetch(documents.ids).raw or b"")
                except UnreadableError:
                    lost |= letter
            documents.invalidate_recordset(["raw"], flush=False)
        return merged.get_bytes(), lost

    def _get_lost_text(self, lost):
        names = ", ".join(lost.partner_id[:NAMED].mapped("name"))
        if len(lost) > NAMED:
            names = _("%(names)s and %(count)s more", names=names, count=len(lost) - NAMED)
        return _(
            "The document of these letters is gone, send them anew: %(customers)s. The others are in the PDF.",
            customers=names,
        )
