"""Signed community files for tests, and ways to spoil them; the key lies open and signs nothing that is real."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from sync.keys.manifests import MANIFEST, PresetManifest
from sync.keys.minisign import SUFFIX, SecretKey

ISSUER = SecretKey(id=b"qiaomen!", seed=bytes(range(32)))
STRANGER = SecretKey(id=b"stranger", seed=bytes(range(1, 33)))
ISSUED_AT = 1_795_000_000_000
SERVERS = ("http://server.test",)


def community(
    community_id: str = "xiangyang",
    *,
    name: str = "向阳社区",
    servers: tuple[str, ...] = SERVERS,
    more: str = "",
) -> bytes:
    """A ``community.toml``; ``more`` are further lines of it."""
    lines = (f'id = "{community_id}"', f'name = "{name}"', f"servers = {json.dumps(list(servers))}", more)
    return "\n".join(lines).encode()


def preset_files(
    community_id: str = "xiangyang",
    *,
    sequence: int = 1,
    key: SecretKey = ISSUER,
    files: Mapping[str, bytes] | None = None,
    name: str = "向阳社区",
    servers: tuple[str, ...] = SERVERS,
    more: str = "",
    spoil: Callable[[dict[str, bytes]], object] = lambda _: None,
) -> dict[str, bytes]:
    """All files of a preset, signed; ``files`` beside community.toml, ``spoil`` changes them after the signing."""
    made = {"community.toml": community(community_id, name=name, servers=servers, more=more), **(files or {})}
    manifest = PresetManifest(
        community=community_id,
        issued_at=ISSUED_AT,
        sequence=sequence,
        files={name: hashlib.sha256(content).hexdigest() for name, content in made.items()},
    )
    made[MANIFEST] = manifest.content
    made[MANIFEST + SUFFIX] = key.sign(manifest.content).encode()
    spoil(made)
    return made


def as_folder(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Lay a preset out as an installer does."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def as_file(path: Path, files: Mapping[str, bytes]) -> Path:
    """Pack a preset as the one file that people hand around."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path
