"""Kill after kill: two PCs and a server, each a process, ended at any moment, and every save accounted for."""

import random
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from litestar import Litestar

import serving
from postgresql import PostgreSQL
from saving_pc import POINTS, Job, Settled
from servers import Server, ServerClock
from serving import Serving, free_port
from starter import Process, Starter
from sync.client.api import open_client
from sync.client.enrolment import enrol
from sync.domain.checks import row_check
from sync.server.storage.history import EVERY_WRITE
from sync.store.store import Store, wall_ms
from world import KEY, rules

MODULES = (serving.MODULE, "saving_pc")
HOMES = ("b1-101", "b1-102", "b2-101", "b2-102", "b3-101")
LONGEST_S = 0.3  # of work before the PCs are ended


@dataclass(slots=True)
class Tally:
    """What was done and what was found."""

    rounds: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    saves: int = 0  # promised on the screen
    answered: int = 0  # operations whose acceptance a PC has seen
    quarantined: int = 0
    lost: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)
    unkept: set[str] = field(default_factory=set)  # answered, and not on the server's disk after the kill
    unsound: set[str] = field(default_factory=set)
    unequal: set[str] = field(default_factory=set)

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not any(self.found().values())

    def found(self) -> dict[str, set[str]]:
        """What must not be, by its name."""
        return {
            "lost": self.lost,
            "doubled": self.doubled,
            "answered and not kept": self.unkept,
            "databases unsound": self.unsound,
            "streams unequal": self.unequal,
        }

    def add(self, other: "Tally") -> None:
        """Count another trial in."""
        self.rounds += other.rounds
        self.killed += other.killed
        self.saves += other.saves
        self.answered += other.answered
        self.quarantined += other.quarantined
        for mine, theirs in zip(self.found().values(), other.found().values(), strict=True):
            mine |= theirs

    def __str__(self) -> str:
        kills = ", ".join(f"{name} {count}" for name, count in sorted(self.killed.items()))
        done = f"{self.rounds} rounds, {self.killed.total()} kills ({kills}); {self.saves} saves promised"
        return f"{done}, {self.answered} answered, {self.quarantined} quarantined; " + ", ".join(
            f"{name} {len(what)}" for name, what in self.found().items()
        )


@dataclass(slots=True)
class Person:
    """One PC: its file, its account, what its lives have said."""

    name: str
    store: Path
    account: str
    said: Path
    read: int = 0  # lines looked at
    heard: int = 0  # bytes
    saved: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    settled: Settled | None = None

    def wait_for_a_word(self, life: Process) -> None:
        """Until this life has said something, or has ended."""
        heard = self.said.stat().st_size if self.said.exists() else 0
        while heard <= self.heard and not life.wait(0.002):
            heard = self.said.stat().st_size if self.said.exists() else 0

    def listen(self) -> None:
        """Take in what was said since the last time."""
        text = self.said.read_text("utf-8") if self.said.exists() else ""
        lines = text[: text.rfind("\n") + 1].splitlines()
        for line in lines[self.read :]:
            word, _, rest = line.partition(" ")
            if word == "saved":
                self.saved.add(rest)
            elif word == "answered":
                self.answered.update(mark for mark in rest.split()[1:])
            elif word == "settled":
                self.settled = msgspec.json.decode(rest, type=Settled)
            elif word != "failed":
                raise AssertionError(f"{self.name}: " + "\n".join(lines[self.read :][-40:]))
        self.read = len(lines)
        self.heard = len(text.encode())


