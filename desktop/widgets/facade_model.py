"""What a façade shows, as plain values: doors in units and floors, irregular buildings allowed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from desktop.i18n import tr


@dataclass(frozen=True, slots=True)
class FacadeRoom:
    """A door before it has its place.

    ``tone`` is a colour of the needs map (red, yellow, green, grey, blank) or a mark of the round (open, met,
    no_answer, refused, vacant, moved, appointment). ``slot`` orders the doors of a floor; without one the last
    two characters of ``room`` do. ``words`` say the state to a screen reader and in the tooltip. ``short`` is the
    room without its staircase, painted where the doors have to be narrow: the staircase's name stands below them.
    """

    household_id: str
    unit: int
    unit_label: str
    floor: int
    room: str
    tone: str
    character: str
    words: str
    slot: str = ""
    dim: bool = False
    short: str = ""


@dataclass(frozen=True, slots=True)
class FacadeCell:
    """A door in its place: ``row`` from the top, ``column`` over all units from the left."""

    household_id: str
    row: int
    column: int
    room: str
    tone: str
    character: str
    words: str
    dim: bool = False
    short: str = ""


@dataclass(frozen=True, slots=True)
class UnitColumn:
    """A staircase: its name and how many doors wide it is."""

    label: str
    columns: int


@dataclass(frozen=True, slots=True)
class FacadeSnapshot:
    """A building from the front; ``floors`` are the labels from the top down."""

    title: str
    units: tuple[UnitColumn, ...]
    floors: tuple[str, ...]
    cells: tuple[FacadeCell, ...]

    @classmethod
    def empty(cls, title: str = "") -> Self:
        """A building without doors."""
        return cls(title=title, units=(), floors=(), cells=())

    @classmethod
    def arrange(cls, title: str, rooms: Iterable[FacadeRoom]) -> Self:
        """Give every door its place; floors without doors are left out, gaps in a floor stay gaps."""
        doors = list(rooms)
        floors = sorted({door.floor for door in doors}, reverse=True)
        row_of = {floor: row for row, floor in enumerate(floors)}
        labels = {door.unit: door.unit_label for door in doors}
        units: list[UnitColumn] = []
        column_of: dict[tuple[int, str], int] = {}
        for unit in sorted(labels):
            slots = sorted({_slot(door) for door in doors if door.unit == unit})
            first = len(column_of)
            column_of |= {(unit, slot): first + place for place, slot in enumerate(slots)}
            units.append(UnitColumn(label=labels[unit], columns=len(slots)))
        cells = (
            FacadeCell(
                household_id=door.household_id,
                row=row_of[door.floor],
                column=column_of[door.unit, _slot(door)],
                room=door.room,
                tone=door.tone,
                character=door.character,
                words=door.words,
                dim=door.dim,
                short=door.short,
            )
            for door in doors
        )
        return cls(
            title=title,
            units=tuple(units),
            floors=tuple(floor_label(floor) for floor in floors),
            cells=tuple(sorted(cells, key=lambda cell: (cell.row, cell.column))),
        )


def floor_label(floor: int) -> str:
    """How a floor is called; below ground with a B."""
    return tr("{floor} F").format(floor=floor) if floor > 0 else f"B{1 - floor if floor == 0 else -floor}"


def _slot(door: FacadeRoom) -> str:
    return door.slot or door.room[-2:]
