"""A Ctrl-C behind any step of what the calling thread does: it is raised, and leaves no process, descriptor or hang."""

from __future__ import annotations

import random

import pytest
import running

# Every how many steps, so that each takes some seconds; and how many there are at least.
RUNS = {
    "map": (13, 1000),
    "arrays": (29, 1000),
    "errors": (139, 3000),
    "forkserver": (101, 1000),
    "coroutines": (11, 1000),
    "coroutines_in_processes": (301, 5000),
    "stream": (11, 1000),
    "stream_of_coroutines": (3, 500),
    "process_executor": (17, 1000),
    "pool": (31, 1000),
    "auto": (31, 500),
    "threads": (1, 300),
    "thread_executor": (11, 500),
    "process": (1, 60),
    "queue": (1, 60),
    "pipe": (1, 40),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("what", RUNS)
def test_ctrl_c_behind_any_step_is_raised_and_leaves_nothing(what: str) -> None:
    """In one program, one run for each step; which of them, is drawn by lot."""
    every, at_least = RUNS[what]
    first = random.randint(1, every)
    with running.running("interrupted_behind", what, first, every) as process:
        output, said = process.communicate()
    *faults, last = output.splitlines() or [""]
    assert faults == [], (first, said)
    assert last.startswith("end "), (first, last, said)
    assert int(last.split()[1]) >= at_least // every
    running.assert_all_gone(process.pid)
