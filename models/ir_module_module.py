import logging

from odoo import models

_logger = logging.getLogger(__name__)


class IrModuleModule(models.Model):
    _inherit = "ir.module.module"

    def _register_hook(self):
        """Load the demo data once every module is loaded: before, columns that others require have no default yet.

        Demo data that do not load leave an error in the log and the installation in peace.
        """
        super()._register_hook()
        if not hasattr(self.env.registry, "_collection_demo"):
            return
        del self.env.registry._collection_demo
        from ..demo import collection_demo

        try:
            with self.env.cr.savepoint():
                collection_demo.load(self.env)
        except Exception:
            _logger.exception("The demo data of Collections could not be loaded; the add-on works without them")
            self.env.invalidate_all()
