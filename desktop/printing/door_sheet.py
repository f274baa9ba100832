"""The door sheet (敲门单): 20 doors on a page of A4 to tick on the way, no names, no reasons, black and white."""

from collections.abc import Iterable
from dataclasses import dataclass

from desktop.i18n import tr
from desktop.printing.base import CENTRE, LEFT, WRAPPED, Paper

# Millimetres on the page, as on the drawing.
_X, _RIGHT = 12.5, 197.3
_COLUMNS = (12.5, 22.0, 41.0, 128.0, 197.3)
_TABLE_TOP, _HEAD_HEIGHT, _ROW_HEIGHT = 33.4, 8.0, 10.45
_CODE_LEFT, _CODE_TOP, _CODE_HEIGHT = 161.0, 11.8, 17.7
_FOOT_TOP = 256.0


@dataclass(frozen=True, slots=True)
class SheetDoor:
    """A row: the character of the household's colour, and the room as 1-901."""

    character: str
    room: str


@dataclass(frozen=True, slots=True)
class SheetPage:
    """One sheet with its code."""

    code: str
    doors: tuple[SheetDoor, ...]


@dataclass(frozen=True, slots=True)
class DoorSheetDocument:
    """The sheets of one building, printed on one day ('YYYY-MM-DD'); ``round_name`` may be empty."""

    building: str
    round_name: str
    day: str
    sheets: tuple[SheetPage, ...]

    @property
    def page_count(self) -> int:
        return len(self.sheets)

    def words(self) -> Iterable[str]:
        """Everything that is on the paper and does not come from the program itself."""
        yield self.building
        yield self.round_name
        for sheet in self.sheets:
            yield sheet.code
            yield from (f"{door.character} {door.room}" for door in sheet.doors)

    def paint(self, paper: Paper, page: int) -> None:
        """One sheet."""
        sheet = self.sheets[page]
        self._paint_head(paper, sheet)
        self._paint_table(paper, sheet)
        self._paint_foot(paper, page)

    def _paint_head(self, paper: Paper, sheet: SheetPage) -> None:
        paper.text(_X, 12, 145, 11, f"{tr('Door sheet')}　{self.building}", size=21, bold=True)
        year, month, day = self.day.split("-")
        when = tr("{year}-{month}-{day}", "printed date").format(year=year, month=int(month), day=int(day))
        bands = "  ".join(f"□{name}" for name in (tr("Morning"), tr("Afternoon"), tr("Evening")))
        parts = [f"{self.round_name} · " if self.round_name else "", when, "  ", bands]
        visitor = tr("Visited by") + "_" * 11
        paper.text(_X, 22.5, 147, 7, f"{''.join(parts)}　{visitor}", size=12.5)
        paper.box(_CODE_LEFT, _CODE_TOP, _RIGHT - _CODE_LEFT, _CODE_HEIGHT, line=0.4)
        width = _RIGHT - _CODE_LEFT
        paper.text(_CODE_LEFT, _CODE_TOP + 1.4, width, 6, tr("Sheet code (type it first)"), size=9.5, align=CENTRE)
        paper.text(_CODE_LEFT, _CODE_TOP + 7, width, 9.6, sheet.code, size=20, bold=True, align=CENTRE, wide=108)

    def _paint_table(self, paper: Paper, sheet: SheetPage) -> None:
        paper.box(_X, _TABLE_TOP, _RIGHT - _X, _HEAD_HEIGHT, shaded=True)
        heads = ("", tr("Room"), tr("What happened (tick)"), tr("What was asked for (one line if any)"))
        for left, right, head in zip(_COLUMNS, _COLUMNS[1:], heads, strict=False):
            paper.text(left, _TABLE_TOP, right - left, _HEAD_HEIGHT, head, size=11, bold=True, align=CENTRE)
        ticks = tr("□ met  □ out  □ declined  □ empty  □ moved  □ later____", "door sheet")
        top = _TABLE_TOP + _HEAD_HEIGHT
        for door in sheet.doors:
            paper.text(_COLUMNS[0], top, 9.5, _ROW_HEIGHT, door.character, size=12.5, bold=True, align=CENTRE)
            paper.text(_COLUMNS[1] + 2.2, top, 16.8, _ROW_HEIGHT, door.room, size=12.5, bold=True, align=LEFT)
            paper.text(_COLUMNS[2] + 2.2, top, 84, _ROW_HEIGHT, ticks, size=11.5)
            top += _ROW_HEIGHT
            paper.line(_X, top, _RIGHT, top)
        for column in _COLUMNS:
            paper.line(column, _TABLE_TOP, column, top)

    def _paint_foot(self, paper: Paper, page: int) -> None:
        legend = tr(
            "急 = urgent or overdue   办 = to coordinate   安 = ordinary or nothing   未 = nobody reached for a year"
            "   空 = empty"
        )
        place = tr("Page {page} of {pages}").format(page=page + 1, pages=self.page_count)
        care = tr("No names or illnesses on this sheet; hand it back to the station when done.")
        paper.text(_X, _FOOT_TOP, _RIGHT - _X, 12, f"{legend}　　{place}　{care}", size=10.5, align=WRAPPED)
        harm = tr("Somebody harmed, or a child? Call 110 first, then tell the community.")
        paper.text(_X, _FOOT_TOP + 12, _RIGHT - _X, 7, harm, size=10.5)
