"""A worker goes away: its task alone is lost, the error says how, and the same executor takes new work."""

from __future__ import annotations

import os
import signal
from collections import Counter
from concurrent.futures import wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from threading import Semaphore
from typing import TYPE_CHECKING, Any

import faulty
import pytest
from expectations import assert_died, assert_takes_work, everything_said
from signposts import PATIENCE_S

import observe
from corewise import errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from signposts import Signpost

    import corewise

    Open = Callable[..., corewise.ProcessExecutor]


@pytest.mark.parametrize("how", list(faulty.DEATHS))
def test_a_death_costs_its_task_and_no_other(
    open_executor: Open, start_method: str, how: str, says: Signpost, gate: Signpost, tmp_path: Path
) -> None:
    """Both workers die with tasks waiting behind; those run once each, and so does what comes later."""
    path = str(tmp_path / "log")
    with open_executor(2, start_method) as executor:
        doomed = [executor.submit(faulty.meet_and_die, says.path, gate.path, how) for _ in range(2)]
        others = [executor.submit(faulty.log_and_square, path, number) for number in range(40)]
        assert len(set(says.hear(2))) == 2
        gate.let_through(2)
        assert [future.result(PATIENCE_S) for future in others] == [number * number for number in range(40)]
        for future in doomed:
            assert_died(future, faulty.DEATHS[how])
        assert_takes_work(executor)
    assert Counter(Path(path).read_text().split()) == Counter(map(str, range(40)))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_may_be_killed_from_outside(
    open_executor: Open, start_method: str, number: signal.Signals, says: Signpost
) -> None:
    """As the out-of-memory killer, a batch system or a colleague does."""
    with open_executor(2, start_method) as executor:
        lost = executor.submit(faulty.say_and_sleep, says.path)
        others = [executor.submit(faulty.square, number) for number in range(20)]
        (pid,) = map(int, says.hear(1))
        os.kill(pid, number)
        assert_died(lost, f"killed by {number.name}")
        assert lost.exception().pid == pid  # type: ignore[union-attr]  # what died was looked at above
        assert lost.exception().exitcode == -number  # type: ignore[union-attr]
        assert [future.result(PATIENCE_S) for future in others] == [number * number for number in range(20)]
        assert_takes_work(executor)


def test_all_workers_may_be_killed_at_once(open_executor: Open, says: Signpost, tmp_path: Path) -> None:
    """Four tasks are lost, and the hundred that waited are run by new workers."""
    path = str(tmp_path / "log")
    with open_executor(4) as executor:
        lost = [executor.submit(faulty.say_and_sleep, says.path) for _ in range(4)]
        others = [executor.submit(faulty.log_and_square, path, number) for number in range(100)]
        for pid in map(int, says.hear(4)):
            os.kill(pid, signal.SIGKILL)
        for future in lost:
            assert_died(future, "SIGKILL")
        assert [future.result(PATIENCE_S) for future in others] == [number * number for number in range(100)]
        assert_takes_work(executor)
    assert Counter(Path(path).read_text().split()) == Counter(map(str, range(100)))


def test_killing_idle_workers_costs_nothing(
    open_executor: Open, start_method: str, says: Signpost, gate: Signpost
) -> None:
    """The next tasks are submitted at once, often before the death can have been noticed."""
    with open_executor(2, start_method) as executor:
        for _ in range(5):
            futures = [executor.submit(faulty.meet, says.path, gate.path) for _ in range(2)]
            pids = [int(line) for line in says.hear(2)]
            gate.let_through(2)
            assert {future.result(PATIENCE_S) for future in futures} == set(pids)
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            assert_takes_work(executor)


def test_every_task_may_kill_its_worker(open_executor: Open) -> None:
    """The executor goes on healing itself, and does not run a killer again of its own accord."""
    with open_executor(2) as executor:
        for future in [executor.submit(faulty.die, "SIGKILL") for _ in range(20)]:
            assert_died(future, "SIGKILL")
        assert_takes_work(executor)


