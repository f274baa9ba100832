"""Every code that the program can raise has words of its own, and the words have no holes."""

import ast
from collections.abc import Iterator

import pytest

from desktop.paths import resources
from desktop.texts import TABLE

ROOT = resources().parent
PLACE_OF_CODE = {
    "RuleError": 1,
    "AccessError": 0,
    "KeysError": 0,
    "StoreError": 0,
    "Offline": 0,
    "Refused": 0,
    "ServerTrouble": 0,
    "BundleError": 0,
    "TrustError": 0,
}


def raised() -> Iterator[tuple[str, str]]:
    """(code, where) of every error that is made with a literal code, below the desktop and in it."""
    for folder in (ROOT / "sync", ROOT / "desktop"):
        for path in sorted(folder.rglob("*.py")):
            if (ROOT / "sync" / "server") in path.parents:
                continue  # what the server raises travels as a code; the client's part of it is Refused
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    place = PLACE_OF_CODE.get(node.func.id, -1)
                    if 0 <= place < len(node.args):
                        code = node.args[place]
                        if isinstance(code, ast.Constant) and isinstance(code.value, str):
                            yield code.value, f"{path.relative_to(ROOT)}:{node.lineno}"


def test_every_code_has_words() -> None:
    without = {code: where for code, where in raised() if code not in TABLE}
    assert without == {}


@pytest.mark.parametrize("code", sorted(TABLE))
def test_words_say_something(code: str) -> None:
    title, advice = TABLE[code]
    assert title
    assert not title.endswith(".")
    assert not advice or advice.endswith((".", "!", "?"))
