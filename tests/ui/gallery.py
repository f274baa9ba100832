"""Every widget as a picture, at 100 and 200 %: ``python tests/ui/gallery.py`` writes build/gallery/*.png to look at."""

import os
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from desktop import i18n, icons, theme
from desktop.hub import Notice, Tone
from desktop.tasks import Tasks
from desktop.widgets.ask import Question, QuestionDialog
from desktop.widgets.buttons import button
from desktop.widgets.card import Box, Card, fact
from desktop.widgets.compound_plan import BuildingTile, CompoundPlan
from desktop.widgets.date_field import DateField
from desktop.widgets.facade import Facade
from desktop.widgets.facade_model import FacadeRoom, FacadeSnapshot
from desktop.widgets.facade_table import FacadeTable
from desktop.widgets.flow import PageScroll, ResponsiveColumns
from desktop.widgets.form import Form
from desktop.widgets.labels import label
from desktop.widgets.notice_bar import NoticeBar
from desktop.widgets.option_row import Option, OptionRow, numbered
from desktop.widgets.paged_model import Column, PagedModel
from desktop.widgets.pin_field import PinField
from desktop.widgets.pinned_bar import PinnedBar
from desktop.widgets.progress_row import ProgressRow
from desktop.widgets.record_table import RecordTable
from desktop.widgets.search_field import SearchField, SearchResult
from desktop.widgets.share_bar import Counts, ShareBar
from desktop.widgets.state_badge import StateBadge, state_character, state_words
from desktop.widgets.step_track import StepTrack
from desktop.widgets.tabs import Tabs
from desktop.widgets.text_area import TextArea
from desktop.widgets.timeline import Timeline, TimelineEntry

ROOT = Path(__file__).resolve().parents[2]
Lanes = Tasks[str, str]

# A letter a door.
LETTER_TONES = {"r": "red", "y": "yellow", "g": "green", "n": "grey", "b": "blank"}


def needs_snapshot(*, floors: int = 9, units: int = 3, doors: int = 2) -> FacadeSnapshot:
    """A building whose colours repeat a pattern."""
    pattern = "gggyggngrgbggy"
    rooms = []
    for unit in range(1, units + 1):
        for floor in range(1, floors + 1):
            for door in range(1, doors + 1):
                tone = LETTER_TONES[pattern[(unit * 5 + floor * 3 + door * 7) % len(pattern)]]
                rooms.append(
                    FacadeRoom(
                        household_id=f"h-{unit}-{floor}-{door}",
                        unit=unit,
                        unit_label=f"{'一二三四五六七八'[unit - 1]}单元",
                        floor=floor,
                        room=f"{unit}-{floor}0{door}",
                        tone=tone,
                        character=state_character(tone),
                        words=state_words(tone),
                    )
                )
    return FacadeSnapshot.arrange("3 号楼 楼面图", rooms)


def round_snapshot() -> FacadeSnapshot:
    """A building in the middle of a round."""
    marks = [
        ("met", "见"),
        ("no_answer", "没"),
        ("refused", "拒"),
        ("vacant", "空"),
        ("moved", "搬"),
        ("appointment", "约"),
    ]
    rooms = []
    for unit in (1, 2, 3):
        for floor in range(1, 10):
            for door in (1, 2):
                place = unit * 3 + floor * 5 + door
                tone, character = marks[place % 6] if unit < 3 and floor > 3 else ("open", "")
                rooms.append(
                    FacadeRoom(
                        household_id=f"h-{unit}-{floor}-{door}",
                        unit=unit,
                        unit_label=f"{'一二三'[unit - 1]}单元",
                        floor=floor,
                        room=f"{unit}-{floor}0{door}",
                        tone=tone,
                        character=character,
                        words="",
                    )
                )
    return FacadeSnapshot.arrange("3 号楼", rooms)


def facade_card(tasks: Lanes) -> QWidget:
    return _facade("3 号楼 楼面图", needs_snapshot(), "h-2-5-1")


def facade_round(tasks: Lanes) -> QWidget:
    return _facade("一户一键", round_snapshot(), "h-2-3-1")


def facade_tower(tasks: Lanes) -> QWidget:
    return _facade("7 号楼 楼面图", needs_snapshot(floors=34, units=1, doors=8), "h-1-20-4")


