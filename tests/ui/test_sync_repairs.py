"""Refused records go back into their forms: filled in, the keyboard in the field; saved, the old one is done with."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton

from desktop.pages.demands.new_page import NewDemandPage
from desktop.pages.demands.page import DemandPage
from desktop.pages.disputes.page import DisputesPage
from desktop.pages.households.page import HouseholdsPage
from desktop.pages.sync_centre.page import SyncPage
from desktop.pages.visits.page import VisitPage
from programs import Clock, Program, furnish, ident
from sync.domain.demand_correction import CorrectionIntent
from sync.domain.demand_moves import MoveIntent
from sync.domain.demands import DemandIntent
from sync.domain.dispute_moves import DisputeMove
from sync.domain.disputes import NoticeIntent
from sync.domain.households import CardIntent, HouseholdIntent, ResidentIntent
from sync.domain.operations import patch
from sync.domain.visit_facts import VisitIntent
from sync.store import demands, disputes, drafts, household_records, outbox, visits
from sync.store.store import Reader, Store, Touched

DOOR = ident("b3:201")


@pytest.fixture
def program(qapp: QApplication, tmp_path: Path) -> Iterator[Program]:
    clock = Clock()
    furnish(tmp_path / "pc", clock=clock, people=("staff", "head3"))
    made = Program(tmp_path / "pc", clock=clock)
    made.unlock("staff")
    yield made
    made.close()


def take(store: Store, *refusals: outbox.Refusal, all_of: str = "") -> Touched:
    """The server's answer to all that waits; ``all_of``: every operation of it is refused with this code."""
    batch = outbox.take_batch(store, lambda operations, number: b"x")
    assert batch is not None
    said = tuple(outbox.Refusal(place, all_of) for place in range(batch.count)) if all_of else refusals
    return outbox.settle(store, outbox.Reply(batch.number, said))


def write(program: Program, *steps: object) -> list[object]:
    """On the write lane, one after the other."""
    got: list[object] = []
    for step in steps:
        program.app.tasks.write(None, step, got.append)  # type: ignore[arg-type]  # each is a function of the store
    program.settle()
    return got


def wrong(program: Program, field: str, code: str) -> None:
    """The server names a field."""

    def say(store: Store) -> None:
        with store.write():
            store.db.conn.execute("UPDATE quarantine SET field = ?, code = ?", (field, code))

    write(program, say)


def refused(program: Program) -> int:
    got: list[int] = []

    def count(reader: Reader) -> int:
        return int(reader.db.conn.execute("SELECT count(*) FROM quarantine").fetchone()[0])

    program.app.tasks.read(None, count, got.append)
    program.settle()
    return got[0]


def sync_page(program: Program) -> SyncPage:
    return cast(SyncPage, program.go("sync"))


def repair(program: Program) -> object:
    """Press 去改 and wait for the form."""
    sync_page(program)
    program.press("去改")
    program.settle()
    return program.window.current


def visit(store: Store) -> object:
    demand = DemandIntent(category="02", title="暖气不热")
    intent = VisitIntent(household_id=DOOR, note="家里冷", notice_given=True, demands=(demand,))
    return visits.record(store, ident("staff"), intent)


def test_a_visit_comes_back_with_its_matters(program: Program) -> None:
    write(program, visit, lambda store: take(store, all_of="out_of_scope"))
    before = refused(program)
    assert before >= 2
    page = repair(program)
    assert isinstance(page, VisitPage)
    assert page.form.note.text() == "家里冷"
    assert [intent.title for intent in page.form.intent().demands] == ["暖气不热"]
    page.save()
    program.settle()
    assert refused(program) == 0


def test_the_keyboard_is_in_the_field_that_is_wrong(program: Program) -> None:
    write(program, visit, lambda store: take(store, all_of="x"))
    wrong(program, "note", "too_long")
    page = repair(program)
    assert isinstance(page, VisitPage)
    assert page.form.note.edit.hasFocus()
    assert page.form.form.error_of("note")


def household(store: Store) -> Touched:
    person = ResidentIntent(name="新来的", birth_year=1960, phone="13700001111")
    intent = CardIntent(household=HouseholdIntent(contact_phone="13700006612"), residents=(person,))
    return household_records.save_card(store, ident("staff"), DOOR, intent)


