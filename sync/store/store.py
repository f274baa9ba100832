"""The store: the one writing connection of the write lane, and the reader of the read lane."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sync.domain.act import Act
from sync.domain.calendar import day_of
from sync.domain.catalogue import KINDS
from sync.domain.clock import HybridClock
from sync.domain.ids import IdSource, RisingIds, new_replica
from sync.domain.merge import Row
from sync.domain.operations import Operation
from sync.domain.roles import Places, Viewer
from sync.domain.rules import Rules
from sync.errors import RuleError, StoreError
from sync.store import backup, contacts, migrations, projections, salvage, seeding, writer
from sync.store.database import Database, converted, immediate, open_database
from sync.store.state import Round, SyncState, note_round, read_state, write_state
from sync.store.viewers import RIGHTS_KINDS, read_places, read_viewer, viewer_streams
from sync.store.writer import Touched

__all__ = ["Reader", "Store", "Touched", "Wall", "viewer_streams", "wall_ms"]

Wall = Callable[[], int]
QUIET_S = 30.0


def wall_ms() -> int:
    """This PC's clock in ms since 1970 UTC."""
    return time.time_ns() // 1_000_000


class Store:
    """Lives on the write lane and owns the only writing connection; every write goes through it."""

    def __init__(self, db: Database, path: Path, *, rules: Rules, wall: Wall, ids: IdSource) -> None:
        """Wrap an open and migrated file; use ``create`` or ``open``."""
        self.db = db
        self.path = path
        self.rules = rules
        self._wall = wall
        self._ids = ids
        self._state = read_state(db)
        self._places: Places | None = None
        self._saved_at = time.monotonic() - QUIET_S  # by a clock that only goes forward
        self.clock = HybridClock()
        self.reload()

    @classmethod
    def create(
        cls,
        path: Path,
        key: bytes,
        *,
        community_id: str,
        rules: Rules,
        wall: Wall = wall_ms,
        new_id: IdSource | None = None,
        replica: int | None = None,
    ) -> "Store":
        """Make a new encrypted file for a community; it takes its place only when it is complete.

        Raises StoreError: in_use (there is a file already), missing, read_only, disk_full (it cannot be written).
        """
        if path.exists():
            raise StoreError("in_use")
        begun = path.with_name(f"{path.name}.new")
        begun.unlink(missing_ok=True)
        db = open_database(begun, key, create=True)
        try:
            migrations.migrate(db)
            with immediate(db):
                write_state(db, community_id=community_id, replica=replica or new_replica())
        finally:
            db.close()
        begun.rename(path)
        return cls.open(path, key, rules=rules, wall=wall, new_id=new_id)

    @classmethod
    def open(
        cls,
        path: Path,
        key: bytes,
        *,
        rules: Rules,
        wall: Wall = wall_ms,
        new_id: IdSource | None = None,
    ) -> "Store":
        """Open the file, after a copy bring it to the present shape.

        Raises StoreError: missing, wrong_key, damaged, newer (written by a newer program), busy, read_only, disk_full.
        """
        db = open_database(path, key)
        try:
            with converted():
                if not migrations.version(db):
                    raise StoreError("damaged")  # a database, but not one of ours
                if migrations.is_due(db):
                    _copy_before_update(path, key, version=migrations.version(db))
                    migrations.migrate(db)
            store = cls(db, path, rules=rules, wall=wall, ids=new_id or RisingIds())
            store._show_unsent()
            return store
        except BaseException:
            db.close()
            raise

    @property
    def state(self) -> SyncState:
        """What the file knows about itself and its server."""
        return self._state

    @property
    def is_in_use(self) -> bool:
        """Whether somebody has saved within the last half minute, and may save again at any moment."""
        return time.monotonic() - self._saved_at < QUIET_S

    @property
    def community_id(self) -> str:
        """The community this file belongs to."""
        return self._state.community_id

    @property
    def replica(self) -> int:
        """The name of this life of the file, in clocks and batches."""
        return self._state.replica

    def set_state(self, *, lasting: bool = True, **changes: Any) -> None:
        """Change parts of the state (epoch, installation_id, private_key, …); ``lasting`` as in ``write``."""
        with immediate(self.db, lasting=lasting):
            write_state(self.db, **changes)
        self.reload()

    def now(self) -> int:
        """The time in ms, corrected by what the server has taught."""
        return self._wall() + self._state.clock_offset

    def act(self, account_id: str) -> Act:
        """The occasion on which this account does something now."""
        return Act(self.viewer(account_id), self.now(), self._ids, self.rules.calendar)

    def viewer(self, account_id: str) -> Viewer:
        """The account with what it may read and write today."""
        with converted():
            if self._places is None:
                self._places = read_places(self.db, self.community_id)
            return read_viewer(self.db, account_id, places=self._places, today=day_of(self.now()))

    def save(
        self, act: Act, operations: Sequence[Operation], *, beside: Callable[[], object] = lambda: None
    ) -> Touched:
        """Write rows, outbox and what follows from them in one durable transaction; all or nothing.

        ``beside`` writes what goes with them, in the same one.

        Raises RuleError(field, code) for values, AccessError(code) for rights, StoreError(code) for the file.
        """
        self._saved_at = time.monotonic()
        made = [operation.id for operation in operations if operation.action == "new"]
        if len(set(made)) < len(made):
            raise RuleError("id", "exists")  # the server keeps all kinds in one table
        with self.write():
            session = writer.Session(self.db, community_id=self.community_id)
            session.expect(one for one in operations if one.kind in KINDS)
            changes = [
                writer.apply(session, operation, act, clock=self.clock, wall=self._wall(), replica=self.replica)
                for operation in operations
            ]
            touched = writer.write_rows(self.db, session)
            writer.queue(self.db, changes, made_at=self.now())
            visits = [row for change in changes if (row := session.made(change.operation)) and row.kind == "visit"]
            contacts.add_rows(self.db, visits)
            self.after(touched.difference(("visit", row.id) for row in visits))
            beside()
        return touched

    def seed(self, operations: Iterable[Operation]) -> Touched:
        """Rows as received: written as if they had come from the server, without rights, outbox or limits.

        For demonstration data and tests; what follows from the rows is made in bulk at the end.
        """
        with self.write():
            touched = seeding.write(
                self.db, operations, community_id=self.community_id, clock_source=self.clock, wall=self._wall()
            )
            projections.rebuild(self.db, pinyin=self.rules.pinyin)
            self._places = None
        return touched

    @contextmanager
    def write(self, *, lasting: bool = True) -> Iterator[None]:
        """One immediate transaction, with which the clock is stored; for the modules of the store.

        Not ``lasting``: a power cut may undo it whole, with all such since the last lasting one; for what the server
        gives again.
        """
        try:
            with immediate(self.db, lasting=lasting):
                yield
                write_state(self.db, clock_last=self.clock.last, clock_seen=self.clock.seen)
        except BaseException:
            self._places = None  # what was read in a transaction that is gone may never have been
            raise

    def after(self, touched: Touched, *, removed: Sequence[Row] = ()) -> None:
        """Inside ``write``: bring up to date what follows from records that changed or went."""
        projections.refresh(self.db, touched, pinyin=self.rules.pinyin, removed=removed)
        if any(kind in RIGHTS_KINDS for kind, _ in touched):
            self._places = None

    def note_round(self, line: Round) -> None:
        """Add a line to the history of syncs."""
        with self.write():
            note_round(self.db, line)

    def reload(self) -> None:
        """Read the state anew, after a module of the store has written it."""
        self._state = read_state(self.db)
        self.clock = HybridClock(self._state.clock_last, self._state.clock_seen, self._state.clock_offset)

    def _show_unsent(self) -> None:
        """After a salvage: unsent work is laid over the records of the copy."""
        if self._state.unshown:
            with self.write():
                session = salvage.show_unsent(self.db, community_id=self.community_id)
                self.after(writer.write_rows(self.db, session))
                write_state(self.db, unshown=0)
            self.reload()

    def close(self) -> None:
        """Close the file; everything saved is in it already."""
        self.db.close()


def _copy_before_update(path: Path, key: bytes, *, version: int) -> None:
    """The file as the program before left it, beside it; the last one of each version stays."""
    target = path.with_name(f"{path.stem}.before-update-{version}{path.suffix}")
    backup.write_copy(path, key, target)


class Reader:
    """Lives on the read lane: a read-only connection beside the writer's."""

    def __init__(self, path: Path, key: bytes, *, rules: Rules, wall: Wall = wall_ms) -> None:
        """Open the file, which the store has created and migrated; StoreError as ``open_database``."""
        self.db = open_database(path, key, read_only=True)
        self.rules = rules
        self._wall = wall

    @property
    def state(self) -> SyncState:
        """What the file knows about itself and its server, as of now."""
        return read_state(self.db)

    def viewer(self, account_id: str) -> Viewer:
        """The account with what it may read today."""
        with converted():
            state = read_state(self.db)
            places = read_places(self.db, state.community_id)
            today = day_of(self._wall() + state.clock_offset)
            return read_viewer(self.db, account_id, places=places, today=today)

    def close(self) -> None:
        """Close the connection."""
        self.db.close()
