"""A damaged file gives up its unsent work before it is put aside: outbox, refused operations, drafts."""

from pathlib import Path

import pytest

from sync.domain.operations import new, patch
from sync.errors import StoreError
from sync.store import backup, drafts, outbox, salvage, schema, unsent
from sync.store.database import converted, open_database
from sync.store.outbox import Refusal, Reply
from sync.store.replicas import recognised
from sync.store.salvage import Salvaged
from world import KEY, World

MANY = 400  # of lines that fill several pages of the outbox


@pytest.fixture
def copied(world: World) -> backup.Copy:
    """The day's copy, with one piece of work in its outbox; then the day's work goes on."""
    world.save("head3", [patch("household", world.id("b3:101"), contact_name="早上")])
    copy = backup.make_daily(world.path, KEY, world.path.parent / "copies", day="2026-11-23")
    assert copy is not None
    take(world)
    return copy


def take(world: World, *refused: Refusal) -> None:
    batch = outbox.take_batch(world.store, lambda operations, number: b"x%d" % number)
    assert batch is not None
    outbox.settle(world.store, Reply(batch.number, refused))


def work_on(world: World) -> None:
    """What the day brings: something refused, something in flight, something waiting, a draft."""
    world.save("head3", [patch("household", world.id("b3:102"), contact_name="被拒")])
    take(world, Refusal(0, "invalid"))
    place = {"building_id": world.id("b3"), "compound_id": world.id("compound")}
    world.save("head3", [new("demand", "d", **place, title="漏水")])
    assert outbox.take_batch(world.store, lambda operations, number: b"flying") is not None
    world.save("head3", [patch("demand", "d", title="屋顶漏水")])
    world.save("head3", [patch("household", world.id("b3:201"), contact_name="新名")])
    drafts.keep(world.store, world.as_("head3"), "visits", "", b"begun")


def root(world: World, table: str) -> int:
    found = world.store.db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    return int(found[0])


def damage(path: Path, page: int) -> None:
    content = bytearray(path.read_bytes())
    content[4096 * (page - 1) + 100] ^= 0xFF
    path.write_bytes(content)


def damage_in_the_middle(path: Path) -> None:
    """Some page with lines from the middle of the outbox; found by trying, for the file is encrypted."""
    whole = path.read_bytes()
    for page in range(len(whole) // 4096, 1, -1):
        damage(path, page)
        db = open_database(path, KEY, read_only=True)
        try:
            with converted():
                db.conn.execute("SELECT sum(length(body)) FROM outbox WHERE op BETWEEN 150 AND 250").fetchall()
        except StoreError:
            return
        finally:
            db.close()
        path.write_bytes(whole)
    pytest.fail("no such page")


def put_back(world: World, copy: backup.Copy) -> Salvaged:
    broken = backup.restore(copy.file, KEY, world.path)
    assert broken is not None
    return salvage.take_unsent(broken, KEY, world.path)


def name(world: World, home: str) -> str:
    row = schema.load_one(world.store.db, "household", world.id(home))
    assert row is not None
    return str(row.values["contact_name"])


def test_unsent_work_of_a_damaged_file_is_in_its_copy(world: World, copied: backup.Copy) -> None:
    work_on(world)
    page = root(world, "household")
    world.store.close()
    damage(world.path, page)
    assert put_back(world, copied) == Salvaged(unsent=3, refused=1, drafts=1, is_whole=True)
    store = recognised(world.reopen(), "somewhere.else.by.now")
    assert outbox.pending_counts(store.db) == outbox.Pending(3, 0, 1, outbox.pending_counts(store.db).oldest_at)
    assert [line.operation.action for line in unsent.lines(store.db)] == ["new", "patch", "patch"]
    demand = schema.load_one(store.db, "demand", "d")
    assert demand is not None
    assert (demand.values["title"], demand.stream) == ("屋顶漏水", f"building:{world.id('b3')}")
    assert name(world, "b3:201") == "新名"
    assert name(world, "b3:101") == "早上"  # the copy showed it, and the server has it
    assert store.db["draft"].count == 1
    assert not store.state.unshown
    # And its undoing leads back to what the copy has.
    world.save("head3", [patch("household", world.id("b3:201"), contact_name="再改")])
    take(world, *(Refusal(at, "invalid") for at in range(4)))
    assert name(world, "b3:201") == "杨帆"
    assert schema.load_one(store.db, "demand", "d") is None


def test_what_lies_around_a_damaged_page_of_the_outbox_is_saved(world: World, copied: backup.Copy) -> None:
    home = world.id("b3:201")
    world.save("head3", [patch("household", home, contact_name=f"名字{number}" * 5) for number in range(MANY)])
    ops = {line[0] for line in world.store.db.execute("SELECT op FROM outbox")}
    world.store.close()
    damage_in_the_middle(world.path)
    found = put_back(world, copied)
    assert not found.is_whole
    assert MANY // 2 < found.unsent < MANY
    kept = {line.op for line in unsent.lines(world.reopen().db)}
    assert {min(ops), max(ops)} <= kept
    assert name(world, "b3:201") == f"名字{MANY - 1}" * 5


def test_a_file_that_cannot_be_opened_at_all_leaves_the_copy_as_it_is(world: World, copied: backup.Copy) -> None:
    work_on(world)
    world.store.close()
    damage(world.path, 1)
    assert put_back(world, copied) == Salvaged()
    assert outbox.pending_counts(world.reopen().db).waiting == 1


def test_work_on_a_record_that_the_copy_lacks_waits_for_it(world: World, copied: backup.Copy) -> None:
    db = world.store.db
    world.save("head3", [patch("household", world.id("b3:201"), contact_name="新名")])
    copy = copied.file
    world.store.close()
    broken = backup.restore(copy, KEY, world.path)
    assert broken is not None
    db = world.reopen().db
    schema.remove(db, "household", [world.id("b3:201")])
    world.store.close()
    assert salvage.take_unsent(broken, KEY, world.path).unsent == 1
    assert schema.load_one(world.reopen().db, "household", world.id("b3:201")) is None
    assert outbox.pending_counts(world.store.db).waiting == 1
