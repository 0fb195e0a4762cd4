"""Portfolios of the demo: two by a tag of the customer, one for the rest."""

from odoo import Command

from .parties import remember

PLANS = (
    ("portfolio_wholesale", "Mayoreo", 0, slice(0, 2), "balance"),
    ("portfolio_works", "Obra", 1, slice(1, 3), "balance"),
    ("portfolio_rest", "Resto de los clientes", None, slice(0, 3), "count"),
)


def add_portfolios(env, company, collectors, tags):
    """Hand the debtors of ``company`` out to its three collectors. The debtors know their history: who was their
    collector stays where the portfolio allows it."""
    values = [
        {
            "name": name,
            "company_id": company.id,
            "sequence": 10 * place,
            "collector_ids": [Command.set(collectors[who].ids)],
            "partner_tag_ids": [Command.set(tags[tag].ids if tag is not None else [])],
            "spread_by": spread_by,
        }
        for place, (_external_id, name, tag, who, spread_by) in enumerate(PLANS, start=1)
    ]
    portfolios = env["collection.portfolio"].create(values)
    remember(env, portfolios, (plan[0] for plan in PLANS))
    portfolios._assign_company(company)
