"""All installers of all communities of a table, in one command.

    .venv/bin/python packaging/make_installers.py --community TABLE.xlsx --platform all --key working.key --out DIR

The program is laid out once for each platform; a community only gets its signed preset and is wrapped. ``DIR/<id>`` is
what is handed to that community, and what its server offers to its PCs (``serve --releases DIR/<id>``).
"""

import argparse
import csv
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

sys.path[:0] = [str(Path(__file__).resolve().parent.parent), str(Path(__file__).resolve().parent)]

import check_tree
import fetch_runtime_windows
import layout
import wrap_linux
import wrap_windows
from community import Packaged, complain, read_communities
from fetching import sha256_of
from pins import PLATFORMS, ROOT, platform, program_version, versions
from preset_make import NUMBERS, Maker, Numbers, check_pictures
from release import Release, ReleaseError, check_number, described, issue_release, way_of
from signing import add_key_arguments, open_key, sentence
from tables import WrongTable

from desktop.preset import SUFFIX, Preset
from sync.errors import KeysError, TrustError
from sync.keys.manifests import MANIFEST, ReleaseManifest
from sync.keys.minisign import SUFFIX as SIGNED
from sync.keys.minisign import trusted_keys

CHOICES: Final = {"windows": "windows-amd64", "linux-amd64": "linux-amd64", "linux-arm64": "linux-arm64"}
TABLE: Final = "files.csv"
# What a tree is made of: when any of it has changed, it is laid out anew.
_LAID_OUT: Final = ("desktop", "sync", "resources", "packaging/linux", "packaging/licences", "packaging/locks")
_LAID_OUT_BY: Final = ("bill", "boot", "elf", "fetch_runtime_windows", "fetching", "icu_data", "layout", "pins")


@dataclass(frozen=True, slots=True)
class Made:
    """One finished file of a community."""

    community: str
    name: str
    path: Path
    size: int
    sha256: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Laid:
    """A platform's tree, and for Linux the packed program that every .run carries."""

    platform: str
    tree: Path
    payload: Path | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """Lays the program out, once for each platform and state of the sources."""

    work: Path
    keys: Path
    runtime: Path | None = None
    fast: bool = False
    needs_runtime: bool = True

    def of(self, name: str) -> Laid:
        """The tree of a platform, made anew only when something it is made of has changed.

        LayoutError, FetchError, RuntimeRefused.
        """
        self.work.mkdir(parents=True, exist_ok=True)
        place, stamp = self.work / f"tree-{name}", self.work / f"tree-{name}.stamp"
        wanted = self._stamp(name)
        laid = Laid(name, place)
        if self._takes_registry_copy(name):
            _say(f"{name}：用的是软件包仓库里的 Python 旧副本，只供试做；要发布请给最新的官方版（packaging/README.md）")
        if not (place.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted):
            stamp.unlink(missing_ok=True)
            target = platform(name)
            found = self._runtime(name)
            pieces = layout.Pieces.found_in(found, target)
            if pieces.runtime is None and self.needs_runtime:
                raise layout.LayoutError(
                    f"没有 {name} 的 Python 运行环境；用 --runtime 或 QIAOMEN_RUNTIME 给出它的文件夹"
                )
            compiler = layout.host_compiler(self.runtime)
            layout.lay_out(name, out=place, pieces=pieces, keys=self.keys, compiler=compiler)
            faults = check_tree.faults(place)
            if faults:
                told = "\n".join(f"  {fault}" for fault in faults)
                raise layout.LayoutError(f"{name} 的程序目录不合要求：\n{told}")
            stamp.write_text(wanted, encoding="utf-8")
        return laid if not platform(name).is_linux else Laid(name, place, self._payload(place, wanted))

    def _payload(self, tree: Path, stamp: str) -> Path:
        folder = self.work / f"payload-{hashlib.sha256(stamp.encode()).hexdigest()[:16]}{'-fast' if self.fast else ''}"
        ready = sorted(folder.glob("*.tar.xz")) if (folder / "ready").exists() else []
        if ready:
            return self._bounded(ready[0], tree)
        packed = layout.pack_payload(tree, folder, level=1 if self.fast else 6)
        (folder / "ready").write_text("", encoding="utf-8")
        return self._bounded(packed, tree)

    def _bounded(self, packed: Path, tree: Path) -> Path:
        """What people download has a limit; ``fast`` is for trials."""
        most = platform(Release.of_tree(tree).platform).download_megabytes
        if not self.fast and (size := packed.stat().st_size / check_tree.MEGABYTE) > most:
            raise layout.LayoutError(f"{packed.name} 有 {size:.1f} MB，最多 {most} MB")
        return packed

    def _runtime(self, name: str) -> Path | None:
        if not self._takes_registry_copy(name):
            return self.runtime
        fetched = self.work / "runtime-windows-amd64.zip"
        if not fetched.exists():
            fetch_runtime_windows.fetch(out=fetched)
        return fetched

    def _takes_registry_copy(self, name: str) -> bool:
        """For Windows only, where none was given; its lock is among the sources."""
        target = platform(name)
        if target.is_linux or not self.needs_runtime:
            return False
        return layout.Pieces.found_in(self.runtime, target).runtime is None

    @property
    def sources(self) -> str:
        """A digest of what every platform's tree is made of; the runtimes are not among it."""
        return _digest([*_sources(), *sorted(self.keys.glob("*.pub"))])

    def _stamp(self, name: str) -> str:
        """A digest of all that the tree is made of."""
        pieces = layout.Pieces.found_in(self.runtime, platform(name))
        built = [path for piece in (pieces.runtime, pieces.fcitx) if piece is not None for path in _files(piece)]
        return f"{name} {self.needs_runtime} {self.sources} {_digest(built)}"


