"""The moves that several steps of the tour have in common: get in, go to a page, walk to a room, make a step."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtWidgets import QWidget

from desktop.i18n import tr
from desktop.pages.demands.form import MoveForm
from desktop.pages.demands.page import DemandPage
from desktop.pages.disputes.page import DisputesPage
from desktop.pages.needs_map.page import NeedsMapPage
from desktop.pages.unlock.page import UnlockPage
from desktop.pages.unlock.tile import PersonTile
from desktop.pages.visits.page import VisitPage
from desktop.rehearsal.hands import Hands, TourFailure
from desktop.widgets.ask import ScreenAsk
from desktop.widgets.pin_field import PinField
from sync.domain.colour_rules import Colour

if TYPE_CHECKING:
    from desktop.rehearsal.stage import Stage

ROOM = "3-3-502"  # green, known, and nothing open: it turns red and green again


class FileAnswers(ScreenAsk):
    """Asks on the screen, but files go to the tour's folder: a file dialog belongs to the system, not to the tour."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def pick_save(
        self, parent: QWidget, *, title: str, filters: str, suggested: str, then: Callable[[Path], object]
    ) -> None:
        """The suggested name in the tour's folder."""
        then(self._folder / suggested)


def unlock(stage: "Stage", key: str, *, hands: Hands | None = None) -> None:
    """Tap the name, or find it by its initials, and type the six digits."""
    hands = hands or stage.hands
    person = stage.person(key)
    hands.until(lambda: isinstance(hands.window.gate, UnlockPage), "the unlock page")
    hands.settle()
    if tile_of(hands, person.name) is None:
        look_for(hands, person.name)
    tile = tile_of(hands, person.name)
    if tile is None:
        raise TourFailure(f"there is no tile for {person.name}")
    hands.click(tile)
    field = hands.all(PinField)[0]
    hands.type(stage.pin(key), into=field)
    hands.keys("Return")
    hands.until(lambda: hands.window.at_work and hands.page.name == "today", f"{person.name} gets in")
    hands.settle()


def tile_of(hands: Hands, name: str) -> PersonTile | None:
    return next((tile for tile in hands.all(PersonTile) if tile.accessibleName().startswith(f"{name} ")), None)


def look_for(hands: Hands, name: str) -> None:
    letters = hands.program.context.rules.pinyin.initials(name)[0]
    gate = cast(QWidget, hands.window.gate)
    gate.setFocus()
    hands.keys(letters[0])
    hands.type(letters[1:])


def leave(stage: "Stage") -> None:
    """Ctrl+L hides everything."""
    stage.hands.keys("Ctrl+L")
    stage.hands.until(lambda: isinstance(stage.hands.window.gate, UnlockPage), "the screen is hidden")
    stage.hands.settle()


def rows(hands: Hands, sql: str, *given: object) -> list[str]:
    """The first column of what stands in the program's own file."""
    found: list[list[str]] = []
    hands.program.tasks.read(
        None, lambda reader: [row[0] for row in reader.db.conn.execute(sql, given)], lambda rows: found.append(rows)
    )
    hands.until(lambda: found, "the file is read")
    return found[0]


def go(hands: Hands, words: str) -> None:
    hands.press(words, where=hands.window.sidebar)
    hands.settle()


def at_room(stage: "Stage", *, hands: Hands | None = None) -> NeedsMapPage:
    """Open the map by the sidebar and walk to the room with the keyboard's own cursor."""
    hands = hands or stage.hands
    go(hands, tr("Needs map"))
    page = cast(NeedsMapPage, hands.page)
    building, unit, room = ROOM.split("-")
    hands.until(lambda: page.reading is not None and page.reading.building is not None, "the map is read")
    reading = page.reading
    assert reading is not None
    assert reading.compound is not None
    tile = next(tile for tile in reading.compound.tiles if tile.name == f"{building}号楼")
    if reading.building is None or reading.building.building_id != tile.building_id:
        page.plan.focus_plan()
        page.open(building_id=tile.building_id)
        hands.settle()
    assert page.reading is not None
    snapshot = page.reading.building
    assert snapshot is not None
    unit_id = snapshot.units[int(unit) - 1].unit_id
    cell = next(cell for cell in snapshot.cells if cell.unit_id == unit_id and cell.room_no == room)
    facade = page.facade.facade
    hands.click_at(facade.viewport(), facade.cell_rect(cell.household_id).center())
    hands.until(
        lambda: page.panel_reading is not None and page.panel_reading.why.household_id == cell.household_id,
        f"the panel shows {ROOM}",
    )
    hands.settle()
    return page


def colour(page: NeedsMapPage) -> Colour:
    assert page.panel_reading is not None
    return page.panel_reading.why.coloured.colour


def step(hands: Hands, page: DemandPage, move: str) -> None:
    """Make a step that needs nothing."""
    before = page.card.row.state if page.card else ""
    press_step(hands, page, move)
    hands.until(lambda: page.card is not None and page.card.row.state != before, f"the step {move} is made")
    hands.settle()


def open_step(hands: Hands, page: DemandPage, move: str) -> None:
    press_step(hands, page, move)
    hands.until(lambda: page.form is not None and page.form.isVisible(), f"the fields of {move}")
    hands.settle()


def press_step(hands: Hands, page: DemandPage, move: str) -> None:
    hands.until(lambda: page.bar.button_of(move) is not None, f"the button of {move}")
    hands.click(cast(QWidget, page.bar.button_of(move)))


def save_step(hands: Hands, page: DemandPage) -> None:
    hands.keys("Ctrl+S")
    hands.until(lambda: page.form is None, "the step is saved")
    hands.settle()


def fields(page: DemandPage) -> MoveForm:
    if not isinstance(page.form, MoveForm):
        raise TourFailure("the fields of the step are not open")
    return page.form


def editor(field: QWidget) -> QWidget:
    return cast(QWidget, getattr(field, "edit", field))


def note_met(stage: "Stage", note: str) -> None:
    hands = stage.hands
    hands.press(tr("Note a visit") if hands.reads(tr("Note a visit")) else tr("Record a visit"))
    hands.until(lambda: hands.page.name == "visits", "the visit's form")
    page = cast(VisitPage, hands.page)
    hands.until(lambda: page.form.isVisible(), "the form is filled")
    hands.settle()
    hands.keys("1")
    hands.type(note, into=page.form.note.edit)
    hands.keys("Ctrl+S")
    hands.until(lambda: page.undo_button.isVisible(), "the visit is saved")
    hands.settle()


def one_time_code(hands: Hands) -> str:
    from desktop.pages.settings.people import PeopleCard

    card = hands.all(PeopleCard)[0]
    hands.until(lambda: card.code, "the one-time code")
    return card.code


def dispute_step(hands: Hands, page: DisputesPage, move: str) -> QWidget:
    hands.until(lambda: page.bar.button_of(move) is not None, f"the button of {move}")
    return cast(QWidget, page.bar.button_of(move))
