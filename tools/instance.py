"""One Odoo series made ready for one use: environment, PostgreSQL, add-ons folder, configuration file."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from . import console, environment, odoo_source, postgres, workspace

LOG_TAIL = 60
ODOO_TIMEOUT = 900


def manifest() -> dict:
    """Return the add-on's manifest."""
    return ast.literal_eval((workspace.CHECKOUT / "__manifest__.py").read_text())


@dataclass(frozen=True)
class Instance:
    """How to run one series of Odoo with the add-on, for one use ("test", "demo", "bench")."""

    use: str
    environment: environment.Environment
    server: postgres.Server

    @property
    def series(self) -> str:
        return self.environment.source.series

    @property
    def label(self) -> str:
        return f"odoo {self.series} (source: {self.environment.source.origin})"

    @property
    def addons(self) -> Path:
        """The folder that holds the add-on under its own name."""
        return workspace.state() / f"addons-{self.series}"

    @property
    def data(self) -> Path:
        return workspace.state_folder(f"data-{self.use}-{self.series}")

    @property
    def config(self) -> Path:
        return workspace.state_folder("conf") / f"{self.use}-{self.series}.conf"

    @property
    def launcher(self) -> Path:
        return workspace.state() / f"bin-{self.series}" / "odoo-bin"

    def database(self, name: str) -> str:
        """Return the full name of a database: unique to this checkout also on a server that others share."""
        return f"ac_{workspace.checkout_key()}_{self.series.partition('.')[0]}_{name}"

    def variables(self, **more: str) -> dict[str, str]:
        """Return the environment of whatever runs inside: this is the contract with tests and benchmarks."""
        # On the few rows of a test, compiling a statement and weighing the orders of its joins take longer than running
        # it as it is written.
        options = ("jit=off", "join_collapse_limit=1", "from_collapse_limit=1") if self.use == "test" else ()
        quick = {"PGOPTIONS": " ".join(f"-c {option}" for option in options)} if options else {}
        return self.environment.variables(
            **self.server.variables(),
            **quick,
            ACCOUNT_COLLECTION_SERIES=self.series,
            ACCOUNT_COLLECTION_ODOO_BIN=str(self.launcher),
            ACCOUNT_COLLECTION_ODOO_RC=str(self.config),
            ACCOUNT_COLLECTION_DATA_DIR=str(self.data),
            ACCOUNT_COLLECTION_ADDONS=str(self.addons),
            HYPOTHESIS_STORAGE_DIRECTORY=str(workspace.state() / "hypothesis"),
            **more,
        )

    def prepare(self, **options: object) -> None:
        """Start PostgreSQL, lay out the add-ons folder, write the launcher and the configuration with ``options``."""
        self.server.start(self.environment.python)
        self.data.chmod(0o700)
        self.environment.launcher()
        self.lay_out()
        settings = {
            "addons_path": ",".join(map(str, (*self.environment.source.addons, self.addons))),
            "data_dir": self.data,
            "db_host": self.server.host,
            "db_port": self.server.port,
            "db_user": self.server.user,
            "http_interface": "127.0.0.1",
            "list_db": False,
            "workers": 0,
            **options,
        }
        lines = [f"{name} = {value}" for name, value in settings.items()]
        self.config.write_text("\n".join(["[options]", *lines, ""]))
        self.config.chmod(0o600)

    def lay_out(self) -> None:
        """Put the add-on in its add-ons folder: a link to this checkout for 17.0, the ported copy for 19.0."""
        self.addons.mkdir(exist_ok=True)
        place = self.addons / workspace.ADDON
        if self.series == odoo_source.SERIES[0]:
            if not place.is_symlink() or place.readlink() != workspace.CHECKOUT:
                place.unlink(missing_ok=True)
                place.symlink_to(workspace.CHECKOUT)
            return
        variables = self.environment.variables()
        variables["PYTHONPATH"] += f":{workspace.CHECKOUT}"
        console.run(
            [self.environment.python, "-m", "tools.port", workspace.CHECKOUT, place],
            label=f"port the add-on to {self.series}",
            log=workspace.log_file(f"port-{self.series}"),
            timeout=120,
            env=variables,
            cwd=self.addons,
        )

    def database_tool(self, action: str, *arguments: str) -> str:
        """Run an action of :mod:`tools.database` and return what it prints."""
        variables = self.variables()
        variables["PYTHONPATH"] = str(workspace.CHECKOUT)
        command = [self.environment.python, "-m", "tools.database", action, *arguments]
        return console.capture(command, timeout=300, env=variables, cwd=self.addons).strip()

    def has_database(self, name: str) -> bool:
        return self.database_tool("exists", name) == "True"

    def odoo(self, database: str, *arguments: str, label: str, log: str, timeout: int = ODOO_TIMEOUT) -> None:
        """Run Odoo on a database to its end.

        :raises ToolError: when it fails, and when it logs an error although its exit code is 0
        """
        path = workspace.log_file(log)
        command = [self.launcher, "-c", self.config, "-d", database, *arguments]
        command += ["--stop-after-init", "--no-http", "--max-cron-threads=0"]
        console.run(command, label=label, log=path, timeout=timeout, env=self.variables(), cwd=self.addons)
        errors = re.findall(r"^\S+ \S+ \d+ (?:ERROR|CRITICAL) .*", path.read_text(errors="replace"), re.MULTILINE)
        if errors:
            raise console.ToolError(f"{label}: Odoo logged an error. Its log: {path}\n" + "\n".join(errors[:5]))

    def require_installed(self, database: str) -> None:
        """:raises ToolError: when the add-on is not installed, which Odoo does not always count as a failure"""
        state = self.database_tool("module_state", database, workspace.ADDON)
        if state != "installed":
            raise console.ToolError(f"{self.label}: the add-on is {state or 'unknown'} in {database}, not installed.")


def get(series: str, use: str, *, durable: bool = False) -> Instance:
    """Return the instance of a series; :raises Unavailable: when the series cannot be had."""
    source = odoo_source.find(series)
    return Instance(use, environment.for_series(source), postgres.server(use, durable=durable))


def get_any(use: str, series: str | None, *, durable: bool = False) -> Instance:
    """Return the instance of ``series`` or, without one, of the first series that can be had."""
    reasons = []
    for candidate in (series,) if series else odoo_source.SERIES:
        if candidate not in odoo_source.SERIES:
            raise console.ToolError(f"there is no series {candidate} here: {' or '.join(odoo_source.SERIES)}.")
        try:
            return get(candidate, use, durable=durable)
        except odoo_source.Unavailable as reason:
            reasons.append(str(reason))
    raise console.ToolError("\n".join(reasons))
