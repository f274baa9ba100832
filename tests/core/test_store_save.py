"""Saving: checked, allowed, stamped, durable, all or nothing; and bulk rows as received."""

import msgspec
import pytest

from sync.domain.clock import hlc_of
from sync.domain.operations import DELETED, Operation, delete, new, patch
from sync.errors import AccessError, RuleError
from sync.store import schema, unsent
from sync.store.seeding import SEED_REPLICA
from world import World, ident


def visit(world: World, **fields: object) -> Operation:
    return new(
        "visit",
        world.ids(world.clock()),
        **{
            "household_id": world.id("b3:201"),
            "building_id": world.id("b3"),
            "visited_on": "2026-11-23",
            "visitor_ids": (world.as_("head3"),),
            "recorded_by": world.as_("head3"),
            "recorded_at": world.clock(),
            **fields,
        },
    )


def demand(world: World, **fields: object) -> Operation:
    return new(
        "demand",
        world.ids(world.clock()),
        **{
            "building_id": world.id("b3"),
            "compound_id": world.id("compound"),
            "household_id": world.id("b3:201"),
            "title": "漏水",
            "recorded_by": world.as_("head3"),
            **fields,
        },
    )


def dispute(world: World, who: str = "head3", **fields: object) -> Operation:
    return new(
        "dispute",
        world.ids(world.clock()),
        **{"compound_id": world.id("compound"), "title": "噪音", "noticed_by": world.as_(who), **fields},
    )


def step(world: World, parent: Operation) -> Operation:
    return new(f"{parent.kind}_event", world.ids(world.clock()), **{f"{parent.kind}_id": parent.id})


def test_what_is_saved_is_in_the_row_and_in_the_outbox(world: World) -> None:
    made = visit(world, note="儿子在家")
    assert world.save("head3", [made]) == {("visit", made.id)}
    row = schema.load_one(world.store.db, "visit", made.id)
    assert row is not None
    assert row.stream == f"building:{world.id('b3')}"
    assert row.values["visitor_ids"] == [world.as_("head3")]
    (line,) = unsent.lines(world.store.db)
    assert line.operation.author == world.as_("head3")
    assert line.operation.clock == row.clock
    assert line.operation.device == world.store.replica
    assert line.operation.hlc > hlc_of(world.clock()) - 2
    assert (line.replaced, line.made_at, line.stream) == ({}, world.clock(), row.stream)


def test_a_patch_names_what_it_saw_and_sends_its_groups_whole(world: World) -> None:
    made = demand(world)
    world.save("head3", [made])
    world.save("staff", [patch("demand", made.id, state="accepted", title="厨房漏水")])
    line = unsent.lines(world.store.db)[-1]
    first = unsent.lines(world.store.db)[0].operation.clock
    assert line.operation.prev == {"flow": first, "title": first, DELETED: first}
    assert line.operation.fields["level"] == "station"
    assert set(line.replaced) == {"flow", "title"}
    assert line.replaced["title"] == ({"title": "漏水"}, first)
    row = schema.load_one(world.store.db, "demand", made.id)
    assert row is not None
    assert row.clock_of("flow") == line.operation.clock
    assert row.clock_of("urgency") == first


def test_several_operations_on_one_record_in_one_save(world: World) -> None:
    made = demand(world)
    event = step(world, made)
    touched = world.save("head3", [made, event, patch("demand", made.id, title="b")])
    assert touched == {("demand", made.id), ("demand_event", event.id)}
    stored = schema.load_one(world.store.db, "demand_event", event.id)
    assert stored is not None
    assert stored.stream == f"building:{world.id('b3')}"


