"""The server's packages: the wheel with its command, the .deb with what belongs into it, units that systemd takes."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import build_server
import pytest

from sync import __version__
from sync.domain.building_list import BuildingList, ListedBuilding
from sync.server import settings_file

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "packaging" / "server"
OPT = "./opt/qiaomen-server"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel."""
    return build_server.build_wheel(tmp_path_factory.mktemp("wheel"))


def library(folder: Path, name: str, tag: str) -> Path:
    """A wheel of another project, with one module in it and what is not to be unpacked."""
    path = folder / f"{name}-1.0-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/__init__.py", "")
        archive.writestr(f"{name}-1.0.data/scripts/{name}", "#!python")
    return path


@pytest.fixture(scope="module")
def deb(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package with three small libraries in the place of the real ones."""
    return packed(wheel, tmp_path_factory.mktemp("deb"))


def packed(wheel: Path, folder: Path) -> Path:
    pure, stable = (
        library(folder, "pure", "py3-none-any"),
        library(folder, "stable", "cp311-abi3-manylinux_2_28_x86_64"),
    )
    libraries = {
        version: (
            pure,
            stable,
            library(folder, "own", f"cp{version.replace('.', '')}-cp{version.replace('.', '')}-any"),
        )
        for version in build_server.PYTHONS
    }
    return build_server.build_deb("linux-amd64", libraries, wheel=wheel, out=folder, fast=True)


def said(*command: str | Path) -> str:
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout


def test_the_wheel_has_the_command_and_asks_for_no_window(wheel: Path) -> None:
    assert wheel.name == f"qiaomen-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        about = f"qiaomen-{__version__}.dist-info"
        assert "qiaomen-server = sync.server.__main__:main" in archive.read(f"{about}/entry_points.txt").decode()
        wanted = [line for line in archive.read(f"{about}/METADATA").decode().splitlines() if "Requires-Dist" in line]
        names = set(archive.namelist())
    assert [line for line in wanted if "PySide6" in line and "extra == 'desktop'" not in line] == []
    assert [line for line in wanted if "litestar" in line and "extra == 'server'" in line] != []
    assert {"sync/server/migrations/env.py", "resources/rules/care.toml"} <= names


def test_the_package_holds_the_program_its_libraries_and_its_units(deb: Path) -> None:
    assert deb.name == f"qiaomen-server_{__version__}_amd64.deb"
    lines = said("dpkg-deb", "--contents", deb).splitlines()
    held = {line.split()[5]: line.split()[0] for line in lines}
    assert {line.split()[1] for line in lines} == {"root/root"}
    libraries = [f"{OPT}/any/{name}/__init__.py" for name in ("pure", "stable")]
    libraries += [f"{OPT}/python{version}/own/__init__.py" for version in build_server.PYTHONS]
    program = [f"{OPT}/app/{name}" for name in ("sync/server/__main__.py", "resources/rules/care.toml")]
    units = [
        f"./usr/lib/systemd/system/{path.name}" for path in SOURCE.iterdir() if path.suffix in {".service", ".timer"}
    ]
    manuals = [
        f"./usr/share/doc/qiaomen-server/{name}"
        for name in ("server.md", "server.toml", "nginx.conf", "Caddyfile", "copyright")
    ]
    assert set(libraries + program + units + manuals) <= set(held)
    assert len(units) == 4
    assert held[f"{OPT}/bin/qiaomen-server"] == "-rwxr-xr-x"
    assert [name for name in held if "desktop" in name or "sync/store" in name or ".data" in name] == []


def test_the_same_input_gives_the_same_bytes(deb: Path, wheel: Path, tmp_path: Path) -> None:
    again = build_server.build_wheel(tmp_path)
    assert again.read_bytes() == wheel.read_bytes()
    assert packed(again, tmp_path).read_bytes() == deb.read_bytes()


def test_the_launcher_finds_the_program_and_refuses_a_python_that_was_not_thought_of(deb: Path, tmp_path: Path) -> None:
    said("dpkg-deb", "--extract", deb, tmp_path)
    command = tmp_path / "opt/qiaomen-server/bin/qiaomen-server"
    (tmp_path / "opt/qiaomen-server/app/sync/server/__main__.py").write_text(
        "def main() -> int:\n    return 7\n", "utf-8"
    )
    # As whoever runs the tests: giving up root needs the package's user, and has its place in `make package-test`.
    told = "import runpy, os, sys; os.geteuid = lambda: 1; runpy.run_path(sys.argv[1], run_name='__main__')"

    def status() -> int:
        return subprocess.run([sys.executable, "-I", "-c", told, command], check=False, capture_output=True).returncode

    assert status() == 7
    for folder in (tmp_path / "opt/qiaomen-server").glob("python*"):
        shutil.rmtree(folder)
    assert status() == 1


def test_the_program_in_the_package_is_whole(deb: Path, tmp_path: Path) -> None:
    said("dpkg-deb", "--extract", deb, tmp_path)
    app = tmp_path / "opt/qiaomen-server/app"
    # With the libraries of the tests, and of our own only what was packaged.
    start = f"import sys; sys.path.insert(0, {str(app)!r}); from sync.server.__main__ import main; sys.exit(main())"
    command = [sys.executable, "-P", "-c", start, "buildings", "--data", str(tmp_path / "data"), "--from"]
    (tmp_path / "buildings.json").write_bytes(
        BuildingList((ListedBuilding(compound="幸福里", name="1号楼", floors=2, rooms=2),)).content
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [*command, str(tmp_path / "buildings.json")], check=False, capture_output=True, text=True, env=environment
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 buildings with 4 doors" in done.stdout


def test_the_settings_that_come_along_need_only_the_name(tmp_path: Path) -> None:
    text = (SOURCE / "server.toml").read_text("utf-8")
    path = tmp_path / "server.toml"
    path.write_text(text.replace('community_name = ""', 'community_name = "幸福里社区"'), "utf-8")
    found = settings_file.defaults(path)
    assert (found["data"], found["to"], found["show_code"]) == (
        Path("/var/lib/qiaomen"),
        Path("/var/backups/qiaomen"),
        False,
    )
    every = "\n".join(line.removeprefix("# ") if " = " in line else "" for line in text.splitlines())
    once = {line.partition(" = ")[0]: line for line in every.splitlines() if line}
    path.write_text("\n".join(once.values()).replace('name = ""', 'name = "幸福里社区"'), "utf-8")
    settings_file.defaults(path)  # what is only shown is understood as well


def test_root_gives_away_nothing_below_a_folder_that_is_the_server_s() -> None:
    """A link there would be followed, and what it points to belong to the server."""
    owned = re.compile(r"\b(install|chown|chmod)\b.*(\$folder|/var/(lib|backups)/qiaomen/)")
    lines = [line for path in (SOURCE / "debian").iterdir() for line in path.read_text("utf-8").splitlines()]
    assert [line for line in lines if owned.search(line)] == []
    assert [line for line in lines if "runuser -u qiaomen -- mkdir" in line] != []


def test_systemd_takes_the_units(deb: Path, tmp_path: Path) -> None:
    said("dpkg-deb", "--extract", deb, tmp_path)
    units = tmp_path / "usr/lib/systemd/system"
    for path in units.iterdir():
        # systemd-analyze wants the programs to be there.
        text = path.read_text("utf-8").replace("=/usr/bin/", "=/bin/true ").replace("=/opt/", "=/bin/true ")
        path.write_text(text, "utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(units.glob("qiaomen-*[!@].*"))],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, [line for line in done.stderr.splitlines() if "qiaomen" in line]) == (0, [])
    for name in ("qiaomen-server.service", "qiaomen-backup.service"):
        done = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", units / name],
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout[-200:]
