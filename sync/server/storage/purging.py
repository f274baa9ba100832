"""What is deleted goes in the end: values after 30 days, every trace after 400; old refusals and kept answers besides.

Everything in pieces, one transaction each, so that devices get in between.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from sync.domain.calendar import DAY
from sync.domain.catalogue import KINDS
from sync.domain.clock import hlc_of
from sync.domain.operations import DELETED
from sync.domain.stubs import GONE_AFTER, deleted_at, is_stub, stub_values
from sync.server.storage import records
from sync.server.storage.batch import Batch
from sync.server.storage.records import COLUMNS, row_of
from sync.server.storage.statements import among, for_update, ids_json

_CONFLICT = KINDS["conflict"]
PIECE = 500  # rows of one transaction
REFUSED_KEPT = 90 * DAY  # ms
ANSWERS_KEPT = GONE_AFTER  # ms
# A floor is raised a day before what stood below it goes: a page that was begun under the old floor misses nothing.
_AFTER_FLOOR = DAY


@dataclass(frozen=True, slots=True)
class Purged:
    """How many went; the id after which the next piece of records begins, '' at the end."""

    counts: dict[str, int] = field(default_factory=dict)
    last: str = ""


def blank_and_remove(connection: Connection, community: str, *, after: str, replica: int, now: int) -> Purged:
    """The next deleted records by id: old ones become stubs, very old ones raise their stream's floor and then go.

    What a settled conflict about a stub has kept of its values is deleted as well, under the server's ``replica``.
    """
    found = connection.execute(
        text(
            f"SELECT {COLUMNS}, seq FROM record WHERE community = :community AND id > :after AND deleted "
            f"ORDER BY id LIMIT {PIECE}" + for_update(connection)
        ),
        {"community": community, "after": after},
    ).all()
    rows = [(row_of(line), line.seq) for line in found]
    floors = _floors(connection, community, (row.stream for row, _ in rows))
    gone = [
        row.id
        for row, seq in rows
        if deleted_at(row) + GONE_AFTER + _AFTER_FLOOR <= now and seq <= floors.get(row.stream, 0)
    ]
    old = [row for row, _ in rows if is_stub(row, now=now) and row.id not in frozenset(gone)]
    stubs = [row for row in old if row.values != stub_values(row)]
    _raise_floors(
        connection, community, ((row.stream, seq) for row, seq in rows if deleted_at(row) + GONE_AFTER <= now)
    )
    records.blank(connection, community, [(row.id, stub_values(row)) for row in stubs])
    _forget(connection, community, [row.id for row in stubs], statement=_BLANK_HISTORY)
    settled = _delete_settled(Batch(connection, community, replica=replica, now=now), [row.id for row in old])
    records.remove(connection, community, gone)
    _forget(connection, community, gone, statement=_REMOVE_HISTORY)
    last = rows[-1][0].id if len(rows) == PIECE else ""
    return Purged({"blanked": len(stubs), "removed": len(gone), "conflicts": settled}, last)


def remove_exits(connection: Connection, community: str, *, now: int) -> int:
    """The next of the very old exits raise the floors, and go a day later; how many went."""
    old = hlc_of(now - GONE_AFTER)
    highest = connection.execute(
        text(
            "SELECT stream, max(seq) AS seq FROM exit WHERE community = :community AND hlc <= :old "
            "GROUP BY stream ORDER BY stream"
        ),
        {"community": community, "old": old},
    ).all()
    bound = {"community": community, "old": hlc_of(max(0, now - GONE_AFTER - _AFTER_FLOOR))}
    gone = connection.execute(
        text(
            "SELECT e.stream, e.id FROM exit AS e JOIN stream AS s ON s.community = e.community AND s.id = e.stream "
            f"WHERE e.community = :community AND e.hlc <= :old AND e.seq <= s.floor LIMIT {PIECE}"
        ),
        bound,
    ).all()
    if gone:
        connection.execute(
            text("DELETE FROM exit WHERE community = :community AND stream = :stream AND id = :id AND hlc <= :old"),
            [{**bound, "stream": line.stream, "id": line.id} for line in gone],
        )
    _raise_floors(connection, community, ((line.stream, line.seq) for line in highest))
    return len(gone)


def remove_refused(connection: Connection, community: str, *, now: int) -> int:
    """The next of the refused operations that were kept long enough; how many went."""
    return _remove_old(connection, "refused", ("id", "hlc", "dev"), community, before=now - REFUSED_KEPT)


def remove_answers(connection: Connection, community: str, *, now: int) -> int:
    """The next of the answers that nobody will ask for again; how many went."""
    return _remove_old(connection, "answered", ("replica", "batch"), community, before=now - ANSWERS_KEPT)


PIECES: dict[str, Callable[..., int]] = {
    "exits": remove_exits,
    "refused": remove_refused,
    "answers": remove_answers,
}

_BLANK_HISTORY = "UPDATE history SET fields = '{}' WHERE community = :community AND fields <> '{}' AND "
_REMOVE_HISTORY = "DELETE FROM history WHERE community = :community AND "


def _delete_settled(batch: Batch, ids: list[str]) -> int:
    conflicts = [
        row for row in batch.children(ids, kind=_CONFLICT.name) if not row.deleted and row.values["state"] == "settled"
    ]
    for row in conflicts:
        batch.write(_CONFLICT, row.id, {DELETED: True}, parent_stream=row.stream)
    batch.finish()
    return len(conflicts)


def _forget(connection: Connection, community: str, ids: list[str], *, statement: str) -> None:
    if ids:
        connection.execute(text(statement + among(connection, "id")), {"community": community, "ids": ids_json(ids)})


def _floors(connection: Connection, community: str, streams: Iterable[str]) -> dict[str, int]:
    found = connection.execute(
        text(f"SELECT id, floor FROM stream WHERE community = :community AND {among(connection, 'id')}"),
        {"community": community, "ids": ids_json(streams)},
    )
    return {line.id: line.floor for line in found}


def _raise_floors(connection: Connection, community: str, placed: Iterable[tuple[str, int]]) -> None:
    highest: dict[str, int] = {}
    for stream, seq in placed:
        highest[stream] = max(highest.get(stream, 0), seq)
    if highest:
        connection.execute(
            text("UPDATE stream SET floor = :seq WHERE community = :community AND id = :stream AND floor < :seq"),
            [{"community": community, "stream": stream, "seq": seq} for stream, seq in sorted(highest.items())],
        )


def _remove_old(connection: Connection, table: str, key: tuple[str, ...], community: str, *, before: int) -> int:
    named = ", ".join(key)
    bound = {"community": community, "before": before}
    return connection.execute(
        text(
            f"DELETE FROM {table} WHERE community = :community AND ({named}) IN "
            f"(SELECT {named} FROM {table} WHERE community = :community AND at < :before LIMIT {PIECE})"
        ),
        bound,
    ).rowcount
