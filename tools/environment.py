"""Python environments in the shared cache, one for each series and set of requirements, and Odoo's start in them."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import console, system, workspace
from .odoo_source import OdooSource, Unavailable

REQUIREMENTS = workspace.CHECKOUT / "tools" / "requirements"
INSTALL_TIMEOUT = 1800
# Interpreters that each series runs on, the best tried first.
PYTHONS = {"17.0": ("3.11", "3.10", "3.12"), "19.0": ("3.11", "3.12", "3.10", "3.13")}
ANY_PYTHON = ("3.11", "3.12", "3.13", "3.10", "3.14")
# Not used by what the add-on depends on, and in need of a compiler and of system libraries.
LEFT_OUT = ("ebaysdk", "psycopg2", "pypiwin32", "python-ldap", "rl-renderPM")


@dataclass(frozen=True)
class Environment:
    """A virtual environment and, for all but lint, the Odoo that it runs."""

    folder: Path
    source: OdooSource | None = None

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def program(self, name: str) -> Path:
        return self.folder / "bin" / name

    def variables(self, **more: str) -> dict[str, str]:
        """Return the process environment in which ``import odoo`` finds this source and programs of this venv win."""
        dropped = ("PYTHONHOME", "ODOO_RC", "PYTHONDONTWRITEBYTECODE")
        variables = {key: value for key, value in os.environ.items() if key not in dropped}
        # Apart from the sources, which may be anybody's: every process that starts Odoo spares seconds of compiling.
        variables["PYTHONPYCACHEPREFIX"] = str(workspace.home() / "pycache")
        variables["PATH"] = f"{self.folder / 'bin'}{os.pathsep}{variables.get('PATH', os.defpath)}"
        variables["VIRTUAL_ENV"] = str(self.folder)
        variables.pop("PYTHONPATH", None)
        if self.source:
            variables["PYTHONPATH"] = str(self.source.root)
        return {**variables, **more}

    def launcher(self) -> Path:
        """Write and return the program that is ``odoo-bin`` for this environment; its pid is Odoo's own."""
        folder = workspace.state_folder(f"bin-{self.source.series}")
        program, main = folder / "odoo-bin", folder / "odoo_main.py"
        main.write_text(
            '"""Odoo\'s command line, started apart from any working directory."""\n'
            'import os\n\nos.environ["TZ"] = "UTC"\nimport odoo.cli\n\n'
            'if __name__ == "__main__":\n    odoo.cli.main()\n'
        )
        fresh = folder / f"odoo-bin.{os.getpid()}"
        fresh.write_text(f'#!/bin/sh\nPYTHONPATH="{self.source.root}" exec "{self.python}" "{main}" "$@"\n')
        fresh.chmod(0o755)
        fresh.rename(program)
        return program


def _version(python: str) -> str | None:
    code = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    try:
        return console.capture([python, "-c", code], timeout=30).strip()
    except console.ToolError:
        return None


def find_python(versions: Sequence[str]) -> str:
    """Return an interpreter of one of ``versions`` that can make virtual environments.

    :raises ToolError: when the machine has none
    """
    chosen = os.environ.get("ACCOUNT_COLLECTION_PYTHON")
    names = [f"python{version}" for version in versions]
    # The system's own first: it was built for speed, and needs a third less time than one that pyenv compiled.
    candidates = [chosen] if chosen else [*(f"/usr/bin/{name}" for name in names), sys.executable, *names]
    for candidate in candidates:
        path = shutil.which(candidate)
        if path and _version(path) in versions:
            return path
    raise console.ToolError(
        f"no Python {' or '.join(versions)} with its venv module (tried {', '.join(candidates)}). "
        "On Debian: apt-get install python3-venv, or set ACCOUNT_COLLECTION_PYTHON."
    )


def _python_for(versions: Sequence[str]) -> str:
    try:
        return find_python(versions)
    except console.ToolError:
        if os.getuid():
            raise
        system.ensure(system.Need("python3-venv"))
        return find_python(versions)


def odoo_requirements(source: OdooSource) -> str:
    """Return the requirements of an Odoo tree, without what the add-on never reaches."""
    if not source.requirements:
        return (REQUIREMENTS / f"odoo-{source.series}.txt").read_text()
    kept = []
    for line in source.requirements.read_text().splitlines():
        name = re.match(r"[\w.-]*", line).group()
        if name and name not in LEFT_OUT:
            kept.append(line)
    return "\n".join(kept) + "\n"


def for_series(source: OdooSource) -> Environment:
    """Return the environment in which ``source`` runs, made when it is not there yet.

    :raises Unavailable: when it cannot be made
    """
    text = odoo_requirements(source) + (REQUIREMENTS / "dev.txt").read_text()
    try:
        return Environment(_made(source.series, text, PYTHONS[source.series]), source)
    except console.ToolError as error:
        raise Unavailable(f"Odoo {source.series}: its Python environment cannot be made: {error}") from None


def for_lint() -> Environment:
    """Return the environment of the linters, made when it is not there yet."""
    return Environment(_made("lint", (REQUIREMENTS / "lint.txt").read_text(), ANY_PYTHON))


def _made(name: str, requirements: str, versions: Sequence[str]) -> Path:
    python = _python_for(versions)
    key = workspace.digest(requirements, python, _version(python))
    folder = workspace.home() / f"venv-{name}-{key}"
    ready = folder / ".ready"
    if ready.exists():
        return folder
    with workspace.lock(workspace.home(), folder.name):
        if not ready.exists():
            _make(folder, python, requirements, name)
            ready.touch()
    return folder


def _make(folder: Path, python: str, requirements: str, name: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    log = workspace.log_file(f"venv-{name}")
    console.run([python, "-m", "venv", folder], label=f"make a Python environment ({name})", log=log, timeout=300)
    listed = folder / "requirements.txt"
    listed.write_text(requirements)
    console.run(
        [
            folder / "bin/python",
            "-m",
            "pip",
            "install",
            "--prefer-binary",
            "--no-input",
            "--retries",
            "2",
            "-r",
            listed,
        ],
        label=f"install the Python requirements ({name})",
        log=log,
        timeout=INSTALL_TIMEOUT,
        env={key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")},
        append=True,
    )