def test_killers_in_company_are_told_apart(open_executor: Open, tmp_path: Path) -> None:
    """Tasks of microseconds travel many at a time; the one that kills is lost, and none is run twice."""
    path = str(tmp_path / "log")
    with open_executor(2) as executor:
        futures = [
            executor.submit(faulty.log_and_die_at, path, number // 100 * 100 + 57, number) for number in range(500)
        ]
        wait(futures, PATIENCE_S)
        for number, future in enumerate(futures):
            if number % 100 == 57:
                assert_died(future, "SIGKILL")
            else:
                assert future.result(0) == number * number
        assert_takes_work(executor)
    assert Counter(Path(path).read_text().split()) == Counter(map(str, range(500)))


def test_the_executors_map_ends_at_the_chunk_of_a_killer(open_executor: Open, tmp_path: Path) -> None:
    """As documented, inputs of one chunk share one fate; those of the chunks before it came out."""
    with open_executor(2) as executor:
        results = executor.map(faulty.log_and_die_at, [str(tmp_path / "log")] * 60, [17] * 60, range(60), chunksize=10)
        assert [next(results) for _ in range(10)] == [number * number for number in range(10)]
        with pytest.raises(errors.WorkerDied, match="SIGKILL"):
            next(results)
        assert_takes_work(executor)


def test_sys_exit_is_the_tasks_own_outcome(open_executor: Open, start_method: str) -> None:
    """It reaches whoever asks for the result; the worker lives on."""
    with open_executor(1, start_method) as executor:
        before = executor.submit(os.getpid).result(PATIENCE_S)
        error = executor.submit(faulty.exit_with, 3).exception(PATIENCE_S)
        assert isinstance(error, SystemExit)
        assert error.code == 3
        assert executor.submit(os.getpid).result(PATIENCE_S) == before


def test_a_worker_whose_descriptors_are_closed_is_replaced(open_executor: Open, start_method: str) -> None:
    """The task's result is recovered, or its error says what happened; the others come out."""
    with open_executor(2, start_method) as executor:
        closing = [executor.submit(faulty.close_descriptors, number) for number in range(3)]
        others = [executor.submit(faulty.square, number) for number in range(20)]
        wait([*closing, *others], PATIENCE_S)
        for number, future in enumerate(closing):
            if future.exception(0) is None:
                assert future.result() == number
            else:
                assert_died(future, "closed the connection")
        assert [future.result(0) for future in others] == [number * number for number in range(20)]
        assert_takes_work(executor)


def test_a_death_is_seen_though_a_grandchild_holds_the_line(
    open_executor: Open, start_method: str, says: Signpost
) -> None:
    """Whatever the worker had open is still open in a process that it forked."""
    with open_executor(1, start_method) as executor:
        lost = executor.submit(faulty.leave_grandchild_and_die, says.path)
        (grandchild,) = map(int, says.hear(1))
        try:
            assert_died(lost, "SIGKILL")
            assert_takes_work(executor)
        finally:
            os.kill(grandchild, signal.SIGKILL)


@pytest.mark.parametrize("stopped", [0, 1])
def test_a_frozen_worker_holds_up_only_what_it_was_given(
    open_executor: Open, stopped: int, says: Signpost, gate: Signpost
) -> None:
    """It is stopped while idle. It can keep the task it was handed and one behind it, and no other."""
    with open_executor(2) as executor:
        futures = [executor.submit(faulty.meet, says.path, gate.path) for _ in range(2)]
        pids = sorted(int(line) for line in says.hear(2))
        gate.let_through(2)
        wait(futures, PATIENCE_S)
        os.kill(pids[stopped], signal.SIGSTOP)
        try:
            futures = [executor.submit(faulty.square, number) for number in range(40)]
            held = wait_for_all_but(futures, 2)
            assert len(held) <= 2
        finally:
            os.kill(pids[stopped], signal.SIGCONT)
        assert [future.result(PATIENCE_S) for future in futures] == [number * number for number in range(40)]
        assert_takes_work(executor)


def wait_for_all_but(futures: list[Future[Any]], count: int) -> set[Future[Any]]:
    """Wait until all but `count` are done. Return the rest."""
    done = Semaphore(0)
    for future in futures:
        future.add_done_callback(lambda _: done.release())
    for _ in range(len(futures) - count):
        assert done.acquire(timeout=PATIENCE_S), "too few were done"
    return {future for future in futures if not future.done()}


def test_a_frozen_worker_may_be_killed(open_executor: Open, says: Signpost, gate: Signpost) -> None:
    """A stopped process dies of SIGKILL all the same; what it had not begun is run by another."""
    with open_executor(1) as executor:
        future = executor.submit(faulty.meet, says.path, gate.path)
        (pid,) = map(int, says.hear(1))
        gate.let_through(1)
        future.result(PATIENCE_S)
        os.kill(pid, signal.SIGSTOP)
        waiting = [executor.submit(faulty.square, number) for number in range(10)]
        os.kill(pid, signal.SIGKILL)
        assert [future.result(PATIENCE_S) for future in waiting] == [number * number for number in range(10)]


def test_a_memory_error_is_the_tasks_own_outcome(open_executor: Open, start_method: str) -> None:
    """The worker lives on."""
    with open_executor(1, start_method) as executor:
        before = executor.submit(os.getpid).result(PATIENCE_S)
        assert isinstance(executor.submit(faulty.allocate_beyond_limit).exception(PATIENCE_S), MemoryError)
        assert executor.submit(os.getpid).result(PATIENCE_S) == before
        assert_takes_work(executor)


def test_an_initializer_that_raises_is_said_so(open_executor: Open, start_method: str) -> None:
    """No future waits for ever for a worker that will not come, and the error shows the reason."""
    with open_executor(2, start_method, initializer=faulty.initializer_fails) as executor:
        errors_of_all = all_errors(executor)
        assert all(isinstance(error, BrokenProcessPool) for error in errors_of_all), errors_of_all
        assert any("no worker is good enough" in everything_said(error) for error in errors_of_all)


@pytest.mark.parametrize("how", ["exit 0", "exit 3", "SIGKILL", "SIGSEGV"])
def test_an_initializer_that_ends_the_process_is_said_so(open_executor: Open, start_method: str, how: str) -> None:
    """Workers are not started again and again for ever."""
    with open_executor(2, start_method, initializer=faulty.die, initargs=(how,)) as executor:
        errors_of_all = all_errors(executor)
        assert all(isinstance(error, BrokenProcessPool) for error in errors_of_all), errors_of_all


def all_errors(executor: corewise.ProcessExecutor) -> list[BaseException | None]:
    """Return the errors of five tasks, whether their futures have them or `submit` raises them."""
    found: list[BaseException | None] = []
    futures: list[Future[Any]] = []
    for number in range(5):
        try:
            futures.append(executor.submit(faulty.square, number))
        except BrokenProcessPool as error:
            found.append(error)
    return found + [future.exception(PATIENCE_S) for future in futures]


def test_a_shut_down_executor_leaves_no_worker_that_was_killed_meanwhile(open_executor: Open, says: Signpost) -> None:
    """Workers die while `shutdown` waits for them."""
    executor = open_executor(3)
    lost = [executor.submit(faulty.say_and_sleep, says.path) for _ in range(3)]
    pids = [int(line) for line in says.hear(3)]
    executor.shutdown(wait=False)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    executor.shutdown(wait=True)
    for future in lost:
        assert_died(future, "SIGKILL")
    assert not set(pids) & set(observe.workers())
