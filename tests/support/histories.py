"""One history: PCs that save, sync, break and are put back, over one server; and what was promised on their screens."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import msgspec

from ground import Copy, Ground
from mortal import copied, reopened, with_full_disk, with_power_cut
from stations import Station
from sticks import Stick
from sync import wire
from sync.client.session import Outcome
from sync.domain import upgrades
from sync.domain.catalogue import KINDS
from sync.domain.clock import ms_of
from sync.domain.ids import new_id
from sync.domain.merge import Row
from sync.domain.operations import DELETED, Operation, patch
from sync.errors import AccessError, Offline, Refused, RuleError, ServerTrouble, StoreError
from sync.server.storage.rights import KINDS_OF_RIGHTS
from sync.store import giving_back, merging, quarantine, schema, unsent
from sync.store.store import Store
from witness import SpoiltLine, Witness
from world import KEY, rules

YEAR = 365 * 86_400_000
QUIET_ROUNDS = 12
Marks = tuple[tuple[str, Any], ...]


@dataclass(slots=True)
class Promise:
    """An operation whose saving was seen: it may not be lost.

    ``marks`` are fields with texts that stand in nothing else; a step without words is known by all its fields.
    """

    kind: str
    id: str
    marks: Marks
    deletes: bool
    pc: str
    excused: str = ""  # the disk it was on is gone

    def meets(self, fields: Mapping[str, Any]) -> bool:
        """Whether these values of the record are what was promised."""
        if self.deletes:
            return bool(fields.get(DELETED))
        return all(fields.get(name) == mark for name, mark in self.marks)


@dataclass(slots=True)
class Pc:
    """One PC in a history: its file, its line, its clock."""

    name: str
    station: Station
    line: SpoiltLine
    accounts: tuple[str, ...]
    ahead_ms: int = 0
    told_the_time: bool = False  # by a greeting since its clock last jumped
    kept: Path | None = None  # a copy of its file, made earlier
    schema: int = upgrades.SCHEMA  # of the program that runs there
    damaged: bool = False  # a hole was made in its file: comparing has to find it

    @property
    def store(self) -> Store:
        """Its open file."""
        return self.station.store


@dataclass(slots=True)
class Story:
    """What happens, and all that must be remembered to judge the end."""

    ground: Ground
    folder: Path
    witness: Witness = field(default_factory=Witness)
    pcs: list[Pc] = field(default_factory=list)
    promises: list[Promise] = field(default_factory=list)
    backup: Copy = field(default_factory=lambda: Copy(()))
    restored: bool = False
    unsaid: bool = False  # the server was put back and nobody was told yet
    held: dict[str, dict[str, Row]] = field(default_factory=dict)  # PC → what it has to give back
    copied: bool = False  # a clone or an old file: what it carried may arrive under two names
    marks: int = 0
    purged: bool = False  # months have passed: the server has forgotten what was deleted
    calm: bool = False  # nobody copies a file, and the server's disk never breaks: all is judged in full
    found: set[str] = field(default_factory=set)  # what happened, to be counted
    _promised: int = 0  # the last mark that a promise holds

    @classmethod
    def begun(cls, ground: Ground, folder: Path, *, seed: int = 0) -> "Story":
        """All PCs of the ground, in step."""
        ground.start(seed)
        story = cls(ground, folder, backup=ground.beginning)
        for name, pc in ground.pcs.items():
            path = folder / f"{name}.db"
            shutil.copy(pc.path, path)
            story._add(name, path, key=pc.key, accounts=ground.accounts[name])
        return story

    def close(self) -> None:
        """Close the files and remove them."""
        for pc in self.pcs:
            pc.store.close()
        shutil.rmtree(self.folder)

    def mark(self) -> str:
        """A text that nothing else holds."""
        self.marks += 1
        return f"m{self.marks}."

    # ------------------------------------------------------------------------------------------- what a person does

    def save(self, pc: Pc, account: str, operations: Sequence[Operation]) -> bool:
        """Save as a person at this PC; False when the form says no, and then nothing is promised."""
        first = self.last_op(pc) + 1
        try:
            pc.station.save(operations, account=account)
        except (RuleError, AccessError):
            assert self.last_op(pc) < first, "a form that said no has saved something"
            return False
        saved = unsent.lines(pc.store.db, "op >= ?", (first,))
        assert len(saved) == len(operations), "14: not all was saved"
        for line in saved:
            self._promise(pc, line.operation)
            if pc.told_the_time:
                apart = ms_of(line.operation.hlc) - self.ground.clock.now
                assert abs(apart) <= 5 * 60_000, f"14: {pc.name} stamps {apart} ms apart from the server"
        return True

    def spoil(self, pc: Pc, at: int) -> bool:
        """Make one operation that waits unacceptable to the server, as a program's mistake would."""
        flown = pc.store.db.conn.execute("SELECT coalesce(max(last_op), 0) FROM inflight").fetchone()[0]
        lines = unsent.lines(pc.store.db, "op > ?", (flown,))
        waiting = [line for line in lines if DELETED not in line.operation.fields]
        if not waiting:
            return False
        line = waiting[at % len(waiting)]
        operation = msgspec.structs.replace(line.operation, fields={**line.operation.fields, DELETED: "spoilt"})
        body = msgspec.json.encode(operation)
        pc.store.db.conn.execute("UPDATE outbox SET body = ? WHERE op = ?", (body, line.op))
        return True

    def send_again(self, pc: Pc, at: int) -> None:
        """A person sends a refused operation once more, put right."""
        found = pc.store.db.conn.execute("SELECT op, body FROM quarantine ORDER BY op").fetchall()
        if not found:
            return
        op, body = found[at % len(found)]
        operation = msgspec.json.decode(body, type=Operation)
        fields = {name: value for name, value in operation.fields.items() if value != "spoilt"}
        mended = msgspec.json.encode(msgspec.structs.replace(operation, fields=fields))
        pc.store.db.conn.execute("UPDATE quarantine SET body = ? WHERE op = ?", (mended, op))
        quarantine.retry(pc.store, op)

    def sync(self, pc: Pc, mishaps: Sequence[str] = ()) -> Outcome | None:
        """One session on a line with these mishaps; None when it broke."""
        pc.line.mishaps[:] = mishaps
        if not mishaps:
            pc.line.armed.discard("push_lost")
        held = {other.name: self.to_give(other) for other in self.pcs} if self.unsaid else {}
        epoch = self.ground.epoch() if self.unsaid else ""
        try:
            with as_program(pc.schema):
                outcome = pc.station.sync()
        except (Offline, ServerTrouble):
            assert not pc.store.db.conn.in_transaction
            outcome = None
        except Refused:
            if not mishaps:
                raise
            outcome = None
        finally:
            pc.line.mishaps.clear()
            if self.unsaid and self.ground.epoch() != epoch:
                self.unsaid, self.held = False, held
        pc.told_the_time |= outcome is not None
        return outcome

    # ------------------------------------------------------------------------------------------- the server

    def keep_backup(self) -> None:
        """The server's data as they are now."""
        self.backup = self.ground.copy()

    def restore(self, *, told: bool) -> None:
        """The backup takes the place of the server's data; ``told``: by the command that says so."""
        self.witness.remember(self.ground)
        self.restored = True
        if told:
            self.ground.restore(self.backup)
            self.unsaid = False
            self.held = {pc.name: self.to_give(pc) for pc in self.pcs}
        else:
            self.ground.put_back(self.backup)
            self.unsaid, self.held = True, {}

    def to_give(self, pc: Pc) -> dict[str, Row]:
        """What this PC holds and must give back: in streams its people may read, without its unsent work."""
        reach = self.ground.may_read(pc.accounts)
        rows = [
            table.row(cells) for table in schema.TABLES.values() for cells in pc.store.db.conn.execute(table.select)
        ]
        bare = giving_back.without_work(pc.store, [(row.kind, row.id) for row in rows if reach.allows(row.stream)])
        return {row.id: row for row in bare.values() if row.kind not in KINDS_OF_RIGHTS}

    def reset(self, pc: Pc) -> None:
        """Download everything again: 13, what was not sent is not touched."""
        before = untouched(pc)
        self.found |= {f"reset with {name}" for name, rows in before.items() if rows}
        merging.begin_sweep(pc.store)
        assert untouched(pc) == before, "13: a reset has changed what was not sent"

    def months_pass(self, days: int) -> None:
        """So much time, in which the server purges."""
        self.witness.remember(self.ground)
        self.purged = True
        purged = self.ground.months_pass(days)
        self.found |= {f"purged: {name}" for name, count in purged.items() if count}
        if any(line.floor for line in self.ground.table("stream")):
            self.found.add("floors")

    # ------------------------------------------------------------------------------------------- what befalls a PC

    def carry(self, pc: Pc, meanwhile: Callable[[], object]) -> None:
        """A stick goes to the centre and back; ``meanwhile`` happens on the way."""
        stick = Stick(self.folder / "stick", self.ground.server)
        path = stick.export(pc.station)
        flying = pc.store.db.conn.execute("SELECT coalesce(max(last_op), 0) FROM inflight").fetchone()[0]
        sent = unsent.lines(pc.store.db, "op <= ?", (flying,))
        answer, report = stick.centre(path)
        meanwhile()
        stick.import_(pc.station, answer)
        # By its number: what was stamped by a wrong clock waits on with another stamp.
        kept = {row[0] for row in pc.store.db.conn.execute("SELECT op FROM outbox UNION ALL SELECT op FROM quarantine")}
        self.witness.carried(line.operation for line in sent if line.op not in kept)
        self.found.add("a stick with work" if report.accepted else "a stick")

    def damage(self, pc: Pc, kind: str, at: int, *, ghost: bool) -> None:
        """A row is gone from the file, or one is there that the server never had, as a hole in the rules would do."""
        found = pc.store.db.conn.execute(
            f'SELECT id FROM "{kind}" WHERE deleted = 0 AND id NOT IN (SELECT id FROM outbox) ORDER BY id'
        ).fetchall()
        if not found:
            return
        row = schema.load_one(pc.store.db, kind, found[at % len(found)][0])
        assert row is not None
        if ghost:
            schema.put(pc.store.db, [replace(row, id=new_id(self.ground.clock()))])
        else:
            schema.remove(pc.store.db, kind, [row.id])
        pc.store.db.conn.execute("DELETE FROM verified WHERE stream = ?", (row.stream,))
        pc.damaged = True
        self.found.add("damaged")

    def jump(self, pc: Pc, ahead_ms: int) -> None:
        """The PC's clock is wrong by so much from now on."""
        pc.ahead_ms = ahead_ms
        pc.told_the_time = False

    def power_cut(self, pc: Pc, statements: int, doing: Callable[[], object]) -> None:
        """The power fails before the n-th statement."""
        pc.station.store = with_power_cut(pc.store, statements, doing, wall=pc.station.clock)
        pc.line.mishaps.clear()
        found = pc.store.db.conn.execute("PRAGMA quick_check").fetchone()[0]
        assert found == "ok", f"8: {found}"

    def full_disk(self, pc: Pc, room: int, doing: Callable[[], object]) -> bool:
        """The disk is full while this is done; whether that was felt."""
        try:
            with_full_disk(pc.store, doing, room=room)
        except StoreError as error:
            if error.code != "disk_full":
                raise
            return True
        return False

    def clone(self, pc: Pc) -> Pc:
        """A disk image of the PC on a second one: both go on."""
        path = self.folder / f"{pc.name}-{len(self.pcs)}.db"
        pc.station.store = copied(pc.store, path, wall=pc.station.clock)
        self.copied = True
        twin = self._add(path.stem, path, key=pc.station.key, accounts=pc.accounts)
        twin.schema = pc.schema
        return twin

    def keep_copy(self, pc: Pc) -> None:
        """A copy of the file, as somebody makes it for safety."""
        pc.kept = pc.store.path.with_suffix(".kept")
        pc.station.store = copied(pc.store, pc.kept, wall=pc.station.clock)

    def update(self, pc: Pc) -> None:
        """The present program opens the file."""
        pc.schema = upgrades.SCHEMA
        pc.station.store = reopened(pc.store, wall=pc.station.clock)

    def put_back(self, pc: Pc) -> bool:
        """The copy takes the place of the file: what was only in the file is gone with it."""
        if pc.kept is None:
            return False
        path = pc.store.path
        gone = _waiting(pc.store)
        pc.store.close()
        shutil.copy(pc.kept, path)
        pc.station.store = Store.open(path, KEY, rules=rules(), wall=pc.station.clock)
        self.copied = True
        pc.told_the_time = False
        self.held.pop(pc.name, None)  # what it had to give may have been on the disk that is gone
        self._excuse(gone, "the disk it waited on was put back")
        return True

    # ------------------------------------------------------------------------------------------- the end

    def quiet(self) -> None:
        """Clocks are right, lines hold, disks have room: sync until nothing moves any more."""
        for pc in self.pcs:
            self.jump(pc, 0)
            pc.line.mishaps.clear()
        for _ in range(QUIET_ROUNDS):
            self.ground.clock.now += 1000
            outcomes = [self.sync(pc) for pc in self.pcs]
            assert None not in outcomes, "a good line broke"
            if not any(outcome and (outcome.pushed or outcome.pulled or outcome.refused) for outcome in outcomes):
                apart = [pc.name for pc, one in zip(self.pcs, outcomes, strict=True) if one and not one.verified]
                assert not apart or any(pc.schema < upgrades.SCHEMA for pc in self.pcs), f"not verified: {apart}"
                return
        raise AssertionError(f"never in step: {outcomes}")

    def met(self) -> set[str]:
        """What there was in this history that a promise could have been broken by."""
        found = {f"refused {code}" for _, code in self.witness.refused} | self.witness.answers
        if self.ground.table("exit"):
            found.add("exits")
        if any(row.kind == "conflict" for row in self.ground.rows().values()):
            found.add("conflicts")
        found |= self.found | ({"calm"} if self.calm else set())
        found |= {"restored"} if self.restored else set()
        found |= {"copied"} if self.copied else set()
        found |= {"quarantined"} if any(_quarantined(pc) for pc in self.pcs) else set()
        found |= {"wrong clock"} if any(pc.store.state.clock_offset for pc in self.pcs) else set()
        return found

    def last_op(self, pc: Pc) -> int:
        """The number of the last operation that waits at a PC."""
        found = pc.store.db.conn.execute("SELECT coalesce(max(op), 0) FROM outbox").fetchone()[0]
        return cast("int", found)

    def known(self, pc: Pc, kind: str) -> list[str]:
        """The records of a kind that the PC shows, oldest first."""
        rows = pc.store.db.conn.execute(f'SELECT id FROM "{kind}" WHERE deleted = 0 ORDER BY id')
        return [row[0] for row in rows]

    def value(self, pc: Pc, kind: str, record_id: str) -> dict[str, Any]:
        """The values that the PC shows."""
        row = schema.load_one(pc.store.db, kind, record_id)
        assert row is not None
        return row.values

    def _add(self, name: str, path: Path, *, key: Any, accounts: tuple[str, ...]) -> Pc:
        line = SpoiltLine(self.ground, self.witness)

        def wall() -> int:
            return self.ground.clock.now + pc.ahead_ms

        def opened() -> int:
            return self.ground.clock.now

        store = Store.open(path, KEY, rules=rules(), wall=opened)
        station = Station(cast("Any", line), cast("Any", wall), store, key, accounts[0])
        pc = Pc(name, station, line, accounts)
        store._wall = wall
        self.pcs.append(pc)
        return pc

    def _promise(self, pc: Pc, operation: Operation) -> None:
        marks = tuple(
            (name, value)
            for name, value in operation.fields.items()
            if isinstance(value, str) and value.startswith("m") and value.endswith(".") and value[1:-1].isdecimal()
        )
        fresh = tuple(pair for pair in marks if int(pair[1][1:-1]) > self._promised)
        self._promised = max([self._promised, *(int(mark[1:-1]) for _, mark in fresh)])
        deletes = bool(operation.fields.get(DELETED))
        told = fresh or tuple(operation.fields.items())
        self.promises.append(Promise(operation.kind, operation.id, told, deletes, pc.name))

    def _excuse(self, gone: Sequence[Operation], why: str) -> None:
        held = [operation for pc in self.pcs for operation in _waiting(pc.store)]
        for promise in self.promises:
            if any(_is(promise, operation) for operation in gone) and not any(_is(promise, one) for one in held):
                promise.excused = why


