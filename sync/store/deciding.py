"""Who may decide a conflict: whoever may change the record that it is about."""

from collections.abc import Sequence

from sync.domain.catalogue import KINDS
from sync.domain.kinds.notes import Conflict
from sync.domain.merge import Row
from sync.domain.operations import DELETED
from sync.domain.roles import Viewer, authorise, made_by
from sync.store import schema
from sync.store.database import Database


def may_settle(viewer: Viewer, row: Row) -> bool:
    """Whoever may change the record may; a head only of visits noted by the head: others' words are not shown."""
    if row.stream not in viewer.streams:
        return False
    mine = made_by(row.values, viewer.account_id)
    if row.kind == "visit" and viewer.is_head_only() and not mine:
        return False
    return not any(
        authorise(viewer, kind=kind, action="patch", stream=row.stream, values=row.values, author_made_it=mine)
        for kind in (row.kind, "conflict")
    )


def is_for(db: Database, viewer: Viewer, conflict_id: str) -> bool:
    """Whether this open conflict is among the viewer's to settle."""
    found = schema.load_one(db, "conflict", conflict_id)
    if found is None:
        return False
    note = note_of(found)
    row = rows_of(db, [note]).get((note.record_kind, note.record_id))
    return row is not None and is_shown(note, row) and may_settle(viewer, row)


def is_shown(note: Conflict, row: Row) -> bool:
    """Of a deleted record there is one thing to decide: whether it comes back."""
    return not row.deleted or note.register == DELETED


def note_of(row: Row) -> Conflict:
    """The conflict that a row holds."""
    note = KINDS["conflict"].record(row.id, row.values)
    assert isinstance(note, Conflict)
    return note


def rows_of(db: Database, notes: Sequence[Conflict]) -> dict[tuple[str, str], Row]:
    """The records that these conflicts are about, by kind and id; what this program does not know is left out."""
    by_kind: dict[str, set[str]] = {}
    for note in notes:
        if note.record_kind in KINDS and note.register in KINDS[note.record_kind].registers:
            by_kind.setdefault(note.record_kind, set()).add(note.record_id)
    return {
        (kind, record_id): row for kind, ids in by_kind.items() for record_id, row in schema.load(db, kind, ids).items()
    }
