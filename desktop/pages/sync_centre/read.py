"""What the sync page reads: the history, what was refused, and the last copy."""

from dataclasses import dataclass
from pathlib import Path

from sync.domain.catalogue import KINDS
from sync.domain.roles import Viewer
from sync.store import backup, outbox
from sync.store.state import Round, history
from sync.store.store import Reader

SHOWN = 12


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """A refused operation as the page names it: the sort of record, never its content."""

    op: int
    kind_label: str
    code: str


@dataclass(frozen=True, slots=True)
class Overview:
    """All the page shows besides the agent's status; ``copied_at`` in ms, 0 when there is no copy yet."""

    rounds: tuple[Round, ...]
    refused: tuple[RefusedItem, ...]
    copied_at: int


def read_overview(reader: Reader, viewer: Viewer, backups: Path) -> Overview:
    """On the read lane; ``backups`` is the folder of the daily copies."""
    refused = tuple(
        RefusedItem(item.op, KINDS[item.operation.kind].label, item.code)
        for item in outbox.quarantined(reader.db, viewer)
    )
    newest = next(iter(backup.copies(backups)), None)
    copied_at = round(newest.file.stat().st_mtime * 1000) if newest else 0
    return Overview(history(reader.db, limit=SHOWN), refused, copied_at)
