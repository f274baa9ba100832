"""Printing door sheets: which doors, how many sheets, onto paper or into a file; each sheet gets its code first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QPagedPaintDevice
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from desktop import theme
from desktop.context import Context
from desktop.hub import Notice, Tone
from desktop.i18n import tr
from desktop.printing.base import check_public, paint, to_pdf
from desktop.printing.door_sheet import DoorSheetDocument, SheetDoor, SheetPage
from desktop.texts import words
from desktop.widgets.buttons import button
from desktop.widgets.labels import label
from desktop.widgets.option_row import Option, OptionRow
from desktop.widgets.state_badge import state_character
from sync.domain.calendar import day_of
from sync.domain.door_sheets import DOORS_PER_SHEET, SheetIntent
from sync.errors import RuleError, StoreError
from sync.store import sheets, visits
from sync.store.sheets import Made, Plan, PlannedDoor
from sync.store.store import Reader
from sync.store.visit_facts import CampaignRound

ALL, OPEN = "all", "open"


@dataclass(frozen=True, slots=True)
class _Read:
    plan: Plan
    opened: CampaignRound | None


class PrintDialog(QDialog):
    """Asks which doors, then makes the sheets and hands them to the printer or a file."""

    def __init__(self, context: Context, parent: QWidget, building_id: str) -> None:
        super().__init__(parent)
        self._context = context
        self._building_id = building_id
        self._found: _Read | None = None
        px = theme.current().px
        self.setWindowTitle(tr("Print door sheets"))
        self.setAccessibleName(tr("Print door sheets"))
        box = QVBoxLayout(self)
        box.setContentsMargins(px(28), px(24), px(28), px(20))
        box.setSpacing(px(theme.GAP_M))
        self._head = label("", "head")
        box.addWidget(self._head)
        self.which = OptionRow((), name=tr("Which doors"))
        self.which.setMinimumHeight(px(theme.CONTROL_HEIGHT + 4))
        self.which.changed.connect(self._show_count)
        box.addWidget(self.which)
        self.count = label("", wrap=True)
        box.addWidget(self.count)
        box.addWidget(label(tr("A4, black and white; no names and no reasons on the paper."), "hint", wrap=True))
        row = QHBoxLayout()
        row.setSpacing(px(theme.GAP_M))
        row.addStretch(1)
        row.addWidget(button(tr("Not now"), on_click=self.reject))
        self.file_button = button(tr("Save as PDF"), role="second", on_click=self._to_file)
        self.print_button = button(tr("Print"), role="primary", key="Ctrl+P", on_click=self._to_printer)
        row.addWidget(self.file_button)
        row.addWidget(self.print_button)
        box.addLayout(row)
        self.setMinimumWidth(px(460))
        self._ready(False)
        self._read()

    # ------------------------------------------------------------------------------------------- inside

    def _read(self) -> None:
        context, building_id = self._context, self._building_id
        viewer, now, rules = context.session.viewer, context.now(), context.rules

        def read(reader: Reader) -> _Read:
            opened = visits.campaign(reader.db, viewer, today=day_of(now))
            return _Read(sheets.plan(reader.db, viewer, building_id, rules=rules, now=now, opened=opened), opened)

        context.tasks.read(self, read, self._show, self._failed)

    def _show(self, found: _Read) -> None:
        self._found = found
        self._head.setText(tr("Door sheets for {building}").format(building=found.plan.building))
        options = [Option(ALL, tr("All doors"))]
        if found.opened is not None and any(door.is_done for door in found.plan.doors):
            left = tr("Not reached yet in {round}").format(round=found.opened.round_name)
            options.insert(0, Option(OPEN, left))
        self.which.set_options(options)
        self.which.set_value(options[0].value)
        self._show_count()
        self.print_button.setFocus(Qt.FocusReason.OtherFocusReason)
        self.adjustSize()

    def _doors(self) -> tuple[PlannedDoor, ...]:
        if self._found is None:
            return ()
        wants_all = self.which.value() == ALL
        return tuple(door for door in self._found.plan.doors if wants_all or not door.is_done)

    def _show_count(self) -> None:
        doors = len(self._doors())
        pages = -(-doors // DOORS_PER_SHEET)
        self.count.setText(tr("{doors} doors on {pages} sheets of 20").format(doors=doors, pages=pages))
        self._ready(bool(doors))

    def _ready(self, on: bool) -> None:
        self.print_button.setEnabled(on)
        self.file_button.setEnabled(on)

    def _to_file(self) -> None:
        assert self._found is not None
        self._context.ask.pick_save(
            self,
            title=tr("Where should the door sheets go?"),
            filters="PDF (*.pdf)",
            suggested=tr("Door sheets {building} {day}.pdf").format(
                building=self._found.plan.building, day=day_of(self._context.now())
            ),
            then=lambda path: self._make(lambda document: self._write_file(document, path)),
        )

    def _to_printer(self) -> None:
        self._context.ask.pick_printer(
            self,
            title=tr("Print door sheets"),
            then=lambda printer: self._make(lambda document: self._print_on(document, printer)),
            otherwise=self._to_file,
        )

    def _make(self, deliver: Callable[[DoorSheetDocument], object]) -> None:
        """Give the sheets their codes in the file, look that nothing private is on them, then deliver."""
        found, doors = self._found, self._doors()
        assert found is not None
        self._ready(False)
        account_id = self._context.session.account_id
        intent = SheetIntent(
            building_id=self._building_id,
            household_ids=tuple(door.household_id for door in doors),
            campaign_id=found.opened.campaign_id if found.opened else None,
            round_no=found.opened.round_no if found.opened else None,
        )

        def made(sheet: Made) -> None:
            self._ready(True)
            try:
                document = self._document(found, doors, sheet)
                check_public(document, names=found.plan.names)
                deliver(document)
            except (RuleError, StoreError) as error:
                self._failed(error)

        self._context.tasks.write(self, lambda store: sheets.make(store, account_id, intent), made, self._failed)

    def _document(self, found: _Read, doors: Sequence[PlannedDoor], made: Made) -> DoorSheetDocument:
        by_id = {door.household_id: SheetDoor(state_character(door.colour), door.room) for door in doors}
        return DoorSheetDocument(
            building=found.plan.building,
            round_name=found.opened.round_name if found.opened else "",
            day=day_of(self._context.now()),
            sheets=tuple(
                SheetPage(sheet.code, tuple(by_id[household_id] for household_id in sheet.household_ids))
                for sheet in made.sheets
            ),
        )

    def _write_file(self, document: DoorSheetDocument, path: Path) -> None:
        self._context.tasks.net(self, lambda: to_pdf(document, path), lambda _: self._done(document), self._failed)

    def _print_on(self, document: DoorSheetDocument, printer: QPagedPaintDevice) -> None:
        # A printer belongs to the thread that made it; a sheet takes a few milliseconds.
        paint(document, printer)
        self._done(document)

    def _done(self, document: DoorSheetDocument) -> None:
        self._context.hub.notice.emit(
            Notice(
                title=tr("{n} door sheets are ready").format(n=document.page_count),
                advice=tr("Afterwards type the number at the top right of each sheet; you begin at its first door."),
                tone=Tone.GOOD,
            )
        )
        self.accept()

    def _failed(self, error: Exception) -> None:
        self._ready(bool(self._doors()))
        said = words(error)
        self.count.setText(f"{said.title} {said.advice}".strip())
