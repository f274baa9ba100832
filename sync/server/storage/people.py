"""People and the PCs they work on: accounts and grants (records like any other), one-time codes, installations."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, func, insert, select, update

from sync.domain.calendar import day_of
from sync.domain.catalogue import KINDS, check_value
from sync.domain.fields import Type
from sync.domain.ids import new_id
from sync.domain.lines import one_line
from sync.domain.plain_text import is_clean
from sync.domain.roles import SECRETARY_ROLES, Viewer
from sync.errors import KeysError, RuleError
from sync.keys.codes import new_one_time_code, read_one_time_code
from sync.server.problems import ProtocolError
from sync.server.storage import schema
from sync.server.storage.batch import Batch
from sync.server.storage.rights import Rights
from sync.server.storage.values import is_record_id
from sync.wire import GrantWish

CODE_LIFE_MS = 72 * 3600 * 1000
# Whom a branch secretary may bring in; the community secretary may bring in everybody.
_BY_BRANCH = frozenset(
    {"building_head", "cluster_leader", "grid_worker", "station_staff", "mediator", "property_manager"}
)


@dataclass(frozen=True, slots=True)
class Code:
    """A one-time code as it is shown once."""

    account: str
    code: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Known:
    """An installation with its key and accounts."""

    community: str
    id: str
    public_key: bytes
    revoked: bool
    accounts: frozenset[str]


# ---------------------------------------------------------------------------------------------------- people


def add_person(
    batch: Batch, author: Viewer, *, account: str, name: str, title: str, grants: Sequence[GrantWish]
) -> None:
    """Write the account and its grants. Raises ProtocolError 403 ``out_of_scope``, 422 ``invalid`` (``field``)."""
    wished = [_checked_grant(wish) for wish in grants]
    if not wished or not all(_may_grant(author, wish) for wish in grants):
        raise ProtocolError(403, "out_of_scope")
    if not is_record_id(account):
        raise ProtocolError(422, "invalid", field="account")
    batch.load([account], lock=True)
    if batch.row(account) is not None:
        raise ProtocolError(422, "invalid", field="account")
    fields = {"name": name.strip(), "title": title.strip()}
    _check("account", fields)
    fields = {field: one_line(text) for field, text in fields.items()}
    if not fields["name"]:
        raise ProtocolError(422, "invalid", field="name")
    batch.write(KINDS["account"], account, fields)
    for values in wished:
        grant_id = new_id(batch.now)
        batch.load([grant_id], lock=False)
        batch.write(KINDS["grant"], grant_id, {"account_id": account, "valid_from": day_of(batch.now), **values})


def may_invite(author: Viewer, rights: Rights, account: str) -> bool:
    """Whether ``author`` may give this known person a new code: whoever might have added the person."""
    held = rights.grants.get(account, ())
    return (
        bool(held)
        and account in rights.open_accounts
        and all(
            _may_grant(author, GrantWish(role=grant.role, scope_kind=grant.scope_kind, scope_id=grant.scope_id))
            for grant in held
        )
    )


def _may_grant(author: Viewer, wish: GrantWish) -> bool:
    places = author.places
    buildings = places.buildings_of(wish.scope_kind, wish.scope_id)
    exists = {
        "community": wish.scope_id == places.community_id,
        "compound": wish.scope_id in places.compounds,
        "grid": wish.scope_id in places.grids,
        "building": bool(buildings),
    }.get(wish.scope_kind, False)
    if not exists:
        return False
    if author.has_any({"community_secretary"}):
        return True
    return (
        author.has_any(SECRETARY_ROLES)
        and wish.role in _BY_BRANCH
        and wish.scope_kind != "community"  # compounds to come are not the branch's
        and (buildings <= author.buildings(SECRETARY_ROLES) and bool(buildings))
    )


def _checked_grant(wish: GrantWish) -> dict[str, Any]:
    values = {name: getattr(wish, name) for name in ("role", "scope_kind", "scope_id", "valid_to")}
    _check("grant", values)
    return values


def _check(kind: str, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        try:
            check_value(KINDS[kind], name, value)
        except RuleError as error:
            raise ProtocolError(422, "invalid", field=name) from error
        if KINDS[kind].fields[name].type is Type.CHOICE and not value:
            raise ProtocolError(422, "invalid", field=name)
        if isinstance(value, str) and not is_clean(value):
            raise ProtocolError(422, "invalid", field=name)


# ---------------------------------------------------------------------------------------------------- codes


def make_code(connection: Connection, community: str, account: str, *, made_by: str, now: int) -> Code:
    """A new code for an account; earlier unused ones of the same account expire."""
    table = schema.enrolment_code
    connection.execute(
        update(table)
        .where(table.c.community == community, table.c.account == account, table.c.used_at.is_(None))
        .where(table.c.expires_at > now)
        .values(expires_at=now)
    )
    code = new_one_time_code()
    connection.execute(
        insert(table).values(
            community=community,
            hash=_hash(read_one_time_code(code)),
            account=account,
            made_by=made_by,
            created_at=now,
            expires_at=now + CODE_LIFE_MS,
        )
    )
    return Code(account, code, now + CODE_LIFE_MS)


def use_code(connection: Connection, typed: str, *, now: int) -> tuple[str, str]:
    """The community and account a code was made for; it is used from now on.

    Raises ProtocolError 403 ``code_unknown``, ``code_used`` or ``code_expired``.
    """
    table = schema.enrolment_code
    try:
        hashed = _hash(read_one_time_code(typed))
    except KeysError:
        raise ProtocolError(403, "code_unknown") from None
    found = connection.execute(
        select(table.c.community, table.c.account, table.c.expires_at, table.c.used_at)
        .where(table.c.hash == hashed)
        .with_for_update()
    ).one_or_none()
    if found is None:
        raise ProtocolError(403, "code_unknown")
    if found.used_at is not None:
        raise ProtocolError(403, "code_used")
    if found.expires_at <= now:
        raise ProtocolError(403, "code_expired")
    connection.execute(
        update(table).where(table.c.community == found.community, table.c.hash == hashed).values(used_at=now)
    )
    return found.community, found.account


def _hash(code: str) -> str:
    # 50 random bits, three days: a fast hash will do, and it finds the row.
    return hashlib.sha256(code.encode()).hexdigest()


# ---------------------------------------------------------------------------------------------------- installations


def count_installations(connection: Connection) -> int:
    """PCs of all communities that may talk to this server."""
    table = schema.installation
    return connection.execute(select(func.count()).where(table.c.revoked_at.is_(None))).scalar_one()


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A PC that was let in; times in ms since 1970."""

    id: str
    name: str
    created_at: int
    revoked_at: int | None


