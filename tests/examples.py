"""How random tests try: how often, and on a database."""

import os

from hypothesis import HealthCheck, Phase, settings

from odoo import release

# The source is written for this one; on others, to which it is ported, a third of the examples says that it works.
SERIES = "17.0"


def examples(count):
    """How many examples a random test tries: so many times ``count`` as ACCOUNT_COLLECTION_EXAMPLES says, and a third
    of that, rounded up, on another series than the source's own."""
    count *= int(os.environ.get("ACCOUNT_COLLECTION_EXAMPLES") or 1)
    return count if release.series == SERIES else -(-count // 3)


def histories(count, **more):
    """Settings of random histories in the database: each takes its time, and the first one that fails says enough."""
    return settings(
        max_examples=examples(count),
        deadline=None,
        database=None,
        print_blob=True,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
        **more,
    )
