from ast import literal_eval
from collections import defaultdict

from markupsafe import Markup

from odoo import _, api, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL
from odoo.tools.misc import format_date

from ..engine import checks
from .rights import may_book

# What changes the books, or gives up a claim.
BOOKING = {"deposit", "clear", "bounce", "redeposit", "legal", "cancel", "draft"}


def _join(text, reason):
    """The text, and below it why."""
    return Markup("%s<br/>%s") % (text, reason) if reason else text


class AccountPostdatedCheck(models.Model):
    """Takes checks from one state to the next.

    How to use: the ``action_`` methods for buttons, which ask what they need in a dialog, and the methods of the same
    name without it (``_deposit``, ``_bounce``, ...) with a date. How it works: ``_begin`` holds the rows and asks who
    may and whether it fits; the books follow; ``_finish`` writes the state, the event and the chatter of the checks,
    their debtors and their invoices, a set at a time.
    """

    _inherit = "account.postdated.check"

    # === Actions ===#

    def action_receive(self):
        self._receive()

    def action_deposit(self):
        return self._open_dialog("account_collection.account_postdated_check_deposit_action")

    def action_clear(self):
        self._clear(self._get_today())

    def action_bounce(self):
        return self._open_dialog("account_collection.account_postdated_check_bounce_action")

    def action_redeposit(self):
        self._redeposit(self._get_today())

    def action_return(self):
        self._return(self._get_today())

    def action_replace(self):
        self.ensure_one()
        return self._open_dialog("account_collection.account_postdated_check_replace_action")

    def action_hold(self):
        self._hold(self._get_today())

    def action_resume(self):
        self._resume(self._get_today())

    def action_legal(self):
        self._take_to_court(self._get_today())

    def action_cancel(self):
        self._cancel(self._get_today())

    def action_draft(self):
        self._reset(self._get_today())

    def _open_dialog(self, external_id):
        action = self.env["ir.actions.act_window"]._for_xml_id(external_id)
        context = literal_eval(action["context"] or "{}")
        action["context"] = {**context, "active_model": self._name, "active_ids": self.ids, "active_id": self[:1].id}
        return action

    # === Transitions ===#

    def _receive(self):
        """The paper is here: in custody, and booked so where the company does that."""
        checks_ = self._begin("receive")
        checks_.line_ids._check_allocation()
        checks_.filtered("company_id.collection_check_in_custody_account")._book_custody()
        for date, received in checks_.grouped("receipt_date").items():
            received._finish("receive", date, lambda check: check._get_receipt_text())

    def _deposit(self, date, journal=None):
        """Deposit them all on that day, or none.

        :param journal: in which, in place of each check's own
        :raise UserError: a sentence that names the check at fault
        """
        self._present("deposit", date, journal)

    def _deposit_each(self, date, journal=None):
        """Deposit those that can be, all in one go where nothing is wrong.

        :return: ``{check: sentence}`` of those that could not, which stay as they were; their neighbours are deposited
        """
        if not self:
            return {}
        try:
            with self.env.cr.savepoint():
                self._deposit(date, journal)
            return {}
        except (UserError, ValidationError) as error:
            self.env.invalidate_all()
            if len(self) == 1:
                return {self: str(error)}
        half = len(self) // 2
        return {**self[:half]._deposit_each(date, journal), **self[half:]._deposit_each(date, journal)}

    def _redeposit(self, date):
        """Present bounced checks once more: they pay what of their invoices is open now."""
        self._present("redeposit", date)

    def _present(self, transition, date, journal=None):
        """Take them to the bank: they pay what they were meant to of what is open now."""
        checks_ = self._begin(transition)
        if journal:
            checks_.journal_id = journal
        checks_._check_deposit(date)
        notes = checks_._resettle(date)
        checks_._book_deposit(date)
        checks_._finish(
            transition, date, lambda check: check._get_deposit_text(date, notes.get(check)), {"deposited_on": date}
        )

    def _clear(self, date, by_bank=False):
        """The bank's money is ours; ``by_bank`` when its statement says so."""
        self._begin("clear")._finish(
            "clear",
            date,
            lambda check: _("Cleared: the bank statement shows it.") if by_bank else _("Cleared."),
            {"cleared_on": date, "cleared_by_bank": by_bank},
        )

    def _bounce(self, date, reason, fee=0.0, in_time=None, penalty=True):
        """The bank did not pay: reverse the deposits, so that the invoices are owed again as they were.

        :param reason: what the bank says
        :param fee: what the bank charges for each of them, in company currency
        :param in_time: whether they were presented in time; by default their dates tell
        :param penalty: propose the company's penalty as a draft invoice, where the check was presented in time
        """
        checks_ = self._begin("bounce")
        for check in checks_:
            check.presented_in_time = check._is_in_time() if in_time is None else in_time
        checks_._reverse_entries(date, reason)
        checks_._book_fee(date, fee)
        if penalty:
            checks_._propose_penalties(date)
        for check in checks_:
            check.bounce_count += 1
        checks_._finish(
            "bounce",
            date,
            lambda check: check._get_bounce_text(reason, fee),
            {"bounced_on": date, "bounce_reason": reason, "cleared_on": False, "cleared_by_bank": False},
            note=reason,
        )
        checks_._schedule_bounces(reason)

    def _hold(self, date, reason=None):
        checks_ = self._begin("hold")
        checks_._finish("hold", date, lambda check: _join(_("On hold: it is not deposited."), reason), note=reason)

    def _resume(self, date):
        self._begin("resume")._finish("resume", date, lambda check: _("In custody again."))

    def _return(self, date, reason=None):
        """Give the paper back to the customer, who owes the invoices."""
        checks_ = self._begin("return")
        checks_._reverse_entries(date, reason)
        checks_._finish("return", date, lambda check: _join(_("Given back to the customer."), reason), note=reason)

    def _replace(self, date, values):
        """Take another check instead of this one and return it, in custody, meant for the same invoices.

        :param values: of the new check
        """
        self.ensure_one()
        check = self._begin("replace")
        check._reverse_entries(date, None)
        check._finish("replace", date, lambda check: _("Replaced by check %s.", values.get("number")))
        # The rights of the person: a check is registered by who may register it.
        new = self.create({**self._prepare_replacement(), **values})
        new.sudo().replaces_id = check
        check.replaced_by_id = new
        if new.currency_id == check.currency_id:
            items = new._get_items()
            new.line_ids = new._prepare_lines(checks.settle(new._to_units(new.amount), check._get_shares(), items))
        new._receive()
        return new

    def _prepare_replacement(self):
        """Values of a check like this one, on another paper."""
        self.ensure_one()
        return {
            "bank_id": self.bank_id.id,
            "account_number": self.account_number,
            "drawer": self.drawer,
            "partner_id": self.partner_id.id,
            "company_id": self.company_id.id,
            "amount": self.amount,
            "currency_id": self.currency_id.id,
            "place": self.place,
            "journal_id": self.journal_id.id,
        }

    def _take_to_court(self, date, reason=None):
        checks_ = self._begin("legal")
        checks_._finish("legal", date, lambda check: _join(_("Handed over to the lawyers."), reason), note=reason)

    def _cancel(self, date, reason=None):
        """It never was: what was booked for it is reversed."""
        checks_ = self._begin("cancel")
        checks_._reverse_entries(date, reason)
        checks_._finish("cancel", date, lambda check: _join(_("Cancelled."), reason), note=reason)

    def _reset(self, date):
        checks_ = self._begin("draft")
        checks_._check_papers([check._get_paper() for check in checks_])
        checks_._finish("draft", date, lambda check: _("A draft again."))

    # === Before and after ===#

    def _begin(self, transition):
        """These checks in sudo, held until the transaction ends, when this person may and each of them can."""
        if not self.env.su:
            self._check_may(transition)
        # Two people at once: the second one waits, and then sees what the first one did.
        self.flush_recordset()
        self.env.cr.execute(
            SQL("SELECT id FROM account_postdated_check WHERE id = ANY(%s) ORDER BY id FOR UPDATE", self.ids)
        )
        for check in self:
            try:
                checks.next_state(transition, check.state)
            except ValueError:
                raise UserError(check._get_refusal(transition)) from None
        # sudo: rights were asked above; entries and states are written by nobody's own right
        return self.sudo()

    def _check_may(self, transition):
        if transition in BOOKING and not may_book(self.env):
            raise AccessError(
                _("Depositing, clearing, bouncing and cancelling checks takes the right to invoice, or to manage "
                  "collections.")
            )  # fmt: skip
        # A write that changes nothing asks for the rights on these records.
        self.write({})

    def _check_told_day(self, date):
        """Raise a sentence where a person tells of a day that is still to come, or on which the check was not yet in
        its state."""
        for check in self:
            values = {"check": check.display_name, "date": format_date(self.env, date)}
            today = check._get_today()
            if date > today:
                raise UserError(_("%(check)s: %(date)s is still to come; choose today or an earlier day.", **values))
            # A clearing by hand may have been told of too early.
            first = check.deposited_on if check.state == checks.CLEARED else check.state_date
            if first and date < min(first, today):
                raise UserError(
                    _(
                        "%(check)s is %(state)s since %(first)s: choose that day or a later one.",
                        state=check._get_state_label(),
                        first=format_date(self.env, first),
                        **values,
                    )
                )

    def _get_refusal(self, transition):
        """Why this check cannot make that transition."""
        refusals = {
            "receive": _("%(check)s is %(state)s: only a draft can be received."),
            "hold": _("%(check)s is %(state)s: only a check in custody can be put on hold."),
            "resume": _("%(check)s is %(state)s: it is not on hold."),
            "deposit": _("%(check)s is %(state)s: only a check in custody can be deposited."),
            "clear": _("%(check)s is %(state)s: only a deposited check can be cleared."),
            "bounce": _("%(check)s is %(state)s: only a deposited check can bounce."),
            "redeposit": _("%(check)s is %(state)s: only a bounced check can be deposited again."),
            "return": _("%(check)s is %(state)s: only a check in custody or a bounced one can be given back."),
            "replace": _("%(check)s is %(state)s: only a check in custody or a bounced one can be replaced."),
            "legal": _("%(check)s is %(state)s: only a bounced check goes to the lawyers."),
            "cancel": _("%(check)s is %(state)s: it cannot be cancelled any more."),
            "draft": _("%(check)s is %(state)s: only a cancelled check becomes a draft again."),
        }
        return refusals[transition] % {"check": self.display_name, "state": self._get_state_label()}

    def _finish(self, transition, date, get_text, values=None, note=None):
        """Write the new state and what belongs to it, the events, and the chatter.

        :param get_text: from a check to what its chatter says
        """
        texts = {check: get_text(check) for check in self}
        state = checks.TRANSITIONS[transition][1]
        self.env["account.postdated.check.event"].create([check._prepare_event(state, date, note) for check in self])
        self.write({"state": state, "state_date": date, **(values or {})})
        self._log_everywhere(texts)

    def _prepare_event(self, state, date, note):
        return {
            "check_id": self.id,
            "debtor_id": self.debtor_id.id,
            "date": date,
            "user_id": self.env.uid,
            "old_state": self.state,
            "new_state": state,
            "note": note,
        }

    def _log_everywhere(self, texts):
        """Log ``{check: text}`` on the checks, and with their names on their debtors and on the invoices they pay."""
        self._message_log_batch({check.id: text for check, text in texts.items()})
        lines_of = {
            "collection.debtor": defaultdict(list),
            "account.move": defaultdict(list),
        }
        for check, text in texts.items():
            line = Markup("%s, %s: %s") % (check._get_html_link(), check.currency_id.format(check.amount), text)
            lines_of["collection.debtor"][check.debtor_id.id].append(line)
            for move in check.line_ids.move_id:
                lines_of["account.move"][move.id].append(line)
        for model, lines in lines_of.items():
            lines.pop(False, None)
            self.env[model].browse(lines)._message_log_batch(
                {record_id: Markup("<br/>").join(parts) for record_id, parts in lines.items()}
            )

    # === Texts ===#

    def _get_receipt_text(self):
        return _("Received, to be deposited on %(date)s.", date=format_date(self.env, self.deposit_date))

    def _get_deposit_text(self, date, note):
        text = _(
            "Deposited in %(journal)s on %(date)s.", journal=self.journal_id.name, date=format_date(self.env, date)
        )
        return _join(text, note)

    def _get_bounce_text(self, reason, fee):
        texts = [_("Bounced: %s.", reason) if reason else _("Bounced.")]
        if fee:
            texts.append(_("The bank charges %s.", self.company_id.currency_id.format(fee)))
        if self.penalty_move_id.state == "draft":
            texts.append(_("A penalty of %s is proposed.", self.currency_id.format(self.penalty_move_id.amount_total)))
        return " ".join(texts)

    def _schedule_bounces(self, reason):
        """An activity on each debtor for whoever collects it, in one create."""
        values = []
        for debtor, bounced in self.grouped("debtor_id").items():
            if user := debtor.responsible_id:
                summary = bounced.with_context(lang=user.lang or self.env.lang)._get_bounce_summary()
                values.append(
                    {**debtor._prepare_activity(user, summary), "note": reason and Markup("<p>%s</p>") % reason}
                )
        self.env["mail.activity"].with_context(mail_activity_quick_update=True).create(values)

    def _get_bounce_summary(self):
        return _("Bounced: %s", ", ".join(self.mapped("display_name")))

    # === Helpers ===#

    def _get_today(self):
        """Today where the company is; checks of one transition are of one company or share the day."""
        return (self.company_id[:1] or self.env.company)._get_collection_today()

    def _is_pending(self):
        """Whether what it pays is only meant, and not booked."""
        self.ensure_one()
        return self.state in checks.PENDING and not self.custody_move_id

    @api.model
    def _follow_bank(self, lines):
        """These journal items were matched or released: checks whose deposit the bank statement shows are cleared, and
        those whose match was undone wait again."""
        # sudo: who reconciles a statement need not know of checks
        moves = lines.move_id.sudo()
        followed = (moves.postdated_check_id + moves.postdated_check_slip_id.check_ids).filtered(
            lambda check: check.payment_id and check.state in (*checks.AT_BANK, checks.CLEARED)
        )
        totals_of = {}
        shown_on = defaultdict(self.sudo().browse)
        for check in followed:
            day = check._get_bank_date(totals_of)
            if day and check.state in checks.AT_BANK:
                shown_on[day] |= check
            elif not day and check.state == checks.CLEARED and check.cleared_by_bank:
                check._unclear()
        # A day at a time: a slip may be of a thousand checks.
        for day, shown in shown_on.items():
            shown._clear(day, by_bank=True)

    def _unclear(self):
        """The match with the statement was undone: deposited, as before."""
        before = checks.REDEPOSITED if self.bounce_count else checks.DEPOSITED
        today = self.company_id._get_collection_today()
        self.env["account.postdated.check.event"].create(self._prepare_event(before, today, None))
        self.write({"state": before, "state_date": self.deposited_on, "cleared_on": False, "cleared_by_bank": False})
        self._log_everywhere({self: _("No longer cleared: its match with the bank statement was undone.")})
