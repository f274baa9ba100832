"""The list of a release that a community's PCs may install: signed, with a number that only grows and no last day.

    .venv/bin/python packaging/release.py hand-over --key OLD.key --next NEW.pub --out DIR

writes the two files by which PCs that trust the old key (or the offline one) take the new one from then on;

    .venv/bin/python packaging/release.py renew RELEASE/<id> --key working.key

writes the list anew after an installer was changed, by an Authenticode signature for instance.
"""

import argparse
import hashlib
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

sys.path[:0] = [str(Path(__file__).resolve().parent.parent), str(Path(__file__).resolve().parent)]

import msgspec
from preset_make import Issued, Numbers, now_ms
from signing import add_key_arguments, open_key, sentence

from sync.errors import KeysError, TrustError
from sync.keys.manifests import MANIFEST, ReleaseFile, ReleaseManifest
from sync.keys.minisign import SUFFIX, PublicKey, SecretKey, verify
from sync.store.schema import SCHEMA as DATABASE
from sync.wire import SCHEMA_MIN as PROTOCOL

# How a file is installed, as the program on the PC names it, by the end of the file's name.
WAYS: Final = {".exe": "", ".deb": "-deb", ".run": "-run"}


class ReleaseError(Exception):
    """A release cannot be issued like that; the text says why."""


class Release(msgspec.Struct, frozen=True):
    """``RELEASE.toml`` of a laid-out tree."""

    version: str
    sequence: int
    platform: str

    @classmethod
    def of_tree(cls, tree: Path) -> "Release":
        """What a tree says of itself. ReleaseError when it is none."""
        try:
            return msgspec.convert(tomllib.loads((tree / "RELEASE.toml").read_text(encoding="utf-8")), cls)
        except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            raise ReleaseError(f"{tree} 不是排好的程序目录：{error}") from error


def way_of(platform: str, path: Path) -> str:
    """What the PC asks for, e.g. ``linux-amd64-deb`` or ``windows-amd64``."""
    return f"{platform}{WAYS[path.suffix]}"


def issue_release(
    folder: Path,
    *,
    community: str,
    release: Release,
    files: Mapping[str, Path],
    preset: tuple[Path, int] | None,
    key: SecretKey,
    numbers: Numbers,
    notes: str = "",
    now: Callable[[], int] = now_ms,
    sources: str = "",
) -> ReleaseManifest:
    """Write the manifest and its signature beside the files, which all lie in ``folder``; ``preset`` with its number.

    ``sources`` is a digest of what the program was made of, kept with the number.

    ReleaseError: see ``check_number``.
    """
    check_number(numbers, community=community, sequence=release.sequence, version=release.version)
    manifest = ReleaseManifest(
        community=community,
        issued_at=now(),
        sequence=release.sequence,
        version=release.version,
        protocol=PROTOCOL,
        database=DATABASE,
        files={way: described(path) for way, path in sorted(files.items())},
        preset=described(preset[0]) if preset is not None else None,
        preset_sequence=preset[1] if preset is not None else 0,
        notes=notes,
    )
    content = manifest.content
    signature = key.sign(content, comment=f"qiaomen release {community} {release.version} {release.sequence}")
    ReleaseManifest.read(content, signature=signature, keys=[key.public])
    (folder / MANIFEST).write_bytes(content)
    (folder / f"{MANIFEST}{SUFFIX}").write_text(signature, encoding="utf-8")
    numbers.releases[community] = Issued(
        release.sequence, manifest.issued_at, hashlib.sha256(content).hexdigest(), release.version, sources
    )
    return manifest


def check_number(numbers: Numbers, *, community: str, sequence: int, version: str) -> None:
    """ReleaseError when a higher number was issued already, or another version under this one: no PC would take it."""
    last = numbers.releases.get(community)
    where = "packaging/versions.toml 里的 sequence 每发一版加一，只增不减"
    if last is not None and last.sequence > sequence:
        raise ReleaseError(f"{community} 已经发过第 {last.sequence} 号，不能再发第 {sequence} 号（{where}）")
    if last is not None and last.sequence == sequence and last.version not in ("", version):
        raise ReleaseError(
            f"{community} 的第 {sequence} 号是 {last.version} 版，现在的 {version} 版要用新的号（{where}）"
        )


def renew(folder: Path, *, key: SecretKey) -> ReleaseManifest:
    """Write and sign a release's manifest once more, for files that were changed under the same names.

    TrustError when the manifest there was not signed with this key; OSError when a file is missing.
    """
    signature = (folder / f"{MANIFEST}{SUFFIX}").read_text(encoding="utf-8")
    before = ReleaseManifest.read((folder / MANIFEST).read_bytes(), signature=signature, keys=[key.public])
    files = {way: described(folder / file.name) for way, file in before.files.items()}
    manifest = msgspec.structs.replace(before, files=files)
    comment = f"qiaomen release {manifest.community} {manifest.version} {manifest.sequence}"
    (folder / MANIFEST).write_bytes(manifest.content)
    (folder / f"{MANIFEST}{SUFFIX}").write_text(key.sign(manifest.content, comment=comment), encoding="utf-8")
    return manifest


def described(path: Path) -> ReleaseFile:
    """Name, size and sha256 of a file."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return ReleaseFile(name=path.name, size=path.stat().st_size, sha256=digest)


def hand_over(folder: Path, *, key: SecretKey, following: PublicKey) -> Path:
    """Write ``<id>.pub`` and its signature: whoever trusts ``key`` will trust the following one. The first path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{following.name}.pub"
    signature = key.sign(following.text.encode(), comment=f"qiaomen key {following.name}")
    verify(following.text.encode(), signature=signature, keys=[key.public])
    path.write_text(following.text, encoding="utf-8")
    path.with_name(f"{path.name}{SUFFIX}").write_text(signature, encoding="utf-8")
    return path


def _public(path: Path) -> PublicKey:
    try:
        return PublicKey.parse(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, TrustError) as error:
        raise TrustError("public_key_unreadable", name=path.name) from error


def main(arguments: list[str] | None = None) -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(prog="release.py", description="换签名密钥；文件改过以后重新签发。")
    commands = parser.add_subparsers(required=True, metavar="命令")
    over = commands.add_parser("hand-over", help="给下一把公钥作保")
    over.add_argument("--next", type=Path, required=True, metavar="NEW.pub", help="新的公钥")
    over.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="写到哪里；打包时用 --hand-over 给出同一个文件夹"
    )
    over.set_defaults(run=_hand_over)
    anew = commands.add_parser("renew", help="文件改过（例如签了 Authenticode）以后，重新写清单并签名")
    anew.add_argument("folders", type=Path, nargs="+", metavar="DIR", help="社区的发布文件夹")
    anew.set_defaults(run=_renew)
    for command in (over, anew):
        add_key_arguments(command)
    given = parser.parse_args(arguments)
    try:
        given.run(given, open_key(given.key, passphrase_file=given.passphrase_file))
    except (TrustError, KeysError) as error:
        print(sentence(error), file=sys.stderr)
        return 2
    except (OSError, ReleaseError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _hand_over(given: argparse.Namespace, key: SecretKey) -> None:
    print(hand_over(given.out, key=key, following=_public(given.next)))


def _renew(given: argparse.Namespace, key: SecretKey) -> None:
    for folder in given.folders:
        print(f"{folder}  {renew(folder, key=key).version}")


if __name__ == "__main__":
    sys.exit(main())
