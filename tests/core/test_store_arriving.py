"""Rows of a pull that go into the file by columns: the same as one by one, in fewer steps."""

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from sync import wire
from sync.domain.catalogue import KINDS
from sync.domain.clock import hlc_of
from sync.domain.merge import Row
from sync.domain.operations import patch
from sync.errors import BadMessage
from sync.store import merging, portions, schema
from sync.store.arriving import Columns
from sync.store.merging import Page
from sync.store.portions import Pace
from sync.store.writer import Touched
from world import World

SERVER = 5
CONTACTS = "SELECT household_id, last_contact_on, last_visit_on, last_outcome, failed_bands, failed_count"


def visit(world: World, record_id: str, household: str = "b3:201", *, minute: int = 0, **values: object) -> Row:
    """As the server would send it."""
    given = {"household_id": world.id(household), "building_id": world.id("b3"), "visited_on": "2026-11-20", **values}
    clock = (hlc_of(world.clock() + minute * 60_000), SERVER)
    return Row(record_id, "visit", f"building:{world.id('b3')}", KINDS["visit"].complete(given), clock)


def columns(rows: Sequence[Row]) -> tuple[Columns, ...]:
    """Over the wire."""
    tables = wire.encode_rows([(row, at) for at, row in enumerate(rows, 1)])
    return tuple(
        Columns(
            one.kind, one.stream, one.fields, one.id, one.hlc, one.device, one.cols, one.clocks, frozenset(one.deleted)
        )
        for one in tables
    )


def taken(world: World, page: Page) -> Touched:
    """Take in a page, portion by portion."""
    return frozenset().union(*(merging.apply_portion(world.store, portion) for portion in portions.cut(page)))


def stored(world: World, record_id: str, kind: str = "visit") -> Row:
    row = schema.load_one(world.store.db, kind, record_id)
    assert row is not None
    return row


def contacts(world: World) -> list[tuple[Any, ...]]:
    found = world.store.db.execute(f"{CONTACTS} FROM household_contact ORDER BY 1").fetchall()
    return [(*line[:4], sorted(json.loads(line[4])), line[5]) for line in found]


def test_rows_by_columns_are_the_rows(world: World) -> None:
    plain = visit(world, "v1", visitor_ids=["a", "b"], reasons=[])
    gone = replace(visit(world, "v2", minute=1), deleted=True, clocks={"deleted": (hlc_of(world.clock() + 120_000), 9)})
    assert taken(world, Page(tables=columns([plain, gone]))) == {("visit", "v1"), ("visit", "v2")}
    assert [stored(world, "v1"), stored(world, "v2")] == [plain, gone]
    assert world.store.clock.seen == gone.clocks["deleted"][0]


def test_clocks_of_rows_by_columns_are_seen(world: World) -> None:
    taken(world, Page(tables=columns([visit(world, "v1"), visit(world, "v2", minute=3), visit(world, "v3")])))
    assert world.store.clock.seen == hlc_of(world.clock() + 180_000)
    assert world.store.clock.next(world.clock()) > hlc_of(world.clock() + 180_000)


def test_rows_that_are_here_are_replaced(world: World) -> None:
    first = visit(world, "v1", outcome="met")
    again = visit(world, "v1", minute=1, outcome="no_answer")
    fresh = visit(world, "v2", minute=1, visited_on="2026-11-19")
    taken(world, Page(tables=columns([first])))
    taken(world, Page(tables=columns([fresh, again])))
    assert stored(world, "v1") == again
    assert contacts(world) == [(world.id("b3:201"), "2026-11-19", "2026-11-20", "no_answer", ["morning"], 1)]


def test_fields_that_an_older_server_does_not_send_have_their_defaults(world: World) -> None:
    (table,) = columns([visit(world, "v1", note="看过了")])
    few = ("household_id", "building_id", "note")
    cut = replace(table, names=few, cols=[table.cols[list(table.names).index(name)] for name in few])
    taken(world, Page(tables=(cut,)))
    assert stored(world, "v1").values == KINDS["visit"].complete({n: stored(world, "v1").values[n] for n in few})


