"""Reads the table of moves out of a decision record, so that the record and the code cannot drift apart."""

from collections.abc import Mapping
from pathlib import Path

from sync.domain import flow
from sync.domain.flow import Move

_ROLES = {
    name: getattr(flow, name)
    for name in ("HEAD", "LEADER", "WORKER", "DESK", "STATION", "SECRETARY", "COMMUNITY", "MEDIATOR", "FIRM", "SERVER")
}
_CASES = {"yes": True, "no": False, "-": None}
Row = tuple[str, frozenset[str], str, frozenset[str], str, bool, bool, bool | None, tuple[str, ...]]


def read(record: Path, *, everywhere: Mapping[str, set[str]]) -> list[Row]:
    """The rows of the record's table; ``everywhere`` explains words that stand for many states."""
    lines = record.read_text(encoding="utf-8").splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("| move |"))
    heads = _cells(lines[first])
    rows = []
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            break
        cells = dict(zip(heads, _cells(line), strict=True))
        source = cells["from"]
        rows.append(
            (
                cells["move"],
                frozenset(everywhere.get(source) or source.split(", ")),
                cells["to"],
                frozenset().union(*(_ROLES[name] for name in cells["roles"].split())),
                cells["by"],
                {"station": True, "anywhere": False}[cells["place"]],
                {"yes": True, "no": False}[cells["sync"]],
                _CASES[cells.get("case", "-")],
                tuple(need.replace(" or ", "|") for need in cells["needs"].split(", ") if need),
            )
        )
    return rows


def row(move: Move, *, with_case: bool) -> Row:
    """The same row from the code."""
    case = move.case if with_case else None
    return (
        move.name,
        move.source,
        move.target,
        move.roles,
        move.by.value,
        move.station_only,
        move.on_sync,
        case,
        move.needs,
    )


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]
