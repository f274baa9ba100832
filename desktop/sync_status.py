"""How things stand with sync, in one value that the agent keeps and pages show."""

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """What the agent is at."""

    OFF = "off"  # this PC has no server (practice, or not enrolled)
    IDLE = "idle"
    SYNCING = "syncing"
    WAITING = "waiting"  # no line; tried again by itself
    TROUBLE = "trouble"  # the server said no, or is broken; ``code`` says which
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Status:
    """What the status pill and the sync page show; times in ms since 1970, 0 for never.

    ``usable``: what the person here needs first has been received. ``seconds_left`` is None until a pace is known.
    """

    phase: Phase = Phase.OFF
    unsent: int = 0
    refused: int = 0
    to_decide: int = 0
    handed: int = 0
    last_success_at: int = 0
    sent: int = 0
    to_send: int = 0
    received: int = 0
    to_receive: int = 0
    seconds_left: float | None = None
    usable: bool = False
    code: str = ""
