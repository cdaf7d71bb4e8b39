"""Queues in odd situations: interrupted, stopped, short of descriptors and memory, left full."""

from __future__ import annotations

import os
import queue as standard
import resource
import select
import signal
import subprocess
import sys
import textwrap
from contextlib import suppress
from time import monotonic
from typing import Any

import numpy as np
import pytest
from forked import LONG_S, Child, drained

import corewise
from corewise._transport.queues.words import GETTERS_ASLEEP


def test_interrupts_at_any_moment_leave_no_lock_behind() -> None:
    """A process that is interrupted again and again, and another one beside it, lose nothing but what was under way."""
    queue: corewise.Queue[int] = corewise.Queue(20)
    ready, go = os.pipe()
    rounds = 300

    def interrupted() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        caught, number = 0, 0
        while caught < rounds:
            try:
                os.write(go, b"!")  # the next one is sent after this only, so none comes outside of this block
                while True:
                    queue.put(number, timeout=LONG_S)
                    number += 1
                    queue.put_many([-1, -2])
                    with suppress(standard.Empty):
                        # Not for long: a signal that comes as the interpreter falls asleep is heard when it wakes up.
                        queue.get(timeout=0.01)
            except KeyboardInterrupt:
                caught += 1
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def beside() -> None:
        while queue.get(timeout=LONG_S) != "end":  # type: ignore[comparison-overlap]
            pass

    neighbour, victim = Child(beside), Child(interrupted)
    try:
        for _ in range(rounds):
            assert select.select([ready], [], [], LONG_S)[0], "it hangs"
            os.read(ready, 1)
            os.kill(victim.pid, signal.SIGINT)
        assert victim.wait() == 0
        queue.put("end", timeout=LONG_S)  # type: ignore[arg-type]
        assert neighbour.wait() == 0
    finally:
        os.close(ready)
        os.close(go)


def test_a_holder_that_is_stopped_holds_nobody_beyond_his_time() -> None:
    """Stopped in the midst of a put: others wait for their time-out; killed, it lets go at once."""
    queue: corewise.Queue[Any] = corewise.Queue()
    queue.put("before")

    def stopped_inside() -> None:
        queue._core._wake_getters = lambda: os.kill(os.getpid(), signal.SIGSTOP)  # type: ignore[method-assign]
        queue._core.words[GETTERS_ASLEEP] = 1  # somebody sleeps
        queue.put("inside")

    holder = Child(stopped_inside)
    os.waitpid(holder.pid, os.WUNTRACED)
    began = monotonic()
    with pytest.raises(standard.Full):
        queue.put("other", timeout=0.2)
    assert 0.2 <= monotonic() - began < LONG_S
    assert queue.get() == "before"  # getting has a lock of its own
    os.kill(holder.pid, signal.SIGKILL)
    queue.put("other", timeout=LONG_S)
    assert drained(queue) == ["other"]
    assert holder.wait() == -signal.SIGKILL


def test_an_item_put_in_a_signal_handler_is_an_error_not_a_deadlock() -> None:
    """Where the handler interrupts a put of the same thread."""
    queue: corewise.Queue[Any] = corewise.Queue()
    core = queue._core
    raised: list[BaseException] = []

    def wake() -> None:
        try:
            queue.put("nested")
        except RuntimeError as error:
            raised.append(error)

    core._wake_getters = wake  # type: ignore[method-assign]
    core.words[GETTERS_ASLEEP] = 1
    queue.put("outer")
    assert "own thread" in str(raised[0])
    del core._wake_getters
    core.words[GETTERS_ASLEEP] = 0
    assert drained(queue) == ["outer"]
    assert Child(lambda: queue.put("of a child", timeout=LONG_S)).wait() == 0


def program(text: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=LONG_S,
        check=False,
    )


@pytest.mark.parametrize("transport", ["", "portable"])
def test_a_process_ends_at_once_whatever_is_in_a_queue(transport: str) -> None:
    """Ten megabytes that nobody reads, from a child and from the program itself."""
    done = program(
        """
        import multiprocessing, corewise
        def fill(queue):
            for _ in range(100):
                queue.put(bytes(100_000))
        queue = corewise.Queue()
        child = multiprocessing.get_context("fork").Process(target=fill, args=(queue,))
        child.start()
        child.join()
        fill(queue)
        print(queue.qsize(), child.exitcode)
        """,
        COREWISE_TRANSPORT=transport,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("200 0\n", "", 0)


def test_a_writer_s_items_outlive_it() -> None:
    """A thousand items are there although it was killed straight after the last."""
    queue: corewise.Queue[int] = corewise.Queue()

    def put_and_die() -> None:
        for number in range(1000):
            queue.put(number)
        os.kill(os.getpid(), signal.SIGKILL)

    assert Child(put_and_die).wait() == -signal.SIGKILL
    assert drained(queue) == list(range(1000))


def test_a_full_queue_without_readers_is_full_in_time() -> None:
    """Its reader was killed while it waited."""
    queue: corewise.Queue[int] = corewise.Queue(1)
    reader = Child(lambda: queue.get() and queue.get())
    queue.put(0)
    os.kill(reader.pid, signal.SIGKILL)
    reader.wait()
    with suppress(standard.Full):
        queue.put_nowait(1)
    with pytest.raises(standard.Full):
        queue.put(2, timeout=0.02)


@pytest.mark.parametrize("transport", ["", "portable"])
def test_sixty_four_descriptors_are_enough(transport: str) -> None:
    """For large items and a backlog; and when none is left for a new queue the error says so, and nothing leaks."""
    done = program(
        """
        import os, resource, corewise
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        queue = corewise.Queue()
        for size in (10, 100_000, 10_000_000):
            for _ in range(70):
                queue.put(bytes(size // 10))
        for _ in range(210):
            queue.get()
        held = []
        try:
            while True:
                held.append(corewise.Queue())
        except OSError as error:
            print(error.strerror, len(held) >= 6)
        held.clear()
        corewise.Queue().put(1)
        print(len(os.listdir("/proc/self/fd")) < 16)
        """,
        COREWISE_TRANSPORT=transport,
    )
    assert (done.stdout, done.stderr) == ("Too many open files True\nTrue\n", "")


def test_memory_that_is_short_is_an_error_at_put() -> None:
    """An item for which there is no memory leaves the queue as it was; nobody dies of a signal."""
    queue: corewise.Queue[Any] = corewise.Queue()
    queue.put("before")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limit[1]))
    try:
        with pytest.raises(MemoryError, match="the queue needs"):
            queue.put(bytes(10 << 20))
        queue.put("after")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    assert drained(queue) == ["before", "after"]


@pytest.fixture(scope="module")
def huge() -> np.ndarray[Any, Any]:
    """Give more than 2 GiB that take no memory as long as they are only read."""
    return np.zeros((1 << 31) + 1, dtype=np.uint8)


def test_more_than_two_gigabytes_fit_or_are_refused(huge: np.ndarray[Any, Any]) -> None:
    """Refused by the bound, with the size; what is in the queue stays."""
    queue: corewise.Queue[Any] = corewise.Queue(max_bytes="1 GB")
    queue.put("before")
    with pytest.raises(corewise.errors.OptionError, match="2,147,483,7"):
        queue.put(huge)
    assert drained(queue) == ["before"]
