"""What `amap` and `astream` promise beside what they share with `map` (test_every_approach.py, test_options.py)."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
import weakref
from typing import TYPE_CHECKING, Any

import pytest
import works
from awaited import OF_COROUTINES, VERBS, WAYS, collect, numbers_later

import corewise
from corewise import errors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture(params=list(WAYS))
def way(request: pytest.FixtureRequest) -> str:
    """Name a way to run."""
    return str(request.param)


@pytest.fixture(params=VERBS)
def verb(request: pytest.FixtureRequest) -> str:
    """Name a verb."""
    return str(request.param)


def test_two_iterables_give_two_arguments_and_the_shortest_ends(verb: str, way: str) -> None:
    """It is the built-in map's rule, for async iterables as well."""

    async def main() -> list[Any]:
        plain = await collect(verb, way, works.add, [1, 2, 3, 4], [10, 20, 30])
        assert await collect(verb, way, works.add, numbers_later(4), [10, 20, 30]) == [10, 21, 32]
        return plain

    assert asyncio.run(main()) == [11, 22, 33]


def test_an_async_generator_is_read_to_its_end(verb: str, way: str) -> None:
    """It may be slow or long."""

    async def main() -> list[Any]:
        return await collect(verb, way, works.square, numbers_later(300))

    assert asyncio.run(main()) == [number * number for number in range(300)]


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_an_input_that_raises_raises_here(verb: str, way: str, kind: str) -> None:
    """What the caller's own generator raises in mid-flight arrives as it is."""

    def numbers() -> Iterator[int]:
        yield from range(5)
        raise KeyError("no more")

    async def later() -> AsyncIterator[int]:
        for number in range(5):
            yield number
        raise KeyError("no more")

    async def main() -> None:
        with pytest.raises(KeyError, match="no more"):
            await collect(verb, way, works.square, numbers() if kind == "plain" else later())

    asyncio.run(main())


def test_the_function_sees_context_variables(verb: str, way: str) -> None:
    """Those of the caller, in the loop, in threads and in forked processes."""
    if way == "processes-forkserver":
        pytest.skip("the variable of a test does not travel")

    async def main() -> list[Any]:
        _VARIABLE.set("here")
        return await collect(verb, way, _look, range(3))

    assert asyncio.run(main()) == ["here"] * 3


_VARIABLE = contextvars.ContextVar("_VARIABLE", default="nowhere")


def _look(number: int) -> str:
    return _VARIABLE.get()


@pytest.mark.parametrize("way", OF_COROUTINES)
def test_what_a_call_sets_is_seen_by_no_other(verb: str, way: str) -> None:
    """As if each had a task of its own."""

    async def main() -> list[Any]:
        return await collect(verb, way, _set_and_look, range(300))

    assert asyncio.run(main()) == ["nowhere"] * 300


def _set_and_look(number: int) -> str:
    before = _VARIABLE.get()
    _VARIABLE.set(f"in {number}")
    return before


@pytest.mark.parametrize("approach", ["threads", "processes"])
def test_coroutine_functions_run_in_workers_too(verb: str, approach: str) -> None:
    """In a loop of each worker's own, whether or not it was forked where a loop runs."""

    async def main() -> list[Any]:
        if verb == "amap":
            return await corewise.amap(works.square_later, range(50), approach=approach, workers=2)
        stream = corewise.astream(works.square_later, range(50), approach=approach, workers=2)
        return [one async for one in stream]

    assert asyncio.run(main()) == [number * number for number in range(50)]


def test_several_calls_go_on_at_once_and_inside_each_other() -> None:
    """They share nothing but the loop."""

    async def sum_up(count: int) -> int:
        return sum(await corewise.amap(works.square_later, range(count)))

    async def main() -> None:
        sums = [sum(number * number for number in range(count)) for count in range(8)]
        assert await corewise.amap(sum_up, range(8)) == sums
        calls = (corewise.amap(works.square, range(300), approach="processes", workers=2) for _ in range(3))
        assert await asyncio.gather(*calls) == [[number * number for number in range(300)]] * 3

    asyncio.run(main())


def test_a_failure_is_not_kept(verb: str, way: str) -> None:
    """Once the caller lets go of the exception it is gone, and with it all that its frames hold."""
    gone: list[weakref.ref[BaseException]] = []

    async def main() -> None:
        try:
            await collect(verb, way, works.raise_tracked, range(10))
        except works.Tracked as error:
            gone.append(weakref.ref(error))

    gc.disable()
    try:
        asyncio.run(main())
        assert gone[0]() is None
    finally:
        gc.enable()


def test_an_initializer_is_awaited_once() -> None:
    """In the caller's loop, before the first item."""
    made: list[object] = []

    async def initialize(text: str) -> None:
        await asyncio.sleep(0)
        made.append((text, asyncio.get_running_loop()))

    async def main() -> None:
        await corewise.amap(works.square_later, range(20), initializer=initialize, initargs=("once",))
        assert made == [("once", asyncio.get_running_loop())]

    asyncio.run(main())


def test_coroutines_run_in_the_loop_of_the_caller() -> None:
    """So what belongs to it may be used."""

    async def main() -> None:
        lock, loop = asyncio.Lock(), asyncio.get_running_loop()

        async def work(number: int) -> bool:
            async with lock:
                await asyncio.sleep(0)
            return asyncio.get_running_loop() is loop

        assert await corewise.amap(work, range(20)) == [True] * 20

    asyncio.run(main())


def test_a_chosen_approach_and_its_cost_are_told() -> None:
    """As by map."""

    async def main() -> None:
        results = await corewise.amap(works.square_later, range(20))
        assert (results.choice.approach, results.choice.code, results.stats.items) == ("asyncio", "coroutine", 20)
        results = await corewise.amap(works.square, range(20))
        assert (results.choice.approach, results.choice.asked) == ("sync", "auto")
        stream = corewise.astream(works.square, range(20), approach="threads")
        assert [one async for one in stream][-1] == 361
        assert stream.choice is not None
        assert (stream.choice.approach, stream.stats.items, stream.failures) == ("threads", 20, [])

    asyncio.run(main())


def test_what_does_not_fit_is_refused() -> None:
    """With the errors of map."""

    async def main() -> None:
        with pytest.raises(errors.OptionError, match="plain one"):
            await corewise.amap(works.square, [1], approach="asyncio")
        with pytest.raises(errors.OptionError, match="amap returns all"):
            await corewise.amap(works.square, [1], buffer=3)  # type: ignore[call-arg]
        with pytest.raises(TypeError, match="at least one iterable"):
            corewise.astream(works.square)

    asyncio.run(main())


def test_without_await_python_warns() -> None:
    """The warning names the line: the coroutine is dropped there."""
    here = sys._getframe().f_lineno + 2
    with pytest.warns(RuntimeWarning, match="amap' was never awaited") as caught:
        corewise.amap(works.square_later, [1])  # type: ignore[unused-coroutine]
    assert (caught[0].filename, caught[0].lineno) == (__file__, here)


def test_a_coroutine_that_blocks_the_loop_is_told() -> None:
    """With its name, its item and what to do; at the line where it is defined."""

    async def main() -> None:
        await corewise.amap(works.block_at_2, range(4))

    with pytest.warns(RuntimeWarning, match=r"block_at_2 held up the event loop for 0\.\d+ s at item 2") as caught:
        asyncio.run(main())
    assert caught[0].filename == works.__file__
