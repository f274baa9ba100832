"""Rows given back that wait out of sight until they can be placed, and which of them are worth a look in one push.

Their number may be great, and most of them wait for somebody who comes back next week. A row can be let in only when
its parent has come, or when somebody's rights have changed: then all are looked at, some of them in each push. (So they
are once a day: what two pushes at one moment missed of each other is found then.)
"""

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, text

from sync.domain import streams
from sync.domain.catalogue import KINDS
from sync.server.storage.statements import among, ids_json

# One stream for each installation that gave them; nobody reads it.
WAITING = "waiting:"
_BOUNDS = {"first": WAITING, "last": "waiting;"}
LOOKED_AT = 1_000  # rows in one push
_HERE = "community = :community AND stream >= :first AND stream < :last"
_INHERITING = ", ".join(f"'{kind.name}'" for kind in KINDS.values() if kind.inherits)


class _Looked(msgspec.Struct):
    """How far all that waits has been looked at with these rights; ``stream`` is '' at the beginning."""

    rights: str
    stream: str = ""
    seq: int = 0
    is_done: bool = False


class Waiting:
    """What waits in a community, as one push meets it; ``today`` ('YYYY-MM-DD') decides on rights as well."""

    def __init__(self, connection: Connection, community: str, *, today: str) -> None:
        self._connection = connection
        self._bound = {"community": community, **_BOUNDS}
        self._key = WAITING + community
        self._today = today
        self._looked: _Looked | None = None  # to be written at the end

    def are_any(self) -> bool:
        """Whether anything waits at all; most of the time nothing does."""
        found = self._connection.execute(text(f"SELECT 1 FROM record WHERE {_HERE} LIMIT 1"), self._bound)
        return found.first() is not None

    def below(self, parents: Iterable[str]) -> set[str]:
        """The ids of those whose parent is one of these."""
        found = self._connection.execute(
            text(f"SELECT id FROM record WHERE {_HERE} AND {among(self._connection, 'parent')}"),
            {**self._bound, "ids": ids_json(parents)},
        )
        return set(found.scalars())

    def unlooked(self, *, anew: bool) -> set[str]:
        """The next ids of all that wait and lack no parent, until all were looked at since rights last changed.

        ``anew``: this very push changes rights.
        """
        rights = self._rights()
        stored = self._connection.execute(text("SELECT value FROM meta WHERE key = :key"), {"key": self._key}).scalar()
        looked = msgspec.json.decode(stored, type=_Looked) if stored else _Looked("")
        if anew or looked.rights != rights:
            looked = _Looked(rights)
        if looked.is_done:
            return set()
        found = self._connection.execute(
            text(
                f"SELECT id, stream, seq FROM record WHERE {_HERE} "
                "AND (stream > :stream OR (stream = :stream AND seq > :seq)) "
                f"AND (kind NOT IN ({_INHERITING}) OR EXISTS (SELECT 1 FROM record AS p WHERE p.community = :community "
                "AND p.id = record.parent AND (p.stream < :first OR p.stream >= :last))) "
                "ORDER BY stream, seq LIMIT :most"
            ),
            {**self._bound, "stream": looked.stream, "seq": looked.seq, "most": LOOKED_AT},
        ).all()
        if not anew:
            last = found[-1] if found else None
            self._looked = _Looked(
                rights, last.stream if last else "", last.seq if last else 0, is_done=len(found) < LOOKED_AT
            )
        return {line.id for line in found}

    def note(self) -> None:
        """Remember how far it was looked: the last thing in a transaction, so that nobody waits for another here."""
        if self._looked is not None:
            self._connection.execute(
                text(
                    "INSERT INTO meta (key, value) VALUES (:key, :value) "
                    "ON CONFLICT (key) DO UPDATE SET value = excluded.value"
                ),
                {"key": self._key, "value": msgspec.json.encode(self._looked).decode()},
            )

    def _rights(self) -> str:
        """Another text whenever somebody may read what he could not: grants, places, the day, people let in on a PC."""
        community = self._bound["community"]
        seq = self._connection.execute(
            text("SELECT seq FROM stream WHERE community = :community AND id = :stream"),
            {"community": community, "stream": streams.community(community)},
        ).scalar()
        let_in = self._connection.execute(
            text("SELECT count(*) FROM installation_account WHERE community = :community"), {"community": community}
        ).scalar()
        return f"{seq} {let_in} {self._today}"
