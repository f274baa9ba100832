"""A server put back by hand or by the command, and devices that give back what they hold, step by step."""

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, insert

from servers import Device, Server
from sync import wire
from sync.domain.checks import row_check
from sync.domain.merge import Row
from sync.domain.operations import DELETED, Operation
from sync.server.storage import epochs, schema

_Backup = dict[str, list[dict[str, Any]]]


def written(server: Server, function: Any) -> Any:
    """What a storage function answers."""
    return server.service._runner.write_now(function)


def backup(server: Server) -> _Backup:
    """All tables as they are."""

    def read(connection: Connection) -> _Backup:
        return {
            table.name: [dict(row) for row in connection.execute(table.select()).mappings()]
            for table in schema.metadata.sorted_tables
        }

    kept: _Backup = written(server, read)
    return kept


def restore(server: Server, kept: _Backup) -> None:
    """All tables as they were: a database put back by hand, which knows nothing of it."""

    def write(connection: Connection) -> None:
        for table in schema.metadata.sorted_tables:
            connection.execute(table.delete())
            if kept[table.name]:
                connection.execute(insert(table), kept[table.name])

    written(server, write)
    server.service._rights.forget()


def greet(device: Device, *, batch: int = 0) -> str:
    """Greet as a client does, with what it has been told before; the epoch."""
    message = wire.Hello(
        device=device.replica,
        schema=wire.SCHEMA,
        app="test",
        time=device.clock.now,
        epoch=device.epoch,
        batches=[(batch, "0" * 32)] if batch else [],
        cursors=device.cursors,
    )
    reply = device.ask("hello", message, wire.HelloReply)
    if reply.epoch != device.epoch:
        device.epoch, device.batch = reply.epoch, reply.batch
        device.cursors = dict.fromkeys(device.cursors, 0)
    return reply.epoch


def asked_back(device: Device, rows: Iterable[Row]) -> list[str]:
    """Tell the server what is held; the ids it wants."""
    held = list(rows)
    message = wire.Digests(
        device=device.replica,
        epoch=device.epoch,
        schema=wire.SCHEMA,
        id=[row.id for row in held],
        check=[row_check(row.id, row.clock, row.clocks) for row in held],
    )
    return [held[place].id for place in device.ask("digests", message, wire.DigestsReply).want]


def state(row: Row, **changed: Any) -> Operation:
    """The row as it is given back."""
    hlc, device = row.clock
    fields = {**row.values, DELETED: row.deleted}
    whole = Operation(
        kind=row.kind, id=row.id, action="state", fields=fields, hlc=hlc, device=device, clocks=dict(row.clocks)
    )
    return msgspec.structs.replace(whole, **changed)


def give_back(device: Device, *, rows: dict[str, Row] | None = None) -> list[str]:
    """Give back all that is wanted of all that is held; the ids."""
    held = rows if rows is not None else device.rows
    wanted = asked_back(device, held.values())
    if wanted:
        device.accepted(*(state(held[record_id]) for record_id in wanted))
    return wanted


@pytest.fixture
def head(server: Server, secretary: Device) -> Device:
    device = server.person(secretary, "building_head", "building", "b1")
    device.pull()
    return device


@pytest.fixture
def staff(server: Server, secretary: Device) -> Device:
    device = server.person(secretary, "station_staff", "compound", "compound")
    device.pull()
    return device


def begin_anew(server: Server) -> epochs.Epoch:
    """What the restore command does in the end."""
    made: epochs.Epoch = written(server, lambda c: epochs.begin_anew(c, now=server.clock.now))
    return made
