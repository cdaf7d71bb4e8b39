"""What is particular to `AsyncioExecutor`: the loop, its places, and coroutines that end before their time."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import functools
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import pytest
from executor_kinds import Gate

import corewise
from corewise.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable


async def double(number: int) -> int:
    """Return twice as much, a little later."""
    await asyncio.sleep(0)
    return 2 * number


class Asynchronous:
    """Coroutine functions of other kinds."""

    async def __call__(self, number: int) -> int:
        """Return twice as much."""
        return 2 * number

    async def method(self, number: int) -> int:
        """Return twice as much."""
        return 2 * number


@pytest.mark.parametrize(
    "function",
    [double, functools.partial(double), Asynchronous(), Asynchronous().method],
    ids=lambda one: str(type(one)),
)
def test_every_kind_of_coroutine_function_is_taken(function: Callable[..., Any]) -> None:
    """Partials, methods, objects that are called like one."""
    with corewise.AsyncioExecutor() as executor:
        assert executor.submit(function, 4).result() == 8


def test_a_plain_function_is_refused() -> None:
    """At once, with what to do instead; and so is what cannot be called at all."""
    with corewise.AsyncioExecutor() as executor:
        with pytest.raises(OptionError, match=r"len is a plain one.*ThreadExecutor"):
            executor.submit(len, [])  # type: ignore[arg-type]
        with pytest.raises(OptionError, match="ThreadExecutor"):
            executor.map(len, [[]])
        assert executor.statistics().submitted == 0


def test_no_more_coroutines_run_than_there_are_places() -> None:
    """And all places are used."""
    running, most = 0, 0

    async def count() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1

    with corewise.AsyncioExecutor(7) as executor:
        concurrent.futures.wait([executor.submit(count) for _ in range(100)])
    assert most == 7


def test_one_loop_serves_all_calls() -> None:
    """It runs in a thread of its own, of the name that was asked for."""

    async def where() -> tuple[object, str]:
        return asyncio.get_running_loop(), threading.current_thread().name

    with corewise.AsyncioExecutor(thread_name_prefix="fetching") as executor:
        first, second = (executor.submit(where).result() for _ in range(2))
        assert first == second
        assert first[1] == "fetching"


def test_a_running_coroutine_can_be_cancelled() -> None:
    """Its future at once; the coroutine gets to clean up, and its place is free after that."""
    cleaned: SimpleQueue[str] = SimpleQueue()
    begun = threading.Event()

    async def wait_for_ever() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.put("cleaned up")

    with corewise.AsyncioExecutor(1) as executor:
        future = executor.submit(wait_for_ever)
        begun.wait()
        assert future.running()
        assert future.cancel()
        assert future.cancelled()
        assert not future.running()
        assert concurrent.futures.wait([future], timeout=0).not_done == set()
        assert cleaned.get() == "cleaned up"
        assert executor.submit(double, 4).result() == 8
        assert not future.running()
    statistics = executor.statistics()
    assert (statistics.cancelled, statistics.finished, statistics.running, statistics.submitted) == (1, 1, 0, 2)


def test_cancelling_reaches_a_coroutine_through_asyncio() -> None:
    """A loop that awaits the future and is told to stop waiting cancels the call."""

    async def main(executor: corewise.AsyncioExecutor) -> None:
        begun, ended = threading.Event(), threading.Event()

        async def wait_for_ever() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        waiter = asyncio.ensure_future(asyncio.wrap_future(executor.submit(wait_for_ever)))
        await asyncio.to_thread(begun.wait)
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        await asyncio.to_thread(ended.wait)

    with corewise.AsyncioExecutor() as executor:
        asyncio.run(main(executor))


@pytest.mark.parametrize("ending", ["cancel", "timeout"])
def test_a_coroutine_that_will_not_be_cancelled_keeps_its_place_and_nothing_else(ending: str) -> None:
    """Its future is decided all the same."""
    stop = threading.Event()
    begun = threading.Event()

    async def resist() -> str:
        begun.set()
        while not stop.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.001)
        return "too late"

    with corewise.AsyncioExecutor(2) as executor:
        future = executor.options(timeout=0.01 if ending == "timeout" else None).submit(resist)
        begun.wait()
        try:
            if ending == "cancel":
                assert future.cancel()
                assert future.cancelled()
            else:
                assert isinstance(future.exception(), TimeoutError)
            assert executor.submit(double, 4).result() == 8
            assert executor.statistics().idle_workers == 1
            assert executor.statistics().running == 0
        finally:
            stop.set()
    assert executor.statistics().submitted == 2


def test_a_call_that_cancels_itself_is_cancelled() -> None:
    """As a task that raises CancelledError is."""

    async def give_up() -> None:
        raise asyncio.CancelledError

    with corewise.AsyncioExecutor(1) as executor:
        future = executor.submit(give_up)
        assert concurrent.futures.wait([future]).done == {future}
        assert future.cancelled()
        assert executor.submit(double, 4).result() == 8


def test_calls_that_another_call_cancels_are_decided() -> None:
    """Also those whose tasks have not made their first step."""

    async def cancel_all_others() -> int:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        return len(others)

    with corewise.AsyncioExecutor(50) as executor, Gate() as gate:
        held = [gate.hold(executor, "asyncio") for _ in range(10)]
        gate.wait_for(10)
        futures = [executor.submit(cancel_all_others), *(executor.submit(double, number) for number in range(10))]
        assert futures[0].result() >= 10
        assert concurrent.futures.wait(held).not_done == set()
        assert all(future.cancelled() for future in held)
        assert concurrent.futures.wait(futures).not_done == set()


def test_cancelling_at_any_moment_hangs_nothing() -> None:
    """A thousand calls, each cancelled while it is taken, begun or ended."""
    with corewise.AsyncioExecutor(3) as executor:
        for number in range(1000):
            future = executor.submit(double, number)
            cancelled = future.cancel()
            assert concurrent.futures.wait([future]).done == {future}
            assert future.cancelled() if cancelled else future.result() == 2 * number
    statistics = executor.statistics()
    assert (statistics.running, statistics.queued, statistics.submitted) == (0, 0, 1000)


def test_waiting_inside_the_loop_is_an_error_and_no_hang() -> None:
    """The loop cannot run what it is made to wait for."""

    async def ask(executor: corewise.AsyncioExecutor) -> int:
        return executor.submit(double, 4).result()

    async def await_it(executor: corewise.AsyncioExecutor) -> int:
        return await asyncio.wrap_future(executor.submit(double, 4))

    with corewise.AsyncioExecutor() as executor:
        with pytest.raises(RuntimeError, match="wrap_future"):
            executor.submit(ask, executor).result()
        assert executor.submit(await_it, executor).result() == 8


def test_a_task_left_behind_does_not_take_the_loop_along(caplog: pytest.LogCaptureFixture) -> None:
    """SystemExit of a task that nobody awaits is logged, and the calls go on."""

    async def leave() -> None:
        raise SystemExit(3)

    async def leave_a_task() -> None:
        tasks.append(asyncio.create_task(leave()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    tasks: list[asyncio.Task[None]] = []
    with corewise.AsyncioExecutor() as executor:
        executor.submit(leave_a_task).result()
        assert executor.submit(double, 4).result() == 8
    assert "Exception in the event loop" in caplog.text
    assert isinstance(tasks[0].exception(), SystemExit)


def test_stopping_the_loop_from_inside_ends_no_call() -> None:
    """It is the executor's loop."""

    async def stop() -> None:
        asyncio.get_running_loop().stop()
        await asyncio.sleep(0)

    with corewise.AsyncioExecutor() as executor:
        assert executor.submit(stop).result() is None
        assert executor.submit(double, 4).result() == 8


def test_what_calls_left_running_is_cancelled_at_the_end() -> None:
    """As `asyncio.run` does; asynchronous generators are closed too."""
    ended: list[str] = []

    async def go_on() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("task")

    async def numbers() -> Any:
        try:
            yield 1
        finally:
            ended.append("generator")

    async def leave_behind() -> None:
        tasks.append(asyncio.create_task(go_on()))
        generators.append(numbers())
        assert await anext(generators[0]) == 1

    tasks: list[asyncio.Task[None]] = []
    generators: list[Any] = []
    with corewise.AsyncioExecutor() as executor:
        executor.submit(leave_behind).result()
        assert ended == []
    assert ended == ["task", "generator"]
