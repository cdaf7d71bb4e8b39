"""`map` of every executor: order, laziness, and how it ends before its time."""

from __future__ import annotations

import functools
import gc
import itertools
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from executor_kinds import ALL, HERE_IN_BACKGROUND, IN_BACKGROUND, Gate, fit, make, pass_later, pass_through
from executor_works import OwnBaseError, add, double, fail_at_three, raise_at_three

import corewise
from corewise._api.executors import driver
from corewise._engine.pool import ProcessPool
from corewise.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corewise._engine.crew import News

every_kind = pytest.mark.parametrize("kind", ALL)
in_background = pytest.mark.parametrize("kind", IN_BACKGROUND)
ahead = pytest.mark.parametrize("buffersize", [None, 1, 3, 100])


class Inputs:
    """Numbers without end, which says how far they were read."""

    def __init__(self) -> None:
        self.read = 0

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        self.read += 1
        return self.read - 1


def numbers_that_break_off(count: int) -> Iterator[int]:
    """Yield so many numbers, and raise instead of the next."""
    yield from range(count)
    raise OSError("the inputs broke off")


@every_kind
@ahead
def test_results_come_in_the_order_of_the_inputs(kind: str, buffersize: int | None) -> None:
    """With several iterables the shortest ends them."""
    with make(kind, 3) as executor:
        results = executor.map(fit(kind, add), range(30), itertools.count(100), buffersize=buffersize)
        assert list(results) == [number + number + 100 for number in range(30)]
        assert list(executor.map(fit(kind, double), [], buffersize=buffersize)) == []


@every_kind
@pytest.mark.parametrize("chunksize", [1, 3, 100])
def test_chunks_change_nothing_but_the_cost(kind: str, chunksize: int) -> None:
    """Whether they help depends on the executor."""
    with make(kind, 2) as executor:
        assert list(executor.map(fit(kind, double), range(10), chunksize=chunksize)) == list(range(0, 20, 2))


@every_kind
def test_senseless_sizes_are_refused(kind: str) -> None:
    """At once, before any input is read."""
    inputs = Inputs()
    with make(kind, 1) as executor:
        for sizes in ({"buffersize": 0}, {"buffersize": -1}, {"chunksize": 0}, {"chunksize": -1}):
            with pytest.raises(OptionError):
                executor.map(fit(kind, double), inputs, **sizes)
        with pytest.raises(TypeError, match="buffersize"):
            executor.map(fit(kind, double), inputs, buffersize=1.5)
    assert inputs.read == 0


@every_kind
def test_inputs_without_end_are_read_as_far_as_the_buffer_goes(kind: str) -> None:
    """So many before the first result is taken, and one more with each."""
    inputs = Inputs()
    with make(kind, 2) as executor:
        results = executor.map(fit(kind, double), inputs, buffersize=4)
        assert inputs.read == 4
        assert [next(results) for _ in range(3)] == [0, 2, 4]
        assert inputs.read == 7


@every_kind
def test_a_lazy_map_keeps_its_executor_until_it_is_over(kind: str) -> None:
    """An executor that nobody else holds still gets all the inputs."""
    before = set(threading.enumerate())
    results = make(kind, 2).map(fit(kind, double), range(20), buffersize=2)
    gc.collect()
    assert list(results) == list(range(0, 40, 2))
    del results
    gc.collect()
    for thread in set(threading.enumerate()) - before:  # which ends the workers, as nobody else does
        thread.join()


@every_kind
def test_a_map_that_nobody_asks_runs_all_the_same(kind: str) -> None:
    """As in the standard library: the calls are submitted when `map` is called."""
    with make(kind, 2) as executor:
        executor.map(fit(kind, double), range(20))
    assert executor.statistics().finished == 20


