"""How the tests of `amap` and `astream` ask for each approach, and read what comes."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

import corewise
from corewise._measure.clocks import PlaceInLine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

WAYS: dict[str, dict[str, Any]] = {
    "sync": {"approach": "sync"},
    "threads": {"approach": "threads", "workers": 4},
    "asyncio": {"approach": "asyncio", "workers": 4},
    "coroutines-one-by-one": {"approach": "sync"},
    "processes-fork": {"approach": "processes", "workers": 2, "start_method": "fork"},
    "processes-forkserver": {"approach": "processes", "workers": 2, "start_method": "forkserver"},
    "auto": {"approach": "auto"},
}
VERBS = ("amap", "astream")
OF_COROUTINES = ("asyncio", "coroutines-one-by-one")


def as_coroutine_function(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return the same function as a coroutine function."""

    async def later(*args: Any) -> Any:
        await asyncio.sleep(0)
        return fn(*args)

    return later


async def collect(verb: str, way: str, fn: Callable[..., Any], *iterables: Any, **options: Any) -> list[Any]:
    """Run a plain function by a verb and a way; the ways of coroutine functions get it as one."""
    if way in OF_COROUTINES:
        fn = as_coroutine_function(fn)
    options = {**WAYS[way], **options}
    if verb == "amap":
        return list(await corewise.amap(fn, *iterables, **options))
    async with corewise.astream(fn, *iterables, **options) as stream:
        return [result async for result in stream]


def run(verb: str, way: str, fn: Callable[..., Any], *iterables: Any, **options: Any) -> list[Any]:
    """Do so in a loop of its own."""
    return asyncio.run(collect(verb, way, fn, *iterables, **options))


class Heart:
    """A task that wants to beat each millisecond.

    Attributes:
        pauses_s: seconds between two beats, without those for which the loop's thread stood in line for a core: then
            something else on this machine held it up, and nothing in the loop.
    """

    def __init__(self) -> None:
        self.pauses_s: list[float] = []

    async def beat(self) -> None:
        """Beat until cancelled."""
        with closing(PlaceInLine(threading.get_native_id())) as line:
            while True:
                begin, in_line_s = time.perf_counter(), line.queued_s()
                await asyncio.sleep(0.001)
                self.pauses_s.append(time.perf_counter() - begin - (line.queued_s() - in_line_s))


@asynccontextmanager
async def heart() -> AsyncIterator[Heart]:
    """Have a heart beat beside what is tested."""
    one = Heart()
    task = asyncio.create_task(one.beat())
    try:
        yield one
    finally:
        task.cancel()


async def numbers_later(count: int) -> AsyncIterator[int]:
    """Give 0, 1, 2, ... each after a turn of the loop."""
    for number in range(count):
        await asyncio.sleep(0)
        yield number
