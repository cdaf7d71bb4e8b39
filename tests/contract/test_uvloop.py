"""`amap` and `astream` keep their promises in uvloop's event loop too, which is written in C."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import TYPE_CHECKING, Any

import pytest
import works
from awaited import OF_COROUTINES, VERBS, WAYS, as_coroutine_function, collect, heart, numbers_later

import corewise

if TYPE_CHECKING:
    from collections.abc import Coroutine

uvloop = pytest.importorskip("uvloop", reason="uvloop is not installed")
pytestmark = pytest.mark.usefixtures("threads_end")


@pytest.fixture(scope="module", autouse=True)
def begun() -> None:
    """Have uvloop open what it keeps for the life of the process."""
    run(asyncio.sleep(0))


@pytest.fixture(params=["sync", "threads", "asyncio", "processes-fork", "auto"])
def way(request: pytest.FixtureRequest) -> str:
    """Name a way to run."""
    return str(request.param)


@pytest.fixture(params=VERBS)
def verb(request: pytest.FixtureRequest) -> str:
    """Name a verb."""
    return str(request.param)


def run(main: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine in uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def _nap(number: int) -> int:
    time.sleep(0.005)
    return number


def test_results_come_in_order(verb: str, way: str) -> None:
    """Of a plain input and of an async one."""

    async def main() -> None:
        squares = [number * number for number in range(100)]
        assert await collect(verb, way, works.square, range(100)) == squares
        assert await collect(verb, way, works.square, numbers_later(100)) == squares

    run(main())


def test_the_first_failure_is_raised(verb: str, way: str) -> None:
    """With its item."""
    with pytest.raises(works.Tracked, match="no 3s here") as caught:
        run(collect(verb, way, works.raise_tracked, itertools.count()))
    assert caught.value.__notes__ == ["item 3: 3"]


def test_cancelling_ends_it(way: str) -> None:
    """And the loop goes on meanwhile."""

    async def main() -> None:
        async with heart() as beats:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await collect("astream", way, _nap, itertools.count())
            assert beats.pauses_s

    run(main())


def test_a_consumer_that_stops_early_ends_it(way: str) -> None:
    """In a pipeline, too."""

    async def main() -> None:
        fn: Any = as_coroutine_function(works.square) if way in OF_COROUTINES else works.square
        first = corewise.astream(fn, numbers_later(10_000), **WAYS[way], buffer=8)
        async with corewise.astream(works.square_later, first, buffer=8) as second:
            assert [await anext(second) for _ in range(20)] == [number**4 for number in range(20)]
        assert [result async for result in first] == []

    run(main())


def test_a_map_of_coroutines_runs_in_the_midst_of_it() -> None:
    """In a loop of its own, as plain code must not turn the one that it is called in."""

    async def main() -> list[int]:
        return corewise.map(works.square_later, range(5))

    assert run(main()) == [0, 1, 4, 9, 16]
