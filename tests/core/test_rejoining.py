"""A PC that the server knows no more joins again with a fresh code: the same file, and nothing of it is lost."""

from pathlib import Path

import pytest

from ground import Ground
from returned import give_back, greet
from servers import Device, Server
from stations import Station, visit
from sync import wire
from sync.client.enrolment import rejoin
from sync.domain.ids import new_id
from sync.errors import Refused


@pytest.fixture
def database() -> str:
    """SQLite: what the server does with codes is tested on both engines elsewhere."""
    return ""


@pytest.fixture
def ground(server: Server, secretary: Device, tmp_path: Path) -> Ground:
    """The server's tables at hand, to be put back."""
    return Ground(server, secretary, tmp_path)


def code_for(secretary: Device, account: str) -> str:
    """A fresh code for somebody known."""
    message = wire.AddPerson(by=secretary.author, account=account)
    return secretary.ask(f"people/{account}/code", message, wire.AddPersonReply).code


def join_again(station: Station, code: str) -> str:
    """What the settings do; the installation afterwards."""
    with station.line.client() as http:
        made = rejoin(http, station.store.state, code=code, now_s=lambda: station.clock() // 1000)
    station.store.set_state(installation_id=made)
    return made


def refused(station: Station, code: str) -> str:
    with pytest.raises(Refused) as error:
        join_again(station, code)
    return error.value.code


def test_a_pc_enrolled_after_the_backup_brings_everything_back(
    server: Server, secretary: Device, first: Station, ground: Ground, tmp_path: Path
) -> None:
    kept = ground.copy()
    server.clock.now += 60_000
    invited = server.invite(secretary, "grid_worker", "compound", "compound")
    third = Station.enrolled(server, tmp_path, invited, name="third")
    third.sync()
    only_here, unsent = visit(server, third, note="only here"), visit(server, third, note="unsent")
    third.save([only_here])
    third.sync()
    third.save([unsent])
    secretary.pull()
    ground.restore(kept)
    server.clock.now += 60_000
    with pytest.raises(Refused) as error:
        third.sync()
    assert error.value.code == "bad_signature"
    greet(secretary)
    give_back(secretary)  # the account of the third PC among the rest
    before = third.store.state
    installation = join_again(third, code_for(secretary, third.account))
    assert installation != before.installation_id
    assert third.store.state.replica == before.replica
    assert third.sync().refused == 0
    assert {only_here.id, unsent.id} <= ground.rows().keys()
    first.sync()
    assert {"only here", "unsent"} <= {
        row[0] for row in first.store.db.conn.execute("SELECT note FROM visit WHERE deleted = 0")
    }
    third.store.close()


def test_a_pc_that_was_shut_out_goes_on_under_another_name(
    server: Server, secretary: Device, first: Station, ground: Ground
) -> None:
    first.save([visit(server, first, note="sent")])
    first.sync()
    first.save([visit(server, first, note="waits")])
    server.service._runner.write_now(
        lambda c: c.exec_driver_sql(f"UPDATE installation SET revoked_at = 1 WHERE id = '{installation_of(first)}'")
    )
    with pytest.raises(Refused):
        first.sync()
    before = first.store.state
    join_again(first, code_for(secretary, first.account))
    assert first.sync().verified
    assert first.store.state.replica != before.replica  # the old one is the old installation's
    notes = [row.values["note"] for row in ground.rows().values() if row.kind == "visit"]
    assert sorted(notes) == ["sent", "waits"]


def installation_of(station: Station) -> str:
    return station.store.state.installation_id


def test_where_the_pc_is_known_the_person_is_let_in_again(
    server: Server, secretary: Device, first: Station, ground: Ground
) -> None:
    colleague = first.let_in(server.invite(secretary, "grid_worker", "compound", "compound"))
    first.sync()
    ground.write(lambda c: c.exec_driver_sql(f"DELETE FROM installation_account WHERE account = '{colleague}'"))
    first.save([visit(server, first, recorded_by=colleague, visitor_ids=[colleague])], account=colleague)
    before = installation_of(first)
    assert join_again(first, code_for(secretary, colleague)) == before
    assert first.sync().refused == 0


def test_a_code_that_is_not_for_it_changes_nothing(server: Server, secretary: Device, first: Station) -> None:
    code = code_for(secretary, first.account)
    state = first.store.state
    first.store.set_state(installation_id=new_id(0))
    assert refused(first, "AAAAA-AAAAA") in ("code_unknown", "code_mistyped")
    first.store.db.conn.execute("UPDATE sync_state SET value = ? WHERE key = 'community_id'", (new_id(0),))
    first.store.reload()
    assert refused(first, code) == "code_unknown"  # of another community, and not used up by that
    first.store.db.conn.execute("UPDATE sync_state SET value = ? WHERE key = 'community_id'", (state.community_id,))
    first.store.reload()
    join_again(first, code)
    assert refused(first, code) == "code_used"
    first.sync()
