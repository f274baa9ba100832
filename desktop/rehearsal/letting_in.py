"""Fills a home with the invented community, from a server or straight into the store, and lets people in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.paths import Paths, resources
from desktop.rehearsal.local_server import LocalServer
from desktop.vault import Colleague, Profile, Vault
from sync.domain import example
from sync.domain.rules import Rules, load_rules


@dataclass(frozen=True, slots=True)
class Entrant:
    """Somebody who may unlock a demonstration, and with which PIN."""

    person: example.Person
    pin: str


def shown(size: example.Size = "small") -> tuple[Entrant, ...]:
    """The head, the grid worker and the secretary of an example, in the order of the unlock page."""
    return tuple(Entrant(person, person.pin) for person in example.people(size) if person.pin)


def enrol(
    vault: Vault, server: LocalServer, entrants: Sequence[Entrant], *, rules: Rules, now: Callable[[], int]
) -> bytes:
    """Make this folder a PC of the server's community, receive everything, let these people in; the database key.

    The server's first code is the branch secretary's, who must be among the people and lets the others in.
    """
    from desktop.enrolling import set_up
    from sync import wire
    from sync.client.api import Api
    from sync.client.enrolment import add_account
    from sync.client.session import Session
    from sync.keys.signatures import KeyPair
    from sync.store.store import Store

    secretary = next(entrant for entrant in entrants if entrant.person.role == "branch_secretary")
    made = set_up(
        vault,
        server_url=server.url,
        code=server.first_code,
        pin=secretary.pin,
        rules=rules,
        wall=now,
        connect=server.connect,
    )
    store = Store.open(vault.database, made.database_key, rules=rules, wall=now)
    try:
        state = store.state
        key = KeyPair(state.private_key)
        with server.connect() as http:
            api = Api.of_installation(
                http,
                key=key,
                community=state.community_id,
                installation=state.installation_id,
                now_s=lambda: store.now() // 1000,
            )
            for entrant in entrants:
                if entrant is not secretary:
                    invited = api.new_code(wire.AddPerson(by=made.account_id, account=entrant.person.account_id))
                    add_account(api, key=key, code=invited.code)
            Session(lambda fn: fn(store), api, wall=now).run()  # what the others may see besides
    finally:
        store.close()
    let_in(vault, entrants, made.database_key, rules=rules)
    return made.database_key


def let_in(
    vault: Vault,
    entrants: Sequence[Entrant],
    database_key: bytes,
    *,
    rules: Rules,
    size: example.Size = "small",
) -> None:
    """Key slots in this order, and the names the unlock page shows before anybody has unlocked."""
    slots = vault.slots()
    for entrant in entrants:
        if any(info.account_id == entrant.person.account_id for info in slots.people()):
            slots.remove(entrant.person.account_id)  # the page shows slots in the order of their making
        slots.add(entrant.person.account_id, pin=entrant.pin, database_key=database_key)
    community, _, station = example.COMMUNITIES[size]
    vault.keep_profile(
        Profile(
            community_id=example.community_id(size),
            community_name=community,
            station_name=station,
            people=tuple(
                Colleague(
                    account_id=entrant.person.account_id,
                    name=entrant.person.name,
                    title=entrant.person.title,
                    initials=rules.pinyin.initials(entrant.person.name),
                )
                for entrant in entrants
            ),
        )
    )


def furnish(home: Path, *, size: example.Size = "small", today: str = "", entrants: Sequence[Entrant] = ()) -> bytes:
    """A home with an example community written straight into its store, known to no server; the database key.

    ``today`` is the last day of its history (empty: the real one); ``entrants`` (default: the three shown) get slots.
    """
    from desktop.app import wall_ms
    from sync.domain.calendar import day_of, instant
    from sync.keys.slots import KeySlots
    from sync.store.store import Store

    paths = Paths.for_home(home)
    paths.ensure()
    vault = Vault(paths.data)
    rules = load_rules(resources())
    now = instant(f"{today} 09:00") if today else wall_ms()
    _, key = KeySlots.create(vault.slots_file, device_secret=vault.secret())
    store = Store.create(vault.database, key, community_id=example.community_id(size), rules=rules, wall=lambda: now)
    try:
        store.seed(example.community(size, today=day_of(now)))
    finally:
        store.close()
    let_in(vault, entrants or shown(size), key, rules=rules, size=size)
    return key
