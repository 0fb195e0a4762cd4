from odoo import api, fields, models


class AccountPostdatedCheckDialog(models.AbstractModel):
    """What the dialogs of checks share: the checks that they were opened for, and the day that a person tells of."""

    _name = "account.postdated.check.dialog"
    _description = "Dialog of Checks"

    date = fields.Date(required=True, default=lambda self: self._get_chosen()._get_today())

    @api.model
    def _get_chosen(self):
        """The checks that the dialog was opened for."""
        chosen = self.env["account.postdated.check"]
        if self.env.context.get("active_model") == chosen._name:
            return chosen.browse(self.env.context.get("active_ids"))
        return chosen
