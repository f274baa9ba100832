"""Stories that hypothesis makes up: each rule is something that happens to somebody; at rest all promises must hold."""

import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sqlalchemy import Connection

import invariants
from ground import Ground
from histories import YEAR, Pc, Story
from sync.domain import demand_moves, dispute_moves, upgrades
from sync.domain.calendar import HOUR, day_of
from sync.domain.catalogue import KINDS
from sync.domain.demand_moves import MoveFacts, MoveIntent
from sync.domain.dispute_moves import DisputeMove
from sync.domain.ids import new_id
from sync.domain.kinds.demands import Demand
from sync.domain.kinds.disputes import Dispute
from sync.domain.operations import Operation, delete, new, patch
from sync.errors import RuleError
from sync.server.storage.batch import Batch
from witness import OF_A_PUSH, SPOILT
from world import rules

MOST_PCS = 5
HOMES = ("b1-101", "b1-102", "b2-101", "b2-102", "b3-101")
WORDS = (  # kind and field of what people put right; all of them texts of a register of their own
    ("visit", "note"),
    ("visit", "contact_person"),
    ("demand", "title"),
    ("demand", "details"),
    ("household", "contact_name"),
    ("household", "emergency_contact"),
    ("resident", "name"),
    ("dispute", "title"),
    ("dispute", "summary"),
    ("care_suggestion", "note"),
)
DELETABLE = ("visit", "demand", "resident", "care_tag", "dispute", "household")
SKEWS = (0, 3 * 60_000, 2 * HOUR, -2 * HOUR, 400 * 24 * HOUR, -400 * 24 * HOUR, 10 * YEAR, -10 * YEAR)
MISHAPS = ("", "", "reply_lost", "late", "cut", "server_dies", *OF_A_PUSH, *SPOILT)
MEANWHILE = ("save", "save", "sync", "move")  # what happens between two requests of a session
MONTHS = (31, 402, 402)  # days: values of what was deleted go, and the last traces of it

who = st.integers(0, 59)  # which PC, and which person there
which = st.integers(0, 59)  # which of what there is
mishaps = st.lists(st.tuples(st.sampled_from(MISHAPS), st.integers(0, 30)), max_size=4)


def _named(drawn: Sequence[tuple[str, int]]) -> list[str]:
    return [f"{name} {count}" if name in ("server_dies", "late") else name for name, count in drawn]


