"""How the tests of the contract ask for each approach, and one call for every verb that returns all results."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

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
    "auto": {"approach": "auto"},
}
# By the verbs that are awaited, too. How processes are started, which takes longest, is the same for all verbs.
AWAITED: dict[str, dict[str, Any]] = {
    f"{name}, {verb}": WAYS[name]
    for verb, names in {
        "amap": ["sync", "threads", "asyncio", "processes-fork", "auto"],
        "astream": ["threads", "asyncio", "processes-fork", "auto"],
    }.items()
    for name in names
}
EVERY = WAYS | AWAITED


def call(way: str, fn: Callable[..., Any], *iterables: Any, **options: Any) -> corewise.Results:
    """Run a function by a way: by `map`, or by the verb that stands behind the comma, in an event loop of its own."""
    options = {**EVERY[way], **options}
    _, _, verb = way.partition(", ")
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


def as_coroutine_function(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return the same function as a coroutine function."""

    async def later(*args: Any) -> Any:
        await asyncio.sleep(0)
        return fn(*args)

    return later
