"""What came in: who signed it, inflated within bounds, decoded; everything that can be wrong with it has its answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection

from sync.errors import BadMessage, BadSignature, QiaomenError
from sync.keys.signatures import ENROLMENT_KEY_ID, RequestParts, claimed_signer, verify
from sync.server.problems import ProtocolError
from sync.server.storage import people
from sync.server.storage.push import Caller
from sync.wire import LIMITS, Enrol, Problem, decode, decompress

M = TypeVar("M", bound=msgspec.Struct)

_STATUS_OF_BAD_MESSAGE = {"too_large": 413, "unknown_encoding": 415}
_MORE_ON_THE_WAY = frozenset({408, 413})


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it came over the line; ``counts`` collects numbers for its line in the log."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    address: str
    counts: dict[str, Any] = field(default_factory=dict)
    inflated_most: int = LIMITS.inflated_bytes

    def inflated(self) -> bytes:
        """The body without its encoding. Raises BadMessage."""
        return decompress(self.body, encoding=self.headers.get("content-encoding", ""), limit=self.inflated_most)


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: a body, mostly JSON, a status, and headers of its own."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"


def caller_of(connection: Connection, sent: Sent, *, now: int) -> Caller:
    """Who signed the request. Raises BadSignature, and ProtocolError 403 ``revoked``."""
    claimed = claimed_signer(sent.headers)
    known = people.find_installation(connection, claimed.community, claimed.installation)
    if known is None:
        raise BadSignature("bad_signature")  # as for a wrong key: nobody is told which installations there are
    _verify(sent, public_key=known.public_key, now=now)
    sent.counts["installation"] = known.id
    if known.revoked:
        raise ProtocolError(403, "revoked")
    return Caller(known.community, known.id, known.accounts)


def is_new_installation(sent: Sent) -> bool:
    """Whether the request is signed with a key that the server has yet to learn."""
    return claimed_signer(sent.headers).key_id == ENROLMENT_KEY_ID


def prove(sent: Sent, message: Enrol, *, now: int) -> None:
    """The sender holds the key it brings. Raises BadSignature."""
    _verify(sent, public_key=message.public_key, now=now)


def received(sent: Sent, type_: type[M]) -> tuple[M, bytes]:
    """The message, and its JSON. Raises BadMessage."""
    body = sent.inflated()
    message = decode(body, type_=type_)
    device = getattr(message, "device", None)
    if device is not None:
        sent.counts["replica"] = device
    return message, body


def problem(error: QiaomenError) -> Answer:
    """The answer to an error of ours."""
    status = 500
    headers: dict[str, str] = {}
    if isinstance(error, ProtocolError):
        status = error.status
    elif isinstance(error, BadSignature):
        status = 401
    elif isinstance(error, BadMessage):
        status = _STATUS_OF_BAD_MESSAGE.get(error.code, 400)
    if status in _MORE_ON_THE_WAY:
        # The rest of the body is not wanted. (After 429 it is: whoever is to come back needs the answer and the line.)
        headers["connection"] = "close"
    if "retry_after_s" in error.params:
        headers["retry-after"] = str(error.params["retry_after_s"])
    return Answer(msgspec.json.encode(Problem(code=error.code, params=error.params)), status, headers)


def _verify(sent: Sent, *, public_key: bytes, now: int) -> None:
    parts = RequestParts(method=sent.method, path=sent.path, query=sent.query, body=sent.body)
    verify(parts, headers=sent.headers, public_key=public_key, now=now // 1000)
