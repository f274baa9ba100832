"""Unsent work of an earlier program is sent in the form of the present one."""

import msgspec
import pytest

from sync.domain.operations import Operation, patch
from sync.domain.upgrades import SCHEMA, STEPS, upgrade


def _renamed(operation: Operation) -> Operation:
    fields = {"said" if name == "note" else name: value for name, value in operation.fields.items()}
    return msgspec.structs.replace(operation, fields=fields)


def _louder(operation: Operation) -> Operation:
    return msgspec.structs.replace(operation, fields={**operation.fields, "said": operation.fields["said"] + "!"})


def test_every_version_has_its_step() -> None:
    assert sorted(STEPS) == list(range(1, SCHEMA))


@pytest.mark.parametrize("since", range(SCHEMA + 2))
def test_what_has_not_changed_is_left_alone(since: int) -> None:
    operation = patch("visit", "v", note="n")
    assert upgrade(operation, since=since) == operation


@pytest.mark.parametrize(("since", "said"), [(1, {"said": "n!"}), (2, {"said": "n!"}), (3, {"said": "n"})])
def test_steps_are_taken_one_after_the_other(since: int, said: dict[str, str]) -> None:
    made = patch("visit", "v", **{"note" if since == 1 else "said": "n"})
    assert upgrade(made, since=since, steps={1: _renamed, 2: _louder}).fields == said
