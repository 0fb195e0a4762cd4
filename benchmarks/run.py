"""``make bench``: what a night costs at several sizes, against the targets, as a table and as benchmarks/latest.json.

    make bench                          every size, the case of the targets and an installation
    make bench ARGS="1k 10k"            only these cases: 1k, 10k, 100k, target, desk2k, desk20k, install
    make bench ARGS="target --sample 200"
    make bench ARGS="1k 10k 100k --insight"

Seconds of the targets are those of a reference machine (floor.py): how much slower this one is, the case of the targets
measures beside the work, and each limit is that many times as long here. Statements and memory are the same anywhere.

Each case has a database of its own, made from a template, and a process of its own, so that its memory is its own.
The loaded ledgers are kept and used again. The dispatch handles a sample of the queue, all of it in the case of the
targets.
"""

import argparse
import datetime
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg2

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(Path.cwd())]

import floor  # noqa: E402

import data  # noqa: E402
from data import Size  # noqa: E402
from tools import database  # noqa: E402

TODAY = datetime.datetime.now(datetime.timezone.utc).date()
CLOSED = 3  # invoices of the past for each open one
SIZES = {
    "1k": Size(1000, 300, CLOSED * 1000),
    "10k": Size(10000, 3000, CLOSED * 10000),
    "target": Size(15000, 4800, CLOSED * 15000),
    "100k": Size(100000, 20000, CLOSED * 100000),
    "desk2k": Size(4000, 2000, CLOSED * 4000),
    "desk20k": Size(40000, 20000, CLOSED * 40000),
}
# What is measured of a case: a sample of the queue, all of it, or the collectors' desk alone.
WHAT = {"target": "all", "desk2k": "desk", "desk20k": "desk"}
GROWTH = ("1k", "10k", "100k")
INSTALL = Size(12500, 4000, 37500)  # 50,000 invoices
WITHOUT_DEMO = ("--without-demo=all",) if os.environ.get("ACCOUNT_COLLECTION_SERIES", "17.0") == "17.0" else ()

# Of the case "target": what is measured, where it applies, and the most that is allowed; seconds on the reference
# machine, with the kind of work whose floor tells how many they are here.
TARGETS = (
    ("seconds", ("refresh", "refresh, next day, old statistics", "refresh, next day"), 0.5, "sql"),
    ("seconds", ("decide", "decide, next day, old statistics", "decide, next day"), 0.25, "sql"),
    ("statements", ("decide", "decide, no statistics"), 3, None),
    ("seconds", ("decide + enqueue", "decide + enqueue, no statistics"), 2.0, "sql"),
    ("seconds each", ("dispatch, all with PDF",), 0.020, "mixed"),
    ("statements each", ("dispatch, all with PDF",), 0.5, None),
    ("seconds each", ("due dates by the rules",), 1 / 20_000, "python"),
    ("seconds", ("accept 500 reviews",), 10, "mixed"),
)
SAME_STATEMENTS = (
    "refresh",
    "decide",
    "decide + enqueue",
    "decide + enqueue, no statistics",
    "dashboard",
    "rank",
    "rank, no statistics",
    "assign",
)
DESK = ("rank", "assign")  # of the case "desk20k": a first night, when every debtor changes
DESK_LIMIT = 5.0  # seconds for both together
# Of the case "100k": work, measure and the most that is allowed; seconds are those of this machine.
INSIGHT = (("dashboard", "seconds", 1.5), ("dashboard", "statements", 30), ("aging by debtor", "seconds", 2.0))
MEMORY_SLACK = 30  # MB that the last half of the notices may add to the process
INSTALL_LIMIT = 60  # seconds that 50,000 invoices may add to an installation


class Databases:
    """The databases of the benchmarks, all named after the base database that has no add-on."""

    def __init__(self, base, fresh):
        self.base = base
        self.fresh = fresh

    def name(self, what):
        return f"{self.base}_{what}"

    def loaded(self, what, size, *, addon):
        """Return a copy of a loaded database, loaded once and kept as a template."""
        kept = self.name(f"{what}_loaded")
        mark = f"{size} {(HERE / 'data.py').stat().st_mtime_ns} {TODAY}"
        if self.fresh or not database.exists(kept) or self._mark(kept) != mark:
            say(f"load {size.items} open and {size.closed} closed invoices of {size.debtors} customers")
            database.clone(self.base, kept)
            self._load(kept, size)
            self._mark(kept, mark)
        work = self.name(f"{what}_work")
        database.clone(kept, work)
        if addon:
            seconds = self.install(work)
            say(f"the add-on is installed in {seconds:.0f} s")
        return work

    @staticmethod
    def _mark(name, text=None):
        if text:
            database.execute("COMMENT ON DATABASE {} IS " + f"'{text}'", name)
            return text
        return database.value("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", name)

    @staticmethod
    def _load(name, size):
        connection = psycopg2.connect(dbname=name)
        try:
            with connection, connection.cursor() as cursor:
                data.load(cursor, size, TODAY)
        finally:
            connection.close()

    @staticmethod
    def install(name):
        """Install the add-on and return the seconds that it took."""
        started = time.perf_counter()
        database.odoo(name, "-i", "account_collection", *WITHOUT_DEMO, "--log-level=warn", timeout=1800)
        seconds = time.perf_counter() - started
        if database.module_state(name, "account_collection") != "installed":
            raise SystemExit(f"the add-on was not installed in {name}")
        return seconds


