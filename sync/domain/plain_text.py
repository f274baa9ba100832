"""The one form in which text is stored and sent: NFC, without NUL, and nothing that UTF-8 cannot say."""

import unicodedata

from sync.errors import RuleError


def clean_text(field: str, text: str) -> str:
    """The text in that form.

    Raises RuleError(field, 'bad_text') for NUL and lone surrogates.
    """
    if not _can_be_said(text):
        raise RuleError(field, "bad_text")
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def is_clean(text: str) -> bool:
    """Whether the text is in that form already."""
    return _can_be_said(text) and (text.isascii() or unicodedata.is_normalized("NFC", text))


def _can_be_said(text: str) -> bool:
    if "\0" in text:
        return False
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False
