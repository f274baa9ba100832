"""Releases as they are offered to a PC, and an installed program that may take them; nothing in them is real."""

import hashlib
from pathlib import Path

import msgspec

from desktop.updating import Installed
from presets import ISSUER
from sync.client.releases import OfFolder
from sync.keys.manifests import MANIFEST, ReleaseFile, ReleaseManifest
from sync.keys.minisign import SecretKey

PACKAGE = b"#!/bin/sh\nprintf '%s\\n' \"$@\" > arguments\n"  # an installer that only says what it was told


def described(name: str, content: bytes) -> ReleaseFile:
    """A file of a release."""
    return ReleaseFile(name=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())


RUN = described("qiaomen-xiangyang_0.2.0_amd64.run", PACKAGE)
PRESET = described("xiangyang.qiaomenpreset", b"preset 5")
OFFERED = ReleaseManifest(
    community="xiangyang",
    issued_at=1_760_000_000_000,
    sequence=2,
    version="0.2.0",
    protocol=1,
    database=1,
    files={"linux-amd64-run": RUN},
    preset=PRESET,
    preset_sequence=5,
)


def offer(
    folder: Path,
    manifest: ReleaseManifest = OFFERED,
    *,
    key: SecretKey = ISSUER,
    preset: bytes = b"preset 5",
    package: bytes = PACKAGE,
) -> OfFolder:
    """A stick with a release on it."""
    folder.mkdir(exist_ok=True)
    content = msgspec.structs.replace(manifest, preset=described(PRESET.name, preset)).content
    (folder / MANIFEST).write_bytes(content)
    (folder / f"{MANIFEST}.minisig").write_text(key.sign(content), encoding="utf-8")
    (folder / RUN.name).write_bytes(package)
    (folder / PRESET.name).write_bytes(preset)
    return OfFolder(folder)


def installed_at(root: Path, *, version: str = "0.1.0", sequence: int = 1) -> Installed:
    """A program installed in somebody's home."""
    root.mkdir(parents=True, exist_ok=True)
    told = f'version = "{version}"\nsequence = {sequence}\nplatform = "linux-amd64"\n'
    (root / "RELEASE.toml").write_text(told, encoding="utf-8")
    (root / "uninstall.sh").touch()  # as a .run leaves it
    found = Installed.at(root)
    assert found is not None
    return found
