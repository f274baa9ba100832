"""Wraps a Linux tree with a community's preset: a .deb for who has an administrator, a .run for who has none.

.venv/bin/python packaging/wrap_linux.py build/tree-linux-amd64 [--preset DIR] [--fast] --out DIR
"""

import argparse
import gzip
import hashlib
import re
import shutil
import sys
import tarfile
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

sys.path[:0] = [str(Path(__file__).resolve().parent.parent), str(Path(__file__).resolve().parent)]

import fetching
import icons
from layout import pack_payload
from linux import deb
from linux.packing import add_bytes, add_folder, add_link, add_text, add_tree, files_of, packed
from pins import ROOT, Platform, platform, versions
from wrapping import WrapError, community_of

TEMPLATES: Final = ROOT / "packaging" / "linux"
# It stands between quotes in shell scripts and on a line of its own in menu entries.
_NEVER_IN_A_TITLE: Final = re.compile(r"[\x00-\x1f\x7f'\"`$\\%]")
# Every desktop with X has these; an office PC without a line could not fetch what it lacks.
_DEPENDS: Final = (
    "libc6 (>= 2.28)",
    "libstdc++6 (>= 8)",
    "libgl1",
    "libegl1",
    "libfontconfig1",
    "libfreetype6",
    "libglib2.0-0 | libglib2.0-0t64",
    "libdbus-1-3",
    "libx11-xcb1",
    "libxcb-glx0",
    "libxcb-randr0",
    "libxcb-render0",
    "libxcb-shape0",
    "libxcb-shm0",
    "libxcb-sync1",
    "libxcb-xfixes0",
    "libzstd1",
    "zlib1g",
)
_DEPENDS_OF: Final = {"amd64": ("libgssapi-krb5-2",), "arm64": ("libsm6", "libice6", "libbrotli1")}


@dataclass(frozen=True, slots=True)
class Wrapped:
    """What a package is called and says of itself."""

    target: Platform
    version: str  # of the program
    package: str  # qiaomen-<community>, or qiaomen for one that serves any
    title: str
    tagline: str
    sequence: int  # of the program; only grows
    preset_sequence: int

    @property
    def deb_version(self) -> str:
        """Grows with the program and with the preset, so that either comes as an upgrade."""
        return f"{self.version}-{self.preset_sequence}"

    @property
    def values(self) -> dict[str, str]:
        """For the templates."""
        return {
            "PACKAGE": self.package,
            "TITLE": self.title,
            "TAGLINE": self.tagline,
            "VERSION": self.version,
            "MACHINE": self.target.machine,
            "GLIBC": self.target.glibc,
            "SEQUENCE": str(self.sequence),
        }


def wrap_deb(tree: Path, preset: Path | None, out: Path, *, fast: bool = False) -> Path:
    """Make ``<package>_<version>-<number of the preset>_<architecture>.deb`` in a folder.

    ``preset`` is a checked one's folder, or None for a program that serves any community. ``fast`` packs in a quarter
    of the time, a seventh larger. The same tree and preset give the same bytes. WrapError.
    """
    told = _about(tree, preset)
    architecture = told.target.debian_architecture
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{told.package}_{told.deb_version}_{architecture}.deb"
    level = 1 if fast else 6
    data, control = path.with_suffix(".data"), path.with_suffix(".control")
    try:
        with packed(data, level=level, error=WrapError) as archive:
            digests = _fill(archive, tree, preset, told)
        with packed(control, level=level, error=WrapError) as archive:
            _fill_control(archive, tree, told, digests)
        deb.write(path, control=control, data=data)
    finally:
        data.unlink(missing_ok=True)
        control.unlink(missing_ok=True)
    return path