@every_kind
@ahead
def test_a_failure_is_raised_in_its_turn(kind: str, buffersize: int | None) -> None:
    """The results before it are given, and nothing comes after it."""
    with make(kind, 2) as executor:
        results = executor.map(fit(kind, fail_at_three), range(50), buffersize=buffersize)
        assert [next(results) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(ValueError, match="3"):
            next(results)
        assert list(results) == []


@every_kind
@pytest.mark.parametrize("error", [SystemExit, OwnBaseError])
def test_a_failure_that_is_no_exception_is_raised_in_its_turn_too(kind: str, error: type[BaseException]) -> None:
    """And the executor goes on."""
    with make(kind, 1) as executor:
        results = executor.map(fit(kind, functools.partial(raise_at_three, error)), range(5))
        assert [next(results) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(error):
            next(results)
        assert executor.submit(fit(kind, double), 4).result() == 8


@every_kind
def test_a_call_that_raises_stop_iteration_does_not_cut_the_results_short(kind: str) -> None:
    """It would look as if there were no more."""
    with make(kind, 1) as executor:
        results = executor.map(fit(kind, functools.partial(raise_at_three, StopIteration)), range(5))
        with pytest.raises(RuntimeError, match="StopIteration"):
            list(results)


@every_kind
def test_inputs_that_break_off_are_the_callers_error(kind: str) -> None:
    """All at once: from `map` itself, and what was submitted by then does not hang anything."""
    with make(kind, 1) as executor:
        with pytest.raises(OSError, match="broke off"):
            executor.map(fit(kind, double), numbers_that_break_off(20))
        assert executor.submit(fit(kind, double), 4).result() == 8


@every_kind
def test_inputs_that_break_off_later_are_raised_by_the_iterator(kind: str) -> None:
    """Read lazily, the results come until then."""
    with make(kind, 1) as executor:
        results = executor.map(fit(kind, double), numbers_that_break_off(5), buffersize=2)
        assert [next(results) for _ in range(3)] == [0, 2, 4]
        with pytest.raises(OSError, match="broke off"):
            next(results)
        assert list(results) == []


@in_background
def test_a_result_that_is_late_ends_the_map(kind: str) -> None:
    """TimeoutError, and what has not begun is cancelled."""
    with Gate() as gate, make(kind, 1) as executor:
        running = gate.hold(executor, kind)
        gate.wait_for(1)
        results = executor.map(fit(kind, double), range(20), timeout=0.001)
        with pytest.raises(TimeoutError):
            next(results)
        assert list(results) == []
        gate.release(1)
        assert running.result() == "passed"
        executor.shutdown()
        statistics = executor.statistics()
        assert statistics.submitted == 21
        assert statistics.cancelled >= (1 if kind == "processes" else 20)


@in_background
@pytest.mark.parametrize("begun", [False, True])
def test_closing_the_iterator_cancels_the_rest(kind: str, *, begun: bool) -> None:
    """Also when no result was asked for yet. A worker process may have several calls in hand: they count as begun."""
    with Gate() as gate, make(kind, 1) as executor:
        hold = functools.partial(pass_later if kind == "asyncio" else pass_through, str(gate.begun))
        with closing(executor.map(hold, [str(gate.open)] * 100)) as results:
            gate.wait_for(1)
            if begun:
                gate.release(1)
                assert next(results) == "passed"
                gate.wait_for(1)
        assert list(results) == []
        gate.release(100)
        executor.shutdown()
        statistics = executor.statistics()
        assert statistics.submitted == 100
        # A worker process is sent a few chunks ahead; far from a hundred calls, as none was ever done in no time.
        assert statistics.cancelled >= (1 if kind == "processes" else 98)


@pytest.mark.parametrize("kind", HERE_IN_BACKGROUND)
def test_dropping_an_iterator_that_was_begun_cancels_the_rest(kind: str) -> None:
    """As a generator of the standard library does."""
    with Gate() as gate, make(kind, 1) as executor:
        hold = functools.partial(pass_later if kind == "asyncio" else pass_through, str(gate.begun))
        results: Any = executor.map(hold, [str(gate.open)] * 20)
        gate.wait_for(1)
        gate.release(1)
        assert next(results) == "passed"
        gate.wait_for(1)
        del results
        gc.collect()
        gate.release(20)
        executor.shutdown()
        assert executor.statistics().cancelled >= 18


@every_kind
def test_an_item_that_is_a_tuple_stays_one_argument(kind: str) -> None:
    """And the input may be changed once the map has begun."""
    with make(kind, 2) as executor:
        items = [(number, str(number)) for number in range(50)]
        results = executor.map(fit(kind, double), items)
        kept = [item * 2 for item in items]
        items[25:] = []
        assert list(results) == kept
        assert list(executor.map(fit(kind, add), [[1], (2,)], [[3], (4,)])) == [[1, 3], (2, 4)]


def test_whoever_waits_for_processes_stays_awake_only_where_a_core_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would take that core from a worker."""
    asked: list[tuple[bool, int]] = []
    wait = ProcessPool.wait

    def watched(pool: ProcessPool, timeout_s: float | None, *, eager: bool = False) -> list[News]:
        if threading.current_thread() is threading.main_thread():  # the executor's own thread has nobody who waits
            asked.append((eager, executor._driver._register.chunks))
        return wait(pool, timeout_s, eager=eager)

    monkeypatch.setattr(ProcessPool, "wait", watched)
    monkeypatch.setattr(driver, "cpu_count", lambda: 2)
    with corewise.ProcessExecutor(2) as executor:
        while (True, 1) not in asked:  # that thread may be quicker
            assert executor.submit(double, 4).result() == 8
        while not any(chunks > 2 for _, chunks in asked):
            assert list(executor.map(double, range(1000))) == list(range(0, 2000, 2))
    assert not any(eager for eager, chunks in asked if chunks >= 2)
