from odoo import _, fields, models
from odoo.exceptions import UserError

from ..engine import checks


class AccountPostdatedCheck(models.Model):
    """What a bounced check costs us, and what we claim for it. For a set of checks in sudo, as the books."""

    _inherit = "account.postdated.check"

    def _is_in_time(self):
        """Whether it was presented in time: only then is there a claim for damages."""
        return bool(self.deposited_on) and checks.in_time(self.deposited_on, self.face_date, self.place)

    def _book_fee(self, date, fee):
        """What the bank charges for each of these checks, on the account that its statement will be matched with."""
        if fee < 0:
            raise UserError(_("The bank's fee cannot be below zero."))
        if not fee:
            return
        values = []
        for check in self:
            account = check.company_id.collection_check_fee_account_id
            if not account:
                raise UserError(
                    _(
                        "%(check)s: choose the account of the bank's fees in the settings of %(company)s.",
                        check=check.display_name,
                        company=check.company_id.display_name,
                    )
                )
            values.append(check._prepare_fee_entry(date, fee, account))
        self.env["account.move"].create(values)._post(soft=False)

    def _prepare_fee_entry(self, date, fee, account):
        name = _("Bank fee of %s", self.display_name)
        bank = self.env["account.payment"]._get_collection_outstanding_account(self._get_payment_method_line())
        return {
            "move_type": "entry",
            "journal_id": self.journal_id.id,
            "company_id": self.company_id.id,
            "date": date,
            "ref": name,
            "postdated_check_id": self.id,
            "line_ids": [
                fields.Command.create({"name": name, "account_id": account.id, "balance": fee}),
                fields.Command.create({"name": name, "account_id": bank.id, "balance": -fee}),
            ],
        }

    def _propose_penalties(self, date):
        """Draft invoices of the penalty for the checks that were presented in time, one for each check however often
        it bounces; a person confirms them."""
        claimed = self.filtered(lambda check: check.presented_in_time and check._get_penalty_amount())
        invoices = self.env["account.move"].create([check._prepare_penalty(date) for check in claimed])
        for check, invoice in zip(claimed, invoices):
            check.penalty_move_id = invoice

    def _get_penalty_amount(self):
        """What would be proposed; nothing where it was proposed before and that one stands."""
        if self.penalty_move_id.state in ("draft", "posted"):
            return 0.0
        return self.currency_id.round(self.amount * self.company_id.collection_check_penalty_percent / 100)

    def _prepare_penalty(self, date):
        company = self.company_id
        account = company.collection_check_penalty_account_id
        # Odoo cannot read the texts of a file where a formatted string is among the arguments of one.
        percent = f"{company.collection_check_penalty_percent:g}"
        line = {
            "name": _(
                "%(percent)s %% of %(check)s, which the bank did not pay",
                percent=percent,
                check=self.display_name,
            ),
            "quantity": 1,
            "price_unit": self._get_penalty_amount(),
            # Damages are no sale: no tax on them.
            "tax_ids": [fields.Command.clear()],
        }
        return {
            "move_type": "out_invoice",
            "company_id": company.id,
            "partner_id": self.partner_id.id,
            "currency_id": self.currency_id.id,
            "invoice_date": date,
            "ref": self.display_name,
            "postdated_check_id": self.id,
            "invoice_line_ids": [
                fields.Command.create({**line, "account_id": account.id} if account else line),
            ],
        }