def installations(connection: Connection) -> list[Enrolled]:
    """All PCs that were ever let in, the earliest first."""
    c = schema.installation.c
    found = connection.execute(select(c.id, c.name, c.created_at, c.revoked_at).order_by(c.created_at, c.id))
    return [Enrolled(*row) for row in found]


def revoke(connection: Connection, installation: str, *, now: int) -> bool:
    """From now on the PC is answered ``revoked``; False when there is none of this id that may still sync."""
    c = schema.installation.c
    community = connection.execute(
        update(schema.installation)
        .where(c.id == installation, c.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(c.community)
    ).scalar()
    if community is None:
        return False
    note(connection, community, action="revoke", target=installation, account="", installation="", now=now)
    return True


def add_installation(connection: Connection, community: str, *, public_key: bytes, name: str, now: int) -> str:
    """Register a PC by its key; its id."""
    made = new_id(now)
    connection.execute(
        insert(schema.installation).values(
            community=community, id=made, public_key=public_key, name=name, created_at=now
        )
    )
    return made


def add_account(connection: Connection, community: str, installation: str, account: str, *, now: int) -> None:
    """Let an account work on a PC; nothing happens when it does already."""
    table = schema.installation_account
    key = (
        table.c.community == community,
        table.c.installation == installation,
        table.c.account == account,
    )
    if not connection.execute(select(func.count()).select_from(table).where(*key)).scalar_one():
        connection.execute(
            insert(table).values(community=community, installation=installation, account=account, added_at=now)
        )


def _installation() -> Select[Any]:
    table, held = schema.installation.c, schema.installation_account.c
    both = schema.installation.outerjoin(
        schema.installation_account, and_(held.community == table.community, held.installation == table.id)
    )
    return (
        select(table.public_key, table.revoked_at, held.account)
        .select_from(both)
        .where(table.community == bindparam("in_community"), table.id == bindparam("the_id"))
    )


_INSTALLATION = _installation()  # every request asks it, and putting it together costs more than sending it


def find_installation(connection: Connection, community: str, installation: str) -> Known | None:
    """The PC with its accounts, or None."""
    found = connection.execute(_INSTALLATION, {"in_community": community, "the_id": installation}).all()
    if not found:
        return None
    accounts = frozenset(line.account for line in found if line.account is not None)
    return Known(community, installation, found[0].public_key, found[0].revoked_at is not None, accounts)


def note(
    connection: Connection, community: str, *, action: str, target: str, account: str, installation: str, now: int
) -> None:
    """A line of the audit log: ids only."""
    connection.execute(
        insert(schema.audit).values(
            community=community,
            id=new_id(now),
            at=now,
            account=account,
            installation=installation,
            action=action,
            target=target,
        )
    )
