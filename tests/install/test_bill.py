"""The bill of materials of a tree: also what is built into something else, with its version."""

import json
from pathlib import Path

import bill
from pins import LockedWheel, platform

QT = LockedWheel(package="pyside6-essentials", version="6.8.3", sha256="0" * 64)
CRYPTO = b"\x7fELF" + bytes(40_000) + b"\0OpenSSL 3.0.16 11 Feb 2025\0"
STORE = bytes(40_000) + b"\0OpenSSL 3.5.1 1 Jul 2025\0 inflate 1.3.1 Copyright 1995\0" + b"\0community\x004.6.1\0"


def test_a_library_within_another_is_told_with_its_version(tmp_path: Path) -> None:
    for name, content in {
        "runtime/libcrypto-3.dll": CRYPTO,
        "site/store/store.pyd": STORE,
        "site/one/words.py": CRYPTO,  # only speaks of it
        "app/words.bin": CRYPTO,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    made = tmp_path / "sbom.cdx.json"
    windows = platform("windows-amd64")
    bill.write(made, windows, version="1.0", wheels=(QT,), debs=(), runtime="3.13.9", has_fcitx=False, site=tmp_path)
    found = {part["bom-ref"]: part.get("version", "") for part in json.loads(made.read_bytes())["components"]}
    assert {name: version for name, version in found.items() if name.startswith(("openssl", "zlib", "sqlcipher"))} == {
        "openssl@3.0.16:runtime/libcrypto-3.dll": "3.0.16",
        "openssl@3.5.1:site/store/store.pyd": "3.5.1",
        "sqlcipher@4.6.1:site/store/store.pyd": "4.6.1",
        "zlib": "",  # of the runtime, which did not say
        "zlib@1.3.1:site/store/store.pyd": "1.3.1",
    }
    assert found["cpython"] == "3.13.9"
