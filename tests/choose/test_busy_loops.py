"""When one event loop is too busy: told of calls, by a clock that the test sets."""

from __future__ import annotations

import pytest

from corewise._choose.busy import BusyLoop


def test_a_busy_loop_is_noticed_within_a_window() -> None:
    """What calls compute is taken from the loop's thread, what they wait from the shortest of them."""
    loop = BusyLoop(10.0, 1.0)
    assert loop.observe(10.01, 1.009, items=4, call_s=0.011, remaining=590) is None, "too soon"
    measured = loop.observe(10.03, 1.027, items=6, call_s=0.008, remaining=580)
    assert measured is not None
    assert (measured.items, measured.remaining) == (10, 580)
    assert measured.item_s == pytest.approx(0.008)
    assert measured.cpu_s == pytest.approx(0.027)
    assert measured.held_share == 1.0


def test_a_loop_that_waits_is_left_alone_and_looked_at_again() -> None:
    """The window begins anew, so that a busy one behind it is seen as such."""
    loop = BusyLoop(0.0, 0.0)
    assert loop.observe(1.0, 0.3, items=50, call_s=0.5, remaining=None) is None
    measured = loop.observe(1.1, 0.39, items=9, call_s=0.05, remaining=None)
    assert measured is not None
    assert (measured.items, measured.cpu_s) == (9, pytest.approx(0.09))


def test_a_few_calls_tell_nothing() -> None:
    """One long computation is no habit."""
    assert BusyLoop(0.0, 0.0).observe(0.5, 0.5, items=1, call_s=0.5, remaining=100) is None


def test_calls_that_compute_longer_than_they_seem_to_take_do_not_wait() -> None:
    """Several end in one turn of the loop."""
    measured = BusyLoop(0.0, 0.0).observe(0.1, 0.1, items=4, call_s=0.01, remaining=100)
    assert measured is not None
    assert measured.cpu_share == pytest.approx(1.0)


def test_calls_that_compute_next_to_nothing_are_left_where_they_are() -> None:
    """However busy they keep the loop: to hand them over would cost as much."""
    assert BusyLoop(0.0, 0.0).observe(0.1, 0.1, items=1000, call_s=0.001, remaining=100_000) is None
