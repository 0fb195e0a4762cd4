"""The checks of ``make lint``: ruff, pylint-odoo, and the add-on's data files."""

from __future__ import annotations

import os

from . import console, environment, workspace

CHECKS = ("ruff", "pylint", "data")


def lint(only: str | None = None) -> int:
    """Run one check or all of them; return the exit code."""
    place = environment.for_lint()
    addons = workspace.state_folder("addons-lint")
    link = addons / workspace.ADDON
    if not link.is_symlink() or link.readlink() != workspace.CHECKOUT:
        link.unlink(missing_ok=True)
        link.symlink_to(workspace.CHECKOUT)
    config = workspace.CHECKOUT / "pyproject.toml"
    fix = [] if os.environ.get("FIX") else ["--check"]
    ruff = place.program("ruff")
    python = {**place.variables(), "PYTHONPATH": str(workspace.CHECKOUT)}
    commands = {
        "ruff": [
            ([ruff, "check", "--cache-dir", workspace.state() / "ruff-cache", *([] if fix else ["--fix"]), "."], None),
            ([ruff, "format", "--cache-dir", workspace.state() / "ruff-cache", *fix, "."], None),
        ],
        "pylint": [([place.program("pylint"), f"--rcfile={config}", workspace.ADDON], addons)],
        "data": [([place.python, "-m", "tools.data_files", workspace.CHECKOUT], addons)],
    }
    failed = []
    for name in (only,) if only else CHECKS:
        for command, folder in commands[name]:
            title = " ".join([command[0].name, *[str(word) for word in command[1:2]]])
            console.step(title)
            if console.attached(command, env=python, cwd=folder or workspace.CHECKOUT):
                failed.append(title)
    console.say(f"lint: FAILED: {', '.join(failed)}" if failed else "lint: all checks passed")
    return 1 if failed else 0
