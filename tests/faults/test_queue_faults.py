"""Queues in odd situations: killed at every step, interrupted, stopped, short of descriptors and memory, left full."""

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
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import corewise
from corewise._transport import queues
from corewise.errors import ItemsLost

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

LONG_S = 10.0  # nothing takes so long unless it hangs (guess)
OURS = str(Path(queues.__file__).parent)


class Child:
    """A forked process that runs something, and exits with 0 if that returns."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                act()
                code = 0
            finally:
                os._exit(code)

    def wait(self) -> int:
        """Wait for its end; return its exit code, negative for a signal."""
        notice = os.pidfd_open(self.pid)
        try:
            if not select.select([notice], [], [], LONG_S)[0]:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                pytest.fail("it hangs")
        finally:
            os.close(notice)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class DiesAt:
    """Kills this process before the so-manieth line of the queue's own code."""

    def __init__(self, line: int) -> None:
        self._left = line

    def __call__(self, frame: FrameType, event: str, _: object) -> DiesAt | None:
        """Be told of each line, as a function that traces."""
        if not frame.f_code.co_filename.startswith(OURS):
            return None
        if event == "line":
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return self


def killed_at_every_line(act: Callable[[], Any], prepare: Callable[[], None], check: Callable[[], None]) -> int:
    """Run `act` in a child that is killed at its first line, then one at its second, and so on; return how many."""
    line = 0
    while True:
        line += 1
        prepare()

        def run(dies: DiesAt = DiesAt(line)) -> None:  # noqa: B008 - one for each line
            sys.settrace(dies)
            act()

        code = Child(run).wait()
        check()
        if code == 0:
            return line - 1
        assert code == -signal.SIGKILL


def drained(queue: corewise.Queue[Any]) -> list[Any]:
    """Take all that is there, without waiting."""
    items: list[Any] = []
    with suppress(standard.Empty):
        while True:
            items.append(queue.get_nowait())
    return items


BIG = b"x" * 300_000  # makes the ring larger
ARRAY = np.arange(100_000)


@pytest.mark.parametrize(
    ("items", "many"),
    [([1], False), ([BIG], False), ([ARRAY], False), ([2, 3, 4], True), ([BIG, [2], 3], True)],
    ids=["small", "large", "array", "batch", "several"],
)
def test_a_putter_killed_at_any_line_has_put_or_has_not(items: list[Any], many: bool) -> None:  # noqa: FBT001 - pytest's
    """Each item whole, those of a batch in order, and both ends go on at once."""
    queues_made: list[corewise.Queue[Any]] = []

    def prepare() -> None:
        queues_made[:] = [corewise.Queue()]
        queues_made[0].put("before")

    def act() -> None:
        queue = queues_made[0]
        queue.put_many(items) if many else queue.put(items[0])

    def check() -> None:
        queue = queues_made[0]
        queue.put("after", timeout=LONG_S)
        assert queue.get(timeout=LONG_S) == "before"
        came = drained(queue)
        assert came.pop() == "after"
        assert all(np.array_equal(one, other) for one, other in zip(came, items, strict=False))
        assert len(came) <= len(items)
        assert queue.qsize() == 0
        assert queue.statistics().waiting_bytes == 0

    assert killed_at_every_line(act, prepare, check) > 10


@pytest.mark.parametrize("many", [False, True])
def test_a_getter_killed_at_any_line_has_taken_or_has_not(many: bool) -> None:  # noqa: FBT001 - pytest's
    """What it had taken is lost, everything behind it is there."""
    queues_made: list[corewise.Queue[Any]] = []
    content = [0, 1, ARRAY, 3, BIG, 5]

    def prepare() -> None:
        queues_made[:] = [corewise.Queue(len(content))]
        queues_made[0].put_many(content[:2])
        for item in content[2:]:
            queues_made[0].put(item)

    def act() -> None:
        queue = queues_made[0]
        queue.get_many(4) if many else queue.get()

    def check() -> None:
        queue = queues_made[0]
        count = queue.qsize()
        came = drained(queue)
        assert len(came) == count
        assert count in {len(content), len(content) - (4 if many else 1)}
        assert all(np.array_equal(one, other) for one, other in zip(came, content[-count:], strict=True))
        queue.put("after", timeout=LONG_S)
        assert queue.get(timeout=LONG_S) == "after"

    assert killed_at_every_line(act, prepare, check) > 10


def test_who_is_killed_on_his_way_to_sleep_leaves_nobody_asleep_beside_an_item() -> None:
    """An item that is put meanwhile is taken by him, or by the one who sleeps."""
    for line in range(1, 60):
        items: corewise.Queue[int] = corewise.Queue()
        dies = DiesAt(line)

        def sleep_and_die(dies: DiesAt = dies, items: corewise.Queue[int] = items) -> None:
            sys.settrace(dies)
            items.get(timeout=0.001)

        sleeper = Child(lambda items=items: items.get(timeout=LONG_S))  # type: ignore[misc]
        dying = Child(sleep_and_die)
        items.put(1)
        dying.wait()
        notice = os.pidfd_open(sleeper.pid)
        until = monotonic() + LONG_S / 2
        while not items.empty():
            assert not select.select([notice], [], [], 0.001)[0]
            assert monotonic() < until, "it sleeps beside an item"
        os.close(notice)
        items.put(2)
        assert sleeper.wait() == 0


def test_a_closer_killed_at_any_line_has_closed_or_has_not() -> None:
    """And can be followed by another one."""
    queues_made: list[corewise.Queue[Any]] = []

    def prepare() -> None:
        queues_made[:] = [corewise.Queue(1)]

    def check() -> None:
        queues_made[0].close()
        assert list(queues_made[0]) == []

    assert killed_at_every_line(lambda: queues_made[0].close(), prepare, check) > 3  # noqa: PLW0108 - another one each time


@pytest.mark.parametrize("many", [False, True])
def test_join_counts_right_whatever_line_a_holder_is_killed_at(many: bool) -> None:  # noqa: FBT001 - pytest's
    """What it had is lost, neither more nor less, and the rest can be done."""
    queues_made: list[corewise.JoinableQueue[Any]] = []

    def prepare() -> None:
        queues_made[:] = [corewise.JoinableQueue()]
        queues_made[0].put_many(range(6))

    def act() -> None:
        queue = queues_made[0]
        for _ in queue.get_many(3) if many else [queue.get()]:
            queue.task_done()

    def check() -> None:
        queue = queues_made[0]
        unfinished = queue.statistics().unfinished
        assert unfinished is not None
        in_hand = unfinished - queue.qsize()
        for _ in drained(queue):
            queue.task_done()
        lost = 0
        try:
            queue.join()
        except ItemsLost as error:
            lost = sum(error.holders.values())
        assert lost == in_hand
        told = queue.statistics()
        assert (told.unfinished, told.lost) == (0, lost)
        with pytest.raises(ValueError, match="too many"):
            queue.task_done()

    assert killed_at_every_line(act, prepare, check) > 10


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
                    queue.get(timeout=LONG_S)
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
        queue._core.words[9] = 1  # somebody sleeps
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
    core.words[9] = 1
    queue.put("outer")
    assert "own thread" in str(raised[0])
    del core._wake_getters
    core.words[9] = 0
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
