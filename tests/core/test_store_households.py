"""Households in the store: doors, the card as each role sees it, saving, and a building made at the station."""

import pytest

from sync.domain.building_plan import BuildingIntent, unit_labels
from sync.domain.calendar import day_of
from sync.domain.demands import DemandIntent
from sync.domain.households import CardIntent, HouseholdIntent, ResidentIntent
from sync.domain.operations import delete, new
from sync.domain.pairing import PairingIntent
from sync.domain.visit_facts import VisitIntent
from sync.errors import AccessError, RuleError
from sync.store import access, household_records, households, visits
from sync.store.households import HouseholdCard
from world import World, rules


def card(world: World, room: str = "b3:201", *, by: str = "head3") -> HouseholdCard:
    found = _card(world, room, by=by)
    assert found is not None
    return found


def _card(world: World, room: str, *, by: str) -> HouseholdCard | None:
    now = world.clock()
    return households.card(world.store.db, world.viewer(by), world.id(room), rules=rules(), today=day_of(now), now=now)


def save(world: World, intent: CardIntent, *, by: str = "head3", room: str = "b3:201") -> None:
    household_records.save_card(world.store, world.as_(by), world.id(room), intent)


def test_the_buildings_and_doors_a_viewer_may_read(world: World) -> None:
    db = world.store.db
    (own,) = households.buildings(db, world.viewer("head3"))
    assert (own.name, own.compound, own.households, [unit.label for unit in own.units]) == (
        "3号楼",
        "向阳里",
        6,
        ["1单元"],
    )
    assert [row.name for row in households.buildings(db, world.viewer("staff"))] == ["1号楼", "2号楼", "3号楼"]
    ids = households.door_ids(db, world.viewer("head3"), world.id("b3"))
    assert households.door_ids(db, world.viewer("head3"), world.id("b3"), unit_id=own.units[0].unit_id) == ids
    assert households.door_ids(db, world.viewer("head3"), world.id("b3"), unit_id="another") == ()
    assert households.door_ids(db, world.viewer("head1"), world.id("b3")) == ()
    rows = households.door_rows(db, world.viewer("head3"), [*ids[:2], "gone"], rules=rules(), now=world.clock())
    assert rows[2] is None
    assert [(row.room, row.contact_name, row.tone) for row in rows if row] == [
        ("1-301", "秦𬱖", "grey"),
        ("1-302", "许志强", "grey"),
    ]


def test_the_card_masks_numbers_and_says_when_to_call(world: World) -> None:
    seen = card(world)
    assert (seen.label, seen.contact_name, seen.contact_phone) == ("3-1-201", "杨帆", "138****2325")
    assert (seen.due_on, seen.is_due, seen.told_on, seen.living, seen.visits) == (None, True, None, 1, 0)
    assert (seen.may_edit, seen.may_care, seen.tone, seen.open_demands) == (True, False, "grey", 0)
    demand = DemandIntent(category="02", title="暖气不热", signs=("outage",))
    visit = VisitIntent(household_id=world.id("b3:201"), notice_given=True, demands=(demand,))
    visits.record(world.store, world.as_("head3"), visit)
    seen = card(world)
    assert (seen.due_on, seen.is_due, seen.told_on, seen.told_way) == ("2027-05-23", False, "2026-11-23", "in_person")
    assert (seen.tone, seen.open_demands, seen.visits, seen.last_outcome) == ("red", 1, 1, "met")


def test_a_vacant_flat_waits_for_nobody(world: World) -> None:
    save(world, CardIntent(household=HouseholdIntent(occupancy="vacant")))
    seen = card(world)
    assert (seen.is_home, seen.is_due, seen.due_on) == (False, False, None)


def test_nobody_reads_a_household_that_is_not_theirs(world: World) -> None:
    assert _card(world, "b3:201", by="head1") is None
    assert _card(world, "b3", by="head3") is None
    assert households.residents(world.store.db, world.viewer("head1"), world.id("b3:201"), today="2026-11-23") == ()
    with pytest.raises(RuleError) as caught:
        save(world, CardIntent(), by="head1")
    assert caught.value.code == "unknown_household"


