"""Updates of an installed program: offered, refused, fetched; the first opening, and what follows when it fails."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from desktop.new_version import before_opening, has_opened
from desktop.paths import Paths
from desktop.updating import Installed, Memory, Updating, Version
from offers import OFFERED, PACKAGE, PRESET, RUN, installed_at, offer
from presets import ISSUER
from sync.client.releases import OfFolder
from sync.errors import TrustError
from sync.keys.manifests import MANIFEST, ReleaseFile
from sync.keys.minisign import SecretKey

BOOT = Path(__file__).resolve().parents[2] / "packaging/boot.py"
NEW = SecretKey(id=bytes(8), seed=bytes(32))


@pytest.fixture
def here(tmp_path: Path) -> Updating:
    """A program installed in somebody's home, with preset 5."""
    installed = installed_at(tmp_path / "opt/qiaomen-xiangyang")
    return Updating(installed, Paths.for_home(tmp_path / "home"), (ISSUER.public,), "xiangyang", preset=5)


def refusal(here: Updating, source: OfFolder) -> str:
    with pytest.raises(TrustError) as caught:
        here.look(source)
    return caught.value.code


def test_a_newer_version_is_found_and_fetched(here: Updating, tmp_path: Path) -> None:
    source = offer(tmp_path / "stick")
    found = here.look(source)
    assert found is not None
    assert (found.is_program, found.version, found.has_failed) == (True, Version("0.2.0", 2), False)
    here.folder.mkdir(parents=True)
    (here.folder / "of-another-time.run.part").write_bytes(b"x")
    got = here.fetch(found, source)
    assert got is not None
    assert [path.name for path in here.folder.iterdir()] == [RUN.name]
    assert here.look(OfFolder(tmp_path / "nothing")) is None


def test_the_preset_of_a_release_is_offered_when_the_program_is_not_newer(here: Updating, tmp_path: Path) -> None:
    same = msgspec.structs.replace(OFFERED, sequence=1, version="0.1.0")
    assert here.look(offer(tmp_path / "stick", same)) is None
    found = here.look(offer(tmp_path / "stick", msgspec.structs.replace(same, preset_sequence=6)))
    assert found is not None
    assert (found.is_program, found.file) == (False, PRESET)


def test_an_older_release_is_refused(here: Updating, tmp_path: Path) -> None:
    older = msgspec.structs.replace(OFFERED, sequence=1, version="0.1.0")
    here.look(offer(tmp_path / "stick"))
    assert refusal(here, offer(tmp_path / "stick", older)) == "release_older"  # than what was seen
    newer = installed_at(here.installed.root, version="0.3.0", sequence=3)
    assert refusal(Updating(newer, here.paths, here.keys, "xiangyang", 5), offer(tmp_path / "stick")) == "release_older"


def test_a_release_that_would_not_work_here_is_refused(here: Updating, tmp_path: Path) -> None:
    other = msgspec.structs.replace(OFFERED, files={"windows-amd64": RUN})
    assert refusal(here, offer(tmp_path / "a", other)) == "release_not_for_pc"
    old = msgspec.structs.replace(OFFERED, database=0)
    assert refusal(here, offer(tmp_path / "b", old)) == "release_older_data"
    source = offer(tmp_path / "c")
    (tmp_path / "c" / MANIFEST).write_bytes(OFFERED.content.replace(b"0.2.0", b"0.3.0"))
    assert refusal(here, source) == "signature_wrong"
    assert refusal(here, offer(tmp_path / "d", key=NEW)) == "signature_unknown_key"
    stranger = msgspec.structs.replace(OFFERED, community="anningli")
    assert refusal(here, offer(tmp_path / "e", stranger)) == "release_other_community"


def test_a_new_key_is_trusted_from_then_on(here: Updating, tmp_path: Path) -> None:
    source = offer(tmp_path / "stick", key=NEW)
    name = f"{NEW.public.name}.pub"
    (tmp_path / "stick" / name).write_text(NEW.public.text, encoding="utf-8")
    (tmp_path / "stick" / f"{name}.minisig").write_text(ISSUER.sign(NEW.public.text.encode()), encoding="utf-8")
    assert here.look(source) is not None
    (tmp_path / "stick" / name).unlink()
    assert here.look(source) is not None
    stranger = SecretKey.generate()
    without = Updating(here.installed, here.paths, (stranger.public,), "xiangyang", 5)
    assert refusal(without, source) == "signature_unknown_key"  # whoever vouched is trusted no more


