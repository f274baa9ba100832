"""The file for the stick: for one reader only, signed, bounded, and damage of any kind is told from forgery."""

import errno
import os
from pathlib import Path

import pytest
import zstandard

from sync.errors import BundleError
from sync.keys.sealing import SealingKey, is_signed, seal, unseal
from sync.keys.signatures import KeyPair
from sync.wire import bundle
from sync.wire.bundle import Header, Packed, Up

PC, CENTRE = KeyPair.generate(), SealingKey.generate()
HEADER = Header(way="up", community="c", sender="pc", recipient="centre", replica=7, number=1, made_at=5)
BODY = Up(
    device=7,
    epoch="e",
    schema=1,
    app="",
    time=5,
    fingerprint="",
    batch=0,
    cursors={"community:c": 3},
    pushes=[bundle.Raw(b'{"batch":1}')],
    sealing_key=bytes(32),
)


def code_of(content: bytes) -> str:
    with pytest.raises(BundleError) as caught:
        bundle.unpack(content)
    return caught.value.code


def packed(content: bytes | None = None) -> Packed:
    return bundle.unpack(content or whole())


def whole() -> bytes:
    return bundle.pack(HEADER, BODY, recipient_key=CENTRE.public, signing_key=PC)


def test_what_was_put_in_comes_out() -> None:
    found = packed()
    assert found.header == HEADER
    found.verify(PC.public)
    read = found.open(CENTRE, Up)
    assert read.cursors == BODY.cursors
    assert [bytes(push) for push in read.pushes] == [b'{"batch":1}']  # byte for byte
    assert b"batch" not in found.body


def test_only_its_reader_can_open_it() -> None:
    with pytest.raises(BundleError, match="bundle_other_pc"):
        packed().open(SealingKey.generate(), Up)


def test_a_header_put_before_another_body_is_found() -> None:
    ours = packed()
    other = bundle.unpack(
        bundle.pack(
            Header(way="up", community="d", sender="pc", recipient="centre", replica=7, number=1, made_at=5),
            BODY,
            recipient_key=CENTRE.public,
            signing_key=PC,
        )
    )
    with pytest.raises(BundleError, match="bundle_other_pc"):
        Packed(other.header, other.bound, ours.body, ours.signed, ours.signature).open(CENTRE, Up)


def test_somebody_elses_signature_is_told_from_damage() -> None:
    with pytest.raises(BundleError, match="bundle_forged"):
        packed().verify(KeyPair.generate().public)
    with pytest.raises(BundleError, match="bundle_forged"):
        packed(whole()[:-64] + bytes(64)).verify(PC.public)  # not signed at all
    with pytest.raises(BundleError, match="bundle_forged"):
        packed().verify(b"no key")


def test_every_cut_and_every_bent_byte_is_found() -> None:
    content = whole()
    for size in range(len(content)):
        assert code_of(content[:size]) in ("bundle_not_one", "bundle_damaged", "bundle_newer")
    assert code_of(content + b"x") == "bundle_damaged"
    for at in range(len(content)):
        bent = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        try:
            found = bundle.unpack(bent)
        except BundleError as error:
            assert error.code in ("bundle_not_one", "bundle_damaged", "bundle_newer")  # noqa: PT017
        else:
            assert at >= len(content) - 64  # the signature itself
            assert not is_signed(found.signed, signature=found.signature, public_key=PC.public)


def test_other_files_are_not_taken_for_bundles() -> None:
    assert code_of(b"") == "bundle_not_one"
    assert code_of(b"PK\x03\x04 a photo album") == "bundle_not_one"
    assert code_of(b"qiaomen bundle\n" + bytes(bundle.MOST_BYTES)) == "bundle_not_one"


def test_a_newer_form_is_named_as_such() -> None:
    content = whole()
    assert code_of(content[:15] + (2).to_bytes(2) + content[17:]) == "bundle_newer"


def signed_anew(content: bytes) -> bytes:
    content += bundle.blake2b(content, digest_size=32).digest()
    return content + PC.sign(content)


def with_header(told: bytes) -> bytes:
    return signed_anew(b"qiaomen bundle\n" + (1).to_bytes(2) + len(told).to_bytes(4) + told + (0).to_bytes(8))


@pytest.mark.parametrize("told", [b"{}", b"\xff", b"[" * 2000, b'{"way":"sideways"}', b" " * 5000])
def test_a_header_that_is_none_is_damage(told: bytes) -> None:
    assert code_of(with_header(told)) == "bundle_damaged"


def with_body(plain: bytes) -> Packed:
    told = bundle.encode(HEADER)
    bound = b"qiaomen bundle\n" + (1).to_bytes(2) + len(told).to_bytes(4) + told
    sealed = seal(plain, recipient=CENTRE.public, bound=bound)
    return bundle.unpack(signed_anew(bound + len(sealed).to_bytes(8) + sealed))


@pytest.mark.parametrize(
    "plain",
    [
        b"not compressed",
        zstandard.compress(b"not json"),
        zstandard.compress(b"[" * 100_000),
        zstandard.compress(bytes(bundle.MOST_BYTES + 1)),  # a bomb: two thousand bytes
        zstandard.ZstdCompressor().compress(b"{}") * 2,
    ],
)
def test_a_body_that_cannot_be_read_is_damage(plain: bytes) -> None:
    with pytest.raises(BundleError, match="bundle_damaged"):
        with_body(plain).open(CENTRE, Up)


def test_a_key_that_is_none_seals_nothing() -> None:
    for key in (b"", bytes(32), b"short"):
        with pytest.raises(BundleError, match="bundle_no_key"):
            bundle.pack(HEADER, BODY, recipient_key=key, signing_key=PC)
    with pytest.raises(ValueError, match="key"):
        unseal(b"", key=CENTRE, bound=b"")


def test_the_sealing_key_of_a_pc_follows_from_its_own_secret() -> None:
    assert SealingKey.of_secret(b"a" * 32) == SealingKey.of_secret(b"a" * 32)
    assert SealingKey.of_secret(b"a" * 32) != SealingKey.of_secret(b"b" * 32)
    assert bundle.key_name(CENTRE.public) == bundle.key_name(CENTRE.public)


# ------------------------------------------------------------------------------------------------- the file


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.qmb"
    bundle.write_file(path, b"first")
    bundle.write_file(path, b"second")
    assert bundle.read_file(path) == b"second"
    assert [one.name for one in tmp_path.iterdir()] == ["a.qmb"]


def test_a_stick_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    for path in (tmp_path / "gone" / "a.qmb", tmp_path):
        with pytest.raises(BundleError, match="bundle_unwritable"):
            bundle.write_file(path, b"x")
    with pytest.raises(BundleError, match="bundle_unreadable"):
        bundle.read_file(tmp_path / "none.qmb")


def test_a_full_or_pulled_stick_leaves_nothing_under_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.qmb"

    def fail(number: int) -> None:
        def fsync(_: int) -> None:
            raise OSError(number, "no")

        monkeypatch.setattr(os, "fsync", fsync)

    fail(errno.ENOSPC)
    with pytest.raises(BundleError, match="bundle_stick_full"):
        bundle.write_file(path, b"x")
    fail(errno.EIO)
    with pytest.raises(BundleError, match="bundle_unwritable"):
        bundle.write_file(path, b"x")
    assert list(tmp_path.iterdir()) == []


def test_file_systems_that_cannot_sync_a_folder_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = os.fsync, []

    def fsync(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 2:
            raise OSError(errno.EINVAL, "not here")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    bundle.write_file(tmp_path / "a.qmb", b"x")
    assert bundle.read_file(tmp_path / "a.qmb") == b"x"
