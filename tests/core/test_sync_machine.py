"""Stories that nobody thought of, on both engines: see tests/support/machines.py; ``make soak`` runs many more."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from ground import Ground, grounds, in_memory
from machines import machine_on

HISTORIES = {"sqlite": 110, "postgresql": 60}
STEPS = 24


@pytest.fixture
def ground(database: str) -> Iterator[Ground]:
    """A server of each engine, with a community and its PCs."""
    with in_memory() as folder, grounds(folder, database=database) as made:
        yield made


@pytest.mark.timeout(600)
def test_whatever_happens_the_promises_of_sync_hold(ground: Ground) -> None:
    embedded = ground.server.service.settings.embedded
    bounds = settings(
        max_examples=HISTORIES["sqlite" if embedded else "postgresql"],
        stateful_step_count=STEPS,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    machine = machine_on(ground)
    run_state_machine_as_test(machine, settings=bounds)
    assert machine.run_so_far >= bounds.max_examples