@dataclass(slots=True)
class Factory:
    """Makes what each community gets; ``made`` collects the finished files."""

    maker: Maker
    laid: Sequence[Laid]
    out: Path
    work: Path
    forms: Sequence[str] = ("deb", "run")
    fast: bool = False
    notes: str = ""
    hand_over: Path | None = None
    sources: str = ""
    made: list[Made] = field(default_factory=list)

    def make(self, packaged: Packaged) -> Iterator[Made]:
        """Every file of a community, each told as soon as it is finished; its folder appears when all of them are.

        WrapError of either platform, ReleaseError, TrustError.
        """
        fresh = self.out / f"{packaged.community.id}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        try:
            yield from self._make(packaged, fresh)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)  # only what was not finished is there still

    def _make(self, packaged: Packaged, fresh: Path) -> Iterator[Made]:
        id = packaged.community.id
        preset = self.maker.make(packaged, self.work / "presets" / id)
        release = Release.of_tree(self.laid[0].tree)
        files = {}
        for one in self.laid:
            for form in self.forms if platform(one.platform).is_linux else ("exe",):
                started = time.perf_counter()
                path = self._wrapped(one, form, preset.place, fresh)
                files[way_of(one.platform, path)] = path
                yield self._noted(id, path, seconds=time.perf_counter() - started)
        files = self._made_before(id, release, preset, fresh) | files
        packed = fresh / f"{id}{SUFFIX}"
        preset.keep(packed)
        for path in sorted(self.hand_over.glob("*.pub*")) if self.hand_over else ():
            shutil.copyfile(path, fresh / path.name)
        issue_release(
            fresh,
            community=id,
            release=release,
            files=files,
            preset=(packed, preset.sequence),
            key=self.maker.key,
            numbers=self.maker.numbers,
            notes=self.notes,
            now=self.maker.now,
            sources=self.sources,
        )
        yield self._noted(id, packed, seconds=0.0)
        shutil.rmtree(self.out / id, ignore_errors=True)
        fresh.rename(self.out / id)

    def _made_before(self, id: str, release: Release, preset: Preset, fresh: Path) -> dict[str, Path]:
        """Files of the same release with the same preset that an earlier run made for other platforms.

        Those of other sources under the same version stay out, and that is told: PCs of one community run one program.
        """
        folder = self.out / id
        try:
            content = (folder / MANIFEST).read_bytes()
            signature = (folder / f"{MANIFEST}{SIGNED}").read_text(encoding="utf-8")
            before = ReleaseManifest.read(content, signature=signature, keys=[self.maker.key.public])
        except (OSError, TrustError):
            return {}
        found, strange = {}, []
        last = self.maker.numbers.releases.get(id)
        is_same_program = last is not None and last.sources == self.sources
        if (before.sequence, before.preset_sequence) == (release.sequence, preset.sequence):
            for way, file in before.files.items():
                path = folder / file.name
                if not path.exists() or (fresh / file.name).exists() or described(path) != file:
                    continue
                if not is_same_program:
                    strange.append(file.name)
                else:
                    shutil.copyfile(path, fresh / file.name)
                    found[way] = fresh / file.name
        if strange:
            _say(f"{id}：上次做的 {'、'.join(strange)} 和现在的源码不是一回事，没有放进这一版；请再做一遍那个平台")
        return found

    def _wrapped(self, one: Laid, form: str, preset: Path, out: Path) -> Path:
        match form:
            case "exe":
                return wrap_windows.wrap_exe(one.tree, preset, out, fast=self.fast)
            case "deb":
                return wrap_linux.wrap_deb(one.tree, preset, out, fast=self.fast)
            case _:
                return wrap_linux.wrap_run(one.tree, preset, out, payload=one.payload, fast=self.fast)

    def _noted(self, id: str, path: Path, *, seconds: float) -> Made:
        told = described(path)
        made = Made(id, told.name, self.out / id / told.name, told.size, told.sha256, seconds)
        self.made.append(made)
        return made


def write_table(made: Sequence[Made], path: Path) -> None:
    """The table of all files for Excel: community, file, bytes, sha256."""
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["社区", "文件", "大小（字节）", "SHA-256"])
        writer.writerows([one.community, one.name, one.size, one.sha256] for one in made)