def test_the_form_is_saved_in_one_go(world: World) -> None:
    group = world.id("group")
    staff = world.as_("staff")
    world.store.save(
        world.store.act(staff),
        [new("household_cluster", group, building_id=world.id("b3"), number="2", name="二组", leader="高志远")],
    )
    (choice,) = households.clusters(world.store.db, world.viewer("head3"), world.id("b3"))
    assert choice.name == "2 二组 高志远"
    intent = CardIntent(
        household=HouseholdIntent(
            residence_status="living",
            emergency_contact="女儿 王莉",
            emergency_phone="138 0000 1190",
            cluster_id=choice.id,
        ),
        residents=(
            ResidentIntent(resident_id=world.id("b3:201:resident"), name="杨帆", is_householder=True, birth_year=1950),
            ResidentIntent(name="王小宝", birth_year=2018, relation="外孙"),
        ),
    )
    save(world, intent)
    save(world, CardIntent())  # nothing differs, nothing is written
    seen = card(world)
    assert (seen.cluster_leader, seen.emergency_phone, seen.living) == ("高志远", "138****1190", 2)
    names = [(person.name, person.is_child, person.phone) for person in seen.residents]
    assert names == [("杨帆", False, "138****2325"), ("孩子1", True, "")]
    with pytest.raises(RuleError) as caught:
        save(world, CardIntent(household=HouseholdIntent(occupancy="rented"), residents=(ResidentIntent(name=""),)))
    assert (caught.value.field, caught.value.code) == ("residents/0/name", "required")
    assert card(world).occupancy == "owner"  # all or nothing


def test_a_child_in_care_keeps_its_name_at_the_station(world: World) -> None:
    tag = new(
        "care_tag",
        world.id("tag"),
        household_id=world.id("b3:201"),
        building_id=world.id("b3"),
        resident_id=world.id("b3:201:resident"),
        category="orphan_or_needy_child",
    )
    world.save("staff", [tag])
    child = ResidentIntent(resident_id=world.id("b3:201:resident"), name="杨小帆", birth_year=2016, is_householder=True)
    save(world, CardIntent(residents=(child,)), by="staff")
    assert card(world).residents[0].name == "杨小帆"


def test_who_moves_out_is_listed_last(world: World) -> None:
    me, resident = world.as_("head3"), world.id("b3:201:resident")
    save(world, CardIntent(residents=(ResidentIntent(name="王莉"),)))
    household_records.record_move_out(world.store, me, resident)
    assert household_records.record_move_out(world.store, me, resident) == frozenset()
    assert [(person.name, person.lives_here) for person in card(world).residents] == [("王莉", True), ("杨帆", False)]
    with pytest.raises(RuleError):
        household_records.record_move_out(world.store, me, world.id("nobody"))


def test_a_number_is_shown_in_full_and_the_look_is_noted(world: World) -> None:
    me, household = world.as_("head3"), world.id("b3:201")
    number = household_records.reveal(world.store, me, "household", household, "contact_phone")
    assert number == "13830002325"
    household_records.reveal(world.store, me, "resident", world.id("b3:201:resident"), "phone")
    looks = [(look.kind, look.id, look.field) for look in access.readings(world.store.db, world.viewer("head3"))]
    assert looks == [("resident", world.id("b3:201:resident"), "phone"), ("household", household, "contact_phone")]
    for kind, record_id, field in (
        ("household", household, "contact_name"),
        ("visit", household, "note"),
        ("household", world.id("nowhere"), "contact_phone"),
        ("household", world.id("b1:201"), "contact_phone"),
    ):
        with pytest.raises(RuleError):
            household_records.reveal(world.store, me, kind, record_id, field)


def test_a_group_leader_sees_no_numbers(world: World) -> None:
    leader = world.id("leader")
    world.store.seed(
        [
            new("account", leader, name="联户长", state="active"),
            new(
                "grant",
                world.id("leader:grant"),
                account_id=leader,
                role="cluster_leader",
                scope_kind="building",
                scope_id=world.id("b3"),
                valid_from="2026-01-01",
            ),
        ]
    )
    viewer = world.store.viewer(leader)
    now = world.clock()
    seen = households.card(world.store.db, viewer, world.id("b3:201"), rules=rules(), today=day_of(now), now=now)
    assert seen is not None
    assert (seen.contact_name, seen.contact_phone, seen.residents, seen.may_edit) == ("", "", (), False)
    (row,) = households.door_rows(world.store.db, viewer, [world.id("b3:201")], rules=rules(), now=now)
    assert row is not None
    assert row.contact_name == ""
    with pytest.raises(AccessError):
        household_records.reveal(world.store, leader, "household", world.id("b3:201"), "contact_phone")
    group = new("household_cluster", world.id("group"), building_id=world.id("b3"), number="2", leader="高志远")
    world.store.seed([group])
    assert [choice.name for choice in households.clusters(world.store.db, viewer, world.id("b3"))] == ["2"]
    mine = households.changes(world.store.db, viewer, world.id("b3:201"))
    theirs = households.changes(world.store.db, world.viewer("head3"), world.id("b3:201"))
    assert {change.subject for change in mine} == {""}
    assert {change.subject for change in theirs} == {"", "杨帆"}


