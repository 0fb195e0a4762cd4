from odoo import Command, _, models
from odoo.exceptions import UserError

from ..engine import dunning
from ..engine.keys import notice_key
from .collection_campaign import OVERDUE
from .collection_debtor_dunning import Occasion, speak
from .notice_states import FAILED, OUTGOING, PROPOSED, QUEUED, SENT, SKIPPED


class CollectionCampaign(models.Model):
    """Makes the notices of a campaign.

    *How it works.* As in a night: the items of the company's debtors are read in one statement, the engine says what
    may be asked for, one statement writes the notices. A run is one per campaign and day: a second time adds nothing.
    """

    _inherit = "collection.campaign"

    # === Actions ===#

    def action_send(self):
        """Queue it now, to everyone."""
        return self._send_by_hand(QUEUED)

    def action_propose(self):
        """Make a proposal that a person reads, prunes and approves."""
        return self._send_by_hand(PROPOSED)

    def _send_by_hand(self, state):
        self.ensure_one()
        self._check_manager()
        if not self.active:
            raise UserError(_("“%(campaign)s” is archived: nothing leaves.", campaign=self.name))
        self._check_text()
        # sudo: runs and notices are made by the system; the right to send was checked
        run = self.sudo()._send(self.company_id._get_collection_today(), state)
        self.env["collection.notice"]._trigger_dispatch()
        return {
            "type": "ir.actions.act_window",
            "res_model": "collection.run",
            "res_id": run.id,
            "view_mode": "form",
        }

    def action_test(self):
        """Send what the first of its debtors would receive to whoever asks for it."""
        self.ensure_one()
        self._check_manager()
        user = self.env.user
        if not user.email:
            raise UserError(_("Your user has no mail address to send a test to."))
        with self._sampled() as notice:
            if not notice:
                raise UserError(_("Nobody would receive “%(campaign)s” now.", campaign=self.name))
            values = self._prepare_test(notice)
        # sudo: mails are written by the system; this one goes to whoever asked
        self.env["mail.mail"].sudo().create({**values, "email_to": user.email_formatted, "auto_delete": True})
        self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": _("A test is on its way to %(address)s.", address=user.email),
            },
        }

    def _prepare_test(self, notice):
        """Values of a mail like the one that this notice would be."""
        text = self._render_sample(notice)
        _author, sender = notice._get_sender(text.sender)
        customer = notice.debtor_id.display_name
        values = {
            "subject": _("Test for %(customer)s: %(subject)s", customer=customer, subject=text.subject),
            "body_html": text.body,
            "email_from": sender,
            "reply_to": text.reply_to,
        }
        if self.attach_statement:
            document = self._print_sample(notice)
            statement = {"name": document.name, "raw": document.raw, "mimetype": document.mimetype}
            values["attachment_ids"] = [Command.create(statement)]
        return values

    def _get_sample_debtors(self):
        return self.env["collection.debtor"].search(self._get_audience_domain())

    def _get_sample_owners(self, today):
        values = {"company_id": self.company_id.id, "kind": "campaign", "campaign_id": self.id, "date": today}
        return self._get_run(today) or self.env["collection.run"].create(values), self.env["collection.level"]

    # === Decide ===#

    def _send(self, today, state=None):
        """Make the run of the day and its notices; returns the run.

        :param state: of the notices; by default proposed where the campaign asks for approval, else queued
        :raise UserError: when the campaign was sent that day already
        """
        self.ensure_one()
        run = self._get_run(today)
        if run:
            self._withdraw_proposal(run)
        run = run or run.create(
            {"company_id": self.company_id.id, "kind": "campaign", "campaign_id": self.id, "date": today}
        )
        state = state or (PROPOSED if self.requires_approval else QUEUED)
        notices, lines, remark = self._decide(run, today, state)
        self.env["collection.notice"]._enqueue(notices, lines)
        run._settle_states(remark)
        return run

    def _get_run(self, today):
        self.ensure_one()
        return self.env["collection.run"].search([("campaign_id", "=", self.id), ("date", "=", today)])

    def _withdraw_proposal(self, run):
        """Take back what was proposed earlier that day, so that the same customers may be written to after all.

        :raise UserError: when some of it has left or is about to
        """
        if run._get_with_notices([QUEUED, OUTGOING, SENT, FAILED]):
            raise UserError(
                _(
                    "“%(campaign)s” was sent today: see its run. Two messages on one day are one too many.",
                    campaign=self.name,
                )
            )
        run.notice_ids.unlink()
        run.state = "approved"

    def _decide(self, run, today, state):
        """Rows for ``collection.notice._enqueue``, and a remark for the person who reads the run."""
        Debtor = self.env["collection.debtor"].sudo()
        # Today's balances choose, the items decide.
        self.env["collection.debtor.touch"].sudo()._drain()
        chosen = frozenset(Debtor.search(self._get_audience_domain()).ids)
        frequent = self.env["collection.notice"]._get_frequent(self.company_id, today)
        positions, units = Debtor._get_positions(self.company_id, today, documents=self._get_documents(today))
        occasion = Occasion(self.company_id.id, run.id, today, units)
        rungs = dunning.Rungs([], today)
        notices, lines, left_out = [], [], 0
        for position in positions:
            if position.debtor_id not in chosen:
                continue
            items = self._get_items(position, units, rungs)
            if not items:
                continue
            reason = frequent.get(position.debtor_id)
            left_out += bool(reason)
            key = notice_key(self.company_id.id, position.debtor_id, f"campaign-{self.id}", today, self.channel)
            spoken = speak(key, None, items, rungs, units, today)
            notices.append(
                occasion.prepare_notice(
                    *(key, position.debtor_id, None, self.channel),
                    *(SKIPPED if reason else state, reason, spoken),
                )
            )
            lines += spoken.rows
        remark = _(
            "%(count)s of %(chosen)s chosen debtors get a message; the others have nothing to be asked for, wait for "
            "another message or had enough of them.",
            count=len(notices) - left_out,
            chosen=len(chosen),
        )
        return notices, lines, remark

    def _get_items(self, position, units, rungs):
        """What the message lists of a debtor's items, oldest first; nothing where that is less than the minimum."""
        items = super()._get_items(position, units, rungs)
        if self.content == OVERDUE:
            items = [item for item in items if rungs[item.due][0] > 0]
        enough = sum(item.company_residual for item in items) >= round(self.minimum_amount * units.company_scale)
        return items if enough else []
