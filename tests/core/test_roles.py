"""Who may read and write what."""

import pytest

from sync.domain import streams
from sync.domain.fields import Privacy
from sync.domain.kinds.places import Grant
from sync.domain.roles import Places, Reach, Viewer, authorise, made_by, viewer
from world import World

PLACES = Places(
    "c",
    {"k1": frozenset({"b1", "b2"}), "k2": frozenset({"b3"}), "k3": frozenset()},
    {"g": frozenset({"b1"})},
)


def who(*grants: tuple[str, str, str], account: str = "me") -> Viewer:
    made = [
        Grant(id=f"{at}", account_id="me", role=role, scope_kind=scope, scope_id=area)
        for at, (role, scope, area) in enumerate(grants)
    ]
    return viewer(account, made, PLACES, today="2026-11-23")


HEAD = who(("building_head", "building", "b1"))
LEADER = who(("cluster_leader", "building", "b1"))
GRID = who(("grid_worker", "grid", "g"))
STAFF = who(("station_staff", "compound", "k1"))
MEDIATOR = who(("mediator", "compound", "k1"))
BRANCH = who(("branch_secretary", "compound", "k1"))
SECRETARY = who(("community_secretary", "community", "c"))
HEAD_AND_STAFF_ELSEWHERE = who(("building_head", "building", "b1"), ("station_staff", "compound", "k2"))
NOBODY = who()


def test_areas_are_sets_of_buildings() -> None:
    assert PLACES.buildings_of("community", "c") == {"b1", "b2", "b3"}
    assert PLACES.buildings_of("community", "other") == frozenset()
    assert PLACES.buildings_of("compound", "k1") == {"b1", "b2"}
    assert PLACES.buildings_of("grid", "g") == {"b1"}
    assert PLACES.buildings_of("building", "b3") == {"b3"}
    assert PLACES.buildings_of("building", "nowhere") == frozenset()
    assert PLACES.compound_of("b3") == "k2"


def test_a_grant_holds_from_a_day_to_a_day() -> None:
    def on(day: str) -> bool:
        grant = Grant(account_id="me", role="building_head", scope_kind="building", scope_id="b1")
        timed = Grant(
            account_id="me",
            role="building_head",
            scope_kind="building",
            scope_id="b1",
            valid_from="2026-11-01",
            valid_to="2026-11-30",
        )
        assert viewer("me", [grant], PLACES, today=day).roles
        return bool(viewer("me", [timed], PLACES, today=day).roles)

    assert [on(day) for day in ("2026-10-31", "2026-11-01", "2026-11-30", "2026-12-01")] == [False, True, True, False]
    assert not who(("building_head", "building", "b1"), account="somebody else").roles


def test_buildings_and_compounds_of_a_viewer() -> None:
    assert HEAD.buildings() == {"b1"}
    assert HEAD.compounds() == {"k1"}
    assert HEAD.buildings({"mediator"}) == frozenset()
    assert SECRETARY.compounds() == {"k1", "k2", "k3"}
    assert who(("mediator", "compound", "k3")).compounds() == {"k3"}
    assert HEAD.is_head_only()
    assert not GRID.is_head_only()
    assert not NOBODY.is_head_only()


def test_what_a_head_may_read() -> None:
    reach = HEAD.reach()
    assert reach.allows("building:b1")
    assert reach.allows("compound:k1")
    assert reach.allows(streams.disputes("k1", "me"))
    assert not reach.allows("building:b1:care")
    assert not reach.allows("building:b2")
    assert not reach.allows(streams.disputes("k1", "other"))
    assert not reach.allows(streams.reports("c", "other"))


def test_what_the_station_may_read() -> None:
    assert STAFF.reach().allows("building:b2:care")
    assert STAFF.reach().allows(streams.disputes("k1", "other"))
    assert not STAFF.reach().allows(streams.disputes("k2", "other"))
    assert STAFF.reach().allows(streams.reports("c", "me"))
    assert not BRANCH.reach().allows(streams.reports("c", "me"))
    assert SECRETARY.reach().allows(streams.reports("c", "other"))
    assert MEDIATOR.reach(["x"]).allows("case:x")
    assert not MEDIATOR.reach(["x"]).allows("building:b1")
    assert NOBODY.reach() == Reach(frozenset(), ())
    assert not NOBODY.reach().allows("community:c")


