"""How a kind lies in its table: columns, statements, and the way between a ``Row`` and a tuple of cells."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import Any

import msgspec

from sync.domain import upgrades
from sync.domain.catalogue import KINDS, Kind
from sync.domain.checks import row_check
from sync.domain.clock import Clock
from sync.domain.fields import Type
from sync.domain.merge import Row
from sync.store.database import Database

SCHEMA = 1  # of the file; a file with a larger number was written by a newer program

_WHOLE = frozenset({Type.INTEGER, Type.INSTANT, Type.BOOLEAN})
_HEAD = ("id", "stream", "hlc", "dev", "clocks", "deleted", "row_check")
_CHUNK = 500
_clocks = msgspec.json.Decoder(dict[str, Clock])

# Secondary indexes by kind: what queries by subject look up.
INDEXES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "building": (("compound_id",),),
    "unit": (("building_id",),),
    "household_cluster": (("building_id",),),
    "grant": (("account_id",),),
    "household": (("building_id",), ("unit_id",), ("cluster_id",)),
    "resident": (("household_id",), ("building_id",)),
    "resident_identity": (("resident_id",),),
    "privacy_notice": (("household_id",),),
    "care_tag": (("household_id",), ("building_id",)),
    "care_suggestion": (("household_id",), ("building_id",)),
    "care_pairing": (("household_id",), ("building_id",), ("responsible_id",)),
    "care_due": (("household_id",), ("building_id", "due_on")),
    "door_sheet": (("code",), ("building_id",)),
    "visit": (("household_id", "visited_on"), ("building_id", "visited_on"), ("recorded_by", "recorded_at")),
    "demand": (
        ("building_id", "state"),
        ("household_id",),
        ("compound_id", "state"),
        ("handler_id", "state"),
        ("visit_id",),
    ),
    "demand_event": (("demand_id", "at"),),
    "demand_detail": (("demand_id",),),
    "dispute": (("compound_id", "state"), ("household_id",), ("building_id",)),
    "dispute_event": (("dispute_id", "at"),),
    "dispute_status": (("dispute_id",),),
    "conflict": (("record_id",), ("state",)),
    "attachment": (("record_id",), ("sha256",)),
}


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The table of one kind with its prepared statements."""

    kind: Kind
    columns: tuple[tuple[str, str], ...]  # (name, TEXT or INTEGER), the head first
    names: tuple[str, ...]  # the kind's own fields
    lists: tuple[int, ...]  # which of them are JSON lists
    booleans: tuple[int, ...]
    insert: str  # leaves alone what is there
    upsert: str
    select: str

    def cells(self, row: Row) -> tuple[Any, ...]:
        """The row as it is stored."""
        try:
            values = list(map(row.values.__getitem__, self.names))
        except KeyError:
            values = [row.values.get(name, default) for name, default in self.kind.defaults.items()]
        for at in self.lists:
            if values[at] is not None:
                values[at] = to_json(values[at])
        clocks = to_json(dict(row.clocks)) if row.clocks else ""
        check = row_check(row.id, row.clock, row.clocks)
        return (row.id, row.stream, *row.clock, clocks, int(row.deleted), check, *values)

    def new_cells(self, record_id: str, stream: str, clock: Clock, fields: Mapping[str, Any]) -> tuple[Any, ...]:
        """A record's first version as it is stored, without the detour over a row."""
        values = [fields.get(name, default) for name, default in self.kind.defaults.items()]
        for at in self.lists:
            values[at] = to_json(values[at])
        return (record_id, stream, *clock, "", 0, row_check(record_id, clock, {}), *values)

    def row(self, cells: Sequence[Any]) -> Row:
        """The stored cells as a row."""
        values = list(cells[len(_HEAD) :])
        for at in self.lists:
            if values[at] is not None:
                values[at] = msgspec.json.decode(values[at])
        for at in self.booleans:
            if values[at] is not None:
                values[at] = bool(values[at])
        return Row(
            id=cells[0],
            kind=self.kind.name,
            stream=cells[1],
            values=dict(zip(self.names, values, strict=True)),
            clock=(cells[2], cells[3]),
            clocks=_clocks.decode(cells[4]) if cells[4] else {},
            deleted=bool(cells[5]),
        )


def to_json(value: Any) -> str:
    """Compact JSON text."""
    return msgspec.json.encode(value).decode()


def _table(kind: Kind) -> Table:
    names = tuple(kind.fields)
    types = [kind.fields[name].type for name in names]
    columns = (
        *(("id", "TEXT"), ("stream", "TEXT"), ("hlc", "INTEGER"), ("dev", "INTEGER")),
        *(("clocks", "TEXT"), ("deleted", "INTEGER"), ("row_check", "INTEGER")),
        *((name, "INTEGER" if type in _WHOLE else "TEXT") for name, type in zip(names, types, strict=True)),
    )
    quoted = [f'"{name}"' for name, _ in columns]
    changes = ", ".join(f"{name} = excluded.{name}" for name in quoted[1:])
    insert = (
        f'INSERT INTO "{kind.name}" ({", ".join(quoted)}) VALUES ({", ".join("?" * len(quoted))}) ON CONFLICT (id) DO'
    )
    return Table(
        kind=kind,
        columns=columns,
        names=names,
        lists=tuple(at for at, type in enumerate(types) if type is Type.LIST),
        booleans=tuple(at for at, type in enumerate(types) if type is Type.BOOLEAN),
        insert=f"{insert} NOTHING",
        upsert=f"{insert} UPDATE SET {changes}",
        select=f'SELECT {", ".join(quoted)} FROM "{kind.name}"',
    )


