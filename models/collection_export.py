import base64
import mimetypes
from urllib.parse import quote

from odoo import api, fields, models


class CollectionExport(models.TransientModel):
    """A file made for a person, kept until it is fetched: what is wrong shows at the button, and no attachment stays.

    How to use: return ``_download(name, content)`` from an action.
    """

    _name = "collection.export"
    _description = "File to Download"

    name = fields.Char(required=True, readonly=True)
    content = fields.Binary(attachment=False, required=True, readonly=True)

    @api.model
    def _download(self, name, content):
        """Action that downloads the bytes ``content`` as the file ``name``."""
        # sudo: nobody has a right to make files; a rule shows each person the own ones alone
        # The type is told: guessing it from the first bytes leaves errors in the log.
        mimetype = mimetypes.guess_type(name)[0] or "application/octet-stream"
        export = self.sudo().create({"name": name, "content": base64.b64encode(content)})
        path = f"/web/content/{self._name}/{export.id}/content/{quote(name, safe='')}"
        return {
            "type": "ir.actions.act_url",
            "url": f"{path}?download=true&mimetype={quote(mimetype)}",
            "target": "self",
        }
