"""The bill of materials of a tree (CycloneDX 1.6): packages with the digest of their wheel, and what is inside them."""

import json
import re
from pathlib import Path
from typing import Any, Final

from pins import DebianFile, LockedWheel, Platform

# What no package list names because it is built into something else: name, where its version is found, licence.
_RUNTIME_PARTS: Final = (
    ("cpython", "PSF-2.0"),
    ("openssl", "Apache-2.0"),
    ("zlib", "Zlib"),
    ("bzip2", "bzip2-1.0.6"),
    ("libffi", "MIT"),
    ("xz", "0BSD"),
)
# What these say of themselves wherever they were built in: whether our OpenSSL is the one with the hole has an answer.
_INSIDE: Final = (
    ("openssl", re.compile(rb"OpenSSL (\d+\.\d+\.\d+) \d{1,2} [A-Z][a-z]{2} 20\d\d"), "Apache-2.0"),
    ("zlib", re.compile(rb"(?:in|de)flate (\d+\.\d+(?:\.\d+)*) Copyright"), "Zlib"),
    ("sqlcipher", re.compile(rb"\0community\0(\d+\.\d+\.\d+)\0"), "BSD-3-Clause"),
)
_LEAST_LIBRARY: Final = 32 * 1024  # bytes
_QT_PARTS: Final = (("qt6-base", "LGPL-3.0-only"), ("qt6-svg", "LGPL-3.0-only"))
# Packages whose METADATA has no licence that a machine can read.
_TOLD: Final = {
    "pyside6-essentials": "LGPL-3.0-only",
    "shiboken6": "LGPL-3.0-only",
    "sqlcipher3": "Zlib AND BSD-3-Clause",
}
_LICENCE_LINE: Final = re.compile(r"^License-Expression: (.+)$", re.MULTILINE)
_CLASSIFIER: Final = re.compile(r"^Classifier: License :: (?:OSI Approved :: )?(.+)$", re.MULTILINE)


def write(
    path: Path,
    target: Platform,
    *,
    version: str,
    wheels: tuple[LockedWheel, ...],
    debs: tuple[DebianFile, ...],
    runtime: str,
    has_fcitx: bool,
    site: Path,
) -> None:
    """Write the bill; ``runtime`` is the version of CPython, "" when the tree has none. Same input, same bytes."""
    parts = [_wheel(one, site) for one in wheels]
    qt = next(one.version for one in wheels if one.package == "pyside6-essentials")
    parts += [_part(name, qt, licence) for name, licence in _QT_PARTS]
    if target.is_linux:
        parts.append(_part("icu", _icu(site), "Unicode-3.0"))
        parts += [_debian(one) for one in debs]
    if has_fcitx:
        parts.append(_part("fcitx-qt5", "1.2.7", "BSD-3-Clause"))
    inside = _inside(path.parent)
    parts += inside
    if runtime:
        told = {part["name"] for part in inside if part["bom-ref"].partition(":")[2].startswith("runtime/")}
        parts += [
            _part(name, runtime if name == "cpython" else "", licence)
            for name, licence in _RUNTIME_PARTS
            if name not in told
        ]
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "bom-ref": "qiaomen", "name": "qiaomen", "version": version},
            "properties": [{"name": "qiaomen:platform", "value": target.name}],
        },
        "components": sorted(parts, key=lambda part: part["bom-ref"]),
    }
    path.write_text(json.dumps(bill, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _inside(tree: Path) -> list[dict[str, Any]]:
    """Libraries within other files of ``runtime`` and ``site``, each with the version and the file that has it."""
    found = []
    for path in sorted(path for name in ("runtime", "site") for path in (tree / name).rglob("*")):
        if path.suffix in {".py", ".pyc"} or not path.is_file() or path.stat().st_size < _LEAST_LIBRARY:
            continue
        content, place = path.read_bytes(), path.relative_to(tree).as_posix()
        for name, pattern, licence in _INSIDE:
            for version in sorted({said.decode() for said in pattern.findall(content)}):
                found.append({**_part(name, version, licence), "bom-ref": f"{name}@{version}:{place}"})
    return found


def _wheel(one: LockedWheel, site: Path) -> dict[str, Any]:
    part = _part(one.package, one.version, _licence_of(one, site))
    part["purl"] = f"pkg:pypi/{one.package}@{one.version}"
    part["hashes"] = [{"alg": "SHA-256", "content": one.sha256}]
    return part


def _debian(one: DebianFile) -> dict[str, Any]:
    part = _part(one.name, one.version, "")
    part["licenses"] = [{"license": {"name": f"see LICENSES/{one.name}/copyright"}}]
    part["purl"] = f"pkg:deb/debian/{one.name}@{one.version.replace('+', '%2B')}"
    part["hashes"] = [{"alg": "SHA-256", "content": one.sha256}]
    return part


def _part(name: str, version: str, licence: str) -> dict[str, Any]:
    part: dict[str, Any] = {"type": "library", "bom-ref": name, "name": name}
    if version:
        part["version"] = version
    if licence:
        part["licenses"] = [{"expression": licence} if re.fullmatch(r"[\w.+ ()-]+", licence) else _named(licence)]
    return part


def _named(licence: str) -> dict[str, Any]:
    return {"license": {"name": licence}}


def _licence_of(one: LockedWheel, site: Path) -> str:
    if one.package in _TOLD:
        return _TOLD[one.package]
    folder = next(
        f
        for f in sorted(site.glob("*.dist-info"))
        if f.name.lower().replace("_", "-") == f"{one.package}-{one.version}.dist-info"
    )
    told = (folder / "METADATA").read_text(encoding="utf-8")
    found = _LICENCE_LINE.search(told) or _CLASSIFIER.search(told)
    return found[1].strip() if found else ""


def _icu(site: Path) -> str:
    names = [path.name for path in (site / "PySide6" / "Qt" / "lib").glob("libicudata.so.*")]
    return max((name.removeprefix("libicudata.so.") for name in names), default="")
