"""The small base of all documents: a page measured in millimetres, painted the same to PDF and to a printer."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QLineF, QMarginsF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPagedPaintDevice, QPageLayout, QPageSize, QPainter, QPdfWriter, QPen

from desktop import theme
from sync.domain.masking import require_public
from sync.errors import StoreError

A4_WIDTH, A4_HEIGHT = 210.0, 297.0  # millimetres
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
CENTRE = Qt.AlignmentFlag.AlignCenter
WRAPPED = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
_DPI = 300
_MM_PER_INCH = 25.4
_POINTS_PER_INCH = 72
_INK = QColor(Qt.GlobalColor.black)
_SHADE = QColor(Qt.GlobalColor.lightGray).lighter(124)  # still white enough to copy


class Document(Protocol):
    """What can be printed: pages in order, and all its words for the filter of public prints."""

    @property
    def page_count(self) -> int: ...

    def words(self) -> Iterable[str]: ...

    def paint(self, paper: "Paper", page: int) -> None: ...


class Paper:
    """Paints one page; all positions and lengths in millimetres from the paper's own corner, letters in points."""

    def __init__(self, painter: QPainter, *, dpi: float) -> None:
        self._painter = painter
        self._dpi = dpi
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def text(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        words: str,
        *,
        size: float,
        bold: bool = False,
        align: Qt.AlignmentFlag = LEFT,
        wide: float = 0,
    ) -> None:
        """Words inside a rectangle; ``wide`` spaces letters (per cent), ``WRAPPED`` breaks lines."""
        font = QFont(list(theme.current().families))
        font.setPixelSize(round(size / _POINTS_PER_INCH * self._dpi))
        font.setBold(bold)
        theme.set_equal_figures(font)
        if wide:
            font.setLetterSpacing(QFont.SpacingType.PercentageSpacing, wide)
        self._painter.setFont(font)
        self._painter.setPen(_INK)
        flags = int(align) | (int(Qt.TextFlag.TextWordWrap) if align == WRAPPED else int(Qt.TextFlag.TextSingleLine))
        self._painter.drawText(self._rect(x, y, width, height), flags, words)

    def line(self, x1: float, y1: float, x2: float, y2: float, *, width: float = 0.2) -> None:
        """A straight black line."""
        self._painter.setPen(self._pen(width))
        self._painter.drawLine(QLineF(self._px(x1), self._px(y1), self._px(x2), self._px(y2)))

    def box(self, x: float, y: float, width: float, height: float, *, line: float = 0.2, shaded: bool = False) -> None:
        """A frame, on a light ground when ``shaded``."""
        self._painter.setPen(self._pen(line))
        self._painter.setBrush(_SHADE if shaded else Qt.BrushStyle.NoBrush)
        self._painter.drawRect(self._rect(x, y, width, height))

    def _pen(self, width: float) -> QPen:
        return QPen(_INK, self._px(width))

    def _px(self, millimetres: float) -> float:
        return millimetres / _MM_PER_INCH * self._dpi

    def _rect(self, x: float, y: float, width: float, height: float) -> QRectF:
        return QRectF(self._px(x), self._px(y), self._px(width), self._px(height))


def check_public(document: Document, *, names: Sequence[str] = ()) -> None:
    """Refuse a public print that carries a mobile number, an identity number or one of these full names.

    Raises RuleError('print', …) as ``require_public``. Rule source: personal information protection, rule P10.
    """
    for words in document.words():
        require_public(words, field="print", names=names)


def to_pdf(document: Document, path: Path) -> None:
    """Write the document to a PDF file; StoreError('print_failed') when the place cannot be written."""
    writer = QPdfWriter(str(path))
    writer.setResolution(_DPI)
    writer.setTitle("")
    paint(document, writer)


def paint(document: Document, device: QPagedPaintDevice) -> None:
    """Paint all pages on A4 without margins of the device's own; StoreError('print_failed') when it refuses."""
    device.setPageLayout(
        QPageLayout(QPageSize(QPageSize.PageSizeId.A4), QPageLayout.Orientation.Portrait, QMarginsF(0, 0, 0, 0))
    )
    painter = QPainter()
    if not painter.begin(device):
        raise StoreError("print_failed")
    try:
        paper = Paper(painter, dpi=float(device.logicalDpiX()))
        for page in range(document.page_count):
            if page:
                device.newPage()
            document.paint(paper, page)
    finally:
        painter.end()
