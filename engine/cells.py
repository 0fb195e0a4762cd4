"""What people mean by the cells of a spreadsheet: words, folios, days and hours as they are written in either language.

Cells come as openpyxl or a CSV reader gives them: text, numbers, dates, times or None. Days go before months, as in
Mexico, unless the caller says otherwise.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from decimal import Decimal

BAD_DATE = "bad_date"
BAD_TIME = "bad_time"
BAD_AMOUNT = "bad_amount"

# Others are slips of the pen, and too near the end of time for some time zones.
YEARS = range(1900, 2200)

# By their first three letters, in English and Spanish.
NAMES = ("jan ene", "feb", "mar", "apr abr", "may", "jun", "jul", "aug ago", "sep set", "oct", "nov", "dec dic")
MONTHS = {name: number for number, names in enumerate(NAMES, start=1) for name in names.split()}
CLOCK = (
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d+)?)?)?"
    r"\s*(?P<half>[ap]\.?\s?m\.?)?(?:h|hrs?)?\.?"
)
AFTER_DAY = rf"(?:(?:T|,?\s+)(?P<clock>{CLOCK}))?"
TIME = re.compile(CLOCK, re.IGNORECASE)
ISO = re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})" + AFTER_DAY, re.IGNORECASE)
NUMERIC = re.compile(
    r"(?P<left>\d{1,2})(?P<mark>[-/.])(?P<right>\d{1,2})(?P=mark)(?P<year>\d{4}|\d{2})" + AFTER_DAY, re.IGNORECASE
)
NAMED = re.compile(
    r"(?P<day>\d{1,2})(?:[-/. ]| de )(?P<name>[a-z]{3,10})\.?(?:[-/. ]| del? )(?P<year>\d{4}|\d{2})" + AFTER_DAY,
    re.IGNORECASE,
)


# Thousands in groups of three, by one mark throughout; decimals by the other one.
GROUPED = re.compile(r"\d{1,3}(?:(?P<group>[,. '])\d{3})(?:(?P=group)\d{3})*(?:(?P<point>[.,])(?P<rest>\d{1,6}))?")
PLAIN = re.compile(r"(?P<whole>\d+)(?:[.,](?P<rest>\d{1,6}))?")

NEGATIVE = re.compile(r"-\s*(?P<before>\d[^-]*)|(?P<after>[^-]*\d)\s*-|\(\s*(?P<inside>[^-]*\d)\s*\)")


class CellError(ValueError):
    """A cell that does not say what it should: ``code``, and its ``text``."""

    def __init__(self, code: str, text: str):
        super().__init__(code, text)
        self.code = code
        self.text = text


def fold(text: str) -> str:
    """A text as it compares to others: without case, accents, spaces and marks.

    >>> fold(" Contra-Recibo Nº."), fold("FECHA DE REVISIÓN *")
    ('contrarecibono', 'fechaderevision')
    """
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


def as_text(value: object) -> str:
    """A cell as the text that its reader sees; folios are often kept as numbers.

    >>> as_text(1024.0), as_text("  F-1\\N{NO-BREAK SPACE} "), as_text(None), as_text(datetime(2026, 11, 3))
    ('1024', 'F-1', '', '2026-11-03')
    """
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    return " ".join(str(value).split())


def as_moment(value: object, *, day_first: bool = True) -> tuple[date, time | None] | None:
    """The day of a cell, and its hour where it has one; None for an empty cell.

    >>> for text in ("3/11/2026", "03-11-26 9:30 p. m.", "2026-11-03T21:30:00", "3-nov-26", "3 de noviembre de 2026"):
    ...     print(*as_moment(text))
    2026-11-03 None
    2026-11-03 21:30:00
    2026-11-03 21:30:00
    2026-11-03 None
    2026-11-03 None
    >>> print(*as_moment("11/3/2026", day_first=False))
    2026-11-03 None

    Days and months are never swapped to make a date possible:

    >>> as_moment("11/31/2026")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    ...
    CellError: bad_date

    :raise CellError: BAD_DATE; numbers too, since nobody sees which date they are
    """
    text = as_text(value)
    if not text:
        return None
    try:
        if isinstance(value, datetime):
            day, clock = value.date(), value.time() if value.time() != time() else None
        elif isinstance(value, date):
            day, clock = value, None
        else:
            day, clock = _match_day(text, day_first)
        if day.year not in YEARS:
            raise ValueError(text)
        return day, as_time(clock)
    except ValueError:
        raise CellError(BAD_DATE, text) from None


def as_time(value: object) -> time | None:
    """The hour of a cell, None for an empty one; Excel keeps hours as parts of a day.

    >>> print(as_time("9:30"), as_time("12:05 a.m."), as_time("17:00 hrs"), as_time(0.75), as_time(17))
    09:30:00 00:05:00 17:00:00 18:00:00 17:00:00

    :raise CellError: BAD_TIME
    """
    if isinstance(value, datetime):
        value = value.time()
    if isinstance(value, time):
        return value.replace(microsecond=0, tzinfo=None)
    if isinstance(value, timedelta):
        value = value / timedelta(days=1)
    if isinstance(value, float) and 0 <= value < 1:
        minutes, second = divmod(round(value * 86400) % 86400, 60)
        return time(minutes // 60, minutes % 60, second)
    text = as_text(value)
    if not text:
        return None
    found = TIME.fullmatch(text)
    try:
        if not found:
            raise ValueError(text)
        hour, half = int(found["hour"]), (found["half"] or "")[:1].lower()
        if half and not 1 <= hour <= 12:
            raise ValueError(text)
        if half:
            hour = hour % 12 + (12 if half == "p" else 0)
        return time(hour, int(found["minute"] or 0), int(found["second"] or 0))
    except ValueError:
        raise CellError(BAD_TIME, text) from None


def as_amount(value: object) -> Decimal | None:
    """The amount of money in a cell, None for an empty one; signs of currencies around it do not matter.

    >>> for text in ("$ 12,345.50", "12345.5 MXN", "1.234,50", "1,234,567", "1500,5", 99.1):
    ...     print(as_amount(text))
    12345.50
    12345.5
    1234.50
    1234567
    1500.5
    99.1

    Three digits after a comma are thousands; after a point nobody knows:

    >>> print(as_amount("1,500"))
    1500
    >>> as_amount("1.500")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    ...
    CellError: bad_amount

    :raise CellError: BAD_AMOUNT
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        # What a spreadsheet shows of a binary fraction.
        return Decimal(repr(round(value, 6)))
    text = as_text(value)
    if not text:
        return None
    bare = re.sub(r"^[^\d(+-]*|[^\d)]*$", "", text)
    if found := GROUPED.fullmatch(bare):
        group, rest = found["group"], found["rest"]
        if found["point"] != group and not (group == "." and not rest and bare.count(".") == 1):
            whole = bare[: found.start("point")] if rest else bare
            return Decimal(whole.replace(group, "") + (f".{rest}" if rest else ""))
    elif found := PLAIN.fullmatch(bare):
        return Decimal(found["whole"] + (f".{found['rest']}" if found["rest"] else ""))
    raise CellError(BAD_AMOUNT, text)


