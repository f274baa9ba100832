"""An installed server: one settings file for all commands, the secretary's code at the server, the word to systemd."""

import asyncio
import re
import socket
from pathlib import Path

import pytest
import uvicorn

from postgresql import PostgreSQL
from servers import ServerClock, running
from sync import __version__
from sync.server.__main__ import main
from sync.server.notifying import NotifyingServer
from sync.server.settings import wall_ms
from sync.server.settings_file import VARIABLE

CODE = re.compile(r"^Enrolment code for (\S+), valid once until \S+ \S+: (\S+)$", re.MULTILINE)


def settings(folder: Path, **said: object) -> Path:
    """A file as the installer leaves it."""
    path = folder / "server.toml"
    path.write_text("".join(f"{name} = {value!r}\n" for name, value in said.items()), "utf-8")
    return path


# ------------------------------------------------------------------------------------------------- settings


def test_all_commands_read_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    backups = tmp_path / "backups"
    backups.mkdir()
    path = settings(tmp_path, data=str(tmp_path / "data"), backups=str(backups), keep=2, port=8450)
    with running(tmp_path / "data", shows_code=False) as server:
        server.enrol(made(["--settings", str(path)], capsys))
    for _ in range(3):
        assert main(["--settings", str(path), "backup"]) == 0
    assert len(list(backups.glob("*.qmbackup"))) == 2
    monkeypatch.setenv(VARIABLE, str(path))
    assert main(["backup", "--keep", "1"]) == 0  # the command line is stronger
    (kept,) = backups.glob("*.qmbackup")
    assert main(["restore", "--from", str(kept)]) == 0
    capsys.readouterr()
    assert main(["revoke"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


@pytest.mark.parametrize(
    "wrong", ["datta = '/srv'", "port = 'no'", "port = 0", "workers = 0", "data = ", "community_name = ''"]
)
def test_a_wrong_file_is_told_and_nothing_is_done(
    wrong: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "server.toml"
    path.write_text(wrong, "utf-8")
    assert main(["--settings", str(path), "serve"]) == 1
    said = capsys.readouterr().err
    assert str(path) in said
    assert "Nothing was done" in said
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--settings", str(tmp_path / "none.toml"), "serve"]) == 1
    assert "none.toml cannot be read" in capsys.readouterr().err


def test_it_tells_its_version_with_whatever_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--settings", str(tmp_path / "none.toml"), "--version"])
    assert capsys.readouterr().out.strip() == __version__


@pytest.mark.parametrize(
    ("address", "said"),
    [("postgresql+psycopg://nobody@/none?host=/nowhere", "did not answer"), ("no address", "not understood")],
)
def test_a_database_that_cannot_be_had_is_one_sentence(
    address: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (["code"], ["backup", "--to", str(tmp_path)]):
        assert main([*command, "--data", str(tmp_path), "--database", address]) == 1
        assert said in capsys.readouterr().err


# ----------------------------------------------------------------------------------------------------- code


def made(arguments: list[str], capsys: pytest.CaptureFixture[str], *, more: tuple[str, ...] = ()) -> str:
    """A code by the command."""
    assert main([*arguments, "code", *more]) == 0
    found = CODE.search(capsys.readouterr().out)
    assert found is not None
    return found[2]


def test_the_first_code_is_had_by_command_and_again(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = ["--settings", str(settings(tmp_path, data=str(tmp_path / "data"), database=database))]
    data, clock = tmp_path / "data", ServerClock(wall_ms())  # which is that of the command
    with running(data, database=database, clock=clock, shows_code=False) as server:
        assert server.service.first_code is None
        lost = made(path, capsys)
        code = made(path, capsys)
        clock.now = wall_ms() + 1
        answer = server.try_code(lost)
        assert (answer.status_code, answer.json()["code"]) == (403, "code_expired")
    with running(data, database=database, clock=clock, shows_code=False) as server:
        secretary = server.enrol(code)  # a server that is started again leaves the code as it is
        assert main([*path, "code"]) == 1  # from now on the secretary gives them out
        assert "1 PCs are enrolled" in capsys.readouterr().out
        again = server.enrol(made(path, capsys, more=("--though-enrolled",)))
        assert again.accounts == secretary.accounts


def test_only_a_secretary_gets_a_code_here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = ["code", "--data", str(tmp_path), "--though-enrolled"]
    with running(tmp_path) as server:
        first = server.enrol(server.first_code())
        server.furnish(first)
        second = server.person(first, "community_secretary", "community", server.community)
        head = server.person(first, "building_head", "building", "b1")
        assert main([*path, "--account", head.author]) == 1
        told = capsys.readouterr().out
        assert [account in told for account in (first.author, second.author, head.author)] == [True, True, False]
        assert main([*path, "--account", second.author]) == 0


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_before_the_first_start_there_is_no_code_and_no_backup(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--data", str(tmp_path)]
    if engine == "postgresql":
        running_server: PostgreSQL = request.getfixturevalue("postgresql")
        where += ["--database", running_server.new_database()]
    assert main(["code", *where]) == 1
    assert "There are no data" in capsys.readouterr().err
    assert main(["backup", *where, "--to", str(tmp_path)]) == 1
    assert "There are no data" in capsys.readouterr().err
    assert main(["backup", *where, "--to", str(tmp_path), "--if-any"]) == 0
    assert main(["backup", *where]) == 1
    assert "Give --to" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


# -------------------------------------------------------------------------------------------------- systemd


def test_systemd_is_told_when_the_server_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(scope: object, receive: object, send: object) -> None:
        raise AssertionError("nobody asks")

    async def start_and_stop() -> None:
        server = NotifyingServer(uvicorn.Config(answer, port=0, lifespan="off", log_config=None))
        server.config.load()
        server.lifespan = server.config.lifespan_class(server.config)
        await server.startup()
        await server.shutdown()

    place = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(place)
        systemd.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", place)
        asyncio.run(start_and_stop())
        assert systemd.recv(100) == b"READY=1"
    monkeypatch.delenv("NOTIFY_SOCKET")
    asyncio.run(start_and_stop())  # nobody to be told
