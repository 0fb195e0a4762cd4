from odoo import _, api, models


class AccountPostdatedCheck(models.Model):
    """Where a check leads to, and what leads to it."""

    _inherit = "account.postdated.check"

    def _open(self):
        """Action that shows these checks."""
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.account_postdated_check_action")
        if len(self) == 1:
            return {**action, "views": [(False, "form")], "res_id": self.id, "context": {}}
        return {**action, "domain": [("id", "in", self.ids)], "context": {"create": False}}

    @api.model
    def _open_of(self, partner, company=None):
        """Action that shows the checks of a customer, of one company or of those that the user works in."""
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.account_postdated_check_action")
        customer = partner.commercial_partner_id
        domain = [
            ("commercial_partner_id", "=", customer.id),
            ("company_id", "in", (company or self.env.companies).ids),
        ]
        context = {"default_partner_id": customer.id}
        if company:
            context["default_company_id"] = company.id
        return {**action, "domain": domain, "context": context}

    def action_open_entries(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": _("Journal Entries of %(check)s", check=self.display_name),
            "res_model": "account.move",
            "view_mode": "tree,form",
            "domain": [("postdated_check_id", "=", self.id)],
            "context": {"create": False},
        }

    def action_open_invoices(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account.action_move_out_invoice_type")
        action["domain"] = [("id", "in", self.line_ids.move_id.ids)]
        action["context"] = {"create": False}
        return action

    def action_open_payment(self):
        return self.payment_id.get_formview_action()

    def action_open_penalty(self):
        return self.penalty_move_id.get_formview_action()

    def action_open_partner(self):
        return self.commercial_partner_id.get_formview_action()

    def action_open_debtor(self):
        return self.debtor_id.action_open_debtor()

    def action_open_slip(self):
        return self.slip_id.get_formview_action()
