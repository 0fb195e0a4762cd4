from odoo import _, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import format_date

DAYS = 90


class CollectionEffect(models.TransientModel):
    """A report on what the notices of a period brought; on the screen or as XLSX.

    How it works: the rows, ``collection.effect.line``, are made anew by one statement at each button.
    """

    _name = "collection.effect"
    _description = "Report on What Works"

    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)
    date_from = fields.Date(
        string="Notices From", required=True, default=lambda self: fields.Date.subtract(self._get_today(), days=DAYS)
    )
    date_to = fields.Date(string="Notices Until", required=True, default=lambda self: self._get_today())
    line_ids = fields.One2many("collection.effect.line", "wizard_id", string="Rows Found", readonly=True)

    def _get_today(self):
        return (self.company_id or self.env.company)._get_collection_today()

    # === ACTIONS === #

    def action_open(self):
        """The rows as list, pivot and graph."""
        self._fill()
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.collection_effect_line_action")
        name = self._get_title()
        return {**action, "name": name, "display_name": name, "domain": [("wizard_id", "=", self.id)], "context": {}}

    def action_export_xlsx(self):
        self._fill()
        name = _("What works %(first)s to %(last)s", first=self.date_from.isoformat(), last=self.date_to.isoformat())
        content = self.env["collection.effect.document"]._render_xlsx(self)
        return self.env["collection.export"]._download(f"{name}.xlsx", content)

    # === ROWS === #

    def _fill(self):
        """Make the rows of this report anew.

        :raise UserError: when its days cannot be
        """
        self.ensure_one()
        if self.date_from > self.date_to:
            raise UserError(
                _(
                    "The first day, %(first)s, comes after the last one, %(last)s: exchange them.",
                    first=format_date(self.env, self.date_from),
                    last=format_date(self.env, self.date_to),
                )
            )
        if self.date_to > self._get_today():
            raise UserError(_("What notices bring cannot be told of a day to come: choose today or an earlier day."))
        lines = self.env["collection.effect.line"]
        lines._refill(self, lines._query_fill(self))

    def _get_title(self):
        return _(
            "What works, %(first)s to %(last)s",
            first=format_date(self.env, self.date_from),
            last=format_date(self.env, self.date_to),
        )
