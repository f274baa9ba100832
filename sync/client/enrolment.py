"""Letting a PC, or one more person on it, into a community by a one-time code."""

from dataclasses import dataclass

import httpx

from sync import wire
from sync.client.api import APP, Api
from sync.errors import Refused
from sync.keys.codes import read_one_time_code
from sync.keys.signatures import KeyPair
from sync.store import stick
from sync.store.store import Store


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


def enrol(http: httpx.Client, *, code: str, fingerprint: str = "", name: str = "") -> Enrolled:
    """Make a key, hand in the code, become an installation.

    Raises KeysError('code_mistyped'), Refused(code_unknown, code_used, code_expired, too_many_tries), Offline.
    """
    plain = read_one_time_code(code)
    key = KeyPair.generate()
    message = wire.Enrol(code=plain, public_key=key.public, fingerprint=fingerprint, app=APP, name=name)
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
