"""A worker is killed while much is on its way to or from it; memory and descriptors run out meanwhile."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from concurrent.futures import wait
from functools import partial
from typing import TYPE_CHECKING, Any

import faulty
import pytest
from expectations import assert_takes_work
from signposts import PATIENCE_S

import corewise
from corewise import errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from pathlib import Path

    from signposts import Signpost

    Open = Callable[..., corewise.ProcessExecutor]

MUCH_BYTES = 64 << 20
MOMENTS = 8


def kill_after(pid: int, delay_s: float) -> None:
    """Kill a process. The pause chooses the moment, which is the subject here; nothing waits for it."""
    time.sleep(delay_s)
    os.kill(pid, signal.SIGKILL)


def arrived_or_died(future: Future[Any], value: object) -> bool:
    """Return whether a task's result arrived, whole; if not, its worker's death must have."""
    error = future.exception(PATIENCE_S)
    if error is None:
        assert future.result() == value
        return True
    assert isinstance(error, errors.WorkerDied), repr(error)
    return False


def test_a_worker_killed_while_it_sends_loses_that_result_only(open_executor: Open, says: Signpost) -> None:
    """At eight moments from before the first byte to after the last one."""
    expected = bytes(MUCH_BYTES)
    with open_executor(2) as executor:
        duration_s = _duration_of_sending(executor, says)
        for moment in range(MOMENTS):
            future = executor.submit(faulty.send_after_saying, says.path, MUCH_BYTES)
            others = [executor.submit(faulty.square, number) for number in range(5)]
            (pid,) = map(int, says.hear(1))
            kill_after(pid, duration_s * moment / (MOMENTS - 1))
            arrived_or_died(future, expected)
            assert [future.result(PATIENCE_S) for future in others] == [0, 1, 4, 9, 16]
        assert_takes_work(executor)


def _duration_of_sending(executor: corewise.ProcessExecutor, says: Signpost) -> float:
    future = executor.submit(faulty.send_after_saying, says.path, MUCH_BYTES)
    says.hear(1)
    begin = time.perf_counter()
    assert len(future.result(PATIENCE_S)) == MUCH_BYTES
    return time.perf_counter() - begin


def test_a_worker_killed_while_it_receives_holds_up_nobody(open_executor: Open) -> None:
    """A task whose argument had not arrived was not begun, so it is run by another worker."""
    data = bytes(MUCH_BYTES)
    with open_executor(1) as executor:
        begin = time.perf_counter()
        assert executor.submit(faulty.length, data).result(PATIENCE_S) == MUCH_BYTES
        duration_s = time.perf_counter() - begin
        for moment in range(MOMENTS):
            pid = executor.submit(os.getpid).result(PATIENCE_S)
            killer = threading.Thread(target=kill_after, args=(pid, duration_s * moment / (MOMENTS - 1)))
            killer.start()
            futures = [executor.submit(faulty.length, data), executor.submit(faulty.square, 3)]
            arrived_or_died(futures[0], MUCH_BYTES)
            arrived_or_died(futures[1], 9)
            killer.join()
        assert_takes_work(executor)


def test_a_worker_may_die_in_the_midst_of_a_large_result(open_executor: Open, start_method: str) -> None:
    """The first half of the result is pickled when the second half kills."""
    with open_executor(2, start_method) as executor:
        lost = executor.submit(_half_deadly)
        others = [executor.submit(faulty.square, number) for number in range(10)]
        assert isinstance(lost.exception(PATIENCE_S), errors.WorkerDied)
        assert [future.result(PATIENCE_S) for future in others] == [number * number for number in range(10)]
        assert_takes_work(executor)


def _half_deadly() -> list[object]:
    return [bytes(8 << 20), faulty.troublesome("pickle", "SIGKILL"), bytes(8 << 20)]


def test_256_megabytes_travel_both_ways(open_executor: Open) -> None:
    """An argument, then a result; both whole."""
    data = os.urandom(1 << 20) * 256
    with open_executor(1) as executor:
        assert executor.submit(faulty.same, data).result(PATIENCE_S) == data


@pytest.mark.parametrize("more_bytes", [8 << 20, 96 << 20])
def test_a_worker_without_memory_for_its_argument_says_so(open_executor: Open, more_bytes: int) -> None:
    """The task fails, by `MemoryError` or with its worker; small ones go on."""
    with open_executor(1, initializer=faulty.limit_address_space, initargs=(more_bytes,)) as executor:
        error = executor.submit(faulty.length, bytes(256 << 20)).exception(PATIENCE_S)
        assert isinstance(error, (MemoryError, errors.WorkerDied)), repr(error)
        assert_takes_work(executor)


def test_a_worker_without_memory_for_its_result_says_so(open_executor: Open) -> None:
    """The result was made before the limit was drawn."""
    with open_executor(1) as executor:
        error = executor.submit(_send_short_of_memory).exception(PATIENCE_S)
        if error is not None:  # a way that needs no further memory is as good
            assert isinstance(error, (MemoryError, errors.WorkerDied)), repr(error)
        assert_takes_work(executor)


def _send_short_of_memory() -> list[object]:
    # A list, so that it is pickled: the buffers are found only then.
    result: list[object] = [bytearray(64 << 20) for _ in range(2)]
    faulty.limit_address_space(16 << 20)
    return result


def test_many_large_results_at_once_are_whole(open_executor: Open, start_method: str) -> None:
    """More than can be on the way at a time, both ways, while workers die in between."""
    arguments = [bytes([number]) * (4 << 20) for number in range(12)]
    with open_executor(2, start_method) as executor:
        futures = [executor.submit(faulty.same, argument) for argument in arguments]
        deaths = [executor.submit(faulty.die, "SIGKILL") for _ in range(3)]
        futures += [executor.submit(faulty.same, argument) for argument in arguments]
        wait([*futures, *deaths], PATIENCE_S)
        assert [future.result(0) for future in futures] == arguments * 2
        for future in deaths:
            assert isinstance(future.exception(0), errors.WorkerDied)


@pytest.mark.parametrize("size", [40_000, 80_000, 600_000, 2_000_000])
def test_large_results_before_a_death_are_neither_lost_nor_made_again(size: int, tmp_path: Path) -> None:
    """Whether they wait to be sent with others or have been sent; and each is as it was when it was returned."""
    path, items, bad = tmp_path / "log", range(40), (5, 17, 18, 39)
    run = partial(log_and_fill_but, str(path), size, bad)
    options: Any = {"approach": "processes", "on_error": "return", "chunksize": 20}
    results = corewise.map(run, items, workers=1, **options)
    for number, result in zip(items, results, strict=True):
        if number in bad:
            assert isinstance(result, errors.WorkerDied)
        else:
            assert result == bytes([number]) * size
    assert Counter(path.read_text().split()) == Counter(map(str, items))


def log_and_fill_but(path: str, size: int, bad: tuple[int, ...], number: int) -> bytearray:
    """Die at some numbers."""
    return faulty.log_and_fill(path, size, number if number in bad else None, number)


def test_large_results_behind_which_an_item_takes_long_are_there_before_it_has_ended(
    says: Signpost, gate: Signpost
) -> None:
    """They are fetched from where they wait."""
    run = partial(send_or_meet, says.path, gate.path)
    options: Any = {"approach": "processes", "workers": 1, "chunksize": 8}
    with corewise.stream(run, range(8), **options) as results:
        assert [next(results) for _ in range(7)] == [bytes([number]) * 80_000 for number in range(7)]
        says.hear(1)
        gate.let_through(1)
        assert list(results) == [b""]


def send_or_meet(says: str, gate: str, number: int) -> bytes:
    """Return something large; the last one only once it may."""
    if number == 7:
        faulty.meet(says, gate)
        return b""
    return bytes([number]) * 80_000
