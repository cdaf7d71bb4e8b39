"""Whoever is killed at any line of a queue's own code has done what he was about to do, or has not."""

from __future__ import annotations

import os
import select
import signal
import sys
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from forked import LONG_S, Child, drained

import corewise
from corewise._transport import queues
from corewise._transport.queues.words import GETTERS_ASLEEP
from corewise.errors import ItemsLost

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

# A hundred processes each, one after the other, beside whatever else runs on the machine.
pytestmark = pytest.mark.timeout(90)

OURS = str(Path(queues.__file__).parent)


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
            assert monotonic() < until, "it sleeps beside an item"
            select.select([notice], [], [], 0.001)
        os.close(notice)
        items.put(2)
        assert sleeper.wait() == 0


@pytest.mark.parametrize("items", [[1], [1, 2]], ids=["put", "put_many"])
def test_a_putter_killed_at_any_line_leaves_nobody_asleep_beside_an_item(items: list[int]) -> None:
    """One sleeps in `get` meanwhile: what was put wakes him, whoever it was that put it."""
    queues_made: list[corewise.Queue[Any]] = []
    sleepers: list[Child] = []

    def prepare() -> None:
        queue: corewise.Queue[Any] = corewise.Queue()
        queues_made[:] = [queue]
        sleepers[:] = [Child(lambda: queue.get(timeout=LONG_S))]
        while not queue._core.words[GETTERS_ASLEEP]:
            os.sched_yield()

    def check() -> None:
        queue, sleeper = queues_made[0], sleepers[0]
        until = monotonic() + LONG_S / 2
        while queue.qsize() == len(items):
            assert monotonic() < until, "he sleeps beside an item"
            os.sched_yield()
        queue.put("woken")
        assert sleeper.wait() == 0

    killed_at_every_line(
        lambda: queues_made[0].put_many(items) if len(items) > 1 else queues_made[0].put(items[0]), prepare, check
    )


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
