"""Companies, users and customers of the demo, created in one call for each kind."""

import base64
from datetime import timedelta

from odoo import Command
from odoo.tools.misc import file_open

from . import people, plan
from .identifiers import clabe, company_rfc

# Records are known under a module of their own, so that uninstalling the add-on leaves entries and users in peace.
NAMESPACE = "collection_demo"
PREFIX = "account_collection.group_collection_"
TOLERANCES = {plan.MX: 50.0, plan.US: 5.0}

NO_MAIL = (10, 16, 24, 50)
BAD_MAIL = {29: "pagos(arroba)climasboreal.example"}
BLACKLISTED = (17,)
COLLECTIONS_CONTACT = (0, 5, 14, 22, 28, 34, 46, 49, 57)
INVOICE_CONTACT = (2, 7, 11, 18, 23, 31, 36, 39, 48, 53)
PURCHASING_EVERY = 4
COPY_TO_PURCHASING = (8, 12, 28, 36)
BLIND_COPY_TO_MANAGER = (34, 39)


def remember(env, records, names):
    """Give records external ids, as in ``collection_demo.company_mx``."""
    env["ir.model.data"]._update_xmlids(
        [{"xml_id": f"{NAMESPACE}.{name}", "record": record, "noupdate": True} for name, record in zip(names, records)]
    )


def ref(env, name):
    """Return a record of the demo by its name, or None."""
    return env.ref(f"{NAMESPACE}.{name}", raise_if_not_found=False)


def activate_spanish(env):
    """Mexican Spanish, with the translations of every installed module."""
    if "es_MX" in dict(env["res.lang"].get_installed()):
        return
    language = env["res.lang"]._activate_lang("es_MX")
    modules = env["ir.module.module"].search([("state", "=", "installed")])
    modules._update_translations([language.code])


# === Companies ===#


def make_companies(env):
    """``{plan.MX: company in pesos, plan.US: company in dollars}``, each with a chart of accounts."""
    mxn, usd = env.ref("base.MXN"), env.ref("base.USD")
    (mxn | usd).active = True
    values = {
        plan.MX: {
            "name": "Distribuidora del Bajío, S.A. de C.V.",
            "currency_id": mxn.id,
            "country_id": env.ref("base.mx").id,
            "state_id": env.ref("base.state_mx_gto").id,
            "city": "León",
            "zip": "37150",
            "street": "Blvd. Juan Alonso de Torres 1410",
            "phone": "+52 477 555 0100",
            "email": "cobranza@distribuidoradelbajio.example",
            "website": "https://distribuidoradelbajio.example",
            "vat": company_rfc("DBA", 70),
        },
        plan.US: {
            "name": "Bajío Trading LLC",
            "currency_id": usd.id,
            "country_id": env.ref("base.us").id,
            "state_id": env.ref("base.state_us_44").id,
            "city": "Laredo",
            "zip": "78045",
            "street": "8412 Gateway Boulevard",
            "phone": "+1 956 555 0100",
            "email": "receivables@bajiotrading.example",
            "website": "https://bajiotrading.example",
        },
    }
    for code, company_values in values.items():
        with file_open(f"account_collection/demo/logo_{code}.png", "rb") as logo:
            company_values["logo"] = base64.b64encode(logo.read())
    if "iap_enrich_auto_done" in env["res.company"]._fields:
        # Odoo would ask a service about these companies, over the network.
        for company_values in values.values():
            company_values["iap_enrich_auto_done"] = True
    companies = env["res.company"].create([values[plan.MX], values[plan.US]])
    remember(env, companies, ("company_mx", "company_us"))
    companies[0].partner_id.write({"lang": "es_MX", "tz": "America/Mexico_City"})
    companies[1].partner_id.write({"lang": "en_US", "tz": "America/Chicago"})
    for company in companies:
        # Otherwise its holidays would be those of another continent's clock, two days each.
        company.resource_calendar_id.tz = company.partner_id.tz
    result = dict(zip((plan.MX, plan.US), companies))
    for code, company in result.items():
        _load_accounting(env, company, code)
    return result


