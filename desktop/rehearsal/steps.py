"""The steps of the tour, in order: a head's morning, the station's part, a day without a line, a second PC."""

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit, QListWidget

from desktop.i18n import tr
from desktop.pages.demands.page import DemandPage
from desktop.pages.disputes.form import NoticeForm
from desktop.pages.disputes.page import DisputesPage
from desktop.pages.disputes.steps import StepForm
from desktop.pages.visits.batch import BatchPage
from desktop.pages.visits.page import VisitPage
from desktop.rehearsal import moves
from desktop.rehearsal.hands import Hands
from desktop.sync_status import Phase
from desktop.widgets.pin_field import PinField
from sync.domain.colour_rules import Colour

if TYPE_CHECKING:
    from desktop.rehearsal.stage import Stage

_DOORS = "22122612232122162224"  # what twenty doors come to; three people met
_MATTER = "家里没暖气，室温13度"
_QUIET = "身体不错，孙子放假来住。"
_DISPUTE = "楼上半夜装修，楼下孩子睡不好。"


# ---------------------------------------------------------------------------------------------------- the head


def morning(stage: "Stage") -> None:
    """The unlock page with its names; the head taps hers, types six digits, and sees what is due."""
    hands = stage.hands
    hands.until(lambda: moves.tile_of(hands, stage.person("head3").name), "the names are there")
    hands.type("2805", into=hands.all(PinField)[0])
    hands.picture("01-unlock")
    hands.all(PinField)[0].clear()
    moves.unlock(stage, "head3")
    hands.check(hands.reads("3-2-501"), "3-2-501 is on today's list")
    hands.picture("02-today")


def find_by_initials(stage: "Stage") -> None:
    """Ctrl+K, three letters, Enter."""
    hands = stage.hands
    hands.seek("lgf")
    hands.picture("03-find-by-initials")
    hands.keys("Return")
    hands.until(lambda: hands.page.name == "households" and hands.reads("李桂芳"), "the card of 李桂芳")
    hands.picture("04-household")


def print_door_sheets(stage: "Stage") -> None:
    """The sheets of the building as a PDF; the code of the first is what the next step types."""
    hands = stage.hands
    moves.go(hands, tr("Today"))
    hands.press(tr("Print door sheets"))
    hands.dialog()
    hands.settle()
    hands.picture("05-print-door-sheets")
    hands.pick("all", where=hands.dialog())
    hands.press(tr("Save as PDF"))
    hands.until(lambda: list(stage.folder.glob("*.pdf")), "the PDF is written")
    hands.no_dialog()
    stage.said["sheet"] = moves.rows(hands, "SELECT code FROM door_sheet ORDER BY rowid")[0]


def key_twenty_doors(stage: "Stage") -> None:
    """The sheet's code finds the first door; then one key a door."""
    hands = stage.hands
    hands.until(lambda: hands.page.name == "batch", "the page for whole buildings")
    page = cast(BatchPage, hands.page)
    hands.type(stage.said["sheet"].lower(), into=page.sheet_card.code)
    hands.keys("Return")
    hands.until(lambda: len(page.marks.doors) > 0 and page.facade.hasFocus(), "the ring is on the sheet's first door")
    marked = len([mark for mark in page.marks.marks.values() if mark])
    last = before = ""
    for place, key in enumerate(_DOORS):
        last = page.facade.current
        before = page.marks.marks.get(last, "")
        QTest.keyClick(page.facade, Qt.Key(ord(key)))
        if place == 11:
            hands.picture("06-twelve-doors-keyed")
    hands.settle()
    hands.until(lambda: not page.marks.pending, "every key is on the disk")
    now = len([mark for mark in page.marks.marks.values() if mark])
    hands.check(now >= marked + len(_DOORS) - 2, f"{now - marked} of {len(_DOORS)} doors were marked")
    QTest.keyClick(page.facade, Qt.Key.Key_Backspace)
    hands.until(lambda: page.marks.marks.get(last, "") == before, "the last key is taken back")
    hands.settle()
    hands.picture("07-twenty-doors-keyed")