def test_all_or_nothing(world: World) -> None:
    with pytest.raises(RuleError):
        world.save("head3", [visit(world), visit(world, outcome="won")])
    assert world.store.db["visit"].count == 0
    assert world.store.db["outbox"].count == 0


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"note": "a\0b"}, "note", "bad_text"),
        ({"note": "\ud800"}, "note", "bad_text"),
        ({"visitor_ids": ("a\0",)}, "visitor_ids", "bad_text"),
        ({"visitor_ids": (1,)}, "visitor_ids", "wrong_type"),
        ({"note": "字" * 2001}, "note", "too_long"),
        ({"nonsense": 1}, "nonsense", "unknown_field"),
        ({DELETED: 1}, DELETED, "wrong_type"),
    ],
)
def test_bad_values_are_named(world: World, change: dict[str, object], field: str, code: str) -> None:
    with pytest.raises(RuleError) as refused:
        world.save("head3", [visit(world, **change)])
    assert (refused.value.field, refused.value.code) == (field, code)


def test_texts_are_kept_in_one_form(world: World) -> None:
    made = visit(world, note="e\u0301 秦𬱖")
    world.save("head3", [made])
    row = schema.load_one(world.store.db, "visit", made.id)
    assert row is not None
    assert row.values["note"] == "é 秦𬱖"


def test_fixed_and_server_fields_cannot_be_written(world: World) -> None:
    made = demand(world)
    world.save("head3", [made])
    for change in ({"source": "phone"}, {"demand_no": "7"}):
        with pytest.raises(RuleError) as refused:
            world.save("head3", [patch("demand", made.id, **change)])
        assert refused.value.code == "read_only"
    with pytest.raises(RuleError):
        world.save("head3", [demand(world, demand_no="7")])
    with pytest.raises(AccessError):
        world.save("secretary", [new("account", "x", name="新人")])


def test_records_that_are_there_or_are_not(world: World) -> None:
    made = visit(world)
    world.save("head3", [made])
    for operation, code in (
        (made, "exists"),
        (patch("visit", "none", note="x"), "unknown_record"),
        (new("nonsense", "x"), "unknown_kind"),
        (new("demand_event", "x", demand_id="none"), "parent_missing"),
        (Operation(kind="conflict", id="x", action="new", fields={"record_kind": "none"}), "parent_missing"),
    ):
        with pytest.raises(RuleError) as refused:
            world.save("head3", [operation])
        assert refused.value.code == code


def test_rights_are_asked_of_the_stream(world: World) -> None:
    with pytest.raises(AccessError) as refused:
        world.save("head1", [visit(world)])
    assert refused.value.code == "out_of_scope"
    with pytest.raises(AccessError):
        world.store.save(world.store.act("nobody"), [visit(world)])


def test_a_head_may_change_what_the_head_has_noticed(world: World) -> None:
    made = dispute(world)
    world.save("head3", [made])
    world.save("head3", [patch("dispute", made.id, summary="夜里")])
    with pytest.raises(AccessError):
        world.save("head1", [patch("dispute", made.id, summary="x")])


def test_what_belongs_to_a_record_follows_it_into_another_stream(world: World) -> None:
    made = dispute(world, mediator_ids=(world.as_("mediator"),))
    event = step(world, made)
    world.save("head3", [made, event])
    touched = world.save(
        "mediator",
        [patch("dispute", made.id, accepted_on="2026-11-24", mediator_ids=(world.as_("mediator"),), state="accepted")],
    )
    assert touched == {("dispute", made.id), ("dispute_event", event.id)}
    stored = schema.load_one(world.store.db, "dispute_event", event.id)
    assert stored is not None
    assert stored.stream == f"case:{made.id}"
    assert unsent.lines(world.store.db)[-1].moved
    assert stored.stream in world.viewer("mediator").streams
    assert stored.stream not in world.viewer("head3").streams


def test_a_deleted_record_stays_with_its_mark(world: World) -> None:
    made = visit(world)
    world.save("head3", [made])
    world.save("head3", [delete("visit", made.id)])
    row = schema.load_one(world.store.db, "visit", made.id)
    assert row is not None
    assert row.deleted
    assert contact(world) is None


def contact(world: World) -> tuple[object, ...] | None:
    found = world.store.db.execute(
        "SELECT last_contact_on, last_visit_on, last_outcome, failed_bands, failed_count FROM household_contact"
        " WHERE household_id = ?",
        (world.id("b3:201"),),
    ).fetchone()
    return None if found is None else tuple(found)


