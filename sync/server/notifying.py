"""Telling systemd that the server answers; nothing happens when something else started it."""

import os
import socket
import sys
from typing import Final

import uvicorn

_VARIABLE: Final = "NOTIFY_SOCKET"


class NotifyingServer(uvicorn.Server):
    """Says so once its address is open and the application is ready."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does it, and then the word to systemd."""
        await super().startup(sockets)
        if self.started:
            tell_ready()


def tell_ready() -> None:
    """``READY=1`` to whoever waits for it (a unit of ``Type=notify``)."""
    place = os.environ.get(_VARIABLE, "")
    if sys.platform == "win32" or not place:
        return
    # A name that begins with @ is of the abstract kind, which has a zero there.
    address = "\0" + place[1:] if place.startswith("@") else place
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as told:
        told.sendto(b"READY=1", address)
