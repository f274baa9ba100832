"""Answers that are not 200: a status, a code and parameters; what the words are is the client's business."""

from typing import Any

from sync.errors import QiaomenError


class ProtocolError(QiaomenError):
    """To be answered with ``status`` and a Problem of ``code`` and ``params``; the transaction is undone."""

    def __init__(self, status: int, code: str, **params: Any) -> None:
        super().__init__(code, **params)
        self.status = status
