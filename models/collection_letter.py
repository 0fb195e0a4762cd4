from odoo import _, fields, models

from ..engine import dunning
from ..engine.keys import notice_key
from .collection_debtor_dunning import Occasion, speak
from .notice_states import QUEUED

# Made while the person waits, some 15 s; the dispatcher makes the others.
AT_ONCE = 500


class CollectionLetter(models.Model):
    """A letter that a person sends to chosen debtors: its content, as a campaign's or a level's.

    *How to use.* ``letter._send(debtors)``, by whoever has the right to send, with the debtors that this person sees.

    *How it works.* As a campaign: notices of the day's run of what is sent by hand, with a key of the debtor and the
    day, so that nobody gets two; the dispatcher makes the PDFs and checks each again.
    """

    _name = "collection.letter"
    _description = "Letter by Hand"
    _inherit = ["collection.content"]
    _order = "id desc"

    name = fields.Char(required=True, readonly=True)
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True, ondelete="cascade")
    template_id = fields.Many2one(required=True, readonly=True)
    notice_ids = fields.One2many("collection.notice", "letter_id", string="Notices", readonly=True)

    def _get_companies(self):
        return self.company_id

    def _get_channels(self):
        return ["letter"]

    def _get_follow_up(self):
        return self.env["mail.activity.type"], 0

    # === Send ===#

    def _send(self, debtors):
        """Make the letters of these debtors.

        :return: ``{debtor: why it gets none}``
        """
        self.ensure_one()
        today = self.company_id._get_collection_today()
        left_out = self._get_obstacles(debtors, today)
        # sudo: runs and notices are made by the system; the right to send was checked
        letter = self.sudo()
        run = letter.env["collection.run"]._open_run(self.company_id, today, "manual")[0]
        notices, lines, settled = letter._decide(run, debtors - debtors.browse(d.id for d in left_out), today)
        letter.env["collection.notice"]._enqueue(notices, lines)
        keys = [row[0] for row in notices]
        made = letter.env["collection.notice"].search([("dedupe_key", "in", keys), ("letter_id", "=", False)])
        made.letter_id = letter
        made.sorted("id")[:AT_ONCE]._dispatch_by_hand()
        run._settle_states()
        letter.env["collection.notice"]._trigger_dispatch()
        return {**left_out, **dict.fromkeys(settled, _("Nothing to ask for: paid, credited, disputed or covered"))}

    def _get_obstacles(self, debtors, today):
        """``{debtor: why it gets no letter today}``, whatever it owes."""
        # sudo: one letter a day, whoever sent it
        Notice = self.env["collection.notice"].sudo()
        keys = {self._get_key(debtor.id, today): debtor for debtor in debtors}
        written_to = {keys[notice.dedupe_key] for notice in Notice.search([("dedupe_key", "in", list(keys))])}
        obstacles = {}
        for debtor in debtors:
            if not debtor.partner_id.active:
                obstacles[debtor] = _("The customer was archived")
            elif debtor._is_on_hold(today):
                obstacles[debtor] = _("The customer is on hold or excluded")
            elif not debtor._has_postal_address():
                obstacles[debtor] = _("No postal address")
            elif debtor in written_to:
                obstacles[debtor] = _("A letter was sent by hand today already")
        return obstacles

    def _decide(self, run, debtors, today):
        """Rows for ``collection.notice._enqueue``, and the debtors with nothing to be asked for."""
        positions, units = self.env["collection.debtor"]._get_positions(self.company_id, today, debtors.ids)
        occasion = Occasion(self.company_id.id, run.id, today, units)
        rungs = dunning.Rungs([], today)
        notices, lines, owing = [], [], set()
        for position in positions:
            items = self._get_items(position, units, rungs)
            if not items:
                continue
            owing.add(position.debtor_id)
            key = self._get_key(position.debtor_id, today)
            spoken = speak(key, None, items, rungs, units, today)
            notices.append(occasion.prepare_notice(key, position.debtor_id, None, "letter", QUEUED, spoken=spoken))
            lines += spoken.rows
        return notices, lines, debtors.filtered(lambda debtor: debtor.id not in owing)

    def _get_key(self, debtor_id, today):
        return notice_key(self.company_id.id, debtor_id, "letter", today, "letter")
