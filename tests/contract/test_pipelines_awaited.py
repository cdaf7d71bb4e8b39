"""`astream`s of `astream`s: bounded from end to end, and whatever ends one of them ends them all."""

from __future__ import annotations

import asyncio
import functools
import gc
import itertools
from typing import TYPE_CHECKING, Any

import pytest
from test_pipelines import BUFFER, KINDS, increase, later

import corewise

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

pytestmark = pytest.mark.usefixtures("threads_end")
ORDERS = [
    ("asyncio", "processes", "threads"),
    ("threads", "asyncio", "processes"),
    ("processes", "asyncio", "auto"),
    ("auto", "auto", "auto"),
]


@pytest.fixture(params=ORDERS, ids="-".join)
def order(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Name the approaches of three stages."""
    found: tuple[str, ...] = request.param
    return found


class Numbers:
    """An endless async input that notes how far it was read."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.count = 0
        self.let_go_of = asyncio.Event()
        self._fails_at = fails_at

    async def __aiter__(self) -> AsyncIterator[int]:
        try:
            for number in itertools.count():
                if number == self._fails_at:
                    raise KeyError("no more")
                self.count += 1
                await asyncio.sleep(0)
                yield number
        finally:
            self.let_go_of.set()


def pipeline(
    order: tuple[str, ...], numbers: Any, fails: int | None = None, **options: Any
) -> list[corewise.AsyncStream]:
    """Put streams together, each of which adds one; return all of them, the last one last.

    Args:
        order: their approaches.
        numbers: the input of the first.
        fails: the stage that fails for the item with index 20.
        options: of all streams.
    """
    stages: list[corewise.AsyncStream] = []
    for place, kind in enumerate(order):
        fn: Callable[..., Any] = functools.partial(increase, bad=20 + place) if place == fails else increase
        source = stages[-1] if stages else numbers
        stages.append(corewise.astream(later(fn) if kind == "asyncio" else fn, source, **KINDS[kind], **options))
    return stages


async def read_into(taken: list[int], results: corewise.AsyncStream) -> None:
    """Keep what comes before the end or a failure."""
    async for result in results:
        taken.append(result)  # noqa: PERF401 - a comprehension would lose what came before a failure


async def all_over(stages: list[corewise.AsyncStream]) -> None:
    """Check that no stage goes on or gives anything, though it is held, and that no task is left in the loop."""
    assert [[result async for result in one] for one in stages] == [[]] * len(stages)
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_stages_give_what_one_after_the_other_would_give(order: tuple[str, ...]) -> None:
    """In order, each item once."""

    async def main() -> None:
        stages = pipeline(order, range(150))
        assert [result async for result in stages[-1]] == list(range(3, 153))
        await all_over(stages)

    asyncio.run(main())


@pytest.mark.parametrize("buffer", [1, BUFFER])
def test_a_slow_consumer_holds_up_all_stages(order: tuple[str, ...], buffer: int) -> None:
    """The source is read ahead by no more than all buffers together."""

    async def main() -> None:
        numbers = Numbers()
        stages = pipeline(order, numbers, buffer=buffer)
        async with stages[-1] as results:
            for taken in range(40):
                assert await anext(results) == taken + 3
                assert numbers.count - taken <= buffer * len(order)
        await all_over(stages)

    asyncio.run(main())


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_the_first_failure_of_any_stage_ends_them_all(order: tuple[str, ...], stage: int) -> None:
    """After the results before it; streams that somebody holds end too, and the source is let go of."""

    async def main() -> None:
        numbers = Numbers()
        stages = pipeline(order, numbers, fails=stage, buffer=BUFFER)
        taken: list[int] = []
        with pytest.raises(ValueError, match=f"no {20 + stage}s here") as caught:
            await read_into(taken, stages[-1])
        assert len(taken) == 20
        assert caught.value.__notes__ == [f"item 20: {20 + stage}"]
        await all_over(stages)
        await numbers.let_go_of.wait()

    asyncio.run(main())


def test_a_source_that_raises_ends_all_stages(order: tuple[str, ...]) -> None:
    """After the results of what it gave."""

    async def main() -> None:
        stages = pipeline(order, Numbers(fails_at=20))
        taken: list[int] = []
        with pytest.raises(KeyError, match="no more"):
            await read_into(taken, stages[-1])
        assert taken == list(range(3, 23))
        await all_over(stages)

    asyncio.run(main())


@pytest.mark.parametrize("end", ["break", "cancel", "garbage"])
def test_whoever_stops_early_stops_all_stages(order: tuple[str, ...], end: str) -> None:
    """By leaving the block around the last one, or by being cancelled, or by dropping it."""

    async def read(stages: list[corewise.AsyncStream], reached: asyncio.Event) -> None:
        async with stages[-1] as results:
            async for result in results:
                if result == 10:
                    reached.set()
                    if end == "break":
                        break

    async def main() -> None:
        numbers, reached = Numbers(), asyncio.Event()
        stages = pipeline(order, numbers, buffer=BUFFER)
        if end == "garbage":
            assert await anext(stages[-1]) == 3
            del stages
            gc.collect()
            return
        reading = asyncio.ensure_future(read(stages, reached))
        await reached.wait()
        if end != "break":
            for _ in range(2):  # the second time while it cleans up
                reading.cancel()
                await asyncio.sleep(0)
            with pytest.raises(asyncio.CancelledError):
                await reading
        await reading if end == "break" else None
        await all_over(stages)
        await numbers.let_go_of.wait()

    asyncio.run(main())


@pytest.mark.parametrize("kind", ["threads", "processes", "asyncio", "auto"])
def test_an_amap_that_fails_ends_the_stream_that_it_reads(kind: str) -> None:
    """As the last stage of a pipeline, whose results are wanted at once."""

    async def main() -> None:
        stages = pipeline((kind, "asyncio"), Numbers())
        with pytest.raises(ValueError, match="no 22s here"):
            await corewise.amap(functools.partial(increase, bad=22), stages[-1])
        await all_over(stages)

    asyncio.run(main())


def test_a_longer_stream_beside_a_shorter_input_is_ended() -> None:
    """The shortest input ends the call, and nobody can know how far the others were read."""

    async def main() -> None:
        stages = pipeline(("asyncio",), Numbers())
        both = corewise.astream(later(lambda one, other: one + other), stages[0], [10, 20])
        assert [result async for result in both] == [11, 22]
        await all_over(stages)

    asyncio.run(main())


def test_a_plain_stream_may_feed_an_awaited_one() -> None:
    """It is read in the loop, and ends with what reads it."""

    async def main() -> None:
        numbers = corewise.stream(increase, itertools.count(), approach="threads", workers=2)
        async with corewise.astream(later(increase), numbers) as results:
            assert [await anext(results) for _ in range(50)] == list(range(2, 52))
        assert list(numbers) == []

    asyncio.run(main())


def test_an_input_that_is_cancelled_is_no_input_that_has_ended() -> None:
    """One of its calls cancelled itself: what reads it hears of that, rather than taking it for the end."""

    async def cancels_itself(number: int) -> int:
        task = asyncio.current_task()
        if number == 3 and task is not None:
            task.cancel()
        await asyncio.sleep(0)
        return number

    async def main() -> None:
        for approach in ("asyncio", "threads", "auto"):
            first = corewise.astream(cancels_itself, range(10))
            fn = later(increase) if approach == "asyncio" else increase
            with pytest.raises(asyncio.CancelledError):
                await corewise.amap(fn, first, approach=approach)
            await all_over([first])

    asyncio.run(main())
