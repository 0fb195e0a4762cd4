import os


def examples(count):
    """How many examples a random test tries: so many times ``count`` as ACCOUNT_COLLECTION_EXAMPLES says."""
    return count * int(os.environ.get("ACCOUNT_COLLECTION_EXAMPLES") or 1)
