"""One contract for all approaches: whatever runs the items, the outcome is that of the plain loop."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import gc
import os
import signal
import sys
import traceback
import weakref
from typing import TYPE_CHECKING, Any

import option_works
import pytest
import works
from ways import EVERY, OF_COROUTINES, WAYS, as_coroutine_function, call

import corewise
from corewise import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OF_PLAIN_FUNCTIONS = [name for name in EVERY if name not in OF_COROUTINES]


@pytest.fixture(params=list(EVERY))
def way(request: pytest.FixtureRequest) -> str:
    """Name a way to run."""
    return str(request.param)


def run(way: str, fn: Callable[..., Any], *iterables: Any, **options: Any) -> corewise.Results:
    """Run a plain function by a way; event loops get it as a coroutine function."""
    if way in OF_COROUTINES:
        fn = as_coroutine_function(fn)
    return call(way, fn, *iterables, **options)


def test_results_come_in_the_order_of_the_inputs(way: str) -> None:
    """Many short items, cut into chunks of any size, come back as the plain loop gives them."""
    assert run(way, works.square, range(500)) == [number * number for number in range(500)]


def test_two_iterables_give_two_arguments_and_the_shortest_ends(way: str) -> None:
    """It is the built-in map's rule."""
    assert run(way, works.add, [1, 2, 3, 4], [10, 20, 30]) == [11, 22, 33]


def test_no_items_give_no_results(way: str) -> None:
    """An empty input is no error."""
    results = run(way, works.square, [])
    assert results == []
    assert results.stats.items == 0


def test_a_generator_is_read_lazily_and_once(way: str) -> None:
    """The input may be a generator of unknown length."""
    read: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(50):
            read.append(number)
            yield number

    assert run(way, works.square, numbers()) == [number * number for number in range(50)]
    assert read == list(range(50))


def test_an_input_that_raises_raises_here(way: str) -> None:
    """What the caller's own iterator raises arrives as it is, and nothing is left running."""

    def numbers() -> Iterator[int]:
        yield from range(5)
        raise KeyError("no more")

    with pytest.raises(KeyError, match="no more"):
        run(way, works.square, numbers())


def test_an_endless_input_is_read_only_as_far_as_workers_go(way: str) -> None:
    """A failure ends the run although the input never does."""

    def numbers() -> Iterator[int]:
        number = 0
        while True:
            yield number
            number += 1

    with pytest.raises(ValueError, match="no 40s here"):
        run(way, functools.partial(_fail_at_40), numbers())


def _fail_at_40(number: int) -> int:
    return works.fail_at(number, 40)


def test_the_first_failure_in_the_order_of_the_input_is_raised(way: str) -> None:
    """Item 3 is slower to fail than item 7, and still it is the one the plain loop would have raised."""
    with pytest.raises(ValueError, match="no 3s here") as caught:
        run(way, works.fail_for_3_and_7, range(10))
    assert caught.value.__notes__ == ["item 3: 3"]


def test_a_failure_shows_the_frames_of_the_worker(way: str) -> None:
    """The traceback that a user sees leads into the function, whichever process it ran in."""
    with pytest.raises(ValueError, match="no 3s here") as caught:
        run(way, works.fail_for_3_and_7, range(10))
    text = "".join(traceback.format_exception(caught.value))
    assert "works.py" in text
    assert "in fail_at" in text
    assert "item 3: 3" in text
    if way.startswith("processes"):
        assert isinstance(caught.value.__cause__, errors.RemoteTraceback)


def test_failures_can_be_returned_in_place(way: str) -> None:
    """With on_error="return" all other items are run, and the failures are listed."""
    results = run(way, works.fail_for_3_and_7, range(10), on_error="return")
    assert [index for index, value in enumerate(results) if isinstance(value, ValueError)] == [3, 7]
    assert [value for value in results if not isinstance(value, ValueError)] == [0, 1, 2, 4, 5, 6, 8, 9]
    assert [(failure.index, failure.item, type(failure.error)) for failure in results.failures] == [
        (3, "3", ValueError),
        (7, "7", ValueError),
    ]
    assert results.stats.failures == 2
    assert results.stats.items == 10


