"""Folders: what all checkouts of a user share, and what belongs to this one."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from .console import ToolError, say

ADDON = "account_collection"
CHECKOUT = Path(__file__).resolve().parent.parent


def _own(folder: Path) -> Path:
    """Create a folder that others may enter but not write, and refuse one that another user owns."""
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise ToolError(f"{folder} belongs to another user: set ACCOUNT_COLLECTION_HOME to a folder of your own.")
    return folder


def home() -> Path:
    """Return the cache shared by all checkouts of this user: Odoo trees and Python environments."""
    chosen = os.environ.get("ACCOUNT_COLLECTION_HOME")
    return _own(Path(chosen).expanduser().absolute() if chosen else Path(f"/var/tmp/{ADDON}-{os.getuid()}"))


def checkout_key() -> str:
    """Return eight characters that tell this checkout from any other on the machine."""
    return hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:8]


def state() -> Path:
    """Return the folder of this checkout's state: databases, files, logs, mails, ported copies."""
    return _own(home() / checkout_key())


def state_folder(*names: str) -> Path:
    """Return a folder inside :func:`state`, created when missing."""
    folder = state().joinpath(*names)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def log_file(name: str) -> Path:
    """Return the path of this checkout's log called ``name``."""
    return state_folder("logs") / f"{name}.log"


@contextlib.contextmanager
def lock(folder: Path, name: str, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock called ``name`` in ``folder``; the kernel frees it when the process ends, however it ends.

    :raises ToolError: when it is taken and ``wait`` is false
    """
    (folder / "locks").mkdir(exist_ok=True)
    with (folder / "locks" / name).open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                raise ToolError(f"another make is at work on {name} in {folder}: let it finish first.") from None
            say(f"   waiting for another make that prepares {name}")
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def digest(*parts: str) -> str:
    """Return a short fingerprint of some texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def files_digest() -> str:
    """Return a fingerprint of the add-on's own files, by path, size and modification time."""
    marks = []
    ignored = {".git", "__pycache__", "tests", "tools", "benchmarks", "node_modules"}
    for folder, folders, files in os.walk(CHECKOUT):
        folders[:] = sorted(name for name in folders if name not in ignored and not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            if path.parent != CHECKOUT or path.suffix == ".py":
                about = path.stat()
                marks.append(f"{path.relative_to(CHECKOUT)}:{about.st_size}:{about.st_mtime_ns}")
    return digest(*marks)
