"""What every test of the whole program stands on: no display, a throw-away home, the real look in Chinese."""

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.setdefault("QT_ENABLE_HIGHDPI_SCALING", "0")

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from desktop import i18n, theme


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    return ["qiaomen-tests"]


@pytest.fixture(autouse=True)
def dressed(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The default theme, Chinese, and a HOME that is not the person's."""
    monkeypatch.setenv("HOME", str(tmp_path))
    theme.apply(qapp, theme.load())
    i18n.install(qapp, i18n.CHINESE)
    yield
    theme.apply(qapp, theme.load())
