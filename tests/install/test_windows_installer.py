"""The Windows installer: made of a tree and a preset, says whose it is, and is refused where it would go wrong."""

import os
import re
import shutil
import struct
from pathlib import Path

import icons
import pytest
import wrap_windows
from wrap_windows import WrapError, wrap_exe

from presets import as_folder, preset_files

SCRIPT = wrap_windows.SCRIPT.read_text(encoding="utf-8")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with a file of each sort; what is in them is of no interest here."""
    made = tmp_path / "tree-windows-amd64"
    for name in ("runtime/pythonw.exe", "site/one/two.py", "app/boot.py", "LICENSES/README.txt", "sbom.cdx.json"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(name, encoding="utf-8")
    (made / "preset").mkdir()
    told = 'version = "1.2.3"\nsequence = 7\nplatform = "windows-amd64"\n'
    (made / "RELEASE.toml").write_text(told, encoding="utf-8")
    return made


def preset(place: Path, *, name: str = "幸福里社区") -> Path:
    files = dict(icons.icons(b""))
    return as_folder(place / "preset-xingfuli", preset_files("xingfuli", name=name, sequence=4, files=files))


def texts(installer: bytes) -> dict[str, str]:
    """The strings that Windows shows among a file's properties."""
    found = {}
    for key in ("ProductName", "FileDescription", "FileVersion", "Comments", "CompanyName"):
        place = installer.find(key.encode("utf-16-le"))
        if place >= 0:
            rest = installer[place + 2 * len(key) : place + 2 * len(key) + 200].decode("utf-16-le", "replace")
            found[key] = rest.lstrip("\0").split("\0")[0]
    return found


def test_the_installer_says_which_community_it_is_for(tree: Path, tmp_path: Path) -> None:
    made = wrap_exe(tree, preset(tmp_path), tmp_path / "out", fast=True)
    assert made.name == "qiaomen-xingfuli_1.2.3_windows-amd64.exe"
    assert texts(made.read_bytes()) == {
        "ProductName": "幸福里社区 敲门",
        "FileDescription": "幸福里社区 敲门 安装程序",
        "FileVersion": "1.2.3",
        "Comments": "幸福里社区 (xingfuli)",
        "CompanyName": "敲门",
    }


def test_it_is_for_64_bits_and_asks_for_no_administrator(tree: Path, tmp_path: Path) -> None:
    data = wrap_exe(tree, preset(tmp_path), tmp_path / "out", fast=True).read_bytes()
    header = struct.unpack_from("<I", data, 0x3C)[0]
    assert struct.unpack_from("<H", data, header + 4)[0] == 0x8664
    assert b'requestedExecutionLevel level="asInvoker"' in data


def test_the_same_tree_and_preset_give_the_same_installer(tree: Path, tmp_path: Path) -> None:
    """Wherever they lie, and whenever they were written."""
    community = preset(tmp_path)
    one = wrap_exe(tree, community, tmp_path / "one", fast=True)
    copies = [shutil.copytree(folder, tmp_path / "copies" / folder.name) for folder in (tree, community)]
    for path in copies[0].rglob("*"):
        os.utime(path, (0, 0))
    assert wrap_exe(*copies, tmp_path / "other", fast=True).read_bytes() == one.read_bytes()


def test_without_a_preset_it_serves_any_community(tree: Path, tmp_path: Path) -> None:
    made = wrap_exe(tree, None, tmp_path / "out", fast=True)
    assert made.name == "qiaomen_1.2.3_windows-amd64.exe"
    told = texts(made.read_bytes())
    assert told["ProductName"] == "敲门"
    assert "Comments" not in told


def test_a_name_with_blanks_and_signs_is_taken_as_it_is(tree: Path, tmp_path: Path) -> None:
    made = wrap_exe(tree, preset(tmp_path, name="O'Neil {1} 1号院（东）"), tmp_path / "out", fast=True)
    assert texts(made.read_bytes())["ProductName"] == "O'Neil {1} 1号院（东） 敲门"


