"""What holds for every executor: the interface of `concurrent.futures`, whoever runs the calls."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import threading
import weakref
from typing import Any

import pytest
from executor_kinds import ALL, IN_BACKGROUND, Gate, fit, make
from executor_works import (
    CONTEXT,
    OwnBaseError,
    add,
    change_context,
    double,
    everything,
    fail_at_three,
    raise_it,
    read_context,
    recurse,
)

from corewise.errors import OptionError

every_kind = pytest.mark.parametrize("kind", ALL)
in_background = pytest.mark.parametrize("kind", IN_BACKGROUND)


@every_kind
def test_a_call_gets_all_its_arguments(kind: str) -> None:
    """Also keyword arguments named like parameters of `submit`."""
    with make(kind, 2) as executor:
        future = executor.submit(fit(kind, everything), 1, "two", self=3, fn=4)
        assert future.result() == ((1, "two"), {"self": 3, "fn": 4})


@every_kind
def test_a_failure_is_raised_where_the_result_is_asked_for(kind: str) -> None:
    """And the executor goes on."""
    with make(kind, 1) as executor:
        future = executor.submit(fit(kind, fail_at_three), 3)
        with pytest.raises(ValueError, match="3"):
            future.result()
        assert isinstance(future.exception(), ValueError)
        assert executor.submit(fit(kind, double), 4).result() == 8


@every_kind
@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit, OwnBaseError])
def test_whatever_a_call_raises_is_its_own_affair(kind: str, error: type[BaseException]) -> None:
    """The future has it, and the only worker lives."""
    if kind == "sync" and error is KeyboardInterrupt:
        pytest.skip("there it is the user's Ctrl-C: see the test of its own")
    with make(kind, 1) as executor:
        failed = executor.submit(fit(kind, raise_it), error)
        with pytest.raises(error):
            failed.result()
        assert executor.submit(fit(kind, double), 4).result() == 8


@every_kind
def test_a_call_that_recurses_without_end_fails(kind: str) -> None:
    """As a plain call does."""
    with make(kind, 1) as executor:
        assert isinstance(executor.submit(fit(kind, recurse), 0).exception(), RecursionError)


@every_kind
def test_futures_work_with_wait_and_as_completed(kind: str) -> None:
    """The helpers of the standard library."""
    with make(kind, 2) as executor:
        futures = [executor.submit(fit(kind, double), number) for number in range(20)]
        done, left = concurrent.futures.wait(futures)
        assert (len(done), len(left)) == (20, 0)
        assert sorted(future.result() for future in concurrent.futures.as_completed(futures)) == list(range(0, 40, 2))


@every_kind
def test_futures_can_be_awaited(kind: str) -> None:
    """By `asyncio.wrap_future`, and by `run_in_executor` of another loop."""

    async def main(executor: Any) -> list[int]:
        loop = asyncio.get_running_loop()
        wrapped = asyncio.wrap_future(executor.submit(fit(kind, double), 1))
        return await asyncio.gather(wrapped, loop.run_in_executor(executor, fit(kind, double), 2))

    with make(kind, 2) as executor:
        assert asyncio.run(main(executor)) == [2, 4]


@every_kind
def test_nothing_is_taken_after_shutdown(kind: str) -> None:
    """Neither by `submit` nor by `map`, and shutting down again does no harm."""
    executor = make(kind, 2)
    assert executor.submit(fit(kind, double), 1).result() == 2
    executor.shutdown()
    executor.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(fit(kind, double), 1)
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.map(fit(kind, double), [1])


@every_kind
def test_an_executor_that_was_never_used_can_be_shut_down(kind: str) -> None:
    """Nothing was started, and nothing is waited for."""
    executor = make(kind, 2)
    executor.shutdown()
    assert executor.statistics().submitted == 0


@in_background
def test_shutdown_waits_for_what_was_submitted(kind: str) -> None:
    """The end of a `with` block too."""
    with Gate() as gate:
        with make(kind, 1) as executor:
            futures = [gate.hold(executor, kind) for _ in range(3)]
            gate.wait_for(1)
            gate.release(3)
        assert [future.done() for future in futures] == [True] * 3
        assert [future.result() for future in futures] == ["passed"] * 3


@in_background
def test_shutdown_without_waiting_leaves_the_work_to_go_on(kind: str) -> None:
    """It returns while the calls are held up, and they all end well."""
    with Gate() as gate:
        executor = make(kind, 1)
        futures = [gate.hold(executor, kind) for _ in range(3)]
        executor.shutdown(wait=False)
        gate.release(3)
        assert [future.result() for future in futures] == ["passed"] * 3
        executor.shutdown()


@in_background
def test_shutdown_can_cancel_what_has_not_begun(kind: str) -> None:
    """What runs is left to end."""
    with Gate() as gate:
        executor = make(kind, 1)
        running = gate.hold(executor, kind)
        gate.wait_for(1)
        waiting = [executor.submit(fit(kind, double), number) for number in range(20)]
        executor.shutdown(wait=False, cancel_futures=True)
        gate.release(1)
        executor.shutdown()
        assert running.result() == "passed"
        # A process may have the next calls already: they count as begun.
        cancelled = [future.cancelled() for future in waiting]
        assert cancelled == sorted(cancelled)
        assert all(cancelled) or (kind == "processes" and cancelled[-1])
        assert concurrent.futures.wait(waiting, timeout=0).not_done == set()


@in_background
def test_a_call_that_waits_can_be_cancelled(kind: str) -> None:
    """Who waits for it is woken, and the others run."""
    with Gate() as gate, make(kind, 1) as executor:
        running = gate.hold(executor, kind)
        gate.wait_for(1)
        waiting = [executor.submit(fit(kind, double), number) for number in range(20)]
        assert waiting[-1].cancel()
        assert waiting[-1].cancel()
        assert waiting[-1].cancelled()
        assert concurrent.futures.wait(waiting[-1:], timeout=0).not_done == set()
        with pytest.raises(concurrent.futures.CancelledError):
            waiting[-1].result()
        gate.release(1)
        assert running.result() == "passed"
        assert [future.result() for future in waiting[:-1]] == list(range(0, 38, 2))
        assert concurrent.futures.wait(waiting, timeout=0).not_done == set()


@every_kind
def test_a_storm_of_cancelling_costs_no_other_call(kind: str) -> None:
    """Every second of 500 futures; each is either cancelled or right."""
    with make(kind, 4) as executor:
        futures = [executor.submit(fit(kind, double), number) for number in range(500)]
        for future in futures[::2]:
            future.cancel()
    assert all(future.done() for future in futures)
    assert not any(future.cancelled() for future in futures[1::2])
    assert all(future.cancelled() or future.result() == 2 * number for number, future in enumerate(futures))
    assert executor.statistics().submitted == 500


@every_kind
def test_many_threads_can_share_an_executor(kind: str) -> None:
    """16 threads with 50 calls each get their own results."""
    wrong: list[object] = []

    def use(executor: Any, base: int) -> None:
        futures = [executor.submit(fit(kind, add), base, number) for number in range(50)]
        wrong.extend(future for number, future in enumerate(futures) if future.result() != base + number)

    with make(kind, 2) as executor:
        threads = [threading.Thread(target=use, args=(executor, 1000 * base)) for base in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
        assert executor.statistics().finished == 800


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind != "processes"])
def test_a_call_sees_what_its_caller_has_set_and_keeps_its_own_changes(kind: str) -> None:
    """Context variables, as they are when the call is submitted."""
    with make(kind, 1) as executor:
        assert executor.submit(fit(kind, read_context)).result() == "default"
        token = CONTEXT.set("set by the caller")
        try:
            assert executor.submit(fit(kind, read_context)).result() == "set by the caller"
            executor.submit(fit(kind, change_context)).result()
            assert CONTEXT.get() == "set by the caller"
        finally:
            CONTEXT.reset(token)
        assert executor.submit(fit(kind, read_context)).result() == "default"


@in_background
def test_a_dropped_executor_finishes_its_work(kind: str) -> None:
    """Garbage-collected with work pending, it runs that and then lets its workers go."""
    before = set(threading.enumerate())
    with Gate() as gate:
        executor = make(kind, 1)
        futures = [gate.hold(executor, kind) for _ in range(3)]
        gate.wait_for(1)
        gone = weakref.ref(executor)
        del executor
        gc.collect()
        assert gone() is None
        gate.release(3)
        assert [future.result() for future in futures] == ["passed"] * 3
    for thread in set(threading.enumerate()) - before:
        thread.join()


@every_kind
def test_arguments_and_results_are_not_kept(kind: str) -> None:
    """Once the future is gone so is what it brought; the function's argument goes when the call is over."""

    class Thing:
        pass

    if kind == "processes":
        pytest.skip("the worker has copies; what the caller keeps of them is a test of the engine")
    thing = Thing()
    last = weakref.ref(thing)
    over = threading.Event()
    with make(kind, 1) as executor:
        future = executor.submit(fit(kind, everything), thing)
        future.result()
        executor.submit(fit(kind, over.set)).result()  # so the worker has left the first call
        del thing, future
        gc.collect()
        assert last() is None


@every_kind
@pytest.mark.parametrize("number", [0, -1, 2.5, "2", True])
def test_a_senseless_number_of_workers_is_refused(kind: str, number: Any) -> None:
    """The error is a ValueError, as in the standard library."""
    with pytest.raises(OptionError, match="max_workers must be greater than 0"):
        make(kind, number)


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind != "asyncio"])
def test_an_initializer_must_be_callable(kind: str) -> None:
    """As in the standard library."""
    with pytest.raises(TypeError, match="initializer must be a callable"):
        make(kind, initializer="no function")
