"""The bytes of attached files: kept encrypted in pieces, known by their SHA-256, and the queue of what is to travel.

An attachment is a record like any other; its bytes go after everything else, and nothing waits for them.
"""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from sync.domain.attachments import attach
from sync.domain.operations import Operation, delete
from sync.domain.roles import Viewer
from sync.domain.stubs import is_stub
from sync.errors import RuleError
from sync.store.database import Database
from sync.store.schema import TABLES
from sync.store.store import Store, Touched
from sync.store.viewers import MINE, viewer_streams

PIECE = 512 * 1024  # bytes that travel in one request, and lie in one row
_ANSWERED = "record NOT IN (SELECT id FROM outbox) AND record NOT IN (SELECT id FROM quarantine)"


class Way(StrEnum):
    """Where the bytes are to go."""

    UP = "up"
    DOWN = "down"
    NONE = ""  # they are here and there


@dataclass(frozen=True, slots=True)
class FileRow:
    """An attached file as it is shown: whether its bytes are here, and where they are to go."""

    id: str
    name: str
    size: int
    media_type: str
    added_by: str
    is_here: bool
    way: Way


@dataclass(frozen=True, slots=True)
class Transfer:
    """Bytes that are to travel: ``record`` is an attachment that names them, ``have`` how many of them are here."""

    sha256: str
    record: str
    size: int
    way: Way
    have: int


def add(store: Store, author: str, *, record_kind: str, record_id: str, data: bytes, name: str) -> Touched:
    """Attach a file to a record, and queue its bytes; both or neither.

    Raises RuleError('file', 'empty_file' | 'unknown_file' | 'file_too_large'), AccessError.
    """
    act = store.act(author)
    operation = attach(act, record_kind=record_kind, record_id=record_id, data=data, name=name)
    return store.save(act, [operation], beside=lambda: _keep(store.db, operation, data))


def files(db: Database, viewer: Viewer, record_id: str) -> tuple[FileRow, ...]:
    """The files attached to a record, oldest first."""
    found = db.conn.execute(
        f"""SELECT t.id, t.name, t.size, t.media_type, a.name, coalesce(b.have = b.size, 0), coalesce(b.way, '')
            FROM attachment AS t LEFT JOIN blob AS b ON b.sha256 = t.sha256 LEFT JOIN account AS a
            ON a.id = t.recorded_by WHERE t.record_id = :record AND NOT t.deleted AND t.{MINE}
            ORDER BY t.recorded_at, t.id""",
        {"record": record_id, "streams": viewer_streams(viewer)},
    )
    return tuple(
        FileRow(row[0], row[1], row[2], row[3], row[4] or "", is_here=bool(row[5]), way=Way(row[6])) for row in found
    )


def read(db: Database, viewer: Viewer, attachment_id: str) -> bytes | None:
    """The bytes of an attached file; None while they are not here, or not the viewer's to see."""
    found = db.conn.execute(
        f"""SELECT b.sha256 FROM attachment AS t JOIN blob AS b ON b.sha256 = t.sha256
            WHERE t.id = :id AND NOT t.deleted AND b.have = b.size AND t.{MINE}""",
        {"id": attachment_id, "streams": viewer_streams(viewer)},
    ).fetchone()
    if found is None:
        return None
    pieces = db.conn.execute("SELECT bytes FROM blob_piece WHERE sha256 = ? ORDER BY number", found)
    return b"".join(piece[0] for piece in pieces)


def want(store: Store, account_id: str, attachment_id: str) -> None:
    """Queue the bytes of a file that a colleague attached; nothing happens when they are here or on their way.

    Raises RuleError('file', 'unknown_record') when there is no such attachment for this account.
    """
    viewer = store.viewer(account_id)
    found = store.db.conn.execute(
        f"SELECT t.sha256, t.size FROM attachment AS t WHERE t.id = :id AND NOT t.deleted AND t.{MINE}",
        {"id": attachment_id, "streams": viewer_streams(viewer)},
    ).fetchone()
    if found is None:
        raise RuleError("file", "unknown_record")
    with store.write():
        if store.db.conn.execute("SELECT 1 FROM blob WHERE sha256 = ?", found[:1]).fetchone() is None:
            _put(store.db, found[0], attachment_id, found[1], Way.DOWN, have=0)


def remove(store: Store, author: str, attachment_id: str) -> Touched:
    """Take an attached file away again. Raises AccessError, RuleError('id', 'unknown_record')."""
    return store.save(store.act(author), [delete("attachment", attachment_id)])


def waiting(db: Database) -> tuple[Transfer, ...]:
    """What is to travel, what somebody here asked for first; not what belongs to an attachment still unsent.

    Several attachments may name the same bytes: they travel for any one that stands.
    """
    found = db.conn.execute(
        """SELECT sha256, named_by, size, way, have FROM (
            SELECT b.*, coalesce(
                (SELECT t.id FROM attachment AS t WHERE t.sha256 = b.sha256 AND NOT t.deleted
                AND t.id NOT IN (SELECT id FROM outbox) ORDER BY t.id != b.record, t.id LIMIT 1), b.record) AS named_by
            FROM blob AS b WHERE b.way != '')
        WHERE named_by NOT IN (SELECT id FROM outbox) ORDER BY way, at, sha256"""
    )
    return tuple(Transfer(row[0], row[1], row[2], Way(row[3]), row[4]) for row in found)


