"""What the tests of the core share: a world in a real store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A fresh community in an encrypted file."""
    made = World(tmp_path)
    yield made
    made.close()
