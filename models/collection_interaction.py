from odoo import _, api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools.misc import format_date, format_datetime

from .collection_said import POSTED

OUTGOING, INCOMING = "out", "in"
DIRECTIONS = [(OUTGOING, "We reached out"), (INCOMING, "The customer did")]


class CollectionInteraction(models.Model):
    """Something that happened with a customer: a call, a visit, a mail answered.

    *How to use.* The wizard logs it with what came of it; an activity of a debtor that reaches the customer
    becomes one by itself when it is marked done (mail_activity.py).
    """

    _name = "collection.interaction"
    _description = "Interaction"
    _inherit = ["collection.said"]
    _order = "date desc, id desc"

    date = fields.Datetime(required=True, default=fields.Datetime.now, index=True)
    kind_id = fields.Many2one(
        "mail.activity.type",
        domain="[('res_model', 'in', (False, 'collection.debtor'))]",
        ondelete="set null",
    )
    direction = fields.Selection(DIRECTIONS, required=True, default=OUTGOING)
    outcome_id = fields.Many2one("collection.outcome", ondelete="restrict", index=True)
    move_ids = fields.Many2many(
        "account.move",
        "collection_interaction_move_rel",
        "interaction_id",
        "move_id",
        string="Invoices",
        domain=f"[{POSTED}, ('move_type', 'in', ('out_invoice', 'out_refund', 'out_receipt'))]",
    )
    duration = fields.Float(help="In hours.")
    next_step = fields.Char()
    promise_ids = fields.Many2many(
        "collection.promise", "collection_interaction_promise_rel", "interaction_id", "promise_id", readonly=True
    )
    dispute_ids = fields.Many2many(
        "collection.dispute", "collection_interaction_dispute_rel", "interaction_id", "dispute_id", readonly=True
    )

    @api.depends("kind_id.name", "outcome_id.name", "partner_id")
    def _compute_display_name(self):
        for interaction in self:
            parts = (interaction.kind_id.name, interaction.partner_id.display_name, interaction.outcome_id.name)
            interaction.display_name = " - ".join(part for part in parts if part)

    # Not of the debtor, as in promises.
    @api.constrains("move_ids")
    def _check_moves(self):
        for interaction in self:
            # sudo: whose they are, whoever may read them
            interaction._check_documents(interaction.move_ids.sudo())

    @api.constrains("promise_ids", "dispute_ids")
    def _check_came_of_it(self):
        for interaction in self:
            # sudo: whose they are, whoever may read them
            for said in (*interaction.promise_ids.sudo(), *interaction.dispute_ids.sudo()):
                if said.debtor_id != interaction.debtor_id:
                    raise ValidationError(
                        _(
                            "%(said)s is not of %(customer)s.",
                            said=said.display_name,
                            customer=interaction.partner_id.display_name,
                        )
                    )

    @api.constrains("date")
    def _check_date(self):
        now = fields.Datetime.now()
        for interaction in self:
            if interaction.date > now:
                raise ValidationError(
                    _(
                        "%s lies ahead: log what has happened, and schedule a follow-up for what is to come.",
                        format_datetime(self.env, interaction.date),
                    )
                )

    def _get_moves(self):
        return self.move_ids.sudo()

    def _get_made_text(self):
        """Kind, person, outcome, what was said and what comes next, in one line."""
        self.ensure_one()
        incoming = self.direction == INCOMING
        kind = self.kind_id.name or _("Interaction")
        parts = [_("%s, from the customer", kind) if incoming else kind]
        if self.contact_id:
            parts.append(_("with %s", self.contact_id.name))
        head = " ".join(parts)
        said = [part for part in (self.outcome_id.name, self.note) if part]
        if self.next_step:
            said.append(_("Next: %s", self.next_step))
        return f"{head}: {'. '.join(said)}" if said else head

    def _get_summary(self):
        """Day, kind and outcome, for a line of a list."""
        self.ensure_one()
        day = format_date(self.env, fields.Datetime.context_timestamp(self, self.date).date())
        said = self.outcome_id.name or self.note
        parts = [part for part in (self.kind_id.name, said) if part]
        return f"{day}: {', '.join(parts)}" if parts else day
