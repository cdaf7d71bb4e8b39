"""What an observer is told, and when: by a clock that the test turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hypothesis.strategies as st
import pytest
from hypothesis import given

from corewise._dispatch.meter import TICK_S, Meter

if TYPE_CHECKING:
    from corewise._types.events import Progress


class Clock:
    """Shows the time that the test sets."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Tell it."""
        return self.now


def watched(clock: Clock) -> tuple[Meter, list[Progress]]:
    """Return a meter and what it tells."""
    told: list[Progress] = []
    return Meter(told.append, clock), told


def test_start_and_finish_are_told_once_each_whatever_the_clock_says() -> None:
    """Even if everything happens in no time."""
    meter, told = watched(Clock())
    meter.start("threads", 4, 10)
    for _ in range(10):
        meter.add(1, 0)
    meter.finish()
    assert [event.kind for event in told] == ["started", "finished"]
    assert (told[0].approach, told[0].workers, told[0].done, told[0].total) == ("threads", 4, 0, 10)
    assert (told[1].done, told[1].failed) == (10, 0)


def test_a_change_of_approach_is_no_second_start() -> None:
    """The first items ran in the caller, the others in processes: one run."""
    clock = Clock()
    meter, told = watched(clock)
    meter.start("sync", 1, 10)
    meter.add(2, 0)
    meter.start("processes", 2, 10)
    meter.finish()
    assert [(event.kind, event.approach, event.workers) for event in told] == [
        ("started", "sync", 1),
        ("advanced", "processes", 2),
        ("finished", "processes", 2),
    ]


@given(st.lists(st.floats(0.0, 0.25), max_size=60))
def test_news_come_at_most_ten_times_a_second(pauses: list[float]) -> None:
    """However often outcomes come; and never later than the first look after a tick."""
    clock = Clock()
    meter, told = watched(clock)
    meter.start("threads", 2, None)
    moments, last = [], clock.now
    for pause in pauses:
        clock.now += pause
        meter.add(1, 0)
        if clock.now - last >= TICK_S:
            last = clock.now
            moments.append(clock.now - 1000.0)
    assert [event.elapsed_s for event in told[1:]] == moments
    assert all(event.kind == "advanced" for event in told[1:])


def test_a_look_without_outcomes_lets_the_clock_tick() -> None:
    """A run whose items are long still shows that time goes by."""
    clock = Clock()
    meter, told = watched(clock)
    meter.start("threads", 2, 5)
    clock.now += 3.0
    meter.add(0, 0)
    assert told[-1].elapsed_s == 3.0
    assert told[-1].done == 0
    assert told[-1].rate_per_s is None
    assert told[-1].remaining_s is None


def test_rate_and_remaining_time_follow_from_what_is_done() -> None:
    """Forty of a hundred in 8 s: five per second, 12 s to go; failures are done as well."""
    clock = Clock()
    meter, told = watched(clock)
    meter.start("processes", 2, 100)
    clock.now += 8.0
    meter.add(40, 3)
    event = told[-1]
    assert (event.done, event.failed, event.total) == (40, 3, 100)
    assert event.rate_per_s == pytest.approx(5.0)
    assert event.remaining_s == pytest.approx(12.0)
    clock.now += 12.0
    meter.add(60, 0)
    assert told[-1].remaining_s == 0.0


def test_an_unknown_total_has_a_rate_and_no_remaining_time() -> None:
    """Nobody knows when an endless input ends."""
    clock = Clock()
    meter, told = watched(clock)
    meter.start("threads", 2, None)
    clock.now += 2.0
    meter.add(10, 0)
    assert told[-1].rate_per_s == pytest.approx(5.0)
    assert told[-1].remaining_s is None
    assert told[-1].total is None


def test_a_total_that_was_too_low_gives_no_negative_time() -> None:
    """An input may lie about its length."""
    clock = Clock()
    meter, told = watched(clock)
    meter.start("threads", 2, 3)
    clock.now += 1.0
    meter.add(5, 0)
    assert told[-1].remaining_s == 0.0


def test_without_an_observer_it_counts_in_silence() -> None:
    """And the loop may wait as long as it likes."""
    clock = Clock()
    meter = Meter(None, clock)
    meter.start("threads", 2, 3)
    clock.now += 1.0
    meter.add(2, 1)
    meter.finish()
    assert (meter.done, meter.failed, meter.elapsed_s) == (2, 1, 1.0)
    assert meter.tick_s is None
    assert watched(clock)[0].tick_s == TICK_S
