"""How queues close, are joined, waited for in event loops, and given back, over either transport."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import queue_works
from queue_helpers import LONG_S, START_METHODS, Started, Waiting

import corewise
from corewise.errors import ItemsLost, OptionError, QueueClosed


@pytest.fixture(params=["", "portable"], ids=["own", "portable"], autouse=True)
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have queues made of what only Linux offers, or of what every system does."""
    monkeypatch.setenv("COREWISE_TRANSPORT", request.param)
    return str(request.param)


def test_closing_lets_readers_finish() -> None:
    """What is there is taken, then the error comes, or the end of the loop."""
    queue: corewise.Queue[int] = corewise.Queue()
    queue.put_many(range(3))
    queue.close()
    queue.close()
    for put in (lambda: queue.put(1), lambda: queue.put_nowait(1), lambda: queue.put_many([1, 2])):
        with pytest.raises(QueueClosed, match=f"process {os.getpid()} has closed it"):
            put()
    assert list(queue) == [0, 1, 2]
    for get in (queue.get, queue.get_nowait, queue.get_many):
        with pytest.raises(QueueClosed, match="is closed"):
            get()
    assert issubclass(QueueClosed, ValueError)
    assert issubclass(QueueClosed, EOFError)


def test_closing_wakes_all_who_wait() -> None:
    """For an item, and for room."""
    empty: corewise.Queue[int] = corewise.Queue()
    full: corewise.Queue[int] = corewise.Queue(1)
    full.put(1)
    waiting = [Waiting(empty.get), Waiting(empty.get), Waiting(full.put, 2), Waiting(full.put_many, [2, 3])]
    empty.close()
    full.close()
    for one in waiting:
        with pytest.raises(QueueClosed):
            one.result()


def test_the_end_of_a_with_block_closes() -> None:
    """As for files."""
    with corewise.Queue[int]() as queue:
        queue.put(1)
    assert list(queue) == [1]
    assert "closed" in repr(queue)


def test_threads_share_a_queue() -> None:
    """Four put, four take; nothing is lost, nothing comes twice."""
    queue: corewise.Queue[Any] = corewise.Queue(10)
    takers = [Waiting(list, queue) for _ in range(4)]
    putters = [Waiting(queue_works.put_numbers, queue, str(name), 500) for name in range(4)]
    for putter in putters:
        putter.result()
    queue.close()
    came = [taker.result() for taker in takers]
    assert sorted(item for items in came for item in items) == sorted((str(n), i) for n in range(4) for i in range(500))
    for items in came:
        for name in range(4):
            assert (of_one := [number for writer, number in items if writer == str(name)]) == sorted(of_one)


def test_statistics_count() -> None:
    """What waits and what has gone."""
    queue: corewise.Queue[int] = corewise.Queue()
    queue.put_many(range(10))
    queue.get()
    told = queue.statistics()
    assert (told.waiting, told.put, told.taken, told.unfinished, told.closed_by) == (9, 10, 1, None, None)
    queue.close()
    assert queue.statistics().closed_by == os.getpid()


def test_memory_is_given_back_when_it_is_not_needed_any_more() -> None:
    """After a burst, many small items make the queue small again."""
    queue: corewise.Queue[Any] = corewise.Queue()
    for _ in range(20):
        queue.put(bytes(1 << 20))
    large = queue.statistics().memory_bytes
    for _ in range(20):
        queue.get()
    for number in range(1100):
        queue.put(number)
        assert queue.get() == number
    assert queue.statistics().memory_bytes < 1 << 20 < 20 << 20 <= large


def test_a_simple_queue_is_simple() -> None:
    """Its interface is that of the standard library's, and closing travels."""
    queue: corewise.SimpleQueue[Any] = corewise.SimpleQueue()
    assert queue.empty()
    with Started(START_METHODS[0], queue_works.put_one, queue, "an item"):
        assert queue.get() == "an item"
    queue.close()
    with pytest.raises(QueueClosed):
        queue.get()


