"""Key in a whole building (批量记敲门): one key a door, each saved at once, from the sheet that was carried along."""

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt

from desktop.context import Context
from desktop.i18n import tr
from desktop.pages.page import Touched
from desktop.pages.visits import choices
from desktop.pages.visits.board import BatchBoard
from desktop.pages.visits.keying import Line
from desktop.pages.visits.notices import say_failed
from desktop.pages.visits.print_sheets import PrintDialog
from desktop.texts import words
from desktop.widgets.facade import BACKSPACE
from sync.domain.calendar import days_between
from sync.domain.demands import DemandIntent
from sync.domain.visiting import LATE_AFTER_DAYS, band_at
from sync.errors import RuleError
from sync.store import sheets, visits
from sync.store.sheets import SheetRow
from sync.store.store import Reader
from sync.store.visits import BuildingDoors

_JUMP_KEYS = frozenset("/.*")  # all on the number pad, none of them an outcome
_OUTCOME_OF = {str(number): outcome for number, outcome in enumerate(choices.OUTCOMES, start=1)}


@dataclass(frozen=True, slots=True)
class _Found:
    """What is read for the page, at once."""

    buildings: tuple[tuple[str, str], ...]
    doors: BuildingDoors | None


class BatchPage(BatchBoard):
    """Target: ``building_id`` (else the viewer's first), ``household_id`` to begin at, ``print=True``."""

    name = "batch"
    listens = frozenset({"visit", "household", "care_due", "privacy_notice"})

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._building_id = ""
        self._begin_at = ""
        self._wants_print = False
        self._is_restart = False  # another day or band begins at its first open door
        self._sheet: SheetRow | None = None
        self._connect()

    # ------------------------------------------------------------------------------------------- opening

    def open(self, **target: Any) -> None:
        """Show the building with today's marks of this part of the day."""
        wanted = str(target.get("building_id") or "")
        if wanted and wanted != self._building_id:
            self._sheet = None
        self._building_id = wanted or self._building_id
        self._begin_at = str(target.get("household_id") or "")
        self._wants_print = bool(target.get("print"))
        if not self.occasion.day.value() or not self.marks.pending:
            band = band_at(self.context.now(), calendar=self.context.rules.calendar)
            self.occasion.set(day=self.today(), band=band)
        super().open(**target)

    def reload(self) -> None:
        """Read the building again; marks on their way to the disk are not overwritten."""
        viewer, building_id, today = self.context.session.viewer, self._building_id, self.today()
        day, band = self.occasion.day.value() or today, self.occasion.band.value()

        def read(reader: Reader) -> _Found:
            known = visits.buildings(reader.db, viewer)
            chosen = building_id if building_id in dict(known) else next((key for key, _ in known), "")
            if not chosen:
                return _Found(known, None)
            return _Found(known, visits.batch(reader.db, viewer, chosen, day=day, band=band, today=today))

        self.context.tasks.read(self, read, self._show, self._failed, key="doors")

    def touched(self, touched: Touched) -> None:
        """Our own keys come back as touched, too; they are shown already."""
        if not self.marks.pending:
            super().touched(touched)

    def forget(self) -> None:
        """Leave nothing on the screen for the next person."""
        self.keying.begin()
        self._building_id = ""
        self._sheet = None
        self._paint()

    # ------------------------------------------------------------------------------------------- keys

    def key(self, outcome: str) -> None:
        """One key for the door with the ring."""
        if self.facade.current and outcome and self.occasion.is_ready():
            self.keying.key(self.facade.current, outcome)

    def undo(self) -> None:
        """Take the last key back."""
        if not self.keying.undo():
            self.door_card.complain(tr("Nothing to change back here; older ones are under Visits"))

    def jump(self, typed: str) -> None:
        """Move the ring to a room as typed."""
        found = self.marks.find(typed, near=self.facade.current)
        if not found:
            self.door_card.complain(tr("There is no room {room} here").format(room=typed.strip()))
            return
        self.door_card.jump.clear()
        self.facade.set_current(found)
        self._to_facade()

    # ------------------------------------------------------------------------------------------- inside

    def _connect(self) -> None:
        self.fill_button.clicked.connect(self._preview_fill)
        self.facade.typed.connect(self._on_typed)
        self.facade.current_changed.connect(lambda _: self._show_door())
        self.facade.activated.connect(lambda home: self.context.navigate("visits", household_id=home))
        self.door_card.picked.connect(self.key)
        self.door_card.picked.connect(lambda _: self._to_facade())
        self.door_card.noted.connect(self._on_note)
        self.door_card.jumped.connect(self.jump)
        self.door_card.left.connect(self._to_facade)
        self.sheet_card.left.connect(self._to_facade)
        self.sheet_card.entered.connect(self._find_sheet)
        self.sheet_card.cleared.connect(self._whole_building)
        self.sheet_card.print_asked.connect(self._print)
        self.keying.moved.connect(lambda ring: self._paint(ring=ring))
        self.keying.counted.connect(self._show_counts)
        self.keying.refused.connect(self._on_refused)
        self.occasion.changed.connect(self._on_occasion)
        self.occasion.done.connect(self._to_facade)
        self.occasion.building_chosen.connect(lambda building: self.open(building_id=building))
        self.fill_panel.accepted.connect(self._fill)
        self.fill_panel.cancelled.connect(self._close_fill)
        self.matter_panel.done.connect(self._add_matter)
        self.matter_panel.cancelled.connect(self._to_facade)

    def _on_typed(self, typed: str) -> None:
        if typed in _OUTCOME_OF:
            self.key(_OUTCOME_OF[typed])
        elif typed == "0":
            self._ask_note()
        elif typed in ("+", "＋"):
            door = self.marks.door(self.facade.current)
            if door is not None and self.occasion.is_ready():
                self.matter_panel.begin(door)
        elif typed == BACKSPACE:
            self.undo()
        elif typed in _JUMP_KEYS:
            self.door_card.ask_jump()

    def _show(self, found: _Found) -> None:
        if self.marks.pending:
            return
        self.occasion.set_buildings(found.buildings, found.doors.building_id if found.doors else "")
        self.show_any(found.doors is not None)
        if found.doors is None:
            return
        is_new = found.doors.building_id != self._building_id or not self.marks.doors
        self._building_id = found.doors.building_id
        if is_new:
            self.keying.begin(order=self._sheet.household_ids if self._sheet else ())
        self.round_name = found.doors.campaign.round_name if found.doors.campaign else ""
        self.marks.show(found.doors)
        if self._sheet is not None:
            self.marks.walk(self._sheet.household_ids)
        self.hard_card.show_doors(found.doors.hard)
        ring = self._begin_at or (self.marks.first() if is_new or self._is_restart else "")
        self._is_restart = False
        self._begin_at = ""
        self._paint(ring=ring)
        if is_new:
            self._to_facade()
        if self._wants_print:
            self._wants_print = False
            self._print()

    def _paint(self, *, ring: str = "") -> None:
        self.facade.set_snapshot(self.marks.snapshot())
        if ring:
            self.facade.set_current(ring)
        self._show_door()
        self._show_counts()
        self.heading_changed.emit()

    def _show_counts(self) -> None:
        self.card.set_hint(self.marks.counts())
        self.fill_button.setEnabled(bool(self.marks.rest()))

    def _show_door(self) -> None:
        current = self.facade.current
        self.door_card.show_door(
            self.marks.door(current),
            outcome=self.marks.marks.get(current, ""),
            note=self.keying.notes.get(current, Line()).text,
        )

    def _to_facade(self) -> None:
        self.facade.setFocus(Qt.FocusReason.OtherFocusReason)

    def _ask_note(self) -> None:
        door = self.marks.door(self.facade.current)
        if door is not None:
            line = self.keying.notes.get(door.household_id, Line())
            self.door_card.ask_note(line.text, is_told=door.is_told)

    def _on_note(self, text: str, told: bool) -> None:
        self._to_facade()
        self.keying.note(self.facade.current, text, told=told)

    def _add_matter(self, demand: DemandIntent, told: bool) -> None:
        self._to_facade()
        self.keying.add_matter(self.facade.current, demand, told=told)

    # ------------------------------------------------------------------------------------------- the rest

    def _preview_fill(self) -> None:
        if not self.occasion.is_ready():
            return
        rest = self.marks.rest()
        self.marks.preview = frozenset(rest)
        self._paint()
        self.fill_panel.begin(len(rest), empty=self.marks.empty_homes())

    def _close_fill(self) -> None:
        self.marks.preview = frozenset()
        self._paint()
        self._to_facade()

    def _fill(self) -> None:
        self.marks.preview = frozenset()
        self.keying.fill("no_answer")
        self._to_facade()

    # ------------------------------------------------------------------------------------------- sheets

    def _find_sheet(self, typed: str) -> None:
        viewer = self.context.session.viewer
        self.context.tasks.read(
            self, lambda reader: sheets.find(reader.db, viewer, typed), self._open_sheet, self._no_sheet, key="sheet"
        )

    def _open_sheet(self, sheet: SheetRow) -> None:
        """Begin at the sheet's first door, on the day that is printed on it."""
        self._sheet = sheet
        self.sheet_card.show_sheet(sheet.code, len(sheet.household_ids))
        if 0 < days_between(sheet.printed_on, self.today()) <= LATE_AFTER_DAYS:
            self.occasion.set(day=sheet.printed_on, band=self.occasion.band.value())
        self._building_id = sheet.building_id
        self._begin_at = sheet.household_ids[0]
        self.keying.begin(order=sheet.household_ids)
        self.reload()
        self._to_facade()

    def _no_sheet(self, error: Exception) -> None:
        said = words(error)
        self.sheet_card.complain(tr("{what}. {todo}", "sentences").format(what=said.title, todo=said.advice))

    def _whole_building(self) -> None:
        self._sheet = None
        self.sheet_card.show_sheet("", 0)
        self.marks.walk()
        self._paint()
        self._to_facade()

    def _print(self) -> None:
        PrintDialog(self.context, self, self._building_id).open()

    # ------------------------------------------------------------------------------------------- errors

    def _on_occasion(self) -> None:
        self.marks.steps.clear()
        self._is_restart = True
        self.reload()
        self.heading_changed.emit()

    def _on_refused(self, household_id: str, error: Exception) -> None:
        self._paint(ring=household_id)
        if isinstance(error, RuleError) and error.code == "notice_needed":
            self._ask_note()
            self.door_card.complain(words(error).title)
        else:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        say_failed(self.context, error)
        self._paint()
