"""What belongs on one line is kept as one: a pasted line break in a name would break every list it stands in."""

import unicodedata


def one_line(text: str) -> str:
    """The text without blank ends, line breaks, tabs and control characters; every other character stays as typed."""
    shown = (" " if char.isspace() else char for char in text if char.isspace() or unicodedata.category(char) != "Cc")
    return " ".join("".join(shown).split())
