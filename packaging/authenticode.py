"""Checks who signed a Windows program file (Authenticode), offline, against the few roots in ``windows/roots.pem``.

Written out here because no ready tool answers the same on every machine: one needs a certain OpenSSL, another holds
a signature for broken as soon as the time stamper's own certificate has run out, which Windows does not.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AMD64: Final = 0x8664
_ROOTS: Final = Path(__file__).parent / "windows" / "roots.pem"

_SEQUENCE, _SET, _OID, _OCTETS, _TIME = 0x30, 0x31, 0x06, 0x04, 0x18
_SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
_INDIRECT_DATA: Final = "1.3.6.1.4.1.311.2.1.4"  # the digest of a program file
_TIME_STAMP_INFO: Final = "1.2.840.113549.1.9.16.1.4"
_MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
_TIME_STAMP: Final = "1.3.6.1.4.1.311.3.3.1"  # an RFC 3161 token as an attribute nobody signed
_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
}


class NotSigned(Exception):
    """The file cannot be trusted; the text says why."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed a file (the certificate's organisation) and when, as a time stamper vouches."""

    organisation: str
    signed_at: datetime


# -------------------------------------------------------------------------------------------------- DER


@dataclass(frozen=True, slots=True)
class _Value:
    """One value of DER: its tag, its body, and all of its bytes."""

    tag: int
    body: bytes
    raw: bytes

    def parts(self) -> list["_Value"]:
        return list(_values(self.body))

    def oid(self) -> str:
        if self.tag != _OID or not self.body:
            raise NotSigned("its signature is malformed")
        numbers, value = [], 0
        for byte in self.body:
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                numbers.append(value)
                value = 0
        first = min(numbers[0] // 40, 2)
        return ".".join(map(str, [first, numbers[0] - 40 * first, *numbers[1:]]))


def _values(data: bytes) -> Iterator[_Value]:
    at = 0
    while at < len(data):
        try:
            tag, length, body = data[at], data[at + 1], at + 2
            if length & 0x80:
                size = length & 0x7F
                length = int.from_bytes(data[body : body + size], "big")
                body += size
        except IndexError as error:
            raise NotSigned("its signature is malformed") from error
        end = body + length
        if end > len(data) or tag & 0x1F == 0x1F:
            raise NotSigned("its signature is malformed")
        yield _Value(tag, data[body:end], data[at:end])
        at = end


def _first(data: bytes) -> _Value:
    for value in _values(data):
        return value
    raise NotSigned("its signature is malformed")


def _digest(algorithm: _Value, data: bytes) -> bytes:
    digest = hashes.Hash(_hash(algorithm))
    digest.update(data)
    return digest.finalize()


def _hash(algorithm: _Value) -> hashes.HashAlgorithm:
    name = algorithm.parts()[0].oid()
    if name not in _HASHES:
        raise NotSigned("it is signed with a digest that is not trusted any more")
    return _HASHES[name]


# -------------------------------------------------------------------------------------------- signed data


@dataclass(frozen=True, slots=True)
class _Signed:
    """What a signer vouches for: kind and bytes of the content, and what hangs on the signature."""

    kind: str
    content: bytes
    signer: x509.Certificate
    others: list[x509.Certificate]
    signature: bytes
    unsigned: dict[str, _Value]


def _attributes(value: _Value) -> dict[str, _Value]:
    return {name.oid(): values.parts()[0] for name, values in (part.parts() for part in value.parts())}


def _open(data: bytes) -> _Signed:
    """Read a PKCS #7 message and check that its one signer signed its content; trust in the signer comes later."""
    kind, wrapped = _first(data).parts()[:2]
    if kind.oid() != _SIGNED_DATA:
        raise NotSigned("its signature is malformed")
    fields = wrapped.parts()[0].parts()
    content_kind, content = fields[2].parts()[:2]
    body = content.parts()[0].body
    certificates = [
        x509.load_der_x509_certificate(part.raw)
        for field in fields[3:]
        if field.tag == 0xA0
        for part in field.parts()
        if part.tag == _SEQUENCE
    ]
    signer = fields[-1].parts()[0].parts()
    issuer, serial = signer[1].parts()[:2]
    found = [
        certificate
        for certificate in certificates
        if certificate.issuer.public_bytes() == issuer.raw
        and certificate.serial_number == int.from_bytes(serial.body, "big", signed=True)
    ]
    if not found or signer[3].tag != 0xA0:
        raise NotSigned("its signature is malformed")
    signed = _attributes(signer[3])
    digest = signed.get(_MESSAGE_DIGEST)
    if digest is None or digest.body != _digest(signer[2], body):
        raise NotSigned("its signature is about something else")
    key = found[0].public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise NotSigned("it is signed with a kind of key that is not known here")
    # The signature covers the attributes as a SET, though they travel under a tag of their own.
    covered = bytes([_SET]) + signer[3].raw[1:]
    try:
        key.verify(signer[5].body, covered, padding.PKCS1v15(), _hash(signer[2]))
    except InvalidSignature as error:
        raise NotSigned("its signature does not fit its signer") from error
    unsigned = _attributes(signer[6]) if len(signer) > 6 else {}
    return _Signed(content_kind.oid(), body, found[0], certificates, signer[5].body, unsigned)


def known_roots() -> list[x509.Certificate]:
    """The certificates above the signatures of the official Python and of the C runtime."""
    return x509.load_pem_x509_certificates(_ROOTS.read_bytes())


def _trust(signed: _Signed, *, purpose: x509.ObjectIdentifier, at: datetime, roots: list[x509.Certificate]) -> None:
    """The chain from the signer up to one of the roots, each link good at that time."""
    certificate = signed.signer
    try:
        uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound as error:
        raise NotSigned("its signer may not sign such a thing") from error
    if purpose not in uses:
        raise NotSigned("its signer may not sign such a thing")
    for _ in range(8):
        if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
            raise NotSigned("a certificate above its signature was not valid when it was signed")
        if certificate in roots:
            return
        certificate = _issuer(certificate, [*roots, *signed.others])
    raise NotSigned("its signer is not known")


def _issuer(certificate: x509.Certificate, among: list[x509.Certificate]) -> x509.Certificate:
    for issuer in among:
        if issuer.subject != certificate.issuer or issuer == certificate:
            continue
        try:
            certificate.verify_directly_issued_by(issuer)
            if issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
                return issuer
        except (InvalidSignature, TypeError, ValueError, x509.ExtensionNotFound):
            continue
    raise NotSigned("its signer is not known")


def _stamped_at(signed: _Signed, roots: list[x509.Certificate]) -> datetime:
    """When the signature was there already, as a trusted time stamper says."""
    token = signed.unsigned.get(_TIME_STAMP)
    if token is None:
        raise NotSigned("nobody vouches for when it was signed")
    stamp = _open(token.raw)
    if stamp.kind != _TIME_STAMP_INFO:
        raise NotSigned("its time stamp is malformed")
    info = _first(stamp.content).parts()
    imprint = info[2].parts()
    if imprint[1].body != _digest(imprint[0], signed.signature):
        raise NotSigned("its time stamp is about something else")
    times = [part.body.decode("ascii") for part in info if part.tag == _TIME]
    if not times:
        raise NotSigned("its time stamp is malformed")
    at = datetime.strptime(times[0][:14] + "+0000", "%Y%m%d%H%M%S%z")
    _trust(stamp, purpose=ExtendedKeyUsageOID.TIME_STAMPING, at=at, roots=roots)
    return at


# ------------------------------------------------------------------------------------------------ the file


def is_program(data: bytes) -> bool:
    """Whether these bytes are a Windows program or library, whatever the file is called."""
    return data[:2] == b"MZ"


def _layout(data: bytes) -> tuple[int, int, int, int]:
    """The machine it is for, where its header keeps checksum and signature place, and where the signature starts."""
    try:
        header = struct.unpack_from("<I", data, 0x3C)[0]
        machine = struct.unpack_from("<H", data, header + 4)[0]
        magic = struct.unpack_from("<H", data, header + 24)[0]
        entry = header + 24 + (112 if magic == 0x20B else 96) + 4 * 8
        start, size = struct.unpack_from("<II", data, entry)
    except struct.error as error:
        raise NotSigned("it is no Windows program") from error
    if not is_program(data) or data[header : header + 4] != b"PE\0\0":
        raise NotSigned("it is no Windows program")
    if start == 0:
        raise NotSigned("it is not signed")
    if start + size != len(data):
        raise NotSigned("something was added behind its signature")
    return machine, header + 24 + 64, entry, start


def check(data: bytes, *, machine: int = AMD64, roots: list[x509.Certificate] | None = None) -> Signature:
    """Who signed this program file; raises ``NotSigned`` when it was altered, not signed, or by an unknown signer."""
    try:
        return _check(data, machine, known_roots() if roots is None else roots)
    except (
        IndexError,
        UnsupportedAlgorithm,
        ValueError,
    ) as error:  # a value that should be there is not, or is not one
        raise NotSigned("its signature is malformed") from error


def _check(data: bytes, machine: int, roots: list[x509.Certificate]) -> Signature:
    made_for, checksum, entry, start = _layout(data)
    if made_for != machine:
        raise NotSigned("it is made for another kind of processor")
    signed = _open(data[start + 8 :])
    if signed.kind != _INDIRECT_DATA:
        raise NotSigned("its signature is malformed")
    algorithm, expected = list(_values(signed.content))[1].parts()[:2]
    covered = data[:checksum] + data[checksum + 4 : entry] + data[entry + 8 : start]
    if expected.tag != _OCTETS or expected.body != _digest(algorithm, covered):
        raise NotSigned("it was altered after it had been signed")
    at = _stamped_at(signed, roots)
    _trust(signed, purpose=ExtendedKeyUsageOID.CODE_SIGNING, at=at, roots=roots)
    names = signed.signer.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    if not names:
        raise NotSigned("its signer has no name")
    return Signature(str(names[0].value), at.astimezone(UTC))
