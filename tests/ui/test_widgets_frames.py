"""Frames, bars and painted pieces: they give way when the letters grow, and each says what it is."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from desktop import theme
from desktop.hub import Notice, Tone
from desktop.widgets import notice_bar
from desktop.widgets.ask import Question, QuestionDialog, ScreenAsk
from desktop.widgets.buttons import button
from desktop.widgets.card import Card, clear
from desktop.widgets.compound_plan import BuildingTile, CompoundPlan
from desktop.widgets.flow import FlowLayout, PageScroll, ResponsiveColumns
from desktop.widgets.notice_bar import NoticeBar
from desktop.widgets.progress_row import ProgressRow
from desktop.widgets.share_bar import Counts, ShareBar
from desktop.widgets.state_badge import StateBadge, state_character
from desktop.widgets.step_track import StepTrack
from desktop.widgets.tabs import Tabs
from desktop.widgets.timeline import Timeline, TimelineEntry


def tiles(count: int) -> tuple[BuildingTile, ...]:
    return tuple(BuildingTile(f"b{n}", f"{n}号楼", "green", Counts(green=n)) for n in range(1, count + 1))


def test_a_button_shows_its_key_and_obeys_it_only_while_seen(qtbot: QtBot) -> None:
    pressed: list[int] = []
    window = QWidget()
    qtbot.addWidget(window)
    box = QVBoxLayout(window)
    save = button("保存", role="primary", key="Ctrl+S", on_click=lambda: pressed.append(1))
    other = QPushButton("x")
    box.addWidget(save)
    box.addWidget(other)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    assert save.text() == "保存　Ctrl S"
    assert save.accessibleName() == "保存"
    assert save.height() >= 42
    other.setFocus()
    qtbot.keyClick(other, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    save.setEnabled(False)
    qtbot.keyClick(other, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    save.setEnabled(True)
    save.hide()
    qtbot.keyClick(other, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert pressed == [1]


def test_buttons_wrap_and_the_height_follows(qtbot: QtBot) -> None:
    holder = QWidget()
    flow = FlowLayout(holder)
    for number in range(8):
        flow.addWidget(button(f"按钮 {number}"))
    qtbot.addWidget(holder)
    assert flow.heightForWidth(200) > flow.heightForWidth(2000) >= 42
    assert flow.itemAt(99) is None
    taken = flow.takeAt(0)
    assert taken is not None
    assert flow.count() == 7
    taken.widget().deleteLater()


@pytest.mark.parametrize(
    ("width", "percent", "mode"),
    [(1366, 100, "wide"), (1366, 150, "stacked"), (1366, 200, "single"), (1000, 100, "stacked"), (700, 100, "single")],
)
def test_columns_stack_when_there_is_no_room(
    qtbot: QtBot, qapp: QApplication, width: int, percent: int, mode: str
) -> None:
    theme.apply(qapp, theme.load(percent=percent))
    columns = ResponsiveColumns(Card("主"), [Card("一"), Card("二")])
    qtbot.addWidget(columns)
    columns.resize(width, 700)
    columns.show()
    assert columns.mode == mode


def test_columns_follow_a_change_of_the_text_size(qtbot: QtBot, qapp: QApplication) -> None:
    columns = ResponsiveColumns(Card("主"), [Card("一")])
    qtbot.addWidget(columns)
    columns.resize(1366, 700)
    columns.show()
    theme.apply(qapp, theme.load(percent=200))
    qtbot.waitUntil(lambda: columns.mode == "single")


def test_a_page_scrolls_down_and_never_sideways(qtbot: QtBot) -> None:
    content = QWidget()
    box = QVBoxLayout(content)
    for number in range(40):
        box.addWidget(button(f"{number}"))
    scroll = PageScroll(content)
    qtbot.addWidget(scroll)
    scroll.resize(300, 300)
    scroll.show()
    last = content.findChildren(QPushButton)[-1]
    scroll.show_widget(last)
    assert scroll.verticalScrollBar().value() > 0
    assert scroll.horizontalScrollBar().maximum() == 0


def test_a_card_shows_its_head_only_when_it_has_one(qtbot: QtBot) -> None:
    card = Card()
    qtbot.addWidget(card)
    card.show()
    assert not card.title_label.isVisible()
    card.set_title("今天要办的事")
    card.set_hint("共 5 件")
    assert card.title_label.isVisible()
    assert card.accessibleName() == "今天要办的事"
    card.add(QLabel("x"))
    clear(card.body)
    assert card.body.count() == 0


def test_a_notice_has_its_action_and_hides_what_is_technical(qtbot: QtBot) -> None:
    bar = NoticeBar()
    qtbot.addWidget(bar)
    done: list[int] = []
    bar.show_notice(
        Notice(
            "没存上", "草稿留着", Tone.ALARM, action_text="再试一次", action=lambda: done.append(1), details="disk_full"
        )
    )
    buttons = {made.text(): made for made in bar.findChildren(QPushButton)}
    details = next(label for label in bar.findChildren(QLabel) if label.text() == "disk_full")
    assert not details.isVisible()
    qtbot.mouseClick(buttons["技术细节"], Qt.MouseButton.LeftButton)
    assert details.isVisible()
    qtbot.mouseClick(buttons["复制"], Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "disk_full"
    qtbot.mouseClick(buttons["再试一次"], Qt.MouseButton.LeftButton)
    assert done == [1]
    assert not bar.isVisible()
    bar.show_notice(Notice("存好了"))
    qtbot.keyClick(bar, Qt.Key.Key_Escape)
    assert bar.notice is None


@pytest.mark.parametrize(("tone", "stays"), [(Tone.GOOD, False), (Tone.CALM, False), (Tone.WARN, True)])
def test_good_and_calm_news_leaves_by_itself(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tone: Tone, stays: bool
) -> None:
    monkeypatch.setattr(notice_bar, "LEAVES_AFTER_MS", 1)
    bar = NoticeBar()
    qtbot.addWidget(bar)
    bar.show_notice(Notice("存好了", tone=tone))
    assert bar._timer.isActive() is not stays
    if not stays:
        qtbot.waitUntil(lambda: bar.notice is None and not bar.isVisible())


def test_the_plan_is_walked_with_keys_and_describes_itself(qtbot: QtBot) -> None:
    plan = CompoundPlan("小区平面")
    qtbot.addWidget(plan)
    plan.resize(340, 260)
    plan.show()
    plan.setFocus()
    plan.set_tiles(tiles(7))
    walked: list[str] = []
    opened: list[str] = []
    plan.current_changed.connect(walked.append)
    plan.activated.connect(opened.append)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_End):
        qtbot.keyClick(plan, key)
    qtbot.keyClick(plan, Qt.Key.Key_Return)
    assert walked == ["b3", "b4", "b3", "b1", "b7"]
    assert opened == ["b7"]
    assert plan.viewport().rect().contains(plan.tile_rect("b7"))
    assert "7号楼" in plan.accessibleDescription()
    qtbot.mouseClick(plan.viewport(), Qt.MouseButton.LeftButton, pos=plan.tile_rect("b5").center())
    assert plan.current == "b5"
    plan.set_tiles(tiles(5))
    assert plan.current == "b5"
    plan.set_tiles(())
    qtbot.keyClick(plan, Qt.Key.Key_Return)
    assert plan.current == ""


def test_badges_say_their_state(qtbot: QtBot) -> None:
    badge = StateBadge("red")
    qtbot.addWidget(badge)
    assert [state_character(tone) for tone in ("red", "yellow", "green", "grey", "blank", "done")] == [
        *"急办安未空",
        "已办",
    ]
    assert badge.accessibleName() == "要马上办或已超期"
    badge.set_state("quiet", character="访", words="走访")
    assert badge.character == "访"
    assert badge.accessibleName() == "走访"


def test_bars_steps_and_progress_say_their_numbers(qtbot: QtBot) -> None:
    bar = ShareBar(Counts(4, 11, 31, 7))
    track = StepTrack("步骤")
    track.set_steps(("发现", "当场化解", "回访", "归档"), 1)
    row = ProgressRow(cancel_text="停一停")
    row.set_progress("正在收别人办的事", done=1840, total=3120, seconds_left=4)
    cancelled: list[int] = []
    row.cancelled.connect(lambda: cancelled.append(1))
    row.cancel_button.click()
    for made in (bar, track, row):
        qtbot.addWidget(made)
        made.show()
        made.grab()
    assert bar.accessibleName() == "急4 办11 安31 未7"
    assert track.accessibleDescription() == "现在：当场化解"
    assert "1,840 / 3,120" in row.findChildren(QLabel)[0].text()
    assert cancelled == [1]


def test_tabs_are_walked_with_arrows(qtbot: QtBot) -> None:
    tabs = Tabs("这一户")
    tabs.add("提的事", QLabel("a"))
    place = tabs.add("走访", QLabel("b"))
    tabs.set_count(place, 4)
    qtbot.addWidget(tabs)
    tabs.show()
    changed: list[int] = []
    tabs.changed.connect(changed.append)
    qtbot.keyClick(tabs.focusProxy(), Qt.Key.Key_Right)
    assert changed == [1]
    assert tabs.current == 1
    tabs.set_current(0)
    assert tabs.current == 0


def test_the_timeline_reads_as_sentences(qtbot: QtBot) -> None:
    timeline = Timeline([TimelineEntry("11-12 发现", "渗水两周", "王秀兰")])
    qtbot.addWidget(timeline)
    timeline.set_entries([TimelineEntry("11-14 受理"), TimelineEntry("11-23 第二次", is_now=True)])
    qtbot.waitUntil(
        lambda: (
            [frame.accessibleName() for frame in timeline.findChildren(QWidget) if frame.accessibleName()]
            == ["11-14 受理", "11-23 第二次"]
        )
    )


def test_a_question_has_the_safe_answer_in_focus(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.show()
    said: list[str] = []
    ask = ScreenAsk()
    question = Question("删掉这份草稿？", "删了就找不回来了。", "删掉", is_danger=True)
    for answer in ("no", "yes"):
        ask.confirm(parent, question, lambda: said.append("yes"), lambda: said.append("no"))
        dialog = parent.findChildren(QuestionDialog)[-1]
        assert dialog.no.isDefault()
        getattr(dialog, answer).click()
        qtbot.waitUntil(lambda: not parent.findChildren(QuestionDialog))
    assert said == ["no", "yes"]


def test_a_file_is_chosen_in_a_dialog_that_does_not_block(qtbot: QtBot, tmp_path: Path) -> None:
    from PySide6.QtWidgets import QFileDialog

    parent = QWidget()
    qtbot.addWidget(parent)
    parent.show()
    chosen: list[Path] = []
    ask = ScreenAsk()
    ask.pick_save(parent, title="存到哪里", filters="*.pdf", suggested="a.pdf", then=chosen.append)
    ask.pick_file(parent, title="哪个文件", filters="*.xlsx", then=chosen.append)
    ask.pick_folder(parent, title="哪个 U 盘", then=chosen.append)
    dialogs = parent.findChildren(QFileDialog)
    assert len(dialogs) == 3
    for dialog in dialogs:
        dialog.fileSelected.emit(str(tmp_path))
        dialog.close()
    assert chosen == [tmp_path] * 3


def test_enter_takes_the_answer_that_has_the_focus(qtbot: QtBot) -> None:
    for walk, answer in ((False, QuestionDialog.DialogCode.Rejected), (True, QuestionDialog.DialogCode.Accepted)):
        said: list[int] = []
        dialog = QuestionDialog(Question("一方拒绝", "存了以后改不回去。", "一方拒绝"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        qtbot.addWidget(dialog)
        dialog.finished.connect(said.append)
        dialog.open()
        qtbot.waitUntil(dialog.no.hasFocus)
        if walk:
            qtbot.keyClick(dialog.no, Qt.Key.Key_Tab)
            qtbot.waitUntil(dialog.yes.hasFocus)
        qtbot.keyClick(dialog.yes if walk else dialog.no, Qt.Key.Key_Return)
        assert said == [answer.value]