def as_signed_amount(value: object) -> Decimal | None:
    """Likewise, of an amount that may be negative: with a minus before or after it, or in parentheses.

    >>> for text in ("-1,200.50", "$ -1200.5", "(1,200.50)", "1200.50-", -3, "MXN 7"):
    ...     print(as_signed_amount(text))
    -1200.50
    -1200.5
    -1200.50
    -1200.50
    -3
    7

    :raise CellError: BAD_AMOUNT
    """
    if not isinstance(value, str):
        return as_amount(value)
    text = as_text(value).replace("\N{MINUS SIGN}", "-")
    bare = re.sub(r"^[^\d(+-]*|[^\d)-]*$", "", text)
    negative = NEGATIVE.fullmatch(bare)
    if not negative:
        return as_amount(value)
    try:
        amount = as_amount(negative["before"] or negative["after"] or negative["inside"])
    except CellError:
        raise CellError(BAD_AMOUNT, text) from None
    return amount and -amount


def _match_day(text: str, day_first: bool) -> tuple[date, str | None]:
    """The day that a text says and the hour after it.

    :raise ValueError: when it says none
    """
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    if found := ISO.fullmatch(plain):
        month, day = int(found["month"]), int(found["day"])
    elif found := NUMERIC.fullmatch(plain):
        day, month = int(found["left"]), int(found["right"])
        if not day_first:
            day, month = month, day
    elif found := NAMED.fullmatch(plain):
        day, month = int(found["day"]), MONTHS.get(found["name"][:3].lower(), 0)
    else:
        raise ValueError(text)
    year = int(found["year"])
    return date(year + 2000 if year < 100 else year, month, day), found["clock"]
