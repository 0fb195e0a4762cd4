from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import CollectionCommon

COLLECTION_MODELS = (
    "collection.debtor",
    "collection.debtor.balance",
    "collection.debtor.touch",
    "collection.policy",
    "collection.priority.rule",
    "collection.level",
    "collection.level.channel",
    "collection.run",
    "collection.campaign",
    "collection.letter",
    "collection.group",
    "collection.contact.group",
    "collection.notice",
    "collection.notice.line",
    "collection.review.report",
    "collection.cash.plan",
    "collection.forecast",
    "collection.forecast.report",
    "collection.effect",
    "collection.effect.line",
    "collection.portfolio",
    "collection.promise",
    "collection.dispute",
    "collection.interaction",
    "collection.alert.rule",
    "collection.alert",
    "collection.snapshot",
)


class RightsCommon(CollectionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.viewer = cls.make_user("viewer", "account_collection.group_collection_viewer")
        cls.collector = cls.make_user("collector", "account_collection.group_collection_collector")
        cls.other_collector = cls.make_user("other_collector", "account_collection.group_collection_collector")
        cls.collecting_sender = cls.make_user(
            "collecting_sender",
            "account_collection.group_collection_collector",
            "account_collection.group_collection_sender",
        )
        cls.sender = cls.make_user("sender", "account_collection.group_collection_sender")
        cls.manager = cls.make_user("manager", "account_collection.group_collection_manager")
        cls.invoicing = cls.make_user("invoicing", "account.group_account_invoice", "base.group_partner_manager")
        cls.employee = cls.make_user("employee", "base.group_user")
        cls.portal = cls.make_user("portal", "base.group_portal")

    @classmethod
    def make_debtor(cls, name, collector=None, days=20):
        partner = cls.make_customer(name)
        cls.make_invoice(partner, 1000, days=days)
        debtor = cls.debtor(partner)
        debtor.collector_id = collector
        return debtor

    def seen_by(self, user, records):
        """Those of ``records`` that ``user`` finds."""
        found = records.with_user(user).search([("id", "in", records.ids)])
        return records.browse(found.ids)

    def assert_own_seen(self, mine, theirs):
        """A collector finds ``mine``, the other one ``theirs``, who sees all finds both, and nobody else any."""
        both = mine + theirs
        for user, seen in (
            (self.collector, mine),
            (self.other_collector, theirs),
            (self.viewer, both),
            (self.manager, both),
        ):
            self.assertEqual(self.seen_by(user, both), seen, user.login)
        for user in (self.invoicing, self.employee, self.portal):
            with self.assertRaises(AccessError):
                self.seen_by(user, both)


@tagged("post_install", "-at_install")
class TestRights(RightsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mine = cls.make_debtor("Mine", cls.collector)
        cls.theirs = cls.make_debtor("Theirs", cls.other_collector)
        cls.nobodys = cls.make_debtor("Nobodys")
        cls.debtors = cls.mine | cls.theirs | cls.nobodys
        cls.policy.requires_approval = True
        cls.all_notices = cls.night()
        cls.proposal = cls.all_notices.run_id

    # === Reading ===#

    def test_viewer_sender_and_manager_see_every_debtor_and_a_collector_the_own_ones(self):
        lines = self.all_notices.line_ids
        self.assertEqual(len(lines), 3)
        for user in (self.viewer, self.sender, self.manager):
            self.assertEqual(self.seen_by(user, self.debtors), self.debtors, user.login)
            self.assertEqual(self.seen_by(user, self.all_notices), self.all_notices, user.login)
            self.assertEqual(self.seen_by(user, lines), lines, user.login)
        for user in (self.collector, self.collecting_sender):
            own = self.debtors.filtered(lambda debtor: debtor.collector_id == user)
            self.assertEqual(self.seen_by(user, self.debtors), own, user.login)
            self.assertEqual(self.seen_by(user, self.all_notices).debtor_id, own, user.login)
            self.assertEqual(self.seen_by(user, lines).notice_id.debtor_id, own, user.login)
            self.assertEqual(self.seen_by(user, self.proposal), self.proposal, user.login)

    def test_a_collector_neither_reads_nor_exports_the_debtor_of_another(self):
        self.collector.groups_id += self.env.ref("base.group_allow_export")
        mine, theirs = self.mine.with_user(self.collector), self.theirs.with_user(self.collector)
        self.assertEqual(mine.read(["overdue"])[0]["overdue"], 1000)
        self.assertEqual(mine.export_data(["partner_id", "overdue"])["datas"], [["Mine", 1000]])
        with self.assertRaises(AccessError):
            theirs.read(["overdue"])
        with self.assertRaises(AccessError):
            theirs.export_data(["partner_id", "overdue"])
        with self.assertRaises(AccessError):
            theirs._get_statement()
        groups = self.Debtor.with_user(self.collector).read_group([], ["overdue:sum"], [])
        self.assertEqual(groups[0]["overdue"], 1000)

    def test_an_invoice_or_a_customer_of_another_collector_names_no_debtor(self):
        invoice = self.theirs.open_line_ids.move_id
        names = ["collection_collector_id", "collection_debtor_id", "collection_notice_count", "collection_level_id"]
        values = invoice.with_user(self.collector).read(names)[0]
        self.assertEqual([values[name] for name in names], [False, False, 0, False])
        specification = {"collection_collector_id": {"fields": {"display_name": {}}}}
        specification["collection_debtor_id"] = {"fields": {"display_name": {}}}
        seen = invoice.with_user(self.viewer).web_read(specification)[0]
        self.assertEqual(seen["collection_debtor_id"]["display_name"], "Theirs")
        self.assertFalse(invoice.with_user(self.collector).web_read(specification)[0]["collection_debtor_id"])
        partner = self.theirs.partner_id.with_user(self.collector)
        self.assertFalse(partner.collection_debtor_id or partner.collection_debtor_ids)

    def test_companies_are_apart(self):
        other_company = self.env["res.company"].sudo().create({"name": "Strangers"})
        stranger = self.make_user("stranger", "account_collection.group_collection_manager", company=other_company)
        shared = self.env["collection.policy"].create({"name": "Shared"})
        local = self.env["collection.policy"].create({"name": "Local", "company_id": self.company.id})
        level = {"name": "L", "day_from": 1, "template_id": self.policy.level_ids[:1].template_id.id}
        levels = self.env["collection.level"].create(
            [{**level, "policy_id": shared.id}, {**level, "policy_id": local.id}]
        )
        for records in (self.debtors, self.all_notices, self.all_notices.line_ids, self.proposal):
            self.assertFalse(self.seen_by(stranger, records), records._name)
            with self.assertRaises(AccessError):
                records.with_user(stranger).read(["company_id"])
        self.assertEqual(self.seen_by(stranger, shared | local), shared)
        self.assertEqual(self.seen_by(stranger, levels), levels[0])
        self.assertEqual(self.seen_by(stranger, levels.channel_ids), levels[0].channel_ids)
        self.assertEqual(self.seen_by(self.manager, shared | local), shared | local)

    def test_who_has_no_right_on_collections_reads_none_of_its_records(self):
        for user in (self.invoicing, self.employee, self.portal):
            for model in COLLECTION_MODELS:
                with self.assertRaises(AccessError, msg=f"{user.login} {model}"):
                    self.env[model].with_user(user).search([])

    def test_a_customer_does_not_read_why_an_invoice_is_not_dunned(self):
        names = ["collection_no_dun", "collection_no_dun_reason", "collection_no_dun_until"]
        self.assertFalse(self.env["account.move"].with_user(self.portal).fields_get(names))
        self.assertEqual(set(self.env["account.move"].with_user(self.invoicing).fields_get(names)), set(names))

    # === Writing ===#

    def test_a_collector_holds_the_own_debtors_and_assigns_none(self):
        mine = self.mine.with_user(self.collector)
        copied = self.make_customer("Copied")
        mine.write({"hold": True, "hold_reason": "Promised", "cc_partner_ids": [Command.link(copied.id)]})
        self.assertTrue(self.mine.hold)
        mine.action_lift_hold()
        self.assertEqual((self.mine.hold, self.mine.hold_reason), (False, False))
        for values in (
            {"collector_id": self.other_collector.id},
            {"policy_id": self.policy.id},
            {"excluded": True},
        ):
            with self.assertRaises(AccessError, msg=str(values)):
                mine.write(values)
        with self.assertRaises(AccessError):
            self.theirs.with_user(self.collector).write({"hold": True})
        for debtor in (mine, self.mine.with_user(self.manager)):
            with self.assertRaises(AccessError):
                debtor.unlink()
            with self.assertRaises(AccessError):
                debtor.create({"partner_id": copied.id, "company_id": self.company.id})

    def test_a_manager_assigns_any_debtor(self):
        self.nobodys.with_user(self.manager).write(
            {"collector_id": self.collector.id, "policy_id": self.policy.id, "excluded": True}
        )
        self.assertEqual(self.nobodys.collector_id, self.collector)
        self.assertEqual(self.seen_by(self.collector, self.debtors), self.mine | self.nobodys)

    def test_viewer_and_sender_write_on_no_debtor(self):
        for user in (self.viewer, self.sender):
            for values in ({"hold": True}, {"collector_id": user.id}):
                with self.assertRaises(AccessError):
                    self.mine.with_user(user).write(values)

    def test_balances_are_nobodys_to_write(self):
        for user in (self.collector, self.manager):
            with self.assertRaises(AccessError):
                self.mine.with_user(user).write({"overdue": 1})
            with self.assertRaises(AccessError):
                self.mine.with_user(user).write({"partner_id": self.theirs.partner_id.id})
        self.assertEqual(self.mine.overdue, 1000)

    def test_only_a_manager_changes_policies_and_levels(self):
        level = self.policy.level_ids[:1]
        for user in (self.viewer, self.collector, self.sender):
            self.assertTrue(level.with_user(user).read(["name"]))
            with self.assertRaises(AccessError):
                level.with_user(user).write({"name": "Mine now"})
            with self.assertRaises(AccessError):
                level.channel_ids.with_user(user).write({"channel": "call"})
            with self.assertRaises(AccessError):
                self.policy.with_user(user).write({"requires_approval": False})
        self.policy.with_user(self.manager).requires_approval = False
        self.assertFalse(self.policy.requires_approval)

    def test_who_follows_a_debtor_may_talk_in_its_chatter(self):
        self.mine.with_user(self.viewer).message_post(body="Called them")
        self.proposal.with_user(self.sender).message_post(body="Looks fine")
        self.assertIn("Called them", self.mine.message_ids[0].body)
        with self.assertRaises(AccessError):
            self.theirs.with_user(self.collector).message_post(body="Not mine")

    # === Sending ===#

    def test_only_a_sender_approves_retries_and_cancels(self):
        for user in (self.viewer, self.collector):
            with self.assertRaises(UserError):
                self.proposal.with_user(user).action_approve()
            with self.assertRaises(UserError):
                self.proposal.with_user(user).action_cancel()
            with self.assertRaises(UserError):
                self.seen_by(user, self.all_notices).with_user(user).action_cancel()
        self.assertEqual(set(self.all_notices.mapped("state")), {"proposed"})
        mine = self.notices(self.mine.partner_id)
        mine.with_user(self.sender).action_cancel()
        self.proposal.with_user(self.sender).action_approve()
        self.assertEqual(
            (mine.state, self.proposal.state, self.proposal.approved_by_id), ("cancelled", "approved", self.sender)
        )
        self.assertEqual(set((self.all_notices - mine).mapped("state")), {"queued"})

    def test_a_sender_approves_what_this_person_sees_and_leaves_the_rest_a_proposal(self):
        self.nobodys.collector_id = self.collecting_sender
        own = self.notices(self.nobodys.partner_id)
        self.proposal.with_user(self.collecting_sender).action_approve()
        self.assertEqual(own.state, "queued")
        self.assertEqual(set((self.all_notices - own).mapped("state")), {"proposed"})
        self.assertEqual(self.proposal.state, "proposal")
        self.proposal.with_user(self.manager).action_approve()
        self.assertEqual(set(self.all_notices.mapped("state")), {"queued"})
        self.assertEqual((self.proposal.state, self.proposal.approved_by_id), ("approved", self.manager))

    def test_a_sender_cancels_what_this_person_sees(self):
        self.nobodys.collector_id = self.collecting_sender
        own = self.notices(self.nobodys.partner_id)
        self.proposal.with_user(self.collecting_sender).action_cancel()
        self.assertEqual(own.state, "cancelled")
        self.assertEqual(set((self.all_notices - own).mapped("state")), {"proposed"})
        self.assertEqual(self.proposal.state, "proposal")
        self.proposal.with_user(self.sender).action_cancel()
        self.assertEqual((self.proposal.state, set(self.all_notices.mapped("state"))), ("cancelled", {"cancelled"}))

    def test_a_notice_of_another_collector_cannot_be_touched(self):
        theirs = self.notices(self.theirs.partner_id)
        with self.assertRaises(AccessError):
            theirs.with_user(self.collecting_sender).action_cancel()
        self.assertEqual(theirs.state, "proposed")

    def test_notices_and_runs_change_through_their_buttons_alone(self):
        for user in (self.collector, self.sender, self.manager):
            for records in (self.proposal, self.notices(self.mine.partner_id)):
                with self.assertRaises(AccessError):
                    records.with_user(user).write({"state": "approved" if records == self.proposal else "queued"})
                with self.assertRaises(AccessError):
                    records.with_user(user).unlink()

    # === Screens ===#

    def test_each_person_opens_the_screens(self):
        fields_of = {
            "collection.debtor": ["partner_id", "overdue", "effective_policy_id", "recipient", "open_line_ids"],
            "collection.notice": ["why", "recipient", "line_count", "amount", "collector_id"],
            "collection.run": ["name", "notice_count", "waiting_count", "amount"],
            "collection.policy": ["name", "level_ids", "is_company_default"],
            "collection.level": ["name", "channel_ids", "channels_text"],
        }
        for user in (self.viewer, self.collector, self.sender, self.manager):
            for model, names in fields_of.items():
                Model = self.env[model].with_user(user)
                owner = "policy_id.company_id" if model == "collection.level" else "company_id"
                rows = Model.search([(owner, "in", (False, self.company.id))]).read(names)
                self.assertTrue(rows, (user.login, model))
                self.assertTrue(Model.get_views([(False, "form"), (False, "search")])["views"]["form"]["arch"])

    def test_the_menu_is_for_those_who_have_a_right(self):
        menu = self.env.ref("account_collection.menu_root")
        configuration = self.env.ref("account_collection.menu_configuration")
        for user in (self.viewer, self.collector, self.sender, self.manager, self.invoicing, self.employee):
            visible = self.env["ir.ui.menu"].with_user(user)._visible_menu_ids()
            self.assertEqual(menu.id in visible, user not in (self.invoicing, self.employee), user.login)
            self.assertEqual(configuration.id in visible, user == self.manager, user.login)


@tagged("post_install", "-at_install")
class TestInvoicingUser(RightsCommon):
    """Who invoices and has no right on collections works as if the add-on were not there."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls.make_customer("Ordinary")
        cls.as_invoicing = cls.env(user=cls.invoicing)

    def invoice(self, amount=1000, days=20):
        """An invoice that the invoicing user makes and posts."""
        move = self.make_invoice(self.customer, amount, days=days, post=False).with_env(self.as_invoicing)
        move.action_post()
        self.env.cr.flush()
        return move

    def pay_as_user(self, move):
        wizard = (
            self.as_invoicing["account.payment.register"]
            .with_context(active_model="account.move", active_ids=move.ids)
            .create({"journal_id": self.company_data["default_journal_bank"].id})
        )
        return wizard._create_payments()

    def test_posts_pays_and_resets(self):
        move = self.invoice()
        self.assertEqual(self.debtor(self.customer).overdue, 1000)
        notice = self.night()
        payment = self.pay_as_user(move)
        self.assertIn(move.payment_state, ("in_payment", "paid"))
        self.assertEqual((notice.state, self.debtor(self.customer).overdue), ("cancelled", 0))
        self.assertEqual(notice.reason, "Paid or withdrawn before it left")
        lines = (move.line_ids + payment.move_id.line_ids).filtered(
            lambda line: line.account_id.account_type == "asset_receivable"
        )
        lines.remove_move_reconcile()
        self.assertEqual(self.debtor(self.customer).not_due + self.debtor(self.customer).overdue, 1000)
        lines.reconcile()
        self.assertEqual(self.debtor(self.customer).total_due, 0)

    def test_resets_to_draft_and_deletes(self):
        move = self.invoice()
        self.debtor(self.customer)
        notice = self.night()
        move.button_draft()
        self.assertEqual(notice.state, "cancelled")
        move.unlink()
        self.assertEqual(self.debtor(self.customer).total_due, 0)

    def test_changes_the_due_date_and_the_do_not_dun_mark(self):
        move = self.invoice()
        move.write({"collection_no_dun": True, "collection_no_dun_reason": "Agreed"})
        self.assertFalse(self.night())
        move.write({"collection_no_dun": False, "invoice_date_due": self.days_ago(-30)})
        self.assertEqual(self.debtor(self.customer).overdue, 0)

    def test_reads_invoices_and_customers_whole(self):
        move = self.invoice()
        self.debtor(self.customer)
        self.night()
        move.invalidate_recordset()
        self.assertEqual(move.read(["collection_days_overdue"])[0]["collection_days_overdue"], 20)
        for records, user in (
            (move, self.invoicing),
            (self.customer, self.invoicing),
            (self.customer, self.employee),
        ):
            # What a client that asks for every field gets.
            names = [name for name in records.with_user(user).fields_get() if name.startswith("collection_")]
            self.assertNotIn("collection_debtor_id", names)
            self.assertTrue(names and records.with_user(user).read(names))
        move.copy()
        for model in ("account.move", "res.partner"):
            for kind in ("form", "kanban", "search"):
                self.assertTrue(self.as_invoicing[model].get_views([(False, kind)])["views"][kind]["arch"])

    def test_the_invoice_form_leaves_out_what_this_person_may_not_read(self):
        view = self.env.ref("account.view_move_form")
        arch = self.as_invoicing["account.move"].get_view(view.id, "form")["arch"]
        self.assertIn("collection_no_dun", arch)
        self.assertNotIn("collection_debtor_id", arch)
        arch = self.env["account.move"].with_user(self.viewer).get_view(view.id, "form")["arch"]
        self.assertIn("collection_debtor_id", arch)

    def test_merges_and_moves_customers(self):
        source = self.make_customer("Ordinary Twin", email=self.customer.email)
        self.make_invoice(source, 500, days=20)
        self.invoice()
        debtors = self.debtor(source) | self.debtor(self.customer)
        self.assertEqual(len(debtors), 2)
        wizard = self.as_invoicing["base.partner.merge.automatic.wizard"].create({})
        wizard._merge([source.id, self.customer.id], self.customer.with_env(self.as_invoicing))
        self.assertEqual(self.debtor(self.customer).overdue, 1500)
        parent = self.make_customer("Parent")
        self.customer.with_env(self.as_invoicing).write({"parent_id": parent.id, "is_company": False})
        self.assertEqual(self.debtor(parent).overdue, 1500)
