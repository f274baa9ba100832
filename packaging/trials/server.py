"""The way of a community's server from the package to the way back, on a Debian with systemd, with a verdict a step.

    sudo .venv/bin/python packaging/trials/server.py [--root DIR] [--suite bookworm] [--deb FILE]

Needs a Debian machine with debootstrap and root; the Debian it is tried on (1 GB) is made in ``--root`` the first time.
PCs are real ones without their windows: an encrypted store each, and the program's session, over HTTPS through nginx.
"""

import argparse
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

_HERE: Final = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE.parents[1]), str(_HERE.parents[1] / "tests" / "support"), str(_HERE.parent)]

import build_server
import httpx
from pins import program_version
from trials.machine import Machine, TrialError, prepare

from servers import Server, ServerClock
from stations import Line, Station, visit
from sync.client.line import open_line
from sync.domain.building_list import BuildingList, ListedBuilding
from sync.domain.calendar import day_of
from sync.server.settings import wall_ms

ROOT: Final = _HERE.parents[1]
NEXT: Final = "99.0.0"
URL: Final = "https://127.0.0.1:18443"
POSTGRESQL: Final = "postgresql+psycopg://qiaomen@/qiaomen?host=/var/run/postgresql"
BACKUPS: Final = "/var/backups/qiaomen"
UNITS: Final = ("qiaomen-server.service", "qiaomen-backup.service", "qiaomen-backup.timer", "qiaomen-alarm@.service")
_CODE: Final = re.compile(r"^Enrolment code for \S+, valid once until \S+ \S+: (\S+)$", re.MULTILINE)
_EXPOSURE: Final = re.compile(r"Overall exposure level for \S+: (\d+\.\d)")
_MIGRATION: Final = '''"""A shape that the version before does not know."""

from alembic import op

revision = "9999"
down_revision = "{last}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One more table."""
    op.execute("CREATE TABLE trial (id INTEGER)")
'''


class WallClock:
    """The real time, for the test support's devices."""

    @property
    def now(self) -> int:
        """Milliseconds since 1970."""
        return wall_ms()

    def __call__(self) -> int:
        return wall_ms()


@dataclass
class SecureLine(Line):
    """The line of a PC whose installer carries the community's authority."""

    ca: str = ""

    def client(self) -> httpx.Client:
        """What a PC opens."""
        return open_line([URL], ca=self.ca)


