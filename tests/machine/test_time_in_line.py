"""Seconds in line for a core, against a line that the test makes itself."""

from __future__ import annotations

import json
import sys

import own_process
import pytest

from corewise._machine.queueing import QueueWatch, queued_s

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")


def test_two_that_share_a_core_stand_in_line_for_each_other() -> None:
    """Each computes for a fifth of a second on the same core, so one at least has to wait for the other."""
    program = """
import json, os, time
from corewise._machine.queueing import QueueWatch
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
ready, go = os.pipe(), os.pipe()
reading, writing = os.pipe()
def compute():
    watch, begin = QueueWatch(), time.perf_counter()
    end = time.thread_time() + 0.2
    while time.thread_time() < end:
        pass
    return watch.seconds(), time.perf_counter() - begin
if os.fork() == 0:
    os.write(writing, json.dumps(compute()).encode())
    os._exit(0)
mine = compute()
os.wait()
print(json.dumps([mine, json.loads(os.read(reading, 1000))]))
"""
    told = json.loads(own_process.run(program))
    assert all(0 <= queued <= wall_s for queued, wall_s in told)
    assert sum(queued for queued, _ in told) > 0.05
    # What is not in line is computing: 0.2 s each, give or take what the clocks differ by.
    assert all(wall_s - queued == pytest.approx(0.2, abs=0.1) for queued, wall_s in told)


def test_the_count_never_falls() -> None:
    """And a watch counts from its beginning."""
    watch = QueueWatch()
    figures = [queued_s() for _ in range(100)]
    assert None not in figures
    assert figures == sorted(figures)  # type: ignore[type-var]  # none is None
    counted = watch.seconds()
    assert counted is not None
    assert 0 <= counted <= figures[-1] + 1.0  # type: ignore[operator]  # as above
