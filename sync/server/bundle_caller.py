"""The command that brings bundles, at the door of the server that holds the folder."""

import urllib.error
import urllib.request
from pathlib import Path

import msgspec

from sync.errors import BundleError, Offline
from sync.server.bundle import Report
from sync.server.bundle_door import FILE, PATH, REPORT, Notice
from sync.wire import Problem

_TIMEOUT_S = 300


def hand_in(data: Path, content: bytes, *, server: str = "") -> tuple[bytes, Report]:
    """Give a bundle to the server that runs on this folder; its answer, and what was done.

    ``server`` is its address when that is not where it says. Raises BundleError as the desk does, and Offline.
    """
    try:
        notice = msgspec.json.decode((data / FILE).read_bytes(), type=Notice)
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
            return answer.read(), msgspec.json.decode(answer.headers[REPORT], type=Report)
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