class Trial:
    """The machine, the packages, the PCs, and what has been seen so far."""

    def __init__(self, machine: Machine, packages: dict[str, Path], folder: Path) -> None:
        self._machine = machine
        self._packages = packages
        self._folder = folder
        self._clock = cast(ServerClock, WallClock())
        self._stations: list[Station] = []
        for path in packages.values():
            shutil.copyfile(path, machine.root / "root" / path.name)

    # ------------------------------------------------------------------------------------------- the steps

    def install(self) -> str:
        """One file installs without a line to anywhere, and starts nothing."""
        self._machine.boot()
        self._machine.run(f"unshare --net dpkg -i /root/{self._packages['now'].name}")
        is_active = self._run("systemctl is-active qiaomen-server", may_fail=True).strip()
        _same(is_active, "inactive")
        _same(self._run("qiaomen-server --version").strip(), program_version())
        size = self._run("du -sm /opt/qiaomen-server").split()[0]
        return f"installed by dpkg in a network of its own, {size} MB; nothing was started"

    def units(self) -> str:
        """systemd finds nothing to complain of."""
        paths = " ".join(f"/usr/lib/systemd/system/{name}" for name in UNITS)
        _same(self._run(f"systemd-analyze verify {paths}"), "")
        told = []
        for name in UNITS[:2]:
            found = _EXPOSURE.search(self._run(f"systemd-analyze security --no-pager {name}"))
            _true(found is not None and float(found[1]) <= 2.0, f"{name} is too exposed")
            told.append(f"{name} {found[1] if found else ''}")
        return "verify says nothing; exposure: " + ", ".join(told)

    def certificates(self) -> str:
        """An authority of our own, and nginx as the example has it."""
        self._run("/opt/qiaomen-server/bin/make-certificates server.example 127.0.0.1")
        authority = self._run("sha256sum /etc/qiaomen/tls/ca.pem")
        told = self._run("/opt/qiaomen-server/bin/make-certificates server.example 127.0.0.1")
        _same(self._run("sha256sum /etc/qiaomen/tls/ca.pem"), authority)
        self._run(
            "sed -e 's/ 443 / 18443 /; s/:443 /:18443 /; s/8440/18440/; s/qiaomen.example/server.example/'"
            " /usr/share/doc/qiaomen-server/nginx.conf > /etc/nginx/sites-available/qiaomen"
            " && ln -s ../sites-available/qiaomen /etc/nginx/sites-enabled/ && rm /etc/nginx/sites-enabled/default"
            " && nginx -t && systemctl restart nginx"
        )
        return f"nginx takes the example; {told.strip()}; renewing left the authority as it was"

    def first_start(self) -> str:
        """Without a name it does not start; with one it answers when `systemctl start` returns."""
        self._run("systemctl start qiaomen-server && exit 1 || exit 0")
        _true("Nothing was done" in self._journal(), "the journal does not say what is missing")
        self._set(community_name='"幸福里社区"', community_code='"370812001017"', port="18440")
        listed = BuildingList((ListedBuilding(compound="向阳里", name="1号楼", floors=6, rooms=2, units=3),))
        (self._machine.root / "tmp/buildings.json").write_bytes(listed.content)
        made = self._run("qiaomen-server buildings --from /tmp/buildings.json")
        _true("1 buildings with 36 doors" in made, made)
        self._run("systemctl enable --now qiaomen-server qiaomen-backup.timer")
        _same(self._ready(), 200)
        self._run("systemctl restart qiaomen-server")
        _true("enrolment code" not in self._journal(), "the journal has a code")
        return (
            "refused without the community's name; then a building made and an answer at once; no code in the journal"
        )

    def first_pc(self) -> str:
        """The first secretary's PC is enrolled over nginx, and two PCs come into step."""
        code = self._code()
        self._run("systemctl restart qiaomen-server")  # which leaves the code as it is
        with tempfile.TemporaryDirectory() as folder:
            self._strangers_are_refused(Path(folder))
        server = self._server()
        secretary = server.enrol(code)
        secretary.clock = self._clock
        server.furnish(secretary)
        self._places = dict(server.places)
        for name in ("first", "second"):
            made = server.invite(secretary, "grid_worker", "compound", "compound", name=name)
            self._stations.append(self._station(server, made, name=f"sqlite-{name}"))
        self._visits(server, 5)
        told = self._run("qiaomen-server code", may_fail=True)
        _true("PCs are enrolled" in told, "a code is given although PCs are enrolled")
        return "a secretary and two PCs enrolled over TLS; 5 visits of one are at the other, in step, verified"

    def limits(self) -> str:
        """nginx lets the server's own answers through, and nobody else's requests."""
        with self._http() as http:
            _same(
                [http.get(path).status_code for path in ("/metrics", "/schema", "/", "/readyz")], [404, 404, 404, 200]
            )
            large = http.post("/sync/v1/push", content=b"x" * (4 * 1024 * 1024 + 1))
            _same((large.status_code, large.json()["code"]), (413, "too_large"))
        self._wrong_codes_are_counted_by_address()
        with self._http() as http:
            answer, body = self._slow(http)  # nginx would not have asked the server yet, if it kept bodies
            body.finish()
            _same(answer().status_code, 401)
        self._set(queue_limit="1")
        self._run("systemctl restart qiaomen-server")
        busy = self._busy()
        _same(busy.json()["code"], "busy")
        _true(int(busy.headers["retry-after"]) > 0, "no Retry-After")
        self._set(queue_limit="64")
        self._run("systemctl restart qiaomen-server")
        left = self._run("find /var/lib/nginx -type f").strip()
        _same(left, "")
        return "413 has its code, 429 its Retry-After; wrong codes count by address; a body lies in no file"

    def stopping(self) -> str:
        """A request under way gets its answer, and then the server ends."""
        with self._http() as http:
            answer, body = self._slow(http)
            self._run("systemctl stop --no-block qiaomen-server")
            _until(lambda: self._state() == "deactivating", "it does not stop")
            body.finish()
            _same(answer().status_code, 401)
        _until(lambda: self._state() == "inactive", "it does not end")
        self._run("systemctl start qiaomen-server")
        return "a request that was under way was answered; then it ended with success"

    def backup(self) -> str:
        """The timer's service writes a backup; a failure is told."""
        self._run("systemctl start qiaomen-backup")
        files = self._run(f"ls {BACKUPS}/*.qmbackup").split()
        _same(len(files), 1)
        _true("qiaomen_backup_age_seconds" in self._metrics(), "its age is not counted")
        self._run(
            "printf '#!/bin/sh\\necho \"$1\" > /run/alarm-told\\n' > /etc/qiaomen/alarm; chmod +x /etc/qiaomen/alarm;"
            f" chattr +i {BACKUPS} 2>/dev/null || mount -t tmpfs -o ro tmpfs {BACKUPS}"
        )
        self._run("systemctl start qiaomen-backup && exit 1 || exit 0")
        self._run(f"chattr -i {BACKUPS} 2>/dev/null || umount {BACKUPS}")
        _until(lambda: self._run("cat /run/alarm-told", may_fail=True).strip() == "qiaomen-backup", "no alarm")
        critical = self._run("journalctl -q -p crit -o cat --no-pager")
        _true("qiaomen-backup has FAILED" in critical, "not critical in the journal")
        self._run("rm /etc/qiaomen/alarm; systemctl reset-failed; systemctl start qiaomen-backup")
        return (
            "written and counted; when it could not be written: critical in the journal, and /etc/qiaomen/alarm was run"
        )

    def upgrade(self) -> str:
        """A newer package with another shape of the database; it begins with a backup."""
        self._run(f"apt-get -q -y install /root/{self._packages['next'].name}")
        _same(self._run("qiaomen-server --version").strip(), NEXT)
        _same(self._ready(), 200)
        before = self._run(f"ls {BACKUPS}/before-upgrades").split()
        _same(len(before), 1)
        self._visits(self._server(), 2)
        return f"backed up by {program_version()}, restarted as {NEXT} with one table more; PCs went on"

    def no_upgrade_without_backup(self) -> str:
        """When no backup can be made nothing is replaced."""
        self._run(
            "systemctl stop qiaomen-server; mv /var/lib/qiaomen/server.db /var/lib/qiaomen/aside;"
            " printf 'no database' > /var/lib/qiaomen/server.db; chown qiaomen: /var/lib/qiaomen/server.db"
        )
        told = self._run(f"apt-get -q -y --allow-downgrades install /root/{self._packages['now'].name}", may_fail=True)
        _true("nothing was upgraded" in told, told[-500:])
        _same(self._run("qiaomen-server --version").strip(), NEXT)
        self._run("mv /var/lib/qiaomen/aside /var/lib/qiaomen/server.db; systemctl start qiaomen-server")
        return "a damaged database stopped the upgrade before anything was replaced"

    def rollback(self) -> str:
        """The older package refuses the newer data, and takes the backup that the upgrade began with."""
        oldest = self._run(f"ls {BACKUPS}/before-upgrades").split()[0]
        told = self._run(f"apt-get -q -y --allow-downgrades install /root/{self._packages['now'].name}")
        _true("did not start, and says why" in told, told[-500:])
        _same(self._run("qiaomen-server --version").strip(), program_version())
        _until(lambda: "newer version" in self._journal(), "it does not say why it does not start")
        self._run("systemctl stop qiaomen-server")
        told = self._run(
            f"qiaomen-server restore --from {BACKUPS}/before-upgrades/{oldest} && systemctl start qiaomen-server"
        )
        self._visits(self._server(), 1)
        _same(self._count(), 8)
        return f"refused the newer data, restored ({told.splitlines()[0]}); what came since was given back by the PCs"

    def restore(self) -> str:
        """The drill: a backup as a file from elsewhere."""
        self._run(f"cp $(ls {BACKUPS}/*.qmbackup | tail -1) /root/FILE.qmbackup; systemctl stop qiaomen-server")
        self._run(
            f"install -o qiaomen -g qiaomen -m 600 /root/FILE.qmbackup {BACKUPS}/back.qmbackup"
            f" && qiaomen-server restore --from {BACKUPS}/back.qmbackup && systemctl start qiaomen-server"
        )
        self._visits(self._server(), 1)
        _same(self._count(), 9)
        return "restored as documented; the PCs gave back what the backup had not"

    def caddy(self) -> str:
        """The other example serves as well."""
        self._run(
            "systemctl stop nginx; install -o root -g caddy -m 640 /etc/qiaomen/tls/server.key /etc/caddy/qiaomen.key;"
            " sed -e 's/8440/18440/; s/^qiaomen.example:443/127.0.0.1:18443/'"
            " /usr/share/doc/qiaomen-server/Caddyfile > /etc/caddy/Caddyfile;"
            " chmod 755 /etc/qiaomen /etc/qiaomen/tls; caddy validate --config /etc/caddy/Caddyfile 2>&1"
            " && systemctl restart caddy"
        )
        _until(lambda: self._is_answered("/readyz"), "caddy does not answer")
        with self._http() as http:
            _same([http.get(path).status_code for path in ("/metrics", "/schema", "/")], [404, 404, 404])
            large = http.post("/sync/v1/push", content=b"x" * (4 * 1024 * 1024 + 1))
            _same((large.status_code, large.json()["code"]), (413, "too_large"))
        self._visits(self._server(), 1)
        self._run("systemctl stop caddy; chmod 750 /etc/qiaomen; chmod 700 /etc/qiaomen/tls; systemctl start nginx")
        return "validated; PCs synced through it, 413 is the server's, /metrics stays inside"

    def postgresql(self) -> str:
        """The same on PostgreSQL over its socket, by two processes, with backup and restore."""
        for station in self._stations:
            station.store.close()
        self._stations.clear()
        self._run(
            "systemctl stop qiaomen-server; rm -rf /var/lib/qiaomen/* /var/backups/qiaomen/*;"
            " sed -i \"s/^#*listen_addresses.*/listen_addresses = ''/\" /etc/postgresql/*/main/postgresql.conf;"
            " systemctl restart postgresql"
        )
        self._run("runuser -u postgres -- createuser qiaomen")
        self._run(
            "runuser -u postgres -- createdb --owner=qiaomen --encoding=UTF8 --locale=C --template=template0 qiaomen"
        )
        self._set(database=f'"{POSTGRESQL}"')
        self._run("sed -i 's/^# workers = 2/workers = 2/' /etc/qiaomen/server.toml; systemctl start qiaomen-server")
        server = self._server()
        secretary = server.enrol(self._code())
        server.furnish(secretary)
        self._places = dict(server.places)
        for name in ("first", "second"):
            code = server.invite(secretary, "grid_worker", "compound", "compound", name=name)
            self._stations.append(self._station(server, code, name=f"postgresql-{name}"))
        self._visits(server, 3)
        self._run("systemctl start qiaomen-backup")
        self._visits(server, 2)
        (file,) = self._run(f"ls {BACKUPS}/*.qmbackup").split()
        self._run(
            f"systemctl stop qiaomen-server; qiaomen-server restore --from {file}; systemctl start qiaomen-server"
        )
        self._visits(server, 1)
        asked = "SELECT count(*) FROM record WHERE kind = 'visit'"
        _same(int(self._run(f'cd /; runuser -u postgres -- psql -tA qiaomen -c "{asked}"')), 6)
        processes = len(self._run("ps -u qiaomen -o pid=").split())
        _true(processes >= 3, f"{processes} processes in place of one and two workers")
        return "peer over the socket, two workers, pg_dump in the unit, restored; the PCs gave back what came since"

    def purge(self) -> str:
        """The package goes, people's work stays."""
        told = self._run("apt-get -q -y purge qiaomen-server")
        _true("The data stay" in told, "it is not told where the data are")
        self._run("test -d /var/lib/qiaomen && ls /var/backups/qiaomen/*.qmbackup && test ! -e /opt/qiaomen-server")
        return "data and backups stay, and it is told where"

    # ------------------------------------------------------------------------------------------- what they share

    def _run(self, script: str, *, may_fail: bool = False) -> str:
        return self._machine.run(script, may_fail=may_fail)

    def _journal(self) -> str:
        return self._run("journalctl -q -u qiaomen-server -o cat --no-pager")

    def _metrics(self) -> str:
        with httpx.Client(trust_env=False) as http:
            return http.get("http://127.0.0.1:18440/metrics").text

    def _slow(self, http: httpx.Client) -> "tuple[Callable[[], httpx.Response], SlowBody]":
        """A request that the server has begun to read and that is not whole yet."""
        self._run("systemctl restart nginx")  # no connection to the server is left open
        body = SlowBody(4000)
        answer = body.post(http)
        try:
            _until(lambda: _is_connected(18440), "nginx keeps the body to itself")
        except TrialError:
            body.finish()
            raise
        time.sleep(1)  # until its head has been read, which nothing tells
        return answer, body

    def _busy(self) -> httpx.Response:
        """Ask at once what a queue of one cannot hold, until somebody is told to come again."""
        until = time.monotonic() + 60
        with self._http() as http, ThreadPoolExecutor(24) as pool:
            http.get("/readyz")
            while time.monotonic() < until:
                for answer in pool.map(lambda _: http.post("/sync/v1/push", content=b"x" * 100_000), range(96)):
                    if answer.status_code == 429:
                        return answer
        raise TrialError("nobody was told to come again")

    def _state(self) -> str:
        return self._run("systemctl is-active qiaomen-server", may_fail=True).strip()

    def _set(self, **values: str) -> None:
        for name, value in values.items():
            path = self._machine.root / "etc/qiaomen/server.toml"
            text, found = re.subn(rf"^{name} = .*$", f"{name} = {value}", path.read_text("utf-8"), flags=re.MULTILINE)
            path.write_text(text if found else f"{text}\n{name} = {value}\n", "utf-8")

    def _ca(self) -> str:
        return (self._machine.root / "etc/qiaomen/tls/ca.pem").read_text("ascii")

    def _http(self) -> httpx.Client:
        return open_line([URL], ca=self._ca())

    def _ready(self) -> int:
        with self._http() as http:
            return http.get("/readyz").status_code

    def _is_answered(self, path: str) -> bool:
        try:
            with self._http() as http:
                return http.get(path).status_code == 200
        except httpx.TransportError:
            return False

    def _code(self) -> str:
        found = _CODE.search(self._run("qiaomen-server code"))
        if found is None:
            raise TrialError("no code")
        return found[1]

    def _server(self) -> Server:
        made = Server(cast(Any, None), self._http(), self._clock)
        made.places.update(getattr(self, "_places", {}))
        return made

    def _station(self, server: Server, code: str, *, name: str) -> Station:
        line = SecureLine(server.http, self._clock, ca=self._ca())
        return Station.enrolled(server, self._folder, code, name=name, line=line)

    def _visits(self, server: Server, count: int) -> None:
        """The first PC writes so many visits; when both have synced they hold the same, as the server does."""
        first, second = self._stations
        for station in (first, second):
            _settled(station)
        today = day_of(self._clock())
        first.save([visit(server, first, "b1-101", visited_on=today) for _ in range(count)])
        outcomes = [_settled(first), _settled(second)]
        _true(all(outcomes), "not verified")
        _same(second.rows("visit"), first.rows("visit"))

    def _count(self) -> int:
        """Visits that the server holds (on SQLite)."""
        query = "import sqlite3; print(sqlite3.connect('file:/var/lib/qiaomen/server.db?mode=ro', uri=True)"
        query += ".execute(\"SELECT count(*) FROM record WHERE kind = 'visit'\").fetchone()[0])"
        (self._machine.root / "root/count.py").write_text(query, "utf-8")
        return int(self._run("python3 /root/count.py"))

    def _strangers_are_refused(self, folder: Path) -> None:
        """Who trusts another authority never says a word to the server."""
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        command += ["-keyout", str(folder / "key"), "-out", str(folder / "ca.pem"), "-subj", "/CN=another"]
        subprocess.run(command, check=True, capture_output=True)
        try:
            with open_line([URL], ca=(folder / "ca.pem").read_text("ascii")) as http:
                http.get("/readyz")
        except httpx.ConnectError:
            return
        raise TrialError("a server with a certificate of another authority was believed")

    def _wrong_codes_are_counted_by_address(self) -> None:
        context = ssl.create_default_context(cadata=self._ca())
        said = {}
        for address in ("127.0.0.2", "127.0.0.3"):
            transport = httpx.HTTPTransport(verify=context, local_address=address)
            with httpx.Client(base_url=URL, transport=transport, trust_env=False) as http:
                server = Server(cast(Any, None), http, self._clock)
                tries = 6 if address == "127.0.0.2" else 1
                said[address] = [server.try_code("AAAAA-AAAAA").json()["code"] for _ in range(tries)][-1]
        _same(said["127.0.0.2"], "too_many_tries")
        _true(said["127.0.0.3"] != "too_many_tries", "another address pays for it")


