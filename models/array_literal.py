from odoo.tools import SQL


def array_columns(rows, types):
    """Rows as arguments of ``unnest``: an array for each column, whose PostgreSQL types are the words of ``types``."""
    names = types.split()
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return SQL(", ").join(
        SQL("%s::" + name + "[]", array_literal(column, name == "text"))
        for name, column in zip(names, columns, strict=True)
    )


def array_literal(values, quoted=False):
    """Values as the text of a PostgreSQL array; ``quoted`` ones may hold any character.

    >>> array_literal([1, None, 2.5])
    '{1,NULL,2.5}'
    >>> print(array_literal(['a "b"', None], quoted=True))
    {"a \\"b\\"",NULL}
    """
    form = _quote if quoted else str
    return "{" + ",".join(["NULL" if value is None else form(value) for value in values]) + "}"


def _quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
