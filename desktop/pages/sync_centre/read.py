"""What the sync page reads: conflicts, the history, what was refused, the server, and the last copy."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from desktop.pages.sync_centre.conflicts_card import PAGE
from sync.domain.roles import Viewer
from sync.store import backup, conflicts, drafts, handed, refused
from sync.store.conflicts import Open
from sync.store.state import Round, history
from sync.store.store import Reader

SHOWN = 12


@dataclass(frozen=True, slots=True)
class Overview:
    """All the page shows besides the agent's status; ``copied_at`` in ms, 0 without a copy; ``size`` in MB.

    ``texts`` are drafts of texts made of both versions, by conflict.
    """

    rounds: tuple[Round, ...]
    conflicts: tuple[Open, ...]
    settled: tuple[Open, ...]
    texts: Mapping[str, str]
    refused: tuple[refused.Item, ...]
    handed: tuple[handed.Handed, ...]
    server_url: str
    copied_at: int
    size: float


def read_overview(reader: Reader, viewer: Viewer, *, backups: Path, database: Path) -> Overview:
    """On the read lane; ``backups`` is the folder of the daily copies."""
    newest = next(iter(backup.copies(backups)), None)
    state = reader.state
    return Overview(
        rounds=history(reader.db, limit=SHOWN),
        conflicts=conflicts.open_conflicts(reader.db, viewer),
        settled=conflicts.open_conflicts(reader.db, viewer, settled=True, limit=SHOWN),
        texts={
            draft.key: draft.body.decode(errors="replace")
            for draft in drafts.begun(reader.db, viewer)
            if draft.page == PAGE
        },
        refused=refused.items(reader.db, viewer),
        handed=handed.items(reader.db, viewer),
        server_url=state.server_url if state.installation_id else "",
        copied_at=round(newest.file.stat().st_mtime * 1000) if newest else 0,
        size=database.stat().st_size / 1_000_000,
    )
