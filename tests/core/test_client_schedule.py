"""When the next sync is due: spread, soon after a save, later after each failure, never given up."""

import random

from hypothesis import given
from hypothesis import strategies as st

from sync.client.api import backoff_s
from sync.client.schedule import EVERY_S, SOON_S, Schedule
from sync.errors import Offline, ServerTrouble


def _schedule(seed: int = 1) -> Schedule:
    return Schedule(rng=random.Random(seed))


@given(st.integers(0, 10_000))
def test_the_first_is_anywhere_in_the_announced_window(seed: int) -> None:
    schedule = Schedule(rng=random.Random(seed), window_s=33.0)
    due = schedule.first()
    assert 0 <= due.in_s <= 33.0
    assert due.why == "routine"


def test_stations_do_not_call_at_one_moment() -> None:
    moments = {round(_schedule(seed).first().in_s) for seed in range(200)}
    assert len(moments) > 20


def test_after_a_success_the_routine_goes_on() -> None:
    schedule = _schedule()
    assert EVERY_S * 0.8 <= schedule.after_success().in_s <= EVERY_S * 1.2


def test_a_save_is_sent_soon() -> None:
    assert _schedule().after_save().in_s <= SOON_S * 1.4


@given(st.integers(0, 10_000), st.integers(1, 60))
def test_failures_wait_longer_but_never_for_ever(seed: int, failures: int) -> None:
    schedule = _schedule(seed)
    pauses = [schedule.after_failure(Offline("no_line")).in_s for _ in range(failures)]
    assert all(1.0 <= pause <= 300.0 for pause in pauses)
    due = schedule.after_save()
    assert due.why == "retry"
    assert due.in_s <= 300.0
    schedule.after_success()
    assert schedule.after_save().why == "saved"


def test_the_pause_grows() -> None:
    longest = [max(backoff_s(n, rng=random.Random(seed)) for seed in range(200)) for n in range(12)]
    assert longest == sorted(longest)
    assert longest[0] == 1.0
    assert longest[-1] > 290


def test_the_server_is_not_asked_before_it_wants() -> None:
    schedule = _schedule()
    due = schedule.after_failure(ServerTrouble("busy", retry_after_s=1000.0))
    assert 1000.0 <= due.in_s <= 1500.0
    assert schedule.after_save().in_s >= 1000.0  # a save does not make it come earlier
    schedule.after_failure(Offline("no_line"))
    assert schedule.after_save().in_s <= 300.0
