"""Plain tables for a terminal."""

from __future__ import annotations

from collections.abc import Collection, Sequence

WIDEST, WIDEST_LAST = 36, 90


def text(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[str] = ()) -> str:
    """Return rows under their columns' names, cells that are too long cut; the last column may be longer.

    >>> print(text(("name", "n"), [("a", "1"), ("bcd", "20")], right=("n",)))
    name   n
    ----  --
    a      1
    bcd   20
    """
    cells = [[*(_cut(cell, WIDEST) for cell in row[:-1]), _cut(row[-1], WIDEST_LAST)] for row in (columns, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    aligned = [
        "  ".join(
            cell.rjust(width) if name in right else cell.ljust(width)
            for name, cell, width in zip(columns, row, widths, strict=True)
        ).rstrip()
        for row in cells
    ]
    return "\n".join([aligned[0], "  ".join("-" * width for width in widths), *aligned[1:]])


def _cut(cell: str, widest: int) -> str:
    line = " ".join(cell.split())
    return line if len(line) <= widest else f"{line[: widest - 1]}…"