def going_up(db: Database) -> int:
    """How many files have yet to go up, those of unsent attachments included; they need a line."""
    found: int = db.conn.execute("SELECT count(*) FROM blob WHERE way = 'up'").fetchone()[0]
    return found


def piece(db: Database, checksum: str, offset: int) -> bytes:
    """The bytes to send from this offset, at most a piece; b'' at the end."""
    found = db.conn.execute(
        "SELECT bytes FROM blob_piece WHERE sha256 = ? AND number = ?", (checksum, offset // PIECE)
    ).fetchone()
    return b"" if found is None else bytes(found[0][offset % PIECE :])


def take_piece(store: Store, transfer: Transfer, data: bytes) -> Transfer:
    """Keep what came of a download; with the last bytes the whole is checked, and begun anew when it is not it."""
    with store.write():
        number, begun = divmod(transfer.have, PIECE)
        before = piece(store.db, transfer.sha256, number * PIECE) if begun else b""
        store.db.conn.execute(
            "INSERT OR REPLACE INTO blob_piece (sha256, number, bytes) VALUES (?, ?, ?)",
            (transfer.sha256, number, before + data),
        )
        have = transfer.have + len(data)
        whole = have >= transfer.size
        if whole and not _is_right(store.db, transfer.sha256):
            store.db.conn.execute("DELETE FROM blob_piece WHERE sha256 = ?", (transfer.sha256,))
            have, whole = 0, False
        way = Way.NONE if whole else Way.DOWN
        store.db.conn.execute("UPDATE blob SET have = ?, way = ? WHERE sha256 = ?", (have, way.value, transfer.sha256))
    return Transfer(transfer.sha256, transfer.record, transfer.size, way, have)


def done(store: Store, checksum: str) -> None:
    """The server has all of it."""
    with store.write():
        store.db.conn.execute("UPDATE blob SET way = '' WHERE sha256 = ?", (checksum,))


def offer_all(db: Database) -> None:
    """Queue every file that is here whole: the server may have lost it. To ask is cheap; inside a transaction."""
    db.conn.execute("UPDATE blob SET way = ? WHERE have = size", (Way.UP.value,))


def give_up(store: Store, transfer: Transfer) -> None:
    """The server knows nothing of the record that named these bytes; when it is not here either, they go nowhere."""
    with store.write():
        store.db.conn.execute(
            f"""UPDATE blob SET way = '' WHERE sha256 = ? AND record NOT IN (SELECT id FROM attachment)
            AND {_ANSWERED}""",
            (transfer.sha256,),
        )


def drop_unnamed(store: Store) -> int:
    """Let go of bytes that no attachment names any more; how many files they were.

    One that was deleted names them until it is a stub, for it may be brought back. What has yet to go up is the only
    copy: whoever may read its record no longer keeps it until it is there.
    """
    with store.write():
        unnamed = store.db.conn.execute(
            f"""SELECT sha256 FROM blob WHERE sha256 NOT IN (SELECT sha256 FROM attachment WHERE NOT deleted)
            AND (way != 'up' OR record IN (SELECT id FROM attachment)) AND {_ANSWERED}"""
        ).fetchall()
        deleted = _deleted(store) if unnamed else frozenset()
        gone = [line for line in unnamed if line[0] not in deleted]
        for table in ("blob_piece", "blob"):
            store.db.conn.executemany(f"DELETE FROM {table} WHERE sha256 = ?", gone)
    return len(gone)


def _deleted(store: Store) -> frozenset[str]:
    """What is named by attachments that were deleted and may yet be brought back."""
    table = TABLES["attachment"]
    rows = map(table.row, store.db.conn.execute(f"{table.select} WHERE deleted"))
    return frozenset(row.values["sha256"] for row in rows if not is_stub(row, now=store.now()))


def _keep(db: Database, operation: Operation, data: bytes) -> None:
    # Bytes that are here already are offered all the same: the server may have let go of them since.
    checksum = operation.fields["sha256"]
    is_here = db.conn.execute("SELECT 1 FROM blob WHERE sha256 = ? AND have = size", (checksum,)).fetchone()
    _put(db, checksum, operation.id, len(data), Way.UP, have=len(data))
    if is_here is None:
        db.conn.execute("DELETE FROM blob_piece WHERE sha256 = ?", (checksum,))
        db.conn.executemany(
            "INSERT INTO blob_piece (sha256, number, bytes) VALUES (?, ?, ?)",
            [(checksum, at // PIECE, data[at : at + PIECE]) for at in range(0, len(data), PIECE)],
        )


def _put(db: Database, checksum: str, record: str, size: int, way: Way, *, have: int) -> None:
    at = db.conn.execute("SELECT coalesce(max(at), 0) + 1 FROM blob").fetchone()[0]
    db.conn.execute(
        "INSERT OR REPLACE INTO blob (sha256, record, size, way, have, at) VALUES (?, ?, ?, ?, ?, ?)",
        (checksum, record, size, way.value, have, at),
    )


def _is_right(db: Database, checksum: str) -> bool:
    found = sha256()
    for row in db.conn.execute("SELECT bytes FROM blob_piece WHERE sha256 = ? ORDER BY number", (checksum,)):
        found.update(row[0])
    return found.hexdigest() == checksum
