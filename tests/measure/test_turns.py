"""Threads take turns more often while one of ours is to come by the GIL, and as usual when none is."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from corewise._measure.gauge import Gauge
from corewise._measure.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Iterator

USUAL_S, LONGER_S, SHORTER_S = 0.004, 0.001003, 0.000203


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    """Have the interval be one that nobody else sets."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(USUAL_S)
    yield
    sys.setswitchinterval(before)


def now() -> float:
    """Return the switch interval, which is kept in whole microseconds."""
    return round(sys.getswitchinterval(), 6)


def test_the_shortest_of_all_wishes_holds() -> None:
    """Whichever is over first; and the usual one when all are."""
    longer, shorter = Turns(LONGER_S), Turns(SHORTER_S)
    longer.begin()
    assert now() == LONGER_S
    shorter.begin()
    assert now() == SHORTER_S
    longer.end()
    assert now() == SHORTER_S
    shorter.end()
    assert now() == USUAL_S


def test_one_may_pause() -> None:
    """It is no error to begin or to pause twice; what has ended does not begin again, whoever is late with that."""
    turns = Turns(SHORTER_S)
    for _ in range(2):
        turns.begin()
        turns.begin()
        assert now() == SHORTER_S
        turns.pause()
        turns.pause()
        assert now() == USUAL_S
    turns.end()
    turns.begin()
    assert now() == USUAL_S


def test_shorter_turns_of_the_user_are_left_alone() -> None:
    """There is nothing to be gained."""
    sys.setswitchinterval(0.00001)
    with Turns(SHORTER_S):
        assert now() == 0.00001
    assert now() == 0.00001


def test_what_an_item_sets_meanwhile_stays_set() -> None:
    """And is the usual one from then on."""
    with Turns(SHORTER_S):
        sys.setswitchinterval(0.002)
    assert now() == 0.002
    with Turns(SHORTER_S):
        assert now() == SHORTER_S
    assert now() == 0.002


def test_what_an_item_sets_meanwhile_is_the_usual_one_for_whoever_comes_then() -> None:
    """Also beside one that was there before."""
    with Turns(LONGER_S):
        sys.setswitchinterval(0.002)
        with Turns(SHORTER_S):
            assert now() == SHORTER_S
        assert now() == LONGER_S
    assert now() == 0.002


def test_what_an_item_puts_back_too_late_is_known_again() -> None:
    """It met ours, and took it for the usual one."""
    with Turns(SHORTER_S):
        met_s = sys.getswitchinterval()
    sys.setswitchinterval(met_s)
    with Turns(LONGER_S):
        assert now() == LONGER_S
    assert now() == USUAL_S


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_child_has_the_usual_one() -> None:
    """The thread that wished for another is not there."""
    turns = Turns(SHORTER_S)
    turns.begin()
    child = os.fork()
    if not child:
        as_usual = now() == USUAL_S
        with turns:
            pass
        os._exit(0 if as_usual and now() == USUAL_S else 1)
    turns.end()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody can tell a thread that waits from a late one")
@pytest.mark.parametrize("numbers", [10_000, 50_000, 200_000])
def test_an_item_that_lets_go_of_the_gil_for_a_moment_now_and_then_is_looked_at(numbers: int) -> None:
    """With the usual turns nobody would come by it for many seconds: each time they begin to wait anew."""
    sys.setswitchinterval(0.005)
    for _ in range(10):
        long = threading.Event()

        def computes(_: int, long: threading.Event = long) -> None:
            while not long.is_set():
                sum(range(numbers))  # 0.1 to 3 ms
                os.stat(__file__)  # noqa: PTH116 - nothing more

        gauge = Gauge(when_long=long.set)
        try:
            gauge.end(len(list(map(computes, gauge.begin([0])))))
        finally:
            gauge.close()
        assert now() == 0.005
