from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields, sql_db

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

# What 17.0 calls it.
SECOND = "company_2_data"
# What the chatter of an invoice, a payment or a customer says of its making decides nothing here.
QUIET = {"tracking_disable": True}


class CollectionCommon(AccountTestInvoicingCommon):
    """Builders shared by the tests: customers, invoices due in so many days, payments, nights, dispatches."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # A test is one transaction: what commits between batches in production only writes here.
        for model in ("collection.run", "collection.notice", "collection.campaign"):
            cls.startClassPatcher(
                patch.object(
                    cls.env.registry[model], "_commit", lambda self: (self.env.flush_all(), self.env.invalidate_all())
                )
            )
        # Who prepares the data may do all: on 17.0 this user gets the groups of the administrator, on 19.0 not.
        cls.env.user.sudo().groups_id += cls.env.ref("account_collection.group_collection_manager")
        # su: nights and dispatches are cron jobs; what a user may do is tested as that user.
        cls.env = cls.env(su=True)
        cls.company = cls.env.company
        cls.company.partner_id.email = "collections@company.example.com"
        cls.policy = cls.env.ref("account_collection.policy_default")
        cls.policy.requires_approval = False
        cls.company.collection_policy_id = cls.policy
        cls.today = cls.company._get_collection_today()
        cls.income = cls.company_data["default_account_revenue"]
        cls.Notice = cls.env["collection.notice"]
        cls.Run = cls.env["collection.run"]
        cls.Debtor = cls.env["collection.debtor"]

    @classmethod
    def make_user(cls, login, *groups, company=None, **values):
        company = company or cls.company
        return (
            cls.env["res.users"]
            .with_context(no_reset_password=True)
            .create(
                {
                    "name": login.replace("_", " ").title(),
                    "login": login,
                    "email": f"{login}@company.example.com",
                    "company_id": company.id,
                    "company_ids": [Command.set(company.ids)],
                    "groups_id": [Command.set([cls.env.ref(group).id for group in groups])],
                    **values,
                }
            )
        )

    @classmethod
    def speak_spanish(cls):
        """Activate Mexican Spanish, with the texts of the add-on."""
        cls.env["res.lang"]._activate_lang("es_MX")
        cls.env["ir.module.module"]._load_module_terms(["account_collection"], ["es_MX"])

    @classmethod
    def make_customer(cls, name="Customer", **values):
        values = cls.prepare_customer(name, **values)
        return cls.env["res.partner"].with_context(**QUIET).create(values).with_env(cls.env)

    @classmethod
    def make_customers(cls, *names, **values):
        prepared = [cls.prepare_customer(name, **values) for name in names]
        return cls.env["res.partner"].with_context(**QUIET).create(prepared).with_env(cls.env)

    @classmethod
    def prepare_customer(cls, name, **values):
        email = f"{name.lower().replace(' ', '.')}@customer.example.com"
        return {"name": name, "email": email, "is_company": True, "street": "1 High Street", "city": "Leon", **values}

    @classmethod
    def make_invoice(cls, partner, amount=1000.0, days=0, move_type="out_invoice", post=True, data=None, **values):
        """A posted invoice whose effective due date was ``days`` days ago (negative: lies ahead), unless payment terms
        are among the values.

        :param data: those of another company, see :meth:`other_company_data`
        """
        data = data or cls.company_data
        values = cls.prepare_invoice(partner, amount, days, data=data, move_type=move_type, **values)
        move = cls.env["account.move"].with_company(data["company"]).with_context(**QUIET).create(values)
        if post:
            move.action_post()
        return move.with_env(cls.env)

    @classmethod
    def make_invoices(cls, *items, **values):
        """Posted invoices of ``(partner, amount, days)`` each, made at once: alone each takes twice the time."""
        prepared = [cls.prepare_invoice(*item, **values) for item in items]
        moves = cls.env["account.move"].with_context(**QUIET).create(prepared)
        moves.action_post()
        return moves.with_env(cls.env)

    @classmethod
    def prepare_invoice(cls, partner, amount, days, data=None, **values):
        """The values of :meth:`make_invoice`, for tests that make many at once."""
        due = cls.today - timedelta(days=days)
        if not values.get("invoice_payment_term_id"):
            values = {"invoice_payment_term_id": False, "invoice_date_due": due, **values}
        line = {
            "name": "Goods",
            "quantity": 1,
            "price_unit": amount,
            "account_id": (data or cls.company_data)["default_account_revenue"].id,
            "tax_ids": [Command.clear()],
        }
        return {
            "move_type": "out_invoice",
            "partner_id": partner.id,
            "invoice_date": min(due, cls.today) - timedelta(days=30),
            "invoice_line_ids": [Command.create(line)],
            **values,
        }

    @classmethod
    def make_currency(cls, name, rates, rounding=0.01):
        """A currency of which one of the company's buys ``rates``, {days ago, or the day itself: rate}."""
        return cls.env["res.currency"].create(
            {
                "name": name,
                "symbol": name[0],
                "rounding": rounding,
                "rate_ids": [
                    Command.create(
                        {
                            "name": cls.today - timedelta(days=since) if isinstance(since, int) else since,
                            "rate": rate,
                            "company_id": cls.company.id,
                        }
                    )
                    for since, rate in rates.items()
                ],
            }
        )

    @classmethod
    def setup_company_data(cls, company_name, *args, **kwargs):
        if company_name == SECOND:
            return {"company": cls.env["res.company"]}
        return super().setup_company_data(company_name, *args, **kwargs)

    @classmethod
    def other_company_data(cls):
        """A second company with its accounts, made on demand as 19.0 does: 17.0 would make one for each class."""
        if hasattr(cls, "setup_other_company"):
            return cls.setup_other_company()
        return super().setup_company_data(SECOND)

    @classmethod
    def set_channels(cls, levels, *channels):
        """These channels, in this order, for each of ``levels``."""
        ways = [Command.create({"channel": channel}) for channel in channels]
        levels.write({"channel_ids": [Command.clear(), *ways]})

    @classmethod
    def receivable(cls, move):
        return move.line_ids.filtered(lambda line: line.account_id.account_type == "asset_receivable")

    @classmethod
    def pay(cls, move, amount=None, date=None):
        """Register a payment of ``amount`` (default: all that is open) on an invoice."""
        values = {"payment_date": date or cls.today, "journal_id": cls.company_data["default_journal_bank"].id}
        if amount:
            values["amount"] = amount
        wizard = (
            cls.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=move.ids, **QUIET)
            .create(values)
        )
        return wizard._create_payments().with_env(cls.env)

    @classmethod
    def pay_on_account(cls, partner, amount, date=None, **values):
        """A payment that no invoice is reconciled with."""
        payment = (
            cls.env["account.payment"]
            .with_context(**QUIET)
            .create(
                {
                    "payment_type": "inbound",
                    "partner_type": "customer",
                    "partner_id": partner.id,
                    "amount": amount,
                    "date": date or cls.today,
                    "journal_id": cls.company_data["default_journal_bank"].id,
                    **values,
                }
            )
        )
        payment.action_post()
        return payment.with_env(cls.env)

    @contextmanager
    def undone(self):
        """What happens within is taken back, as between two tests."""
        savepoint = self.env.cr.savepoint()
        try:
            yield
        finally:
            savepoint.close(rollback=True)
            self.env.invalidate_all()

    @classmethod
    def settle(cls):
        """What a commit does: the debtors that were touched get their balances."""
        cls.env.cr.flush()
        cls.env["collection.debtor.touch"]._drain()

    @classmethod
    def debtor(cls, partner, company=None):
        cls.settle()
        return cls.Debtor.search(
            [("partner_id", "=", partner.commercial_partner_id.id), ("company_id", "=", (company or cls.company).id)]
        )

    @classmethod
    def night(cls, today=None):
        """The nightly run of the test company alone; returns the notices that it added."""
        before = cls.Notice.search([])
        cls.settle()
        cls.Debtor._refresh_balances()
        cls.Run.with_company(cls.company)._run_company(cls.company, today or cls.today)
        return cls.Notice.search([]) - before

    def count_statements(self, work, know=None):
        """SQL statements that ``work`` takes, with nothing known beforehand but what ``know`` reads."""
        self.env.flush_all()
        self.env.invalidate_all()
        if know:
            know()
        before = sql_db.sql_counter
        work()
        self.env.flush_all()
        return sql_db.sql_counter - before

    def notices(self, partner):
        return self.Notice.search([("partner_id", "=", partner.commercial_partner_id.id)])

    def days_ago(self, days):
        return fields.Date.subtract(self.today, days=days)
