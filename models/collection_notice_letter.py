from collections import defaultdict

from markupsafe import Markup

from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .chatter_notes import add_notes
from .notice_states import HANDED_OVER, PRINTED, RETURNED, SENT, TO_PRINT

CLERKS = ("account_collection.group_collection_collector", "account_collection.group_collection_sender")


class CollectionNotice(models.Model):
    """What people did with the paper of a letter: printed, handed over to the post or by hand, came back.

    *How to use.* ``action_letter_<done>()`` on one or many, by whoever collects or sends, on the letters that this
    person sees.

    *How it works.* Each is one write for all letters and one statement for the notes in their debtors' chatters. The
    activity that asks somebody to post a letter is known, and goes when it was handed over.
    """

    _inherit = "collection.notice"

    letter_id = fields.Many2one(
        "collection.letter", string="Letter by Hand", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    letter_state = fields.Selection(
        [(TO_PRINT, "To Print"), (PRINTED, "Printed"), (HANDED_OVER, "Handed Over"), (RETURNED, "Returned")],
        string="Letter",
        readonly=True,
        index="btree_not_null",
        copy=False,
        help="What was done with the paper.",
    )
    printed_on = fields.Datetime(readonly=True, copy=False)
    printed_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    handed_over_on = fields.Datetime(readonly=True, copy=False)
    handed_over_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    returned_on = fields.Datetime(readonly=True, copy=False)
    returned_by_id = fields.Many2one("res.users", string="Return Recorded by", readonly=True, copy=False)
    return_reason = fields.Char(readonly=True, copy=False)
    letter_activity_id = fields.Many2one(
        "mail.activity",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        copy=False,
        help="What the letter asks of a person now: to post it or, once it came back, to find the address.",
    )

    # === Actions ===#

    def action_letter_printed(self):
        self._get_letters(False, TO_PRINT)._mark_printed()

    def action_letter_handed_over(self):
        """To the post, a courier or the customer: nobody needs to be asked to post them any more."""
        letters = self._get_letters(False, TO_PRINT, PRINTED)
        now = fields.Datetime.now()
        unprinted = letters.filtered(lambda letter: not letter.printed_on)
        unprinted.write({"printed_on": now, "printed_by_id": self.env.uid})
        letters.write({"letter_state": HANDED_OVER, "handed_over_on": now, "handed_over_by_id": self.env.uid})
        letters.letter_activity_id.unlink()
        letters._note_letters(_("Letter handed over: %(letter)s"))

    def action_letter_undo(self):
        """Back to printed, when it was not handed over or did not come back after all."""
        letters = self._get_letters(HANDED_OVER, RETURNED)
        fields_of = ("handed_over_on", "handed_over_by_id", "returned_on", "returned_by_id", "return_reason")
        letters.write({"letter_state": PRINTED, **dict.fromkeys(fields_of, False)})
        letters.letter_activity_id.unlink()
        letters._note_letters(_("Letter back to printed: %(letter)s"))

    def action_letter_returned(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.collection_letter_return_action")
        return {**action, "context": {"active_model": self._name, "active_ids": self.ids}}

    # === Records ===#

    def _get_letters(self, *states):
        """Those of these letters that this person sees and that are in one of ``states`` (False: from before letters
        had one), for the system to write on.

        :raise UserError: when there is none, or this person may not record it
        """
        if not self.env.su and not any(map(self.env.user.has_group, CLERKS)):
            raise UserError(_("Recording what became of letters takes the right “Collector” or “Sender”."))
        letters = self.search([("id", "in", self.ids), *self._get_letter_domain(), ("letter_state", "in", states)])
        if not letters:
            raise UserError(_("None of these is a letter of which that can be recorded now: see their states."))
        # sudo: notices change through their buttons alone, and the right was checked
        return letters.sudo()

    @api.model
    def _get_letter_domain(self):
        """The letters that have been made."""
        return [("channel", "=", "letter"), ("state", "=", SENT)]

    def _mark_printed(self):
        self.write({"letter_state": PRINTED, "printed_on": fields.Datetime.now(), "printed_by_id": self.env.uid})
        self._note_letters(_("Letter printed: %(letter)s"))

    def _mark_returned(self, reason):
        """They came back, perhaps before anybody recorded that they had left: somebody looks for the address."""
        letters = self._get_letters(False, PRINTED, HANDED_OVER)
        letters.write(
            {
                "letter_state": RETURNED,
                "returned_on": fields.Datetime.now(),
                "returned_by_id": self.env.uid,
                "return_reason": reason,
            }
        )
        letters.letter_activity_id.unlink()
        letters._keep_activities(letters._schedule_address_search())
        letters._note_letters(_("Letter returned: %(letter)s"), reason)

    def _note_letters(self, text, reason=""):
        """Say it in the chatters of their debtors, one note each."""
        lines_of = defaultdict(list)
        for letter in self:
            name = " - ".join(filter(None, [letter._get_content().name, fields.Date.to_string(letter.date), reason]))
            lines_of[letter.debtor_id.id].append(text % {"letter": name})
        add_notes(
            self.env,
            "collection.debtor",
            {id_: Markup("<p>%s</p>") % Markup("<br/>").join(lines) for id_, lines in lines_of.items()},
        )

    # === Activities ===#

    def _schedule_address_search(self):
        """``{letter: activity}`` for whoever answers for the debtor."""
        values = {}
        for letter in self:
            user = letter.debtor_id.responsible_id
            if user:
                summary = _("Letter returned: check the address")
                note = Markup("<p>%s</p>") % letter.return_reason
                values[letter] = {**letter.debtor_id._prepare_activity(user, summary), "note": note}
        return self._create_activities(values)

    def _schedule_posting(self):
        """``{letter: activity}`` for whoever prints and posts it."""
        values = {}
        for letter in self:
            user = letter.debtor_id.responsible_id
            if user:
                values[letter] = letter.debtor_id._prepare_activity(user, _("Print and post the letter"))
        return self._create_activities(values)

    @api.model
    def _create_activities(self, values):
        """``{notice: activity}`` of ``{notice: values}``. Quickly: the activity says it, a mail would be one more."""
        activities = self.env["mail.activity"].with_context(mail_activity_quick_update=True).create([*values.values()])
        return dict(zip(values, activities, strict=True))

    def _await_printing(self, activities):
        """These letters were made: somebody prints and posts them.

        :param activities: ``{letter: activity}``
        """
        self.write({"letter_state": TO_PRINT})
        self._keep_activities(activities)

    @api.model
    def _keep_activities(self, activities):
        """``{letter: activity}``: remember what each asks of a person."""
        if not activities:
            return
        letters = self.browse(letter.id for letter in activities)
        letters.flush_recordset(["letter_activity_id"])
        self.env.cr.execute(self._query_keep_activities(letters.ids, [activity.id for activity in activities.values()]))
        letters.invalidate_recordset(["letter_activity_id"], flush=False)

    @api.model
    def _query_keep_activities(self, letter_ids, activity_ids):
        """Write the activity of each letter. Served by the primary key."""
        return SQL(
            """UPDATE collection_notice notice SET letter_activity_id = new.activity_id
                 FROM unnest(%s::int[], %s::int[]) AS new(id, activity_id) WHERE notice.id = new.id""",
            letter_ids,
            activity_ids,
        )
