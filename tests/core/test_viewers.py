"""Every public read of the store, asked as each role, never shows what lies in a stream that role may not read.

The functions are found by their ``viewer`` parameter, their arguments filled in by name: a new query is asked here the
day it is written, and a parameter this test has no values for fails it.
"""

import importlib
import inspect
import itertools
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import sync.store
from sync.domain.calendar import today
from sync.domain.catalogue import KINDS
from sync.domain.fields import Type
from sync.domain.merge import Row
from sync.domain.operations import Operation, new, patch
from sync.errors import QiaomenError
from sync.store import access, demands, disputes, drafts, outbox, refused, schema
from sync.store.outbox import Refusal, Reply
from sync.store.state import Round
from world import BUILDINGS, PEOPLE, World, ident, rules

OTHER = "x1"  # a building of another compound, where nobody of the world but the community secretary has a post
HEADS = {"b1": "head1", "b3": "head3", "b2": "grid", OTHER: "stranger"}


def compound_of(building: str) -> str:
    return "x" if building == OTHER else "compound"


# ------------------------------------------------------------------------------------------------- the world


def secrets() -> Iterator[str]:
    """Texts that occur nowhere else."""
    return (f"密{number:05d}密" for number in itertools.count())


def record(kind: str, name: str, texts: Iterator[str], **fields: object) -> Operation:
    """A record whose every free text, name and note among them, is a secret of its own."""
    declared = KINDS[kind].fields
    filled = {
        field: next(texts)
        for field, how in declared.items()
        if how.type in (Type.TEXT, Type.LONG_TEXT) and how.limit >= 20 and field not in fields
    }
    known = {field: value for field, value in fields.items() if field in declared}
    return new(kind, ident(name), **{**filled, **known})


def of_building(building: str, texts: Iterator[str]) -> Iterator[Operation]:
    """One record of each kind that belongs to a building, in all their variety of streams."""
    head, compound = ident(HEADS[building]), ident(compound_of(building))
    household = ident(f"{building}:201")
    common: dict[str, Any] = {
        "building_id": ident(building),
        "compound_id": compound,
        "household_id": household,
        "resident_id": ident(f"{building}:201:resident"),
        "account_id": head,
        "recorded_by": head,
        "noticed_by": head,
        "reported_by": head,
        "suggested_by": head,
        "responsible_id": head,
        "visitor_ids": (head,),
        "household_ids": (household,),
        "scope_id": household,
        "outcome": "no_answer",
        "category": "02",
        "phone": "13912345678",
        **dict.fromkeys(
            ("visited_on", "noticed_on", "seen_on", "given_on", "since", "due_on", "printed_on", "follow_up_on"),
            "2026-11-20",
        ),
    }

    def made(kind: str, suffix: str = "", **fields: object) -> Operation:
        return record(kind, f"{building}:{kind}{suffix}", texts, **{**common, **fields})

    yield made("visit")
    yield made("visit", ":met", outcome="met", visited_on="2026-11-23", next_due_on="2026-11-23")
    yield made("demand", urgency="urgent", visit_id=ident(f"{building}:visit"))
    for at, state in enumerate(("answered_on_spot", "dispatched", "resolved", "replied", "returned", "suspended")):
        yield made("demand", f":{state}", state=state, resolved_at=1, handler_id=head, position=at)
        yield made("demand_event", f":{state}", demand_id=ident(f"{building}:demand:{state}"), by=head, move="note")
    yield made("demand_detail", demand_id=ident(f"{building}:demand"))
    yield made("household_cluster")
    yield made("resident", ":second")
    yield made("privacy_notice")
    yield made("door_sheet", code=f"{building.upper()}SHEET")
    yield made("care_tag", category="aged_80")
    yield made("care_pairing", level="A")
    yield made("care_due")
    yield made("care_suggestion")
    yield made("resident_identity")
    yield made("dispute", state="noticed", risk="red", follow_up_on="2026-11-20")
    yield made("dispute_event", dispute_id=ident(f"{building}:dispute"), by=head)
    title = next(texts)  # the state of a case bears its title: that much its noticer may know
    yield made(
        "dispute",
        ":case",
        title=title,
        state="mediating",
        accepted_on="2026-11-01",
        mediator_ids=(ident("mediator") if building == "b1" else ident("nobody"),),
    )
    yield made("dispute_event", ":case", dispute_id=ident(f"{building}:dispute:case"), by=head)
    yield made("dispute_status", title=title, dispute_id=ident(f"{building}:dispute:case"))
    yield made("protection_report")
    yield made("handed_on", by=head)
    for kind in ("household", "demand", "dispute"):
        name = f"{building}:201" if kind == "household" else f"{building}:{kind}"
        values = {"record_kind": kind, "record_id": ident(name), "register": "title"}
        texts_of_it = {"kept": next(texts), "lost": next(texts)}
        yield Operation(
            kind="conflict", id=ident(f"{building}:conflict:{kind}"), action="new", fields={**values, **texts_of_it}
        )
    for kind, name in (("household", "201"), ("dispute", "dispute:case")):
        owner = {"record_kind": kind, "record_id": ident(f"{building}:{name}"), "recorded_by": head}
        yield record("attachment", f"{building}:attachment:{kind}", texts, **owner)


