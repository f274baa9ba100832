"""Resident identity numbers of the mainland (GB 11643): check character, birth date and birth year."""

import unicodedata
from datetime import date

from sync.errors import RuleError

LENGTH = 18
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"  # ISO 7064 MOD 11-2


def normalise(number: str) -> str:
    """The number as it is stored: half-width, no blanks, capital X."""
    return "".join(unicodedata.normalize("NFKC", number).split()).upper()


def check_character(first_17: str) -> str:
    """The eighteenth character for the first seventeen digits."""
    return _CHECKS[sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, first_17, strict=True)) % 11]


def validate(number: str, *, field: str = "id_number") -> str:
    """The normalised number, or RuleError(field, code).

    Codes: bad_id_length (not 18 characters of digits with a last digit or X), bad_id_birth_date (no such day),
    bad_id_check (a digit was mistyped).
    """
    plain = normalise(number)
    if len(plain) != LENGTH or not _is_digits(plain[:-1]) or plain[-1] not in _CHECKS:
        raise RuleError(field, "bad_id_length")
    try:
        date(int(plain[6:10]), int(plain[10:12]), int(plain[12:14]))
    except ValueError:
        raise RuleError(field, "bad_id_birth_date") from None
    if check_character(plain[:-1]) != plain[-1]:
        raise RuleError(field, "bad_id_check")
    return plain


def birth_date(number: str) -> str:
    """The day of birth 'YYYY-MM-DD' of a valid number; RuleError otherwise."""
    plain = validate(number)
    return f"{plain[6:10]}-{plain[10:12]}-{plain[12:14]}"


def birth_year(number: str) -> int:
    """The year of birth of a valid number; RuleError otherwise."""
    return int(birth_date(number)[:4])


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
