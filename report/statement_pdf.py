"""Many HTML documents to as many PDFs, with few wkhtmltopdf processes.

What: starting wkhtmltopdf costs some 0.3 s, a further page in the same process some 5 ms. Documents
are therefore printed together and the PDF is taken apart again.

How to use::

    results = render(env, fragments, paperformat, head=Markup("<style>...</style>"))
    # one entry per fragment, in order: bytes of a PDF, or the exception that this document met

    with Printing(env) as printing:
        finish = printing.start(fragments, paperformat)  # prints while the caller goes on
        results = finish()  # waits for what is still missing
    # whatever was raised in between, nothing prints any more

Fragments are balanced, self-contained HTML (images as data: URIs). Neither scripts nor files nor the
network are used while printing.

How it works: every document begins on a new page with two one-pixel squares: the first has a fixed colour,
the colour of the second tells the document's position. Both appear among the first fill operators of that
page's content stream, so no text needs to be extracted. The split is accepted only when the positions found
are 0, 1, 2, ... in page order from the first page on. Anything else (a failed process, a time-out, an
unexpected order) prints the batch again in parts, until the document at fault is alone and its neighbours are
printed. Odoo kills a job or a request after 120 s (limit_time_real_cron), and the next one would begin with
the same documents, for ever: so one that hangs is found in less. Of 150 documents it takes 40 + 16 + 11 + 10
s, where all together print in some 2 s; after DEADLINE those that are missing fail. Threads wait for the
processes and take their PDFs apart; they know neither records nor cursors. The operators are those of Qt's
own PDF writer, the same in wkhtmltopdf builds with patched and unpatched Qt.
"""

import io
import os
import re
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from markupsafe import Markup

from odoo import _
from odoo.exceptions import UserError
from odoo.tools.misc import find_in_path
from odoo.tools.pdf import PdfFileReader, PdfFileWriter

from ..models.print_errors import PrintTimeoutError

CHUNK_SIZE = 150  # documents of a process: half a batch of the dispatcher, so that both of its halves print at once
PROCESSES = 2  # wkhtmltopdf processes at once, of some 80 MB each
PARTS = 5  # of a batch that did not print
TIMEOUT_BASE, TIMEOUT_PER_DOCUMENT = 10, 0.2  # seconds of a process
DEADLINE = 80  # seconds of the CHUNK_SIZE documents of a process and of their parts
MARKER_COLOUR = (251, 253, 250)
# Positions are written in base 16 as colours from 232 up: close to white on paper, exact in the PDF.
POSITION_BASE, POSITION_STEP = 232, 16
_FILL = rb"([01](?:\.\d+)?) ([01](?:\.\d+)?) ([01](?:\.\d+)?) (?:scn|sc|rg)\b"
_FILL_COLOUR = re.compile(_FILL)
_HEAD_BYTES = 16384

_DOCUMENT_STYLE = Markup(
    "<style>"
    "body{margin:0}"
    ".pdf_document{page-break-before:always;overflow:hidden}"
    ".pdf_document.pdf_first{page-break-before:auto}"
    ".pdf_marker{width:1px;height:1px;font-size:0;line-height:0}"
    "</style>"
)


class PrintError(Exception):
    """Wkhtmltopdf gave no PDF."""


class SplitError(Exception):
    """The printed batch does not show where each document begins."""


def render(env, documents, *args, **kwargs):
    """Print HTML fragments as one PDF each: what :meth:`Printing.start` takes, and what its function returns."""
    with Printing(env) as printing:
        return printing.start(documents, *args, **kwargs)()


