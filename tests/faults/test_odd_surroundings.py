"""Threads, forks, signals and executors inside executors: right values or a clear error, and never a hang."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import faulty
import pytest
import running
from expectations import assert_takes_work
from signposts import PATIENCE_S

import corewise

if TYPE_CHECKING:
    from collections.abc import Callable

    from signposts import Signpost

    Open = Callable[..., corewise.ProcessExecutor]


def test_sixteen_threads_share_an_executor(open_executor: Open, start_method: str) -> None:
    """A hundred tasks each, each thread gets its own results; workers die meanwhile."""

    def use(executor: corewise.ProcessExecutor, thread: int) -> list[int]:
        futures = [executor.submit(faulty.square, thread * 1000 + number) for number in range(50)]
        lost = executor.submit(faulty.die, "SIGKILL") if thread % 4 == 0 else None
        values = [
            executor.submit(faulty.square, thread * 1000 + number).result(PATIENCE_S) for number in range(50, 100)
        ]
        if lost is not None:
            assert isinstance(lost.exception(PATIENCE_S), corewise.errors.WorkerDied)
        return [future.result(PATIENCE_S) for future in futures] + values

    with open_executor(2, start_method) as executor, ThreadPoolExecutor(16) as threads:
        used = [threads.submit(use, executor, thread) for thread in range(16)]
        for thread, future in enumerate(used):
            assert future.result() == [(thread * 1000 + number) ** 2 for number in range(100)]


def test_threads_may_submit_while_another_shuts_down(open_executor: Open) -> None:
    """Each task is either run or refused at the call; none is forgotten."""
    executor = open_executor(2)
    executor.submit(faulty.square, 1).result(PATIENCE_S)
    begun = threading.Barrier(9)

    def use() -> list[Any]:
        futures: list[Any] = []
        begun.wait()
        try:
            while True:
                futures.append(executor.submit(faulty.square, 7))
        except RuntimeError:
            return futures

    with ThreadPoolExecutor(8) as threads:
        used = [threads.submit(use) for _ in range(8)]
        begun.wait()
        executor.shutdown(wait=True)
        for future in used:
            assert {one.result(0) for one in future.result(PATIENCE_S)} <= {49}


def test_an_executor_inside_an_executor(open_executor: Open, start_method: str) -> None:
    """Each worker makes one of its own."""
    with open_executor(2, start_method) as executor:
        futures = [executor.submit(faulty.squares_by_executor, [number, number + 1]) for number in range(4)]
        for number, future in enumerate(futures):
            assert future.result(PATIENCE_S) == [number**2, (number + 1) ** 2]


def test_inner_workers_die_with_the_worker_that_made_them(open_executor: Open, says: Signpost) -> None:
    """The outer worker is killed while its inner one sleeps for ever."""
    with open_executor(1) as executor:
        lost = executor.submit(faulty.sleep_in_inner_executor, says.path)
        inner, outer = map(int, says.hear(1)[0].split())
        os.kill(outer, signal.SIGKILL)
        assert isinstance(lost.exception(PATIENCE_S), corewise.errors.WorkerDied)
        running.assert_ended([inner, outer])


def test_workers_are_never_forked_beside_a_thread_that_holds_a_lock() -> None:
    """At the start, and when a worker is replaced: the lock would be held for ever in the new one."""
    assert running.run("holds_lock", "first").splitlines() == ["free", "end"]
    assert running.run("holds_lock", "later").splitlines() == ["free", "free", "end"]


def test_a_forked_child_that_submits_is_told_so() -> None:
    """At once and clearly, whether workers were idle or busy; the parent's executor goes on as if nothing had been."""
    lines = running.run("forks_itself").splitlines()
    assert lines[-1] == "end"
    told = [line for line in lines if line.startswith("child")]
    assert len(told) == 6
    assert all("25" in line or "RuntimeError" in line or "BrokenProcessPool" in line for line in told), lines
    assert len([line for line in lines if line == "parent 25"]) == 6


def test_a_storm_of_signals_interrupts_nothing() -> None:
    """One every 10 ms, with a handler in Python, during two thousand tasks and as many items."""
    assert running.run("signal_storm").splitlines() == ["end"]


def test_a_program_without_standard_streams_works() -> None:
    """As daemons are: descriptors 0, 1 and 2 are closed, and get reused."""
    assert running.run("closed_streams") == "end\n"


def test_a_task_that_forks_and_returns_twice_spoils_nothing(open_executor: Open) -> None:
    """The forked copy of the worker returns from the task as well; what it would send must not reach the parent."""
    with open_executor(1) as executor:
        for _ in range(5):
            assert executor.submit(faulty.fork_and_return).result(PATIENCE_S) in {"parent", "child"}
        assert_takes_work(executor)


@pytest.mark.parametrize("loads", ["nothing", "multiprocessing"])
def test_a_child_that_is_gone_and_forgotten_before_it_was_watched(loads: str) -> None:
    """The program ignores SIGCHLD, and the child ends at once; nothing is left to ask the system for."""
    assert running.run("ignores_its_children", "process", loads).splitlines() == ["died", "False 255", "end"]
    assert running.run("ignores_its_children", "map", loads).splitlines() == ["True 1", "end"]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("what", "times"), [("executor", 300), ("map", 500)])
def test_many_small_pools_leave_nothing(what: str, times: int) -> None:
    """A thousand workers' worth, opened and closed one after the other."""
    assert running.run("many_pools", what, times) == "end\n"
