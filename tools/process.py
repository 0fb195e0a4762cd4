"""Background processes that ``make`` starts and that ``make stop`` must find again, and only those."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import console, workspace


def _record(name: str) -> Path:
    return workspace.state_folder("run") / f"{name}.json"


def _started_at(pid: int) -> str | None:
    """Return when the kernel started ``pid``, in ticks since boot: a number that a reused pid does not share."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def running(name: str) -> dict | None:
    """Return what was recorded about ``name`` when its process still runs and is still ours."""
    try:
        record = json.loads(_record(name).read_text())
    except (OSError, ValueError):
        return None
    return record if record["started_at"] == _started_at(record["pid"]) else None


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    **facts,
) -> dict:
    """Start a process that outlives ``make`` and record it with ``facts`` (such as its port)."""
    with log.open("ab") as output:
        process = console.spawn(command, output=output, env=env, cwd=cwd)
    record = {"pid": process.pid, "started_at": _started_at(process.pid), **facts}
    _record(name).write_text(json.dumps(record))
    return record


def stop(name: str, *, patience: int = 20) -> bool:
    """End the process recorded as ``name``; return whether there was one to end."""
    record = running(name)
    if record:
        for kind in (signal.SIGTERM, signal.SIGKILL):
            os.kill(record["pid"], kind)
            deadline = time.monotonic() + patience
            while running(name) and time.monotonic() < deadline:
                time.sleep(0.1)
            if not running(name):
                break
    _record(name).unlink(missing_ok=True)
    return bool(record)
