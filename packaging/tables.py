"""Reads an Excel workbook into rows of text, and gathers everything that is wrong with it before anybody is told."""

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

MOST_ROWS: Final = 20_000


@dataclass(slots=True)
class Problems:
    """What is wrong, in the order in which it was found; a sentence each, with the place in front."""

    found: list[str] = field(default_factory=list)

    def add(self, place: str, what: str) -> None:
        """Note one; the same is said once."""
        sentence = f"{place}：{what}"
        if sentence not in self.found:
            self.found.append(sentence)

    def raise_any(self) -> None:
        """Raise WrongTable with all of them when there is one."""
        if self.found:
            raise WrongTable(self.found)


class WrongTable(Exception):
    """A table that nothing can be made from; ``sentences`` say all that is wrong with it."""

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = tuple(sentences)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: ``cells`` by the name of their column, as they are read; ``number`` as Excel counts."""

    sheet: str
    number: int
    cells: Mapping[str, str]
    problems: Problems

    def text(self, column: str) -> str:
        """What stands there, "" for nothing."""
        return self.cells.get(column, "")

    def parts(self, column: str) -> tuple[str, ...]:
        """What stands there, divided at commas, 、 ; and line breaks."""
        text = self.text(column)
        for mark in "，,、;；\r":
            text = text.replace(mark, "\n")
        return tuple(part.strip() for part in text.split("\n") if part.strip())

    def whole(self, column: str, *, otherwise: int) -> int:
        """The number that stands there; what is none is noted as wrong."""
        text = self.text(column)
        if not text:
            return otherwise
        if text.lstrip("-").isdecimal() and len(text) < 7:
            return int(text)
        self.wrong(column, f"应该是数字，现在是“{text}”")
        return otherwise

    def needed(self, column: str) -> int:
        """The number that has to stand there; 1 where it is noted that none does."""
        if not self.text(column):
            self.wrong(column, "没有填")
        return self.whole(column, otherwise=1)

    def choice(self, column: str, choices: Mapping[str, Any]) -> Any:
        """What a word stands for; None for nothing; another word is noted as wrong."""
        text = self.text(column)
        if text and text not in choices:
            self.wrong(column, f"只能填{'、'.join(f'“{word}”' for word in choices)}，现在是“{text}”")
        return choices.get(text)

    def wrong(self, column: str, what: str) -> None:
        """Note that something is wrong with a cell of this row."""
        self.problems.add(self.place(column), what)

    def place(self, column: str = "") -> str:
        """How the place is told to a person."""
        return f"{self.sheet} 第 {self.number} 行" + (f"“{column}”" if column else "")


def workbook(path: Path, problems: Problems) -> dict[str, list[list[str]]]:
    """The rows of every sheet as text, by the sheet's name. WrongTable at once when the file can't be read."""
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            return {sheet.title: _rows(sheet, f"{path.name}“{sheet.title}”", problems) for sheet in book.worksheets}
        finally:
            book.close()
    except FileNotFoundError:
        problems.add(path.name, "找不到这个文件")
    except (OSError, zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, SyntaxError):
        # The last three are what damaged XML inside gives.
        problems.add(path.name, "读不出来；请用 Excel 或 WPS 另存为 .xlsx（不加密码）再试")
    raise WrongTable(problems.found)


def rows(
    name: str, lines: Sequence[Sequence[str]], *, columns: Sequence[str], needed: Sequence[str], problems: Problems
) -> Iterator[Row]:
    """The rows below the line of headings, empty ones left out.

    Headings may carry a remark in brackets and a star. Noted as wrong: a needed column that is missing, one twice, one
    that nobody knows (a slip of the key would lose a whole column).
    """
    heading, first = _headings(lines)
    for column in needed:
        if column not in heading:
            problems.add(name, f"缺“{column}”这一列（表头在第一行）")
    for column in heading:
        if column and column not in columns:
            problems.add(name, f"不认识“{column}”这一列；可以有的列：{'、'.join(columns)}")
        elif column and heading.count(column) > 1:
            problems.add(name, f"“{column}”这一列有两列")
    for number, line in enumerate(lines[first:], first + 1):
        cells = {column: cell for column, cell in zip(heading, line, strict=False) if column and cell}
        if cells:
            yield Row(name, number, cells, problems)


def _headings(lines: Sequence[Sequence[str]]) -> tuple[list[str], int]:
    for place, line in enumerate(lines):
        if any(line):
            names = [cell.replace("（", "(").partition("(")[0].replace("*", "").strip() for cell in line]
            return names, place + 1
    return [], 0


def _rows(sheet: Any, name: str, problems: Problems) -> list[list[str]]:
    lines: list[list[str]] = []
    for line in sheet.iter_rows(values_only=True):
        if len(lines) >= MOST_ROWS:
            problems.add(name, f"超过 {MOST_ROWS} 行")
            break
        lines.append([_text(cell) for cell in line])
    return lines


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()
