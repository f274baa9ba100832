"""One translation function without contexts: English in the source, Chinese in ``resources/i18n/zh/*.toml``.

``python -m desktop.i18n --check`` fails when a string of the source has no Chinese.
"""

import argparse
import ast
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Final

from PySide6.QtCore import QCoreApplication, QDate, QEvent, QLibraryInfo, QLocale, QTranslator
from PySide6.QtWidgets import QApplication

from desktop.paths import resources

CHINESE: Final = "zh_CN"
ENGLISH: Final = "en"
PSEUDO: Final = "pseudo"
LANGUAGES: Final = (CHINESE, ENGLISH)

_QT_PROPERTY: Final = "qiaomen_qt_words"
_FOLDERS: Final = {CHINESE: "zh", ENGLISH: "en"}
_PLACEHOLDER: Final = re.compile(r"\{[^{}]*\}")
# One entry a line: "source" = "translation". A subset of TOML that is read in an eighth of the time.
_QUOTED: Final = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
_ENTRY: Final = re.compile(rf"^{_QUOTED}[ \t]*=[ \t]*{_QUOTED}[ \t]*(?:#.*)?$", re.MULTILINE)


class CatalogueError(ValueError):
    """A line of a translation file that is neither an entry, a comment nor empty."""


@dataclass(slots=True)
class _Spoken:
    """The language of the screen: the one exception to "no module state" (decision 0031)."""

    language: str
    words: Mapping[str, str]


_spoken: Final = _Spoken(language=ENGLISH, words=MappingProxyType({}))


def tr(text: str, note: str = "", n: int = -1) -> str:
    """The text in the language of the screen; the English source when a translation is missing.

    ``note`` separates two meanings of one English word. With ``n`` the English text may have a form for one.
    Placeholders are filled afterwards: ``tr("Visit to {name}").format(name=…)``.
    """
    if _spoken.language == PSEUDO:
        return _pseudo(text)
    if _spoken.language == ENGLISH and n != 1:
        return text
    return _spoken.words.get(f"{note}|{text}" if note else text, text)


def mark(text: str) -> str:
    """Name a text for translation where it is declared; ``tr`` translates it where it is shown."""
    return text


def language() -> str:
    """The language of the screen: ``zh_CN``, ``en`` or the tests' ``pseudo``."""
    return _spoken.language


def install(app: QApplication, wanted: str) -> None:
    """Speak a language from now on; every open window gets a language event and writes its texts anew."""
    if wanted not in (*LANGUAGES, PSEUDO):
        wanted = CHINESE
    _spoken.language = wanted
    _spoken.words = read_catalogue(wanted) if wanted in _FOLDERS else MappingProxyType({})
    QLocale.setDefault(QLocale(ENGLISH if wanted == ENGLISH else CHINESE))
    old = app.property(_QT_PROPERTY)
    if isinstance(old, QTranslator):
        QCoreApplication.removeTranslator(old)
    qt_words = QTranslator(app)
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if wanted != ENGLISH and qt_words.load("qtbase_zh_CN", folder):
        QCoreApplication.installTranslator(qt_words)
    app.setProperty(_QT_PROPERTY, qt_words)
    QCoreApplication.sendEvent(app, QEvent(QEvent.Type.LanguageChange))


def number(value: int) -> str:
    """A whole number grouped as the language does it."""
    return QLocale().toString(value)


def long_day(day: str) -> str:
    """``2026-11-23`` as a heading: 11月23日 星期一, or Monday, 23 November."""
    pattern = "M月d日 dddd" if _spoken.language != ENGLISH else "dddd, d MMMM"
    return QLocale().toString(_qdate(day), pattern)


def short_day(day: str, *, today: str) -> str:
    """``2026-11-23`` as 11-23 within the year of ``today``, else in full."""
    return day[5:] if day[:4] == today[:4] else day


def _qdate(day: str) -> QDate:
    moment = date.fromisoformat(day)
    return QDate(moment.year, moment.month, moment.day)


def _pseudo(text: str) -> str:
    """Marked ends and 60 % more length, placeholders untouched: shows what is not translated or clipped."""
    return f"⟦{text}{'~' * round(len(_PLACEHOLDER.sub('', text)) * 0.6)}⟧"