class Trial:
    """A server over one engine and two PCs; ``round`` does one kill and counts.

    ``anew``: started from the command line, on PostgreSQL with two workers.
    """

    def __init__(
        self, folder: Path, starter: Starter, *, postgresql: PostgreSQL | None, seed: int = 0, anew: bool = False
    ) -> None:
        self.tally = Tally()
        self._folder = folder
        self._starter = starter
        self._postgresql = postgresql
        self._database = postgresql.new_database() if postgresql else ""
        self._anew = anew
        self._rng = random.Random(seed)
        self._workers = 2 if anew and postgresql else 1
        self._serving = Serving(
            starter, folder / "server", free_port(), self._database, anew=anew, workers=self._workers
        )
        self._lives = 0
        self._server = self._serving.start()
        self._homes: list[tuple[str, str]] = []
        self._people = self._let_in()

    # ------------------------------------------------------------------------------------------- a round

    def ways(self) -> list[str]:
        """The ways of dying, each in its turn."""
        ways = ["statement", "moment", "server moment"]
        for point in POINTS:
            ways += [point, f"server {point}"]
        ways += ["push late", "server push late", "server push late"]
        if self._postgresql:
            ways += ["postgresql", "postgresql", "postgresql and server"]
        if self._workers > 1:
            ways[:0] = ["worker", "worker"]
        return ways

    def round(self, way: str) -> None:
        """Work, die in one way, start again, sync, and look whether everything is where it was promised to be."""
        self._lives += 1
        jobs = [self._job(person, way if person is self._people[0] else "") for person in self._people]
        pcs = [self._live(person, job) for person, job in zip(self._people, jobs, strict=True)]
        for person, pc in zip(self._people, pcs, strict=True):
            person.wait_for_a_word(pc)
        self._let_die(way, pcs)
        for pc in pcs:
            self.tally.killed["pc"] += pc.end() == -9
        for person in self._people:
            person.listen()
        self._revive()
        self._look_at_the_disk()
        self._settle()
        self._account()
        self.tally.rounds += 1

    def finish(self) -> Tally:
        """Both PCs hold what the server holds; the server's database is sound."""
        self._settle()
        self._compare()
        self._examine()
        return self.tally

    def close(self) -> None:
        """End the server."""
        if self._server.alive:
            self._server.end()

    def _job(self, person: Person, way: str) -> Job:
        job = Job(str(person.store), self._serving.url, person.account, person.name, self._lives, self._homes)
        server, _, point = way.partition(" ") if way.startswith("server ") else ("", "", way)
        if way == "statement":
            job.die_at = self._rng.randrange(1, 1500)
        point, _, late = point.partition(" ")
        if point in POINTS:
            job.point = point
            job.count = self._rng.randrange(1, 5)
            job.victim = str(self._server.pid) if server else "me"
            job.late_ms = self._rng.uniform(0.1, 25.0) if late else 0.0
        return job

    def _let_die(self, way: str, pcs: list[Process]) -> None:
        if way.startswith("postgresql"):
            assert self._postgresql is not None
            self._some_time()
            self._postgresql.stop_at_once()
            self.tally.killed["postgresql"] += 1
            if way.endswith("server"):
                self._end_server()
        elif way == "worker":
            self._some_time()
            self.tally.killed["worker"] += self._serving.kill_worker(self._server)
            self._some_time()
        elif way == "moment":
            self._some_time()
        elif way == "server moment":
            self._some_time()
            self._end_server()
        elif way.startswith("server "):
            assert self._server.wait(30), way
            self._end_server()
        else:
            assert pcs[0].wait(30), way

    def _some_time(self) -> None:
        threading.Event().wait(self._rng.uniform(0.02, LONGEST_S))

    def _end_server(self) -> None:
        self.tally.killed["server"] += self._server.end() == -9

    # ------------------------------------------------------------------------------------------- processes

    def _live(self, person: Person, job: Job) -> Process:
        argument = msgspec.json.encode(job).decode()
        return self._starter.start("saving_pc", [argument], output=person.said, anew=self._anew)

    def _revive(self) -> None:
        if self._postgresql is not None and not self._postgresql.runs:
            self._postgresql.start()
        if not self._server.alive:
            self._server = self._serving.start()

    def _settle(self) -> None:
        lives = []
        for person in self._people:
            job = self._job(person, "")
            job.settle = True
            person.settled = None
            lives.append(self._live(person, job))
        for person, life in zip(self._people, lives, strict=True):
            ended = life.wait()
            status = life.end()
            person.listen()
            if not ended or status or person.settled is None:
                raise AssertionError(f"{person.name} did not settle ({status}): " + "\n".join(life.said()[-40:]))

    # ------------------------------------------------------------------------------------------- letting in

    def _let_in(self) -> list[Person]:
        people = []
        with open_client(self._serving.url) as http:
            server = Server(Litestar(), http, ServerClock(wall_ms()))
            secretary = server.enrol(self._serving.first_code())
            server.furnish(secretary)
            self._homes = [(server.places[home], server.places[home.partition("-")[0]]) for home in HOMES]
            for name in ("first", "second"):
                done = enrol(http, code=server.invite(secretary, "grid_worker", "compound", "compound"), name=name)
                path = self._folder / f"{name}.db"
                store = Store.create(path, KEY, community_id=done.community_id, rules=rules())
                store.set_state(
                    installation_id=done.installation_id, private_key=done.key.private, server_url=self._serving.url
                )
                store.close()
                people.append(Person(name, path, done.account_id, self._folder / f"{name}.out"))
        self._people = people
        self._settle()
        return people

    # ------------------------------------------------------------------------------------------- the account

    def _ask(self, sql: str) -> list[Any]:
        if not self._database:
            with closing(sqlite3.connect(self._serving.data / "server.db")) as connection:
                return connection.execute(sql).fetchall()
        with psycopg.connect(self._database.replace("+psycopg", "")) as connection:
            return connection.execute(sql).fetchall()

    def _marks(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for row in self._ask(f"SELECT fields FROM ({EVERY_WRITE}) AS history WHERE kind = 'visit'"):
            found[_note(row[0])] += 1
        return found

    def _look_at_the_disk(self) -> None:
        """What a PC saw accepted is there after the kill, before any PC has said it again."""
        kept = self._marks()
        for person in self._people:
            self.tally.unkept |= person.answered - kept.keys()
        if not self._database and self._ask("PRAGMA quick_check") != [("ok",)]:
            self.tally.unsound.add(f"server in round {self.tally.rounds}")

    def _account(self) -> None:
        history = self._marks()
        self.tally.doubled |= {mark for mark, count in history.items() if count > 1 and mark}
        self.tally.saves = self.tally.answered = self.tally.quarantined = 0
        for person in self._people:
            assert person.settled is not None
            if not person.settled.sound:
                self.tally.unsound.add(f"{person.name} in round {self.tally.rounds}")
            kept = history.keys() | set(person.settled.quarantined)
            self.tally.lost |= person.saved - kept
            self.tally.doubled |= history.keys() & set(person.settled.quarantined)
            self.tally.saves += len(person.saved)
            self.tally.answered += len(person.answered)
            self.tally.quarantined += len(person.settled.quarantined)

    def _compare(self) -> None:
        holds: dict[str, tuple[int, int]] = {}
        for stream, record_id, hlc, dev, clocks in self._ask(
            "SELECT stream, id, hlc, dev, clocks FROM record WHERE NOT deleted"
        ):
            count, total = holds.get(stream, (0, 0))
            others = msgspec.json.decode(clocks, type=dict[str, tuple[int, int]]) if clocks else {}
            holds[stream] = (count + 1, total + row_check(record_id, (hlc, dev), others))
        for person in self._people:
            assert person.settled is not None
            for stream, check in person.settled.checks.items():
                if holds.get(stream) != check:
                    self.tally.unequal.add(f"{person.name} {stream}: {check} {holds.get(stream)}")
            if not any(stream.startswith("building:") for stream in person.settled.checks):
                self.tally.unequal.add(f"{person.name} holds nothing")

    def _examine(self) -> None:
        if not self._database:
            if self._ask("PRAGMA integrity_check") != [("ok",)]:
                self.tally.unsound.add("server")
            return
        with psycopg.connect(self._database.replace("+psycopg", "")) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS amcheck")
            bad = connection.execute(
                "SELECT count(*) FROM pg_class c, LATERAL verify_heapam(c.oid) "
                "WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
            ).fetchone()
            connection.execute(
                "SELECT bt_index_check(i.indexrelid, true) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
                "JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'btree' "
                "AND c.relnamespace = 'public'::regnamespace"
            ).fetchall()
            if bad != (0,):
                self.tally.unsound.add("server")


def _note(fields: str) -> str:
    return str(msgspec.json.decode(fields, type=dict[str, Any]).get("note", ""))


@contextmanager
def trial(folder: Path, engine: str, *, seed: int = 0, anew: bool = False) -> Iterator[Trial]:
    """A trial over 'sqlite' or 'postgresql', with everything it has started ended at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    database = PostgreSQL(durable=True) if engine == "postgresql" else None
    try:
        with Starter(*MODULES) as starter:
            made = Trial(folder, starter, postgresql=database, seed=seed, anew=anew)
            try:
                yield made
            finally:
                made.close()
    finally:
        if database is not None:
            database.stop()
