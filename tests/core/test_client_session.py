"""Two stations and a server: what one saves the other gets, whatever happens to the line."""

from pathlib import Path

import pytest

from servers import Device, Server
from stations import Line, Station, visit
from sync import wire
from sync.client.api import Api, open_client
from sync.domain.ids import new_id
from sync.domain.operations import patch
from sync.errors import Offline, Refused, ServerTrouble
from sync.store import outbox, quarantine
from sync.store.state import history


def _row(station: Station, household: str) -> tuple[object, ...]:
    return next(row for row in station.rows("household") if household in row)


def test_what_one_saves_the_other_gets(server: Server, first: Station, second: Station) -> None:
    saved = visit(server, first, note="暖气不热 𬱖")
    first.save([saved])
    outcome = first.sync()
    assert (outcome.pushed, outcome.refused, outcome.stopped) == (1, 0, False)
    assert second.sync().pulled >= 1
    assert second.rows("visit") == first.rows("visit")
    assert ("visit", saved.id) in frozenset().union(*second.touched)
    assert second.progress[-1].received == second.progress[-1].to_receive


def test_a_head_gets_no_other_building(server: Server, first: Station, second: Station) -> None:
    first.save([visit(server, first, "b2-101", note="别的楼")])
    first.sync()
    second.sync()
    assert second.rows("visit") == []
    buildings = {row[0] for row in second.store.db.conn.execute("SELECT DISTINCT building_id FROM household")}
    assert buildings == {server.places["b1"]}


def test_own_rows_are_not_downloaded_again(server: Server, first: Station) -> None:
    first.save([visit(server, first)])
    assert first.sync().pulled == 0
    first.line.asked.clear()
    assert first.sync().pushed == 0
    assert first.line.asked == ["hello"]  # nothing to do is one request


def test_a_lost_reply_changes_nothing(server: Server, first: Station, second: Station) -> None:
    first.save([visit(server, first)])
    first.line.mishaps = ["", "reply_lost"]
    with pytest.raises(Offline, match="no_line"):
        first.sync()
    assert outbox.pending_counts(first.store.db).in_flight == 1
    assert first.sync().pushed == 1
    second.sync()
    assert len(second.rows("visit")) == 1
    assert outbox.pending_counts(first.store.db).unsent == 0


@pytest.mark.parametrize(
    ("mishap", "error", "code"),
    [
        ("no_line", Offline, "no_line"),
        ("timeout", Offline, "timeout"),
        ("portal", Offline, "not_our_server"),
        ("status 404", Offline, "not_our_server"),
        ("status 500", ServerTrouble, "server_error"),
        ("status 503", ServerTrouble, "busy"),
    ],
)
def test_a_bad_line_keeps_what_waits(
    server: Server, first: Station, mishap: str, error: type[Exception], code: str
) -> None:
    first.save([visit(server, first)])
    for place in range(2):
        first.line.mishaps = [""] * place + [mishap]
        with pytest.raises(error, match=code):
            first.sync()
        assert outbox.pending_counts(first.store.db).unsent == 1
    assert first.sync().pushed == 1


def test_the_server_says_when_to_come_again(first: Station) -> None:
    first.line.mishaps = ["status 429 17"]
    with pytest.raises(ServerTrouble) as caught:
        first.sync()
    assert caught.value.params["retry_after_s"] == 17.0


def test_what_the_server_refuses_waits_for_a_person(server: Server, first: Station, second: Station) -> None:
    first.save([visit(server, first)])
    first.store.db.conn.execute(
        "UPDATE outbox SET body = CAST(replace(CAST(body AS TEXT), ?, ?) AS BLOB)",
        (server.places["b1-101"], server.places["far-101"]),
    )
    outcome = first.sync()
    assert (outcome.pushed, outcome.refused) == (0, 1)
    assert outbox.pending_counts(first.store.db).quarantined == 1
    assert first.rows("visit") == []
    second.sync()
    assert second.rows("visit") == []


def test_two_people_change_one_field(server: Server, first: Station, second: Station) -> None:
    household = server.places["b1-101"]
    first.save([patch("household", household, contact_phone="13800000001")])
    second.save([patch("household", household, contact_phone="13800000002", contact_name="李桂芳")])
    first.sync()
    assert second.sync().conflicts == 1
    first.sync()
    second.sync()
    assert _row(first, household) == _row(second, household)
    assert len(first.rows("conflict")) == len(second.rows("conflict")) == 1


