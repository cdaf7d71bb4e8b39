"""Whoever stands in line for a core waits for nothing, whether anybody looked in time or not."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from corewise._machine.queueing import queued_s
from corewise._measure.clocks import PlaceInLine
from corewise._measure.gauge import Gauge
from corewise._measure.ticker import can_tell_waits
from corewise._types import dropped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corewise._types.measurement import Measurement

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")

# Looked at closely is a run from its first millisecond on; what these compute is over before, unless they are held up.
SHORT_S = 0.0003
LONG_S = 0.001
ENOUGH = 10


@pytest.fixture
def one_core_for_two() -> Iterator[None]:
    """Share one core with a process that keeps it busy."""
    if sys.platform != "linux":
        return
    # What looks at the items shares the core as well, and if made to give way to that they would leave it themselves.
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(10.0)
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    parent, neighbor = os.getpid(), os.fork()
    if neighbor == 0:
        while os.getppid() == parent:
            pass
        os._exit(0)
    try:
        yield
    finally:
        os.kill(neighbor, 9)
        os.waitpid(neighbor, 0)
        os.sched_setaffinity(0, cores)
        sys.setswitchinterval(interval_s)


def compute(seconds: float) -> None:
    """Compute in Python for so many CPU seconds."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def measured(gauge: Gauge, seconds: float) -> Measurement:
    """Return what was measured of one such item."""
    gauge.end(len([compute(one) for one in gauge.begin([seconds])]))
    return gauge.measurement(remaining=7)


@pytest.mark.usefixtures("one_core_for_two")
def test_who_was_held_up_unseen_is_not_taken_to_wait() -> None:
    """A short item that a neighbor keeps from its core: nobody looked, but the thread has left it against its will."""
    can_tell_waits()
    told: list[bool] = []
    while len(told) < ENOUGH:
        gauge = Gauge()
        seen = measured(gauge, SHORT_S)
        gauge.close()
        idle_s = seen.wall_s - seen.cpu_s
        if idle_s > LONG_S and seen.cpu_s < LONG_S:
            told.append(seen.queued_s > 0.9 * idle_s)
    assert sum(told) > ENOUGH / 2  # not all: to have memory or a file brought in is to wait, too


def test_who_sleeps_for_as_long_is_seen_to_wait() -> None:
    """The other way round: it has left its core by itself, and has one again as soon as it asks."""
    can_tell_waits()
    at_once = False
    while not at_once:  # which takes a few turns on a crowded machine
        before_s = queued_s() or 0.0
        gauge = Gauge()
        gauge.end(len(list(map(time.sleep, gauge.begin([SHORT_S, 2 * LONG_S])))))
        at_once = (queued_s() or 0.0) - before_s < SHORT_S
        seen = gauge.measurement(remaining=7)
        gauge.close()
    assert seen.queued_s < 0.5 * (seen.wall_s - seen.cpu_s)


def test_a_place_that_nobody_has_closed_is_let_go_of_with_its_owner() -> None:
    """But of a closed one nothing is called at its end: a Ctrl-C that came there would be swallowed."""
    place = PlaceInLine(threading.get_native_id())
    assert place._file is not None
    descriptor = place._file.fd
    os.fstat(descriptor)
    del place
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(descriptor)
    place = PlaceInLine(threading.get_native_id())
    known = len(dropped._calls)
    place.close()
    place.close()
    assert (place.tells, len(dropped._calls)) == (False, known - 1)
    assert not hasattr(PlaceInLine, "__del__")