def test_data_classes_by_role() -> None:
    assert HEAD.may_see(Privacy.K1)
    assert not NOBODY.may_see(Privacy.K0)
    assert HEAD.may_see(Privacy.K2, "b1")
    assert not HEAD.may_see(Privacy.K2, "b2")
    assert not HEAD.may_see(Privacy.K3)
    assert STAFF.may_see(Privacy.K3, "b1")
    assert MEDIATOR.may_see(Privacy.K4)
    assert not BRANCH.may_see(Privacy.K5)
    assert SECRETARY.may_see(Privacy.K5)


@pytest.mark.parametrize(
    ("author", "kind", "action", "stream", "values", "own", "code"),
    [
        (NOBODY, "visit", "new", "building:b1", {}, False, "out_of_scope"),
        (HEAD, "visit", "new", "building:b1", {}, False, ""),
        (HEAD, "visit", "new", "building:b2", {}, False, "out_of_scope"),
        (HEAD, "care_suggestion", "new", "building:b1:care", {}, False, ""),
        (HEAD, "care_suggestion", "patch", "building:b1:care", {}, False, "read_only"),
        (HEAD, "care_suggestion", "patch", "building:b1:care", {}, True, ""),
        (HEAD, "care_tag", "new", "building:b1:care", {}, False, "read_only"),
        (HEAD, "account", "new", "community:c", {}, False, "read_only"),
        (HEAD, "dispute", "new", "compound:k1:disputes:me", {}, False, ""),
        (HEAD, "dispute", "new", "compound:k1:disputes:other", {}, False, "out_of_scope"),
        (HEAD, "dispute", "new", "compound:k2:disputes:me", {}, False, "out_of_scope"),
        (STAFF, "dispute", "patch", "compound:k1:disputes:other", {}, False, ""),
        (HEAD_AND_STAFF_ELSEWHERE, "dispute", "patch", "compound:k1:disputes:other", {}, False, "out_of_scope"),
        (HEAD_AND_STAFF_ELSEWHERE, "dispute", "new", "compound:k1:disputes:me", {}, False, ""),
        (HEAD_AND_STAFF_ELSEWHERE, "dispute", "patch", "compound:k2:disputes:other", {}, False, ""),
        (STAFF, "demand", "patch", "compound:k1", {}, False, ""),
        (STAFF, "demand_event", "patch", "building:b1", {}, False, "read_only"),
        (MEDIATOR, "dispute", "patch", "case:x", {"mediator_ids": ["me"]}, False, ""),
        (MEDIATOR, "dispute", "patch", "case:x", {}, False, "out_of_scope"),
        (STAFF, "dispute", "patch", "case:x", {"mediator_ids": ["me"]}, False, "out_of_scope"),
        (HEAD, "visit", "new", "person:me", {}, False, ""),
        (HEAD, "visit", "new", "person:you", {}, False, "out_of_scope"),
        (HEAD, "protection_report", "new", "community:c:reports:me", {}, False, ""),
        (HEAD, "protection_report", "new", "community:c:reports:you", {}, False, "out_of_scope"),
        (HEAD, "handed_on", "new", "community:c:handed:me", {}, False, ""),
        (HEAD, "handed_on", "new", "community:c:handed:you", {}, False, "out_of_scope"),
        (HEAD, "handed_on", "patch", "community:c:handed:you", {}, False, "read_only"),
        (STAFF, "handed_on", "patch", "community:c:handed:you", {}, False, "read_only"),
        (SECRETARY, "handed_on", "patch", "community:c:handed:you", {}, False, ""),
        (STAFF, "building", "new", "community:c", {"compound_id": "k1"}, False, ""),
        (STAFF, "building", "new", "community:c", {"compound_id": "k2"}, False, "out_of_scope"),
        (SECRETARY, "compound", "new", "community:c", {}, False, ""),
        (SECRETARY, "compound", "new", "community:other", {}, False, "out_of_scope"),
    ],
)
def test_who_may_write_what(
    author: Viewer, kind: str, action: str, stream: str, values: dict[str, object], own: bool, code: str
) -> None:
    answer = authorise(author, kind=kind, action=action, stream=stream, values=values, author_made_it=own)
    assert answer == code


def test_the_maker_of_a_record_is_named_in_it() -> None:
    assert made_by({"recorded_by": "me"}, "me")
    assert made_by({"noticed_by": "me"}, "me")
    assert not made_by({"recorded_by": "you"}, "me")
    assert not made_by({}, "me")


def test_the_stores_viewers_are_these(world: World) -> None:
    assert world.viewer("head3").buildings() == {world.id("b3")}
    assert world.viewer("staff").buildings() == {world.id("b1"), world.id("b2"), world.id("b3")}
    assert "building:" + world.id("b3") in world.viewer("head3").streams
