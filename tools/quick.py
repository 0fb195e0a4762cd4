"""A pytest plugin that spares the tests three costs which decide nothing in them; ``tools/suite.py`` names it.

Odoo hashes the password of every user that a test makes 600,000 times, looks through some 600 modules for charts of
accounts in each test class, and the garbage collector walks the whole registry again and again.
"""

import gc
from unittest.mock import patch

import pytest


@pytest.fixture(scope="session", autouse=True)
def quick(load_registry):
    """Applies from when the registry is loaded to the end of the session."""
    from odoo.addons.account.models.chart_template import AccountChartTemplate
    from odoo.addons.base.models import res_users

    find, found = AccountChartTemplate._get_chart_template_mapping, {}

    def remember(self, get_all=False):
        if get_all not in found:
            found[get_all] = find(self, get_all=get_all)
        return found[get_all]

    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    with (
        patch.object(res_users, "MIN_ROUNDS", 1),
        patch.object(AccountChartTemplate, "_get_chart_template_mapping", remember),
    ):
        yield
