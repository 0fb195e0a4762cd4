from datetime import timedelta
from itertools import takewhile

from odoo import api, fields, models

from .collection_campaign import SCHEDULED

HORIZON = timedelta(days=92)


class CollectionCampaignMoment(models.Model):
    """A time to come of a campaign, for the calendar of what will leave when.

    *How it works.* Written whenever the next time of a campaign is: some three months ahead, and again after each
    time. Nothing is sent by it: ``collection.campaign.next_run`` decides.
    """

    _name = "collection.campaign.moment"
    _description = "Coming Time of a Campaign"
    _order = "moment, id"
    _rec_name = "campaign_id"

    campaign_id = fields.Many2one("collection.campaign", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="campaign_id.company_id", store=True)
    moment = fields.Datetime(required=True, readonly=True)
    content = fields.Selection(related="campaign_id.content")
    channel = fields.Selection(related="campaign_id.channel")
    debtor_count = fields.Integer(string="Recipients Now", compute="_compute_debtor_count")

    # No related field: it is read as the system, and this one depends on who looks.
    @api.depends("campaign_id.debtor_count")
    @api.depends_context("uid")
    def _compute_debtor_count(self):
        for campaign, moments in self.grouped("campaign_id").items():
            moments.debtor_count = campaign.debtor_count

    def action_open_campaign(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "collection.campaign",
            "res_id": self.campaign_id.id,
            "view_mode": "form",
        }


class CollectionCampaign(models.Model):
    _inherit = "collection.campaign"

    moment_ids = fields.One2many("collection.campaign.moment", "campaign_id", string="Coming Times", readonly=True)

    def action_open_moments(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.collection_campaign_moment_action")
        return {**action, "domain": [("campaign_id", "=", self.id)], "context": {}}

    def _plan_moments(self):
        """Write the times to come of these campaigns, none of those that are not scheduled."""
        # sudo: they follow from the schedule, which a manager wrote
        Moment = self.env["collection.campaign.moment"].sudo()
        self.sudo().moment_ids.unlink()
        Moment.create(
            [
                {"campaign_id": campaign.id, "moment": moment}
                for campaign in self.filtered("next_run")
                for moment in campaign._get_coming_moments()
            ]
        )

    def _get_coming_moments(self):
        self.ensure_one()
        last = self.next_run + HORIZON
        return takewhile(lambda moment: moment <= last, self._iter_moments(self.next_run - timedelta(seconds=1)))

    @api.model
    def _follow_holidays(self):
        """A holiday came, went or moved: the times to come of all campaigns may be others."""
        now = fields.Datetime.now()
        for campaign in self.search([("state", "=", SCHEDULED), ("next_run", ">", now)]):
            campaign._set_next_run(now)
