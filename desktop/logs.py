"""The program's log: rotating files with ids, codes and counts; names, notes, addresses and numbers never get in."""

import logging
import logging.handlers
import re
from pathlib import Path
from typing import Final

LOG_NAME: Final = "qiaomen.log"
_BYTES: Final = 1_000_000
_FILES: Final = 5

# An id may hold many digits in a row and stays; other long runs of digits are phones and identity numbers.
_ID_OR_NUMBER: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?P<number>\d{7,}[\dXx]?)"
)
# Han of all planes, bopomofo, full-width forms: whatever was typed by a person here is written with these.
_HAN: Final = re.compile(r"[⺀-⿟、-〿㐀-䶿一-鿿豈-﫿\U00020000-\U0003ffff]+")


def clean(text: str) -> str:
    """The text without Chinese characters and without long numbers that are not ids."""
    text = _ID_OR_NUMBER.sub(lambda hit: "#" if hit["number"] else hit[0], text)
    return _HAN.sub("#", text)


class CleanFormatter(logging.Formatter):
    """Cleans the whole line, the message of an exception and its trace included: the last guard, not the first."""

    def format(self, record: logging.LogRecord) -> str:
        return clean(super().format(record))


def start(folder: Path) -> logging.Handler:
    """Write the log of everything of ours into ``folder``; returns the handler so that a test can take it away."""
    folder.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        folder / LOG_NAME, maxBytes=_BYTES, backupCount=_FILES, encoding="utf-8", delay=True
    )
    handler.setFormatter(CleanFormatter("%(asctime)s %(levelname)s %(threadName)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    for chatty in ("httpx", "httpcore"):  # they would write addresses of the server with every request
        logging.getLogger(chatty).setLevel(logging.WARNING)
    return handler


def stop(handler: logging.Handler) -> None:
    """Take a handler away and close its file."""
    logging.getLogger().removeHandler(handler)
    handler.close()