def _load_accounting(env, company, code):
    """Odoo's generic chart, which needs no localization; it comes with US taxes and dollars."""
    currency, country = company.currency_id, company.country_id
    chart = env["account.chart.template"].with_company(company)
    chart.try_loading("generic_coa", company, install_demo=False)
    company.write({"currency_id": currency.id, "account_fiscal_country_id": country.id})
    company.collection_tolerance = TOLERANCES[code]
    if code == plan.US:
        company.account_sale_tax_id = False
    else:
        tax = company.account_sale_tax_id
        tax.tax_group_id.write({"name": "IVA 16%", "country_id": country.id})
        tax.write({"name": "IVA 16%", "description": "IVA 16%", "amount": 16, "country_id": country.id})
    sales = env["account.journal"].search([("type", "=", "sale"), ("company_id", "=", company.id)], limit=1)
    sales.code = "FAC" if code == plan.MX else "BT"


def make_bank_accounts(env, companies):
    """Where customers pay: a CLABE for each currency of the Mexican company, an account of the other one."""
    banks = env["res.bank"].create([{"name": "Banco Cordillera"}, {"name": "Palo Alto River Bank"}])
    mexican, american = companies[plan.MX], companies[plan.US]
    rows = (
        (mexican, banks[0], clabe("225", "00123456789"), env.ref("base.MXN")),
        (mexican, banks[0], clabe("225", "00123456802"), env.ref("base.USD")),
        (american, banks[1], "000418275530", env.ref("base.USD")),
    )
    env["res.partner.bank"].create(
        [
            {
                "partner_id": company.partner_id.id,
                "company_id": company.id,
                "bank_id": bank.id,
                "acc_number": number,
                "acc_holder_name": company.name,
                "currency_id": currency.id,
            }
            for company, bank, number, currency in rows
        ]
    )


def make_rates(env, companies, today):
    """A year of monthly dollar rates of the peso company, between 17.20 and 19.40."""
    company = companies[plan.MX]
    values = [
        {
            "name": today - timedelta(days=400 - 30 * month),
            "currency_id": env.ref("base.USD").id,
            "company_id": company.id,
            "rate": 1 / (18.3 + 0.1 * (month * 7 % 23 - 11)),
        }
        for month in range(14)
    ]
    values.append(
        {
            "name": today - timedelta(days=400),
            "currency_id": env.ref("base.MXN").id,
            "company_id": company.id,
            "rate": 1.0,
        }
    )
    env["res.currency.rate"].create(values)


def share_policies(env, companies):
    """The peso company follows the shipped policy and its notices leave at once; the other companies follow a copy of
    it whose runs wait for approval."""
    standard = env.ref("account_collection.policy_default")
    careful = standard.copy({"name": "Standard, with approval", "requires_approval": True})
    remember(env, careful, ("policy_careful",))
    standard.requires_approval = False
    others = env["res.company"].search([("collection_policy_id", "in", (standard.id, False))])
    others.collection_policy_id = careful
    companies[plan.MX].collection_policy_id = standard
    companies[plan.US].collection_policy_id = careful


# === Users ===#


def make_users(env, companies):
    """Three collectors and a manager of both companies; returns them in that order. Their password is ``demo``."""
    members = (*people.COLLECTORS, people.MANAGER)
    company_ids = [company.id for company in companies.values()]
    values = []
    for user in members:
        groups = [env.ref(PREFIX + name, raise_if_not_found=False) for name in user.groups]
        values.append(
            {
                "name": user.name,
                "login": user.login,
                "password": "demo",
                "email": f"{user.login}@distribuidoradelbajio.example",
                "lang": "es_MX",
                "tz": "America/Mexico_City",
                "company_id": companies[plan.MX].id,
                "company_ids": [Command.set(company_ids)],
                "groups_id": [Command.link(group.id) for group in (env.ref("base.group_user"), *filter(None, groups))],
            }
        )
    users = env["res.users"].with_context(no_reset_password=True).create(values)
    remember(env, users, (f"user_{user.login}" for user in members))
    for company in companies.values():
        company.collection_responsible_id = users[-1]
    return users


def admit_admin(env, companies):
    """The administrator works in both companies; where the database has no other company to speak of, their screens
    open on the one in pesos."""
    admin = env.ref("base.user_admin", raise_if_not_found=False)
    if not admin:
        return
    alone = len(admin.company_ids) == 1
    groups = [env.ref(PREFIX + name, raise_if_not_found=False) for name in ("manager", "sender")]
    admin.write(
        {
            "company_ids": [Command.link(company.id) for company in companies.values()],
            "groups_id": [Command.link(group.id) for group in filter(None, groups)],
        }
    )
    if alone:
        admin.company_id = companies[plan.MX]


# === Customers ===#