class SlowBody:
    """A request whose body stands still until it is told to go on."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._read, self._write = os.pipe()

    def post(self, http: httpx.Client) -> Callable[[], httpx.Response]:
        """Begin it on a thread; what is given back waits for the answer."""
        pool = ThreadPoolExecutor(1)
        future = pool.submit(http.post, "/sync/v1/push", content=self._pieces())
        return lambda: future.result(60)

    def finish(self) -> None:
        """Let the rest go."""
        os.close(self._write)

    def _pieces(self) -> Any:
        yield b"x" * self._size
        os.read(self._read, 1)
        os.close(self._read)
        yield b"y" * self._size


def _settled(station: Station) -> bool:
    """Sync until there is nothing more to do; whether all was verified."""
    for _ in range(6):
        outcome = station.sync()
        if outcome.verified and not outcome.pushed and not outcome.pulled:
            return True
    return False


def _is_connected(port: int) -> bool:
    """Whether somebody is connected to this port of this machine."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
    return any(line[1].endswith(f":{port:04X}") and line[3] == "01" for line in lines)


def _same(seen: object, expected: object) -> None:
    if seen != expected:
        raise TrialError(f"{seen!r} in place of {expected!r}")


def _true(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise TrialError(otherwise)


def _until(condition: Callable[[], bool], otherwise: str) -> None:
    until = time.monotonic() + 60
    while not condition():
        if time.monotonic() > until:
            raise TrialError(otherwise)
        time.sleep(0.2)


def newer(deb: Path, out: Path) -> Path:
    """The same package as a later version, which brings the database to another shape."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        subprocess.run(["dpkg-deb", "-R", str(deb), str(tree)], check=True)
        control, app = tree / "DEBIAN/control", tree / "opt/qiaomen-server/app/sync"
        version = f"Version: {program_version()}"
        control.write_text(control.read_text("utf-8").replace(version, f"Version: {NEXT}"), "utf-8")
        about = app / "__init__.py"
        about.write_text(about.read_text("utf-8").replace(program_version(), NEXT), "utf-8")
        versions = app / "server/migrations/versions"
        last = max(path.name for path in versions.glob("v*.py"))[1:5]
        (versions / "v9999_trial.py").write_text(_MIGRATION.format(last=last), "utf-8")
        made = out / deb.name.replace(program_version(), NEXT)
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", "-Zxz", "-z0", "--build", str(tree), str(made)],
            check=True,
            capture_output=True,
        )
    return made


def main() -> int:
    """Do all steps; the exit status."""
    parser = argparse.ArgumentParser(description="Try the server's package on a Debian with systemd.")
    parser.add_argument(
        "--root", type=Path, default=ROOT / "build" / "trials", help="where its Debian is made and kept"
    )
    parser.add_argument("--suite", default="bookworm", help="of Debian (default: bookworm)")
    parser.add_argument("--deb", type=Path, help="the package, if it is made already")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="trial-") as work:
        folder = Path(work)
        deb = given.deb
        if deb is None:
            wheel = build_server.build_wheel(folder)
            libraries = build_server.fetch_libraries("linux-amd64")
            deb = build_server.build_deb("linux-amd64", libraries, wheel=wheel, out=folder, fast=True)
        root = prepare(
            given.root, suite=given.suite, packages=("nginx", "openssl", "caddy", "postgresql", "adduser", "e2fsprogs")
        )
        machine = Machine(root)
        trial = Trial(machine, {"now": deb, "next": newer(deb, folder)}, folder)
        steps = (
            *(trial.install, trial.units, trial.certificates, trial.first_start, trial.first_pc, trial.limits),
            *(trial.stopping, trial.backup, trial.upgrade, trial.no_upgrade_without_backup, trial.rollback),
            *(trial.restore, trial.caddy, trial.postgresql, trial.purge),
        )
        try:
            return _walk(steps)
        finally:
            machine.halt()


def _walk(steps: tuple[Callable[[], str], ...]) -> int:
    for number, step in enumerate(steps, 1):
        began = time.monotonic()
        name = step.__name__.strip("_").replace("_", " ")
        try:
            said = step()
        except (TrialError, httpx.HTTPError, AssertionError) as error:
            print(f"{number:>2}/{len(steps)} FAILED  {name}: {error}")
            return 1
        print(f"{number:>2}/{len(steps)} ok {time.monotonic() - began:5.1f} s  {name}: {said}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