def test_asked_to_stop_it_stops_between_two_pieces(server: Server, first: Station) -> None:
    first.save([visit(server, first)])
    outcome = first.sync(stop=lambda: True)
    assert (outcome.pushed, outcome.stopped) == (0, True)
    assert outbox.pending_counts(first.store.db).unsent == 1
    assert first.sync().pushed == 1


def test_a_wrong_clock_is_learned_and_work_goes_on(server: Server, secretary: Device, tmp_path: Path) -> None:
    code = server.invite(secretary, "grid_worker", "compound", "compound")
    station = Station.enrolled(server, tmp_path, code)
    station.sync()

    def years_ahead() -> int:
        return server.clock() + 3 * 365 * 86_400_000

    station.clock = years_ahead  # type: ignore[assignment]
    station.store._wall = years_ahead
    station.save([visit(server, station, recorded_at=0)])
    assert station.sync().pushed == 1
    assert abs(station.store.now() - server.clock()) < 1000
    station.store.close()


def test_a_cloned_file_takes_a_new_name(server: Server, first: Station, second: Station) -> None:
    before = first.store.replica
    first.save([visit(server, first)])
    first.sync()
    first.store.set_state(batch=0)  # as an old copy of the file would stand
    first.store.db.conn.execute("DELETE FROM batch_log")
    first.save([visit(server, first, "b1-102")])
    assert first.sync().pushed == 1
    assert first.store.replica != before
    second.sync()
    assert len(second.rows("visit")) == 2


