"""What the sync page reads: the history, what was refused, the server, and the last copy."""

from dataclasses import dataclass
from pathlib import Path

from sync.domain.roles import Viewer
from sync.store import backup, refused
from sync.store.state import Round, history
from sync.store.store import Reader

SHOWN = 12


@dataclass(frozen=True, slots=True)
class Overview:
    """All the page shows besides the agent's status; ``copied_at`` in ms, 0 without a copy; ``size`` in MB."""

    rounds: tuple[Round, ...]
    refused: tuple[refused.Item, ...]
    server_url: str
    copied_at: int
    size: float


def read_overview(reader: Reader, viewer: Viewer, *, backups: Path, database: Path) -> Overview:
    """On the read lane; ``backups`` is the folder of the daily copies."""
    newest = next(iter(backup.copies(backups)), None)
    return Overview(
        rounds=history(reader.db, limit=SHOWN),
        refused=refused.items(reader.db, viewer),
        server_url=reader.state.server_url if reader.state.installation_id else "",
        copied_at=round(newest.file.stat().st_mtime * 1000) if newest else 0,
        size=database.stat().st_size / 1_000_000,
    )