def wrap_run(tree: Path, preset: Path | None, out: Path, *, payload: Path | None = None, fast: bool = False) -> Path:
    """Make ``<package>_<version>-<number of the preset>_<architecture>.run``: a script with what it installs.

    ``payload`` is the tree as ``pack_payload`` packed it; with it a community's file takes no longer than copying.
    """
    told = _about(tree, preset)
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{told.package}_{told.deb_version}_{told.target.debian_architecture}.run"
    whole = payload or pack_payload(tree, out / f".{path.stem}", level=1 if fast else 6)
    extra = path.with_suffix(".extra")
    try:
        with packed(extra, level=6, error=WrapError) as archive:
            add_text(archive, "uninstall.sh", _filled("uninstall.sh", told.values), mode=0o755)
            add_folder(archive, ".menu")
            entry = _filled("desktop.in", told.values | {"EXEC": "qiaomen"})
            add_text(archive, ".menu/entry.desktop", entry)
            add_bytes(archive, ".menu/icon.png", _icon(preset))
            if preset is not None:
                add_folder(archive, "preset")
                add_tree(archive, preset, prefix="preset/")
        values = told.values | {
            "VERSION": told.deb_version,
            "PAYLOAD_BYTES": str(whole.stat().st_size),
            "PAYLOAD_SHA256": fetching.sha256_of(whole),
            "EXTRA_BYTES": str(extra.stat().st_size),
            "EXTRA_SHA256": fetching.sha256_of(extra),
            "KILOBYTES": str(_kilobytes(tree) + 20 * 1024),
            "HEAD_BYTES": "0" * 9,
        }
        head = len(_filled("install.sh", values).encode())
        script = _filled("install.sh", values | {"HEAD_BYTES": f"{head:<9}"})
        with path.open("wb") as run:
            run.write(script.encode())
            for part in (whole, extra):
                with part.open("rb") as stream:
                    shutil.copyfileobj(stream, run)
        path.chmod(0o755)
    finally:
        extra.unlink(missing_ok=True)
        if payload is None:
            shutil.rmtree(whole.parent, ignore_errors=True)
    return path


# ---------------------------------------------------------------------------------------------------- what it is


def _about(tree: Path, preset: Path | None) -> Wrapped:
    try:
        release = tomllib.loads((tree / "RELEASE.toml").read_text(encoding="utf-8"))
        target = platform(release["platform"])
    except (OSError, KeyError, ValueError) as error:
        raise WrapError(f"{tree} is no laid-out tree: {error}") from error
    if not target.is_linux or not (tree / "qiaomen").exists():
        raise WrapError(f"{tree} is no tree for Linux")
    if (tree / "preset").exists():
        raise WrapError(f"{tree}: a preset lies in it already")
    brand = tomllib.loads((tree / "app/resources/brand.toml").read_text(encoding="utf-8"))
    community, name, sequence = community_of(preset)
    title = f"{name} {brand['name_zh']}" if name else str(brand["name_zh"])
    if _NEVER_IN_A_TITLE.search(title):
        raise WrapError(f"{title!r} cannot be the name of a menu entry")
    return Wrapped(
        target=target,
        version=release["version"],
        package=f"qiaomen-{community}" if community else "qiaomen",
        title=title,
        tagline=str(brand["tagline_zh"]),
        sequence=int(release["sequence"]),
        preset_sequence=sequence,
    )


def _icon(preset: Path | None) -> bytes:
    own = preset / icons.ICON if preset is not None else None
    return own.read_bytes() if own is not None and own.exists() else icons.icons(b"")[icons.ICON]


