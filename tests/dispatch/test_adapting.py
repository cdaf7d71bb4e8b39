"""Who drives the number of calls at once: which outcomes tell of it, and that threads keep to it."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import Any

import pytest

from corewise._approaches.base import Terms
from corewise._approaches.threads import Threads
from corewise._choose.at_once import AtOnce
from corewise._dispatch.adapting import Adapting
from corewise._dispatch.ranges import Outstanding
from corewise._work.chunk import Chunk, Done


class Approach:
    """Something with a limit."""

    limit = 64


def outstanding(*indexes: int) -> Outstanding:
    """Return items that are under way, one in a chunk."""
    found = Outstanding()
    for index in indexes:
        found.add(Chunk(index, [index], star=False))
    return found


def told(adapting: Adapting, approach: Any, index: int, under_way: Outstanding, *, refused: bool = False) -> int:
    """Tell of an item that took 20 ms; return the limit."""
    adapting.learn(approach, Done(index, [0], [], 0.02), under_way, refused=refused, remaining=10_000)
    under_way.remove(index, 1, dropped=0)
    limit: int = approach.limit
    return limit


def test_refusals_of_one_flight_halve_once() -> None:
    """Those that were under way when the first one came say nothing new; those that began since do."""
    adapting, approach, under_way = Adapting(AtOnce(64, alone_s=0.02, most=64)), Approach(), outstanding(*range(64))
    assert told(adapting, approach, 3, under_way, refused=True) == 32
    under_way.add(Chunk(64, [64], star=False))
    for index in (*range(3), *range(4, 64)):
        assert told(adapting, approach, index, under_way, refused=True) == 32
    assert told(adapting, approach, 64, under_way, refused=True) == 16


def test_what_was_begun_by_others_before_tells_nothing() -> None:
    """A few threads beside a first item were quick; that says nothing of the many that there may be from now on."""
    adapting, approach, under_way = Adapting(AtOnce(32, alone_s=0.02, most=512)), Approach(), outstanding(*range(64))
    approach.limit = 32
    adapting.ignore(under_way)
    for index in range(64):
        assert told(adapting, approach, index, under_way) == 32
    for index in range(64, 96):
        under_way.add(Chunk(index, [index], star=False))
    assert max(told(adapting, approach, index, under_way) for index in range(64, 96)) > 32


def test_a_chunk_that_comes_back_in_parts_is_of_one_flight() -> None:
    """Each part of what was handed out before a change tells nothing of the number of calls after it."""
    adapting, approach, under_way = Adapting(AtOnce(64, alone_s=0.02, most=64)), Approach(), outstanding()
    under_way.add(Chunk(0, range(4), star=False))
    assert told(adapting, approach, 0, under_way, refused=True) == 32
    under_way.add(Chunk(4, [4], star=False))
    for index in (2, 1, 3):
        assert told(adapting, approach, index, under_way, refused=True) == 32
    assert told(adapting, approach, 4, under_way, refused=True) == 16


def test_an_item_that_is_run_again_counts_as_new() -> None:
    """Its first outcome was of the flight before."""
    adapting, approach, under_way = Adapting(AtOnce(64, alone_s=0.02, most=64)), Approach(), outstanding(0, 1)
    assert told(adapting, approach, 0, under_way, refused=True) == 32
    assert told(adapting, approach, 1, under_way, refused=True) == 32
    under_way.add(Chunk(1, [1], star=False))
    assert told(adapting, approach, 1, under_way, refused=True) == 16


def test_no_more_workers_than_what_remains_repays() -> None:
    """Unless they cost nothing, or nobody knows what remains; and none where they would gain little."""
    cases = ((None, 100, 256), (0.002, 100, 64), (0.002, 1000, 64), (0.002, 4000, 200), (0.002, None, 256))
    for worker_s, remaining, expected in cases:
        adapting = Adapting(
            AtOnce(64, alone_s=0.02, most=512),
            worker_s=None if worker_s is None else lambda worker_s=worker_s: worker_s,
        )
        approach: Any = Approach()
        under_way = outstanding(*range(64))
        for index in range(64):
            adapting.learn(approach, Done(index, [0], [], 0.02), under_way, refused=False, remaining=remaining)
            if approach.limit != 64:
                break
            under_way.remove(index, 1, dropped=0)
        assert approach.limit == expected


def test_what_computes_is_left_alone_until_it_is_refused() -> None:
    """How long computing takes tells nothing of a server."""
    adapting = Adapting(AtOnce(64, alone_s=0.02, most=512), computes=lambda: True)
    approach, under_way = Approach(), outstanding(*range(65))
    assert {told(adapting, approach, index, under_way) for index in range(64)} == {64}
    assert told(adapting, approach, 64, under_way, refused=True) == 32


@pytest.mark.parametrize("lower", [1, 3])
def test_threads_keep_to_a_limit_that_is_lowered(lower: int) -> None:
    """What waits in line is not taken by those that are too many; raised again, all of them work."""
    gate, begun, most = threading.Semaphore(0), threading.Semaphore(0), 0
    now: list[int] = []

    def call(item: int) -> int:
        nonlocal most
        now.append(item)
        most = max(most, len(now))
        begun.release()
        assert gate.acquire(timeout=60)
        now.remove(item)
        return item

    threads = Threads(Terms(fn=call, workers=8, keep_going=False))
    try:
        threads._note_long_items()
        for index in range(16):
            threads.submit(Chunk(index, [index], star=False))
        for _ in range(8):
            assert begun.acquire(timeout=60)
        threads.limit = lower
        assert threads.room == 0
        done: list[Done] = []
        gate.release(8)
        while len(done) < 8:
            done += threads.collect(60)
        most = 0
        for _ in range(lower):
            assert begun.acquire(timeout=60)
        while len(done) < 15:
            gate.release()
            done += threads.collect(60)
        assert most <= lower
        threads.limit = 8
        for index in range(16, 23):
            threads.submit(Chunk(index, [index], star=False))
        gate.release(8)
        while len(done) < 23:
            done += threads.collect(60)
        assert sorted(one.values[0] for one in done) == list(range(23))
    finally:
        gate.release(100)
        threads.close(kill=True)


def test_threads_that_find_nothing_more_to_do_end_while_others_are_at_their_items() -> None:
    """As soon as it is known that nothing follows; with a limit that is lowered meanwhile, too."""
    gate, at_it = threading.Semaphore(0), SimpleQueue[threading.Thread]()

    def call(item: int) -> int:
        if not item:
            at_it.put(threading.current_thread())
            assert gate.acquire(timeout=60)
        return item

    threads = Threads(Terms(fn=call, workers=8, keep_going=False))
    try:
        threads._note_long_items()
        for index in range(8):
            threads.submit(Chunk(index, [index], star=False))
        threads.no_more()
        last = at_it.get(timeout=60)
        for thread in threads._threads:
            if thread is not last:
                thread.join(60)
        assert [thread for thread in threads._threads if thread.is_alive()] == [last]
        threads.limit = 1
        threads.no_more()
        gate.release()
        done: list[Done] = []
        while len(done) < 8:
            done += threads.collect(60)
        assert sorted(one.start for one in done) == list(range(8))
    finally:
        gate.release(8)
        threads.close(kill=True)
