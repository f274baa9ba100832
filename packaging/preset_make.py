"""Makes and signs the presets of communities: a folder each, and the same as one ``.qiaomenpreset`` file.

    .venv/bin/python packaging/preset_make.py --community FILE.toml|TABLE.xlsx --key working.key --out DIR

A preset that has changed gets the next number by itself; the numbers are kept in ``numbers.json`` beside the output.
"""

import argparse
import hashlib
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

sys.path[:0] = [str(Path(__file__).resolve().parent.parent), str(Path(__file__).resolve().parent)]

import msgspec
from community import Packaged, complain, read_communities
from icons import IconError, icons
from signing import add_key_arguments, open_key, sentence
from tables import WrongTable

from desktop.preset import BUILDINGS, COMMUNITY, SUFFIX, Community, Preset, read_preset
from sync.errors import KeysError, TrustError
from sync.keys.manifests import MANIFEST, PresetManifest
from sync.keys.minisign import SUFFIX as SIGNED
from sync.keys.minisign import SecretKey

NUMBERS: Final = "numbers.json"


class Issued(msgspec.Struct, frozen=True):
    """What was issued last: its number, when (ms since 1970), what it was made of; of a release its version, too."""

    sequence: int
    issued_at: int
    digest: str
    version: str = ""
    sources: str = ""


class Numbers(msgspec.Struct):
    """The numbers that only grow, of the presets and of the releases, by the community's id.

    Whoever loses this file begins again at 1, and every PC refuses what is issued then: it is kept with the keys.
    """

    presets: dict[str, Issued] = {}
    releases: dict[str, Issued] = {}

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read them; none yet when there is no file. ValueError when it is damaged."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except FileNotFoundError:
            return cls()
        except msgspec.DecodeError as error:
            raise ValueError(f"{path} 读不出来；请用备份的那一份") from error

    def save(self, path: Path) -> None:
        """Write them, the old file or the new one and never half of one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(path.name + ".new")
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")
        fresh.replace(path)


def issue(known: dict[str, Issued], id: str, *, digest: str, least: int, now: Callable[[], int]) -> Issued:
    """The number for what is to be issued: the last one when nothing has changed, else a new one from ``least`` on."""
    last = known.get(id)
    if last is not None and last.digest == digest and last.sequence >= least:
        return last
    known[id] = Issued(max(last.sequence + 1 if last else 1, least), now(), digest)
    return known[id]


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Maker:
    """Signs with one key, numbers with one file of numbers; ``least`` is the lowest number to give."""

    key: SecretKey
    numbers: Numbers
    least: int = 1
    now: Callable[[], int] = now_ms

    def make(self, packaged: Packaged, folder: Path) -> Preset:
        """Write the preset into a folder (replaced when it is there), checked as the program will check it.

        Raises IconError, and TrustError when what was made is not what the program takes.
        """
        files = contents(packaged)
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
        whole = hashlib.sha256(repr(digests).encode()).hexdigest()
        id = packaged.community.id
        issued = issue(self.numbers.presets, id, digest=whole, least=self.least, now=self.now)
        manifest = PresetManifest(
            community=id, issued_at=issued.issued_at, sequence=issued.sequence, files=digests
        ).content
        comment = f"qiaomen preset {id} {issued.sequence}"
        fresh = folder.with_name(folder.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        for name, content in files.items():
            (fresh / name).write_bytes(content)
        (fresh / MANIFEST).write_bytes(manifest)
        (fresh / f"{MANIFEST}{SIGNED}").write_text(self.key.sign(manifest, comment=comment), encoding="utf-8")
        read_preset(fresh, keys=[self.key.public])
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
        return read_preset(folder, keys=[self.key.public])


def contents(packaged: Packaged) -> dict[str, bytes]:
    """Every file of the preset but the manifest and its signature. IconError when the logo is no picture."""
    files = {COMMUNITY: community_text(packaged.community).encode(), BUILDINGS: packaged.buildings.content}
    optional = {"ca.pem": packaged.ca, "logo.png": packaged.logo}
    files |= {name: content for name, content in optional.items() if content}
    return {**files, **icons(packaged.logo)}


def check_pictures(communities: Sequence[Packaged]) -> None:
    """Draw all pictures once, before anything is written. Raises WrongTable with each logo that is no picture."""
    wrong = []
    for one in communities:
        try:
            icons(one.logo)
        except IconError:
            wrong.append(f"{one.community.id}（{one.community.name}）的标志：这张 PNG 打不开")
    if wrong:
        raise WrongTable(wrong)


def community_text(community: Community) -> str:
    """``community.toml``; a JSON value is one of TOML, too."""
    values = msgspec.to_builtins(community)
    return "".join(
        f"{key} = {msgspec.json.encode(value).decode()}\n" for key, value in values.items() if value is not None
    )


def main(arguments: list[str] | None = None) -> int:
    """Make the presets of a file; the exit status: 1 when the table is wrong, 2 when it can't be signed."""
    parser = argparse.ArgumentParser(prog="preset_make.py", description="生成并签名社区的预设文件。")
    parser.add_argument("--community", type=Path, required=True, metavar="FILE.toml|TABLE.xlsx")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--numbers", type=Path, metavar="FILE", help=f"序号文件，默认 DIR/{NUMBERS}；请和密钥一起备份")
    parser.add_argument("--sequence", type=int, default=1, metavar="N", help="序号至少从 N 起")
    add_key_arguments(parser)
    given = parser.parse_args(arguments)
    numbers_file = given.numbers or given.out / NUMBERS
    try:
        communities = read_communities(given.community)
        check_pictures(communities)
        numbers = Numbers.load(numbers_file)
        maker = Maker(open_key(given.key, passphrase_file=given.passphrase_file), numbers, least=given.sequence)
        for packaged in communities:
            preset = maker.make(packaged, given.out / packaged.community.id)
            numbers.save(numbers_file)
            packed = given.out / f"{preset.id}{SUFFIX}"
            preset.keep(packed)
            print(f"{preset.id}  {preset.community.name}  第 {preset.sequence} 号  {packed.name}")
    except WrongTable as error:
        return complain(error)
    except (TrustError, KeysError) as error:
        print(sentence(error), file=sys.stderr)
        return 2
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
