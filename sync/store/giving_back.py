"""After a restore of the server: what this file holds, without its unsent work, is offered and given back.

The server says which rows it lacks or has in another version. These go into the outbox as ``state`` operations, block
by block and before everything else, so that a break at any point is gone on from like any other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from sync.domain import upgrades
from sync.domain.checks import row_check
from sync.domain.merge import Row
from sync.domain.operations import DELETED, Operation
from sync.store import blobs, merging, outbox, unsent
from sync.store.database import Database
from sync.store.schema import TABLES
from sync.store.schema import to_json as schema_json
from sync.store.state import write_state
from sync.store.store import Store
from sync.store.writer import Key, Session

ROWS_ASKED = 5000  # of one question to the server
ASKING, GIVING, DONE = 1, 2, 0  # ``healing`` in the state


@dataclass(frozen=True, slots=True)
class Question:
    """Some rows of this file: their ids with their checks, and the record to go on after."""

    keys: tuple[Key, ...]
    checks: tuple[int, ...]
    until: str


def flew(store: Store, *, batch: int, digest: str) -> bool:
    """Whether the last batch the server has of this replica was sent from here, and only its answer is missing.

    Under another name it would be written once more; under the same one the server knows it.
    """
    return any((one.number, one.digest.hex()) == (batch, digest) for one in outbox.in_flight(store.db))


def begin(store: Store, *, epoch: str, batch: int) -> None:
    """Meet another life of the server: all that flies comes back, and everything will be offered and read anew.

    ``batch`` is the last one on which both agree. An earlier giving back that was under way begins again.
    """
    with store.write():
        store.db.conn.execute("DELETE FROM inflight")
        # Batches of the life that is lost would make every greeting look as if the server had been put back once more.
        store.db.conn.execute("DELETE FROM batch_log WHERE batch > ?", (batch,))
        store.db.conn.execute("DELETE FROM outbox WHERE action = 'state'")
        store.db.conn.execute("DELETE FROM giving")
        blobs.offer_all(store.db)
        merging.start_anew(store.db)
        write_state(store.db, epoch=epoch, batch=batch, healing=ASKING, healing_at="")
    store.reload()


def ask(store: Store, *, most: int) -> Question | None:
    """The next rows to ask the server about, in order of kind and id; None when it has been asked about all."""
    kind, _, after = store.state.healing_at.partition(" ")
    names = list(TABLES)
    found: list[tuple[Key, int]] = []
    for name in names[names.index(kind) if kind else 0 :]:
        lines = store.db.conn.execute(
            f'SELECT id, row_check FROM "{name}" WHERE id > ? ORDER BY id LIMIT ?', (after, most - len(found))
        )
        found += [((name, line[0]), line[1]) for line in lines]
        if len(found) >= most:
            break
        after = ""
    if not found:
        return None
    until = " ".join(found[-1][0])
    worked_on = _worked_on(store.db)
    bare = without_work(store, [key for key, _ in found if key in worked_on])
    pairs = [(key, check) for key, check in found if key not in worked_on]
    pairs += [(key, row_check(row.id, row.clock, row.clocks)) for key, row in bare.items()]
    return Question(tuple(key for key, _ in pairs), tuple(check for _, check in pairs), until)


def answer(store: Store, question: Question, wanted: Iterable[int]) -> None:
    """Remember which of the rows asked about are wanted, by their places."""
    with store.write():
        store.db.conn.executemany(
            "INSERT INTO giving (kind, id) VALUES (?, ?)",
            [question.keys[place] for place in wanted if 0 <= place < len(question.keys)],
        )
        write_state(store.db, healing_at=question.until)
    store.reload()


def answer_by_id(store: Store, wanted: Iterable[str]) -> None:
    """All that was left to ask about has been asked about at once, and these rows are wanted: give them back."""
    ids = (schema_json(list(wanted)),)
    with store.write():
        for name in TABLES:
            store.db.conn.execute(
                f"""INSERT INTO giving (kind, id) SELECT ?, id FROM "{name}"
                    WHERE id IN (SELECT value FROM json_each(?)) AND id NOT IN (SELECT id FROM giving)""",
                (name, *ids),
            )
        write_state(store.db, healing=GIVING, healing_at="")
    store.reload()


def begin_giving(store: Store) -> None:
    """The server has been asked about everything."""
    store.set_state(healing=GIVING, healing_at="")


def queue(store: Store, *, most: int) -> int:
    """Put the next wanted rows into the outbox, before all others, unless some are there; how many are there now.

    With nothing left the giving back is over, and 0.
    """
    waiting: int = store.db.conn.execute("SELECT count(*) FROM outbox WHERE action = 'state'").fetchone()[0]
    if waiting:
        return waiting
    with store.write():
        chosen = store.db.conn.execute(
            "SELECT number, kind, id FROM giving ORDER BY number LIMIT ?", (most,)
        ).fetchall()
        rows = list(without_work(store, [(kind, record_id) for _, kind, record_id in chosen]).values())
        _put_first(store, rows)
        store.db.conn.executemany("DELETE FROM giving WHERE number = ?", [(line[0],) for line in chosen])
        if not chosen:
            write_state(store.db, healing=DONE)
    store.reload()
    return len(rows) if rows or not chosen else queue(store, most=most)


def left(db: Database) -> int:
    """How many rows are wanted back and not in the outbox yet."""
    return int(db.conn.execute("SELECT count(*) FROM giving").fetchone()[0])


def without_work(store: Store, keys: Sequence[Key]) -> dict[Key, Row]:
    """The rows as they would be if nothing unsent had been done to them; those that only unsent work made are left out.

    Nothing is written: the work is undone on a copy.
    """
    session = Session(store.db, community_id=store.community_id)
    found: dict[Key, Row] = {}
    for key in keys:
        lines = unsent.lines(store.db, "kind = ? AND id = ? AND action <> 'state'", key)
        for line in reversed(lines):
            unsent.undo(session, line, [])
        row = session.row(*key)
        if row is not None:
            found[key] = row
    return found


def _worked_on(db: Database) -> frozenset[Key]:
    return frozenset(db.conn.execute("SELECT DISTINCT kind, id FROM outbox").fetchall())


def _put_first(store: Store, rows: Sequence[Row]) -> None:
    lowest = store.db.conn.execute(
        "SELECT min(0, (SELECT coalesce(min(op), 0) FROM outbox), (SELECT coalesce(min(op), 0) FROM quarantine))"
    ).fetchone()[0]
    lines = []
    for op, row in enumerate(rows, lowest - len(rows)):
        operation = _as_state(row)
        head = (op, row.kind, row.id, "state", row.clock[0], "", upgrades.SCHEMA)
        lines.append((*head, msgspec.json.encode(operation), "{}", row.stream, 0, store.now()))
    store.db.conn.executemany(
        f"INSERT INTO outbox ({unsent.COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", lines
    )


def _as_state(row: Row) -> Operation:
    """The whole row with its clocks, as the operation that gives it back; it has no author, for many wrote it."""
    return Operation(
        kind=row.kind,
        id=row.id,
        action="state",
        fields={**row.values, DELETED: row.deleted},
        hlc=row.clock[0],
        device=row.clock[1],
        clocks=dict(row.clocks),
    )
