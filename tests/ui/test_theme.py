"""Tokens: enough contrast, letters in points by one factor, and no widget with a colour or size of its own."""

import re
from pathlib import Path

import pytest
from PySide6.QtGui import QFont, QFontDatabase
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from desktop import icons, theme
from desktop.paths import resources
from desktop.widgets.labels import label

ROOT = resources().parent

PAIRS = (
    ("ink", ("bg", "card", "accent_soft", "pill", "column", "tile", "neutral")),
    ("ink_2", ("bg", "card", "accent_soft", "neutral", "tile", "pill")),
    ("ink_3", ("bg", "card", "accent_soft", "neutral")),
    ("accent", ("bg", "card", "accent_soft")),
    ("on_accent", ("accent", "accent_dark")),
    ("on_brand", ("brand",)),
    ("red_ink", ("card", "red_soft", "bg")),
    ("amber_ink", ("card", "amber_soft")),
    ("green_ink", ("card", "green_soft")),
    ("on_count", ("count",)),
    ("ink", ("red_soft", "amber_soft", "green_soft")),
)


@pytest.mark.parametrize("name", theme.THEME_NAMES)
def test_every_pair_of_letters_and_ground_can_be_read(name: str) -> None:
    look = theme.load(name)
    weak = [
        f"{front} on {back}"
        for front, backs in PAIRS
        for back in backs
        if theme.contrast(getattr(look.colours, front), getattr(look.colours, back)) < 4.5
    ]
    weak += [
        f"{table} {key}"
        for table, paints in (("badge", look.badges), ("cell", look.cells))
        for key, paint in paints
        if theme.contrast(paint.text, paint.fill) < 4.5
    ]
    assert weak == []


@pytest.mark.parametrize("name", theme.THEME_NAMES)
def test_the_themes_have_the_same_names(name: str) -> None:
    look, default = theme.load(name), theme.load()
    assert [key for key, _ in look.badges] == [key for key, _ in default.badges]
    assert [key for key, _ in look.cells] == [key for key, _ in default.cells]
    assert "$" not in look.style_sheet()
    assert "@" not in look.style_sheet()


def test_contrast_is_the_formula_of_the_web() -> None:
    assert theme.contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert theme.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_letters_are_in_points_and_follow_one_factor(qapp: QApplication, qtbot: QtBot) -> None:
    title = label("敲门", "title")
    qtbot.addWidget(title)
    title.show()
    assert qapp.font().pointSizeF() == pytest.approx(12.0)
    assert title.font().pointSizeF() == pytest.approx(16.5)
    theme.apply(qapp, theme.load(percent=200))
    assert qapp.font().pointSizeF() == pytest.approx(24.0)
    assert title.font().pointSizeF() == pytest.approx(33.0)
    assert theme.current().px(42) == 84
    assert theme.load(percent=900).percent == 200


def test_the_sheet_has_no_letter_size_in_pixels() -> None:
    sheet = (resources() / "themes" / "style.qss").read_text("utf-8")
    assert re.findall(r"font(?:-size)?\s*:[^;]*px", sheet) == []
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b", sheet) == []
    for path in sorted((ROOT / "desktop").rglob("*.py")):
        assert re.findall(r"font-size", path.read_text("utf-8")) == [], path


def test_nothing_on_the_screen_has_a_colour_of_its_own() -> None:
    paper = ROOT / "desktop" / "printing"  # black on white, whatever the screen wears
    for path in sorted((ROOT / "desktop").rglob("*.py")):
        text = path.read_text("utf-8")
        if paper not in path.parents:
            assert re.findall(r"[\"']#[0-9a-fA-F]{6}[\"']", text) == [], path
            assert "GlobalColor" not in text.replace("GlobalColor.transparent", ""), path


def test_an_unknown_theme_gives_the_default_one() -> None:
    assert theme.load("night").name == "default"
    assert theme.load().badge("nothing").fill == theme.load().badge("quiet").fill
    assert theme.load().cell("nothing").fill == theme.load().cell("open").fill


def test_a_role_given_later_changes_the_look(qtbot: QtBot) -> None:
    shown = label("敲门")
    qtbot.addWidget(shown)
    shown.show()
    before = shown.font().pointSizeF()
    theme.set_role(shown, "title")
    assert shown.font().pointSizeF() > before


def test_every_drawing_can_be_shown(qapp: QApplication) -> None:
    names = sorted(path.stem for path in (resources() / "icons").glob("*.svg"))
    wanted = "clock house pencil grid scales checklist sync gear question exit"
    assert set(wanted.split()) <= set(names)
    for name in names:
        picture = icons.icon(name, look=theme.current()).pixmap(20, 20).toImage()
        drawn = {picture.pixelColor(x, y).alpha() for x in range(20) for y in range(20)}
        assert max(drawn) > 100, name
    assert icons.logo("敲", look=theme.current()).width() == 64


def test_rare_characters_have_letters_somewhere(qapp: QApplication) -> None:
    assert QFontDatabase.families(QFontDatabase.WritingSystem.SimplifiedChinese)


def test_a_plain_widget_needs_no_theme_of_its_own(qtbot: QtBot, tmp_path: Path) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    shown = QLabel("敲门", window)
    assert shown.palette().windowText().color().name() == theme.current().colours.ink


def test_letters_are_set_where_their_features_cannot_be_named() -> None:
    """The bindings of Qt 6.8.0, which Linux on arm64 has, take no name of a feature."""

    def refuse(*_: object) -> None:
        raise TypeError

    older = type("Older", (QFont,), {"setFeature": refuse})
    theme.set_equal_figures(older())
    font = QFont()
    theme.set_equal_figures(font)
    assert [tag.toString() for tag in font.featureTags()] == [b"tnum"]
