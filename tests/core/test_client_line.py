"""A server with several addresses, and with a certificate authority that nobody else knows."""

import datetime
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sync import wire
from sync.client.api import Api
from sync.client.line import Preferred, open_line
from sync.errors import Offline
from sync.keys.signatures import KeyPair


class Net(httpx.BaseTransport):
    """Hosts that are up or not; what each was asked is written down."""

    def __init__(self, *up: str) -> None:
        self.up = set(up)
        self.asked: list[str] = []
        self.bodies: list[bytes] = []
        self.is_open = True

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        assert request.headers["host"] == request.url.netloc.decode()
        if request.url.host not in self.up:
            raise httpx.ConnectError("nobody", request=request)
        self.bodies.append(request.read())
        return httpx.Response(200, text=request.url.host)

    def close(self) -> None:
        self.is_open = False


def test_the_first_address_that_can_be_reached_is_asked_and_remembered() -> None:
    net = Net("b.test", "c.test")
    with open_line(["https://a.test:8440/qm", "http://b.test/", "http://c.test/x/y"], transport=net) as http:
        assert http.post("/sync/v1/hello?n=1", content=b"body").text == "b.test"
        assert net.asked == ["https://a.test:8440/qm/sync/v1/hello?n=1", "http://b.test/sync/v1/hello?n=1"]
        assert http.get("/again").text == "b.test"
        net.up.remove("b.test")
        assert http.post("/moved", content=b"body").text == "c.test"
        net.up.add("a.test")
        assert http.get("/stays").text == "c.test"
    assert net.asked[2:] == [
        "http://b.test/again",
        "http://b.test/moved",
        "http://c.test/x/y/moved",
        "http://c.test/x/y/stays",
    ]
    assert net.bodies == [b"body", b"", b"body", b""]
    assert not net.is_open


def test_the_next_client_begins_where_the_last_one_was_answered() -> None:
    net, preferred = Net("b.test"), Preferred()
    for _ in range(2):
        with open_line(["http://a.test", "http://b.test"], preferred=preferred, transport=net) as http:
            assert http.get("/").text == "b.test"
    assert net.asked == ["http://a.test/", "http://b.test/", "http://b.test/"]


def test_when_nobody_is_there_the_first_ones_error_counts() -> None:
    net = Net()
    with open_line(["http://a.test", "http://b.test"], transport=net) as http, pytest.raises(httpx.ConnectError):
        http.get("/")
    assert len(net.asked) == 2


class _Slow(Net):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        super().handle_request(request)
        raise httpx.ReadTimeout("slow", request=request)


def test_what_was_sent_once_is_not_sent_elsewhere() -> None:
    net = _Slow("a.test", "b.test")
    with open_line(["http://a.test", "http://b.test"], transport=net) as http, pytest.raises(httpx.ReadTimeout):
        http.post("/push", content=b"batch")
    assert len(net.asked) == 1


# ------------------------------------------------------------------------------------------------ certificates

DAY = datetime.timedelta(days=1)


class Authority:
    """A certificate authority of one's own, and a server's certificate by it for a span of days."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "community")])
        self._now = datetime.datetime.now(datetime.UTC)
        made = self._build(self._name, self._key.public_key(), -DAY, DAY)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.pem = made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()

    def server(self, since: datetime.timedelta = -DAY, until: datetime.timedelta = DAY) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._build(x509.Name([]), key.public_key(), since, until)
        names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
        signed = made.add_extension(names, critical=True).sign(self._key, hashes.SHA256())
        file = self._folder / "server.pem"
        pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
        file.write_bytes(private + signed.public_bytes(pem))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _build(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, since: datetime.timedelta, until: datetime.timedelta
    ) -> x509.CertificateBuilder:
        built = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
        built = built.serial_number(x509.random_serial_number())
        return built.not_valid_before(self._now + since).not_valid_after(self._now + until)


class _Answer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        pass  # a client that trusts nobody hangs up in the middle


@contextmanager
def serving(context: ssl.SSLContext) -> Iterator[str]:
    server = _Quiet(("127.0.0.1", 0), _Answer)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def asked(address: str, ca: str) -> str:
    """What a request to this address comes to."""
    with open_line([address], ca=ca) as http:
        api = Api(http, key=KeyPair.generate())
        with pytest.raises(Offline) as caught:
            api.enrol(wire.Enrol(code="x", public_key=b"", app="1"))
    return caught.value.code


def test_only_the_communitys_own_authority_is_trusted(authority: Authority, tmp_path: Path) -> None:
    with serving(authority.server()) as address:
        assert asked(address, authority.pem) == "not_our_server"  # it was reached, and says nothing we know
        assert asked(address, "") == "certificate"
        (tmp_path / "other").mkdir()
        assert asked(address, Authority(tmp_path / "other").pem) == "certificate"


@pytest.mark.parametrize(("since", "until"), [(DAY / 2, DAY), (-DAY, -DAY / 2)])
def test_a_certificate_of_another_day_is_told_as_such(
    authority: Authority, since: datetime.timedelta, until: datetime.timedelta
) -> None:
    with serving(authority.server(since, until)) as address:
        assert asked(address, authority.pem) == "certificate_day"


def test_an_authority_that_is_none_is_refused() -> None:
    for ca in ("nothing", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        with pytest.raises(ValueError, match="no certificate"):
            open_line(["https://a.test"], ca=ca)
