"""Drafts, the read log and the history of syncs."""

from sync.store import access, drafts
from sync.store.state import HISTORY_KEPT, Round, history
from world import World


def test_a_draft_is_its_authors_and_outlives_the_program(world: World) -> None:
    me = world.as_("head3")
    drafts.keep(world.store, me, "visits", "b3:201", b"one")
    drafts.keep(world.store, me, "visits", "b3:201", b"two")
    drafts.keep(world.store, me, "disputes", "", b"other")
    world.reopen()
    found = drafts.find(world.store.db, world.viewer("head3"), "visits", "b3:201")
    assert found == drafts.Draft("visits", "b3:201", b"two", world.clock())
    assert [draft.page for draft in drafts.begun(world.store.db, world.viewer("head3"))] == ["disputes", "visits"]
    assert drafts.find(world.store.db, world.viewer("head1"), "visits", "b3:201") is None
    assert drafts.begun(world.store.db, world.viewer("head1")) == ()
    drafts.drop(world.store, me, "visits", "b3:201")
    assert drafts.find(world.store.db, world.viewer("head3"), "visits", "b3:201") is None


def test_looking_at_what_is_masked_leaves_a_line(world: World) -> None:
    access.note(world.store, world.as_("head3"), "resident", world.id("b3:201:resident"), "phone")
    access.note(world.store, world.as_("staff"), "resident", world.id("b1:201:resident"), "phone")
    mine = access.readings(world.store.db, world.viewer("head3"))
    assert [(line.account_id, line.field, line.at) for line in mine] == [(world.as_("head3"), "phone", world.clock())]
    assert len(access.readings(world.store.db, world.viewer("secretary"))) == 2


def test_the_history_of_syncs_is_bounded(world: World) -> None:
    for at in range(HISTORY_KEPT + 5):
        world.store.note_round(Round(at, 1, 2, "ok"))
    assert history(world.store.db, limit=2) == (
        Round(HISTORY_KEPT + 4, 1, 2, "ok"),
        Round(HISTORY_KEPT + 3, 1, 2, "ok"),
    )
    assert world.store.db["sync_history"].count == HISTORY_KEPT
