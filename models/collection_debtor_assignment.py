from functools import cache, partial
from typing import NamedTuple

from markupsafe import Markup

from odoo import _, api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from .chatter_notes import add_notes
from .rights import check_manager

# What the portfolios decide, and no person by writing it.
ASSIGNED = {"portfolio_id", "assigned_on", "assignment_reason"}


class Handover(NamedTuple):
    """A debtor's collector before and after, its portfolio from now on, and why; ids are None where there is none."""

    debtor_id: int
    former_id: int | None
    collector_id: int | None
    portfolio_id: int | None
    locked: bool
    reason: str


class CollectionDebtor(models.Model):
    """Who collects from a debtor, since when and why."""

    _inherit = "collection.debtor"

    portfolio_id = fields.Many2one(
        "collection.portfolio", readonly=True, index="btree_not_null", ondelete="set null", copy=False
    )
    collector_locked = fields.Boolean(
        string="Locked", tracking=True, help="The collector stays, whatever the portfolios say."
    )
    assigned_on = fields.Date(readonly=True)
    assignment_reason = fields.Char(readonly=True, help="Why this person collects from the customer.")

    # === CRUD ===#

    def write(self, vals):
        result = super().write(vals)
        if "collector_id" in vals:
            self.env["collection.ledger.day"]._forget(self.company_id)
        if "collector_id" in vals and not self.env.su:
            # sudo: what a person's choice brings along is no choice of that person; who may choose was checked above
            self.sudo().write(self._prepare_by_hand(vals))
        return result

    def _check_writable(self, names):
        result = super()._check_writable(names)
        if "collector_locked" in names:
            self._check_manager()
        if not ASSIGNED.isdisjoint(names):
            raise AccessError(
                _(
                    "The portfolios of debtors follow from their conditions: change those, or choose and lock a "
                    "collector."
                )
            )
        return result

    @api.model
    def _prepare_by_hand(self, vals):
        """A collector that a person chose stays until a person chooses another one."""
        return {
            "collector_locked": bool(vals["collector_id"]) and vals.get("collector_locked", True),
            "assigned_on": self.env.company._get_collection_today(),
            "assignment_reason": _("Chosen by %(user)s.", user=self.env.user.name),
        }

    @api.model
    def _check_manager(self):
        check_manager(self.env, _("Only a manager of collections assigns debtors."))

    # === Who is told of answers ===#

    def _notify_get_recipients(self, message, msg_vals=False, **kwargs):
        """Comments and mails of the customer reach who answers for the debtor that day, without following it: whoever
        stands in, too, and nobody any more who handed it over."""
        said = message.sudo()
        values = {
            "partner_ids": said.partner_ids.ids,
            "message_type": said.message_type,
            "subtype_id": said.subtype_id.id,
            "author_id": said.author_id.id,
            **(msg_vals or {}),
        }
        comment = self.env["ir.model.data"]._xmlid_to_res_id("mail.mt_comment")
        if values["subtype_id"] == comment and values["message_type"] != "user_notification":
            people = {*values["partner_ids"], *self.responsible_id.filtered("active").partner_id.ids}
            values["partner_ids"] = list(people)
        return super()._notify_get_recipients(message, values, **kwargs)

    # === Handing over ===#

    @api.model
    def _hand_over(self, handovers, company):
        """Write who collects from these debtors of ``company`` and tell it in their chatter: a constant number of
        statements, whatever their number. Whoever calls checked the right to assign.

        :param handovers: [:class:`Handover`]
        """
        if not handovers:
            return
        self.env["collection.ledger.day"]._forget(company)
        self.env.flush_all()
        changed = [row for row in handovers if row.former_id != row.collector_id]
        self.env.cr.execute(self._query_hand_over(handovers, company._get_collection_today()))
        if changed:
            add_notes(self.env, self._name, self._prepare_log_bodies(changed))
        self.env.invalidate_all(flush=False)
        # The collector is stored with checks alone; of who has none, Odoo would look for some a thousand at a time.
        # sudo: whoever assigns may not read the checks
        groups = (
            self.env["account.postdated.check"]
            .sudo()
            ._read_group([("debtor_id", "in", [row.debtor_id for row in changed])], ["debtor_id"])
        )
        self.browse(debtor.id for (debtor,) in groups).modified(["collector_id"])
        self.env.flush_all()

    @api.model
    def _release(self, debtors, reason):
        """Give these debtors back to assignment, locked ones too."""
        for company, theirs in debtors.sudo().grouped("company_id").items():
            self._hand_over(
                [
                    Handover(debtor.id, debtor.collector_id.id, None, debtor.portfolio_id.id or None, False, reason)
                    for debtor in theirs
                ],
                company,
            )

    @api.model
    def _prepare_log_bodies(self, handovers):
        users = {row.former_id for row in handovers} | {row.collector_id for row in handovers}
        # sudo: whoever assigns may not read all of Odoo's users
        people = self.env["res.users"].sudo().browse(users - {None})
        names = {None: _("nobody"), **{user.id: user.name for user in people}}
        # Translated once for each kind of change.
        get_body = cache(partial(self._get_log_body, names))
        return {row.debtor_id: get_body(row.former_id, row.collector_id, row.reason) for row in handovers}

    @api.model
    def _get_log_body(self, names, former_id, collector_id, reason):
        text = _(
            "Collector: %(former)s → %(collector)s. %(reason)s",
            former=names[former_id],
            collector=names[collector_id],
            reason=reason,
        )
        return Markup("<p>%s</p>") % text

    @api.model
    def _query_hand_over(self, handovers, today):
        """Write the debtors of ``handovers``. Served by their primary key."""
        return SQL(
            """UPDATE collection_debtor debtor
                  SET collector_id = given.collector_id, portfolio_id = given.portfolio_id,
                      collector_locked = given.locked, assignment_reason = given.reason,
                      assigned_on = CASE WHEN debtor.collector_id IS DISTINCT FROM given.collector_id
                                         THEN %(today)s ELSE debtor.assigned_on END,
                      write_uid = %(uid)s, write_date = now() AT TIME ZONE 'UTC'
                 FROM unnest(%(debtors)s::int[], %(collectors)s::int[], %(portfolios)s::int[], %(locked)s::bool[],
                             %(reasons)s::text[]) AS given(debtor_id, collector_id, portfolio_id, locked, reason)
                WHERE debtor.id = given.debtor_id""",
            today=today,
            uid=self.env.uid,
            debtors=[row.debtor_id for row in handovers],
            collectors=[row.collector_id for row in handovers],
            portfolios=[row.portfolio_id for row in handovers],
            locked=[row.locked for row in handovers],
            reasons=[row.reason for row in handovers],
        )
