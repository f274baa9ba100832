"""The users' manual as a file: sections under headings that name the pages they are about."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from desktop.paths import resources

# "## 记走访 {visits}": the heading, and the names of the pages from which F1 leads here.
_HEADING: Final = re.compile(r"^## (?P<title>.+?)\s*\{(?P<about>[a-z_ ]+)\}\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Section:
    """One heading of the manual and the pages it is about."""

    title: str
    about: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manual:
    """The text in Markdown without the names of pages, and its sections in order."""

    text: str
    sections: tuple[Section, ...]

    def section_about(self, page: str) -> int:
        """The place of the section about a page; 0, the first, for a page that has none."""
        return next((place for place, section in enumerate(self.sections) if page in section.about), 0)


def read_manual(path: Path | None = None) -> Manual:
    """The manual that ships with the program."""
    text = (path or resources() / "help" / "zh.md").read_text("utf-8")
    sections = tuple(Section(found["title"], tuple(found["about"].split())) for found in _HEADING.finditer(text))
    return Manual(_HEADING.sub(lambda found: f"## {found['title']}", text), sections)
