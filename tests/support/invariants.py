"""The promises of sync, each asked by one function of a story that has come to rest; a broken one says which."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from histories import Pc, Promise, Story
from sync.domain.catalogue import KINDS
from sync.domain.clock import ZERO, Clock
from sync.domain.fields import Policy
from sync.domain.ids import derived_id
from sync.domain.merge import Row
from sync.domain.operations import DELETED, Operation
from sync.domain.stubs import is_stub, stub_values
from sync.store import schema, unsent

Writes = Mapping[str, Mapping[Clock, Mapping[str, Any]]]  # record → clock → the values written


def hold(story: Story) -> None:
    """All of them, after quiet syncs."""
    there = story.ground.rows()
    story.witness.remember(story.ground)
    writes = _writes(story)
    seen_on_the_line(story)
    for pc in story.pcs:
        all_is_answered(pc)
        converged(pc, there, now=story.ground.clock.now)
        only_what_may_be_read(pc)
        pc.damaged, was_damaged = False, pc.damaged
        no_cursor_passed_a_row(story, pc)
        pc.damaged = was_damaged
        never_healed_without_need(story, pc)
    largest_clock_won(story, there, writes)
    given_back(story, there)
    nothing_lost(story, writes)
    taken_once(story, writes)
    refused_alone(story)
    nothing_overwritten_unseen(story, there)


# ------------------------------------------------------------------------------------------------ at rest


def converged(pc: Pc, there: Mapping[str, Row], *, now: int) -> None:
    """1: a PC holds, for the streams it reads, the server's rows: values, clocks, streams and deletions alike.

    Of what was deleted long ago each side makes a stub by itself, and who reads a stream from its beginning gets none.
    """
    readable = _readable(pc)
    here = {key: row for key, row in _held(pc).items() if key in there or not is_stub(row, now=now)}
    there = {key: row for key, row in there.items() if key in here or not is_stub(row, now=now)}
    expected = {row.id: row for row in there.values() if row.stream in readable and KINDS[row.kind].since <= pc.schema}
    missing, ghosts = expected.keys() - here.keys(), here.keys() - expected.keys()
    assert not missing, f"1: {pc.name} lacks {[_named(expected[i]) for i in sorted(missing)]}"
    assert not ghosts, f"1: {pc.name} holds what is not there {[_named(here[i]) for i in sorted(ghosts)]}"
    for record_id, row in here.items():
        ours, theirs = _seen(row, now=now), _seen(expected[record_id], now=now)
        if ours != theirs:
            apart = {name: (ours.get(name), theirs.get(name)) for name in ours if ours.get(name) != theirs.get(name)}
            raise AssertionError(f"1: {pc.name} and the server differ in {_named(row)}: {apart}")


def largest_clock_won(story: Story, there: Mapping[str, Row], writes: Writes) -> None:
    """2: each field holds the value of the largest clock among all accepted writes of it, whatever their order."""
    for row in there.values():
        kind = KINDS[row.kind]
        of_row = writes.get(row.id, {})
        for register, names in kind.registers.items():
            clocks = [clock for clock, fields in of_row.items() if any(name in fields for name in names)]
            largest = max([row.clock, *clocks])
            shown = row.clock_of(register)
            # What was taken and lost with the server is asked for by ``given_back``.
            assert shown == largest or story.restored, (
                f"2: {_named(row)}.{register} shows {shown}, written at {largest}"
            )
            if shown not in clocks or is_stub(row, now=story.ground.clock.now):
                continue
            wrote, value = of_row[shown], row.register(kind, register)
            for name in names:
                if name in wrote:
                    assert wrote[name] == value[name], f"2: {_named(row)}.{name}: {value[name]} for {wrote[name]}"


def nothing_lost(story: Story, writes: Writes) -> None:
    """3: each operation a person saved was accepted, or waits in quarantine with its reason."""
    quarantined = {pc.name: _quarantine(pc) for pc in story.pcs}
    for pc in story.pcs:
        for operation, code in quarantined[pc.name]:
            assert code, f"3: {pc.name} keeps {operation.kind} {operation.id} back and says no reason"
    for promise in story.promises:
        if promise.excused or any(map(promise.meets, writes.get(promise.id, {}).values())):
            continue
        kept = any(
            operation.id == promise.id and promise.meets(operation.fields)
            for found in quarantined.values()
            for operation, _ in found
        )
        assert kept, f"3: lost: {_told(promise)}"


def taken_once(story: Story, writes: Writes) -> None:
    """4: no write twice in the history, however often it was sent."""
    keys = [(line.id, line.hlc, line.dev) for line in story.ground.table("history")]
    assert len(keys) == len(set(keys)), "4: a (clock, device, record) stands twice in the history"
    if story.copied or story.restored:
        return  # work that two copies carried may arrive under two names
    for promise in story.promises:
        if promise.deletes or len(promise.marks) != 1:
            continue
        found = [clock for clock, fields in writes.get(promise.id, {}).items() if promise.meets(fields)]
        kind = KINDS[promise.kind]
        if all(len(kind.registers[kind.register_of[name]]) == 1 for name, _ in promise.marks):
            assert len(found) <= 1, f"4: taken {len(found)} times: {_told(promise)} {found}"


def nothing_overwritten_unseen(story: Story, there: Mapping[str, Row]) -> None:
    """5: each accepted write stands, or was replaced by somebody who had seen it, or is named in a conflict."""
    if story.restored:
        return  # conflicts of the lost days are given back as far as a PC holds them
    conflicts = {row.id: row for row in there.values() if row.kind == "conflict"}
    by_row: dict[str, list[Operation]] = {}
    for (record_id, _), operation in story.witness.taken.items():
        by_row.setdefault(record_id, []).append(operation)
    for record_id, operations in by_row.items():
        if record_id not in there and story.purged:
            continue
        row = there[record_id]
        kind = KINDS[row.kind]
        for register in kind.registers:
            if kind.policy(register) is not Policy.REVIEW:
                continue
            of_register = [one for one in operations if register in _registers(one, row.kind)]
            for operation in of_register:
                if not _accounted(operation, register, of_register, row, conflicts):
                    raise AssertionError(
                        f"5: overwritten unseen: {_named(row)}.{register} = "
                        f"{_value(operation, row.kind, register)} at {operation.clock}; {row.clock_of(register)} stands"
                    )
        if row.deleted:
            _deleted_seen(row, operations, conflicts)


def given_back(story: Story, there: Mapping[str, Row]) -> None:
    """3, after a restore: what any PC held is there again, unless somebody has written over it since.

    What its people could not have written themselves is kept beside, as a conflict for somebody to decide.
    """
    beside = {
        (
            found.values["record_id"],
            found.values["register"],
            json.dumps(json.loads(found.values["lost"]), sort_keys=True),
        )
        for found in there.values()
        if found.kind == "conflict"
    }
    for name, held in story.held.items():
        for row in held.values():
            for register in KINDS[row.kind].registers:
                had = row.clock_of(register)
                assert row.id in there, f"3: {name} held {_named(row)}, and the server lacks it"
                has = there[row.id].clock_of(register)
                kept = (row.id, register, json.dumps(row.register(KINDS[row.kind], register), sort_keys=True)) in beside
                assert has >= had or kept, (
                    f"3: {name} held {_named(row)}.{register} of {had}, the server has that of {has}"
                )


def never_healed_without_need(story: Story, pc: Pc) -> None:
    """1: rows and sums agree at the end of every round, unless the server was put back behind everybody's back."""
    if pc.damaged:
        return
    found = [line[0] for line in pc.store.db.conn.execute("SELECT result FROM sync_history")]
    assert "differs" not in found or story.restored, f"1: {pc.name} differed in a round of its own: {found}"
    assert "healed" not in found or story.restored, f"1: {pc.name} had to be healed: {found}"


