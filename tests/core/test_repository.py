"""The rules of the house that no other tool asks: names, homes of libraries, sizes, and what must never occur."""

import ast
import gc
import importlib
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# Folders of what a run leaves behind, not of what we wrote.
LEFT_BEHIND = {".git", ".venv", "build", "dist", "__pycache__", ".ruff_cache", ".hypothesis"}

# Where a library may be imported; nobody else knows that we use it.
HOMES = {
    "PySide6": "desktop",
    "shiboken6": "desktop",
    "alembic": "sync.server",
    "cryptography": "sync.keys",
    "httpx": "sync.client",
    "litestar": "sync.server",
    "platformdirs": "desktop.paths",
    "prometheus_client": "sync.server",
    "psycopg": "sync.server",
    "psycopg_pool": "sync.server",
    "pysqlite3": "sync.store",
    "sqlalchemy": "sync.server",
    "sqlcipher3": "sync.store",
    "sqlite3": "sync.store",
    "sqlite_utils": "sync.store",
    "uvicorn": "sync.server",
}

# What turns community work into a show of work: comparing people, counting their presence, following them.
SHOW_WORDS = {"checkin", "geolocation", "gps", "gamification", "latitude", "leaderboard", "longitude"}
SHOW_WORDS |= {"rank", "ranked", "ranking", "ranks", "scoreboard"}
SHOW_PHRASES = {("check", "in"), ("clock", "in"), ("online", "time"), ("online", "minutes"), ("online", "seconds")}
SHOW_PHRASES |= {("bonus", "points"), ("login", "count"), ("reward", "points"), ("score", "points")}
SHOW_CHINESE = ("打卡", "积分", "排名", "排行榜", "在线时长")
# Below the desktop there is no geometry, so the word has only one meaning there.
SHOW_WORDS_BELOW_QT = {"points", "score", "scores"}
SQL = re.compile(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE (TABLE|INDEX|VIEW)|ORDER BY)\b")


