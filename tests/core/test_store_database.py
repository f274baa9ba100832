"""The file itself: key, settings, and every bad day it can have, on real files."""

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sync.domain.operations import new, patch
from sync.errors import QiaomenError, StoreError
from sync.store import migrations, schema
from sync.store.database import check_integrity, converted, freely, immediate, open_database
from sync.store.state import SyncState, write_state
from sync.store.store import Reader, Store, wall_ms
from world import KEY, Clock, World, ident, rules


def opened(path: Path, key: bytes = KEY) -> Store:
    return Store.open(path, key, rules=rules(), wall=Clock())


def code_of(error: pytest.ExceptionInfo[StoreError]) -> str:
    return error.value.code


def test_the_file_is_unreadable_without_its_key(world: World) -> None:
    world.store.close()
    for path in world.path.parent.glob("world.db*"):
        content = path.read_bytes()
        assert "张伟国".encode() not in content
        assert not content.startswith(b"SQLite format 3")
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(world.path).execute("SELECT * FROM resident")


def test_settings_of_the_writing_connection(world: World) -> None:
    asked = {
        name: world.store.db.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "cache_size", "busy_timeout")
    }
    assert asked == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 0,
        "cache_size": -20_000,
        "busy_timeout": 5000,
    }


def test_pages_are_written_over_at_once_but_for_what_the_server_has(world: World) -> None:
    conn = world.store.db.conn

    def setting() -> int:
        return int(conn.execute("PRAGMA secure_delete").fetchone()[0])

    assert setting() == 1
    with freely(world.store.db):
        assert setting() == 2
    assert setting() == 1
    with pytest.raises(KeyError), freely(world.store.db):
        raise KeyError
    assert setting() == 1


def test_all_tables_of_ours_are_strict(world: World) -> None:
    listed = world.store.db.execute("SELECT name, type, strict FROM pragma_table_list WHERE schema = 'main'")
    strict = {name: bool(flag) for name, type, flag in listed if type == "table"}
    for name in (*schema.TABLES, "outbox", "quarantine", "sync_state", "draft", "household_contact"):
        assert strict[name], name


def test_a_wrong_key_is_told_from_a_missing_file(world: World) -> None:
    world.store.close()
    with pytest.raises(StoreError) as wrong:
        opened(world.path, bytes(32))
    with pytest.raises(StoreError) as short:
        opened(world.path, b"short")
    with pytest.raises(StoreError) as missing:
        opened(world.path.with_name("other.db"))
    assert [code_of(wrong), code_of(short), code_of(missing)] == ["wrong_key", "wrong_key", "missing"]
    assert not world.path.with_name("other.db").exists()


def test_a_place_that_is_taken_or_is_none(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as taken:
        Store.create(tmp_path, KEY, community_id="c", rules=rules())
    with pytest.raises(StoreError) as nowhere:
        Store.create(tmp_path / "none" / "file.db", KEY, community_id="c", rules=rules())
    assert [code_of(taken), code_of(nowhere)] == ["in_use", "missing"]


def test_a_file_that_was_only_begun_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "file.db.new").write_bytes(b"half")
    store = Store.create(tmp_path / "file.db", KEY, community_id="c", rules=rules(), wall=Clock())
    assert store.community_id == "c"
    assert store.replica
    store.close()
    assert [path.name for path in tmp_path.iterdir()] == ["file.db"]


def test_an_empty_file_is_damaged(world: World) -> None:
    world.store.close()
    world.path.write_bytes(b"")
    with pytest.raises(StoreError) as refused:
        opened(world.path)
    assert code_of(refused) == "damaged"


def test_a_database_of_something_else_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    db = open_database(path, KEY, create=True)
    db.execute("CREATE TABLE something (id TEXT)")
    db.close()
    with pytest.raises(StoreError) as refused:
        opened(path)
    assert code_of(refused) == "damaged"


def damage(path: Path, *, page: int) -> None:
    content = bytearray(path.read_bytes())
    content[4096 * page + 100] ^= 0xFF
    path.write_bytes(content)


def page_of(world: World, table: str) -> int:
    """Where the table's rows lie; counted from 0."""
    found = world.store.db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    return int(found[0]) - 1


def test_a_damaged_page_is_found_and_named(world: World) -> None:
    page = page_of(world, "household")
    world.store.close()
    damage(world.path, page=page)
    store = opened(world.path)
    assert not check_integrity(store.db)
    with pytest.raises(StoreError) as refused, converted():
        store.db.execute("SELECT count(contact_name) FROM household").fetchall()
    assert code_of(refused) == "damaged"
    store.close()


def test_a_damaged_index_is_found(world: World) -> None:
    assert check_integrity(world.store.db)
    with immediate(world.store.db):
        world.store.db.conn.execute("PRAGMA writable_schema = ON")
        world.store.db.conn.execute(
            "UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = 'resident')"
            " WHERE name = 'unit'"
        )
    world.store.close()
    db = open_database(world.path, KEY)
    assert not check_integrity(db)
    db.close()


def test_a_damaged_search_index_is_found(world: World) -> None:
    with immediate(world.store.db):
        world.store.db.conn.execute("UPDATE terms_config SET v = 99 WHERE k = 'version'")
    world.store.close()
    db = open_database(world.path, KEY)
    assert not check_integrity(db)
    db.close()


