"""Where the parts of a letter stand on its first page, so that its address shows in a window envelope.

How to use: ``get_letter_page(paperformat, margins).get_window("left")`` gives what the template
``report_letter_page`` puts its parts at; ``None`` for an envelope without window.

How it works: wkhtmltopdf's builds do not agree on how much a millimetre is (0.75 of one with Debian's), but
all fill the width between the margins. Everything is therefore a share of that width, and so is the height:
a ``padding-top`` in per cent counts from the width too. Both builds put the address within a millimetre.

The sheet is folded in three. The window of a DL or C5 envelope (DIN 678, DIN 5008 form B) shows it from 45 to
90 mm below the top edge, that of a #10 from 52 to 80; the address stands in what both show, wherever the
sheet slips to.
"""

from typing import NamedTuple

# Millimetres from the edges of the sheet.
HEAD_BOTTOM = 43
SENDER_TOP = 46
ADDRESS_TOP, ADDRESS_BOTTOM = 52, 84
HEAD_HEIGHT = 90
WINDOW_EDGE, WINDOW_WIDTH = 20, 85
GAP = 8


class Box(NamedTuple):
    """A part of the first page, in per cent of the printed width and of the height of the page's head."""

    left: float
    top: float
    width: float
    height: float

    @property
    def style(self):
        return f"left:{self.left:.3f}%;top:{self.top:.3f}%;width:{self.width:.3f}%;height:{self.height:.3f}%"


class LetterPage(NamedTuple):
    """A sheet: its width and its margins, in millimetres."""

    width: float
    top: float
    right: float
    left: float

    def get_window(self, side):
        """Return the boxes of the first page's head, or ``None`` without a window.

        :param side: "left", "right" or empty
        """
        if not side:
            return None
        at_left = side == "left"
        start = WINDOW_EDGE if at_left else self.width - WINDOW_EDGE - WINDOW_WIDTH
        end = start + WINDOW_WIDTH
        beside = (end + GAP, self.width - self.right) if at_left else (self.left, start - GAP)
        return {
            # The height of the head, as a share of the printed width.
            "height": 100 * self._head_height / self._printed_width,
            "head": self._get_box(self.left, self.top, self.width - self.right, HEAD_BOTTOM),
            "sender": self._get_box(start, SENDER_TOP, end, ADDRESS_TOP),
            "address": self._get_box(start, ADDRESS_TOP, end, ADDRESS_BOTTOM),
            "beside": self._get_box(beside[0], SENDER_TOP, beside[1], HEAD_HEIGHT),
        }

    @property
    def _printed_width(self):
        return self.width - self.left - self.right

    @property
    def _head_height(self):
        return max(HEAD_HEIGHT - self.top, 1)

    def _get_box(self, left, top, right, bottom):
        """What lies between these millimetres of the sheet; what the margins hide of it is left out."""
        left, top = max(left, self.left), max(top, self.top)
        across, down = 100 / self._printed_width, 100 / self._head_height
        width, height = max(right - left, 0), max(bottom - top, 0)
        return Box((left - self.left) * across, (top - self.top) * down, width * across, height * down)


def get_letter_page(paperformat, margins=None):
    """Return the ``LetterPage`` of a paper format.

    :param margins: millimetres (top, right, bottom, left) instead of the paper format's
    """
    if margins is None:
        paper = paperformat
        margins = (paper.margin_top, paper.margin_right, paper.margin_bottom, paper.margin_left)
    top, right, _bottom, left = margins
    # A paper format may leave its size to the printer.
    return LetterPage(paperformat.print_page_width or 210, top, right, left)
