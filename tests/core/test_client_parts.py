"""The small parts of a session: how much goes into one request, and how long it will take."""

from sync.client.meter import Meter, Progress
from sync.client.sizing import AIM_S, Sizing


def test_a_quick_line_takes_all() -> None:
    sizing = Sizing(2000, least=50)
    sizing.went(2000, seconds=0.5)
    assert (sizing.now, sizing.known) == (2000, 0)


def test_a_slow_line_gets_as_much_as_it_carries_in_ten_seconds() -> None:
    sizing = Sizing(2000, least=50)
    sizing.went(2000, seconds=40.0)
    assert sizing.now == 500 == sizing.known
    sizing.went(500, seconds=AIM_S * 100)
    assert sizing.now == 50
    sizing.went(20, seconds=2.0)  # a small one says nothing of what would fit
    assert sizing.now == 50
    sizing.went(50, seconds=2.0)
    assert sizing.now == 100


def test_what_was_too_large_once_is_not_tried_again_in_this_session() -> None:
    sizing = Sizing(2000, least=50, known=300)
    assert sizing.now == 300
    sizing.went(300, seconds=0.1)
    assert sizing.now == 600
    sizing.too_large(600)
    for _ in range(9):
        sizing.went(sizing.now, seconds=0.1)
    assert sizing.now == 599
    sizing.too_large(3)
    sizing.too_large(1)
    assert sizing.now == 1
    sizing.went(1, seconds=0.1)
    assert sizing.now == 1
    assert Sizing(100, least=50, known=300).now == 100


def test_time_left_follows_the_pace_smoothed() -> None:
    told: list[Progress] = []
    meter = Meter(told.append)
    meter.to_send, meter.to_receive = 10, 100
    meter.tell()
    assert told[-1].seconds_left is None
    meter.pace("push", count=5, seconds=10.0)
    meter.pushed = 5
    meter.tell()
    assert told[-1].seconds_left is None  # of the rows nothing is known yet
    meter.pace("pull", count=50, seconds=5.0)
    meter.pulled = 50
    meter.tell()
    assert told[-1].seconds_left == 5 * 2.0 + 50 * 0.1
    meter.pace("pull", count=10, seconds=6.0)
    meter.pace("pull", count=0, seconds=6.0)
    meter.pushed, meter.pulled = 10, 90
    meter.tell()
    assert told[-1] == Progress(10, 10, 90, 100, usable=False, seconds_left=10 * (0.1 + 0.4 * 0.5))
    meter.pulled = 120
    meter.tell()
    assert (told[-1].to_receive, told[-1].seconds_left) == (120, 0.0)
