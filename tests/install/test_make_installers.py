"""All installers of a table in one command: what each community gets, and what is left when something is wrong."""

import csv
import shutil
import subprocess
from pathlib import Path

import check_tree
import make_installers
import msgspec
import openpyxl
import pytest
import release
from community import COLUMNS
from layout import LayoutError
from make_installers import Layout

from desktop.preset import read_preset
from sync import __version__
from sync.client.releases import OfFolder, fetch, look
from sync.errors import TrustError
from sync.keys.manifests import MANIFEST
from sync.keys.minisign import SecretKey, trusted_keys

ROOT = Path(__file__).resolve().parents[2]
KEY, OFFLINE, NEXT = (SecretKey(id=bytes([n]) * 8, seed=bytes([n]) * 32) for n in (1, 2, 3))
LINUX = ("qiaomen", "runtime/bin/python3.13", "site/one.py", "app/boot.py", "LICENSES/README.txt", "sbom.cdx.json")
WINDOWS = ("runtime/pythonw.exe", *LINUX[2:])


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    folder.mkdir()
    KEY.save(folder / "working.key")
    for name, key in (("working", KEY), ("offline", OFFLINE)):
        (folder / f"{name}.pub").write_text(key.public.text, encoding="utf-8")
    return folder


@pytest.fixture
def work(tmp_path: Path, keys: Path) -> Path:
    """Trees that were laid out before, with a file of each sort; what is in them is of no interest here."""
    folder = tmp_path / "work"
    for name, files in (("linux-amd64", LINUX), ("windows-amd64", WINDOWS)):
        tree = folder / f"tree-{name}"
        for file in files:
            (tree / file).parent.mkdir(parents=True, exist_ok=True)
            (tree / file).write_text(file, encoding="utf-8")
        shutil.copytree(ROOT / "resources", tree / "app/resources", ignore=shutil.ignore_patterns("i18n", "icons"))
        told = f'version = "0.1.0"\nsequence = 1\nplatform = "{name}"\n'
        (tree / "RELEASE.toml").write_text(told, encoding="utf-8")
        plan = Layout(folder, keys, fast=True)
        (folder / f"tree-{name}.stamp").write_text(plan._stamp(name), encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def no_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QIAOMEN_RUNTIME", raising=False)


def table(path: Path, *lines: tuple[str, ...]) -> Path:
    book = openpyxl.Workbook()
    for line in (tuple(COLUMNS), *lines):
        book.worksheets[0].append(list(line))
    book.save(path)
    return path


def make(tmp_path: Path, platform: str, community: Path, *more: str) -> int:
    given = ["--community", str(community), "--platform", platform, "--out", str(tmp_path / "out"), "--fast"]
    given += ["--key", str(tmp_path / "keys/working.key"), "--work", str(tmp_path / "work"), *more]
    return make_installers.main(given)


def test_every_community_of_a_table_gets_its_files(
    tmp_path: Path, work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two = table(
        tmp_path / "社区.xlsx",
        ("xingfuli", "幸福里社区", "", "幸福里", "https://192.0.2.10"),
        ("anningli", "安宁里社区", "", "安宁里", "https://192.0.2.11"),
    )
    assert make(tmp_path, "linux-amd64", two, "--notes", "打印更快了") == 0
    assert make(tmp_path, "windows", two) == 0
    told = capsys.readouterr().out
    assert "[2/2] 安宁里社区  qiaomen-anningli_0.1.0_windows-amd64.exe" in told
    assert "2 个社区，4 个文件" in told
    for id in ("xingfuli", "anningli"):
        offered = tmp_path / "out" / id
        found = look(OfFolder(offered), keys=trusted_keys(tmp_path / "keys"), community=id)
        assert found is not None
        manifest = found.manifest
        assert manifest.files.keys() == {"linux-amd64-deb", "linux-amd64-run", "windows-amd64"}
        assert (manifest.version, manifest.sequence, manifest.preset_sequence) == ("0.1.0", 1, 1)
        for file in manifest.files.values():
            assert fetch(OfFolder(offered), file, tmp_path / "got") is not None
        preset = read_preset(offered / f"{id}.qiaomenpreset", keys=[KEY.public])
        assert (preset.id, preset.sequence) == (id, 1)
        run = offered / manifest.files["linux-amd64-run"].name
        assert subprocess.run(["sh", run, "--check"], check=False, capture_output=True).returncode == 0
    with (tmp_path / "out/files.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["社区"] for row in rows] == ["xingfuli"] * 2 + ["anningli"] * 2
    listed = release.described(tmp_path / "out" / rows[0]["社区"] / rows[0]["文件"])
    assert (str(listed.size), listed.sha256) == (rows[0]["大小（字节）"], rows[0]["SHA-256"])


def test_a_table_with_a_mistake_makes_nothing(tmp_path: Path, work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = table(
        tmp_path / "社区.xlsx", ("xingfuli", "幸福里社区", "", "", "https://a"), ("xingfuli", "安宁里", "", "", "")
    )
    assert make(tmp_path, "all", wrong) == 1
    told = capsys.readouterr().err
    assert "第 3 行“编号”" in told
    assert "第 3 行“服务器地址”：没有填" in told
    assert not (tmp_path / "out").exists()


def test_what_can_not_be_wrapped_leaves_no_half_of_a_community(
    tmp_path: Path, work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (work / "tree-windows-amd64/runtime/pythonw.exe").unlink()
    one = table(tmp_path / "社区.xlsx", ("xingfuli", "幸福里社区", "", "", "https://a"))
    assert make(tmp_path, "linux-amd64", one) == 0
    before = {path.name for path in (tmp_path / "out/xingfuli").iterdir()}
    assert make(tmp_path, "windows", one) == 2
    assert "pythonw.exe missing" in capsys.readouterr().err
    assert {path.name for path in (tmp_path / "out/xingfuli").iterdir()} == before
    assert not (tmp_path / "out/xingfuli.new").exists()


def test_a_lower_release_is_not_issued(tmp_path: Path, work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = table(tmp_path / "社区.xlsx", ("xingfuli", "幸福里社区", "", "", "https://a"))
    assert make(tmp_path, "linux-amd64", one) == 0
    numbers = tmp_path / "out/numbers.json"
    numbers.write_text(numbers.read_text(encoding="utf-8").replace('"sequence": 1', '"sequence": 9'), encoding="utf-8")
    before = (tmp_path / "out/xingfuli" / MANIFEST).read_bytes()
    assert make(tmp_path, "linux-amd64", one) == 2
    assert "xingfuli 已经发过第 9 号，不能再发第 1 号" in capsys.readouterr().err
    assert (tmp_path / "out/xingfuli" / MANIFEST).read_bytes() == before


def test_another_version_under_a_number_that_was_issued_is_not_made(
    tmp_path: Path, work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = table(tmp_path / "社区.xlsx", ("xingfuli", "幸福里社区", "", "", "https://a"))
    assert make(tmp_path, "linux-amd64", one, "--form", "run") == 0
    numbers = tmp_path / "out/numbers.json"
    issued = numbers.read_text(encoding="utf-8")
    numbers.write_text(issued.replace(f'"version": "{__version__}"', '"version": "0.0.9"'), encoding="utf-8")
    assert make(tmp_path, "linux-amd64", one, "--form", "run") == 2
    assert "xingfuli 的第 1 号是 0.0.9 版" in capsys.readouterr().err
    numbers.write_text(issued, encoding="utf-8")
    assert make(tmp_path, "linux-amd64", one, "--form", "run") == 0  # the same once more, for another platform perhaps


def test_files_of_other_sources_do_not_get_into_the_same_release(
    tmp_path: Path, work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = table(tmp_path / "社区.xlsx", ("xingfuli", "幸福里社区", "", "", "https://a"))
    assert make(tmp_path, "linux-amd64", one, "--form", "run") == 0
    numbers = tmp_path / "out/numbers.json"
    made_of = Layout(work, tmp_path / "keys").sources
    assert numbers.read_text(encoding="utf-8").count(made_of) == 1
    numbers.write_text(numbers.read_text(encoding="utf-8").replace(made_of, "of before"), encoding="utf-8")
    assert make(tmp_path, "windows", one) == 0
    assert "qiaomen-xingfuli_0.1.0-1_amd64.run 和现在的源码不是一回事" in capsys.readouterr().out
    for platform, ways in (("windows", {"windows-amd64"}), ("linux-amd64", {"windows-amd64", "linux-amd64-run"})):
        assert make(tmp_path, platform, one, "--form", "run") == 0
        found = look(OfFolder(tmp_path / "out/xingfuli"), keys=[KEY.public], community="xingfuli")
        assert found is not None
        assert found.manifest.files.keys() == ways
    assert "源码" not in capsys.readouterr().out


def test_a_key_that_the_program_would_not_trust_signs_nothing(
    tmp_path: Path, work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = table(tmp_path / "社区.xlsx", ("xingfuli", "幸福里社区", "", "", "https://a"))
    (tmp_path / "keys/working.pub").unlink()
    assert make(tmp_path, "linux-amd64", one) == 2
    assert "没有和 working.key 相配的公钥" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_without_a_python_for_the_platform_nothing_is_laid_out(
    tmp_path: Path, work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = table(tmp_path / "社区.xlsx", ("xingfuli", "幸福里社区", "", "", "https://a"))
    (work / "tree-linux-amd64.stamp").write_text("of other sources", encoding="utf-8")
    assert make(tmp_path, "linux-amd64", one) == 2
    assert "没有 linux-amd64 的 Python 运行环境" in capsys.readouterr().err


def test_a_program_that_is_too_large_to_download_is_not_released(
    tmp_path: Path, work: Path, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Layout(work, keys).of("linux-amd64").payload is not None
    monkeypatch.setattr(check_tree, "MEGABYTE", 1)
    for _ in range(2):  # packed already or not
        with pytest.raises(LayoutError, match=r"payload-.* MB，最多 \d+ MB"):
            Layout(work, keys).of("linux-amd64")
    assert Layout(work, keys, fast=True).of("linux-amd64").payload is not None


def test_another_python_under_the_same_name_is_noticed(tmp_path: Path, work: Path, keys: Path) -> None:
    runtimes = tmp_path / "runtimes"
    runtimes.mkdir()
    for name, file in (("windows-amd64", "runtime-windows-amd64.zip"), ("linux-amd64", "runtime-x.tar.xz")):
        plan = Layout(work, keys, runtime=runtimes, fast=True)
        (runtimes / file).write_bytes(b"3.13.2")
        before = plan._stamp(name)
        assert plan._stamp(name) == before
        (runtimes / file).write_bytes(b"3.13.9, with its security fixes")
        assert plan._stamp(name) != before


def test_whoever_releases_with_the_old_python_for_windows_is_told(
    tmp_path: Path, work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = table(tmp_path / "社区.xlsx", ("xingfuli", "幸福里社区", "", "", "https://a"))
    assert make(tmp_path, "linux-amd64", one, "--form", "run") == 0
    assert "只供试做" not in capsys.readouterr().out
    assert make(tmp_path, "windows", one) == 0
    assert "只供试做" in capsys.readouterr().out


def test_a_new_key_goes_out_with_the_release_that_the_old_one_vouches_for(
    tmp_path: Path, work: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "next.pub").write_text(NEXT.public.text, encoding="utf-8")
    over = ["hand-over", "--key", str(keys / "working.key"), "--next", str(tmp_path / "next.pub")]
    assert release.main([*over, "--out", str(tmp_path / "over")]) == 0
    NEXT.save(keys / "working.key")
    (keys / "working.pub").write_text(NEXT.public.text, encoding="utf-8")
    for name in ("linux-amd64", "windows-amd64"):
        (work / f"tree-{name}.stamp").write_text(Layout(work, keys, fast=True)._stamp(name), encoding="utf-8")
    one = table(tmp_path / "社区.xlsx", ("xingfuli", "幸福里社区", "", "", "https://a"))
    assert make(tmp_path, "windows", one, "--hand-over", str(tmp_path / "over")) == 0
    offered = OfFolder(tmp_path / "out/xingfuli")
    found = look(offered, keys=[KEY.public], community="xingfuli")  # a PC that has not heard of the new key
    assert found is not None
    assert found.handover is not None
    with pytest.raises(TrustError, match="signature_unknown_key"):
        look(offered, keys=[SecretKey.generate().public], community="xingfuli")
    bad = ["hand-over", "--key", str(keys / "working.key"), "--next", str(keys / "working.key"), "--out", str(tmp_path)]
    assert release.main(bad) == 2


def test_an_installer_that_was_signed_afterwards_is_listed_anew(tmp_path: Path, work: Path, keys: Path) -> None:
    one = table(tmp_path / "社区.xlsx", ("xingfuli", "幸福里社区", "", "", "https://a"))
    assert make(tmp_path, "windows", one) == 0
    offered = tmp_path / "out/xingfuli"
    (setup,) = offered.glob("*.exe")
    setup.write_bytes(b"signed" + setup.read_bytes())
    found = look(OfFolder(offered), keys=[KEY.public], community="xingfuli")
    assert found is not None
    with pytest.raises(TrustError, match="release_changed"):
        fetch(OfFolder(offered), found.manifest.files["windows-amd64"], tmp_path / "got")
    assert release.main(["renew", str(offered), "--key", str(keys / "working.key")]) == 0
    found = look(OfFolder(offered), keys=[KEY.public], community="xingfuli")
    assert found is not None
    assert fetch(OfFolder(offered), found.manifest.files["windows-amd64"], tmp_path / "got") is not None
    (offered / f"{MANIFEST}.minisig").write_text(OFFLINE.sign((offered / MANIFEST).read_bytes()), encoding="utf-8")
    assert release.main(["renew", str(offered), "--key", str(keys / "working.key")]) == 2


def test_a_manifest_can_not_be_changed_after_it_was_signed(tmp_path: Path, work: Path) -> None:
    one = table(tmp_path / "社区.xlsx", ("xingfuli", "幸福里社区", "", "", "https://a"))
    assert make(tmp_path, "windows", one) == 0
    offered = tmp_path / "out/xingfuli"
    changed = msgspec.json.decode((offered / MANIFEST).read_bytes())
    changed["sequence"] = 7
    (offered / MANIFEST).write_bytes(msgspec.json.encode(changed))
    with pytest.raises(TrustError, match="signature_wrong"):
        look(OfFolder(offered), keys=[KEY.public], community="xingfuli")
