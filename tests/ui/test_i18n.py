"""Translations: every text has Chinese, languages change live, and nothing is put together before it is translated."""

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QLabel, QWidget
from pytestqt.qtbot import QtBot

from desktop import i18n
from desktop.i18n import mark, tr
from desktop.paths import resources

ROOT = resources().parent


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_every_text_of_the_program_has_chinese() -> None:
    assert i18n.problems([ROOT / "desktop", ROOT / "sync"]) == []


def test_chinese_english_and_a_missing_translation(qapp: QApplication) -> None:
    assert tr("Cancel") == "取消"
    assert tr("U", note="badge") == "急"
    assert tr("no such text at all") == "no such text at all"
    i18n.install(qapp, i18n.ENGLISH)
    assert tr("Cancel") == "Cancel"
    assert tr("U", note="badge") == "U"
    i18n.install(qapp, i18n.PSEUDO)
    assert tr("Visit to {name}").startswith("⟦Visit to {name}~")
    assert tr("Visit to {name}").format(name="x").endswith("⟧")
    i18n.install(qapp, "xx")
    assert i18n.language() == i18n.CHINESE
    assert mark("Cancel") == "Cancel"


def test_qts_own_buttons_speak_chinese(qtbot: QtBot) -> None:
    box = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
    qtbot.addWidget(box)
    assert box.button(QDialogButtonBox.StandardButton.Cancel).text() == "取消"


def test_a_change_of_language_reaches_every_widget(qtbot: QtBot, qapp: QApplication) -> None:
    class Page(QWidget):
        def __init__(self) -> None:
            super().__init__()
            self.shown = QLabel(tr("Cancel"), self)

        def changeEvent(self, event: QEvent) -> None:
            if event.type() == QEvent.Type.LanguageChange:
                self.shown.setText(tr("Cancel"))
            super().changeEvent(event)

    window = QWidget()
    qtbot.addWidget(window)
    page = Page()
    page.setParent(window)
    for language, text in ((i18n.ENGLISH, "Cancel"), (i18n.CHINESE, "取消"), (i18n.PSEUDO, "⟦Cancel~~~~⟧")):
        i18n.install(qapp, language)
        qtbot.waitUntil(lambda wanted=text: page.shown.text() == wanted)


def test_dates_and_numbers_follow_the_language(qapp: QApplication) -> None:
    assert i18n.long_day("2026-11-23") == "11月23日 星期一"
    assert i18n.short_day("2026-11-03", today="2026-11-23") == "11-03"
    assert i18n.short_day("2025-11-03", today="2026-11-23") == "2025-11-03"
    assert i18n.number(12345) == "12,345"
    i18n.install(qapp, i18n.ENGLISH)
    assert i18n.long_day("2026-11-23") == "Monday, 23 November"


def test_english_may_have_a_form_for_one(qapp: QApplication, tmp_path: Path) -> None:
    write(tmp_path / "en.toml", '"{n} households" = "{n} household"\n')
    assert i18n.read_catalogue(i18n.ENGLISH, folder=tmp_path)["{n} households"] == "{n} household"
    i18n.install(qapp, i18n.ENGLISH)
    assert tr("{n} households", n=3) == "{n} households"


def test_the_check_finds_what_is_missing_unused_contradictory_or_put_together(tmp_path: Path) -> None:
    source = tmp_path / "code"
    write(
        source / "page.py",
        "\n".join(
            (
                'title = tr("Here")',
                'other = tr("Not here")',
                'noted = tr("Open", note="verb")',
                'wrong = tr(f"Visit to {name}")',
                'added = mark("a" + name)',
                "fine = tr(variable)",
                'filled = tr("{n} doors")',
            )
        ),
    )
    words = tmp_path / "zh"
    write(words / "a.toml", '# words\n"Here" = "这里"\n"verb|Open" = "打开"\n"{n} doors" = "户"\n"Old" = "旧的"\n')
    write(words / "b.toml", '"Here" = "这儿"\n"Empty" = ""\n')
    found = "\n".join(i18n.problems([source], folder=words))
    assert "page.py:2: no Chinese for 'Not here'" in found
    assert "page.py:4: the text is put together" in found
    assert "page.py:5: the text is put together" in found
    assert "a.toml:4: the placeholders differ" in found
    assert "no source text is 'Old'" in found
    assert "'Here' has other Chinese" in found
    assert "no Chinese for 'Empty'" in found
    assert "verb|Open" not in found


def test_a_line_that_is_no_entry_is_told(tmp_path: Path) -> None:
    write(tmp_path / "a.toml", '"Here" = 3\n')
    with pytest.raises(i18n.CatalogueError, match=r"a\.toml:1"):
        i18n.problems([], folder=tmp_path)
    assert dict(i18n.read_catalogue(i18n.CHINESE, folder=tmp_path)) == {}


def test_escapes_mean_what_toml_means(tmp_path: Path) -> None:
    import tomllib

    path = write(tmp_path / "a.toml", '"Say \\"{x}\\"" = "说“{x}”"  # a word\n"two\\nlines" = "两\\n行"\n')
    assert dict(i18n.read_catalogue(i18n.CHINESE, folder=tmp_path)) == tomllib.loads(path.read_text("utf-8"))


def test_the_shipped_files_are_toml() -> None:
    import tomllib

    for path in sorted((resources() / "i18n").rglob("*.toml")):
        table = tomllib.loads(path.read_text("utf-8"))
        assert all(isinstance(value, str) for value in table.values()), path.name


def test_the_command_line_tells_how_many(capsys: pytest.CaptureFixture[str]) -> None:
    assert i18n.main(["--check"]) == 0
    assert "all well" in capsys.readouterr().out
