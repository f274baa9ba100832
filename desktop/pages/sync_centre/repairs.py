"""Back into the form: what was refused becomes a draft of the record's own page, opened at the field that is wrong."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import msgspec

from sync.domain.calendar import day_of
from sync.domain.catalogue import KINDS
from sync.domain.demands import DemandIntent
from sync.domain.disputes import NoticeIntent
from sync.domain.households import CardIntent, HouseholdIntent, ResidentIntent
from sync.domain.operations import Operation, Values
from sync.domain.visit_facts import VisitIntent
from sync.store import drafts, refused, schema
from sync.store.refused import Item
from sync.store.store import Store

_NAMED: Final = frozenset({"dispatch", "assign", "escalate"})  # their notes begin with the name of whom it goes to


@dataclass(frozen=True, slots=True)
class Repair:
    """Where it is put right: a page with what it is opened with, and the draft that it will find there.

    Without a ``body`` the page itself is the way. ``is_busy``: another half-filled form lies there already, and is
    not written over.
    """

    page: str
    target: Mapping[str, str]
    draft_page: str = ""
    key: str = ""
    body: bytes = b""
    is_busy: bool = False


def begin(store: Store, account_id: str, item: Item, *, wrong: str) -> Repair | None:
    """On the write lane: lay the draft ready and bind the refused deed to it; None when no form fits.

    ``wrong`` is the sentence that the form shows beside the field.
    """
    made = _repair(store, item)
    if made is None:
        return None
    if item.field and item.is_mine:
        told = {**made.target, "wrong_field": _field(item), "wrong": wrong}
        made = replace(made, target=told)
    if not made.body:
        return made
    act = store.act(account_id)
    present = drafts.find(store.db, act.viewer, made.draft_page, made.key)
    if present is None:
        drafts.keep(store, account_id, made.draft_page, made.key, made.body)
    elif not refused.is_bound(store.db, item.ops, account_id, made.draft_page, made.key):
        return Repair(made.page, made.target, is_busy=True)
    refused.bind(store, item.ops, account_id, made.draft_page, made.key)
    return made


def _field(item: Item) -> str:
    """The field as its form knows it: those of a person with the person's id."""
    if item.kind != "resident":
        return item.field
    person = next(one for one in item.operations if one.kind == "resident")
    return f"residents/{'' if person.action == 'new' else person.id}/{item.field}"


def _repair(store: Store, item: Item) -> Repair | None:
    if not item.is_mine:
        return _page_of(item)
    by_kind: dict[str, Operation] = {}
    for operation in item.operations:
        by_kind.setdefault(operation.kind, operation)
    if "visit" in by_kind:
        return _visit(store, item, by_kind["visit"])
    if "household" in by_kind or "resident" in by_kind:
        return _card(store, item)
    if "demand" in by_kind or "demand_event" in by_kind:
        return _demand(store, item, by_kind)
    if "dispute" in by_kind or "dispute_event" in by_kind:
        return _dispute(store, item, by_kind)
    return _page_of(item)


def _page_of(item: Item) -> Repair | None:
    """The page where the record is looked at."""
    by_record = {"demand": ("demand", "demand_id"), "dispute": ("disputes", "dispute_id")}
    if item.record_id and item.kind in by_record:
        page, name = by_record[item.kind]
        return Repair(page, {name: item.record_id})
    if item.household_id:
        return Repair("visits" if item.kind == "visit" else "households", {"household_id": item.household_id})
    return None


def _values(store: Store, operation: Operation) -> Values:
    """What the record would say had the operation been taken."""
    row = schema.load_one(store.db, operation.kind, operation.id)
    return {**KINDS[operation.kind].defaults, **(row.values if row else {}), **operation.fields}


def _intent(kind: type, values: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """The intent as JSON carries it: its fields as far as the record has them."""
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in values.items() if name in names and value is not None} | more


# ---------------------------------------------------------------------------------------------------- by kind


def _visit(store: Store, item: Item, visit: Operation) -> Repair:
    values = _values(store, visit)
    raised = [one for one in item.operations if one.kind == "demand" and one.action == "new"]
    quarrel = next((one for one in item.operations if one.kind == "dispute" and one.action == "new"), None)
    intent = _intent(
        VisitIntent,
        values,
        notice_given=any(one.kind == "privacy_notice" for one in item.operations),
        demands=[_intent(DemandIntent, _demand_values(store, one, item.operations)) for one in raised],
        dispute=_intent(NoticeIntent, quarrel.fields) if quarrel is not None else None,
    )
    is_new = visit.action == "new"
    key = values["household_id"] if is_new else visit.id
    target = {"household_id": values["household_id"]} | ({} if is_new else {"visit_id": visit.id})
    body = msgspec.json.encode({"intent": intent, "focus": item.field or "note"})
    return Repair("visits", target, "visits", key, body)


