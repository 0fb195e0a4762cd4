"""Real databases and real processes, for tests in which something is killed, installed or removed.

The runner names a database that has the add-on's dependencies only (``ACCOUNT_COLLECTION_BASE_DB``), one that has the
add-on too (``ACCOUNT_COLLECTION_INSTALLED_DB``) and where Odoo is; see ``tools/instance.py``. Everything that is made
here is removed at the end of the test class.
"""

import email
import email.policy
import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path

from aiosmtpd.controller import Controller

from ..tools import database
from ..tools.suite import without_demo

ADDON = "account_collection"
TIMEOUT = 240


class DiedError(Exception):
    """The process ended without an answer."""


class Sink:
    """An SMTP server on this machine that keeps what it gets; ``refuse`` holds addresses that it does not take."""

    def __init__(self):
        self.messages, self.refuse = [], set()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=60)

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refuse:
            return "550 5.1.1 No such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.messages.append((tuple(envelope.rcpt_tos), message))
        return "250 OK"

    def __enter__(self):
        self.controller.start()
        return self

    def __exit__(self, *_exception):
        self.controller.stop(no_assert=True)


class Worker:
    """A process with Odoo on one database; each task is a child of its own, see ``crash_worker.py``."""

    def __init__(self, name, folder):
        environment = {**os.environ, "TMPDIR": str(folder)}
        self.log = Path(folder, f"worker-{uuid.uuid4().hex[:6]}.log")
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    Path(__file__).with_name("crash_worker.py"),
                    os.environ["ACCOUNT_COLLECTION_ODOO_RC"],
                    name,
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environment,
            )
        self.answers, self.begun, self.lock = {}, queue.Queue(), threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()
        self._next_pid()

    def _listen(self):
        for line in self.process.stdout:
            values = json.loads(line)
            pid = values.pop("pid")
            if not values or "ready" in values:
                self.begun.put(pid)
                continue
            with self.lock:
                self.answers[pid] = values
                self.lock.notify_all()
        self.begun.put(None)

    def _next_pid(self):
        pid = self.begun.get(timeout=TIMEOUT)
        if pid is None:
            raise DiedError(self.log.read_text()[-4000:])
        return pid

    def start(self, do, **arguments):
        """Begin a task and return its process id."""
        self.process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self.process.stdin.flush()
        return self._next_pid()

    def wait(self, pid):
        """Return what a task answered.

        :raise DiedError: when it was killed
        """
        for _turn in range(TIMEOUT * 20):
            with self.lock:
                if pid in self.answers or self.lock.wait_for(lambda: pid in self.answers, timeout=0.05):
                    answered = self.answers.pop(pid)
                    break
            if not Path("/proc", str(pid)).exists() and pid not in self.answers:
                # Its last words may still be on their way.
                with self.lock:
                    self.lock.wait_for(lambda: pid in self.answers, timeout=0.2)
                    if pid not in self.answers:
                        raise DiedError(pid)
        else:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            raise TimeoutError(self.log.read_text()[-4000:])
        if "error" in answered:
            raise AssertionError(answered["error"])
        return answered["result"]

    def do(self, do, **arguments):
        return self.wait(self.start(do, **arguments))

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()


class CrashCase(unittest.TestCase):
    """Tests on clones of the base database, outside of any test transaction."""

    # What Odoo's own runner reads of a test class; -standard: never on a user's server unless asked for.
    test_tags = {"collection_crash", "post_install"}
    test_module = ADDON
    test_class = "CrashCase"
    test_sequence = 0

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.test_class = cls.__name__
        cls.folder = Path(tempfile.mkdtemp(prefix="collection_crash."))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)

    # === Databases === #

    @classmethod
    def clone_installed(cls):
        """Return the name of a new database in which the add-on is installed and nothing else has happened."""
        return cls.clone(os.environ["ACCOUNT_COLLECTION_INSTALLED_DB"])

    @classmethod
    def clone(cls, template=None):
        """Return the name of a new copy of a database, its filestore included."""
        base = os.environ["ACCOUNT_COLLECTION_BASE_DB"]
        name = f"{base}_{uuid.uuid4().hex[:8]}"
        cls.addClassCleanup(database.drop, name)
        database.clone(template or base, name)
        return name

    # === Processes === #

    @classmethod
    @contextmanager
    def worker(cls, name):
        worker = Worker(name, cls.folder)
        try:
            yield worker
        finally:
            worker.close()

    @classmethod
    def install(cls, name):
        """Install the add-on; returns Odoo's log."""
        return cls._odoo(name, "-i", ADDON, *without_demo(os.environ["ACCOUNT_COLLECTION_SERIES"]))

    @classmethod
    def update(cls, name):
        """Update the add-on; returns Odoo's log."""
        return cls._odoo(name, "-u", ADDON)

    @staticmethod
    def _odoo(name, *arguments):
        try:
            return database.odoo(name, *arguments, timeout=TIMEOUT).stdout
        except subprocess.CalledProcessError as error:
            raise AssertionError(error.stdout[-4000:]) from None
