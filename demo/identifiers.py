"""Tax and bank identifiers that pass their checksums and belong to nobody that we know of."""

from datetime import date, timedelta

from stdnum.mx import rfc

# Three digits that the Mexican banking code does not give to any bank.
CLABE_BANK = "998"


def company_rfc(letters: str, index: int) -> str:
    """Return a valid RFC of a company.

    :param letters: three letters of its name
    :param index: tells companies with the same letters apart

    >>> company_rfc("FLH", 3)
    'FLH980629B41'
    """
    founded = date(1998, 1, 1) + timedelta(days=61 * index % 8000 - 4)
    number = f"{letters.upper()}{founded:%y%m%d}{'ABCDEFGH'[index % 8 - 2]}{index % 9 + 1}"
    return number + rfc.calc_check_digit(number)


def clabe(plaza: str, account: str) -> str:
    """Return the 18 digits of a CLABE: bank, plaza (3), account (11), check digit.

    The check digit makes the sum of the digits, each times 3, 7, 1 in turn and taken modulo 10, a multiple of ten.

    >>> clabe("225", "00123456789")
    '998225001234567894'
    """
    digits = f"{CLABE_BANK}{plaza}{account}"
    total = sum(int(digit) * weight % 10 for digit, weight in zip(digits, (3, 7, 1) * 6))
    return f"{digits}{-total % 10}"
