"""What people type to be let in: PINs, and codes read from paper or heard on the telephone."""

import secrets
import unicodedata
from itertools import pairwise

from sync.errors import KeysError, RuleError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: none can be taken for another
RECOVERY_LENGTH = 26  # 130 bits; two check characters follow
PIN_LENGTH = range(6, 65)
ONE_TIME_LENGTH = 10  # 50 bits: valid for three days, once, five tries a quarter of an hour

_CHECK_LENGTH = 2
_CHECK_MODULUS = 1021  # a prime above 31 times 31: every single wrong character and every swap is noticed
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})


def new_recovery_code() -> str:
    """A new recovery code for print: 26 random characters and two that tell typing errors, in groups of four."""
    secret = _random(RECOVERY_LENGTH)
    return _grouped(secret + _check(secret), size=4)


def read_recovery_code(text: str) -> str:
    """The 26 characters of a typed recovery code; case, blanks, hyphens, O for 0 and I or L for 1 do not matter.

    Raises KeysError ``recovery_code_mistyped`` without trying the slow key derivation.
    """
    typed = _plain(text)
    secret, check = typed[:RECOVERY_LENGTH], typed[RECOVERY_LENGTH:]
    if len(typed) != RECOVERY_LENGTH + _CHECK_LENGTH or not _is_code(typed) or _check(secret) != check:
        raise KeysError("recovery_code_mistyped")
    return secret


def new_one_time_code() -> str:
    """A new one-time code in two groups of five, to let a person or an installation in."""
    return _grouped(_random(ONE_TIME_LENGTH), size=5)


def read_one_time_code(text: str) -> str:
    """The 10 characters of a typed one-time code, read as forgivingly; raises KeysError ``code_mistyped``."""
    typed = _plain(text)
    if len(typed) != ONE_TIME_LENGTH or not _is_code(typed):
        raise KeysError("code_mistyped")
    return typed


def check_pin(pin: str) -> None:
    """Whether a new PIN will do: RuleError at ``pin``, pin_too_short, pin_too_long or pin_too_simple.

    Too simple are one character repeated and a run such as 123456 or 987654.
    """
    plain = plain_pin(pin)
    if len(plain) < PIN_LENGTH.start:
        raise RuleError("pin", "pin_too_short", least=PIN_LENGTH.start)
    if len(plain) >= PIN_LENGTH.stop:
        raise RuleError("pin", "pin_too_long", most=PIN_LENGTH.stop - 1)
    steps = {ord(after) - ord(before) for before, after in pairwise(plain)}
    if steps in ({0}, {1}, {-1}):
        raise RuleError("pin", "pin_too_simple")


def plain_pin(pin: str) -> str:
    """The PIN that is meant by what was typed."""
    # A Chinese input method types full-width digits; they are the same PIN.
    return unicodedata.normalize("NFKC", pin).strip()


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _grouped(code: str, *, size: int) -> str:
    return "-".join(code[start : start + size] for start in range(0, len(code), size))


def _plain(text: str) -> str:
    wide = unicodedata.normalize("NFKC", text).upper().translate(_MISREAD)
    # Dashes and blanks of any sort are how the code was printed or pasted.
    return "".join(letter for letter in wide if not letter.isspace() and unicodedata.category(letter) != "Pd")


def _is_code(typed: str) -> bool:
    return all(letter in ALPHABET for letter in typed)


def _check(secret: str) -> str:
    total = sum(place * ALPHABET.index(letter) for place, letter in enumerate(secret, 1)) % _CHECK_MODULUS
    return ALPHABET[total // 32] + ALPHABET[total % 32]