def record_urgent(stage: "Stage") -> None:
    """A visit with an urgent matter, all by keyboard, kept as a draft meanwhile."""
    hands = stage.hands
    hands.find(moves.ROOM)
    hands.press(tr("Note a visit") if hands.reads(tr("Note a visit")) else tr("Record a visit"))
    hands.until(lambda: hands.page.name == "visits", "the visit's form")
    page = cast(VisitPage, hands.page)
    hands.until(lambda: page.form.isVisible(), "the form is filled")
    hands.settle()
    hands.keys("1")
    hands.type("屋里只有13度，老人受不了。", into=page.form.note.edit)
    hands.keys("Ctrl+D")
    form = page.form.demand_form
    hands.until(form.isVisible, "the fields of a matter")
    hands.type(_MATTER, into=form.title)
    hands.choose(form.category, "水电气暖网")
    hands.tick(hands.all(QCheckBox, where=form)[0])
    hands.picture("08-visit-with-urgent-matter")
    hands.click(form.take)
    hands.until(lambda: page.form.demands.intents(), "the matter is on the list")
    hands.picture("09-visit-before-saving")
    hands.keys("Ctrl+S")
    hands.until(lambda: hands.reads(moves.ROOM) and page.undo_button.isVisible(), "the visit is saved")


def see_red(stage: "Stage") -> None:
    """The map shows the home red, and says why."""
    page = moves.at_room(stage)
    stage.hands.check(moves.colour(page) is Colour.RED, f"{moves.ROOM} is red")
    stage.hands.check(stage.hands.reads(_MATTER), "the map names the matter")
    stage.hands.picture("10-map-turned-red")


# ---------------------------------------------------------------------------------------------------- the station


def station_resolves(stage: "Stage") -> None:
    """The grid worker takes it up, sends it to the property firm, and writes down what was done."""
    hands = stage.hands
    moves.leave(stage)
    moves.unlock(stage, "grid0")
    moves.at_room(stage)
    hands.press(_MATTER)
    hands.until(lambda: hands.page.name == "demand", "the card of the matter")
    page = cast(DemandPage, hands.page)
    hands.until(lambda: page.card is not None, "the matter is read")
    moves.step(hands, page, "accept")
    moves.open_step(hands, page, "dispatch")
    hands.choose(cast(QComboBox, moves.fields(page).field("target")), "益民物业")
    hands.picture("11-dispatch")
    moves.save_step(hands, page)
    moves.step(hands, page, "take")
    moves.step(hands, page, "start")
    moves.open_step(hands, page, "resolve")
    hands.type("换了阀门，放了气，室温18度。", into=moves.editor(moves.fields(page).field("result")))
    hands.pick("substantive", where=page.form)
    moves.save_step(hands, page)
    hands.check(page.card is not None and page.card.row.state == "resolved", "the matter is resolved")
    hands.picture("12-resolved-not-told")


def tell_and_evaluate(stage: "Stage") -> None:
    """The head tells the resident and asks how content they are."""
    hands = stage.hands
    moves.leave(stage)
    moves.unlock(stage, "head3")
    hands.check(hands.reads(_MATTER), "the resident to be told stands on today's list")
    hands.picture("13-today-to-tell")
    moves.at_room(stage)
    hands.press(_MATTER)
    hands.until(lambda: hands.page.name == "demand", "the card of the matter")
    page = cast(DemandPage, hands.page)
    hands.until(lambda: page.card is not None and page.card.row.title == _MATTER, "the matter is read")
    moves.open_step(hands, page, "reply")
    hands.pick("in_person", where=page.form)
    moves.save_step(hands, page)
    moves.open_step(hands, page, "evaluate")
    hands.pick("satisfied", where=page.form)
    hands.picture("14-evaluation")
    moves.save_step(hands, page)
    hands.check(page.card is not None and page.card.row.state == "evaluated", "the matter is evaluated")


def see_green(stage: "Stage") -> None:
    """The red cell is green again."""
    page = moves.at_room(stage)
    stage.hands.check(moves.colour(page) is Colour.GREEN, f"{moves.ROOM} is green again")
    stage.hands.picture("15-map-green-again")