def only_what_may_be_read(pc: Pc) -> None:
    """11: what lies in a stream that may be read no longer is gone; unsent work on it is answered by now."""
    readable = _readable(pc)
    for row in _held(pc).values():
        assert row.stream in readable, f"11: {pc.name} still holds {_named(row)}"


def all_is_answered(pc: Pc) -> None:
    """3: at rest nothing waits."""
    waiting = unsent.lines(pc.store.db)
    assert waiting == [], f"3: {pc.name} has not sent {waiting}"
    assert pc.store.db.conn.execute("SELECT count(*) FROM inflight").fetchone()[0] == 0


def refused_alone(story: Story) -> None:
    """9: of a batch exactly the refused are missing from the history, and the others are there."""
    known = story.witness.histories
    if story.restored:
        return  # the same write may be refused in one life and taken in another
    for operation, code in story.witness.refused:
        if operation.clock not in {key[1] for key in known if key[0] == operation.id}:
            continue
        # The same write may have been taken from another copy of the file, or later, once its parent was there.
        again = (operation.id, operation.clock) in story.witness.taken
        assert again, f"9: {operation.kind} {operation.id} was refused ({code}) and is in the history"
    for key, operation in story.witness.taken.items():
        assert key in known, f"9: {operation.kind} {operation.id} was accepted and has no history"


def seen_on_the_line(story: Story) -> None:
    """4, 7, 12: what the line saw: no two writes under one clock, no repeated push answered otherwise, no older program
    that wrote what it does not know.
    """
    assert story.witness.broken == [], story.witness.broken


# ------------------------------------------------------------------------------------------------ at any moment


def no_cursor_passed_a_row(story: Story, pc: Pc) -> None:
    """6 and 10: of every row up to the cursor the PC holds all the server holds, but for what it has not sent yet."""
    if story.unsaid or pc.damaged or pc.store.state.epoch != story.ground.epoch():
        return
    cursors = dict(pc.store.db.conn.execute("SELECT stream, seq FROM cursor").fetchall())
    positions = {line.id: line.seq for line in story.ground.table("record")}
    here = _held(pc)
    working = {line.operation.id for line in unsent.lines(pc.store.db)}
    for row in story.ground.rows().values():
        if positions[row.id] > cursors.get(row.stream, 0) or row.id in working:
            continue
        if KINDS[row.kind].since > pc.schema or is_stub(row, now=story.ground.clock.now):
            continue
        assert row.id in here, f"10: {pc.name} is at {cursors[row.stream]} of {row.stream} without {_named(row)}"
        for register in KINDS[row.kind].registers:
            ours, theirs = here[row.id].clock_of(register), row.clock_of(register)
            assert ours >= theirs, f"10: {pc.name} has gone past {_named(row)}.{register} at {theirs}, it has {ours}"


