"""The wire: operations and rows survive columns, bodies are bounded, and damage has a code."""

import contextlib
import gzip
import json
import zlib
from typing import Annotated, Any

import msgspec
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import wire
from sync.domain.merge import Row
from sync.domain.operations import Operation, new, patch
from sync.errors import BadMessage
from sync.wire.messages import Limits

DEVICE = 2**62 + 5
HEAD = "0192a1b2-0000-7000-8000-000000000001"

# ---------------------------------------------------------------------------------------------------- strategies

texts = st.text(st.characters(codec="utf-8"), max_size=8)
names = st.sampled_from(["note", "outcome", "state", "deleted", "phone"])
values = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), texts, st.lists(texts, max_size=3))
instants = st.integers(0, 2**63 - 1)
clocks = st.tuples(instants, instants)
fields = st.dictionaries(names, values, max_size=4)
registers = st.dictionaries(names, clocks, max_size=3)


@st.composite
def operations(draw: st.DrawFn) -> Operation:
    action = draw(st.sampled_from(["new", "patch", "state"]))
    return Operation(
        kind=draw(st.sampled_from(["visit", "demand"])),
        id=draw(st.uuids().map(str)),
        action=action,
        fields=draw(fields),
        hlc=draw(instants),
        device=draw(st.sampled_from([DEVICE, 1])),
        author=draw(st.sampled_from([HEAD, ""])),
        prev=draw(registers) if action == "patch" else {},
        clocks=draw(registers) if action == "state" else {},
    )


rows = st.builds(
    Row,
    id=st.uuids().map(str),
    kind=st.sampled_from(["visit", "demand"]),
    stream=st.sampled_from(["building:1", "community:1"]),
    values=fields,
    clock=clocks,
    clocks=registers,
    deleted=st.booleans(),
)


def pushed(operations: list[Operation]) -> wire.Push:
    return wire.Push(device=DEVICE, batch=7, epoch="e1", schema=1, groups=wire.encode_operations(operations))


def visits(count: int) -> list[Operation]:
    return [
        Operation(
            kind="visit",
            id=f"0192a1b2-0000-7000-8000-{number:012d}",
            action="new",
            fields={"outcome": "met", "note": f"第{number}户 楼道灯坏了"},
            hlc=number,
            device=DEVICE,
            author=HEAD,
        )
        for number in range(count)
    ]


# ---------------------------------------------------------------------------------------------------- columns


@given(st.lists(operations(), max_size=12))
@settings(deadline=None)
def test_operations_survive_columns_json_and_compression_in_their_order(batch: list[Operation]) -> None:
    body = wire.encode(pushed(batch))
    for encoding in (*wire.ENCODINGS, ""):
        received = wire.decompress(wire.compress(body, encoding=encoding), encoding=encoding)
        assert wire.decode_operations(wire.decode(received, type_=wire.Push).groups) == batch


@given(st.lists(st.tuples(rows, instants), max_size=12))
@settings(deadline=None)
def test_rows_survive_columns_and_json(placed: list[tuple[Row, int]]) -> None:
    page = wire.PullReply(tables=wire.encode_rows(placed), exits=[], cursors={}, more=False, streams=[])
    received = wire.decode_rows(wire.decode(wire.encode(page), type_=wire.PullReply).tables)
    # By table; within a table in the order given.
    assert sorted(received, key=repr) == sorted(placed, key=repr)
    alike = [one for one in placed if one[0].kind == "visit" and one[0].stream == "building:1" and not one[0].values]
    assert [one for one in received if one in alike] == alike


def test_operations_that_look_alike_share_a_group() -> None:
    batch = [*visits(3), patch("visit", "a", note="x"), *visits(2), new("demand", "b", title="y")]
    groups = wire.encode_operations(batch)
    assert [(group.kind, group.action, len(group.id)) for group in groups] == [
        ("visit", "new", 5),
        ("visit", "patch", 1),
        ("demand", "new", 1),
    ]
    assert groups[0].at == [0, 1, 1, 2, 1]
    assert wire.decode_operations(groups) == batch


def test_what_is_empty_is_not_sent() -> None:
    group = json.loads(wire.encode(wire.encode_operations(visits(1))[0]))
    assert set(group) == {"kind", "action", "device", "author", "at", "id", "hlc", "fields", "cols"}
    row = Row("a", "visit", "building:1", {"note": ""}, (5, 6))
    table = json.loads(wire.encode(wire.encode_rows([(row, 1)])[0]))
    assert set(table) == {"kind", "stream", "fields", "id", "seq", "hlc", "device", "cols"}


def test_no_operations_are_no_groups() -> None:
    assert wire.encode_operations([]) == []
    assert wire.decode_operations([]) == []
    assert wire.encode_rows([]) == []


def test_a_batch_has_a_largest_size() -> None:
    groups = wire.encode_operations(visits(4))
    assert len(wire.decode_operations(groups, most=4)) == 4
    with pytest.raises(BadMessage, match="too_large") as caught:
        wire.decode_operations(groups, most=3)
    assert caught.value.params == {"most": 3}
    assert Limits() == wire.LIMITS
    assert (wire.LIMITS.operations, wire.LIMITS.json_bytes) == (3000, 4 * 1024 * 1024)


