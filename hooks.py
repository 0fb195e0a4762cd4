"""What happens once, when the add-on is installed or removed."""


def post_init_hook(env):
    """Give every company the default policy, a ranked debtor to every customer of the past and the history of the last
    months, in a constant number of statements for each company."""
    companies = env["res.company"].search([("collection_policy_id", "=", False)])
    companies.collection_policy_id = env.ref("account_collection.policy_default")
    debtors = env["collection.debtor"]
    debtors._prepare_ledger()
    env.cr.execute(debtors._query_add_missing(with_history=True))
    debtors._refresh_balances()
    companies = env["res.company"].search([])
    debtors._rank_all(companies)
    env["collection.snapshot"]._rebuild(companies)
    for company in companies:
        env["collection.ledger.day"]._refresh(company)
    if env.ref("base.module_account_collection").demo:
        # Loaded once the registry is complete: see ir.module.module.
        env.registry._collection_demo = True


def uninstall_hook(env):
    """Remove what refers to the add-on's models without a foreign key, and free what one would hold back, so that Odoo
    is left as it was. The short entries on invoices stay: they are the invoices' own history."""
    # A company holds its policy fast, and with it the model of policies.
    env["res.company"].with_context(active_test=False).search([]).collection_policy_id = False
    own = [name for name, model in env.registry.items() if model._original_module == "account_collection"]
    for name, model_field in (
        ("mail.message", "model"),
        ("mail.followers", "res_model"),
        ("mail.activity", "res_model"),
        ("ir.attachment", "res_model"),
        ("ir.filters", "model_id"),
    ):
        # With the id in the domain, attachments of binary fields are found too.
        domain = [(model_field, "in", own), ("id", "!=", False)]
        env[name].with_context(active_test=False).search(domain).unlink()
    # Modules that extend mail.thread keep external ids of what they added to our models; Odoo forgets those.
    prefixes = [f"{kind}__{name.replace('.', '_')}__" for kind in ("model_inherit", "selection") for name in own]
    for prefix in prefixes:
        pattern = prefix.replace("_", r"\_") + "%"
        env["ir.model.data"].search([("module", "!=", "account_collection"), ("name", "=like", pattern)]).unlink()
