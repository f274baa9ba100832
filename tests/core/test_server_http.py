"""The HTTP around it: signatures, bodies that are no messages, compression, health, one process on SQLite."""

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from servers import START, Device, Server, ServerClock, running
from sync import wire
from sync.errors import StoreError
from sync.keys.signatures import KeyPair
from sync.server.app import make_app
from sync.server.logs import Lines
from sync.server.openapi import EXCHANGES
from sync.server.settings import Settings

ROOT = Path(__file__).parents[2]


def code_of(answer: object) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]  # type: ignore[attr-defined]


def test_every_endpoint_wants_a_signature(server: Server, secretary: Device) -> None:
    for name in EXCHANGES:
        path = f"/sync/v1/{name.replace('{account}', secretary.author)}"
        assert code_of(server.http.post(path, content=b"{}")) in ((401, "signature_missing"), (400, "malformed"))
    signed = secretary.send("hello", b"{}", signature="qm=:AAAA:")
    assert code_of(signed) == (401, "bad_signature")
    assert code_of(secretary.send("hello", b"{}", signature_input="x")) == (401, "signature_malformed")
    assert code_of(secretary.send("hello", b"{}", content_digest="sha-256=:AAAA:")) == (401, "digest_mismatch")
    secretary.key = KeyPair.generate()
    assert code_of(secretary.send("hello", b"{}")) == (401, "bad_signature")
    secretary.installation = "nobody"
    assert code_of(secretary.send("hello", b"{}")) == (401, "bad_signature")


def test_a_wrong_clock_is_told_the_time(server: Server, secretary: Device) -> None:
    right = server.clock.now
    secretary.clock = ServerClock(right - 3600_000)
    answer = secretary.send("hello", b"{}")
    assert code_of(answer) == (401, "clock_skew")
    assert answer.json()["params"] == {"now": right // 1000}


@pytest.mark.parametrize(
    ("body", "encoding", "expected"),
    [
        (b"", "", (400, "malformed")),
        (b"<html>", "", (400, "malformed")),
        (b'{"device": 1}', "", (400, "malformed")),
        (b"[" * 100_000, "", (400, "malformed")),
        (b"\xff\xfe", "", (400, "malformed")),
        (b"{}", "br", (415, "unknown_encoding")),
        (b"{}", "zstd", (400, "damaged_body")),
        (b"{}", "gzip", (400, "damaged_body")),
        (wire.compress(b"[]" * 100, encoding="zstd")[:-3], "zstd", (400, "damaged_body")),
        (wire.compress(bytes(64 * 1024 * 1024), encoding="zstd"), "zstd", (413, "too_large")),
        (gzip.compress(bytes(32 * 1024 * 1024)), "gzip", (413, "too_large")),
        (b" " * (wire.LIMITS.json_bytes + 1), "", (413, "too_large")),
    ],
    ids=["empty", "html", "fields", "deep", "bytes", "br", "zstd", "gzip", "cut", "zstd-bomb", "gzip-bomb", "large"],
)
def test_bodies_that_are_not_messages(
    server: Server, secretary: Device, body: bytes, encoding: str, expected: tuple[int, str]
) -> None:
    for name in ("hello", "push", "pull", "people"):
        assert code_of(secretary.send(name, body, encoding=encoding)) == expected


def test_too_many_operations_are_too_large(server: Server, secretary: Device) -> None:
    secretary.hello()
    count = wire.LIMITS.operations + 1
    group = wire.Group(
        kind="grid",
        action="new",
        device=secretary.replica,
        author=secretary.author,
        at=[0] + [1] * (count - 1),
        id=["x"] * count,
        hlc=[1] * count,
        fields=[],
        cols=[],
    )
    push = wire.Push(device=secretary.replica, batch=1, epoch=secretary.epoch, schema=1, groups=[group])
    assert code_of(secretary.send("push", wire.encode(push))) == (413, "too_large")


def test_answers_are_compressed_for_who_can_read_them(server: Server, secretary: Device) -> None:
    secretary.hello()
    secretary.pull()
    message = wire.encode(
        wire.Pull(device=1, epoch=secretary.epoch, schema=1, streams=dict.fromkeys(secretary.cursors, 0))
    )
    plain = secretary.send("pull", message)
    for encoding in ("zstd", "gzip"):
        answer = secretary.send("pull", message, accept_encoding=f"br, {encoding}")
        assert answer.headers["content-encoding"] == encoding
        assert int(answer.headers["content-length"]) < len(plain.content) // 2
    sent = secretary.send("pull", wire.compress(message, encoding="gzip"), encoding="gzip")
    assert sent.content == plain.content


def test_health_and_description(server: Server) -> None:
    assert server.http.get("/livez").status_code == 200
    assert server.http.get("/readyz").json() == {"ready": True}
    assert code_of(server.http.get("/nowhere")) == (404, "not_found")
    assert code_of(server.http.get("/sync/v1/push")) == (405, "method_not_allowed")
    for path in ("/schema", "/schema/openapi.json", "/sync/v1/openapi.json"):
        document = server.http.get(path).json()
        assert document["openapi"].startswith("3.1")
        assert {f"/sync/v1/{name}" for name in EXCHANGES} < set(document["paths"])
        assert set(document["paths"]["/sync/v1/bundle"]) == {"post"}
        assert "Push" in document["components"]["schemas"]


def test_a_greeting_tells_limits_and_window(server: Server, secretary: Device) -> None:
    reply = secretary.hello()
    assert reply.schema == (wire.SCHEMA_MIN, wire.SCHEMA)
    assert reply.limits == wire.LIMITS
    assert reply.time == START
    assert reply.sync_window_s == 30
    assert [stream.id for stream in reply.streams] == sorted(stream.id for stream in reply.streams)


def test_an_old_schema_may_push_but_not_pull(server: Server, secretary: Device) -> None:
    secretary.hello()
    message = wire.Pull(device=1, epoch=secretary.epoch, schema=0, streams={})
    assert code_of(secretary.send("pull", wire.encode(message))) == (426, "upgrade")


def test_a_second_server_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with running(tmp_path):
        with pytest.raises(StoreError) as caught:
            make_app(Settings(data=tmp_path))
        assert caught.value.code == "in_use"
        said = serve(tmp_path)
        assert "Another server" in said
        assert "--data" in said
    with running(tmp_path) as again:
        assert again.http.get("/livez").status_code == 200


def test_a_newer_database_is_left_alone(tmp_path: Path) -> None:
    with running(tmp_path) as started:
        started.service._runner.write_now(lambda c: c.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    assert "newer version" in serve(tmp_path)


def serve(data: Path) -> str:
    """What the command line says when it will not serve."""
    done = subprocess.run(
        [sys.executable, "-m", "sync.server", "serve", "--data", str(data), "--port", "0"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    return done.stderr


def test_the_log_has_counts_and_no_contents(
    server: Server, secretary: Device, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="sync.server")
    secretary.accepted(server.visit("b1-101", note="MARKER 张三"))
    lines = [json.loads(Lines().format(record)) for record in caplog.records if record.name == "sync.server"]
    (line,) = [line for line in lines if line.get("path") == "/sync/v1/push"]
    assert line["status"] == 200
    assert line["operations"] == 1
    assert line["installation"] == secretary.installation
    assert line["replica"] == secretary.replica
    assert re.fullmatch(r"[0-9a-f]{16}", line["request"])
    assert "MARKER" not in json.dumps(lines)
