"""The standard library's locks, events, shared values, queues and managers, handed to our processes."""

from __future__ import annotations

import multiprocessing
from multiprocessing import shared_memory
from typing import Any

import pytest

import corewise
from corewise import errors

METHODS = multiprocessing.get_all_start_methods()
PROCESSES, TIMES = 3, 20


def uses_all(lock: Any, value: Any, array: Any, queue: Any, barrier: Any, event: Any) -> None:
    """Use each of them as a program does."""
    barrier.wait(10)
    for _ in range(TIMES):
        with lock:
            value.value += 1
            array[1] += 1
    queue.put(value.value)
    event.wait(10)


def fills(shared: Any, names: Any, condition: Any) -> None:
    """Change what a manager holds."""
    with condition:
        shared["count"] = shared.get("count", 0) + 1
        names.append(multiprocessing.current_process().name)
        condition.notify()


def overwrites(name: str) -> None:
    """Write into shared memory."""
    memory = shared_memory.SharedMemory(name)
    memory.buf[0] = 42
    memory.close()


@pytest.mark.parametrize("method", METHODS)
def test_locks_values_queues_barriers_and_events_are_shared(method: str) -> None:
    """Made by a context of the same start method, as with the standard library's own processes."""
    context = multiprocessing.get_context(method)
    lock, value, array = context.Lock(), context.Value("i", 0, lock=False), context.Array("i", 3)
    queue, barrier, event = context.SimpleQueue(), context.Barrier(PROCESSES), context.Event()
    processes = [
        corewise.Process(target=uses_all, args=(lock, value, array, queue, barrier, event), start_method=method)
        for _ in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    assert max(queue.get() for _ in processes) == PROCESSES * TIMES
    event.set()
    for process in processes:
        assert process.result(20) is None
        process.join()
        process.close()
    assert (value.value, list(array)) == (PROCESSES * TIMES, [0, PROCESSES * TIMES, 0])
    queue.close()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_managers_are_shared(method: str) -> None:
    """Their proxies travel, and their process is none of ours."""
    with multiprocessing.get_context(method).Manager() as manager:
        shared, names, condition = manager.dict(), manager.list(), manager.Condition()
        processes = [
            corewise.Process(target=fills, args=(shared, names, condition), start_method=method, name=str(number))
            for number in range(3)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.result(20)
            process.join()
            process.close()
        assert (shared["count"], sorted(names)) == (3, ["0", "1", "2"])


def test_shared_memory_is_shared() -> None:
    """By its name."""
    memory = shared_memory.SharedMemory(create=True, size=16)
    try:
        process = corewise.Process(target=overwrites, args=(memory.name,), start_method="fork")
        process.start()
        process.result(20)
        process.join()
        process.close()
        assert memory.buf[0] == 42
    finally:
        memory.close()
        memory.unlink()


def test_a_lock_of_another_start_method_is_refused_with_the_reason() -> None:
    """A forked child inherits it, and no other can find it."""
    process = corewise.Process(target=print, args=(multiprocessing.get_context("fork").Lock(),), start_method="spawn")
    with pytest.raises(errors.CannotTravel, match="created in a fork context"):
        process.start()
    process.close()
