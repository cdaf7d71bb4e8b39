"""Threads beside the program: whom they meet, and when they are gone."""

from __future__ import annotations

import _thread
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from corewise._measure import aside

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_S = 5.0


def until(holds: Callable[[], bool]) -> bool:
    """Wait until something holds; return whether it does."""
    end = time.monotonic() + PATIENCE_S
    while not holds() and time.monotonic() < end:
        time.sleep(0.001)
    return holds()


def pausing(thread: aside.Aside) -> None:
    """Pause until it is no longer wanted."""
    while not thread.pause(0.001):
        pass


def test_one_that_was_left_ends_by_itself() -> None:
    """Soon, and nobody has to wait for it."""
    one = aside.begin(pausing)
    assert until(lambda: one.ident != 0)
    one.leave()
    assert until(lambda: one.over)
    assert one not in aside._running
    assert one not in aside._left


def test_one_that_was_left_may_be_taken_again() -> None:
    """Many short calls start few threads."""
    seen: list[int] = []

    def once(thread: aside.Aside) -> None:
        seen.append(thread.ident)
        pausing(thread)

    threads = set()
    for _ in range(200):
        one = aside.begin(once)
        threads.add(id(one))
        one.leave()
    assert len(threads) < 100
    last = aside.begin(once)
    assert until(lambda: last.jobs > 0 and seen[-1:] == [last.ident])
    last.end()
    assert last.over


def test_the_end_is_waited_for_by_as_many_as_like() -> None:
    """Told once or more, from here and from there."""
    one = aside.begin(pausing)
    others = [threading.Thread(target=one.end) for _ in range(3)]
    for other in others:
        other.start()
    one.dismiss()
    one.end()
    one.end()
    for other in others:
        other.join(PATIENCE_S)
        assert not other.is_alive()
    assert one.over


def test_the_next_one_waits_for_one_that_still_ends() -> None:
    """Two that ask for the GIL hold each other up."""
    one = aside.begin(pausing)
    one.dismiss()
    other = aside.begin(pausing)
    assert one.over
    other.end()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is none")
@pytest.mark.parametrize("how", ["left", "dismissed", "running"])
def test_none_is_there_in_a_fork(how: str) -> None:
    """Not in the middle of anything either, and afterwards there may be others."""
    one = aside.begin(pausing)
    {"left": one.leave, "dismissed": one.dismiss, "running": lambda: None}[how]()
    before = threading.active_count() - 1
    pid = os.fork()
    if pid == 0:
        again = aside.begin(pausing)
        again.end()
        os._exit(0 if _thread._count() == before and not aside._running else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert one.over
    assert aside._running == []


@pytest.mark.parametrize("last", ["one.leave()", "one.dismiss()", "pass"])
def test_a_program_may_end_at_any_time(last: str) -> None:
    """With a thread that is asleep, that waits for the GIL to end, or that has just been started."""
    program = f"""
from corewise._measure import aside
one = aside.begin(lambda thread: thread.pause(100.0))
{last}
"""
    for _ in range(3):
        subprocess.run([sys.executable, "-c", program], check=True, timeout=PATIENCE_S)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are not sent to threads there")
def test_it_takes_no_signals() -> None:
    """One that it took would not wake a call that sleeps."""
    import signal

    masks: list[set[int]] = []

    def look(_: aside.Aside) -> None:
        masks.append({int(one) for one in signal.pthread_sigmask(signal.SIG_BLOCK, [])})

    one = aside.begin(look)
    one.end() if until(lambda: bool(masks)) else None
    assert {int(signal.SIGINT), int(signal.SIGTERM), int(signal.SIGCHLD)} <= masks[0]
