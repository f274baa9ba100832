"""The hybrid clock goes forwards, whatever the PC's clock does."""

from sync.domain.act import Act
from sync.domain.calendar import WorkCalendar
from sync.domain.clock import HybridClock, hlc_of, ms_of
from sync.domain.roles import Places, Viewer
from world import Ids, rules


def test_a_value_holds_its_wall_time() -> None:
    assert ms_of(hlc_of(123_456) + 7) == 123_456


def test_it_never_goes_back() -> None:
    clock = HybridClock()
    first = clock.next(1000)
    assert first == hlc_of(1000)
    assert clock.next(1000) == first + 1
    assert clock.next(10) == first + 2
    assert clock.next(2000) == hlc_of(2000)


def test_it_is_ahead_of_all_it_has_seen() -> None:
    clock = HybridClock()
    clock.observe(hlc_of(5000))
    clock.observe(hlc_of(4000))
    assert clock.next(1000) == hlc_of(5000) + 1


def test_what_the_server_taught_is_added() -> None:
    assert HybridClock(offset_ms=500).next(1000) == hlc_of(1500)
    assert HybridClock(offset_ms=-5000).next(1000) == 1  # before 1970 counts as 1970


def test_an_act_knows_its_author_day_and_ids() -> None:
    calendar: WorkCalendar = rules().calendar
    act = Act(Viewer("a", (), Places("c", {}, {})), 1_763_827_200_000, Ids(), calendar)
    assert act.author == "a"
    assert act.today == "2025-11-23"
    assert act.id() != act.id()
