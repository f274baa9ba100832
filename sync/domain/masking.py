"""What is shown instead of personal data: masked phones, identity numbers and names; what a public print refuses."""

import re
import unicodedata
from collections.abc import Iterable

from sync.errors import RuleError

HIDDEN = "***"
COMPOUND_SURNAMES = frozenset(
    (
        *("欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "司徒", "令狐", "夏侯", "端木"),
        *("轩辕", "长孙", "宇文", "闻人", "独孤", "南宫", "申屠", "澹台", "呼延", "百里", "东郭", "西门"),
    )
)

# Digits as people write them, with single blanks or hyphens between the groups.
_MOBILE = re.compile(r"(?<!\d)(?:\+?86[ -]?)?1[3-9]\d(?:[ -]?\d){8}(?!\d)")
_IDENTITY = re.compile(r"(?<!\d)[1-9]\d{5}[ -]?\d{4}[ -]?\d{4}[ -]?\d{3}[\dXx](?![\dXx])")


def mask_phone(phone: str) -> str:
    """'137****6621' for a mobile number; of any other number the last four digits at most; '' stays ''."""
    digits = re.sub(r"\D", "", unicodedata.normalize("NFKC", phone))
    if len(digits) == 13 and digits.startswith("86"):
        digits = digits[2:]
    if len(digits) == 11 and digits[0] == "1":
        return f"{digits[:3]}****{digits[-4:]}"
    if len(digits) >= 7:
        return f"****{digits[-4:]}"
    return HIDDEN if phone.strip() else ""


def mask_name(name: str) -> str:
    """'王**': the surname and always two stars, so that the length tells nothing; '' stays ''."""
    plain = name.strip()
    if not plain:
        return ""
    surname = plain[:2] if plain[:2] in COMPOUND_SURNAMES and len(plain) > 2 else plain[:1]
    return f"{surname}**"


def public_print_findings(text: str, *, names: Iterable[str] = ()) -> tuple[str, ...]:
    """What keeps a text from a public notice: id_number, mobile_number, full_name; empty when it may be printed.

    ``names`` are the full names of residents that the writer has at hand.
    """
    plain = unicodedata.normalize("NFKC", text)
    found = []
    if _IDENTITY.search(plain):
        found.append("id_number")
    if _MOBILE.search(plain):
        found.append("mobile_number")
    if any(name and unicodedata.normalize("NFKC", name) in plain for name in names):
        found.append("full_name")
    return tuple(found)


def require_public(text: str, *, field: str = "text", names: Iterable[str] = ()) -> str:
    """The text unchanged, or RuleError(field, 'id_number_in_public' and the like) for the first finding."""
    for finding in public_print_findings(text, names=names):
        raise RuleError(field, f"{finding}_in_public")
    return text
