"""Debtors get their last contact, risk class and score at once, not with the next night."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["collection.debtor"]._refresh_balances()
    env["collection.debtor"]._rank_all(env["res.company"].search([]))