@pytest.mark.parametrize(
    "change",
    [
        {"at": []},
        {"at": [0, 1]},
        {"at": [0, 1, 1, 1]},
        {"at": [0, 0, 1]},
        {"at": [1, 1, 1]},
        {"hlc": [1]},
        {"cols": [["met"] * 3]},
        {"cols": [["met"] * 3, ["x"] * 2]},
        {"fields": ["note", "note"]},
        {"prev_of": ["note"], "prev": []},
        {"prev_of": ["note"], "prev": [[(1, 1)], [(1, 1)], []]},
        {"clocks": [{}]},
    ],
)
def test_columns_that_do_not_fit_together_are_malformed(change: dict[str, Any]) -> None:
    (group,) = wire.encode_operations(visits(3))
    with pytest.raises(BadMessage, match="malformed"):
        wire.decode_operations([msgspec.structs.replace(group, **change)])


@pytest.mark.parametrize("change", [{"seq": []}, {"cols": [[]]}, {"fields": []}, {"clocks": [{}, {}]}])
def test_rows_that_do_not_fit_together_are_malformed(change: dict[str, Any]) -> None:
    (table,) = wire.encode_rows([(Row("a", "visit", "building:1", {"note": ""}, (5, 6)), 1)])
    with pytest.raises(BadMessage, match="malformed"):
        wire.decode_rows([msgspec.structs.replace(table, **change)])


def test_bad_values_are_named_singly() -> None:
    assert wire.bad_values(["a", None, "b"], type_=str | None) == ()
    assert wire.bad_values(["a", 1, "b", None], type_=str) == (1, 3)
    short = Annotated[str, msgspec.Meta(max_length=2)]
    assert wire.bad_values(["ab", "abc"], type_=short) == (1,)


# ---------------------------------------------------------------------------------------------------- messages


MESSAGES = [
    wire.Problem(code="upgrade", params={"least": 2}),
    wire.Hello(
        device=DEVICE,
        schema=wire.SCHEMA,
        app="0.1.0",
        time=1,
        epoch="e1",
        batches=[(1, "d1"), (2, "d2")],
        cursors={"building:1": 5},
    ),
    wire.HelloReply(
        epoch="e1",
        time=2,
        schema=(wire.SCHEMA_MIN, wire.SCHEMA),
        limits=wire.LIMITS,
        batch=2,
        digest="d2",
        streams=[wire.StreamHead("building:1", 9, 3)],
    ),
    pushed(visits(2)),
    wire.PushReply(
        batch=7,
        refused=[wire.Refusal(1, "invalid", "note")],
        conflicts=[wire.Conflict(0, "note")],
        ranges={"s": (4, 5)},
    ),
    wire.Pull(device=DEVICE, epoch="e1", schema=1, streams={"building:1": 5}),
    wire.PullReply(
        tables=[],
        exits=[wire.Exit("building:1", 6, "a", 7, DEVICE)],
        cursors={"building:1": 6},
        more=True,
        streams=[wire.StreamHead("building:1", 9)],
    ),
    wire.Enrol(code="ABCDE-FGHJK", public_key=bytes(32), fingerprint="f", app="0.1.0", name="社区一楼"),
    wire.EnrolReply(community="c1", installation="i1", account=HEAD, time=3, sync_window_s=5400),
    wire.AddPerson(
        by=HEAD,
        account="a2",
        name="王秀英",
        title="楼长",
        grants=[wire.GrantWish(role="head", scope_kind="building", scope_id="b1")],
    ),
    wire.AddPersonReply(account="a2", code="ABCDE-FGHJK", expires_at=9),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_every_message_comes_back(message: msgspec.Struct) -> None:
    assert wire.decode(wire.encode(message), type_=type(message)) == message


def test_what_a_newer_program_adds_is_left_aside() -> None:
    assert wire.decode(b'{"code": "x", "mood": "blue"}', type_=wire.Problem) == wire.Problem(code="x")


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"", "$"),
        (b"<html>sign in</html>", "$"),
        (b"\xff\xfe", "$"),
        (b'{"code": 5}', "$.code"),
        (b'{"code": "a\xff"}', "$"),
        (b'{"code": "\\ud800"}', "$"),
        (b'{"code": "x", "params": {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}", "$"),
    ],
)
def test_what_is_no_message_is_malformed_and_says_where(body: bytes, place: str) -> None:
    with pytest.raises(BadMessage, match="malformed") as caught:
        wire.decode(body, type_=wire.Problem)
    assert caught.value.params == {"at": place}


def test_numbers_stay_within_what_databases_hold() -> None:
    for number in (-1, 2**63):
        with pytest.raises(BadMessage, match="malformed"):
            wire.decode(b'{"device": %d, "schema": 1, "app": "", "time": 1}' % number, type_=wire.Hello)


# ---------------------------------------------------------------------------------------------------- compression