def test_a_newer_file_is_refused_and_left_alone(world: World) -> None:
    with immediate(world.store.db):
        world.store.db.conn.execute(f"PRAGMA user_version = {schema.SCHEMA + 1}")
    world.store.close()
    before = world.path.read_bytes()
    with pytest.raises(StoreError) as refused:
        opened(world.path)
    assert code_of(refused) == "newer"
    assert refused.value.params == {"found": schema.SCHEMA + 1, "known": schema.SCHEMA}
    assert world.path.read_bytes() == before


def test_an_older_file_is_copied_and_brought_up_to_date(world: World) -> None:
    db = world.store.db
    db.execute("ALTER TABLE visit DROP COLUMN late_reason")
    db.execute("DROP TABLE privacy_notice")
    with immediate(db):
        write = "UPDATE sync_state SET value = 'earlier' WHERE key = 'catalogue'"
        db.conn.execute(write)
    assert migrations.is_due(db)
    store = world.reopen()
    assert not migrations.is_due(store.db)
    assert schema.load_one(store.db, "household", world.id("b3:201")) is not None
    store.db.execute("SELECT late_reason FROM visit, privacy_notice")
    copy = world.path.with_name("world.before-update-1.db")
    before = open_database(copy, KEY)
    assert "privacy_notice" not in before.table_names()
    assert before["household"].count == 18
    before.close()


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """The operating system refuses to let any file grow beyond ``size`` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_an_update_that_finds_no_room_leaves_the_file_as_it_was(world: World) -> None:
    world.store.db.execute("UPDATE sync_state SET value = 'earlier' WHERE key = 'catalogue'")
    world.store.close()
    with no_file_larger_than(100_000), pytest.raises(StoreError) as full:
        opened(world.path)
    assert code_of(full) == "disk_full"
    assert [path.name for path in world.path.parent.iterdir()] == ["world.db"]
    opened(world.path).close()


def test_a_file_that_may_not_grow_counts_as_a_full_disk(world: World) -> None:
    big = [
        new("visit", world.ids(0), household_id=world.id("b3:201"), building_id=world.id("b3"), note="字" * 2000)
        for _ in range(40)
    ]
    size = world.path.with_name("world.db-wal").stat().st_size
    with no_file_larger_than(size + 8192), pytest.raises(StoreError) as full:
        world.save("head3", big)
    assert code_of(full) == "disk_full"
    world.save("head3", big)
    assert world.store.db["visit"].count == 40


def test_a_full_disk_keeps_what_was_saved_and_saving_works_again_after(world: World) -> None:
    db = world.store.db
    note = [patch("household", world.id("b3:201"), emergency_contact="x" * 90)]
    world.save("head3", note)
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {pages}")
    big = [
        new("visit", world.ids(0), household_id=world.id("b3:201"), building_id=world.id("b3"), note="字" * 2000)
        for _ in range(40)
    ]
    with pytest.raises(StoreError) as full:
        world.save("head3", big)
    assert code_of(full) == "disk_full"
    assert not db.conn.in_transaction
    assert db["visit"].count == 0
    db.execute("PRAGMA max_page_count = 1000000")
    world.save("head3", big)
    assert db["visit"].count == 40


def test_a_second_writer_is_told_that_the_file_is_busy(world: World) -> None:
    other = open_database(world.path, KEY)
    other.execute("PRAGMA busy_timeout = 0")
    with immediate(world.store.db), pytest.raises(StoreError) as busy, immediate(other):
        pytest.fail("two writers at once")
    assert code_of(busy) == "busy"
    other.close()


def test_a_reader_cannot_write_and_sees_what_was_saved(world: World) -> None:
    reader = world.reader()
    with pytest.raises(StoreError) as refused, converted():
        reader.db.conn.execute("DELETE FROM household")
    assert code_of(refused) == "read_only"
    world.save("head3", [patch("household", world.id("b3:201"), contact_name="杨帆帆")])
    found = reader.db.execute("SELECT contact_name FROM household WHERE id = ?", (world.id("b3:201"),)).fetchone()
    assert found == ("杨帆帆",)
    assert reader.viewer(world.as_("head3")) == world.viewer("head3")
    assert reader.state.replica == world.store.replica
    reader.close()


def test_a_reader_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as missing:
        Reader(tmp_path / "none.db", KEY, rules=rules())
    assert code_of(missing) == "missing"


def test_other_errors_of_the_driver_are_not_renamed(world: World) -> None:
    with pytest.raises(Exception, match="no such table") as raised, converted():
        world.store.db.conn.execute("SELECT * FROM no_table")
    assert not isinstance(raised.value, QiaomenError)


def test_a_break_in_a_transaction_undoes_it(world: World) -> None:
    def broken() -> None:
        with world.store.write():
            world.store.db.conn.execute("DELETE FROM household")
            raise KeyError

    with pytest.raises(KeyError):
        broken()
    assert world.store.db["household"].count == 18


def test_the_state_is_one_typed_value(world: World) -> None:
    world.store.set_state(server_url="https://example.org", private_key=b"\x01\x02", epoch="e", installation_id="i")
    assert world.reopen().state == SyncState(
        community_id=ident("community"),
        replica=77,
        server_url="https://example.org",
        private_key=b"\x01\x02",
        epoch="e",
        installation_id="i",
        clock_last=world.store.clock.last,
    )
    with pytest.raises(TypeError):
        write_state(world.store.db, nonsense=1)


def test_the_wall_clock_is_in_ms_since_1970() -> None:
    assert wall_ms() > 1_600_000_000_000