def make_terms(env):
    """``{days of the instalments: payment term}`` of both companies."""
    names = {(days,): f"{days} días" for terms in plan.TERMS for days in terms}
    names[plan.INSTALMENTS] = "Tres pagos: 30, 60 y 90 días"
    values = []
    for days, name in names.items():
        shares = [round(100 / len(days), 2)] * (len(days) - 1)
        shares.append(100 - sum(shares))
        lines = [
            {"value": "percent", "value_amount": share, "nb_days": day, "delay_type": "days_after"}
            for share, day in zip(shares, days)
        ]
        values.append({"name": name, "company_id": False, "line_ids": [Command.create(line) for line in lines]})
    return dict(zip(names, env["account.payment.term"].create(values)))


def make_customers(env, tags):
    """The customers in the order of ``people.CUSTOMERS``, with their contacts."""
    partners = env["res.partner"].create([_customer_values(env, index) for index in range(len(people.CUSTOMERS))])
    remember(env, partners, (f"customer_{index}" for index in range(len(partners))))
    contacts = [
        {"parent_id": partners[index].id, "lang": partners[index].lang, **values}
        for index in range(len(partners))
        for values in _contact_values(index)
    ]
    env["res.partner"].create(contacts)
    partners[::7].write({"category_id": [Command.link(tags[0].id)]})
    partners[3::9].write({"category_id": [Command.link(tags[1].id)]})
    for index in BLACKLISTED:
        env["mail.blacklist"]._add(partners[index].email)
    return partners


def _customer_values(env, index):
    customer = people.CUSTOMERS[index]
    city = people.CITIES[customer.city]
    streets = people.STREETS if customer.letters else people.US_STREETS
    number = 100 + index * 37 % 2900
    street = streets[index % len(streets)]
    mailbox = "pagos" if customer.letters else "accounting"
    email = BAD_MAIL.get(index, f"{mailbox}@{customer.domain}.example")
    return {
        "name": customer.name,
        "is_company": True,
        "customer_rank": 1,
        "ref": f"C{1001 + index}",
        "vat": company_rfc(customer.letters, index) if customer.letters else False,
        "email": False if index in NO_MAIL else email,
        "phone": f"{city.phone}{index:02d}",
        "street": f"{street} {number}" if customer.letters else f"{number} {street}",
        "city": city.name,
        "zip": city.zip,
        "state_id": env.ref(city.state).id,
        "country_id": env.ref(city.country).id,
        "lang": customer.lang,
        "tz": "America/Mexico_City",
    }


def _contact_values(index):
    customer = people.CUSTOMERS[index]

    def person(shift, mailbox):
        first = people.FIRST_NAMES[(index * 3 + shift) % len(people.FIRST_NAMES)]
        last = people.LAST_NAMES[(index * 7 + shift) % len(people.LAST_NAMES)]
        return {"name": f"{first} {last}", "email": f"{mailbox}@{customer.domain}.example"}

    if index in COLLECTIONS_CONTACT:
        yield {**person(0, "tesoreria"), "type": "contact", "function": "Tesorería", "collection_contact": True}
    if index in INVOICE_CONTACT:
        yield {**person(5, "facturas"), "type": "invoice", "function": "Cuentas por pagar"}
    if index % PURCHASING_EVERY == 0:
        yield {**person(11, "compras"), "type": "contact", "function": "Compras"}


# === Debtors ===#

ON_HOLD = {33: ("Plan de pagos en negociación", 20), 25: ("Cambio de cuenta bancaria del cliente", 6)}
"""Customer: reason of the hold and days from today until it ends."""
EXCLUDED = (37,)


def settle_terms(env, company, debtors, manager):
    """Copies, holds and exclusions of some debtors.

    :param debtors: ``{position in people.CUSTOMERS: debtor}`` of one company
    """
    if company.currency_id != env.ref("base.MXN"):
        return
    today = company._get_collection_today()
    for index, (reason, days) in ON_HOLD.items():
        debtors[index].write({"hold": True, "hold_reason": reason, "hold_until": today + timedelta(days=days)})
    for index in EXCLUDED:
        debtors[index].excluded = True
    for index in COPY_TO_PURCHASING:
        contact = debtors[index].partner_id.child_ids.filtered(lambda contact: contact.function == "Compras")
        debtors[index].cc_partner_ids = contact
    for index in BLIND_COPY_TO_MANAGER:
        debtors[index].bcc_partner_ids = manager.partner_id
