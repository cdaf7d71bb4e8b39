"""Callbacks that misbehave, inputs that raise, futures that are cancelled: the executor's own threads live on."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import CancelledError, Future, wait
from typing import TYPE_CHECKING, Any

import faulty
import pytest
from expectations import assert_takes_work, in_thread
from signposts import PATIENCE_S

import corewise
import observe
from corewise import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from signposts import Signpost

    Open = Callable[..., corewise.ProcessExecutor]


@pytest.mark.parametrize("raised", [ValueError, SystemExit, KeyboardInterrupt, faulty.OwnBase])
def test_a_callback_that_raises_hurts_nobody(
    open_executor: Open, raised: type[BaseException], says: Signpost, gate: Signpost
) -> None:
    """Not the executor, and not the callbacks after it."""
    called: list[str] = []

    def misbehave(_: Future[Any]) -> None:
        called.append("bad")
        raise raised

    with open_executor(2) as executor:
        future = executor.submit(faulty.meet, says.path, gate.path)
        future.add_done_callback(misbehave)
        after = threading.Event()
        future.add_done_callback(lambda _: after.set())
        says.hear(1)
        gate.let_through(1)
        in_thread(lambda: future.result(PATIENCE_S))
        if issubclass(raised, Exception):
            assert after.wait(PATIENCE_S)
        in_thread(lambda: assert_takes_work(executor))
    assert called == ["bad"]


def test_callbacks_may_submit_a_hundred_deep(open_executor: Open) -> None:
    """Each task is submitted by the callback of the one before."""
    finished = threading.Event()
    values: list[int] = []

    with open_executor(2) as executor:

        def go_on(future: Future[int]) -> None:
            values.append(future.result())
            if len(values) == 100:
                finished.set()
            else:
                executor.submit(faulty.square, len(values)).add_done_callback(go_on)

        executor.submit(faulty.square, 0).add_done_callback(go_on)
        assert finished.wait(PATIENCE_S)
    assert values == [number * number for number in range(100)]


def test_callbacks_of_the_dead_may_submit(open_executor: Open) -> None:
    """A task that killed its worker is tried again by its callback, as users write retries."""
    finished = threading.Event()
    deaths: list[BaseException | None] = []

    with open_executor(2) as executor:

        def try_again(future: Future[None]) -> None:
            deaths.append(future.exception())
            if len(deaths) == 10:
                finished.set()
            else:
                executor.submit(faulty.die, "SIGKILL").add_done_callback(try_again)

        executor.submit(faulty.die, "SIGKILL").add_done_callback(try_again)
        assert finished.wait(PATIENCE_S)
        assert_takes_work(executor)
    assert all(isinstance(error, errors.WorkerDied) for error in deaths)


def test_a_callback_may_shut_the_executor_down(open_executor: Open) -> None:
    """Without waiting for itself."""
    executor = open_executor(2)
    future = executor.submit(faulty.square, 3)
    future.add_done_callback(lambda _: executor.shutdown(wait=False, cancel_futures=True))
    assert future.result(PATIENCE_S) == 9
    executor.shutdown(wait=True)
    with pytest.raises(RuntimeError):
        executor.submit(faulty.square, 3)


def test_an_input_that_raises_half_way_raises_here(open_executor: Open) -> None:
    """`map` reads its inputs in the calling thread; nothing is left hanging."""

    def numbers() -> Iterator[int]:
        yield from range(10)
        raise ZeroDivisionError("half-way")

    with open_executor(2) as executor:
        with pytest.raises(ZeroDivisionError, match="half-way"):
            list(executor.map(faulty.square, numbers()))
        with pytest.raises(ZeroDivisionError, match="half-way"):
            list(executor.map(faulty.square, numbers(), chunksize=4))
        assert_takes_work(executor)


@pytest.mark.parametrize("end", ["finish", "drop the rest"])
def test_a_storm_of_cancelling_decides_every_future(
    open_executor: Open,
    end: str,
    tmp_path: Path,
) -> None:
    """Five hundred tasks, every other one cancelled while they run; then the end."""
    path = str(tmp_path / "log")
    executor = open_executor(2)
    futures = [executor.submit(faulty.log_and_square, path, number) for number in range(500)]
    cancelled = {number for number in range(0, 500, 2) if futures[number].cancel()}
    executor.shutdown(wait=True, cancel_futures=end == "drop the rest")
    done = wait(futures, PATIENCE_S)
    assert not done.not_done
    run = set((tmp_path / "log").read_text(encoding="ascii").split())
    for number, future in enumerate(futures):
        if future.cancelled():
            assert str(number) not in run
            with pytest.raises(CancelledError):
                future.result(0)
        else:
            assert number not in cancelled
            assert future.result(0) == number * number
    if end == "finish":
        assert {number for number, future in enumerate(futures) if future.cancelled()} == cancelled


def test_workers_may_die_in_a_storm_of_cancelling(open_executor: Open) -> None:
    """Every tenth task kills; every third is cancelled if it still can be."""
    with open_executor(2) as executor:
        futures: list[Future[Any]] = []
        for number in range(200):
            futures.append(
                executor.submit(faulty.die, "SIGKILL") if number % 10 == 0 else executor.submit(faulty.square, number)
            )
            if number % 3 == 0:
                futures[number // 2].cancel()
        assert not wait(futures, PATIENCE_S).not_done
        for number, future in enumerate(futures):
            if future.cancelled():
                continue
            if number % 10 == 0:
                assert isinstance(future.exception(0), errors.WorkerDied)
            else:
                assert future.result(0) == number * number
        assert_takes_work(executor)


def test_an_executor_that_is_dropped_finishes_its_work(tmp_path: Path, gate: Signpost) -> None:
    """The variable is gone while tasks are under way; they are run, and the workers end by themselves."""
    before, threads = set(observe.workers()), set(threading.enumerate())
    executor = corewise.ProcessExecutor(2)
    held = executor.submit(faulty.hold, gate.path)
    futures = [executor.submit(faulty.log_and_square, str(tmp_path / "log"), number) for number in range(30)]
    workers = set(observe.workers()) - before
    del executor
    gc.collect()
    gate.let_through(1)
    held.result(PATIENCE_S)
    assert [future.result(PATIENCE_S) for future in futures] == [number * number for number in range(30)]
    for thread in set(threading.enumerate()) - threads:
        thread.join(PATIENCE_S)
    observe.wait_until_gone(workers, PATIENCE_S)
    assert not workers & set(observe.workers())
    assert set(threading.enumerate()) <= threads
