"""A lost PC may sync no more, from the moment of the command, while the server runs."""

from pathlib import Path

import pytest

from servers import running
from sync import wire
from sync.server.__main__ import main


def test_a_revoked_pc_is_turned_away_at_once(database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["revoke", "--data", str(tmp_path), "--database", database]
    with running(tmp_path, database=database) as server:
        secretary = server.enrol(server.first_code())
        other = server.person(secretary, "community_secretary", "community", server.community)
        other.hello()
        assert main(command) == 0
        assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == sorted(
            (secretary.installation, other.installation)
        )
        assert main([*command, "--installation", other.installation]) == 0
        greeting = wire.Hello(device=other.replica, schema=wire.SCHEMA, app="test", time=server.clock.now)
        answer = other.send("hello", wire.encode(greeting))
        assert (answer.status_code, answer.json()["code"]) == (403, "revoked")
        secretary.hello()
        assert main([*command, "--installation", other.installation]) == 1
        assert main(command) == 0
        assert capsys.readouterr().out.count("revoked") == 1


def test_without_data_nobody_is_revoked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["revoke", "--data", str(tmp_path)]) == 1
    assert "There are no data" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
