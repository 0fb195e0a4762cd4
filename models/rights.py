"""Who may do what in more than one place."""


def may_book(env):
    """Whether this person may change what the books say: who invoices, or manages collections."""
    user = env.user
    groups = ("account.group_account_invoice", "account_collection.group_collection_manager")
    return env.su or any(user.has_group(group) for group in groups)