def _card(store: Store, item: Item) -> Repair | None:
    people = [one for one in item.operations if one.kind == "resident"]
    home = item.household_id
    row = schema.load_one(store.db, "household", home)
    if row is None:
        return None
    changed = next((one.fields for one in item.operations if one.kind == "household"), {})
    masked = {name: changed.get(name) for name in ("contact_phone", "emergency_phone")}  # left alone unless typed
    household = {**_intent(HouseholdIntent, {**row.values, **changed}), **masked}
    residents = []
    for one in people:
        values = {**_values(store, one), "phone": one.fields.get("phone")}
        known = "" if one.action == "new" else one.id
        residents.append(_intent(ResidentIntent, values, resident_id=known))
    card = msgspec.convert({"household": household, "residents": residents}, CardIntent)
    return Repair("households", {"household_id": home, "edit": "1"}, "households", home, msgspec.json.encode(card))


def _demand_values(store: Store, demand: Operation, others: Iterable[Operation]) -> Values:
    """The demand's values, with the words that lie apart where it is a matter of care."""
    values = _values(store, demand)
    apart = (one.fields for one in others if one.kind == "demand_detail" and one.fields.get("demand_id") == demand.id)
    return {**values, **{name: text for name, text in next(apart, {}).items() if name in ("title", "details")}}


def _demand(store: Store, item: Item, by_kind: Mapping[str, Operation]) -> Repair | None:
    demand, event = by_kind.get("demand"), by_kind.get("demand_event")
    if demand is not None and demand.action == "new":
        return _new_demand(_demand_values(store, demand, item.operations))
    demand_id = demand.id if demand is not None else str(event.fields.get("demand_id", "")) if event else ""
    if event is None:
        return Repair("demand", {"demand_id": demand_id})
    move, note = str(event.fields.get("move", "")), str(event.fields.get("note", ""))
    if move == "correct" and demand is not None:
        texts = _place(_values(store, demand))
    else:
        texts = _step_texts(demand.fields if demand is not None else {})
        texts["note"] = note.partition(" · ")[2] if move in _NAMED else note
    target = {"demand_id": demand_id, "move": move}
    return Repair("demand", target, "demand", f"{demand_id}:{move}", _texts(texts))


def _new_demand(values: Values) -> Repair:
    place = _place(values)
    texts = {
        **place,
        "source": values["source"],
        "sort": values["demand_kind"],
        "raised_by": values["raised_by"],
        "raised_on": day_of(values["reported_at"]) if values["reported_at"] else "",
        "affected": str(values["affected_count"]),
        "details": values["details"],
        "is_answered": "1" if values["result"] else "",
        "answer": values["result"],
    }
    scope_id = place["scope_id"]
    target = {"household_id": scope_id} if place["scope"] == "household" else {"scope": place["scope"]}
    return Repair("demand_new", {**target, "scope_id": scope_id}, "demand_new", scope_id or "new", _texts(texts))


def _place(values: Values) -> dict[str, str]:
    return {
        "title": values["title"],
        "category": values["category"],
        "urgency": values["urgency"],
        "danger": "1" if values["life_safety"] else "",
        "scope": values["scope"],
        "scope_id": values["scope_id"],
    }


def _step_texts(flow: Values) -> dict[str, str]:
    texts = {name: value for name, value in flow.items() if isinstance(value, str)}
    partner, handler = flow.get("partner_id"), flow.get("handler_id")
    if partner or handler:
        texts["target"] = f"partner:{partner}" if partner else f"handler:{handler}"
    return texts


def _dispute(store: Store, item: Item, by_kind: Mapping[str, Operation]) -> Repair | None:
    dispute, event = by_kind.get("dispute"), by_kind.get("dispute_event")
    move = str(event.fields.get("move", "")) if event is not None else ""
    if dispute is not None and dispute.action == "new":
        texts = _notice(_values(store, dispute))
        return Repair("disputes", {"new": "1"}, "disputes", "new", _texts(texts))
    dispute_id = dispute.id if dispute is not None else str(event.fields.get("dispute_id", "")) if event else ""
    target = {"dispute_id": dispute_id}
    if move:
        note = str(event.fields.get("note", "")) if event is not None else ""
        texts = {name: value for name, value in (dispute.fields if dispute else {}).items() if isinstance(value, str)}
        if dispute is not None and isinstance(people := dispute.fields.get("mediator_ids"), list):
            texts["mediator_ids"] = ",".join(people)
        texts["note"] = note
        return Repair("disputes", {**target, "move": move}, "disputes", f"{dispute_id}:{move}", _texts(texts))
    if dispute is None:
        return None
    texts = _notice(_values(store, dispute))
    return Repair("disputes", {**target, "move": "amend"}, "disputes", f"{dispute_id}:amend", _texts(texts))


def _notice(values: Values) -> dict[str, str]:
    return {
        "place": values["place"],
        "household_id": values["household_id"] or "",
        "other_party": values["other_party_name"],
        "other_household_id": values["other_household_id"] or "",
        "category": values["category"],
        "noticed_on": values["noticed_on"],
        "title": values["title"],
        "summary": values["summary"],
        "risk_signs": ",".join(values["risk_signs"]),
    }


def _texts(texts: Mapping[str, str]) -> bytes:
    return msgspec.json.encode(dict(texts))
