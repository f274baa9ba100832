"""How people and PCs are let in: the first code, one-time codes, accounts on one PC, and who may invite whom."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from postgresql import PostgreSQL
from servers import START, Device, Server, running
from sync import wire
from sync.domain.ids import new_id
from sync.domain.operations import new
from sync.keys.signatures import KeyPair

HOUR = 3600 * 1000
AT_ONCE = 16


def test_the_first_code_lets_the_secretary_in_once(server: Server) -> None:
    code = server.first_code()
    device = server.enrol(code.lower().replace("-", " "))
    assert device.author == server.service.identity.secretary
    device.pull()
    (account,) = device.of_kind("account")
    assert account.values["name"] == "社区书记"
    assert [grant.values["role"] for grant in device.of_kind("grant")] == ["community_secretary"]
    assert [row.id for row in device.of_kind("community")] == [server.community]
    answer = server.try_code(code)
    assert (answer.status_code, answer.json()["code"]) == (403, "code_used")


def test_codes_expire_are_unknown_and_run_out_of_tries(server: Server, secretary: Device) -> None:
    code = server.invite(secretary, "building_head", "building", "b1")
    server.clock.now += 72 * HOUR
    assert server.try_code(code).json()["code"] == "code_expired"
    assert server.try_code("ZZZZZ-ZZZZZ").json()["code"] == "code_unknown"
    assert server.try_code("short").json()["code"] == "code_unknown"
    server.try_code("ZZZZZ-ZZZZ1")
    server.try_code("ZZZZZ-ZZZZ2")
    answer = server.try_code("ZZZZZ-ZZZZ3")
    assert (answer.status_code, answer.json()["code"]) == (403, "too_many_tries")
    assert 0 < int(answer.headers["retry-after"]) <= 15 * 60
    server.clock.now += 15 * 60 * 1000
    assert server.try_code("ZZZZZ-ZZZZ4").json()["code"] == "code_unknown"


def test_a_new_code_makes_the_one_before_worthless(server: Server, secretary: Device) -> None:
    account = new_id(START)
    wish = [wire.GrantWish(role="building_head", scope_kind="building", scope_id=server.places["b1"])]
    message = wire.AddPerson(by=secretary.author, account=account, name=" 王秀\n兰\n", title="楼长\t", grants=wish)
    first = secretary.ask("people", message, wire.AddPersonReply)
    assert first.expires_at == server.clock.now + 72 * HOUR
    again = wire.AddPerson(by=secretary.author, account=account)
    second = secretary.ask(f"people/{account}/code", again, wire.AddPersonReply)
    assert server.try_code(first.code).json()["code"] == "code_expired"
    head = server.enrol(second.code)
    assert head.author == account
    head.pull()
    assert (head.rows[account].values["name"], head.rows[account].values["title"]) == ("王秀 兰", "楼长")


def test_a_colleague_joins_a_pc_that_is_enrolled(server: Server, secretary: Device) -> None:
    head = server.person(secretary, "building_head", "building", "b1")
    code = server.invite(secretary, "building_head", "building", "b2")
    message = wire.Enrol(code=code, public_key=head.key.public)
    reply = head.ask("enrol", message, wire.EnrolReply)
    assert reply.installation == head.installation
    head.accepted(server.visit("b2-101"), author=reply.account)
    assert head.refused(server.visit("b2-102")) == [(0, "out_of_scope", "")]
    head.pull()
    assert {row.values["building_id"] for row in head.of_kind("household")} == {
        server.places["b1"],
        server.places["b2"],
    }


def test_the_key_must_be_held_by_whom_it_is_said(server: Server) -> None:
    mine, theirs = KeyPair.generate(), KeyPair.generate()
    device = Device(server.http, server.clock, mine, "enrol", "new", ["x"])
    message = wire.Enrol(code=server.first_code(), public_key=theirs.public)
    answer = device.send("enrol", wire.encode(message))
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
    server.enrol(server.first_code())  # the code was not used up


@pytest.mark.parametrize(
    ("inviter", "role", "scope_kind", "scope", "allowed"),
    [
        ("community_secretary", "branch_secretary", "compound", "compound", True),
        ("community_secretary", "community_secretary", "community", "", True),
        ("community_secretary", "building_head", "building", "far", True),
        ("community_secretary", "building_head", "building", "nowhere", False),
        ("branch_secretary", "building_head", "building", "b1", True),
        ("branch_secretary", "grid_worker", "grid", "grid", True),
        ("branch_secretary", "building_head", "building", "far", False),
        ("branch_secretary", "station_staff", "compound", "other_compound", False),
        ("branch_secretary", "branch_secretary", "compound", "compound", False),
        ("branch_secretary", "community_secretary", "community", "", False),
        ("branch_secretary", "building_head", "community", "", False),
        ("station_staff", "building_head", "building", "b1", False),
        ("building_head", "building_head", "building", "b1", False),
    ],
)
def test_who_may_invite_whom(
    server: Server, secretary: Device, inviter: str, role: str, scope_kind: str, scope: str, allowed: bool
) -> None:
    areas = {"branch_secretary": ("compound", "compound"), "station_staff": ("compound", "compound")}
    by = secretary
    if inviter != "community_secretary":
        by = server.person(secretary, inviter, *areas.get(inviter, ("building", "b1")))
    scope_id = server.places.get(scope, scope) or server.community
    wish = wire.GrantWish(role=role, scope_kind=scope_kind, scope_id=scope_id)
    message = wire.AddPerson(by=by.author, account=new_id(START), name="新人", grants=[wish])
    answer = by.send("people", wire.encode(message))
    assert answer.status_code == (200 if allowed else 403), answer.text


def test_nobody_gets_a_code_for_a_person_above(server: Server, secretary: Device) -> None:
    branch = server.person(secretary, "branch_secretary", "compound", "compound")
    account = secretary.author
    message = wire.encode(wire.AddPerson(by=branch.author, account=account))
    assert branch.send(f"people/{account}/code", message).json()["code"] == "out_of_scope"
    stranger = wire.encode(wire.AddPerson(by=secretary.author, account=new_id(START)))
    assert branch.send("people", stranger).json()["code"] == "out_of_scope"  # not an account of this PC
    other = wire.encode(wire.AddPerson(by=secretary.author, account=branch.author))
    assert secretary.send(f"people/{account}/code", other).json()["code"] == "invalid"


@pytest.mark.parametrize("changed", [{"account": "me"}, {"name": " "}, {"name": "长" * 51}, {"title": "a\0"}])
def test_impossible_people_are_refused(server: Server, secretary: Device, changed: dict[str, str]) -> None:
    wish = [wire.GrantWish(role="building_head", scope_kind="building", scope_id=server.places["b1"])]
    values = {"account": new_id(START), "name": "新人", "title": "", **changed}
    message = wire.AddPerson(by=secretary.author, grants=wish, **values)
    answer = secretary.send("people", wire.encode(message))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_a_code_is_shown_until_the_first_pc_is_enrolled(database: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, database=database) as started:
        first, community = started.first_code(), started.community
    with running(data, database=database) as started:
        assert started.community == community
        assert started.try_code(first).json()["code"] == "code_expired"
        started.enrol(started.first_code())
    with running(data, database=database) as started:
        assert started.service.first_code is None


def test_the_branch_gives_nothing_in_the_whole_community(server: Server) -> None:
    secretary = server.enrol(server.first_code())
    compound, building = new_id(START), new_id(START)
    secretary.accepted(
        new("compound", compound, name="幸福里"), new("building", building, compound_id=compound, name="1号楼")
    )
    server.places["compound"] = compound
    branch = server.person(secretary, "branch_secretary", "compound", "compound")
    wish = wire.GrantWish(role="building_head", scope_kind="community", scope_id=server.community)
    message = wire.AddPerson(by=branch.author, account=new_id(START), name="新人", grants=[wish])
    assert branch.send("people", wire.encode(message)).status_code == 403  # the only compound today, not for ever


def test_wrong_codes_are_counted_for_all_processes_together(postgresql: PostgreSQL, tmp_path: Path) -> None:
    database = postgresql.new_database()
    with (
        running(tmp_path / "one", database=database) as one,
        running(tmp_path / "two", database=database, clock=one.clock) as two,
    ):
        for number, server in enumerate((one, two, one, two, one)):
            assert server.try_code(f"ZZZZZ-ZZZZ{number}").json()["code"] == "code_unknown"
        for server in (one, two):
            assert server.try_code("ZZZZZ-ZZZZ9").json()["code"] == "too_many_tries"
        one.clock.now += 15 * 60 * 1000
        assert two.try_code("ZZZZZ-ZZZZ9").json()["code"] == "code_unknown"


def test_many_may_enrol_and_greet_at_the_same_moment(server: Server, secretary: Device) -> None:
    codes = [server.invite(secretary, "building_head", "building", "b1") for _ in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        devices = list(threads.map(server.enrol, codes))
        assert len({device.installation for device in devices}) == AT_ONCE
        replies = list(threads.map(lambda device: device.hello(), devices))
        assert {reply.batch for reply in replies} == {0}
        # A PC that heard no answer greets again while its first greeting is still waiting for its turn.
        again = [devices[0].clone() for _ in range(AT_ONCE)]
        for device in again:
            device.replica = again[0].replica + 1
        assert {reply.batch for reply in threads.map(lambda device: device.hello(), again)} == {0}
        # One code handed in by many at once lets in one of them.
        code = server.invite(secretary, "building_head", "building", "b1")
        answers = list(threads.map(lambda _: server.try_code(code).status_code, range(4)))
    assert sorted(answers) == [200, 403, 403, 403]
