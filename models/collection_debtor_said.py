from odoo import _, fields, models

from ..engine import promises
from .collection_dispute import OPEN


class CollectionDebtor(models.Model):
    """What was said with a debtor, and the buttons that say more."""

    _inherit = "collection.debtor"

    promise_ids = fields.One2many("collection.promise", "debtor_id", string="Promises", readonly=True)
    dispute_ids = fields.One2many("collection.dispute", "debtor_id", string="Disputes", readonly=True)
    interaction_ids = fields.One2many("collection.interaction", "debtor_id", string="Interactions", readonly=True)
    promise_count = fields.Integer(string="Open Promises", compute="_compute_said_counts")
    dispute_count = fields.Integer(string="Open Disputes", compute="_compute_said_counts")
    interaction_count = fields.Integer(string="Number of Interactions", compute="_compute_said_counts")

    def _compute_said_counts(self):
        mine = [("debtor_id", "in", self.ids)]
        promised, disputed, said = (
            dict(self.env[name]._read_group(domain, ["debtor_id"], ["__count"]))
            for name, domain in (
                ("collection.promise", [*mine, ("state", "=", promises.OPEN)]),
                ("collection.dispute", [*mine, ("state", "=", OPEN)]),
                ("collection.interaction", mine),
            )
        )
        for debtor in self:
            debtor.promise_count = promised.get(debtor, 0)
            debtor.dispute_count = disputed.get(debtor, 0)
            debtor.interaction_count = said.get(debtor, 0)

    # === Actions ===#

    def action_open_promises(self):
        return self._open_said("account_collection.collection_promise_action", {"search_default_open": 1})

    def action_open_disputes(self):
        return self._open_said("account_collection.collection_dispute_action", {"search_default_open": 1})

    def action_open_interactions(self):
        return self._open_said("account_collection.collection_interaction_action", {})

    def _open_said(self, external_id, context):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(external_id)
        context = {"default_debtor_id": self.id, **context}
        return {**action, "domain": [("debtor_id", "=", self.id)], "context": context}

    def action_log_call(self):
        return self._log_interaction(_("Log Call"), "mail.mail_activity_data_call")

    def action_log_visit(self):
        return self._log_interaction(_("Log Visit"), "account_collection.activity_type_visit")

    def action_dispute(self):
        return self._log_interaction(_("Dispute"), "mail.mail_activity_data_call", default_with_dispute=True)

    def action_follow_up(self):
        return self._log_interaction(
            _("Schedule Follow-up"), None, default_only_follow_up=True, default_with_follow_up=True
        )

    def action_promise(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.collection_promise_wizard_action")
        return {**action, "context": {"default_debtor_id": self.id}}

    def _log_interaction(self, name, kind, **context):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_collection.collection_interaction_wizard_action"
        )
        kind_id = kind and self.env["ir.model.data"]._xmlid_to_res_id(kind)
        context = {"default_debtor_id": self.id, "default_kind_id": kind_id, **context}
        return {**action, "name": name, "context": context}
