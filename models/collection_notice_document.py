from collections import defaultdict

from odoo import api, models


class CollectionNoticeDocument(models.AbstractModel):
    """The documents of the listed invoices that a notice brings along: their PDFs and their XML files."""

    _name = "collection.notice.document"
    _description = "Documents of Notices"

    def _get_invoice_documents(self):
        """``{notice: attachments}``, where its content attaches them and they exist."""
        # sudo: the customer may have the documents that the notice speaks of, whoever sends it
        moves_of = {notice: notice.line_ids.move_id.sudo() for notice in self}
        with_xml = self.filtered(lambda notice: notice._get_content().attach_xml)
        xml_of = self._get_xml_files(with_xml.line_ids.move_id)
        documents = {}
        for notice, moves in moves_of.items():
            documents[notice] = self.env["ir.attachment"].sudo()
            if notice._get_content().attach_invoices:
                documents[notice] |= moves.invoice_pdf_report_id
            if notice in with_xml:
                documents[notice] = documents[notice].union(*(xml_of[move.id] for move in moves))
        return documents

    @api.model
    def _get_xml_files(self, moves):
        """``{invoice id: attachments}``: the XML files of each of these invoices, whichever way they came there. One
        search for all. Served by the index of attachments on their record."""
        # sudo: as for the PDFs
        files = self.env["ir.attachment"].sudo()
        if moves:
            files = files.search_fetch(
                [
                    ("res_model", "=", "account.move"),
                    ("res_id", "in", moves.ids),
                    # Odoo leaves those of fields out unless it is asked.
                    *("|", ("res_field", "=", False), ("res_field", "!=", False)),
                    *("|", ("mimetype", "in", ("application/xml", "text/xml")), ("name", "=ilike", "%.xml")),
                ],
                ["res_id", "name", "mimetype"],
                order="id",
            )
        files_of = defaultdict(files.browse)
        for file in files:
            files_of[file.res_id] |= file
        return files_of
