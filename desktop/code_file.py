"""A one-time code as a small text file: the secretary saves it on a stick, the first start reads it from there.

It is plain text that a person can read as well; the program takes the first code that it finds in it.
"""

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

from sync.errors import KeysError
from sync.keys.codes import read_one_time_code

MOST_BYTES: Final = 16 * 1024
_CODE: Final = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{5}-[0-9A-Za-z]{5}(?![0-9A-Za-z])", re.ASCII)


def write_code_file(path: Path, text: str) -> None:
    """Write a text with a code in it, on the stick when this returns. Raises KeysError ``code_file_unwritable``."""
    try:
        # With a byte order mark and lines as Windows ends them: its oldest editor shows it as it is meant.
        with path.open("w", encoding="utf-8-sig", newline="\r\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise KeysError("code_file_unwritable") from error


def read_code_file(path: Path) -> str:
    """The code as it is to be typed. Raises KeysError ``code_file_unreadable`` or ``code_file_empty``."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES)
    except OSError as error:
        raise KeysError("code_file_unreadable") from error
    for found in _CODE.findall(_text(content)):
        with suppress(KeysError):
            read_one_time_code(found)
            return str(found)
    raise KeysError("code_file_empty")


def _text(content: bytes) -> str:
    for encoding in ("utf-8-sig", "utf-16", "gb18030"):  # somebody may have saved it anew
        if encoding == "utf-16" and content[:2] not in (b"\xff\xfe", b"\xfe\xff"):
            continue
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("ascii", "replace")
