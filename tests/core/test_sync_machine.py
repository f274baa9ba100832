"""Stories that nobody thought of, on both engines: see tests/support/machines.py; ``make soak`` runs many more."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from ground import Ground, grounds, in_memory
from machines import machine_on

HISTORIES = {"sqlite": 100, "postgresql": 40}
SEEDS = 5  # histories of one seed grow out of each other; those of several are less alike
STEPS = 24
# A promise that nothing could have broken is not kept but idle: each of these happens in some of the histories.
MET = (
    *("calm", "restored", "copied", "conflicts", "exits", "floors", "damaged", "quarantined"),
    *("a push repeated", "an answer to a push lost", "reset with inflight", "between two requests"),
    *("a stick with work", "wanted", "refused invalid", "purged: removed"),
)


@pytest.fixture
def ground(database: str) -> Iterator[Ground]:
    """A server of each engine, with a community and its PCs."""
    with in_memory() as folder, grounds(folder, database=database) as made:
        yield made


@pytest.mark.timeout(600)
def test_whatever_happens_the_promises_of_sync_hold(ground: Ground) -> None:
    embedded = ground.server.service.settings.embedded
    bounds = settings(
        max_examples=HISTORIES["sqlite" if embedded else "postgresql"] // SEEDS,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    machine = machine_on(ground)
    for number in range(SEEDS):
        run_state_machine_as_test(seed(number)(machine), settings=bounds)
    assert machine.run_so_far >= SEEDS * bounds.max_examples
    assert [what for what in MET if not machine.met[what]] == [] or not embedded
