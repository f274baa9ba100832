"""The look at oneself that every installed program can take, in a tree of its own without the server's code."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WITHOUT = shutil.ignore_patterns("__pycache__", "server", "*.pyc")


@pytest.fixture(scope="module")
def app_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program as an installer lays it out: no tests, no server, no repository around it."""
    folder = tmp_path_factory.mktemp("installed") / "app"
    for part in ("desktop", "sync", "resources"):
        shutil.copytree(ROOT / part, folder / part, ignore=WITHOUT)
    (folder / "boot.py").write_text(
        f"import sys\nsys.path.insert(0, {str(folder)!r})\nfrom desktop.__main__ import main\nsys.exit(main())\n"
    )
    return folder


def smoke(folder: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Start it as a menu entry does, with nothing of the environment that could help."""
    kept = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "DBUS_SESSION_BUS_ADDRESS", "LANG", "LC_ALL")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment |= {"HOME": str(home), "TMPDIR": str(home), "XDG_CONFIG_DIRS": str(home / "etc")}
    command = [sys.executable, "-I", "-B", "-X", "utf8", str(folder / "boot.py"), "--smoke"]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=110, check=False)


def test_every_page_opens_and_a_visit_is_noted_in_silence(app_folder: Path, tmp_path: Path) -> None:
    assert not (app_folder / "sync" / "server").exists()
    dropped = tmp_path / "etc/qiaomen/presets/xiangyang.qiaomenpreset"  # by an administrator, and no good any more
    dropped.parent.mkdir(parents=True)
    dropped.write_bytes(b"of a key that is gone")
    done = smoke(app_folder, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    shutil.rmtree(tmp_path / "etc")
    assert list(tmp_path.rglob("*qiaomen*")) == []  # what it made is thrown away


def test_a_page_that_fails_fails_it(app_folder: Path, tmp_path: Path) -> None:
    page = app_folder / "desktop" / "pages" / "help" / "page.py"
    good = page.read_text("utf-8")
    page.write_text(
        good.replace("    def reload(self) -> None:\n", "    def reload(self) -> None:\n        1 / 0\n"), "utf-8"
    )
    try:
        done = smoke(app_folder, tmp_path)
    finally:
        page.write_text(good, "utf-8")
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.parametrize("way", ["module", "script"])
def test_the_program_knows_how_it_was_started(tmp_path: Path, way: str) -> None:
    (tmp_path / "started.py").write_text(
        f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom desktop.own_command import own_command\n"
        "print(own_command('--practice'))\n"
    )
    how = ["-m", "started"] if way == "module" else ["-I", "-B", "started.py"]
    command = [sys.executable, *how, "--home", "somewhere"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert said.strip() == repr((sys.executable, [*how, "--practice"]))
