"""The way in for the command that brings bundles while a server holds the folder: only for who may read the folder.

The server leaves its address and a secret of this run beside the data, readable by its own user alone.
"""

import hmac
import os
import secrets

import msgspec

from sync.errors import BundleError
from sync.server.bundle import BundleDesk
from sync.server.openapi import BUNDLE
from sync.server.problems import ProtocolError
from sync.server.requests import Answer, Sent
from sync.server.settings import Settings
from sync.wire.bundle import MOST_BYTES

PATH = BUNDLE
FILE = "server.door"
REPORT = "x-bundle-report"
_NOBODY_MOST = 1024  # bytes of a body that is not going to be looked at
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


class Notice(msgspec.Struct, frozen=True):
    """What stands in the file."""

    url: str
    secret: str


class Door:
    """Made when a server starts; ``close`` it at its end."""

    def __init__(self, settings: Settings, desk: BundleDesk) -> None:
        self._desk = desk
        self._secret = secrets.token_hex(32)
        self._path = settings.data / FILE
        host = _ANYWHERE.get(settings.host, settings.host)
        url = f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
        self._path.unlink(missing_ok=True)
        with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.encode(Notice(url, self._secret)))

    def close(self) -> None:
        """This run's secret opens nothing any more."""
        self._path.unlink(missing_ok=True)

    def most(self, authorization: str) -> int:
        """How large a body may be, by who sends it: asked before anything of it is read."""
        return MOST_BYTES if self._knows(authorization) else _NOBODY_MOST

    async def take(self, sent: Sent) -> Answer:
        """A bundle in, its answer out. Raises ProtocolError 403 ``out_of_scope``, 422 with the code of BundleError."""
        if not self._knows(sent.headers.get("authorization", "")):
            raise ProtocolError(403, "out_of_scope")
        try:
            content, report = await self._desk.exchange(sent.body)
        except BundleError as error:
            raise ProtocolError(422, error.code) from error
        sent.counts["installation"] = report.installation
        return Answer(content, headers={REPORT: msgspec.json.encode(report).decode("ascii")})

    def _knows(self, authorization: str) -> bool:
        return hmac.compare_digest(authorization.encode(), f"Bearer {self._secret}".encode())
