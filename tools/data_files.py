"""Checks of the add-on's files that are not Python: well-formed, named by the manifest, loaded in a possible order.

How to use: ``problems(folder)`` yields one sentence for each fault; as a program, prints them and exits with 1.
"""

from __future__ import annotations

import ast
import csv
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

# Folders whose data files Odoo loads only when the manifest names them.
LOADED = ("data", "demo", "report", "security", "views", "wizards")


def _files(folder: Path, suffix: str) -> list[Path]:
    found = folder.rglob(f"*{suffix}")
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def _xml(folder: Path) -> Iterator[str]:
    for path in _files(folder, ".xml"):
        name = path.relative_to(folder)
        try:
            root = etree.parse(str(path)).getroot()
        except etree.XMLSyntaxError as error:
            yield f"{name}: not well-formed: {error}"
            continue
        seen = set()
        for element in root.iter("record", "template", "menuitem"):
            identifier = element.get("id")
            if identifier in seen and element.tag != "template":
                yield f"{name}:{element.sourceline}: the id {identifier} is given twice in this file"
            seen.add(identifier)


def _csv(folder: Path) -> Iterator[str]:
    for path in _files(folder, ".csv"):
        name = path.relative_to(folder)
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.reader(stream, strict=True))
        if not rows or "id" not in rows[0]:
            yield f"{name}: its first line names no column id"
            continue
        identifiers = [row[rows[0].index("id")] for row in rows[1:] if row]
        for number, row in enumerate(rows[1:], start=2):
            if len(row) != len(rows[0]):
                yield f"{name}:{number}: {len(row)} values for {len(rows[0])} columns"
        for identifier in sorted({name for name in identifiers if identifiers.count(name) > 1}):
            yield f"{name}: the id {identifier} is given twice"


def _manifest(folder: Path) -> Iterator[str]:
    manifest = ast.literal_eval((folder / "__manifest__.py").read_text())
    named = [*manifest.get("data", ()), *manifest.get("demo", ())]
    for name in sorted({name for name in named if named.count(name) > 1}):
        yield f"__manifest__.py: {name} is named twice"
    for name in named:
        if not (folder / name).is_file():
            yield f"__manifest__.py: {name} does not exist"
    for part in LOADED:
        for suffix in (".xml", ".csv"):
            for path in _files(folder / part, suffix):
                if str(path.relative_to(folder)) not in named:
                    yield f"{path.relative_to(folder)}: the manifest does not name it, so Odoo never loads it"
    for pattern in (path for paths in manifest.get("assets", {}).values() for path in paths if isinstance(path, str)):
        inside = pattern.removeprefix("account_collection/")
        if inside != pattern and not list(folder.glob(inside)):
            yield f"__manifest__.py: the asset {pattern} matches no file"


def _tests(folder: Path) -> Iterator[str]:
    init = folder / "tests" / "__init__.py"
    if init.exists():
        imported = set(re.findall(r"\btest_\w+", init.read_text()))
        for path in sorted((folder / "tests").glob("test_*.py")):
            if path.stem not in imported:
                yield f"tests/{path.name}: tests/__init__.py does not import it, so Odoo's own runner never runs it"


def problems(folder: Path) -> Iterator[str]:
    """Yield each fault of the add-on in ``folder`` as one sentence that begins with the file."""
    for check in (_xml, _csv, _manifest, _tests):
        yield from check(folder)


if __name__ == "__main__":
    faults = list(problems(Path(sys.argv[1])))
    print("\n".join(faults) or "data files: no fault found")
    sys.exit(bool(faults))