def test_a_household_and_its_people_come_back(program: Program) -> None:
    write(program, household, lambda store: take(store, all_of="invalid"))
    wrong(program, "contact_phone", "invalid")
    page = repair(program)
    assert isinstance(page, HouseholdsPage)
    assert page.form.phone.text() == "13700006612"
    assert page.form.phone.hasFocus()
    assert page.form.form.error_of("contact_phone")
    assert [box.name.text() for box in page.form.people][-1] == "新来的"
    program.key(Qt.Key.Key_S, ctrl=True)
    assert refused(program) == 0


def test_a_person_that_was_changed_is_found_in_the_form(program: Program) -> None:
    person = ident("b3:201:resident")

    def change(store: Store) -> Touched:
        intent = ResidentIntent(resident_id=person, name="杨帆", phone="13700001111", is_householder=True)
        return household_records.save_card(store, ident("staff"), DOOR, CardIntent(residents=(intent,)))

    write(program, change, lambda store: take(store, outbox.Refusal(0, "bad_phone", "phone")))
    page = repair(program)
    assert isinstance(page, HouseholdsPage)
    (box,) = page.form.people
    assert box.phone.text() == "13700001111"
    assert box.phone.hasFocus()
    assert box.form.error_of("phone")


def raised(store: Store) -> str:
    rules = store.rules
    touched = demands.record(
        store, ident("staff"), DemandIntent(category="02", title="暖气不热"), rules=rules, scope_id=DOOR
    )
    return next(record_id for kind, record_id in touched if kind == "demand")


def test_a_new_matter_comes_back(program: Program) -> None:
    write(program, raised, lambda store: take(store, all_of="parent_missing"))
    wrong(program, "title", "too_long")
    page = repair(program)
    assert isinstance(page, NewDemandPage)
    assert page.form.title.text() == "暖气不热"
    assert page.form.title.hasFocus()
    page.save()
    program.settle()
    assert refused(program) == 0


def step(program: Program, move: str, intent: MoveIntent) -> str:
    """A matter the server has, and a step of it that it refuses."""
    demand_id = str(write(program, raised, lambda store: take(store))[0])
    me = ident("staff")
    program.app.tasks.write(
        None, lambda store: demands.step(store, me, demand_id, "accept", MoveIntent(), rules=store.rules)
    )
    write(program, lambda store: take(store))
    write(
        program,
        lambda store: demands.step(store, me, demand_id, move, intent, rules=store.rules),
        lambda store: take(store, all_of="not_allowed"),
    )
    write(
        program,
        lambda store: (
            store.db.conn.execute("UPDATE quarantine SET field = 'partner_id' WHERE kind = 'demand'") and None
        ),
    )
    return demand_id


def test_a_step_opens_at_whom_it_went_to(program: Program) -> None:
    demand_id = step(program, "dispatch", MoveIntent(partner_id=ident("property"), note="请今天去"))
    page = repair(program)
    assert isinstance(page, DemandPage)
    assert program.window.place is not None
    assert program.window.place[1]["demand_id"] == demand_id
    form = page.form
    assert form is not None
    assert form.values()["target"] == f"partner:{ident('property')}"
    assert form.values()["note"] == "请今天去"
    assert form.form.error_of("target")
    form.saved.emit()
    program.settle()
    assert refused(program) == 0


def test_a_correction_comes_back(program: Program) -> None:
    demand_id = str(write(program, raised, lambda store: take(store))[0])
    me = ident("staff")

    def correct(store: Store) -> Touched:
        intent = CorrectionIntent(category="02", urgency="urgent", title="暖气漏水")
        return demands.put_right(store, me, demand_id, intent, scope_id=DOOR, rules=store.rules)

    write(program, correct, lambda store: take(store, all_of="invalid"))
    page = repair(program)
    assert isinstance(page, DemandPage)
    assert page.form is not None
    assert page.form.values()["title"] == "暖气漏水"


def noted(store: Store) -> str:
    intent = NoticeIntent(title="噪音", summary="楼上跳绳", place="3-1-201", risk_signs=("threat",))
    return disputes.record(store, ident("staff"), intent, disputes.Sides(household_id=DOOR)).dispute_id


