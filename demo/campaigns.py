"""Campaigns of the demo: the statement of each month, and letters to two states that nobody has scheduled yet."""

from odoo import Command

from .parties import remember

STATES = ("state_mx_qro", "state_mx_ags")


def add_campaigns(env, company):
    """Campaigns of ``company``: one that is scheduled and one that is being written."""
    campaigns = env["collection.campaign"].create(
        [
            {
                "name": "Estado de cuenta mensual",
                "company_id": company.id,
                "template_id": env.ref("account_collection.template_debt_summary").id,
                "minimum_amount": 500.0,
            },
            {
                "name": "Cartas a Querétaro y Aguascalientes",
                "company_id": company.id,
                "content": "overdue",
                "channel": "letter",
                "template_id": env.ref("account_collection.template_overdue_documents").id,
                "frequency": "weekly",
                "requires_approval": True,
                "days_overdue_from": 30,
                "state_ids": [Command.set([env.ref(f"base.{state}").id for state in STATES])],
            },
        ]
    )
    remember(env, campaigns, ("campaign_statement", "campaign_letters"))
    campaigns[0].action_schedule()
