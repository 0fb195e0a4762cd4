from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import format_date


class CollectionStatementWizard(models.TransientModel):
    """Statements of the shape and the days that a person chooses, to print, to look at or to calculate with."""

    _name = "collection.statement.wizard"
    _description = "Statement of Account"
    _inherit = ["collection.debtor.selection", "collection.deliveries.choice"]

    shape = fields.Selection(
        [("open_items", "Open items"), ("activity", "Account activity")], required=True, default="open_items"
    )
    as_of = fields.Date(required=True, default=lambda self: self._get_today())
    date_from = fields.Date(
        string="First Day",
        required=True,
        default=lambda self: fields.Date.start_of(fields.Date.subtract(self._get_today(), months=1), "month"),
    )
    date_to = fields.Date(string="Last Day", required=True, default=lambda self: self._get_today())

    @api.model
    def _get_today(self):
        return self.env.company._get_collection_today()

    # === ACTIONS === #

    def action_print(self):
        """Print one document, in the order of the list."""
        return self._prepare_report_action()

    def action_preview(self):
        """Show the document in the browser."""
        return {**self._prepare_report_action(), "report_type": "qweb-html"}

    def action_export_xlsx(self):
        """Download one workbook of all chosen debtors."""
        days, debtors = self._prepare_days(), self._get_chosen_debtors()
        statements = debtors._get_statement_shape(**days, include_deliveries=self._shows_deliveries(days))
        content = self.env["collection.statement.xlsx"]._render_xlsx(statements)
        return self.env["collection.export"]._download(f"{self._get_filename(debtors, days)}.xlsx", content)

    # === HELPERS === #

    def _prepare_report_action(self):
        days = self._prepare_days()
        data = {name: fields.Date.to_string(day) for name, day in days.items()}
        data["include_deliveries"] = self._shows_deliveries(days)
        debtors = self._get_chosen_debtors()
        report = self.env.ref("account_collection.action_report_statement")
        # No layout to choose first: the letterhead is the statement's own.
        return report.report_action(debtors, data={**data, "debtor_ids": debtors.ids}, config=False)

    def _get_chosen_debtors(self):
        """Those that this person sees, in the order of the list."""
        return self.debtor_ids & self._get_debtors()

    def _prepare_days(self):
        """What the statement is asked for: ``as_of`` and, for the activity, ``date_from``.

        :raise UserError: when these days cannot be
        """
        self.ensure_one()
        days = {"as_of": self.as_of}
        if self.shape == "activity":
            days = {"as_of": self.date_to, "date_from": self.date_from}
        if days["as_of"] > self._get_today():
            raise UserError(_("A statement cannot be as of a day to come: choose today or an earlier day."))
        if days.get("date_from", days["as_of"]) > days["as_of"]:
            first, last = (format_date(self.env, days[name]) for name in ("date_from", "as_of"))
            raise UserError(
                _("%(first)s is after %(last)s: begin with the earlier of the two days.", first=first, last=last)
            )
        return days

    def _shows_deliveries(self, days):
        """
        :raise UserError: for a past day: no delivery tells what of it was not invoiced then
        """
        if self.shape != "open_items" or not self.include_deliveries or "sale.order" not in self.env:
            return False
        if days["as_of"] < self._get_today():
            raise UserError(_("Uninvoiced deliveries are known as of today alone: choose today or leave them out."))
        return True

    def _get_filename(self, debtors, days):
        if len(debtors) == 1:
            return debtors._get_statement_filename(**days)
        last = fields.Date.to_string(days["as_of"])
        if "date_from" in days:
            first = fields.Date.to_string(days["date_from"])
            return _("Activity - %(first)s to %(last)s", first=first, last=last)
        return _("Statements - %(date)s", date=last)
