"""How random tests try: how often, and on a database."""

import os

from hypothesis import HealthCheck, Phase, settings


def examples(count):
    """How many examples a random test tries: so many times ``count`` as ACCOUNT_COLLECTION_EXAMPLES says."""
    return count * int(os.environ.get("ACCOUNT_COLLECTION_EXAMPLES") or 1)


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
