"""A greeting of a PC that has everything: the list of streams is named by its digest and not told twice."""

from servers import Device, Server
from stations import Station, visit
from sync import wire


def test_a_list_that_is_known_is_not_told_again(server: Server, secretary: Device) -> None:
    def greeted(level: str) -> wire.HelloReply:
        message = wire.Hello(
            device=secretary.replica, schema=wire.SCHEMA, app="test", time=secretary.clock.now, level=level
        )
        return secretary.ask("hello", message, wire.HelloReply)

    told = greeted("").streams
    assert told
    again = greeted(wire.digest_heads(reversed(told)))
    assert again.is_level
    assert again.streams == []
    other = greeted(wire.digest_heads(told[1:]))
    assert not other.is_level
    assert other.streams == told


def test_a_pc_in_step_asks_once_and_little_is_said(server: Server, first: Station, second: Station) -> None:
    first.sync()
    del first.line.asked[:]
    outcome = first.sync()
    assert outcome.verified
    assert first.line.asked == ["hello"]
    second.save([visit(server, second)])
    second.sync()
    assert first.sync().pulled == 1
    assert first.rows("visit") == second.rows("visit")