def test_unsent_work_lies_over_rows_by_columns(world: World) -> None:
    taken(world, Page(tables=columns([visit(world, "v1"), visit(world, "v2")])))
    world.clock.forward(minutes=5)
    world.save("head3", [patch("visit", "v1", note="明天再来")])
    later = [visit(world, one, minute=-1, outcome="no_answer") for one in ("v1", "v2")]
    taken(world, Page(tables=columns(later)))
    assert stored(world, "v1").values["note"] == "明天再来"
    assert stored(world, "v1").values["outcome"] == "no_answer"
    assert stored(world, "v2") == later[1]
    other = visit(world, "v3", minute=2)
    taken(world, Page(tables=columns([other])))
    assert stored(world, "v3") == other


def test_rows_that_others_follow_and_kinds_of_a_newer_server(world: World) -> None:
    values = {"building_id": world.id("b3"), "compound_id": world.id("compound"), "title": "漏水"}
    stream = f"building:{world.id('b3')}"
    demand = Row("d", "demand", stream, KINDS["demand"].complete(values), (hlc_of(world.clock()), SERVER))
    (table,) = columns([demand])
    unknown = replace(table, kind="of_tomorrow", names=(), cols=())
    assert taken(world, Page(tables=(unknown, table))) == {("demand", "d")}
    assert stored(world, "d", "demand") == demand
    household = replace(stored(world, world.id("b3:201"), "household"), clock=(hlc_of(world.clock()), SERVER))
    assert taken(world, Page(tables=columns([household]))) == {("household", household.id)}
    assert stored(world, household.id, "household") == household


def test_rows_by_columns_are_met_by_a_sweep(world: World) -> None:
    rows = [visit(world, "v1"), visit(world, "v2")]
    taken(world, Page(tables=columns(rows), streams=frozenset({rows[0].stream})))
    merging.begin_sweep(world.store, [rows[0].stream])
    taken(world, Page(tables=columns(rows[:1])))
    assert ("visit", "v2") in merging.end_sweep(world.store)
    assert stored(world, "v1") == rows[0]


def test_many_rows_by_columns_come_in_portions(world: World) -> None:
    rows = [visit(world, f"v{at:04}") for at in range(1100)]
    rows[700] = replace(rows[700], deleted=True)
    late = replace(rows[0], id="w", stream="building:other")
    page = Page(tables=columns([*rows, late]), cursors={rows[0].stream: 9})
    cut = list(portions.cut(page))
    assert [portion.count for portion in cut] == [500, 500, 101]
    assert [bool(portion.cursors) for portion in cut] == [False, False, True]
    assert len(taken(world, page)) == 1101
    assert stored(world, "v0700").deleted
    household = stored(world, world.id("b3:201"), "household")
    homes = columns([replace(household, id=f"h{at}") for at in range(250)])
    assert [portion.count for portion in portions.cut(Page(tables=(*homes, *columns(rows[:300]))))] == [200, 350]


def test_a_portion_is_as_large_as_saving_can_wait_for(world: World) -> None:
    (table,) = columns([visit(world, f"v{at:04}") for at in range(1100)])
    page, alone, pace = Page(tables=(table,)), Pace(), Pace(in_use=True)
    assert [portion.count for portion in portions.cut(page, room=alone.room)] == [1100]
    cut = []
    for portion in portions.cut(page, room=pace.room):
        cut.append(portion.count)
        pace.took(portion, 0.03)  # twice what is aimed at, however small
    assert cut[:2] == [500, 250]
    assert sum(cut) == 1100
    pace.took(page, 60.0)
    assert pace.room() == 100
    pace.took(Page(tables=(table.piece(0, 3),)), 0.0)
    assert pace.room() == 100
    for _ in range(20):
        pace.took(page, 0.001)
    assert pace.room() == 1000
    pace.in_use = False
    assert pace.room() == 4000


def test_the_log_is_folded_in_between_two_portions(world: World) -> None:
    taken(world, Page(tables=columns([visit(world, f"v{at:04}") for at in range(300)])))
    portions.fold(world.store)
    busy, pages, folded = world.store.db.conn.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    assert (busy, pages) == (0, folded)
    assert stored(world, "v0299").values["visited_on"] == "2026-11-20"


def test_columns_that_do_not_fit_each_other_are_refused(world: World) -> None:
    (table,) = wire.encode_rows([(visit(world, "v1"), 1)])
    assert wire.checked_rows([table]) == [table]
    for wrong in ({"hlc": []}, {"clocks": [{}, {}]}, {"cols": table.cols[1:]}):
        with pytest.raises(BadMessage):
            wire.checked_rows([wire.RowTable(**{**{n: getattr(table, n) for n in table.__struct_fields__}, **wrong})])


