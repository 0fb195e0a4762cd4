"""What the person at the terminal sees: steps, progress, one clear sentence on failure."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

PROGRESS_SECONDS = 10
TAIL_LINES = 40


class ToolError(Exception):
    """A failure that is explained by its own sentence; shown without a traceback."""


def say(message: str) -> None:
    """Print one line now, also when the output is a pipe."""
    print(message, flush=True)


def step(message: str) -> None:
    """Announce a step that may take a while."""
    say(f"== {message}")


def last_line(log: Path) -> str:
    """Return the last line of a log, shortened to fit beside a progress mark."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - 2000))
            lines = stream.read().decode(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1].strip()[:110] if lines else ""


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """Return the end of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def end_group(process: subprocess.Popen) -> None:
    """End a process started in a session of its own, with its children."""
    for kind in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, kind)
        except ProcessLookupError:
            return
        try:
            process.wait(timeout=5)
            return
        except subprocess.TimeoutExpired:
            continue


def spawn(
    command: Sequence[str | Path], *, output: IO, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.Popen:
    """Start a command in a session of its own, with its output in an open file."""
    return subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=env,
        cwd=cwd,
        start_new_session=True,
    )


def run(
    command: Sequence[str | Path],
    *,
    label: str,
    log: Path,
    timeout: int,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    append: bool = False,
) -> None:
    """Run a long command with its output in ``log`` while its progress is shown.

    :param label: the step's name, as in "install Odoo's Python requirements"
    :param timeout: seconds after which the command is ended
    :raises ToolError: when it fails or lasts too long, with the end of its log
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    step(label)
    started = shown = time.monotonic()
    with log.open("ab" if append else "wb") as output:
        process = spawn(command, output=output, env=env, cwd=cwd)
        try:
            while process.poll() is None:
                time.sleep(0.1)
                now = time.monotonic()
                if now - started > timeout:
                    raise ToolError(f"{label}: not finished after {timeout} s, ended. Its log: {log}\n{tail(log)}")
                if now - shown > PROGRESS_SECONDS:
                    shown = now
                    say(f"   {now - started:4.0f} s  {last_line(log)}")
        finally:
            if process.poll() is None:
                end_group(process)
    if process.returncode:
        raise ToolError(f"{label}: failed with exit code {process.returncode}. Its log: {log}\n{tail(log)}")
    say(f"   done in {time.monotonic() - started:.1f} s")


def capture(command: Sequence[str | Path], *, timeout: int, env: Mapping[str, str] | None = None, **kwargs) -> str:
    """Return what a short command prints; :raises ToolError: when it fails or lasts too long."""
    words = [str(part) for part in command]
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, env=env, **kwargs
        )
    except subprocess.TimeoutExpired:
        raise ToolError(f"{words[0]}: no answer after {timeout} s") from None
    except OSError as error:
        raise ToolError(f"{words[0]}: {error.strerror}") from None
    if done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines()
        raise ToolError(f"{' '.join(words[:3])}: {reason[-1] if reason else f'exit code {done.returncode}'}")
    return done.stdout


def quiet(command: Sequence[str | Path], *, output: IO, timeout: int, **kwargs) -> int:
    """Run a short command with its output in an open file and return its exit code."""
    words = [str(part) for part in command]
    try:
        return subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, timeout=timeout, **kwargs
        ).returncode
    except subprocess.TimeoutExpired:
        raise ToolError(f"{words[0]}: no answer after {timeout} s") from None
    except OSError as error:
        raise ToolError(f"{words[0]}: {error.strerror}") from None


def attached(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    timeout: int | None = None,
    stdin: IO | None = None,
    prefix: str = "",
) -> int:
    """Run a command whose output is shown as it comes, and return its exit code (124 when it lasts too long).

    :param prefix: put before each line, where several commands run at once
    """
    words = [str(part) for part in command]
    output = subprocess.PIPE if prefix else None
    process = subprocess.Popen(
        words,
        stdin=stdin or subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if prefix else None,
        env=env,
        cwd=cwd,
    )
    ended = threading.Event()
    watch = threading.Timer(timeout, lambda: (ended.set(), process.kill())) if timeout else None
    try:
        if watch:
            watch.start()
        for line in process.stdout or ():
            say(prefix + line.decode(errors="replace").rstrip())
        code = process.wait()
    finally:
        if watch:
            watch.cancel()
        if process.poll() is None:
            process.kill()
    if ended.is_set():
        say(f"ERROR: {prefix}{Path(words[0]).name} had not finished after {timeout} s and was ended.")
        return 124
    return code


def main_guard(main) -> int:
    """Run ``main()`` and turn a ToolError or Ctrl-C into an exit code and one message."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return main() or 0
    except ToolError as error:
        say(f"ERROR: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130
