"""Unsent and refused operations of an earlier program, brought to the present form when the file is opened."""

from collections.abc import Mapping

import msgspec

from sync.domain import upgrades
from sync.domain.operations import Operation
from sync.domain.upgrades import STEPS, Step
from sync.store import schema, unsent
from sync.store.database import Database
from sync.store.unsent import Line

_TABLES = ("outbox", "quarantine")


def upgrade_unsent(db: Database, *, steps: Mapping[int, Step] = STEPS) -> int:
    """Upgrade what earlier programs left, with the values it replaced, inside the caller's transaction; how many.

    A batch in flight keeps its bytes, for it must be sent again as it was: the server upgrades what it holds.
    """
    present = max(steps) + 1
    count = 0
    for table in _TABLES:
        found = db.conn.execute(f"SELECT {unsent.COLUMNS} FROM {table} WHERE schema < ? ORDER BY op", (present,))
        for cells in found.fetchall():
            since: int = cells[6]
            line = unsent.read_line(cells)
            operation = upgrades.upgrade(line.operation, since=since, steps=steps)
            db.conn.execute(
                f"UPDATE {table} SET kind = ?, id = ?, action = ?, schema = ?, body = ?, replaced = ? WHERE op = ?",
                (
                    *(operation.kind, operation.id, operation.action, present, msgspec.json.encode(operation)),
                    *(schema.to_json(_replaced(line, since=since, steps=steps)), line.op),
                ),
            )
            count += 1
    return count


def _replaced(line: Line, *, since: int, steps: Mapping[int, Step]) -> Mapping[str, object]:
    def upgraded(values: Mapping[str, object]) -> Operation:
        asked = msgspec.structs.replace(line.operation, action="patch", fields=dict(values))
        return upgrades.upgrade(asked, since=since, steps=steps)

    return {register: (upgraded(values).fields, clock) for register, (values, clock) in line.replaced.items()}