def test_the_same_body_compresses_to_the_same_bytes_and_to_less() -> None:
    body = wire.encode(pushed(visits(200)))
    for encoding in wire.ENCODINGS:
        assert wire.compress(body, encoding=encoding) == wire.compress(body, encoding=encoding)
        assert len(wire.compress(body, encoding=encoding)) < len(body) / 5


def test_a_batch_is_known_by_its_contents() -> None:
    assert wire.digest_batch(b"a") != wire.digest_batch(b"b")
    assert wire.digest_batch(b"") == "cae66941d9efbd404e4d88758ea67670"


@given(st.binary(max_size=300), st.sampled_from(wire.ENCODINGS))
def test_any_body_comes_back(body: bytes, encoding: str) -> None:
    assert wire.decompress(wire.compress(body, encoding=encoding), encoding=encoding) == body


def streamed(body: bytes) -> bytes:
    """A zstd frame that does not tell how large its content is."""
    return zstandard.ZstdCompressor(write_content_size=False, write_checksum=True).compress(body)


def test_a_frame_that_does_not_tell_its_size_is_read_too() -> None:
    body = wire.encode(pushed(visits(100)))
    assert wire.decompress(streamed(body), encoding="zstd") == body


def bombs(size: int) -> list[tuple[str, bytes]]:
    body = bytes(size)
    return [
        ("zstd", zstandard.ZstdCompressor().compress(body)),
        ("zstd", streamed(body)),
        ("gzip", gzip.compress(body)),
        ("", body),
        ("identity", body),
    ]


@pytest.mark.parametrize("number", range(5))
def test_inflating_stops_at_the_limit(number: int) -> None:
    encoding, exactly = bombs(1000)[number]
    assert wire.decompress(exactly, encoding=encoding, limit=1000) == bytes(1000)
    encoding, bomb = bombs(1001)[number]
    with pytest.raises(BadMessage, match="too_large") as caught:
        wire.decompress(bomb, encoding=encoding, limit=1000)
    assert caught.value.params == {"most": 1000}


def test_a_bomb_of_the_product_limit_is_refused() -> None:
    for encoding, bomb in bombs(wire.LIMITS.inflated_bytes + 1):
        with pytest.raises(BadMessage, match="too_large"):
            wire.decompress(bomb, encoding=encoding)


@pytest.mark.parametrize("encoding", wire.ENCODINGS)
def test_a_second_frame_is_refused(encoding: str) -> None:
    one = wire.compress(b"one", encoding=encoding)
    for more in (wire.compress(b"two", encoding=encoding), b"x", b"\0"):
        with pytest.raises(BadMessage, match="damaged_body"):
            wire.decompress(one + more, encoding=encoding)


@pytest.mark.parametrize("encoding", wire.ENCODINGS)
def test_a_cut_off_body_is_refused_wherever_it_is_cut(encoding: str) -> None:
    whole = wire.compress(wire.encode(pushed(visits(20))), encoding=encoding)
    for length in range(len(whole)):
        with pytest.raises(BadMessage, match="damaged_body"):
            wire.decompress(whole[:length], encoding=encoding)


def test_a_cut_off_stream_is_refused_wherever_it_is_cut() -> None:
    whole = streamed(wire.encode(pushed(visits(20))))
    for length in range(len(whole)):
        with pytest.raises(BadMessage, match="damaged_body"):
            wire.decompress(whole[:length], encoding="zstd")


@given(st.binary(max_size=200), st.sampled_from(wire.ENCODINGS))
def test_any_bytes_are_answered_by_a_code_or_read(body: bytes, encoding: str) -> None:
    magic = {"zstd": b"\x28\xb5\x2f\xfd", "gzip": b"\x1f\x8b\x08"}[encoding]
    with contextlib.suppress(BadMessage):
        assert isinstance(wire.decompress(magic + body, encoding=encoding), bytes)


def test_a_frame_that_tells_another_size_is_damaged() -> None:
    # One block of 3 plain bytes, in a frame that tells 2 or 4.
    for told in (2, 4):
        frame = b"\x28\xb5\x2f\xfd" + bytes([0b0010_0000, told]) + (3 << 3 | 1).to_bytes(3, "little") + b"abc"
        with pytest.raises(BadMessage, match="damaged_body"):
            wire.decompress(frame, encoding="zstd")


def test_a_window_larger_than_ours_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, write_content_size=False)
    greedy = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    body = greedy.compress(b"x" * 100) + greedy.flush()
    with pytest.raises(BadMessage, match="too_large"):
        wire.decompress(body, encoding="zstd")


@pytest.mark.parametrize("encoding", ["br", "deflate", "ZSTD", "gzip, zstd"])
def test_an_unknown_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(BadMessage, match="unknown_encoding"):
        wire.decompress(zlib.compress(b"x"), encoding=encoding)


def test_a_batch_is_packed_once_and_one_of_an_earlier_program_is_read_as_it_is() -> None:
    body = wire.encode(pushed(visits(3)))
    packed = wire.packed(body)
    assert len(packed) < len(body)
    assert wire.packed(packed) == packed
    assert wire.unpacked(packed) == wire.unpacked(body) == body
