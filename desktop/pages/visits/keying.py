"""Keys on doors: shown at once, saved one after the other on the write lane, taken back in the same order."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, Signal

from desktop.context import Context
from desktop.pages.visits.batch_marks import BatchMarks
from desktop.pages.visits.occasion import Occasion
from sync.domain.demands import DemandIntent
from sync.domain.visit_facts import KnockIntent
from sync.errors import QiaomenError
from sync.store import visits
from sync.store.store import Store
from sync.store.visits import Recorded


@dataclass(frozen=True, slots=True)
class Line:
    """A line for a door, and whether the household was told today what is noted about it."""

    text: str = ""
    told: bool = False


class Keying(QObject):
    """Owns the marks of the building that is shown; the page paints what it is told."""

    moved = Signal(str)  # something changed; the household the ring goes to, or ''
    counted = Signal()  # a save came home
    refused = Signal(str, object)  # household id, error: its mark is as before

    def __init__(self, context: Context, occasion: Occasion, parent: QObject) -> None:
        super().__init__(parent)
        self.marks = BatchMarks()
        self.notes: dict[str, Line] = {}  # lines that wait for their key
        self._context = context
        self._occasion = occasion

    def begin(self, *, order: tuple[str, ...] = ()) -> None:
        """Another building or sheet."""
        self.marks = BatchMarks(order=order)
        self.notes.clear()

    def key(self, household_id: str, outcome: str) -> None:
        """One key, one door, one save; the ring goes on at once."""
        before = self.marks.marks.get(household_id, "")
        self.marks.set(household_id, outcome)
        line = self.notes.pop(household_id, Line())
        self._knock(household_id, outcome, line, before=before)
        self.moved.emit(self.marks.after(household_id))

    def undo(self) -> bool:
        """Take the last key back (or the last filling of the rest); False when there is none."""
        if not self.marks.steps:
            return False
        step = self.marks.steps.pop()
        account_id = self._context.session.account_id
        for household_id, before in step.before:
            now = self.marks.marks.get(household_id, "")
            self.marks.put(household_id, before)
            intent = self._intent(household_id, before)
            self._write(
                partial(visits.take_back_knock, author=account_id, intent=intent, before=before),
                partial(self._put_back, household_id, now),
            )
        self.moved.emit(step.before[0][0])
        return True

    def note(self, household_id: str, text: str, *, told: bool) -> None:
        """A line for a door: with its mark when it has one, else with the key to come."""
        outcome = self.marks.marks.get(household_id, "")
        if outcome and text:
            self._knock(household_id, outcome, Line(text, told), before=outcome)
        elif text:
            self.notes[household_id] = Line(text, told)
        else:
            self.notes.pop(household_id, None)
        self.moved.emit("")

    def add_matter(self, household_id: str, demand: DemandIntent, *, told: bool) -> None:
        """A matter raised at a door, which counts as met when it bears no mark yet."""
        before = self.marks.marks.get(household_id, "")
        intent = self._intent(household_id, before or "met", self.notes.pop(household_id, Line()))
        account_id = self._context.session.account_id
        self.marks.put(household_id, before or "met")
        self.marks.tell(household_id, told=told)
        self._write(
            lambda store: visits.add_demands(store, account_id, intent, [demand], notice_given=told),
            partial(self._put_back, household_id, before),
        )
        self.moved.emit(self.marks.after(household_id))

    def fill(self, outcome: str) -> None:
        """The same mark for all doors of the walk that bear none, in one save."""
        rest, account_id = self.marks.rest(), self._context.session.account_id
        intents = [self._intent(household_id, outcome) for household_id in rest]
        self.marks.fill(rest, outcome)

        def failed(error: Exception) -> None:
            for household_id in rest:
                self.marks.put(household_id, "")
            self.marks.forget_step(rest[0])
            self.refused.emit(rest[0], error)

        self._write(lambda store: visits.fill(store, account_id, intents), failed)
        self.moved.emit("")

    def _knock(self, household_id: str, outcome: str, line: Line, *, before: str) -> None:
        intent, account_id = self._intent(household_id, outcome, line), self._context.session.account_id

        def failed(error: Exception) -> None:
            if line.text:
                self.notes[household_id] = line
            self._put_back(household_id, before, error)

        self.marks.tell(household_id, told=line.told)
        self._write(lambda store: visits.knock(store, account_id, intent), failed)

    def _intent(self, household_id: str, outcome: str, line: Line | None = None) -> KnockIntent:
        return KnockIntent(
            household_id=household_id,
            outcome=outcome,
            visited_on=self._occasion.day.value(),
            time_band=self._occasion.band.value(),
            note=line.text if line else "",
            notice_given=line.told if line else False,
            late_reason=self._occasion.late_reason(),
        )

    def _put_back(self, household_id: str, before: str, error: Exception) -> None:
        self.marks.put(household_id, before)
        self.marks.forget_step(household_id)
        self.refused.emit(household_id, error)

    def _write(self, fn: Callable[[Store], Recorded], failed: Callable[[Exception], object]) -> None:
        marks = self.marks
        marks.pending += 1

        def saved(_: Recorded) -> None:
            marks.pending -= 1
            self.counted.emit()

        def broken(error: Exception) -> None:
            marks.pending -= 1
            # What was keyed belongs to the building that was shown then.
            if marks is self.marks and isinstance(error, QiaomenError):
                failed(error)
            else:
                self.refused.emit("", error)

        self._context.tasks.write(self, fn, saved, broken)
