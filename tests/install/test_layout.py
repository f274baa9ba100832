"""The program is laid out from the locked packages, and a tree that is not right is told apart."""

import hashlib
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import check_tree
import elf
import icu_data
import layout
import pins
import pruning
import pytest
import renew_locks
from check_tree import Fault, faults
from linux import libraries

import trees
import windows_pieces

LIB = "site/PySide6/Qt/lib"
INPUT = f"site/PySide6/Qt/plugins/platforminputcontexts/{libraries.FCITX}"


def expected(name: str, tree: Path) -> set[str]:
    """The files that a tree cannot have on a machine where no runtime was built."""
    there = trees.pieces(name)
    if name == "windows-amd64":
        return set()
    lacking = set() if there.runtime else {"runtime/bin/python3.13"}
    if not trees.has_helpers(name):  # only a mirror of Debian has them
        lacking |= {path for path in check_tree.bundled(pins.platform(name)) if not path.endswith(libraries.SHIM)}
    return lacking if there.fcitx else lacking | {INPUT}


def without_bytecode(found: tuple[Fault, ...]) -> set[str]:
    """What is wrong besides .pyc files, which only a CPython 3.13 can write, and besides who asks for what lacks."""
    return {str(fault) for fault in found if fault.code not in {"not_compiled", "no_library"}}


@pytest.mark.parametrize("name", pins.PLATFORMS)
def test_a_tree_of_each_platform_is_right(name: str, native_tree: Path, tmp_path: Path) -> None:
    tree = native_tree if name == trees.NATIVE else trees.make(name, tmp_path / "tree")
    found = faults(tree)
    compiled = layout.bytecode_compiler(tree / "runtime/bin/python3.13", layout.host_compiler(trees.READY)) is not None
    assert without_bytecode(found) == {f"missing: {path}" for path in expected(name, tree)}
    assert compiled == (not any(fault.code == "not_compiled" for fault in found))
    unheard = {fault.found for fault in found if fault.code == "no_library"}
    assert unheard <= {Path(path).name for path in expected(name, tree)}


def test_a_python_for_windows_with_an_altered_library_is_not_laid_out(tmp_path: Path) -> None:
    altered = tmp_path / "runtime.zip"
    with zipfile.ZipFile(windows_pieces.runtime_zip()) as official, zipfile.ZipFile(altered, "w") as other:
        for name in official.namelist():
            content = official.read(name)
            other.writestr(name, content[:-9] + b"x" + content[-8:] if name == "libffi-8.dll" else content)
    with pytest.raises(layout.LayoutError, match=r"windows-amd64 is refused: libffi-8\.dll: "):
        layout.lay_out("windows-amd64", out=tmp_path / "tree", pieces=layout.Pieces(runtime=altered))
    assert not (tmp_path / "tree").exists()


