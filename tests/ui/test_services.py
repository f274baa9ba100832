"""Paths, settings, logs, crashes and words: what the desktop stands on besides Qt."""

import logging
import os
import sys
import threading
from pathlib import Path

import pytest

from desktop import crash, logs, settings
from desktop.crash import CrashGuard
from desktop.paths import Paths, resources
from desktop.settings import Settings
from desktop.texts import sentence, words
from sync.errors import KeysError, Offline, RuleError, StoreError

# ---------------------------------------------------------------------------------------- paths, settings


def test_a_home_of_its_own_holds_everything(tmp_path: Path) -> None:
    places = Paths.for_home(tmp_path / "trial")
    places.ensure()
    mine = [places.data, places.logs, places.config, places.drafts, places.backups]
    assert all(folder.is_dir() and tmp_path in folder.parents for folder in mine)
    assert Paths.for_user().data.name == "qiaomen"
    assert (resources() / "brand.toml").is_file()


def test_nobody_else_reads_the_folders(paths: Paths) -> None:
    has_modes = os.name == "posix"
    assert not has_modes or paths.data.stat().st_mode & 0o077 == 0


def test_choices_are_kept_and_defaults_fill_the_rest(paths: Paths) -> None:
    assert settings.load(paths.settings_file).settings == Settings()
    settings.save(paths.settings_file, Settings(text_percent=150, server_url="https://example.invalid"))
    assert settings.load(paths.settings_file).settings.text_percent == 150
    paths.settings_file.write_text('{"language": "en", "of_a_newer_program": 1}', "utf-8")
    loaded = settings.load(paths.settings_file)
    assert (loaded.settings.language, loaded.settings.text_percent, loaded.set_aside) == ("en", 100, None)


@pytest.mark.parametrize("damaged", ["", "{", '{"text_percent": 5000}', '{"language": 3}'])
def test_a_damaged_file_is_set_aside_and_told_once(paths: Paths, damaged: str) -> None:
    paths.settings_file.write_text(damaged, "utf-8")
    loaded = settings.load(paths.settings_file)
    assert loaded.settings == Settings()
    assert loaded.set_aside is not None
    assert loaded.set_aside.read_text("utf-8") == damaged
    assert settings.load(paths.settings_file).set_aside is None


# ---------------------------------------------------------------------------------------- logs


def test_the_log_keeps_ids_and_loses_names_notes_and_numbers(paths: Paths) -> None:
    handler = logs.start(paths.logs)
    try:
        log = logging.getLogger("test")
        record = "01934567-1234-7234-8234-123456789012"
        log.info("saved %s for 李桂芳 𬱖 phone 13712346621 id 37081219600101123X in 12 ms", record)
        try:
            raise ValueError("暖气不热 13712346621")
        except ValueError:
            log.exception("failed")
    finally:
        logs.stop(handler)
    text = (paths.logs / logs.LOG_NAME).read_text("utf-8")
    assert record in text
    assert "12 ms" in text
    assert "ValueError" in text
    for private in ("李", "𬱖", "暖", "13712346621", "370812"):
        assert private not in text


# ---------------------------------------------------------------------------------------- crashes


def test_uncaught_errors_are_told_and_cleaned(paths: Paths) -> None:
    told: list[str] = []
    guard = CrashGuard(fault_file=paths.fault_file, on_crash=told.append)
    guard.install()
    try:
        try:
            raise RuntimeError("李桂芳 13712346621")
        except RuntimeError as error:
            sys.excepthook(RuntimeError, error, error.__traceback__)

        def fail() -> None:
            raise KeyError("x")

        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
        assert paths.fault_file.exists()
    finally:
        guard.uninstall()
    assert len(told) == 2
    assert "RuntimeError" in told[0]
    assert "李" not in told[0]
    assert "KeyError" in told[1]
    assert not paths.fault_file.exists()
    assert crash.last_words(paths.fault_file) == ""


def test_an_error_while_telling_does_not_go_round(paths: Paths) -> None:
    def fail(details: str) -> None:
        raise RuntimeError(details)

    guard = CrashGuard(fault_file=paths.fault_file, on_crash=fail)
    guard.install()
    try:
        sys.excepthook(ValueError, ValueError("x"), None)
    finally:
        guard.uninstall()
    assert sys.excepthook is sys.__excepthook__


def test_the_last_words_are_read_once_and_kept_beside(paths: Paths) -> None:
    paths.fault_file.write_text("Fatal Python error: Segmentation fault\n", "utf-8")
    assert "Segmentation" in crash.last_words(paths.fault_file)
    assert crash.last_words(paths.fault_file) == ""
    assert paths.fault_file.with_suffix(".last.txt").exists()


# ---------------------------------------------------------------------------------------- words


def test_errors_say_what_happened_what_was_kept_and_what_to_do() -> None:
    said = words(StoreError("disk_full"))
    assert (said.title, said.advice) == ("没存上：磁盘满了", "您写的留在草稿里了。请腾出一些地方，再存一次。")
    assert said.details == "StoreError disk_full"
    assert (
        words(RuleError("note", "too_long", length=10_000, limit=2000)).title == "太长了：写了 10000 个字，最多 2000 个"
    )
    assert sentence(RuleError("late_reason", "late_reason_needed")) == "过了 … 天以上，请写一句为什么现在才记"


def test_an_unknown_code_still_gets_words_of_its_kind() -> None:
    assert words(Offline("never_heard_of")).title == "现在没有网"
    assert words(KeysError("never_heard_of")).title == "没打开"
    said = words(ZeroDivisionError("李桂芳"))
    assert said.title == "程序出了点问题"
    assert said.details == "ZeroDivisionError"