def _facade(title: str, snapshot: FacadeSnapshot, current: str) -> QWidget:
    card = Card(title, hint="方向键走格，回车打开")
    facade = Facade()
    facade.set_snapshot(snapshot)
    facade.set_current(current)
    card.add(facade, stretch=1)
    return card


def facade_twin(tasks: Lanes) -> QWidget:
    table = FacadeTable()
    table.set_snapshot(needs_snapshot())
    table.set_current("h-2-8-1")
    card = Card("看成表格")
    card.add(table, stretch=1)
    return card


def plan(tasks: Lanes) -> QWidget:
    rows = [(0, 9, 42, 3), (0, 2, 48, 4), (4, 11, 31, 7), (1, 3, 47, 3), (0, 4, 46, 4), (0, 2, 21, 31), (2, 14, 86, 6)]
    tones = ["yellow", "green", "red", "yellow", "green", "grey", "yellow"]
    tiles = tuple(
        BuildingTile(f"b{place}", f"{place}号楼", tone, Counts(*row))
        for place, (row, tone) in enumerate(zip(rows, tones, strict=True), start=1)
    )
    card = Card("小区平面", hint="点楼看楼面")
    compound = CompoundPlan("小区平面")
    compound.set_tiles(tiles)
    compound.set_current("b3")
    card.add(compound, stretch=1)
    bar = ShareBar(Counts(4, 11, 31, 8))
    card.add(bar)
    return card


def visit_form(tasks: Lanes) -> QWidget:
    card = Card("3-2-501 李桂芳", hint="上次 10-19 见到了")
    form = Form()
    day = DateField(name="哪一天", today=lambda: date(2026, 11, 23))
    day.set_value("2026-11-23")
    when = OptionRow(_options("上午", "下午", "晚上", "周末"), name="时段")
    when.set_value("上午")
    row = QHBoxLayout()
    row.addWidget(day)
    row.addWidget(when, 1)
    form.add("visited_on", "哪一天", row, focus=day)
    why = OptionRow(_options("该走访了", "二进楼栋", "幸福来敲门", "告诉结果", "其他"), name="为什么去", multiple=True)
    why.set_values(("该走访了", "二进楼栋"))
    form.add("reasons", "为什么去", why)
    result = OptionRow(
        numbered(_options("见到了", "没人", "不愿谈（不勉强）", "空户", "搬走了", "约时间")), name="敲门结果"
    )
    result.set_value("见到了")
    form.add("outcome", "敲门结果", result)
    said = TextArea(name="说了什么", limit=40)
    said.set_text("屋里只有 15 度，物业上周来看过没修好。" * 3)
    form.add("note", "说了什么", said)
    phone = QLineEdit("12345")
    form.add("phone", "电话", phone)
    form.set_error("phone", "手机号是 11 位")
    card.add(form)
    card.fill()
    holder = QWidget()
    box = QVBoxLayout(holder)
    box.setContentsMargins(0, 0, 0, 0)
    box.setSpacing(0)
    box.addWidget(PageScroll(card), 1)
    bar = PinnedBar(hint="随写随存，断电不丢")
    bar.add(button("保存，记下一户", role="primary", key="Ctrl+S"))
    bar.add(button("保存，报给驿站", role="second"))
    bar.add(button("先放着（草稿已留）"))
    box.addWidget(bar)
    return holder


def case(tasks: Lanes) -> QWidget:
    card = Card("3-1-302 ↔ 3-1-402　卫生间漏水")
    card.add_beside_title(label("调解中", "pill"))
    track = StepTrack("步骤")
    track.set_steps(("发现", "登记", "受理", "调解", "达成", "履行", "回访", "归档"), 3)
    card.add(track)
    facts = QHBoxLayout()
    for name, value in (("一方", "陈建国 3-1-302"), ("另一方", "赵敏 3-1-402"), ("受理后一个月", "12-14（剩 21 天）")):
        facts.addWidget(fact(name, value, bold=True)[0])
    card.add(facts)
    card.add(
        Timeline(
            (
                TimelineEntry("11-12 发现", "302 卫生间顶棚渗水约两周，402 称未发现漏点。", "王秀兰"),
                TimelineEntry("11-18 物业答复", "闭水 24 小时，漏点在 402 地漏。"),
                TimelineEntry("11-23 15:00 第二次调解", note="待记", is_now=True),
            )
        )
    )
    row = QHBoxLayout()
    row.addWidget(button("记这次调解", role="primary"))
    row.addWidget(button("达成一致，出协议书", role="second"))
    row.addWidget(button("一方拒绝（必须停止）"))
    row.addWidget(button("删掉这条", role="danger"))
    row.addWidget(button("显示", role="link"))
    row.addStretch(1)
    card.add(row)
    box = Box("alarm-box")
    box.body.addWidget(label("有人动手、威胁、伤人？先打 110，后补记。", wrap=True))
    card.add(box)
    card.fill()
    return card


