"""Letting a PC, or one more person on it, into a community by a one-time code."""

from collections.abc import Callable
from dataclasses import dataclass

import httpx

from sync import wire
from sync.client.api import APP, Api
from sync.errors import Refused
from sync.keys.codes import read_one_time_code
from sync.keys.signatures import KeyPair
from sync.store import stick
from sync.store.state import SyncState
from sync.store.store import Store

_UNKNOWN = frozenset({"bad_signature", "revoked"})  # codes of a server that does not know the PC, or no more


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What the server answered, and the key that is the installation's from now on."""

    key: KeyPair
    community_id: str
    installation_id: str
    account_id: str
    sync_window_s: float
    epoch: str = ""
    sealing_key: bytes = b""
    signing_key: bytes = b""

    def note(self, store: Store) -> None:
        """Who this file is from now on, and what it needs so that its first round may go by stick."""
        store.set_state(installation_id=self.installation_id, private_key=self.key.private, epoch=self.epoch)
        stick.learn_centre(
            store, sealing_key=self.sealing_key, signing_key=self.signing_key, streams=frozenset(), listed_at=0
        )


def enrol(
    http: httpx.Client,
    *,
    code: str,
    fingerprint: str = "",
    name: str = "",
    key: KeyPair | None = None,
    community: str = "",
) -> Enrolled:
    """Make a key, hand in the code, become an installation. A file that is there already brings its key and community.

    Raises KeysError('code_mistyped'), Refused(code_unknown, code_used, code_expired, too_many_tries), Offline.
    """
    plain = read_one_time_code(code)
    key = key or KeyPair.generate()
    message = wire.Enrol(
        code=plain, public_key=key.public, fingerprint=fingerprint, app=APP, name=name, community=community
    )
    try:
        reply = Api(http, key=key).enrol(message)
    except Refused as refusal:
        if refusal.code != "clock_skew":
            raise
        # A PC whose clock is wrong gets in all the same: it signs with the time the server has just told.
        told = int(refusal.params["now"])
        reply = Api(http, key=key, now_s=lambda: told).enrol(message)
    return Enrolled(
        key,
        reply.community,
        reply.installation,
        reply.account,
        float(reply.sync_window_s),
        reply.epoch,
        reply.sealing_key,
        reply.signing_key,
    )


def add_account(api: Api, *, key: KeyPair, code: str) -> str:
    """Hand in a colleague's code on a PC that is enrolled already; returns the colleague's account id."""
    plain = read_one_time_code(code)
    return api.enrol(wire.Enrol(code=plain, public_key=key.public, app=APP)).account


def rejoin(http: httpx.Client, state: SyncState, *, code: str, now_s: Callable[[], int], name: str = "") -> str:
    """An existing file hands in a fresh code, because the server knows it no more, or not the person; its installation.

    Where the server was restored from a backup of before this PC came, it becomes another installation with the key it
    has; where it knows the PC, the code's account is let in on it (again). The caller keeps the answer in the file.
    Raises KeysError('code_mistyped'), Refused(code_unknown, code_used, code_expired, too_many_tries), Offline.
    """
    key = KeyPair(state.private_key)
    try:
        add_account(Api.of_store(http, state, now_s=now_s), key=key, code=code)
    except Refused as refusal:
        if refusal.code not in _UNKNOWN:
            raise
        done = enrol(http, code=code, fingerprint=state.fingerprint, name=name, key=key, community=state.community_id)
        return done.installation_id
    return state.installation_id
