"""Signatures of files: the form of the minisign command in both directions, and each thing that is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sync.errors import TrustError
from sync.keys.manifests import MAX_MANIFEST_BYTES, PresetManifest, ReleaseFile, ReleaseManifest
from sync.keys.minisign import PublicKey, SecretKey, trusted_keys, verify

# Made with minisign 0.11: `-G -W`, `-S -t 'sequence 7'`, and a secret key under the passphrase geheim1.
CONTENT = "敲门 1\n".encode()
PUBLIC = """untrusted comment: minisign public key 81BEEED1553A3D2
RWTSo1MV7e4bCC2xYv1mJf0BqOzgy2Z9usf/PqEVWDIh3Vv8qh42DgY5
"""
SECRET = """untrusted comment: minisign encrypted secret key
RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA0qNTFe3uGwjPEiEZJ6pML426y2MqdBQUnvww3q0m\
/vyKHl4v3WV+QC2xYv1mJf0BqOzgy2Z9usf/PqEVWDIh3Vv8qh42DgY5AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
"""
SIGNATURE = """untrusted comment: signature from minisign secret key
RUTSo1MV7e4bCHJYXeGL4W4wrpTv9saL6Yp2S/qDxfyP4+7CZlU4iLW/dw+z9IeHXLAYyQuVa1mZSE+Q51RDAJzHrG8Mew30KwM=
trusted comment: sequence 7
7oxID9joq2/bCzMMPrNe/ecHkSRGlFnWVNjfn646C94obZDVbl8Q+0n3qzI1Xv1hlxmpTjq2AkZaewymlydZBw==
"""

CHEAP = 10
KEY = SecretKey(id=b"12345678", seed=bytes(range(32)))


def refusal(work: Callable[[], object]) -> str:
    with pytest.raises(TrustError) as caught:
        work()
    return caught.value.code


def test_what_minisign_signed_is_checked() -> None:
    key = PublicKey.parse(PUBLIC)
    assert key.verify(CONTENT, signature=SIGNATURE) == "sequence 7"
    assert key.verify(CONTENT, signature=SIGNATURE.replace("\n", "\r\n")) == "sequence 7"
    assert key.name == "081BEEED1553A3D2"
    assert PublicKey.parse(key.text) == PublicKey.parse(PUBLIC.splitlines()[1]) == key


def test_a_secret_key_of_minisign_signs_as_minisign_does(tmp_path: Path) -> None:
    file = tmp_path / "minisign.key"
    file.write_text(SECRET, encoding="utf-8")
    key = SecretKey.load(file)
    assert key.public == PublicKey.parse(PUBLIC)
    # Ed25519 has no chance in it: the two lines of base64 must be minisign's own.
    assert key.sign(CONTENT, comment="sequence 7").splitlines()[1::2] == SIGNATURE.splitlines()[1::2]


def test_a_file_is_signed_as_its_bytes_are(tmp_path: Path) -> None:
    file = tmp_path / "payload"
    file.write_bytes(bytes(3_000_000))
    signature = KEY.sign(file)
    assert KEY.public.verify(bytes(3_000_000), signature=signature).startswith("timestamp:")
    assert KEY.public.verify(file, signature=signature)
    assert refusal(lambda: KEY.public.verify(bytes(2_999_999) + b"1", signature=signature)) == "signature_wrong"


def test_a_changed_signature_is_refused() -> None:
    key = PublicKey.parse(PUBLIC)
    lines = SIGNATURE.splitlines()
    other = KEY.sign(CONTENT, comment="sequence 7").splitlines()

    def code(*changed: str) -> str:
        return refusal(lambda: key.verify(CONTENT, signature="\n".join(changed) + "\n"))

    assert code(lines[0], lines[1], "trusted comment: sequence 8", lines[3]) == "signature_wrong"
    assert code(lines[0], lines[1], lines[2], other[3]) == "signature_wrong"
    assert code(*other) == "signature_unknown_key"
    assert code(*lines[:3]) == "signature_unreadable"
    assert code(lines[0], lines[1][:-4], lines[2], lines[3]) == "signature_unreadable"
    assert code(lines[0], "RWTS" + lines[1][4:], lines[2], lines[3]) == "signature_unreadable"  # the form of old
    assert code(lines[0], lines[1], lines[2], "no base64") == "signature_unreadable"
    assert code("") == "signature_unreadable"
    assert refusal(lambda: verify(CONTENT, signature=SIGNATURE, keys=())) == "signature_unknown_key"


def test_a_public_key_that_is_none_is_refused() -> None:
    for text in ("", "hello", PUBLIC.replace("RWTS", "RUTS"), PUBLIC[:-8]):
        assert refusal(lambda text=text: PublicKey.parse(text)) == "public_key_unreadable"  # type: ignore[misc]


def test_the_secret_key_is_kept_under_its_passphrase(tmp_path: Path) -> None:
    key, file = SecretKey.generate(), tmp_path / "working.key"
    key.save(file, passphrase="一句话 4", cost=CHEAP)
    assert file.stat().st_mode & 0o077 == 0
    assert key.seed.hex() not in repr(key)
    assert SecretKey.load(file, passphrase="一句话 4") == key
    assert refusal(lambda: SecretKey.load(file)) == "secret_key_locked"
    assert refusal(lambda: SecretKey.load(file, passphrase="一句话 5")) == "secret_key_passphrase"
    key.save(file)
    assert SecretKey.load(file) == key


def test_a_secret_file_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "working.key"
    assert refusal(lambda: SecretKey.load(file)) == "secret_key_unreadable"
    KEY.save(file)
    whole = file.read_text(encoding="utf-8")
    dear = whole.replace("RWQAAEIy", "RWRTY0Iy")  # says that it is locked, with no rounds at all
    for text in ("", "one line", whole.replace("RWQ", "RUQ"), whole[:200], whole[:-9] + "AAAAAAA=\n"):
        file.write_text(text, encoding="utf-8")
        assert refusal(lambda: SecretKey.load(file)) == "secret_key_unreadable"
    file.write_text(dear, encoding="utf-8")
    assert refusal(lambda: SecretKey.load(file, passphrase="x")) == "secret_key_unreadable"


def test_the_trusted_keys_are_the_files_of_a_folder(tmp_path: Path) -> None:
    assert trusted_keys(tmp_path / "none") == ()
    (tmp_path / "2-offline.pub").write_text(PUBLIC, encoding="utf-8")
    (tmp_path / "1-working.pub").write_text(KEY.public.text, encoding="utf-8")
    (tmp_path / "README.md").write_text("not a key", encoding="utf-8")
    keys = trusted_keys(tmp_path)
    assert keys == (KEY.public, PublicKey.parse(PUBLIC))
    assert verify(CONTENT, signature=SIGNATURE, keys=keys)[0] == keys[1]
    (tmp_path / "3.pub").write_text("no key", encoding="utf-8")
    assert refusal(lambda: trusted_keys(tmp_path)) == "public_key_unreadable"


# ---------------------------------------------------------------------------------------------------- manifests

PRESET = PresetManifest(community="xingfuli", issued_at=1_760_000_000_000, sequence=3, files={"ca.pem": "0" * 64})
RELEASE = ReleaseManifest(
    community="xingfuli",
    issued_at=1_760_000_000_000,
    sequence=9,
    version="0.2.0",
    protocol=1,
    database=1,
    files={"windows-amd64": ReleaseFile(name="qiaomen-xingfuli-0.2.0.exe", size=5, sha256="1" * 64)},
)


@pytest.mark.parametrize("manifest", [PRESET, RELEASE])
def test_a_manifest_is_read_when_its_signature_is_right(manifest: PresetManifest | ReleaseManifest) -> None:
    content, read = manifest.content, type(manifest).read
    keys, signature = [KEY.public], KEY.sign(manifest.content)
    assert read(content, signature=signature, keys=keys) == manifest
    changed = content.replace(b"xingfuli", b"xingfulu")
    assert refusal(lambda: read(changed, signature=signature, keys=keys)) == "signature_wrong"
    assert refusal(lambda: read(content, signature=signature, keys=[])) == "signature_unknown_key"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b'"format": 1', b'"format": 2', "manifest_newer"),
        (b'"sequence": 3', b'"sequence": 0', "manifest_unreadable"),
        (b"ca.pem", b"../ca.pem", "manifest_unreadable"),
        (b"ca.pem", b"a/ca.pem", "manifest_unreadable"),
        (b"xingfuli", b"../etc", "manifest_unreadable"),
        (b"0" * 64, b"0" * 63, "manifest_unreadable"),
        (b"{", b"[", "manifest_unreadable"),
        (b"ca.pem", b"c" * MAX_MANIFEST_BYTES, "manifest_unreadable"),
    ],
)
def test_a_signed_manifest_that_makes_no_sense_is_refused(old: bytes, new: bytes, code: str) -> None:
    content = PRESET.content.replace(old, new, 1)
    assert content != PRESET.content
    assert refusal(lambda: PresetManifest.read(content, signature=KEY.sign(content), keys=[KEY.public])) == code
