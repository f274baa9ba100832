"""Nothing is lost and nothing doubled, whenever a PC, the server or the database is killed: real processes, SIGKILL."""

from pathlib import Path

import pytest

from kills import trial

ROUNDS = 20


@pytest.mark.timeout(300)
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_kill_at_any_moment_loses_and_doubles_nothing(engine: str, tmp_path: Path) -> None:
    with trial(tmp_path / "trial", engine, seed=1) as tried:
        ways = tried.ways()
        for number in range(ROUNDS):
            tried.round(ways[number % len(ways)])
        tally = tried.finish()
    assert tally.clean, tally
    assert min(tally.saves, tally.answered) > 10 * ROUNDS
    assert tally.killed["pc"] >= ROUNDS
    assert tally.killed["server"] >= ROUNDS // 4
