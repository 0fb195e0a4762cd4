"""Loads the demo: two companies, their users and customers, a year of their ledger, a month of nightly runs."""

import logging
import time
from functools import partial

from . import campaigns, checks, parties, plan, portfolios, reviews, said
from .history import History
from .ledger import Ledger

_logger = logging.getLogger(__name__)

NIGHTS = range(30, 0, -1)
"""Nights, as days before today, on which the nightly job ran in the demo's past."""
FORECASTS = (28, 21, 14)
"""Those of these nights that kept what was expected."""


def load(env):
    """Load the demo data, once; a database that has them already is left alone."""
    if parties.ref(env, "company_mx"):
        return
    started = time.monotonic()
    env = env(context=dict(env.context, tracking_disable=True, mail_create_nosubscribe=True))
    _logger.info("Collections: demo data, first Mexican Spanish")
    parties.activate_spanish(env)
    companies = parties.make_companies(env)
    today = companies[plan.MX]._get_collection_today()
    parties.make_bank_accounts(env, companies)
    parties.make_rates(env, companies, today)
    parties.share_policies(env, companies)
    users = parties.make_users(env, companies)
    parties.admit_admin(env, companies)
    tags = env["res.partner.category"].create([{"name": "Mayoreo"}, {"name": "Obra"}])
    partners = parties.make_customers(env, tags)
    terms = parties.make_terms(env)
    # Of the past nobody is alerted: tonight is the first time.
    alerts = env["collection.alert.rule"].search([])
    alerts.active = False
    for code, company_plan in plan.make_plan().items():
        _logger.info("Collections: a year of %s", companies[code].name)
        ledger = Ledger(env, companies[code], partners, terms, today)
        history = History(env, companies[code], today, users[-1])
        customers = plan.customers_of(code)
        _live_through(ledger, history, company_plan, partial(_assign, env, companies[code], partners, customers, users))
    alerts.active = True
    reviews.add_reviews(env, companies[plan.MX], partners, terms[(30,)], today)
    checks.add_checks(env, companies, partners, today)
    said.add_said(env, companies, partners, today)
    env["collection.debtor"]._refresh_balances()
    everywhere = env["res.company"].concat(*companies.values())
    env["collection.debtor"]._rank_all(everywhere)
    env["collection.snapshot"]._rebuild(everywhere)
    portfolios.add_portfolios(env, companies[plan.MX], users[:-1], tags)
    campaigns.add_campaigns(env, companies[plan.MX])
    _logger.info("Collections: demo data loaded in %.1f s", time.monotonic() - started)


def _live_through(ledger, history, company_plan, assign):
    """Post what happened before each night, then let the night speak; ``assign`` hands out debtors before the first."""
    bills, receipts = list(company_plan.bills), list(company_plan.receipts)
    for night in (*NIGHTS, -1):
        old_bills = [bill for bill in bills if bill.day > night]
        old_receipts = [receipt for receipt in receipts if receipt.day > night]
        bills, receipts = bills[len(old_bills) :], receipts[len(old_receipts) :]
        ledger.add(old_bills, old_receipts)
        if night == NIGHTS[0]:
            assign()
        if night > 0:
            history.night(night)
        if night in FORECASTS:
            history.keep_forecast(night)


def _assign(env, company, partners, customers, users):
    """Hand the debtors of a company to the collectors, with their copies, holds and exclusions."""
    env["collection.debtor"]._refresh_partners([(partners[index].id, company.id) for index in customers])
    debtors = env["collection.debtor"].search([("company_id", "=", company.id)])
    debtor_of = {debtor.partner_id: debtor for debtor in debtors}
    collectors = users[:-1]
    shares = [env["collection.debtor"].browse() for _collector in collectors]
    for index, partner in enumerate(partners):
        if debtor := debtor_of.get(partner):
            shares[index % len(shares)] |= debtor
    for collector, share in zip(collectors, shares):
        share.collector_id = collector
    parties.settle_terms(env, company, {i: debtor_of[p] for i, p in enumerate(partners) if p in debtor_of}, users[-1])
