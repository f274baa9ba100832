"""Copies: one a day, verified, seven kept; and the way back."""

import resource
from pathlib import Path

import pytest

from sync.domain.operations import patch
from sync.errors import StoreError
from sync.store import backup
from sync.store.database import open_database
from sync.store.store import Store
from world import KEY, World, rules


def daily(world: World, day: str = "2026-11-23", **more: object) -> backup.Copy | None:
    slots = world.path.with_name("keyslots.json")
    slots.write_text("{}")
    return backup.make_daily(world.path, KEY, world.path.parent / "copies", day=day, beside=(slots,))


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096 * 12 + 7] ^= 0xFF
    path.write_bytes(content)


def test_one_copy_a_day_beside_an_open_store(world: World) -> None:
    copy = daily(world)
    assert copy is not None
    assert sorted(path.name for path in copy.folder.iterdir()) == ["data.db", "keyslots.json"]
    assert "张伟国".encode() not in copy.file.read_bytes()
    assert daily(world) is None
    db = open_database(copy.file, KEY, read_only=True)
    assert db["household"].count == 18
    db.close()


def test_seven_are_kept(world: World) -> None:
    for day in range(1, 10):
        daily(world, f"2026-11-{day:02d}")
    found = backup.copies(world.path.parent / "copies")
    assert [copy.day for copy in found] == [f"2026-11-{day:02d}" for day in range(9, 2, -1)]


def test_a_copy_that_cannot_be_written_leaves_nothing_behind(world: World) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(StoreError) as full:
            daily(world)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert full.value.code == "disk_full"
    assert list((world.path.parent / "copies").iterdir()) == []
    assert daily(world) is not None


def test_a_folder_that_cannot_be_made(world: World) -> None:
    (world.path.parent / "copies").write_text("in the way")
    with pytest.raises(StoreError) as refused:
        daily(world)
    assert refused.value.code == "disk_full"


def test_a_copy_of_a_damaged_file_is_refused(world: World) -> None:
    found = world.store.db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'household_by_unit_id'").fetchone()
    world.store.close()
    content = bytearray(world.path.read_bytes())
    content[4096 * (found[0] - 1) + 7] ^= 0xFF
    world.path.write_bytes(content)
    with pytest.raises(StoreError) as refused:
        daily(world)
    assert refused.value.code == "damaged"
    assert backup.copies(world.path.parent / "copies") == ()


def test_a_copy_that_does_not_hold_is_thrown_away(world: World) -> None:
    with world.store.write():
        world.store.db.conn.execute("UPDATE terms_config SET v = 99 WHERE k = 'version'")
    with pytest.raises(StoreError) as refused:
        daily(world)
    assert refused.value.code == "damaged"
    assert list((world.path.parent / "copies").iterdir()) == []


def test_a_copy_is_restored_and_the_former_file_kept(world: World) -> None:
    copy = daily(world)
    assert copy is not None
    world.save("head3", [patch("household", world.id("b3:201"), contact_name="新名")])
    world.store.close()
    kept = backup.restore(copy.file, KEY, world.path)
    assert kept is not None
    assert kept.name == "world.db.broken-1"
    store = Store.open(world.path, KEY, rules=rules(), wall=world.clock)
    found = store.db.execute("SELECT contact_name FROM household WHERE id = ?", (world.id("b3:201"),)).fetchone()
    assert found == ("杨帆",)
    assert store.db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()
    assert backup.restore(copy.file, KEY, world.path).name == "world.db.broken-2"  # type: ignore[union-attr]


def test_what_was_in_the_log_beside_the_file_is_kept_with_it(world: World) -> None:
    copy = daily(world)
    assert copy is not None
    log = world.path.with_name("world.db-wal")
    assert log.stat().st_size > 0
    kept = backup.restore(copy.file, KEY, world.path)
    assert kept is not None
    assert kept.with_name(f"{kept.name}-wal").stat().st_size > 0


def test_restoring_where_nothing_is(world: World, tmp_path: Path) -> None:
    copy = daily(world)
    assert copy is not None
    assert backup.restore(copy.file, KEY, tmp_path / "new.db") is None
    assert backup.is_sound(tmp_path / "new.db", KEY)


def test_a_copy_that_is_not_sound_is_not_restored(world: World) -> None:
    copy = daily(world)
    assert copy is not None
    damage(copy.file)
    before = world.path.stat().st_mtime_ns
    for bad, key in ((copy.file, KEY), (copy.file, bytes(32))):
        with pytest.raises(StoreError) as refused:
            backup.restore(bad, key, world.path)
        assert refused.value.code == "damaged"
    assert world.path.stat().st_mtime_ns == before
