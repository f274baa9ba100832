"""Whatever is sent, the server answers as its description says: no failure of its own, and its memory stays flat."""

import json
import os
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hostile import MIB, hostile
from servers import Device, Server, running
from sync import wire
from sync.domain.operations import Operation, new, patch
from sync.keys.signatures import ENROLMENT_KEY_ID, RequestParts, key_id, sign
from sync.server.openapi import EXCHANGES, description

EXAMPLES = int(os.environ.get("FUZZ", "10"))  # for each way of each endpoint
SCHEMA = schemathesis.openapi.from_dict(description())
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
LOOK = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize="FUZZ" not in os.environ,  # the suite tries the same each time, the long form something new
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """A server of its own for a test's many requests, and the PC that signs them."""

    server: Server
    device: Device

    def ask(self, case: Case) -> httpx.Response:
        """Send a made-up request, signed as an enrolled PC would."""
        prepared = requests.Request(**case.as_transport_kwargs(base_url="http://server.test")).prepare()
        body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body or b""
        target = prepared.path_url
        path, _, query = target.partition("?")
        parts = RequestParts(method=str(prepared.method), path=path, query=query, body=bytes(body))
        signer = ENROLMENT_KEY_ID if path.endswith("/enrol") else self._key_id
        signed = sign(parts, key=self.device.key, key_id=signer, created=self.server.clock.now // 1000)
        headers = {**prepared.headers, "accept-encoding": "", **signed}
        return self.server.http.request(parts.method, target, content=bytes(body), headers=headers)

    @property
    def _key_id(self) -> str:
        return key_id(community=self.device.community, installation=self.device.installation)

    def is_well(self) -> None:
        """The server goes on working: it greets, and takes a visit."""
        self.device.hello()
        self.device.accepted(self.server.visit("b1-101", note="after all that"))


@pytest.fixture
def fuzzed(database: str, tmp_path: Path) -> Iterator[Fuzzed]:
    """A furnished server on each engine."""
    with running(tmp_path, database=database) as server:
        device = server.enrol(server.first_code())
        server.furnish(device)
        device.pull()
        yield Fuzzed(server, device)


def deepened(case: Case, device: Device, deep: bool) -> None:
    """Let every other request through to what lies behind epoch, replica and batch number."""
    if deep and isinstance(case.body, dict):
        known: dict[str, Any] = {
            "epoch": device.epoch,
            "device": device.replica,
            "batch": device.batch + 1,
            "schema": 1,
        }
        known |= {"by": device.author}
        case.body = {name: known.get(name, value) for name, value in case.body.items()}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["as described", "otherwise"])
@pytest.mark.parametrize("name", EXCHANGES)
def test_every_endpoint_answers_as_described(fuzzed: Fuzzed, name: str, mode: GenerationMode) -> None:
    cases: SearchStrategy[Case] = SCHEMA[f"/sync/v1/{name}"]["POST"].as_strategy(generation_mode=mode)

    @LOOK
    @given(cases, st.booleans())
    def look(case: Case, deep: bool) -> None:
        deepened(case, fuzzed.device, deep)
        answer = fuzzed.ask(case)
        case.validate_response(answer, checks=CHECKS)

    look()
    fuzzed.device.batch = fuzzed.device.hello().batch
    fuzzed.is_well()


@pytest.mark.parametrize("knows", [True, False])
def test_the_door_for_bundles_answers_as_described(fuzzed: Fuzzed, knows: bool) -> None:
    notice = fuzzed.server.service.settings.data / "server.door"
    secret = json.loads(notice.read_bytes())["secret"] if knows and notice.exists() else "?"
    operation = SCHEMA["/sync/v1/bundle"]["POST"]

    @LOOK
    @given(st.binary(max_size=2000))
    def look(body: bytes) -> None:
        headers = {"authorization": f"Bearer {secret}", "accept-encoding": ""}
        body = b"qiaomen bundle\n" + body if len(body) % 2 else body
        answer = fuzzed.server.http.post("/sync/v1/bundle", content=body, headers=headers)
        case = operation.Case(body=body, headers=headers, media_type="application/octet-stream")
        case.validate_response(answer, checks=CHECKS)
        assert answer.status_code in {403, 404, 413, 422}

    look()
    fuzzed.is_well()


