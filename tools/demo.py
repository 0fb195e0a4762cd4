"""The demonstration: a durable database with demo data, mails caught on this machine, Odoo served in the background.

What is remembered between two calls is in ``demo.json`` of this checkout's state: series, ports, and for each series'
database the fingerprint of the add-on's files that it was last brought up to.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from . import console, instance, network, odoo_source, postgres, process, system, workspace

SERVER, SINK = "odoo", "smtp"
FIRST_PORT = 8069
FIRST_PAGE_SECONDS = 240
RUN_SECONDS = 1800


@dataclass
class Facts:
    """What the demo of this checkout is; ``versions`` names a series once its database is complete."""

    series: str = ""
    port: int = 0
    smtp_port: int = 0
    versions: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls) -> Facts:
        try:
            return cls(**json.loads(cls._path().read_text()))
        except (OSError, ValueError, TypeError):
            return cls()

    def write(self) -> None:
        self._path().write_text(json.dumps(asdict(self)))

    @staticmethod
    def _path() -> Path:
        return workspace.state() / "demo.json"


def demo(series: str | None, port: int) -> int:
    """Make or bring up to date the demo, run the night once, serve it; return the exit code."""
    system.ensure(*system.PDF)
    facts = Facts.read()
    place = instance.get_any("demo", series or facts.series or None, durable=True)
    with workspace.lock(workspace.state(), "demo"):
        if facts.series != place.series:
            process.stop(SERVER)
            facts.series = place.series
        _serve_mails(place, facts)
        _choose_port(facts, port)
        _configure(place, facts)
        _bring_up_to_date(place, facts)
        _serve(place, facts)
        code = _run_night(place, facts)
        _tell(place, facts)
    return code


def database(place: instance.Instance) -> str:
    """Return the name of the demo's database."""
    return place.database("demo")


def mails() -> Path:
    """Return the folder of the mails that were caught."""
    return workspace.state_folder("mails")


def _serve_mails(place: instance.Instance, facts: Facts) -> None:
    if process.running(SINK):
        return
    facts.smtp_port = network.free_port(facts.smtp_port) if facts.smtp_port else network.free_port()
    command = [place.environment.python, "-m", "tools.smtp_sink", "--folder", mails(), "--port", facts.smtp_port]
    variables = {**place.environment.variables(), "PYTHONPATH": str(workspace.CHECKOUT)}
    log = workspace.log_file(SINK)
    process.start(SINK, command, log=log, env=variables, cwd=workspace.state(), port=facts.smtp_port)
    if not network.wait(lambda: network.answers(facts.smtp_port), seconds=20):
        raise console.ToolError(f"the SMTP sink did not start. Its log: {log}\n{console.tail(log)}")
    facts.write()


def _choose_port(facts: Facts, wanted: int) -> None:
    """Keep the port of a running server unless another one is asked for; else take the first free one."""
    running = process.running(SERVER)
    if running and wanted in (0, running["port"]):
        facts.port = running["port"]
        return
    process.stop(SERVER)
    facts.port = network.free_port(wanted or facts.port or FIRST_PORT)
    if wanted and facts.port != wanted:
        console.say(f"port {wanted} is taken: {facts.port} it is")
    facts.write()


def _configure(place: instance.Instance, facts: Facts) -> None:
    name = database(place)
    place.prepare(
        db_name=name,
        dbfilter=f"^{name}$",
        http_port=facts.port,
        smtp_server=network.HOST,
        smtp_port=facts.smtp_port,
        max_cron_threads=2,
    )


def _bring_up_to_date(place: instance.Instance, facts: Facts) -> None:
    """Install the add-on with its demo data, or update it when its files changed since."""
    name, files = database(place), workspace.files_digest()
    there = place.has_database(name)
    if there and facts.versions.get(place.series) == files:
        return
    process.stop(SERVER)
    if there and place.series in facts.versions:
        place.odoo(name, "-u", workspace.ADDON, label="update the add-on: its files changed", log="demo-update")
    else:
        place.database_tool("drop", name)
        place.database_tool("create", name)
        demo_data = ("--with-demo",) if place.series != odoo_source.SERIES[0] else ()
        place.odoo(
            name, "-i", workspace.ADDON, *demo_data, label="install the add-on with demo data", log="demo-install"
        )
    place.require_installed(name)
    facts.versions[place.series] = files
    facts.write()


