"""The line to a community that has several addresses and a certificate authority of its own.

The addresses are tried in their order, and the one that answered is asked first the next time. Only the community's own
authority is trusted where it has one: neither the system's store nor the environment's proxies are looked at.
"""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import httpx

from sync.client.api import TIMEOUT, trusted

_NOT_REACHED = (httpx.ConnectError, httpx.ConnectTimeout)  # before these nothing has been sent, so another may be asked


@dataclass(slots=True)
class Preferred:
    """Which of the addresses answered last, kept from one client to the next; none waits twice for the first one."""

    place: int = 0


def open_line(
    addresses: Sequence[str],
    *,
    ca: str = "",
    preferred: Preferred | None = None,
    transport: httpx.BaseTransport | None = None,
) -> httpx.Client:
    """An HTTP client for a server with these addresses, at least one; ``ca`` is PEM text, '' the system's store.

    Raises ValueError when ``ca`` holds no certificate.
    """
    if transport is None:
        verify = _trusting(ca) if ca else trusted()
        transport = httpx.HTTPTransport(verify=verify, trust_env=False)
    urls = [httpx.URL(address.rstrip("/") + "/") for address in addresses]
    several = Several(transport, urls, preferred or Preferred())
    return httpx.Client(base_url=addresses[0], timeout=TIMEOUT, transport=several, trust_env=False)


@cache
def _trusting(ca: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=ca)
    except ssl.SSLError as error:
        raise ValueError("no certificate") from error


class Several(httpx.BaseTransport):
    """Sends each request to the address that answered last, and to the others in turn when it can't be reached."""

    def __init__(self, transport: httpx.BaseTransport, addresses: Sequence[httpx.URL], preferred: Preferred) -> None:
        self._transport = transport
        self._addresses = tuple(addresses)
        self._preferred = preferred

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer of the first address that can be reached; the first one's error when none can."""
        first: httpx.TransportError | None = None
        asked = request.url.raw_path[len(self._addresses[0].raw_path) :]
        begin = self._preferred.place
        for turn in range(len(self._addresses)):
            place = (begin + turn) % len(self._addresses)
            try:
                answer = self._transport.handle_request(self._moved(request, place, asked))
            except _NOT_REACHED as error:
                first = first or error
                continue
            self._preferred.place = place
            return answer
        assert first is not None
        raise first

    def close(self) -> None:
        """Let all connections go."""
        self._transport.close()

    def _moved(self, request: httpx.Request, place: int, asked: bytes) -> httpx.Request:
        address = self._addresses[place]
        url = address.copy_with(raw_path=address.raw_path + asked)
        headers = httpx.Headers(request.headers)
        headers["Host"] = url.netloc.decode("ascii")
        return httpx.Request(request.method, url, headers=headers, stream=request.stream, extensions=request.extensions)