def test_the_package_is_checked_again_before_it_is_run(here: Updating, tmp_path: Path) -> None:
    source = offer(tmp_path / "stick")
    found = here.look(source)
    assert found is not None
    got = here.fetch(found, source)
    assert got is not None
    got.write_bytes(PACKAGE.replace(b"arguments", b"argument2"))
    with pytest.raises(TrustError, match="release_changed"):
        here.install(found)
    assert not (here.folder / "arguments").exists()
    here.fetch(found, source)
    process = here.install(found)
    assert process.wait() == 0
    given = (here.folder / "arguments").read_text(encoding="utf-8").split()
    assert given == ["--update", "--dir", str(here.installed.root)]
    assert Memory.load(here.memory_file).installing == Version("0.2.0", 2)
    assert here.command(got) == ("sh", str(got), "--update", "--dir", str(here.installed.root))
    assert here.command(Path("a.exe")) == ("a.exe", "/S", "/WAIT", "/START")
    assert here.command(Path("a.deb")) == ("xdg-open", "a.deb")


def test_no_room_is_told_before_anything_is_fetched(here: Updating, tmp_path: Path) -> None:
    huge = ReleaseFile(name=RUN.name, size=1 << 60, sha256="0" * 64)
    source = offer(tmp_path / "stick", msgspec.structs.replace(OFFERED, files={"linux-amd64-run": huge}))
    found = here.look(source)
    assert found is not None
    with pytest.raises(TrustError, match="release_no_room"):
        here.fetch(found, source)
    assert list(here.folder.iterdir()) == []


