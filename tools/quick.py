"""A pytest plugin that spares the tests costs which decide nothing in them; ``tools/suite.py`` names it.

Odoo hashes the password of every user that a test makes 600,000 times, looks through some 600 modules for charts of
accounts and makes a company with its accounts, taxes, users and products in each test class, and the garbage collector
walks the whole registry again and again. Each test empties every cache, those of access rights, views and compiled
templates too.
"""

import gc
from contextlib import contextmanager
from functools import lru_cache
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings

# The first draw of a process loads tables, which takes seconds on a busy machine and says nothing of a test.
settings.register_profile("suite", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.fixture(scope="session", autouse=True)
def quick(load_registry):
    """Applies from when the registry is loaded to the end of the session."""
    from odoo.tools import SQL

    from odoo.addons.account.models.chart_template import AccountChartTemplate
    from odoo.addons.base.models import res_users

    find, found = AccountChartTemplate._get_chart_template_mapping, {}

    def remember(self, get_all=False):
        if get_all not in found:
            found[get_all] = find(self, get_all=get_all)
        return found[get_all]

    gc.collect()
    gc.freeze()
    # Often enough: Odoo looks through the environments that are left, dead ones too, at each write to an entry.
    gc.set_threshold(5_000, 5, 20)
    with (
        patch.object(res_users, "MIN_ROUNDS", 1),
        patch.object(AccountChartTemplate, "_get_chart_template_mapping", remember),
        # Every statement checks and quotes the names of its columns.
        patch.object(SQL, "identifier", lru_cache(maxsize=None)(SQL.identifier)),
        flat_statements(SQL),
        kept_caches(),
        shared_company(),
    ):
        yield


@contextmanager
def flat_statements(statement_class):
    """Put statements together in an eighth of the time that 17.0 takes, which walks the tree of each twice.

    Newer series keep no tree.
    """
    if not hasattr(statement_class, "_SQL__postfix"):
        yield
        return

    def flat(statement):
        code, arguments = statement._SQL__code, statement._SQL__args
        if not arguments:
            return code, []
        codes, params = [], []
        for argument in arguments:
            if isinstance(argument, statement_class):
                inner, more = flat(argument)
                codes.append(inner)
                params += more
            else:
                codes.append("%s")
                params.append(argument)
        return code % tuple(codes), params

    with (
        patch.object(statement_class, "code", property(lambda statement: flat(statement)[0])),
        patch.object(statement_class, "params", property(lambda statement: flat(statement)[1])),
    ):
        yield


@contextmanager
def kept_caches():
    """Empty at the end of a test the caches that it invalidated and no others, as a rollback does in production."""
    from odoo.modules.registry import Registry
    from odoo.tests import TransactionCase

    clear, clear_all, set_up = Registry.clear_cache, Registry.clear_all_caches, TransactionCase.setUp
    # Names of caches, None for all; of every thread, as a browser's requests have their own.
    invalidated = set()

    def noted(self, *names):
        invalidated.update(names or ("default",))
        clear(self, *names)

    def all_noted(self):
        invalidated.add(None)
        clear_all(self)

    def set_up_test(self):
        def forget():
            if None in invalidated:
                clear_all(self.registry)
            elif invalidated:
                clear(self.registry, *invalidated)

        invalidated.clear()
        with patch.object(self.registry, "clear_all_caches", forget):
            set_up(self)

    with (
        patch.object(Registry, "clear_cache", noted),
        patch.object(Registry, "clear_all_caches", all_noted),
        patch.object(TransactionCase, "setUp", set_up_test),
    ):
        yield


@contextmanager
def shared_company():
    """Let all test classes share what Odoo's ``AccountTestInvoicingCommon`` makes anew in each.

    It is made when the first class asks for it, committed to the tested database, and handed to every class as the same
    attributes in a transaction of its own. What a class changes of it goes with that transaction, like all else.
    """
    from odoo.tests import TransactionCase

    from odoo.addons.account.tests.common import AccountTestInvoicingCommon as Common

    make, made = Common.setUpClass.__func__, {}
    # The last of the classes that only make data; what comes after it opens the transaction.
    last = Common.__mro__[Common.__mro__.index(TransactionCase) - 1]

    def set_up(cls, chart_template_ref=None):
        if not made:
            made.update(_make_for_good(make))
        super(last, cls).setUpClass()
        for name in made.keys() - vars(cls).keys():
            setattr(cls, name, _moved(made[name], cls.cr))
        cls.env = made["env"](cls.cr)

    with patch.object(Common, "setUpClass", classmethod(set_up)):
        yield


def _make_for_good(make):
    """Commit what ``make`` makes and return the class attributes that it left."""
    from odoo.addons.account_collection.tests.common import CollectionCommon

    class Maker(CollectionCommon):
        test_tags, test_module, test_class = {"post_install"}, "account_collection", "Maker"

    declared = set(vars(Maker))
    try:
        make(Maker)
        Maker.env.flush_all()
        Maker.cr.flush()
        # Past the guard that keeps tests from committing.
        Maker.cr._cnx.commit()
        return {name: value for name, value in vars(Maker).items() if name not in declared}
    finally:
        Maker.doClassCleanups()


def _moved(value, cursor):
    """Records, or a dictionary of them, as another transaction sees them; all else as it is."""
    from odoo.models import BaseModel

    if isinstance(value, BaseModel):
        return value.with_env(value.env(cursor))
    return {key: _moved(record, cursor) for key, record in value.items()} if isinstance(value, dict) else value