@pytest.mark.parametrize(
    ("fn", "expected", "message"),
    [
        (works.raise_two_args, works.NeedsTwo, "this and 0"),
        (works.raise_lock, works.HoldsLock, "locked 0"),
        (works.raise_base, works.Stop, "stopped at 0"),
        (works.recurse, RecursionError, "recursion"),
    ],
)
def test_odd_exceptions_arrive_with_type_message_and_frames(
    way: str, fn: Callable[..., Any], expected: type[BaseException], message: str
) -> None:
    """One that cannot be pickled, or not unpickled, is replaced by an error that says the same."""
    with pytest.raises((expected, errors.RemoteError), match=message) as caught:
        run(way, fn, [0])
    if isinstance(caught.value, errors.RemoteError):
        assert caught.value.type_name.endswith(expected.__name__)
    assert caught.value.__notes__ == ["item 0: 0"]
    assert "works.py" in "".join(traceback.format_exception(caught.value))


def test_stop_iteration_is_a_failure_not_the_end(way: str) -> None:
    """The results must never be cut short in silence."""
    results = run(way, works.raise_stop_iteration, range(5), on_error="return")
    assert len(results) == 5
    assert [failure.index for failure in results.failures] == [2]


@pytest.mark.parametrize("way", OF_PLAIN_FUNCTIONS)
def test_sys_exit_is_raised_as_in_a_plain_loop(way: str) -> None:
    """It ends the call, names the item, and takes no worker with it."""
    with pytest.raises(SystemExit) as caught:
        call(way, works.exit_at_2, range(5))
    assert caught.value.code == 3
    assert caught.value.__notes__ == ["item 2: 2"]


def test_lambdas_closures_and_partials_work(way: str) -> None:
    """What a beginner writes first runs everywhere."""
    offset = 7
    assert run(way, lambda number: number + offset, range(5)) == [7, 8, 9, 10, 11]
    assert run(way, functools.partial(works.add, 1), range(3)) == [1, 2, 3]


def test_bound_methods_and_classes_work(way: str) -> None:
    """Any callable is a function."""
    assert run(way, [1, 2, 2, 3].count, [1, 2, 3]) == [1, 2, 1]
    assert run(way, str, [1, 2]) == ["1", "2"]


@pytest.mark.parametrize("fn", [works.square_later])
def test_coroutine_functions_run_by_every_approach(way: str, fn: Callable[..., Any]) -> None:
    """Elsewhere than in asyncio each call is run to its end."""
    assert call(way, fn, range(20)) == [number * number for number in range(20)]


def test_each_item_is_run_exactly_once(way: str, tmp_path: Any) -> None:
    """Neither a sample nor a chunk is ever run again."""
    log = tmp_path / "log"
    numbers = range(60)
    run(way, works.log_and_square, [str(log)] * len(numbers), numbers)
    assert sorted(map(int, log.read_text(encoding="ascii").split())) == list(numbers)


def test_unordered_results_are_the_same_ones(way: str) -> None:
    """With ordered=False nothing is lost, only the order is free."""
    assert sorted(run(way, works.square, range(100), ordered=False)) == [number * number for number in range(100)]


@pytest.mark.parametrize("chunksize", [1, 7, 1000])
def test_a_fixed_chunk_size_changes_nothing(way: str, chunksize: int) -> None:
    """It is a matter of speed alone."""
    assert run(way, works.square, range(50), chunksize=chunksize) == [number * number for number in range(50)]


def test_figures_add_up(way: str) -> None:
    """The figures of a run hold together."""
    results = run(way, works.square, range(50))
    stats = results.stats
    assert (stats.items, stats.failures, stats.worker_deaths) == (50, 0, 0)
    assert stats.wall_s > 0
    assert stats.cpu_s >= stats.workers_cpu_s >= 0
    assert stats.cores_busy == pytest.approx(stats.cpu_s / stats.wall_s)
    assert (stats.workers_cpu_s > 0) == way.startswith("processes")
    assert 1 <= stats.workers <= results.choice.workers
    assert results.choice.why


def test_progress_goes_to_a_callable(way: str) -> None:
    """It is told of the start, of the end, and never goes back."""
    events: list[corewise.Progress] = []
    run(way, works.square, range(50), progress=events.append)
    assert [events[0].kind, events[-1].kind] == ["started", "finished"]
    assert events[-1].done == 50
    assert events[-1].total == 50
    done = [event.done for event in events]
    assert done == sorted(done)


def test_results_pickle_with_their_attributes(way: str) -> None:
    """They may be stored or sent on."""
    import pickle

    results = run(way, works.square, range(3))
    again = pickle.loads(pickle.dumps(results))
    assert again == results
    assert again.choice == results.choice
    assert again.stats == results.stats


@pytest.mark.parametrize(
    "way", WAYS
)  # for verbs that are awaited see test_amap.py: a loop of one's own keeps it longer
def test_a_failure_is_not_kept_alive_by_the_run(way: str) -> None:
    """An exception that was caught and dropped goes away without waiting for the garbage collector."""
    gc.collect()
    gc.disable()
    try:
        alive = _reference_to_failure(way)
        assert alive() is None
    finally:
        gc.enable()


