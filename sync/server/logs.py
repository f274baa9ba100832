"""The server's log: one JSON line a request on stderr, with ids and counts, never contents, names or codes."""

import logging
import sys
from typing import Any

import msgspec

from sync.server import metrics
from sync.server.settings import wall_ms

_NAME = "sync.server"
_encode = msgspec.json.Encoder(enc_hook=str).encode


def log(event: str, **numbers: Any) -> None:
    """Write one line; values are numbers, ids and codes. An ``alarm`` with its ``code`` is counted, too."""
    if event == "alarm":
        metrics.count_alarm(str(numbers.get("code", "")))
    logging.getLogger(_NAME).info(event, extra={"numbers": numbers})


def log_failure(incident: str, error: Exception) -> None:
    """Write where an error of our own was raised; its text may hold contents and stays out."""
    where = {"incident": incident, "error": type(error).__name__, "where": _where(error.__traceback__)}
    logging.getLogger(_NAME).error("failure", extra={"numbers": where})


def start_logging(*, worker: int | None = None) -> None:
    """Lines go to stderr from now on, each with the number of the worker if there are several."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines(worker))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(_NAME).setLevel(logging.INFO)


class Lines(logging.Formatter):
    """A record of the log as one line of JSON."""

    def __init__(self, worker: int | None = None) -> None:
        super().__init__()
        self._always = {} if worker is None else {"worker": worker}

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {"at": wall_ms(), "level": record.levelname.lower(), "event": record.msg}
        line |= self._always
        line |= getattr(record, "numbers", {})
        return _encode(line).decode()


def _where(traceback: Any) -> list[str]:
    places = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        places.append(f"{code.co_filename.rpartition('/')[2]}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return places
