"""Every field of every kind says what it is, why it may be kept, who may see it and how it merges."""

import msgspec
import pytest

from sync.domain import streams
from sync.domain.catalogue import KINDS, Kind, check_value
from sync.domain.fields import Field, Policy, Privacy, Purpose, Slot, Type
from sync.domain.operations import DELETED
from sync.errors import RuleError

FIELDS = [(kind, name, field) for kind in KINDS.values() for name, field in kind.fields.items()]
IDS = [f"{kind.name}.{name}" for kind, name, _ in FIELDS]
SENSITIVE = (Privacy.K3, Privacy.K4, Privacy.K5)
# What forms elsewhere ask for and this program must never hold.
FORBIDDEN = (
    *("religion", "faith", "blood", "height", "bank", "card_no", "income", "salary", "gps", "latitude", "longitude"),
    *("location", "signature", "photo", "portrait", "face", "fingerprint", "score", "rank", "points", "check_in"),
)


@pytest.mark.parametrize(("kind", "name", "field"), FIELDS, ids=IDS)
def test_a_field_is_declared_in_full(kind: Kind, name: str, field: Field) -> None:
    assert field.label.strip()
    assert isinstance(field.type, Type)
    assert isinstance(field.policy, Policy)
    assert isinstance(field.privacy, Privacy)
    assert isinstance(field.purpose, Purpose)
    assert field.limit > 0
    assert (field.type is Type.CHOICE) == bool(field.options)
    assert (field.type is Type.REF) == bool(field.refers)
    if field.refers:
        assert field.refers in KINDS
    if field.privacy not in (Privacy.K0, Privacy.K1):
        assert field.retention_days or field.purpose in (Purpose.ORGANISATION, Purpose.PLACES)


@pytest.mark.parametrize(("kind", "name", "field"), FIELDS, ids=IDS)
def test_nothing_is_kept_that_must_not_be(kind: Kind, name: str, field: Field) -> None:
    assert not [word for word in FORBIDDEN if word in name]


@pytest.mark.parametrize(("kind", "name", "field"), FIELDS, ids=IDS)
def test_the_default_of_a_field_is_one_of_its_values(kind: Kind, name: str, field: Field) -> None:
    check_value(kind, name, kind.defaults[name])


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_fields_of_a_group_share_a_policy(kind: Kind) -> None:
    for register, names in kind.registers.items():
        if register != DELETED:
            assert len({kind.fields[name].policy for name in names}) == 1


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_group_is_not_named_like_a_field_of_another(kind: Kind) -> None:
    for register, names in kind.registers.items():
        if register in kind.fields:
            assert register in names


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_sensitive_kinds_lie_in_streams_of_their_own(kind: Kind) -> None:
    if not any(field.privacy in SENSITIVE for field in kind.fields.values()):
        return
    rule = kind.stream_rule or KINDS[kind.fields[kind.parent].refers].stream_rule
    assert rule in (streams.of_care, streams.of_dispute, streams.of_report)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_record_of_defaults_can_be_made_and_sent(kind: Kind) -> None:
    record = kind.record("r", {**kind.defaults, "of_a_newer_program": 1})
    assert record.id == "r"
    assert msgspec.json.decode(msgspec.json.encode(record), type=kind.struct) == record
    assert kind.label


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_kind_knows_its_stream(kind: Kind) -> None:
    values = kind.complete(dict.fromkeys(kind.fields, "x"))
    stream = kind.stream("r", values, community="c", parent_stream="building:x")
    assert stream.split(":")[0] in {"community", "compound", "building", "case"}


def test_streams_follow_from_the_records_own_fields() -> None:
    def of(kind: str, **values: object) -> str:
        return KINDS[kind].stream("r", KINDS[kind].complete(values), community="c", parent_stream="up")

    assert of("building") == "community:c"
    assert of("household", building_id="b") == "building:b"
    assert of("care_tag", building_id="b") == "building:b:care"
    assert of("demand", building_id="b", compound_id="k") == "building:b"
    assert of("demand", building_id=None, compound_id="k") == "compound:k"
    assert of("demand_event") == "up"
    assert of("dispute", compound_id="k", noticed_by="a") == "compound:k:disputes:a"
    assert of("dispute", compound_id="k", noticed_by="a", accepted_on="2026-11-23") == "case:r"
    assert of("dispute_status", compound_id="k", noticed_by="a") == "compound:k:disputes:a"
    assert of("protection_report", reported_by="a") == "community:c:reports:a"
    assert of("handed_on", by="a") == "community:c:handed:a"
    assert streams.person("a") == "person:a"


@pytest.mark.parametrize(
    ("kind", "field", "value", "code"),
    [
        ("visit", "nonsense", 1, "unknown_field"),
        ("visit", "note", 7, "wrong_type"),
        ("visit", "recorded_at", "now", "wrong_type"),
        ("visit", "recorded_at", True, "wrong_type"),
        ("visit", "recorded_at", -1, "wrong_type"),
        ("visit", "recorded_at", 10**15, "wrong_type"),
        ("visit", "visited_on", "2026-02-30", "bad_date"),
        ("visit", "visited_on", None, "wrong_type"),
        ("visit", "visitor_ids", "one", "wrong_type"),
        ("visit", "visitor_ids", [1], "wrong_type"),
        ("visit", "outcome", "won", "unknown_choice"),
        ("resident", "lives_here", 1, "wrong_type"),
        ("resident", "name", "王" * 51, "too_long"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(kind: str, field: str, value: object, code: str) -> None:
    with pytest.raises(RuleError) as refused:
        check_value(KINDS[kind], field, value)
    assert (refused.value.field, refused.value.code) == (field, code)


def test_short_forms_of_declaration() -> None:
    slot = Slot(Privacy.K1, Purpose.VISITING, retention_days=9)
    assert slot("A", options=("x",)).type is Type.CHOICE
    assert slot("A", refers="visit").type is Type.REF
    assert slot("A", Type.LONG_TEXT).limit > slot("A").limit
    assert slot("A", privacy=Privacy.K2).privacy is Privacy.K2
    assert slot("A").retention_days == 9
    assert (slot("A").since, slot("A", since=3).since) == (1, 3)
    assert Slot(Privacy.K1, Purpose.VISITING, since=2)("A").since == 2


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_kind_came_with_its_first_fields(kind: Kind) -> None:
    assert kind.since == min(field.since for field in kind.fields.values())
    assert kind.fields_at(kind.since - 1) == ()
    assert kind.fields_at(99) == tuple(kind.fields)