def measure_night(databases, name, sample, insight=False):
    """Return the rows of one size, of the reports alone where ``insight`` says so."""
    work = databases.loaded(name, SIZES[name], addon=True)
    try:
        command = [
            sys.executable,
            HERE / "work.py",
            work,
            str(sample),
            "insight" if insight else WHAT.get(name, "sample"),
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            rows = []
            for line in process.stdout:
                rows.append({"case": name, **json.loads(line)})
                show(rows[-1])
        if process.returncode:
            raise SystemExit(f"the work of {name} failed with exit code {process.returncode}")
        return rows
    finally:
        database.drop(work)


def measure_install(databases):
    """Return the rows of an installation on none and on 50,000 invoices; what counts is the difference."""
    empty = databases.name("install_empty")
    database.clone(databases.base, empty)
    loaded = databases.loaded("install", INSTALL, addon=False)
    try:
        bare = databases.install(empty)
        full = databases.install(loaded)
    finally:
        database.drop(empty)
        database.drop(loaded)
    count = INSTALL.items + INSTALL.closed
    blank = {"case": "install", "cpu": None, "statements": None, "peak": None}
    rows = [
        {**blank, "work": "install on an empty database", "seconds": bare, "count": 0},
        {**blank, "work": "install on posted invoices", "seconds": full, "count": count, "beyond_empty": full - bare},
    ]
    for row in rows:
        show(row)
    return rows


# === Verdicts ===#


def value_of(row, measure):
    """Return a measure of a row, for each of what it handled where the measure says so."""
    name, _blank, each = measure.partition(" ")
    return row[name] / max(row["count"], 1) if each else row[name]


def verdicts(rows):
    """Return ``(what, value, most allowed here, ok, most allowed on the reference machine or None)`` for each target
    that was measured."""
    found = []
    target = {row["work"]: row for row in rows if row["case"] == "target"}
    times = floor.factors(rows)
    for measure, works, most, kind in TARGETS:
        here = most * times[kind] if kind else most
        for work in works:
            if work in target:
                value = value_of(target[work], measure)
                found.append((f"{work}: {measure}", value, here, value <= here, most if kind else None))
    everything = target.get("dispatch, all with PDF")
    if everything:
        memory = everything["memory"]
        grown = memory[-1] - memory[len(memory) // 2]
        found.append(("dispatch, last half of the notices: MB", grown, MEMORY_SLACK, grown <= MEMORY_SLACK, None))
    for work in SAME_STATEMENTS:
        counts = {row["statements"] for row in rows if row["work"] == work}
        if sum(row["work"] == work for row in rows) > 1:
            spread = max(counts) - min(counts)
            found.append((f"{work}: statements more at one size than at another", spread, 0, not spread, None))
    large = {row["work"]: row for row in rows if row["case"] == "100k"}
    for work, measure, most in INSIGHT:
        if work in large:
            value = large[work][measure]
            found.append((f"{work}, {SIZES['100k'].items} open items: {measure}", value, most, value <= most, None))
    desk = [row["seconds"] for row in rows if row["case"] == "desk20k" and row["work"] in DESK]
    if desk:
        limit = DESK_LIMIT * times["python"]
        what = f"{' + '.join(DESK)}, {SIZES['desk20k'].debtors} debtors: seconds"
        found.append((what, sum(desk), limit, sum(desk) <= limit, DESK_LIMIT))
    for row in rows:
        if "beyond_empty" in row:
            beyond = row["beyond_empty"]
            what = f"install on {row['count']} invoices, beyond an empty database: seconds"
            found.append((what, beyond, INSTALL_LIMIT, beyond <= INSTALL_LIMIT, None))
    return found


def growth(rows):
    """Return ``(work, from, to, times the work, times the seconds, times the processor seconds)`` between neighbouring
    sizes. The work of a night is its open items: of the larger ledgers a debtor has more, and each notice lists them."""
    found = []
    by_case = {name: {row["work"]: row for row in rows if row["case"] == name} for name in GROWTH}
    for small, large in itertools.pairwise(GROWTH):
        for work, row in by_case[large].items():
            before = by_case[small].get(work)
            if before and before["count"] and before["seconds"]:
                amount = row["count"] / before["count"]
                if not work.startswith("dispatch"):
                    amount = SIZES[large].items / SIZES[small].items
                ratios = (row["seconds"] / before["seconds"], row["cpu"] / max(before["cpu"], 0.01))
                found.append((work, small, large, amount, *ratios))
    return found


# === Output ===#


def say(text):
    print(f"-- {text}", flush=True)


def show(row):
    """Print one row of the table."""
    each = ""
    if row["work"].startswith(("dispatch", "deposit")) and row["count"]:
        each = (
            f"   {value_of(row, 'seconds each') * 1000:.1f} ms, {value_of(row, 'statements each'):.2f} statements each"
        )
    elif row["case"] in SIZES and row["count"]:
        per_item = row["cpu"] / SIZES[row["case"]].items * 1e6
        each = f"   cpu: {per_item:.0f} us an item, {value_of(row, 'cpu each') * 1e6:.0f} us each"
    cpu = "" if row["cpu"] is None else f"{row['cpu']:.2f}"
    peak = "" if row["peak"] is None else f"{row['peak']:.0f}"
    statements = "" if row["statements"] is None else row["statements"]
    print(
        f"{row['case']:8}{row['work']:44}{row['count']:>8}{row['seconds']:>9.2f}{cpu:>8}{statements:>11}{peak:>9}{each}",
        flush=True,
    )


def report(rows):
    """Print the growth and the verdicts; return the latter."""
    ratios, judged = growth(rows), verdicts(rows)
    if ratios:
        print("\nGrowth: times the work, times the seconds, times the processor seconds")
        for work, small, large, amount, seconds, cpu in ratios:
            print(f"{small + ' -> ' + large:14}{work:44}{amount:>8.1f}{seconds:>8.1f}{cpu:>8.1f}")
    if judged:
        print("\nTargets")
        if any(row["work"] in floor.REFERENCE for row in rows):
            times = ", ".join(f"{value:.2f} times at {kind}" for kind, value in floor.factors(rows).items())
            print(f"This machine takes what the reference machine takes {times} work.")
        for what, value, most, good, reference in judged:
            limit = (
                f"{most:.4g}" if reference is None else f"{most:.4g} here (= {reference:.4g} of the reference machine)"
            )
            print(f"{'ok' if good else 'OVER':6}{what:70}{value:>9.4f}   at most {limit}")
    return judged


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="case", help="see above; all by default")
    parser.add_argument("--sample", type=int, default=1000, help="notices dispatched at each size (1000)")
    parser.add_argument("--insight", action="store_true", help="the dashboard and the reports alone")
    parser.add_argument("--fresh", action="store_true", help="load the ledgers again")
    options = parser.parse_args()
    known = [*SIZES, "install"]
    if unknown := set(options.cases) - set(known):
        parser.error(f"there is no case {', '.join(sorted(unknown))}: choose among {', '.join(known)}")
    databases = Databases(os.environ["ACCOUNT_COLLECTION_BASE_DB"], options.fresh)
    say(f"the dispatch handles at most {options.sample} notices at each size, all of them in the case of the targets")
    print(f"{'case':8}{'work':44}{'count':>8}{'seconds':>9}{'cpu s':>8}{'statements':>11}{'peak MB':>9}")
    rows = []
    for name in options.cases or known:
        rows += (
            measure_install(databases)
            if name == "install"
            else measure_night(databases, name, options.sample, options.insight)
        )
    judged = report(rows)
    (HERE / "latest.json").write_text(
        json.dumps(
            {
                "series": os.environ.get("ACCOUNT_COLLECTION_SERIES"),
                "date": TODAY.isoformat(),
                "load_average": os.getloadavg(),
                "rows": rows,
                "times_of_reference": floor.factors(rows),
                "targets": [dict(zip(("what", "value", "most", "ok", "reference"), verdict)) for verdict in judged],
                "growth": [
                    dict(zip(("work", "from", "to", "work_times", "seconds_times", "cpu_times"), line))
                    for line in growth(rows)
                ],
            },
            indent=1,
        )
        + "\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
