"""So many calls a second begin and no more, evenly, whatever the clock does."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given
from hypothesis.strategies import floats, lists

from corewise._dispatch.pace import LATE_S, Pace


def begins(rate: float, late_s: list[float]) -> list[float]:
    """Return when calls begin, each so many seconds after it might."""
    pace, now_s, begun = Pace(rate), 100.0, []
    for late in late_s:
        now_s += pace.wait_s(now_s) + late
        pace.begun(now_s)
        begun.append(now_s)
    return begun


def test_calls_that_are_never_late_begin_evenly() -> None:
    """The first one at once, and no two of them together."""
    begun = begins(10, [0.0] * 11)
    assert [round(one - begun[0], 6) for one in begun] == [round(0.1 * number, 6) for number in range(11)]


def test_timers_that_are_late_do_not_slow_it_down() -> None:
    """1,000 a second come about although each sleep takes 1.5 ms longer than it should."""
    pace, now_s, count = Pace(1000), 0.0, 0
    while now_s < 1.0:  # as a loop does that sleeps and then begins all that may begin
        now_s += pace.wait_s(now_s) + 0.0015
        while not pace.wait_s(now_s):
            pace.begun(now_s)
            count += 1
    assert 990 <= count <= 1010


def test_time_in_which_nothing_was_called_is_not_made_up_for() -> None:
    """No burst follows."""
    begun = begins(10, [0.0, 5.0, 0.0, 0.0])
    assert [round(one - begun[1], 6) for one in begun[1:]] == [0.0, 0.1, 0.2]


@given(st.sampled_from([0.5, 7.0, 100.0, 2500.0]), lists(floats(0, 3) | st.just(0.0), max_size=200))
def test_in_no_stretch_of_time_there_are_more(rate: float, late_s: list[float]) -> None:
    """However late they are: as many as the rate allows, one for the beginning, and what 10 ms hold."""
    begun = begins(rate, late_s)
    for first in range(0, len(begun), 7):
        for last in range(first, len(begun)):
            assert last - first <= rate * (begun[last] - begun[first] + LATE_S) + 1e-6
