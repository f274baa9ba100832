"""Files attached to a record: kept encrypted here, known by their checksum, queued behind everything else."""

from hashlib import sha256

import pytest

from sync.domain.attachments import media_type_of
from sync.domain.kinds.attachments import LARGEST
from sync.domain.operations import patch
from sync.errors import AccessError, RuleError, StoreError
from sync.store import blobs, merging, outbox
from sync.store.blobs import PIECE, FileRow, Transfer, Way
from world import World, ident

PICTURE = b"\xff\xd8\xff" + bytes(range(256)) * 4200  # two pieces and a bit
HOUSEHOLD = {"record_kind": "household", "record_id": ident("b3:201")}


def add(world: World, data: bytes = PICTURE, *, name: str = "楼道.jpg", who: str = "head3") -> str:
    """Attach it to a household; the attachment's id."""
    touched = blobs.add(world.store, world.as_(who), **HOUSEHOLD, data=data, name=name)
    (made,) = touched
    return made[1]


def answer(world: World) -> None:
    """The server takes all that waits."""
    batch = outbox.take_batch(world.store, lambda operations, number: b"body")
    assert batch is not None
    outbox.settle(world.store, outbox.Reply(batch.number))


@pytest.mark.parametrize(
    ("data", "media_type"),
    [(b"\xff\xd8\xff...", "image/jpeg"), (b"\x89PNG\r\n\x1a\n...", "image/png"), (b"%PDF-1.7", "application/pdf")],
)
def test_a_file_is_known_by_how_it_begins(data: bytes, media_type: str) -> None:
    assert media_type_of(data) == media_type


@pytest.mark.parametrize(
    ("data", "code"), [(b"", "empty_file"), (b"MZ...", "unknown_file"), (b"%PDF-" + bytes(LARGEST), "file_too_large")]
)
def test_a_file_that_cannot_be_attached_is_refused_and_nothing_is_kept(world: World, data: bytes, code: str) -> None:
    with pytest.raises(RuleError) as refused:
        add(world, data)
    assert (refused.value.field, refused.value.code) == ("file", code)
    assert world.store.db.conn.execute("SELECT count(*) FROM blob").fetchone() == (0,)


def test_an_attached_file_is_read_back_by_those_who_may_read_its_record(world: World) -> None:
    made = add(world)
    db = world.store.db
    (shown,) = blobs.files(db, world.viewer("head3"), ident("b3:201"))
    assert shown == FileRow(made, "楼道.jpg", len(PICTURE), "image/jpeg", "王秀兰", True, Way.UP)
    assert blobs.read(db, world.viewer("head3"), made) == PICTURE
    assert blobs.files(db, world.viewer("head1"), ident("b3:201")) == ()
    assert blobs.read(db, world.viewer("head1"), made) is None


def test_nobody_attaches_to_what_is_not_theirs(world: World) -> None:
    with pytest.raises(AccessError):
        add(world, who="head1")


def test_bytes_wait_until_their_record_has_been_sent(world: World) -> None:
    made = add(world)
    assert blobs.waiting(world.store.db) == ()
    assert blobs.going_up(world.store.db) == 1
    answer(world)
    (transfer,) = blobs.waiting(world.store.db)
    assert transfer == Transfer(sha256(PICTURE).hexdigest(), made, len(PICTURE), Way.UP, len(PICTURE))
    blobs.done(world.store, transfer.sha256)
    assert blobs.waiting(world.store.db) == ()
    assert blobs.going_up(world.store.db) == 0


def test_pieces_put_together_are_the_file(world: World) -> None:
    add(world)
    checksum = sha256(PICTURE).hexdigest()
    db = world.store.db
    assert b"".join(blobs.piece(db, checksum, at) for at in range(0, len(PICTURE), PIECE)) == PICTURE
    assert blobs.piece(db, checksum, 5) == PICTURE[5:PIECE]  # where a broken line left off
    assert blobs.piece(db, checksum, 3 * PIECE) == b""


def test_the_same_file_twice_is_kept_once(world: World) -> None:
    first, second = add(world), add(world, name="again.jpg")
    assert world.store.db.conn.execute("SELECT count(*) FROM blob").fetchone() == (1,)
    viewer = world.viewer("head3")
    assert blobs.read(world.store.db, viewer, first) == blobs.read(world.store.db, viewer, second) == PICTURE


def of_a_colleague(world: World) -> str:
    """An attachment whose bytes are not here."""
    made = add(world)
    answer(world)
    for table in ("blob", "blob_piece"):
        world.store.db.conn.execute(f"DELETE FROM {table}")
    return made