def another_compound(texts: Iterator[str]) -> Iterator[Operation]:
    yield new("compound", ident("x"), name="另一小区")
    yield new("building", ident(OTHER), compound_id=ident("x"), name="9号楼", position=1)
    yield new("unit", ident(f"{OTHER}:unit"), building_id=ident(OTHER), label="1单元")
    yield record(
        "household",
        f"{OTHER}:201",
        texts,
        building_id=ident(OTHER),
        unit_id=ident(f"{OTHER}:unit"),
        floor=2,
        room_no="201",
    )
    yield record(
        "resident", f"{OTHER}:201:resident", texts, building_id=ident(OTHER), household_id=ident(f"{OTHER}:201")
    )


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The world with something of every kind in every building, in the outbox, the quarantine and the drafts."""
    folder: Path = tmp_path_factory.mktemp("viewers")
    world = World(folder)
    texts = secrets()
    world.store.seed(another_compound(texts))
    for building in (*BUILDINGS, OTHER):
        world.store.seed(of_building(building, texts))
    for name, building in (("head1", "b1"), ("head3", "b3")):
        world.save(name, [patch("household", ident(f"{building}:202"), contact_name=f"退回{building}")])
    batch = outbox.take_batch(world.store, lambda operations, number: b"body")
    assert batch is not None
    refused = tuple(Refusal(index, "invalid") for index in range(batch.count))
    outbox.settle(world.store, Reply(batch.number, refused))
    for name, building in (("head1", "b1"), ("head3", "b3")):
        drafts.keep(world.store, world.as_(name), "visits", "key", f"草稿{building}".encode())
        access.note(world.store, world.as_(name), "resident", ident(f"{building}:201:resident"), "phone")
        world.save(name, [patch("household", ident(f"{building}:202"), contact_name=f"未发{building}")])
    world.store.note_round(Round(1, 1, 1, "ok"))
    yield world
    world.close()


# ---------------------------------------------------------------------------------------- what each may read


def may_read(role: str) -> Callable[[str], bool]:
    """The streams of a person of the world, written down by hand: not what the program works out."""
    community, compound, me = ident("community"), ident("compound"), ident(role)
    buildings = {"head1": ["b1"], "head3": ["b3"], "mediator": []}.get(role, list(BUILDINGS))
    named = {f"community:{community}", f"person:{me}", f"compound:{compound}", f"compound:{compound}:disputes:{me}"}
    named |= {f"building:{ident(building)}" for building in buildings}
    prefixes: list[str] = []
    if role not in ("head1", "head3"):
        prefixes.append(f"compound:{compound}:disputes:")
    if role == "mediator":
        named.add(f"case:{ident('b1:dispute:case')}")
    elif role not in ("head1", "head3"):
        named |= {f"building:{ident(building)}:care" for building in buildings}
    if role in ("grid", "staff"):
        named.add(f"community:{community}:reports:{me}")
    if role == "secretary":
        prefixes += [f"community:{community}:reports:", f"community:{community}:handed:"]
        prefixes += [f"building:{ident(OTHER)}", f"compound:{ident('x')}"]
    return lambda stream: stream in named or (bool(prefixes) and stream.startswith(tuple(prefixes)))


def forbidden(world: World, role: str) -> frozenset[str]:
    """Ids and texts of all records this person may not read, as they would show in an answer."""
    allowed = may_read(role)
    found: set[str] = set()
    shown: set[str] = set()
    for table in schema.TABLES.values():
        for cells in world.store.db.conn.execute(table.select).fetchall():
            row = table.row(cells)
            if allowed(row.stream):
                shown |= {row.id, *filter(None, (value for value in row.values.values() if isinstance(value, str)))}
                continue
            texts = {value for value in row.values.values() if isinstance(value, str) and value.startswith("密")}
            found |= {row.id, *texts}
            if row.kind == "demand_detail" and allowed(f"building:{row.values['building_id']}"):
                shown.add(row.id)  # undoing a visit names what was written with it; its words stay hidden
            if row.kind in ("household", "resident"):
                found |= {value for name in ("name", "contact_name") if (value := row.values.get(name))}
    if role not in ("head1", "secretary"):
        found.add("草稿b1")
    if "b1" not in {building for building in BUILDINGS if allowed(f"building:{ident(building)}")}:
        found |= {"退回b1", "未发b1"}
    return frozenset(found - shown)


# --------------------------------------------------------------------------------------------- what is asked


def reads() -> list[tuple[str, Callable[..., Any]]]:
    """Every public function of the store that takes a viewer."""
    found = []
    for module_info in pkgutil.iter_modules(sync.store.__path__):
        module = importlib.import_module(f"sync.store.{module_info.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            ours = function.__module__ == module.__name__ and not name.startswith("_")
            if ours and "viewer" in inspect.signature(function).parameters:
                found.append((f"{module_info.name}.{name}", function))
    return found


READS = reads()
EVERYWHERE = (*BUILDINGS, OTHER)


def ids_of(*names: str) -> list[str]:
    return [ident(f"{building}:{name}") for building in EVERYWHERE for name in names]


def every(*names: str) -> list[tuple[str, ...]]:
    return [tuple(ids_of(*names))]


def household_row(building: str) -> Row:
    return Row(ident(f"{building}:202"), "household", f"building:{ident(building)}", {"room_no": "202"}, (1, 1))


def refused_deed() -> refused.Item:
    """A deed that names whatever was refused in the world: a person is given no more of it than his own."""
    return refused.Item(
        tuple(range(10)), "household", "", "invalid", "", "", "", "", 1, "", "", False, False, False, (), ()
    )


NOW = 1_795_395_600_000 + 4 * 3_600_000

# Values to ask with, by the name of the parameter; by "function.parameter" where a name means different things.
VALUES: dict[str, list[Any]] = {
    "household_id": ids_of("201", "202"),
    "building_id": [ident(building) for building in EVERYWHERE],
    "compound_id": [ident("compound"), ident("x")],
    "demand_id": ids_of("demand", "demand:dispatched"),
    "demand_ids": every("demand", "demand:dispatched", "demand:replied"),
    "scope_id": [ident("compound"), *ids_of("201", "unit")],
    "dispute_id": ids_of("dispute", "dispute:case"),
    "visit_id": ids_of("visit"),
    "resident_id": ids_of("201:resident"),
    "record_id": ids_of("201", "dispute:case"),
    "conflict_id": ids_of("conflict:household", "conflict:demand", "conflict:dispute"),
    "deciding.may_settle.row": [household_row(building) for building in EVERYWHERE],
    "record_states.states.ids": every("201", "visit", "demand", "dispute:case"),
    "item": [refused_deed()],
    "attachment_id": ids_of("attachment:household", "attachment:dispute"),
    "unit_id": ids_of("unit"),
    "demands.by_ids.ids": every("demand", "demand:replied"),
    "disputes.by_ids.ids": every("dispute", "dispute:case"),
    "dispute_rows.load_rows.condition": ["WHERE true"],
    "dispute_rows.load_rows.given": [{}],
    "households.door_rows.ids": every("201", "202"),
    "condition": [""],
    "given": [{}],
    "text": ["", "密", "曾", "zeng", "138", "139", "1-201", "9号楼", "张伟国", "201", "9-1-201"],
    "typed": [f"{building.upper()}SHEET" for building in EVERYWHERE],
    "page": ["visits"],
    "key": ["key"],
    "kind": ["household", "visit", "demand", "dispute"],
    "rules": [rules()],
    "calendar": [rules().calendar],
    "now": [NOW],
    "today": [today(NOW)],
    "until": ["2027-01-01"],
    "day": ["2026-11-20"],
    "band": ["morning", "evening"],
    # what may be left out and is tried both ways
    "stage": ["", *demands.STAGES],
    "since": [0],
    "sheets.plan.since": ["", "2026-01-01"],
    "limit": [1000],
    "category": ["", "02"],
    "own": [False, True],
    "newest": [False, True],
    "shelf": list(disputes.SHELVES),
}


def askings(name: str, function: Callable[..., Any]) -> Iterator[dict[str, Any]]:
    """All combinations of the values for the function's parameters."""
    wanted = [parameter for parameter in inspect.signature(function).parameters if parameter not in ("db", "viewer")]
    options = []
    for parameter in wanted:
        values = VALUES.get(f"{name}.{parameter}", VALUES.get(parameter))
        optional = inspect.signature(function).parameters[parameter].default is not inspect.Parameter.empty
        if values is None and optional:
            values = [inspect.signature(function).parameters[parameter].default]
        assert values is not None, f"sync.store.{name}: give VALUES something to ask for {parameter!r}"
        options.append(values)
    for combination in itertools.product(*options):
        yield dict(zip(wanted, combination, strict=True))


