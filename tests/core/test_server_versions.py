"""Clients of other versions, batches that come again by another way, and the keys of the server."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from servers import START, Device, Server, new, patch, running
from sync import wire
from sync.domain import upgrades
from sync.domain.catalogue import KINDS
from sync.domain.ids import new_id
from sync.domain.merge import Row
from sync.domain.operations import Operation
from sync.server import older
from sync.server.batches import taken_apart
from sync.server.storage.push import Caller, push


@pytest.fixture
def head(server: Server, secretary: Device) -> Device:
    return server.person(secretary, "building_head", "building", "b1")


def page(device: Device, *, schema: int) -> wire.PullReply:
    """The first page as a client of this version gets it."""
    message = wire.Pull(device=device.replica, epoch=device.epoch, schema=schema, streams=device.cursors)
    return device.ask("pull", message, wire.PullReply)


def body(device: Device, *operations: Operation, schema: int) -> bytes:
    return wire.encode(msgspec.structs.replace(wire.decode(device.body(operations), type_=wire.Push), schema=schema))


def test_an_older_client_gets_the_kinds_it_knows_and_all_positions(server: Server, head: Device) -> None:
    visit = server.visit("b1-101")
    attached = new(
        "attachment",
        new_id(START),
        record_kind="visit",
        record_id=visit.id,
        sha256="0" * 64,
        size=7,
        media_type="image/png",
        name="a.png",
    )
    head.accepted(visit, attached)
    head.hello()
    head.pull()
    reader = head.clone()
    reader.hello()
    reader.cursors = dict.fromkeys(head.cursors, 0)
    older_page, newer_page = page(reader, schema=1), page(reader, schema=wire.SCHEMA)
    assert {table.kind for table in newer_page.tables} - {table.kind for table in older_page.tables} == {"attachment"}
    assert older_page.cursors == newer_page.cursors
    below = wire.Pull(device=reader.replica, epoch=reader.epoch, schema=0, streams={})
    answer = reader.send("pull", wire.encode(below))
    assert (answer.status_code, answer.json()) == (426, {"code": "upgrade", "params": {"least": wire.SCHEMA_MIN}})


def test_fields_that_came_later_are_left_out_and_their_clocks_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = KINDS["privacy_notice"]
    fields = {name: replace(field, since=2 if name == "way" else 1) for name, field in kind.fields.items()}
    assert "way" in fields
    monkeypatch.setitem(KINDS, "privacy_notice", replace(kind, fields=fields))  # type: ignore[arg-type]
    older._newer.cache_clear()
    clocks = {"way": (2, 2)}
    row = Row("i", "privacy_notice", "s", {"way": "phone", "household_id": "h"}, (1, 1), clocks)
    plain = Row("j", "privacy_notice", "s", {"household_id": "h"}, (1, 1))
    try:
        trimmed = older.rows([(row, 4), (plain, 5)], schema=1)
        assert trimmed == [(replace(row, values={"household_id": "h"}), 4), (plain, 5)]
        assert older.rows([(row, 4)], schema=2) == [(row, 4)]
    finally:
        older._newer.cache_clear()


@pytest.mark.parametrize("schema", [0, 1])
def test_what_an_older_client_sends_is_brought_up_to_date(
    server: Server, head: Device, monkeypatch: pytest.MonkeyPatch, schema: int
) -> None:
    def renamed(operation: Operation) -> Operation:
        fields = {{"remark": "note"}.get(name, name): value for name, value in operation.fields.items()}
        return msgspec.structs.replace(operation, fields=fields)

    monkeypatch.setitem(upgrades.STEPS, 1, renamed)  # type: ignore[arg-type]
    head.hello()
    visits = [server.visit("b1-101", remark="said so"), server.visit("b1-102", note="as ever")]
    first = head.send("push", body(head, *map(head.stamped, visits), schema=schema))
    assert wire.decode(first.content, type_=wire.PushReply).refused == []
    head.batch = 1
    head.pull()
    assert [head.rows[visit.id].values["note"] for visit in visits] == ["said so", "as ever"]
    assert head.refused(server.visit("b1-101", remark="too new")) == [(0, "schema", "remark")]


def by_bundle(server: Server, device: Device, sent: bytes) -> bytes:
    """The answer to a batch that came with others in a bundle."""
    caller = Caller(device.community, device.installation, frozenset(device.accounts))
    batched = taken_apart(wire.decode(sent, type_=wire.Push), sent)
    desk = server.service._desk
    now = server.clock.now
    answer: bytes = server.service._runner.write_now(
        lambda c: push(c, desk, caller, batched, now=now, keep_answer=True)
    )
    return answer


def test_an_earlier_batch_of_a_bundle_gets_its_answer_by_either_way(server: Server, head: Device) -> None:
    head.hello()
    sent: list[bytes] = []
    for _ in range(3):
        sent.append(head.body([head.stamped(server.visit("b1-101")), head.stamped(server.visit("b2-101"))]))
        head.batch += 1
    answers = [by_bundle(server, head, one) for one in sent]
    assert head.send("push", head.body([head.stamped(server.visit("b1-102"))])).status_code == 200
    streams = head.hello().streams
    for one, answer in zip(sent, answers, strict=True):
        assert by_bundle(server, head, one) == answer
        assert head.send("push", one).content == answer
    assert head.hello().streams == streams
    head.batch = 1
    other = head.send("push", head.body([]))
    assert (other.status_code, other.json()["code"]) == (409, "forked")


def test_the_server_keeps_its_keys(database: str, tmp_path: Path) -> None:
    def keys(server: Server, device: Device) -> tuple[bytes, bytes]:
        device.http = server.http
        reply = device.hello()
        assert len(reply.signing_key) == len(reply.sealing_key) == 32
        return reply.signing_key, reply.sealing_key

    def forget(connection: Any) -> None:
        connection.execute(text("DELETE FROM meta WHERE key IN ('signing_key', 'sealing_key', 'epoch_since')"))

    with running(tmp_path / "server", database=database) as server:
        device = server.enrol(server.first_code())
        first = keys(server, device)
        epoch = device.epoch
        assert server.service.identity.signing.public == first[0]
        assert server.service.identity.sealing.public == first[1]
        assert "private" not in repr(server.service.identity)
    with running(tmp_path / "server", database=database) as server:
        assert keys(server, device) == first
        server.service._runner.write_now(forget)  # as a database of the first version is
    with running(tmp_path / "server", database=database) as server:
        assert keys(server, device) != first
        assert device.epoch == epoch


def test_a_version_that_no_column_can_hold_is_noted_as_the_largest(server: Server, head: Device) -> None:
    head.hello()
    head.replica += 1 if head.replica < 2**62 else -1
    visit = head.stamped(server.visit("b1-101"))
    assert head.send("push", body(head, visit, schema=2**62)).status_code == 200
    head.pull()
    head.batch = 1
    assert head.refused(patch("visit", visit.id, note="x")) == []