# ------------------------------------------------------------------------------------------ catalogues


def read_catalogue(wanted: str, *, folder: Path | None = None) -> Mapping[str, str]:
    """All entries of a language's files, ``note|text`` or ``text`` to translation; the check tells of bad lines."""
    words: dict[str, str] = {}
    for path in sorted((folder or resources() / "i18n" / _FOLDERS[wanted]).glob("*.toml")):
        found = _ENTRY.findall(path.read_text("utf-8"))
        words.update((_unquote(source), _unquote(translation)) for source, translation in found)
    return MappingProxyType(words)


def _entries(path: Path) -> Iterator[tuple[int, str, str]]:
    for number_of_line, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        entry = _ENTRY.match(stripped)
        if entry is None:
            raise CatalogueError(f'{path.name}:{number_of_line}: not "source" = "translation"')
        yield number_of_line, _unquote(entry[1]), _unquote(entry[2])


def _unquote(quoted: str) -> str:
    text: str = json.loads(f'"{quoted}"') if "\\" in quoted else quoted
    return text


# ------------------------------------------------------------------------------------------ check


@dataclass(frozen=True, slots=True)
class Use:
    """A place of the source that names a text; ``problem`` says why it could never be found at run time."""

    path: Path
    line: int
    key: str
    problem: str = ""


def uses_in(path: Path) -> Iterator[Use]:
    """Every ``tr(…)`` and ``mark(…)`` of a Python file, found in its syntax tree."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"), filename=str(path))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not node.args:
            continue
        if node.func.id not in ("tr", "mark"):
            continue
        text = node.args[0]
        if isinstance(text, ast.Constant) and isinstance(text.value, str):
            note = _note_of(node)
            yield Use(path=path, line=node.lineno, key=f"{note}|{text.value}" if note else text.value)
        elif isinstance(text, ast.JoinedStr | ast.BinOp):
            yield Use(path=path, line=node.lineno, key="", problem="is put together before it is translated")


def _note_of(call: ast.Call) -> str:
    given = [call.args[1]] if len(call.args) > 1 else [k.value for k in call.keywords if k.arg == "note"]
    return given[0].value if given and isinstance(given[0], ast.Constant) and isinstance(given[0].value, str) else ""


def problems(source_folders: Iterable[Path], *, folder: Path | None = None) -> list[str]:
    """What is wrong with the Chinese of the given source, one sentence each; empty when all is well."""
    found: list[str] = []
    uses = [use for root in source_folders for path in sorted(root.rglob("*.py")) for use in uses_in(path)]
    found += [f"{use.path}:{use.line}: the text {use.problem}" for use in uses if use.problem]
    words: dict[str, tuple[str, str]] = {}
    for path in sorted((folder or resources() / "i18n" / "zh").glob("*.toml")):
        for line, source, translation in _entries(path):
            place = f"{path.name}:{line}"
            if not translation.strip():
                found.append(f"{place}: no Chinese for {source!r}")
            if sorted(_PLACEHOLDER.findall(source)) != sorted(_PLACEHOLDER.findall(translation)):
                found.append(f"{place}: the placeholders differ in {source!r}")
            if source in words and words[source][0] != translation:
                found.append(f"{place}: {source!r} has other Chinese in {words[source][1]}")
            words.setdefault(source, (translation, place))
    needed = {use.key: use for use in uses if use.key.strip()}
    found += [f"{use.path}:{use.line}: no Chinese for {key!r}" for key, use in needed.items() if key not in words]
    found += [f"{place}: no source text is {source!r}" for source, (_, place) in words.items() if source not in needed]
    return found


def main(arguments: list[str] | None = None) -> int:
    """The command line: ``--check`` tells every missing, unused or contradictory entry."""
    parser = argparse.ArgumentParser(prog="python -m desktop.i18n", description=__doc__)
    parser.add_argument("--check", action="store_true", required=True, help="exit 1 when a text has no Chinese")
    parser.parse_args(arguments)
    root = resources().parent
    found = problems([root / "desktop", root / "sync"])
    for sentence in found:
        print(sentence)
    print(f"translations: {len(found)} to mend" if found else "translations: all well")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
