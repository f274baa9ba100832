"""Colours, letter sizes and lengths: one file of tokens, one text factor, a palette, a short sheet."""

import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from string import Template
from typing import Final

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory, QWidget

from desktop.paths import resources

THEME_NAMES: Final = ("default", "high_contrast")

# Letter sizes in design pixels at 100 %.
BASE_SIZE: Final = 16
HINT_SIZE: Final = 13
SECONDARY_SIZE: Final = 14
HEAD_SIZE: Final = 17
TITLE_SIZE: Final = 22

# Lengths in design pixels.
GAP_S: Final = 8
GAP_M: Final = 12
GAP_L: Final = 20
GAP_XL: Final = 28
CONTROL_HEIGHT: Final = 42
ROW_HEIGHT: Final = 44

_PROPERTY: Final = "qiaomen_theme"
_POINTS_PER_PIXEL: Final = 72 / 96


@dataclass(frozen=True, slots=True)
class Colours:
    """Named colours as ``#rrggbb``; the theme file must give every one and no other."""

    ink: str
    ink_2: str
    ink_3: str
    line: str
    line_strong: str
    bg: str
    card: str
    accent: str
    accent_dark: str
    accent_soft: str
    accent_line: str
    on_accent: str
    brand: str
    on_brand: str
    red: str
    red_soft: str
    red_ink: str
    red_line: str
    amber: str
    amber_soft: str
    amber_ink: str
    green: str
    green_soft: str
    green_ink: str
    grey_line: str
    grey_share: str
    pill: str
    neutral: str
    column: str
    tile: str
    count: str
    on_count: str
    track: str


@dataclass(frozen=True, slots=True)
class Paint:
    """How a badge or a cell is filled, lettered and outlined; an empty ``border`` means none."""

    fill: str
    text: str
    border: str
    dashed: bool


@dataclass(frozen=True, slots=True)
class Theme:
    """Tokens at one text factor on one screen density; widgets ask it for every colour, letter and length."""

    name: str
    colours: Colours
    families: tuple[str, ...]
    badges: tuple[tuple[str, Paint], ...]
    cells: tuple[tuple[str, Paint], ...]
    percent: int = 100
    dpi: float = 96.0

    @property
    def scale(self) -> float:
        """Device-independent pixels for one design pixel."""
        return self.percent / 100 * self.dpi / 96

    def px(self, length: float) -> int:
        """A length of the drawings at the person's text size, at least 1 for anything above nothing."""
        return max(1, round(length * self.scale)) if length > 0 else 0

    def points(self, size: float) -> float:
        """A letter size of the drawings in points at the person's text size."""
        return size * _POINTS_PER_PIXEL * self.percent / 100

    def font(self, size: float = BASE_SIZE, *, bold: bool = False) -> QFont:
        """The screen's letters at a size of the drawings, with equally wide figures."""
        font = QFont(list(self.families))
        font.setPointSizeF(self.points(size))
        font.setBold(bold)
        set_equal_figures(font)
        return font

    def painted_font(self, size: float, *, scale: float, bold: bool = False) -> QFont:
        """Letters for painting at ``scale`` device pixels a design pixel, the same on screen and paper."""
        font = QFont(list(self.families))
        font.setPixelSize(max(1, round(size * scale)))
        font.setBold(bold)
        set_equal_figures(font)
        return font

    def badge(self, key: str) -> Paint:
        """The paint of a state badge; an unknown key is quiet, never an error on the screen."""
        table = dict(self.badges)
        return table.get(key, table["quiet"])

    def cell(self, key: str) -> Paint:
        """The paint of a door of the façade; an unknown key is an open door."""
        table = dict(self.cells)
        return table.get(key, table["open"])

    def palette(self) -> QPalette:
        """The same tokens for what Fusion draws by itself."""
        colours = self.colours
        palette = QPalette()
        role = QPalette.ColorRole
        for part, colour in (
            (role.Window, colours.bg),
            (role.WindowText, colours.ink),
            (role.Base, colours.card),
            (role.AlternateBase, colours.tile),
            (role.Text, colours.ink),
            (role.PlaceholderText, colours.ink_3),
            (role.Button, colours.card),
            (role.ButtonText, colours.ink),
            (role.BrightText, colours.on_accent),
            (role.Highlight, colours.accent),
            (role.HighlightedText, colours.on_accent),
            (role.Accent, colours.accent),
            (role.Link, colours.accent),
            (role.LinkVisited, colours.accent),
            (role.ToolTipBase, colours.ink),
            (role.ToolTipText, colours.card),
            (role.Light, colours.card),
            (role.Midlight, colours.neutral),
            (role.Mid, colours.line_strong),
            (role.Dark, colours.ink_3),
            (role.Shadow, colours.ink_2),
        ):
            palette.setColor(part, QColor(colour))
        for part in (role.WindowText, role.Text, role.ButtonText):
            palette.setColor(QPalette.ColorGroup.Disabled, part, QColor(colours.ink_3))
        return palette

    def style_sheet(self) -> str:
        """The short sheet with colours by name, lengths by factor and letter sizes in points."""
        sheet = (resources() / "themes" / "style.qss").read_text("utf-8")
        sheet = re.sub(r"@(\d+)pt", lambda hit: f"{self.points(int(hit[1])):.2f}pt", sheet)
        sheet = re.sub(r"@(\d+)px", lambda hit: f"{self.px(int(hit[1]))}px", sheet)
        named = {field.name: getattr(self.colours, field.name) for field in fields(self.colours)}
        return Template(sheet).substitute(named, icons=(resources() / "icons").as_posix())


