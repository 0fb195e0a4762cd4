"""The command line behind ``make``: ``python3 -m tools.dev test --series 17.0``. Needs no package to be installed."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys

from . import console, demo, environment, i18n, instance, lint, odoo_source, suite, system, workspace


def setup(options: argparse.Namespace) -> int:
    """Get ready what every other target needs."""
    system.ensure(*system.PDF, *system.BROWSER)
    ready = []
    for series in (options.series,) if options.series else odoo_source.SERIES:
        try:
            place = instance.get(series, "test")
            ready.append(place.label)
        except odoo_source.Unavailable as reason:
            console.say(f"odoo {series}: {reason}")
    environment.for_lint()
    if not ready:
        raise console.ToolError("no series of Odoo could be had.")
    console.say("ready: " + ", ".join(ready))
    return 0


def test(options: argparse.Namespace) -> int:
    """Test each series that can be had."""
    narrowing = suite.Options(
        options.keyword or "", options.keep, options.fresh, tuple(shlex.split(options.args or ""))
    )
    return suite.test(options.series, narrowing)


def run_lint(options: argparse.Namespace) -> int:
    """Check style and well-formedness."""
    return lint.lint(options.only)


def bench(options: argparse.Namespace) -> int:
    """Run the benchmarks."""
    system.ensure(*system.PDF)
    place = instance.get_any("bench", options.series)
    with workspace.lock(workspace.state(), "bench", wait=False):
        place.prepare(max_cron_threads=0)
        try:
            variables = place.variables(ACCOUNT_COLLECTION_BASE_DB=suite.base_database(place))
            script = place.addons / workspace.ADDON / "benchmarks" / "run.py"
            console.step(f"benchmarks on {place.label}")
            words = [place.environment.python, script, *shlex.split(options.args or "")]
            return console.attached(words, env=variables, cwd=workspace.CHECKOUT)
        finally:
            place.server.stop()


def clean(options: argparse.Namespace) -> int:
    """Remove this checkout's state: databases, files, logs, mails, ported copies."""
    stop(options)
    shutil.rmtree(workspace.state())
    console.say("this checkout's state is removed; the shared cache stays in " + str(workspace.home()))
    return 0


def stop(options: argparse.Namespace) -> int:
    """End what this checkout started."""
    return demo.stop()


def run_demo(options: argparse.Namespace) -> int:
    """Make, run and serve the demo."""
    return demo.demo(options.series, options.port)


def update_translations(options: argparse.Namespace) -> int:
    """Export the add-on's texts and bring the translations up to date."""
    return i18n.update()


def take_screenshots(options: argparse.Namespace) -> int:
    """Take the pictures of static/description from the running demo."""
    system.ensure(*system.BROWSER, system.POPPLER)
    return demo.screenshots(shlex.split(options.args or ""))


def shell(options: argparse.Namespace) -> int:
    """Open an Odoo shell on the demo's database."""
    return demo.shell(options.series)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    commands = {
        "setup": setup,
        "demo": run_demo,
        "shell": shell,
        "screenshots": take_screenshots,
        "test": test,
        "lint": run_lint,
        "bench": bench,
        "i18n": update_translations,
        "stop": stop,
        "clean": clean,
    }
    result = argparse.ArgumentParser(prog="tools.dev", description=__doc__)
    result.add_argument("command", choices=commands)
    result.add_argument("--series", default=os.environ.get("SERIES") or None)
    result.add_argument("--keyword", default=os.environ.get("K"))
    result.add_argument("--keep", action="store_true", default=bool(os.environ.get("KEEP")))
    result.add_argument("--fresh", action="store_true", default=bool(os.environ.get("FRESH")))
    result.add_argument("--args", default=os.environ.get("ARGS"))
    result.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 0))
    result.add_argument("--only", choices=lint.CHECKS)
    result.set_defaults(commands=commands)
    return result


def main() -> int:
    """Run the command that the command line names."""
    options = parser().parse_args()
    return options.commands[options.command](options)


if __name__ == "__main__":
    sys.exit(console.main_guard(main))
