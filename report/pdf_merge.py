"""Many PDFs to print as one, in seconds.

How to use::

    merged = MergedPdf()
    merged.add(pdf)  # bytes; raises UnreadableError and adds nothing when it is none
    merged.start_on_odd_page()  # a blank page where the next document would begin on a back
    merged.get_bytes()

How it works: PyPDF2 compares every object of the result with all others, which takes half a minute for 2,000
letters. Here each document is read, its pages' objects are written at once under numbers of their own, and it
is let go: only the result is held. Objects that are equal byte by byte, such as the fonts of letters that were
printed together, are written once. Of a page is kept what paper shows: links and forms are left behind.
"""

import hashlib
import inspect
import io

from odoo.tools.pdf import PdfFileReader

from .statement_pdf import _call

# PyPDF2 and pypdf, which newer series use, have the same classes.
try:
    from PyPDF2 import generic
except ImportError:
    from pypdf import generic

KEPT = ("/MediaBox", "/CropBox", "/Rotate", "/UserUnit", "/Resources", "/Contents", "/Group")
CATALOG, PAGES = 1, 2
A4 = b"[0 0 595 842]"


class UnreadableError(Exception):
    """What should be added is no PDF that can be read."""


class MergedPdf:
    """A PDF that grows document by document."""

    def __init__(self):
        self._output = io.BytesIO()
        self._output.write(b"%PDF-1.5\n")
        self._offsets = {CATALOG: 0, PAGES: 0}
        self._pages = []
        self._number_of = {}
        self._names = {}
        self._copied = {}
        self._media_box = A4

    @property
    def page_count(self):
        return len(self._pages)

    def add(self, pdf):
        """Add the pages of a PDF.

        :raise UnreadableError: when it cannot be read; then nothing of it is among the pages
        """
        self._copied = {}
        try:
            pages = [self._get_page(page) for page in PdfFileReader(io.BytesIO(pdf), strict=False).pages]
        except Exception as error:  # whatever the library meets in a file that is none
            raise UnreadableError from error
        if not pages:
            raise UnreadableError
        for media_box, body in pages:
            self._add_page(body)
            self._media_box = media_box

    def start_on_odd_page(self):
        """Add a blank page, of the last one's size, where the next one would be even."""
        if self.page_count % 2:
            self._add_page(b"/MediaBox %b/Resources<<>>" % self._media_box)

    def get_bytes(self):
        kids = b" ".join(b"%d 0 R" % page for page in self._pages)
        self._write(PAGES, b"<</Type/Pages/Count %d/Kids[%b]>>" % (self.page_count, kids))
        self._write(CATALOG, b"<</Type/Catalog/Pages %d 0 R>>" % PAGES)
        start, size = self._output.tell(), len(self._offsets) + 1
        rows = [b"xref\n0 %d\n0000000000 65535 f \n" % size]
        rows += [b"%010d 00000 n \n" % self._offsets[number] for number in range(1, size)]
        rows.append(b"trailer\n<</Size %d/Root %d 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, CATALOG, start))
        self._output.writelines(rows)
        return self._output.getvalue()

    # === Objects === #

    def _get_page(self, page):
        """(media box, entries) of a page whose objects are written."""
        entries = {name: self._serialize(dict.__getitem__(page, name)) for name in KEPT if name in page}
        body = b"\n".join(self._get_name(name) + b" " + value for name, value in entries.items())
        return entries.get("/MediaBox", A4), body

    def _add_page(self, body):
        number = self._get_new_number()
        self._write(number, b"<</Type/Page/Parent %d 0 R\n%b>>" % (PAGES, body))
        self._pages.append(number)

    def _get_new_number(self):
        number = len(self._offsets) + 1
        self._offsets[number] = 0
        return number

    def _write(self, number, body):
        self._offsets[number] = self._output.tell()
        self._output.write(b"%d 0 obj\n%b\nendobj\n" % (number, body))

    def _copy(self, reference):
        """The number under which the object of a reference is written, once per document and content."""
        key = reference.idnum, reference.generation
        if key in self._copied:
            if self._copied[key] is None:  # it refers to itself, by way of others
                self._copied[key] = self._get_new_number()
            return self._copied[key]
        self._copied[key] = None
        body = self._serialize(_call(reference, "get_object", "getObject")())
        number = self._copied[key]
        if number:
            self._write(number, body)
            return number
        digest = hashlib.sha256(body).digest()
        if digest not in self._number_of:
            self._number_of[digest] = self._get_new_number()
            self._write(self._number_of[digest], body)
        self._copied[key] = self._number_of[digest]
        return self._copied[key]

    def _serialize(self, value):
        if isinstance(value, generic.IndirectObject):
            return b"%d 0 R" % self._copy(value)
        if isinstance(value, generic.StreamObject):
            data = value._data if isinstance(value._data, bytes) else value._data.encode("latin-1")
            entries = [*self._get_entries(value), b"/Length %d" % len(data)]
            return b"<<%b>>\nstream\n%b\nendstream" % (b"\n".join(entries), data)
        if isinstance(value, generic.DictionaryObject):
            return b"<<%b>>" % b"\n".join(self._get_entries(value))
        if isinstance(value, generic.ArrayObject):
            return b"[%b]" % b" ".join(map(self._serialize, list.__iter__(value)))
        if isinstance(value, generic.NameObject):
            return self._get_name(value)
        return _write_plain(value)

    def _get_entries(self, dictionary):
        # As they are written: what Python gives back follows references.
        return [
            self._get_name(name) + b" " + self._serialize(value)
            for name, value in dict.items(dictionary)
            if name != "/Length"
        ]

    def _get_name(self, name):
        if name not in self._names:
            self._names[str(name)] = _write_plain(generic.NameObject(name))
        return self._names[name]


def _write_plain(value):
    """A value without others in it, as PDF writes it."""
    write = _call(value, "write_to_stream", "writeToStream")
    with io.BytesIO() as buffer:
        write(buffer, *[None] * _KEYS)
        return buffer.getvalue()


# Older libraries want to be told that a value is not encrypted.
_KEYS = len(inspect.signature(_call(generic.NullObject(), "write_to_stream", "writeToStream")).parameters) - 1