def load(name: str = "default", *, percent: int = 100, folder: Path | None = None) -> Theme:
    """Read a theme for the screen this program is on; an unknown name gives the default theme."""
    path = (folder or resources() / "themes") / f"{name if name in THEME_NAMES else 'default'}.toml"
    table = tomllib.loads(path.read_text("utf-8"))
    screen = QGuiApplication.primaryScreen() if QGuiApplication.instance() else None
    return Theme(
        name=path.stem,
        colours=Colours(**table["colours"]),
        families=tuple(table["families"]),
        badges=tuple((key, Paint(*row)) for key, row in table["badge"].items()),
        cells=tuple((key, Paint(*row)) for key, row in table["cell"].items()),
        percent=min(200, max(100, percent)),
        dpi=screen.logicalDotsPerInch() if screen is not None else 96.0,
    )


def set_equal_figures(font: QFont) -> None:
    """Figures of one width, so that numbers stand below each other."""
    try:
        font.setFeature(QFont.Tag("tnum"), 1)
    except TypeError:
        pass  # the bindings of Qt 6.8.0, which is what Linux on arm64 has, cannot name a feature of letters


def apply(app: QApplication, theme: Theme) -> None:
    """Dress the whole program; can be called again at any time, widgets follow by themselves."""
    app.setProperty(_PROPERTY, theme)
    if app.style().name() != "fusion":
        app.setStyle(QStyleFactory.create("Fusion"))
    app.setPalette(theme.palette())
    app.setFont(theme.font())
    app.setStyleSheet(theme.style_sheet())


def current() -> Theme:
    """The theme the application wears now (kept on the application object, beside its palette and font)."""
    app = QCoreApplication.instance()
    theme = app.property(_PROPERTY) if app is not None else None
    return theme if isinstance(theme, Theme) else load()


def set_role(widget: QWidget, role: str, *, name: str = "role") -> None:
    """Give a widget its part in the style sheet, also after it was shown."""
    if widget.property(name) == role:
        return
    widget.setProperty(name, role)
    style = widget.style()
    style.unpolish(widget)
    style.polish(widget)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours by the web's accessibility formula, 1 to 21."""

    def brightness(colour: str) -> float:
        parts = (QColor(colour).redF(), QColor(colour).greenF(), QColor(colour).blueF())
        red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((brightness(one), brightness(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
