"""What the façade of a batch knows: order of the walk, marks, what can be undone, what is not yet on disk."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from desktop.i18n import tr
from desktop.pages.visits import choices
from desktop.widgets.facade_model import FacadeRoom, FacadeSnapshot
from sync.domain.address import parse_room, room_in_building
from sync.domain.knocking import EMPTY_HOMES
from sync.errors import RuleError
from sync.store.visits import BatchDoor, BuildingDoors


@dataclass(frozen=True, slots=True)
class Step:
    """One key (or one filling of the rest): the doors with the outcome each bore before, '' for none."""

    before: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class BatchMarks:
    """Lives on the UI thread; a key changes it at once, the disk follows on the write lane."""

    doors: tuple[BatchDoor, ...] = ()
    name: str = ""
    order: tuple[str, ...] = ()
    marks: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    pending: int = 0  # writes on their way
    preview: frozenset[str] = frozenset()

    def show(self, found: BuildingDoors) -> None:
        """Take what was read from the file; a sheet's order stays while its doors are there."""
        self.doors, self.name = found.doors, found.name
        self.marks = {door.household_id: door.outcome for door in found.doors if door.outcome}
        known = {door.household_id for door in found.doors}
        self.order = tuple(place for place in self.order if place in known) or tuple(d.household_id for d in self.doors)

    def walk(self, household_ids: Sequence[str] = ()) -> None:
        """The order of a sheet; without one the whole building."""
        known = {door.household_id for door in self.doors}
        self.order = tuple(place for place in household_ids if place in known) or tuple(
            d.household_id for d in self.doors
        )

    def door(self, household_id: str) -> BatchDoor | None:
        """The door with this household."""
        return next((door for door in self.doors if door.household_id == household_id), None)

    def set(self, household_id: str, outcome: str) -> None:
        """Put a mark on a door and remember what it bore."""
        self.steps.append(Step(((household_id, self.marks.get(household_id, "")),)))
        self.put(household_id, outcome)

    def fill(self, household_ids: Sequence[str], outcome: str) -> None:
        """Put one mark on several doors; taken back as one step."""
        self.steps.append(Step(tuple((place, self.marks.get(place, "")) for place in household_ids)))
        for place in household_ids:
            self.put(place, outcome)

    def tell(self, household_id: str, *, told: bool) -> None:
        """The household has been told what is noted about it."""
        if told:
            self.doors = tuple(
                replace(door, is_told=True) if door.household_id == household_id else door for door in self.doors
            )

    def forget_step(self, household_id: str) -> None:
        """The last key on this door was refused: there is nothing to take back."""
        for step in reversed(self.steps):
            if step.before[0][0] == household_id:
                self.steps.remove(step)
                return

    def put(self, household_id: str, outcome: str) -> None:
        """Put a mark on a door ('' takes it away) without remembering."""
        if outcome:
            self.marks[household_id] = outcome
        else:
            self.marks.pop(household_id, None)

    def rest(self) -> tuple[str, ...]:
        """The doors of the walk that bear no mark and where somebody may live."""
        homes = {door.household_id for door in self.doors if door.occupancy not in EMPTY_HOMES}
        return tuple(place for place in self.order if place in homes and place not in self.marks)

    def empty_homes(self) -> int:
        """How many doors of the walk are passed over because nobody lives there."""
        walked = set(self.order)
        return sum(
            door.household_id in walked and door.occupancy in EMPTY_HOMES and door.household_id not in self.marks
            for door in self.doors
        )

    def after(self, household_id: str) -> str:
        """The next door of the walk without a mark, else simply the next; the last one stays."""
        place = self.order.index(household_id) if household_id in self.order else -1
        following = self.order[place + 1 :]
        open_doors = (door for door in following if door not in self.marks)
        return next(open_doors, following[0] if following else household_id)

    def first(self) -> str:
        """Where to begin: the first door of the walk without a mark, else the first."""
        return next((place for place in self.order if place not in self.marks), self.order[0] if self.order else "")

    def find(self, typed: str, *, near: str = "") -> str:
        """The household of '502', '2-502' or '3-2-502'; in the unit of ``near`` first. '' when there is none."""
        unit = next((door.unit for door in self.doors if door.household_id == near), None)
        wanted = _tail(typed, self.name)
        ordered = sorted(self.doors, key=lambda door: door.unit != unit)
        return next((door.household_id for door in ordered if wanted and _fits(door, wanted)), "")

    def counts(self) -> str:
        """'已记 22 / 54 · 见到 6 · …' over the doors of the walk."""
        bearing = [self.marks[place] for place in self.order if place in self.marks]
        parts = [tr("noted {n} of {all}").format(n=len(bearing), all=len(self.order))]
        for outcome, words in choices.SHORT_OUTCOMES.items():
            if number := bearing.count(outcome):
                parts.append(f"{tr(words)} {number}")
        saved = tr("all saved") if not self.pending else tr("saving {n}").format(n=self.pending)
        return " · ".join((*parts, saved))

    def snapshot(self) -> FacadeSnapshot:
        """The façade as it stands; doors that are not on the sheet are faint, a preview shows what would be filled."""
        walked = set(self.order)
        return FacadeSnapshot.arrange(self.name, (self._room(door, door.household_id in walked) for door in self.doors))

    def _room(self, door: BatchDoor, on_walk: bool) -> FacadeRoom:
        outcome = "no_answer" if door.household_id in self.preview else self.marks.get(door.household_id, "")
        words = choices.words(choices.OUTCOMES, outcome) if outcome else tr("not noted yet")
        return FacadeRoom(
            household_id=door.household_id,
            unit=door.unit_position,
            unit_label=_unit_words(door.unit),
            floor=door.floor,
            room=room_in_building(door.unit, door.room_no),
            tone=choices.TONES_OF_MARKS.get(outcome, "open"),
            character=choices.mark_character(outcome),
            words=words,
            slot=f"{door.slot:03d}",
            dim=not on_walk or (bool(self.preview) and door.household_id not in self.preview),
        )


def _unit_words(unit: str) -> str:
    return tr("Unit {unit}").format(unit=unit) if unit.isdigit() else unit


def _tail(typed: str, building: str) -> str:
    try:
        ref = parse_room(typed, building=building) if building else parse_room(typed)
    except RuleError:
        return ""
    return f"{ref.unit or ''}-{ref.room or ''}" if ref.room else ""


def _fits(door: BatchDoor, wanted: str) -> bool:
    unit, _, room = wanted.partition("-")
    parts = door.label.split("-")
    return parts[-1] == room and (not unit or unit in parts[:-1])
