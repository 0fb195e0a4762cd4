"""The test suite on each series: a fresh database, pytest-odoo, and a verdict that no silent pass can fool.

Databases: ``..._base_<key>`` has the add-on's dependencies only, is built once for each Odoo tree and list of
dependencies, and is kept as a template; ``..._installed`` is a clone of it with the add-on installed, of which the
tested database and those of tests that need one of their own are clones.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from . import console, instance, odoo_source, system, workspace

PYTEST_TIMEOUT = 3600


@dataclass(frozen=True)
class Verdict:
    """What one run of pytest came to, read from its JUnit report."""

    passed: int
    failed: int
    skipped: int
    exit_code: int

    @classmethod
    def read(cls, report: Path, exit_code: int) -> Verdict:
        if not report.exists():
            return cls(0, 0, 0, exit_code or 1)
        total = failed = skipped = 0
        for suite in ElementTree.parse(report).getroot().iter("testsuite"):
            total += int(suite.get("tests"))
            failed += int(suite.get("failures")) + int(suite.get("errors"))
            skipped += int(suite.get("skipped"))
        return cls(total - failed - skipped, failed, skipped, exit_code)

    @property
    def good(self) -> bool:
        return self.passed > 0 and not (self.failed or self.skipped or self.exit_code)

    def __str__(self) -> str:
        counts = [(self.failed, "failed"), (self.passed, "passed"), (self.skipped, "skipped")]
        text = ", ".join(f"{count} {word}" for count, word in counts if count) or "no test ran"
        if self.skipped:
            text += " (a skip is a failure here)"
        return text if self.good or self.failed or self.skipped else f"{text}, pytest's exit code {self.exit_code}"


@dataclass(frozen=True)
class Options:
    """What narrows a run: pytest's -k, reuse of the tested database, a rebuilt base, words for pytest."""

    keyword: str = ""
    keep: bool = False
    fresh: bool = False
    extra: tuple[str, ...] = ()


def test(series: str | None, options: Options) -> int:
    """Test ``series``, or each one that can be had, all at once; return the exit code."""
    wanted = (series,) if series else odoo_source.SERIES
    if series and series not in odoo_source.SERIES:
        raise console.ToolError(f"there is no series {series} here: {' or '.join(odoo_source.SERIES)}.")
    system.ensure(*system.PDF, *system.BROWSER)
    with workspace.lock(workspace.state(), "test", wait=False):
        places, lines = [], []
        for candidate in wanted:
            try:
                places.append(instance.get(candidate, "test"))
            except odoo_source.Unavailable as reason:
                lines.append(f"odoo {candidate}: NOT TESTED: {reason}")
        results = _test_all(places, options)
    console.say("")
    for line in (*(line for line, _good in results), *lines):
        console.say(line)
    if not results:
        console.say("ERROR: no series of Odoo could be had, so that nothing was tested.")
    return 0 if results and all(good for _line, good in results) else 1


def _test_all(places: list[instance.Instance], options: Options) -> list[tuple[str, bool]]:
    """Test these series, one thread each; return what to say of each and whether it passed."""
    prefixed = len(places) > 1
    try:
        with ThreadPoolExecutor(max_workers=max(len(places), 1)) as pool:
            return list(pool.map(lambda place: _judge(place, options, prefixed), places))
    finally:
        if not options.keep:
            for place in places:
                place.server.stop()


def _judge(place: instance.Instance, options: Options, prefixed: bool) -> tuple[str, bool]:
    started = time.monotonic()
    try:
        verdict = _test_one(place, options, f"{place.series} | " if prefixed else "")
    except console.ToolError as error:
        console.say(f"ERROR: {error}")
        return f"{place.label}: FAILED before its tests, see above", False
    return f"{place.label}: {verdict} in {time.monotonic() - started:.0f} s", verdict.good


def _test_one(place: instance.Instance, options: Options, prefix: str) -> Verdict:
    place.prepare(max_cron_threads=0)
    base = base_database(place, fresh=options.fresh)
    installed, tested = place.database("installed"), place.database("test")
    _install(place, base, installed, keep=options.keep)
    place.database_tool("clone", installed, tested)
    databases = {"BASE": base, "INSTALLED": installed, "TEST": tested}
    return _pytest(place, databases, options, prefix)


def base_database(place: instance.Instance, *, fresh: bool = False) -> str:
    """Return the name of the database that has the add-on's dependencies only, built when it is not there yet."""
    depends = sorted(instance.manifest()["depends"])
    key = workspace.digest(place.environment.source.version, str(place.environment.folder), *depends)
    name = place.database(f"base_{key}")
    if fresh or not place.has_database(name):
        unfinished = place.database("unfinished")
        place.database_tool("drop", name)
        place.database_tool("drop", unfinished)
        place.database_tool("create", unfinished)
        place.odoo(
            unfinished,
            "-i",
            ",".join(depends),
            *without_demo(place.series),
            label=f"install {', '.join(depends)} in a template database",
            log=f"base-{place.series}",
        )
        place.database_tool("rename", unfinished, name)
    return name


def without_demo(series: str) -> tuple[str, ...]:
    """Return the option that keeps demo data out: 17.0 loads it unless told otherwise, 19.0 only when asked."""
    return ("--without-demo=all",) if series == "17.0" else ()


def _install(place: instance.Instance, base: str, installed: str, *, keep: bool) -> None:
    if (
        keep
        and place.has_database(installed)
        and place.database_tool("module_state", installed, workspace.ADDON) == "installed"
    ):
        arguments = ("-u", workspace.ADDON)
    else:
        place.database_tool("clone", base, installed)
        arguments = ("-i", workspace.ADDON, *without_demo(place.series))
    label = f"{'update' if '-u' in arguments else 'install'} the add-on on {place.series}"
    place.odoo(installed, *arguments, label=label, log=f"install-{place.series}")
    place.require_installed(installed)


def _pytest(place: instance.Instance, databases: dict[str, str], options: Options, prefix: str) -> Verdict:
    report = workspace.state_folder("reports") / f"junit-{place.series}.xml"
    report.unlink(missing_ok=True)
    addon = place.addons / workspace.ADDON
    command = [
        place.environment.python,
        "-m",
        "pytest",
        f"--odoo-config={place.config}",
        f"--odoo-database={databases['TEST']}",
        f"--odoo-log-level={os.environ.get('LOG') or 'warn'}",
        "--odoo-http",
        f"--junitxml={report}",
        "-c",
        addon / "pyproject.toml",
        f"--rootdir={addon}",
        "-o",
        f"cache_dir={workspace.state() / f'pytest-cache-{place.series}'}",
        "-p",
        "tools.quick",
        "-ra",
        "--doctest-modules",
        *(("-k", options.keyword) if options.keyword else ()),
        *options.extra,
        addon / "engine",
        *(addon / "tools" / f"{name}.py" for name in ("catalogues", "port", "smtp_sink", "table")),
        addon / "tests",
    ]
    variables = place.variables(**{f"ACCOUNT_COLLECTION_{use}_DB": name for use, name in databases.items()})
    variables["PYTHONPATH"] += f"{os.pathsep}{workspace.CHECKOUT}"
    console.step(f"pytest on {place.label}")
    present = [word for word in command if not isinstance(word, Path) or word.exists()]
    code = console.attached(present, env=variables, cwd=place.addons, timeout=PYTEST_TIMEOUT, prefix=prefix)
    return Verdict.read(report, code)
