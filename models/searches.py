"""What more than one search method reads of its operator and value."""


def asks_for(operator, value):
    """Whether a search of a boolean field asks for the records where it is set, in the spellings of every series."""
    wanted = any(value) if operator in ("in", "not in") else bool(value)
    return wanted == (operator in ("=", "in"))
