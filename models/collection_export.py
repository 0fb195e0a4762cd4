import base64
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
        export = self.sudo().create({"name": name, "content": base64.b64encode(content)})
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self._name}/{export.id}/content/{quote(name, safe='')}?download=true",
            "target": "self",
        }
