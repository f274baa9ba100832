"""The first start of this PC: hand in the code, make the encrypted file and its slots, receive the community.

Runs on the net lane; nothing else has the file open yet.
"""

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from desktop.fingerprint import fingerprint_of
from desktop.sync_agent import Connect
from desktop.vault import Vault
from sync.client.api import Api, open_client
from sync.client.enrolment import enrol
from sync.client.session import Progress, Session
from sync.domain.rules import Rules
from sync.errors import Offline, ServerTrouble
from sync.keys.slots import KeySlots
from sync.store.store import Store

PATIENCE_S: Final = 5.0
_NEAREST: Final = 2  # streams: the nearest building and its care matters


@dataclass(frozen=True, slots=True)
class SetUp:
    """What the first start made: whose code it was, the key that is open now, the recovery code to print.

    ``is_complete`` is False when the first download is not through; it goes on after unlocking. ``is_usable``: what
    this person needs is here, and the download was left so that work can begin.
    """

    account_id: str
    database_key: bytes = field(repr=False)
    recovery_code: str = field(repr=False)
    is_complete: bool
    is_usable: bool = False


def set_up(
    vault: Vault,
    *,
    server_url: str,
    code: str,
    pin: str,
    rules: Rules,
    wall: Callable[[], int],
    connect: Connect | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
    patience_s: float = PATIENCE_S,
) -> SetUp:
    """Make this PC an installation of the community the code belongs to.

    ``stop`` ends the first download at the next piece. It ends by itself when the nearest building is here and the rest
    would take longer than ``patience_s``; that comes with the next sync, while work goes on.
    Raises KeysError (mistyped code), Refused (unknown, used or expired code), Offline; nothing was made then.
    """
    with (connect or open_client)(server_url) as http, ThreadPoolExecutor(1, "ahead") as beside:
        enrolled = enrol(http, code=code, fingerprint=fingerprint_of(vault.database), name=socket.gethostname())
        slots, key = KeySlots.create(_fresh(vault), device_secret=vault.secret())
        slots.add(enrolled.account_id, pin=pin, database_key=key)
        recovery = slots.set_recovery(key)
        store = Store.create(vault.database, key, community_id=enrolled.community_id, rules=rules, wall=wall)
        try:
            enrolled.note(store)
            store.set_state(server_url=server_url, fingerprint=fingerprint_of(vault.database))
            api = Api.of_installation(
                http,
                key=enrolled.key,
                community=enrolled.community_id,
                installation=enrolled.installation_id,
                now_s=lambda: store.now() // 1000,
            )
            usable = threading.Event()

            def note(step: Progress) -> None:
                on_progress(step)
                left_s = 0.0 if step.received >= step.to_receive else step.seconds_left
                if step.usable and (left_s is None or left_s > patience_s):
                    usable.set()

            complete = _receive(
                Session(
                    lambda fn: fn(store),
                    api,
                    wall=wall,
                    first=lambda store: store.viewer(enrolled.account_id).streams_by_need()[:_NEAREST],
                    on_progress=note,
                    stop=lambda: usable.is_set() or stop(),
                    beside=beside,
                )
            )
        finally:
            store.close()
    return SetUp(enrolled.account_id, key, recovery, complete, is_usable=usable.is_set())


def _receive(session: Session) -> bool:
    try:
        return not session.run().stopped
    except (Offline, ServerTrouble):
        return False


def _fresh(vault: Vault) -> Path:
    """Where the slots go; slots of a set-up that never got its database are out of the way."""
    if vault.slots_file.exists():
        vault.slots_file.replace(vault.slots_file.with_suffix(".unused"))
    return vault.slots_file
