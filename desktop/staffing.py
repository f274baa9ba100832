"""Adding a colleague: the server makes the account and a one-time code; this PC lets the colleague in by it. And
joining once more a PC that the server has forgotten.

All of it needs a line and runs on the net lane.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from desktop.context import Context
from sync import wire
from sync.client.api import Api, open_client
from sync.client.enrolment import add_account
from sync.client.enrolment import rejoin as join_again
from sync.keys.codes import read_one_time_code
from sync.keys.signatures import KeyPair
from sync.store.state import SyncState

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NewColleague:
    """What the secretary typed; ``role`` in the area ``scope_kind``/``scope_id``."""

    name: str
    title: str
    role: str
    scope_kind: str
    scope_id: str


@dataclass(frozen=True, slots=True)
class Invitation:
    """The code for the colleague, shown once; ``for_this_pc`` when it opens this PC and no other."""

    account_id: str
    code: str
    for_this_pc: bool


def invite(context: Context, *, by: str, account_id: str, colleague: NewColleague | None, pin: str) -> Invitation:
    """Add a person (``colleague``), or make a new code for one who is known (None).

    With the asker's own ``pin`` the colleague is let in on this PC as well: the code is then good here, also offline.
    Raises WrongPin, Refused, Offline; when it raises after the server has made the code, asking again is harmless.
    """
    database_key = context.vault.unlock(by, pin) if pin else b""
    message = wire.AddPerson(by=by, account=account_id)
    if colleague is not None:
        wish = wire.GrantWish(role=colleague.role, scope_kind=colleague.scope_kind, scope_id=colleague.scope_id)
        message = wire.AddPerson(by=by, account=account_id, name=colleague.name, title=colleague.title, grants=[wish])

    def ask(api: Api, state: SyncState) -> wire.AddPersonReply:
        reply = api.new_code(message) if colleague is None else api.add_person(message)
        if database_key:
            add_account(api, key=KeyPair(state.private_key), code=reply.code)
        return reply

    made = _with_api(context, ask)
    if database_key:
        context.vault.slots().add_invite(
            account_id, code=made.code, database_key=database_key, expires_at=made.expires_at
        )
    return Invitation(account_id, made.code, bool(database_key))


def let_in(context: Context, *, by: str, pin: str, code: str, new_pin: str) -> str:
    """A colleague with a code from elsewhere joins this PC; ``by`` opens the key with the own PIN. The account's id.

    Raises WrongPin, KeysError(code_mistyped), Refused(code_unknown, code_used, code_expired), Offline.
    """
    read_one_time_code(code)
    database_key = context.vault.unlock(by, pin)
    account_id = _with_api(context, lambda api, state: add_account(api, key=KeyPair(state.private_key), code=code))
    context.vault.slots().add(account_id, pin=new_pin, database_key=database_key)
    return account_id


def rejoin(context: Context, *, code: str) -> None:
    """This PC hands in a fresh code, for the server knows it no more; all that is in its file stays and goes out.

    Raises KeysError(code_mistyped), Refused(code_unknown, code_used, code_expired, too_many_tries), Offline.
    """
    wait = context.tasks.write_wait
    state = wait(lambda store: store.state)
    with (context.connect or open_client)(state.server_url) as http:
        made = join_again(http, state, code=code, now_s=lambda: context.now() // 1000, name=socket.gethostname())
    wait(lambda store: store.set_state(installation_id=made))


def change_pin(context: Context, account_id: str, *, old: str, new: str) -> None:
    """A person's own PIN; WrongPin, PinLocked."""
    context.vault.slots().change_pin(account_id, old=old, new=new)


def _with_api(context: Context, ask: Callable[[Api, SyncState], T]) -> T:
    state = context.tasks.write_wait(lambda store: store.state)
    with (context.connect or open_client)(state.server_url) as http:
        return ask(Api.of_store(http, state, now_s=lambda: context.now() // 1000), state)