class Machine(RuleBasedStateMachine):
    """What may happen. A subclass names the ground; ``run_so_far`` counts the histories."""

    ground: ClassVar[Ground]
    run_so_far: ClassVar[int] = 0
    met: ClassVar[Counter[str]]  # in how many histories what happened

    def __init__(self) -> None:
        super().__init__()
        type(self).run_so_far += 1
        folder = Path(tempfile.mkdtemp(prefix="history-", dir=self.ground.folder))
        self.story = Story.begun(self.ground, folder)

    def teardown(self) -> None:
        """All comes to rest, unless the story broke off."""
        try:
            if sys.exc_info()[0] is None:
                self.story.quiet()
                invariants.hold(self.story)
                self.met.update(self.story.met())
        finally:
            self.story.close()

    # ------------------------------------------------------------------------------------------- saving

    @rule(who=who, home=st.sampled_from(HOMES))
    def visit(self, who: int, home: str) -> None:
        """Somebody was at a door."""
        pc, account = self._person(who)
        self._save(pc, account, self._visit(pc, account, home))

    @rule(who=who, home=st.sampled_from(HOMES))
    def resident(self, who: int, home: str) -> None:
        """Somebody lives there."""
        pc, account = self._person(who)
        made = new("resident", self._id(pc), **self._place(home), name=self.story.mark())
        self._save(pc, account, [made])

    @rule(who=who, home=st.sampled_from(HOMES), steps=st.integers(0, 2))
    def demand(self, who: int, home: str, steps: int) -> None:
        """Somebody wants something; with the first steps of it."""
        pc, account = self._person(who)
        self._save(pc, account, self._demand(pc, account, home, steps))

    @rule(who=who, home=st.sampled_from(HOMES), which=which)
    def care(self, who: int, home: str, which: int) -> None:
        """Somebody needs care: a tag by the station, a hint by a head, or who looks after the household."""
        pc, account = self._person(who)
        place = self._place(home)
        made = (
            new("care_tag", self._id(pc), **place, category="aged_80", since="2026-11-01"),
            new("care_suggestion", self._id(pc), **place, note=self.story.mark(), suggested_by=account),
            new("care_pairing", self._id(pc), **place, responsible_id=account, since="2026-11-01"),
        )[which % 3]
        self._save(pc, account, [made])

    @rule(who=who)
    def dispute(self, who: int) -> None:
        """Two do not get on."""
        pc, account = self._person(who)
        made = new(
            "dispute",
            self._id(pc),
            compound_id=self.ground.server.places["compound"],
            title=self.story.mark(),
            noticed_on="2026-11-23",
            noticed_by=account,
        )
        self._save(pc, account, [made, self._event("dispute", made.id, pc, account)])

    @rule(who=who)
    def household(self, who: int) -> None:
        """A door that was forgotten, in one of two buildings."""
        pc, account = self._person(who)
        building = self.ground.server.places[("b1", "b2")[who % 2]]
        made = new("household", self._id(pc), building_id=building, room_no="900", contact_name=self.story.mark())
        self._save(pc, account, [made])

    @rule(who=who, words=st.lists(st.tuples(st.sampled_from(WORDS), which), min_size=1, max_size=3))
    def words(self, who: int, words: list[tuple[tuple[str, str], int]]) -> None:
        """Somebody puts words right, in one record or in several of one save."""
        pc, account = self._person(who)
        made = []
        for (kind, field), which in words:
            known = self._known(pc, kind, which)
            if known:
                made.append(patch(kind, known, **{field: self.story.mark()}))
        self._save(pc, account, made)

    @rule(who=who, other=who, words=st.sampled_from(WORDS), which=which, deletes=st.booleans())
    def clash(self, who: int, other: int, words: tuple[str, str], which: int, deletes: bool) -> None:
        """Two people have the same record before them; one may take it away while the other writes."""
        kind, field = words
        (first, account), (second, colleague) = self._person(who), self._person(other)
        both = sorted({*self.story.known(first, kind)} & {*self.story.known(second, kind)})
        if both:
            known = both[which % len(both)]
            self._save(first, account, [patch(kind, known, **{field: self.story.mark()})])
            if deletes and kind in DELETABLE:
                self._save(second, colleague, [delete(kind, known)])
            else:
                self._save(second, colleague, [patch(kind, known, **{field: self.story.mark()})])

    @rule(who=who, which=which, home=st.sampled_from(HOMES), also=st.booleans(), sent=st.booleans())
    def move(self, who: int, which: int, home: str, also: bool, sent: bool) -> None:
        """A demand was meant for another door: it goes to another stream; with other words in the same save."""
        pc, account = self._person(who)
        known = self._known(pc, "demand", which)
        if known:
            place = {**self._place(home), "scope_id": self.ground.server.places[home]}
            more = {"details": self.story.mark()} if also else {}
            made = [patch("demand", known, **place, **more), self._event("demand", known, pc, account)]
            self._save(pc, account, made)
            if sent:
                self.story.sync(pc)

    @rule(who=who, which=which)
    def detail(self, who: int, which: int) -> None:
        """Words that only the station may read, added to a demand."""
        pc, account = self._person(who)
        known = self._known(pc, "demand", which)
        if known:
            building = self.story.value(pc, "demand", known)["building_id"]
            fields = {"demand_id": known, "building_id": building, "title": self.story.mark()}
            self._save(pc, account, [new("demand_detail", self._id(pc), **fields)])

    @rule(who=who, which=which, step=which)
    def step(self, who: int, which: int, step: int) -> None:
        """A demand or a dispute goes one legal step."""
        pc, account = self._person(who)
        kind = ("demand", "dispute")[step % 2]
        known = self._known(pc, kind, which)
        if known:
            self._save(pc, account, self._step(pc, account, kind, known, step))

    @rule(who=who, which=which, state=st.sampled_from(("resolved", "archived", "accepted", "withdrawn")))
    def jump_of_state(self, who: int, which: int, state: str) -> None:
        """A step that the server may refuse: another program's, or one that came too late."""
        pc, account = self._person(who)
        known = self._known(pc, "demand", which)
        if known:
            self._save(pc, account, [patch("demand", known, state=state, result=self.story.mark())])

    @rule(who=who, kind=st.sampled_from(DELETABLE), which=which)
    def delete(self, who: int, kind: str, which: int) -> None:
        """Somebody takes a record away."""
        pc, account = self._person(who)
        known = self._known(pc, kind, which)
        if known:
            self._save(pc, account, [delete(kind, known)])

    @rule(who=who, which=which)
    def spoil(self, who: int, which: int) -> None:
        """What waits cannot be taken."""
        self.story.spoil(self._pc(who), which)

    @rule(who=who, which=which)
    def send_again(self, who: int, which: int) -> None:
        """A person puts right what was refused."""
        self.story.send_again(self._pc(who), which)

    # ------------------------------------------------------------------------------------------- lines, disks, clocks

    @rule(who=who, mishaps=mishaps)
    def sync(self, who: int, mishaps: list[tuple[str, int]]) -> None:
        """A session, whole or broken."""
        pc = self._pc(who)
        self.story.sync(pc, _named(mishaps))
        self._look(pc)

    @rule(who=who, cuts=st.lists(st.tuples(st.sampled_from(("late", "reply_lost")), st.integers(0, 9)), min_size=2))
    def line_that_carries_little(self, who: int, cuts: list[tuple[str, int]]) -> None:
        """Session after session is cut off while it sends: at last what it sent is given up, and cut smaller."""
        for cut in cuts:
            self.story.sync(self._pc(who), ["", *_named([cut])])

    @rule(who=who, twice=st.booleans())
    def sync_well(self, who: int, twice: bool) -> None:
        """A session on a good line; its first batch may arrive twice."""
        pc = self._pc(who)
        pc.line.armed |= {"repeat"} if twice else set()
        assert self.story.sync(pc) is not None
        self._look(pc)

    @rule(who=who, other=who, at=st.integers(1, 5), what=st.sampled_from(MEANWHILE), home=st.sampled_from(HOMES))
    def meanwhile(self, who: int, other: int, at: int, what: str, home: str) -> None:
        """Between two requests of a session somebody saves at this PC, or another one sends its work."""
        pc, account = self._person(who)
        there, colleague = self._person(other)
        left = at

        def after(_path: str) -> None:
            nonlocal left
            left -= 1
            if left:
                return
            self.story.found.add("between two requests")
            if what == "save":
                self._save(pc, account, self._visit(pc, account, home))
                self.words(who, [(WORDS[at], who), (WORDS[-at], other)])
            elif there is not pc:
                if what == "move":
                    self.move(other, at, home, also=True, sent=False)
                self._save(there, colleague, self._visit(there, colleague, home))
                self.story.sync(there)

        pc.line.after = after
        try:
            self.story.sync(pc)
        finally:
            pc.line.after = lambda _: None
        self._look(pc)

    @rule(who=who, home=st.sampled_from(HOMES), lost=st.sampled_from(("push_lost", "late 3")))
    def reset_after_a_lost_reply(self, who: int, home: str, lost: str) -> None:
        """No answer came, so somebody has everything downloaded again: what flies is still in flight."""
        pc, account = self._person(who)
        self._save(pc, account, self._visit(pc, account, home))
        self.story.sync(pc, [lost] if lost in OF_A_PUSH else ["", lost])
        self.story.reset(pc)

    @rule(who=who, statements=st.integers(0, 120), saving=st.booleans(), home=st.sampled_from(HOMES))
    def power_cut(self, who: int, statements: int, saving: bool, home: str) -> None:
        """The power fails while somebody saves or the PC syncs."""
        pc, account = self._person(who)
        made = self._visit(pc, account, home)

        def doing() -> None:
            if saving:
                self._save(pc, account, made)
            else:
                self.story.sync(pc)

        self.story.power_cut(pc, statements // (8 if saving else 1), doing)
        self._look(pc)

    @rule(who=who, room=st.integers(0, 3), home=st.sampled_from(HOMES), times=st.integers(1, 3))
    def full_disk(self, who: int, room: int, home: str, times: int) -> None:
        """The disk is full while somebody saves and the PC syncs."""
        pc, account = self._person(who)

        def doing() -> None:
            for _ in range(times):
                made = self._visit(pc, account, home)
                self._save(pc, account, [*made, *self._demand(pc, account, home, 2)])
            self.story.sync(pc)

        self.story.full_disk(pc, room, doing)
        self._look(pc)

    @rule(who=who, ahead_ms=st.sampled_from(SKEWS))
    def clock(self, who: int, ahead_ms: int) -> None:
        """The PC's clock jumps."""
        self.story.jump(self._pc(who), ahead_ms)

    @rule(ms=st.integers(1, 30 * 60_000))
    def time(self, ms: int) -> None:
        """Time passes."""
        self.ground.clock.now += ms

    @rule(who=who)
    def reset(self, who: int) -> None:
        """Somebody asks to download everything again."""
        self.story.reset(self._pc(who))

    @precondition(lambda self: not self.story.calm and len(self.story.pcs) < MOST_PCS)
    @rule(who=who, words=st.sampled_from(WORDS), which=which, both=st.booleans())
    def clone(self, who: int, words: tuple[str, str], which: int, both: bool) -> None:
        """A disk image is put on a second PC; at once both may be used, for the same record at the same moment."""
        pc, account = self._person(who)
        twin = self.story.clone(pc)
        known = self._known(pc, words[0], which)
        for one in (pc, twin) if both and known else ():
            self._save(one, account, [patch(words[0], known, **{words[1]: self.story.mark()})])

    @precondition(lambda self: not self.story.calm)
    @rule(who=who)
    def keep_copy(self, who: int) -> None:
        """Somebody copies the file."""
        self.story.keep_copy(self._pc(who))

    @precondition(lambda self: not self.story.calm)
    @rule(who=who)
    def put_back_copy(self, who: int) -> None:
        """The disk breaks; the copy takes its place."""
        self.story.put_back(self._pc(who))

    # ------------------------------------------------------------------------------------------- the server

    @precondition(lambda self: not self.story.calm)
    @rule()
    def keep_backup(self) -> None:
        """The night's backup of the server."""
        self.story.keep_backup()

    @precondition(lambda self: not self.story.calm)
    @rule(told=st.booleans())
    def restore(self, told: bool) -> None:
        """The server's disk breaks; the backup takes its place, by the command or behind its back."""
        self.story.restore(told=told)

    @precondition(lambda self: self.story.calm)
    @rule(who=who, which=which, days=st.sampled_from(MONTHS))
    def months_pass(self, who: int, which: int, days: int) -> None:
        """Somebody takes a record away; months pass before the others sync again, and the server purges."""
        pc, account = self._person(who)
        for kind in (*DELETABLE[which % len(DELETABLE) :], *DELETABLE):
            known = self._known(pc, kind, which)
            if known and self.story.save(pc, account, [delete(kind, known)]):
                break
        self.story.sync(pc)
        self.story.months_pass(days)

    @precondition(lambda self: self.story.calm)
    @rule(who=who, other=who, home=st.sampled_from(HOMES), saves=st.booleans())
    def stick(self, who: int, other: int, home: str, saves: bool) -> None:
        """What waits is carried to the centre, and the answer back; meanwhile somebody saves, or a colleague syncs."""
        pc, account = self._person(who)
        if pc.schema < upgrades.SCHEMA:
            return
        self._save(pc, account, self._visit(pc, account, home))

        def meanwhile() -> None:
            if saves:
                self._save(pc, account, self._visit(pc, account, home))
            else:
                self.story.sync(self._pc(other))

        self.story.carry(pc, meanwhile)
        self._look(pc)

    @precondition(lambda self: self.story.calm)
    @rule(who=who, kind=st.sampled_from(("visit", "resident", "demand")), which=which, ghost=st.booleans())
    def damage(self, who: int, kind: str, which: int, ghost: bool) -> None:
        """A hole that nobody thought of: a row is missing in a file, or one too many in it. Comparing must find it."""
        pc = self._pc(who)
        if pc.schema == upgrades.SCHEMA:  # older programs do not compare
            self.story.damage(pc, kind, which, ghost=ghost)

    # ------------------------------------------------------------------------------------------- programs

    @initialize(calm=st.booleans(), old=st.sets(st.integers(0, 2), max_size=1))
    def begin(self, calm: bool, old: set[int]) -> None:
        """One of two sorts of histories; a PC may have been left behind by an update."""
        self.story.calm = calm
        for place in old:
            self.story.pcs[place].schema = 1

    @rule(who=who)
    def update(self, who: int) -> None:
        """The present program opens the file."""
        self.story.update(self._pc(who))

    @rule(who=who, which=which)
    def attachment(self, who: int, which: int) -> None:
        """A picture of a demand: a kind that older programs do not know."""
        pc, account = self._person(who)
        known = self._known(pc, "demand", which)
        if known and pc.schema >= KINDS["attachment"].since:
            fields = {"sha256": "ab" * 32, "size": 3, "media_type": "image/png", "name": self.story.mark()}
            made = new("attachment", self._id(pc), record_kind="demand", record_id=known, recorded_by=account, **fields)
            self._save(pc, account, [made])

    # ------------------------------------------------------------------------------------------- rights

    @rule(who=who)
    def rights(self, who: int) -> None:
        """Somebody loses the post, or gets it back."""
        _, account = self._person(who)
        grants = [row for row in self.ground.rows().values() if row.kind == "grant"]
        for pc in self.story.pcs:
            if account in pc.accounts:
                self.story.held.pop(pc.name, None)  # what it may give back changes meanwhile
        for grant in grants:
            if grant.values["account_id"] == account:
                write_grant(self.ground, grant.id, None if grant.values["valid_to"] else "2020-01-01")

    # ------------------------------------------------------------------------------------------- small things

    def _look(self, pc: Pc) -> None:
        invariants.no_cursor_passed_a_row(self.story, pc)
        invariants.whole_on_the_disk(pc)

    def _pc(self, who: int) -> Pc:
        return self.story.pcs[who % len(self.story.pcs)]

    def _person(self, who: int) -> tuple[Pc, str]:
        pc = self._pc(who)
        return pc, pc.accounts[who // 5 % len(pc.accounts)]

    def _save(self, pc: Pc, account: str, operations: Sequence[Operation]) -> None:
        if operations:
            self.story.save(pc, account, operations)

    def _known(self, pc: Pc, kind: str, which: int) -> str:
        found = self.story.known(pc, kind)
        return found[which % len(found)] if found else ""

    def _id(self, pc: Pc) -> str:
        return new_id(max(0, pc.station.clock()))

    def _place(self, home: str) -> dict[str, str]:
        places = self.ground.server.places
        return {"household_id": places[home], "building_id": places[home.partition("-")[0]]}

    def _now(self, pc: Pc) -> int:
        return max(0, pc.store.now())

    def _visit(self, pc: Pc, account: str, home: str) -> list[Operation]:
        made = new(
            "visit",
            self._id(pc),
            **self._place(home),
            visited_on="2026-11-23",
            visitor_ids=[account],
            recorded_by=account,
            recorded_at=self._now(pc),
            note=self.story.mark(),
        )
        return [made]

    def _demand(self, pc: Pc, account: str, home: str, steps: int) -> list[Operation]:
        places = self.ground.server.places
        made = new(
            "demand",
            self._id(pc),
            **self._place(home),
            compound_id=places["compound"],
            scope_id=places[home],
            title=self.story.mark(),
            category="01",
            reported_at=self._now(pc),
            recorded_by=account,
        )
        return [made, *(self._event("demand", made.id, pc, account) for _ in range(steps))]

    def _event(self, kind: str, record_id: str, pc: Pc, account: str) -> Operation:
        fields = {f"{kind}_id": record_id, "at": self._now(pc), "by": account, "note": self.story.mark()}
        return new(f"{kind}_event", self._id(pc), **fields)

    def _step(self, pc: Pc, account: str, kind: str, record_id: str, step: int) -> list[Operation]:
        act = pc.store.act(account)
        record = KINDS[kind].record(record_id, self.story.value(pc, kind, record_id))
        mark = self.story.mark()
        day = day_of(self._now(pc))
        try:
            if isinstance(record, Demand):
                moves = demand_moves.moves_for(act.viewer, record, now=act.now, finished_at=record.resolved_at)
                if not moves:
                    return []
                wanted = MoveIntent(
                    note=mark,
                    result=self.story.mark(),
                    close_kind="substantive",
                    replied_on=day,
                    reply_mode="phone",
                    evaluation="satisfied",
                    handler_id=account,
                    level="station",
                )
                name = moves[step // 2 % len(moves)].name
                return demand_moves.move(act, record, name, wanted, MoveFacts(finished_at=record.resolved_at))
            assert isinstance(record, Dispute)
            names = dispute_moves.moves_for(act.viewer, record, now=act.now)
            if not names:
                return []
            mediators = (self.story.pcs[2].accounts[1],)
            asked = DisputeMove(
                note=mark,
                result=self.story.mark(),
                risk="green",
                category="02",
                due_on=day,
                mediator_ids=mediators,
                parties_agreed=True,
                ways_told=True,
                dossier_complete=True,
            )
            name = names[step // 2 % len(names)].name
            return dispute_moves.move(act, record, name, asked, categories=rules().dispute_categories)
        except RuleError:
            return []  # the step needs more than was entered


def write_grant(ground: Ground, grant: str, until: str | None) -> None:
    """The secretary lets a post end, or go on."""
    server = ground.server

    def write(connection: Connection) -> None:
        replica = server.service.identity.replica
        batch = Batch(connection, server.community, replica=replica, now=ground.clock.now)
        batch.load([grant], lock=True)
        batch.write(KINDS["grant"], grant, {"valid_to": until})
        batch.finish()

    ground.write(write)


def machine_on(ground: Ground) -> type[Machine]:
    """The machine over a ground, with a count of its own."""
    return type(
        f"MachineOn{'Sqlite' if ground.server.service.settings.embedded else 'Postgresql'}",
        (Machine,),
        {
            "ground": ground,
            "run_so_far": 0,
            "met": Counter(),
        },
    )
