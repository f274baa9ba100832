"""A table that holds ids and fetches rows a hundred at a time on the read lane; nothing loads a whole table."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from desktop.tasks import Tasks

R = TypeVar("R")  # the reader of the store
Row = TypeVar("Row")  # one row as the query gives it

PAGE: Final = 100
_KEPT_PAGES: Final = 60
WAITING: Final = "…"
GONE: Final = "—"

BADGE_ROLE: Final = int(Qt.ItemDataRole.UserRole) + 1  # the tone of a badge cell
ROW_ROLE: Final = int(Qt.ItemDataRole.UserRole) + 2  # the row itself, None while it is on its way

AnyIndex = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)  # no slots: with them, CPython 3.11 fails on Column[Row](…)
class Column(Generic[Row]):
    """What a table shows of a row.

    ``width`` in design pixels (0 takes the free space); ``sort`` is the query's name for sorting by it, "" when
    there is no index for it; ``badge`` gives the tone of a state badge, whose character is the text.
    """

    title: str
    text: Callable[[Row], str]
    width: int = 0
    sort: str = ""
    badge: Callable[[Row], str] | None = None
    is_bold: bool = False
    is_number: bool = False


class PagedModel(QAbstractTableModel, Generic[R, Row]):
    """Ids first, then the pages that are looked at; a waiting row shows "…"."""

    loaded = Signal(int)  # how many ids, each time they have arrived

    def __init__(self, tasks: Tasks[Any, R], columns: Sequence[Column[Row]], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._columns = tuple(columns)
        self._ids: tuple[str, ...] = ()
        self._pages: OrderedDict[int, Sequence[Row | None]] = OrderedDict()
        self._asked: set[int] = set()
        self._generation = 0
        self._list_ids: Callable[[R], Sequence[str]] | None = None
        self._fetch: Callable[[R, Sequence[str]], Sequence[Row | None]] | None = None

    @property
    def columns(self) -> tuple[Column[Row], ...]:
        """The columns, as given."""
        return self._columns

    def set_columns(self, columns: Sequence[Column[Row]]) -> None:
        """Other columns, or the same ones in another language."""
        self.beginResetModel()
        self._columns = tuple(columns)
        self.endResetModel()

    def load(
        self,
        *,
        ids: Callable[[R], Sequence[str]],
        rows: Callable[[R, Sequence[str]], Sequence[Row | None]],
    ) -> None:
        """Ask for the ids in order; later for rows, each call with at most a hundred ids.

        ``rows`` answers in the order of its ids, with None for one that is gone. What is shown stays until the
        new ids are there.
        """
        self._list_ids, self._fetch = ids, rows
        self._tasks.read(self, ids, self._on_ids, key="ids")

    def reload(self) -> None:
        """Ask for the ids again, with the same query."""
        if self._list_ids is not None:
            self._tasks.read(self, self._list_ids, self._on_ids, key="ids")

    def forget(self, ids: frozenset[str]) -> None:
        """These records were altered: fetch their pages again when they are looked at."""
        for page, held in list(self._pages.items()):
            first = page * PAGE
            if ids.intersection(self._ids[first : first + len(held)]):
                del self._pages[page]
                self._tell(page)

    def id_at(self, row: int) -> str:
        """The id of a row, "" outside."""
        return self._ids[row] if 0 <= row < len(self._ids) else ""

    def row_of(self, record_id: str) -> int:
        """Where a record stands, -1 when it is not in the table."""
        return self._ids.index(record_id) if record_id in self._ids else -1

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        return 0 if parent.isValid() else len(self._ids)

    def columnCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        return 0 if parent.isValid() else len(self._columns)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> str | Qt.AlignmentFlag | None:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self._columns):
            return None
        column = self._columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.is_number else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        column = self._columns[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.is_number else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, BADGE_ROLE, ROW_ROLE):
            return None
        is_here, row = self._row(index.row())
        if role == ROW_ROLE:
            return row
        if row is None:
            waits = role == Qt.ItemDataRole.DisplayRole
            return (GONE if is_here else WAITING) if waits else None
        if role == BADGE_ROLE:
            return column.badge(row) if column.badge is not None else None
        return column.text(row)

    def _row(self, place: int) -> tuple[bool, Row | None]:
        page, offset = divmod(place, PAGE)
        held = self._pages.get(page)
        if held is not None:
            self._pages.move_to_end(page)
            return True, held[offset] if offset < len(held) else None
        self._ask(page)
        return False, None

    def _ask(self, page: int) -> None:
        fetch = self._fetch
        if page in self._asked or fetch is None:
            return
        self._asked.add(page)
        wanted, generation = self._ids[page * PAGE : (page + 1) * PAGE], self._generation

        def arrived(rows: Sequence[Row | None]) -> None:
            if generation != self._generation:
                return
            self._asked.discard(page)
            self._pages[page] = rows
            while len(self._pages) > _KEPT_PAGES:
                self._pages.popitem(last=False)
            self._tell(page)

        self._tasks.read(self, lambda reader: fetch(reader, wanted), arrived)

    def _on_ids(self, ids: Sequence[str]) -> None:
        self.beginResetModel()
        self._generation += 1
        self._ids = tuple(ids)
        self._pages.clear()
        self._asked.clear()
        self.endResetModel()
        self.loaded.emit(len(self._ids))

    def _tell(self, page: int) -> None:
        last = min((page + 1) * PAGE, len(self._ids)) - 1
        if last >= page * PAGE:
            self.dataChanged.emit(self.index(page * PAGE, 0), self.index(last, len(self._columns) - 1))
