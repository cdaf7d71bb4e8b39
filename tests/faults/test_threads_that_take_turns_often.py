"""Threads that take turns after every few bytecodes: what they share must hold wherever one of them is interrupted.

Usually a thread has the GIL for 5 ms, so two of them hardly ever meet in the midst of the same few lines.
"""

from __future__ import annotations

import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from operator import neg
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import pytest
from signposts import PATIENCE_S

import corewise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROUNDS = 10
NUMBERS = range(300)
NEGATED = [-number for number in NUMBERS]


@pytest.fixture(autouse=True)
def turns_of_a_microsecond() -> Iterator[None]:
    """Have threads take turns as often as CPython can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def at_once(*parts: Callable[[], object]) -> None:
    """Run each of the parts some rounds long in a thread of its own; raise what the first of them raises."""
    begin = threading.Barrier(len(parts))

    def rounds(part: Callable[[], object]) -> None:
        begin.wait(PATIENCE_S)
        for _ in range(ROUNDS):
            part()

    with ThreadPoolExecutor(len(parts)) as threads:
        for future in [threads.submit(rounds, part) for part in parts]:
            future.result(PATIENCE_S)


def test_one_pool_serves_many_threads() -> None:
    """By several of its methods at once, each with its own results."""
    with corewise.Pool(2) as pool:

        def imap() -> None:
            assert list(pool.imap(neg, iter(NUMBERS), 3)) == NEGATED

        def imap_unordered() -> None:
            assert sorted(pool.imap_unordered(neg, NUMBERS, 3), reverse=True) == NEGATED

        def whole() -> None:
            assert pool.map(neg, NUMBERS, 7) == NEGATED

        def single() -> None:
            calls = [pool.apply_async(neg, (number,)) for number in NUMBERS]
            assert [call.get(PATIENCE_S) for call in calls] == NEGATED

        at_once(imap, imap_unordered, whole, single)


async def negative(number: int) -> int:
    """Do what `neg` does, in an event loop."""
    return -number


@pytest.mark.parametrize(
    ("kind", "fn"),
    [(corewise.ProcessExecutor, neg), (corewise.ThreadExecutor, neg), (corewise.AsyncioExecutor, negative)],
)
def test_one_executor_serves_many_threads(kind: Callable[[int], Any], fn: Callable[[int], Any]) -> None:
    """Futures, maps and callbacks, while others cancel what they have submitted."""
    with kind(2) as executor:

        def mapped() -> None:
            assert list(executor.map(fn, NUMBERS, chunksize=3)) == NEGATED

        def submitted() -> None:
            told: SimpleQueue[Future[int]] = SimpleQueue()
            futures = [executor.submit(fn, number) for number in NUMBERS]
            for future in futures:
                future.add_done_callback(told.put)
            assert [future.result(PATIENCE_S) for future in futures] == NEGATED
            # Whoever waits for a result may have it before the callbacks are called, as in the standard library.
            assert {told.get(timeout=PATIENCE_S) for _ in futures} == {*futures}
            assert told.empty()

        def cancelled() -> None:
            futures = [executor.submit(fn, number) for number in NUMBERS]
            given_up = {number for number in NUMBERS if number % 2 and futures[number].cancel()}
            assert not wait(futures, PATIENCE_S).not_done
            left = [number for number in NUMBERS if number not in given_up]
            assert [futures[number].result(0) for number in left] == [-number for number in left]
            assert all(futures[number].cancelled() for number in given_up)

        at_once(mapped, submitted, cancelled)


@pytest.mark.parametrize("approach", ["auto", "threads", "processes"])
def test_calls_in_many_threads_do_not_mix(approach: str) -> None:
    """Maps, and streams that are left half-way."""

    def mapped() -> None:
        assert corewise.map(neg, NUMBERS, approach=approach, workers=2) == NEGATED

    def streamed() -> None:
        with corewise.stream(neg, iter(NUMBERS), approach=approach, workers=2) as results:
            assert [next(results) for _ in range(100)] == NEGATED[:100]

    at_once(mapped, mapped, streamed)


def test_a_queue_gives_each_thread_what_no_other_got() -> None:
    """Some put and some get, until all has come."""
    queue = corewise.Queue()
    got: list[int] = []

    def put() -> None:
        for number in NUMBERS:
            queue.put(number)

    def get() -> None:
        got.extend(queue.get(timeout=PATIENCE_S) for _ in NUMBERS)

    at_once(put, put, get, get)
    queue.close()
    queue.join_thread()
    assert sorted(got) == sorted([*NUMBERS] * 2 * ROUNDS)
