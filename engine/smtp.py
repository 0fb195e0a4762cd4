"""What a mail server's answer means for another try."""

import re

_ANSWERS = re.compile(r"\((\d{3}), b?['\"]")


def is_refused_for_good(reason: str) -> bool:
    """Tell whether the text of an SMTP failure holds permanent answers only (5xx, RFC 5321 section 4.2.1).

    >>> is_refused_for_good("SMTPRecipientsRefused: {'a@b.example': (550, b'No such user')}")
    True
    >>> is_refused_for_good("SMTPRecipientsRefused: {'a@b.example': (550, b'No'), 'c@b.example': (450, b'Later')}")
    False
    >>> is_refused_for_good("SMTPDataError: (451, b'Try again later')"), is_refused_for_good("timed out")
    (False, False)
    """
    answers = _ANSWERS.findall(reason or "")
    return bool(answers) and all(answer.startswith("5") for answer in answers)
