"""The façade on paper, for work only: rooms with their characters, no names and no reasons; A4, or A3 for towers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from PySide6.QtCore import QMarginsF, QRect
from PySide6.QtGui import QPagedPaintDevice, QPageLayout, QPageSize, QPainter, QPdfWriter

from desktop import theme
from desktop.i18n import tr
from desktop.printing.base import WRAPPED, Paper
from desktop.widgets.facade_model import FacadeCell, FacadeSnapshot, UnitColumn
from desktop.widgets.facade_paint import paint_facade
from sync.errors import StoreError

A4: Final = "A4"
A3: Final = "A3"
_SIZES: Final = {A4: (210.0, 297.0), A3: (297.0, 420.0)}  # millimetres, upright
_SIZE_IDS: Final = {A4: QPageSize.PageSizeId.A4, A3: QPageSize.PageSizeId.A3}
_EDGE: Final = 12.0  # millimetres
_HEAD: Final = 30.0
_FOOT: Final = 22.0
_LEAST_WIDTH: Final = 13.0  # a door that can still be read at arm's length
_LEAST_HEIGHT: Final = 9.5
_FLOOR_LABELS: Final = 12.0
_DPI: Final = 300
_MM_PER_INCH: Final = 25.4
_PIXELS_PER_INCH: Final = 96


@dataclass(frozen=True, slots=True)
class PrintHead:
    """What stands over every page; the texts are ready to be read. ``legend`` comes from the rule set."""

    building: str
    data_as_of: str
    last_sync: str
    rules_version: str
    printed_by: str
    legend: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FacadeDocument:
    """A building on one or more pages of a size; each page is a part of the building that can be read."""

    head: PrintHead
    parts: tuple[FacadeSnapshot, ...]
    size: str
    is_landscape: bool

    @property
    def page_count(self) -> int:
        return len(self.parts)

    def words(self) -> Iterable[str]:
        """Everything on the paper that does not come from the program itself."""
        yield from (self.head.building, self.head.printed_by)
        yield from (cell.room for part in self.parts for cell in part.cells)

    def paint(self, paper: Paper, painter: QPainter, page: int, *, dpi: float) -> None:
        """One page."""
        width, height = _paper(self.size, is_landscape=self.is_landscape)
        inner = width - 2 * _EDGE
        head = self.head
        title = tr("{building}, needs map (for work, not for the wall)").format(building=head.building)
        paper.text(_EDGE, 10, inner, 9, title, size=17, bold=True)
        facts = tr("Data of {when} · last sync {sync} · rules {version} · printed by {who} · page {page} of {pages}")
        line = facts.format(
            when=head.data_as_of,
            sync=head.last_sync,
            version=head.rules_version,
            who=head.printed_by,
            page=page + 1,
            pages=self.page_count,
        )
        paper.text(_EDGE, 19, inner, 6, line, size=9.5)
        paper.text(_EDGE, height - _FOOT + 2, inner, 9, "　".join(head.legend), size=9.5, align=WRAPPED)
        care = tr("No names or reasons on this sheet; hand it back to the station when done.")
        paper.text(_EDGE, height - _FOOT + 11, inner, 6, care, size=9.5)
        unit = dpi / _MM_PER_INCH
        area = QRect(
            round(_EDGE * unit),
            round(_HEAD * unit),
            round(inner * unit),
            round((height - _HEAD - _FOOT) * unit),
        )
        look = theme.current()
        paint_facade(painter, self.parts[page], area, look, scale=dpi / _PIXELS_PER_INCH, monochrome=True)


def facade_document(snapshot: FacadeSnapshot, head: PrintHead, *, size: str = A4) -> FacadeDocument:
    """Lay a building out on pages: upright or across, whole where it can be read, else by units and floors."""
    columns, rows = sum(unit.columns for unit in snapshot.units), len(snapshot.floors)
    ways: list[tuple[int, float, FacadeDocument]] = []
    for is_landscape in (False, True):
        width, height = _paper(size, is_landscape=is_landscape)
        across = max(1, int((width - 2 * _EDGE - _FLOOR_LABELS) // _LEAST_WIDTH))
        down = max(1, int((height - _HEAD - _FOOT - _FLOOR_LABELS) // _LEAST_HEIGHT))
        parts = tuple(
            part for units in _unit_runs(snapshot.units, across) for part in _floor_runs(snapshot, units, down)
        )
        room = min(across / max(1, columns), down / max(1, rows))
        ways.append((len(parts), -room, FacadeDocument(head, parts or (snapshot,), size, is_landscape)))
    # Fewest sheets; with as many, the way in which the doors come out larger.
    return min(ways, key=lambda way: way[:2])[2]


def fits_one_page(snapshot: FacadeSnapshot) -> bool:
    """Whether the whole building can be read on one A4; else A3 is worth offering."""
    head = PrintHead("", "", "", "", "", ())
    return facade_document(snapshot, head, size=A4).page_count == 1


def to_pdf(document: FacadeDocument, path: Path) -> None:
    """Write the document to a PDF file; StoreError('print_failed') when the place cannot be written."""
    writer = QPdfWriter(str(path))
    writer.setResolution(_DPI)
    writer.setTitle("")
    paint(document, writer)


def paint(document: FacadeDocument, device: QPagedPaintDevice) -> None:
    """Paint all pages on a printer or into a PDF; StoreError('print_failed') when it refuses."""
    across = QPageLayout.Orientation.Landscape if document.is_landscape else QPageLayout.Orientation.Portrait
    device.setPageLayout(QPageLayout(QPageSize(_SIZE_IDS[document.size]), across, QMarginsF(0, 0, 0, 0)))
    painter = QPainter()
    if not painter.begin(device):
        raise StoreError("print_failed")
    try:
        dpi = float(device.logicalDpiX())
        paper = Paper(painter, dpi=dpi)
        for page in range(document.page_count):
            if page:
                device.newPage()
            document.paint(paper, painter, page, dpi=dpi)
    finally:
        painter.end()


def _paper(size: str, *, is_landscape: bool) -> tuple[float, float]:
    width, height = _SIZES[size]
    return (height, width) if is_landscape else (width, height)


def _unit_runs(units: Sequence[UnitColumn], across: int) -> list[range]:
    """Whole units side by side while they fit; a unit wider than the page has one to itself, narrower doors and all."""
    runs: list[range] = []
    first, wide = 0, 0
    for place, unit in enumerate(units):
        if wide and wide + unit.columns > across:
            runs.append(range(first, place))
            first, wide = place, 0
        wide += unit.columns
    if wide:
        runs.append(range(first, len(units)))
    return runs


def _floor_runs(snapshot: FacadeSnapshot, units: range, down: int) -> list[FacadeSnapshot]:
    """The floors of some units, in equal parts that fit the page."""
    starts = [0]
    for unit in snapshot.units:
        starts.append(starts[-1] + unit.columns)
    left, right = starts[units.start], starts[units.stop]
    count = -(-len(snapshot.floors) // down)
    size = -(-len(snapshot.floors) // count)
    parts = []
    for top in range(0, len(snapshot.floors), size):
        cells = tuple(
            _moved(cell, rows=top, columns=left)
            for cell in snapshot.cells
            if top <= cell.row < top + size and left <= cell.column < right
        )
        parts.append(
            FacadeSnapshot(
                title=snapshot.title,
                units=snapshot.units[units.start : units.stop],
                floors=snapshot.floors[top : top + size],
                cells=cells,
            )
        )
    return parts


def _moved(cell: FacadeCell, *, rows: int, columns: int) -> FacadeCell:
    return replace(cell, row=cell.row - rows, column=cell.column - columns)