def answers(world: World, name: str, function: Callable[..., Any], role: str) -> Iterator[tuple[dict[str, Any], str]]:
    """What was asked, and what the function says to this person, as text; being refused is an answer too."""
    viewer = world.viewer(role)
    first = {"db": world.store.db} if "db" in inspect.signature(function).parameters else {}
    for asked in askings(name, function):
        try:
            yield asked, repr(function(**first, viewer=viewer, **asked))
        except QiaomenError as refused:
            yield asked, repr(refused.params)


@pytest.mark.parametrize("role", PEOPLE)
@pytest.mark.parametrize(("name", "function"), READS, ids=[name for name, _ in READS])
def test_nobody_is_shown_what_is_not_theirs(full: World, name: str, function: Callable[..., Any], role: str) -> None:
    secret = forbidden(full, role)
    assert ident("x1:201") in secret or role == "secretary"
    for asked, answer in answers(full, name, function, role):
        given = repr(asked)  # an id may be echoed to the one who named it
        assert not [text for text in secret if text in answer and text not in given]


def test_the_questions_are_worth_asking(full: World) -> None:
    """The same questions do show people their own: an empty answer would prove nothing."""
    said = "".join(answer for name, function in READS for _, answer in answers(full, name, function, "head3"))
    for name in ("b3:201", "b3:visit", "b3:demand", "b3:dispute", "b3:201:resident"):
        assert ident(name) in said, name
    assert "杨帆" in said
    assert "未发b3" in said or "退回b3" in said
    assert len(READS) >= 40


@pytest.mark.parametrize("role", PEOPLE)
def test_the_streams_of_each_person_are_the_ones_written_down(full: World, role: str) -> None:
    at_hand = {row[0] for row in full.store.db.execute("SELECT id FROM stream")}
    assert {stream for stream in at_hand if stream in full.viewer(role).streams} == set(filter(may_read(role), at_hand))
