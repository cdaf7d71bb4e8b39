"""What `Pool` does beyond what the standard library's own tests ask of it (tests/conformance)."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import itertools
import logging
import multiprocessing
import pickle
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

import pool_works as works
import programs
import pytest

import corewise
from corewise import errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_functions_may_be_lambdas_and_closures(pool: corewise.Pool) -> None:
    """In every method; results may be functions as well."""
    shift = 10
    assert pool.map(lambda number: number + shift, range(4)) == [10, 11, 12, 13]
    assert pool.starmap(lambda one, other: one * other, [(2, 3), [4, 5]]) == [6, 20]
    assert list(pool.imap(lambda number: -number, range(3))) == [0, -1, -2]
    assert pool.apply(lambda: lambda: 42)() == 42


def test_arguments_by_position_and_by_name(pool: corewise.Pool) -> None:
    """As multiprocessing takes them."""
    assert pool.apply(works.add, (1,), {"other": 2}) == 3
    assert pool.apply_async(works.add, [1], {"other": 5}).get(timeout=10) == 6
    assert pool.starmap_async(works.add, [(1,), (1, 1)]).get(timeout=10) == [101, 2]


def test_many_tiny_items_come_in_order_with_any_chunk_size(pool: corewise.Pool) -> None:
    """Adapted, one by one, in tens, and all in one."""
    expected = [number * number for number in range(500)]
    for chunksize in (None, 1, 10, 10_000):
        assert pool.map(works.square, range(500), chunksize) == expected
        assert list(pool.imap(works.square, iter(range(500)), chunksize)) == expected
        assert sorted(pool.imap_unordered(works.square, list(range(500)), chunksize)) == expected


@pytest.mark.parametrize("chunksize", [0, -1, 1.5, "2"])
def test_a_chunk_size_out_of_range_is_refused(pool: corewise.Pool, chunksize: Any) -> None:
    """At the call, as a ValueError."""
    for method in (pool.map, pool.starmap, pool.map_async, pool.starmap_async, pool.imap, pool.imap_unordered):
        with pytest.raises(ValueError, match="chunksize"):
            method(works.square, [], chunksize)


def test_the_first_failure_is_raised_and_all_other_items_are_run(pool: corewise.Pool) -> None:
    """With the worker's traceback as its cause and the item named, whatever the chunks."""
    for chunksize in (None, 1, 3):
        with pytest.raises(ValueError, match="no 3 here") as caught:
            pool.map(works.fail_at_three, [0, 3, 1, 3, 2], chunksize)
        assert caught.value.__notes__ == ["item 1: 3"]
        assert isinstance(caught.value.__cause__, errors.RemoteTraceback)
        assert "fail_at_three" in str(caught.value.__cause__)
    figures = pool.statistics()
    assert (figures.finished, figures.failed) == (9, 6)


def test_calls_of_several_threads_share_the_workers(pool: corewise.Pool) -> None:
    """All at once, and none starves behind an endless one."""
    endless = pool.imap(works.square, itertools.count())
    next(endless)

    def work(kind: int) -> object:
        if kind == 0:
            return pool.map(works.square, range(3000))
        if kind == 1:
            return [pool.apply(works.square, (number,)) for number in range(100)]
        return list(pool.imap(works.square, iter(range(3000))))

    with concurrent.futures.ThreadPoolExecutor(6) as threads:
        results = list(threads.map(work, [0, 1, 2] * 2))
    squares = [number * number for number in range(3000)]
    assert results == [squares, squares[:100], squares] * 2
    assert next(endless) == 1
    endless.close()


