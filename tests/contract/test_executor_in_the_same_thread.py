"""What is particular to `SyncExecutor`: calls run where and when they are submitted."""

from __future__ import annotations

import threading
from itertools import count, repeat

import pytest

import corewise


def test_a_call_is_over_before_submit_returns() -> None:
    """In the thread that submits it."""
    with corewise.SyncExecutor(8) as executor:
        future = executor.submit(threading.get_ident)
        assert future.done()
        assert future.result() == threading.get_ident()
        assert not future.cancel()


def test_ctrl_c_is_not_kept_in_a_future() -> None:
    """It would end the call that it hits, and the loop around it would go on."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    with corewise.SyncExecutor() as executor:
        with pytest.raises(KeyboardInterrupt):
            executor.submit(interrupted)
        assert executor.statistics().failed == 1


def test_a_call_can_submit() -> None:
    """Calls nest, as plain calls do."""

    def outer(depth: int) -> int:
        return depth and 1 + executor.submit(outer, depth - 1).result()

    with corewise.SyncExecutor() as executor:
        assert executor.submit(outer, 20).result() == 20


def test_an_initializer_can_submit() -> None:
    """It is called once, whatever it does."""
    called: list[int] = []

    def initialize() -> None:
        called.append(executor.submit(abs, -1).result())

    executor = corewise.SyncExecutor(initializer=initialize)
    assert executor.submit(abs, -2).result() == 2
    assert called == [1]


def test_shutdown_waits_for_the_calls_of_other_threads() -> None:
    """But not for the one that it is called in."""
    begun, end = threading.Event(), threading.Event()
    executor = corewise.SyncExecutor()

    def work() -> bool:
        begun.set()
        return end.wait()

    other = threading.Thread(target=executor.submit, args=(work,))
    other.start()
    begun.wait()
    closer = threading.Thread(target=executor.shutdown)
    closer.start()
    with pytest.raises(RuntimeError, match="after shutdown"):
        list(map(executor.submit, repeat(abs), count()))  # until the closer has come so far
    assert closer.is_alive()
    end.set()
    closer.join()
    other.join()
    inside = corewise.SyncExecutor()
    assert inside.submit(inside.shutdown).exception() is None
