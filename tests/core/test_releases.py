"""A release from the server or a stick: believed when signed, resumed when cut, refused when changed."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from servers import Server
from stations import Station
from sync.client.releases import OfFolder, OfServer, fetch, look, protocol_of
from sync.errors import Offline, Refused, TrustError
from sync.keys.manifests import MANIFEST, MAX_MANIFEST_BYTES, ReleaseFile, ReleaseManifest
from sync.keys.minisign import SecretKey
from sync.keys.signatures import KeyPair
from sync.wire import SCHEMA

OLD, NEW, OFFLINE = (SecretKey(id=bytes([number]) * 8, seed=bytes([number]) * 32) for number in (1, 2, 3))
SETUP = bytes(range(256)) * 6000  # three pieces
FILE = ReleaseFile(name="qiaomen-xingfuli_0.2.0_amd64.deb", size=len(SETUP), sha256=hashlib.sha256(SETUP).hexdigest())
MADE = ReleaseManifest(
    community="xingfuli",
    issued_at=1_760_000_000_000,
    sequence=2,
    version="0.2.0",
    protocol=1,
    database=1,
    files={"linux-amd64-deb": FILE},
)
TRUSTED = (OLD.public, OFFLINE.public)

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # files know no engine


def issue(folder: Path, manifest: ReleaseManifest = MADE, *, key: SecretKey = OLD) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / MANIFEST).write_bytes(manifest.content)
    (folder / f"{MANIFEST}.minisig").write_text(key.sign(manifest.content), encoding="utf-8")
    (folder / FILE.name).write_bytes(SETUP)
    return folder


def hand_over(folder: Path, *, key: SecretKey, by: SecretKey) -> None:
    name = f"{key.public.name}.pub"
    (folder / name).write_text(key.public.text, encoding="utf-8")
    (folder / f"{name}.minisig").write_text(by.sign(key.public.text.encode()), encoding="utf-8")


def refusal(folder: Path, *, community: str = "xingfuli") -> str:
    with pytest.raises(TrustError) as caught:
        look(OfFolder(folder), keys=TRUSTED, community=community)
    return caught.value.code


@contextmanager
def at_server(station: Station) -> Iterator[OfServer]:
    with station.line.client() as http:
        yield OfServer(station.api(http))


@pytest.fixture
def folder(server: Server, tmp_path: Path) -> Path:
    """What the server offers."""
    offered = issue(tmp_path / "releases")
    server.service.releases._folder = offered
    return offered


@on_sqlite
def test_a_release_comes_from_the_server(first: Station, folder: Path, tmp_path: Path) -> None:
    told: list[int] = []
    with at_server(first) as source:
        found = look(source, keys=TRUSTED, community="xingfuli")
        assert found is not None
        assert (found.manifest, found.handover) == (MADE, None)
        got = fetch(source, found.manifest.files["linux-amd64-deb"], tmp_path / "got", tell=told.append)
    assert got == tmp_path / "got" / FILE.name
    assert got.read_bytes() == SETUP
    assert told == [512 * 1024, 1024 * 1024, len(SETUP)]
    asked = len(first.line.asked)
    with at_server(first) as source:
        assert fetch(source, FILE, tmp_path / "got") == got
    assert len(first.line.asked) == asked  # what is here is not asked for again


@on_sqlite
def test_what_was_cut_goes_on_where_it_stood(first: Station, folder: Path, tmp_path: Path) -> None:
    first.line.mishaps[:] = ["", "no_line"]
    with at_server(first) as source:
        with pytest.raises(Offline):
            fetch(source, FILE, tmp_path / "got")
        first.line.asked.clear()
        answers = iter([False, True])
        assert fetch(source, FILE, tmp_path / "got", stop=lambda: next(answers)) is None
        got = fetch(source, FILE, tmp_path / "got")
    assert got is not None
    assert got.read_bytes() == SETUP
    assert len(first.line.asked) == 2
    assert list((tmp_path / "got").iterdir()) == [got]


@on_sqlite
def test_a_server_without_a_release_offers_none(server: Server, first: Station, tmp_path: Path) -> None:
    with at_server(first) as source:
        assert look(source, keys=TRUSTED, community="xingfuli") is None
        server.service.releases._folder = tmp_path
        assert look(source, keys=TRUSTED, community="xingfuli") is None
        first.line.mishaps[:] = ["problem 404 not_found"]  # an older server
        assert look(source, keys=TRUSTED, community="xingfuli") is None
        first.line.mishaps[:] = ["problem 403 revoked"]
        with pytest.raises(Refused, match="revoked"):
            look(source, keys=TRUSTED, community="xingfuli")


@on_sqlite
def test_only_this_communitys_pcs_get_it_and_nothing_beside_it(first: Station, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("x", encoding="utf-8")
    (folder / "below").mkdir()

    def ask(name: str, query: str = "offset=0") -> tuple[int, str]:
        with first.line.client() as http:
            answer = first.api(http)._send("GET", f"/sync/v1/releases/{name}", b"", query=query, type_="")
        body = answer.extensions["raw_body"]
        return answer.status_code, "" if answer.status_code == 200 else json.loads(body)["code"]

    assert ask(MANIFEST) == (200, "")
    assert ask(MANIFEST, "") == (200, "")
    assert ask("%2e%2e%2fsecret.txt") in ((422, "invalid"), (404, "not_found"))
    assert ask(".hidden") == (422, "invalid")
    assert ask(MANIFEST, "offset=-1") == (422, "invalid")
    assert ask("below") == ask("none") == (404, "no_release")
    first.key = KeyPair.generate()
    assert ask(MANIFEST) == (401, "bad_signature")


def test_a_release_comes_from_a_stick(tmp_path: Path) -> None:
    stick = issue(tmp_path / "stick")
    found = look(OfFolder(stick), keys=TRUSTED, community="xingfuli")
    assert found is not None
    got = fetch(OfFolder(stick), FILE, tmp_path / "got")
    assert got is not None
    assert got.read_bytes() == SETUP
    assert look(OfFolder(tmp_path / "none"), keys=TRUSTED, community="xingfuli") is None


def test_a_release_that_was_changed_is_refused(tmp_path: Path) -> None:
    stick = issue(tmp_path / "stick")
    assert refusal(stick, community="anningli") == "release_other_community"
    (stick / MANIFEST).write_bytes(MADE.content.replace(b"0.2.0", b"0.9.0"))
    assert refusal(stick) == "signature_wrong"
    (stick / MANIFEST).write_bytes(bytes(MAX_MANIFEST_BYTES + 9))
    assert refusal(stick) == "manifest_unreadable"
    issue(stick, key=NEW)
    assert refusal(stick) == "signature_unknown_key"
    (stick / f"{MANIFEST}.minisig").unlink()
    assert refusal(stick) == "release_incomplete"


def test_a_new_key_is_trusted_when_a_trusted_one_vouches_for_it(tmp_path: Path) -> None:
    stick = issue(tmp_path / "stick", key=NEW)
    for by in (OLD, OFFLINE):
        hand_over(stick, key=NEW, by=by)
        found = look(OfFolder(stick), keys=TRUSTED, community="xingfuli")
        assert found is not None
        assert found.handover is not None
        assert found.handover[0] == NEW.public.text
    hand_over(stick, key=NEW, by=NEW)  # it vouches for itself
    assert refusal(stick) == "signature_unknown_key"
    hand_over(stick, key=NEW, by=OLD)
    (stick / f"{NEW.public.name}.pub").write_text(OFFLINE.public.text, encoding="utf-8")
    assert refusal(stick) == "signature_unknown_key"
    hand_over(stick, key=NEW, by=OLD)
    (stick / f"{NEW.public.name}.pub.minisig").unlink()
    assert refusal(stick) == "signature_unknown_key"


@pytest.mark.parametrize("spoilt", [SETUP[:-1] + b"x", SETUP + b"more"], ids=["changed", "longer"])
def test_a_package_that_was_changed_is_refused(tmp_path: Path, spoilt: bytes) -> None:
    stick, got = issue(tmp_path / "stick"), tmp_path / "got"
    (stick / FILE.name).write_bytes(spoilt)
    if spoilt.startswith(SETUP):
        assert fetch(OfFolder(stick), FILE, got) == got / FILE.name  # what was signed, and no byte more
        assert (got / FILE.name).read_bytes() == SETUP
        return
    with pytest.raises(TrustError, match="release_changed"):
        fetch(OfFolder(stick), FILE, got)
    assert list(got.iterdir()) == []


def test_a_package_that_is_not_all_there_waits(tmp_path: Path) -> None:
    stick, got = issue(tmp_path / "stick"), tmp_path / "got"
    (stick / FILE.name).write_bytes(SETUP[:700_000])
    with pytest.raises(TrustError, match="release_incomplete"):
        fetch(OfFolder(stick), FILE, got)
    (stick / FILE.name).unlink()
    with pytest.raises(TrustError, match="release_incomplete"):
        fetch(OfFolder(stick), FILE, got)
    assert (got / f"{FILE.name}.part").stat().st_size == 700_000
    (stick / FILE.name).write_bytes(SETUP)
    (got / f"{FILE.name}.part").write_bytes(SETUP + b"of an older one")  # begun anew
    (got / FILE.name).write_bytes(SETUP[:5])  # somebody else's half of one
    assert fetch(OfFolder(stick), FILE, got) == got / FILE.name
    assert (got / FILE.name).read_bytes() == SETUP


def test_no_room_for_a_package(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(TrustError, match="release_no_room"):
        fetch(OfFolder(issue(tmp_path / "stick")), FILE, tmp_path / "file" / "below")


@on_sqlite
class BehindAProxy(httpx.BaseTransport):
    """As the examples for nginx and caddy have it: nothing but /sync/ goes through."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/sync/"):
            return self._inner.handle_request(request)
        return httpx.Response(404, stream=httpx.ByteStream(b"<html>404 Not Found</html>"))


def test_the_server_says_its_protocol_through_a_proxy(first: Station) -> None:
    with first.line.client() as inner:
        http = httpx.Client(base_url="http://server.test", transport=BehindAProxy(inner._transport))
        assert protocol_of(OfServer(first.api(http))) == SCHEMA


def test_the_server_says_which_protocol_it_speaks(first: Station, tmp_path: Path) -> None:
    with at_server(first) as source:
        assert protocol_of(source) == SCHEMA
        first.line.mishaps[:] = ["portal"]
        assert protocol_of(source) == 0
    assert protocol_of(OfFolder(tmp_path)) == 0
