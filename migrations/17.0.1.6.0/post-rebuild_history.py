"""The history of debtors begins with the ends of the last months, which the ledger tells, not with the next night."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["collection.snapshot"]._rebuild(env["res.company"].search([]))
