"""After a restore: which registers of a row given back may take the place of what is here.

What is lost is taken from whoever may read where it lay. A row that is here is another thing: it is overwritten only by
whom it could be changed by now, with clocks of replicas that the server knows and of a time before the restore. What
may not overwrite is not lost: both versions are kept side by side, as a conflict.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
from sqlalchemy import text

from sync.domain.catalogue import KINDS, Kind
from sync.domain.clock import ZERO, Clock, ms_of
from sync.domain.fields import Policy
from sync.domain.merge import Clash, Merged, Row
from sync.domain.operations import DELETED, Operation
from sync.server.storage import conflicts, flows
from sync.server.storage.batch import Batch
from sync.server.storage.epochs import Epoch
from sync.server.storage.judge import Judge
from sync.server.storage.rights import KINDS_OF_RIGHTS

_FIXED = frozenset({Policy.ONCE, Policy.SERVER})
# The server writes them itself, and anew when what they follow from comes back; nobody settles a conflict about one.
_DERIVED = frozenset({"dispute_status", "care_due", "conflict"})


@dataclass(frozen=True, slots=True)
class Decided:
    """Of the registers of a row given back: which are taken, and which are kept as conflicts; or, when there is
    neither, a field that nobody may write once it is there.
    """

    taken: frozenset[str]
    clashes: tuple[Clash, ...] = ()
    barred: str = ""


class Overwriting:
    """Decides for one batch given back by an installation with these accounts; ``server`` is the server's replica."""

    def __init__(self, batch: Batch, epoch: Epoch, judge: Judge, accounts: frozenset[str], *, server: int) -> None:
        self._batch = batch
        self._epoch = epoch
        self._judge = judge
        self._accounts = accounts
        self._server = server
        self._known: frozenset[int] | None = None
        self._stood: dict[str, None] = {}  # conflicts whose other version has taken its place after all

    def decide(self, before: Row, operation: Operation, kind: Kind, merged: Merged, *, stream: str) -> Decided:
        """Which of the registers that ``merged`` would change in a row that is here may be changed.

        ``stream`` is where the row would lie then.
        """
        assert merged.row is not None
        writers = self._writers(before, operation, kind, merged.row, stream)
        taken: set[str] = set()
        clashes: list[Clash] = []
        barred, gains = "", False
        for register in merged.changed:
            here, theirs = before.register(kind, register), merged.row.register(kind, register)
            stands, clock = before.clock_of(register), merged.row.clock_of(register)
            gained = len(taken)
            if stands == ZERO:
                taken.add(register)  # nobody has said anything of it here
            elif here == theirs:
                taken |= {register} if writers and self._is_trusted(clock) else set()
            elif _is_fixed(kind, register):
                if self._is_trusted(clock) and all(value == kind.defaults[name] for name, value in here.items()):
                    taken.add(register)  # it was never written here, so it is lost
                elif kind.name not in _DERIVED:
                    barred = barred or next(iter(here))
            elif self._is_trusted(clock) and self._may_change(writers, before, operation, kind, merged.row, register):
                taken.add(register)
                self._stood[conflicts.conflict_id(self._batch, before.id, Clash(register, {}, {}, stands, clock))] = (
                    None
                )
            elif kind.name not in _DERIVED:
                clashes.append(Clash(register, here, theirs, stands, clock))
            gains = gains or (here != theirs and len(taken) > gained)
        if barred and not gains and not clashes:
            return Decided(frozenset(), barred=barred)
        return Decided(frozenset(taken), tuple(clashes))

    def settle(self) -> None:
        """What somebody gave back first, and might not write, has come from who may: nothing is left to decide."""
        batch, kind = self._batch, KINDS["conflict"]
        batch.load(self._stood, lock=True)
        for record_id in self._stood:
            row = batch.row(record_id)
            if row is not None and row.values["state"] == "open":
                batch.write(kind, record_id, {"state": "settled"}, parent_stream=row.stream)

    def _writers(self, before: Row, operation: Operation, kind: Kind, row: Row, stream: str) -> tuple[str, ...]:
        """The accounts of the installation that may change the row, where it is and where it would go."""
        if kind.name in KINDS_OF_RIGHTS:
            return tuple(self._accounts)  # asked before, and by another rule
        return tuple(
            account
            for account in sorted(self._accounts)
            if not self._judge.authorise(
                msgspec.structs.replace(operation, author=account), kind, before, stream=stream, values=row.values
            )
        )

    def _may_change(
        self, writers: Iterable[str], before: Row, operation: Operation, kind: Kind, row: Row, register: str
    ) -> bool:
        if register != flows.FLOW or kind.name not in flows.KINDS_WITH_FLOW:
            return any(True for _ in writers)
        step = msgspec.structs.replace(operation, hlc=row.clock_of(register)[0])
        after = {**before.values, **row.register(kind, register)}
        return any(flows.may_return(self._judge.viewer(one), step, seen=before.values, after=after) for one in writers)

    def _is_trusted(self, clock: Clock) -> bool:
        """Of a replica that has greeted this server, or the server's own; and not of a time after the restore."""
        if self._known is None:
            found = self._batch.connection.execute(
                text("SELECT id FROM replica WHERE community = :community"), {"community": self._batch.community}
            )
            self._known = frozenset(found.scalars()) | {self._server}
        return clock[1] in self._known and ms_of(clock[0]) <= self._epoch.since


def _is_fixed(kind: Kind, register: str) -> bool:
    if kind.name in KINDS_OF_RIGHTS:
        return kind.policy(register) is Policy.ONCE
    return kind.name == "dispute_status" or (register != DELETED and kind.policy(register) in _FIXED)
