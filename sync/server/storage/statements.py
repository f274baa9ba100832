"""The few statements whose words differ between SQLite and PostgreSQL: rows and ids handed over as one JSON parameter.

One parameter that the database expands costs a fraction of a parameter a value, and is the same on both engines.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from contextlib import contextmanager
from functools import lru_cache
from operator import attrgetter
from typing import Any, TypeVar

import msgspec
from sqlalchemy import BigInteger, Boolean, Connection, CursorResult, Integer, Table, TextClause, text
from sqlalchemy.exc import DBAPIError

Row = TypeVar("Row", bound=msgspec.Struct)
_WORTH_A_COPY = 20  # rows
_PIECE = 1_000  # lines of a COPY that are written at once
_encoder = msgspec.json.Encoder()


@lru_cache(maxsize=500)
def prepared(sql: str) -> TextClause:
    """A statement that is made again and again, looked through once: that costs as much as sending it."""
    return text(sql)


def ids_json(ids: Iterable[str]) -> str:
    """The parameter for ``among``."""
    return _encoder.encode(sorted(set(ids))).decode()


def among(connection: Connection, column: str, *, parameter: str = "ids") -> str:
    """A condition: ``column`` is one of the texts in the JSON array given as ``parameter``."""
    if connection.dialect.name == "postgresql":
        return f"{column} = ANY(ARRAY(SELECT json_array_elements_text(CAST(:{parameter} AS json))))"
    return f"{column} IN (SELECT value FROM json_each(:{parameter}))"


def for_update(connection: Connection) -> str:
    """The clause that locks rows; on SQLite there is only one writer."""
    return " FOR UPDATE" if connection.dialect.name == "postgresql" else ""


def insert_rows(
    connection: Connection,
    table: Table,
    rows: Sequence[msgspec.Struct],
    *,
    community: str,
    conflict: str = "",
    returning: str = "",
) -> CursorResult[Any]:
    """Insert all rows (structs whose fields are columns); ``conflict`` says what to do about those that exist.

    Rows go in in the order of their ids, so that two writers never wait for each other.
    """
    columns = _columns(rows)
    names = ", ".join(f'"{name}"' for name in columns)
    picked = ", ".join(f'v."{name}"' for name in columns)
    sql = (
        f'INSERT INTO "{table.name}" (community, {names}) '
        f"SELECT :community, {picked} "
        f"FROM {_source(connection, table, columns)} WHERE true ORDER BY v.id"
    )
    if conflict:
        sql += f" ON CONFLICT {conflict}"
    if returning:
        sql += f" RETURNING {returning}"
    return connection.execute(prepared(sql), {"community": community, "doc": _document(rows)})


def can_copy(connection: Connection, rows: Sized) -> bool:
    """Whether ``copy_rows`` is to be had and worth its round trips."""
    return len(rows) >= _WORTH_A_COPY and connection.dialect.name == "postgresql"


def copy_rows(
    connection: Connection,
    table: Table,
    rows: Sequence[Row],
    *,
    community: str,
    line: Callable[[str, Row], bytes],
) -> None:
    """Insert rows by COPY, at a third of what they cost as a JSON parameter; ``can_copy`` says whether.

    ``line`` writes the community and the columns of one row, in their order, with tabs between them. COPY knows no ON
    CONFLICT: a row that exists is an IntegrityError, and the transaction is lost to its last savepoint.
    """
    columns = _columns(rows)
    in_order = sorted(rows, key=attrgetter("id"))
    lines = b"\n".join([line(community, row) for row in in_order]).replace(b"\\", b"\\\\")
    with _copying(connection, table, columns) as copy:
        if lines.count(b"\t") == len(rows) * len(columns) and lines.count(b"\n") == len(rows) - 1:
            copy.write(lines)
        else:  # a text holds what ends a column or a row
            for row in in_order:
                cells = (community, *msgspec.structs.astuple(row))
                copy.write_row([cell.decode() if isinstance(cell, bytes) else cell for cell in cells])


def copy_lines(connection: Connection, table: Table, lines: Iterable[str], *, columns: Sequence[str]) -> None:
    """The same with lines that are made already, of texts that hold neither tab nor end of line; any order will do."""
    in_order = sorted(lines)
    with _copying(connection, table, columns) as copy:
        for at in range(0, len(in_order), _PIECE):  # all in one would be in memory three times over
            copy.write("".join([f"{line}\n" for line in in_order[at : at + _PIECE]]).replace("\\", "\\\\"))


@contextmanager
def _copying(connection: Connection, table: Table, columns: Sequence[str]) -> Iterator[Any]:
    names = ", ".join(f'"{name}"' for name in columns)
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" (community, {names}) FROM STDIN') as copy:
            yield copy
    except connection.dialect.loaded_dbapi.Error as error:
        raise DBAPIError.instance(
            "COPY", None, error, connection.dialect.loaded_dbapi.Error, dialect=connection.dialect
        ) from error


def update_rows(
    connection: Connection, table: Table, rows: Sequence[msgspec.Struct], *, community: str
) -> CursorResult[Any]:
    """Give existing rows, known by their ids and locked, new values in all columns of the structs."""
    columns = _columns(rows)
    if connection.dialect.name == "sqlite":
        # SQLite would look through the whole JSON for each row of the table: a second for a thousand edits, and more
        # with every row there is. An upsert finds each row by its key; nobody else writes meanwhile.
        changes = ", ".join(f'"{name}" = excluded."{name}"' for name in columns if name != "id")
        conflict = f"(community, id) DO UPDATE SET {changes}"
        return insert_rows(connection, table, rows, community=community, conflict=conflict)
    values = ", ".join(f'"{name}" = v."{name}"' for name in columns if name != "id")
    sql = (
        f'UPDATE "{table.name}" SET {values} FROM {_source(connection, table, columns)} '
        f'WHERE "{table.name}".community = :community AND "{table.name}".id = v.id'
    )
    return connection.execute(prepared(sql), {"community": community, "doc": _document(rows)})


def matching(connection: Connection, table: Table, columns: Sequence[str]) -> str:
    """A subquery with these columns of each object in the JSON array given as ``doc``."""
    names = ", ".join(f'v."{name}"' for name in columns)
    return f"SELECT {names} FROM {_source(connection, table, columns)}"


def _document(rows: Sequence[msgspec.Struct]) -> str:
    if isinstance(getattr(rows[0], "fields", None), bytes):
        rows = [msgspec.structs.replace(row, fields=row.fields.decode()) for row in rows]  # type: ignore[attr-defined]
    return _encoder.encode(rows).decode()


def _columns(rows: Sequence[msgspec.Struct]) -> tuple[str, ...]:
    return rows[0].__struct_fields__


def _source(connection: Connection, table: Table, columns: Sequence[str]) -> str:
    if connection.dialect.name == "postgresql":
        typed = ", ".join(f'"{name}" {_type(table, name)}' for name in columns)
        return f"json_to_recordset(CAST(:doc AS json)) AS v({typed})"
    picked = ", ".join(f"value ->> '$.{name}' AS \"{name}\"" for name in columns)
    return f"(SELECT {picked} FROM json_each(:doc)) AS v"


def _type(table: Table, name: str) -> str:
    kind = table.c[name].type
    if isinstance(kind, BigInteger):
        return "bigint"
    if isinstance(kind, Integer):
        return "integer"
    return "boolean" if isinstance(kind, Boolean) else "text"