def test_a_fork_that_does_not_end_is_told(server: Server, first: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    first.save([visit(server, first)])
    with first.line.client() as http:
        api = first.api(http)

        class Stubborn(type(api)):  # type: ignore[misc]
            def push(self, body: bytes) -> None:
                raise Refused("forked", status=409)

        from sync.client.session import Session

        stubborn = Stubborn(http, key=first.key, signer=api._signer, now_s=api._now_s)
        with pytest.raises(Refused, match="forked"):
            Session(lambda fn: fn(first.store), stubborn, wall=first.clock).run()
    assert first.sync().pushed == 1


def test_a_restored_server_gets_on(server: Server, first: Station) -> None:
    first.save([visit(server, first)])
    first.sync()
    first.store.set_state(epoch="another life")
    first.save([visit(server, first, "b1-102")])
    assert first.sync().pushed == 1
    assert len(first.rows("visit")) == 2


def test_a_restored_server_that_never_knew_us(server: Server, first: Station) -> None:
    before = first.store.replica
    first.store.set_state(epoch="another life", batch=7)
    first.save([visit(server, first)])
    assert first.sync().pushed == 1
    assert first.store.replica != before


def test_a_batch_too_large_is_halved(server: Server, first: Station) -> None:
    first.save([visit(server, first) for _ in range(4)])
    first.line.mishaps = ["", "problem 413 too_large", "problem 413 too_large"]
    assert first.sync().pushed == 4
    assert first.line.asked.count("push") == 2 + 4


@pytest.mark.parametrize(
    ("answer", "code"), [("problem 413 too_large", "too_large"), ("problem 400 malformed", "invalid")]
)
def test_an_operation_that_cannot_be_read_waits_for_a_person(
    server: Server, first: Station, answer: str, code: str
) -> None:
    first.save([visit(server, first), visit(server, first, "b1-102")])
    first.line.mishaps = ["", answer, answer]
    outcome = first.sync()
    assert (outcome.pushed, outcome.refused) == (1, 1)
    assert [line.code for line in quarantine.quarantined(first.store.db, first.store.viewer(first.account))] == [code]


def test_a_clock_that_went_wrong_between_greeting_and_batch(server: Server, first: Station) -> None:
    first.save([visit(server, first)])
    first.line.mishaps = ["", "problem 409 clock"]
    assert first.sync().pushed == 1


def test_an_epoch_that_changed_between_greeting_and_batch(server: Server, first: Station) -> None:
    first.save([visit(server, first)])
    first.line.mishaps = ["", "problem 409 epoch"]
    assert first.sync().pushed == 1


@pytest.mark.parametrize("place", [0, 1])
def test_a_no_is_told(server: Server, first: Station, place: int) -> None:
    first.save([visit(server, first)])
    first.line.mishaps = [""] * place + ["problem 403 revoked"]
    with pytest.raises(Refused, match="revoked"):
        first.sync()
    assert outbox.pending_counts(first.store.db).unsent == 1


def test_a_clock_a_little_wrong_is_learned_from_the_greeting(server: Server, first: Station) -> None:
    def behind() -> int:
        return server.clock() - 5 * 60_000

    first.clock = behind  # type: ignore[assignment]
    first.store._wall = behind
    first.save([visit(server, first)])
    assert first.sync().pushed == 1
    assert first.store.state.clock_offset == 5 * 60_000


def test_a_clock_put_back_during_the_greeting_teaches_nothing_until_the_next(server: Server, first: Station) -> None:
    put_back = 10 * 60_000

    def put_back_meanwhile() -> int:
        return server.clock() - (put_back if first.line.asked else 0)

    first.line.asked.clear()
    first.clock = put_back_meanwhile  # type: ignore[assignment]
    first.sync()
    assert first.store.state.clock_offset == 0
    first.sync()
    assert first.store.state.clock_offset == put_back


def test_the_history_of_rounds(server: Server, first: Station) -> None:
    first.save([visit(server, first)])
    first.sync()
    newest = history(first.store.db)[0]
    assert (newest.pushed, newest.result) == (1, "verified")
    assert first.store.state.synced_at == server.clock()


def test_one_more_person_on_a_pc(server: Server, secretary: Device, first: Station) -> None:
    code = server.invite(secretary, "building_head", "building", "b2", name="周桂英")
    account = first.let_in(code)
    first.sync()
    first.save([visit(server, first, "b2-101", recorded_by=account)], account=account)
    assert first.sync().pushed == 1
    with pytest.raises(Refused, match="code_used"):
        first.let_in(code)


def test_a_used_code_enrols_nobody(server: Server, secretary: Device, tmp_path: Path) -> None:
    code = server.invite(secretary, "grid_worker", "compound", "compound")
    Station.enrolled(server, tmp_path, code, name="one").store.close()
    with pytest.raises(Refused, match="code_used"):
        Station.enrolled(server, tmp_path, code, name="two")
    assert not (tmp_path / "two.db").exists()


def test_a_no_while_enrolling(server: Server, secretary: Device, tmp_path: Path) -> None:
    line = Line(server.http, server.clock, mishaps=["problem 403 code_expired"])
    with pytest.raises(Refused, match="code_expired"):
        Station.enrolled(server, tmp_path, "ZZZZZ-ZZZZZ", line=line)


def test_no_line_while_enrolling(server: Server, secretary: Device, tmp_path: Path) -> None:
    code = server.invite(secretary, "grid_worker", "compound", "compound")
    line = Line(server.http, server.clock, mishaps=["no_line"])
    with pytest.raises(Offline):
        Station.enrolled(server, tmp_path, code, line=line)
    Station.enrolled(server, tmp_path, code).store.close()


def test_a_code_the_server_does_not_know(server: Server, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="code_unknown"):
        Station.enrolled(server, tmp_path, "ZZZZZ-ZZZZZ")


def test_the_secretary_adds_a_person_and_makes_a_new_code(server: Server, secretary: Device) -> None:
    with Line(server.http, server.clock).client() as http:
        api = Api.of_installation(
            http,
            key=secretary.key,
            community=secretary.community,
            installation=secretary.installation,
            now_s=lambda: server.clock() // 1000,
        )
        wish = wire.GrantWish(role="building_head", scope_kind="building", scope_id=server.places["b3"])
        account = new_id(server.clock())
        made = api.add_person(wire.AddPerson(by=secretary.author, account=account, name="孙凤霞", grants=[wish]))
        again = api.new_code(wire.AddPerson(by=secretary.author, account=account))
    assert made.account == again.account == account
    assert made.code != again.code


def test_the_usual_client_asks_no_proxy() -> None:
    with open_client("http://server.test") as http:
        assert (http.base_url.host, http.trust_env) == ("server.test", False)
