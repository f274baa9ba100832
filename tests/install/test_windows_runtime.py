"""The Python that goes into the Windows installer: taken when every file is what its publisher signed."""

import hashlib
import struct
import zipfile
from pathlib import Path

import authenticode
import fetch_runtime_windows
import pytest
from fetch_runtime_windows import RuntimeRefused

from windows_pieces import runtime_zip


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """The files of the registry's copy, to be altered by a test."""
    return dict(fetch_runtime_windows.read(runtime_zip()).files)


def with_flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def signature_starts(data: bytes) -> int:
    header = struct.unpack_from("<I", data, 0x3C)[0]
    return int(struct.unpack_from("<I", data, header + 24 + 112 + 4 * 8)[0])


def test_the_registry_s_copy_is_the_official_python(files: dict[str, bytes]) -> None:
    programs = {name for name, data in files.items() if authenticode.is_program(data)}
    assert {"python.exe", "pythonw.exe", "python313.dll", "libcrypto-3.dll", "_ssl.pyd"} <= programs
    signers = {authenticode.check(files[name]).organisation for name in programs}
    assert signers == {"Python Software Foundation", "Microsoft Corporation"}
    assert fetch_runtime_windows.check(files).version.startswith("3.13.")


def test_the_unpacked_one_looks_for_modules_in_the_program_s_folders_only(tmp_path: Path) -> None:
    fetch_runtime_windows.unpack(runtime_zip(), tmp_path / "runtime")
    places = (tmp_path / "runtime" / "python313._pth").read_text(encoding="ascii").splitlines()
    assert places == ["python313.zip", ".", r"..\site", r"..\app"]
    assert (tmp_path / "runtime" / "pythonw.exe").exists()
    assert not (tmp_path / "runtime" / "sqlite3.dll").exists()


def test_a_library_with_one_altered_bit_is_refused_with_the_reason(files: dict[str, bytes]) -> None:
    altered = files | {"python313.dll": with_flipped(files["python313.dll"], 400_000)}
    with pytest.raises(RuntimeRefused, match=r"python313\.dll: it was altered after it had been signed"):
        fetch_runtime_windows.check(altered)


def test_what_is_not_signed_or_signed_by_another_is_refused(files: dict[str, bytes]) -> None:
    data = files["_uuid.pyd"]
    header = struct.unpack_from("<I", data, 0x3C)[0]
    place = header + 24 + 112 + 4 * 8
    bare = data[:place] + bytes(8) + data[place + 8 : signature_starts(data)]
    grafted = data[: signature_starts(data)] + files["_queue.pyd"][signature_starts(files["_queue.pyd"]) :]
    for strange, reason in {
        bare: "it is not signed",
        data + b"more": "something was added behind its signature",
        files["vcruntime140.dll"]: "signed by Microsoft Corporation, not by Python Software Foundation",
        grafted: "something was added|altered after",
        b"MZ": "it is no Windows program",
        b"#!/bin/sh": "it is no Windows program",
    }.items():
        with pytest.raises(RuntimeRefused, match=rf"_uuid\.pyd: .*({reason})"):
            fetch_runtime_windows.check(files | {"_uuid.pyd": strange})


def test_a_signer_below_an_unknown_root_is_refused(files: dict[str, bytes]) -> None:
    others = [root for root in authenticode.known_roots() if "Identity Verification" not in str(root.subject)]
    with pytest.raises(authenticode.NotSigned, match="its signer is not known"):
        authenticode.check(files["python.exe"], roots=others)


def test_a_library_for_another_processor_is_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(authenticode.NotSigned, match="another kind of processor"):
        authenticode.check(files["python.exe"], machine=0xAA64)


def test_a_damaged_signature_is_refused_wherever_it_is_damaged(files: dict[str, bytes]) -> None:
    """One bit in what the signer's and the time stamper's signatures hold; nothing but a refusal may come of it."""
    data = files["_uuid.pyd"]
    start = signature_starts(data)
    refused = 0
    places = range(start + 8, len(data), (len(data) - start) // 80)
    for at in places:
        try:
            authenticode.check(with_flipped(data, at))
        except authenticode.NotSigned:
            refused += 1
    # Certificates that lie there and that no chain needs are nobody's statement.
    assert refused > len(places) // 2


def test_files_that_do_not_belong_there_are_refused(files: dict[str, bytes]) -> None:
    for name in ("readme.txt", "sitecustomize.py", "sub/python.exe", "..\\python.exe"):
        with pytest.raises(RuntimeRefused, match="does not belong"):
            fetch_runtime_windows.check(files | {name: b""})
    with pytest.raises(RuntimeRefused, match=r"pythonw\.exe missing"):
        fetch_runtime_windows.check({name: data for name, data in files.items() if name != "pythonw.exe"})


def test_an_official_zip_is_taken_by_its_sha256(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    official, out = runtime_zip(), tmp_path / "checked.zip"
    digest = hashlib.sha256(official.read_bytes()).hexdigest()
    called = ["--zip", str(official), "--out", str(out), "--sha256"]
    assert fetch_runtime_windows.main([*called, digest.upper()]) == 0
    assert "Python 3.13." in capsys.readouterr().out
    out.unlink()
    assert fetch_runtime_windows.main([*called, "0" * 64]) == 1
    assert "its sha256 is" in capsys.readouterr().err
    assert not out.exists()


def test_what_is_no_zip_or_too_much_of_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "python.zip"
    with pytest.raises(RuntimeRefused, match="cannot be read"):
        fetch_runtime_windows.take(path, sha256="0")
    path.write_bytes(b"no zip")
    with pytest.raises(RuntimeRefused, match="cannot be read as a zip"):
        fetch_runtime_windows.read(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("LICENSE.txt", bytes(90_000_000))
    with pytest.raises(RuntimeRefused, match="far more than a Python"):
        fetch_runtime_windows.read(path)
