"""A PC as a program of its own: saves and syncs with a real server until it is killed, and says what was promised.

Each line of its output is written by one call, after the thing it tells: ``saved MARK``, ``answered BATCH MARK …``.
"""

import os
import random
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from sync import wire
from sync.client.api import Api, open_client
from sync.client.session import Session
from sync.domain.checks import row_check
from sync.domain.ids import new_id
from sync.domain.operations import Operation, new, patch
from sync.errors import Offline, ServerTrouble
from sync.keys.signatures import KeyPair
from sync.store import outbox
from sync.store.database import check_integrity
from sync.store.schema import TABLES
from sync.store.store import Store, wall_ms
from world import KEY, rules

T = TypeVar("T")

MOST_SAVES = 12  # between two syncs
TRIES = 400  # of settling, while the server starts
POINTS = ("push", "pushed", "settled", "pull", "pulled")


class Job(msgspec.Struct):
    """What one life of the PC is to do.

    ``households``: (id, building). ``settle``: sync until nothing waits, tell the state of things, end. The PC dies at
    its ``die_at``-th SQL statement, or of the ``victim`` ("" nobody, "me", or a process id) at the ``count``-th time
    that it gets to a ``point``, ``late_ms`` later.
    """

    store: str
    url: str
    account: str
    name: str
    seed: int
    households: list[tuple[str, str]]
    settle: bool = False
    die_at: int = 0
    victim: str = ""
    point: str = ""
    count: int = 1
    late_ms: float = 0.0


class Settled(msgspec.Struct):
    """How a PC stands when it has nothing to send: what it could not send, and its rows by stream."""

    sound: bool
    quarantined: list[str]  # marks
    checks: dict[str, tuple[int, int]]  # stream → living rows, sum of their checks


def say(*words: object) -> None:
    """One whole line, at once."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def mark_of(operation: Operation) -> str:
    """The text that only this operation has brought."""
    return str(operation.fields.get("note", ""))


class WatchedApi(Api):
    """Tells what was answered, and when it comes by a point."""

    reached: Callable[[str], None]

    def push(self, body: bytes) -> wire.PushReply:
        """One batch."""
        self.reached("push")
        reply = super().push(body)
        refused = {refusal.op for refusal in reply.refused}
        sent = wire.decode_operations(wire.decode(wire.unpacked(body), type_=wire.Push).groups)
        say("answered", reply.batch, *(mark_of(one) for at, one in enumerate(sent) if at not in refused))
        self.reached("pushed")
        return reply

    def pull(self, message: wire.Pull) -> wire.PullReply:
        """One page."""
        self.reached("pull")
        reply = super().pull(message)
        self.reached("pulled")
        return reply


class SavingPC:
    """One life of the PC."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._rng = random.Random(f"{job.name} {job.seed}")
        self._store = Store.open(Path(job.store), KEY, rules=rules())
        self._api: WatchedApi | None = None
        self._times = 0
        self._marks = 0
        self._statements = 0
        self._just_pushed = False
        if job.die_at:
            self._store.db.conn.set_trace_callback(self._statement)

    def work(self) -> None:
        """Save and sync for ever."""
        while True:
            for _ in range(self._rng.randrange(1, MOST_SAVES)):
                self._save()
            if self._rng.random() < 0.8:
                self._sync()

    def settle(self) -> None:
        """Sync until nothing waits and tell how things stand."""
        sound = check_integrity(self._store.db)
        done = False
        pause = threading.Event()
        for _ in range(TRIES):
            done = self._sync() and not outbox.pending_counts(self._store.db).unsent
            if done:
                break
            pause.wait(0.05)
        assert done, "never in step"
        state = Settled(sound, self._quarantined(), self._checks())
        say("settled", msgspec.json.encode(state).decode())

    # ------------------------------------------------------------------------------------------- what it does

    def _save(self) -> None:
        mark = f"{self._job.name}.{self._job.seed}.{self._marks}."
        self._marks += 1
        operations = [self._change(mark) if self._rng.random() < 0.4 else self._visit(mark)]
        self._store.save(self._store.act(self._job.account), operations)
        say("saved", mark)

    def _visit(self, mark: str) -> Operation:
        household, building = self._rng.choice(self._job.households)
        now = self._store.now()
        return new(
            "visit",
            new_id(now),
            household_id=household,
            building_id=building,
            visited_on="2026-11-23",
            visitor_ids=[self._job.account],
            recorded_by=self._job.account,
            recorded_at=now,
            note=mark,
        )

    def _change(self, mark: str) -> Operation:
        """Of a recent visit, whoever made it: two PCs change the same ones unseen."""
        rows = self._store.db.conn.execute("SELECT id FROM visit WHERE deleted = 0 ORDER BY id DESC LIMIT 20")
        known = [row[0] for row in rows]
        return patch("visit", self._rng.choice(known), note=mark) if known else self._visit(mark)

    def _sync(self) -> bool:
        with open_client(self._job.url) as http:
            state = self._store.state
            api = WatchedApi.of_installation(
                http,
                key=KeyPair(state.private_key),
                community=state.community_id,
                installation=state.installation_id,
                now_s=lambda: wall_ms() // 1000,
            )
            assert isinstance(api, WatchedApi)
            api.reached = self._reached
            try:
                Session(self._call, api, wall=wall_ms).run()
            except (Offline, ServerTrouble) as error:
                say("failed", error.code)
                return False
        return True

    def _call(self, fn: Callable[[Store], T], /) -> T:
        result = fn(self._store)
        if self._just_pushed:
            self._just_pushed = False
            self._reached("settled")
        return result

    # ------------------------------------------------------------------------------------------- how it ends

    def _reached(self, point: str) -> None:
        self._just_pushed = point == "pushed"
        job = self._job
        if point != job.point or not job.victim:
            return
        self._times += 1
        if self._times == job.count:
            if job.late_ms:
                threading.Timer(job.late_ms / 1000, self._kill).start()
            else:
                self._kill()

    def _statement(self, _: str) -> None:
        self._statements += 1
        if self._statements == self._job.die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def _kill(self) -> None:
        os.kill(os.getpid() if self._job.victim == "me" else int(self._job.victim), signal.SIGKILL)

    # ------------------------------------------------------------------------------------------- how it stands

    def _quarantined(self) -> list[str]:
        bodies = self._store.db.conn.execute("SELECT body FROM quarantine ORDER BY op")
        return [mark_of(msgspec.json.decode(row[0], type=Operation)) for row in bodies]

    def _checks(self) -> dict[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        for table in TABLES.values():
            for cells in self._store.db.conn.execute(f"{table.select} WHERE deleted = 0"):
                row = table.row(cells)
                count, total = found.get(row.stream, (0, 0))
                found[row.stream] = (count + 1, total + row_check(row.id, row.clock, row.clocks))
        return found


def prepare() -> None:
    """What every life needs, once for all."""
    rules()


def main(arguments: list[str]) -> int:
    """Live one life."""
    pc = SavingPC(msgspec.json.decode(arguments[0], type=Job))
    if pc._job.settle:
        pc.settle()
    else:
        pc.work()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