def whole_on_the_disk(pc: Pc) -> None:
    """8: whatever waits is in the row too (or something later is): row and outbox are written together."""
    for line in unsent.lines(pc.store.db):
        operation = line.operation
        row = schema.load_one(pc.store.db, operation.kind, operation.id)
        assert row is not None, f"8: {pc.name} is to send {operation.kind} {operation.id}, which is not there"
        for register in line.replaced or _registers(operation, operation.kind):
            shown = row.clock_of(register)
            assert shown >= operation.clock, f"8: {pc.name} shows {_named(row)}.{register} of {shown}, before {line}"


# ------------------------------------------------------------------------------------------------ small things


def _accounted(
    operation: Operation, register: str, others: list[Operation], row: Row, conflicts: Mapping[str, Row]
) -> bool:
    clock = operation.clock
    if row.clock_of(register) == clock:
        return True
    value = _value(operation, row.kind, register)
    for other in others:
        if other is operation:
            continue
        if other.prev.get(register, ZERO) == clock or _value(other, row.kind, register) == value:
            return True
        for pair in ((other.clock, clock), (clock, other.clock)):
            named = (f"{hlc}.{device}" for hlc, device in pair)
            if derived_id("conflict", row.kind, row.id, register, *named) in conflicts:
                return True
    # Replaced by the server itself, which sees what it writes over.
    return row.clock_of(register) not in {other.clock for other in others}


def _deleted_seen(row: Row, operations: list[Operation], conflicts: Mapping[str, Row]) -> None:
    deletions = [one for one in operations if one.fields.get(DELETED) is True]
    if row.clock_of(DELETED) not in {one.clock for one in deletions}:
        return  # the server's own, which sees what it deletes
    lost = [json.loads(found.values["lost"]) for found in conflicts.values() if found.values["record_id"] == row.id]
    for operation in operations:
        for register in _registers(operation, row.kind) - {DELETED}:
            # Of two who take it away one is enough to have seen it.
            seen = any(one.prev.get(register) == operation.clock for one in deletions)
            if row.clock_of(register) != operation.clock or seen:
                continue
            value = _value(operation, row.kind, register)
            knew = operation.prev.get(DELETED) in {one.clock for one in deletions}
            named = any(all(found.get(name) == shown for name, shown in value.items()) for found in lost)
            assert knew or named, f"5: deleted unseen: {_named(row)}.{register} = {value} at {operation.clock}"


def _registers(operation: Operation, kind_name: str) -> set[str]:
    kind = KINDS[kind_name]
    if operation.action == "new":
        return set(kind.registers) if not operation.prev else set()
    return {kind.register_of[name] for name in operation.fields if name in kind.register_of}


def _value(operation: Operation, kind_name: str, register: str) -> dict[str, Any]:
    kind = KINDS[kind_name]
    if register == DELETED:
        return {DELETED: bool(operation.fields.get(DELETED, False))}
    return {name: operation.fields.get(name, kind.defaults[name]) for name in kind.registers[register]}


def _writes(story: Story) -> dict[str, dict[Clock, dict[str, Any]]]:
    """All that was ever in the history."""
    found: dict[str, dict[Clock, dict[str, Any]]] = {}
    for (record_id, clock), fields in story.witness.histories.items():
        found.setdefault(record_id, {})[clock] = fields
    return found


def _readable(pc: Pc) -> set[str]:
    return {line[0] for line in pc.store.db.conn.execute("SELECT stream FROM cursor")}


def _held(pc: Pc) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for name, table in schema.TABLES.items():
        for cells in pc.store.db.conn.execute(table.select):
            row = table.row(cells)
            assert row.id not in found, f"1: {pc.name} holds {row.id} as {name} and as {found[row.id].kind}"
            found[row.id] = row
    return found


def _seen(row: Row, *, now: int) -> dict[str, Any]:
    values = stub_values(row) if is_stub(row, now=now) else row.values
    clocks = {f"clock of {name}": tuple(row.clock_of(name)) for name in KINDS[row.kind].registers}
    return {"stream": row.stream, "deleted": row.deleted, **values, **clocks}


def _quarantine(pc: Pc) -> list[tuple[Operation, str]]:
    found = pc.store.db.conn.execute("SELECT body, code FROM quarantine")
    return [(msgspec.json.decode(body, type=Operation), code) for body, code in found]


def _named(row: Row) -> str:
    return f"{row.kind} {row.id} in {row.stream}"


def _told(promise: Promise) -> str:
    said = "deleted" if promise.deletes else dict(promise.marks)
    return f"{promise.kind} {promise.id} {said}, saved at {promise.pc}"
