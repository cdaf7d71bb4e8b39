"""However an awaited call ends, nothing of it is left, and the loop is never held up."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import works
from awaited import OF_COROUTINES, WAYS, as_coroutine_function, collect, heart

import corewise

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


# How processes are started matters to how they begin, which is held in test_amap.py.
@pytest.fixture(params=[name for name in WAYS if name != "processes-forkserver"])
def way(request: pytest.FixtureRequest) -> str:
    """Name a way to run."""
    return str(request.param)


@pytest.fixture(autouse=True)
def no_threads_left() -> Iterator[None]:
    """Fail a test after which a thread goes on, beyond the moment that it needs to end."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
        assert not thread.is_alive(), thread


def _nap(number: int) -> int:
    time.sleep(0.005)
    return number


async def _nap_later(number: int) -> int:
    await asyncio.sleep(0.005)
    return number


@pytest.mark.parametrize("way", list(WAYS))
def test_the_loop_goes_on(way: str) -> None:
    """Something else in it is served all the time: of its pauses hardly any is long."""

    async def main() -> None:
        async with heart() as beats:
            if way in OF_COROUTINES:
                await corewise.amap(_nap_later, range(400), **WAYS[way])
            else:
                await collect("amap", way, _nap, range(400))
        assert len(beats.pauses_s) > 20
        # A host may take the core for a moment at any time; a loop that is held up shows in more than that.
        assert statistics.quantiles(beats.pauses_s, n=10)[-1] < 0.01

    asyncio.run(main())


def test_coroutines_that_never_wait_leave_the_loop_its_share() -> None:
    """A thousand that compute half a millisecond each, and give way to nobody."""

    async def work(number: int) -> int:
        end = time.perf_counter() + 0.0005
        while time.perf_counter() < end:
            pass
        return number

    async def main() -> None:
        async with heart() as beats:
            assert await corewise.amap(work, range(1000)) == list(range(1000))
        assert len(beats.pauses_s) > 50

    asyncio.run(main())


def test_cancelling_ends_it(way: str) -> None:
    """Promptly, though there would be work for ever."""

    async def main() -> None:
        task = asyncio.create_task(collect("amap", way, _nap, itertools.count()))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_a_time_limit_around_it_ends_it(way: str) -> None:
    """`asyncio.timeout` turns the cancellation into its own error."""

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await collect("astream", way, _nap, itertools.count())

    asyncio.run(main())


def test_coroutines_clean_up_before_it_is_over_even_if_cancelled_twice() -> None:
    """As with a task group: nothing of it goes on behind the caller's back."""
    cleaned: list[int] = []

    async def work(number: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.02)
            cleaned.append(number)

    async def main() -> None:
        task = asyncio.ensure_future(corewise.amap(work, range(10)))
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert sorted(cleaned) == list(range(10))
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_a_failure_cancels_the_others() -> None:
    """And waits for them, as a task group does."""
    ended: list[int] = []

    async def work(number: int) -> None:
        try:
            if number == 0:
                raise ValueError("no 0s here")
            await asyncio.Event().wait()
        finally:
            ended.append(number)

    async def main() -> None:
        with pytest.raises(ValueError, match="no 0s here") as caught:
            await corewise.amap(work, range(10))
        assert caught.value.__notes__ == ["item 0: 0"]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    assert 0 in ended


def test_a_call_that_cancels_itself_is_a_cancelled_call() -> None:
    """As in the plain loop."""

    async def work(number: int) -> int:
        task = asyncio.current_task()
        if number == 3 and task is not None:
            task.cancel()
        await asyncio.sleep(0)
        return number

    async def main() -> None:
        with pytest.raises(asyncio.CancelledError) as caught:
            await corewise.amap(work, range(10))
        assert caught.value.__notes__ == ["item 3: 3"]
        results = await corewise.amap(work, range(10), on_error="return")
        assert [type(one) for one in results] == [int] * 3 + [asyncio.CancelledError] + [int] * 6

    asyncio.run(main())


