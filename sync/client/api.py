"""Requests to the server: signed, compressed, and every failure turned into one of our own errors."""

import random
import ssl
import time
from collections.abc import Callable
from functools import cache
from typing import TypeVar

import httpx
import msgspec

from sync import __version__, wire
from sync.errors import BadMessage, Offline, Refused, ServerTrouble
from sync.keys.signatures import ENROLMENT_KEY_ID, KeyPair, RequestParts, key_id, sign
from sync.store.state import SyncState

APP = __version__
# A packet lost on the way to a connection costs 1, 2, then 4 s; an answer may have to wait its turn with the server.
TIMEOUT = httpx.Timeout(45.0, connect=15.0)

HttpClient = httpx.Client  # by this name for those above this layer

_Reply = TypeVar("_Reply", bound=msgspec.Struct)
_OCTETS = "application/octet-stream"
_OF_ANOTHER_DAY = frozenset({9, 10})  # of OpenSSL's verification: not yet valid, no longer valid
_WAIT = frozenset({408, 429, 502, 503, 504})


class _Info(msgspec.Struct):
    version: str


class _Description(msgspec.Struct):
    info: _Info


def open_client(server_url: str, *, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """An HTTP client for one server; the environment's proxies are not asked, a station's server is near."""
    return httpx.Client(base_url=server_url, timeout=TIMEOUT, transport=transport, trust_env=False, verify=trusted())


@cache
def trusted() -> ssl.SSLContext:
    """The well-known authorities: reading them takes 30 ms of every thread's time, so once a run, not a session."""
    return httpx.create_ssl_context(trust_env=False)


class Api:
    """One server, one installation's key. ``now_s`` is the corrected clock in seconds, for signatures.

    Raises Offline (no_line, timeout, not_our_server, certificate, certificate_day), Refused (the server's own code),
    ServerTrouble (server_error, busy with ``retry_after_s``).
    """

    def __init__(
        self,
        http: httpx.Client,
        *,
        key: KeyPair,
        signer: str = ENROLMENT_KEY_ID,
        now_s: Callable[[], int] = lambda: int(time.time()),
    ) -> None:
        self._http = http
        self._key = key
        self._signer = signer
        self._now_s = now_s
        self.sent_bytes = 0
        self.received_bytes = 0
        self.requests = 0

    @classmethod
    def of_installation(
        cls, http: httpx.Client, *, key: KeyPair, community: str, installation: str, now_s: Callable[[], int]
    ) -> "Api":
        """The API of an enrolled installation."""
        return cls(http, key=key, signer=key_id(community=community, installation=installation), now_s=now_s)

    @classmethod
    def of_store(cls, http: httpx.Client, state: SyncState, *, now_s: Callable[[], int]) -> "Api":
        """The API of the installation that this file belongs to."""
        key = KeyPair(state.private_key)
        return cls.of_installation(
            http, key=key, community=state.community_id, installation=state.installation_id, now_s=now_s
        )

    def hello(self, message: wire.Hello) -> wire.HelloReply:
        """The greeting: what the server holds for this replica, and which streams may be read."""
        return self._post("hello", wire.encode(message), wire.HelloReply)

    def push(self, body: bytes) -> wire.PushReply:
        """One batch, packed: the same bytes each time it is sent."""
        return self._exchange("push", wire.packed(body), wire.PushReply)

    def withdraw(self, message: wire.Withdraw) -> wire.PushReply:
        """Give up batches that no line carries; the answer to the first of them if it has come all the same."""
        return self._post("withdraw", wire.encode(message), wire.PushReply)

    def pull(self, message: wire.Pull) -> wire.PullReply:
        """One page."""
        return self._post("pull", wire.encode(message), wire.PullReply)

    def digests(self, message: wire.Digests) -> wire.DigestsReply:
        """Which of these rows a restored server wants back."""
        return self._post("digests", wire.encode(message), wire.DigestsReply)

    def enrol(self, message: wire.Enrol) -> wire.EnrolReply:
        """Hand in a one-time code."""
        return self._post("enrol", wire.encode(message), wire.EnrolReply)

    def add_person(self, message: wire.AddPerson) -> wire.AddPersonReply:
        """Add a person to the staff, for a one-time code."""
        return self._post("people", wire.encode(message), wire.AddPersonReply)

    def new_code(self, message: wire.AddPerson) -> wire.AddPersonReply:
        """A new one-time code for a person who is known."""
        return self._post(f"people/{message.account}/code", wire.encode(message), wire.AddPersonReply)

    def put_blob(self, checksum: str, record: str, *, offset: int, data: bytes) -> int:
        """A piece of an attached file, which the attachment ``record`` names; how many bytes the server has now.

        With no bytes it only asks. Raises Refused ``offset`` (``have``) when the piece belongs elsewhere.
        """
        query = f"record={record}&offset={offset}"
        answer = self._send("PUT", f"/sync/v1/blobs/{checksum}", data, query=query, type_=_OCTETS)
        if answer.status_code == 200:
            return _read(answer, wire.BlobReply).have
        raise _error(answer)

    def get_blob(self, checksum: str, record: str, *, offset: int) -> bytes:
        """The next piece of an attached file; b'' at its end."""
        query = f"record={record}&offset={offset}"
        answer = self._send("GET", f"/sync/v1/blobs/{checksum}", b"", query=query, type_=_OCTETS)
        if answer.status_code == 200 and answer.headers.get("content-type") == _OCTETS:
            return _raw(answer)
        raise _error(answer)

    def get_release(self, name: str, *, offset: int = 0) -> bytes:
        """The next piece of a file of the release that the server offers; b'' at its end. Refused ``no_release``."""
        answer = self._send("GET", f"/sync/v1/releases/{name}", b"", query=f"offset={offset}", type_=_OCTETS)
        if answer.status_code == 200 and answer.headers.get("content-type") == _OCTETS:
            return _raw(answer)
        raise _error(answer)

    def protocol(self) -> int:
        """The newest protocol of this server, from its own description; 0 when it does not say."""
        answer = self._send("GET", "/sync/v1/openapi.json", b"", type_=_OCTETS)
        try:
            told = wire.decompress(_raw(answer), encoding=answer.headers.get("content-encoding", ""))
            return int(msgspec.json.decode(told, type=_Description).info.version)
        except (BadMessage, msgspec.DecodeError, ValueError):
            return 0

    def _post(self, name: str, message: bytes, reply: type[_Reply]) -> _Reply:
        return self._exchange(name, wire.compress(message, encoding="zstd"), reply)

    def _exchange(self, name: str, body: bytes, reply: type[_Reply]) -> _Reply:
        answer = self._send("POST", f"/sync/v1/{name}", body, type_="application/json", encoding="zstd")
        if answer.status_code == 200:
            return _read(answer, reply)
        raise _error(answer)

    def _send(
        self, method: str, path: str, body: bytes, *, query: str = "", type_: str, encoding: str = ""
    ) -> httpx.Response:
        parts = RequestParts(method=method, path=path, query=query, body=body)
        headers = {
            "Content-Type": type_,
            "Accept-Encoding": "zstd",
            **({"Content-Encoding": encoding} if encoding else {}),
            **sign(parts, key=self._key, key_id=self._signer, created=self._now_s()),
        }
        self.requests += 1
        self.sent_bytes += len(body)
        address = f"{path}?{query}" if query else path
        try:
            with self._http.stream(method, address, content=body, headers=headers) as answer:
                answer.extensions["raw_body"] = b"".join(answer.iter_raw())
        except httpx.TimeoutException as error:
            raise Offline("timeout") from error
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError) as error:
            raise Offline("no_line", cut=True) from error  # it was there, and went while something was under way
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise Offline(_unreached(error)) from error
        self.received_bytes += len(answer.extensions["raw_body"])
        return answer