def main(arguments: list[str] | None = None) -> int:
    """Make everything; the exit status: 1 when the table is wrong, 2 when something else stands in the way."""
    given = _parser().parse_args(arguments)
    names = list(PLATFORMS) if given.platform == "all" else [CHOICES[given.platform]]
    out: Path = given.out
    numbers_file = given.numbers or out / NUMBERS
    started = time.perf_counter()
    try:
        communities = read_communities(given.community)
        check_pictures(communities)
        key = open_key(given.key, passphrase_file=given.passphrase_file)
        keys = given.keys or given.key.parent
        if key.public not in trusted_keys(keys):
            raise ReleaseError(f"{keys} 里没有和 {given.key.name} 相配的公钥（*.pub）；装好的程序会不认这些预设")
        numbers = Numbers.load(numbers_file)
        _check_numbers(communities, numbers)
        place = Path(given.runtime) if given.runtime else None
        plan = Layout(given.work, keys, runtime=place, fast=given.fast)
        laid = []
        for name in names:
            _say(f"{name}：正在排好程序（每次发布只做一遍）……")
            laid.append(plan.of(name))
        factory = Factory(
            Maker(key, numbers),
            laid,
            out,
            given.work,
            forms=given.form or ("deb", "run"),
            fast=given.fast,
            notes=given.notes,
            hand_over=given.hand_over,
            sources=plan.sources,
        )
        laid_out_s = time.perf_counter() - started
        for place_in_row, packaged in enumerate(communities, 1):
            told = f"[{place_in_row}/{len(communities)}] {packaged.community.name}"
            if packaged.in_clear:
                _say(f"{told}  不加密的服务器地址：{'、'.join(packaged.in_clear)}（表里允许了）")
            for made in factory.make(packaged):
                _say(f"{told}  {made.name}  {made.size / 1e6:.1f} MB  {made.seconds:.1f} 秒")
            numbers.save(numbers_file)
    except WrongTable as error:
        return complain(error)
    except (TrustError, KeysError) as error:
        return _stop(sentence(error))
    except (ReleaseError, fetch_runtime_windows.RuntimeRefused, OSError, ValueError, RuntimeError) as error:
        # The last is what laying out and wrapping raise.
        return _stop(str(error))
    write_table(factory.made, out / TABLE)
    _show(factory.made, out)
    each = (time.perf_counter() - started - laid_out_s) / len(communities)
    _say(f"{len(communities)} 个社区，{len(factory.made)} 个文件；排程序 {laid_out_s:.0f} 秒，每个社区 {each:.1f} 秒。")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make_installers.py", description="一条命令做好一张表里所有社区的安装包。")
    parser.add_argument("--community", type=Path, required=True, metavar="FILE.toml|TABLE.xlsx", help="社区表")
    parser.add_argument("--platform", choices=[*CHOICES, "all"], default="all")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="每个社区一个文件夹")
    add_key_arguments(parser)
    parser.add_argument("--keys", type=Path, metavar="DIR", help="打进程序的公钥（*.pub），默认在私钥旁边")
    parser.add_argument("--hand-over", type=Path, metavar="DIR", help="换密钥时的作保文件（release.py hand-over）")
    parser.add_argument("--runtime", default=os.environ.get("QIAOMEN_RUNTIME"), metavar="DIR", help="Python 运行环境")
    parser.add_argument("--form", choices=("deb", "run"), action="append", help="Linux 只做其中一种")
    parser.add_argument("--numbers", type=Path, metavar="FILE", help=f"序号文件，默认 DIR/{NUMBERS}；请和密钥一起备份")
    parser.add_argument("--notes", default="", help="这一版有什么新东西（给用的人看的一句话）")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "release", metavar="DIR", help="中间文件放哪里")
    parser.add_argument("--fast", action="store_true", help="压缩得快一些、大一些（试做用）")
    return parser


def _check_numbers(communities: Sequence[Packaged], numbers: Numbers) -> None:
    sequence, version = int(versions()["release"]["sequence"]), program_version()
    for packaged in communities:
        check_number(numbers, community=packaged.community.id, sequence=sequence, version=version)


def _sources() -> Iterator[Path]:
    for folder in _LAID_OUT:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path
    yield from (ROOT / "packaging" / f"{name}.py" for name in _LAID_OUT_BY)
    yield from (ROOT / "packaging" / name for name in ("pruning.py", "versions.toml"))


def _digest(paths: Sequence[Path]) -> str:
    """Of their contents and of their names, wherever the checkout lies."""
    whole = hashlib.sha256()
    for path in paths:
        told = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        whole.update(f"{told.as_posix()} {sha256_of(path)}\n".encode())
    return whole.hexdigest()


def _files(piece: Path) -> list[Path]:
    return [piece] if piece.is_file() else sorted(path for path in piece.rglob("*") if path.is_file())


def _show(made: Sequence[Made], out: Path) -> None:
    widest = max(len(one.name) for one in made)
    for one in made:
        _say(f"{one.name:<{widest}}  {one.size / 1e6:>6.1f} MB  {one.sha256}")
    _say(f"清单：{out / TABLE}")


def _say(text: str) -> None:
    print(text, flush=True)


def _stop(text: str) -> int:
    print(text, file=sys.stderr)
    print("已经做完的社区是完整的；没做完的什么也没留下。", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
