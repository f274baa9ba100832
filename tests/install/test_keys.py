"""The keys of those who issue presets and releases."""

from pathlib import Path

import make_keys
import pytest
from signing import open_key

from sync.errors import TrustError
from sync.keys.minisign import trusted_keys


def test_two_keys_are_made_under_a_passphrase_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, passphrase, other = tmp_path / "keys", tmp_path / "passphrase", tmp_path / "other"
    passphrase.write_text("四海之内皆兄弟也\n", encoding="utf-8")
    other.write_text("天下何人不识君也\n", encoding="utf-8")
    asked = ["--out", str(out), "--passphrase-file", str(passphrase), "--cost", "10"]
    assert make_keys.main(asked) == 2
    assert "--offline-passphrase-file 都要给" in capsys.readouterr().err
    assert make_keys.main([*asked, "--offline-passphrase-file", str(passphrase)]) == 2
    assert "口令不能一样" in capsys.readouterr().err
    assert not out.exists()
    asked += ["--offline-passphrase-file", str(other)]
    assert make_keys.main(asked) == 0
    offline, working = trusted_keys(out)
    told = capsys.readouterr().out
    assert working.name in told
    assert offline.name in told
    key = open_key(out / "working.key", passphrase_file=passphrase)
    assert key.public == working
    assert open_key(out / "offline.key", passphrase_file=other).public == offline
    before = (out / "working.key").read_bytes()
    assert make_keys.main(asked) == 2
    assert "已经有 working、offline" in capsys.readouterr().err
    assert (out / "working.key").read_bytes() == before


def test_a_short_passphrase_makes_no_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "passphrase").write_text("1234567", encoding="utf-8")
    asked = ["--out", str(tmp_path / "keys"), "--only", "working", "--passphrase-file", str(tmp_path / "passphrase")]
    assert make_keys.main(asked) == 2
    assert "至少 8" in capsys.readouterr().err
    assert not (tmp_path / "keys").exists()


def test_a_locked_key_is_not_opened_without_its_passphrase(tmp_path: Path) -> None:
    passphrase, wrong = tmp_path / "passphrase", tmp_path / "wrong"
    passphrase.write_text("四海之内皆兄弟也", encoding="utf-8")
    wrong.write_text("四海之内皆兄弟", encoding="utf-8")
    asked = ["--out", str(tmp_path), "--only", "working", "--passphrase-file", str(passphrase), "--cost", "10"]
    assert make_keys.main(asked) == 0
    assert not (tmp_path / "offline.key").exists()
    with pytest.raises(TrustError, match="secret_key_passphrase"):
        open_key(tmp_path / "working.key", passphrase_file=wrong)
    with pytest.raises(TrustError, match="secret_key_unreadable"):
        open_key(tmp_path / "working.key", passphrase_file=tmp_path / "none")