def settle_dispute(stage: "Stage") -> None:
    """Two neighbours quarrel: noted in one line, settled on the spot, called again in a week."""
    hands = stage.hands
    moves.go(hands, tr("Disputes"))
    page = cast(DisputesPage, hands.page)
    hands.keys("Ctrl+M")
    hands.until(lambda: page.form is not None, "the fields of a new note")
    form = cast(NoticeForm, page.form)
    hands.type(moves.ROOM, into=form.place)
    hands.until(lambda: form.place.results, f"{moves.ROOM} is found")
    hands.keys("Return")
    hands.type("3-3-602", into=form.other_party)
    hands.type(_DISPUTE, into=form.summary_line)
    hands.picture("16-note-a-dispute")
    hands.keys("Ctrl+S")
    hands.until(lambda: page.form is None and page.card is not None, "the note is saved")
    hands.settle()
    hands.click(moves.dispute_step(hands, page, "settle_on_spot"))
    hands.until(lambda: isinstance(page.form, StepForm), "the fields of the result")
    steps = cast(StepForm, page.form)
    hands.type("晚八点后不施工，装修队明天来说明。", into=moves.editor(steps.field("result")))
    hands.keys("Ctrl+S")
    hands.until(
        lambda: page.form is None and page.card is not None and page.card.row.state == "settled_on_spot",
        "the dispute is settled",
    )
    hands.picture("17-dispute-settled")


# ---------------------------------------------------------------------------------------------------- no line


def offline(stage: "Stage") -> None:
    """The line goes; work goes on and is saved here."""
    hands = stage.hands
    stage.line.is_up = False
    hands.find("3-3-101")
    moves.note_met(stage, _QUIET)
    moves.go(hands, tr("Sync"))
    hands.press(tr("Sync now"))
    hands.until(lambda: hands.program.agent.status.phase is Phase.WAITING, "the program knows there is no line")
    hands.settle()
    hands.check(hands.program.agent.status.unsent > 0, "what was noted waits on this PC")
    hands.picture("18-without-a-line")


def back_online(stage: "Stage") -> None:
    """The line is back: all of it goes out."""
    hands = stage.hands
    stage.line.is_up = True
    hands.press(tr("Sync now"))
    agent = hands.program.agent
    hands.until(lambda: agent.status.phase is Phase.IDLE and agent.status.unsent == 0, "everything is sent")
    hands.check(agent.status.refused == 0, "nothing was refused")
    hands.settle()
    hands.picture("19-all-sent")


def second_pc(stage: "Stage") -> None:
    """The secretary gives the grid worker a code; with it another PC is let in and shows the same."""
    hands = stage.hands
    moves.leave(stage)
    moves.unlock(stage, "branch")
    moves.go(hands, tr("Settings"))
    worker = stage.person("grid0")
    hands.choose_line(hands.all(QListWidget)[0], worker.name)
    hands.press(tr("New code for this person"))
    code = moves.one_time_code(hands)
    hands.show(next(shown for shown in hands.all(QLabel) if shown.text() == code))
    hands.picture("20-one-time-code")
    program = stage.make(stage.home / "second")
    other = Hands(program, stage.folder)
    other.front()
    fields = other.all(QLineEdit)
    other.fill(fields[0], stage.line.server.url)
    other.fill(fields[1], code)
    for pin in other.all(PinField):
        other.type("630417", into=pin)
    other.picture("21-second-pc-first-start")
    other.press(tr("Begin"))
    other.until(lambda: other.reads(tr("Put this code away")), "the second PC is let in", within_ms=60_000)
    other.picture("22-recovery-code")
    other.tick(other.all(QCheckBox)[0])
    other.press(tr("Begin work"))
    other.until(lambda: other.window.at_work, "the grid worker works on the second PC")
    other.settle()
    page = moves.at_room(stage, hands=other)
    other.check(moves.colour(page) is Colour.GREEN, f"{moves.ROOM} is green on the second PC, too")
    other.check(other.reads(_MATTER), "the matter is known on the second PC")
    other.picture("23-second-pc-shows-the-same")
    other.find("3-3-101")
    other.check(
        moves.rows(other, "SELECT id FROM visit WHERE note = ?", _QUIET), "the visit noted without a line is here"
    )


STEPS: tuple[tuple[str, Callable[["Stage"], None]], ...] = (
    ("unlock with a PIN, see today", morning),
    ("find a household by initials", find_by_initials),
    ("print door sheets", print_door_sheets),
    ("key twenty doors", key_twenty_doors),
    ("record a visit with an urgent matter", record_urgent),
    ("see the cell turn red with its reason", see_red),
    ("the station accepts, dispatches and resolves it", station_resolves),
    ("tell the resident, ask for the evaluation", tell_and_evaluate),
    ("see the cell turn green", see_green),
    ("note and settle a dispute", settle_dispute),
    ("work without a line", offline),
    ("come back and sync", back_online),
    ("see it on a second PC", second_pc),
)