def _reference_to_failure(way: str) -> weakref.ref[BaseException]:
    try:
        run(way, works.raise_tracked, range(10))
    except works.Tracked as error:
        return weakref.ref(error)
    pytest.fail("nothing was raised")


def test_nothing_goes_on_after_a_failure(way: str, tmp_path: Any) -> None:
    """When the exception arrives, no worker is in the function any more."""
    log = tmp_path / "log"
    with pytest.raises(ValueError, match="no 0s here"):
        run(way, works.log_around, [str(log)] * 20, range(20))
    lines = log.read_text(encoding="ascii").split()
    begun = {line[1:] for line in lines if line[0] == "+"}
    ended = {line[1:] for line in lines if line[0] == "-"}
    if not way.startswith("processes"):  # those are killed, in the midst of an item
        assert begun == ended
    assert len(begun) < 20


@pytest.mark.parametrize("way", [name for name in EVERY if name.startswith(("sync", "threads", "asyncio"))])
def test_context_variables_reach_the_workers(way: str) -> None:
    """Approaches that share the caller's memory share its context as well."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")
    variable.set("set by the caller")
    assert run(way, lambda _: variable.get(), range(3)) == ["set by the caller"] * 3


@pytest.mark.parametrize("way", [name for name in EVERY if name.startswith(("threads", "processes-fork"))])
def test_workers_run_at_the_same_time(way: str, tmp_path: Any) -> None:
    """Each of two items waits for the other: one after the other would wait for ever."""
    assert run(way, works.rendezvous, [str(tmp_path)] * 2, [1, 2]) == [1, 2]


@pytest.mark.parametrize("way", WAYS)
def test_a_map_may_run_where_an_event_loop_runs_already(way: str) -> None:
    """In a notebook, or in a coroutine that calls plain code."""

    async def main() -> list[int]:
        return corewise.map(works.square_later, range(5), **WAYS[way])

    assert asyncio.run(main()) == [0, 1, 4, 9, 16]


@pytest.mark.parametrize("way", WAYS)
def test_a_failure_where_an_event_loop_runs_already_is_the_items_own(way: str) -> None:
    """Nothing of the loops is in its way."""

    async def main() -> list[int]:
        return corewise.map(works.fail_for_3_and_7_later, range(10), **WAYS[way])

    with pytest.raises(ValueError, match="no 3s here"):
        asyncio.run(main())


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
@pytest.mark.parametrize("approach", ["sync", "asyncio", "auto"])
def test_where_an_event_loop_runs_already_ctrl_c_ends_waits(approach: str) -> None:
    """They turn in another thread there, which takes no Ctrl-C itself."""
    ended = []

    async def wait(number: int) -> None:
        if number == 0:
            os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.sleep(600)
        finally:
            ended.append(number)

    async def main() -> None:
        corewise.map(wait, range(3), approach=approach)

    loop = asyncio.new_event_loop()  # as in a notebook; `asyncio.run` would do something of its own about it
    try:
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(main())
    finally:
        loop.close()
    assert sorted(ended) == ([0] if approach == "sync" else [0, 1, 2])


def test_a_map_may_run_inside_a_map(way: str) -> None:
    """A worker may have workers of its own."""
    results = run(way, works.nested, range(3))
    assert results == [[0, 1, 4], [1, 4, 9], [4, 9, 16]]


@pytest.mark.parametrize("chunksize", [None, 1, 3])
@pytest.mark.parametrize("approach", ["sync", "threads", "asyncio", "processes"])
def test_one_worker_keeps_to_the_order_also_where_items_fail(
    approach: str, chunksize: int | None, tmp_path: Path
) -> None:
    """What is run again comes before all that is behind it, whatever might have waited for the worker by then."""
    count, path = 60, tmp_path / "order"
    fails = {3: 1, 4: 2, 20: 2, 59: 1}

    def flaky(number: int) -> int:
        option_works.log(str(path), str(number))
        if path.read_text("ascii").split().count(str(number)) <= fails.get(number, 0):
            raise ConnectionError(number)
        return number

    async def flaky_later(number: int) -> int:
        return flaky(number)

    fn: Any = flaky_later if approach == "asyncio" else flaky
    options: dict[str, Any] = {"approach": approach, "workers": 1, "chunksize": chunksize}
    assert corewise.map(fn, range(count), retries=2, backoff=0, **options) == list(range(count))
    ran = [int(line) for line in path.read_text("ascii").split()]
    assert ran == [number for number in range(count) for _ in range(1 + fails.get(number, 0))]
