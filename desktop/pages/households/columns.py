"""The list of doors: badge, room, and who is to be called."""

from desktop.i18n import tr
from desktop.widgets.paged_model import Column
from desktop.widgets.state_badge import state_character
from desktop.words.households import OCCUPANCIES, word
from sync.store.households import DoorRow


def door_columns() -> tuple[Column[DoorRow], ...]:
    """The columns in the language of the screen."""
    return (
        Column(tr("State"), lambda row: state_character(row.tone), width=44, badge=lambda row: row.tone),
        Column(tr("Room"), lambda row: row.room, width=84, is_bold=True),
        Column(tr("Contact"), _who),
    )


def _who(row: DoorRow) -> str:
    if row.occupancy in ("vacant", "non_residential"):
        return word(OCCUPANCIES, row.occupancy)
    return row.contact_name or tr("no name yet")
