"""Signed requests: a fixed profile of HTTP message signatures (RFC 9421) with content digests (RFC 9530), Ed25519.

Covered are the method, the path, the query and the digest of the body. The authority is not: proxies change it, and the
community in the key id already says where the request belongs. What is repeated is harmless: a push has its number.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sync.errors import BadSignature

CLOCK_SKEW_S = 10 * 60  # a signature made further off is refused; the client learns the server's time and signs anew
ENROLMENT_KEY_ID = "enrol/new"  # of the one request signed by a key the server has yet to learn, to prove it is held

_LABEL: Final = "qm"
_COVERED: Final = '("@method" "@path" "@query" "content-digest")'
_KEY_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}/[A-Za-z0-9_.-]{1,64}")
_INPUT = re.compile(
    re.escape(f"{_LABEL}={_COVERED}") + r';created=([0-9]{1,12});keyid="([^"\\]{1,129})";alg="ed25519"', re.ASCII
)
_SIGNATURE = re.compile(re.escape(_LABEL) + r"=:([A-Za-z0-9+/=]{1,128}):", re.ASCII)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """The key of an installation (or of a server): 32 raw bytes, kept inside the encrypted database."""

    private: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> "KeyPair":
        """A new random key."""
        return cls(Ed25519PrivateKey.generate().private_bytes_raw())

    @property
    def public(self) -> bytes:
        """The 32 raw bytes by which others know it."""
        return Ed25519PrivateKey.from_private_bytes(self.private).public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """64 bytes that only the holder of the private key can make."""
        return Ed25519PrivateKey.from_private_bytes(self.private).sign(message)


@dataclass(frozen=True, slots=True)
class RequestParts:
    """What of a request is signed; path and query as they stand in the request line, still percent-encoded."""

    method: str
    path: str
    query: str = ""  # without the question mark
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who a request says it comes from; true once ``verify`` has returned. ``created`` is in seconds since 1970."""

    key_id: str
    created: int
    signature: bytes

    @property
    def community(self) -> str:
        """The part of the key id that says which community's keys to look in."""
        return self.key_id.partition("/")[0]

    @property
    def installation(self) -> str:
        """The part of the key id that names the key."""
        return self.key_id.partition("/")[2]


def key_id(*, community: str, installation: str) -> str:
    """The key id of an enrolled installation."""
    return f"{community}/{installation}"


def sign(request: RequestParts, *, key: KeyPair, key_id: str, created: int) -> dict[str, str]:
    """The headers to add to a request; ``created`` in seconds since 1970 by the corrected clock."""
    if not _KEY_ID.fullmatch(key_id):
        raise ValueError("a key id is community/installation")
    parameters = f'{_COVERED};created={created};keyid="{key_id}";alg="ed25519"'
    signature = base64.b64encode(key.sign(_signature_base(request, parameters=parameters))).decode()
    return {
        "Content-Digest": content_digest(request.body),
        "Signature-Input": f"{_LABEL}={parameters}",
        "Signature": f"{_LABEL}=:{signature}:",
    }


def claimed_signer(headers: Mapping[str, str]) -> Signer:
    """Who the headers say has signed, so that the key can be looked up; nothing is verified yet.

    ``headers`` finds names in lower case. Raises BadSignature ``signature_missing`` or ``signature_malformed``.
    """
    try:
        covered, signature = headers["signature-input"], headers["signature"]
    except KeyError:
        raise BadSignature("signature_missing") from None
    found, signed = _INPUT.fullmatch(covered), _SIGNATURE.fullmatch(signature)
    if found is None or signed is None or not _KEY_ID.fullmatch(found[2]):
        raise BadSignature("signature_malformed")
    try:
        raw = base64.b64decode(signed[1], validate=True)
    except binascii.Error:
        raise BadSignature("signature_malformed") from None
    return Signer(key_id=found[2], created=int(found[1]), signature=raw)


def verify(request: RequestParts, *, headers: Mapping[str, str], public_key: bytes, now: int) -> Signer:
    """Who signed this request, ``now`` in seconds since 1970.

    Raises BadSignature: signature_missing, signature_malformed, digest_mismatch, bad_signature, or (of a good signature
    only, so that nobody can feel out keys by the time) clock_skew with the server's time ``now``.
    """
    signer = claimed_signer(headers)
    if headers.get("content-digest") != content_digest(request.body):
        raise BadSignature("digest_mismatch")
    parameters = headers["signature-input"].removeprefix(f"{_LABEL}=")
    try:
        key = Ed25519PublicKey.from_public_bytes(public_key)
        key.verify(signer.signature, _signature_base(request, parameters=parameters))
    except (InvalidSignature, ValueError):
        raise BadSignature("bad_signature") from None
    if abs(now - signer.created) > CLOCK_SKEW_S:
        raise BadSignature("clock_skew", now=now)
    return signer


def content_digest(body: bytes) -> str:
    """The Content-Digest header of a body as it is sent, that is, compressed."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def _signature_base(request: RequestParts, *, parameters: str) -> bytes:
    lines = (
        f'"@method": {request.method.upper()}',
        f'"@path": {request.path or "/"}',
        f'"@query": ?{request.query}',
        f'"content-digest": {content_digest(request.body)}',
        f'"@signature-params": {parameters}',
    )
    return "\n".join(lines).encode()
