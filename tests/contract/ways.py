"""How the tests of the contract ask for each approach, and one call for every verb that returns all results."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

import corewise

if TYPE_CHECKING:
    from collections.abc import Callable

# How each approach is asked for. A coroutine function runs by all of them, a plain one by all but asyncio.
WAYS: dict[str, dict[str, Any]] = {
    "sync": {"approach": "sync"},
    "threads": {"approach": "threads", "workers": 4},
    "asyncio": {"approach": "asyncio", "workers": 4},
    "processes-fork": {"approach": "processes", "workers": 2, "start_method": "fork"},
    "processes-forkserver": {"approach": "processes", "workers": 2, "start_method": "forkserver"},
    "processes-spawn": {"approach": "processes", "workers": 2, "start_method": "spawn"},
    "processes-of-threads": {"approach": "processes", "workers": 2, "per_worker": 3, "start_method": "fork"},
    "processes-of-tasks": {"approach": "processes", "workers": 2, "per_worker": 3, "start_method": "fork"},
    "auto": {"approach": "auto"},
}
# By the verbs that are awaited, too. How processes are started, which takes longest, is the same for all verbs.
AWAITED: dict[str, dict[str, Any]] = {
    f"{name}, {verb}": WAYS[name]
    for verb, names in {
        "amap": ["sync", "threads", "asyncio", "processes-fork", "auto"],
        "astream": ["asyncio", "processes-fork", "auto"],
    }.items()
    for name in names
}
EVERY = WAYS | AWAITED
# These run coroutine functions only.
OF_COROUTINES = [name for name in EVERY if name.partition(", ")[0] in ("asyncio", "processes-of-tasks")]


def call(way: str, fn: Callable[..., Any], *iterables: Any, **options: Any) -> corewise.Results:
    """Run a function by a way: by `map`, or by the verb that stands behind the comma, in an event loop of its own."""
    return call_by(way.partition(", ")[2], fn, *iterables, **{**EVERY[way], **options})


def call_by(verb: str, fn: Callable[..., Any], *iterables: Any, **options: Any) -> corewise.Results:
    """Run a function by a verb, in an event loop of its own if it is awaited; by `map` where none is named."""
    if not verb:
        return corewise.map(fn, *iterables, **options)
    return asyncio.run(_awaited(verb, fn, iterables, options))


async def _awaited(
    verb: str, fn: Callable[..., Any], iterables: tuple[Any, ...], options: dict[str, Any]
) -> corewise.Results:
    if verb == "amap":
        return await corewise.amap(fn, *iterables, **options)
    async with corewise.astream(fn, *iterables, **options) as stream:
        values = [result async for result in stream]
    choice = stream.choice
    assert choice is not None
    return corewise.Results(values, choice, stream.stats, stream.failures)


class Turned:
    """An `astream` that is read as a plain stream is: its loop turns whenever a result is asked for."""

    def __init__(self, fn: Callable[..., Any], *iterables: Any, **options: Any) -> None:
        async def make() -> corewise.AsyncStream:
            return corewise.astream(fn, *iterables, **options)

        self._closed = False
        self._runner = asyncio.Runner()
        self._stream = self._runner.run(make())

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        if self._closed:
            raise StopIteration
        try:
            return self._runner.run(_next(self._stream))
        except StopAsyncIteration:
            self.close()
            raise StopIteration from None
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def close(self) -> None:
        """End it, and its loop."""
        if not self._closed:
            self._closed = True
            self._runner.run(self._stream.aclose())
            self._runner.close()


async def _next(stream: corewise.AsyncStream) -> Any:
    return await anext(stream)


def as_coroutine_function(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return the same function as a coroutine function."""

    async def later(*args: Any) -> Any:
        await asyncio.sleep(0)
        return fn(*args)

    return later