def files(*folders: str, suffix: str = "") -> Iterator[Path]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob(f"*{suffix}")):
            if path.is_file() and not LEFT_BEHIND & set(path.relative_to(ROOT).parts):
                yield path


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str:
    return name_of(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def parsed(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    for path in files(*folders, suffix=".py"):
        yield path, _tree(path)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@pytest.fixture(autouse=True, scope="module")
def forgetful() -> Iterator[None]:
    """The trees are many megabytes, and nobody else wants them."""
    yield
    _tree.cache_clear()


# ------------------------------------------------------------------------------------------------ detectors


def words_of(identifier: str) -> tuple[str, ...]:
    """``checkIn``, ``check_in`` and ``CHECK_IN`` alike become ("check", "in")."""
    return tuple(part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", identifier))


def identifiers(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every name a module gives or uses, with its line: variables, attributes, arguments, definitions, imports,
    texts that have the form of a name (fields, columns, codes) and the words of SQL."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name) | ast.keyword(arg=str(name)):
                yield node.lineno, name
            case ast.alias(name=name, asname=alias):
                yield node.lineno, alias or name
            case ast.Constant(value=str(text)) if text.isidentifier():
                yield node.lineno, text
            case ast.Constant(value=str(text)) if SQL.search(text):
                yield from ((node.lineno, word) for word in re.findall(r"[A-Za-z_]+", text))


def shows_of_work(tree: ast.AST, *, below_qt: bool) -> list[str]:
    """Identifiers and Chinese texts that compare people, count their presence or follow them."""
    forbidden = SHOW_WORDS | (SHOW_WORDS_BELOW_QT if below_qt else set())
    found = []
    for line, identifier in identifiers(tree):
        words = words_of(identifier)
        if forbidden & set(words) or SHOW_PHRASES & set(pairwise(words)):
            found.append(f"{line}: {identifier}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += [f"{node.lineno}: {word}" for word in SHOW_CHINESE if word in node.value]
    return found


def imported_libraries(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def called(tree: ast.AST) -> Iterator[tuple[int, str, ast.Call]]:
    """Every call with its line and the last part of the name that is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield node.lineno, node.func.id if isinstance(node.func, ast.Name) else node.func.attr, node


# ---------------------------------------------------------------------------------------------------- names


def test_no_package_files_where_they_would_hide_a_library() -> None:
    assert [name_of(p) for p in files("packaging", "resources", "tests") if p.name == "__init__.py"] == []


def test_test_folders_do_not_carry_the_names_of_the_packages() -> None:
    assert {path.name for path in (ROOT / "tests").iterdir()} & {"desktop", "sync", "resources"} == set()


def test_no_file_is_named_for_nothing_in_particular() -> None:
    forbidden = {"utils", "util", "helpers", "helper", "misc", "common", "manager", "stuff"}
    assert [name_of(p) for p in files("desktop", "sync", "packaging", "tests") if p.stem in forbidden] == []


def test_modules_are_short_enough_to_be_read() -> None:
    too_long = {}
    for path in files("desktop", "sync", suffix=".py"):
        limit = 500 if name_of(path).startswith("sync/store/") else 300
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > limit:
            too_long[name_of(path)] = lines
    assert too_long == {}


def test_nobody_else_brings_packages_of_our_names() -> None:
    brought = importlib.metadata.packages_distributions()
    ours = PROJECT["project"]["name"]
    assert {
        name: brought[name] for name in ("desktop", "sync", "resources") if brought.get(name, [ours]) != [ours]
    } == {}


@pytest.mark.parametrize("name", ["desktop", "sync"])
def test_our_packages_come_from_the_repository(name: str) -> None:
    assert Path(str(importlib.import_module(name).__file__)).parent == ROOT / name


# --------------------------------------------------------------------------------------------------- layers


def test_every_library_is_imported_at_its_home_only() -> None:
    strangers = []
    for path, tree in parsed("desktop", "sync"):
        module = module_of(path)
        for library in imported_libraries(tree):
            home = HOMES.get(library)
            if home and module != home and not module.startswith(home + "."):
                strangers.append(f"{name_of(path)} imports {library}, whose home is {home}")
    assert strangers == []


def test_a_library_away_from_home_is_found() -> None:
    tree = ast.parse("def f():\n    from sqlite3 import connect\n    import PySide6.QtCore")
    assert list(imported_libraries(tree)) == ["sqlite3", "PySide6"]


def test_every_module_of_the_desktop_has_its_layer() -> None:
    layers = " ".join(PROJECT["tool"]["importlinter"]["contracts"][0]["layers"])
    placed = set(re.findall(r"desktop\.(\w+)", layers))
    modules = {
        path.stem
        for path in (ROOT / "desktop").glob("[a-z_]*")
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert modules - placed - {"__init__"} == set()


# ------------------------------------------------------------------------------------- what must never occur


def test_no_code_makes_a_show_of_work() -> None:
    found = {}
    for path, tree in parsed("desktop", "sync"):
        if shows := shows_of_work(tree, below_qt=name_of(path).startswith("sync/")):
            found[name_of(path)] = shows
    assert found == {}


@pytest.mark.parametrize(
    "planted",
    [
        "head_ranking = 1",
        "def checkIn(): ...",
        "row.online_time += 5",
        "Field('longitude')",
        "sql = 'SELECT id FROM visits ORDER BY rank'",
        "def f(*, gps): ...",
        "title = '本月排名'",
        "points = 3",
        "import geolocation",
    ],
)
def test_a_show_of_work_is_found(planted: str) -> None:
    assert shows_of_work(ast.parse(planted), below_qt=True) != []


@pytest.mark.parametrize("innocent", ["frank = 1", "checking = 2", "polygon_points = 3", "SELECT = 'pointed'"])
def test_an_innocent_name_is_left_alone(innocent: str) -> None:
    assert shows_of_work(ast.parse(innocent), below_qt=False) == []


def test_no_screen_text_makes_a_show_of_work() -> None:
    texts = {name_of(p): p.read_text(encoding="utf-8") for p in files("resources/i18n") if p.suffix != ".qm"}
    assert [(name, word) for name, text in texts.items() for word in SHOW_CHINESE if word in text] == []


def test_lists_of_packages_name_no_place_to_fetch_from() -> None:
    place = re.compile(r"^\s*(-i|-f|--(extra-)?index-url|--find-links|--trusted-host)\b|https?://|@ ", re.MULTILINE)
    locks = {path.name: path.read_text(encoding="utf-8") for path in files("requirements", suffix=".txt")}
    assert {"run.txt", "server.txt", "dev.txt"} <= locks.keys()
    assert [name for name, text in locks.items() if place.search(text)] == []
    for text in locks.values():
        pins = re.findall(r"^[a-z0-9].*$", text, re.MULTILINE)
        assert pins
        assert all(re.fullmatch(r"[a-z0-9.-]+==\S+ \\", pin) for pin in pins)
        assert len(re.findall(r"\\\n    --hash=sha256:[0-9a-f]{64}", text)) >= len(pins)


def test_text_sizes_follow_the_one_the_person_chose() -> None:
    """Points in style sheets; pixels only where the theme multiplies them by the chosen size, and on paper."""
    in_style = re.compile(r"font(-size)?\s*:[^;}\"]*\dpx")
    for path in files("desktop", "resources"):
        if path.suffix in {".py", ".qss"}:
            assert not in_style.search(path.read_text(encoding="utf-8")), name_of(path)
    assert in_style.search("QLabel { font: bold 12px; }")
    set_by_hand = {name_of(p) for p, tree in parsed("desktop") for _, name, _ in called(tree) if name == "setPixelSize"}
    assert {name for name in set_by_hand if not name.startswith("desktop/printing/")} <= {"desktop/theme.py"}


def test_nothing_turns_the_event_loop_by_hand() -> None:
    assert [name_of(p) for p, tree in parsed("desktop") for _, name, _ in called(tree) if name == "processEvents"] == []


def test_texts_are_translated_before_they_are_filled() -> None:
    filled = []
    for path, tree in parsed("desktop", "sync"):
        for line, name, call in called(tree):
            if name in {"tr", "mark"} and call.args and not isinstance(call.args[0], ast.Constant):
                is_text = isinstance(call.args[0], ast.JoinedStr | ast.BinOp | ast.Call)
                filled += [f"{name_of(path)}:{line}"] if is_text else []
    assert filled == []


def test_tests_wait_for_conditions_and_are_all_run() -> None:
    forbidden = {"sleep", "skip", "skipif", "skipIf", "xfail", "importorskip", "MagicMock", "Mock"}
    found = []
    for path, tree in parsed("tests"):
        found += [f"{name_of(path)}:{line} {name}" for line, name, _ in called(tree) if name in forbidden]
        found += [f"{name_of(path)} imports {library}" for library in imported_libraries(tree) if library == "unittest"]
    assert found == []


def test_nothing_is_left_unwritten() -> None:
    found = []
    for path, tree in parsed("desktop", "sync", "tests"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Raise) and any("NotImplemented" in name for _, name in identifiers(node)):
                found.append(f"{name_of(path)}:{node.lineno}")
    assert found == []


# ------------------------------------------------------------------------------------------------ documents


def test_paths_in_the_documents_exist() -> None:
    missing = []
    for document in ("README.md", "README.zh-CN.md", "ARCHITECTURE.md", "CONTRIBUTING.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        for path in re.findall(r"`((?:desktop|docs|packaging|requirements|resources|sync|tests)/[\w./-]*)`", text):
            if not (ROOT / path).exists():
                missing.append(f"{document}: {path}")
    assert missing == []


def test_make_targets_in_the_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for document in ("README.md", "README.zh-CN.md", "ARCHITECTURE.md", "CONTRIBUTING.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        assert set(re.findall(r"`make ([a-z-]+)", text)) <= targets, document


# ------------------------------------------------------------------------------------------------- versions


def test_qt_hands_back_every_reference() -> None:
    """PySide6 6.12.0 on Python 3.11 loses one reference to ``True`` or ``None`` a call, and aborts in the end."""
    from PySide6.QtCore import QObject, Signal

    class Sender(QObject):
        sent = Signal(bool)

    sender = Sender()
    sender.sent.emit(True)
    gc.collect()
    before = [sys.getrefcount(True), sys.getrefcount(None)]
    for _ in range(500):
        sender.sent.emit(True)
    after = [sys.getrefcount(True), sys.getrefcount(None)]
    assert all(later > earlier - 100 for earlier, later in zip(before, after, strict=True))
