"""Trees laid out once a run from the locked packages; with the ready runtime that QIAOMEN_RUNTIME names."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import fetching
import layout
import pytest
from pins import platform

import windows_pieces

NATIVE = "linux-arm64" if os.uname().machine == "aarch64" else "linux-amd64"
READY = Path(os.environ["QIAOMEN_RUNTIME"]) if os.environ.get("QIAOMEN_RUNTIME") else None


def pieces(name: str) -> layout.Pieces:
    """What there is of runtime and input plugin for a platform; for Linux nothing on a machine that built none."""
    if name == "windows-amd64":
        return layout.Pieces(runtime=windows_pieces.runtime_zip())
    return layout.Pieces.found_in(READY, platform(name))


@cache
def has_helpers(name: str) -> bool:
    """Whether Debian's small X libraries can be had here; only a mirror of Debian has them."""
    try:
        fetching.debs(name, cache=layout.CACHE)
    except fetching.FetchError:
        return False
    return True


def make(name: str, out: Path, *, keys: Path | None = None) -> Path:
    """Lay a platform out as a release does, into a folder of the test."""
    return layout.lay_out(
        name,
        out=out,
        pieces=pieces(name),
        keys=keys,
        compiler=layout.host_compiler(READY),
        with_debian=has_helpers(name),
    )


def linked(tree: Path, out: Path, *, without: tuple[str, ...] = ()) -> Path:
    """The same tree once more without its bytes being copied; ``without`` are folders that are left out.

    A test that changes a file of it puts a new one in its place.
    """

    def left_out(folder: str, names: list[str]) -> set[str]:
        place = Path(folder).relative_to(tree).as_posix()
        return {name for name in names if (name if place == "." else f"{place}/{name}") in without}

    shutil.copytree(tree, out, copy_function=os.link, ignore=left_out)
    return out


@pytest.fixture(scope="session")
def native_tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The tree of this machine's own platform, made by whichever process of the tests needs it first."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "native"
    folder.mkdir(exist_ok=True)
    tree, users = folder / f"tree-{NATIVE}", folder / "users"
    with _alone(folder):
        if not tree.exists():
            make(NATIVE, tree)
        users.mkdir(exist_ok=True)
        (users / str(os.getpid())).touch()
    yield tree
    with _alone(folder):
        (users / str(os.getpid())).unlink()
        if not any(users.iterdir()):
            shutil.rmtree(tree)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process after the other."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def small_tree(native_tree: Path, tmp_path: Path) -> Path:
    """The native tree without its libraries, which cannot start: for what wraps it and does not care."""
    return linked(native_tree, tmp_path / "small", without=("runtime", "site"))


def started(tree: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Start a native tree as its menu entry does; without a runtime of its own, on the Python of the tests."""
    kept = ("PATH", "LD_LIBRARY_PATH", "DBUS_SESSION_BUS_ADDRESS", "LANG", "LC_ALL")
    surroundings = {name: os.environ[name] for name in kept if name in os.environ}
    surroundings |= {"HOME": str(home), "TMPDIR": str(home), "QT_QPA_PLATFORM": "offscreen"}
    command = (
        [str(tree / "qiaomen")]
        if (tree / "runtime").exists()
        else [sys.executable, "-I", "-B", "-X", "utf8", str(tree / "app" / "boot.py")]
    )
    return subprocess.run(
        [*command, *arguments], cwd=home, env=surroundings, capture_output=True, text=True, timeout=110, check=False
    )