def worked_out(world: World) -> list[tuple[Any, ...]]:
    """The last contact of every household, from all its visits one by one."""
    ids = [line[0] for line in world.store.db.conn.execute("SELECT id FROM visit")]
    living = [row for row in schema.load(world.store.db, "visit", ids).values() if not row.deleted]
    lines: list[tuple[Any, ...]] = []
    for household in sorted({row.values["household_id"] for row in living}):
        mine = [row for row in living if row.values["household_id"] == household]
        mine.sort(key=lambda row: (row.values["visited_on"], row.values["recorded_at"], row.id))
        met = max((row.values["visited_on"] for row in mine if row.values["outcome"] == "met"), default="")
        failed = [row for row in mine if row.values["outcome"] == "no_answer" and row.values["visited_on"] > met]
        bands = sorted({row.values["time_band"] for row in failed})
        lines.append(
            (household, met or None, mine[-1].values["visited_on"], mine[-1].values["outcome"], bands, len(failed))
        )
    return lines


def some_visit(world: World, chance: random.Random, record_id: str, *, minute: int = 0) -> Row:
    return visit(
        world,
        record_id,
        chance.choice(("b3:201", "b3:202")),
        minute=minute,
        visited_on=f"2026-11-{chance.randint(1, 20):02}",
        recorded_at=chance.randint(1, 3),
        outcome=chance.choice(("met", "no_answer", "no_answer", "refused")),
        time_band=chance.choice(("morning", "evening", "weekend")),
        note=chance.choice(("", "来过")),
    )


@pytest.mark.parametrize("seed", range(12))
def test_the_last_contact_is_as_if_worked_out_from_all_visits(world: World, seed: int) -> None:
    chance = random.Random(seed)
    rows = [some_visit(world, chance, f"v{at:03}") for at in range(40)]
    if seed % 2:
        rows.sort(key=lambda row: str(row.values["visited_on"]))
    while rows:
        size = chance.randint(1, 6)
        taken(world, Page(tables=columns(rows[:size])))
        del rows[:size]
        assert contacts(world) == worked_out(world)


@pytest.mark.parametrize("seed", range(12))
def test_the_last_contact_follows_edits_moves_and_deletions(world: World, seed: int) -> None:
    chance = random.Random(seed)
    here: dict[str, Row] = {}
    for turn in range(30):
        page = []
        for name in chance.sample(range(14), chance.randint(1, 4)):
            before = here.get(f"v{name}")
            row = some_visit(world, chance, f"v{name}", minute=turn)
            if before and chance.random() < 0.5:
                kept = ("visited_on", "household_id", "recorded_at") if chance.random() < 0.7 else tuple(row.values)
                row = replace(row, values={**row.values, **{name: before.values[name] for name in kept}})
            if chance.random() < 0.2:
                row = replace(row, deleted=True)
            if chance.random() < 0.1:
                row = replace(row, stream="building:other", values={**row.values, "building_id": "other"})
            here[row.id] = row
            page.append(row)
        taken(world, Page(tables=columns(page)))
        assert contacts(world) == worked_out(world)
        assert all(stored(world, row.id) == row for row in page)
    places = world.store.db.execute("SELECT household_id, stream, building_id FROM household_contact").fetchall()
    for household, stream, building in places:
        mine = [row for row in here.values() if row.values["household_id"] == household and not row.deleted]
        since = contacts(world)[[line[0] for line in contacts(world)].index(household)][1] or ""
        late = [row for row in mine if row.values["visited_on"] >= since]
        assert (stream, building) == (max(r.stream for r in late), max(r.values["building_id"] for r in late))


def test_an_edit_leaves_the_indexes_of_what_it_does_not_change_alone(world: World) -> None:
    row = visit(world, "v1", outcome="met")
    taken(world, Page(tables=columns([row])))
    edited = replace(row, values={**row.values, "note": "补记"}, clock=(row.clock[0] + 1, SERVER))
    said: list[str] = []
    world.store.db.conn.set_trace_callback(said.append)
    taken(world, Page(tables=columns([edited])))
    world.store.db.conn.set_trace_callback(None)
    (change,) = [line for line in said if line.startswith('UPDATE "visit"')]
    assert [name for name in row.values if f'"{name}" =' in change] == ["note"]
    assert not [line for line in said if "INTO household_contact" in line]
    assert stored(world, "v1") == edited
