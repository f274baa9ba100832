"""Sealing bytes for one recipient, who need not be there: X25519, HKDF-SHA256, ChaCha20-Poly1305; and plain signatures.

Each sealing makes a key of its own, so the nonce can be constant. Who has sealed is not told by the seal: sign besides.
"""

from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from sync.keys.derivation import expand

PUBLIC_BYTES = 32
_PURPOSE = "seal 1"
_NONCE = bytes(12)


@dataclass(frozen=True, slots=True)
class SealingKey:
    """The key that opens what was sealed for its holder: 32 raw bytes."""

    private: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> "SealingKey":
        """A new random key."""
        return cls(X25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def of_secret(cls, secret: bytes) -> "SealingKey":
        """The key that belongs to another secret (an installation's signing key): always the same one."""
        return cls(expand(secret, salt=None, purpose="sealing key"))

    @property
    def public(self) -> bytes:
        """The 32 raw bytes to seal with."""
        return X25519PrivateKey.from_private_bytes(self.private).public_key().public_bytes_raw()


def seal(plain: bytes, *, recipient: bytes, bound: bytes) -> bytes:
    """Bytes that only the holder of ``recipient`` (a public key) can open, and only beside the same ``bound`` bytes.

    48 bytes longer than the plain ones. Raises ValueError when ``recipient`` is no such key.
    """
    once = X25519PrivateKey.generate()
    public = once.public_key().public_bytes_raw()
    key = _shared(once, public=recipient, salt=public + recipient)
    return public + ChaCha20Poly1305(key).encrypt(_NONCE, plain, bound)


def unseal(sealed: bytes, *, key: SealingKey, bound: bytes) -> bytes:
    """What was sealed. Raises ValueError: for another key, changed, or beside other ``bound`` bytes."""
    public = sealed[:PUBLIC_BYTES]
    shared = _shared(X25519PrivateKey.from_private_bytes(key.private), public=public, salt=public + key.public)
    try:
        return ChaCha20Poly1305(shared).decrypt(_NONCE, sealed[PUBLIC_BYTES:], bound)
    except InvalidTag:
        raise ValueError("not sealed for this key, or changed") from None


def is_signed(message: bytes, *, signature: bytes, public_key: bytes) -> bool:
    """Whether the holder of an Ed25519 key signed exactly these bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _shared(private: X25519PrivateKey, *, public: bytes, salt: bytes) -> bytes:
    # ValueError: too short, or a point that makes every secret zero
    return expand(private.exchange(X25519PublicKey.from_public_bytes(public)), salt=salt, purpose=_PURPOSE)
