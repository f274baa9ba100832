"""The needs map: walked with keys from the plan to the household and back, with reasons, twins, filter and print."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget

from desk import Desk
from desktop import theme
from desktop.pages.needs_map.page import FACADE, HOUSEHOLD, PLAN, NeedsMapPage
from desktop.pages.needs_map.reasons import area_reasons, demand_reason
from desktop.printing.facade_print import A3, A4, PrintHead, facade_document, fits_one_page, to_pdf
from desktop.widgets.facade_model import FacadeRoom, FacadeSnapshot
from sync.domain.calendar import DAY, HOUR
from sync.domain.colour_rules import DEFAULT_RULES, Colour
from sync.domain.colours import REASONS, AreaCounts, Coloured, DemandFacts, demand_colour
from sync.domain.demand_moves import MoveIntent
from sync.domain.demands import DemandIntent, DemandPlace
from sync.domain.operations import new
from sync.store import demands
from sync.store.needs_map import MapDemand
from world import World, ident

HEATING = DemandIntent(category="02", title="暖气不热", signs=("outage",))
NOW = 1_800_000_000_000


@pytest.fixture
def desk(qapp: object, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(World(tmp_path), tmp_path)
    yield made
    made.close()


def raised(desk: Desk, intent: DemandIntent = HEATING, room: str = "b3:201") -> str:
    world = desk.world
    touched = demands.record(
        world.store, world.as_("staff"), intent, rules=desk.context.rules, household_id=world.id(room)
    )
    return next(record_id for kind, record_id in touched if kind == "demand")


def moved(desk: Desk, demand_id: str, name: str, **fields: str) -> None:
    world = desk.world
    demands.step(world.store, world.as_("staff"), demand_id, name, MoveIntent(**fields), rules=desk.context.rules)


def shown(desk: Desk, name: str, *, width: int = 1190, **target: str) -> NeedsMapPage:
    desk.sit(name)
    page = NeedsMapPage(desk.context)
    desk.show(page, width=width, **target)
    desk.settle()
    return page


def said(page: QWidget) -> str:
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


def key(desk: Desk, code: Qt.Key) -> None:
    target = QApplication.focusWidget()
    assert target is not None
    QTest.keyClick(target, code)
    desk.settle()


def blue(page: QWidget) -> list[str]:
    return [
        made.text()
        for made in page.findChildren(QPushButton)
        if made.property("role") == "primary" and made.isVisible()
    ]


def test_the_household_asked_for_is_shown_with_its_reason(desk: Desk) -> None:
    raised(desk)
    page = shown(desk, "staff", household_id=desk.world.id("b3:201"))
    assert page.facade.current == desk.world.id("b3:201")
    assert page.panel.title_label.text() == "3-1-201"
    assert "为什么是“急”" in said(page.panel)
    assert "暖气不热属紧急事项" in said(page.panel)
    assert blue(page) == ["受理"]
    assert desk.failures == []


def test_arrows_walk_enter_goes_in_and_escape_comes_out(desk: Desk) -> None:
    page = shown(desk, "staff")
    assert page.level == FACADE
    assert page.facade.facade.hasFocus()
    first = page.facade.current
    key(desk, Qt.Key.Key_Right)
    assert page.facade.current != first
    assert page.panel_reading is not None
    assert page.panel_reading.why.household_id == page.facade.current
    key(desk, Qt.Key.Key_Return)
    assert page.level == HOUSEHOLD
    assert page.panel.isAncestorOf(QApplication.focusWidget())
    key(desk, Qt.Key.Key_Escape)
    key(desk, Qt.Key.Key_Escape)
    assert page.level == PLAN
    assert page.plan.plan.hasFocus()
    key(desk, Qt.Key.Key_End)
    assert page.facade.title_label.text().startswith("3号楼")
    key(desk, Qt.Key.Key_Return)
    assert page.level == FACADE


def test_telling_and_evaluating_turns_the_cell_while_one_looks(desk: Desk) -> None:
    demand_id = raised(desk)
    page = shown(desk, "staff", household_id=desk.world.id("b3:201"))

    def tone() -> str:
        return next(c.tone for c in page.facade.facade.snapshot.cells if c.household_id == desk.world.id("b3:201"))

    assert tone() == "red"
    for name, fields in (
        ("accept", {}),
        ("resolve", {"result": "好了", "close_kind": "substantive"}),
        ("reply", {"replied_on": "2026-11-23", "reply_mode": "phone"}),
    ):
        moved(desk, demand_id, name, **fields)
    desk.hub.touched.emit(frozenset({("demand", demand_id)}))
    desk.settle()
    assert tone() == "green"
    assert "已告诉居民，等评价" in said(page.panel)
    moved(desk, demand_id, "evaluate", evaluation="satisfied")
    desk.hub.touched.emit(frozenset({("demand", demand_id)}))
    desk.settle()
    assert tone() == "grey"
    assert "还没有联系上过" in said(page.panel)
    assert blue(page) == ["记走访"]


def test_the_panel_leads_to_the_step_the_card_and_the_visit(desk: Desk) -> None:
    demand_id = raised(desk)
    home = desk.world.id("b3:201")
    page = shown(desk, "staff", household_id=home)
    for name in ("next", "household"):
        found = page.panel.findChild(QPushButton, name)
        assert isinstance(found, QPushButton)
        found.click()
    assert desk.went == [
        ("demand", {"demand_id": demand_id, "move": "accept"}),
        ("households", {"household_id": home}),
    ]


def test_a_head_with_one_building_begins_at_its_facade(desk: Desk) -> None:
    page = shown(desk, "head3")
    assert not page.plan.isVisible()
    assert page.facade.title_label.text() == "3号楼 楼面图"
    page.back()
    assert page.level == FACADE


def test_common_parts_stand_beside_their_building_and_compound(desk: Desk) -> None:
    world = desk.world
    place = DemandPlace(compound_id=world.id("compound"), building_id=world.id("b3"), unit_id=world.id("b3:unit"))
    for scope, title in (("unit", "楼道灯不亮"), ("compound", "大门坏了")):
        intent = DemandIntent(category="03", title=title, scope=scope)
        demands.record(world.store, world.as_("staff"), intent, rules=desk.context.rules, place=place)
    page = shown(desk, "staff", building_id=world.id("b3"))
    assert "公共部位有事要协调" in said(page.facade)
    link = next(made for made in page.facade.findChildren(QPushButton) if made.text() == "楼道灯不亮")
    link.click()
    assert desk.went[0][0] == "demand"
    assert any(made.text() == "大门坏了" for made in page.plan.findChildren(QPushButton))


def test_one_key_turns_the_pictures_into_tables(desk: Desk) -> None:
    raised(desk)
    page = shown(desk, "staff", household_id=desk.world.id("b3:201"))
    QTest.keyClick(page.facade.facade, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    desk.settle()
    assert page.facade.table.isVisible()
    assert page.plan.table.isVisible()
    assert page.facade.table.current == desk.world.id("b3:201")
    assert page.plan.table.rowCount() == 3
    page.plan.table.setCurrentCell(0, 0)
    desk.settle()
    assert page.facade.title_label.text() == "1号楼 楼面图"
    page.view.table_button.click()
    assert page.facade.facade.isVisible()


def test_a_category_alone_and_another_compound(desk: Desk) -> None:
    world = desk.world
    world.store.seed([new("compound", ident("second"), name="幸福里"), *_tower(world, "second", floors=2)])
    desk.sit("secretary")
    raised(desk)
    page = shown(desk, "secretary")
    assert page.plan.compounds.count() == 2
    page.plan.compounds.setCurrentIndex(page.plan.compounds.findData(world.id("compound")))
    desk.settle()
    assert page.reading is not None
    assert page.reading.compound is not None
    assert page.reading.compound.counts.red == 1
    page.view.category.setCurrentIndex(page.view.category.findData("05"))
    desk.settle()
    assert page.reading.compound.counts.red == 0


def test_it_looks_again_when_the_day_has_changed(desk: Desk) -> None:
    raised(desk, DemandIntent(category="05", title="绿化"))
    page = shown(desk, "staff", household_id=desk.world.id("b3:201"))
    assert "一般事项" in said(page.panel)
    page._age()
    assert desk.tasks.pending == 0
    desk.world.clock.forward(days=40)
    page._age()
    desk.settle()
    assert "已过办理时限" in said(page.panel)
    page.leave()
    page.forget()
    assert page.reading is None


def test_with_large_letters_one_card_at_a_time(desk: Desk, qapp: QApplication) -> None:
    theme.apply(qapp, theme.load(percent=200))
    page = shown(desk, "staff", width=1366)
    cards = (page.plan, page.facade, page.panel)
    assert [card.isVisible() for card in cards] == [False, True, False]
    page.go(HOUSEHOLD)
    assert [card.isVisible() for card in cards] == [False, False, True]
    assert page.view.back_button.isVisible()
    page.view.back_button.click()
    page.view.back_button.click()
    assert [card.isVisible() for card in cards] == [True, False, False]


def test_with_one_card_at_a_time_a_blue_button_leads_on(desk: Desk, qapp: QApplication) -> None:
    theme.apply(qapp, theme.load(percent=200))
    page = shown(desk, "staff", width=1366)
    room = next(cell.room for cell in page.facade.facade.snapshot.cells if cell.household_id == page.facade.current)
    assert blue(page) == [f"看 {room}"]
    page.go(PLAN)
    assert page.reading is not None
    assert page.reading.building is not None
    assert blue(page) == [f"看 {page.reading.building.name}"]
    page.plan.enter.click()
    page.facade.enter.click()
    assert page.level == HOUSEHOLD
    assert blue(page) == ["记走访"]


def test_between_the_two_the_plan_gives_way_to_the_household(desk: Desk) -> None:
    page = shown(desk, "staff", width=900)
    cards = (page.plan, page.facade, page.panel)
    assert [card.isVisible() for card in cards] == [False, True, True]
    page.go(PLAN)
    assert [card.isVisible() for card in cards] == [True, True, False]


def test_a_community_without_buildings_is_told_what_to_do(qapp: object, tmp_path: Path) -> None:
    world = World(tmp_path)
    for kind in ("building", "household"):
        world.store.db.conn.execute(f"DELETE FROM {kind}")
    empty = Desk(world, tmp_path)
    page = shown(empty, "staff")
    assert "请先到“住户”里建楼" in said(page)
    assert blue(page) == ["去“住户”"]
    assert not page.panel.isVisible()
    page.facade.begin.click()
    assert empty.went[-1] == ("households", {})
    page = shown(empty, "mediator")
    assert blue(page) == ["去“调处”"]
    empty.close()


def test_the_facade_is_printed_for_work(desk: Desk) -> None:
    raised(desk)
    page = shown(desk, "staff", building_id=desk.world.id("b3"))
    page.view.print_button.click()
    desk.settle()
    assert desk.notices[-1].title == "已送去打印（A4，1 页）"
    desk.answers.has_printer = False
    page.view.print_button.click()
    desk.settle()
    assert desk.notices[-1].title == "已存好，可以打印（A4，1 页）"
    assert (desk.answers.folder / "3号楼.pdf").read_bytes().startswith(b"%PDF")
    (desk.answers.folder / "3号楼.pdf").unlink()
    (desk.answers.folder / "3号楼.pdf").mkdir()
    page.view.print_button.click()
    desk.settle()
    assert len(desk.notices) == 3


def test_of_a_tower_one_chooses_the_paper(desk: Desk) -> None:
    desk.world.store.seed(_tower(desk.world, "compound", floors=34))
    page = shown(desk, "staff", building_id=ident("compound:tower"))
    page.view.print_button.click()
    desk.settle()
    assert desk.answers.asked == ["9号楼一张 A4 放不下", "打印需求图"]
    assert desk.notices[-1].title == "已送去打印（A3，1 页）"


def _tower(world: World, compound: str, *, floors: int, rooms: int = 2) -> list[object]:
    building = ident(f"{compound}:tower")
    made = [new("building", building, compound_id=ident(compound), grid_id=world.id("grid"), name="9号楼")]
    for floor in range(1, floors + 1):
        for slot in range(rooms):
            room = f"{floor}0{slot + 1}"
            household = ident(f"{compound}{room}")
            made.append(new("household", household, building_id=building, floor=floor, room_no=room, slot=slot))
    return list(made)


def _facade(floors: int, columns: int, units: int = 2) -> FacadeSnapshot:
    rooms = [
        FacadeRoom(f"{u}{f}{c}", u, f"{u}单元", f, f"{u}-{f}0{c}", "red" if c else "green", "急", "", slot=str(c))
        for u in range(units)
        for f in range(1, floors + 1)
        for c in range(columns)
    ]
    return FacadeSnapshot.arrange("塔楼", rooms)


@pytest.mark.parametrize(
    ("floors", "columns", "units", "size", "pages"),
    [(9, 2, 3, A4, 1), (34, 4, 2, A4, 2), (34, 4, 2, A3, 1), (34, 12, 4, A4, 8), (6, 40, 1, A4, 1)],
)
def test_a_building_is_laid_out_so_that_it_can_be_read(
    qapp: object, tmp_path: Path, floors: int, columns: int, units: int, size: str, pages: int
) -> None:
    snapshot = _facade(floors, columns, units)
    head = PrintHead("9号楼", "2026-11-23 09:00", "还没有过", "1", "刘敏", ("急=要马上办",))
    document = facade_document(snapshot, head, size=size)
    assert document.page_count == pages
    assert sum(len(part.cells) for part in document.parts) == len(snapshot.cells)
    assert fits_one_page(snapshot) is (facade_document(snapshot, head).page_count == 1)
    assert "9号楼" in list(document.words())
    to_pdf(document, tmp_path / "out.pdf")
    assert (tmp_path / "out.pdf").stat().st_size > 2000


def test_every_reason_has_a_sentence(qapp: object) -> None:
    def sentence(**facts: object) -> tuple[str, tuple[str, ...]]:
        known = DemandFacts(**{"state": "accepted", "urgency": "routine", **facts})  # type: ignore[arg-type]
        coloured = demand_colour(known, now=NOW)
        demand = MapDemand("d", "household", "h", "02", "水管", False, coloured, known, NOW - 2 * DAY)
        return demand_reason(demand, now=NOW, rules=DEFAULT_RULES), coloured.reasons

    seen = {
        sentence(life_safety=True),
        sentence(urgency="urgent", state="collected"),
        sentence(resolve_due_at=NOW - 3 * DAY),
        sentence(reopen_count=2),
        sentence(state="replied", evaluation="dissatisfied"),
        sentence(urgency="coordinated"),
        sentence(resolve_due_at=NOW + 5 * HOUR),
        sentence(state="escalated"),
        sentence(reopen_count=1),
        sentence(affected_count=12),
        sentence(state="suspended", review_on="2020-01-01"),
        sentence(state="resolved"),
        sentence(),
    }
    texts = {text for text, _ in seen}
    assert "水管属紧急事项，已过答复时限 2 天" in texts
    assert "水管已过办理时限 3 天" in texts
    assert "水管已挂起，约好再看的日子已过" in texts
    assert len(texts) == len(seen)
    codes = {code for _, reasons in seen for code in reasons}
    assert codes == {code for code in REASONS if code[0] in "RYG"}
    for code in REASONS:
        if code[0] in "AC":
            assert area_reasons(Coloured(Colour.RED, (code,)), AreaCounts(red=3))
