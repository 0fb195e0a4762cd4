"""Ports of this machine."""

from __future__ import annotations

import socket
import time
import urllib.error
import urllib.request

HOST = "127.0.0.1"


def free_port(first: int = 0, tries: int = 100) -> int:
    """Return a port that nobody listens on: ``first`` or the next free one, or any when 0.

    :raises OSError: when none of ``tries`` ports is free
    """
    for port in range(first, first + tries):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return probe.getsockname()[1]
    raise OSError(f"no free port from {first} on")


def answers(port: int) -> bool:
    """Tell whether something listens on a port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def serves(url: str) -> bool:
    """Tell whether a page answers 200; proxies are not asked, since the page is on this machine."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=30) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


def wait(condition, *, seconds: int, pause: float = 0.3) -> bool:
    """Wait until ``condition()`` is true; return whether it became so in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(pause)
    return False