class Printing:
    """Documents that are being printed, by PROCESSES processes at once; whoever leaves its ``with`` ends them.

    :param env: environment, for the language of messages
    :raise UserError: when wkhtmltopdf is missing, for then no document can be printed
    """

    def __init__(self, env):
        self._env = env
        self._binary = _find_binary(env)
        self._pool = ThreadPoolExecutor(max_workers=PROCESSES)
        self._lock = threading.Lock()
        self._processes = set()
        self._ended = False

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        with self._lock:
            self._ended = True
            for process in self._processes:
                process.kill()
        self._pool.shutdown(cancel_futures=True)

    def start(self, documents, paperformat, margins=None, head="", orientation=None):
        """Begin to print HTML fragments as one PDF each, and return while they are being printed.

        :param documents: iterable of HTML fragments (str or Markup); those of the next process are taken while the
            last ones print. An exception in place of a fragment is handed through.
        :param paperformat: ``report.paperformat`` record: page size, orientation and margins
        :param margins: millimetres (top, right, bottom, left) instead of the paper format's
        :param head: HTML for the head, once for all documents: a ``<style>``
        :param orientation: "Landscape" or "Portrait" instead of the paper format's
        :return: a function that waits and returns a list with, for each document, the bytes of its PDF or the exception
            it met
        """
        command = [self._binary, *_page_arguments(paperformat, margins, orientation)]
        documents = iter(documents)
        chunks = []
        while chunk := list(islice(documents, CHUNK_SIZE)):
            chunks.append(self._pool.submit(self._print_chunk, command, chunk, head))
        return lambda: [_explain(self._env, result) for chunk in chunks for result in chunk.result()]

    def _print_chunk(self, command, documents, head):
        """Print the documents of a chunk and hand its exceptions through."""
        fragments = [document for document in documents if not isinstance(document, Exception)]
        deadline = time.monotonic() + DEADLINE
        alone = len(fragments) == 1
        results = iter(self._print_isolating(command, fragments, head, deadline, alone) if fragments else ())
        return [document if isinstance(document, Exception) else next(results) for document in documents]

    def _print_isolating(self, command, documents, head, deadline, alone=False):
        """Print a chunk; on failure print it in parts, so that only the documents at fault fail. One that is ``alone``,
        a long report, may take all the time there is."""
        count = len(documents)
        left = deadline - time.monotonic()
        if self._ended or left <= 0:
            return [subprocess.TimeoutExpired(command, DEADLINE)] * count
        try:
            timeout = left if alone else min(left, TIMEOUT_BASE + TIMEOUT_PER_DOCUMENT * count)
            pdf = self._run(command, _assemble(documents, head), timeout)
            return [pdf] if count == 1 else _split(pdf, count)
        except Exception as error:  # whatever one document does must not reach another
            if count == 1:
                return [error]
        size = -(-count // PARTS)
        parts = [documents[start : start + size] for start in range(0, count, size)]
        return [pdf for part in parts for pdf in self._print_isolating(command, part, head, deadline)]

    def _run(self, command, html, timeout):
        """Print one HTML page and return the PDF; every temporary file goes with the folder."""
        with tempfile.TemporaryDirectory(prefix="collection_statement.") as folder:
            source, target = os.path.join(folder, "source.html"), os.path.join(folder, "target.pdf")
            with open(source, "w", encoding="utf-8") as file:
                file.write(html)
            returncode, errors = self._execute([*command, source, target], folder, timeout)
            # 1 is a warning about something on the page: the PDF is there, as Odoo's own reports take it.
            if returncode not in (0, 1) or not os.path.exists(target):
                raise PrintError(f"{errors.decode(errors='replace')[-1000:]} ({returncode})")
            with open(target, "rb") as file:
                return file.read()

    def _execute(self, command, folder, timeout):
        """Return code and errors of a process that ends with the printing, if not before.

        :raise subprocess.TimeoutExpired: when it took longer
        """
        environment = {**os.environ, "TMPDIR": folder, "XDG_RUNTIME_DIR": folder}
        with self._lock:
            if self._ended:
                raise PrintError("ended")
            process = subprocess.Popen(
                command,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                stdin=subprocess.DEVNULL,
                env=environment,
            )
            self._processes.add(process)
        try:
            _output, errors = process.communicate(timeout=timeout)
            return process.returncode, errors
        finally:
            with self._lock:
                self._processes.discard(process)
            process.kill()
            process.wait()
            process.stderr.close()


def _explain(env, result):
    """Return an error of the printing as a sentence in the user's language; PDFs as they are."""
    if isinstance(result, subprocess.TimeoutExpired):
        return PrintTimeoutError(_("Printing the PDF took more than %(seconds)d seconds.", seconds=result.timeout))
    if isinstance(result, PrintError):
        return UserError(_("Wkhtmltopdf could not print the PDF: %(message)s", message=result))
    return result


# === HTML === #


def _assemble(documents, head):
    parts = [Markup("<!DOCTYPE html><html><head><meta charset='utf-8'/>"), _DOCUMENT_STYLE, head]
    parts.append(Markup("</head><body>"))
    for position, document in enumerate(documents):
        first = " pdf_first" if position == 0 else ""
        parts.append(
            f"<div class='pdf_document{first}'>"
            f"<div class='pdf_marker' style='background-color:rgb{MARKER_COLOUR}'></div>"
            f"<div class='pdf_marker' style='background-color:rgb{_position_colour(position)}'></div>"
            f"{document}</div>"
        )
    parts.append("</body></html>")
    return "".join(map(str, parts))


def _position_colour(position):
    """Return the (r, g, b) that stands for a document's position in its batch.

    >>> _position_colour(0), _position_colour(99)
    ((232, 232, 232), (232, 238, 235))
    """
    high, rest = divmod(position, POSITION_STEP**2)
    middle, low = divmod(rest, POSITION_STEP)
    return tuple(POSITION_BASE + digit for digit in (high, middle, low))


def _colour_position(colour):
    """Return the position that a colour stands for, the inverse of ``_position_colour``.

    >>> [_colour_position(_position_colour(n)) for n in (0, 15, 16, 99, 4095)]
    [0, 15, 16, 99, 4095]
    """
    position = 0
    for channel in colour:
        position = position * POSITION_STEP + channel - POSITION_BASE
    return position


# === wkhtmltopdf === #


def _find_binary(env):
    try:
        return find_in_path("wkhtmltopdf")
    except OSError:
        raise UserError(
            _("Wkhtmltopdf is not installed on this server: ask your administrator to install it.")
        ) from None


def _page_arguments(paperformat, margins, orientation):
    paper = paperformat
    if margins is None:
        margins = (paper.margin_top, paper.margin_right, paper.margin_bottom, paper.margin_left)
    arguments = ["--quiet", "--disable-javascript", "--disable-local-file-access"]
    arguments += ["--encoding", "utf-8"]
    if paper.format == "custom" and paper.page_width and paper.page_height:
        arguments += ["--page-width", f"{paper.page_width}mm"]
        arguments += ["--page-height", f"{paper.page_height}mm"]
    elif paper.format and paper.format != "custom":
        arguments += ["--page-size", paper.format]
    if orientation or paper.orientation:
        arguments += ["--orientation", orientation or paper.orientation]
    for side, margin in zip(("top", "right", "bottom", "left"), margins, strict=True):
        arguments += [f"--margin-{side}", f"{margin}mm"]
    return arguments


# === PDF === #


def _call(target, *names):
    """Return the first method that exists: PyPDF2 renamed its methods between Odoo's versions of it."""
    return next(getattr(target, name) for name in names if hasattr(target, name))


def _page_position(page):
    """Return the position of the document that begins on this page, or None."""
    stream = page["/Contents"]
    head = _call(stream, "get_data", "getData")()[:_HEAD_BYTES]
    colours = (
        tuple(round(float(channel) * 255) for channel in match.groups()) for match in _FILL_COLOUR.finditer(head)
    )
    for colour in colours:
        if colour == MARKER_COLOUR:
            position = next(colours, None)
            return None if position is None else _colour_position(position)
    return None


def _split(pdf, count):
    """Return the PDFs of ``count`` documents printed in a row.

    :raise SplitError: when their first pages are not found in order
    """
    pages = list(PdfFileReader(io.BytesIO(pdf), strict=False).pages)
    starts, positions = [], []
    for number, page in enumerate(pages):
        position = _page_position(page)
        if position is not None:
            starts.append(number)
            positions.append(position)
    if positions != list(range(count)) or starts[:1] != [0]:
        raise SplitError(f"Documents found at pages {starts} with positions {positions}")
    return [_write(pages[start:end]) for start, end in zip(starts, [*starts[1:], len(pages)], strict=True)]


def _write(pages):
    writer = PdfFileWriter()
    add_page = _call(writer, "add_page", "addPage")
    for page in pages:
        add_page(page)
    with io.BytesIO() as buffer:
        writer.write(buffer)
        return buffer.getvalue()