def notices(tasks: Lanes) -> QWidget:
    holder = QWidget()
    box = QVBoxLayout(holder)
    for tone in Tone:
        bar = NoticeBar()
        action = (lambda: None) if tone in (Tone.WARN, Tone.ALARM) else None
        bar.show_notice(
            Notice(
                title="没存上：磁盘满了" if tone is Tone.ALARM else "存好了",
                advice="您写的留在草稿里了。请腾出一些地方，再存一次。" if action else "",
                tone=tone,
                action_text="再试一次",
                action=action,
                details="StoreError disk_full" if action else "",
            )
        )
        box.addWidget(bar)
    badges = QHBoxLayout()
    for tone_name in ("red", "yellow", "green", "grey", "blank", "done"):
        badges.addWidget(StateBadge(tone_name))
    badges.addWidget(StateBadge("quiet", character="访", words="走访"))
    badges.addWidget(label("急 1", "pill-alarm"))
    badges.addWidget(label("剩 3 天", "pill"))
    badges.addStretch(1)
    box.addLayout(badges)
    progress = ProgressRow(cancel_text="停一停")
    progress.set_progress("正在收别人办的事", done=1840, total=3120, seconds_left=4)
    box.addWidget(progress)
    alarm = Card("看到孩子受伤害？", tone="alarm")
    alarm.add(label("先报告，后补记：110　社区 0537-0000000"))
    box.addWidget(alarm)
    return holder


def unlock(tasks: Lanes) -> QWidget:
    card = Card("您是哪位？")
    people = QHBoxLayout()
    for name in ("王秀兰\n3 号楼 楼栋长", "张磊\n网格员"):
        made = button(name, role="person")
        made.setCheckable(True)
        made.setChecked(name.startswith("王"))
        people.addWidget(made)
    card.add(people)
    row = QHBoxLayout()
    pin = PinField(name="六位密码")
    pin.setText("1234")
    row.addWidget(label("六位密码", "field"))
    row.addWidget(pin)
    row.addWidget(button("打开", role="primary"))
    row.addWidget(button("忘了密码"))
    row.addStretch(1)
    card.add(row)
    logo = label()
    logo.setPixmap(icons.logo("敲", look=theme.current(), side=52))
    card.add(logo)
    nav = QVBoxLayout()
    for place, (name, text) in enumerate(
        (("clock", "今日"), ("house", "住户"), ("pencil", "走访"), ("grid", "需求图"))
    ):
        entry = button(text, role="nav")
        entry.setIcon(icons.icon(name, look=theme.current()))
        entry.setCheckable(True)
        entry.setChecked(place == 0)
        nav.addWidget(entry)
    for name in ("scales", "checklist", "sync", "gear", "question", "exit", "people", "print", "warning", "chat"):
        if name in ("scales", "checklist", "sync", "gear", "question", "exit"):
            entry = button(name, role="nav")
            entry.setIcon(icons.icon(name, look=theme.current()))
            nav.addWidget(entry)
    card.add(nav)
    card.fill()
    return card