def test_a_consumer_that_stops_early_ends_it(way: str) -> None:
    """The input is closed, and nothing goes on."""
    closed: list[bool] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            for number in itertools.count():
                await asyncio.sleep(0)
                yield number
        finally:
            closed.append(True)

    async def main() -> None:
        fn: Any = as_coroutine_function(works.square) if way in OF_COROUTINES else works.square
        async with corewise.astream(fn, numbers(), **WAYS[way], buffer=20) as stream:
            async for result in stream:
                if result == 25:
                    break
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    asyncio.run(main())
    assert closed == [True]


def test_a_stream_that_is_dropped_ends(way: str) -> None:
    """Without a word, too."""

    async def main() -> None:
        fn: Any = as_coroutine_function(works.square) if way in OF_COROUTINES else works.square
        stream = corewise.astream(fn, itertools.count(), **WAYS[way])
        assert await anext(stream) == 0
        del stream

    asyncio.run(main())


def test_a_closed_loop_is_survived(way: str) -> None:
    """A stream that outlives its loop is ended all the same."""
    kept: list[corewise.AsyncStream] = []

    async def main() -> None:
        fn: Any = as_coroutine_function(works.square) if way in OF_COROUTINES else works.square
        kept.append(corewise.astream(fn, itertools.count(), **WAYS[way]))
        assert await anext(kept[0]) == 0

    asyncio.run(main())
    kept.clear()


def test_two_tasks_cannot_read_one_stream() -> None:
    """Neither would know which results it gets."""

    async def main() -> None:
        stream = corewise.astream(_nap_later, range(10), workers=2)
        one = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="by another task"):
            await anext(stream)
        with pytest.raises(RuntimeError, match="cancel that one"):
            await stream.aclose()
        assert await one == 0
        await stream.aclose()
        await stream.aclose()

    asyncio.run(main())


def test_a_reader_hears_that_its_stream_was_closed(way: str) -> None:
    """By another task, which has left the block around it."""

    async def main() -> None:
        fn: Any = as_coroutine_function(_nap) if way in OF_COROUTINES else _nap

        async def read_all() -> None:
            async for _ in stream:
                pass

        async with corewise.astream(fn, itertools.count(), **WAYS[way]) as stream:
            reading = asyncio.ensure_future(read_all())
            await asyncio.sleep(0.05)
        await reading
        assert [result async for result in stream] == []

    asyncio.run(main())


def test_an_endless_input_takes_no_more_than_the_buffer() -> None:
    """However slow the consumer is, and however fast the input."""
    read: list[int] = []

    def numbers() -> Iterator[int]:
        for number in itertools.count():
            read.append(number)
            yield number

    async def main() -> None:
        async with corewise.astream(works.square_later, numbers(), buffer=50) as stream:
            for taken in range(500):
                assert await anext(stream) == taken * taken
                assert len(read) <= taken + 52

    asyncio.run(main())


@pytest.mark.parametrize("verb", ["map", "amap"])
def test_threads_end_while_the_last_call_is_under_way(verb: str) -> None:
    """Hundreds of them take their time for it; nothing is left for them."""
    before = set(threading.enumerate())

    def wait_for_the_others(number: int) -> int:
        while number == 19 and any(one.name.startswith("mine-") for one in ours() - {threading.current_thread()}):
            time.sleep(0.001)
        return number

    def ours() -> set[threading.Thread]:
        return set(threading.enumerate()) - before

    options: dict[str, Any] = {"approach": "threads", "workers": 10, "name": "mine"}
    if verb == "map":
        assert corewise.map(wait_for_the_others, range(20), **options) == list(range(20))
    else:
        assert asyncio.run(corewise.amap(wait_for_the_others, range(20), **options)) == list(range(20))


@pytest.mark.parametrize("verb", ["map", "amap"])
def test_calls_that_wait_become_more_than_at_first(verb: str) -> None:
    """Nothing says that they should be a hundred; where something does, they are no more."""
    at_once = most = 0

    async def wait(number: int) -> int:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.02)
        at_once -= 1
        return number

    def run(items: int, **options: int) -> corewise.Results:
        if verb == "map":
            return corewise.map(wait, range(items), **options)  # type: ignore[arg-type]
        return asyncio.run(corewise.amap(wait, range(items), **options))  # type: ignore[arg-type]

    assert run(1000, workers=120) == list(range(1000))
    assert most == 120
    results = run(4000)
    assert results == list(range(4000))
    assert results.stats.workers >= most > 120