def test_join_waits_until_all_is_done() -> None:
    """Not before the last `task_done`."""
    queue: corewise.JoinableQueue[int] = corewise.JoinableQueue()
    queue.join()
    queue.put_many([1, 2])
    waiting = Waiting(queue.join)
    queue.get()
    queue.task_done()
    assert waiting.is_alive()
    assert queue.statistics().unfinished == 1
    queue.get()
    queue.task_done()
    waiting.result()
    with pytest.raises(ValueError, match="too many times"):
        queue.task_done()


@pytest.mark.skipif(sys.platform == "win32", reason="there the death is not seen")
def test_join_tells_of_items_whose_holder_has_ended() -> None:
    """Once; it does not wait for them."""
    queue: corewise.JoinableQueue[int] = corewise.JoinableQueue()
    queue.put_many(range(5))
    waiting = Waiting(queue.join)
    # Not forked, as a thread runs.
    with Started("spawn", queue_works.take_and_end, queue, 3) as child:
        pid = child.process.pid  # type: ignore[attr-defined]
    for _ in range(2):
        queue.get()
        queue.task_done()
    with pytest.raises(ItemsLost, match=f"process {pid} had 2") as raised:
        waiting.result()
    assert raised.value.holders == {pid: 2}
    assert queue.statistics().lost == 2
    queue.join()


def test_an_event_loop_waits_without_a_thread() -> None:
    """For items and for room, many at once; a call that is cancelled takes nothing."""

    async def main() -> list[int]:
        queue: corewise.Queue[int] = corewise.Queue(2)
        cancelled = asyncio.create_task(queue.aget())
        takers = [asyncio.create_task(queue.aget()) for _ in range(20)]
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.gather(*(queue.aput(number) for number in range(20)))
        assert threading.active_count() == 1
        async with asyncio.timeout(LONG_S):
            came = await asyncio.gather(*takers)
            queue.close()
            with pytest.raises(QueueClosed):
                await queue.aget()
        return sorted(came)

    assert asyncio.run(main()) == list(range(20))


def test_an_event_loop_hears_another_thread() -> None:
    """What is put elsewhere wakes it."""
    queue: corewise.Queue[int] = corewise.Queue()

    async def main() -> int:
        taker = asyncio.create_task(queue.aget())
        await asyncio.sleep(0)
        Waiting(queue.put, 7).result()
        async with asyncio.timeout(LONG_S):
            return await taker

    assert asyncio.run(main()) == 7


@pytest.mark.parametrize("arguments", [{"maxsize": "3"}, {"maxsize": 1.5}, {"max_bytes": 0}, {"max_bytes": "much"}])
def test_wrong_arguments_are_refused(arguments: dict[str, Any]) -> None:
    """With what is wrong."""
    with pytest.raises(OptionError, match="max"):
        corewise.Queue(**arguments)


def test_a_queue_is_generic() -> None:
    """Annotations can say of what."""
    assert isinstance(corewise.Queue[int](), corewise.Queue)


@pytest.mark.skipif(sys.platform != "linux", reason="counted in /proc")
def test_a_queue_takes_few_descriptors_and_gives_them_back(transport: str) -> None:
    """Three, whatever is in it; none when it is gone."""
    before = open_descriptors()
    queue: corewise.Queue[Any] = corewise.Queue()
    for _ in range(10):
        queue.put(np.ones(100_000))
    queue.get()
    assert open_descriptors() - before <= (10 if transport else 3)
    del queue
    gc.collect()
    assert open_descriptors() == before


@pytest.mark.skipif(sys.platform != "linux", reason="counted in /proc")
def test_memory_is_unmapped_when_a_queue_has_moved_to_more_and_when_it_is_gone() -> None:
    """Nothing of it stays mapped."""
    queue: corewise.Queue[Any] = corewise.Queue()
    for size in (10, 100_000, 1_000_000, 10_000_000):
        queue.put(bytes(size))
        queue.get()
    assert mappings() <= 3
    del queue
    gc.collect()
    assert mappings() == 0


def mappings() -> int:
    """Count the mappings of queues in this process."""
    return Path("/proc/self/maps").read_text("utf-8").count("corewise-queue")


def open_descriptors() -> int:
    """Count the descriptors of this process."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