def test_a_hint_can_be_given_and_not_read_back(world: World) -> None:
    household = world.id("b3:201")
    household_records.record_hint(world.store, world.as_("head3"), household, "好几天没见开灯")
    assert households.hints(world.store.db, world.viewer("head3"), household) == ()
    (hint,) = households.hints(world.store.db, world.viewer("staff"), household)
    assert (hint.note, hint.by, hint.on, hint.state) == ("好几天没见开灯", "王秀兰", "2026-11-23", "open")


def test_notice_is_noted_once(world: World) -> None:
    me, household = world.as_("head3"), world.id("b3:201")
    household_records.record_notice(world.store, me, household, way="paper")
    assert (card(world).told_on, card(world).told_way) == ("2026-11-23", "paper")
    with pytest.raises(RuleError) as caught:
        household_records.record_notice(world.store, me, household)
    assert caught.value.code == "exists"


def test_a_pairing_shows_heads_the_day_only(world: World) -> None:
    household, staff = world.id("b3:201"), world.as_("staff")
    visits.record(world.store, world.as_("head3"), VisitIntent(household_id=household, notice_given=True))
    intent = PairingIntent(household_id=household, responsible_id=world.as_("grid"), substitute_id=staff)
    household_records.record_pairing(world.store, staff, intent, rules=rules().care)
    today = "2026-11-23"
    assert households.pairings(world.store.db, world.viewer("head3"), household, today=today) == ()
    assert card(world).due_on == "2026-12-23"
    (pairing,) = households.pairings(world.store.db, world.viewer("staff"), household, today=today)
    assert (pairing.level, pairing.responsible, pairing.substitute) == ("B", "张磊", "刘敏")
    assert card(world, by="staff").may_care
    household_records.record_pairing_end(world.store, staff, household, pairing.pairing_id, rules=rules().care)
    assert households.pairings(world.store.db, world.viewer("staff"), household, today=today) == ()
    assert card(world).due_on == "2027-05-23"
    never_met = PairingIntent(household_id=world.id("b3:202"), responsible_id=world.as_("grid"))
    household_records.record_pairing(world.store, staff, never_met, rules=rules().care)
    assert card(world, "b3:202").due_on == today


def test_changes_say_who_and_what_while_they_wait_here(world: World) -> None:
    world.clock.forward(minutes=5)
    save(world, CardIntent(household=HouseholdIntent(occupancy="rented"), residents=(ResidentIntent(name="王莉"),)))
    found = households.changes(world.store.db, world.viewer("head3"), world.id("b3:201"))
    newest = [(change.who, change.subject, change.is_new, change.fields, change.waits) for change in found[:2]]
    assert ("王秀兰", "", False, ("occupancy",), True) in newest
    assert ("王秀兰", "王莉", True, (), True) in newest
    assert [(change.subject, change.is_new, change.waits) for change in found[2:]] == [
        ("", True, False),
        ("杨帆", True, False),
    ]
    assert found[0].at >= found[-1].at


def test_a_building_is_made_with_its_doors_in_one_save(world: World) -> None:
    choices = households.building_choices(world.store.db, world.viewer("staff"))
    assert [choice.name for choice in choices.compounds] == ["向阳里"]
    assert [choice.name for choice in choices.grids] == ["向阳里第一网格"]
    assert households.building_choices(world.store.db, world.viewer("head3")).compounds == ()
    intent = BuildingIntent(
        compound_id=choices.compounds[0].id, name="8号楼", floors_above=2, rooms=2, units=unit_labels(2)
    )
    touched = household_records.record_building(world.store, world.as_("staff"), intent)
    assert sum(kind == "household" for kind, _ in touched) == 8
    made = households.buildings(world.store.db, world.viewer("staff"))[-1]
    assert (made.name, made.households, [unit.label for unit in made.units]) == ("8号楼", 8, ["1单元", "2单元"])
    with pytest.raises(RuleError) as caught:
        household_records.record_building(world.store, world.as_("staff"), intent)
    assert (caught.value.field, caught.value.code) == ("name", "exists")
    by_worker = BuildingIntent(compound_id=intent.compound_id, name="9号楼", floors_above=1, rooms=1)
    household_records.record_building(world.store, world.as_("grid"), by_worker)
    assert households.buildings(world.store.db, world.viewer("grid"))[-1].name == "9号楼"
    with pytest.raises(AccessError):
        household_records.record_building(world.store, world.as_("head3"), intent)


def test_a_deleted_household_is_gone(world: World) -> None:
    world.save("staff", [delete("household", world.id("b3:201"))])
    assert _card(world, "b3:201", by="head3") is None
    with pytest.raises(RuleError):
        save(world, CardIntent())
