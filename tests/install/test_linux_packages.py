"""The .deb and .run of a community: the same bytes twice, all of the tree in them, and what was recorded stays."""

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import wrap_linux
from linux.packing import files_of
from pins import EPOCH
from wrap_linux import wrap_deb, wrap_run
from wrapping import WrapError

import trees
from presets import as_folder, preset_files

RUNTIME = "runtime/bin/python3.13"


@pytest.fixture
def preset(tmp_path: Path) -> Path:
    return as_folder(tmp_path / "preset", preset_files(sequence=7))


# ---------------------------------------------------------------------------------------------------- .deb


def parts(deb: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of the parts of a .deb, as `ar` has them."""
    data = deb.read_bytes()
    assert data[:8] == b"!<arch>\n"
    place = 8
    while place < len(data):
        size = int(data[place + 48 : place + 58])
        yield data[place : place + 16].decode().strip(), data[place + 60 : place + 60 + size]
        place += 60 + size + size % 2


def opened(content: bytes) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        found = {}
        for entry in archive:
            stream = archive.extractfile(entry) if entry.isreg() else None
            found[entry.name.removeprefix("./")] = entry, stream.read() if stream else b""
        return found


def test_a_deb_is_the_same_bytes_twice(native_tree: Path, preset: Path, tmp_path: Path) -> None:
    tree = trees.linked(native_tree, tmp_path / "tree", without=("site/PySide6", "site/cryptography", "runtime"))
    first = wrap_deb(tree, preset, tmp_path / "first", fast=True)
    again = wrap_deb(tree, preset, tmp_path / "again", fast=True)
    assert first.name == again.name
    assert first.name == f"qiaomen-xiangyang_0.1.0-7_{trees.NATIVE.partition('-')[2]}.deb"
    assert first.read_bytes() == again.read_bytes()
    assert sorted(path.name for path in first.parent.iterdir()) == [first.name]


def test_a_deb_holds_the_tree_the_preset_and_the_menu_entry(small_tree: Path, preset: Path, tmp_path: Path) -> None:
    deb = wrap_deb(small_tree, preset, tmp_path / "out", fast=True)
    named = dict(parts(deb))
    assert list(named) == ["debian-binary", "control.tar.xz", "data.tar.xz"]
    data, control = opened(named["data.tar.xz"]), opened(named["control.tar.xz"])
    place = "opt/qiaomen-xiangyang"
    for folder, prefix in ((small_tree, place), (preset, f"{place}/preset")):
        for path in files_of(folder):
            assert data[f"{prefix}/{path.relative_to(folder).as_posix()}"][1] == path.read_bytes()
    assert {entry.uid + entry.gid for entry, _ in data.values()} == {0}
    assert {entry.mtime for entry, _ in data.values()} == {EPOCH}
    assert data["usr/bin/qiaomen-xiangyang"][0].linkname == "/opt/qiaomen-xiangyang/qiaomen"
    assert data[f"{place}/qiaomen"][0].mode == 0o755
    entry = data["usr/share/applications/qiaomen-xiangyang.desktop"][1].decode()
    assert "Name=向阳社区 敲门\n" in entry
    assert "Exec=/usr/bin/qiaomen-xiangyang\n" in entry
    assert data["usr/share/icons/hicolor/256x256/apps/qiaomen-xiangyang.png"][1].startswith(b"\x89PNG")
    sums = dict(reversed(line.split("  ")) for line in control["md5sums"][1].decode().splitlines())
    assert sums == {
        name: hashlib.md5(content, usedforsecurity=False).hexdigest()
        for name, (entry, content) in data.items()
        if entry.isreg()
    }
    told = control["control"][1].decode()
    assert "Package: qiaomen-xiangyang\nVersion: 0.1.0-7\n" in told
    assert "libc6 (>= 2.28)" in told
    for script in ("preinst", "prerm", "postrm"):
        assert control[script][0].mode == 0o755


def test_a_deb_is_not_removed_from_under_somebody_s_work(small_tree: Path, tmp_path: Path) -> None:
    """Run as dpkg does, with the /proc of a PC on which the program runs, or only another one."""
    named = dict(parts(wrap_deb(small_tree, None, tmp_path / "out", fast=True)))
    script = opened(named["control.tar.xz"])["prerm"][1].decode()
    (tmp_path / "proc/7").mkdir(parents=True)
    for target, asked, wanted in (
        ("/opt/qiaomen/runtime/bin/python3.13", "remove", 1),
        ("/opt/qiaomen/runtime/bin/python3.13", "upgrade", 0),
        ("/opt/qiaomen-other/runtime/bin/python3.13", "remove", 0),
    ):
        link = tmp_path / "proc/7/exe"
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        command = ["sh", "-c", script.replace("/proc/", f"{tmp_path}/proc/"), "prerm", asked]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, "请先关闭它，再卸载" in done.stderr) == (wanted, bool(wanted))


def test_dpkg_reads_a_deb(small_tree: Path, tmp_path: Path) -> None:
    """Without a preset: the program that serves any community."""
    deb = wrap_deb(small_tree, None, tmp_path / "out", fast=True)
    asked = subprocess.run(["dpkg-deb", "-f", deb, "Package", "Version"], capture_output=True, text=True, check=True)
    assert asked.stdout == "Package: qiaomen\nVersion: 0.1.0-0\n"
    listed = subprocess.run(["dpkg-deb", "-c", deb], capture_output=True, text=True, check=True).stdout
    assert "./opt/qiaomen/app/boot.py" in listed
    assert "./opt/qiaomen/preset" not in listed


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ("no_tree", "no laid-out tree"),
        ("windows", "no tree for Linux"),
        ("preset_inside", "a preset lies in it already"),
        ("no_preset", "is no preset"),
        ("other_id", "id is not in order"),
        ("quoted_name", "cannot be the name"),
    ],
)
def test_what_cannot_be_wrapped_is_refused(spoil: str, reason: str, small_tree: Path, tmp_path: Path) -> None:
    preset = as_folder(tmp_path / "preset", preset_files(name="向阳'社区" if spoil == "quoted_name" else "向阳社区"))
    release = small_tree / "RELEASE.toml"
    text = release.read_text(encoding="utf-8")
    match spoil:
        case "no_tree":
            release.unlink()
        case "windows":
            release.unlink()
            release.write_text(text.replace(trees.NATIVE, "windows-amd64"), encoding="utf-8")
        case "preset_inside":
            shutil.copytree(preset, small_tree / "preset")
        case "no_preset":
            (preset / "community.toml").unlink()
        case "other_id":
            toml = preset / "community.toml"
            toml.write_text(toml.read_text(encoding="utf-8").replace("xiangyang", "other"), encoding="utf-8")
    with pytest.raises(WrapError, match=reason):
        wrap_deb(small_tree, preset, tmp_path / "out", fast=True)
    assert not list((tmp_path / "out").glob("*"))


# ---------------------------------------------------------------------------------------------------- .run


@pytest.fixture
def stand_in(small_tree: Path) -> Path:
    """A tree whose runtime is a script: it starts at once, and says no when the tree has a file `broken`."""
    place = small_tree / RUNTIME
    place.parent.mkdir(parents=True)
    place.write_text('#!/bin/sh\n[ ! -e "$(dirname "$0")/../../broken" ] || { echo "cannot start" >&2; exit 1; }\n')
    place.chmod(0o755)
    shutil.copyfile(shutil.which("sleep") or "/bin/sleep", place.with_name("sleeper"))
    place.with_name("sleeper").chmod(0o755)
    return small_tree


class Home:
    """A person's home folder with a desktop, and how an installer is run in it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder
        self.place = folder / ".local/opt/qiaomen-xiangyang"
        self.entry = folder / ".local/share/applications/qiaomen-xiangyang.desktop"
        (folder / "桌面").mkdir(parents=True)

    def run(self, script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        surroundings = {"PATH": os.environ["PATH"], "HOME": str(self.path), "LANG": "C.UTF-8"}
        command = ["sh", str(script), *arguments]
        return subprocess.run(command, env=surroundings, cwd=self.path, capture_output=True, text=True, check=False)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "主 目录")


def test_an_installation_without_an_administrator(stand_in: Path, preset: Path, home: Home, tmp_path: Path) -> None:
    first = wrap_run(stand_in, preset, tmp_path / "out", fast=True)
    assert first.name == f"qiaomen-xiangyang_0.1.0-7_{trees.NATIVE.partition('-')[2]}.run"
    assert [path.name for path in first.parent.iterdir()] == [first.name]
    done = home.run(first)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"已装好：{home.place}" in done.stdout
    for path in files_of(preset):
        assert (home.place / "preset" / path.name).read_bytes() == path.read_bytes()
    assert f'Exec="{home.place}/qiaomen"\n' in home.entry.read_text(encoding="utf-8")
    assert os.access(home.path / "桌面/qiaomen-xiangyang.desktop", os.X_OK)

    # the next version takes the place of the whole folder; what was recorded lies elsewhere and stays
    records = home.path / ".local/share/qiaomen-xiangyang/store.sqlite"
    records.parent.mkdir()
    records.write_text("work")
    (home.place / "app/old_module.py").write_text("")
    newer = wrap_run(stand_in, as_folder(tmp_path / "preset8", preset_files(sequence=8)), tmp_path / "out", fast=True)
    assert home.run(newer).returncode == 0
    assert not (home.place / "app/old_module.py").exists()
    assert (home.place.with_name("qiaomen-xiangyang.previous") / "app/old_module.py").exists()
    assert '"sequence": 8' in (home.place / "preset/manifest.json").read_text()

    # one that never opened is not worth keeping: the one that did stays beside
    (home.place / "app/never_opened.py").write_text("")
    (home.place.with_name("qiaomen-xiangyang.previous") / "tries").write_text("2")
    assert home.run(newer, "--update", "--dir", str(home.place)).returncode == 0
    assert sorted(path.name for path in home.place.parent.iterdir()) == [home.place.name, f"{home.place.name}.previous"]
    kept = home.place.with_name(f"{home.place.name}.previous")
    assert (kept / "app/old_module.py").exists()
    assert not (kept / "tries").exists()

    gone = home.run(home.place / "uninstall.sh")
    assert (gone.returncode, gone.stderr) == (0, "")
    assert str(records.parent) in gone.stdout
    assert records.read_text() == "work"
    assert not list(home.place.parent.iterdir())
    assert not home.entry.exists()
    assert not list((home.path / "桌面").iterdir())


def test_what_an_installation_refuses_leaves_the_old_one_alone(
    stand_in: Path, preset: Path, home: Home, tmp_path: Path
) -> None:
    good = wrap_run(stand_in, preset, tmp_path / "out", fast=True)
    place = home.path / "别处 的目录"
    assert home.run(good, "--dir", str(place), "--quiet").stdout == ""
    before = sorted(path.relative_to(place) for path in place.rglob("*"))

    def refused(script: Path, status: int, reason: str, *arguments: str) -> None:
        done = home.run(script, "--dir", str(place), *arguments)
        assert done.returncode == status, done.stderr
        assert reason in done.stderr
        assert sorted(path.relative_to(place) for path in place.rglob("*")) == before
        assert not list(place.parent.glob("*.new.*"))

    content = good.read_bytes()
    damaged = tmp_path / "damaged.run"
    damaged.write_bytes(content[:-20_000] + bytes(1) + content[-19_999:])
    refused(damaged, 5, "不完整")
    damaged.write_bytes(content[: len(content) // 2])
    refused(damaged, 5, "不完整")
    other = tmp_path / "other.run"
    other.write_bytes(content.replace(f"machine='{os.uname().machine}'".encode(), b"machine='mips64'", 1))
    other.write_bytes(_with_head(other.read_bytes()))
    refused(other, 3, "mips64")
    old = tmp_path / "old.run"
    old.write_bytes(_with_head(content.replace(b"glibc='2.28'", b"glibc='9.28'", 1)))
    refused(old, 3, "系统太旧")
    refused(good, 2, "用法", "--what")

    running = subprocess.Popen([place / "runtime/bin/sleeper", "100"])
    try:
        refused(good, 4, "正在运行")
    finally:
        running.kill()
        running.wait()

    release = stand_in / "RELEASE.toml"
    told = release.read_text(encoding="utf-8")
    release.unlink()
    release.write_text(told.replace("sequence = 1\n", "sequence = 0\n"), encoding="utf-8")
    refused(wrap_run(stand_in, preset, tmp_path / "out3", fast=True), 8, "比这个文件新")
    release.write_text(told, encoding="utf-8")

    (stand_in / "broken").touch()
    refused(wrap_run(stand_in, preset, tmp_path / "out2", fast=True), 7, "cannot start")
    (home.path / "满的").mkdir()
    (home.path / "满的/照片").touch()
    assert "已经有别的东西" in home.run(good, "--dir", str(home.path / "满的")).stderr
    assert home.run(good, "--check").stdout.endswith("文件完整。\n")


def _with_head(content: bytes) -> bytes:
    """A script that was changed by hand, with the length of its own text put right again."""
    head = content.index(b"\nexit 0\n\xfd7zXZ") + len(b"\nexit 0\n")
    return content.replace(content[content.index(b"head_bytes=") :][:20], f"head_bytes={head:<9}".encode(), 1)


def test_a_new_version_is_on_the_disk_before_the_old_one_is_moved() -> None:
    script = (Path(wrap_linux.__file__).parent / "linux/install.sh").read_text(encoding="utf-8")
    order = ['"$new/qiaomen" --smoke', 'sync -f "$new"', 'mv "$place" "$place.unopened"', 'mv "$new" "$place"']
    places = [script.index(step) for step in order]
    assert places == sorted(places)


def test_the_launcher_carries_nothing_of_the_desktop_s_own_qt(stand_in: Path, tmp_path: Path) -> None:
    """Started by a link from elsewhere, as from /usr/bin."""
    place = stand_in / RUNTIME
    place.unlink()
    place.write_text('#!/bin/sh\nenv; printf "%s\\n" "$@"\n')
    place.chmod(0o755)
    (tmp_path / "start").symlink_to(stand_in / "qiaomen")
    surroundings = {"PATH": os.environ["PATH"], "QT_PLUGIN_PATH": "/usr/lib/qt5", "LD_LIBRARY_PATH": "/opt/x"}
    surroundings |= {"QT_IM_MODULE": "fcitx", "PYTHONHOME": "/opt/y"}
    done = subprocess.run(
        [tmp_path / "start", "--home", "a b"], env=surroundings, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert lines[-7:] == ["-I", "-B", "-X", "utf8", str(stand_in / "app/boot.py"), "--home", "a b"]
    assert "QT_IM_MODULE=fcitx" in lines
    assert not [line for line in lines if line.startswith(("QT_PLUGIN_PATH", "PYTHONHOME", "LD_LIBRARY_PATH=/opt/x"))]


def test_the_command_line_makes_both(stand_in: Path, preset: Path, tmp_path: Path) -> None:
    command = [sys.executable, wrap_linux.__file__, str(stand_in), "--fast", "--out", str(tmp_path / "out")]
    done = subprocess.run([*command, "--preset", str(preset)], capture_output=True, text=True, check=True)
    assert [Path(line).suffix for line in done.stdout.splitlines()] == [".deb", ".run"]
    told = subprocess.run([*command, "--preset", str(tmp_path)], capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert "is no preset" in told.stderr
