"""The files of ``i18n/``: a template that changes only when a text does, and the translations that follow it.

How to use: :func:`template` makes a stable template of what Odoo exports, :func:`merge` brings a translation up to
date with it, :func:`faults` tells what a translation lacks. As a program, ``python -m tools.catalogues EXPORT FOLDER``
writes the template and merges it into every ``.po`` file of the folder. Needs polib, which Odoo requires too.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import polib

ADDON = "account_collection"
LANGUAGES = {"es": "Spanish", "es_MX": "Spanish (Mexico)"}
# What a person or the template engine replaces later: %(name)s, {{ expression }}, and tags with their attributes.
PLACEHOLDERS = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\{.*?\}\}|</?[a-zA-Z][^>]*>")
# Attributes whose text is for people.
SPOKEN = re.compile(r'\s(?:title|alt|placeholder|string|help|confirm|aria-label|data-tooltip)="[^"]*"')


def template(exported: str) -> polib.POFile:
    """Return Odoo's export as a template: sorted, and without dates, versions and line numbers.

    :param exported: the text that Odoo's exporter writes in the format "po"
    """
    result = polib.POFile(wrapwidth=120)
    result.metadata = _metadata()
    for entry in sorted(polib.pofile(exported), key=lambda entry: entry.msgid):
        entry.msgstr = ""
        entry.occurrences = sorted((path, line if line == "0" else "") for path, line in entry.occurrences)
        result.append(entry)
    return result


def merge(catalogue: polib.POFile, terms: polib.POFile, language: str) -> polib.POFile:
    """Return the terms with the translations that the catalogue has; what the terms lack is dropped."""
    known = {entry.msgid: entry for entry in catalogue if not entry.obsolete}
    result = polib.POFile(wrapwidth=120)
    result.metadata = _metadata(language)
    for term in terms:
        old = known.get(term.msgid)
        result.append(
            polib.POEntry(
                msgid=term.msgid,
                msgstr=old.msgstr if old else "",
                comment=term.comment,
                tcomment=old.tcomment if old else "",
                occurrences=term.occurrences,
                flags=term.flags,
            )
        )
    return result


def _metadata(language: str = "") -> dict[str, str]:
    return {
        "Project-Id-Version": ADDON,
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
    }


def placeholders(text: str) -> Counter[str]:
    """Count what must be the same in a text and in its translation; word order is free.

    >>> sorted(placeholders('Dear %(name)s, <b title="Due">{{ object.total }}</b>'))
    ['%(name)s', '</b>', '<b>', '{{ object.total }}']
    """
    return Counter(SPOKEN.sub("", mark) for mark in PLACEHOLDERS.findall(text))


def faults(catalogue: polib.POFile, terms: polib.POFile) -> Iterator[str]:
    """Yield each fault of a translation as a sentence: what it lacks, has in excess, or whose placeholders differ."""
    translations = {entry.msgid: entry.msgstr for entry in catalogue if not entry.obsolete}
    for msgid in sorted({term.msgid for term in terms} - translations.keys()):
        yield f"not in the file: {msgid!r}"
    for msgid in sorted(translations.keys() - {term.msgid for term in terms}):
        yield f"no such term any more: {msgid!r}"
    for msgid, msgstr in translations.items():
        if not msgstr:
            yield f"not translated: {msgid!r}"
        elif placeholders(msgid) != placeholders(msgstr):
            yield f"other placeholders than its source: {msgid!r}: {msgstr!r}"


def read(path: Path) -> polib.POFile:
    """Return the catalogue in a file, an empty one when there is none."""
    return polib.pofile(path.read_text(encoding="utf-8")) if path.exists() else polib.POFile()


def _write(catalogue: polib.POFile, path: Path) -> None:
    path.write_text(f"{catalogue}\n" if not str(catalogue).endswith("\n") else str(catalogue), encoding="utf-8")


def update(exported: str, folder: Path) -> Iterator[str]:
    """Write the template and every translation in a folder; yield a line about each, and each fault that is left."""
    terms = template(exported)
    folder.mkdir(exist_ok=True)
    pot = folder / f"{ADDON}.pot"
    before = {entry.msgid for entry in read(pot)}
    after = {entry.msgid for entry in terms}
    _write(terms, pot)
    yield f"{pot.name}: {len(after)} terms, {len(after - before)} new, {len(before - after)} gone"
    for language, name in LANGUAGES.items():
        path = folder / f"{language}.po"
        catalogue = merge(read(path), terms, language)
        _write(catalogue, path)
        left = list(faults(catalogue, terms))
        yield f"{path.name} ({name}): {len(left) or 'nothing'} to do"
        yield from (f"  {fault}" for fault in left)


if __name__ == "__main__":
    for line in update(Path(sys.argv[1]).read_text(encoding="utf-8"), Path(sys.argv[2])):
        print(line)