def _url(facts: Facts) -> str:
    return f"http://{network.HOST}:{facts.port}"


def _serve(place: instance.Instance, facts: Facts) -> None:
    log = workspace.log_file("demo-server")
    if not process.running(SERVER):
        console.step(f"serve on {_url(facts)}")
        command = [place.launcher, "-c", place.config]
        process.start(SERVER, command, log=log, env=place.variables(), cwd=place.addons, port=facts.port)

    def settled() -> bool:
        return not process.running(SERVER) or network.serves(f"{_url(facts)}/web/login")

    network.wait(settled, seconds=FIRST_PAGE_SECONDS)
    if not process.running(SERVER) or not network.serves(f"{_url(facts)}/web/login"):
        raise console.ToolError(f"Odoo does not serve {_url(facts)}. Its log: {log}\n{console.tail(log)}")


def _run_night(place: instance.Instance, facts: Facts) -> int:
    console.step("run the nightly job")
    code = f"from odoo.addons.{workspace.ADDON}.tools.demo_run import main\nmain(env, {_url(facts)!r})\n"
    script = workspace.state() / "demo_run_now.py"
    script.write_text(code)
    command = [place.launcher, "shell", "-c", place.config, "-d", database(place), "--no-http", "--max-cron-threads=0"]
    command += [f"--logfile={workspace.log_file('demo-run')}"]
    with script.open() as stream:
        return console.attached(command, env=place.variables(), cwd=place.addons, timeout=RUN_SECONDS, stdin=stream)


def _tell(place: instance.Instance, facts: Facts) -> None:
    eml, pdf = (len(list(mails().glob(pattern))) for pattern in ("*.eml", "*.pdf"))
    console.say("")
    console.say(f"mails   {eml} .eml and {pdf} PDF files in {mails()}")
    console.say(f"logs    {workspace.state() / 'logs'}")
    console.say(f"Odoo    {_url(facts)}  user admin, password admin  ({place.label})")
    console.say("stop    make stop")


def shell(series: str | None) -> int:
    """Replace this process by an Odoo shell on the demo's database."""
    facts = Facts.read()
    wanted = series or facts.series
    if wanted not in facts.versions:
        raise console.ToolError("there is no such demo yet: run `make demo` first.")
    place = instance.get_any("demo", wanted, durable=True)
    _configure(place, facts)
    command = [str(place.launcher), "shell", "-c", str(place.config), "-d", database(place), "--no-http"]
    command += ["--max-cron-threads=0"]
    sys.stdout.flush()
    os.chdir(place.addons)
    os.execve(command[0], command, place.variables())


def screenshots(names: list[str]) -> int:
    """Take the pictures of ``static/description`` that are named, or all, from the running demo; return its code."""
    facts = Facts.read()
    if not process.running(SERVER):
        raise console.ToolError("the demo is not running: run `make demo` first.")
    place = instance.get_any("demo", facts.series, durable=True)
    variables = {**place.environment.variables(), "PYTHONPATH": str(workspace.CHECKOUT)}
    command = [place.environment.python, "-m", "tools.screenshots", _url(facts), *names]
    return console.attached(command, env=variables, cwd=workspace.state(), timeout=RUN_SECONDS)


def stop() -> int:
    """End what this checkout started: the server, the SMTP sink, PostgreSQL; a running `make test` keeps its own."""
    ended = [name for name in (SERVER, SINK) if process.stop(name)]
    for use in ("demo", "test", "bench"):
        server = postgres.server(use)
        if not server.running():
            continue
        try:
            with workspace.lock(workspace.state(), use, wait=False):
                server.stop()
        except console.ToolError as reason:
            console.say(str(reason))
        else:
            ended.append(f"PostgreSQL ({use})")
    console.say(f"stopped: {', '.join(ended)}" if ended else "nothing of this checkout was running")
    return 0
