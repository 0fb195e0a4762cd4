"""Who may do what in more than one place."""

from odoo.exceptions import AccessError

MANAGER = "account_collection.group_collection_manager"


def may_book(env):
    """Whether this person may change what the books say: who invoices, or manages collections."""
    user = env.user
    groups = ("account.group_account_invoice", MANAGER)
    return env.su or any(user.has_group(group) for group in groups)


def check_manager(env, text):
    """Raise this sentence unless a manager of collections, or the system itself, asks."""
    if not env.su and not env.user.has_group(MANAGER):
        raise AccessError(text)


def sees_every_debtor(user):
    """Whether the record rules let a person see all debtors of the own companies, and not only the own ones."""
    is_collector = user.has_group("account_collection.group_collection_collector")
    return not is_collector or user.has_group(MANAGER)


def users_of(env, group):
    """The active people who have a group, also through one that implies it."""
    Users = env["res.users"].sudo().with_context(active_test=True)
    # Newer series keep a person's own groups apart from those that these imply.
    name = "all_group_ids" if "all_group_ids" in Users._fields else "groups_id"
    return Users.search([(name, "in", env.ref(group).ids), ("share", "=", False)])


def without_defaults(records, names):
    """These records in a context that says nothing of some fields: a default is a value too, and no person's to say."""
    unsaid = {f"default_{name}" for name in names}
    context = {key: value for key, value in records.env.context.items() if key not in unsaid}
    return records.with_context(context)  # pylint: disable=context-overridden