# ------------------------------------------------------------------------------------------- batches, bent

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["", "\0", "\ud800", "2026-02-30", "state", "new", "deleted", "id", 2**63 - 1, 2**63, -1, 1e308]),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


def places_of(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place inside a JSON value, as the keys and indexes that lead there."""
    if at:
        yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places_of(one, (*at, key))


def bent(value: Any, at: tuple[Any, ...], into: Any) -> None:
    """Put something else in a place."""
    for step in at[:-1]:
        value = value[step]
    value[at[-1]] = into


def some_operations(fuzzed: Fuzzed) -> list[Operation]:
    """What a day's batch holds: new records, a change of a known one, a record that follows another."""
    server, device = fuzzed.server, fuzzed.device
    household = server.places["b1-101"]
    visit = server.visit("b1-102", note="一", visitor_ids=[device.author])
    return [
        server.visit("b1-101", note="今日走访"),
        visit,
        new("building", server.places["b1"][:-4] + "ffff", compound_id=server.places["compound"], name="九号楼"),
        patch("household", household, contact_name="王芳", contact_phone="13800000000"),
        patch("visit", visit.id, note="二"),
    ]


def test_bent_batches_are_refused_and_never_fail(fuzzed: Fuzzed) -> None:
    server, device = fuzzed.server, fuzzed.device
    allowed = {200, 400, 409, 413, 422}
    met: set[int] = set()

    @settings(LOOK, max_examples=EXAMPLES * 12)
    @given(st.data())
    def look(data: st.DataObject) -> None:
        server.clock.now += 1000
        operations = [device.stamped(one) for one in some_operations(fuzzed)]
        message = msgspec.json.decode(device.body(operations))
        for _ in range(data.draw(st.integers(1, 3))):
            places = list(places_of(message))
            bent(message, data.draw(st.sampled_from(places)), data.draw(VALUES))
        answer = device.send("push", json.dumps(message).encode())
        met.add(answer.status_code)
        assert answer.status_code in allowed, answer.text
        if answer.status_code == 200:
            device.batch = wire.decode(answer.content, type_=wire.PushReply).batch

    look()
    assert {200, 400} <= met
    device.batch = device.hello().batch
    fuzzed.is_well()


# ------------------------------------------------------------------------------------------- bodies against memory

FLAT = 64 * MIB  # the inflated body, its message and the framework's copies; the bombs hold twice to eight times that


@pytest.fixture
def peak() -> Iterator[Callable[[], int]]:
    """Bytes of memory that Python holds at the highest since the last question."""
    tracemalloc.start(1)
    held = 0

    def since() -> int:
        nonlocal held
        highest = tracemalloc.get_traced_memory()[1] - held
        tracemalloc.reset_peak()
        held = tracemalloc.get_traced_memory()[0]
        return highest

    yield since
    tracemalloc.stop()


def test_hostile_bodies_are_refused_in_little_memory(
    server: Server, secretary: Device, peak: Callable[[], int]
) -> None:
    for name in ("hello", "push", "enrol"):
        for sort, sent in hostile().items():
            peak()
            answer = secretary.send(name, sent.body, encoding=sent.encoding)
            # Endpoints that need but little say at once that it is too much.
            expected = {sent.status} if name == "push" else {sent.status, 413}
            assert answer.status_code in expected, (name, sort)
            assert peak() < FLAT, (name, sort)


def test_a_wrong_signature_opens_no_body(server: Server, secretary: Device, peak: Callable[[], int]) -> None:
    for sort, sent in hostile().items():
        peak()
        answer = secretary.send("push", sent.body, encoding=sent.encoding, signature="qm=:AAAA:")
        # The length of one that is too large is told before anything is read.
        assert (sort, answer.status_code) == (sort, 413 if sort == "large" else 401)
        assert peak() < 4 * len(sent.body) + MIB, sort


def test_memory_is_given_back(server: Server, secretary: Device, peak: Callable[[], int]) -> None:
    held = []
    for _ in range(4):
        for sent in hostile().values():
            secretary.send("push", sent.body, encoding=sent.encoding)
        held.append(tracemalloc.get_traced_memory()[0])
    assert held[-1] - held[1] < MIB
