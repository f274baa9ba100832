"""Bad days between a station and its server: nothing is lost, doubled or overwritten unseen."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from ground import Ground
from servers import Device, Server
from stations import Station, demand, visit
from sync import wire
from sync.domain.demands import DemandIntent
from sync.domain.ids import new_id
from sync.domain.operations import Operation, delete, new, patch
from sync.errors import AccessError, Refused, RuleError
from sync.server.storage import epochs
from sync.store import demands, outbox, replicas
from world import rules

YEAR_MS = 365 * 86_400_000


def _set_clock(station: Station, server: Server, *, ahead_ms: int) -> None:
    def wall() -> int:
        return server.clock() + ahead_ms

    station.clock = wall  # type: ignore[assignment]
    station.store._wall = wall


def _send_off(station: Station) -> None:
    """A batch is under way, and nothing more is heard of it."""
    state = station.store.state

    def encode(operations: Sequence[Operation], number: int) -> bytes:
        groups = wire.encode_operations(operations)
        return wire.encode(
            wire.Push(device=state.replica, batch=number, epoch=state.epoch, schema=wire.SCHEMA, groups=groups)
        )

    assert outbox.take_batch(station.store, encode) is not None


def _notes(station: Station) -> list[str]:
    return [row[0] for row in station.store.db.conn.execute("SELECT note FROM visit WHERE deleted = 0 ORDER BY note")]


# ---------------------------------------------------------------------------------------------------- clocks


def test_work_of_a_day_with_a_wrong_clock_goes_out_once_the_clock_is_right(
    server: Server, first: Station, second: Station
) -> None:
    _set_clock(first, server, ahead_ms=YEAR_MS)
    saved = visit(server, first, note="one")
    first.save([saved])
    first.save([patch("visit", saved.id, note="two")])
    _set_clock(first, server, ahead_ms=0)  # put right by hand: the greeting has nothing to teach
    assert first.sync().pushed == 2
    second.sync()
    assert _notes(first) == _notes(second) == ["two"]
    first.save([patch("visit", saved.id, note="three")])
    assert first.sync().pushed == 1


def test_a_batch_that_left_under_a_wrong_clock_goes_out_again_under_the_right_one(
    server: Server, first: Station
) -> None:
    _set_clock(first, server, ahead_ms=YEAR_MS)
    first.save([visit(server, first, recorded_at=0)])
    _send_off(first)
    assert first.sync().pushed == 1
    assert outbox.pending_counts(first.store.db).unsent == 0


def test_what_was_made_before_the_clock_went_wrong_keeps_its_time(server: Server, first: Station) -> None:
    first.save([visit(server, first, note="before")])
    _set_clock(first, server, ahead_ms=YEAR_MS)
    first.save([visit(server, first, "b1-102", recorded_at=0, note="after")])
    before = [line[0] for line in first.store.db.conn.execute("SELECT hlc FROM outbox ORDER BY op")]
    replicas.learn_offset(first.store, -YEAR_MS)
    after = [line[0] for line in first.store.db.conn.execute("SELECT hlc FROM outbox ORDER BY op")]
    assert after[0] == before[0] < after[1] < before[1]
    assert first.sync().pushed == 2


def test_a_clock_put_back_does_not_hide_the_next_edit(server: Server, first: Station) -> None:
    saved = visit(server, first, note="one")
    first.save([saved])
    first.sync()
    _set_clock(first, server, ahead_ms=YEAR_MS)
    first.save([patch("visit", saved.id, note="two")])
    _send_off(first)
    replicas.learn_offset(first.store, -YEAR_MS)
    first.save([patch("visit", saved.id, note="three")])
    assert _notes(first) == ["three"]
    first.sync()
    assert _notes(first) == ["three"]


@pytest.mark.parametrize("code", ["clock", "epoch"])
def test_an_answer_that_does_not_end_is_told(server: Server, first: Station, code: str) -> None:
    first.save([visit(server, first)])
    first.line.mishaps = ["", *(["problem 409 epoch", ""] * 6 if code == "epoch" else ["problem 409 clock"] * 3)]
    with pytest.raises(Refused, match=code):
        first.sync()
    assert first.sync().pushed == 1


# ---------------------------------------------------------------------------------------------------- the line


def test_the_limit_of_a_proxy_halves_the_batch(server: Server, first: Station) -> None:
    first.save([visit(server, first), visit(server, first, "b1-102")])
    first.line.mishaps = ["", "status 413"]
    assert first.sync().pushed == 2


def test_what_the_server_adds_comes_in_the_same_round(server: Server, first: Station) -> None:
    first.save([demand(server, first)])
    first.sync()
    assert first.store.db.conn.execute("SELECT demand_no FROM demand").fetchone()[0]


# ---------------------------------------------------------------------------------------------------- deletions


def _conflicts(station: Station) -> list[tuple[str, str]]:
    return station.store.db.conn.execute("SELECT register, lost FROM conflict ORDER BY lost").fetchall()


@pytest.mark.parametrize("deleter_first", [True, False])
def test_what_is_changed_while_another_deletes_it_is_named_in_a_conflict(
    server: Server, first: Station, second: Station, *, deleter_first: bool
) -> None:
    made = demand(server, first)
    first.save([made])
    first.sync()
    second.sync()
    first.save([delete("demand", made.id)])
    second.save([patch("demand", made.id, details="墙面也湿了")])
    for station in (first, second) if deleter_first else (second, first):
        station.sync()
    for station in (first, second):
        station.sync()
        ((register, lost),) = _conflicts(station)
        assert (register, "墙面也湿了" in lost) == ("deleted", True)
        assert station.store.db.conn.execute("SELECT deleted FROM demand").fetchone()[0] == 1


def test_who_saw_the_last_version_deletes_without_a_conflict(server: Server, first: Station, second: Station) -> None:
    made = demand(server, first)
    first.save([made])
    first.sync()
    second.sync()
    second.save([patch("demand", made.id, details="墙面也湿了")])
    second.sync()
    first.sync()
    first.save([patch("demand", made.id, title="漏水")])
    first.save([delete("demand", made.id)])
    first.sync()
    second.sync()
    assert _conflicts(second) == []


# ---------------------------------------------------------------------------------------------------- moves


@pytest.mark.parametrize("way", [("b1", "b2", "b3"), ("b2", "b1", "b3")])
def test_a_demand_that_went_through_two_streams_is_gone_from_both(
    server: Server, secretary: Device, first: Station, second: Station, way: tuple[str, ...]
) -> None:
    second.let_in(server.invite(secretary, "building_head", "building", "b2", name="周桂英"))
    made = demand(server, first, f"{way[0]}-101")
    first.save([made])
    first.sync()
    second.sync()
    assert len(second.rows("demand")) == 1
    for building in way[1:]:
        home = server.places[f"{building}-101"]
        place = {"building_id": server.places[building], "household_id": home, "scope_id": home}
        first.save([patch("demand", made.id, **place)])
        first.sync()
    second.sync()
    assert second.rows("demand") == []
    assert len(first.rows("demand")) == 1


# ---------------------------------------------------------------------------------------------------- values


@pytest.mark.parametrize("day", ["2026-02-30", "zzz", None])
def test_a_day_that_no_calendar_has_keeps_nobody_elses_work_waiting(
    server: Server, first: Station, day: str | None
) -> None:
    home = server.places["b1-101"]
    care = {"household_id": home, "building_id": server.places["b1"], "responsible_id": first.account}
    first.save([new("care_pairing", new_id(first.clock()), **care, since="2026-11-01")])
    with pytest.raises(RuleError):
        first.save([visit(server, first, visited_on=day)])
    first.save([visit(server, first), visit(server, first, "b1-102")])
    found = first.store.db.conn.execute("SELECT op, body FROM outbox ORDER BY op").fetchall()
    spoiled = msgspec.json.decode(found[1][1])
    spoiled["fields"]["visited_on"] = day
    first.store.db.conn.execute("UPDATE outbox SET body = ? WHERE op = ?", (msgspec.json.encode(spoiled), found[1][0]))
    outcome = first.sync()
    assert (outcome.pushed, outcome.refused) == (2, 1)


def test_nobody_signs_for_a_colleague(server: Server, secretary: Device, first: Station) -> None:
    with pytest.raises(AccessError, match="out_of_scope"):
        first.save([visit(server, first, recorded_by=secretary.author)])
    place = {"household_id": server.places["b1-101"], "building_id": server.places["b1"]}
    spoiled = new("visit", new_id(server.clock()), **place, visited_on="2026-11-23", recorded_by=first.account)
    assert secretary.refused(spoiled) == [(0, "out_of_scope", "")]


# ---------------------------------------------------------------------------------------------------- a restored server


def test_a_restored_server_does_not_take_away_what_is_newer_here(
    server: Server, secretary: Device, first: Station, tmp_path: Path
) -> None:
    saved = visit(server, first, note="one")
    first.save([saved])
    first.sync()
    ground = Ground(server, secretary, tmp_path)
    backup = ground.copy()
    first.save([patch("visit", saved.id, note="two")])
    first.save([demand(server, first)])
    first.sync()
    ground.put_back(backup)
    ground.write(lambda connection: epochs.begin_anew(connection, now=server.clock()))
    first.sync()
    assert _notes(first) == ["two"]
    assert len(first.rows("demand")) == 1
    first.sync()
    assert _notes(first) == ["two"]  # and so it stays
    secretary.hello()
    secretary.pull()
    row = secretary.rows[saved.id]
    secretary.hlc.observe(row.largest_clock()[0])
    server.clock.now += 60_000
    secretary.accepted(patch("visit", saved.id, note="three"))
    first.sync()
    assert _notes(first) == ["three"]


def test_what_was_written_to_a_demand_before_it_moved_in_the_same_batch_moves_with_it(
    server: Server, first: Station, second: Station
) -> None:
    made = demand(server, first, "b1-101")
    step = new("demand_event", new_id(server.clock()), demand_id=made.id, by=first.account, note="听到的话")
    home = server.places["b2-101"]
    first.save([made, step])
    first.save([patch("demand", made.id, building_id=server.places["b2"], household_id=home, scope_id=home)])
    first.sync()
    second.sync()
    assert second.rows("demand") == second.rows("demand_event") == []  # the head of the first building
    assert [row[1] for row in first.rows("demand_event")] == [f"building:{server.places['b2']}"]


# ---------------------------------------------------------------------------------------------------- words kept apart

NEEDY = DemandIntent(category="11", title="家里揭不开锅", source="station")


def _words(station: Station) -> list[str]:
    found = station.store.db.conn.execute("SELECT title || details FROM demand_detail WHERE deleted = 0 ORDER BY 1")
    return [row[0] for row in found]


def test_words_of_a_sensitive_demand_and_of_its_steps_reach_the_station(
    server: Server, secretary: Device, first: Station
) -> None:
    answered = replace(NEEDY, answer="已送米面")
    home = server.places["b1-101"]
    demands.record(first.store, first.account, answered, rules=rules(), household_id=home)
    assert first.sync().refused == 0
    assert _words(first) == ["家里揭不开锅", "已送米面"]
    secretary.pull()
    assert len(secretary.of_kind("demand_detail")) == 2
    (demand_id,) = first.store.db.conn.execute("SELECT id FROM demand").fetchone()
    assert list(demands.read_words(first.store, first.account, demand_id).by_step.values()) == ["已送米面"]


@pytest.mark.parametrize("answer", ["", "已送米面"])
def test_a_head_who_takes_back_what_is_sensitive_takes_its_words_back_too(
    server: Server, first: Station, second: Station, answer: str
) -> None:
    home = server.places["b1-101"]
    demands.record(second.store, second.account, replace(NEEDY, answer=answer), rules=rules(), household_id=home)
    second.sync()
    assert second.rows("demand_detail") == []  # not a head's to read, once the station has it
    demand_id, event_id = second.store.db.conn.execute("SELECT demand_id, id FROM demand_event").fetchone()
    demands.take_back(second.store, second.account, demand_id, event_id)
    second.sync()
    first.sync()
    assert _words(first) == []


def test_two_records_of_one_save_never_share_an_id(server: Server, first: Station) -> None:
    made = demand(server, first)
    with pytest.raises(RuleError, match="exists"):
        first.save([made, new("demand_event", made.id, demand_id=made.id, by=first.account)])
