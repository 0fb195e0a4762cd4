"""A local SMTP server that keeps every mail as a file and sends nothing on.

How to use, in a process: ``with SmtpSink(folder) as sink: ... sink.port ... sink.mails()``; as a program:
``python -m tools.smtp_sink --folder F --port P``, until SIGTERM.

What it leaves in the folder, for each mail accepted: ``<time>-<number>-<recipient>.eml`` with the envelope in the
headers X-Envelope-From and X-Envelope-To, and beside it each PDF attachment as ``<same name>-<attachment>.pdf``. File
names sort by time of arrival, and a file is there only when it is whole.
"""

from __future__ import annotations

import argparse
import datetime
import email.policy
import itertools
import re
import signal
import threading
from collections.abc import Collection
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.controller import Controller

from .network import HOST, free_port

LARGEST_MAIL = 100 * 1024 * 1024
ATTEMPTS = 5


def slug(text: str) -> str:
    """Return a text as a part of a file name.

    >>> slug("Año 1/Café <a@b.mx>")
    'A-o-1-Caf-a@b.mx'
    """
    return re.sub(r"[^A-Za-z0-9@._-]+", "-", text).strip("-.")[:80]


class SmtpSink:
    """The server, in a thread of this process, and what it caught.

    :param folder: where the mails go; created when missing
    :param port: 0 takes any free one
    :param refused: recipients that are answered "550 no such mailbox"
    """

    def __init__(self, folder: Path | str, port: int = 0, refused: Collection[str] = ()) -> None:
        self.folder = Path(folder)
        self.port = port
        self.refused = {address.lower() for address in refused}
        self._numbers = itertools.count(1)
        self._controller: Controller | None = None

    def __enter__(self) -> SmtpSink:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; :raises OSError: when the port is taken"""
        self.folder.mkdir(parents=True, exist_ok=True)
        for attempt in range(ATTEMPTS):
            port = self.port or free_port()
            options = {"data_size_limit": LARGEST_MAIL, "enable_SMTPUTF8": True}
            controller = Controller(self, hostname=HOST, port=port, **options)
            try:
                controller.start()
            except OSError:
                if self.port or attempt == ATTEMPTS - 1:
                    raise
                continue
            self._controller, self.port = controller, port
            return

    def stop(self) -> None:
        """Listen no more; the files stay."""
        if self._controller:
            self._controller.stop()
            self._controller = None

    def files(self) -> list[Path]:
        """Return the .eml files in order of arrival."""
        return sorted(self.folder.glob("*.eml"))

    def mails(self) -> list[EmailMessage]:
        """Return the mails in order of arrival."""
        return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in self.files()]

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        """Accept or refuse one recipient (called by aiosmtpd)."""
        if address.lower() in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        """Keep one mail (called by aiosmtpd)."""
        now = datetime.datetime.now()
        first = envelope.rcpt_tos[0] if envelope.rcpt_tos else "nobody"
        name = f"{now:%Y%m%dT%H%M%S.%f}-{next(self._numbers):05d}-{slug(first)}"
        content = envelope.original_content
        sender, recipients = envelope.mail_from or "<>", ", ".join(envelope.rcpt_tos)
        head = f"X-Envelope-From: {sender}\r\nX-Envelope-To: {recipients}\r\n".encode()
        for title, attachment in _pdf_attachments(content):
            (self.folder / f"{name}-{title}").write_bytes(attachment)
        unfinished = self.folder / f"{name}.part"
        unfinished.write_bytes(head + content)
        unfinished.rename(self.folder / f"{name}.eml")
        return "250 OK kept"


def _pdf_attachments(content: bytes) -> list[tuple[str, bytes]]:
    message = email.message_from_bytes(content, policy=email.policy.default)
    found = []
    for number, part in enumerate(message.walk()):
        name = part.get_filename() or ""
        if part.get_content_type() == "application/pdf" or name.lower().endswith(".pdf"):
            stem = slug(name.rpartition(".")[0]) or str(number)
            found.append((f"{stem}.pdf", part.get_payload(decode=True) or b""))
    return found


def main() -> None:
    """Serve until a signal ends it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    ended = threading.Event()
    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, lambda *_: ended.set())
    with SmtpSink(options.folder, options.port) as sink:
        print(f"listening on {HOST}:{sink.port}", flush=True)
        ended.wait()


if __name__ == "__main__":
    main()