def test_on_windows_the_c_runtime_lies_once_beside_the_program(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for name in ("runtime/vcruntime140.dll", "site/PySide6/vcruntime140.dll", "site/PySide6/msvcp140.dll"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(name, encoding="utf-8")
    (tree / "site/shiboken6").mkdir()
    (tree / "site/shiboken6/msvcp140.dll").write_text("again", encoding="utf-8")
    pruning.move_c_runtime(tree)
    assert {path.relative_to(tree).as_posix() for path in tree.rglob("*.dll")} == {
        "runtime/vcruntime140.dll",
        "runtime/msvcp140.dll",
    }
    assert (tree / "runtime/vcruntime140.dll").read_text(encoding="utf-8") == "runtime/vcruntime140.dll"


def test_packages_but_qt_s_come_as_bytecode_on_windows(tmp_path: Path) -> None:
    for package in ("httpx", "PySide6"):
        (tmp_path / package / "__pycache__").mkdir(parents=True)
        (tmp_path / package / "one.py").write_text("1", encoding="utf-8")
        (tmp_path / package / "__pycache__" / "one.cpython-313.pyc").write_text("2", encoding="utf-8")
    pruning.drop_sources(tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.py*") if path.is_file()} == {
        "httpx/one.pyc",
        "PySide6/one.py",
        "PySide6/__pycache__/one.cpython-313.pyc",
    }
    assert not (tmp_path / "httpx" / "__pycache__").exists()


def test_the_same_packages_give_the_same_bytes(native_tree: Path, tmp_path: Path) -> None:
    again = trees.make(trees.NATIVE, tmp_path / "again")
    assert layout.fingerprint(again) == layout.fingerprint(native_tree)


def test_it_opens_every_page_and_notes_a_visit_in_silence(native_tree: Path, tmp_path: Path) -> None:
    done = trees.started(native_tree, tmp_path, "--smoke")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not list((native_tree / "app").rglob("server"))


def test_keys_go_along_and_nothing_of_the_source_tree_s_folder(native_tree: Path, tmp_path: Path) -> None:
    assert list((native_tree / "app/resources/keys").iterdir()) == []
    (tmp_path / "keys").mkdir()
    with pytest.raises(layout.LayoutError, match="no public key"):
        layout._copy_app(tmp_path / "none", keys=tmp_path / "keys")
    (tmp_path / "keys/working.pub").write_text("untrusted comment: x\n")
    (tmp_path / "keys/working.key").write_text("not for others\n")
    layout._copy_app(tmp_path / "app", keys=tmp_path / "keys")
    assert [path.name for path in (tmp_path / "app/resources/keys").iterdir()] == ["working.pub"]


# ------------------------------------------------------------------------------------------ what is told apart


def _replaced(path: Path, change: Callable[[bytes], bytes]) -> None:
    """A new file in the place of a linked one."""
    content = change(path.read_bytes())
    path.unlink()
    path.write_bytes(content)
    path.chmod(0o644)


def _put(path: Path, content: bytes = b"x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o644)


NEWER = b"GLIBC_2.99"
TAMPERED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a newer glibc": (
        lambda tree: _replaced(tree / LIB / "libQt6Core.so.6", _asking_for_newer),
        f"too_new: {LIB}/libQt6Core.so.6 (GLIBC_2.99, allowed is 2.28)",
    ),
    "no plugin of the screen": (
        lambda tree: (tree / "site/PySide6/Qt/plugins/platforms/libqxcb.so").unlink(),
        "missing: site/PySide6/Qt/plugins/platforms/libqxcb.so",
    ),
    "no helper library": (
        lambda tree: (tree / LIB / "libxcb-cursor.so.0").unlink(missing_ok=True),
        f"missing: {LIB}/libxcb-cursor.so.0",
    ),
    "a stray QtQml": (lambda tree: _put(tree / LIB / "libQt6Qml.so.6"), f"stray: {LIB}/libQt6Qml.so.6"),
    "the server's code": (lambda tree: _put(tree / "app/sync/server/app.py"), "stray: app/sync/server/app.py"),
    "a secret key": (
        lambda tree: _put(tree / "app/resources/keys/working.key"),
        "stray: app/resources/keys/working.key",
    ),
    "something beside": (lambda tree: _put(tree / "notes.txt"), "stray: notes.txt"),
    "no licence": (lambda tree: _emptied(tree / "LICENSES", "httpx-"), "no_licence: LICENSES/httpx-0.28.1"),
    "a bill without a package": (
        lambda tree: _replaced(tree / "sbom.cdx.json", lambda text: text.replace(b'"httpx"', b'"else"')),
        "bad_bill: sbom.cdx.json (httpx)",
    ),
    "a large file": (
        lambda tree: _put(tree / "app/resources/film.bin", bytes(check_tree.LARGEST_FILE + 1)),
        "too_large: app/resources/film.bin (14.0 MB)",
    ),
    "a file for everybody to write": (
        lambda tree: (_put(tree / "app/open.txt"), (tree / "app/open.txt").chmod(0o666)),
        "writable: app/open.txt (666)",
    ),
    "a link": (lambda tree: (tree / "app/link").symlink_to("boot.py"), "link: app/link"),
}


def _asking_for_newer(library: bytes) -> bytes:
    newest = max(re.findall(rb"\x00(GLIBC_2\.(\d\d))\x00", library), key=lambda found: int(found[1]))[0]
    assert len(newest) == len(NEWER)
    return library.replace(newest, NEWER)


def _emptied(folder: Path, start: str) -> None:
    for path in next(folder.glob(f"{start}*")).iterdir():
        path.unlink()


def test_all_that_was_tampered_with_is_told(native_tree: Path, tmp_path: Path) -> None:
    tree = trees.linked(native_tree, tmp_path / "tree")
    expected = {sentence for _, sentence in TAMPERED.values()}
    helpers = set() if trees.has_helpers(trees.NATIVE) else {f"missing: {LIB}/libxcb-cursor.so.0"}
    assert expected & set(map(str, faults(tree))) == helpers
    for tamper, _ in TAMPERED.values():
        tamper(tree)
    assert expected <= set(map(str, faults(tree)))
    (tree / "RELEASE.toml").unlink()
    assert [str(fault) for fault in faults(tree)] == ["no_release: RELEASE.toml (FileNotFoundError)"]


def test_a_download_over_its_budget_is_told(native_tree: Path, tmp_path: Path) -> None:
    payload = tmp_path / "payload.tar.xz"
    payload.touch()
    with payload.open("r+b") as stream:
        stream.truncate(41_000_000)
    assert "too_large: payload.tar.xz (41.0 MB, allowed are 40)" in [
        str(f) for f in faults(native_tree, payload=payload)
    ]


# ------------------------------------------------------------------------------------------ libraries


def test_a_library_for_a_newer_glibc_is_brought_back(native_tree: Path, tmp_path: Path) -> None:
    library = tmp_path / "libQt6Core.so.6"
    library.write_bytes(_asking_for_newer((native_tree / LIB / library.name).read_bytes()))
    assert elf.read(library).newest("GLIBC") == (2, 99)
    assert elf.lower_glibc(library, "2.28", shimmed=frozenset()) == {"GLIBC_2.99"}
    assert elf.read(library).newest("GLIBC") <= (2, 28)
    assert elf.lower_glibc(library, "2.28", shimmed=frozenset()) == frozenset()


def test_what_is_no_library_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.so"
    text.write_text("no library")
    with pytest.raises(ValueError, match="not a 64-bit ELF"):
        elf.read(text)
    with pytest.raises(icu_data.TableError):
        icu_data.cut(text)


def test_the_smaller_tables_sort_chinese_by_its_sounds(native_tree: Path) -> None:
    """In a process of its own with the tree's Qt, which any Python can load."""
    program = (
        f"import sys; sys.path.insert(0, {str(native_tree / 'site')!r})\n"
        "from PySide6.QtCore import QCollator, QLocale\n"
        "names = ['赵', '李', '白', '重', '王']\n"
        "print(''.join(sorted(names, key=QCollator(QLocale('zh_CN')).sortKey)), QLocale('tr').toUpper('i'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-X", "utf8", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "白李王赵重 İ"
    (tables,) = (native_tree / LIB).glob("libicudata.so.*")
    _, again = icu_data.cut(tables)
    assert again in tables.read_bytes()  # nothing more to leave out


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("coll/zh.res", True),
        ("root.res", True),
        ("zoneinfo64.res", True),
        ("zh_Hant_TW.res", True),
        ("en_GB.res", True),
        ("coll/de.res", False),
        ("brkitr/cjdict.dict", False),
        ("gb18030.cnv", True),
        ("euc-tw-2014.cnv", False),
        ("nfkc.nrm", True),
    ],
)
def test_which_tables_stay(name: str, kept: bool) -> None:
    assert icu_data.is_kept(name) is kept


