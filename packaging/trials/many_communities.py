"""Installers of twenty communities from one table, as somebody who packages for a district makes them; seconds each.

    .venv/bin/python packaging/trials/many_communities.py [--count 20] [--platform all] [--form deb|run] [--out DIR]

QIAOMEN_RUNTIME names the folder of the Python runtimes for Linux. Afterwards every file is checked as a PC checks it.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE.parents[1]), str(_HERE.parent)]

import building_table
import make_installers
import openpyxl
from community import COLUMNS

from desktop.preset import read_preset
from sync.client.releases import OfFolder, fetch, look
from sync.keys.minisign import SecretKey, trusted_keys

_COMPOUNDS: Final = 8  # about what a community has: 20 of them are 160 compounds


def table(path: Path, *, count: int) -> Path:
    """Communities with their compounds and buildings."""
    book = openpyxl.Workbook()
    sheet, other = book.worksheets[0], book.create_sheet(building_table.SHEET)
    sheet.title = "社区"
    sheet.append(list(COLUMNS))
    other.append([building_table.OF, *building_table.COLUMNS])
    for number in range(1, count + 1):
        id, name = f"trial-{number:02}", f"试点第{number}社区"
        sheet.append([id, name, f"3708120010{number:02}", "", f"https://192.0.2.{number}:8440"])
        for compound in range(1, _COMPOUNDS + 1):
            for building in range(1, 11):
                other.append([id, f"第{compound}小区", f"{building}号楼", 6, 2, 3])
    book.save(path)
    return path


def main() -> int:
    """Make them and look at them; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--platform", choices=[*make_installers.CHOICES, "all"], default="all")
    parser.add_argument("--form", choices=("deb", "run"), action="append", default=[])
    parser.add_argument("--work", type=Path, default=_HERE.parents[1] / "build/package-test/release")
    parser.add_argument("--out", type=Path, help="keep what is made there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="many-communities-") as scratch:
        out = given.out or Path(scratch) / "out"
        keys = Path(scratch) / "keys"
        keys.mkdir()
        key = SecretKey(id=b"trial-01", seed=bytes(32))  # always the same, so that the trees are laid out once
        key.save(keys / "working.key")
        (keys / "working.pub").write_text(key.public.text, encoding="utf-8")
        command = ["--community", str(table(Path(scratch) / "社区.xlsx", count=given.count)), "--fast"]
        command += ["--platform", given.platform, "--key", str(keys / "working.key"), "--out", str(out)]
        command += ["--work", str(given.work), *(part for form in given.form for part in ("--form", form))]
        started = time.perf_counter(), time.process_time()
        if make_installers.main(command):
            print("FAILED making them")
            return 1
        print(f"ok      made in {time.perf_counter() - started[0]:.0f} s")
        return _look(out, count=given.count, keys=keys)


def _look(out: Path, *, count: int, keys: Path) -> int:
    trusted = trusted_keys(keys)
    files = 0
    for number in range(1, count + 1):
        id = f"trial-{number:02}"
        found = look(OfFolder(out / id), keys=trusted, community=id)
        if found is None:
            print(f"FAILED {id} offers nothing")
            return 1
        with tempfile.TemporaryDirectory() as scratch:
            for file in found.manifest.files.values():
                fetch(OfFolder(out / id), file, Path(scratch))
                files += 1
        preset = read_preset(out / id / f"{id}.qiaomenpreset", keys=trusted)
        if len(preset.buildings) != 10 * _COMPOUNDS or preset.id != id:
            print(f"FAILED {id} has other buildings")
            return 1
    print(f"ok      {count} communities, {files} installers, each as it was signed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