@pytest.mark.parametrize("name", ["a/b", "幸福|里", "a:b", "$INSTDIR", "一&二", ""])
def test_a_name_that_windows_cannot_give_a_shortcut_is_refused(tree: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(WrapError, match="cannot be the name of a shortcut"):
        wrap_exe(tree, preset(tmp_path, name=name), tmp_path / "out", fast=True)


def test_all_that_a_tree_may_have_is_known_to_the_installer(tree: Path) -> None:
    """What is not moved aside as a whole would be stale after an upgrade and left behind by the uninstaller."""
    block = SCRIPT.partition("!macro EACH_PART")[2].partition("!macroend")[0]
    moved = set(re.findall(r'\$\{DO\} "(.+)"', block))
    assert moved == {path.name for path in tree.iterdir()} | {"qiaomen.ico"}


def test_no_folder_that_may_be_somebody_elses_is_moved_or_removed() -> None:
    """All that an installation moves or removes is asked about first; what is run under wine is in the trial."""
    asked = SCRIPT.partition("Function CheckForeign")[2].partition("FunctionEnd")[0]
    assert "EACH_PART IS_THERE" in asked
    section = SCRIPT.partition("\nSection\n")[2].partition("SectionEnd")[0]
    removed = set(re.findall(r'(?:RMDir /r|Delete) "\$INSTDIR\\(\w+)"', section))
    assert removed == {"incoming", "discarded", "preset"}
    assert removed - {"preset"} | {"previous", "uninstall.exe"} == set(re.findall(r'IS_THERE "(.+)"', asked))
    assert section.index("Call CheckForeign") < section.index("Quit") < section.index("RMDir")


def test_a_silent_update_that_is_refused_brings_the_program_back() -> None:
    """Every end but two: a second installer leaves it to the first, and in a foreign folder there is no program."""
    ends = [block.rpartition("MessageBox")[2] for block in SCRIPT.split("Quit\n")[:-1]]
    silent = {re.findall(r"TEXT_\w+", end)[0] for end in ends if "Call StartIfAsked" not in end}
    assert silent == {"TEXT_SECOND", "TEXT_FOREIGN"}
    assert len(ends) == 7
    assert "Call StartIfAsked" in SCRIPT.partition("Function .onInstFailed")[2].partition("FunctionEnd")[0]


def test_a_failed_move_is_told() -> None:
    """``${Errors}`` clears the flag that it asks for: whoever tells a caller has to set it again."""
    for told in re.findall(r"Function \w+ ;.* the error flag tells\n(.+?)FunctionEnd", SCRIPT, re.DOTALL):
        assert told.count("${Errors}") == told.count("SetErrors") == 1
    assert "the error flag tells" in SCRIPT


def test_a_tree_that_is_not_whole_or_has_more_is_refused(tree: Path, tmp_path: Path) -> None:
    (tree / "notes.txt").write_text("?", encoding="utf-8")
    with pytest.raises(WrapError, match=r"does not know notes\.txt"):
        wrap_exe(tree, None, tmp_path, fast=True)
    (tree / "notes.txt").rename(tree / "preset" / "notes.txt")
    with pytest.raises(WrapError, match="a preset lies in it already"):
        wrap_exe(tree, None, tmp_path, fast=True)
    (tree / "preset" / "notes.txt").unlink()
    deep = tree / "site" / "/".join(["folder-of-a-library"] * 8)
    deep.mkdir(parents=True)
    with pytest.raises(WrapError, match="too long a path"):
        wrap_exe(tree, None, tmp_path, fast=True)
    (tree / "runtime" / "pythonw.exe").unlink()
    with pytest.raises(WrapError, match=r"runtime/pythonw\.exe missing"):
        wrap_exe(tree, None, tmp_path, fast=True)


def test_what_is_no_preset_is_refused(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(WrapError, match="is no preset"):
        wrap_exe(tree, tmp_path / "nothing", tmp_path, fast=True)
    other = preset_files("yangguang")
    mixed = as_folder(tmp_path / "mixed", preset_files("xingfuli") | {"manifest.json": other["manifest.json"]})
    with pytest.raises(WrapError, match="id is not in order"):
        wrap_exe(tree, mixed, tmp_path, fast=True)


def test_the_lack_of_the_compiler_is_told(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WrapError, match=r"makensis is missing \(Debian: nsis\)"):
        wrap_exe(tree, None, tmp_path, fast=True)


def test_the_command_says_what_was_made_or_why_not(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert wrap_windows.main([str(tree), "--out", str(tmp_path), "--fast"]) == 0
    assert "qiaomen_1.2.3_windows-amd64.exe" in capsys.readouterr().out
    assert wrap_windows.main([str(tmp_path / "none"), "--out", str(tmp_path)]) == 1
    assert "is no Windows tree" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("version", "numbers"), [("1.2.3", "1.2.3.0"), ("2.0rc1", "2.0.0.0"), ("1.2.3.4.5", "1.2.3.4")]
)
def test_windows_gets_four_numbers(version: str, numbers: str) -> None:
    assert wrap_windows._four_parts(version) == numbers
