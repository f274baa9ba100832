"""The way in for the command that brings bundles while a server holds the folder: only for who may read the folder.

The server leaves its address and a secret of this run beside the data, readable by its own user alone.
"""

import hmac
import os
import secrets
import urllib.error
import urllib.request
from pathlib import Path

import msgspec

from sync.errors import BundleError, Offline
from sync.server.bundle import BundleDesk, Report
from sync.server.openapi import BUNDLE
from sync.server.problems import ProtocolError
from sync.server.requests import Answer, Sent
from sync.server.settings import Settings
from sync.wire import Problem
from sync.wire.bundle import MOST_BYTES

PATH = BUNDLE
_FILE = "server.door"
_REPORT = "x-bundle-report"
_NOBODY_MOST = 1024  # bytes of a body that is not going to be looked at
_TIMEOUT_S = 300
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


class _Notice(msgspec.Struct, frozen=True):
    """What stands in the file."""

    url: str
    secret: str


class Door:
    """Made when a server starts; ``close`` it at its end."""

    def __init__(self, settings: Settings, desk: BundleDesk) -> None:
        self._desk = desk
        self._secret = secrets.token_hex(32)
        self._path = settings.data / _FILE
        host = _ANYWHERE.get(settings.host, settings.host)
        url = f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
        self._path.unlink(missing_ok=True)
        with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.encode(_Notice(url, self._secret)))

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
        return Answer(content, headers={_REPORT: msgspec.json.encode(report).decode("ascii")})

    def _knows(self, authorization: str) -> bool:
        return hmac.compare_digest(authorization.encode(), f"Bearer {self._secret}".encode())


def hand_in(data: Path, content: bytes, *, server: str = "") -> tuple[bytes, Report]:
    """Give a bundle to the server that runs on this folder; its answer, and what was done.

    ``server`` is its address when that is not where it says. Raises BundleError as the desk does, and Offline.
    """
    try:
        notice = msgspec.json.decode((data / _FILE).read_bytes(), type=_Notice)
    except (OSError, msgspec.DecodeError) as error:
        raise Offline("not_our_server") from error
    request = urllib.request.Request(
        (server or notice.url).rstrip("/") + PATH,
        data=content,
        headers={"Authorization": f"Bearer {notice.secret}", "Content-Type": "application/octet-stream"},
    )
    # Never by way of a proxy: the server is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_TIMEOUT_S) as answer:
            return answer.read(), msgspec.json.decode(answer.headers[_REPORT], type=Report)
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(error.read()) from error
    except (OSError, msgspec.DecodeError) as error:
        raise Offline("no_line") from error


def _refusal(body: bytes) -> Exception:
    try:
        code = msgspec.json.decode(body, type=Problem).code
    except msgspec.DecodeError:
        return Offline("not_our_server")
    return BundleError(code) if code.startswith("bundle_") else Offline(code)