def test_the_last_contact_follows_from_the_visits(world: World) -> None:
    world.save("head3", [visit(world, visited_on="2026-11-01", outcome="no_answer", time_band="morning")])
    assert contact(world) == (None, "2026-11-01", "no_answer", '["morning"]', 1)
    world.save("head3", [visit(world, visited_on="2026-11-05", outcome="met")])
    assert contact(world) == ("2026-11-05", "2026-11-05", "met", "[]", 0)
    evening = visit(world, visited_on="2026-11-20", outcome="no_answer", time_band="evening")
    world.save("head3", [evening, visit(world, visited_on="2026-11-21", outcome="no_answer", time_band="evening")])
    assert contact(world) == ("2026-11-05", "2026-11-21", "no_answer", '["evening"]', 2)
    world.save("head3", [patch("visit", evening.id, outcome="met")])
    assert contact(world) == ("2026-11-20", "2026-11-21", "no_answer", '["evening"]', 1)


def test_an_operation_too_large_to_send_is_refused_when_saved(world: World) -> None:
    sheet = new(
        "door_sheet", "s", building_id=world.id("b3"), household_ids=tuple(ident(str(at)) for at in range(8000))
    )
    with pytest.raises(RuleError) as refused:
        world.save("head3", [sheet])
    assert refused.value.code == "too_large"


def test_the_clock_never_goes_back_over_a_restart(world: World) -> None:
    world.save("head3", [visit(world)])
    world.clock.forward(days=-200)
    world.reopen()
    world.save("staff", [visit(world, recorded_by=world.as_("staff"))])
    first, second = unsent.lines(world.store.db)
    assert second.operation.hlc > first.operation.hlc


def test_new_rights_hold_at_once(world: World) -> None:
    assert not world.viewer("head1").buildings() & {world.id("b3")}
    world.store.seed(
        [
            new(
                "grant",
                "g",
                account_id=world.as_("head1"),
                role="building_head",
                scope_kind="building",
                scope_id=world.id("b3"),
            )
        ]
    )
    assert world.viewer("head1").buildings() == {world.id("b1"), world.id("b3")}
    world.save("staff", [new("building", "b9", compound_id=world.id("compound"), name="9号楼")])
    assert "b9" in world.viewer("staff").buildings()


def test_a_closed_account_may_do_nothing(world: World) -> None:
    world.store.seed([patch("account", world.as_("head3"), state="closed")])
    assert not world.viewer("head3").streams
    with pytest.raises(AccessError):
        world.save("head3", [visit(world)])


def test_seeded_rows_are_as_if_received(world: World) -> None:
    made, event = demand(world), new("demand_event", "e", demand_id="later")
    later = msgspec.structs.replace(demand(world), id="later")
    touched = world.store.seed([made, later, event, patch("demand", made.id, title="b"), delete("demand", "later")])
    assert touched == {("demand", made.id), ("demand", "later"), ("demand_event", "e")}
    assert world.store.db["outbox"].count == 0
    row = schema.load_one(world.store.db, "demand", made.id)
    assert row is not None
    assert (row.values["title"], row.clock[1]) == ("b", SEED_REPLICA)
    assert row.clock_of("title") > row.clock
    stored = schema.load_one(world.store.db, "demand_event", "e")
    assert stored is not None
    assert stored.stream == f"building:{world.id('b3')}"


def test_seeding_goes_on_from_what_is_there(world: World) -> None:
    made = demand(world)
    world.store.seed([made])
    world.store.seed([new("demand_event", "e", demand_id=made.id), made, patch("demand", made.id, title="b")])
    stored = schema.load_one(world.store.db, "demand_event", "e")
    assert stored is not None
    assert stored.stream == f"building:{world.id('b3')}"
    with pytest.raises(RuleError):
        world.store.seed([patch("demand", "none", title="b")])


def test_indexes_are_there_after_seeding_an_empty_file(world: World) -> None:
    indexes = {row[0] for row in world.store.db.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    assert "visit_by_household_id_visited_on" in indexes
    assert "demand_by_handler_id_state" in indexes