def backoff_s(failures: int, *, rng: random.Random, least: float = 1.0, most: float = 300.0) -> float:
    """The pause before the next try: exponential with full jitter, from 1 s up to 5 min."""
    return rng.uniform(least, max(least, min(most, least * 2.0 ** min(failures, 12))))


def _unreached(error: BaseException) -> str:
    """Why nobody could be asked: no line, or a certificate that does not hold (on this day)."""
    why: BaseException | None = error
    while why is not None and not isinstance(why, ssl.SSLCertVerificationError):
        why = why.__cause__ or why.__context__
    if why is None:
        return "no_line"
    return "certificate_day" if why.verify_code in _OF_ANOTHER_DAY else "certificate"


def _read(answer: httpx.Response, reply: type[_Reply]) -> _Reply:
    try:
        body = wire.decompress(_raw(answer), encoding=answer.headers.get("content-encoding", ""))
        return wire.decode(body, type_=reply)
    except BadMessage as error:
        # A web page in place of an answer: a captive portal, or somebody else's server.
        raise Offline("not_our_server") from error


def _error(answer: httpx.Response) -> Exception:
    status = answer.status_code
    try:
        body = wire.decompress(_raw(answer), encoding=answer.headers.get("content-encoding", ""))
        problem = wire.decode(body, type_=wire.Problem)
    except BadMessage:
        problem = None
    if status in _WAIT:
        return ServerTrouble("busy", retry_after_s=_retry_after(answer))
    if status >= 500:
        return ServerTrouble("server_error", status=status)
    if status == 413 and problem is None:
        return Refused("too_large", status=status)  # a proxy before the server has a limit of its own
    if problem is None or not problem.code:
        return Offline("not_our_server")
    return Refused(problem.code, **{"status": status, **problem.params})


def _raw(answer: httpx.Response) -> bytes:
    raw: bytes = answer.extensions["raw_body"]
    return raw


def _retry_after(answer: httpx.Response) -> float:
    try:
        return max(0.0, float(answer.headers.get("retry-after", "")))
    except ValueError:
        return 0.0
