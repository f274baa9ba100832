"""The results as Markdown: ours beside the floor and Anki, with what is asked of us."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import Any

Row = dict[str, Any]
OURS, FLOOR, ANKI = "qiaomen", "floor", "anki"
PHASES = ("local create 20k", "push 20k", "first pull 20k", "push 500", "pull 500", "nothing to do")


def busy(row: Row) -> float:
    """Processor seconds of client and server together."""
    return float((row.get("client_cpu_s") or 0) + (row.get("server_cpu_s") or 0))


def middle(rows: Iterable[Row], value: Callable[[Row], Any]) -> float | None:
    """The median over the repeats; None where nothing was measured."""
    found = [value(row) for row in rows]
    known = [one for one in found if one is not None]
    return statistics.median(known) if known else None


class Results:
    """All rows of one run."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def of(self, peer: str, phase: str) -> list[Row]:
        """The rows of one phase of one peer, all repeats."""
        return [row for row in self._rows if row["peer"] == peer and row["phase"] == phase]

    def value(self, peer: str, phase: str, name: str) -> float | None:
        """The median of one column."""
        return middle(self.of(peer, phase), lambda row: row.get(name))

    def busy(self, peer: str, phase: str) -> float | None:
        """The median of processor seconds."""
        return middle(self.of(peer, phase), busy)

    def compared(self) -> str:
        """Phases by peers, processor seconds / wall seconds, and the ratios."""
        lines = [
            "| phase | floor | Anki | ours | ours: client + server (of it PostgreSQL) | ÷ floor | ÷ Anki |",
            "|---|---|---|---|---|---|---|",
        ]
        for phase in PHASES:
            cells = [
                f"{_s(self.busy(peer, phase))} / {_s(self.value(peer, phase, 's'))}" for peer in (FLOOR, ANKI, OURS)
            ]
            client, server, database = (
                _s(self.value(OURS, phase, name)) for name in ("client_cpu_s", "server_cpu_s", "database_cpu_s")
            )
            ratios = [_ratio(self.busy(OURS, phase), self.busy(peer, phase)) for peer in (FLOOR, ANKI)]
            lines.append(f"| {phase} | {' | '.join(cells)} | {client} + {server} ({database}) | {' | '.join(ratios)} |")
        return "\n".join(lines)

    def targets(self) -> str:
        """What is asked, what was found, and whether it is enough."""
        found: list[tuple[str, float | None, float | None, str]] = []
        for phase, floors in (("push 20k", 3), ("first pull 20k", 4)):
            ours = self.busy(OURS, phase)
            for peer, most in ((ANKI, 1.25), (FLOOR, floors)):
                theirs = self.busy(peer, phase)
                found.append((f"{phase}, processor, × {peer}", ours / theirs if ours and theirs else None, most, ""))
            found.append((f"{phase}, wire", self._mb(phase), 2.4, "MB"))
        for phase in ("push 500", "pull 500"):
            found.append((phase, _times(self.value(OURS, phase, "s"), 1000), 60, "ms"))
        found += [
            ("nothing to do", _times(self.value(OURS, "nothing to do", "s"), 1000), 10, "ms"),
            ("nothing to do, requests", self.value(OURS, "nothing to do", "requests"), 1, ""),
            ("nothing to do, on the wire", self.value(OURS, "nothing to do", "wire_bytes"), 2048, "bytes"),
        ]
        for size in ("20k", "200k"):
            for side, most in (("server", 40), ("client", 60)):
                name = f"{side}_grown_mib"
                worst = [
                    value
                    for phase in (f"push {size}", f"first pull {size}")
                    if (value := self.value(OURS, phase, name)) is not None
                ]
                found.append((f"memory grown, {side}, {size}", max(worst, default=None), most, "MiB"))
        found.append(("first pull 200k", self.value(OURS, "first pull 200k", "s"), 12, "s"))
        for phase in ("push", "first pull"):
            small, large = self.busy(OURS, f"{phase} 20k"), self.busy(OURS, f"{phase} 200k")
            found.append((f"{phase}, 200k ÷ 20k", large / small if small and large else None, 12, "×"))
        found += [
            (name, self.value(OURS, phase, column), most, unit)
            for name, phase, column, most, unit in (
                ("saving while 20k are pulled, p99", "saving while pulling", "p99_ms", 50, "ms"),
                ("gap of the window meanwhile", "saving while pulling", "gap_ms", 50, "ms"),
                ("herd with window, all done", "herd with window", "s", 40, "s"),
                ("herd with window, p99 of one", "herd with window", "p99_s", 1, "s"),
                ("herd with window, lost", "herd with window", "lost", 0, ""),
                ("herd at once, lost", "herd at once", "lost", 0, ""),
                ("herd at once, errors", "herd at once", "errors", 0, ""),
            )
        ]
        lines = ["| target | found | at most | |", "|---|---|---|---|"]
        for name, value, most, unit in found:
            if value is not None and most is not None:
                lines.append(
                    f"| {name} | {value:.4g} {unit} | {most:g} {unit} | {'yes' if value <= most else '**NO**'} |"
                )
        return "\n".join(lines)

    def _mb(self, phase: str) -> float | None:
        return _times(self.value(OURS, phase, "wire_bytes"), 1e-6)


def _s(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _ratio(ours: float | None, theirs: float | None) -> str:
    return f"{ours / theirs:.2f}" if ours and theirs else "–"
