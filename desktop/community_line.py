"""The line that a community's preset names: its addresses in their order, its authority and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.preset import Preset
from sync.errors import Offline

if TYPE_CHECKING:
    from desktop.sync_agent import Connect
    from sync.client.api import HttpClient
    from sync.client.line import Preferred


def line_of(preset: Preset | None) -> Connect | None:
    """What opens clients for this community, whatever address was typed by hand; None without a preset."""
    if preset is None:
        return None
    servers, ca = preset.community.servers, preset.ca
    known: list[Preferred] = []  # made with the first client

    def connect(_: str) -> HttpClient:
        from sync.client.line import Preferred, open_line  # httpx is not wanted before the first line

        if not known:
            known.append(Preferred())
        try:
            return open_line(servers, ca=ca, preferred=known[0])
        except ValueError as error:
            raise Offline("certificate") from error

    return connect