def test_a_callback_is_called_before_the_result_is_there(pool: corewise.Pool) -> None:
    """The one for results or the one for errors, once."""
    told: list[object] = []
    assert pool.apply_async(works.square, (3,), callback=told.append).get() == 9
    assert told == [9]
    assert pool.map_async(works.square, [1, 2], callback=told.append).get() == [1, 4]
    assert pool.map_async(works.square, [], callback=told.append).get() == []
    failed = pool.starmap_async(works.fail_at_three, [(3,)], callback=told.append, error_callback=told.append)
    failed.wait(10)
    assert (failed.ready(), failed.successful()) == (True, False)
    assert told[1:3] == [[1, 4], []]
    assert isinstance(told[3], ValueError)
    assert len(told) == 4


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
def test_a_callback_that_raises_costs_nothing(
    pool: corewise.Pool, error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged; the result comes, and so do those behind it."""

    def fail(_: object) -> None:
        raise error("in a callback")

    with caplog.at_level(logging.ERROR, "concurrent.futures"):
        results = [pool.apply_async(works.square, (number,), callback=fail) for number in range(20)]
        assert [result.get(10) for result in results] == [number * number for number in range(20)]
    assert sum("exception calling callback" in record.getMessage() for record in caplog.records) == 20


def test_a_callback_may_wait_for_other_calls_but_not_for_its_own(pool: corewise.Pool) -> None:
    """Where multiprocessing would wait for ever."""
    told: list[object] = []
    later = [pool.apply_async(works.square, (number,), callback=lambda _: None) for number in range(50)]

    def call_again(value: int) -> None:
        told.append(pool.apply(works.square, (value,)))
        told.append(sum(result.get() for result in later))
        with pytest.raises(RuntimeError, match="its result"):
            first.get()

    first = pool.apply_async(works.square, (2,), callback=call_again)
    assert first.get(10) == 4
    assert told == [16, sum(number * number for number in range(50))]


def test_a_result_is_a_future(pool: corewise.Pool) -> None:
    """So it can be awaited, and waited for with others."""
    results = [pool.apply_async(works.square, (2,)), pool.map_async(works.square, [1, 2])]
    done, left = concurrent.futures.wait(results, timeout=10)
    assert (len(done), len(left)) == (2, 0)

    async def wait() -> object:
        return await asyncio.wrap_future(pool.apply_async(works.square, (3,)))

    assert asyncio.run(wait()) == 9


def test_a_result_that_is_late_raises_either_timeout_error(pool: corewise.Pool) -> None:
    """That of multiprocessing and Python's own; what is not there is neither ready nor successful."""
    late = pool.apply_async(time.sleep, (0.3,))
    with pytest.raises(multiprocessing.TimeoutError):
        late.get(timeout=0.01)
    with pytest.raises(TimeoutError, match=r"within 0\.01 s"):
        late.get(0.01)
    late.wait(0.01)
    assert not late.ready()
    with pytest.raises(ValueError, match="not ready"):
        late.successful()
    assert late.get() is None
    assert late.successful()


def test_a_result_that_cannot_be_sent_is_an_encoding_error(pool: corewise.Pool) -> None:
    """The error says what and why, handlers written for multiprocessing catch it, and the workers live."""
    told: list[BaseException] = []
    calls: list[Callable[[], object]] = [
        pool.apply_async(works.lock_of, (1,), error_callback=told.append).get,
        pool.map_async(works.lock_of, [1], error_callback=told.append).get,
        pool.imap(works.lock_of, [1]).next,
    ]
    for call in calls:
        with pytest.raises(errors.CannotTravel, match="lock") as caught:
            call()
        assert works.is_encoding_error(caught.value)
        assert caught.value.exc  # type: ignore[attr-defined]
        assert caught.value.value  # type: ignore[attr-defined]
    assert [works.is_encoding_error(error) for error in told] == [True, True]
    assert pool.statistics().worker_deaths == 0


def test_items_and_functions_that_cannot_be_sent_fail_alone(pool: corewise.Pool) -> None:
    """At once, and without an end to anything else."""
    lock = threading.Lock()
    begin = time.monotonic()
    with pytest.raises(errors.CannotTravel, match="item 1"):
        pool.map(works.pid_of, [1, lock, 2])
    with pytest.raises(errors.CannotTravel, match="arguments"):
        pool.apply(works.pid_of, (lock,))
    with pytest.raises(errors.CannotTravel, match="function"):
        pool.map(lambda _: lock, [1])
    iterator = pool.imap(works.square, [1, lock, 2])
    assert next(iterator) == 1
    with pytest.raises(errors.CannotTravel):
        next(iterator)
    assert next(iterator) == 4
    assert time.monotonic() - begin < 0.9  # none of them waits for the next look around


def test_an_item_that_is_no_sequence_of_arguments_fails_alone(pool: corewise.Pool) -> None:
    """Starmap unpacks it in the worker."""
    with pytest.raises(TypeError) as caught:
        pool.starmap(works.add, [(1, 2), 3, (4, 5)])
    assert caught.value.__notes__ == ["item 1: 3"]


def test_workers_are_prepared_before_their_first_call() -> None:
    """By the initializer, also those that take the place of others."""
    with corewise.Pool(1, works.prepare, ["ready"], maxtasksperchild=2) as pool:
        assert [pool.apply(works.prepared, (number,)) for number in range(5)] == [["ready"]] * 5


def test_an_initializer_that_fails_ends_the_pool() -> None:
    """Its calls say why; multiprocessing would start workers for ever."""
    with corewise.Pool(2, works.fail_to_prepare) as pool:
        with pytest.raises(concurrent.futures.BrokenExecutor, match="nothing to prepare with") as caught:
            pool.map(works.square, range(10))
        assert isinstance(caught.value.__cause__, LookupError)
        with pytest.raises(concurrent.futures.BrokenExecutor):
            pool.apply_async(works.square, (1,))


@pytest.mark.parametrize("chunksize", [None, 1, 4])
def test_a_worker_is_replaced_after_its_share(chunksize: int | None) -> None:
    """Each item counts, however they are sent."""
    with corewise.Pool(2, maxtasksperchild=3) as pool:
        pids = pool.map(works.pid_of, range(12), chunksize)
    assert max(pids.count(pid) for pid in pids) <= 3


def test_a_pool_inside_a_worker() -> None:
    """Workers may have children of their own."""
    with corewise.Pool(2) as pool:
        assert pool.map(works.pool_inside, [3, 4]) == [[0, 1, 4], [0, 1, 4, 9]]


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_every_start_method_by_context_or_by_name(method: str) -> None:
    """Both mean the same."""
    with corewise.Pool(1, context=multiprocessing.get_context(method)) as pool:
        assert pool.map(works.square, [2, 3]) == [4, 9]
    with corewise.Pool(1, start_method=method) as pool:  # type: ignore[arg-type]  # one of them
        assert pool.map(works.square, [2, 3]) == [4, 9]


def test_arguments_out_of_range_are_refused() -> None:
    """Before any worker is started."""
    for given in ({"processes": 0}, {"maxtasksperchild": 0}, {"start_method": "thread"}, {"timeout": 0}):
        with pytest.raises(ValueError, match=next(iter(given))):
            corewise.Pool(**given)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="initializer"):
        corewise.Pool(1, 3)  # type: ignore[arg-type]


