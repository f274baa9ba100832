"""Makes the two keys of those who issue presets and releases: the working key, and the offline key for the safe.

``packaging/make_keys.py --out DIR``; the format is minisign's, so ``minisign -V`` checks what they sign.
"""

import argparse
import getpass
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent), str(Path(__file__).resolve().parent)]

from signing import read_passphrase, sentence

from sync.errors import KeysError, TrustError
from sync.keys.minisign import DEAR, SecretKey

NAMES = ("working", "offline")
LEAST = 8


def main(arguments: list[str] | None = None) -> int:
    """Make the keys that are asked for; the exit status."""
    parser = argparse.ArgumentParser(
        prog="make_keys.py", description="生成签名密钥：日常用的 working 和锁起来的 offline。"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="放密钥的文件夹（不要放在程序源码里）")
    parser.add_argument("--only", choices=NAMES, help="只生成其中一把（换密钥时用）")
    parser.add_argument("--passphrase-file", type=Path, metavar="FILE", help="里面是口令的文件；不给就在终端里问")
    parser.add_argument("--cost", type=int, default=DEAR, choices=range(10, DEAR + 1), help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    names = [given.only] if given.only else list(NAMES)
    there = [name for name in names if any((given.out / f"{name}{end}").exists() for end in (".key", ".pub"))]
    if there:
        return _complain(f"{given.out} 里已经有 {'、'.join(there)} 密钥了，没有动它。换密钥请放到另一个文件夹。")
    try:
        passphrase = read_passphrase(given.passphrase_file) if given.passphrase_file else _asked()
        if len(passphrase) < LEAST:
            return _complain(f"口令至少 {LEAST} 个字。")
        given.out.mkdir(parents=True, exist_ok=True)
        for name in names:
            key = SecretKey.generate()
            key.save(given.out / f"{name}.key", passphrase=passphrase, cost=given.cost)
            (given.out / f"{name}.pub").write_text(key.public.text, encoding="utf-8")
            print(f"{name}.key  {name}.pub  编号 {key.public.name}")
    except (TrustError, KeysError) as error:
        return _complain(sentence(error))
    print(
        "*.pub 打进安装包；working.key 平时签名用；offline.key 请存到 U 盘锁起来，换密钥时才用。口令忘了就再也打不开。"
    )
    return 0


def _asked() -> str:
    first = getpass.getpass("给密钥设一个口令：")
    return first if getpass.getpass("再输一遍：") == first else ""


def _complain(text: str) -> int:
    print(text, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