def test_a_checkout_is_not_renewed(tmp_path: Path) -> None:
    assert Installed.at(tmp_path) is None
    (tmp_path / "RELEASE.toml").write_text("version = 1", encoding="utf-8")
    assert Installed.at(tmp_path) is None
    before_opening(Paths.for_home(tmp_path), None)
    has_opened(Paths.for_home(tmp_path), None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["RELEASE.toml"]


# ---------------------------------------------------------------------------------------- the first opening


def recorded(paths: Paths, text: str) -> None:
    paths.data.mkdir(parents=True, exist_ok=True)
    (paths.data / "station.db").write_text(text, encoding="utf-8")


def test_the_records_are_copied_before_a_new_version_opens(tmp_path: Path) -> None:
    paths, root = Paths.for_home(tmp_path / "home"), tmp_path / "opt/q"
    before_opening(paths, installed_at(root))
    assert not (paths.data / "before-update").exists()  # there are no records yet
    recorded(paths, "of 0.1.0")
    before_opening(paths, installed_at(root))
    assert not (paths.data / "before-update").exists()  # it is the version that ran before
    newer = installed_at(root, version="0.2.0", sequence=2)
    before_opening(paths, newer)
    recorded(paths, "migrated")
    before_opening(paths, newer)  # it was closed before it opened
    assert (paths.data / "before-update/2/station.db").read_text(encoding="utf-8") == "of 0.1.0"
    (tmp_path / "opt/q.previous/app").mkdir(parents=True)
    has_opened(paths, newer)
    assert not (paths.data / "before-update").exists()
    assert not (tmp_path / "opt/q.previous").exists()
    assert Memory.load(paths.config / "updates.json").opened == 2


@pytest.mark.parametrize("older", ["q/previous", "q.previous"])
def test_the_older_version_gets_its_records_back(tmp_path: Path, older: str) -> None:
    paths, root = Paths.for_home(tmp_path / "home"), tmp_path / "opt/q"
    recorded(paths, "of 0.1.0")
    before_opening(paths, installed_at(root))
    newer = installed_at(root, version="0.2.0", sequence=2)
    before_opening(paths, newer)
    recorded(paths, "migrated")
    (paths.data / "station.db-wal").write_bytes(b"of 0.2.0")
    old = installed_at(tmp_path / "opt" / older)
    assert old.place == root
    before_opening(paths, old)
    assert (paths.data / "station.db").read_text(encoding="utf-8") == "of 0.1.0"
    assert not (paths.data / "station.db-wal").exists()
    aside = paths.data / "aside/not-opened-2"
    assert sorted(path.name for path in aside.iterdir()) == ["station.db", "station.db-wal"]
    assert Memory.load(paths.config / "updates.json").failed == Version("0.2.0", 2)
    recorded(paths, "and more work")
    has_opened(paths, old)
    before_opening(paths, old)
    assert (paths.data / "station.db").read_text(encoding="utf-8") == "and more work"
    assert Memory.load(paths.config / "updates.json").failed == Version("0.2.0", 2)
    third = installed_at(root, version="0.3.0", sequence=3)
    before_opening(paths, third)
    has_opened(paths, third)
    assert Memory.load(paths.config / "updates.json").failed is None


def test_a_disk_without_room_leaves_the_records_as_they_are(tmp_path: Path) -> None:
    paths, root = Paths.for_home(tmp_path / "home"), tmp_path / "opt/q"
    recorded(paths, "of 0.1.0")
    before_opening(paths, installed_at(root))
    before_opening(paths, installed_at(root, version="0.2.0", sequence=2))
    recorded(paths, "migrated")
    blocked = paths.data / "before-update.back"
    blocked.write_text("nothing can be put where this lies", encoding="utf-8")
    old = installed_at(tmp_path / "opt/q.previous")
    before_opening(paths, old)
    assert (paths.data / "station.db").read_text(encoding="utf-8") == "migrated"  # whole, and the copy is there still
    blocked.unlink()
    before_opening(paths, old)
    assert (paths.data / "station.db").read_text(encoding="utf-8") == "of 0.1.0"
    assert (paths.data / "aside/not-opened-2/station.db").read_text(encoding="utf-8") == "migrated"


def test_what_a_power_cut_left_half_put_back_is_finished(tmp_path: Path) -> None:
    paths, root = Paths.for_home(tmp_path / "home"), tmp_path / "opt/q"
    recorded(paths, "of 0.1.0")
    before_opening(paths, installed_at(root))
    before_opening(paths, installed_at(root, version="0.2.0", sequence=2))
    aside = paths.data / "aside/not-opened-2"
    aside.mkdir(parents=True)
    (paths.data / "station.db").rename(aside / "station.db")  # it was moved, and then the light went out
    (aside / "station.db").write_text("migrated", encoding="utf-8")
    before_opening(paths, installed_at(tmp_path / "opt/q.previous"))
    assert (paths.data / "station.db").read_text(encoding="utf-8") == "of 0.1.0"
    assert (aside / "station.db").read_text(encoding="utf-8") == "migrated"
    assert not (paths.data / "before-update").exists()


# ---------------------------------------------------------------------------------------- starting it

PROGRAM = """
import os, pathlib, sys
def main():
    with open(os.environ["TOLD"], "a") as file:
        file.write("{version} ")
    {work}
    return 0
"""


def tree(root: Path, version: str, work: str) -> None:
    (root / "app/desktop").mkdir(parents=True)
    shutil.copyfile(BOOT, root / "app/boot.py")
    (root / "app/desktop/__init__.py").write_text("", encoding="utf-8")
    program = PROGRAM.replace("{version}", version).replace("{work}", work)
    (root / "app/desktop/__main__.py").write_text(program, encoding="utf-8")
    boot = root / "app/boot.py"
    (root / "qiaomen").write_text(f'exec "{sys.executable}" -I -B "{boot}" "$@"\n', encoding="utf-8")


def starts(root: Path, *arguments: str) -> tuple[int, list[str]]:
    told = root.parent / "told"
    told.unlink(missing_ok=True)
    done = subprocess.run(
        ["sh", str(root / "qiaomen"), *arguments],
        env={**os.environ, "TOLD": str(told)},
        capture_output=True,
        check=False,
    )
    return done.returncode, told.read_text().split()


@pytest.mark.parametrize("older", ["q/previous", "q.previous"])
def test_the_older_version_starts_when_the_new_one_does_not(tmp_path: Path, older: str) -> None:
    root = tmp_path / "q"
    tree(root, "new", "import a_library_that_is_missing")
    tree(tmp_path / older, "old", "pass")
    assert starts(root) == (0, ["new", "old"])
    assert starts(root) == (0, ["old"])  # it is not tried again and again
    installed_at(root, version="0.3.0", sequence=3)  # one that is installed anew is
    assert starts(root) == (0, ["new", "old"])
    code, told = starts(root, "--smoke")  # whoever asks about the new one hears of the new one
    assert (code, told) == (1, ["new"])


def test_a_program_that_dies_without_a_word_is_given_one_more_chance(tmp_path: Path) -> None:
    root = tmp_path / "q"
    tree(root, "new", "os._exit(9)")
    tree(root / "previous", "old", "pass")
    assert [starts(root) for _ in range(3)] == [(9, ["new"]), (9, ["new"]), (0, ["old"])]


def test_where_another_qt_keeps_its_plugins_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_PLUGIN_PATH", "/somewhere/else")
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    tree(tmp_path / "q", "new", "print(sorted(name for name in os.environ if name.startswith('QT_')))")
    monkeypatch.setenv("TOLD", str(tmp_path / "told"))
    boot = str(tmp_path / "q/app/boot.py")
    done = subprocess.run([sys.executable, "-I", "-B", boot], capture_output=True, text=True, check=True)
    assert "QT_PLUGIN_PATH" not in done.stdout
    assert "QT_QPA_PLATFORM" in done.stdout


def test_a_new_version_that_starts_is_kept(tmp_path: Path) -> None:
    root = tmp_path / "q"
    tree(root, "new", "pass")
    tree(root / "previous", "old", "pass")
    assert [starts(root) for _ in range(4)] == [(0, ["new"])] * 4  # nobody unlocked it yet
    shutil.rmtree(root / "previous")
    assert starts(root) == (0, ["new"])
    assert not (root / "previous").exists()
