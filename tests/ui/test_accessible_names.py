"""Every piece of the gallery, in both text sizes and the pseudo-language: whatever takes the focus has a name."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QLabel, QPushButton, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from desktop import i18n, theme
from desktop.tasks import Tasks


def _gallery() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gallery", Path(__file__).with_name("gallery.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["gallery"] = module
    spec.loader.exec_module(module)
    return module


GALLERY = _gallery()


@pytest.fixture
def lanes(qtbot: QtBot) -> Iterator[Tasks[str, str]]:
    tasks: Tasks[str, str] = Tasks(on_failure=lambda error: None)
    tasks.start(open_write=lambda: "store", open_read=lambda: "reader")
    qtbot.waitUntil(lambda: tasks.is_open)
    yield tasks
    qtbot.waitUntil(lambda: tasks.pending == 0)
    tasks.close()


def name_of(widget: QWidget) -> str:
    text = widget.text() if isinstance(widget, QPushButton | QLabel) else ""
    return widget.accessibleName() or text


@pytest.mark.parametrize("piece", sorted(GALLERY.PIECES))
@pytest.mark.parametrize(("percent", "language"), [(100, i18n.CHINESE), (200, i18n.PSEUDO)])
def test_whatever_takes_the_focus_has_a_name_and_is_high_enough(
    qtbot: QtBot, qapp: QApplication, lanes: Tasks[str, str], piece: str, percent: int, language: str
) -> None:
    i18n.install(qapp, language)
    theme.apply(qapp, theme.load(percent=percent))
    make, width, height = GALLERY.PIECES[piece]
    widget = make(lanes)
    qtbot.addWidget(widget)
    widget.resize(width * percent // 100, height * percent // 100)
    widget.show()
    qtbot.waitUntil(lambda: lanes.pending == 0)
    focusable = [
        child
        for child in widget.findChildren(QWidget)
        if child.focusPolicy() & Qt.FocusPolicy.TabFocus
        and child.isVisible()
        and child.focusProxy() is None
        and type(child) is not QScrollArea
        and not isinstance(child.parent(), QAbstractScrollArea)
    ]
    unnamed = [f"{type(child).__name__} {child.objectName()}" for child in focusable if not name_of(child)]
    assert unnamed == []
    low = [
        name_of(child)
        for child in focusable
        if isinstance(child, QPushButton)
        and child.property("role") not in ("link", "nav", "status")
        and child.height() < theme.current().px(theme.CONTROL_HEIGHT) - 2
    ]
    assert low == []