def test_a_colleagues_file_comes_when_somebody_asks_for_it(world: World) -> None:
    made = of_a_colleague(world)
    viewer = world.viewer("head3")
    assert blobs.read(world.store.db, viewer, made) is None
    (shown,) = blobs.files(world.store.db, viewer, ident("b3:201"))
    assert (shown.is_here, shown.way) == (False, Way.NONE)
    blobs.want(world.store, world.as_("head3"), made)
    blobs.want(world.store, world.as_("head3"), made)  # once is enough
    (transfer,) = blobs.waiting(world.store.db)
    assert (transfer.way, transfer.have) == (Way.DOWN, 0)
    # pieces of any size, as a bad line leaves them
    for at in range(0, len(PICTURE), 400_000):
        assert blobs.read(world.store.db, viewer, made) is None
        transfer = blobs.take_piece(world.store, transfer, PICTURE[at : at + 400_000][:PIECE])
    assert transfer.way is Way.NONE
    assert blobs.read(world.store.db, viewer, made) == PICTURE
    assert blobs.waiting(world.store.db) == ()


def test_what_is_not_the_file_is_forgotten_and_fetched_anew(world: World) -> None:
    made = of_a_colleague(world)
    blobs.want(world.store, world.as_("head3"), made)
    (transfer,) = blobs.waiting(world.store.db)
    while transfer.have < transfer.size - PIECE:
        transfer = blobs.take_piece(world.store, transfer, bytes(PIECE))
    transfer = blobs.take_piece(world.store, transfer, bytes(transfer.size - transfer.have))
    assert (transfer.way, transfer.have) == (Way.DOWN, 0)
    assert blobs.waiting(world.store.db) == (transfer,)
    assert world.store.db.conn.execute("SELECT count(*) FROM blob_piece").fetchone() == (0,)


def test_nobody_asks_for_a_file_of_another_building(world: World) -> None:
    made = of_a_colleague(world)
    with pytest.raises(RuleError):
        blobs.want(world.store, world.as_("head1"), made)


def test_bytes_that_no_attachment_names_are_let_go(world: World) -> None:
    made = add(world)
    assert blobs.drop_unnamed(world.store) == 0
    world.save("head3", [patch("attachment", made, name="新名字.jpg")])
    assert blobs.drop_unnamed(world.store) == 0
    blobs.remove(world.store, world.as_("head3"), made)
    assert blobs.files(world.store.db, world.viewer("head3"), ident("b3:201")) == ()
    assert blobs.drop_unnamed(world.store) == 0  # not before the server has heard of it
    answer(world)
    world.clock.forward(days=29)
    assert blobs.drop_unnamed(world.store) == 0  # it may yet be brought back
    world.clock.forward(days=1)
    assert blobs.drop_unnamed(world.store) == 1
    assert world.store.db.conn.execute("SELECT count(*) FROM blob_piece").fetchone() == (0,)


def test_bytes_that_have_yet_to_go_up_outlive_the_right_to_read_their_record(world: World) -> None:
    made = add(world)
    answer(world)
    world.store.db.conn.execute("DELETE FROM attachment")
    assert blobs.drop_unnamed(world.store) == 0
    (transfer,) = blobs.waiting(world.store.db)
    assert (transfer.record, transfer.way) == (made, Way.UP)
    blobs.done(world.store, transfer.sha256)
    assert blobs.drop_unnamed(world.store) == 1


def test_bytes_of_a_record_that_nobody_knows_are_given_up(world: World) -> None:
    add(world)
    answer(world)
    (transfer,) = blobs.waiting(world.store.db)
    blobs.give_up(world.store, transfer)
    assert blobs.waiting(world.store.db) == (transfer,)  # the record is here
    world.store.db.conn.execute("DELETE FROM attachment")
    blobs.give_up(world.store, transfer)
    assert blobs.drop_unnamed(world.store) == 1


def test_bytes_travel_for_any_attachment_that_stands(world: World) -> None:
    first = add(world)
    answer(world)
    second = add(world)
    assert [transfer.record for transfer in blobs.waiting(world.store.db)] == [first]
    answer(world)
    assert [transfer.record for transfer in blobs.waiting(world.store.db)] == [second]
    blobs.remove(world.store, world.as_("head3"), second)
    answer(world)
    assert [transfer.record for transfer in blobs.waiting(world.store.db)] == [first]


def test_a_file_attached_again_is_offered_again(world: World) -> None:
    add(world)
    answer(world)
    blobs.done(world.store, sha256(PICTURE).hexdigest())
    second = add(world)
    answer(world)
    assert [transfer.record for transfer in blobs.waiting(world.store.db)] == [second]
    assert blobs.read(world.store.db, world.viewer("head3"), second) == PICTURE


def test_record_and_bytes_are_there_both_or_not_at_all(world: World) -> None:
    conn = world.store.db.conn
    (pages,) = conn.execute("PRAGMA page_count").fetchone()
    conn.execute(f"PRAGMA max_page_count = {pages + PIECE // 4096}")  # room for the record, and for half of the file
    with pytest.raises(StoreError):
        add(world)
    for table in ("attachment", "outbox", "blob", "blob_piece"):
        assert conn.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_downloading_everything_again_leaves_the_bytes_alone(world: World) -> None:
    made = add(world)
    answer(world)
    merging.begin_sweep(world.store)
    assert blobs.read(world.store.db, world.viewer("head3"), made) == PICTURE