@contextmanager
def as_program(version: int) -> Iterator[None]:
    """The client is a program of this version of the protocol meanwhile; the server is the present one."""
    present = wire.SCHEMA, upgrades.SCHEMA
    wire.SCHEMA, upgrades.SCHEMA = version, version  # type: ignore[misc]
    try:
        yield
    finally:
        wire.SCHEMA, upgrades.SCHEMA = present  # type: ignore[misc]


def untouched(pc: Pc) -> dict[str, list[Any]]:
    """Everything a reset must leave as it is."""
    tables = ("outbox", "inflight", "quarantine", "draft")
    return {name: pc.store.db.conn.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in tables}


def _quarantined(pc: Pc) -> bool:
    return bool(pc.store.db.conn.execute("SELECT count(*) FROM quarantine").fetchone()[0])


def _waiting(store: Store) -> list[Operation]:
    found = store.db.conn.execute("SELECT body FROM outbox UNION ALL SELECT body FROM quarantine")
    return [msgspec.json.decode(line[0], type=Operation) for line in found]


def _is(promise: Promise, operation: Operation) -> bool:
    return promise.id == operation.id and promise.meets(operation.fields)


def changed(kind: str, record_id: str, field_name: str, value: Any) -> Operation:
    """A patch of one field."""
    assert field_name in KINDS[kind].fields
    return patch(kind, record_id, **{field_name: value})
