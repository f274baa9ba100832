"""What every test of the screen stands on: no display, a throw-away home, the real look, no unexpected warning."""

import faulthandler
import os
import sys

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.setdefault("QT_ENABLE_HIGHDPI_SCALING", "0")

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from desktop import i18n, theme
from desktop.paths import Paths

# Said by the offscreen platform itself, not by anything of ours.
_PLATFORM_SAYS = (
    "This plugin does not support",
    "QFontDatabase: Cannot find font directory",
)


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    return ["qiaomen-tests"]


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """A home that the test has for itself."""
    places = Paths.for_home(tmp_path / "home")
    places.ensure()
    return places


@pytest.fixture(autouse=True)
def dressed(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The default theme, Chinese, and a HOME that is not the person's."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg-data"))
    if theme.current().name != "default" or theme.current().percent != 100 or not qapp.styleSheet():
        theme.apply(qapp, theme.load())
    if i18n.language() != i18n.CHINESE:
        i18n.install(qapp, i18n.CHINESE)
    yield
    if not faulthandler.is_enabled():  # a program that ended tidily has put it away, for the tests to come as well
        faulthandler.enable(sys.__stderr__)
    if theme.current().name != "default" or theme.current().percent != 100:
        theme.apply(qapp, theme.load())


@pytest.fixture(autouse=True)
def no_qt_warnings(request: pytest.FixtureRequest) -> Iterator[None]:
    """A warning of Qt fails the test that caused it."""
    yield
    captured = getattr(request.node, "qt_log_capture", None)
    if captured is None:
        return
    said = [
        record.message
        for record in captured.records
        if record.type_name in ("QtWarningMsg", "QtCriticalMsg", "QtFatalMsg")
        and not any(known in record.message for known in _PLATFORM_SAYS)
    ]
    assert not said, f"Qt warned: {said}"
