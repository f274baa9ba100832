"""Opening the key that signs: from its file, with a passphrase that is typed or stands in a file."""

import argparse
import getpass
import sys
from pathlib import Path
from typing import Final

from sync.errors import KeysError, TrustError
from sync.keys.minisign import SecretKey

# What the person who packages reads; the program's own words for these codes are in desktop/words/trust.py.
SENTENCES: Final = {
    "secret_key_unreadable": "签名私钥 {name} 读不出来。",
    "secret_key_locked": "签名私钥 {name} 有口令，请给出口令（--passphrase-file 文件，或者在终端里输入）。",
    "secret_key_passphrase": "口令打不开签名私钥 {name}。",
    "public_key_unreadable": "公钥 {name} 读不出来。",
    "signature_wrong": "清单和签名对不上。",
    "signature_unknown_key": "清单不是用这把密钥签的（是 {key}）。",
    "keys_unwritable": "密钥文件写不进去，请看看文件夹和磁盘。",
}


def add_key_arguments(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """The switches of every command that signs: ``--key`` and ``--passphrase-file``."""
    parser.add_argument("--key", type=Path, required=required, metavar="FILE", help="签名私钥（working.key）")
    parser.add_argument("--passphrase-file", type=Path, metavar="FILE", help="里面是私钥口令的文件；不给就在终端里问")


def open_key(path: Path, *, passphrase_file: Path | None) -> SecretKey:
    """The key that signs; asks at the terminal for a passphrase where one is wanted and none was given.

    Raises TrustError: secret_key_unreadable, secret_key_locked, secret_key_passphrase.
    """
    if passphrase_file is not None:
        return SecretKey.load(path, passphrase=read_passphrase(passphrase_file))
    try:
        return SecretKey.load(path)
    except TrustError as error:
        if error.code != "secret_key_locked" or not sys.stdin.isatty():
            raise
    return SecretKey.load(path, passphrase=getpass.getpass(f"{path.name} 的口令："))


def read_passphrase(file: Path) -> str:
    """The first line of a passphrase's file. Raises TrustError ``secret_key_unreadable``."""
    try:
        return file.read_text(encoding="utf-8").split("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise TrustError("secret_key_unreadable", name=file.name) from error


def sentence(error: TrustError | KeysError) -> str:
    """What to tell the person who packages."""
    return SENTENCES.get(error.code, error.code).format_map(error.params)