def _kilobytes(tree: Path) -> int:
    return sum(-(-path.stat().st_size // 1024) for path in files_of(tree))


def _filled(template: str, values: Mapping[str, str]) -> str:
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    return re.sub(r"@([A-Z0-9_]+)@", lambda found: values[found[1]], text)


# ---------------------------------------------------------------------------------------------------- the .deb


def _fill(archive: tarfile.TarFile, tree: Path, preset: Path | None, told: Wrapped) -> list[tuple[str, str]]:
    """Write data.tar; returns the md5 of every file with its name, as dpkg keeps them."""
    place, package = f"opt/{told.package}", told.package
    menu, pictures, about = "usr/share/applications", "usr/share/icons/hicolor/256x256/apps", f"usr/share/doc/{package}"
    rules = "usr/share/lintian/overrides"
    values = told.values | {
        "EXEC": f"/usr/bin/{package}",
        "PLACE": f"/{place}",
        "MAINTAINER": versions()["release"]["maintainer"],
    }
    changes = f"{package} ({told.deb_version}) stable; urgency=medium\n\n  * {told.version}\n\n"
    changes += f" -- {versions()['release']['maintainer']}  Thu, 01 Jan 2026 00:00:00 +0000\n"
    texts = {
        f"{menu}/{package}.desktop": _filled("desktop.in", values).encode(),
        f"{pictures}/{package}.png": _icon(preset),
        f"{about}/copyright": _filled("copyright.in", values).encode(),
        f"{about}/changelog.Debian.gz": gzip.compress(changes.encode(), mtime=0),
        f"{rules}/{package}": _filled("lintian-overrides.in", values).encode(),
    }
    for folder in _parents([f"{place}/x", "usr/bin/x", *texts]):
        add_folder(archive, f"./{folder}")
    add_tree(archive, tree, prefix=f"./{place}/")
    if preset is not None:
        add_folder(archive, f"./{place}/preset")
        add_tree(archive, preset, prefix=f"./{place}/preset/")
    for name, content in texts.items():
        add_bytes(archive, f"./{name}", content)
    add_link(archive, f"./usr/bin/{package}", to=f"/{place}/qiaomen")
    digests = [(f"{place}/{path.relative_to(tree).as_posix()}", _md5(path.read_bytes())) for path in files_of(tree)]
    if preset is not None:
        digests += [(f"{place}/preset/{path.name}", _md5(path.read_bytes())) for path in files_of(preset)]
    return digests + [(name, _md5(content)) for name, content in texts.items()]


def _fill_control(archive: tarfile.TarFile, tree: Path, told: Wrapped, digests: Iterable[tuple[str, str]]) -> None:
    depends = (*_DEPENDS, *_DEPENDS_OF[told.target.debian_architecture])
    values = told.values | {
        "VERSION": told.deb_version,
        "ARCHITECTURE": told.target.debian_architecture,
        "MAINTAINER": versions()["release"]["maintainer"],
        "KILOBYTES": str(_kilobytes(tree)),
        "DEPENDS": ", ".join(depends),
    }
    add_folder(archive, "./")
    add_text(archive, "./control", _filled("control.in", values))
    add_text(archive, "./md5sums", "".join(f"{digest}  {name}\n" for name, digest in sorted(digests)))
    add_text(archive, "./preinst", _filled("preinst.in", values), mode=0o755)
    add_text(archive, "./prerm", _filled("prerm.in", values), mode=0o755)
    add_text(archive, "./postrm", _filled("postrm.in", values), mode=0o755)


def _parents(names: Iterable[str]) -> list[str]:
    """All folders above the given files, each after the one it lies in; "" is the root."""
    found = {parent.as_posix() for name in names for parent in Path(name).parents}
    return ["" if folder == "." else folder for folder in sorted(found)]


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=Path)
    parser.add_argument("--preset", type=Path, help="the folder of a community's signed preset")
    parser.add_argument("--payload", type=Path, help="the tree as layout.py packed it, for the .run")
    parser.add_argument("--fast", action="store_true", help="pack quickly rather than small")
    parser.add_argument("--form", choices=("deb", "run", "both"), default="both")
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    try:
        if chosen.form != "run":
            print(wrap_deb(chosen.tree, chosen.preset, chosen.out, fast=chosen.fast))
        if chosen.form != "deb":
            print(wrap_run(chosen.tree, chosen.preset, chosen.out, payload=chosen.payload, fast=chosen.fast))
    except WrapError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