TABLES: Mapping[str, Table] = {name: _table(kind) for name, kind in KINDS.items()}

# Kinds without a stream of their own, by the kind they follow: (child kind, the field that names the parent).
FOLLOWERS: Mapping[str, tuple[tuple[str, str], ...]] = {
    parent: tuple(
        (name, kind.parent)
        for name, kind in KINDS.items()
        if kind.inherits and kind.parent in kind.fields and kind.fields[kind.parent].refers == parent
    )
    for parent in KINDS
}


def fingerprint() -> str:
    """Changes whenever the catalogue asks for other tables, columns or indexes."""
    shape: dict[str, list[object]] = {name: [table.columns, INDEXES.get(name, ())] for name, table in TABLES.items()}
    shape[""] = [upgrades.SCHEMA]  # unsent work, too, is brought to the present form
    return blake2b(msgspec.json.encode(shape), digest_size=16).hexdigest()


def align(db: Database) -> None:
    """Make the tables, columns and indexes that the catalogue asks for and the file lacks; takes nothing away."""
    for name, table in TABLES.items():
        present = {column[1] for column in db.conn.execute(f'PRAGMA table_info("{name}")')}
        if not present:
            columns = ", ".join(
                f'"{column}" {type}' + (" PRIMARY KEY NOT NULL" if column == "id" else "")
                for column, type in table.columns
            )
            db.conn.execute(f'CREATE TABLE "{name}" ({columns}) STRICT')
        else:
            for column, type in table.columns:
                if column not in present:
                    db.conn.execute(f'ALTER TABLE "{name}" ADD COLUMN "{column}" {type}')
            if "row_check" not in present:
                db.conn.create_function("row_check", 4, _check_of, deterministic=True)
                db.conn.execute(f'UPDATE "{name}" SET row_check = row_check(id, hlc, dev, clocks)')
    make_indexes(db)


def _check_of(record_id: str, hlc: int, device: int, clocks: str) -> int:
    return row_check(record_id, (hlc, device), _clocks.decode(clocks) if clocks else {})


def make_indexes(db: Database) -> None:
    """Make the secondary indexes that are not there."""
    for name, index, columns in _indexes():
        db.conn.execute(f'CREATE INDEX IF NOT EXISTS "{index}" ON "{name}" {columns}')


def drop_indexes(db: Database) -> None:
    """Take the secondary indexes away, before rows come in by the hundred thousand."""
    for _, index, _ in _indexes():
        db.conn.execute(f'DROP INDEX IF EXISTS "{index}"')


def _indexes() -> Iterator[tuple[str, str, str]]:
    for name in TABLES:
        # What a stream's sum of checks is made of, without a look at the rows.
        yield name, f"{name}_by_check", "(stream, row_check) WHERE deleted = 0"
    for name, indexes in INDEXES.items():
        for fields in indexes:
            columns = ", ".join(f'"{column}"' for column in fields)
            yield name, "_".join((name, "by", *fields)), f"({columns})"


def load(db: Database, kind: str, ids: Iterable[str]) -> dict[str, Row]:
    """The stored rows with these ids, by id; ids without a row are left out."""
    table = TABLES[kind]
    found: dict[str, Row] = {}
    remaining = iter(ids)
    while chunk := list(islice(remaining, _CHUNK)):
        statement = f"{table.select} WHERE id IN ({', '.join('?' * len(chunk))})"
        for cells in db.conn.execute(statement, chunk):
            found[cells[0]] = table.row(cells)
    return found


def load_one(db: Database, kind: str, record_id: str) -> Row | None:
    """The stored row, or None."""
    table = TABLES[kind]
    cells = db.conn.execute(f"{table.select} WHERE id = ?", (record_id,)).fetchone()
    return None if cells is None else table.row(cells)


def put(db: Database, rows: Iterable[Row]) -> None:
    """Write rows as they are, whatever stood there; their streams become known."""
    cells: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        cells.setdefault(row.kind, []).append(TABLES[row.kind].cells(row))
    put_cells(db, cells)


def put_cells(db: Database, cells: Mapping[str, Sequence[tuple[Any, ...]]]) -> None:
    """Write stored cells, by kind; their streams become known."""
    for kind, of_kind in cells.items():
        db.conn.executemany(TABLES[kind].upsert, of_kind)
    streams = [(stream,) for stream in {row[1] for of_kind in cells.values() for row in of_kind}]
    db.conn.executemany("INSERT OR IGNORE INTO stream (id) VALUES (?)", streams)
    db.conn.executemany("DELETE FROM verified WHERE stream = ?", streams)


def remove(db: Database, kind: str, ids: Iterable[str]) -> None:
    """Drop rows from this file; nobody else hears of it."""
    db.conn.execute("DELETE FROM verified")  # rare: whatever they lay in is looked at again
    db.conn.executemany(f'DELETE FROM "{kind}" WHERE id = ?', [(record_id,) for record_id in ids])