def test_a_dispute_comes_back_and_its_steps(program: Program) -> None:
    write(program, noted, lambda store: take(store, all_of="invalid"))
    page = repair(program)
    assert isinstance(page, DisputesPage)
    assert page.form is not None
    assert page.form.values()["title"] == "噪音"
    assert page.form.values()["summary"] == "楼上跳绳"
    page.form.saved.emit()
    program.settle()
    assert refused(program) == 0
    write(program, lambda store: take(store))
    dispute_id = page.card.row.dispute_id if page.card else ""
    me = ident("staff")

    def register(store: Store) -> Touched:
        return disputes.step(
            store, me, dispute_id, "register", DisputeMove(risk="yellow", category="02", note="已问过")
        )

    write(program, register, lambda store: take(store, all_of="not_allowed"))
    page = repair(program)
    assert isinstance(page, DisputesPage)
    assert page.form is not None
    assert page.form.values()["note"] == "已问过"

    def change(store: Store) -> Touched:
        intent = NoticeIntent(title="噪音", summary="楼上跳绳到半夜", noticed_on="2026-11-23")
        return disputes.change(store, me, dispute_id, intent, disputes.Sides(household_id=DOOR))

    sync_page(program)
    program.press("不传了")
    write(program, change, lambda store: take(store, all_of="invalid"))
    page = repair(program)
    assert isinstance(page, DisputesPage)
    assert page.form is not None
    assert page.form.values()["summary"] == "楼上跳绳到半夜"


def test_what_is_half_written_there_is_not_written_over(program: Program) -> None:
    write(program, visit, lambda store: take(store, all_of="out_of_scope"))
    body = b'{"intent":{"household_id":"%s","note":"another"}}' % DOOR.encode()
    write(program, lambda store: drafts.keep(store, ident("staff"), "visits", DOOR, body))
    page = repair(program)
    assert isinstance(page, VisitPage)
    assert page.form.note.text() == "another"
    assert "写了一半" in program.said()
    assert refused(program) > 0


def test_it_can_wait_go_into_a_file_or_be_given_up(program: Program) -> None:
    write(program, visit, lambda store: take(store, all_of="out_of_scope"))
    card = sync_page(program).refused

    def offers_work() -> bool:
        return card.first is not None

    program.press("存成文件")
    (file,) = program.home.glob("*.json")
    assert "家里冷" in file.read_text("utf-8")
    program.press("先放着")
    assert not offers_work()
    assert program.app.agent.status.refused == 0
    program.press("先放着的 1 条")
    program.press("拿出来改")
    assert offers_work()
    program.press("不传了")
    assert refused(program) == 0


def test_what_no_form_fits_is_said(program: Program) -> None:
    me = ident("staff")
    change: Sequence[object] = [patch("building", ident("b3"), property_company="益民物业")]
    write(program, lambda store: store.save(store.act(me), change), lambda store: take(store, all_of="invalid"))
    sync_page(program)
    program.press("去改")
    assert "不能在表里改" in program.said()


def test_what_cannot_be_put_right_is_handed_to_the_secretary(program: Program) -> None:
    write(program, visit, lambda store: take(store, all_of="out_of_scope"))
    page = sync_page(program)
    assert page.refused.due == 1
    program.press("交给书记")
    program.settle()
    assert page.refused.due == 0
    assert program.window.notices.notice is not None
    assert "已交给书记" in program.window.notices.notice.title
    program.press("先放着的 1 条")
    assert "已交给书记" in program.said()
    assert program.window.current is page
    assert refused(program) > 0  # kept, until a person gives it up


def test_the_secretary_sees_to_what_was_handed_on(qapp: QApplication, tmp_path: Path) -> None:
    clock = Clock()
    furnish(tmp_path / "pc", clock=clock, people=("staff", "secretary"))
    program = Program(tmp_path / "pc", clock=clock)
    program.unlock("staff")
    write(program, visit, lambda store: take(store, all_of="out_of_scope"))
    sync_page(program)
    program.press("交给书记")
    program.settle()
    program.app.leave()
    program.settle()
    program.unlock("secretary")
    page = sync_page(program)
    said = program.said()
    assert "1 条是同事交给您的" in said
    assert "家里冷" in said
    assert "刘敏" in said
    assert not any("交给书记" in button.text() for button in page.findChildren(QPushButton) if button.isVisible())
    program.press("已办好")
    program.settle()
    assert not page.handed.isVisible()
    program.close()
