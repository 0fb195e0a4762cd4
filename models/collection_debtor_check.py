from odoo import fields, models

from ..engine import checks


class CollectionDebtor(models.Model):
    """What a debtor's checks tell: those that wait for their day, and those that the bank did not pay."""

    _inherit = "collection.debtor"

    check_amount = fields.Monetary(
        string="In Checks",
        compute="_compute_checks_in_hand",
        help="Checks in custody, in company currency; those on hold too.",
    )
    check_ids = fields.One2many("account.postdated.check", "debtor_id", string="Checks", readonly=True)
    check_count = fields.Integer(string="Number of Checks", compute="_compute_check_count")
    check_in_hand_count = fields.Integer(string="Checks in Hand", compute="_compute_checks_in_hand")
    check_next_date = fields.Date(string="Next Deposit", compute="_compute_checks_in_hand")
    last_bounce_date = fields.Date(string="Last Bounced Check", compute="_compute_bounces")
    bounce_count = fields.Integer(
        string="Bounces", compute="_compute_bounces", help="How often the bank did not pay a check of this customer."
    )

    def _compute_check_count(self):
        counts = dict(
            self.env["account.postdated.check"]._read_group([("debtor_id", "in", self.ids)], ["debtor_id"], ["__count"])
        )
        for debtor in self:
            debtor.check_count = counts.get(debtor, 0)

    def _compute_checks_in_hand(self):
        groups = self.env["account.postdated.check"]._read_group(
            [("debtor_id", "in", self.ids), ("state", "in", checks.IN_HAND)],
            ["debtor_id", "currency_id"],
            ["amount:sum", "__count", "deposit_date:min"],
        )
        groups_of = {debtor: [] for debtor in self}
        for debtor, *group in groups:
            groups_of[debtor].append(group)
        todays = {company: company._get_collection_today() for company in self.company_id}
        for debtor in self:
            found, company = groups_of[debtor], debtor.company_id
            debtor.check_amount = sum(
                currency._convert(amount, company.currency_id, company, todays[company])
                for currency, amount, _count, _day in found
            )
            debtor.check_in_hand_count = sum(count for _currency, _amount, count, _day in found)
            debtor.check_next_date = min((day for _currency, _amount, _count, day in found), default=False)

    def _compute_bounces(self):
        groups = self.env["account.postdated.check.event"]._read_group(
            [("debtor_id", "in", self.ids), ("new_state", "=", checks.BOUNCED)], ["debtor_id"], ["date:max", "__count"]
        )
        bounces = {debtor: (day, count) for debtor, day, count in groups}
        for debtor in self:
            debtor.last_bounce_date, debtor.bounce_count = bounces.get(debtor, (False, 0))

    # === Actions ===#

    def action_open_checks(self):
        self.ensure_one()
        return self.env["account.postdated.check"]._open_of(self.partner_id, self.company_id)
