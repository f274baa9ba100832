"""Makes the two keys of those who issue presets and releases: the working key, and the offline key for the safe.

``packaging/make_keys.py --out DIR``; the format is minisign's, so ``minisign -V`` checks what they sign. Each key has a
passphrase of its own: whoever has seen that of the working key must not have the one by which it is replaced.
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
SWITCHES = {"working": "--passphrase-file", "offline": "--offline-passphrase-file"}
LEAST = 8


def main(arguments: list[str] | None = None) -> int:
    """Make the keys that are asked for; the exit status."""
    parser = argparse.ArgumentParser(
        prog="make_keys.py", description="生成签名密钥：日常用的 working 和锁起来的 offline。"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="放密钥的文件夹（不要放在程序源码里）")
    parser.add_argument("--only", choices=NAMES, help="只生成其中一把（换密钥时用）")
    for name, switch in SWITCHES.items():
        parser.add_argument(switch, type=Path, metavar="FILE", help=f"里面是 {name} 口令的文件；不给就在终端里问")
    parser.add_argument("--cost", type=int, default=DEAR, choices=range(10, DEAR + 1), help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    names = [given.only] if given.only else list(NAMES)
    there = [name for name in names if any((given.out / f"{name}{end}").exists() for end in (".key", ".pub"))]
    if there:
        return _complain(f"{given.out} 里已经有 {'、'.join(there)} 密钥了，没有动它。换密钥请放到另一个文件夹。")
    try:
        files = {"working": given.passphrase_file, "offline": given.offline_passphrase_file}
        if any(files.values()) and not all(files[name] for name in names):
            return _complain(f"每把密钥要有自己的口令：{'、'.join(SWITCHES[name] for name in names)} 都要给。")
        passphrases = {name: read_passphrase(files[name]) if files[name] else _asked(name) for name in names}
        if any(len(passphrase) < LEAST for passphrase in passphrases.values()):
            return _complain(f"口令至少 {LEAST} 个字。")
        if len(set(passphrases.values())) < len(names):
            return _complain("两把密钥的口令不能一样：日常用的那把被人看到了，锁起来的那把就没有用了。")
        given.out.mkdir(parents=True, exist_ok=True)
        for name in names:
            key = SecretKey.generate()
            key.save(given.out / f"{name}.key", passphrase=passphrases[name], cost=given.cost)
            (given.out / f"{name}.pub").write_text(key.public.text, encoding="utf-8")
            print(f"{name}.key  {name}.pub  编号 {key.public.name}")
    except (TrustError, KeysError) as error:
        return _complain(sentence(error))
    print(
        "*.pub 打进安装包；working.key 平时签名用；offline.key 请存到 U 盘锁起来，换密钥时才用。口令忘了就再也打不开。"
    )
    return 0


def _asked(name: str) -> str:
    first = getpass.getpass(f"给 {name} 密钥设一个口令：")
    return first if getpass.getpass("再输一遍：") == first else ""


def _complain(text: str) -> int:
    print(text, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
