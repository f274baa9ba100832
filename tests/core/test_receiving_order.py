"""What a person's own work stands on comes first: the own building before all others, also on a new PC."""

from pathlib import Path

from servers import Device, Server
from stations import Line, Station
from sync.client.meter import Progress
from sync.client.session import Session
from sync.domain.streams import building, care, community, compound, disputes
from sync.store import merging
from sync.store.store import Store
from world import World


def test_streams_stand_in_the_order_of_need(world: World) -> None:
    own, me = world.id("b3"), world.id("head3")
    needed = world.viewer("head3").streams_by_need()
    assert needed[:2] == (building(own), care(own))
    assert needed[2:] == (compound(world.id("compound")), disputes(world.id("compound"), me))
    grid = world.viewer("grid").streams_by_need()
    assert {building(world.id(name)) for name in ("b1", "b2", "b3")} <= set(grid)
    assert community(world.community_id) not in grid  # goes before all of them anyway


def test_on_a_new_pc_the_own_building_comes_first_and_is_told_as_usable(
    server: Server, secretary: Device, tmp_path: Path
) -> None:
    secretary.accepted(*(server.visit(door) for door in ("b1-101", "b2-101", "b3-101") for _ in range(40)))
    code = server.invite(secretary, "grid_worker", "compound", "compound")
    station = Station.enrolled(server, tmp_path, code, line=Line(server.http, server.clock))
    last = building(server.places["b3"])
    told: list[tuple[Progress, frozenset[str]]] = []

    def needed(store: Store) -> tuple[str, ...]:
        return (last,) if store.viewer(station.account).streams_by_need() else ()

    def note(progress: Progress) -> None:
        told.append((progress, frozenset(merging.cursors(station.store))))

    with station.line.client() as http:
        session = Session(
            lambda fn: fn(station.store), station.api(http), wall=station.clock, first=needed, on_progress=note
        )
        assert session.run().verified
    usable = [streams for progress, streams in told if progress.usable]
    assert all(last in streams for streams in usable)
    assert usable
    station.store.close()