def tables(tasks: Lanes) -> QWidget:
    tones = ("red", "yellow", "green", "grey", "blank")
    columns = (
        Column[int](title="", text=lambda n: state_character(tones[n % 5]), width=48, badge=lambda n: tones[n % 5]),
        Column[int](title="房号", text=lambda n: f"3-2-{n:03}", width=120, sort="room", is_bold=True),
        Column[int](title="姓名", text=lambda n: "李桂芳" if n % 2 else "𠮷田久", width=140, sort="name"),
        Column[int](title="说明", text=lambda n: f"暖气不热，室温 {n % 20} 度"),
        Column[int](title="次数", text=lambda n: str(n), width=90, is_number=True),
    )
    model: PagedModel[str, int] = PagedModel(tasks, columns)
    table = RecordTable("住户", empty="还没有住户。按“新楼”把第一栋楼建起来。")
    model.setParent(table)
    table.show_model(model)
    model.load(ids=lambda _: [str(n) for n in range(3000)], rows=lambda _, ids: [int(i) for i in ids])
    table.select_id("3")
    empty = RecordTable("住户", empty="还没有住户。按“新楼”把第一栋楼建起来。")
    tabs = Tabs("这一户")
    tabs.add("提的事", table)
    tabs.add("走访", empty)
    tabs.set_count(0, 2)
    card = Card()
    search = SearchField(name="找住户", placeholder="找住户：3-2-501 · 张 · zs · 6621")
    card.add(search)
    card.add(tabs, stretch=1)
    card.search = search  # type: ignore[attr-defined]  # the gallery opens its list
    return card


def columns(tasks: Lanes) -> QWidget:
    main = Card("今天要办的事", hint="按到期先后，共 5 件")
    for text in ("暖气不热：物业说已修，还没告诉居民", "该走访了", "楼道灯不亮 · 物业已接单"):
        row = QHBoxLayout()
        row.addWidget(StateBadge("red"))
        row.addWidget(label("3-2-501", "strong"))
        row.addWidget(label(text, wrap=True), 1)
        row.addWidget(button("告诉居民", role="second"))
        main.add(row)
    main.fill()
    side = Card("我的楼", hint="3 号楼 · 54 户")
    side.add(ShareBar(Counts(4, 11, 31, 8)))
    other = Card("近期该走访", hint="7 天内 3 户")
    other.add(label("3-3-101　今天"))
    return ResponsiveColumns(main, [side, other])


def _options(*texts: str) -> Sequence[Option]:
    return [Option(text, text) for text in texts]


PIECES: dict[str, tuple[Callable[[Lanes], QWidget], int, int]] = {
    "facade": (facade_card, 500, 660),
    "facade_round": (facade_round, 860, 660),
    "facade_tower": (facade_tower, 640, 600),
    "facade_table": (facade_twin, 700, 500),
    "plan": (plan, 400, 620),
    "visit": (visit_form, 850, 660),
    "case": (case, 830, 560),
    "notices": (notices, 900, 720),
    "unlock": (unlock, 760, 800),
    "tables": (tables, 860, 520),
    "columns": (columns, 1366, 640),
}


def main() -> int:
    """Write all pictures; prints where they are."""
    app = QApplication(sys.argv[:1])
    i18n.install(app, i18n.CHINESE)
    folder = ROOT / "build" / "gallery"
    folder.mkdir(parents=True, exist_ok=True)
    tasks: Lanes = Tasks(on_failure=print)
    tasks.start(open_write=lambda: "store", open_read=lambda: "reader")
    wanted = sys.argv[1:] or list(PIECES)
    for theme_name, percent in (("default", 100), ("default", 200), ("high_contrast", 100)):
        theme.apply(app, theme.load(theme_name, percent=percent))
        for name in wanted:
            make, width, height = PIECES[name]
            window = QWidget()
            window.setObjectName("page")
            window.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
            box = QVBoxLayout(window)
            piece = make(tasks)
            box.addWidget(piece)
            factor = 1.6 if percent == 200 and name != "columns" else 1
            window.resize(round(width * factor), round(height * factor))
            window.show()
            while tasks.pending:
                app.processEvents()
            for facade in piece.findChildren(Facade):
                facade.setFocus()
            search = getattr(piece, "search", None)
            if isinstance(search, SearchField):
                search.setFocus()
                search.setText("3-2")
                found = [
                    SearchResult("1", "3-2-501", "李桂芳", "上次 10-19", "red"),
                    SearchResult("2", "3-2-502", "周伟"),
                ]
                search.set_results("3-2", found)
            app.processEvents()
            path = folder / f"{name}-{theme_name}-{percent}.png"
            window.grab().save(str(path))
            window.deleteLater()
        dialog = QuestionDialog(Question("删掉这份草稿？", "删了就找不回来了。", "删掉", is_danger=True))
        dialog.show()
        app.processEvents()
        dialog.grab().save(str(folder / f"question-{theme_name}-{percent}.png"))
        dialog.close()
    tasks.close()
    sys.stdout.write(f"{len(wanted) * 3 + 3} pictures in {folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
