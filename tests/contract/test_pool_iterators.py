"""What `Pool.imap` and `Pool.imap_unordered` do beyond what the standard library's own tests ask of them."""

from __future__ import annotations

import itertools
import multiprocessing
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

import pool_works as works
import pytest

from corewise._api.executors.condition import Condition
from corewise._api.executors.jobs import FedJob, SlicedJob
from corewise._api.executors.register import Register
from corewise._api.pool.feeder import read_in_background
from corewise._api.pool.iterator import PoolIterator
from corewise._dispatch.window import ITEMS, Window
from corewise._work.chunk import Done

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import corewise
    from corewise._api.executors.jobs import JobTerms

TERMS: JobTerms = {
    "workers": 2,
    "chunksize": None,
    "star": False,
    "timeout_s": None,
    "once": None,
    "context": None,
}


def test_an_iterator_goes_on_behind_an_item_that_failed(pool: corewise.Pool) -> None:
    """In the turn of the item when results come in order."""
    for chunksize in (None, 1, 4):
        iterator = pool.imap(works.fail_at_three, range(6), chunksize)
        assert [next(iterator) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(ValueError, match="no 3") as caught:
            next(iterator)
        assert caught.value.__notes__ == ["item 3: 3"]
        assert list(iterator) == [4, 5]
        unordered = pool.imap_unordered(works.fail_at_three, range(6), chunksize)
        seen: list[object] = []
        while True:
            try:
                seen.append(next(unordered))
            except ValueError:
                seen.append(3)
            except StopIteration:
                break
        assert sorted(seen) == [0, 1, 2, 3, 4, 5]


def test_what_the_input_raises_comes_behind_the_results_before_it(pool: corewise.Pool) -> None:
    """None of these is lost with its chunk; then the iterator is at its end."""

    def numbers() -> Iterator[int]:
        yield from range(7)
        raise LookupError("no more")

    for chunksize in (1, 4, None):
        iterator = pool.imap(works.square, numbers(), chunksize)
        assert [next(iterator) for _ in range(7)] == [0, 1, 4, 9, 16, 25, 36]
        with pytest.raises(LookupError, match="no more"):
            next(iterator)
        assert list(iterator) == []
    with pytest.raises(LookupError):
        pool.map(works.square, numbers())


def test_stop_iteration_of_the_function_is_not_the_end(pool: corewise.Pool) -> None:
    """As in generators it becomes a RuntimeError."""
    iterator = pool.imap(works.stop_iteration, [1])
    with pytest.raises(RuntimeError, match="StopIteration"):
        next(iterator)
    assert list(iterator) == []


@pytest.mark.parametrize("method", ["imap", "imap_unordered"])
def test_an_endless_input_is_read_a_little_ahead(pool: corewise.Pool, method: str) -> None:
    """No further than the window, however long the consumer waits; and closed with the iterator."""
    read = []
    closed = threading.Event()

    def numbers() -> Iterator[int]:
        try:
            for number in itertools.count():
                read.append(number)
                yield number
        finally:
            closed.set()

    iterator = getattr(pool, method)(works.square, numbers())
    taken = [next(iterator) for _ in range(2 * ITEMS)]
    assert len(set(taken)) == 2 * ITEMS
    assert len(read) <= 4 * ITEMS  # taken, ahead, and the chunk that was being read
    iterator.close()
    assert closed.wait(10)
    assert list(iterator) == []


def test_a_slow_consumer_finds_no_more_than_the_window(pool: corewise.Pool) -> None:
    """The workers stop, and go on when results are taken."""
    iterator = pool.imap(works.square, itertools.count())
    next(iterator)
    while pool.statistics().running:
        time.sleep(0.01)
    finished = pool.statistics().finished
    assert finished <= ITEMS + 1
    assert next(iterator) == 1
    assert [next(iterator) for _ in range(finished)][-1] == (finished + 1) ** 2


def test_next_with_a_timeout_loses_nothing(pool: corewise.Pool) -> None:
    """Neither while the input blocks nor while the function does."""
    event = threading.Event()
    iterator = pool.imap(works.square, works.endless_until(event))
    assert [iterator.next(10) for _ in range(5)] == [0, 1, 4, 9, 16]
    begin = time.monotonic()
    with pytest.raises(multiprocessing.TimeoutError):
        iterator.next(timeout=0.05)
    with pytest.raises(TimeoutError, match=r"0\.05 s"):
        iterator.next(0.05)
    assert 0.1 <= time.monotonic() - begin < 5
    event.set()
    assert list(iterator) == [25]


def test_an_iterator_may_be_read_by_several_threads(pool: corewise.Pool) -> None:
    """Each result goes to one of them."""
    iterator = pool.imap_unordered(works.square, range(20_000))
    seen: list[list[int]] = [[], [], []]
    threads = [threading.Thread(target=part.extend, args=(iterator,)) for part in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(itertools.chain.from_iterable(seen)) == [number * number for number in range(20_000)]


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("chunksize", [None, 1, 7])
@pytest.mark.parametrize("items", [1, 2, 5])
def test_the_narrowest_window_lets_all_results_through(
    pool: corewise.Pool, items: int, chunksize: int | None, *, ordered: bool
) -> None:
    """What has been taken makes room before anything else is waited for."""
    terms: JobTerms = {**TERMS, "chunksize": chunksize}
    driver = pool._driver
    sliced = SlicedJob(range(30), Window(items=items), ordered=ordered, **terms)
    driver.begin(sliced, works.square)
    fed = FedJob(Window(items=items), ordered=ordered, **terms)
    driver.begin(fed, works.square)
    read_in_background(driver, fed, iter(range(30)))
    expected = [number * number for number in range(30)]
    iterators = [PoolIterator(driver, sliced), PoolIterator(driver, fed)]
    assert [sorted(iterator.next(10) for _ in range(30)) for iterator in iterators] == [expected, expected]
    assert [list(iterator) for iterator in iterators] == [[], []]


class TakenAtOnce(deque[Done]):
    """Parts that another thread takes, and empties, before whoever has put them there goes on."""

    def extend(self, parts: Iterable[Done]) -> None:
        """Have them taken."""
        for part in parts:
            part.values.clear()


@pytest.mark.parametrize("ordered", [True, False])
def test_a_job_whose_results_are_taken_at_once_comes_to_its_end(*, ordered: bool) -> None:
    """What has come is counted before anybody can take it: an iterator was not over, and waited for ever."""
    job = SlicedJob(range(30), Window(items=ITEMS), ordered=ordered, **TERMS)
    job.parts = TakenAtOnce()
    while (part := job.cut()) is not None:
        first, items = part
        job.take(Done(first, list(items), [], 0.001), [])
    assert job.over


def test_the_end_of_a_list_that_became_shorter_is_told() -> None:
    """Nothing comes that would wake whoever waits for its results."""
    numbers = list(range(30))
    job = SlicedJob(numbers, Window(items=ITEMS), ordered=True, **TERMS)
    register = Register(2, Condition())
    register.add(job)
    numbers.clear()
    assert register.cut() is None
    assert job.over
    assert register.streamed
