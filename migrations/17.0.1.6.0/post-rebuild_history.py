"""The history of debtors begins with the ends of the last months, which the ledger tells, not with the next night."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    companies = env["res.company"].search([])
    env["collection.snapshot"]._rebuild(companies)
    for company in companies:
        env["collection.ledger.day"]._refresh(company)
