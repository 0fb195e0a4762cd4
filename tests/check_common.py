from datetime import timedelta

from odoo import Command

from .common import CollectionCommon


class CheckCommon(CollectionCommon):
    """Builders of checks, on top of those of debtors."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Check = cls.env["account.postdated.check"]
        cls.bank = cls.env["res.bank"].create({"name": "Banco del Bajio"})
        cls.journal = cls.company_data["default_journal_bank"]
        accounts = cls.env["account.account"].with_company(cls.company)
        cls.custody_account = accounts.create(
            {"name": "Checks in custody", "code": "105900", "account_type": "asset_receivable", "reconcile": True}
        )
        cls.fee_account = accounts.create({"name": "Bank fees", "code": "701900", "account_type": "expense"})
        cls.penalty_account = accounts.create({"name": "Penalties", "code": "403900", "account_type": "income_other"})
        cls.company.write(
            {
                "collection_check_custody_account_id": cls.custody_account.id,
                "collection_check_journal_id": cls.company_data["default_journal_misc"].id,
                "collection_check_fee_account_id": cls.fee_account.id,
                "collection_check_penalty_account_id": cls.penalty_account.id,
                "collection_check_penalty_percent": 20,
            }
        )
        cls.customer = cls.make_customer("Postdater")

    @classmethod
    def make_check(cls, amount=1000.0, days=0, partner=None, suggest=True, receive=True, **values):
        """A check to be deposited in ``days`` days, received ten days ago."""
        day = cls.today + timedelta(days=days)
        received = min(day, cls.today) - timedelta(days=10)
        check = cls.Check.create(
            {
                "number": f"{cls.Check.search_count([]) + 1:05}",
                "bank_id": cls.bank.id,
                "account_number": "002225700312345678",
                "partner_id": (partner or cls.customer).id,
                "company_id": cls.company.id,
                "currency_id": cls.company.currency_id.id,
                "amount": amount,
                "receipt_date": received,
                "face_date": received,
                "deposit_date": day,
                "journal_id": cls.journal.id,
                **values,
            }
        )
        if suggest:
            check.action_suggest()
        if receive:
            check.action_receive()
        return check

    @classmethod
    def allocate(cls, check, *pairs):
        """Mean the check for ``(invoice, amount)`` pairs."""
        check.line_ids = [
            Command.clear(),
            *(Command.create({"move_line_id": cls.receivable(move).id, "amount": amount}) for move, amount in pairs),
        ]

    def entries(self, check):
        """Journal items of what the check made, as ``{(account, date): balance}``; zeros left out."""
        found = {}
        for line in check.entry_ids.filtered(lambda move: move.state == "posted").line_ids:
            key = (line.account_id, line.date)
            found[key] = found.get(key, 0.0) + line.balance
        return {key: balance for key, balance in found.items() if balance}

    def owed(self, partner=None):
        """Balance of the customer's receivable lines in company currency, whatever the account."""
        lines = self.env["account.move.line"].search(
            [
                ("partner_id", "child_of", (partner or self.customer).id),
                ("account_id.account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
            ]
        )
        return sum(lines.mapped("balance"))