# ------------------------------------------------------------------------------------------ locks


@pytest.mark.parametrize("name", pins.PLATFORMS)
def test_a_lock_names_what_was_tested_and_nothing_else(name: str) -> None:
    text = pins.lock_file(name).read_text(encoding="utf-8")
    assert {one.package: one.version for one in pins.locked(name)} == renew_locks.wanted(name)
    assert not re.search(r"https?://|--index|--find|@ ", text)
    assert (
        re.sub(r"^[a-z0-9.-]+==\S+ \\\n    --hash=sha256:[0-9a-f]{64}\n", "", text, flags=re.MULTILINE).count("\n") == 1
    )


def test_a_file_that_is_not_the_pinned_one_is_refused(tmp_path: Path) -> None:
    import fetching

    wheel = tmp_path / "wheels/linux-amd64/some.whl"
    _put(wheel, b"other")
    assert fetching._by_hash([wheel]) == {hashlib.sha256(b"other").hexdigest(): wheel}
    known = {one.sha256 for one in pins.locked("linux-amd64")}
    assert not known & fetching._by_hash([wheel]).keys()


def test_a_release_says_what_it_is(native_tree: Path) -> None:
    told = tomllib.loads((native_tree / "RELEASE.toml").read_text(encoding="utf-8"))
    assert told == {
        "version": pins.program_version(),
        "sequence": pins.versions()["release"]["sequence"],
        "platform": trees.NATIVE,
    }