def test_an_item_over_its_time_fails_alone() -> None:
    """Its worker is killed and replaced."""
    with corewise.Pool(2, timeout=0.3) as pool:
        iterator = pool.imap(time.sleep, [0, 60, 0])
        assert next(iterator) is None
        with pytest.raises(TimeoutError, match=r"longer than 0\.3 s") as caught:
            next(iterator)
        assert caught.value.__notes__ == ["item 1: 60"]
        assert next(iterator) is None
        with pytest.raises(TimeoutError):
            pool.apply(time.sleep, (60,))


def test_arguments_and_results_are_let_go(pool: corewise.Pool) -> None:
    """The pool holds nothing that it is done with, and callbacks neither."""

    class Big(list[int]):
        pass

    big, told = Big([1]), []
    watch = weakref.ref(big)
    assert pool.map(len, [big]) == [1]
    pool.apply_async(len, (big,), callback=lambda value, kept=big: told.append((value, kept))).get()
    assert list(pool.imap(len, iter([big]))) == [1]
    del big
    told.clear()
    gc.collect()
    assert watch() is None


def test_a_pool_says_what_it_is_and_stays_where_it_is(pool: corewise.Pool) -> None:
    """It cannot be pickled."""
    assert repr(pool) == "<corewise.Pool running, processes=2>"
    with pytest.raises(NotImplementedError, match="belongs to its process"):
        pickle.dumps(pool)
    assert pool.statistics().max_workers == 2


def test_a_function_that_the_program_defines_later_is_sent_along(tmp_path: Path) -> None:
    """Or defines anew; forked workers would not have it, or another one."""
    process = programs.start_in(
        tmp_path,
        """
import corewise

if __name__ == "__main__":
    def answer(number):
        return f"old {number}"
    with corewise.Pool(1) as pool:
        print(pool.map(answer, [1]), pool.apply(answer, (2,)))
        def answer(number):
            return f"new {number}"
        def later(number):
            return answer(number)
        print(pool.map(answer, [1]), pool.apply(later, (2,)), list(pool.imap(later, [3])))
""",
    )
    try:
        output, said = process.communicate(timeout=15)
    finally:
        programs.kill_group(process)
    assert (output, said) == ("['old 1'] old 2\n['new 1'] new 2 ['new 3']\n", "")
