"""What was refused is handed to the secretary: it arrives there and nowhere else, and is seen to."""

from pathlib import Path

import msgspec
import pytest

from servers import Device, Server
from stations import Station, visit
from sync import wire
from sync.domain import handing
from sync.domain.handing import HandingIntent
from sync.domain.operations import new
from sync.errors import RuleError
from sync.store import handed, refused
from sync.store.standing import standing
from world import World


def refuse(server: Server, station: Station, note: str = "暖气不热") -> refused.Item:
    """A visit that the server will not take; the one item that follows from it."""
    gone = visit(server, station, note=note)
    station.save([msgspec.structs.replace(gone, fields={**gone.fields, "visited_on": "2026-11-22"})])
    with station.store.write():
        station.store.db.conn.execute(
            "UPDATE outbox SET body = CAST(replace(CAST(body AS TEXT), ?, ?) AS BLOB)", ("2026-11-22", "2026-13-22")
        )
    assert station.sync().refused == 1
    (item,) = refused.items(station.store.db, station.store.viewer(station.account))
    return item


@pytest.fixture
def office(server: Server, secretary: Device, tmp_path: Path) -> Station:
    """The secretary's PC with a window, beside the one without."""
    message = wire.AddPerson(by=secretary.author, account=secretary.author)  # the same person on one more PC
    code = secretary.ask(f"people/{secretary.author}/code", message, wire.AddPersonReply).code
    station = Station.enrolled(server, tmp_path, code, name="office")
    station.sync()
    return station


def test_it_arrives_with_the_secretary_and_nowhere_else(
    server: Server, first: Station, second: Station, office: Station
) -> None:
    item = refuse(server, first)
    refused.hand_on(first.store, first.account, item)
    assert refused.count(first.store.db) == 0  # it is nobody's work here any more, and still here
    (kept,) = refused.items(first.store.db, first.store.viewer(first.account))
    assert (kept.is_aside, kept.is_handed) == (True, True)
    first.sync()
    for station in (first, second, office):
        station.sync()
    assert handed.items(second.store.db, second.store.viewer(second.account)) == ()
    assert first.rows("handed_on") == second.rows("handed_on") == []
    (got,) = handed.items(office.store.db, office.store.viewer(office.account))
    assert (got.by, got.kind_label, got.code, got.made_at) == ("张磊", "Visit", "invalid", item.made_at)
    assert dict(got.content)["What was said"] == "暖气不热"
    assert handed.count(office.store.db, office.store.viewer(office.account)) == 1

    with pytest.raises(RuleError, match="unknown_record"):  # it is not even there
        handed.see_to(second.store, second.account, got.id)
    handed.see_to(office.store, office.account, got.id)
    assert handed.items(office.store.db, office.store.viewer(office.account)) == ()
    assert office.sync().verified
    (row,) = office.rows("handed_on")
    assert "done" in row
    office.store.close()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_nothing_sensitive_goes_along_and_what_is_too_long_is_left_out(world: World) -> None:
    act = world.store.act(world.id("head3"))
    operations = [
        new("visit", "v", note="家里冷", visited_on="2026-11-23", household_id="h", deleted=False),
        new("resident", "r", name="王芳", phone="13800001111"),
        new("resident_identity", "i", id_number="110105194912310021"),
        *(new("demand", f"d{number}", details="长" * 2000) for number in range(40)),
    ]
    intent = HandingIntent(
        record_kind="visit", record_id="v", place="3-1-201", code="invalid", made_at=1, operations=operations
    )
    (made,) = handing.hand_on(act, intent)
    content = msgspec.json.decode(made.fields["content"])
    assert content[:4] == [
        ["visit", "note", "家里冷"],
        ["visit", "visited_on", "2026-11-23"],
        ["resident", "name", "王芳"],
        ["resident", "phone", "13800001111"],
    ]
    assert {kind for kind, _, _ in content[4:]} == {"demand"}
    assert 4 < len(content) < 40
    world.save("head3", [made])
    assert handed.count(world.store.db, world.viewer("secretary")) == 1
    assert standing(world.reader(), world.id("secretary")).handed == 1
    assert standing(world.reader(), world.id("head3")).handed == 0
    world.close()


def test_what_another_program_wrote_is_shown_as_far_as_it_is_known(world: World) -> None:
    values = {"by": world.id("head3"), "record_kind": "of_tomorrow", "code": "schema"}
    world.store.seed(
        [
            new("handed_on", world.ids(1), **values, content="{", made_at=1),
            new(
                "handed_on",
                world.ids(2),
                **values,
                content='[["of_tomorrow","x","y"],["visit","note","好"]]',
                made_at=2,
            ),
        ]
    )
    first, second = handed.items(world.store.db, world.viewer("secretary"))
    assert (first.kind_label, first.content) == ("", ())
    assert second.content == (("What was said", "好"),)
    world.close()


def test_who_hands_on_to_whom() -> None:
    assert handing.may_hand_on(frozenset({"building_head"}))
    assert not handing.may_hand_on(frozenset({"community_secretary", "mediator"}))
    assert not handing.may_hand_on(frozenset())
