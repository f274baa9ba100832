"""How long a deleted record keeps its values, and when the last trace of it goes; the same on every side.

Nobody is told that a record has become a stub: every side blanks by itself what was deleted long ago, and the clocks,
from which the checks follow, stay as they were.
"""

from sync.domain.calendar import DAY
from sync.domain.catalogue import KINDS
from sync.domain.clock import ms_of
from sync.domain.fields import Type
from sync.domain.merge import Row
from sync.domain.operations import DELETED, Values

BLANK_AFTER = 30 * DAY  # ms after the deletion a record is but a stub: id, place, clocks
GONE_AFTER = 400 * DAY  # ms after it the stub is known no longer; exits likewise

# Fields besides references that say where a record belongs, as long as anything of it is left.
_PLACING = {
    "dispute": frozenset({"accepted_on"}),
    "attachment": frozenset({"record_kind"}),
    "conflict": frozenset({"record_kind"}),
}


def deleted_at(row: Row) -> int:
    """When a deleted record was deleted, in ms, by the clock of whoever did it."""
    return ms_of(row.clock_of(DELETED)[0])


def is_stub(row: Row, *, now: int) -> bool:
    """Whether the record was deleted so long ago that only its stub is left."""
    return row.deleted and deleted_at(row) + BLANK_AFTER <= now


def is_done_with(conflict: Row) -> bool:
    """Whether nothing is left to decide in a conflict about a record that is but a stub.

    All there is to decide about a deleted record is whether it comes back.
    """
    values = conflict.values
    return conflict.deleted or values["state"] == "settled" or values["register"] != DELETED


def stub_values(row: Row) -> Values:
    """What is left of the record's values: references, and what its stream follows from; else the kind's defaults."""
    kind = KINDS[row.kind]
    kept = (
        _PLACING.get(row.kind, frozenset())
        | {name for name, field in kind.fields.items() if field.type is Type.REF}
        | {kind.parent}
    )
    return kind.complete({name: value for name, value in row.values.items() if name in kept})
